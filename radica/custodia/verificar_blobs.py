"""Stages of the bytes: each blob is read and hashed again, rows are held against each other, strays are reported.

Invariant: nothing is deleted or mended. A blob that cannot be read now is not an altered one; when several in a row
cannot be read, the store is down and the run stops there (Ley 527/1999 art. 9: integrity is complete and unaltered).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, and_, column, func, or_, select, table, true
from sqlalchemy.orm import Session

from radica.custodia.check_models import Gravedad, TipoHallazgo
from radica.custodia.models import Blob
from radica.custodia.store import Store
from radica.custodia.verificar_base import Alcance, AlmacenCaido, Hallado, Paso, Taller, frozen, tables_with_blobs
from radica.kernel.errors import BadInput, NotFound, Unavailable

ROWS = 1024
"""Blobs of one step: one reading of rows and one writing of how far the run came."""
STEP_BYTES = 256 * 1024 * 1024
"""Bytes after which a step ends all the same, so that a killed run repeats little."""
SLICE = 16
"""Blobs that a thread takes at a time."""
DOWN_AFTER = 3
"""Blobs in a row that cannot be read before the store counts as down."""
ALTERED = "custodia_alterada"


@dataclass(frozen=True)
class _Read:
    """What reading one blob gave: `unreadable` says nothing of its bytes."""

    found: Hallado | None
    bytes: int
    unreadable: bool = False


def blobs(taller: Taller, cursor: str) -> Iterator[Paso]:
    """Hash every blob again and compare size and address. Raises AlmacenCaido when the store does not answer."""
    cursor = cursor or taller.alcance.tras_blob
    with ThreadPoolExecutor(max_workers=taller.hilos) as pool:
        while rows := _next_rows(taller, cursor):
            slices = [rows[start : start + SLICE] for start in range(0, len(rows), SLICE)]
            read = [one for part in pool.map(lambda some: _hash_some(taller.store, some), slices) for one in part]
            whole = _before_failure(read)
            if whole:
                cursor = rows[whole - 1][0]
                found = [one.found for one in read[:whole] if one.found is not None]
                with taller.db.read() as session:
                    named = [each for one in found for each in with_providers(session, one)]
                yield Paso(cursor, whole, sum(one.bytes for one in read[:whole]), {"blobs": whole}, named)
            if whole < len(rows):
                raise AlmacenCaido("El almacén no responde.")


def _next_rows(taller: Taller, cursor: str) -> list[tuple[str, int]]:
    scope = taller.alcance
    query = select(Blob.sha256, Blob.bytes).where(Blob.sha256 > cursor).order_by(Blob.sha256).limit(ROWS)
    if scope.casos:
        # The list of one invoice is short; parameters of a statement are not without end.
        query = query.where(Blob.sha256.in_([one for one in scope.hashes if one > cursor][:ROWS]))
    if scope.desde is not None:
        query = query.where(Blob.stored_at >= scope.desde)
    with taller.db.read() as session:
        rows = [(row[0], row[1]) for row in session.execute(query)]
    left = taller.queda()
    limit = STEP_BYTES if left is None else min(STEP_BYTES, left)
    taken, size = 0, 0
    while taken < len(rows) and (taken == 0 or size < limit):
        size += rows[taken][1]
        taken += 1
    return rows[:taken]


def _hash_some(store: Store, rows: Sequence[tuple[str, int]]) -> list[_Read]:
    return [_hash_one(store, sha256, size) for sha256, size in rows]


def _hash_one(store: Store, sha256: str, size: int) -> _Read:
    name = f"blob:{sha256}"
    try:
        digest, found = store.measure(sha256)
    except NotFound:
        return _Read(Hallado(TipoHallazgo.FALTANTE, Gravedad.GRAVE, name, sha256, "", "No está en el almacén."), 0)
    except BadInput:
        words = "Su fila no tiene una dirección válida."
        return _Read(Hallado(TipoHallazgo.ALTERADO, Gravedad.GRAVE, name, "", sha256, words), 0)
    except Unavailable as problem:
        if problem.code == ALTERED:
            words = "Lo guardado no se puede descifrar: sus bytes no son los que se sellaron."
            return _Read(Hallado(TipoHallazgo.ALTERADO, Gravedad.GRAVE, name, sha256, "", words), 0)
        return _Read(_unreadable(name, problem.code), 0, unreadable=True)
    except OSError as problem:
        return _Read(_unreadable(name, f"error {problem.errno}"), 0, unreadable=True)
    if digest != sha256:
        words = "Sus bytes no son los que se sellaron."
        return _Read(Hallado(TipoHallazgo.ALTERADO, Gravedad.GRAVE, name, sha256, digest, words), found)
    if found != size:
        words = "La fila que lo nombra dice otro tamaño; los bytes están intactos."
        return _Read(Hallado(TipoHallazgo.ALTERADO, Gravedad.GRAVE, name, f"{found} B", f"{size} B", words), found)
    return _Read(None, found)


def _unreadable(name: str, code: str) -> Hallado:
    return Hallado(TipoHallazgo.ILEGIBLE, Gravedad.AVISO, name, "", code, "No se pudo leer ahora; se debe repetir.")


def _before_failure(read: Sequence[_Read]) -> int:
    """Return how many stand before the store went down; all of them when it did not."""
    row = 0
    for at, one in enumerate(read):
        row = row + 1 if one.unreadable else 0
        if row == DOWN_AFTER:
            return at + 1 - DOWN_AFTER
    return len(read)


def with_providers(session: Session, found: Hallado) -> list[Hallado]:
    """Return a finding about a blob once for each provider whose rows name it; once without provider if none does."""
    sha256 = found.objeto.removeprefix("blob:")
    owners: set[int] = set()
    for one, name in tables_with_blobs():
        if "prestador_id" in one.c:
            owners |= {
                row
                for row in session.scalars(select(one.c.prestador_id).where(one.c[name] == sha256).distinct())
                if row is not None
            }
    return [replace(found, prestador_id=owner) for owner in sorted(owners)] or [found]


def strays(taller: Taller, cursor: str) -> Iterator[Paso]:
    """Report addresses of the store that no row names. Only a verification of everything asks for it."""
    if taller.alcance.entero:
        addresses = (one for one in taller.store.addresses() if one > cursor)
        while some := list(islice(addresses, ROWS)):
            with taller.db.read() as session:
                known = set(session.scalars(select(Blob.sha256).where(Blob.sha256.in_(some))))
            found = [_stray(one) for one in some if one not in known]
            yield Paso(some[-1], 0, 0, {"direcciones": len(some)}, found)


def _stray(address: str) -> Hallado:
    words = (
        "Está en el almacén y ninguna fila lo nombra: lo dejó un corte de energía, o una carga que está en curso."
        " No se borra."
    )
    return Hallado(TipoHallazgo.HUERFANO, Gravedad.NOTA, f"blob:{address}", "", "", words)


def row_claims(taller: Taller, cursor: str) -> Iterator[Paso]:
    """Hold the rows that name a blob against the blobs' own: it is there, and of the size that the row says."""
    places = [f"{one.name}.{name}" for one, name in tables_with_blobs()]
    for (one, name), place in zip(tables_with_blobs(), places, strict=True):
        if place <= cursor:
            continue
        with frozen(taller.db) as session:
            count, found = _check_table(session, taller.alcance, one.name, name, set(one.c.keys()))
        yield Paso(place, 0, 0, {"filas": count}, found)


