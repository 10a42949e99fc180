"""Make a backup: one moment of the database, every blob that it names, and what is needed to check and to restore it.

Invariant: the database is read first and blobs are never deleted, so every row of the backup has its blob in it. A
folder with `INCOMPLETO` in it is no backup; the mark goes when everything is on disk. Encrypted files are copied as
they are; what comes out of S3 is encrypted with the keys of this house. The keys are not in it unless asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from radica import __version__
from radica.app.respaldo.base import kind_of, write_database
from radica.app.schema import present_revision
from radica.audit.chain import instant_text
from radica.custodia.keyring import SUFFIX, WRAPPED_FILE, KeyRing
from radica.custodia.store import FolderStore, Store
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.errors import NO_ROOM, BadInput, NotFound, RadicaError, Unavailable

FORMAT = "radica/respaldo/1"
UNFINISHED = "INCOMPLETO"
MANIFEST = "respaldo.json"
BLOBS_LIST = "almacen.sha256"
"""A line `<sha256 of the file>  <path>` per file of the store, as `sha256sum -c` reads it."""
BASE, STORE, KEYS = "base", "almacen", "claves"
COPY_CHUNK = 1 << 20
_LINE = re.compile(
    rf"(?P<suma>[0-9a-f]{{64}})  (?P<ruta>{STORE}/(?:(?P<dos>[0-9a-f]{{2}})/(?P=dos)[0-9a-f]{{62}}({re.escape(SUFFIX)})?"
    rf"|{re.escape(WRAPPED_FILE)}))"
)

Progreso = Callable[[int, int], None]


@dataclass(frozen=True)
class Respaldo:
    """A backup as its manifest tells it. `huella` is the SHA-256 of the manifest: written down elsewhere, it shows
    later that the backup is this one.
    """

    carpeta: Path
    huella: str
    contenido: dict[str, Any]
    faltantes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Kept:
    """A file of the backup: path inside it, size, and SHA-256 of its bytes as they stand there."""

    ruta: str
    bytes: int
    sha256: str


def make_backup(
    db: Database,
    store: Store,
    settings: Settings,
    folder: Path,
    *,
    at: datetime,
    with_keys: bool = False,
    progress: Progreso | None = None,
) -> Respaldo:
    """Make a backup in `folder`, which is new or empty. A blob that cannot be copied is named in `faltantes`.

    Raises BadInput when the folder holds something, Unavailable when the disk is full or the database cannot be read:
    then what is in the folder is marked as incomplete.
    """
    _begin(folder)
    with disk_words():
        (folder / BASE).mkdir()
        blobs = write_database(db, folder / BASE)
        parts = [_told(folder, path) for path in sorted((folder / BASE).iterdir())]
        copied, missing = _copy_store(store, settings, folder, [one[0] for one in blobs], progress)
        parts.append(_write_list(folder, copied))
        if with_keys:
            parts += _copy_keys(settings.keys, folder)
        _try_keys(folder / KEYS if with_keys else settings.keys, folder)
        content = {
            "formato": FORMAT,
            "version": __version__,
            "creado_at": instant_text(at),
            "base": kind_of(db),
            "esquema": present_revision(db.engine),
            "almacen": "carpeta" if isinstance(store, FolderStore) else "s3",
            "con_claves": with_keys,
            "blobs": len(blobs),
            "bytes": sum(one.bytes for one in copied),
            "faltantes": list(missing),
            "partes": [{"ruta": one.ruta, "bytes": one.bytes, "sha256": one.sha256} for one in parts],
        }
        text = (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
        _write(folder / MANIFEST, text)
        sync_tree(folder)
        (folder / UNFINISHED).unlink()
        sync_folder(folder)
    return Respaldo(folder, hashlib.sha256(text).hexdigest(), content, tuple(missing))


def read_backup(folder: Path) -> Respaldo:
    """Return what the manifest of a backup says. Raises BadInput when it is none, or an incomplete one."""
    if (folder / UNFINISHED).exists():
        raise BadInput(
            "Ese respaldo está incompleto: se interrumpió mientras se hacía.",
            todo="Use otro respaldo; este no se puede restaurar.",
            code="respaldo_incompleto",
        )
    try:
        text = (folder / MANIFEST).read_bytes()
        content = json.loads(text)
        if content["formato"] != FORMAT or not _well_formed(content):
            raise ValueError("unknown format")
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput("Esa carpeta no es un respaldo de radica que se pueda leer.", code="no_es_respaldo") from None
    return Respaldo(folder, hashlib.sha256(text).hexdigest(), content, tuple(content["faltantes"]))


def check_parts(backup: Respaldo, *, progress: Progreso | None = None) -> list[tuple[str, str]]:
    """Hash every file of a backup again and return those of the store (path, SHA-256) in order.

    Raises BadInput naming the first file that is missing or is not what was written.
    """
    for part in backup.contenido["partes"]:
        _same(backup.carpeta, part["ruta"], part["sha256"])
    files = _listed(backup.carpeta)
    for done, (path, sha256) in enumerate(files, start=1):
        _same(backup.carpeta, path, sha256)
        if progress is not None:
            progress(done, len(files))
    return files


def _well_formed(content: dict[str, Any]) -> bool:
    """Tell whether a manifest says all that a restore asks of it: it may have been written by hand."""
    texts = all(isinstance(content.get(name), str) for name in ("base", "esquema", "creado_at"))
    lists = isinstance(content["faltantes"], list) and isinstance(content["partes"], list)
    return (
        texts and lists and all(isinstance(one[name], str) for one in content["partes"] for name in ("ruta", "sha256"))
    )


def _listed(folder: Path) -> list[tuple[str, str]]:
    """Return the files of the store and their sums. Raises BadInput when one would not go to a place of the store."""
    try:
        found = [_LINE.fullmatch(line) for line in (folder / BLOBS_LIST).read_text("ascii").splitlines()]
    except (OSError, ValueError):
        found = [None]
    lines = [one for one in found if one is not None]
    if len(lines) != len(found):
        raise BadInput(
            f"{BLOBS_LIST} no es una lista de este programa; no se restauró nada.",
            todo="Use otro respaldo.",
            code="respaldo_alterado",
        )
    return [(one["ruta"], one["suma"]) for one in lines]


def _same(folder: Path, ruta: str, sha256: str) -> None:
    path = folder / ruta
    inside = path.resolve().is_relative_to(folder.resolve()) and not path.is_symlink()
    if not inside or not path.is_file():
        raise BadInput(f"Al respaldo le falta {ruta}; no se restauró nada.", code="respaldo_incompleto")
    with path.open("rb") as source:
        if hashlib.file_digest(source, "sha256").hexdigest() != sha256:
            raise BadInput(
                f"{ruta} no es lo que se respaldó; no se restauró nada.",
                todo="Use otro respaldo.",
                code="respaldo_alterado",
            )


def _begin(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(
            "La carpeta del respaldo ya tiene algo; no se hizo nada.",
            todo="Indique una carpeta nueva o vacía.",
            code="destino_ocupado",
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / UNFINISHED).write_text("Este respaldo no terminó; no lo restaure.\n", "utf-8")


# --- The store ------------------------------------------------------------------------------------------------------


def _copy_store(
    store: Store, settings: Settings, folder: Path, hashes: Sequence[str], progress: Progreso | None
) -> tuple[list[_Kept], list[str]]:
    """Copy the blobs of the snapshot; return what stands in the backup, and the addresses that could not be copied."""
    target = folder / STORE
    target.mkdir()
    ring = KeyRing(settings.keys, target)
    into = FolderStore(target, ring, encrypt=settings.encrypt_store)
    kept: list[_Kept] = []
    missing: list[str] = []
    for done, sha256 in enumerate(hashes, start=1):
        try:
            if isinstance(store, FolderStore):
                kept.append(_copy_file(_place(store, sha256), folder, f"{STORE}/{sha256[:2]}"))
            else:
                with store.open(sha256) as source:
                    into.put(source)
                kept.append(_told(folder, _place(into, sha256)))
        except NotFound:
            missing.append(sha256)  # the verification names it; the rest of the backup is worth having
        if progress is not None:
            progress(done, len(hashes))
    into.temporary.rmdir()
    wrapped = store.root / WRAPPED_FILE if isinstance(store, FolderStore) else None
    if wrapped is not None and wrapped.exists():
        kept.append(_copy_file(wrapped, folder, STORE))
    elif (target / WRAPPED_FILE).exists():
        kept.append(_told(folder, target / WRAPPED_FILE))
    return sorted(kept, key=lambda one: one.ruta), missing


def _place(store: FolderStore, sha256: str) -> Path:
    for path in (store.sealed_path(sha256), store.path(sha256)):
        if path.is_file():
            return path
    raise NotFound


def _copy_keys(keys: Path, folder: Path) -> list[_Kept]:
    """Copy the keys too: whoever holds such a backup opens everything."""
    (folder / KEYS).mkdir(mode=0o700)
    names = sorted(
        path for path in keys.iterdir() if path.is_file() and path.suffix != ".lock" and not path.name.startswith(".")
    )
    return [_copy_file(path, folder, KEYS) for path in names]


def _try_keys(keys: Path, folder: Path) -> None:
    """Raise Unavailable unless the keys open the store of the backup: they may have been rotated meanwhile."""
    if not (folder / STORE / WRAPPED_FILE).exists():
        return
    try:
        KeyRing(keys, folder / STORE).describe()
    except Unavailable as problem:
        raise Unavailable(
            "Las llaves cambiaron o se perdieron mientras se hacía el respaldo; quedó marcado como incompleto.",
            todo="Hágalo de nuevo en otra carpeta; si se repite, ejecute radica doctor.",
            code="llaves_de_custodia",
        ) from problem


def _copy_file(path: Path, folder: Path, inside: str) -> _Kept:
    digest, size = hashlib.sha256(), 0
    target = folder / inside / path.name
    target.parent.mkdir(exist_ok=True, mode=0o700)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400 if path.suffix == SUFFIX else 0o600)
    with os.fdopen(handle, "wb") as out, path.open("rb") as source:
        while chunk := source.read(COPY_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            out.write(chunk)
    return _Kept(target.relative_to(folder).as_posix(), size, digest.hexdigest())


def _told(folder: Path, path: Path) -> _Kept:
    with path.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    return _Kept(path.relative_to(folder).as_posix(), path.stat().st_size, digest)


def _write_list(folder: Path, kept: Sequence[_Kept]) -> _Kept:
    _write(folder / BLOBS_LIST, "".join(f"{one.sha256}  {one.ruta}\n" for one in kept).encode("ascii"))
    return _told(folder, folder / BLOBS_LIST)


# --- The disk -------------------------------------------------------------------------------------------------------


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def sync_tree(folder: Path) -> None:
    """Make every file and folder below durable: once at the end costs far less than after each."""
    for path in folder.rglob("*"):
        sync_folder(path)
    sync_folder(folder)


def sync_folder(path: Path) -> None:
    """Wait until a file or folder is on disk."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def disk_words(
    message: str = "El disco está lleno; el respaldo quedó marcado como incompleto.",
    todo: str = "Libere espacio y hágalo de nuevo en otra carpeta.",
) -> Iterator[None]:
    """Turn a full disk into words. Raises Unavailable."""
    try:
        yield
    except RadicaError:
        raise
    except OSError as problem:
        if problem.errno in NO_ROOM:
            raise Unavailable(message, todo=todo, code="disco_lleno") from problem
        raise
