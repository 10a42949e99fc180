"""The trays of glosas and of devoluciones: what lapses first and costs most, with its figures and filters.

Invariant: tiles, totals and rows come from the same conditions; the two trays are never mixed; only providers in view.
Norms: Ley 1438/2011 art. 57, Res. 2284/2023 art. 6 (the terms behind the days left).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from radica.app.paginas.comun import HEALTH_ROLES, provider_names
from radica.app.paginas.glosas_filtro import KEPT, RESPUESTAS, TURNOS, asked, chips, kept, read_cursor
from radica.app.paginas.glosas_plano import ANSWERERS, MANAGERS, WORKERS, blueprint
from radica.app.paginas.urgencia import NOMBRES, rangos
from radica.glosas import siifa
from radica.glosas.bandeja import tray
from radica.glosas.bandeja.tray_filter import DEFAULT_ORDER, DEVOLUCIONES, GLOSAS, Filtro, stake
from radica.glosas.codes import FAMILIAS
from radica.glosas.models import DestinoLinea, Devolucion, Glosa
from radica.glosas.states import EstadoDevolucion, EstadoGlosa
from radica.kernel.web import db_session, now, person
from radica.kernel.web_format import cop_short, entero
from radica.kernel.web_paging import Page, cut
from radica.plazos.calendar import OutOfCalendar
from radica.plazos.rules import EstadoPlazo, Paso, estado_fecha
from radica.users.services import people_of

PAGE = 50
LINEAS = {
    DestinoLinea.SIN_CRUZAR: "Sin cruzar",
    DestinoLinea.POR_DECIDIR: "Por decidir",
    DestinoLinea.NO_LEIDA: "No leídas",
}
MAX_BULK = 200
"""Lines of one bulk act."""


@dataclass(frozen=True)
class Ficha:
    """A tile: what it counts, how many, how much, and where it opens."""

    nombre: str
    valor: str
    detalle: str
    href: str | None
    paso: str = ""


@blueprint.get("")
def lista() -> ResponseReturnValue:
    """Show the tray of glosas."""
    return _tray(GLOSAS)


@blueprint.get("/devoluciones")
def devoluciones() -> ResponseReturnValue:
    """Show the tray of devoluciones."""
    return _tray(DEVOLUCIONES)


def _tray(clase: str) -> ResponseReturnValue:
    f = asked(clase)
    session = db_session()
    base = replace(Filtro(f.prestadores, f.hoy), clase=clase)
    days, found = tray.tiles_and_totals(session, f)
    page = _page(session, f, found)
    payers = tray.payers_in(session, f.prestadores, clase)
    people = owners(session, f.prestadores)
    states = EstadoDevolucion if clase == DEVOLUCIONES else EstadoGlosa
    labels = Devolucion.MACHINE.labels if clase == DEVOLUCIONES else Glosa.MACHINE.labels
    return render_template(
        "glosas/bandeja.html",
        f=f,
        clase=clase,
        page=page,
        fichas=_tiles(session, base, days),
        pagadores=payers,
        personas=people,
        prestadores=provider_names(session, {row.objecion.prestador_id for row in page.rows}),
        varios=len(f.prestadores) > 1,
        puestos=chips(f, dict(payers), dict(people)),
        volver=kept(),
        KEPT=KEPT,
        TURNOS=TURNOS,
        turno=request.args.get("turno", "ips") if request.args.get("turno") in TURNOS else "ips",
        ESTADOS=[(one.value, labels[one]) for one in states],
        RESPUESTAS=RESPUESTAS,
        URGENCIAS=NOMBRES,
        FAMILIAS={key: name for key, name in FAMILIAS.items() if key not in ("DE", "RE")},
        urgencia_de=lambda row: urgency(row.vence, f.hoy),
        puede=person().may(*ANSWERERS),
        dirige=person().may(*MANAGERS),
        salud=person().granted(*HEALTH_ROLES),
        por_defecto=DEFAULT_ORDER,
        MAX_BULK=MAX_BULK,
    )


def _page(session: Session, f: Filtro, found: tuple[int, int]) -> Page[tray.Linea]:
    """Return the page that is asked for; `found` are how many rows the filter has and their centavos."""
    after, before = read_cursor(request.args.get("despues")), read_cursor(request.args.get("antes"))
    backwards = before is not None and after is None
    page = cut(
        tray.rows_of(session, f, after or before, backwards=backwards, limit=PAGE + 1),
        limit=PAGE,
        key=lambda row: (row.vence.isoformat() if row.vence else None, stake(row), row.id),
        came_with=request.args.get("despues") if after else None,
        backwards=backwards,
    )
    return Page(tray.with_names(session, page.rows), page.next, page.previous, *found)


def urgency(vence: date | None, hoy: date) -> EstadoPlazo | None:
    """Return how a running term stands today, None without one."""
    try:
        return estado_fecha(vence, hoy) if vence else None
    except OutOfCalendar:
        return None


def owners(session: Session, prestadores: frozenset[int]) -> list[tuple[int, str]]:
    """Return who may own lines of these providers, by name."""
    able = {role.value for role in WORKERS}
    return [
        (one.usuario.id, one.usuario.nombre)
        for one in people_of(session, prestadores)
        if one.usuario.activo and any(str(grant.rol) in able for grant in one.accesos)
    ]


def _tiles(session: Session, base: Filtro, days: Sequence[tray.Dia]) -> list[Ficha]:
    endpoint = "glosas.devoluciones" if base.clase == DEVOLUCIONES else "glosas.lista"
    ranges = rangos(base.hoy)
    found = []
    for step in (Paso.VENCIDA, Paso.VENCE_HOY, Paso.DE_1_A_2, Paso.DE_3_A_5):
        first, last = ranges[step.value].desde, ranges[step.value].hasta
        inside = [
            one
            for one in days
            if one.vence and (first is None or one.vence >= first) and (last is None or one.vence <= last)
        ]
        count, cents = sum(one.cuantas for one in inside), sum(one.valor for one in inside)
        if count or step is not Paso.VENCIDA:
            found.append(
                Ficha(
                    NOMBRES[step.value], entero(count), cop_short(cents), url_for(endpoint, urgencia=step.value),
                    step.value,
                )
            )  # fmt: skip
    free = sum(one.sin_responsable for one in days)
    found.append(Ficha("Sin responsable", entero(free), "", url_for(endpoint, responsable="sin")))
    waiting, _ = tray.waiting_for_approval(session, base.prestadores)
    if waiting:
        found.append(Ficha("Por aprobar", entero(waiting), "", url_for(endpoint, respuesta="por_aprobar")))
    if base.clase == GLOSAS:
        found += _loose(session, base)
    return found


def _loose(session: Session, base: Filtro) -> list[Ficha]:
    """Return the tiles of what is not in any tray of work yet, and of what SIIFA waits for."""
    sums = tray.unplaced(session, base.prestadores)
    found = [
        Ficha(name, entero(sums[fate][0]), cop_short(sums[fate][1]), url_for("glosas.lineas", destino=fate.value))
        for fate, name in LINEAS.items()
        if fate in sums
    ]
    registering = siifa.counts(session, sorted(base.prestadores), now())
    waiting = sum(registering.values())
    if waiting:
        late = registering[siifa.Urgencia.VENCIDA]
        found.append(
            Ficha(
                "SIIFA", entero(waiting), f"{entero(late)} fuera de las 48 h" if late else "por registrar",
                url_for("glosas.registros_siifa"), Paso.VENCIDA.value if late else "",
            )
        )  # fmt: skip
    return found
