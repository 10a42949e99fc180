"""Reads files of an import and brings their bytes into custody, outside any transaction.

Invariant: bytes are stored before anything is written about them; a document inside another one (a request to the MUV,
a wrapped RIPS) is stored with its own bytes. A file that cannot be read or kept comes back with the reason.
"""

from __future__ import annotations

import errno
import io
from collections.abc import Sequence
from concurrent.futures import Executor

from radica.custodia.staging import Staged
from radica.custodia.store import Store, Stored
from radica.facturas.placing import Arrived, FileIn
from radica.facturas.recognise import MAX_BYTES, Pieza, Reconocido, Tipo, recognise, recognise_path
from radica.facturas.sources import Source
from radica.facturas.texts import base_name
from radica.kernel.errors import RadicaError

_WHY = {errno.EACCES: "no hay permiso", errno.ENOENT: "ya no está", errno.EIO: "el disco falla"}


def prepare_all(store: Store, sources: Sequence[Source], pool: Executor) -> list[FileIn]:
    """Recognise some files and bring their bytes into custody: all is durable when it returns."""
    read = list(pool.map(lambda source: _read(store, source), sources))
    staged = [one for _, some in read for one in some]
    try:
        failed = _settle(store, staged, pool)
    finally:
        store.discard(staged)
    return [_unkept(given, [failed[one.sha256] for one in some if one.sha256 in failed]) for given, some in read]


def prepare_stored(store: Store, sha256: str, name: str) -> FileIn:
    """Recognise again a file that is in custody, for the tray."""
    staged: list[Staged] = []
    try:
        data = store.read(sha256)
        found = _file(store, name, name, Stored(sha256, len(data), new=False), recognise(data, name), staged)
        store.settle(staged)
    except RadicaError as error:
        return _refused(name, name, error)
    finally:
        store.discard(staged)
    return found


def _read(store: Store, source: Source) -> tuple[FileIn, list[Staged]]:
    """Recognise a file and stage its bytes and those of the documents inside it."""
    name = base_name(source.route)
    staged: list[Staged] = []
    if source.path is None:
        return FileIn(source.route, name, None, code=source.code, reason=source.reason), staged
    try:
        if source.code:  # a ZIP that could not be opened: kept as it came
            whole = _staged(staged, store.stage_file(source.path))
            return FileIn(source.route, name, whole, code=source.code, reason=source.reason), staged
        found = recognise_path(source.path, name)
        whole = _staged(staged, store.stage_file(source.path, limit=MAX_BYTES))
        return _file(store, source.route, name, whole, found, staged), staged
    except (RadicaError, OSError) as error:
        return _refused(source.route, name, error), staged
    finally:
        if source.temporary:
            source.path.unlink(missing_ok=True)


def _settle(store: Store, staged: Sequence[Staged], pool: Executor) -> dict[str, RadicaError | OSError]:
    """Settle all together, or one by one when that fails; returns what went wrong by hash."""
    try:
        store.settle(staged, each=pool.map)
    except (RadicaError, OSError):
        failed: dict[str, RadicaError | OSError] = {}
        for one in staged:
            try:
                store.settle([one])
            except (RadicaError, OSError) as error:
                failed[one.sha256] = error
        return failed
    return {}


def _unkept(given: FileIn, errors: Sequence[RadicaError | OSError]) -> FileIn:
    """Return the file, or its refusal when its bytes or those inside it could not be kept."""
    return _refused(given.route, given.name, errors[0]) if errors else given


def _refused(route: str, name: str, error: RadicaError | OSError) -> FileIn:
    if isinstance(error, RadicaError):
        return FileIn(route, name, None, code=error.code, reason=str(error))
    why = _WHY.get(error.errno or 0, f"error {error.errno} del sistema")
    reason = f"No se pudo leer el archivo: {why}."
    return FileIn(route, name, None, code="ilegible", reason=reason)


def _staged(staged: list[Staged], one: Staged) -> Stored:
    """Note what must be settled, and name it as it will be in the store."""
    staged.append(one)
    return Stored(one.sha256, one.bytes, new=True)


def _file(store: Store, route: str, name: str, stored: Stored, found: Reconocido, staged: list[Staged]) -> FileIn:
    if found.is_zip:
        return FileIn(route, name, stored, code="zip_dentro", reason="Es un comprimido dentro de otro.")
    if not found.understood:
        return FileIn(route, name, stored, code=found.code, reason=f"{found.reason} {found.todo}".strip())
    documents = tuple(_arrived(store, piece, stored, name, staged) for piece in found.pieces)
    return FileIn(route, name, stored, documents)


def _arrived(store: Store, piece: Pieza, whole: Stored, name: str, staged: list[Staged]) -> Arrived:
    if piece.inner is None:
        return Arrived(piece, whole, name)
    return Arrived(piece, _staged(staged, store.stage(io.BytesIO(piece.inner))), inner_name(piece))


def inner_name(piece: Pieza) -> str:
    """Name a document that came inside another one after what it says of itself."""
    issuer, number = piece.issuer, piece.number
    stem = f"{issuer.number if issuer else 'sin-nit'}_{number.key[:40] if number else 'sin-numero'}"
    if piece.tipo is Tipo.RIPS:
        return f"RIPS_{stem}.json"
    return f"{piece.tipo.value}_{stem}.xml"
