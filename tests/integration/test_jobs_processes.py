"""The queue among processes that are killed and stopped, on both databases (DESIGN section 5)."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from radica.jobs.board import ensure_lane
from radica.jobs.clock import now_ms
from radica.jobs.models import Job, Lane
from radica.jobs.queue import Done, claim_next, enqueue, finish, heartbeat, reap
from radica.kernel.db import Database

REPOSITORY = Path(__file__).resolve().parents[2]


class Actor:
    """A process that plays a role of jobs_actor and is heard line by line."""

    def __init__(self, role: str, url: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.jobs_actor", role, url, *arguments],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process ended without a word"
        said: dict[str, Any] = json.loads(line)
        return said

    def rest(self) -> list[dict[str, Any]]:
        """What it said until its end; a line cut off by a kill is left out."""
        assert self.process.stdout is not None
        return [json.loads(line) for line in self.process.stdout.read().splitlines(keepends=True) if line[-1] == "\n"]

    def tell(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


Act = Callable[..., Actor]


@pytest.fixture
def act(database_url: str) -> Iterator[Act]:
    actors: list[Actor] = []

    def start(role: str, *arguments: str) -> Actor:
        actors.append(Actor(role, database_url, *arguments))
        return actors[-1]

    yield start
    for actor in actors:
        actor.close()


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.dispose()


def fill(db: Database, jobs: int, lanes: int) -> list[int]:
    """Add jobs over so many lanes; every tenth has none."""
    with db.write() as session:
        ids = [ensure_lane(session, f"carril {n}").id for n in range(lanes)]
        return [
            enqueue(session, "radicar", payload={"n": n}, lane_id=ids[n % lanes] if n % 10 else None, max_attempts=99)
            for n in range(jobs)
        ]


def states(db: Database) -> dict[str, int]:
    with db.read() as session:
        rows = session.execute(select(Job.state, func.count()).group_by(Job.state))
        return {state.value: n for state, n in rows}


def lapse_all(db: Database) -> None:
    with db.write() as session:
        session.execute(text("UPDATE jobs SET lease_until_ms = 1 WHERE state = 'running'"))


def wait_for_lapse(db: Database, id_: int) -> None:
    while True:
        with db.read() as session:
            until = session.scalars(select(Job.lease_until_ms).where(Job.id == id_)).one()
            if until is not None and until < now_ms(session):
                return
        time.sleep(0.05)


def test_four_processes_share_two_thousand_jobs_without_a_double_claim(db: Database, act: Act) -> None:
    ids = fill(db, 2000, 16)
    actors = [act("work_off", f"w{n}") for n in range(4)]
    for actor in actors:
        assert actor.hear() == {"ready": True}
    for actor in actors:
        actor.tell()
    said = [word for actor in actors for word in actor.rest()]
    # A lane with two running jobs would have hit the guard index, and the process that did it would have died.
    assert [actor.process.wait() for actor in actors] == [0, 0, 0, 0]
    assert sorted(word["clicked"] for word in said if "clicked" in word) == ids
    assert {word["attempts"] for word in said if "clicked" in word} == {1}
    assert states(db) == {"done": 2000}
    with db.read() as session:
        assert not session.scalars(select(Lane.id).where(Lane.busy_job_id.is_not(None))).all()


def test_processes_killed_at_random_click_no_job_twice(db: Database, act: Act) -> None:
    dice = random.Random(7)
    ids = fill(db, 200, 4)
    said: list[dict[str, Any]] = []
    for number in range(3):
        pair = [act("work_off", f"w{number}{letter}") for letter in "ab"]
        for actor in pair:
            actor.hear()
        for actor in pair:
            actor.tell()
        for actor in pair:
            said.extend(actor.hear() for _ in range(dice.randrange(1, 12)))
            time.sleep(dice.random() * 0.01)
            actor.kill()
            said += actor.rest()
        lapse_all(db)
        reap(db)
        with db.write() as session:  # the fence: here every killed process is known to be dead
            session.execute(text("UPDATE lanes SET busy_job_id = NULL WHERE busy_job_id IS NOT NULL"))
    last = act("work_off", "last")
    last.hear()
    last.tell()
    said += last.rest()
    clicks = Counter(word["clicked"] for word in said if "clicked" in word)
    assert set(clicks.values()) == {1}, "a job past its intent was given to somebody else"
    found = states(db)
    assert set(found) <= {"done", "outcome_unknown"}
    assert sum(found.values()) == len(ids)
    # An unknown one clicked at most (its word may have died with it); a done one surely did.
    assert found["done"] <= len(clicks) <= len(ids)


def test_killed_while_preparing_it_runs_again_with_another_token(db: Database, act: Act) -> None:
    (id_,) = fill(db, 1, 1)
    actor = act("wait_preparing", "0.5")
    first = actor.hear()
    actor.kill()
    wait_for_lapse(db, id_)
    assert reap(db).requeued == [id_]
    again = claim_next(db, "other", "host", 60)
    assert again is not None
    assert (again.id, again.attempts) == (id_, 2)
    assert again.token != first["token"]
    assert finish(db, again, outcome=Done())


def test_killed_after_its_intent_it_is_never_ready_again(db: Database, act: Act) -> None:
    (id_,) = fill(db, 1, 1)
    actor = act("wait_submitting", "60")
    actor.hear()
    assert actor.hear() == {"intent": True}
    actor.kill()
    assert reap(db).unknown == [], "its limit has not passed"
    lapse_all(db)
    assert reap(db).unknown == [id_]
    for _ in range(3):
        assert claim_next(db, "other", "host", 60) is None
        assert (reap(db).requeued, reap(db).dead) == ([], [])
    assert states(db) == {"outcome_unknown": 1}


def test_stopped_past_its_lease_it_may_not_submit(db: Database, act: Act) -> None:
    (id_,) = fill(db, 1, 1)
    actor = act("wait_preparing", "0.5")
    actor.hear()
    actor.send(signal.SIGSTOP)
    wait_for_lapse(db, id_)
    actor.send(signal.SIGCONT)
    actor.tell()
    assert actor.hear()["intent"] is False, "the lease itself forbids it, before any reaper came"


def test_stopped_past_its_lease_and_replaced_it_changes_nothing(db: Database, act: Act) -> None:
    (id_,) = fill(db, 1, 1)
    actor = act("wait_preparing", "0.5")
    actor.hear()
    actor.send(signal.SIGSTOP)
    wait_for_lapse(db, id_)
    assert reap(db).requeued == [id_]
    mine = claim_next(db, "other", "host", 60)
    assert mine is not None
    actor.send(signal.SIGCONT)
    actor.tell()
    assert actor.hear() == {"intent": False, "done": False}
    assert heartbeat(db, mine, 60)
    assert finish(db, mine, outcome=Done())


def test_a_result_after_the_limit_does_not_touch_the_unknown(db: Database, act: Act) -> None:
    (id_,) = fill(db, 1, 1)
    actor = act("wait_submitting", "60")
    actor.hear()
    actor.hear()
    lapse_all(db)
    assert reap(db).unknown == [id_]
    actor.tell()
    assert actor.hear() == {"done": False}
    assert states(db) == {"outcome_unknown": 1}
