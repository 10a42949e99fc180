"""One worker of a chaos drill: `python -m radica.app.chaos.worker DATOS`, with the drill's short leases.

Invariant: the same `run_worker` as in production; only the seconds differ, so that a pause past a lease takes seconds
and not minutes. It ends when its standard input closes: a drill that dies leaves no workers behind.
"""

from __future__ import annotations

import logging
import os
import sys
import threading

from radica.app.chaos.timing import TIMING
from radica.app.house import make_house
from radica.app.worker import run_worker
from radica.kernel.clock import system_clock
from radica.kernel.config import load_settings
from radica.kernel.db import Database


def main(datos: str) -> None:
    """Work until the drill closes the pipe."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    for noisy in ("PIL", "sqlalchemy", "pypdfium2", "pdfminer"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    settings = load_settings(os.environ, datos=datos, running_as_root=os.geteuid() == 0)
    stop = threading.Event()
    threading.Thread(target=_until_closed, args=(stop,), daemon=True).start()
    db = Database(settings.database_url)
    house = make_house(settings, db, environ=os.environ, clock=system_clock, timing=TIMING)
    run_worker(house, stop=stop)


def _until_closed(stop: threading.Event) -> None:
    while os.read(0, 4096):
        continue
    stop.set()


if __name__ == "__main__":
    main(sys.argv[1])
