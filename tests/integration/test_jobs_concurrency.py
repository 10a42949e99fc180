"""What two transactions do to each other in the queue, how durable its moves are, and how its statements are planned."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from radica.jobs import statements as sql
from radica.jobs.board import ensure_lane
from radica.jobs.driver import short
from radica.jobs.models import Job, ScheduleSlot
from radica.jobs.queue import Done, cancel, claim_next, enqueue, finish, finish_in, reap, write_intent, write_intent_in
from radica.jobs.schedule import forget_slots, insert_due
from radica.kernel.db import Database
from radica.kernel.errors import Unavailable

DUE = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)


@pytest.fixture
def pg(postgres_url: str) -> Database:
    return Database(postgres_url)


def count(db: Database, entity: type[Job] | type[ScheduleSlot]) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(entity)) or 0


# --- The clock ----------------------------------------------------------------------------------------------------


def test_two_schedulers_make_one_job_of_each_due_time(db: Database) -> None:
    start = threading.Barrier(4)

    def schedule() -> list[int | None]:
        start.wait()
        made = []
        for n in range(15):
            with db.write() as session:
                made.append(insert_due(session, "importar", DUE + timedelta(minutes=n), payload={"n": n}))
        return made

    with ThreadPoolExecutor(4) as pool:
        rows = [future.result() for future in [pool.submit(schedule) for _ in range(4)]]
    for slot in zip(*rows, strict=True):
        assert sorted(id_ is not None for id_ in slot) == [False, False, False, True]
    assert count(db, Job) == 15


def test_a_slot_whose_transaction_fails_is_due_again(db: Database) -> None:
    with pytest.raises(ValueError, match="naive"), db.write() as session:  # noqa: PT012 - one transaction
        assert insert_due(session, "importar", DUE, payload={})
        insert_due(session, "importar", DUE.replace(tzinfo=None), payload={})
    with db.write() as session:
        assert insert_due(session, "importar", DUE, payload={})
        assert insert_due(session, "importar", DUE, payload={}) is None
        assert insert_due(session, "importar", DUE, payload={}, slot="importar:900123456")


def test_old_slots_are_forgotten(db: Database) -> None:
    with db.write() as session:
        insert_due(session, "sellar", DUE, payload={})
        insert_due(session, "sellar", DUE + timedelta(days=1), payload={})
        assert forget_slots(session, DUE + timedelta(hours=1)) == 1
    assert count(db, ScheduleSlot) == 1


# --- Transactions side by side ------------------------------------------------------------------------------------


@pytest.mark.parametrize("committed", [True, False])
def test_a_twin_in_an_open_transaction_is_waited_for(db: Database, committed: bool) -> None:
    entered, leave = threading.Event(), threading.Event()

    def first() -> int:
        with db.write() as session:
            id_ = enqueue(session, "sellar", payload={}, dedup="sello:1")
            entered.set()
            leave.wait(20)
            if not committed:
                session.rollback()
            return id_

    def second() -> int:
        with db.write() as session:
            return enqueue(session, "sellar", payload={}, dedup="sello:1")

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        assert entered.wait(20)
        two = pool.submit(second)
        leave.set()
        assert (one.result() == two.result()) or not committed
    assert count(db, Job) == 1


def test_a_claim_waits_for_nobody(pg: Database) -> None:
    with pg.write() as session:
        lane_id = ensure_lane(session, "carril").id
        held = enqueue(session, "radicar", payload={}, lane_id=lane_id, priority=1)
        free = enqueue(session, "correo", payload={}, priority=2)
    with pg.write() as session:
        assert cancel(session, held)  # not committed: its row is locked
        assert claim_next(pg, "w", "h", 60) is None
        session.rollback()
    assert [getattr(claim_next(pg, "w", "h", 60), "id", None) for _ in range(2)] == [held, free]
    pg.dispose()


def test_the_reaper_leaves_alone_whom_a_transaction_holds(pg: Database) -> None:
    with pg.write() as session:
        ids = [enqueue(session, "radicar", payload={}) for _ in range(2)]
    held, other = claim_next(pg, "w", "h", 60), claim_next(pg, "w", "h", 60)
    assert held is not None
    assert other is not None
    with pg.write() as session:
        session.execute(text("UPDATE jobs SET lease_until_ms = 1"))
    with pg.write() as session:
        assert finish_in(session, held, outcome=Done())  # a worker stopped in the middle of its last transaction
        assert reap(pg).requeued == [other.id]
        session.rollback()
    assert reap(pg).requeued == [held.id]
    assert sorted(ids) == sorted([held.id, other.id])
    pg.dispose()


def test_a_database_locked_too_long_says_so(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radica.jobs.driver.BUSY_TIMEOUT_MS", 50)
    db = Database(sqlite_url)
    with db.write() as session:
        enqueue(session, "radicar", payload={})
        with pytest.raises(Unavailable, match="ocupada"):
            claim_next(db, "w", "h", 60)
    assert claim_next(db, "w", "h", 60) is not None, "and works again afterwards"
    db.dispose()


# --- Durability ---------------------------------------------------------------------------------------------------


def test_an_intent_is_on_disk_when_it_answers_whatever_the_server_is_set_to(postgres_url: str) -> None:
    db = Database(postgres_url)
    with db.write() as session:
        name = session.scalar(text("SELECT current_database()"))
        session.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
        enqueue(session, "radicar", payload={})
    db.dispose()
    with db.read() as session:
        assert session.scalar(text("SHOW synchronous_commit")) == "off"
    claimed = claim_next(db, "w", "h", 60)
    assert claimed is not None
    with db.read() as session:
        written = session.scalar(text("SELECT pg_current_wal_insert_lsn()::text"))
    assert write_intent(db, claimed, 60, "i")
    with db.read() as session:
        assert session.scalar(text("SELECT pg_current_wal_flush_lsn() > CAST(:lsn AS pg_lsn)"), {"lsn": written})
    db.dispose()


def test_an_intent_makes_the_callers_transaction_durable(pg: Database) -> None:
    with pg.write() as session:
        enqueue(session, "radicar", payload={})
    claimed = claim_next(pg, "w", "h", 60)
    assert claimed is not None
    with pg.write() as session:
        session.execute(text("SET LOCAL synchronous_commit = off"))
        assert write_intent_in(session, claimed, 60, "i")
        assert session.scalar(text("SHOW synchronous_commit")) == "on"
        session.rollback()
    pg.dispose()


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 1)])
def test_short_transactions_on_sqlite_sync_as_told(sqlite_url: str, durable: bool, level: int) -> None:
    db = Database(sqlite_url)
    with short(db, durable=durable) as link:
        assert link.raw.execute("PRAGMA synchronous").fetchone() == (level,)
        assert link.raw.in_transaction
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    db.dispose()


def test_a_short_transaction_that_fails_leaves_nothing(db: Database) -> None:
    with db.write() as session:
        id_ = enqueue(session, "radicar", payload={})
    if db.is_sqlite:
        with pytest.raises(RuntimeError), short(db) as link:  # noqa: PT012 - one transaction
            link.run(sql.CANCEL, {"id": id_})
            raise RuntimeError
    else:
        with pytest.raises(RuntimeError), short(db):
            raise RuntimeError
        with db.engine.connect() as connection:
            assert connection.connection.driver_connection.autocommit is False
    claimed = claim_next(db, "w", "h", 60)
    assert claimed is not None
    assert finish(db, claimed, outcome=Done())


# --- Plans: thousands of ready jobs behind busy lanes must cost nothing -------------------------------------------


def crowd(db: Database) -> None:
    """Sixteen busy lanes with four thousand ready jobs, and one free lane with one."""
    with db.write() as session:
        lanes = [ensure_lane(session, f"carril {n}").id for n in range(16)]
        session.execute(text("UPDATE lanes SET busy_job_id = 1"))
        free = ensure_lane(session, "libre").id
        one = enqueue(session, "radicar", payload={}, lane_id=free)
        copy = text(
            "INSERT INTO jobs (kind, lane_id, payload, priority, run_after_ms, state, token, attempts, max_attempts,"
            " progress_n, progress_of, created_ms)"
            " SELECT kind, CAST(:lane AS INTEGER), payload, 1, 0, state, 0, 0, 5, 0, 0, 0 FROM jobs LIMIT 250"
        )
        for _ in range(8):
            session.execute(copy, {"lane": lanes[0]})
        for lane_id in lanes:
            session.execute(copy, {"lane": lane_id})
        assert (session.scalar(select(func.count()).select_from(Job)) or 0) > 4000
        assert one


@pytest.mark.parametrize("statement", [sql.CLAIM, sql.CLAIM_KINDS])
@pytest.mark.parametrize("analyzed", [True, False])
def test_a_claim_reads_the_partial_index_and_never_the_whole_table(
    db: Database, statement: sql.Sql, analyzed: bool
) -> None:
    crowd(db)
    with db.write() as session:
        if analyzed:
            session.execute(text("ANALYZE jobs"))
            session.execute(text("ANALYZE lanes"))
        values = {"owner": "w", "host": "h", "lease_ms": 60_000, "kinds": '["radicar"]'}
        prefix, query = (
            ("EXPLAIN QUERY PLAN ", statement.sqlite) if db.is_sqlite else ("EXPLAIN ", statement.postgresql)
        )
        rows = session.connection().exec_driver_sql(prefix + query, values).all()
        plan = "\n".join(str(row[-1]) for row in rows)
    assert "ix_jobs_ready" in plan
    assert "SCAN jobs" not in plan
    assert "Seq Scan on jobs" not in plan
    assert plan.count("ix_jobs_ready") == 2, "once by lane, once for the jobs without one"


def test_a_claim_finds_the_free_lane_behind_the_crowd(db: Database) -> None:
    crowd(db)
    claimed = claim_next(db, "w", "h", 60)
    assert claimed is not None
    assert claim_next(db, "w", "h", 60) is None


@pytest.mark.parametrize("statement", [sql.HEARTBEAT, sql.INTENT, sql.DONE, sql.DEAD, sql.RETRY, sql.UNKNOWN])
def test_a_move_finds_its_job_by_id(db: Database, statement: sql.Sql) -> None:
    crowd(db)
    values = {
        "id": 5,
        "token": 7,
        "lease_ms": 1,
        "limit_ms": 1,
        "intent_id": "i",
        "code": "x",
        "error": "",
        "delay_ms": 1,
    }
    values |= {"progress": None, "n": None, "of": None}
    with db.write() as session:
        prefix, query = (
            ("EXPLAIN QUERY PLAN ", statement.sqlite) if db.is_sqlite else ("EXPLAIN ", statement.postgresql)
        )
        rows = session.connection().exec_driver_sql(prefix + query, values).all()
    plan = "\n".join(str(row[-1]) for row in rows)
    assert "SEARCH jobs USING INTEGER PRIMARY KEY" in plan or "Index Scan using pk_jobs on jobs" in plan
