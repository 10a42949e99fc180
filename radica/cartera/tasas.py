"""Usury rates in the database over those that come with the program: loading them, and the table in force.

Invariant: a fresh house liquidates with the bundled table; a rate that was loaded rules over it, the latest row of a
month over the earlier ones, which stay; the same value again adds nothing. Norm: E.T. art. 635.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.cartera.models import TasaUsura
from radica.cartera.tabla_tasas import Tasa, bundled, read_rates


@dataclass(frozen=True)
class Carga:
    """What became of a file of rates: months added, changed (a new row rules), equal, without rate, rows refused."""

    nuevas: Sequence[str]
    cambiadas: Sequence[str]
    iguales: Sequence[str]
    ausentes: Sequence[str]
    rechazos: Sequence[str]


def rates(session: Session) -> dict[str, Tasa]:
    """Return the rate in force of each month that has one."""
    rows = session.scalars(select(TasaUsura).order_by(TasaUsura.id))
    loaded = {row.mes: Tasa(row.mes, row.puntos, row.fuente, row.verificacion) for row in rows}
    return {**bundled(), **loaded}


def rate_of(session: Session, mes: str) -> Tasa | None:
    """Return the rate in force of a month (`2026-08`), None when nobody certified one."""
    return rates(session).get(mes)


def load(session: Session, text: str, *, actor: str, at: datetime) -> Carga:
    """Load the rates of a CSV (columns mes, tasa_ea_usura, fuente, verificacion); bad rows are refused, the rest stand."""
    read = read_rates(text)
    present: Mapping[str, Tasa] = rates(session)
    added: list[str] = []
    changed: list[str] = []
    equal: list[str] = []
    for one in read.tasas:
        before = present.get(one.mes)
        if before is not None and before.puntos == one.puntos:
            equal.append(one.mes)
            continue
        (added if before is None else changed).append(one.mes)
        session.add(
            TasaUsura(
                mes=one.mes,
                puntos=one.puntos,
                fuente=one.fuente,
                verificacion=one.verificacion,
                cargada_at=at,
                cargada_por=actor,
            )
        )
    session.flush()
    return Carga(added, changed, equal, read.ausentes, read.rechazos)
