"""What the simulated services on ``http.server`` share: a running server and its end, and the life of a program.

Invariant: ``stop`` may be called twice and from any thread; standard output carries one line, the facts to talk to it.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import Any, Generic, Protocol, Self, TypeVar


class Oracle(Protocol):
    """How a service behaves now; ``stopping`` wakes whoever waits inside it."""

    stopping: Event

    def configure(self, **changes: Any) -> None:
        """Change how it behaves; raises ``ConfigError``."""


OracleT = TypeVar("OracleT", bound=Oracle)


@dataclass
class Running(Generic[OracleT]):
    """A running service: its address, its oracle, and how to end it."""

    url: str
    state: OracleT
    _server: ThreadingHTTPServer
    _thread: Thread

    def configure(self, **changes: Any) -> None:
        """Like ``POST /__sim/config``; raises ``ConfigError``."""
        self.state.configure(**changes)

    def wait(self) -> None:
        """Block until it is stopped from elsewhere."""
        self._thread.join()

    def stop(self) -> None:
        """End the server; a second call does nothing."""
        if not self.state.stopping.is_set():
            self.state.stopping.set()
            self._server.shutdown()
            self._thread.join(10)
            self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(server: ThreadingHTTPServer, name: str) -> Thread:
    """Start the loop of a server in a thread of its own."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name=name, daemon=True)
    thread.start()
    return thread


def options_of(module: str, description: str, folder: str) -> argparse.ArgumentParser:
    """Return the options that every such program takes: where it listens, and the folder it lives in."""
    parser = argparse.ArgumentParser(prog=f"python -m bots.simulador.{module}", description=description)
    parser.add_argument("--host", default="127.0.0.1", help="dirección en la que escucha (por defecto 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="puerto; 0 elige uno libre")
    parser.add_argument("--folder", type=Path, required=True, help=folder)
    return parser


ServiceT = TypeVar("ServiceT", bound=Running[Any])


def run(begin: Callable[[], ServiceT], facts: Callable[[ServiceT], Mapping[str, str]]) -> int:
    """Run a service until SIGTERM or Ctrl-C; 0 when it was ended, 2 when it could not start."""
    try:
        handle = begin()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"No se pudo iniciar el simulador: {error}\n")
        return 2

    def end(_signal: int, _frame: FrameType | None) -> None:
        # Not here: the main thread waits for the very loop that `stop` ends.
        Thread(target=handle.stop, daemon=True).start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    sys.stdout.write(json.dumps(facts(handle)) + "\n")
    sys.stdout.flush()
    handle.wait()
    return 0
