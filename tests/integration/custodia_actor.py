"""A process of its own that keeps one piece and names it in the database; its power is cut at the point it is told."""

from __future__ import annotations

import io
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import radica.app.tables  # noqa: F401 - the session must know every table
from radica.custodia.keyring import KeyRing
from radica.custodia.services import Kept, seal
from radica.custodia.store import POINTS, FolderStore
from radica.kernel.db import Database

ALL_POINTS = (*POINTS, "antes_de_la_fila", "fila_sin_confirmar", "confirmada")
AT = datetime(2026, 11, 20, 15, tzinfo=UTC)


def main(url: str, folder: str, prestador: str, text: str, point: str) -> None:
    """Keep `text`, then seal it in a transaction; die at `point` without a word, or say `fin`."""

    def at(name: str) -> None:
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    root = Path(folder) / "custodia"
    store = FolderStore(root, KeyRing(Path(folder) / "claves", root), at=at)
    stored = store.put(io.BytesIO(text.encode()))
    at("antes_de_la_fila")
    database = Database(url)
    with database.write() as session:
        seal(
            session, [Kept("acuse.txt", "acuse", "", stored)], prestador_id=int(prestador), case_key="factura:1",
            group_key="", origen="persona", actor="prueba", at=AT,
        )  # fmt: skip
        at("fila_sin_confirmar")
    at("confirmada")
    database.dispose()
    sys.stdout.write("fin\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
