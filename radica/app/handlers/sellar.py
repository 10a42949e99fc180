"""The jobs of the seals: `sellar` every five minutes when a chain has grown, `estampar` while a head waits for a token.

Invariant: ordered only when there is something to do, once each however many clocks run, and twice without harm; what
an authority or the mail does not take now waits, and the seal stands all the same. Norms: RFC 3161; Ley 527/1999 art. 9.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from radica.app.handlers.sellar_publicar import publish
from radica.app.handlers.turn import keep_turn
from radica.app.house import House
from radica.app.worker import Handler
from radica.custodia.sellos import anything_unsealed, seal
from radica.custodia.tsa import any_waiting, stamp_pending
from radica.jobs.queue import Claimed, Done, enqueue, finish
from radica.kernel.config import Settings
from radica.kernel.db import Database

KIND_SEAL, KIND_STAMP = "sellar", "estampar"
SEAL_MINUTES = 5
"""Minutes between seals: the longest time for which a fact stands unproved."""

log = logging.getLogger("radica.sellos")


def order_seal(database: Database) -> int:
    """Order a seal when some chain has grown since the last one. Returns 1 when it is in the queue.

    No due time is taken: one that was taken before the clock was set back would keep the house from sealing. What
    grew is the guard, and only one such job is alive.
    """
    with database.read() as session:
        if not anything_unsealed(session):
            return 0
    with database.write() as session:
        enqueue(session, KIND_SEAL, payload={}, priority=50, dedup=KIND_SEAL)
    return 1


def order_stamp(database: Database, settings: Settings, now: datetime) -> int:
    """Order another try when a sealed head waits for an authority that may be asked again. Returns 1 when ordered."""
    if not any_waiting(database, settings, now):
        return 0
    with database.write() as session:
        enqueue(session, KIND_STAMP, payload={}, dedup=KIND_STAMP)
    return 1


def do_seal(house: House, claimed: Claimed) -> None:
    """Seal what is new, tell the world, and ask the authorities."""
    row = seal(house.db, clock=house.clock)
    if row is not None:
        log.info("sello %s: %s hojas", row.id, row.hojas)
    keep_turn(house, claimed, "Publicando el sello", 1, 2)
    publish(house.db, house.settings, house.environ, clock=house.clock)
    _stamp(house, claimed)
    finish(house.db, claimed, outcome=Done())


def do_stamp(house: House, claimed: Claimed) -> None:
    """Ask again for the tokens that wait."""
    _stamp(house, claimed)
    finish(house.db, claimed, outcome=Done())


def _stamp(house: House, claimed: Claimed) -> None:
    done = stamp_pending(
        house.db,
        house.settings,
        house.clock,
        progress=lambda: keep_turn(house, claimed, "Pidiendo sellos de tiempo", 2, 2),
    )
    if done.tokens or done.fallos:
        log.info("sellos de tiempo: %s recibidos, %s fallos, %s esperan", done.tokens, done.fallos, done.esperan)


HANDLERS: Mapping[str, Handler] = {KIND_SEAL: do_seal, KIND_STAMP: do_stamp}
