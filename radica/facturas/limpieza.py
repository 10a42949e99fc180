"""*Limpieza 1*: of the invoices first checked in a period, how many had nothing that the Ministry rejects; by whom.

Invariant: an invoice counts once, by its first complete verdict, whatever was mended later; only providers asked for.
Indicator: `Limpieza 1 (pre-check)`, first complete verdicts without rejection / first complete verdicts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from radica.entidades.models import Pagador
from radica.facturas.validacion_models import Validacion
from radica.kernel.clock import BOGOTA

CODES = 25
"""Codes that are compared."""


@dataclass(frozen=True)
class Limpieza:
    """First verdicts of a group: how many, and how many clean (no rejection)."""

    clave: str
    nombre: str
    comprobadas: int
    limpias: int
    con_avisos: int

    @property
    def porcentaje(self) -> int | None:
        """Whole percent of clean ones, rounded down: 99.9 % is not clean; None when nothing was checked."""
        return self.limpias * 100 // self.comprobadas if self.comprobadas else None


def _first(prestadores: Sequence[int], desde: date, hasta: date) -> list[Any]:
    start = datetime.combine(desde, time(0), tzinfo=BOGOTA)
    end = datetime.combine(hasta + timedelta(days=1), time(0), tzinfo=BOGOTA)
    return [
        Validacion.primera,
        Validacion.prestador_id.in_(prestadores),
        Validacion.at >= start,
        Validacion.at < end,
    ]


def _counts(query: Select[Any]) -> Select[Any]:
    return query.add_columns(
        func.count(),
        func.sum(case((Validacion.rechazos == 0, 1), else_=0)),
        func.sum(case((Validacion.avisos > 0, 1), else_=0)),
    )


def total(session: Session, prestadores: Sequence[int], *, desde: date, hasta: date) -> Limpieza:
    """Return the figure of all providers asked for, over first verdicts of the civil days given, both included."""
    query = _counts(select(func.min(Validacion.id))).where(*_first(prestadores, desde, hasta))
    _, count, clean, noted = session.execute(query).one()
    return Limpieza("", "Todas", count, clean or 0, noted or 0)


def por_pagador(session: Session, prestadores: Sequence[int], *, desde: date, hasta: date) -> list[Limpieza]:
    """Return the figure by payer, most checked first; invoices of an unknown payer stand together."""
    rows = _grouped(session, Validacion.pagador_id, prestadores, desde, hasta)
    names = dict(
        session.execute(select(Pagador.id, Pagador.nombre).where(Pagador.id.in_([row[0] for row in rows]))).all()
    )
    return [Limpieza(str(key or ""), names.get(key, "Pagador desconocido"), *rest) for key, *rest in rows]


def por_facturador(session: Session, prestadores: Sequence[int], *, desde: date, hasta: date) -> list[Limpieza]:
    """Return the figure by who loaded the last document (an actor: `usuario:3`, `buzon`…), most checked first."""
    rows = _grouped(session, Validacion.facturador, prestadores, desde, hasta)
    return [Limpieza(str(key), str(key), *rest) for key, *rest in rows]


def _grouped(
    session: Session,
    column: InstrumentedAttribute[Any],
    prestadores: Sequence[int],
    desde: date,
    hasta: date,
) -> list[Any]:
    query = _counts(select(column)).where(*_first(prestadores, desde, hasta)).group_by(column)
    return list(session.execute(query.order_by(func.count().desc(), column).limit(100)))


def por_codigo(session: Session, prestadores: Sequence[int], *, desde: date, hasta: date) -> list[tuple[str, int, int]]:
    """Return code, invoices and places of what first verdicts found, most invoices first, at most CODES."""
    invoices: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for codes in session.scalars(select(Validacion.codigos).where(*_first(prestadores, desde, hasta))):
        invoices.update(codes.keys())
        places.update(codes)
    return [(code, count, places[code]) for code, count in invoices.most_common(CODES)]
