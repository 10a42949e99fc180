"""What the day asks for in glosas, devoluciones and conciliaciones: days left and money, what waits for a person.

Invariant: the figures of the steps come from the very conditions of the trays that they open; only providers in view.
Norms: Ley 1438/2011 art. 57, Res. 2284/2023 art. 6.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.app.paginas.consultas_hoy import Casilla
from radica.app.paginas.urgencia import SIN_PLAZO, Rango, rangos
from radica.glosas.bandeja import tray
from radica.glosas.bandeja.tray_filter import DEVOLUCIONES, GLOSAS, Filtro
from radica.glosas.bandeja.work import mentions_for
from radica.plazos.rules import EstadoPlazo, estado_fecha
from radica.users.models import ClaseTarea, Tarea

SHOWN = 12
CLASES = (
    ClaseTarea.REVISAR_CUSTODIA,
    ClaseTarea.VIGILAR_PRESCRIPCION,
    ClaseTarea.REVISAR_SILENCIO,
    ClaseTarea.DECIDIR_GLOSA,
    ClaseTarea.COMPROMISO_INCUMPLIDO,
    ClaseTarea.COMPROBACION_FALLIDA,
    ClaseTarea.APROBAR_RESPUESTA,
    ClaseTarea.EMITIR_NOTA_CREDITO,
    ClaseTarea.NOTA_AJUSTE_RIPS,
)
"""Tasks of this trade, most pressing first. They are counted here and listed on their own page: there can be thousands."""
NOMBRES_TAREA = {
    ClaseTarea.REVISAR_CUSTODIA: "Custodia: revisar lo grave",
    ClaseTarea.VIGILAR_PRESCRIPCION: "Factura por prescribir",
    ClaseTarea.REVISAR_SILENCIO: "Término vencido: revisar",
    ClaseTarea.DECIDIR_GLOSA: "Decidir qué sigue",
    ClaseTarea.COMPROMISO_INCUMPLIDO: "Compromiso de pago incumplido",
    ClaseTarea.COMPROBACION_FALLIDA: "Comprobación sin terminar",
    ClaseTarea.APROBAR_RESPUESTA: "Aprobar respuesta",
    ClaseTarea.EMITIR_NOTA_CREDITO: "Emitir nota crédito",
    ClaseTarea.NOTA_AJUSTE_RIPS: "Nota de ajuste de RIPS",
}


@dataclass(frozen=True)
class LineaHoy:
    """A line that lapses first, with how its term stands."""

    linea: tray.Linea
    plazo: EstadoPlazo | None


@dataclass(frozen=True)
class Mencionado:
    """Somebody speaks to the person on a line: its kind (glosa, devolucion) and id."""

    quien: str
    kind: str
    objecion_id: int


@dataclass(frozen=True)
class GlosasHoy:
    """The part of the day about glosas. `pasos`: per step of urgency, both trays together and each by itself."""

    glosas: dict[str, Casilla]
    devoluciones: dict[str, Casilla]
    sin_responsable: int
    lineas: Sequence[LineaHoy]
    por_ubicar: int
    tareas: Sequence[tuple[ClaseTarea, str, int]]
    menciones: Sequence[Mencionado]

    @property
    def alguna(self) -> bool:
        """True when there is anything to show."""
        counted = [*self.glosas.values(), *self.devoluciones.values()]
        return bool(any(one.cuantas for one in counted) or self.por_ubicar or self.tareas or self.menciones)


def glosas_today(session: Session, ids: Collection[int], hoy: date, *, usuario_id: int) -> GlosasHoy:
    """Return what a person finds in the morning about objections of the providers in view."""
    base = Filtro(frozenset(ids), hoy)
    lines_days = tray.by_day(session, base)
    whole = replace(base, clase=DEVOLUCIONES)
    whole_days = tray.by_day(session, whole)
    first = tray.with_names(
        session,
        [
            row
            for clase in (GLOSAS, DEVOLUCIONES)
            for row in tray.rows_of(session, replace(base, clase=clase), None, backwards=False, limit=SHOWN)
        ],
    )
    first.sort(key=lambda one: (one.objecion.vence or date.max, -one.dinero, one.objecion.KIND, one.objecion.id))
    return GlosasHoy(
        glosas=_steps(lines_days, hoy),
        devoluciones=_steps(whole_days, hoy),
        sin_responsable=sum(one.sin_responsable for one in (*lines_days, *whole_days)),
        lineas=[
            LineaHoy(one, estado_fecha(one.objecion.vence, hoy) if one.objecion.vence else None)
            for one in first[:SHOWN]
        ],
        por_ubicar=sum(count for count, _ in tray.unplaced(session, ids).values()) if ids else 0,
        tareas=_tasks(session, ids),
        menciones=_mentions(session, ids, usuario_id),
    )


def _steps(days: Sequence[tray.Dia], hoy: date) -> dict[str, Casilla]:
    found = {}
    for name, rango in rangos(hoy).items():
        inside = [one for one in days if _within(one.vence, rango, sin=name == SIN_PLAZO)]
        found[name] = Casilla(sum(one.cuantas for one in inside), sum(one.valor for one in inside))
    return found


def _within(day: date | None, rango: Rango, *, sin: bool) -> bool:
    if day is None or sin:
        return day is None and sin
    return (rango.desde is None or rango.desde <= day) and (rango.hasta is None or day <= rango.hasta)


def _tasks(session: Session, ids: Collection[int]) -> list[tuple[ClaseTarea, str, int]]:
    rows = session.execute(
        select(Tarea.clase, func.count())
        .where(Tarea.prestador_id.in_(ids), Tarea.cerrada_at.is_(None), Tarea.clase.in_([one.value for one in CLASES]))
        .group_by(Tarea.clase)
    )
    counted = {clase: int(count) for clase, count in rows}
    return [(clase, NOMBRES_TAREA[clase], counted[clase]) for clase in CLASES if counted.get(clase)]


def _mentions(session: Session, ids: Collection[int], usuario_id: int) -> list[Mencionado]:
    """Return who spoke to the person and on which line, newest first; the words themselves stay on the line's page."""
    found = []
    for _, comment, who in mentions_for(session, usuario_id):
        kind, _, number = comment.case_key.partition(":")
        if comment.prestador_id in ids:
            found.append(Mencionado(who, kind, int(number)))
    return found
