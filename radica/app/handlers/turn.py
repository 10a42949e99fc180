"""The turn of a long job: say how far it is, and stop when another worker has it.

Invariant: who lost the lease writes nothing more; the queue's fence judges what was done (DESIGN section 5).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from radica.app.house import House
from radica.jobs.queue import Claimed, Progress, heartbeat
from radica.kernel.errors import Unavailable


def keep_turn(house: House, claimed: Claimed, text: str, done: int, of: int) -> None:
    """Show `done` of `of` under `text` and renew the lease. Raises Unavailable when another worker has the job."""
    if not heartbeat(house.db, claimed, house.timing.lease_s, Progress(text, done, of)):
        raise Unavailable("Otro proceso siguió con este trabajo.", code="turno_perdido")


@contextmanager
def beating(house: House, claimed: Claimed, text: str, done: int = 0) -> Iterator[None]:
    """Renew the lease from a thread while one step may take minutes; a worker that died is still known in one."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(house.timing.beat_s):
            with suppress(Unavailable):  # the database is busy: the next beat may do, else the fence judges
                if not heartbeat(house.db, claimed, house.timing.lease_s, Progress(text, done)):
                    return

    thread = threading.Thread(target=beat, name="latido", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)
