"""The job that prepares the files of an envío for its payer, when a person could not wait for it on the page.

Invariant: it may be done twice without harm: what was made once is not made again; nothing is sent from here.
Norm: Ley 527/1999 arts. 8 and 9.
"""

from __future__ import annotations

from collections.abc import Mapping

from radica.app.handlers.turn import beating, keep_turn
from radica.app.house import House
from radica.app.worker import Handler
from radica.jobs.queue import Claimed, Dead, Done, finish
from radica.radicacion.encargo import KIND_PREPARE, REFUSED, words
from radica.radicacion.preparar import preparar

_TEXT = "Preparando los archivos"


def prepare_package(house: House, claimed: Claimed) -> None:
    """Prepare one envío; what the payer would not take ends the job with its reasons, for the page to say."""
    steps = 0

    def beat() -> None:
        nonlocal steps
        steps += 1
        keep_turn(house, claimed, _TEXT, steps, 0)

    envio_id = int(claimed.payload["envio_id"])
    with beating(house, claimed, _TEXT):
        done = preparar(house.db, house.store, envio_id, actor=house.actor, clock=house.clock, beat=beat)
    finish(house.db, claimed, outcome=Dead(REFUSED, words(done)) if done.rechazos else Done())


HANDLERS: Mapping[str, Handler] = {KIND_PREPARE: prepare_package}
