"""The daily look at prescription: what can soon no longer be claimed becomes a task.

Invariant: looking twice a day opens no second task. Norms: C.Co. 789, Código Civil 2536, CPTSS 151, CPACA 164.
"""

from __future__ import annotations

import logging
from datetime import datetime, time

from radica.app.house import House
from radica.cartera.vigilar import watch
from radica.jobs.queue import Claimed, Done, finish
from radica.jobs.schedule import order_day
from radica.kernel.clock import civil_date
from radica.kernel.db import Database

KIND_PRESCRIPTION = "vigilar_prescripcion"
PRESCRIPTION_AT = time(0, 25)
"""Bogotá time of the look, after the other reviews of the new day."""

log = logging.getLogger("radica.fondo")


def check_prescription(database: Database, at: datetime) -> int:
    """Open the tasks of the clocks that are near on the civil day of `at` (aware); returns how many are."""
    with database.write() as session:
        return watch(session, today=civil_date(at), at=at)


def order_prescription(database: Database, now: datetime) -> int:
    """Order the look, once for its day. Returns 1 when the job was added."""
    return order_day(database, KIND_PRESCRIPTION, now, PRESCRIPTION_AT)


def review_prescription(house: House, claimed: Claimed) -> None:
    """Do the look."""
    log.info("facturas por prescribir: %s", check_prescription(house.db, house.clock()))
    finish(house.db, claimed, outcome=Done())
