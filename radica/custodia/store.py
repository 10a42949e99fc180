"""The content-addressed store of the embedded default: a folder.

Invariant: bytes are streamed to a temporary read-only file while they are hashed, fsynced, renamed to the place that
their SHA-256 names, and their folder fsynced before anybody is told; what is there is never overwritten nor collected
as garbage; every path passes one gate. Serves the verbs of the guideline of the Agencia Nacional de Defensa Jurídica (2022): collect, secure, store.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Protocol

from radica.kernel.errors import NO_ROOM, BadInput, NotFound, Unavailable

CHUNK = 1 << 20
DISK_FULL = "El disco está lleno; el archivo no se guardó y lo anterior está intacto."
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Stored:
    """What the store holds: address, size in bytes, and whether it was not there before."""

    sha256: str
    bytes: int
    new: bool


@dataclass(frozen=True)
class Staged:
    """Bytes that were written and hashed; they are neither durable nor at their place before `settle`."""

    temporary: Path
    sha256: str
    bytes: int


class Each(Protocol):
    """The shape of `map` over one sequence."""

    def __call__(self, act: Callable[[Path], None], paths: Iterable[Path], /) -> Iterable[None]:
        """Do `act` to each path."""


class Store(Protocol):
    """What the house asks of a place that keeps blobs; `backends.open_store` returns the one that is configured."""

    temporary: Path
    """Folder of this machine for bytes under way."""

    def put(self, source: BinaryIO, *, limit: int | None = None) -> Stored:
        """Store a stream; `limit` in bytes. Raises BadInput when it is longer, Unavailable when it cannot be kept."""

    def put_file(self, path: Path, *, limit: int | None = None) -> Stored:
        """Store the bytes of a regular file."""

    def stage(self, source: BinaryIO, *, limit: int | None = None) -> Staged:
        """Write and hash a stream; `settle` keeps it."""

    def stage_file(self, path: Path, *, limit: int | None = None) -> Staged:
        """Stage the bytes of a regular file."""

    def settle(self, staged: Sequence[Staged], *, each: Each = map) -> list[Stored]:
        """Make staged bytes durable at their places."""

    def discard(self, staged: Sequence[Staged]) -> None:
        """Forget staged bytes that are not needed any more."""

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading. Raises NotFound when it is missing."""

    def read(self, sha256: str) -> bytes:
        """Return a blob whole."""

    def exists(self, sha256: str) -> bool:
        """Tell whether the blob is there (its bytes are not checked)."""

    def local(self, sha256: str) -> AbstractContextManager[Path]:
        """Lend the bytes as a file of this machine, for programs that want a path; it is gone afterwards."""

    def addresses(self) -> Iterator[str]:
        """Walk the SHA-256 of every blob that is there, in order."""


@contextmanager
def lend(store: Store, hashes: Iterable[str]) -> Iterator[list[Path]]:
    """Lend several blobs as files of this machine, in the order asked."""
    with ExitStack() as stack:
        yield [stack.enter_context(store.local(one)) for one in hashes]


