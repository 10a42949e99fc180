"""Bytes under way: streams written, encrypted, to temporary files while they are hashed; files lent; disks full.

Invariant: a temporary file is made exclusively, read-only, and removed when its writing fails; a full disk is told in
words, and what was there before stays.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from radica.custodia.crypto import DataKey, Sealer, write_whole
from radica.kernel.errors import NO_ROOM, BadInput, Unavailable

CHUNK = 1 << 20
DISK_FULL = "El disco está lleno; el archivo no se guardó y lo anterior está intacto."


@dataclass(frozen=True)
class Staged:
    """Bytes that were written and hashed; not at their place before `settle`, and not durable unless `synced`."""

    temporary: Path
    sha256: str
    bytes: int
    sealed: bool = False
    synced: bool = False


def stage_stream(
    folder: Path, source: BinaryIO, key_of: Callable[[], DataKey] | None, *, limit: int | None, sync: bool = False
) -> Staged:
    """Write a stream to a temporary read-only file in `folder`, encrypted when there is a key. Raises as `put`.

    `sync` makes it durable at once: for one blob that saves opening it again; many are better synced together.
    """
    temporary = folder / secrets.token_hex(16)
    try:
        with disk_errors():
            key = key_of() if key_of is not None else None
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
            try:
                digest, size = _write_staged(handle, source, key, limit=limit)
                if sync:
                    os.fsync(handle)
            finally:
                os.close(handle)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return Staged(temporary, digest, size, sealed=key is not None, synced=sync)


def _write_staged(handle: int, source: BinaryIO, key: DataKey | None, *, limit: int | None) -> tuple[str, int]:
    """Write a stream to an empty file, encrypted when there is a key. Returns SHA-256 and length of the plain bytes.

    Raises BadInput when the stream is longer than `limit` bytes, OSError when the disk does not take it.
    """

    def watch(size: int) -> None:
        if limit is not None and size > limit:
            raise BadInput(
                "El archivo es más grande de lo permitido.",
                todo="Divídalo o comprímalo y vuelva a cargarlo.",
                code="demasiado_grande",
            )

    if key is not None:
        return Sealer(handle, key).seal(source, each=watch)
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        size += len(chunk)
        watch(size)
        digest.update(chunk)
        write_whole(handle, chunk)
    return digest.hexdigest(), size


@contextmanager
def lent_file(folder: Path, source: BinaryIO) -> Iterator[Path]:
    """Copy a stream into a file of mode 0600 in `folder`, lend its path and remove it. Raises Unavailable (disk full)."""
    path = folder / f"prestado-{secrets.token_hex(16)}"
    try:
        with disk_errors():
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                shutil.copyfileobj(source, out, CHUNK)
        yield path
    finally:
        path.unlink(missing_ok=True)


def open_regular(path: Path) -> BinaryIO:
    """Open a file; a link is refused, because what it points to may change."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")


def open_raw(path: Path | str) -> io.FileIO:
    """Open a file without buffer; a link is refused."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb", buffering=0)


def sync_file(path: Path) -> None:
    """Make the bytes of a file durable."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path | str) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn a full disk into words."""
    try:
        yield
    except OSError as exc:
        if exc.errno in NO_ROOM:
            raise Unavailable(
                DISK_FULL,
                todo="Libere espacio y vuelva a intentarlo.",
                code="disco_lleno",
            ) from exc
        raise
