"""A worker whose PostgreSQL goes away works on when it is back; what it held is judged by its lease."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from radica.app.worker import run_worker
from radica.jobs.queue import Claimed, Done, claim_next, enqueue, finish
from radica.kernel.db import Database
from radica.kernel.errors import Unavailable
from tests.plugins import filing


def cut(server: str, name: str | None, *, allow: bool) -> None:
    with psycopg.connect(server, autocommit=True) as link:
        link.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {"true" if allow else "false"}')
        link.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))


def test_a_worker_outlives_its_server(postgres_url: str, postgres_url_of_server: str, tmp_path: Path) -> None:
    house = filing.house_on(postgres_url, tmp_path)
    name = make_url(postgres_url).database
    did: list[int] = []
    stop, gone, second = threading.Event(), threading.Event(), threading.Event()

    def handle(_house: object, claimed: Claimed) -> None:
        did.append(claimed.id)
        if len(did) == 1:
            cut(postgres_url_of_server, name, allow=False)
            gone.set()
        else:
            second.set()
        finish(house.db, claimed, outcome=Done())

    with house.db.write() as session:
        first = enqueue(session, "x", payload={})
    worker = threading.Thread(target=run_worker, args=(house, {"x": handle}), kwargs={"stop": stop})
    worker.start()
    try:
        assert gone.wait(20)
        other = Database(postgres_url)
        with pytest.raises(Unavailable):
            claim_next(other, "w", "h", 60)
        cut(postgres_url_of_server, name, allow=True)
        with other.write() as session:
            following = enqueue(session, "x", payload={})
        assert second.wait(20)
        assert did == [first, following]
        other.dispose()
    finally:
        stop.set()
        worker.join(20)
        house.db.dispose()
    assert not worker.is_alive()
