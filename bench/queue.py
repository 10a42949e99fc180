"""The queue: jobs (claim + intent + finish) per second, 16 lanes, 4 processes, on both databases.

The floor is the raw driver doing three guarded commits per job of the same durability in as many processes: what
the database itself costs. Counted beside the speed: double claims, unfinished jobs, and each process's share.
"""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import func, select

from radica.app.embedded_pg import postgres_database, postgres_server
from radica.app.schema import migrate
from radica.jobs.board import counts, ensure_lane
from radica.jobs.models import Job, JobState
from radica.jobs.queue import Done, claim_next, enqueue, finish, write_intent
from radica.kernel.db import Database

JOBS = 2000
LANES = 16
PROCESSES = 4
ROUNDS = 3
GOAL_PER_S = 500


def run() -> dict[str, Any]:
    """Measure both databases; `cumple` says whether the goals of both are met."""
    with tempfile.TemporaryDirectory(prefix="radica-bench-") as folder:
        results = {"sqlite": _measure(lambda n: _sqlite(Path(folder), n))}
    with postgres_server(os.environ) as server:
        results["postgresql"] = _measure(lambda _: postgres_database(server))
    return {**results, "cumple": all(result["cumple"] for result in results.values())}


@contextmanager
def _sqlite(folder: Path, number: int) -> Iterator[str]:
    yield f"sqlite:///{folder / f'{number}.sqlite'}"


def _measure(new_database: Any) -> dict[str, Any]:
    rounds = []
    for number in range(ROUNDS):
        with new_database(number) as url:
            migrate(url)
            _fill(url)
            queue = _race("work", url)
            with Database(url).read() as session:
                done = session.scalar(select(func.count()).where(Job.state == JobState.DONE))
            rounds.append({"cola": queue, "suelo": _race("floor", url), "terminados": done})
    speed = statistics.median(one["cola"]["por_segundo"] for one in rounds)
    floor = statistics.median(one["suelo"]["por_segundo"] for one in rounds)
    claims = [id_ for one in rounds for id_ in [one["cola"]["ids"]]]
    doubles = sum(len(ids) - len(set(ids)) for ids in claims)
    shares = [min(one["cola"]["por_proceso"]) / max(one["cola"]["por_proceso"]) for one in rounds]
    lost = sum(JOBS - one["terminados"] for one in rounds)
    return {
        "trabajos_por_segundo": round(speed),
        "rondas": [round(one["cola"]["por_segundo"]) for one in rounds],
        "suelo_por_segundo": round(floor),
        "razon": round(speed / floor, 2),
        "meta_por_segundo": GOAL_PER_S,
        "dobles": doubles,
        "sin_terminar": lost,
        "por_proceso": [one["cola"]["por_proceso"] for one in rounds],
        "menor_sobre_mayor": round(min(shares), 2),
        "cumple": speed >= GOAL_PER_S and doubles == 0 and lost == 0 and min(shares) > 0.5,
    }


def _fill(url: str) -> None:
    db = Database(url)
    with db.write() as session:
        lanes = [ensure_lane(session, f"carril {n}").id for n in range(LANES)]
        for n in range(JOBS):
            enqueue(session, "radicar", payload={"n": n}, lane_id=lanes[n % LANES], subject=f"envio:{n}")
    db.dispose()


def _race(role: str, url: str) -> dict[str, Any]:
    """Start the processes, let them go at once, and put what they tell together."""
    command = [sys.executable, "-m", "bench.queue", role, url]
    racers = [
        subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(PROCESSES)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n", "a process did not start"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = [json.loads(racer.communicate(timeout=300)[0]) for racer in racers]
    seconds = max(one["end"] for one in told) - min(one["start"] for one in told)
    return {
        "por_segundo": sum(one["jobs"] for one in told) / seconds,
        "por_proceso": [one["jobs"] for one in told],
        "ids": [id_ for one in told for id_ in one["ids"]],
    }


# --- In the processes ---------------------------------------------------------------------------------------------


def _work(url: str, name: str) -> list[int]:
    db = Database(url)
    with db.read() as session:
        counts(session)
    _wait_for_go()
    ids = []
    while (claimed := claim_next(db, name, "bench", 60)) is not None:
        ids.append(claimed.id)
        if not write_intent(db, claimed, 60, f"intent-{claimed.id}") or not finish(db, claimed, outcome=Done()):
            raise SystemExit("a claim was lost")
    return ids


def _floor_sqlite(url: str, name: str) -> list[int]:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30, isolation_level=None)
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("CREATE TABLE IF NOT EXISTS suelo (id INTEGER PRIMARY KEY, token INTEGER, n INTEGER)")
    connection.execute("INSERT OR IGNORE INTO suelo VALUES (?, 1, 0)", [int(name)])
    _wait_for_go()
    for _ in range(JOBS // PROCESSES):
        for level in ("NORMAL", "FULL", "NORMAL"):
            connection.execute(f"PRAGMA synchronous={level}")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE suelo SET n = n + 1 WHERE id = ? AND token = 1", [int(name)])
            connection.execute("COMMIT")
    return list(range(JOBS // PROCESSES))


def _floor_postgres(url: str, name: str) -> list[int]:
    connection = psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)
    connection.execute("SELECT pg_advisory_lock(1)")
    connection.execute("CREATE TABLE IF NOT EXISTS suelo (id int PRIMARY KEY, token int, n int)")
    connection.execute("SELECT pg_advisory_unlock(1)")
    connection.execute("INSERT INTO suelo VALUES (%s, 1, 0)", [int(name)])
    _wait_for_go()
    for _ in range(JOBS // PROCESSES):
        for level in ("off", "on", "on"):
            connection.execute(
                "WITH durability AS MATERIALIZED (SELECT set_config('synchronous_commit', %s, true) AS level)"
                " UPDATE suelo SET n = n + 1 FROM durability WHERE id = %s AND token = 1 AND level IS NOT NULL",
                [level, int(name)],
            )
    return list(range(JOBS // PROCESSES))


_started = 0.0


def _wait_for_go() -> None:
    global _started
    print("ready", flush=True)
    sys.stdin.readline()
    _started = time.perf_counter()


def _main(role: str, url: str, name: str) -> None:
    if role == "work":
        ids = _work(url, name)
    else:
        ids = _floor_sqlite(url, name) if url.startswith("sqlite") else _floor_postgres(url, name)
    ended = time.perf_counter()
    print(json.dumps({"jobs": len(ids), "ids": ids, "start": _started, "end": ended}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
