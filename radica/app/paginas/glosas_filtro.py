"""The tray's filter in the address: read, said as chips, and kept while a person goes from line to line.

Invariant: what cannot be read asks for nothing; nothing of a patient is ever part of it. The steps of urgency are the
ranges of `urgencia`, so that a tile, a filter and a badge agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import request

from radica.app.paginas.urgencia import NOMBRES, SIN_PLAZO, rangos
from radica.glosas.bandeja.tray import Cursor
from radica.glosas.bandeja.tray_filter import DEFAULT_ORDER, DEVOLUCIONES, GLOSAS, ORDERS, SIN, Filtro
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.codes import FAMILIAS
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.states import EstadoDevolucion, EstadoGlosa, EstadoRespuesta
from radica.kernel.clock import civil_date
from radica.kernel.web import now, person
from radica.kernel.web_paging import decode_cursor, query_day
from radica.users.access import selected_ids

TURNOS = {"ips": "Por responder", "pagador": "Esperan al pagador", "ninguno": "Sin término corriendo"}
RESPUESTAS = {SIN: "Sin respuesta"} | {one.value: Respuesta.MACHINE.labels[one] for one in EstadoRespuesta}
RESPUESTAS.pop(EstadoRespuesta.DESCARTADA.value)
KEPT = (
    "turno", "q", "pagador", "familia", "codigo", "estado", "ronda", "responsable", "urgencia",
    "extemporanea", "exceso", "pendientes", "respuesta", "notificacion", "orden",
)  # fmt: skip
"""Names of the filter's values; they travel with a line so that «siguiente» follows the tray it was opened from."""


def asked(clase: str) -> Filtro:
    """Return the filter of this request, of the providers in view."""
    return read_filter(request.args, clase, selected_ids(person()), civil_date(now()), person().id)


def read_filter(args: Mapping[str, str], clase: str, prestadores: frozenset[int], hoy: date, usuario_id: int) -> Filtro:
    """Read the filter from the values of an address."""
    states = EstadoDevolucion if clase == DEVOLUCIONES else EstadoGlosa
    rango = rangos(hoy).get(args.get("urgencia", ""))
    owner = args.get("responsable", "")
    owner = str(usuario_id) if owner == "yo" else owner
    return Filtro(
        prestadores=prestadores,
        hoy=hoy,
        clase=clase,
        turno={"pagador": "pagador", "ninguno": ""}.get(args.get("turno", ""), "ips"),
        q=" ".join(args.get("q", "").split())[:60],
        pagador=_number(args.get("pagador")),
        familia=args.get("familia", "") if args.get("familia") in FAMILIAS else "",
        codigo=args.get("codigo", "").strip().upper()[:12],
        estado=args.get("estado", "") if args.get("estado") in {one.value for one in states} else "",
        ronda=_number(args.get("ronda")),
        responsable=owner if owner == SIN or _number(owner) else "",
        desde=rango.desde if rango else None,
        hasta=rango.hasta if rango else None,
        sin_plazo=bool(rango and rango.sin),
        extemporanea=args.get("extemporanea") == "si",
        exceso=args.get("exceso") == "si" and clase == GLOSAS,
        pendientes=args.get("pendientes") == "si",
        respuesta=args.get("respuesta", "") if args.get("respuesta") in RESPUESTAS else "",
        notificacion=_number(args.get("notificacion")),
        orden=args.get("orden", "") if args.get("orden") in ORDERS else DEFAULT_ORDER,
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def kept() -> dict[str, str]:
    """Return the filter's values of this request, for the addresses of lines and forms."""
    return {name: request.args[name] for name in KEPT if request.args.get(name)}


def read_cursor(text: str | None) -> Cursor | None:
    """Read the cursor of a page; None when it is none of ours."""
    values = decode_cursor(text, size=3)
    if values is None:
        return None
    day, cents, id_ = values
    if any(not isinstance(one, int) or isinstance(one, bool) for one in (cents, id_)):
        return None
    if day is None:
        return None, cents, id_
    read = query_day(day) if isinstance(day, str) else None
    return (read, cents, id_) if read else None


def chips(f: Filtro, payers: dict[int, str], people: dict[int, str]) -> list[tuple[str, str]]:
    """Return the filter as (query value, words)."""
    labels = Devolucion.MACHINE.labels if f.clase == DEVOLUCIONES else Glosa.MACHINE.labels
    states = EstadoDevolucion if f.clase == DEVOLUCIONES else EstadoGlosa
    found = [("q", f"«{f.q}»")] if f.q else []
    if f.pagador is not None:
        found.append(("pagador", payers.get(f.pagador, "otro pagador")))
    if f.familia:
        found.append(("familia", f"{f.familia} {FAMILIAS[f.familia].lower()}"))
    if f.codigo:
        found.append(("codigo", f"código {f.codigo}"))
    if f.estado:
        found.append(("estado", labels[states(f.estado)]))
    if f.ronda is not None:
        found.append(("ronda", f"ronda {f.ronda}"))
    if f.responsable:
        who = "sin responsable" if f.responsable == SIN else people.get(int(f.responsable), "otra persona")
        found.append(("responsable", who))
    urgency = request.args.get("urgencia", "")
    if urgency in NOMBRES:
        found.append(("urgencia", NOMBRES[urgency] if urgency != SIN_PLAZO else "sin plazo"))
    if f.extemporanea:
        found.append(("extemporanea", "tardías del pagador"))
    if f.exceso:
        found.append(("exceso", "objetan más de lo facturado"))
    if f.pendientes:
        found.append(("pendientes", "pendientes hasta otro día"))
    if f.respuesta:
        found.append(("respuesta", f"respuesta: {RESPUESTAS[f.respuesta].lower()}"))
    if f.notificacion is not None:
        found.append(("notificacion", f"notificación {f.notificacion}"))
    return found