class FolderStore:
    """A folder of blobs: `<root>/<first two hex>/<sha256>`; temporary files in `<root>/tmp`."""

    def __init__(self, root: Path) -> None:
        if not root.is_absolute():
            raise ValueError("the store needs an absolute folder")
        self.root = root
        self.temporary = root / "tmp"
        self.temporary.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, source: BinaryIO, *, limit: int | None = None) -> Stored:
        """Store a stream. `limit` in bytes refuses longer ones (BadInput). Raises Unavailable when the disk is full."""
        staged = self.stage(source, limit=limit)
        try:
            return self.settle([staged])[0]
        finally:
            self.discard([staged])

    def stage(self, source: BinaryIO, *, limit: int | None = None) -> Staged:
        """Write and hash a stream to a temporary file; `settle` makes it durable. Raises as `put`."""
        temporary = self.temporary / secrets.token_hex(16)
        digest, size = hashlib.sha256(), 0
        try:
            with _disk_errors():
                handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
                with os.fdopen(handle, "wb", buffering=0) as out:
                    while chunk := source.read(CHUNK):
                        size += len(chunk)
                        if limit is not None and size > limit:
                            raise BadInput(
                                "El archivo es más grande de lo permitido.",
                                todo="Divídalo o comprímalo y vuelva a cargarlo.",
                                code="demasiado_grande",
                            )
                        digest.update(chunk)
                        _write_whole(out, chunk)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return Staged(temporary, digest.hexdigest(), size)

    def settle(self, staged: Sequence[Staged], *, each: Each = map) -> list[Stored]:
        """Make staged bytes durable at their places: every file synced before its rename, every folder once after.

        Together it costs far fewer waits for the disk than one by one; `each` may be the `map` of a thread pool.
        Raises Unavailable as `put`; then nothing is lost, `settle` may be called again and `discard` ends it.
        """
        with _disk_errors():
            fresh = [one for one in staged if not self._is_there(one)]
            list(each(_sync_file, [one.temporary for one in fresh]))
            folders = {self.path(one.sha256).parent for one in staged}
            new = [folder for folder in folders if not folder.is_dir()]
            for folder in new:
                folder.mkdir(mode=0o700, exist_ok=True)
            if new:
                _sync_folder(self.root)
            placed = [Stored(one.sha256, one.bytes, new=self._place(one)) for one in staged]
            # Also the folders of what was there: who put it may not have synced them yet.
            list(each(_sync_folder, sorted(folders)))
        return placed

    def discard(self, staged: Sequence[Staged]) -> None:
        """Remove temporary files that are not needed any more."""
        for one in staged:
            one.temporary.unlink(missing_ok=True)

    def put_file(self, path: Path, *, limit: int | None = None) -> Stored:
        """Store the bytes of a regular file; a link is refused, because what it points to may change."""
        with _open_regular(path) as source:
            return self.put(source, limit=limit)

    def stage_file(self, path: Path, *, limit: int | None = None) -> Staged:
        """Stage the bytes of a regular file, as `put_file` takes them."""
        with _open_regular(path) as source:
            return self.stage(source, limit=limit)

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading. Raises NotFound when it is missing."""
        try:
            return _open_regular(self.path(sha256))
        except FileNotFoundError:
            raise NotFound(
                "Falta en el almacén un archivo que la base de datos nombra.",
                todo="Avise al administrador: debe revisarse la custodia.",
            ) from None

    def read(self, sha256: str) -> bytes:
        """Return a blob whole; for documents that were admitted under the size limits of intake."""
        with self.open(sha256) as source:
            return source.read()

    def exists(self, sha256: str) -> bool:
        """Tell whether the blob is there (its bytes are not checked)."""
        return self.path(sha256).is_file()

    @contextmanager
    def local(self, sha256: str) -> Iterator[Path]:
        """Lend a blob as a file."""
        if not self.exists(sha256):
            self.open(sha256).close()
        yield self.path(sha256)

    def addresses(self) -> Iterator[str]:
        """Walk what is there, in order of address."""
        for folder in sorted(one for one in self.root.iterdir() if len(one.name) == 2 and one.is_dir()):
            yield from sorted(one.name for one in folder.iterdir() if _HASH.fullmatch(one.name))

    def path(self, sha256: str) -> Path:
        """Return where a blob lives: the one gate that every path passes. Raises BadInput on anything but a hash."""
        if not _HASH.fullmatch(sha256):
            raise BadInput("El identificador del archivo no es válido.", code="hash_invalido")
        return self.root / sha256[:2] / sha256

    def sweep(self, *, older_than_s: float, now: float) -> int:
        """Remove temporary files left by killed processes; `now` and the age in seconds of file time."""
        removed = 0
        for path in self.temporary.iterdir():
            with suppress(FileNotFoundError):
                if now - path.stat().st_mtime > older_than_s:
                    path.unlink()
                    removed += 1
        return removed

    def _is_there(self, staged: Staged) -> bool:
        """Say whether the store has these bytes. Raises Unavailable when what it has is not as long as it must be."""
        try:
            size = self.path(staged.sha256).stat().st_size
        except FileNotFoundError:
            return False
        if size != staged.bytes:
            raise Unavailable(
                "Un archivo guardado en custodia no tiene el tamaño que debe; no se tocó.",
                todo="Avise al administrador: debe revisarse la custodia.",
                code="custodia_alterada",
            )
        return True

    def _place(self, staged: Staged) -> bool:
        """Rename a synced file to its place; False when its bytes are there already."""
        if self._is_there(staged):
            return False
        staged.temporary.replace(self.path(staged.sha256))
        return True


def _open_regular(path: Path) -> BinaryIO:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    return os.fdopen(handle, "rb")


def _write_whole(out: FileIO, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[out.write(rest) :]


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _disk_errors() -> Iterator[None]:
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
