"""The two ways of the queue's SQL to the database: in the caller's session, or in a short transaction of its own.

Invariant: a short transaction holds nothing but the queue's statements, and is over when its block ends. It goes
straight to the driver, because claim, heartbeat, intent and finish are the hot path of every worker: through the ORM's
session the same commit takes three to five times as long.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from radica.jobs.statements import Sql
from radica.kernel.db import BUSY_TIMEOUT_MS, Database
from radica.kernel.errors import Unavailable

# SQLite's own busy handler waits longer the longer one has waited, so that the newcomer wins; measured, the slowest
# of four processes got a third of what the fastest got. Short pauses of equal chance keep it fair.
_PAUSE_S = (0.0002, 0.0012)
_LONG_PAUSE_S = (0.002, 0.006)  # when somebody holds the file for long (an import): less waking up
_SHORT_PAUSES = 100


@dataclass(frozen=True)
class Link:
    """Something that runs a statement and returns its rows. `raw` is a driver's connection or SQLAlchemy's."""

    raw: Any
    is_sqlite: bool
    is_short: bool

    def run(self, statement: Sql, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute one statement and return its rows, none when it gives none."""
        text = statement.sqlite if self.is_sqlite else statement.postgresql
        if self.is_short:
            cursor = self.raw.execute(text, values)
            return list(cursor.fetchall()) if cursor.description else []
        result = self.raw.exec_driver_sql(text, dict(values))
        return [tuple(row) for row in result] if result.returns_rows else []


def within(session: Session) -> Link:
    """Return the link into the caller's transaction; what the session still holds back is written first."""
    session.flush()
    connection = session.connection()
    return Link(connection, connection.dialect.name == "sqlite", is_short=False)


@contextmanager
def short(db: Database, *, durable: bool = False) -> Iterator[Link]:
    """Open a short writing transaction. On PostgreSQL each statement commits by itself, and says how durably.

    `durable` is SQLite's synchronous=FULL. Raises Unavailable when the database stays locked or cannot be reached.
    """
    try:
        pooled = db.engine.raw_connection()
        try:
            raw: Any = pooled.driver_connection
            if db.is_sqlite:
                with _sqlite_transaction(raw, durable=durable):
                    yield Link(raw, is_sqlite=True, is_short=True)
            else:
                with _postgres_autocommit(raw):
                    yield Link(raw, is_sqlite=False, is_short=True)
        finally:
            pooled.close()
    except (OperationalError, psycopg.OperationalError, sqlite3.OperationalError) as error:
        # A server that restarts, a full disk: whoever asked tries again; what was claimed is judged by its lease.
        raise Unavailable(
            "La base de datos no respondió; no se guardó este cambio.",
            todo="Espere un momento e intente de nuevo.",
            code="base_no_responde",
        ) from error


@contextmanager
def _sqlite_transaction(raw: sqlite3.Connection, *, durable: bool) -> Iterator[None]:
    raw.execute("PRAGMA query_only=OFF")
    raw.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    _begin_immediate(raw)
    try:
        yield
        raw.execute("COMMIT")
    except BaseException:
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        raise


def _begin_immediate(raw: sqlite3.Connection) -> None:
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    tries = 0
    raw.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                raw.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() > deadline:
                    raise Unavailable(
                        "La base de datos está ocupada por otro proceso; no se guardó este cambio.",
                        todo="Espere un momento e intente de nuevo.",
                        code="base_ocupada",
                    ) from error
            tries += 1
            low, high = _PAUSE_S if tries < _SHORT_PAUSES else _LONG_PAUSE_S
            time.sleep(random.uniform(low, high))  # noqa: S311 - a pause is no secret
    finally:
        raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


@contextmanager
def _postgres_autocommit(raw: psycopg.Connection[Any]) -> Iterator[None]:
    raw.autocommit = True
    try:
        yield
    finally:
        if not raw.closed:
            raw.autocommit = False
