"""The worker: claims jobs, hands each to its handler, and tends the attempts of its machine between two jobs.

Invariant: one job at a time in one process; the only broad except of the house is here, and it turns a defect into a
line of the log with a number and a job tried again, never into a lost job. A job past its intent is not tried again:
the reaper and the fence judge it (DESIGN section 5).
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress

from sqlalchemy import func, select

from bots.faults import point
from radica.app.filing.look_up import look_up
from radica.app.filing.run import file_by_bot
from radica.app.filing.tending import tend
from radica.app.house import House
from radica.jobs.board import beat, leave
from radica.jobs.models import Job, JobState
from radica.jobs.queue import Claimed, Dead, Retry, claim_next, finish
from radica.kernel.errors import NotFound, RadicaError, Unavailable
from radica.kernel.logs import describe
from radica.radicacion.services import KIND_FILE, KIND_LOOK_UP

Handler = Callable[[House, Claimed], None]
"""Does one job and finishes it through its claim; may raise RadicaError before anything was sent."""

FILING_HANDLERS: Mapping[str, Handler] = {KIND_FILE: file_by_bot, KIND_LOOK_UP: look_up}

log = logging.getLogger("radica.worker")


def run_worker(
    house: House,
    handlers: Mapping[str, Handler] = FILING_HANDLERS,
    *,
    stop: threading.Event,
    until_empty: bool = False,
) -> int:
    """Work until `stop` is set, or (`until_empty`) until nothing is ready, running or unknown. Returns jobs done."""
    done, next_tend = 0, 0.0
    log.info("trabajador en marcha")
    while not stop.is_set():
        try:
            if time.monotonic() >= next_tend:
                _tend_guarded(house)
                beat(house.db, house.owner, house.host, None)
                next_tend = time.monotonic() + house.timing.tend_s
            claimed = claim_next(house.db, house.owner, house.host, house.timing.lease_s, sorted(handlers))
        except Unavailable as exc:
            log.warning("base no disponible: %s", exc.code)
            stop.wait(house.timing.poll_s)
            continue
        if claimed is None:
            if until_empty and not unfinished(house, handlers):
                break
            stop.wait(house.timing.poll_s)
            continue
        point("worker.claimed")
        with suppress(Unavailable):  # a job in hand is worth more than a sign of life
            beat(house.db, house.owner, house.host, f"{claimed.kind} {claimed.subject or ''}".strip())
        do_one(house, handlers[claimed.kind], claimed)
        done += 1
    with suppress(Unavailable):
        leave(house.db, house.owner)
    return done


def do_one(house: House, handler: Handler, claimed: Claimed) -> None:
    """Run one handler; whatever it raises ends in a job that somebody or something will take up again."""
    try:
        handler(house, claimed)
    except NotFound as exc:
        _give_up(house, claimed, Dead(exc.code, str(exc)))
    except RadicaError as exc:
        _give_up(house, claimed, Retry(exc.code, str(exc)))
    except Exception as exc:  # noqa: BLE001 - the worker loop, see the docstring of the module
        number = _incident(f"{claimed.kind} {claimed.subject}", exc)
        _give_up(house, claimed, Retry("error_interno", f"Incidente {number}"))


def _tend_guarded(house: House) -> None:
    """Tend the attempts; what fails (a full disk, say) is looked at again in the next round, and jobs go on."""
    try:
        tend(house)
    except Unavailable:
        raise
    except Exception as exc:  # noqa: BLE001 - the worker loop, see the docstring of the module
        _incident("atención de intentos", exc)


def _incident(where: str, exc: Exception) -> str:
    """Log a defect without the words of its exception, which may carry what a document says. Returns its number."""
    number = uuid.uuid4().hex[:8]
    log.error("incidente %s en %s: %s", number, where, describe(exc))
    return number


def unfinished(house: House, handlers: Mapping[str, Handler]) -> int:
    """Count the jobs of the handlers' kinds that are not at an end."""
    with house.db.read() as session:
        return (
            session.scalar(
                select(func.count())
                .select_from(Job)
                .where(
                    Job.kind.in_(list(handlers)),
                    Job.state.in_([JobState.READY, JobState.RUNNING, JobState.OUTCOME_UNKNOWN]),
                )
            )
            or 0
        )


def _give_up(house: House, claimed: Claimed, outcome: Dead | Retry) -> None:
    try:
        finish(house.db, claimed, outcome=outcome)
    except Unavailable as exc:
        log.warning("no se pudo devolver el trabajo %s: %s; lo hará el vencimiento de su turno", claimed.id, exc.code)
