"""The database that a command works on, brought to its schema.

Invariant: the embedded database comes to be by itself the first time; one that exists is only migrated when a person
says so (`radica bd migrar`), and a command refuses to work on any other schema than its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import radica.app.tables  # noqa: F401 - a session must know every table, also those that a command does not name
from radica.app.cli.words import note
from radica.app.schema import head_revision, migrate, present_revision
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.errors import Unavailable


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """Yield the database with the present schema; the embedded one is made when there is none.

    Raises Unavailable when it cannot be reached or has another schema.
    """
    database = Database(settings.database_url)
    try:
        with reachable(database):
            found = present_revision(database.engine)
            empty = database.is_sqlite and found is None and not _has_tables(database)
        if empty:
            settings.ensure_folders()
            migrate(settings.database_url)
            note(f"Base de datos nueva en {settings.datos}.")
        elif found != head_revision(settings.database_url):
            raise Unavailable(
                "La base de datos no tiene el esquema de esta versión; no se hizo nada.",
                todo="Haga una copia y ejecute: radica bd migrar",
                code="base_sin_migrar",
            )
        yield database
    finally:
        database.dispose()


@contextmanager
def reachable(database: Database) -> Iterator[None]:
    """Turn a failure to reach the database into words. Raises Unavailable."""
    try:
        yield
    except DBAPIError as error:
        what = "abrir la base de datos" if database.is_sqlite else "llegar a la base de datos PostgreSQL"
        raise Unavailable(
            f"No se pudo {what}.",
            todo="Revise --datos."
            if database.is_sqlite
            else "Revise RADICA_DATABASE_URL y que el servidor esté activo.",
            code="base_inaccesible",
        ) from error


def _has_tables(database: Database) -> bool:
    with database.engine.connect() as connection:
        return connection.execute(text("SELECT 1 FROM sqlite_master LIMIT 1")).first() is not None
