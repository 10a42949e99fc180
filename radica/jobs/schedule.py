"""Due times of the clock turned into jobs, once each, however many schedulers run.

Invariant: a slot (kind, due time) is taken and its job added in one transaction, under a unique key; two schedulers
on one job store of the usual library fired most slots twice in trials, so that library only gives the due times.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from sqlalchemy.orm import Session

from radica.jobs import statements as sql
from radica.jobs.driver import within
from radica.jobs.queue import enqueue
from radica.kernel.clock import daily_due
from radica.kernel.db import Database


def insert_due(
    session: Session,
    kind: str,
    due: datetime,
    *,
    payload: Mapping[str, Any],
    slot: str | None = None,
    prestador_id: int | None = None,
    priority: int = 100,
    max_attempts: int = 5,
    dedup: str | None = None,
) -> int | None:
    """Add the job of one due time (aware) in the caller's transaction; None when it was already added.

    `slot` distinguishes schedules of one kind (a folder, a provider); it is the kind itself if not given.
    """
    if not take_slot(session, slot or kind, due):
        return None
    return enqueue(
        session,
        kind,
        payload=payload,
        prestador_id=prestador_id,
        priority=priority,
        max_attempts=max_attempts,
        dedup=dedup,
    )


def order_minute(database: Database, kind: str, now: datetime, *, priority: int) -> int:
    """Add the one job of a kind for this minute, while none of it waits or runs. Returns how many were added."""
    with database.write() as session:
        due = now.replace(second=0, microsecond=0)
        return int(
            insert_due(session, kind, due, payload={}, priority=priority, max_attempts=5, dedup=kind) is not None
        )


def order_day(database: Database, kind: str, now: datetime, at: time, *, priority: int = 100) -> int:
    """Add the one job of a kind that falls due each day `at` (Bogotá time). Returns 1 when it was added at `now`."""
    with database.write() as session:
        due = daily_due(now, at)
        return int(insert_due(session, kind, due, payload={}, priority=priority, dedup=kind) is not None)


def take_slot(session: Session, slot: str, due: datetime) -> bool:
    """Take a due time (aware) in the caller's transaction; False when somebody has it. Raises ValueError if naive."""
    if due.tzinfo is None:
        raise ValueError("naive due time")
    return bool(within(session).run(sql.TAKE_SLOT, {"kind": slot, "due_ms": round(due.timestamp() * 1000)}))


def forget_slots(session: Session, before: datetime) -> int:
    """Delete the slots due before that instant (aware), and return how many; they are of no more use."""
    return len(within(session).run(sql.FORGET_SLOTS, {"before_ms": round(before.timestamp() * 1000)}))
