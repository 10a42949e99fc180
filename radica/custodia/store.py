"""The content-addressed store of the embedded default: a folder.

Invariant: bytes are streamed, encrypted, to a temporary read-only file while they are hashed, fsynced, renamed to the
place that their SHA-256 names, and their folder fsynced before anybody is told; what is there is never overwritten nor
collected as garbage; every path passes one gate. Serves the verbs of the guideline of the Agencia Nacional de Defensa Jurídica (2022): collect, secure, store.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from radica.custodia.crypto import Damaged, Opened, measure_short, plain_size, sealed_size
from radica.custodia.keyring import SUFFIX, KeyRing
from radica.custodia.staging import (
    Staged,
    disk_errors,
    lent_file,
    open_raw,
    open_regular,
    stage_stream,
    sync_file,
    sync_folder,
)
from radica.kernel.errors import BadInput, NotFound, Unavailable

POINTS = ("escrito", "sincronizado", "en_su_lugar", "carpeta_sincronizada")
"""Names that `FolderStore` tells to `at` while it keeps bytes: where a test cuts the power."""
HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Stored:
    """What the store holds: address, size in bytes, and whether it was not there before."""

    sha256: str
    bytes: int
    new: bool


class Each(Protocol):
    """The shape of `map` over one sequence."""

    def __call__(self, act: Callable[[Any], None], names: Iterable[Any], /) -> Iterable[None]:
        """Do `act` to each."""


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
        """Open a blob for reading in order; who must seek borrows it (`local`). Raises NotFound when it is missing.

        Opening or reading raises Unavailable (`custodia_alterada`) where the store can tell that the bytes changed.
        """

    def read(self, sha256: str) -> bytes:
        """Return a blob whole."""

    def exists(self, sha256: str) -> bool:
        """Tell whether the blob is there (its bytes are not checked)."""

    def size(self, sha256: str) -> int:
        """Return the bytes of a blob, from where it stands, without reading it. Raises NotFound and Unavailable."""

    def digest(self, sha256: str) -> str:
        """Return the SHA-256 of the bytes that stand under an address; see `measure`."""

    def measure(self, sha256: str) -> tuple[str, int]:
        """Return SHA-256 and length of the bytes that stand under an address, read anew, the fast way.

        Several threads may ask at once. Raises NotFound when it is missing, Unavailable when it cannot be read or
        decrypted.
        """

    def retain(self, sha256: str, until: date) -> bool:
        """Forbid deletion until that day has passed in Bogotá; never moves back. False: this store cannot hold dates."""

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
    """A folder of blobs: `<root>/<first two hex>/<sha256>`, encrypted with `.rc1` behind; temporary ones in `<root>/tmp`.

    Without `ring` nothing is encrypted; with `encrypt` off, what is encrypted can still be read.
    """

    def __init__(
        self,
        root: Path,
        ring: KeyRing | None = None,
        *,
        encrypt: bool = True,
        at: Callable[[str], None] = lambda _: None,
    ) -> None:
        if not root.is_absolute():
            raise ValueError("the store needs an absolute folder")
        self.root = root
        self._ring, self._encrypt, self._at = ring, encrypt and ring is not None, at
        self.temporary = root / "tmp"
        self.temporary.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, source: BinaryIO, *, limit: int | None = None) -> Stored:
        """Store a stream. `limit` in bytes refuses longer ones (BadInput). Raises Unavailable when the disk is full."""
        staged = self._stage(source, limit=limit, sync=True)
        try:
            (stored,) = self.settle([staged])
        except BaseException:
            self.discard([staged])
            raise
        if not stored.new:
            self.discard([staged])
        return stored

    def stage(self, source: BinaryIO, *, limit: int | None = None) -> Staged:
        """Write and hash a stream to a temporary file; `settle` makes it durable. Raises as `put`."""
        return self._stage(source, limit=limit, sync=False)

    def _stage(self, source: BinaryIO, *, limit: int | None, sync: bool) -> Staged:
        ring = self._ring if self._encrypt else None
        key_of = ring.current if ring is not None else None
        staged = stage_stream(self.temporary, source, key_of, limit=limit, sync=sync)
        self._at("escrito")
        return staged

    def settle(self, staged: Sequence[Staged], *, each: Each = map) -> list[Stored]:
        """Make staged bytes durable at their places: every file synced before its rename, every folder once after.

        Together it costs far fewer waits for the disk than one by one; `each` may be the `map` of a thread pool.
        Raises Unavailable as `put`; then nothing is lost, `settle` may be called again and `discard` ends it.
        """
        with disk_errors():
            places = [self._place(one.sha256) for one in staged]
            waiting = [
                one.temporary
                for one, place in zip(staged, places, strict=True)
                if not one.synced and not _is_there(one, place)
            ]
            list(each(sync_file, waiting))
            self._at("sincronizado")
            folders = sorted({os.path.dirname(place) for place in places})
            new = [folder for folder in folders if not os.path.isdir(folder)]
            for folder in new:
                with suppress(FileExistsError):
                    os.mkdir(folder, 0o700)
            if new:
                sync_folder(self.root)
            placed = [
                Stored(one.sha256, one.bytes, new=_move_in(one, place))
                for one, place in zip(staged, places, strict=True)
            ]
            self._at("en_su_lugar")
            # Also the folders of what was there: who put it may not have synced them yet.
            list(each(sync_folder, folders))
            self._at("carpeta_sincronizada")
        return placed

    def discard(self, staged: Sequence[Staged]) -> None:
        """Remove temporary files that are not needed any more."""
        for one in staged:
            one.temporary.unlink(missing_ok=True)

    def put_file(self, path: Path, *, limit: int | None = None) -> Stored:
        """Store the bytes of a regular file; a link is refused, because what it points to may change."""
        with open_regular(path) as source:
            return self.put(source, limit=limit)

    def stage_file(self, path: Path, *, limit: int | None = None) -> Staged:
        """Stage the bytes of a regular file, as `put_file` takes them."""
        with open_regular(path) as source:
            return self.stage(source, limit=limit)

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading. Raises NotFound when it is missing, Unavailable when it is not what was kept."""
        source, sealed = self._open(sha256)
        return cast("BinaryIO", self._opened(source, sha256)) if sealed else io.BufferedReader(source)

    def read(self, sha256: str) -> bytes:
        """Return a blob whole; for documents that were admitted under the size limits of intake."""
        with self.open(sha256) as source:
            return source.read()

    def exists(self, sha256: str) -> bool:
        """Tell whether the blob is there (its bytes are not checked)."""
        return self.sealed_path(sha256).is_file() or self.path(sha256).is_file()

    def size(self, sha256: str) -> int:
        """Return the bytes of a blob, from the length of its file."""
        place = self._place(sha256)
        with suppress(FileNotFoundError):
            return plain_size(os.stat(place + SUFFIX).st_size)
        with suppress(FileNotFoundError):
            return os.stat(place).st_size
        raise _absent()

    def digest(self, sha256: str) -> str:
        """Return the SHA-256 of the plain bytes that stand under an address."""
        return self.measure(sha256)[0]

    def measure(self, sha256: str) -> tuple[str, int]:
        """Return SHA-256 and length of the plain bytes that stand under an address."""
        source, sealed = self._open(sha256)
        with source:
            if not sealed:
                return hashlib.file_digest(source, "sha256").hexdigest(), source.tell()
            short = measure_short(source, self._ring.get, sha256) if self._ring is not None else None
            if short is not None:
                return short
            with self._opened(source, sha256) as opened:
                return opened.digest(), opened.size

    def retain(self, sha256: str, until: date) -> bool:
        """A folder holds no dates: who may write in it may delete."""
        return False

    @contextmanager
    def local(self, sha256: str) -> Iterator[Path]:
        """Lend a blob as a file: itself, or a decrypted copy (mode 0600) that is removed afterwards."""
        source, sealed = self._open(sha256)
        if not sealed:
            source.close()
            yield self.path(sha256)
            return
        with self._opened(source, sha256) as opened, lent_file(self.temporary, cast("BinaryIO", opened)) as path:
            yield path

    def addresses(self) -> Iterator[str]:
        """Walk what is there, in order of address."""
        folders = (f"{self.root}/{name}" for name in sorted(os.listdir(self.root)) if len(name) == 2)
        for folder in filter(os.path.isdir, folders):
            names = {name.removesuffix(SUFFIX) for name in os.listdir(folder)}
            yield from sorted(name for name in names if HASH.fullmatch(name))

    def path(self, sha256: str) -> Path:
        """Return where a plain blob lives: the one gate that every path passes. Raises BadInput on anything but a hash."""
        return Path(self._place(sha256))

    def sealed_path(self, sha256: str) -> Path:
        """Return where an encrypted blob lives, through the gate."""
        return self.path(sha256).with_name(sha256 + SUFFIX)

    def _place(self, sha256: str) -> str:
        # Text, not Path: a verification asks this fifty thousand times.
        if not HASH.fullmatch(sha256):
            raise BadInput("El identificador del archivo no es válido.", code="hash_invalido")
        return f"{self.root}/{sha256[:2]}/{sha256}"

    def _open(self, sha256: str) -> tuple[io.FileIO, bool]:
        """Open the file of a blob; True when it is encrypted. Raises NotFound."""
        place = self._place(sha256)
        for name, sealed in ((place + SUFFIX, True), (place, False)):
            with suppress(FileNotFoundError):
                return open_raw(name), sealed
        raise _absent()

    def _opened(self, source: io.FileIO, sha256: str) -> Opened:
        if self._ring is None:
            source.close()
            raise Unavailable("El almacén está cifrado y aquí no están sus llaves.", code="llaves_de_custodia")
        return Opened(source, self._ring.get, sha256)

    def sweep(self, *, older_than_s: float, now: float) -> int:
        """Remove temporary files left by killed processes; `now` and the age in seconds of file time."""
        removed = 0
        for path in self.temporary.iterdir():
            with suppress(FileNotFoundError):
                if now - path.stat().st_mtime > older_than_s:
                    path.unlink()
                    removed += 1
        return removed


def _is_there(staged: Staged, place: str) -> bool:
    """Say whether these bytes stand at their place. Raises Damaged when what stands there is not as long as it must be."""
    for name, size in ((place + SUFFIX, sealed_size(staged.bytes)), (place, staged.bytes)):
        try:
            found = os.stat(name).st_size
        except FileNotFoundError:
            continue
        if found != size:
            raise Damaged
        return True
    return False


def _move_in(staged: Staged, place: str) -> bool:
    """Rename a synced file to its place; False when its bytes are there already."""
    if _is_there(staged, place):
        return False
    os.rename(staged.temporary, place + SUFFIX if staged.sealed else place)
    return True


def _absent() -> NotFound:
    return NotFound(
        "Falta en el almacén un archivo que la base de datos nombra.",
        todo="Avise al administrador: debe revisarse la custodia.",
    )
