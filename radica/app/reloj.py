"""The clock: says when something is due and inserts its job, nothing else.

Invariant: APScheduler gives only the ticks (its store is memory); what counts is the row under the unique (kind, due
time), so that two clocks, or one that restarts, make each due job once. Due times are business time: RAD-01 and the
other terms change their urgency at midnight in Bogotá (Ley 4/1913 art. 62 counts whole days).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import select

from radica.app.background import KIND_BOX, KIND_CLEAN, KIND_TERMS
from radica.app.buzones import has_something, watched_folder
from radica.entidades.models import EstadoPrestador, Prestador
from radica.jobs.schedule import insert_due
from radica.kernel.clock import BOGOTA, Clock
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.errors import Unavailable

log = logging.getLogger("radica.reloj")

REVIEW_AT = time(0, 5)
"""Bogotá time of the daily review of terms: the day has just changed."""


def minute_of(now: datetime) -> datetime:
    """Return the due time of what happens each minute."""
    return now.replace(second=0, microsecond=0)


def hour_of(now: datetime) -> datetime:
    """Return the due time of what happens each hour."""
    return now.replace(minute=0, second=0, microsecond=0)


def review_of(now: datetime) -> datetime:
    """Return the latest due time of the daily review that is not after `now`."""
    local = now.astimezone(BOGOTA)
    due = datetime.combine(local.date(), REVIEW_AT, tzinfo=BOGOTA)
    return due if due <= local else due - timedelta(days=1)


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
    with database.write() as session:
        return int(insert_due(session, KIND_TERMS, review_of(now), payload={}, dedup=KIND_TERMS) is not None)


def order_cleaning(database: Database, now: datetime) -> int:
    """Order the hourly sweep of temporary files. Returns 1 when the job was added."""
    with database.write() as session:
        return int(
            insert_due(session, KIND_CLEAN, hour_of(now), payload={}, priority=200, dedup=KIND_CLEAN) is not None
        )


def run_clock(database: Database, settings: Settings, clock: Clock, *, stop: threading.Event) -> None:
    """Tick until `stop` is set. What fell due while no clock ran is ordered at once, once."""

    def boxes() -> None:
        _tick("importar_buzon", lambda: order_boxes(database, settings, clock()))

    def review() -> None:
        _tick("revisar_plazos", lambda: order_review(database, clock()))

    def clean() -> None:
        _tick("limpieza", lambda: order_cleaning(database, clock()))

    scheduler = BackgroundScheduler(timezone=BOGOTA, job_defaults={"coalesce": True, "misfire_grace_time": None})
    scheduler.add_job(boxes, CronTrigger(second=0, timezone=BOGOTA))
    scheduler.add_job(review, CronTrigger(hour=REVIEW_AT.hour, minute=REVIEW_AT.minute, second=0, timezone=BOGOTA))
    scheduler.add_job(clean, CronTrigger(minute=0, second=0, timezone=BOGOTA))
    for tick in (review, clean, boxes):
        tick()
    scheduler.start()
    log.info("reloj en marcha")
    try:
        stop.wait()
    finally:
        scheduler.shutdown(wait=True)


def _tick(kind: str, order: Callable[[], int]) -> None:
    """Run one tick; a database that is busy or away is tried again at the next one."""
    try:
        added = order()
    except Unavailable as problem:
        log.warning("%s: %s", kind, problem.code)
        return
    if added:
        log.info("%s: %s en la cola", kind, added)
