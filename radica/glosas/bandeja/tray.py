"""The trays of the work: open objections by days left and money, their totals and the neighbours of a line.

Invariant: a page and its totals come from the same conditions (`tray_filter`); pages are cut by (last day, money
falling, id), so that they neither skip nor repeat rows while others are added. SQL without Flask.
Norms: Ley 1438/2011 art. 57, Res. 2284/2023 art. 6.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session

from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.glosas.bandeja.lines_tray import figures
from radica.glosas.bandeja.tray_filter import (
    GLOSAS,
    SIN,
    Filtro,
    Objecion,
    conditions,
    model_of,
    money_of,
    narrowing,
    stake,
)
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.models import DestinoLinea, Devolucion, Glosa
from radica.glosas.states import EstadoRespuesta
from radica.users.models import Usuario

_LAST = date(9999, 12, 31)

Cursor = tuple[date | None, int, int]
"""Last day, centavos at stake and id of the row from which a page goes on."""


@dataclass(frozen=True)
class Linea:
    """One row of a tray with the names that go beside it."""

    objecion: Objecion
    factura: str
    pagador: str
    responsable: str | None
    respuesta: Respuesta | None

    @property
    def dinero(self) -> int:
        """What is at stake, in centavos."""
        return stake(self.objecion)


@dataclass(frozen=True)
class Dia:
    """Open lines whose term lapses one day: how many, centavos, how many without an owner."""

    vence: date | None
    cuantas: int
    valor: int
    sin_responsable: int


def totals(session: Session, f: Filtro) -> tuple[int, int]:
    """Return how many rows the whole filter has, and what is at stake in centavos."""
    if not f.prestadores:
        return 0, 0
    count, cents = session.execute(select(func.count(), func.sum(money_of(f.clase))).where(*conditions(f))).one()
    return count, int(cents or 0)


def by_day(session: Session, f: Filtro) -> list[Dia]:
    """Return the filter's rows by last day, in one grouped statement: what the tiles add up."""
    if not f.prestadores:
        return []
    return [Dia(*_whole(row)) for row in session.execute(_days(f))]


def tiles_and_totals(session: Session, f: Filtro) -> tuple[list[Dia], tuple[int, int]]:
    """Return the rows to answer today by last day, whatever the filter, and how many rows the filter has, with centavos.

    One walk along the index gives both where it holds what the filter asks. Lines without an answer are those of the
    same filter less those with one, which are few among the open ones.
    """
    base = replace(Filtro(f.prestadores, f.hoy), clase=f.clase)
    unanswered = f.respuesta == SIN and f.clase == GLOSAS
    plain = replace(f, respuesta="") if unanswered else f
    if not f.prestadores or not plain.indexado:
        return by_day(session, base), totals(session, f)
    model: Any = model_of(f.clase)
    inside = and_(true(), *narrowing(plain))
    query = _days(base).add_columns(func.count().filter(inside), func.sum(money_of(f.clase)).filter(inside))
    rows = session.execute(query).all()
    count, cents = sum(row[4] for row in rows), sum(int(row[5] or 0) for row in rows)
    if unanswered:
        answered = select(func.count(), func.sum(model.en_disputa)).join(
            Respuesta, and_(Respuesta.glosa_id == model.id, Respuesta.ronda == model.ronda)
        )
        # Each has one living answer in a round at most (uq_respuestas_glosa): none is taken off twice.
        alive = and_(
            Respuesta.prestador_id.in_(f.prestadores),
            Respuesta.estado.in_(set(EstadoRespuesta) - {EstadoRespuesta.DESCARTADA}),
        )
        less, money = session.execute(answered.where(alive, *conditions(plain))).one()
        count, cents = count - less, cents - int(money or 0)
    return [Dia(*_whole(row)) for row in rows], (count, cents)


def _days(f: Filtro) -> Select[Any]:
    model: Any = model_of(f.clase)
    free = func.count() - func.count(model.responsable_id)
    return (
        select(model.vence, func.count(), func.sum(money_of(f.clase)), free)
        .where(*conditions(f))
        .group_by(model.vence)
        .order_by(model.vence)
    )


