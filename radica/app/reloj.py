"""The clock: says when something is due and inserts its job, nothing else.

Invariant: APScheduler gives only the ticks (its store is memory); what counts is the row under the unique (kind, due
time), so that two clocks, or one that restarts, make each due job once. Due times are business time: RAD-01 and the
other terms change their urgency at midnight in Bogotá (Ley 4/1913 art. 62 counts whole days).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import select

from radica.app.buzones import has_something, watched_folder
from radica.app.handlers.background import KIND_BOX, KIND_CLEAN, KIND_TERMS
from radica.app.handlers.compromisos import KIND_PROMISES, PROMISES_AT, order_promises
from radica.app.handlers.digest_envio import KIND_DIGEST, order_digests
from radica.app.handlers.expedientes import fail_abandoned
from radica.app.handlers.glosas_fondo import KIND_READ, order_mailboxes
from radica.app.handlers.glosas_importar import KIND_SHARE, order_sharing
from radica.app.handlers.glosas_reintento import KIND_RETRY, order_retry
from radica.app.handlers.glosas_terminos import KIND_LAPSES, LAPSES_AT, order_lapses
from radica.app.handlers.indexar import KIND_TEXT, order_indexing
from radica.app.handlers.juzgar import KIND_JUDGE, order_judging
from radica.app.handlers.muv import end_abandoned
from radica.app.handlers.prescripciones import KIND_PRESCRIPTION, PRESCRIPTION_AT, order_prescription
from radica.app.handlers.retener import KIND_RETAIN, RETAIN_AT, order_retention
from radica.app.handlers.sellar import KIND_SEAL, KIND_STAMP, SEAL_MINUTES, order_seal, order_stamp
from radica.app.handlers.tarifas_congelar import KIND_FREEZE, order_freezing
from radica.app.handlers.verificacion import KIND_VERIFY, VERIFY_AT, order_tick
from radica.entidades.models import EstadoPrestador, Prestador
from radica.facturas.muv.envios import KIND as KIND_MUV
from radica.jobs.schedule import insert_due, order_day
from radica.kernel.clock import BOGOTA, Clock
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.errors import Unavailable
from radica.prejuridico.services import KIND_EXPORT

log = logging.getLogger("radica.reloj")

REVIEW_AT = time(0, 5)
"""Bogotá time of the daily review of terms: the day has just changed."""


def minute_of(now: datetime) -> datetime:
    """Return the due time of what happens each minute."""
    return now.replace(second=0, microsecond=0)


def hour_of(now: datetime) -> datetime:
    """Return the due time of what happens each hour."""
    return now.replace(minute=0, second=0, microsecond=0)


def order_boxes(database: Database, settings: Settings, now: datetime) -> int:
    """Order the import of each watched folder that holds something. Returns how many jobs were added."""
    with database.read() as session:
        active = select(Prestador.id, Prestador.nit, Prestador.buzon).where(
            Prestador.estado == EstadoPrestador.ACTIVO.value
        )
        boxes = [
            (row[0], watched_folder(settings, row[1], row[2]), row[2] is not None) for row in session.execute(active)
        ]
    # A folder named by a person that this machine does not see may be seen by a worker elsewhere.
    wanted = [provider for provider, folder, named in boxes if _worth_a_look(folder, named=named)]
    added = 0
    for provider in wanted:
        with database.write() as session:
            job = insert_due(
                session,
                KIND_BOX,
                minute_of(now),
                slot=f"{KIND_BOX}:{provider}",
                payload={"prestador_id": provider},
                prestador_id=provider,
                max_attempts=3,
                dedup=f"{KIND_BOX}:{provider}",
            )
        added += job is not None
    return added


def _worth_a_look(folder: Path, *, named: bool) -> bool:
    return has_something(folder) if folder.is_dir() else named


def order_review(database: Database, now: datetime) -> int:
    """Order the daily review of terms, once for its day. Returns 1 when the job was added."""
    return order_day(database, KIND_TERMS, now, REVIEW_AT)


def order_cleaning(database: Database, now: datetime) -> int:
    """Order the hourly sweep of temporary files. Returns 1 when the job was added."""
    with database.write() as session:
        return int(
            insert_due(session, KIND_CLEAN, hour_of(now), payload={}, priority=200, dedup=KIND_CLEAN) is not None
        )


@dataclass(frozen=True)
class Tick:
    """One thing that falls due: its name in the log, what orders it, and when (fields of APScheduler's CronTrigger)."""

    name: str
    order: Callable[[Database, Settings, datetime], int]
    when: Mapping[str, int | str]


TICKS = (
    Tick(KIND_TERMS, lambda db, _, now: order_review(db, now), {"hour": REVIEW_AT.hour, "minute": REVIEW_AT.minute}),
    Tick(KIND_LAPSES, lambda db, _, now: order_lapses(db, now), {"hour": LAPSES_AT.hour, "minute": LAPSES_AT.minute}),
    Tick(
        KIND_PROMISES,
        lambda db, _, now: order_promises(db, now),
        {"hour": PROMISES_AT.hour, "minute": PROMISES_AT.minute},
    ),
    Tick(KIND_VERIFY, order_tick, {"hour": VERIFY_AT.hour, "minute": VERIFY_AT.minute}),
    Tick(
        KIND_PRESCRIPTION,
        lambda db, _, now: order_prescription(db, now),
        {"hour": PRESCRIPTION_AT.hour, "minute": PRESCRIPTION_AT.minute},
    ),
    Tick(KIND_CLEAN, lambda db, _, now: order_cleaning(db, now), {"minute": 0}),
    Tick(KIND_RETRY, lambda db, _, now: order_retry(db, now), {"minute": 20}),
    Tick(KIND_READ, lambda db, _, now: order_mailboxes(db, now), {"minute": "*/5"}),
    Tick(KIND_SHARE, lambda db, _, now: order_sharing(db, minute_of(now)), {"minute": "*/15"}),
    Tick(KIND_DIGEST, lambda db, _, now: order_digests(db, now), {"minute": "*"}),
    Tick(KIND_JUDGE, lambda db, _, now: order_judging(db, now), {"minute": "*"}),
    Tick(KIND_FREEZE, lambda db, _, now: order_freezing(db, now), {"minute": "*/5"}),
    Tick(KIND_TEXT, lambda db, _, now: order_indexing(db, now), {"minute": "*"}),
    Tick(
        KIND_RETAIN, lambda db, _, now: order_retention(db, now), {"hour": RETAIN_AT.hour, "minute": RETAIN_AT.minute}
    ),
    Tick(KIND_SEAL, lambda db, *_: order_seal(db), {"minute": f"*/{SEAL_MINUTES}"}),
    Tick(KIND_STAMP, order_stamp, {"minute": "*"}),
    Tick(KIND_EXPORT, lambda db, _, now: fail_abandoned(db, now), {"minute": "*/5"}),
    Tick(KIND_MUV, lambda db, _, now: end_abandoned(db, now), {"minute": "*/5"}),
    Tick(KIND_BOX, order_boxes, {"minute": "*"}),
)


def run_clock(database: Database, settings: Settings, clock: Clock, *, stop: threading.Event) -> None:
    """Tick until `stop` is set. What fell due while no clock ran is ordered at once, once."""
    scheduler = BackgroundScheduler(timezone=BOGOTA, job_defaults={"coalesce": True, "misfire_grace_time": None})
    for tick in TICKS:
        _tick(tick, database, settings, clock)
        trigger = CronTrigger(**tick.when, second=0, timezone=BOGOTA)
        scheduler.add_job(_tick, trigger, args=(tick, database, settings, clock))
    scheduler.start()
    log.info("reloj en marcha")
    try:
        stop.wait()
    finally:
        scheduler.shutdown(wait=True)


def _tick(tick: Tick, database: Database, settings: Settings, clock: Clock) -> None:
    """Run one tick; a database that is busy or away is tried again at the next one."""
    try:
        added = tick.order(database, settings, clock())
    except Unavailable as problem:
        log.warning("%s: %s", tick.name, problem.code)
        return
    if added:
        log.info("%s: %s en la cola", tick.name, added)
