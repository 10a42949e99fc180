"""What every worker does between two jobs for the attempts of its own machine.

Invariant: leases that ran out are judged by the reaper; an attempt is fenced only by the machine that ran it, after
it looked for living processes and found none; a result left in a folder is adopted before the fence is written, so
that an acuse is never outrun by a reading (DESIGN sections 5.4 to 5.6 and 6).
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from bots import contract
from bots.processes import kill_family
from radica.app.filing.attempt_files import FILES_FOLDER, gather
from radica.app.filing.run import apply_sealed, left_behind, seal_attempt
from radica.app.house import House
from radica.jobs.models import Job, JobState
from radica.jobs.queue import Claimed, reap
from radica.kernel.errors import RadicaError
from radica.kernel.logs import describe
from radica.radicacion.attempts import lock_attempt
from radica.radicacion.models import Intento
from radica.radicacion.settle import mark_unknown, record_fence, unfenced
from radica.radicacion.states import EstadoIntento
from radica.radicacion.unattended import (
    ask_about_orphans,
    ask_about_unfenced,
    ask_about_unread,
    close_abandoned,
    free_lanes_of_the_silent,
    orphaned,
    unread,
)

ADOPTABLE = (EstadoIntento.ENVIANDO, EstadoIntento.DESCONOCIDO, EstadoIntento.AUSENTE)
"""An attempt may be called absent on a person's word that its machine is off; the machine may come back and know more."""

log = logging.getLogger("radica.worker")


def tend(house: House) -> None:
    """Reap, adopt, fence; every few seconds."""
    reap(house.db)
    with house.db.write() as session:
        at = house.clock()
        mark_unknown(session, at=at)
        close_abandoned(session, at=at)
        ask_about_unfenced(session, at=at)
        free_lanes_of_the_silent(session, at=at)
    adopt_results(house)
    fence_own(house)
    ask_people(house)


def ask_people(house: House) -> int:
    """Hand to a person what no job and no machine goes on with. Returns how many."""
    with house.db.read() as session:
        envios, attempts = orphaned(session), unread(session)
    if not envios and not attempts:
        return 0
    with house.db.write() as session:
        at = house.clock()
        return ask_about_orphans(session, envios, at=at) + ask_about_unread(session, attempts, at=at)


def adopt_results(house: House) -> int:
    """Apply results that bots of dead workers of this machine left in their folders. Returns how many."""
    with house.db.read() as session:
        rows = list(
            session.scalars(
                select(Intento)
                .where(
                    Intento.host == house.host,
                    Intento.sellado_at.is_(None),
                    Intento.intent_at.is_not(None),
                    Intento.estado.in_(ADOPTABLE),
                )
                .order_by(Intento.id)
                .limit(50)
            )
        )
        jobs = {row.id: session.get_one(Job, row.job_id) for row in rows}
    adopted = 0
    for intento in rows:
        with _each(intento):
            adopted += _adopt(house, intento, _claim_of(jobs[intento.id], intento))
    return adopted


def _adopt(house: House, intento: Intento, claimed: Claimed | None) -> bool:
    folder = Path(intento.carpeta)
    result = left_behind(folder, intento)
    if result is None or not _settled_on_disk(house, folder):
        return False
    kept, refused = gather(house.store, folder, [(item.name, item.kind) for item in result.evidence])
    apply_sealed(house, claimed, intento.id, result, kept, refused)
    return True


def fence_own(house: House) -> int:
    """End what still lives of the unknown attempts of this machine and write the fence. Returns how many."""
    with house.db.read() as session:
        rows = unfenced(session, house.host)
    fenced = 0
    for intento in rows:
        with _each(intento):
            fenced += _fence(house, intento)
    return fenced


def _fence(house: House, intento: Intento) -> bool:
    folder = Path(intento.carpeta)
    if not kill_family(intento.marker, folder):
        return False  # something cannot be killed (a process in the kernel's hands): look again later
    # What was sealed before may have been silence, and the bot's own word written after it.
    if intento.sellado_at is None or (folder / contract.RESULT_FILE).exists():
        seal_remains(house, intento, folder)
    with house.db.write(durable=True) as session:
        return record_fence(session, intento.id, at=house.clock())


@contextmanager
def _each(intento: Intento) -> Iterator[None]:
    """One attempt that cannot be tended now (a full disk, a damaged folder) keeps nobody from the others."""
    try:
        yield
    except (RadicaError, OSError, SQLAlchemyError, ValueError) as exc:
        log.warning("no se pudo atender el intento %s; se mirará otra vez: %s", intento.id, describe(exc))


def seal_remains(house: House, intento: Intento, folder: Path) -> None:
    """Seal whatever a dead attempt left: its result if there is one, else the pieces it had written."""
    if not folder.is_dir():
        return
    result = left_behind(folder, intento)
    if result is not None:
        kept, refused = gather(house.store, folder, [(item.name, item.kind) for item in result.evidence])
        apply_sealed(house, None, intento.id, result, kept, refused)
        return
    loose = [(path.name, "fragmento") for path in folder.iterdir() if path.is_file() and path.suffix != ".log"]
    kept, refused = gather(house.store, folder, loose)
    with house.db.write(durable=True) as session:
        row = lock_attempt(session, intento.id)
        seal_attempt(session, house, row, kept, refused)


def sweep_attempts(house: House) -> int:
    """Remove copies of files and browser profiles of attempts that are sealed and over. Returns how many folders."""
    with house.db.read() as session:
        rows = list(
            session.scalars(
                select(Intento.carpeta).where(
                    Intento.host == house.host,
                    Intento.sellado_at.is_not(None),
                    Intento.estado.in_([EstadoIntento.TERMINADO, EstadoIntento.HALLADO, EstadoIntento.AUSENTE]),
                )
            )
        )
    removed = 0
    for carpeta in rows:
        for name in (FILES_FOLDER, "tmp"):
            path = Path(carpeta) / name
            if path.is_dir() and path.resolve().is_relative_to(house.settings.attempts.resolve()):
                shutil.rmtree(path, ignore_errors=True)
                removed += 1
    return removed


def _settled_on_disk(house: House, folder: Path) -> bool:
    path = folder / "result.json"
    age = house.clock().timestamp() - path.stat().st_mtime
    return age >= house.timing.adopt_after_s


def _claim_of(job: Job, intento: Intento) -> Claimed | None:
    """The dead worker's claim, which its token still proves while the lease lives."""
    if job.state is not JobState.RUNNING or job.token != intento.token:
        return None
    return Claimed(
        id=job.id,
        kind=job.kind,
        payload=job.payload,
        lane_id=job.lane_id,
        token=job.token,
        attempts=job.attempts,
        max_attempts=job.max_attempts,
        subject=job.subject,
        prestador_id=job.prestador_id,
    )
