"""*Limpieza 1*: of the invoices first checked in a period, how many had nothing that the Ministry rejects; by whom.

Invariant: an invoice counts once, by its first complete verdict, whatever was mended later; only providers asked for.
Indicator: `Limpieza 1 (pre-check)`, first complete verdicts without rejection / first complete verdicts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, case, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from radica.entidades.models import Pagador
from radica.facturas.validacion_models import Validacion
from radica.kernel.clock import BOGOTA

CODES = 25
"""Codes that are compared."""
SIN_PAGADOR = "sin"
LIMPIA, RECHAZADA, CON_AVISOS = "limpia", "rechazada", "avisos"
RESULTADOS: Mapping[str, Callable[[], ColumnElement[bool]]] = {
    LIMPIA: lambda: Validacion.rechazos == 0,
    RECHAZADA: lambda: Validacion.rechazos > 0,
    CON_AVISOS: lambda: Validacion.avisos > 0,
}
"""What a first verdict may have said, as a condition."""


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

    @property
    def rechazadas(self) -> int:
        """Those in which the Ministry would have rejected something."""
        return self.comprobadas - self.limpias


@dataclass(frozen=True)
class Primeras:
    """Which first verdicts stand behind a figure; what is empty narrows nothing."""

    prestadores: Sequence[int]
    desde: date
    hasta: date
    resultado: str = ""
    """One of RESULTADOS."""
    pagador: str = ""
    """Id of the payer that the verdict knew, or SIN_PAGADOR."""
    facturador: str = ""
    codigo: str = ""

    def condiciones(self) -> list[ColumnElement[bool]]:
        """Return what a verdict must meet: the same that the figure counts."""
        found = _first(self.prestadores, self.desde, self.hasta)
        if self.resultado in RESULTADOS:
            found.append(RESULTADOS[self.resultado]())
        if self.pagador:
            known = Validacion.pagador_id
            found.append(known.is_(None) if self.pagador == SIN_PAGADOR else known == int(self.pagador))
        if self.facturador:
            found.append(Validacion.facturador == self.facturador)
        if self.codigo:
            key = json.dumps(self.codigo, ensure_ascii=False) + ":"
            found.append(type_coerce(Validacion.codigos, Text).contains(key, autoescape=True))
        return found


def _first(prestadores: Sequence[int], desde: date, hasta: date) -> list[ColumnElement[bool]]:
    start = datetime.combine(desde, time(0), tzinfo=BOGOTA)
    end = datetime.combine(hasta + timedelta(days=1), time(0), tzinfo=BOGOTA)
    return [
        Validacion.primera.is_(True),
        Validacion.prestador_id.in_(prestadores),
        Validacion.at >= start,
        Validacion.at < end,
    ]


def _counts(query: Select[Any]) -> Select[Any]:
    return query.add_columns(
        func.count(),
        func.sum(case((RESULTADOS[LIMPIA](), 1), else_=0)),
        func.sum(case((RESULTADOS[CON_AVISOS](), 1), else_=0)),
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


def lugares(session: Session, which: Primeras) -> int:
    """Return in how many places the first verdicts behind a figure found its code."""
    codes = session.scalars(select(Validacion.codigos).where(*which.condiciones()))
    return sum(one.get(which.codigo, 0) for one in codes)
