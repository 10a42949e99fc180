"""Stages of the bytes: each blob is read and hashed again, rows are held against each other, strays are reported.

Invariant: nothing is deleted or mended. A blob that cannot be read now is not an altered one; when several in a row
cannot be read, the store is down and the run stops there (Ley 527/1999 art. 9: integrity is complete and unaltered).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, and_, column, func, or_, select, table, true
from sqlalchemy.orm import Session

from radica.custodia.check_models import Gravedad, TipoHallazgo
from radica.custodia.models import Blob
from radica.custodia.store import Store
from radica.custodia.verificar_base import Alcance, AlmacenCaido, Hallado, Paso, Taller, frozen, tables_with_blobs
from radica.kernel.errors import BadInput, NotFound, RadicaError

ROWS = 1024
"""Blobs of one step: one reading of rows and one writing of how far the run came."""
STEP_BYTES = 256 * 1024 * 1024
"""Bytes after which a step ends all the same, so that a killed run repeats little."""
SLICE = 32
"""Blobs that a thread takes at a time."""
DOWN_AFTER = 3
"""Blobs in a row that cannot be read before the store counts as down."""
ALTERED = "custodia_alterada"


@dataclass(frozen=True)
class _Problem:
    """What is wrong with one blob; `unreadable` says nothing of its bytes. `at`: its place among the rows of a step."""

    at: int
    found: Hallado
    unreadable: bool = False


_Row = tuple[str, int]
"""Address and bytes of a blob, as its row says them."""
_Hashed = tuple[int, list[_Problem]]


def blobs(taller: Taller, cursor: str) -> Iterator[Paso]:
    """Hash every blob again and compare size and address. Raises AlmacenCaido when the store does not answer."""
    with ThreadPoolExecutor(max_workers=taller.hilos) as pool, _cancelled(pool):
        rows, asked = _begin(pool, taller, cursor or taller.alcance.tras_blob)
        while rows:
            # The threads go on with the next step while this one is written down, unless what is left to read depends
            # on it.
            ahead = _begin(pool, taller, rows[-1][0]) if taller.queda() is None else None
            done = [one.result() for one in asked]
            problems = [one for _, some in done for one in some]
            whole = _before_failure(problems, len(rows))
            if whole:
                cursor = rows[whole - 1][0]
                size = sum(size for size, _ in done)
                with taller.db.read() as session:
                    named = [each for one in problems if one.at < whole for each in with_providers(session, one.found)]
                yield Paso(cursor, whole, size, {"blobs": whole}, named)
            if whole < len(rows):
                code = next(one.found.hallado for one in problems if one.at == whole)
                raise AlmacenCaido("El almacén no responde.", code=code)
            rows, asked = ahead or _begin(pool, taller, cursor)


@contextmanager
def _cancelled(pool: ThreadPoolExecutor) -> Iterator[None]:
    """Drop at the end what was asked ahead: each blob of a store that is down may wait for its timeout."""
    try:
        yield
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(pool: ThreadPoolExecutor, taller: Taller, cursor: str) -> tuple[list[_Row], list[Future[_Hashed]]]:
    """Set the threads to the blobs after `cursor`; return their rows and what comes of each slice of them."""
    rows = _next_rows(taller, cursor)
    slices = [(start, rows[start : start + SLICE]) for start in range(0, len(rows), SLICE)]
    return rows, [pool.submit(_hash_some, taller.store, *one) for one in slices]


def _next_rows(taller: Taller, cursor: str) -> list[_Row]:
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


def _hash_some(store: Store, start: int, rows: Sequence[_Row]) -> _Hashed:
    """Return the bytes read and what is wrong; `start` is the place of the first among the rows of the step."""
    read, problems = 0, []
    for at, (sha256, size) in enumerate(rows, start):
        try:
            digest, found = store.measure(sha256)
        except (RadicaError, OSError) as problem:
            problems.append(_not_read(at, sha256, problem))
            continue
        read += found
        if digest != sha256 or found != size:
            problems.append(_Problem(at, _differs(sha256, size, digest, found)))
    return read, problems


def _differs(sha256: str, size: int, digest: str, found: int) -> Hallado:
    name = f"blob:{sha256}"
    if digest != sha256:
        words = "Sus bytes no son los que se sellaron."
        return Hallado(TipoHallazgo.ALTERADO, Gravedad.GRAVE, name, sha256, digest, words)
    words = "La fila que lo nombra dice otro tamaño; los bytes están intactos."
    return Hallado(TipoHallazgo.ALTERADO, Gravedad.GRAVE, name, f"{found} B", f"{size} B", words)


def _not_read(at: int, sha256: str, problem: RadicaError | OSError) -> _Problem:
    """Say why a blob was not read: it is not there, it is not what it was, or it cannot be read now."""
    name = f"blob:{sha256}"
    if isinstance(problem, NotFound):
        words = "No está en el almacén."
        return _Problem(at, Hallado(TipoHallazgo.FALTANTE, Gravedad.GRAVE, name, sha256, "", words))
    if isinstance(problem, BadInput):
        words = "Su fila no tiene una dirección válida."
        return _Problem(at, Hallado(TipoHallazgo.ALTERADO, Gravedad.GRAVE, name, "", sha256, words))
    code = problem.code if isinstance(problem, RadicaError) else f"error {problem.errno}"
    if code == ALTERED:
        words = "Lo guardado no se puede descifrar: sus bytes no son los que se sellaron."
        return _Problem(at, Hallado(TipoHallazgo.ALTERADO, Gravedad.GRAVE, name, sha256, "", words))
    words = "No se pudo leer ahora; se debe repetir."
    return _Problem(at, Hallado(TipoHallazgo.ILEGIBLE, Gravedad.AVISO, name, "", code, words), unreadable=True)


def _before_failure(problems: Sequence[_Problem], rows: int) -> int:
    """Return how many of the rows stand before the store went down; all of them when it did not."""
    row: list[int] = []
    for one in problems:
        if one.unreadable:
            row = [*row, one.at] if row and one.at == row[-1] + 1 else [one.at]
            if len(row) == DOWN_AFTER:
                return row[0]
    return rows


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
            between = select(Blob.sha256).where(Blob.sha256 >= some[0], Blob.sha256 <= some[-1])
            with taller.db.read() as session:
                known = set(session.scalars(between))
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
