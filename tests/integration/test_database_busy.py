"""A database that another process holds: said in words everywhere, never a defect, and reading goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select, text

from radica.app.schema import head_revision, present_revision
from radica.entidades.models import Prestador
from radica.kernel import db as module
from radica.kernel.db import Database
from radica.kernel.errors import Unavailable
from tests.plugins.web import House


@pytest.fixture
def busy(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Yield a database whose one place for a writer is taken."""
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)
    holder, database = Database(sqlite_url), Database(sqlite_url)
    with holder.write() as session:
        session.execute(text("UPDATE usuarios SET fallos = fallos"))
        yield database
    holder.dispose()
    database.dispose()


def test_who_writes_is_told_that_it_is_busy(busy: Database) -> None:
    with pytest.raises(Unavailable) as told, busy.write() as session:
        session.execute(text("SELECT 1"))
    assert told.value.code == "base_ocupada"


def test_who_reads_waits_for_nobody(busy: Database, sqlite_url: str) -> None:
    assert present_revision(busy.engine) == head_revision(sqlite_url)
    with busy.read() as session:
        assert session.scalars(select(Prestador)).all() == []


def test_a_form_sent_meanwhile_is_answered_with_words(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = house.entered("ana@norte.example")
    browser.open("/mi-cuenta")
    data = {"csrf_token": browser.tree().xpath("//input[@name='csrf_token']/@value")[0], "prestador_id": ""}
    with house.database.engine.connect() as held:
        held.execute(text("UPDATE usuarios SET fallos = fallos"))
        house.database.engine.pool.dispose()
        monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)
        answer = browser.raw("POST", "/prestador", data=data)
        held.rollback()
    assert answer.status_code == 503
    assert "La base de datos está ocupada" in browser.text
