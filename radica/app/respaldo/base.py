"""The database in a backup: one consistent moment of it written to files, and those files loaded into an empty one.

Invariant: rows are copied as they stand, also those that no model could read; SQLite by its own backup, PostgreSQL by
COPY in one repeatable-read snapshot. Loading leaves triggers and constraints in place, so what is added later is held
as before. A backup of one kind of database is restored into the same kind.
"""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import text

from radica.app.schema import migrate, present_revision
from radica.app.tables import metadata
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, Unavailable

SQLITE_FILE = "radica.sqlite"
BLOCK = 1 << 20
SYNC = "alembic_version"
"""The table that the migrations keep: never copied as rows."""


def kind_of(db: Database) -> str:
    """Name the kind of database as the manifest does."""
    return "sqlite" if db.is_sqlite else "postgresql"


def write_database(db: Database, folder: Path) -> list[tuple[str, int]]:
    """Write one moment of the database into `folder`; return its blobs (address, bytes) as of that moment.

    Raises Unavailable when the database cannot be read whole.
    """
    return _write_sqlite(db, folder) if db.is_sqlite else _write_postgres(db, folder)


def load_database(url: str, folder: Path, *, esquema: str) -> None:
    """Load what `write_database` wrote at schema `esquema` into an empty database, and bring it to this version's."""
    if url.startswith("sqlite"):
        _load_sqlite(url, folder)
    else:
        migrate(url, revision=esquema)
        _load_postgres(url, folder)
    migrate(url)


def is_empty(url: str) -> bool:
    """Tell whether the database has no table of ours, or nothing in them (the present schema and no row)."""
    if url.startswith("sqlite") and not _sqlite_path(url).exists():
        return True
    db = Database(url)
    try:
        if present_revision(db.engine) is None:
            return not _tables(db)
        with db.read() as session:
            return not any(
                session.execute(text(f'SELECT 1 FROM "{name}" LIMIT 1')).first()  # noqa: S608 - names of our tables
                for name in _tables(db)
                if name != SYNC
            )
    finally:
        db.dispose()


def forget_people(db: Database, why: str) -> None:
    """Close every session and pause every lane: what was filed after the backup must not be filed again by a bot."""
    with db.write() as session:
        session.execute(text("UPDATE sesiones SET revocada_at = vista_at WHERE revocada_at IS NULL"))
        yes = "1" if db.is_sqlite else "true"
        session.execute(text(f"UPDATE lanes SET paused = {yes}, paused_why = :why"), {"why": why})  # noqa: S608


def _tables(db: Database) -> list[str]:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        if db.is_sqlite
        else "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    )
    with db.read() as session:
        return sorted(session.scalars(text(query)))


# --- SQLite ---------------------------------------------------------------------------------------------------------


def _sqlite_path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _write_sqlite(db: Database, folder: Path) -> list[tuple[str, int]]:
    target = folder / SQLITE_FILE
    with (
        _plain(),
        closing(sqlite3.connect(_sqlite_path(db.url), timeout=30)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)  # in one step: a copy page by page begins anew whenever somebody writes
        copy.execute("PRAGMA journal_mode=DELETE")
        sound = copy.execute("PRAGMA quick_check").fetchone()[0]
        blobs = copy.execute("SELECT sha256, bytes FROM blobs ORDER BY sha256").fetchall()
    if sound != "ok":
        raise Unavailable("La base de datos está dañada y no se pudo respaldar entera.", code="base_danada")
    return [(str(row[0]), int(row[1])) for row in blobs]


def _load_sqlite(url: str, folder: Path) -> None:
    target = _sqlite_path(url)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in (target, target.with_name(f"{target.name}-wal"), target.with_name(f"{target.name}-shm")):
        name.unlink(missing_ok=True)  # it was found to be empty
    with _plain(), closing(sqlite3.connect(folder / SQLITE_FILE)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


@contextmanager
def _plain() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as problem:
        if "full" in str(problem).lower():
            raise Unavailable("El disco está lleno; el respaldo no está completo.", code="disco_lleno") from problem
        raise Unavailable(
            "No se pudo copiar la base de datos entera; la copia no vale.",
            todo="Revise que el disco tenga espacio y esté sano, y repítalo.",
            code="base_danada",
        ) from problem


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def _plain_url(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def _write_postgres(db: Database, folder: Path) -> list[tuple[str, int]]:
    names = [one.name for one in metadata.sorted_tables]
    unknown = sorted(set(_tables(db)) - set(names) - {SYNC})
    if unknown:
        raise Unavailable(
            f"La base de datos tiene tablas que esta versión no conoce ({', '.join(unknown)[:120]}).",
            todo="Haga el respaldo con la versión que las creó.",
            code="tablas_desconocidas",
        )
    with psycopg.connect(_plain_url(db.url), connect_timeout=10) as server:
        server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        server.read_only = True
        with server.cursor() as cursor:
            for name in names:
                columns = [one.name for one in metadata.tables[name].columns]
                _copy_out(cursor, name, columns, folder / f"{name}.copy.gz")
            rows = cursor.execute("SELECT sha256, bytes FROM blobs ORDER BY sha256").fetchall()
    return [(str(row[0]), int(row[1])) for row in rows]


def _copy_out(cursor: psycopg.Cursor[tuple[object, ...]], name: str, columns: Sequence[str], path: Path) -> None:
    keys = [one.name for one in metadata.tables[name].primary_key.columns]
    query = sql.SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT").format(
        _names(columns), sql.Identifier(name), _names(keys)
    )
    # mtime 0: the same rows are the same bytes.
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=0) as out, cursor.copy(query) as rows:
        out.write(("\t".join(columns) + "\n").encode())
        for block in rows:
            out.write(block)


def _load_postgres(url: str, folder: Path) -> None:
    """Load all tables in one transaction, without the triggers of ours meanwhile, and set the sequences."""
    names = [one.name for one in metadata.sorted_tables if (folder / f"{one.name}.copy.gz").is_file()]
    with psycopg.connect(_plain_url(url), connect_timeout=10) as server, server.cursor() as cursor:
        for name in names:
            cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(name)))
            with gzip.open(folder / f"{name}.copy.gz", "rb") as rows:
                columns = rows.readline().decode().rstrip("\n").split("\t")
                statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), _names(columns))
                with cursor.copy(statement) as into:
                    while block := rows.read(BLOCK):
                        into.write(block)
        for name in names:
            cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(name)))
            _set_sequences(cursor, name)


def _set_sequences(cursor: psycopg.Cursor[tuple[object, ...]], name: str) -> None:
    for column in metadata.tables[name].columns:
        found = cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", (name, column.name)).fetchone()
        if found is not None and found[0] is not None:
            cursor.execute(
                sql.SQL("SELECT setval(%s, COALESCE(max({0}), 1), max({0}) IS NOT NULL) FROM {1}").format(
                    sql.Identifier(column.name), sql.Identifier(name)
                ),
                (found[0],),
            )


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(one) for one in columns)


def check_kind(url: str, kind: str) -> None:
    """Refuse a backup of another kind of database. Raises BadInput."""
    mine = "sqlite" if url.startswith("sqlite") else "postgresql"
    if mine != kind:
        raise BadInput(
            f"El respaldo es de {kind} y aquí la base de datos es {mine}; no se hizo nada.",
            todo="Restáurelo con RADICA_DATABASE_URL de la misma clase de base.",
            code="otra_base",
        )
