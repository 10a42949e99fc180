"""The jobs that the clock orders: import a watched folder, review the terms, sweep temporary files.

Invariant: each may be done twice without harm and commits in short pieces, because filings wait behind no import;
nothing that came in is deleted. Norm of the daily review: Res. 948 de 2026 art. 15 (RAD-01 runs by business days).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete

from radica.app.buzones import entries, is_quiet, look, put_away, watched_folder
from radica.app.filing.tending import sweep_attempts
from radica.app.handlers.turn import keep_turn
from radica.app.house import House
from radica.app.worker import Handler
from radica.custodia.staging import DISK_FULL, sweep_leased
from radica.entidades.models import EstadoPrestador, Prestador
from radica.facturas.intake import import_paths
from radica.facturas.keys import known_keys
from radica.facturas.review import due_ids, review
from radica.facturas.tray import folder_scope
from radica.jobs.clock import now_ms
from radica.jobs.models import Job, JobState
from radica.jobs.queue import Claimed, Done, finish
from radica.jobs.schedule import forget_slots
from radica.kernel.clock import civil_date
from radica.kernel.errors import NotFound, Unavailable

KIND_BOX, KIND_TERMS, KIND_CLEAN = "importar_buzon", "revisar_plazos", "limpieza"
FORGETTABLE = (
    KIND_BOX,
    KIND_TERMS,
    KIND_CLEAN,
    "leer_correo",
    "enviar_resumen",
    "vencer_terminos_glosas",
    "revisar_compromisos",
    "sellar",
    "estampar",
    "indexar_texto",
    "juzgar_facturas",
    "congelar_tarifas",
    "preparar_paquete",
)
"""Kinds whose finished jobs tell nothing after a month; by name, because their rooms are built upon this one."""

SECOND_LOOK_S = 2.0
"""Pause between two looks at a file: a copy that keeps the original's date shows only in its size."""
REVIEW_BATCH = 100
STALE = timedelta(days=1)
"""Age from which a temporary file has no owner any more."""
FORGET = timedelta(days=30)
"""Age from which a due time, and a finished job of the clock, are of no use to anybody."""

log = logging.getLogger("radica.fondo")


def import_box(house: House, claimed: Claimed) -> None:
    """Import what stands still in the watched folder of a provider, and put it away."""
    with house.db.read() as session:
        row = session.get(Prestador, int(claimed.payload["prestador_id"]))
        if row is None:
            raise NotFound("El prestador del buzón ya no existe.")
        provider, folder = row.id, watched_folder(house.settings, row.nit, row.buzon)
        active = row.estado is EstadoPrestador.ACTIVO
    waiting = _still(house, folder) if active and folder.is_dir() else []
    if waiting:
        summary = import_paths(
            house.db,
            house.store,
            waiting,
            folder_scope(provider),
            clock=house.clock,
            workdir=house.settings.incoming,
            names=[path.name for path in waiting],
            progress=lambda done, of: keep_turn(house, claimed, "Importando el buzón", done, of),
            key_for=known_keys(house.db, house.vault),
        )
        if any((one.motivo or "").startswith(DISK_FULL) for one in summary.archivos):
            # Whole folders stay: importing again creates nothing, and what did not fit comes in then.
            raise Unavailable(
                "El disco se llenó mientras se importaba el buzón; sus archivos siguen allí.",
                todo="Libere espacio: se importan solos.",
                code="disco_lleno",
            )
        _put_away(house, folder, waiting)
        log.info("buzón %s: %s archivos, %s facturas nuevas", provider, len(summary.archivos), summary.facturas_nuevas)
    finish(house.db, claimed, outcome=Done())


def _still(house: House, folder: Path) -> list[Path]:
    """Return the entries that nobody is writing any more: quiet, and the same at two looks."""
    quiet = [path for path in entries(folder) if is_quiet(path, now_s=house.clock().timestamp())]
    first = {path: look(path) for path in quiet}
    if quiet:
        time.sleep(SECOND_LOOK_S)
    return [path for path in quiet if path.exists() and look(path) == first[path]]


def _put_away(house: House, folder: Path, done: Sequence[Path]) -> None:
    for path in done:
        try:
            put_away(folder, path, civil_date(house.clock()))
        except OSError as problem:
            # It is in custody already; the next import finds it again and creates nothing.
            log.warning("no se pudo mover un archivo del buzón a procesados: %s", problem.strerror)


def review_terms(house: House, claimed: Claimed) -> None:
    """Review the unfiled invoices whose term moved with the calendar."""
    seen: set[int] = set()
    keys = known_keys(house.db, house.vault)
    while True:
        at = house.clock()
        with house.db.read() as session:
            ids = [one for one in due_ids(session, today=civil_date(at), limit=REVIEW_BATCH) if one not in seen]
        if not ids:
            break
        with house.db.write() as session:
            review(session, ids, actor="reloj", at=at, key_for=keys)
        seen.update(ids)
        keep_turn(house, claimed, "Revisando los plazos", len(seen), len(seen))
    log.info("plazos revisados: %s facturas", len(seen))
    finish(house.db, claimed, outcome=Done())


def clean(house: House, claimed: Claimed) -> None:
    """Remove what nobody needs: temporary files of the store, copies of attempts that are over, old due times."""
    oldest = house.clock() - STALE
    removed = sweep_left(house) + _remove_stale(house.store.temporary, oldest.timestamp())
    folders = sweep_attempts(house)
    with house.db.write() as session:
        forget_slots(session, house.clock() - FORGET)
        before = now_ms(session) - int(FORGET.total_seconds() * 1000)
        session.execute(
            delete(Job).where(
                Job.kind.in_(FORGETTABLE),
                Job.state == JobState.DONE.value,
                Job.finished_ms < before,
            )
        )
    log.info("limpieza: %s archivos temporales, %s carpetas de intentos", removed, folders)
    finish(house.db, claimed, outcome=Done())


def sweep_left(house: House) -> int:
    """Remove what processes that were killed left in clear: lent copies of blobs, folders under way. Returns how many."""
    return sweep_leased(house.store.temporary) + sweep_leased(house.settings.incoming)


def _remove_stale(folder: Path, before_s: float) -> int:
    removed = 0
    for path in folder.iterdir() if folder.is_dir() else ():
        with suppress(FileNotFoundError):  # its owner ended it meanwhile
            stat = path.lstat()
            if path.is_file() and max(stat.st_mtime, stat.st_ctime) < before_s:
                path.unlink(missing_ok=True)
                removed += 1
    return removed


HANDLERS: Mapping[str, Handler] = {KIND_BOX: import_box, KIND_TERMS: review_terms, KIND_CLEAN: clean}
