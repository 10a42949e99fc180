"""Uploads on their way to an import: pieces of files in a private folder, by number and never by name.

Invariant: what a browser calls a file never becomes a path; a piece is added only where the last one ended, so that
sending it again adds nothing; an upload that was left is swept away. Without Flask.
"""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from radica.kernel.errors import BadInput, InvalidTransition, NotFound, Unavailable

MAX_FILES = 20_000
MAX_TOTAL = 4_000_000_000
"""Bytes of one upload, all its files together."""
MAX_NAME = 400
CHUNK = 1 << 20
LEFT_AFTER_S = 24 * 3600
_NAMES = "nombres"


def folder_of(incoming: Path, carga_id: int) -> Path:
    """Return the folder in which the files of an upload are put together."""
    return incoming / f"carga-{int(carga_id)}"


def begin(incoming: Path, carga_id: int) -> Path:
    """Make the folder of an upload."""
    folder = folder_of(incoming, carga_id)
    with _disk_errors():
        (folder / _NAMES).mkdir(parents=True, mode=0o700)
    return folder


def add_piece(folder: Path, number: int, name: str, start: int, stream: BinaryIO) -> int:
    """Add bytes to a file of an upload, from `start` on; returns its size so far.

    Raises NotFound when the upload was cancelled or is being imported, InvalidTransition when `start` is not where
    the file ends (code `trozo_fuera_de_lugar`), BadInput beyond the limits.
    """
    if not folder.is_dir():
        raise NotFound("Esa carga ya terminó o se canceló.", todo="Empiece otra.")
    if not 0 <= number < MAX_FILES:
        raise BadInput(f"Son más de {MAX_FILES} archivos de una vez.", todo="Cárguelos por partes o en un ZIP.")
    path = folder / f"{number:06d}"
    size = path.stat().st_size if path.exists() else 0
    if start != size:
        raise InvalidTransition(
            "Un trozo del archivo llegó fuera de lugar; no se guardó.",
            todo="La carga sigue desde donde iba.",
            code="trozo_fuera_de_lugar",
        )
    room = MAX_TOTAL - _weight(folder)
    with _disk_errors():
        if size == 0:
            label = name.replace("\x00", "").strip()[-MAX_NAME:] or f"archivo-{number}"
            (folder / _NAMES / path.name).write_text(json.dumps(label), encoding="utf-8")
        with path.open("ab") as out:
            while data := stream.read(CHUNK):
                room -= len(data)
                if room < 0:
                    out.truncate(size)
                    raise BadInput("La carga pasa de 4 GB; ese archivo no se guardó.", todo="Cárguela por partes.")
                out.write(data)
            return out.tell()


def size_of(folder: Path, number: int) -> int:
    """Return how much of a file is here."""
    path = folder / f"{number:06d}"
    return path.stat().st_size if path.exists() else 0


def close(folder: Path) -> Path:
    """Take an upload out of reach of further pieces, to import it; the second who tries gets NotFound."""
    closed = folder.with_name(folder.name + "-cerrada")
    try:
        folder.rename(closed)
    except FileNotFoundError:
        raise NotFound("Esa carga ya se está importando o se canceló.", todo="Mire su resultado.") from None
    return closed


def contents(folder: Path) -> tuple[list[Path], list[str]]:
    """Return the files of a closed upload and the names that the person knows them by, in their order."""
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    names = [json.loads((folder / _NAMES / path.name).read_text(encoding="utf-8")) for path in paths]
    return paths, names


def drop(folder: Path) -> None:
    """Remove an upload; what was imported is in custody."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep(incoming: Path, *, now: float) -> int:
    """Remove uploads that nobody touched for a day; `now` in seconds of file time."""
    removed = 0
    for folder in incoming.glob("carga-*"):
        newest = max((path.stat().st_mtime for path in [folder, *folder.iterdir()]), default=now)
        if now - newest > LEFT_AFTER_S:
            drop(folder)
            removed += 1
    return removed


def _weight(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable(
                "El disco está lleno; este archivo no se guardó y lo anterior está intacto.",
                todo="Avise a quien administra el servidor y siga después.",
                code="disco_lleno",
            ) from exc
        raise
