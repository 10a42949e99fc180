"""Starts a simulated portal: in a thread for the tests, or in the foreground for the demo; plain HTTP or TLS.

Invariant: the address is listening when ``start`` returns, only on the host asked for, and ``stop`` leaves no thread,
socket or open database behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

from waitress.server import BaseWSGIServer, create_server
from waitress.wasyncore import close_all, loop

from bots.simulador import p1, p2
from bots.simulador.config import ConfigError
from bots.simulador.ledger import Ledger
from bots.simulador.portal import Portal
from bots.simulador.tls import TlsFront

KINDS: Final = {"p1": p1.create_app, "p2": p2.create_app}
THREADS: Final = 24


@dataclass(slots=True)
class Handle:
    """A running portal: its address, its oracle, and how to end it."""

    kind: str
    url: str
    portal: Portal
    _server: BaseWSGIServer
    _thread: Thread
    _sockets: dict[int, Any]
    _done: Event
    _front: TlsFront | None = None

    @property
    def ledger(self) -> Ledger:
        """What this portal received."""
        return self.portal.ledger

    def configure(self, **changes: Any) -> None:
        """Like ``POST /__sim/config``; raises ``ConfigError``."""
        self.portal.dice.merge(changes)

    def wait(self) -> None:
        """Block until the portal is stopped from elsewhere."""
        self._thread.join()

    def stop(self) -> None:
        """End the server and close the ledger; a second call does nothing."""
        if self.portal.stopping.is_set():
            return
        self.portal.stopping.set()
        if self._front is not None:
            self._front.stop()
        # The loop is woken and ends; only then are its sockets closed, so that no descriptor is used after its end.
        self._server.trigger.pull_trigger(self._done.set)
        self._thread.join(10)
        self._server.task_dispatcher.shutdown()
        close_all(self._sockets, ignore_all=True)
        self.portal.close()

    def __enter__(self) -> "Handle":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _serve(sockets: dict[int, Any], done: Event) -> None:
    """The server's loop, one round at a time until it is told to end."""
    while not done.is_set():
        loop(timeout=1, use_poll=True, map=sockets, count=1)


def start(
    kind: str, ledger: Path | str, port: int = 0, config: Mapping[str, Any] | None = None, host: str = "127.0.0.1"
) -> Handle:
    """Start portal ``kind`` (``p1``, ``p2``) on ``port`` (0 = any free one) with its ledger file.

    Raises:
        KeyError: no such portal. ConfigError: a setting no portal knows. OSError: the port is taken.
    """
    make = KINDS[kind]
    portal = Portal(kind, Path(ledger), config or {})
    secure = portal.config.tls
    if secure and not ip_address(host).is_loopback:
        raise ConfigError("con TLS el simulador solo escucha en la propia máquina")
    sockets: dict[int, Any] = {}
    server = create_server(
        make(portal),
        map=sockets,
        host="127.0.0.1" if secure else host,
        port=0 if secure else port,
        threads=THREADS,
        channel_request_lookahead=1,  # lets a hanging request notice that its client went away
        ident="Apache",
        max_request_body_size=2 * 1024**3,
        asyncore_use_poll=True,
    )
    done = Event()
    thread = Thread(target=_serve, args=(sockets, done), name=f"simulador-{kind}", daemon=True)
    thread.start()
    front = TlsFront(host, port, server.effective_port) if secure else None
    url = f"https://{host}:{front.port}" if front else f"http://{host}:{server.effective_port}"
    return Handle(kind, url, portal, server, thread, sockets, done, front)
