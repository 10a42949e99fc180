"""One act on all that a filter of the tray shows: give it to a person, or leave it for a later day.

Invariant: what is done is what was counted: another count or amount than the person saw refuses it whole; more than
`MAX_FILTER` is refused; it goes in short transactions, and a line that left the filter meanwhile is passed over.
Norms: Ley 1438/2011 art. 57 (nothing waits beyond its term).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.glosas.bandeja import tray, work
from radica.glosas.bandeja.tray_filter import Filtro, Objecion, conditions, model_of
from radica.kernel.db import AT_ONCE, Database, parts_of
from radica.kernel.errors import BadInput, NotFound, StalePage
from radica.kernel.money import format_cop

MAX_FILTER = 5_000
"""Lines of one act on a whole filter."""


@dataclass(frozen=True)
class Visto:
    """What the person was told that the filter holds. `cents` in centavos."""

    cuantas: int
    cents: int


def counted(session: Session, f: Filtro) -> Visto:
    """Return what a filter holds now."""
    return Visto(*tray.totals(session, f))


def check_filter(session: Session, f: Filtro, seen: Visto) -> list[int]:
    """Return the ids of a filter. Raises BadInput when it is empty or too large, StalePage when it moved meanwhile."""
    here = counted(session, f)
    if not here.cuantas:
        raise BadInput("El filtro ya no muestra ninguna línea; no se hizo nada.", todo="Mire otro filtro.")
    if here.cuantas > MAX_FILTER:
        raise BadInput(
            f"El filtro tiene más de {MAX_FILTER} líneas; no se hizo nada.",
            todo="Redúzcalo por pagador, concepto o plazo.",
            code="filtro_grande",
        )
    if here != seen:
        raise StalePage(f"El filtro cambió: ahora son {here.cuantas} por {format_cop(here.cents)}; no se hizo nada.")
    return tray.ids_of(session, f, limit=MAX_FILTER)


def check_worker(session: Session, f: Filtro, usuario_id: int | None) -> None:
    """Raise NotFound unless the person works at the provider of each line of the filter."""
    if usuario_id is None:
        return
    model: Any = model_of(f.clase)
    for prestador_id in session.scalars(select(model.prestador_id).where(*conditions(f)).distinct()):
        if usuario_id not in work.workers(session, prestador_id):
            raise NotFound("Esa persona no trabaja glosas en todos los prestadores del filtro; no se asignó nada.")


def in_parts(
    database: Database, f: Filtro, ids: list[int], act: Callable[[Session, list[Objecion]], int]
) -> tuple[int, int]:
    """Do an act on the lines in short transactions; returns how many changed, and how many had left the filter."""
    model: Any = model_of(f.clase)
    changed = left = 0
    for part in parts_of(ids, size=AT_ONCE):
        with database.write() as session:
            rows = list(session.scalars(select(model).where(model.id.in_(part), *conditions(f)).order_by(model.id)))
            changed += act(session, rows)
            left += len(part) - len(rows)
    return changed, left
