"""Tasks for people: opened by what machines cannot decide, one open per kind and case.

Invariant: opening the same task again returns the open one; closing needs who and what came of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from radica.users.models import ClaseTarea, Tarea


def open_task(
    session: Session,
    clase: ClaseTarea,
    *,
    prestador_id: int,
    case_key: str,
    titulo: str,
    at: datetime,
    detalle: str = "",
) -> Tarea:
    """Open a task or return the one that is open for this case; two processes at once make one."""
    values = {
        "prestador_id": prestador_id,
        "clase": clase,
        "case_key": case_key,
        "titulo": titulo[:300],
        "detalle": detalle,
        "creada_at": at,
    }
    # The partial unique index decides; a plain INSERT would break the caller's transaction on PostgreSQL.
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(dialect.insert(Tarea).values(values).on_conflict_do_nothing())
    return session.scalars(
        select(Tarea).where(Tarea.clase == clase, Tarea.case_key == case_key, Tarea.cerrada_at.is_(None))
    ).one()


def close_tasks(
    session: Session,
    case_key: str,
    *,
    por: str,
    resultado: str,
    at: datetime,
    clases: Sequence[ClaseTarea] | None = None,
) -> int:
    """Close the open tasks of a case (of some kinds); returns how many."""
    query = select(Tarea).where(Tarea.case_key == case_key, Tarea.cerrada_at.is_(None))
    if clases is not None:
        query = query.where(Tarea.clase.in_(clases))
    rows = list(session.scalars(query))
    for row in rows:
        row.cerrada_at, row.cerrada_por, row.resultado = at, por, resultado
    return len(rows)


def open_tasks(session: Session, prestador_ids: Sequence[int], *, limit: int = 500) -> list[Tarea]:
    """Return the open tasks of some providers, oldest first."""
    rows = session.scalars(
        select(Tarea)
        .where(Tarea.prestador_id.in_(prestador_ids), Tarea.cerrada_at.is_(None))
        .order_by(Tarea.creada_at, Tarea.id)
        .limit(limit)
    )
    return list(rows)
