"""The invoices behind a figure of *Comprobaciones*: one page of first verdicts, their total, and what they are today.

Invariant: the rows meet the very conditions that the figure counted, so as many come as it says; only providers asked
for; pages are cut by the id of the verdict, newest first. Indicator: Limpieza 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from radica.facturas.limpieza import Primeras
from radica.facturas.models import Factura
from radica.facturas.states import REVISABLES
from radica.facturas.validacion_models import Validacion
from radica.kernel.web_paging import Page, cut, decode_cursor

PAGE = 50


@dataclass(frozen=True)
class Comprobada:
    """An invoice, its first verdict (None: it still waits for one) and the last one."""

    factura: Factura
    primera: Validacion | None
    ultima: Validacion | None

    @property
    def id(self) -> int:
        """Return the id by which pages are cut."""
        return self.primera.id if self.primera is not None else self.factura.id


def comprobadas(session: Session, which: Primeras, *, after: str | None, before: str | None) -> Page[Comprobada]:
    """Return a page of the invoices whose first verdict meets `which`, with count and centavos of all of them."""
    return _page(session, Validacion.id, which.condiciones(), after, before)


def en_espera(
    session: Session, prestadores: Sequence[int], *, after: str | None, before: str | None
) -> Page[Comprobada]:
    """Return a page of the unfiled invoices that wait to be checked."""
    waiting = [
        Factura.por_juzgar == 1,
        Factura.prestador_id.in_(prestadores),
        Factura.estado.in_([state.value for state in REVISABLES]),
    ]
    return _page(session, Factura.id, waiting, after, before)


def _page(
    session: Session,
    key: InstrumentedAttribute[int],
    conditions: Sequence[ColumnElement[bool]],
    after: str | None,
    before: str | None,
) -> Page[Comprobada]:
    judged = key is Validacion.id
    query = select(Factura, Validacion) if judged else select(Factura)
    count = select(func.count(), func.coalesce(func.sum(Factura.valor), 0)).select_from(Factura)
    if judged:
        query = query.join(Validacion, Validacion.factura_id == Factura.id)
        count = count.join(Validacion, Validacion.factura_id == Factura.id)
    at, back = _cursor(after), _cursor(before)
    backwards = at is None and back is not None
    edge = back if backwards else at
    query = query.where(*conditions).order_by(key if backwards else key.desc()).limit(PAGE + 1)
    if edge is not None:
        query = query.where(key > edge if backwards else key < edge)
    found = [(row[0], row[1] if judged else None) for row in session.execute(query)]
    last = _last(session, [invoice.id for invoice, _ in found])
    rows = [Comprobada(invoice, first, last.get(invoice.id)) for invoice, first in found]
    page = cut(
        rows, limit=PAGE, key=lambda one: [one.id], came_with=after if at is not None else None, backwards=backwards
    )
    total, cents = session.execute(count.where(*conditions)).one()
    return Page(page.rows, page.next, page.previous, total, int(cents or 0))


def _last(session: Session, factura_ids: Sequence[int]) -> dict[int, Validacion]:
    newest = (
        select(func.max(Validacion.id)).where(Validacion.factura_id.in_(factura_ids)).group_by(Validacion.factura_id)
    )
    return {row.factura_id: row for row in session.scalars(select(Validacion).where(Validacion.id.in_(newest)))}


def _cursor(text: str | None) -> int | None:
    values: list[Any] | None = decode_cursor(text, size=1)
    return values[0] if values and isinstance(values[0], int) and not isinstance(values[0], bool) else None
