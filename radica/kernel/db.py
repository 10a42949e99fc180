"""The database: one engine, two ways in (`read()` and `write()`), the same on SQLite and PostgreSQL.

Invariant: every writing transaction on SQLite is BEGIN IMMEDIATE (deferred ones gave 304 "locked" errors of 400
in trials), a reading one cannot write (`query_only`), and commit happens in exactly one place: the end of the
`with` block. `durable=True` makes the commit survive a power cut (SQLite synchronous=FULL, PostgreSQL
synchronous_commit=on): the intent of a filing and its acuse need it (DESIGN section 5.3).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnDefault,
    Connection,
    Dialect,
    Engine,
    FromClause,
    MetaData,
    Table,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import NullPool, QueuePool

from radica.kernel.errors import Unavailable

BUSY_TIMEOUT_MS = 30_000
AT_ONCE = 500
"""Keys that one statement takes; far below what either database takes as parameters."""
Key = TypeVar("Key", int, str)
CACHE_KB = 24_576
"""Pages of SQLite that a connection keeps: with its own 2 MB, indexes of random keys were read again for each row."""

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The one declarative base, with a naming convention so that migrations can name every constraint."""

    metadata = MetaData(naming_convention=NAMING)


class Database:
    """An engine and its two kinds of transaction. Make one per process; it is safe across threads."""

    def __init__(self, url: str, *, pool_size: int = 8, echo: bool = False) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine = _make_engine(url, pool_size=pool_size, echo=echo)
        # Made once: an engine with options of its own for each transaction cost half a millisecond on PostgreSQL.
        self._modes = {mode: self.engine.execution_options(radica_tx=mode) for mode in ("read", "write", "durable")}

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a reading transaction; a write in it fails. What was loaded stays readable after its end."""
        with Session(self._modes["read"], expire_on_commit=False) as session, _plain_errors():
            if not self.is_sqlite:
                session.execute(text("SET TRANSACTION READ ONLY"))
            yield session

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Session]:
        """Open a writing transaction: committed at the end of the block, rolled back on any exception.

        Raises Unavailable when the database stays locked or cannot be reached.
        """
        with (
            Session(self._modes["durable" if durable else "write"], expire_on_commit=False) as session,
            _plain_errors(),
        ):
            try:
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise

    def dispose(self) -> None:
        """Close the pool."""
        self.engine.dispose()


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as exc:
        # SQLite refuses at BEGIN, which is ours: that error comes as the driver's own, not as SQLAlchemy's.
        words = str(getattr(exc, "orig", exc)).lower()
        if "locked" in words or "busy" in words or "deadlock" in words:
            raise Unavailable(
                "La base de datos está ocupada por otro proceso; no se guardó este cambio.",
                todo="Espere un momento e intente de nuevo.",
                code="base_ocupada",
            ) from exc
        if "full" in words or "no space" in words:
            raise Unavailable(
                "El disco está lleno; no se guardó este cambio y lo anterior está intacto.",
                todo="Libere espacio e intente de nuevo.",
                code="disco_lleno",
            ) from exc
        raise


def _make_engine(url: str, *, pool_size: int, echo: bool) -> Engine:
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=pool_size,
            max_overflow=16,
            echo=echo,
            hide_parameters=True,
            connect_args={"timeout": 30},
        )
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=16,
        echo=echo,
        pool_pre_ping=True,
        hide_parameters=True,  # a failed statement must not print what it carried
        isolation_level="READ COMMITTED",
        connect_args={"connect_timeout": 10},
    )
    event.listen(engine, "begin", _postgres_begin)
    return engine


def parts_of(keys: Iterable[Key], *, size: int = AT_ONCE) -> Iterator[list[Key]]:
    """Cut keys into sorted parts that one statement takes: rows are locked in one order, and `IN` stays short."""
    ordered = sorted(keys)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def insert_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]], *, again: bool = False) -> None:
    """Insert rows of one table by column name in one statement, past the ORM; the same columns in each.

    `again=True` leaves out those that are there already. The session does not see them as objects.
    """
    table = model.__table__
    assert isinstance(table, Table)
    if not rows:
        return
    if session.get_bind().dialect.name == "sqlite":
        _insert_columns(session, table, rows, " ON CONFLICT DO NOTHING" if again else "")
    elif again:
        session.execute(postgresql.insert(table).on_conflict_do_nothing(), rows)
    else:
        session.execute(table.insert(), rows)


def _insert_columns(session: Session, table: Table, rows: Sequence[Mapping[str, Any]], clause: str) -> None:
    """Insert column by column: what the toolkit does for each row of its own took longer than SQLite itself."""
    given = tuple(rows[0])
    sql, processors, defaults = _insert_plan(table, given, session.get_bind().dialect)
    columns = [
        [row[name] for row in rows] if processor is None else _bound([row[name] for row in rows], processor)
        for name, processor in processors
    ]
    columns += [[value] * len(rows) for value in defaults]
    session.connection().exec_driver_sql(sql + clause, list(zip(*columns, strict=True)))


def _bound(values: list[Any], processor: Callable[[Any], Any]) -> list[Any]:
    """Turn values into the driver's; what follows itself (the instant, the state, the proof of a batch) only once."""
    found, last, bound = [], values[0], processor(values[0])
    for value in values:
        if value is not last:
            last, bound = value, processor(value)
        found.append(bound)
    return found


