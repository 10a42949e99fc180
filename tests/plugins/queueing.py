"""Short words for the queue's tests: a lane, a job, a claim, a lapsed lease."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from radica.jobs.board import ensure_lane
from radica.jobs.models import Job, Lane
from radica.jobs.queue import (
    Claimed,
    Unknown,
    claim_next,
    enqueue,
    finish,
    write_intent,
)
from radica.kernel.db import Database


class _Undo(Exception):
    pass


@contextmanager
def undone(db: Database) -> Iterator[Session]:
    """Open a writing transaction that fails at its end."""
    with suppress(_Undo), db.write() as session:
        yield session
        raise _Undo


def lane(db: Database, name: str = "banco/1", gap_ms: int = 0) -> int:
    with db.write() as session:
        return ensure_lane(session, name, gap_ms).id


def add(db: Database, **more: Any) -> int:
    with db.write() as session:
        return enqueue(session, more.pop("kind", "radicar"), payload=more.pop("payload", {"n": 1}), **more)


def claim(db: Database, **more: Any) -> Claimed:
    claimed = claim_next(db, "w1", "host-1", more.pop("lease_s", 60), **more)
    assert claimed is not None
    return claimed


def job(db: Database, id_: int) -> Job:
    with db.read() as session:
        row = session.scalars(select(Job).where(Job.id == id_)).one()
        session.expunge(row)  # the end of a reading transaction would empty it
        return row


def busy(db: Database, lane_id: int) -> int | None:
    with db.read() as session:
        return session.scalars(select(Lane.busy_job_id).where(Lane.id == lane_id)).one()


def lapse(db: Database, id_: int) -> None:
    with db.write() as session:
        session.execute(text("UPDATE jobs SET lease_until_ms = 1 WHERE id = :id"), {"id": id_})


def make_due(db: Database) -> None:
    with db.write() as session:
        session.execute(text("UPDATE jobs SET run_after_ms = 0"))


def submitted(db: Database, lane_id: int | None = None) -> Claimed:
    add(db, lane_id=lane_id)
    claimed = claim(db)
    assert write_intent(db, claimed, 60, "intent-1")
    return claimed


def unknown(db: Database, lane_id: int | None = None) -> Claimed:
    claimed = submitted(db, lane_id)
    assert finish(db, claimed, outcome=Unknown("sin_respuesta"))
    return claimed