def _whole(row: Any) -> tuple[date | None, int, int, int]:
    return row[0], int(row[1]), int(row[2] or 0), int(row[3])


def ids_of(session: Session, f: Filtro, *, limit: int) -> list[int]:
    """Return the ids of the filter in its order, at most `limit`."""
    return [row.id for row in rows_of(session, f, None, backwards=False, limit=limit)]


def all_rows(session: Session, f: Filtro, *, limit: int) -> list[Linea]:
    """Return the rows of the whole filter in its order, at most `limit`, with their names."""
    return with_names(session, rows_of(session, f, None, backwards=False, limit=limit))


def neighbours(session: Session, f: Filtro, objecion: Objecion) -> tuple[int | None, int | None]:
    """Return the ids before and after a line in the order of a tray, whether or not the line is still in it."""
    here: Cursor = (objecion.vence, stake(objecion), objecion.id)
    before = rows_of(session, f, here, backwards=True, limit=1)
    after = rows_of(session, f, here, backwards=False, limit=1)
    return (before[0].id if before else None, after[0].id if after else None)


def rows_of(session: Session, f: Filtro, cursor: Cursor | None, *, backwards: bool, limit: int) -> list[Objecion]:
    """Read rows of each provider along the index and merge them: an IN over providers would sort them all."""
    by_term = f.orden.removeprefix("-") == "vence"
    # Both orders begin with what hurts most at equal days; the reverse is their exact mirror.
    rising = f.orden in ("vence", "-valor") if not backwards else f.orden not in ("vence", "-valor")
    found: list[Objecion] = []
    for prestador in sorted(f.prestadores):
        if by_term:
            found += _by_term(session, f, prestador, cursor, rising=rising, limit=limit)
        else:
            found += _by_money(session, f, prestador, cursor, rising=rising, limit=limit)

    def place(row: Objecion) -> tuple[Any, ...]:
        if by_term:
            return (row.vence is None, row.vence or _LAST, -stake(row), row.id)
        return (-stake(row), row.id)

    return sorted(found, key=place, reverse=not rising)[:limit]


def _by_term(
    session: Session, f: Filtro, prestador: int, cursor: Cursor | None, *, rising: bool, limit: int
) -> list[Objecion]:
    """Read along (last day, money falling, id); rows without a day stand at the end.

    The index alone says which ones: sorting the rows themselves by money within a day took most of a page's time.
    """
    model: Any = model_of(f.clase)
    money = money_of(f.clase)
    order = (model.vence, money.desc(), model.id) if rising else (model.vence.desc(), money, model.id.desc())
    rows: list[Objecion] = []
    for blank in (False, True) if rising else (True, False):
        if cursor is not None and rising and cursor[0] is None and not blank:
            continue
        if cursor is not None and not rising and cursor[0] is not None and blank:
            continue
        query: Select[Any] = select(model.id).where(*conditions(f, (prestador,)))
        if blank:
            query = query.where(model.vence.is_(None)).order_by(*order[1:])
            if cursor is not None and cursor[0] is None:
                query = query.where(_behind_money(model, money, cursor, rising=rising))
        else:
            query = query.where(model.vence.is_not(None)).order_by(*order)
            if cursor is not None and cursor[0] is not None:
                day = cursor[0]
                later = model.vence > day if rising else model.vence < day
                same = and_(model.vence == day, _behind_money(model, money, cursor, rising=rising))
                # The first condition repeats the second one's bound so that the index starts there.
                query = query.where(model.vence >= day if rising else model.vence <= day, or_(later, same))
        ids = query.limit(limit - len(rows)).correlate(None)
        rows += session.scalars(select(model).where(model.id.in_(ids)).order_by(*order)).all()
        if len(rows) >= limit:
            break
    return rows


