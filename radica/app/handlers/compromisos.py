"""The daily look at promised payments: what did not come by its date becomes a red line and a task.

Invariant: looking twice a day opens no second task; only promises of signed actas count. Norm: Circular conjunta
030/2013 (binding commitments of payment).
"""

from __future__ import annotations

import logging
from datetime import datetime, time

from radica.app.house import House
from radica.conciliacion.commitments import alert_broken
from radica.jobs.queue import Claimed, Done, finish
from radica.jobs.schedule import order_day
from radica.kernel.clock import civil_date
from radica.kernel.db import Database

KIND_PROMISES = "revisar_compromisos"
PROMISES_AT = time(0, 15)
"""Bogotá time of the look: the day on which a payment was promised has just ended."""

log = logging.getLogger("radica.fondo")


def check_promises(database: Database, at: datetime) -> int:
    """Open the tasks of the promises broken up to the civil day of `at` (aware); returns how many are broken."""
    with database.write() as session:
        return alert_broken(session, today=civil_date(at), at=at)


def order_promises(database: Database, now: datetime) -> int:
    """Order the look, once for its day. Returns 1 when the job was added."""
    return order_day(database, KIND_PROMISES, now, PROMISES_AT)


def review_promises(house: House, claimed: Claimed) -> None:
    """Do the look."""
    log.info("compromisos incumplidos: %s", check_promises(house.db, house.clock()))
    finish(house.db, claimed, outcome=Done())