@lru_cache(maxsize=256)
def _insert_plan(
    table: Table, given: tuple[str, ...], dialect: Dialect
) -> tuple[str, list[tuple[str, Any]], list[Any]]:
    """Return the statement, what turns the given values into the driver's, and the values of the other columns."""
    processors = [(name, table.c[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in given]
    others, defaults = [], []
    for column in table.columns:
        if column.name not in given and isinstance(column.default, ColumnDefault):
            value = column.default.arg(None) if column.default.is_callable else column.default.arg
            processor = column.type.dialect_impl(dialect).bind_processor(dialect)
            others.append(column.name)
            defaults.append(value if processor is None else processor(value))
    quote = dialect.identifier_preparer.quote
    names = ", ".join(quote(name) for name in (*given, *others))
    places = ", ".join("?" * (len(given) + len(others)))
    return f"INSERT INTO {quote(table.name)} ({names}) VALUES ({places})", processors, defaults  # noqa: S608


def reserve_ids(session: Session, table: FromClause, count: int) -> list[int]:
    """Return ids for `count` rows that this transaction will write, so that other rows can name them before.

    On SQLite they are free because a writing transaction is alone (write them before reserving again); on PostgreSQL
    they are taken from the sequence, and those not used leave gaps.
    """
    key = table.c.id
    if session.get_bind().dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(str(table), key.name)
        rows = session.scalars(select(func.nextval(sequence)).select_from(func.generate_series(1, count)))
        return sorted(rows)
    last = session.scalar(select(func.max(key))) or 0
    return list(range(last + 1, last + 1 + count))


def make_single_engine(url: str) -> Engine:
    """Return an engine without a pool, for migrations and for processes that fork."""
    engine = create_engine(url, poolclass=NullPool)
    if url.startswith("sqlite"):
        event.listen(engine, "connect", _sqlite_connect)
    return engine


def _sqlite_connect(dbapi: Any, _record: Any) -> None:
    # The driver's own transaction control would issue deferred BEGINs; ours starts in _sqlite_begin.
    dbapi.isolation_level = None
    cursor = dbapi.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute(f"PRAGMA cache_size=-{CACHE_KB}")
    cursor.close()


def _sqlite_begin(conn: Connection) -> None:
    mode = conn.get_execution_options().get("radica_tx", "write")
    raw = conn.connection.driver_connection
    assert raw is not None
    if mode == "read":
        raw.execute("PRAGMA query_only=ON")
        raw.execute("BEGIN")
        return
    raw.execute("PRAGMA query_only=OFF")
    raw.execute(f"PRAGMA synchronous={'FULL' if mode == 'durable' else 'NORMAL'}")
    raw.execute("BEGIN IMMEDIATE")


def _postgres_begin(conn: Connection) -> None:
    if conn.get_execution_options().get("radica_tx") == "durable":
        conn.exec_driver_sql("SET LOCAL synchronous_commit = on")
