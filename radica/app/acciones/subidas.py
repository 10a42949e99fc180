"""Uploads on their way to an import: pieces of files in a private folder, by number and never by name.

Invariant: what a browser calls a file never becomes a path; a piece is added only where the last one ended, so that
sending it again adds nothing; an upload that was left is swept away. One that is being imported is held by its
process: a process that dies lets go, and the import can be taken up again. Without Flask.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from radica.kernel.errors import NO_ROOM, BadInput, InvalidTransition, NotFound, Unavailable

MAX_FILES = 20_000
MAX_TOTAL = 4_000_000_000
"""Bytes of one upload, all its files together."""
MAX_NAME = 400
CHUNK = 1 << 20
LEFT_AFTER_S = 24 * 3600
CLOSED_AFTER_S = 30 * LEFT_AFTER_S
"""How long a closed upload whose import broke off waits for a person."""
_NAMES = "nombres"
_CLOSED = "-cerrada"


def folder_of(incoming: Path, carga_id: int) -> Path:
    """Return the folder in which the files of an upload are put together."""
    return incoming / f"carga-{int(carga_id)}"


def closed_of(incoming: Path, carga_id: int) -> Path:
    """Return where an upload is while it is imported, and stays when that breaks off."""
    folder = folder_of(incoming, carga_id)
    return folder.with_name(folder.name + _CLOSED)


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
    room = MAX_TOTAL - _weight(folder)
    with _disk_errors(), path.open("ab") as out:
        # The same piece sent twice at once: the second waits here, and is then out of place.
        fcntl.flock(out, fcntl.LOCK_EX)
        size = path.stat().st_size
        if start != size:
            raise InvalidTransition(
                "Un trozo del archivo llegó fuera de lugar; no se guardó.",
                todo="La carga sigue desde donde iba.",
                code="trozo_fuera_de_lugar",
            )
        if size == 0:
            label = name.replace("\x00", "").strip()[-MAX_NAME:] or f"archivo-{number}"
            (folder / _NAMES / path.name).write_text(json.dumps(label), encoding="utf-8")
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


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder of an upload while it is imported or forgotten; a process that dies lets go.

    Raises NotFound when the folder is not there, InvalidTransition (code `carga_en_curso`) while another holds it.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise _gone() from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise InvalidTransition(
            "Esa carga se está importando en este momento.", todo="Espere su resultado.", code="carga_en_curso"
        ) from None
    finally:
        os.close(handle)


def broke_off(incoming: Path, carga_id: int) -> bool:
    """Say whether the import of an upload ended before its end: its files are here and no process holds them."""
    try:
        with held(closed_of(incoming, carga_id)):
            return True
    except (NotFound, InvalidTransition):
        return False


def close(folder: Path, closed: Path) -> Path:
    """Put an upload where it is imported, out of reach of further pieces; the second who tries gets NotFound."""
    try:
        folder.rename(closed)
    except FileNotFoundError:
        raise _gone() from None
    return closed


def _gone() -> NotFound:
    return NotFound("Esa carga ya se está importando o se canceló.", todo="Mire su resultado.")


def contents(folder: Path) -> tuple[list[Path], list[str]]:
    """Return the files of a closed upload and the names that the person knows them by, in their order."""
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    names = [json.loads((folder / _NAMES / path.name).read_text(encoding="utf-8")) for path in paths]
    return paths, names


def drop(folder: Path) -> None:
    """Remove an upload; what was imported is in custody."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep(incoming: Path, *, now: float) -> int:
    """Remove uploads that nobody touched for a day, closed ones later; `now` in seconds of file time."""
    removed = 0
    for folder in incoming.glob("carga-*"):
        try:
            newest = max(path.stat().st_mtime for path in [folder, *folder.iterdir()])
        except (FileNotFoundError, NotADirectoryError):
            continue  # its import ended meanwhile
        if now - newest > (CLOSED_AFTER_S if folder.name.endswith(_CLOSED) else LEFT_AFTER_S):
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
        if exc.errno in NO_ROOM:
            raise Unavailable(
                "El disco está lleno; este archivo no se guardó y lo anterior está intacto.",
                todo="Avise a quien administra el servidor y siga después.",
                code="disco_lleno",
            ) from exc
        raise
