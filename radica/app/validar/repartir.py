"""Shares tasks among processes so that a task that dies or hangs costs only itself.

Invariant: every task comes back exactly once, with its result or with why there is none; a process that ends by itself
or overstays is replaced, and its task is not tried again here. Tasks are taken as processes become free, so what waits
in memory is bounded by the number of processes. Nothing of a worker reaches standard error.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

_LOOK_S = 5.0
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
T = TypeVar("T")
R = TypeVar("R")


class Perdida(Enum):
    """Why a task has no result."""

    MURIO = "murio"
    """Its process ended: a crash of a library, or no memory left."""
    TARDO = "tardo"
    """It overstayed and was ended."""


@dataclass
class _Worker(Generic[T]):
    process: Any
    pipe: Connection
    task: T
    until: float


def repartir(
    work: Callable[[T], R], tasks: Iterable[T], *, processes: int, allowed_s: Callable[[T], float]
) -> Iterator[tuple[T, R | Perdida]]:
    """Yield each task with its result as they end. `work` must be a function of a module (or a partial of one)."""
    context: Any = multiprocessing.get_context(_how_to_start())
    given = iter(tasks)
    idle: list[tuple[Any, Connection]] = []
    busy: dict[Connection, _Worker[T]] = {}
    try:
        while True:
            while len(busy) < processes:
                try:
                    task = next(given)
                except StopIteration:
                    break
                process, pipe = _given(task, idle, context, work)
                busy[pipe] = _Worker(process, pipe, task, time.monotonic() + allowed_s(task))
            if not busy:
                return
            for worker, result in _ended(busy):
                del busy[worker.pipe]
                if isinstance(result, Perdida):
                    _end(worker.process, worker.pipe)
                else:
                    idle.append((worker.process, worker.pipe))
                yield worker.task, result
    finally:
        for process, pipe in [*idle, *((one.process, one.pipe) for one in busy.values())]:
            _end(process, pipe)


def _given(
    task: Any, idle: list[tuple[Any, Connection]], context: Any, work: Callable[[Any], Any]
) -> tuple[Any, Connection]:
    """Give a task to a process that waits, or to a new one; one that ended while it waited is replaced."""
    while idle:
        process, pipe = idle.pop()
        try:
            pipe.send(task)
        except OSError:
            _end(process, pipe)
            continue
        return process, pipe
    process, pipe = _start(context, work)
    pipe.send(task)
    return process, pipe


def _ended(busy: dict[Connection, _Worker[T]]) -> list[tuple[_Worker[T], Any]]:
    """Wait until a task ends, dies or overstays, and return those that did."""
    first = min(worker.until for worker in busy.values())
    ready = wait(list(busy), timeout=max(0.0, first - time.monotonic()))
    done: list[tuple[_Worker[T], Any]] = []
    for pipe in ready:
        worker = busy[pipe]  # type: ignore[index]  # only pipes were waited for
        try:
            done.append((worker, worker.pipe.recv()))
        except (EOFError, OSError):
            done.append((worker, Perdida.MURIO))
    late = time.monotonic()
    done += [(one, Perdida.TARDO) for one in busy.values() if one.pipe not in ready and one.until <= late]
    return done


def _how_to_start() -> str:
    """Return `fork` where it is safe: it shares the loaded catalogues and starts at once."""
    return "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"


def _start(context: Any, work: Callable[[Any], Any]) -> tuple[Any, Connection]:
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(work, theirs, ours), daemon=True)
    # What Python runs around a fork swallows an exception, and the child may get it instead: a signal waits until after.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    return process, ours


def _serve(work: Callable[[Any], Any], pipe: Connection, parents: Connection) -> None:
    """In the child: answer tasks until the parent goes away."""
    parents.close()  # or the child would never see the parent's end
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    for which in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(which, signal.SIG_DFL)  # not the parent's handler: a closed terminal tells the whole group
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)
    # A traceback of a defect would carry what the document says.
    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  lives as long as the process
    parent = os.getppid()
    with suppress(EOFError, BrokenPipeError):
        while True:
            # A parent that was killed closes nothing that a sibling inherited too.
            while not pipe.poll(_LOOK_S):
                if os.getppid() != parent:
                    return
            pipe.send(work(pipe.recv()))


def _end(process: Any, pipe: Connection) -> None:
    pipe.close()
    if process.is_alive():
        process.kill()
    process.join()
    process.close()
