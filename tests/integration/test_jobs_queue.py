"""The queue in one process, on both databases: coming in, lanes, lease, intent and ends (DESIGN section 5)."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from radica.jobs.board import depth_by_lane, ensure_lane, pause_lane, resume_lane
from radica.jobs.clock import now_ms
from radica.jobs.models import JobState, Phase
from radica.jobs.queue import (
    Dead,
    Done,
    Outcome,
    Progress,
    Retry,
    Unknown,
    claim_next,
    enqueue,
    finish,
    finish_in,
    heartbeat,
    write_intent,
    write_intent_in,
)
from radica.kernel.db import Database
from tests.plugins.queueing import add, busy, claim, job, lane, lapse, make_due, submitted, undone

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
