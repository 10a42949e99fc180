"""Processes that a command starts and must not leave behind: workers, simulated portals, web and clock.

Invariant: each child has a process group of its own and is ended by its own id, first kindly, then by force; a child
that ends by itself is noticed. Nothing is ever ended by name.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import radica

ROOT = Path(radica.__file__).resolve().parent.parent


@dataclass(frozen=True)
class Child:
    """A running process: what it is for, and its handle."""

    name: str
    process: subprocess.Popen[bytes]

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child: ours, with this checkout first on the path."""
    path = os.pathsep.join(part for part in (str(ROOT), environ.get("PYTHONPATH", "")) if part)
    return {**environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def start(
    name: str,
    arguments: Sequence[str],
    *,
    environ: Mapping[str, str],
    log: Path | None = None,
    read_output: bool = False,
) -> Child:
    """Start `python -m …` in a session of its own. `log` takes its errors (else ours), `read_output` gives its output."""
    errors = None
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        errors = log.open("ab")
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if read_output else (errors or subprocess.DEVNULL),
            stderr=errors,
            env=environment(environ),
            start_new_session=True,
        )
    finally:
        if errors is not None:
            errors.close()
    return Child(name, process)


def stop_all(children: Iterable[Child], *, patience_s: float = 20.0) -> None:
    """End children: SIGTERM to each, and after `patience_s` SIGKILL to the group of those that still run."""
    living = [child for child in children if child.alive]
    for child in living:
        with suppress(ProcessLookupError):
            child.process.send_signal(signal.SIGTERM)
    limit = time.monotonic() + patience_s
    try:
        for child in living:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(timeout=max(0.05, limit - time.monotonic()))
    finally:
        # Also when the person does not want to wait: nothing is left behind.
        for child in living:
            _kill(child)


def _kill(child: Child) -> None:
    if child.alive:
        with suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait(timeout=10)
    if child.process.stdout is not None:
        child.process.stdout.close()
