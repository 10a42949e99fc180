"""The job that sends an invoice to the validator of MinSalud, and the tick that finds orders whose job is at its end.

Invariant: idempotent by the Ministry's own rule (RVG18): a worker that dies between sending and recording costs a second
question, never a second CUV. Nothing runs for a provider whose account is off. Norm: Res. 948 de 2026 arts. 3 and 4.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime

from radica.app.house import House
from radica.app.juzgar import judge
from radica.app.worker import Handler
from radica.facturas.muv.envios import KIND, abandonados, abandonar
from radica.facturas.muv.tramite import Casa, tramitar
from radica.jobs.queue import Claimed, Progress, heartbeat
from radica.kernel.db import Database
from radica.kernel.errors import Unavailable


def validate(house: House, claimed: Claimed) -> None:
    """Carry out one order."""
    around = Casa(
        db=house.db,
        store=house.store,
        vault=house.vault,
        clock=house.clock,
        actor=house.actor,
        juez=lambda errand: judge(house, errand),
    )
    with _beating(house, claimed):
        tramitar(around, claimed)


@contextmanager
def _beating(house: House, claimed: Claimed) -> Iterator[None]:
    """Renew the lease while the Ministry is waited for: it takes minutes, and a worker that died is known in one."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(house.timing.beat_s):
            with suppress(Unavailable):  # the database is busy: the next beat may do, else the fence judges
                if not heartbeat(house.db, claimed, house.timing.lease_s, Progress("Validando en el MUV")):
                    return

    thread = threading.Thread(target=beat, name="latido-muv", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def end_abandoned(db: Database, now: datetime) -> int:
    """Say of orders whose job is dead that they failed, and call a person; a tick of the clock. Returns how many."""
    with db.read() as session:
        ids = abandonados(session)
    ended = 0
    for envio_id in ids:
        with db.write() as session:
            ended += abandonar(session, envio_id, at=now)
    return ended


HANDLERS: Mapping[str, Handler] = {KIND: validate}
