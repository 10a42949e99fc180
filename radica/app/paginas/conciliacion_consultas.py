"""What the screens of meetings read: the list with its money, what waits without a table, a page of lines.

Invariant: every sum is of the rows that its link opens; only providers in view; a page never reads a whole table of
thousands. SQL without Flask.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.conciliacion.models import Compromiso, CompromisoHecho, Conciliacion, ConciliacionLinea
from radica.conciliacion.simulate import Reparto
from radica.conciliacion.states import ABIERTAS, FIRMADAS, EstadoConciliacion
from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Factura
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.states import CONCILIABLES, EstadoDevolucion

PER_PAGE = 60
LINES = 100
"""Lines of a table on one page."""


@dataclass(frozen=True)
class Reunion:
    """One meeting of the list. `rotos`: promises whose date passed with nothing registered."""

    row: Conciliacion
    pagador: str
    prestador: str
    lineas: int
    reparto: Reparto
    rotos: int


@dataclass(frozen=True)
class SinMesa:
    """What one payer disputes and is on no table."""

    prestador_id: int
    pagador_id: int
    pagador: str
    prestador: str
    lineas: int
    en_disputa: int


@dataclass(frozen=True)
class Cifra:
    """A figure: how many and how much (centavos)."""

    cuantas: int
    valor: int


def meetings(
    session: Session,
    ids: Collection[int],
    today: date,
    *,
    estado: EstadoConciliacion | None = None,
    pagador_id: int | None = None,
    rotos: bool = False,
    before: int | None = None,
) -> list[Reunion]:
    """Return the meetings of some providers, the newest first; one more than PER_PAGE tells of another page."""
    query = (
        select(Conciliacion, Pagador.nombre, Prestador.nombre)
        .join(Pagador, Pagador.id == Conciliacion.pagador_id)
        .join(Prestador, Prestador.id == Conciliacion.prestador_id)
        .where(Conciliacion.prestador_id.in_(ids))
        .order_by(Conciliacion.id.desc())
        .limit(PER_PAGE + 1)
    )
    if estado is not None:
        query = query.where(Conciliacion.estado == estado)
    if pagador_id is not None:
        query = query.where(Conciliacion.pagador_id == pagador_id)
    if rotos:
        query = query.where(Conciliacion.id.in_(_broken(ids, today).with_only_columns(Compromiso.conciliacion_id)))
    if before is not None:
        query = query.where(Conciliacion.id < before)
    rows = list(session.execute(query))
    shown = [row.id for row, _, _ in rows]
    sums = _sums(session, shown)
    broken = _counts(session, _broken(ids, today), shown)
    return [
        Reunion(row, payer, provider, *sums.get(row.id, (0, Reparto())), rotos=broken.get(row.id, 0))
        for row, payer, provider in rows
    ]


def figures(session: Session, ids: Collection[int], today: date) -> dict[str, Cifra]:
    """Return what is on open tables, what is promised and what was broken."""
    on_tables = session.execute(
        select(func.count(), func.coalesce(func.sum(ConciliacionLinea.en_disputa), 0))
        .join(Conciliacion, Conciliacion.id == ConciliacionLinea.conciliacion_id)
        .where(
            Conciliacion.prestador_id.in_(ids),
            Conciliacion.estado.in_([state.value for state in ABIERTAS]),
        )
    ).one()
    promised = _open_promises(ids).where(Compromiso.fecha >= today)
    return {
        "mesas": Cifra(int(on_tables[0]), int(on_tables[1])),
        "prometido": _figure(session, promised),
        "incumplido": _figure(session, _broken(ids, today)),
    }


def without_table(session: Session, ids: Collection[int]) -> list[SinMesa]:
    """Return, by provider and payer, what may be taken to a meeting and is on none; the dearest first."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for query in (_loose(Glosa, Glosa.en_disputa, ids), _loose(Devolucion, Devolucion.valor, ids)):
        for provider, payer, count, cents in session.execute(query):
            before = found.get((provider, payer), (0, 0))
            found[provider, payer] = (before[0] + int(count), before[1] + int(cents))
    payers = _names(session, Pagador, {payer for _, payer in found})
    providers = _names(session, Prestador, {provider for provider, _ in found})
    rows = [
        SinMesa(provider, payer, payers[payer], providers[provider], count, cents)
        for (provider, payer), (count, cents) in found.items()
    ]
    return sorted(rows, key=lambda one: (-one.en_disputa, one.pagador))


@dataclass(frozen=True)
class LineaMesa:
    """A line of a table with what a person needs to know it."""

    linea: ConciliacionLinea
    numero: str
    codigo: str
    estado: str


