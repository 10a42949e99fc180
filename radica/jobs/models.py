"""Tables of the queue. Times here are milliseconds of the database's own clock, never of the business clock.

Invariant: a job past its intent (`phase='submitting'`) is never ready again by itself; a lane (one portal account)
works for one job at a time: the busy state stands in the lane row, and a partial unique index behind it is a guard
that must never fire.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from radica.kernel.columns import CanonicalJson, EnumText, Id, one_of
from radica.kernel.db import Base


class JobState(StrEnum):
    """State of a job. A running one holds its lane; `outcome_unknown` holds it until its attempt is fenced."""

    READY = "ready"
    RUNNING = "running"
    OUTCOME_UNKNOWN = "outcome_unknown"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


class Phase(StrEnum):
    """Where a running job stands: before or after its durable intent."""

    PREPARING = "preparing"
    SUBMITTING = "submitting"


class Lane(Base):
    """One portal account: one job at a time, with a pause between two."""

    __tablename__ = "lanes"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    busy_job_id: Mapped[int | None] = mapped_column(Id)  # no FK: jobs point to lanes already
    next_at_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    gap_ms: Mapped[int] = mapped_column(Integer, default=0)
    paused: Mapped[bool] = mapped_column(Boolean, default=False)
    paused_why: Mapped[str | None] = mapped_column(String(300))


class Job(Base):
    """One unit of background work; `subject` names its case (`envio:12`) for screens."""

    __tablename__ = "jobs"
    __table_args__ = (
        one_of("state", JobState, name="state"),
        CheckConstraint(
            "state <> 'running' OR (owner IS NOT NULL AND lease_until_ms IS NOT NULL AND phase IS NOT NULL)",
            name="running_has_lease",
        ),
        CheckConstraint("phase IS NULL OR phase IN ('preparing', 'submitting')", name="phase"),
        # The wall behind every statement: what may have been filed is never ready again.
        CheckConstraint("state <> 'ready' OR (phase IS NULL AND intent_id IS NULL)", name="ready_is_before_intent"),
        CheckConstraint("(phase = 'submitting') = (intent_id IS NOT NULL) OR phase IS NULL", name="intent"),
        Index(
            "ix_jobs_ready",
            "lane_id",
            "priority",
            "run_after_ms",
            "id",
            sqlite_where=text("state = 'ready'"),
            postgresql_where=text("state = 'ready'"),
        ),
        Index(
            "ix_jobs_lease",
            "lease_until_ms",
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
        Index(
            "uq_jobs_lane_guard",
            "lane_id",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
        Index(
            "uq_jobs_dedup",
            "dedup",
            unique=True,
            sqlite_where=text("state IN ('ready', 'running', 'outcome_unknown')"),
            postgresql_where=text("state IN ('ready', 'running', 'outcome_unknown')"),
        ),
        Index("ix_jobs_subject", "subject"),
        # For people: what waits for one. An index on all states would be written at every move, and without statistics
        # PostgreSQL would take it instead of ix_jobs_ready.
        Index(
            "ix_jobs_unknown",
            "kind",
            sqlite_where=text("state = 'outcome_unknown'"),
            postgresql_where=text("state = 'outcome_unknown'"),
        ),
        Index("ix_jobs_dead", "kind", sqlite_where=text("state = 'dead'"), postgresql_where=text("state = 'dead'")),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    prestador_id: Mapped[int | None] = mapped_column(Id, ForeignKey("prestadores.id"))
    lane_id: Mapped[int | None] = mapped_column(Id, ForeignKey("lanes.id"))
    subject: Mapped[str | None] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)
    priority: Mapped[int] = mapped_column(Integer, default=100)
    run_after_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    state: Mapped[JobState] = mapped_column(EnumText(JobState), default=JobState.READY)
    phase: Mapped[Phase | None] = mapped_column(EnumText(Phase))
    token: Mapped[int] = mapped_column(BigInteger, default=0)
    intent_id: Mapped[str | None] = mapped_column(String(40))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    max_attempts: Mapped[int] = mapped_column(Integer, default=5)
    lease_until_ms: Mapped[int | None] = mapped_column(BigInteger)
    owner: Mapped[str | None] = mapped_column(String(120))
    host: Mapped[str | None] = mapped_column(String(120))
    dedup: Mapped[str | None] = mapped_column(String(120))
    progress: Mapped[str | None] = mapped_column(String(200))
    progress_n: Mapped[int] = mapped_column(Integer, default=0)
    progress_of: Mapped[int] = mapped_column(Integer, default=0)
    error_code: Mapped[str | None] = mapped_column(String(60))
    error: Mapped[str | None] = mapped_column(Text)
    created_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    finished_ms: Mapped[int | None] = mapped_column(BigInteger)


class ScheduleSlot(Base):
    """A due time of the clock that was already turned into a job; unique, so two schedulers do no harm."""

    __tablename__ = "schedule_slots"

    kind: Mapped[str] = mapped_column(String(60), primary_key=True)
    due_ms: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class WorkerBeat(Base):
    """Sign of life of each worker process, for the screen of the bots."""

    __tablename__ = "worker_beats"

    owner: Mapped[str] = mapped_column(String(120), primary_key=True)
    host: Mapped[str] = mapped_column(String(120))
    started_ms: Mapped[int] = mapped_column(BigInteger)
    seen_ms: Mapped[int] = mapped_column(BigInteger)
    doing: Mapped[str | None] = mapped_column(String(200))
