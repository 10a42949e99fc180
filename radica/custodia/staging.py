"""Bytes under way: streams written, encrypted, to temporary files while they are hashed; files lent; disks full.

Invariant: a temporary file is made exclusively, read-only, and removed when its writing fails; a full disk is told in
words, and what was there before stays. What stands in clear is held by a lock of its process: what nobody holds was
left by one that was killed, and is swept.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from radica.custodia.crypto import Damaged, DataKey, Sealer, write_whole
from radica.kernel.errors import NO_ROOM, BadInput, Unavailable

CHUNK = 1 << 20
LENT, LEASED = "prestado-", ".uso"
"""How the names of lent files begin, and those of leased folders end."""
_NO_FILE = frozenset({errno.ELOOP, errno.EISDIR, errno.ENXIO})
"""What the system says of a link, a folder or a socket where a file is asked for."""
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
    """Copy a stream into a file of mode 0600 in `folder`, lend its path and remove it. Raises Unavailable (disk full).

    The stream is closed when it is copied: the lock on the copy takes its place among the open files.
    """
    path, handle = _held_file(folder)
    try:
        with disk_errors(), os.fdopen(os.dup(handle), "wb") as out, source:
            shutil.copyfileobj(source, out, CHUNK)
        yield path
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _held_file(folder: Path) -> tuple[Path, int]:
    while True:
        path = folder / f"{LENT}{secrets.token_hex(16)}"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if path.exists():  # else a sweep came between the two lines
            return path, handle
        os.close(handle)


@contextmanager
def leased_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a private folder in `parent`, held by this process, and remove it with all that is in it afterwards."""
    while True:
        path = parent / f"{prefix}{secrets.token_hex(8)}{LEASED}"
        path.mkdir(mode=0o700)
        with suppress(FileNotFoundError):  # a sweep came between the two lines
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(handle, fcntl.LOCK_EX)
            if path.exists():
                break
            os.close(handle)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(handle)


def sweep_leased(folder: Path) -> int:
    """Remove lent files and leased folders that no living process holds. Returns how many."""
    entries = list(folder.iterdir()) if folder.is_dir() else []
    return sum(_removed(one) for one in entries if one.name.startswith(LENT) or one.name.endswith(LEASED))


def _removed(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False  # its owner removed it meanwhile, or it is a link that none of us made
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def open_regular(path: Path) -> BinaryIO:
    """Open a file; a link is refused, because what it points to may change."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")


def open_raw(path: Path | str) -> io.FileIO:
    """Open a blob's file without buffer. Raises Damaged when a link, a folder or a pipe stands in its place."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would wait for a writer
    except OSError as problem:
        if problem.errno in _NO_FILE:
            raise Damaged from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Damaged
    return os.fdopen(handle, "rb", buffering=0)


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
