"""Reads one file of an import and brings its bytes into custody, outside any transaction.

Invariant: bytes are stored before anything is written about them; a document inside another one (a request to the MUV,
a wrapped RIPS) is stored with its own bytes. A file that cannot be read or kept comes back with the reason.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from radica.custodia.store import FolderStore, Stored
from radica.facturas.placing import Arrived, FileIn
from radica.facturas.recognise import MAX_BYTES, Pieza, Reconocido, Tipo, recognise, recognise_path
from radica.facturas.texts import base_name
from radica.kernel.errors import RadicaError

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True)
class Source:
    """A file to read. `path` None: it was refused before, with `code` and `reason`; `temporary` files are removed."""

    path: Path | None
    route: str
    temporary: bool = False
    code: str = ""
    reason: str = ""


def looks_like_zip(path: Path) -> bool:
    """Say whether a file is a ZIP to open (and no Office document). False when it cannot be read."""
    try:
        with path.open("rb") as stream:
            head = stream.read(4096)
    except OSError:
        return False
    return head.startswith(_ZIP) and recognise(head, path.name).is_zip


def prepare(store: FolderStore, source: Source) -> FileIn:
    """Recognise a file and store its bytes and those of the documents inside it."""
    name = base_name(source.route)
    if source.path is None:
        return FileIn(source.route, name, None, code=source.code, reason=source.reason)
    try:
        if source.code:  # a ZIP that could not be opened: kept as it came
            return FileIn(source.route, name, store.put_file(source.path), code=source.code, reason=source.reason)
        found = recognise_path(source.path, name)
        stored = store.put_file(source.path, limit=MAX_BYTES)
        return _file(store, source.route, name, stored, found)
    except RadicaError as error:
        return FileIn(source.route, name, None, code=error.code, reason=str(error))
    except OSError as error:
        reason = f"No se pudo leer el archivo ({error.strerror or 'error del sistema'})."
        return FileIn(source.route, name, None, code="ilegible", reason=reason)
    finally:
        if source.temporary:
            source.path.unlink(missing_ok=True)


def prepare_stored(store: FolderStore, sha256: str, name: str) -> FileIn:
    """Recognise again a file that is in custody, for the tray."""
    try:
        data = store.read(sha256)
    except RadicaError as error:
        return FileIn(name, name, None, code=error.code, reason=str(error))
    return _file(store, name, name, Stored(sha256, len(data), new=False), recognise(data, name))


def _file(store: FolderStore, route: str, name: str, stored: Stored, found: Reconocido) -> FileIn:
    if found.is_zip:
        return FileIn(route, name, stored, code="zip_dentro", reason="Es un comprimido dentro de otro.")
    if not found.understood:
        return FileIn(route, name, stored, code=found.code, reason=f"{found.reason} {found.todo}".strip())
    documents = tuple(_arrived(store, piece, stored, name) for piece in found.pieces)
    return FileIn(route, name, stored, documents)


def _arrived(store: FolderStore, piece: Pieza, whole: Stored, name: str) -> Arrived:
    if piece.inner is None:
        return Arrived(piece, whole, name)
    return Arrived(piece, store.put(io.BytesIO(piece.inner)), inner_name(piece))


def inner_name(piece: Pieza) -> str:
    """Name a document that came inside another one after what it says of itself."""
    issuer, number = piece.issuer, piece.number
    stem = f"{issuer.number if issuer else 'sin-nit'}_{number.key[:40] if number else 'sin-numero'}"
    if piece.tipo is Tipo.RIPS:
        return f"RIPS_{stem}.json"
    return f"{piece.tipo.value}_{stem}.xml"
