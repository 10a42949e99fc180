"""The keys of encryption at rest: a master key wraps the data keys, from which the keys of the blobs are derived.

Invariant: the master key stands only in the folder of the keys (mode 0600), the wrapped data keys only beside the
blobs, so that neither place alone opens anything. A new master key is made only where nothing is encrypted yet.
Rotating wraps the data keys anew and adds one for what comes; blobs are never rewritten. Norm: Ley 1581/2012 art. 4 g.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from radica.custodia.crypto import ID_BYTES, KEY_BYTES, DataKey
from radica.kernel.clock import Clock, system_clock
from radica.kernel.errors import Unavailable

MASTER_FILE = "custodia.key"
WRAPPED_FILE = "llaves.json"
SUFFIX = ".rc1"
"""Ending of the name of an encrypted blob."""
_NONCE = 12


@dataclass(frozen=True)
class Described:
    """A data key as it may be shown."""

    id: str
    since: str


@dataclass(frozen=True)
class Keys:
    """What may be said of the keys: id of the master key, of the data key in use, and all data keys, newest first."""

    master: str
    current: str
    data: tuple[Described, ...]


@dataclass(frozen=True)
class _Wrapped:
    id: str
    since: str
    master: str
    box: bytes


@dataclass(frozen=True)
class _Loaded:
    stamp: tuple[int, int, int]
    wrapped: tuple[_Wrapped, ...]
    keys: dict[str, DataKey] = field(repr=False)


class KeyRing:
    """The keys of one store; read when first needed, and again when another process rotated them."""

    def __init__(self, keys: Path, store: Path, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._master, self._wrapped, self._store = keys / MASTER_FILE, store / WRAPPED_FILE, store
        self._loaded: _Loaded | None = None
        self._lock = threading.Lock()

    def current(self) -> DataKey:
        """Return the key for new blobs; the first time, make the keys. Raises Unavailable when they are lost."""
        loaded = self._load(make=True)
        return loaded.keys[loaded.wrapped[0].id]

    def get(self, key_id: str) -> DataKey:
        """Return the key of a blob. Raises Unavailable when it is not there or cannot be unwrapped."""
        loaded = self._loaded
        if loaded is None or key_id not in loaded.keys:  # never read, or another process rotated them since
            loaded = self._load(make=False)
        if key_id not in loaded.keys:
            raise _lost(f"falta la llave de datos {key_id}", self._wrapped)
        return loaded.keys[key_id]

    def describe(self) -> Keys:
        """Say which keys there are; none yet: empty. Raises Unavailable when they are lost."""
        if not self._wrapped.exists() and not self._master.exists() and not self._anything_sealed():
            return Keys("", "", ())
        loaded = self._load(make=False)
        data = tuple(Described(one.id, one.since) for one in loaded.wrapped)
        return Keys(loaded.wrapped[0].master, loaded.wrapped[0].id, data)

    def rotate(self, at: datetime) -> Keys:
        """Make a new master key and a new data key; wrap all anew. Cut at any point, everything stays readable.

        Raises Unavailable when the present keys are lost.
        """
        with self._alone():
            for path in (self._master, self._wrapped):
                for draft in path.parent.glob(f".{path.name}.*"):  # of a process that was killed: it holds keys
                    draft.unlink(missing_ok=True)
            loaded = self._read() if self._wrapped.exists() else None
            if loaded is None:
                self._make(at)
            else:
                old = self._masters()
                new_id, new = secrets.token_hex(ID_BYTES), secrets.token_bytes(KEY_BYTES)
                _write_lines(self._master, [(new_id, new), *old.items()])
                fresh = DataKey(secrets.token_hex(ID_BYTES), secrets.token_bytes(KEY_BYTES))
                since = {one.id: one.since for one in loaded.wrapped}
                kept = [fresh, *(loaded.keys[one.id] for one in loaded.wrapped)]
                self._write_wrapped([_wrap(one, since.get(one.id, _stamp(at)), new_id, new) for one in kept])
                _write_lines(self._master, [(new_id, new)])
        return self.describe()

    def _load(self, *, make: bool) -> _Loaded:
        loaded = self._loaded
        if loaded is not None and loaded.stamp == _stat(self._wrapped):
            return loaded
        with self._lock:
            if make and not self._wrapped.exists():
                with self._alone():
                    if not self._wrapped.exists():
                        self._make(self._clock())
            self._loaded = self._read()
            return self._loaded

    def _read(self) -> _Loaded:
        """Read and unwrap. A rotation may fall between the two files: then the second look sees both of its sides."""
        for last in (False, True):
            stamp = _stat(self._wrapped)
            wrapped, masters = self._wrapped_keys(), self._masters()
            if all(one.master in masters for one in wrapped):
                return _Loaded(
                    stamp, wrapped, {one.id: _unwrap(one, masters[one.master], self._master) for one in wrapped}
                )
            if last:
                break
        raise _lost("la llave maestra no es la de este almacén", self._master)

    def _make(self, at: datetime) -> None:
        """Make the first keys. Raises Unavailable where something is encrypted already: its keys are lost, not absent."""
        if self._anything_sealed():
            raise _lost(f"falta {WRAPPED_FILE}", self._wrapped)
        if not self._master.exists():
            _write_lines(self._master, [(secrets.token_hex(ID_BYTES), secrets.token_bytes(KEY_BYTES))])
        name, master = next(iter(self._masters().items()))
        fresh = DataKey(secrets.token_hex(ID_BYTES), secrets.token_bytes(KEY_BYTES))
        self._write_wrapped([_wrap(fresh, _stamp(at), name, master)])

    def _anything_sealed(self) -> bool:
        folders = (one for one in self._store.iterdir() if len(one.name) == 2) if self._store.is_dir() else ()
        return any(next(folder.glob(f"*{SUFFIX}"), None) for folder in folders)

    def _masters(self) -> dict[str, bytes]:
        """Read the master keys by id, the one in use first. Raises Unavailable when the file is lost or damaged."""
        try:
            pairs = [line.split() for line in self._master.read_text("ascii").splitlines() if line.strip()]
            found = {name: base64.b64decode(key, validate=True) for name, key in pairs}
        except FileNotFoundError:
            raise _lost("falta el archivo", self._master) from None
        except OSError as problem:
            raise _lost("el archivo no se puede leer", self._master) from problem
        except ValueError:
            raise _lost("el archivo está dañado", self._master) from None
        if not found or any(len(key) != KEY_BYTES for key in found.values()):
            raise _lost("el archivo está dañado", self._master)
        return found

    def _wrapped_keys(self) -> tuple[_Wrapped, ...]:
        try:
            rows = json.loads(self._wrapped.read_text("utf-8"))["llaves"]
            found = tuple(
                _Wrapped(str(row["id"]), str(row["desde"]), str(row["maestra"]), base64.b64decode(row["envuelta"]))
                for row in rows
            )
        except FileNotFoundError:
            raise _lost("falta el archivo", self._wrapped) from None
        except OSError as problem:
            raise _lost("el archivo no se puede leer", self._wrapped) from problem
        except (ValueError, KeyError, TypeError):
            raise _lost("el archivo está dañado", self._wrapped) from None
        if not found:
            raise _lost("el archivo está vacío", self._wrapped)
        return found

    def _write_wrapped(self, wrapped: Sequence[_Wrapped]) -> None:
        rows = [
            {"id": one.id, "desde": one.since, "maestra": one.master, "envuelta": base64.b64encode(one.box).decode()}
            for one in wrapped
        ]
        _replace(self._wrapped, json.dumps({"version": 1, "llaves": rows}, indent=1).encode() + b"\n")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from making or rotating keys meanwhile."""
        self._master.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._master.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _wrap(key: DataKey, since: str, master_id: str, master: bytes) -> _Wrapped:
    nonce = secrets.token_bytes(_NONCE)
    box = nonce + AESGCM(master).encrypt(nonce, key.secret, f"{master_id}:{key.id}".encode())
    return _Wrapped(key.id, since, master_id, box)


def _unwrap(one: _Wrapped, master: bytes, where: Path) -> DataKey:
    try:
        aad = f"{one.master}:{one.id}".encode()
        return DataKey(one.id, AESGCM(master).decrypt(one.box[:_NONCE], one.box[_NONCE:], aad))
    except (InvalidTag, ValueError):
        raise _lost("la llave maestra no abre las llaves de datos", where) from None


def _lost(what: str, where: Path) -> Unavailable:
    return Unavailable(
        f"No se puede usar el cifrado del almacén: {what} ({where.parent.name}/{where.name}); lo guardado no se tocó.",
        todo="Restaure ese archivo de su copia de las llaves; sin ella lo cifrado no se puede leer.",
        code="llaves_de_custodia",
    )


def _write_lines(path: Path, keys: Sequence[tuple[str, bytes]]) -> None:
    _replace(path, b"".join(f"{name} {base64.b64encode(key).decode()}\n".encode() for name, key in keys))


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole and durable, mode 0600, in place of the one before."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _stat(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0, 0)
    return found.st_ino, found.st_mtime_ns, found.st_size


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