def _by_money(
    session: Session, f: Filtro, prestador: int, cursor: Cursor | None, *, rising: bool, limit: int
) -> list[Objecion]:
    model: Any = model_of(f.clase)
    money = money_of(f.clase)
    query: Select[Any] = select(model).where(*conditions(f, (prestador,)))
    if cursor is not None:
        query = query.where(_behind_money(model, money, cursor, rising=rising))
    order = (money.desc(), model.id) if rising else (money, model.id.desc())
    return list(session.scalars(query.order_by(*order).limit(limit)))


def _behind_money(model: Any, money: Any, cursor: Cursor, *, rising: bool) -> ColumnElement[bool]:
    _, cents, id_ = cursor
    if rising:
        return or_(money < cents, and_(money == cents, model.id > id_))
    return or_(money > cents, and_(money == cents, model.id < id_))


def with_names(session: Session, rows: Sequence[Objecion]) -> list[Linea]:
    """Return the rows with the invoice's number, the payer's and the owner's names and our living answer."""
    invoices = dict(
        session.execute(
            select(Factura.id, Factura.numero).where(Factura.id.in_({row.factura_id for row in rows}))
        ).all()
    )
    payers = dict(
        session.execute(
            select(Pagador.id, Pagador.nombre).where(Pagador.id.in_({row.pagador_id for row in rows}))
        ).all()
    )
    owners = {row.responsable_id for row in rows if row.responsable_id is not None}
    people = dict(session.execute(select(Usuario.id, Usuario.nombre).where(Usuario.id.in_(owners))).all())
    answers = answers_of(session, rows)
    return [
        Linea(
            row,
            invoices.get(row.factura_id, ""),
            payers.get(row.pagador_id, ""),
            people.get(row.responsable_id) if row.responsable_id is not None else None,
            answers.get((row.KIND, row.id)),
        )
        for row in rows
    ]


def answers_of(session: Session, rows: Sequence[Objecion]) -> dict[tuple[str, int], Respuesta]:
    """Return the living answer of the present round of each line that has one, by (kind, id)."""
    lines = {row.id: row.ronda for row in rows if isinstance(row, Glosa)}
    whole = [row.id for row in rows if isinstance(row, Devolucion)]
    query = select(Respuesta).where(Respuesta.estado != EstadoRespuesta.DESCARTADA).order_by(Respuesta.id)
    found: dict[tuple[str, int], Respuesta] = {}
    if lines:
        for one in session.scalars(query.where(Respuesta.glosa_id.in_(lines))):
            if one.glosa_id is not None and one.ronda == lines[one.glosa_id]:
                found["glosa", one.glosa_id] = one
    if whole:
        for one in session.scalars(query.where(Respuesta.devolucion_id.in_(whole))):
            if one.devolucion_id is not None:
                found["devolucion", one.devolucion_id] = one
    return found


def waiting_for_approval(session: Session, prestadores: Collection[int]) -> tuple[int, int]:
    """Return how many answers wait for a second person, and the centavos they accept."""
    query = select(func.count(), func.sum(Respuesta.valor_aceptado)).where(
        Respuesta.prestador_id.in_(prestadores), Respuesta.estado == EstadoRespuesta.POR_APROBAR
    )
    count, cents = session.execute(query).one()
    return count, int(cents or 0)


def unplaced(session: Session, prestadores: Collection[int]) -> dict[DestinoLinea, tuple[int, int]]:
    """Return lines of notices that wait for a person, by fate: how many and centavos."""
    sums: dict[DestinoLinea, tuple[int, int]] = {}
    for (fate, _), (count, cents) in figures(session, prestadores).items():
        before = sums.get(fate, (0, 0))
        sums[fate] = (before[0] + count, before[1] + cents)
    return sums


def payers_in(session: Session, prestadores: Collection[int], clase: str) -> list[tuple[int, str]]:
    """Return the payers that objected to these providers, by name."""
    model: Any = model_of(clase)
    seen = select(model.id).where(model.prestador_id.in_(prestadores), model.pagador_id == Pagador.id).exists()
    rows = session.execute(select(Pagador.id, Pagador.nombre).where(seen).order_by(Pagador.nombre))
    return [(id_, name) for id_, name in rows]
