"""The queue's clock: milliseconds since 1970 read inside the database, never from the process that asks.

Invariant: leases, back-off and beats of all machines are measured by one clock, at the instant the statement runs
(`clock_timestamp()`, not `now()`, which stands still while a transaction waits for a lock). No code compares it with
the business clock (DESIGN section 3).
"""

from __future__ import annotations

from sqlalchemy.orm import Session

# SQLite before 3.42 has no unixepoch('subsec'); julianday holds whole milliseconds, ROUND undoes the binary fraction.
SQLITE_NOW_MS = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)"
POSTGRES_NOW_MS = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"

_SELECT_SQLITE = "SELECT " + SQLITE_NOW_MS
_SELECT_POSTGRES = "SELECT " + POSTGRES_NOW_MS


def now_ms(session: Session) -> int:
    """Return the database's clock in milliseconds since 1970 (UTC)."""
    connection = session.connection()
    query = _SELECT_POSTGRES if connection.dialect.name == "postgresql" else _SELECT_SQLITE
    return int(connection.exec_driver_sql(query).scalar_one())


def to_ms(seconds: float) -> int:
    """Return a duration in seconds as whole milliseconds."""
    return round(seconds * 1000)
