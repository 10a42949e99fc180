"""The list of invoices: filters, order, one keyset page, totals of the whole filter. SQL without Flask.

Invariant: every query is of given providers only; pages are cut by (is null, value, id), so that they neither skip nor
repeat rows while others are added; the total and its rows come from the same conditions. Urgency counts only for what
is not filed yet (RAD-01, Res. 948/2026 art. 15).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from radica.app.paginas.urgencia import NOMBRES, Rango, rangos
from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.facturas.numbers import parse_invoice_number
from radica.facturas.states import POR_RADICAR, EstadoFactura
from radica.kernel.clock import BOGOTA
from radica.kernel.web_paging import Page, cursor_instant, cut, decode_cursor, query_day

Query = TypeVar("Query", bound="Select[*tuple[Any, ...]]")

PAGE = 50
MAX_EXPORT = 50_000
GRUPO_POR_RADICAR = "por_radicar"
SIN_PAGADOR = "sin"
ORDERS: dict[str, InstrumentedAttribute[Any]] = {
    "expedida": Factura.expedida_at,
    "vence": Factura.vence_radicar,
    "valor": Factura.valor,
    "numero": Factura.numero_clave,
    "radicada": Factura.fecha_radicacion,
}
DEFAULT_ORDER = "-expedida"


@dataclass(frozen=True)
class Filtro:
    """What the address asks for; empty values ask for nothing. `prestadores` are those that may be seen."""

    prestadores: frozenset[int]
    q: str = ""
    estados: tuple[str, ...] = ()
    pagador: str = ""
    prestador: int | None = None
    urgencia: str = ""
    desde: date | None = None
    hasta: date | None = None
    nivel: int | None = None
    orden: str = DEFAULT_ORDER

    @property
    def vacio(self) -> bool:
        """True when nothing narrows the list."""
        narrow = (self.q, self.estados, self.pagador, self.prestador, self.urgencia, self.desde, self.hasta)
        return not any(narrow) and self.nivel is None


def read_filter(args: Mapping[str, str], estados: Sequence[str], prestadores: frozenset[int]) -> Filtro:
    """Read the filter from the values of an address; what cannot be read asks for nothing."""
    known = {state.value for state in EstadoFactura} | {GRUPO_POR_RADICAR}
    orden = args.get("orden", DEFAULT_ORDER)
    return Filtro(
        prestadores=prestadores,
        q=" ".join(args.get("q", "").split())[:120],
        estados=tuple(dict.fromkeys(one for one in estados if one in known)),
        pagador=args.get("pagador", "")
        if args.get("pagador", "").isdecimal() or args.get("pagador") == SIN_PAGADOR
        else "",
        prestador=_number(args.get("prestador"), 2**62),
        urgencia=args.get("urgencia", "") if args.get("urgencia") in NOMBRES else "",
        desde=query_day(args.get("desde")),
        hasta=query_day(args.get("hasta")),
        nivel=_number(args.get("nivel"), 4),
        orden=orden if orden.removeprefix("-") in ORDERS else DEFAULT_ORDER,
    )


def _number(text: str | None, most: int) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 and int(text) <= most else None


def conditions(f: Filtro, hoy: date) -> list[ColumnElement[bool]]:
    """Return what a row must meet."""
    ids = f.prestadores if f.prestador is None else f.prestadores & {f.prestador}
    found: list[ColumnElement[bool]] = [Factura.prestador_id.in_(ids)]
    if f.estados:
        states = {one for one in f.estados if one != GRUPO_POR_RADICAR}
        if GRUPO_POR_RADICAR in f.estados:
            states |= {one.value for one in POR_RADICAR}
        found.append(Factura.estado.in_(sorted(states)))
    if f.pagador == SIN_PAGADOR:
        found.append(Factura.pagador_id.is_(None))
    elif f.pagador:
        found.append(Factura.pagador_id == int(f.pagador[:18]))
    if f.urgencia:
        found.append(Factura.estado.in_(sorted(one.value for one in POR_RADICAR)))
        found.append(within(rangos(hoy)[f.urgencia]))
    if f.desde:
        found.append(Factura.expedida_at >= datetime.combine(f.desde, time(0), tzinfo=BOGOTA))
    if f.hasta:
        found.append(Factura.expedida_at < datetime.combine(f.hasta + timedelta(days=1), time(0), tzinfo=BOGOTA))
    if f.nivel is not None:
        found.append(Factura.nivel_prueba == f.nivel)
    if f.q:
        found.append(matching(f.q))
    return found


def within(rango: Rango) -> ColumnElement[bool]:
    """Return the condition that RAD-01's last day is in a range."""
    if rango.sin:
        return Factura.vence_radicar.is_(None)
    parts: list[ColumnElement[bool]] = [Factura.vence_radicar.is_not(None)]
    if rango.desde is not None:
        parts.append(Factura.vence_radicar >= rango.desde)
    if rango.hasta is not None:
        parts.append(Factura.vence_radicar <= rango.hasta)
    return and_(*parts)


