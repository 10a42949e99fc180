"""The migrations make exactly the tables of the models, undo themselves, and may run twice and at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect

from radica.app.embedded_pg import postgres_database
from radica.app.schema import alembic_config, head_revision, migrate, present_revision
from radica.kernel.db import make_single_engine


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'vacia.sqlite'}"
        return
    with postgres_database(request.getfixturevalue("postgres_url_of_server")) as url:
        yield url


def test_head_is_the_models(empty_url: str) -> None:
    migrate(empty_url)
    command.check(alembic_config(empty_url))
    engine = make_single_engine(empty_url)
    assert present_revision(engine) == head_revision(empty_url)


def test_down_to_nothing_and_up_again(empty_url: str) -> None:
    migrate(empty_url)
    command.downgrade(alembic_config(empty_url), "base")
    assert inspect(make_single_engine(empty_url)).get_table_names() == ["alembic_version"]
    migrate(empty_url)
    assert "transitions" in inspect(make_single_engine(empty_url)).get_table_names()


def test_twice_is_harmless(empty_url: str) -> None:
    migrate(empty_url)
    migrate(empty_url)
    assert present_revision(make_single_engine(empty_url)) == head_revision(empty_url)


def test_two_at_once_follow_each_other(empty_url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        # alembic's environment is loaded per call; the database's own lock must put one behind the other
        list(pool.map(lambda _: _in_a_process(empty_url), range(2)))
    assert present_revision(make_single_engine(empty_url)) == head_revision(empty_url)


def _in_a_process(url: str) -> None:
    code = "import sys; from radica.app.schema import migrate; migrate(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, url], check=True, timeout=120)
