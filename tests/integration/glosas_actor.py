"""A process of its own that loads a payer's file: says `lote` after each batch, then waits until told to go on."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import radica.app.tables  # noqa: F401 - the session must know every table
from radica.custodia.store import FolderStore
from radica.glosas import intake
from radica.kernel.clock import fixed_clock
from radica.kernel.db import Database


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(url: str, folder: str, path: str, prestador: str, at: str, batch: str) -> None:
    """Load one file in batches of `batch` lines."""
    intake.BATCH = int(batch)
    database = Database(url)

    def tell(done: int, of: int) -> None:
        say(f"lote {done} {of}")
        if done < of:
            sys.stdin.readline()

    found = intake.importar(
        database, FolderStore(Path(folder) / "custodia"), Path(path), nombre="glosas.csv", prestador_id=int(prestador),
        pagador_nit=None, origen="archivo", recibida_at=None, actor="proceso",
        clock=fixed_clock(datetime.fromisoformat(at)), workdir=Path(folder), progress=tell,
    )  # fmt: skip
    say(f"fin {sum(one.nuevas for one in found.notificaciones)}")
    database.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
