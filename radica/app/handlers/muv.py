"""The job that sends an invoice to the validator of MinSalud, and the tick that finds orders whose job is at its end.

Invariant: idempotent by the Ministry's own rule (RVG18): a worker that dies between sending and recording costs a second
question, never a second CUV. Nothing runs for a provider whose account is off. Norm: Res. 948 de 2026 arts. 3 and 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from radica.app.handlers.juzgar import judge
from radica.app.handlers.turn import beating
from radica.app.house import House
from radica.app.worker import Handler
from radica.facturas.muv.envios import KIND, abandonados, abandonar
from radica.facturas.muv.tramite import Casa, tramitar
from radica.jobs.queue import Claimed
from radica.kernel.db import Database


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
    with beating(house, claimed, "Validando en el MUV"):
        tramitar(around, claimed)


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
