"""Por radicar: all that is invoiced and not filed, by payer, days left and money.

Invariant: list, totals, table by payer and "all of this filter" are the same predicate, so that a total is the sum of
the rows behind it. Norm: Res. 948/2026 art. 15 (22 business days to file).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from radica.app.paginas.urgencia import rangos
from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Factura, Hallazgo, Severidad
from radica.facturas.named import named
from radica.facturas.numbers import parse_invoice_number
from radica.facturas.states import POR_RADICAR, EstadoFactura
from radica.portales.models import CuentaPortal

NEVER = date(9999, 12, 31)
"""Sorts what has no term after everything that has one."""
ORDERS = ("vence", "-vence", "valor", "-valor", "expedida", "-expedida")
SIN_PAGADOR = 0


@dataclass(frozen=True)
class Filtro:
    """What the person chose; empty fields do not restrict. `pagador` 0: invoices without a known payer."""

    pagador: int | None = None
    estado: EstadoFactura | None = None
    paso: str = ""
    q: str = ""
    orden: str = "vence"


@dataclass(frozen=True)
class PorPagador:
    """The sum of one payer. `vencidas` and `listas` count invoices, `bot` says whether a bot files there."""

    pagador_id: int
    nombre: str
    facturas: int
    valor: int
    listas: int
    vencidas: int
    vence: date | None
    bot: bool


@dataclass(frozen=True)
class Fila:
    """One invoice on the list; `motivo`: the first finding that blocks it."""

    factura: Factura
    pagador: str | None
    prestador: str
    motivo: str | None = None


def where(filtro: Filtro, prestador_ids: Collection[int], hoy: date) -> list[ColumnElement[bool]]:
    """Return the predicate of the filter."""
    found: list[ColumnElement[bool]] = [
        Factura.prestador_id.in_(prestador_ids),
        Factura.estado.in_(sorted(POR_RADICAR)),
    ]
    if filtro.estado is not None:
        found.append(Factura.estado == filtro.estado)
    if filtro.pagador is not None:
        found.append(
            Factura.pagador_id.is_(None) if filtro.pagador == SIN_PAGADOR else Factura.pagador_id == filtro.pagador
        )
    step = rangos(hoy).get(filtro.paso)
    if step is not None and step.sin:
        found.append(Factura.vence_radicar.is_(None))
    elif step is not None:
        found += [Factura.vence_radicar >= step.desde] if step.desde else []
        found += [Factura.vence_radicar <= step.hasta] if step.hasta else []
    if filtro.q:
        found.append(named(parse_invoice_number(filtro.q)))
    return found


def _sort(orden: str) -> tuple[ColumnElement[Any], bool]:
    key = orden.removeprefix("-")
    columns: dict[str, ColumnElement[Any]] = {
        "vence": func.coalesce(Factura.vence_radicar, NEVER),
        "valor": func.coalesce(Factura.valor, 0),
        "expedida": func.coalesce(Factura.expedida_at, Factura.creada_at),
    }
    return columns[key], orden.startswith("-")


def rows(
    session: Session,
    filtro: Filtro,
    prestador_ids: Collection[int],
    hoy: date,
    *,
    limit: int,
    after: tuple[Any, int] | None = None,
    backwards: bool = False,
) -> list[Fila]:
    """Return a page; `after` are sort value and id of the row before it (or after it, going `backwards`)."""
    column, down = _sort(filtro.orden)
    query = (
        select(Factura, Pagador.nombre, Prestador.nombre)
        .join(Pagador, Pagador.id == Factura.pagador_id, isouter=True)
        .join(Prestador, Prestador.id == Factura.prestador_id)
        .where(*where(filtro, prestador_ids, hoy))
    )
    descending = down != backwards
    if after is not None:
        value, last = after
        beyond = column < value if descending else column > value
        ids = Factura.id < last if descending else Factura.id > last
        query = query.where(or_(beyond, (column == value) & ids))
    query = query.order_by(
        column.desc() if descending else column, Factura.id.desc() if descending else Factura.id
    ).limit(limit)
    found = [Fila(row, payer, provider) for row, payer, provider in session.execute(query)]
    return _with_reasons(session, found)


def _with_reasons(session: Session, found: Sequence[Fila]) -> list[Fila]:
    ids = [one.factura.id for one in found if one.factura.estado is not EstadoFactura.LISTA]
    query = (
        select(Hallazgo.factura_id, Hallazgo.mensaje)
        .where(Hallazgo.factura_id.in_(ids), Hallazgo.severidad == Severidad.BLOQUEO)
        .order_by(Hallazgo.id.desc())
    )
    reasons = {row[0]: row[1] for row in session.execute(query)}
    return [Fila(one.factura, one.pagador, one.prestador, reasons.get(one.factura.id)) for one in found]


def sort_key(row: Fila, orden: str) -> list[Any]:
    """Return what the cursor keeps of a row: JSON values."""
    factura = row.factura
    value: Any = {
        "vence": (factura.vence_radicar or NEVER).isoformat(),
        "valor": factura.valor or 0,
        "expedida": (factura.expedida_at or factura.creada_at).isoformat(),
    }[orden.removeprefix("-")]
    return [value, factura.id]


def totals(session: Session, filtro: Filtro, prestador_ids: Collection[int], hoy: date) -> tuple[int, int, int, int]:
    """Return count and sum of the whole filter, and count and sum of those ready to be filed."""
    ready = Factura.estado == EstadoFactura.LISTA
    row = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(Factura.valor), 0),
            func.coalesce(func.sum(case((ready, 1), else_=0)), 0),
            func.coalesce(func.sum(case((ready, Factura.valor), else_=0)), 0),
        ).where(*where(filtro, prestador_ids, hoy))
    ).one()
    return int(row[0]), int(row[1]), int(row[2]), int(row[3])


def ready_ids(session: Session, filtro: Filtro, prestador_ids: Collection[int], hoy: date, *, limit: int) -> list[int]:
    """Return the invoices of the whole filter that may be filed, most urgent first."""
    column, _ = _sort("vence")
    query = select(Factura.id).where(*where(filtro, prestador_ids, hoy), Factura.estado == EstadoFactura.LISTA)
    return list(session.scalars(query.order_by(column, Factura.id).limit(limit)))


def by_payer(session: Session, filtro: Filtro, prestador_ids: Collection[int], hoy: date) -> list[PorPagador]:
    """Return the sums by payer of the filter (its own choice of payer left out), most urgent first."""
    wide = Filtro(estado=filtro.estado, paso=filtro.paso, q=filtro.q)
    bot = (
        select(CuentaPortal.pagador_id)
        .where(CuentaPortal.prestador_id.in_(prestador_ids), CuentaPortal.activa.is_(True))
        .distinct()
    )
    with_bot = set(session.scalars(bot))
    query = (
        select(
            Factura.pagador_id,
            Pagador.nombre,
            func.count(),
            func.coalesce(func.sum(Factura.valor), 0),
            func.sum(case((Factura.estado == EstadoFactura.LISTA, 1), else_=0)),
            func.sum(case((Factura.vence_radicar < hoy, 1), else_=0)),
            func.min(Factura.vence_radicar),
        )
        .join(Pagador, Pagador.id == Factura.pagador_id, isouter=True)
        .where(*where(wide, prestador_ids, hoy))
        .group_by(Factura.pagador_id, Pagador.nombre)
        .order_by(func.coalesce(func.min(Factura.vence_radicar), NEVER), Pagador.nombre)
    )
    return [
        PorPagador(
            id_ or SIN_PAGADOR,
            name or "Sin pagador conocido",
            int(count),
            int(total),
            int(ready),
            int(late),
            due,
            id_ in with_bot,
        )
        for id_, name, count, total, ready, late, due in session.execute(query)
    ]