def matching(text: str) -> ColumnElement[bool]:
    """Return the condition that number, radicado, CUFE, CUV or payer fit a written text."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found: list[ColumnElement[bool]] = [
        Factura.radicado == text,
        func.lower(Factura.radicado).like(f"%{escaped.lower()}%", escape="\\"),
    ]
    number = parse_invoice_number(text)
    if number is not None and len(text) <= 40:
        found.append(Factura.numero_clave == number.key)
        found.append(Factura.numero_clave.like(f"{escaped.upper().replace('-', '').replace(' ', '')}%", escape="\\"))
        if number.digits and not number.prefix:
            found.append(Factura.numero_digitos.like(f"{number.digits}%"))
    lower = text.lower()
    if len(text) >= 8 and all(letter in "0123456789abcdef" for letter in lower):
        found += [Factura.cufe.like(f"{lower}%"), Factura.cuv.like(f"{lower}%")]
    payers = select(Pagador.id).where(
        or_(func.lower(Pagador.nombre).like(f"%{escaped.lower()}%", escape="\\"), Pagador.nit == text)
    )
    found.append(Factura.pagador_id.in_(payers))
    return or_(*found)


def totals(session: Session, f: Filtro, hoy: date) -> tuple[int, int]:
    """Return how many rows the whole filter has, and their sum in centavos."""
    query = select(func.count(), func.sum(Factura.valor)).where(*conditions(f, hoy))
    count, cents = session.execute(query).one()
    return count, int(cents or 0)


def page_of(session: Session, f: Filtro, hoy: date, *, after: str | None, before: str | None) -> Page[Factura]:
    """Return one page with the totals of the whole filter; a damaged cursor is the first page."""
    column, descending = ORDERS[f.orden.removeprefix("-")], f.orden.startswith("-")
    cursor = _cursor(after, column) or _cursor(before, column)
    backwards = cursor is not None and not _cursor(after, column)
    query = select(Factura).where(*conditions(f, hoy))
    if cursor is not None:
        query = query.where(_beyond(column, cursor, descending=descending != backwards, nulls_first=backwards))
    query = _ordered(query, column, descending=descending != backwards, nulls_first=backwards)
    rows = list(session.scalars(query.limit(PAGE + 1)))
    page = cut(
        rows,
        limit=PAGE,
        key=lambda row: (_plain(getattr(row, column.key)), row.id),
        came_with=after if cursor is not None else None,
        backwards=backwards,
    )
    total, cents = totals(session, f, hoy)
    return Page(page.rows, next=page.next, previous=page.previous, total=total, cents=cents)


def all_rows(session: Session, f: Filtro, hoy: date) -> Iterator[tuple[Factura, str | None]]:
    """Yield the columns of the list for the whole filter in its order, at most MAX_EXPORT, with the payer's name."""
    column, descending = ORDERS[f.orden.removeprefix("-")], f.orden.startswith("-")
    query = (
        select(Factura, Pagador.nombre).outerjoin(Pagador, Pagador.id == Factura.pagador_id).where(*conditions(f, hoy))
    )
    query = _ordered(query, column, descending=descending, nulls_first=False).limit(MAX_EXPORT)
    for found in session.execute(query.execution_options(yield_per=500)):
        yield found[0], found[1]


def by_state(session: Session, f: Filtro, hoy: date) -> list[tuple[EstadoFactura, int, int]]:
    """Return rows and centavos of the filter by state."""
    query = select(Factura.estado, func.count(), func.coalesce(func.sum(Factura.valor), 0)).where(*conditions(f, hoy))
    return [(state, int(n), int(cents)) for state, n, cents in session.execute(query.group_by(Factura.estado))]


def ready_ids(session: Session, f: Filtro, hoy: date, *, limit: int) -> list[int]:
    """Return the ids of the invoices of the filter that are ready, most urgent first, at most `limit`."""
    query = select(Factura.id).where(*conditions(f, hoy), Factura.estado == EstadoFactura.LISTA)
    ordered = query.order_by(Factura.vence_radicar.is_(None), Factura.vence_radicar, Factura.id)
    return list(session.scalars(ordered.limit(limit)))


def payers_in(session: Session, prestadores: Collection[int]) -> list[tuple[int, str]]:
    """Return the payers that owe these providers, by name, for the filter."""
    seen = select(Factura.pagador_id).where(Factura.prestador_id.in_(prestadores)).distinct()
    rows = session.execute(select(Pagador.id, Pagador.nombre).where(Pagador.id.in_(seen)).order_by(Pagador.nombre))
    return [(id_, name) for id_, name in rows]


def _ordered(query: Query, column: InstrumentedAttribute[Any], *, descending: bool, nulls_first: bool) -> Query:
    blank = column.is_(None).desc() if nulls_first else column.is_(None)
    parts = (column.desc(), Factura.id.desc()) if descending else (column, Factura.id)
    return query.order_by(blank, *parts) if column.nullable else query.order_by(*parts)


def _beyond(
    column: InstrumentedAttribute[Any], cursor: tuple[Any, int], *, descending: bool, nulls_first: bool
) -> ColumnElement[bool]:
    """Return the condition that a row comes after the cursor in the order of `_ordered`."""
    value, id_ = cursor
    later_id = Factura.id < id_ if descending else Factura.id > id_
    if value is None:
        blank = and_(column.is_(None), later_id)
        return or_(blank, column.is_not(None)) if nulls_first else blank
    later = column < value if descending else column > value
    found = or_(later, and_(column == value, later_id))
    if nulls_first or not column.nullable:
        return found
    return or_(found, column.is_(None))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _cursor(text: str | None, column: InstrumentedAttribute[Any]) -> tuple[Any, int] | None:
    values = decode_cursor(text, size=2)
    if values is None or not isinstance(values[1], int) or isinstance(values[1], bool):
        return None
    value = values[0]
    kind = column.type.python_type if column.key in ("valor", "numero_clave") else None
    if value is None:
        return None, values[1]
    if kind is not None:
        return (value, values[1]) if isinstance(value, kind) else None
    if not isinstance(value, str):
        return None
    found = query_day(value) if column.key == "vence_radicar" else cursor_instant(value)
    return None if found is None else (found, values[1])
