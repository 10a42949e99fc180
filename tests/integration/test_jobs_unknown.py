"""Reaper, unknown outcomes and what screens count, on both databases. Leases lapse by being set in the past."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from radica.jobs.board import beat, counts, depth_by_lane, leave
from radica.jobs.clock import now_ms
from radica.jobs.models import Job, JobState, Lane, Phase, WorkerBeat
from radica.jobs.queue import (
    Done,
    Retry,
    Unknown,
    backoff_ms,
    cancel,
    claim_next,
    finish,
    finish_in,
    heartbeat,
    reap,
    release_lane,
    settle_unknown,
    write_intent,
    write_intent_in,
)
from radica.kernel.db import Database
from tests.plugins.queueing import add, busy, claim, job, lane, lapse, unknown

# --- Reaper and unknown outcomes ----------------------------------------------------------------------------------


def test_the_reaper_judges_each_class(db: Database) -> None:
    lanes = [lane(db, name) for name in "abcd"]
    tried, last, sent, alive = (add(db, lane_id=lanes[n], max_attempts=1 if n == 1 else 5) for n in range(4))
    held = {claimed.id: claimed for claimed in (claim(db) for _ in range(4))}
    assert write_intent(db, held[sent], 60, "i")
    for id_ in (tried, last, sent):
        lapse(db, id_)
    found = reap(db)
    assert (found.unknown, found.requeued, found.dead) == ([sent], [tried], [last])
    assert [busy(db, lane_id) for lane_id in lanes] == [None, None, sent, alive]
    assert [job(db, id_).state.value for id_ in (tried, last, sent, alive)] == [
        "ready",
        "dead",
        "outcome_unknown",
        "running",
    ]
    assert not any(heartbeat(db, held[id_], 60) for id_ in (tried, last, sent))
    assert not any(finish(db, held[id_], outcome=Done()) for id_ in (tried, last, sent))
    again = reap(db)
    assert (again.unknown, again.requeued, again.dead) == ([], [], [])


def test_an_unknown_keeps_its_lane_until_it_is_fenced(db: Database) -> None:
    lane_id = lane(db)
    claimed = unknown(db, lane_id)
    add(db, lane_id=lane_id)
    assert busy(db, lane_id) == claimed.id
    assert claim_next(db, "w", "h", 60) is None
    row = job(db, claimed.id)
    assert (row.owner, row.host, row.intent_id) == ("w1", "host-1", "intent-1"), "the fence must know where to look"
    with db.write() as session:
        assert release_lane(session, claimed.id)
        assert not release_lane(session, claimed.id)
    following = claim(db)
    with db.write() as session:
        assert not release_lane(session, following.id), "a running job's lane is not to be taken away"
        assert not release_lane(session, claimed.id), "nor freed by one that no longer holds it"
    assert busy(db, lane_id) == following.id


@pytest.mark.parametrize("to", [JobState.DONE, JobState.DEAD, JobState.CANCELLED])
def test_an_unknown_is_settled_once_and_its_lane_waits_for_the_fence(db: Database, to: JobState) -> None:
    lane_id = lane(db)
    claimed = unknown(db, lane_id)
    with db.write() as session:
        assert settle_unknown(session, claimed.id, to)
        assert not settle_unknown(session, claimed.id, JobState.DONE)
    assert (job(db, claimed.id).state, busy(db, lane_id)) == (to, claimed.id)
    with db.write() as session:
        assert release_lane(session, claimed.id)


def test_what_may_have_been_filed_is_never_ready_again(db: Database) -> None:
    claimed = unknown(db)
    with db.write() as session:
        assert not settle_unknown(session, claimed.id, JobState.READY)
    with pytest.raises(IntegrityError), db.write() as session:
        session.execute(text("UPDATE jobs SET state = 'ready', phase = NULL"))
    with pytest.raises(ValueError, match="running"), db.write() as session:
        settle_unknown(session, claimed.id, JobState.RUNNING)
    assert job(db, claimed.id).state is JobState.OUTCOME_UNKNOWN


def test_only_what_nobody_took_is_cancelled(db: Database) -> None:
    waiting = add(db)
    with db.write() as session:
        assert cancel(session, waiting)
        assert not cancel(session, waiting)
    add(db)
    held = claim(db)
    with db.write() as session:
        assert not cancel(session, held.id)
    assert finish(db, held, outcome=Done())


def test_what_a_session_holds_of_the_queue_is_read_again(db: Database) -> None:
    lane_id = lane(db)
    id_ = add(db, lane_id=lane_id)
    claimed = claim(db)
    with db.write(durable=True) as session:
        held, its_lane = session.get_one(Job, id_), session.get_one(Lane, lane_id)
        held.progress = "Enviando"  # not written yet when the intent comes
        assert write_intent_in(session, claimed, 60, "i")
        assert (held.phase, held.progress) == (Phase.SUBMITTING, "Enviando")
        assert finish_in(session, claimed, outcome=Unknown("x"))
        assert (held.state, its_lane.busy_job_id) == (JobState.OUTCOME_UNKNOWN, id_)
        assert release_lane(session, id_)
        assert its_lane.busy_job_id is None
        assert settle_unknown(session, id_, JobState.DONE)
        assert held.state is JobState.DONE


# --- Screens ------------------------------------------------------------------------------------------------------


def test_counts_and_depth(db: Database) -> None:
    one, two = lane(db, "a"), lane(db, "b")
    held = add(db, lane_id=one)
    add(db, lane_id=one, delay_s=3600)
    add(db, lane_id=one)
    add(db)
    assert claim(db).id == held
    with db.read() as session:
        assert counts(session) == {
            JobState.READY: 3,
            JobState.RUNNING: 1,
            JobState.OUTCOME_UNKNOWN: 0,
            JobState.DEAD: 0,
        }
        first, second = depth_by_lane(session)
    assert (first.id, first.busy_job_id, first.busy_state, first.ready, first.delayed) == (
        one,
        held,
        JobState.RUNNING,
        2,
        1,
    )
    assert (second.id, second.busy_job_id, second.busy_state, second.ready) == (two, None, None, 0)


def test_signs_of_life(db: Database) -> None:
    beat(db, "w1", "host", "Radica FE1")
    beat(db, "w1", "host", None)
    beat(db, "w2", "host", None)
    leave(db, "w2")
    with db.read() as session:
        (row,) = session.scalars(select(WorkerBeat)).all()
        assert (row.owner, row.doing) == ("w1", None)
        assert row.started_ms <= row.seen_ms <= now_ms(session)


def test_backoff_as_the_database_sees_it_is_the_pure_one(db: Database) -> None:
    id_ = add(db)
    claimed = claim(db)
    with db.read() as session:
        before = now_ms(session)
    assert finish(db, claimed, outcome=Retry("x"))
    with db.read() as session:
        after = now_ms(session)
    assert before <= job(db, id_).run_after_ms - backoff_ms(1, claimed.token) <= after
