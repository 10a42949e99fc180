"""Until when a blob may not be deleted: the longest date of its uses, by class of document, as dated data.

Invariant: a date never moves back; a class that the table does not know is kept as long as clinical records; while a
dispute is open the date stays years ahead of today and is renewed. The years of a clinical record run from the last
care: they are counted from the later day on which we received it, so never fewer. Norms: Res. 839/2017 art. 3, Ley
962/2005 art. 28; each row of `data/retencion.csv` says its own, with how sure we are of it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from radica.custodia.check_models import RetencionBlob
from radica.kernel.db import insert_rows

DISPUTE, LONGEST = "disputa", "clinica"
MARGIN_YEARS = 1
"""A dispute's date is renewed when less than its years are left, to its years and this: once a year, not each night."""


@dataclass(frozen=True)
class Regla:
    """A row of the table: the classes it is for (`documento:rips`, `pieza:*`), years, and since when it is the law."""

    clave: str
    clases: frozenset[str]
    anios: int
    desde: date
    hasta: date | None
    norma: str
    marca: str


@dataclass(frozen=True)
class Uso:
    """One use of a blob: its class (`documento:rips`, `pieza:correo`), the day it came, whether its case is disputed."""

    sha256: str
    clase: str
    desde: date
    en_disputa: bool = False


@dataclass(frozen=True)
class Plazo:
    """The day up to which a blob is kept, that day included, and the rule that says so."""

    hasta: date
    regla: str


@cache
def table() -> tuple[Regla, ...]:
    """Return all rows, in force or not."""
    text = files("radica.custodia").joinpath("data", "retencion.csv").read_text(encoding="utf-8")
    return tuple(
        Regla(
            row["regla"], frozenset(row["clases"].split()), int(row["anios"]), date.fromisoformat(row["vigente_desde"]),
            date.fromisoformat(row["vigente_hasta"]) if row["vigente_hasta"] else None, row["norma"], row["marca"],
        )
        for row in csv.DictReader(text.splitlines(), delimiter=";")
    )  # fmt: skip


def in_force(on: date) -> dict[str, Regla]:
    """Return the rows that are the law on a day, by key."""
    return {one.clave: one for one in table() if one.desde <= on and (one.hasta is None or on <= one.hasta)}


def rule_of(clase: str, on: date) -> Regla:
    """Return the rule of a class: its own, that of its kind (`pieza:*`), else the longest."""
    rules = in_force(on)
    for name in (clase, f"{clase.partition(':')[0]}:*"):
        for one in rules.values():
            if name in one.clases:
                return one
    return rules[LONGEST]


def until_of(uses: Iterable[Uso], today: date) -> Plazo | None:
    """Return the longest date of the uses of one blob; None without uses."""
    dates = []
    for use in uses:
        rule = rule_of(use.clase, today)
        dates.append(Plazo(plus_years(use.desde, rule.anios), rule.clave))
        if use.en_disputa:
            years = in_force(today)[DISPUTE].anios + MARGIN_YEARS
            dates.append(Plazo(plus_years(today, years), DISPUTE))
    return max(dates, key=lambda one: one.hasta, default=None)


def least_until(today: date) -> date:
    """Return the least date of anything that comes in today: what a store may lock before its use is known."""
    return min(plus_years(today, one.anios) for one in in_force(today).values() if one.clases)


def plus_years(day: date, years: int) -> date:
    """Return the same day years later; after 29 February, 1 March, so never a day less."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def note(session: Session, wanted: Mapping[str, Plazo], *, today: date) -> int:
    """Write the dates that are later than those written; a dispute's only when it draws near. Returns how many."""
    rows = session.scalars(select(RetencionBlob).where(RetencionBlob.sha256.in_(wanted)))
    present = {row.sha256: row for row in rows}
    near = plus_years(today, in_force(today)[DISPUTE].anios)
    later = {
        sha256: one
        for sha256, one in wanted.items()
        if sha256 in present
        and present[sha256].hasta < one.hasta
        and (one.regla != DISPUTE or present[sha256].hasta < near)
    }
    for sha256, one in later.items():
        present[sha256].hasta, present[sha256].regla, present[sha256].aplicada_at = one.hasta, one.regla, None
    fresh = [
        {"sha256": sha256, "hasta": one.hasta, "regla": one.regla, "aplicada_at": None}
        for sha256, one in wanted.items()
        if sha256 not in present
    ]
    insert_rows(session, RetencionBlob, fresh, again=True)
    session.flush()
    return len(later) + len(fresh)


def due(session: Session, *, limit: int, after: str = "") -> list[tuple[str, date]]:
    """Return blobs after an address, in order, whose date the store does not hold yet."""
    rows = session.execute(
        select(RetencionBlob.sha256, RetencionBlob.hasta)
        .where(RetencionBlob.aplicada_at.is_(None), RetencionBlob.sha256 > after)
        .order_by(RetencionBlob.sha256)
        .limit(limit)
    )
    return [(row.sha256, row.hasta) for row in rows]


def applied(session: Session, done: Sequence[tuple[str, date]], *, at: datetime) -> None:
    """Write that the store holds these dates; one that moved meanwhile stays due."""
    for sha256, until in done:
        session.execute(
            update(RetencionBlob)
            .where(RetencionBlob.sha256 == sha256, RetencionBlob.hasta == until)
            .values(aplicada_at=at)
        )
