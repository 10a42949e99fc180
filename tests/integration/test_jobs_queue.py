"""The queue's rules in one process, on both databases (DESIGN section 5). Leases here lapse by being set in the past."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from radica.jobs.board import beat, counts, depth_by_lane, ensure_lane, leave, pause_lane, resume_lane
from radica.jobs.clock import now_ms
from radica.jobs.models import Job, JobState, Lane, Phase, WorkerBeat
from radica.jobs.queue import (
    Claimed,
    Dead,
    Done,
    Outcome,
    Progress,
    Retry,
    Unknown,
    backoff_ms,
    cancel,
    claim_next,
    enqueue,
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


# --- Coming in ----------------------------------------------------------------------------------------------------


def test_a_job_comes_back_as_it_was_given(db: Database) -> None:
    lane_id = lane(db)
    id_ = add(db, kind="look_up", payload={"ñ": [1, {"a": None}]}, lane_id=lane_id, subject="envio:7", max_attempts=3)
    claimed = claim(db)
    assert (claimed.id, claimed.kind, claimed.payload) == (id_, "look_up", {"ñ": [1, {"a": None}]})
    assert (claimed.lane_id, claimed.subject, claimed.attempts, claimed.max_attempts) == (lane_id, "envio:7", 1, 3)
    assert (job(db, id_).state, job(db, id_).phase) == (JobState.RUNNING, Phase.PREPARING)
    assert claim_next(db, "w2", "host-1", 60) is None


def test_a_job_belongs_to_the_callers_transaction(db: Database) -> None:
    with undone(db) as session:
        enqueue(session, "correo", payload={})
    assert claim_next(db, "w1", "h", 60) is None


def test_dedup_keeps_one_alive_and_the_transaction_goes_on(db: Database) -> None:
    with db.write() as session:
        first = enqueue(session, "sellar", payload={"n": 1}, dedup="sello:1")
        assert enqueue(session, "sellar", payload={"n": 2}, dedup="sello:1") == first
        other = enqueue(session, "sellar", payload={"n": 3}, dedup="sello:2")
    assert add(db, kind="sellar", dedup="sello:1") == first
    assert other != first
    assert job(db, first).payload == {"n": 1}
    claimed = claim(db)
    assert add(db, kind="sellar", dedup="sello:1") == first, "a running twin counts"
    assert finish(db, claimed, outcome=Done())
    assert add(db, kind="sellar", dedup="sello:1") not in {first, other}, "a finished twin does not"


def test_dedup_rolled_back_leaves_the_place_free(db: Database) -> None:
    with undone(db) as session:
        enqueue(session, "sellar", payload={}, dedup="sello:1")
    id_ = add(db, kind="sellar", dedup="sello:1")
    assert claim(db).id == id_


def test_an_unknown_twin_counts_as_alive(db: Database) -> None:
    first = add(db, dedup="envio:1")
    claimed = claim(db)
    assert write_intent(db, claimed, 60, "i")
    assert finish(db, claimed, outcome=Unknown("x"))
    assert add(db, dedup="envio:1") == first


# --- Order and lanes ----------------------------------------------------------------------------------------------


def test_order_is_priority_then_due_time_then_id_across_lanes(db: Database) -> None:
    one, two = lane(db, "a"), lane(db, "b")
    ids = [
        add(db, lane_id=two, priority=50),
        add(db, lane_id=one, priority=10),
        add(db, priority=30),
        add(db, lane_id=one, priority=5),
    ]
    taken = []
    while (claimed := claim_next(db, "w", "h", 60)) is not None:
        taken.append(claimed.id)
        assert finish(db, claimed, outcome=Done())
    assert taken == [ids[3], ids[1], ids[2], ids[0]]


def test_a_busy_lane_gives_nothing_and_others_go_on(db: Database) -> None:
    one, two = lane(db, "a"), lane(db, "b")
    first, second = add(db, lane_id=one, priority=1), add(db, lane_id=one, priority=2)
    other = add(db, lane_id=two, priority=3)
    held = claim(db)
    assert (held.id, busy(db, one)) == (first, first)
    assert claim(db).id == other
    assert claim_next(db, "w", "h", 60) is None
    assert finish(db, held, outcome=Done())
    assert busy(db, one) is None
    assert claim(db).id == second


def test_a_lane_rests_between_two_jobs(db: Database) -> None:
    lane_id = lane(db, gap_ms=3_600_000)
    add(db, lane_id=lane_id)
    add(db, lane_id=lane_id)
    assert finish(db, claim(db), outcome=Done())
    assert claim_next(db, "w", "h", 60) is None
    with db.write() as session:
        session.execute(text("UPDATE lanes SET next_at_ms = 0"))
    claim(db)


def test_a_paused_lane_starts_nothing(db: Database) -> None:
    lane_id = lane(db)
    add(db, lane_id=lane_id)
    with db.write() as session:
        assert pause_lane(session, lane_id, "clave vencida")
    assert claim_next(db, "w", "h", 60) is None
    with db.read() as session:
        (depth,) = depth_by_lane(session)
    assert (depth.paused, depth.paused_why, depth.ready, depth.busy_job_id) == (True, "clave vencida", 1, None)
    with db.write() as session:
        assert resume_lane(session, lane_id)
        assert not resume_lane(session, lane_id + 1)
    claim(db)


def test_a_lane_keeps_its_gap_when_it_is_only_looked_up(db: Database) -> None:
    lane_id = lane(db, gap_ms=500)
    with db.write() as session:
        found = ensure_lane(session, "banco/1")
        assert (found.id, found.gap_ms) == (lane_id, 500)
        assert ensure_lane(session, "banco/1", 900).gap_ms == 900


def test_kinds_restrict_with_and_without_a_lane(db: Database) -> None:
    lane_id = lane(db)
    laned, plain = add(db, kind="radicar", lane_id=lane_id), add(db, kind="correo")
    assert claim_next(db, "w", "h", 60, kinds=["importar"]) is None
    assert claim_next(db, "w", "h", 60, kinds=[]) is None
    assert claim(db, kinds=["correo", "importar"]).id == plain
    assert claim(db, kinds={"radicar"}).id == laned


def test_a_delayed_job_waits(db: Database) -> None:
    add(db, delay_s=3600)
    assert claim_next(db, "w", "h", 60) is None
    make_due(db)
    claim(db)


def test_an_open_enqueue_does_not_close_its_lane(db: Database) -> None:
    if db.is_sqlite:
        pytest.skip("SQLite has one writer: nobody claims while a transaction writes")
    lane_id = lane(db)
    first = add(db, lane_id=lane_id)
    with db.write() as session:
        enqueue(session, "radicar", payload={}, lane_id=lane_id)
        assert claim(db).id == first


# --- Lease, intent, ends ------------------------------------------------------------------------------------------


def test_a_heartbeat_extends_a_preparing_lease_and_writes_progress(db: Database) -> None:
    id_ = add(db)
    claimed = claim(db, lease_s=10)
    before = job(db, id_).lease_until_ms
    assert heartbeat(db, claimed, 600, Progress("Cargando soportes", 2, 5))
    assert heartbeat(db, claimed, 600)
    row = job(db, id_)
    assert row.lease_until_ms is not None
    assert before is not None
    assert row.lease_until_ms > before + 500_000
    assert (row.progress, row.progress_n, row.progress_of) == ("Cargando soportes", 2, 5)


def test_a_heartbeat_never_extends_a_submitting_lease(db: Database) -> None:
    claimed = submitted(db)
    limit = job(db, claimed.id).lease_until_ms
    assert heartbeat(db, claimed, 6000, Progress("Enviando")), "still ours"
    assert (job(db, claimed.id).lease_until_ms, job(db, claimed.id).progress) == (limit, "Enviando")
    lapse(db, claimed.id)
    assert not heartbeat(db, claimed, 6000)


def test_a_lapsed_lease_is_not_revived_and_gives_no_intent(db: Database) -> None:
    id_ = add(db)
    claimed = claim(db)
    lapse(db, id_)
    assert not heartbeat(db, claimed, 60)
    assert not write_intent(db, claimed, 60, "i")
    assert (job(db, id_).phase, job(db, id_).intent_id) == (Phase.PREPARING, None)


def test_an_intent_is_written_once_with_its_limit(db: Database) -> None:
    id_ = add(db)
    claimed = claim(db, lease_s=1000)
    assert write_intent(db, claimed, 30, "intent-1")
    assert not write_intent(db, claimed, 30, "intent-2")
    row = job(db, id_)
    with db.read() as session:
        now = now_ms(session)
    assert (row.phase, row.intent_id) == (Phase.SUBMITTING, "intent-1")
    assert row.lease_until_ms is not None
    assert now < row.lease_until_ms <= now + 30_000


def test_an_intent_joins_the_callers_facts(db: Database) -> None:
    id_ = add(db)
    claimed = claim(db)
    with undone(db) as session:
        assert write_intent_in(session, claimed, 60, "i")
    assert job(db, id_).phase is Phase.PREPARING
    with db.write(durable=True) as session:
        assert write_intent_in(session, claimed, 60, "i")
        enqueue(session, "sellar", payload={})
    assert job(db, id_).phase is Phase.SUBMITTING
    assert claim(db).kind == "sellar"


def test_retry_waits_longer_each_time_and_ends_as_a_dead_letter(db: Database) -> None:
    lane_id = lane(db)
    id_ = add(db, lane_id=lane_id, max_attempts=3)
    tokens = set()
    for attempt in (1, 2, 3):
        claimed = claim(db)
        assert claimed.attempts == attempt
        tokens.add(claimed.token)
        assert finish(db, claimed, outcome=Retry("portal_caido", "HTTP 502"))
        row = job(db, id_)
        with db.read() as session:
            left = row.run_after_ms - now_ms(session)
        assert left > 2_500 * 2 ** (attempt - 1)
        assert (row.error_code, row.error, busy(db, lane_id)) == ("portal_caido", "HTTP 502", None)
        assert claim_next(db, "w", "h", 60) is None
        make_due(db)
    assert len(tokens) == 3
    assert job(db, id_).state is JobState.DEAD
    assert claim_next(db, "w", "h", 60) is None


def test_retry_with_a_delay_of_its_own(db: Database) -> None:
    id_ = add(db)
    claimed = claim(db)
    assert finish(db, claimed, outcome=Retry("x", delay_s=0))
    again = claim(db)
    assert (again.id, again.attempts) == (id_, 2)
    assert again.token != claimed.token
    assert not finish(db, claimed, outcome=Done()), "the old token is worth nothing"
    assert finish(db, again, outcome=Done())


def test_after_the_intent_there_is_no_retry(db: Database) -> None:
    claimed = submitted(db, lane(db))
    assert not finish(db, claimed, outcome=Retry("x"))
    assert job(db, claimed.id).state is JobState.RUNNING


def test_without_an_intent_nothing_is_unknown(db: Database) -> None:
    id_ = add(db)
    assert not finish(db, claim(db), outcome=Unknown("x"))
    assert job(db, id_).state is JobState.RUNNING


@pytest.mark.parametrize(("outcome", "state"), [(Done(), JobState.DONE), (Dead("x"), JobState.DEAD)])
@pytest.mark.parametrize("intent", [True, False])
def test_an_end_frees_the_lane_once(db: Database, outcome: Outcome, state: JobState, intent: bool) -> None:
    lane_id = lane(db)
    id_, following = add(db, lane_id=lane_id), add(db, lane_id=lane_id)
    claimed = claim(db)
    assert not intent or write_intent(db, claimed, 60, "i")
    assert finish(db, claimed, outcome=outcome)
    assert (job(db, id_).state, busy(db, lane_id)) == (state, None)
    assert claim(db).id == following
    assert not finish(db, claimed, outcome=outcome)
    assert busy(db, lane_id) == following, "a late end does not free the lane of another"


def test_an_end_in_a_transaction_that_fails_never_happened(db: Database) -> None:
    lane_id = lane(db)
    id_ = add(db, lane_id=lane_id)
    claimed = claim(db)
    with undone(db) as session:
        assert finish_in(session, claimed, outcome=Done())
    assert (job(db, id_).state, busy(db, lane_id)) == (JobState.RUNNING, id_)


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
