"""The hourly job that looks again at lines of payers' files whose doubt a later fact may have settled.

Invariant: ordered once an hour however many clocks run, and twice without harm: the lines are decided by the rules of
intake, in short transactions. Norm: Res. 2284/2023 art. 6 (an objection is of its invoice, whenever that is loaded).
"""

from __future__ import annotations

import logging
from datetime import datetime

from radica.app.handlers.turn import keep_turn
from radica.app.house import House
from radica.glosas.bandeja.lines_tray import providers_waiting
from radica.glosas.bandeja.lines_tray import retry as retry_lines
from radica.jobs.queue import Claimed, Done, finish
from radica.jobs.schedule import insert_due
from radica.kernel.db import Database

KIND_RETRY = "reintentar_lineas"
ACTOR = "reloj"

log = logging.getLogger("radica.fondo")


def order_retry(database: Database, now: datetime) -> int:
    """Order the run, once for its hour. Returns 1 when the job was added."""
    with database.write() as session:
        hour = now.replace(minute=0, second=0, microsecond=0)
        due = insert_due(session, KIND_RETRY, hour, payload={}, priority=150, dedup=KIND_RETRY)
        return int(due is not None)


def retry(house: House, claimed: Claimed) -> None:
    """Do the run for every provider that has such lines."""
    with house.db.read() as session:
        providers = providers_waiting(session)
    settled = 0
    for done, provider in enumerate(providers, start=1):
        ended = retry_lines(house.db, house.store, provider, actor=ACTOR, clock=house.clock)
        settled += sum(ended.values())
        keep_turn(house, claimed, "Revisando líneas sin cruzar", done, len(providers))
    if settled:
        log.info("líneas de glosas que esperaban: %s se resolvieron solas", settled)
    finish(house.db, claimed, outcome=Done())
