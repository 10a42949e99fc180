"""Alembic environment: one migration path for SQLite and PostgreSQL.

Invariant: two processes that migrate at once do it one after the other (advisory lock on PostgreSQL, BEGIN IMMEDIATE
on SQLite), and a migration waits at most a bounded time for locks held by running work.
"""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, text

from radica.app.tables import metadata
from radica.kernel.columns import CanonicalJson, EnumText, Instant
from radica.kernel.db import make_single_engine

ADVISORY_LOCK = 7_274_632_001


def _render_item(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Write our column types by what they are in the database, so that old migrations outlive renamed enums."""
    if kind != "type":
        return False
    if isinstance(item, Instant):
        autogen.imports.add("from radica.kernel.columns import Instant")
        return "Instant()"
    if isinstance(item, EnumText):
        return "sa.String(length=40)"
    if isinstance(item, CanonicalJson):
        return "sa.Text()"
    return False


def _configure(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=_render_item,
        transaction_per_migration=False,
    )


def run() -> None:
    """Migrate the database named by `sqlalchemy.url` of the alembic configuration."""
    url = context.config.get_main_option("sqlalchemy.url")
    assert url is not None
    engine = make_single_engine(url)
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET lock_timeout = '30s'"))
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
            connection.commit()
        else:
            # DDL on SQLite is transactional only when the transaction is ours (the driver's is off, see kernel.db).
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        _configure(connection)
        with context.begin_transaction():
            context.run_migrations()
        if connection.dialect.name == "postgresql":
            connection.commit()
        else:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
    engine.dispose()


run()
