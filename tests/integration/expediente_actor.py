"""A worker that makes dossiers and is killed at a named point: `expediente_actor.py URL DATOS POINT`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import radica.app.tables  # noqa: F401 - a session must know every table
from radica.app.handlers.expedientes import export
from radica.app.house import make_house
from radica.cartera.models import Liquidacion
from radica.jobs.queue import claim_next
from radica.kernel.clock import system_clock
from radica.kernel.config import load_settings
from radica.kernel.db import Database
from radica.prejuridico.services import KIND_EXPORT


def die() -> None:
    """End at once, as the machine would."""
    os.kill(os.getpid(), signal.SIGKILL)


class Mortal:
    """A store that kills its process at a point."""

    def __init__(self, inner: Any, point: str) -> None:
        self._inner, self._point, self._kept = inner, point, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def open(self, sha256: str) -> Any:
        if self._point == "leer":
            die()
        return self._inner.open(sha256)

    def put_file(self, path: Path, *, limit: int | None = None) -> Any:
        stored = self._inner.put_file(path, limit=limit)
        self._kept += 1
        if (self._kept, self._point) in {(1, "guardar_bolsa"), (2, "guardar_pdf")}:
            die()
        return stored


class MortalDatabase(Database):
    """A database whose process is killed before the last transaction commits."""

    mortal = False

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Session]:
        inner: AbstractContextManager[Session] = super().write(durable=durable)
        with inner as session:
            yield session
            if self.mortal and durable and session.scalar(select(func.count()).select_from(Liquidacion)):
                die()


def main() -> None:
    """Claim the dossier and die on the way."""
    url, datos, point = sys.argv[1:]
    settings = load_settings({**os.environ, "RADICA_DATABASE_URL": url}, datos=datos, running_as_root=True)
    database = MortalDatabase(url)
    database.mortal = point == "registrar"
    house = make_house(settings, database, environ={"RADICA_HOST": "prueba"}, clock=system_clock)
    house = replace(house, store=Mortal(house.store, point))  # type: ignore[arg-type]
    claimed = claim_next(database, "w2", house.host, 60, [KIND_EXPORT])
    assert claimed is not None
    export(house, claimed)


if __name__ == "__main__":
    main()
