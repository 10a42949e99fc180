"""Judges files that a person dropped, without keeping anything: they stand in a private folder while a process of their
own reads them, and go with it.

Invariant: nothing is written to custody, database or log; who waits has a deadline; only a few are judged at the same
time, so that the web goes on answering. Norm: Res. 948 de 2026; Ley 1581 de 2012 art. 4 (no more data than needed).
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from radica.custodia.staging import disk_errors, leased_folder
from radica.custodia.store import Store
from radica.facturas.catalogos import vigentes
from radica.facturas.texts import base_name, storable
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, Unavailable
from radica.kernel.reader import ReaderProcess

COMMAND = (sys.executable, "-m", "radica.app.validar.soltados_hijo")
MAX_FILES = 500
MAX_BYTES = 40_000_000
"""Bytes of all files of one batch; more go through `radica validar`, which has no limit."""
READ_S = 90.0
MAX_LINE = 64 * 1024 * 1024
AT_ONCE = 2
"""Batches that one web process judges at the same time."""
_turns = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class Dado:
    """A file of the form: what the browser calls it, and its bytes."""

    nombre: str
    stream: BinaryIO


@dataclass(frozen=True)
class Veredicto:
    """The results, one document of `radica validar` each with its `grupo`, and the catalogues that were used."""

    resultados: list[dict[str, Any]]
    catalogos: dict[str, str]


def validar(
    dados: Sequence[Dado], settings: Settings, database: Database, store: Store, *, ahora: datetime
) -> Veredicto:
    """Judge files; `ahora` is aware. Raises BadInput (none, too many, too long to judge) or Unavailable (busy, full)."""
    if not dados:
        raise BadInput("No eligió ningún archivo; no hay qué comprobar.", todo="Elija los archivos o un ZIP.")
    if len(dados) > MAX_FILES:
        raise BadInput(
            f"Son {len(dados)} archivos y de una vez se comprueban {MAX_FILES}.",
            todo="Divídalos, póngalos en un ZIP o use «radica validar» en una consola.",
        )
    if not _turns.acquire(blocking=False):
        raise Unavailable(
            "Ya se están comprobando los archivos de otras personas.", todo="Espere unos segundos y repita.",
            code="ocupado",
        )  # fmt: skip
    try:
        with disk_errors(), leased_folder(settings.incoming, "validar-") as folder:
            paths = [_written(folder, number, one) for number, one in enumerate(dados)]
            names = [storable(base_name(one.nombre)) or "sin nombre" for one in dados]
            tables = _catalogues(folder, database, store)
            return _asked(folder, paths, names, tables, ahora)
    finally:
        _turns.release()


def _written(folder: Path, number: int, one: Dado) -> Path:
    """Write a file under a number: what a browser calls it never becomes a path."""
    path = folder / str(number)
    with path.open("xb") as out:
        shutil.copyfileobj(one.stream, out, 1 << 20)
    return path


def _catalogues(folder: Path, database: Database, store: Store) -> Path | None:
    """Put the tables that rule in the house where the process finds them; None when none was loaded."""
    with database.read() as session:
        found = {name: row.sha256 for name, row in vigentes(session).items()}
    if not found:
        return None
    tables = folder / "catalogos"
    tables.mkdir()
    for name, digest in found.items():
        (tables / f"{name}.csv").write_bytes(store.read(digest))
    return tables


def _asked(
    folder: Path, paths: Sequence[Path], names: Sequence[str], tables: Path | None, ahora: datetime
) -> Veredicto:
    opened = folder / "abierto"
    opened.mkdir()
    order = {
        "carpeta": str(opened),
        "rutas": [str(path) for path in paths],
        "nombres": list(names),
        "ahora": ahora.isoformat(),
        "catalogos": str(tables) if tables is not None else None,
    }
    with ReaderProcess(COMMAND, read_s=READ_S, max_line=MAX_LINE) as reader:
        line = reader.line(order)
    try:
        answer = json.loads(line)
        return Veredicto(list(answer["resultados"]), dict(answer["catalogos"]))
    except (ValueError, KeyError, TypeError):
        raise BadInput(
            "Estos archivos no se alcanzaron a comprobar: alguno es demasiado grande o está hecho para no dejarse leer.",
            todo="Compruébelos por partes, o use «radica validar» en una consola. No se guardó nada.",
            code="sin_terminar",
        ) from None
