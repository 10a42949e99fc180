"""What screens and operators see and do with the queue: lanes, counts, depth by lane, signs of life of the workers.

Invariant: nothing here moves a job; pausing a lane only keeps its next job from starting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.jobs import statements as sql
from radica.jobs.driver import short, within
from radica.jobs.models import JobState, Lane
from radica.kernel.db import Database


@dataclass(frozen=True)
class LaneDepth:
    """How a lane stands. `ready` counts all that waits in it, `delayed` those of them whose time has not come."""

    id: int
    name: str
    paused: bool
    paused_why: str | None
    busy_job_id: int | None
    busy_state: JobState | None
    ready: int
    delayed: int


def ensure_lane(session: Session, name: str, gap_ms: int | None = None) -> Lane:
    """Return the lane of that name, made if it is missing, with `gap_ms` between two of its jobs if given."""
    within(session).run(sql.ADD_LANE, {"name": name, "gap_ms": gap_ms or 0})
    lane = session.scalars(select(Lane).where(Lane.name == name)).one()
    if gap_ms is not None and lane.gap_ms != gap_ms:
        lane.gap_ms = gap_ms
        session.flush()
    return lane


def pause_lane(session: Session, lane_id: int, why: str) -> bool:
    """Let the lane start nothing new until it is resumed; `why` is shown to people. False when there is no such lane."""
    return bool(within(session).run(sql.PAUSE_LANE, {"lane": lane_id, "why": why[:300]}))


def resume_lane(session: Session, lane_id: int) -> bool:
    """Let a paused lane work again. False when there is no such lane."""
    return bool(within(session).run(sql.RESUME_LANE, {"lane": lane_id}))


def counts(session: Session) -> dict[JobState, int]:
    """Return how many jobs are ready, running, of unknown outcome, and dead (each key is there)."""
    return {JobState(state): int(n) for state, n in within(session).run(sql.COUNTS, {})}


def depth_by_lane(session: Session) -> list[LaneDepth]:
    """Return how each lane stands, by name."""
    return [_depth(*row) for row in within(session).run(sql.DEPTHS, {})]


def _depth(
    id_: int, name: str, paused: Any, why: str | None, busy: int | None, state: str | None, ready: int, delayed: int
) -> LaneDepth:
    busy_state = None if state is None else JobState(state)
    return LaneDepth(id_, name, bool(paused), why, busy, busy_state, ready, delayed)


def beat(db: Database, owner: str, host: str, doing: str | None) -> None:
    """Write a worker's sign of life; `doing` is a short Spanish text without health data, None when idle."""
    values = {"owner": owner, "host": host, "doing": None if doing is None else doing[:200]}
    with short(db) as link:
        link.run(sql.BEAT, values)


def leave(db: Database, owner: str) -> None:
    """Take a worker that ends in good order off the list."""
    with short(db) as link:
        link.run(sql.UNBEAT, {"owner": owner})
