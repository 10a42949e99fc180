"""Random walks: the queue on SQLite against a plain model of it in memory (DESIGN section 5).

The model knows time only as "lapsed" and "due"; a worker may act at any time with any claim that was ever given.
"""

from __future__ import annotations

import atexit
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from shutil import copyfile, rmtree

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select, text

from radica.app.schema import migrate
from radica.jobs.board import ensure_lane, pause_lane, resume_lane
from radica.jobs.models import Job, JobState, Lane
from radica.jobs.queue import (
    Claimed,
    Dead,
    Done,
    Outcome,
    Retry,
    Unknown,
    cancel,
    claim_next,
    enqueue,
    finish,
    heartbeat,
    reap,
    release_lane,
    settle_unknown,
    write_intent,
)
from radica.kernel.db import Database

OUTCOMES: list[Outcome] = [Done(), Retry("x", delay_s=0), Retry("x", delay_s=3600), Dead("x"), Unknown("x")]


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="radica-machine-"))
    atexit.register(rmtree, folder)
    path = folder / "template.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@dataclass
class Model:
    """One job as the rules say it should be."""

    id: int
    lane: int | None
    priority: int
    max_attempts: int
    state: str = "ready"
    submitting: bool = False
    intent: bool = False
    attempts: int = 0
    lapsed: bool = False
    due: bool = True
    token: int = 0
    clicks: int = field(default=0)


