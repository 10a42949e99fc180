"""`radica web`, `radica worker` and `radica reloj`: one process of each kind, ended in good order by a signal.

Invariant: SIGTERM and Ctrl-C let the job at hand reach its end; a second one does not wait. What is killed outright
is judged by the reaper and the fence, never lost (DESIGN section 5).
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from waitress.server import create_server
from waitress.wasyncore import close_all

from radica.app.cli.children import start, stop_all
from radica.app.cli.context import open_database
from radica.app.cli.parse import DONE, FINDINGS, leaf, port, positive
from radica.app.cli.words import note
from radica.app.factory import create_app
from radica.app.handlers import (
    background,
    expedientes,
    glosas_fondo,
    glosas_importar,
    indexar,
    juzgar,
    muv,
    paquetes,
    sellar,
    tarifas_congelar,
)
from radica.app.handlers.compromisos import KIND_PROMISES, review_promises
from radica.app.handlers.glosas_reintento import KIND_RETRY
from radica.app.handlers.glosas_reintento import retry as retry_lines
from radica.app.handlers.glosas_terminos import KIND_LAPSES, lapse_terms
from radica.app.handlers.prescripciones import KIND_PRESCRIPTION, review_prescription
from radica.app.handlers.retener import KIND_RETAIN, retain
from radica.app.handlers.verificacion import HANDLERS as VERIFYING
from radica.app.house import make_house
from radica.app.reloj import run_clock
from radica.app.worker import FILING_HANDLERS, run_worker
from radica.kernel import logs
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings

THREADS = 8
RESTART_S = 5.0
ALL_HANDLERS = {
    **FILING_HANDLERS,
    **background.HANDLERS,
    **glosas_fondo.HANDLERS,
    **glosas_importar.HANDLERS,
    **expedientes.HANDLERS,
    **sellar.HANDLERS,
    **VERIFYING,
    **indexar.HANDLERS,
    **juzgar.HANDLERS,
    **tarifas_congelar.HANDLERS,
    **muv.HANDLERS,
    **paquetes.HANDLERS,
    KIND_LAPSES: lapse_terms,
    KIND_RETRY: retry_lines,
    KIND_PROMISES: review_promises,
    KIND_RETAIN: retain,
    KIND_PRESCRIPTION: review_prescription,
}


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    if name == "web":
        parser.add_argument(
            "--puerto", type=port, default=8000, metavar="N", help="8000 si no se dice; 0 elige uno libre"
        )
        parser.add_argument("--host", default="127.0.0.1", metavar="DIRECCIÓN", help="127.0.0.1 si no se dice")
        parser.add_argument("--proxies", type=port, default=0, metavar="N", help="proxies propios que hay delante")
        parser.set_defaults(run=_web)
    elif name == "worker":
        parser.add_argument("--procesos", type=positive, default=1, metavar="N", help="cuántos a la vez (1)")
        parser.add_argument("--hasta-vacio", action="store_true", help="termina cuando no queda nada en la cola")
        parser.set_defaults(run=_work)
    else:
        parser.set_defaults(run=_clock)
    leaf(parser, json=False)


def on_signal(stop: threading.Event, also: Callable[[], None] = lambda: None) -> None:
    """Let SIGTERM, Ctrl-C and a closed terminal set `stop`; the second time KeyboardInterrupt does not wait."""

    def ask(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        also()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN or number is signal.SIGTERM:  # nohup, and `&` in a script
            signal.signal(number, ask)


def start_logs(settings: Settings, level: str | None = None) -> None:
    """Send the logs of this process to standard error, without what libraries say when all is in order."""
    logs.configure(level or settings.log_level)
    for talkative in ("alembic", "apscheduler", "pikepdf"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


def _web(options: argparse.Namespace, settings: Settings) -> int:
    start_logs(settings)
    with open_database(settings) as database:
        app = create_app(settings, database, system_clock, trusted_proxies=options.proxies)
        sockets: dict[int, Any] = {}
        server: Any = create_server(
            app, map=sockets, host=options.host, port=options.puerto, threads=THREADS, ident="radica"
        )
        note(f"radica en http://{options.host}:{server.effective_port} (Ctrl-C para terminar)")
        # Sockets belong to the server's own loop, so the loop itself is asked to close them, and then ends.
        on_signal(
            threading.Event(), also=lambda: server.trigger.pull_trigger(lambda: close_all(sockets, ignore_all=True))
        )
        try:
            server.run()
        finally:
            server.task_dispatcher.shutdown()
    return DONE


def _work(options: argparse.Namespace, settings: Settings) -> int:
    stop = threading.Event()
    on_signal(stop)
    if options.procesos > 1:
        return _many(options, settings, stop)
    start_logs(settings)
    with open_database(settings) as database:
        house = make_house(settings, database, environ=os.environ, clock=system_clock)
        background.sweep_left(house)
        run_worker(house, ALL_HANDLERS, stop=stop, until_empty=options.hasta_vacio)
    return DONE


def _many(options: argparse.Namespace, settings: Settings, stop: threading.Event) -> int:
    """Keep N worker processes alive; one that dies is started anew, and the queue judges what it was doing."""
    with open_database(settings):
        pass  # the schema is looked at once, before N processes complain
    words = ["radica.app.cli", "worker", "--datos", str(settings.datos), *["--hasta-vacio"] * options.hasta_vacio]
    children = [start(f"worker {n}", words, environ=os.environ) for n in range(1, options.procesos + 1)]
    failed = False
    try:
        while not stop.wait(0.5) and any(child.alive for child in children):
            for at, child in enumerate(children):
                if child.alive or child.process.returncode == 0:
                    continue
                failed = True
                note(f"{child.name} terminó con código {child.process.returncode}; se inicia otro.")
                stop.wait(RESTART_S)
                children[at] = start(child.name, words, environ=os.environ)
    finally:
        stop_all(children, patience_s=300.0)
    return FINDINGS if failed else DONE


def _clock(_options: argparse.Namespace, settings: Settings) -> int:
    stop = threading.Event()
    on_signal(stop)
    start_logs(settings)
    with open_database(settings) as database:
        settings.ensure_folders()
        run_clock(database, settings, system_clock, stop=stop)
    return DONE
