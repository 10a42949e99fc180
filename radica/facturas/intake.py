"""Imports files, folders and ZIPs: recognise, store, join, review; in batches, and again without harm.

Invariant: no writing transaction holds a file, hashing or parsing step; each batch commits by itself and yields, so
that filings never wait behind an import; every file that was given has its row in the result. A file that fails alone
does not stop the rest. Norms: Res. 948 de 2026 art. 3 (FEV, RIPS, CUV), Res. 2284 de 2023 annexes 1 and 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count, islice
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from radica.custodia.staging import leased_folder
from radica.custodia.store import Store
from radica.facturas.archive import Limites
from radica.facturas.desk import Desk
from radica.facturas.join import admit
from radica.facturas.models import Carga, CargaArchivo, NoReconocido, ResultadoArchivo
from radica.facturas.placing import FileIn, FileOut
from radica.facturas.preparing import prepare_all, prepare_stored
from radica.facturas.review import KeyFor, review
from radica.facturas.sources import Source, sources
from radica.facturas.tray import RETRIABLE, Scope, resolve
from radica.kernel.clock import Clock
from radica.kernel.db import Database, insert_rows

BATCH = 96
"""Files of one transaction; sixteen packages of six."""
_THREADS = 4
"""Reading, hashing and syncing overlap; more only fight for the disk."""
_RETRY_LIMIT = 500

Progress = Callable[[int, int], None]
"""Called after each batch with files done and files known so far."""


@dataclass
class Summary:
    """What an import did: one row per file in the order in which they were given, and the invoices.

    `facturas_nuevas` are those that did not exist; `facturas_completadas` those that existed and got documents.
    """

    carga_id: int
    archivos: list[FileOut] = field(default_factory=list)
    facturas_nuevas: int = 0
    facturas_completadas: int = 0

    @property
    def clean(self) -> bool:
        """Say whether every file was loaded or already there."""
        return all(one.resultado is not ResultadoArchivo.NO_RECONOCIDO for one in self.archivos)

    def as_json(self) -> dict[str, Any]:
        """Return the document that the CLI prints."""
        rows = [
            {
                "ruta": one.ruta,
                "resultado": one.resultado.value,
                "tipo": one.tipo,
                "factura": one.factura,
                "motivo": one.motivo,
            }
            for one in self.archivos
        ]
        return {
            "archivos": rows,
            "facturas_nuevas": self.facturas_nuevas,
            "facturas_completadas": self.facturas_completadas,
        }


@dataclass
class _Run:
    """One import under way."""

    db: Database
    store: Store
    scope: Scope
    clock: Clock
    key_for: KeyFor | None
    carga_id: int
    created: set[int] = field(default_factory=set)
    completed: set[int] = field(default_factory=set)
    rows: dict[int, FileOut] = field(default_factory=dict)
    later: list[tuple[int, FileIn]] = field(default_factory=list)


def import_paths(
    db: Database,
    store: Store,
    paths: Sequence[Path],
    scope: Scope,
    *,
    clock: Clock,
    workdir: Path,
    names: Sequence[str] | None = None,
    progress: Progress | None = None,
    key_for: KeyFor | None = None,
    limits: Limites | None = None,
    carga_id: int | None = None,
) -> Summary:
    """Import files, folders (walked in order, links left out) and ZIPs.

    `names` are the names to show instead of the paths (uploads under other names on disk), one per path; `workdir`
    takes the entries of ZIPs while they are read. `carga_id` continues a row made by `start_import`, for screens that
    show progress. Raises Unavailable when database or disk give up; what was committed stays, and importing again
    goes on from there.
    """
    run = _Run(db, store, scope, clock, key_for, carga_id or start_import(db, scope, clock=clock))
    shown = list(names) if names is not None else [str(path) for path in paths]
    known = done = 0
    with leased_folder(workdir, "importa-") as folder, ThreadPoolExecutor(_THREADS) as pool:
        given = sources(paths, shown, folder, limits)
        for numbered in _prepared(store, given, pool):
            known += len(numbered)
            _batch(run, numbered, last=False)
            done = known - len(run.later)
            if progress is not None:
                progress(done, known)
        for start in range(0, len(run.later), BATCH):
            _batch(run, run.later[start : start + BATCH], last=True)
            if progress is not None:
                progress(min(known, done + start + BATCH), known)
    if run.created:
        _retry_tray(run)
    return _finish(run, known)


def _prepared(store: Store, given: Iterator[Source], pool: ThreadPoolExecutor) -> Iterator[list[tuple[int, FileIn]]]:
    """Yield batches of files that are read and stored; the next one is on its way while the caller works on one."""
    number = count()
    with ThreadPoolExecutor(1) as leader:
        ahead: Future[list[FileIn]] | None = None
        while batch := list(islice(given, BATCH)):
            behind, ahead = ahead, leader.submit(prepare_all, store, batch, pool)
            if behind is not None:
                yield [(next(number), one) for one in behind.result()]
        if ahead is not None:
            yield [(next(number), one) for one in ahead.result()]


def start_import(db: Database, scope: Scope, *, clock: Clock) -> int:
    """Write that an import begins, and return its id."""
    with db.write() as session:
        row = Carga(
            prestador_id=scope.prestador_id,
            usuario_id=scope.usuario_id,
            origen=scope.origen,
            actor=scope.actor,
            iniciada_at=clock(),
        )
        session.add(row)
        session.flush()
        return row.id


def _batch(run: _Run, numbered: Sequence[tuple[int, FileIn]], *, last: bool) -> None:
    """Admit and review some files in two transactions; those that wait for others are put by for the end."""
    at = run.clock()
    with run.db.write() as session:
        desk = Desk(session, run.scope, at, created=run.created, completed=run.completed)
        results = admit(desk, [one for _, one in numbered], last=last)
        done = []
        for (index, one), result in zip(numbered, results, strict=True):
            if result is None:
                run.later.append((index, one))
                continue
            run.rows[index] = result
            done.append(_row(run.carga_id, result))
        insert_rows(session, CargaArchivo, done)
        _tell_progress(session, run, len(run.rows) + len(run.later))
    if desk.touched:
        with run.db.write() as session:
            review(session, desk.touched, actor=run.scope.actor, at=at, key_for=run.key_for)


def _row(carga_id: int, one: FileOut) -> dict[str, Any]:
    return {
        "carga_id": carga_id,
        "ruta": one.ruta[-500:],
        "resultado": one.resultado,
        "tipo": one.tipo[:40] if one.tipo else None,
        "factura_id": one.factura_id,
        "motivo": one.motivo,
    }


def _tell_progress(session: Session, run: _Run, total: int, **more: datetime) -> None:
    """Write how far the import is, for the screens that show it."""
    figures = {"facturas_nuevas": len(run.created), "facturas_completadas": len(run.completed)}
    query = update(Carga).where(Carga.id == run.carga_id).execution_options(synchronize_session=False)
    session.execute(query.values(total=total, hechos=len(run.rows), **figures, **more))


def _retry_tray(run: _Run) -> None:
    """Take out of the tray what waited for an invoice that has just come."""
    with run.db.read() as session:
        waiting = [
            (row.id, row.sha256, row.nombre)
            for row in session.scalars(
                select(NoReconocido)
                .where(
                    NoReconocido.duenio == run.scope.owner,
                    NoReconocido.codigo.in_(RETRIABLE),
                    NoReconocido.resuelto_at.is_(None),
                    NoReconocido.sha256.is_not(None),
                )
                .order_by(NoReconocido.id.desc())
                .limit(_RETRY_LIMIT)
            )
        ]
    files = [(row_id, prepare_stored(run.store, sha256 or "", name)) for row_id, sha256, name in waiting]
    at = run.clock()
    for start in range(0, len(files), BATCH):
        part = files[start : start + BATCH]
        with run.db.write() as session:
            desk = Desk(session, run.scope, at, created=run.created, completed=run.completed)
            for (row_id, _), result in zip(part, admit(desk, [one for _, one in part], last=True), strict=True):
                if result is not None and result.resultado is not ResultadoArchivo.NO_RECONOCIDO:
                    how = f"Se unió a la factura {result.factura}" if result.factura else "Se reconoció su prestador"
                    resolve(session.get_one(NoReconocido, row_id), how=how, actor=run.scope.actor, at=at)
        if desk.touched:
            with run.db.write() as session:
                review(session, desk.touched, actor=run.scope.actor, at=at, key_for=run.key_for)


def _finish(run: _Run, total: int) -> Summary:
    with run.db.write() as session:
        _tell_progress(session, run, total, terminada_at=run.clock())
    rows = [run.rows[index] for index in sorted(run.rows)]
    return Summary(run.carga_id, rows, len(run.created), len(run.completed))