class QueueMachine(RuleBasedStateMachine):
    """Every rule does one thing to both, and compares what it answered; the invariants compare all rows."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="radica-machine-"))
        copyfile(_template(), self.folder / "db.sqlite")
        self.db = Database(f"sqlite:///{self.folder / 'db.sqlite'}")
        self.jobs: dict[int, Model] = {}
        self.claims: list[Claimed] = []
        self.busy: dict[int, int | None] = {}
        self.paused: set[int] = set()

    def teardown(self) -> None:
        self.db.dispose()
        rmtree(self.folder)

    @initialize()
    def lanes(self) -> None:
        with self.db.write() as session:
            self.busy = {ensure_lane(session, name).id: None for name in ("a", "b")}

    # --- What people and services do ---

    @rule(lane=st.sampled_from([None, 0, 1]), priority=st.integers(1, 3), max_attempts=st.integers(1, 3))
    def add(self, lane: int | None, priority: int, max_attempts: int) -> None:
        lane_id = None if lane is None else list(self.busy)[lane]
        with self.db.write() as session:
            id_ = enqueue(session, "radicar", payload={}, lane_id=lane_id, priority=priority, max_attempts=max_attempts)
        self.jobs[id_] = Model(id_, lane_id, priority, max_attempts)

    @precondition(lambda self: self.jobs)
    @rule(pick=st.integers(0, 30))
    def give_up(self, pick: int) -> None:
        job = self._any(pick)
        with self.db.write() as session:
            assert cancel(session, job.id) is (job.state == "ready")
        if job.state == "ready":
            job.state = "cancelled"

    @rule(lane=st.integers(0, 1), pause=st.booleans())
    def pause(self, lane: int, pause: bool) -> None:
        lane_id = list(self.busy)[lane]
        with self.db.write() as session:
            assert pause_lane(session, lane_id, "x") if pause else resume_lane(session, lane_id)
        (self.paused.add if pause else self.paused.discard)(lane_id)

    @precondition(lambda self: self.jobs)
    @rule(pick=st.integers(0, 30))
    def fence(self, pick: int) -> None:
        job = self._any(pick)
        holds = job.lane is not None and self.busy[job.lane] == job.id and job.state != "running"
        with self.db.write() as session:
            assert release_lane(session, job.id) is holds
        if holds and job.lane is not None:
            self.busy[job.lane] = None

    @precondition(lambda self: self.jobs)
    @rule(pick=st.integers(0, 30), to=st.sampled_from([JobState.DONE, JobState.READY, JobState.CANCELLED]))
    def settle(self, pick: int, to: JobState) -> None:
        job = self._any(pick)
        possible = job.state == "outcome_unknown" and to is not JobState.READY
        with self.db.write() as session:
            assert settle_unknown(session, job.id, to) is possible
        if possible:
            job.state = to.value

    # --- What workers do, in time or late ---

    @rule()
    def claim(self) -> None:
        waiting = [job for job in self.jobs.values() if job.state == "ready" and job.due and self._open(job.lane)]
        claimed = claim_next(self.db, "w", "h", 3600)
        if not waiting:
            assert claimed is None
            return
        job = min(waiting, key=lambda job: (job.priority, self._run_after(job.id), job.id))
        assert claimed is not None
        assert claimed.id == job.id
        assert claimed.token != job.token
        job.state, job.submitting, job.lapsed, job.attempts = "running", False, False, job.attempts + 1
        job.token = claimed.token
        assert claimed.attempts == job.attempts
        if job.lane is not None:
            self.busy[job.lane] = job.id
        self.claims.append(claimed)

    @precondition(lambda self: self.claims)
    @rule(pick=st.integers(0, 30))
    def beat(self, pick: int) -> None:
        claimed, job, mine = self._claim(pick)
        assert heartbeat(self.db, claimed, 3600) is (mine and not job.lapsed)

    @precondition(lambda self: self.claims)
    @rule(pick=st.integers(0, 30))
    def intend(self, pick: int) -> None:
        claimed, job, mine = self._claim(pick)
        allowed = mine and not job.lapsed and not job.submitting
        assert write_intent(self.db, claimed, 3600, f"i{claimed.token % 1000}") is allowed
        if allowed:
            job.submitting = job.intent = True
            job.clicks += 1

    @precondition(lambda self: self.claims)
    @rule(pick=st.integers(0, 30), outcome=st.sampled_from(OUTCOMES))
    def end(self, pick: int, outcome: Outcome) -> None:
        claimed, job, mine = self._claim(pick)
        possible = mine
        if isinstance(outcome, Retry):
            possible = mine and not job.submitting
        if isinstance(outcome, Unknown):
            possible = mine and job.submitting
        assert finish(self.db, claimed, outcome=outcome) is possible
        if not possible:
            return
        job.state = {Done: "done", Dead: "dead", Unknown: "outcome_unknown", Retry: "ready"}[type(outcome)]
        if isinstance(outcome, Retry):
            job.state = "ready" if job.attempts < job.max_attempts else "dead"
            job.due = outcome.delay_s == 0
        if not isinstance(outcome, Unknown) and job.lane is not None:
            self.busy[job.lane] = None

    # --- What time does ---

    @precondition(lambda self: self.claims)
    @rule(pick=st.integers(0, 30))
    def lapse(self, pick: int) -> None:
        _, job, _ = self._claim(pick)
        if job.state == "running":
            self._set("UPDATE jobs SET lease_until_ms = 1 WHERE id = :id", job.id)
            job.lapsed = True

    @precondition(lambda self: self.jobs)
    @rule(pick=st.integers(0, 30))
    def become_due(self, pick: int) -> None:
        job = self._any(pick)
        if not job.due:
            self._set("UPDATE jobs SET run_after_ms = 0 WHERE id = :id", job.id)
            job.due = True

    @rule()
    def reaper(self) -> None:
        late = [job for job in self.jobs.values() if job.state == "running" and job.lapsed]
        found = reap(self.db)
        unknown = [job.id for job in late if job.submitting]
        dead = [job.id for job in late if not job.submitting and job.attempts >= job.max_attempts]
        again = [job.id for job in late if not job.submitting and job.attempts < job.max_attempts]
        assert (sorted(found.unknown), sorted(found.dead), sorted(found.requeued)) == (
            sorted(unknown),
            sorted(dead),
            sorted(again),
        )
        for job in late:
            job.state = "outcome_unknown" if job.submitting else "dead" if job.id in dead else "ready"
            if not job.submitting and job.lane is not None:
                self.busy[job.lane] = None

    # --- What must hold always ---

    @invariant()
    def same_rows(self) -> None:
        with self.db.read() as session:
            rows = {row.id: row for row in session.scalars(select(Job))}
            lanes = {lane.id: lane.busy_job_id for lane in session.scalars(select(Lane))}
        assert {id_: (row.state.value, row.attempts, row.intent_id is not None) for id_, row in rows.items()} == {
            job.id: (job.state, job.attempts, job.intent) for job in self.jobs.values()
        }
        assert lanes == self.busy

    @invariant()
    def nothing_is_clicked_twice(self) -> None:
        assert all(job.clicks <= 1 for job in self.jobs.values())
        assert not any(job.intent and job.state == "ready" for job in self.jobs.values())

    # --- Small helpers ---

    def _any(self, pick: int) -> Model:
        return list(self.jobs.values())[pick % len(self.jobs)]

    def _claim(self, pick: int) -> tuple[Claimed, Model, bool]:
        claimed = self.claims[-1 - pick % len(self.claims)]
        job = self.jobs[claimed.id]
        return claimed, job, job.state == "running" and job.token == claimed.token

    def _open(self, lane: int | None) -> bool:
        return lane is None or (self.busy[lane] is None and lane not in self.paused)

    def _run_after(self, id_: int) -> int:
        with self.db.read() as session:
            return session.scalars(select(Job.run_after_ms).where(Job.id == id_)).one()

    def _set(self, statement: str, id_: int) -> None:
        with self.db.write() as session:
            session.execute(text(statement), {"id": id_})


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
