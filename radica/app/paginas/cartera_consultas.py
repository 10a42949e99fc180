"""What is owed: filed invoices with a balance, by payer, with their age and the day on which they prescribe.

Invariant: every total is the sum of the rows that its link opens; a balance is that of `saldos.py`. Centavos.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.cartera.pagos import sums
from radica.cartera.prescripcion import FILED, UMBRALES, Reloj, mas_corta
from radica.cartera.saldos import notes_by_invoice
from radica.entidades.models import Pagador, Prestador, TipoPagador
from radica.facturas.models import Factura
from radica.kernel.clock import civil_date

PAGE = 50
EDADES = (
    ("30", "Hasta 30 días", 0, 30),
    ("60", "31 a 60 días", 31, 60),
    ("90", "61 a 90 días", 61, 90),
    ("180", "91 a 180 días", 91, 180),
    ("360", "181 a 360 días", 181, 360),
    ("mas", "Más de 360 días", 361, 10**6),
)
"""Ages since filing: the value in the address, its words, first and last day."""
VIEJA = 361


@dataclass(frozen=True)
class Deuda:
    """One filed invoice with a balance. Amounts in centavos."""

    factura_id: int
    numero: str
    prestador_id: int
    prestador: str
    pagador_id: int | None
    pagador: str
    presentada: date
    edad: int
    valor: int
    saldo: int
    reloj: Reloj
    dias: int

    @property
    def cerca(self) -> bool:
        """True when its shortest clock is within the widest step of warning."""
        return self.dias <= max(UMBRALES)


@dataclass(frozen=True)
class Suma:
    """What one payer owes: how many invoices, how much, how much of it is old or near prescription."""

    pagador_id: int | None
    pagador: str
    cuantas: int
    saldo: int
    vieja: int
    cerca: int


@dataclass(frozen=True)
class Filtro:
    """What the person wants to see."""

    pagador_id: int | None = None
    edad: str = ""
    cerca: bool = False


def debts(session: Session, ids: Collection[int], hoy: date) -> list[Deuda]:
    """Return the filed invoices of some providers that have a balance, the oldest first."""
    paid, notes = sums(session, ids), notes_by_invoice(session, ids)
    rows = session.execute(
        select(
            Factura.id, Factura.numero, Factura.prestador_id, Prestador.nombre, Factura.pagador_id, Pagador.nombre,
            Pagador.tipo, Factura.fecha_radicacion, Factura.valor,
        )
        .join(Prestador, Prestador.id == Factura.prestador_id)
        .outerjoin(Pagador, Pagador.id == Factura.pagador_id)
        .where(
            Factura.prestador_id.in_(ids),
            Factura.estado.in_([one.value for one in FILED]),
            Factura.fecha_radicacion.is_not(None),
        )
    )  # fmt: skip
    found = []
    for id_, number, provider_id, provider, payer_id, payer, kind, filed_at, value in rows:
        credit, debit = notes.get(id_, (0, 0))
        left = (value or 0) + debit - credit - sum(paid.get(id_, (0, 0)))
        if left <= 0 or filed_at is None:
            continue
        filed = civil_date(filed_at)
        clock = mas_corta(filed, kind or TipoPagador.DESCONOCIDO)
        found.append(
            Deuda(
                id_, number, provider_id, provider, payer_id, payer or "Pagador desconocido", filed,
                (hoy - filed).days, value or 0, left, clock, (clock.vence - hoy).days,
            )
        )  # fmt: skip
    return sorted(found, key=_key)


def _key(one: Deuda) -> tuple[date, int]:
    return one.presentada, one.factura_id


def chosen(rows: Sequence[Deuda], filtro: Filtro) -> list[Deuda]:
    """Return the rows of a filter."""
    span = next(((first, last) for name, _, first, last in EDADES if name == filtro.edad), None)
    return [
        one
        for one in rows
        if (filtro.pagador_id is None or one.pagador_id == filtro.pagador_id)
        and (span is None or span[0] <= one.edad <= span[1])
        and (not filtro.cerca or one.cerca)
    ]


def after(rows: Sequence[Deuda], cursor: tuple[date, int] | None) -> list[Deuda]:
    """Return the page after a cursor, with one row more than a page when there are more."""
    rest = rows if cursor is None else [one for one in rows if _key(one) > cursor]
    return list(rest[: PAGE + 1])


def by_payer(rows: Sequence[Deuda]) -> list[Suma]:
    """Return the sums by payer, the largest first."""
    grouped: dict[int | None, list[Deuda]] = {}
    for one in rows:
        grouped.setdefault(one.pagador_id, []).append(one)
    made = [
        Suma(
            payer_id, ones[0].pagador, len(ones), sum(one.saldo for one in ones),
            sum(one.saldo for one in ones if one.edad >= VIEJA), sum(one.saldo for one in ones if one.cerca),
        )
        for payer_id, ones in grouped.items()
    ]  # fmt: skip
    return sorted(made, key=lambda one: (-one.saldo, one.pagador))


def cursor_day(text: object) -> date | None:
    """Read the day of a cursor; None when it is none."""
    try:
        return datetime.strptime(str(text), "%Y-%m-%d").date()  # noqa: DTZ007 - a civil day
    except ValueError:
        return None