def page_of_lines(
    session: Session, row: Conciliacion, *, codigo: str = "", factura: str = "", after: int = 0
) -> tuple[list[LineaMesa], int | None]:
    """Return a page of a table's lines, and the last line's id when there are more."""
    query = (
        select(
            ConciliacionLinea,
            Factura.numero,
            func.coalesce(Glosa.codigo, Devolucion.codigo),
            Glosa.estado,
            Devolucion.estado,
        )
        .join(Factura, Factura.id == ConciliacionLinea.factura_id)
        .outerjoin(Glosa, Glosa.id == ConciliacionLinea.glosa_id)
        .outerjoin(Devolucion, Devolucion.id == ConciliacionLinea.devolucion_id)
        .where(ConciliacionLinea.conciliacion_id == row.id, ConciliacionLinea.id > after)
        .order_by(ConciliacionLinea.id)
        .limit(LINES + 1)
    )
    if codigo:
        query = query.where(func.coalesce(Glosa.codigo, Devolucion.codigo) == codigo)
    if factura:
        query = query.where(Factura.numero_clave.contains(factura.upper().replace(" ", ""), autoescape=True))
    rows = [
        LineaMesa(line, number, code, _label(Glosa, mine) or _label(Devolucion, whole) or "")
        for line, number, code, mine, whole in session.execute(query)
    ]
    return rows[:LINES], rows[LINES - 1].linea.id if len(rows) > LINES else None


def earlier_meetings(session: Session, prestador_id: int, pagador_id: int) -> list[Conciliacion]:
    """Return the finished meetings of two parties, to which a new one may refer."""
    return list(
        session.scalars(
            select(Conciliacion)
            .where(
                Conciliacion.prestador_id == prestador_id,
                Conciliacion.pagador_id == pagador_id,
                Conciliacion.estado.not_in([state.value for state in ABIERTAS]),
            )
            .order_by(Conciliacion.id.desc())
            .limit(20)
        )
    )


def _label(model: type[Glosa] | type[Devolucion], state: Any) -> str | None:
    return model.MACHINE.labels[state] if state is not None else None


def _sums(session: Session, ids: Sequence[int]) -> dict[int, tuple[int, Reparto]]:
    rows = session.execute(
        select(
            ConciliacionLinea.conciliacion_id,
            func.count(),
            func.sum(ConciliacionLinea.levantado),
            func.sum(ConciliacionLinea.aceptado),
            func.sum(ConciliacionLinea.sigue),
        )
        .where(ConciliacionLinea.conciliacion_id.in_(ids))
        .group_by(ConciliacionLinea.conciliacion_id)
    )
    return {row[0]: (int(row[1]), Reparto(int(row[2]), int(row[3]), int(row[4]))) for row in rows}


def _open_promises(ids: Collection[int]) -> Any:
    return (
        select(Compromiso.conciliacion_id, Compromiso.valor)
        .join(Conciliacion, Conciliacion.id == Compromiso.conciliacion_id)
        .outerjoin(CompromisoHecho, CompromisoHecho.compromiso_id == Compromiso.id)
        .where(
            Compromiso.prestador_id.in_(ids),
            CompromisoHecho.id.is_(None),
            Conciliacion.estado.in_([state.value for state in FIRMADAS]),
        )
    )


def _broken(ids: Collection[int], today: date) -> Any:
    return _open_promises(ids).where(Compromiso.fecha < today)


def _figure(session: Session, query: Any) -> Cifra:
    row = session.execute(query.with_only_columns(func.count(), func.coalesce(func.sum(Compromiso.valor), 0))).one()
    return Cifra(int(row[0]), int(row[1]))


def _counts(session: Session, query: Any, ids: Sequence[int]) -> Mapping[int, int]:
    rows = session.execute(
        query.with_only_columns(Compromiso.conciliacion_id, func.count())
        .where(Compromiso.conciliacion_id.in_(ids))
        .group_by(Compromiso.conciliacion_id)
    )
    return {int(row[0]): int(row[1]) for row in rows}


def _loose(model: type[Glosa] | type[Devolucion], value: Any, ids: Collection[int]) -> Any:
    """Count what is conciliable and on no open table, by provider and payer."""
    column = ConciliacionLinea.glosa_id if model is Glosa else ConciliacionLinea.devolucion_id
    states = [state.value for state in CONCILIABLES] if model is Glosa else [EstadoDevolucion.REITERADA.value]
    taken = select(column).where(ConciliacionLinea.vivo == 1, column.is_not(None))
    return (
        select(model.prestador_id, model.pagador_id, func.count(), func.sum(value))
        .where(model.prestador_id.in_(ids), model.estado.in_(states), value > 0, model.id.not_in(taken))
        .group_by(model.prestador_id, model.pagador_id)
    )


def _names(session: Session, model: type[Pagador] | type[Prestador], ids: Collection[int]) -> dict[int, str]:
    return {row.id: row.nombre for row in session.execute(select(model.id, model.nombre).where(model.id.in_(ids)))}