def _check_table(session: Session, scope: Alcance, name: str, key: str, columns: set[str]) -> tuple[int, list[Hallado]]:
    """Return how many rows of a table name a blob, and which do not agree with it."""
    sized = key == "sha256" and "bytes" in columns
    plain = table(name, *(column(one) for one in columns))
    sha: ColumnElement[Any] = plain.c[key]
    mine: ColumnElement[bool] = sha.in_(scope.hashes) if scope.casos else true()
    wrong: ColumnElement[bool] = Blob.sha256.is_(None)
    if sized:
        wrong = or_(wrong, Blob.bytes != plain.c.bytes)
    label = plain.c.id if "id" in columns else sha
    count = session.scalar(select(func.count()).select_from(plain).where(and_(sha.is_not(None), mine))) or 0
    query = (
        select(
            label.label("numero"),
            sha.label("sha256"),
            Blob.bytes.label("del_blob"),
            (plain.c.bytes if sized else sha).label("dicho"),
            (plain.c.prestador_id if "prestador_id" in columns else func.nullif(1, 1)).label("prestador"),
        )
        .select_from(plain)
        .outerjoin(Blob, Blob.sha256 == sha)
        .where(sha.is_not(None), mine, wrong)
        .order_by(label)
    )
    return count, [_wrong_row(name, row) for row in islice(session.execute(query), ROWS)]


def _wrong_row(name: str, row: Any) -> Hallado:
    what = f"{name}:{row.numero}"
    if row.del_blob is None:
        words = "Nombra un archivo que la custodia no registra."
        return Hallado(TipoHallazgo.FALTANTE, Gravedad.GRAVE, what, str(row.sha256), "", words, row.prestador)
    words = f"Dice otro tamaño que el archivo {row.sha256} que nombra."
    return Hallado(
        TipoHallazgo.ALTERADO, Gravedad.GRAVE, what, f"{row.del_blob} B", f"{row.dicho} B", words, row.prestador
    )
