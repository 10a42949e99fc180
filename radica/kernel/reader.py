"""Processes that open strangers' files for the house: orders go in over a pipe, one JSON line comes back for each.

Invariant: a file that crashes, hangs or swells its reader takes only that process, which has limits of memory and
processor time and holds neither keys nor the database's address; who waits has a deadline. What a reader that died
would have said is not looked at: it may quote a patient. Both ends stand here: `ReaderProcess` asks, `serve` answers.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import radica

PER_READER = 200
"""Orders after which a reader is replaced: its memory and its time are limited as a whole."""
ORPHAN_S = 0.5
"""Seconds between two looks at whether who asks is alive, once its end of the pipe is closed."""
_KEEP_ENV = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONSAFEPATH")


class ReaderProcess:
    """One reader process at a time, made when it is needed. Use as a context manager, or `close` it."""

    def __init__(self, command: Sequence[str], *, read_s: float, max_line: int) -> None:
        self._read_s, self._command, self._max_line = read_s, list(command), max_line
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._given = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def line(self, order: Mapping[str, Any], data: bytes = b"") -> bytes:
        """Return the line that answers an order; empty when the reader died or took longer than `read_s` seconds."""
        if self._process is None or self._given >= PER_READER:
            self._start()
        process = self._process
        assert process is not None
        self._given += 1
        # A reader that hangs before it took all the bytes would block us: the writing has a thread of its own.
        writer = threading.Thread(target=_hand_over, args=(process, order, data), daemon=True)
        writer.start()
        try:
            line = self._lines.get(timeout=self._read_s)
        except queue.Empty:
            line = b""
        if not line.endswith(b"\n"):
            self.close()
            return b""
        writer.join(timeout=self._read_s)
        return line

    def close(self) -> None:
        """End the reader; the next order makes another."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait(timeout=10)
        assert process.stdin is not None
        try:
            process.stdin.close()
        except OSError:
            return  # the pipe held bytes for a reader that is gone

    def _start(self) -> None:
        self.close()
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEEP_ENV if name in os.environ},
            cwd=Path(radica.__file__).parent.parent,
        )
        self._process, self._given, self._lines = process, 0, queue.SimpleQueue()
        threading.Thread(target=_listen, args=(process, self._lines, self._max_line), daemon=True).start()


def serve(answer: Callable[[Mapping[str, Any], bytes], Mapping[str, Any]], *, memory_bytes: int, cpu_s: int) -> int:
    """Answer orders of the pipe until it closes: a line `{"bytes": n, …}` and n bytes each. Returns the exit code.

    `cpu_s` are seconds of processor for one order: one that never ends ends its reader, also when nobody waits for it.
    """
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    source, out = sys.stdin.buffer, sys.stdout.buffer
    while line := source.readline():
        order = json.loads(line)
        used = resource.getrusage(resource.RUSAGE_SELF)
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + cpu_s, most))
        out.write(json.dumps(answer(order, source.read(int(order["bytes"])))).encode("ascii") + b"\n")
        out.flush()
    return 0


def _end_with(parent: int) -> None:
    """End this process when the one that asks has died: nobody would take the answer, and it may be minutes of work."""
    pipe = select.poll()
    pipe.register(0, 0)  # that its other end was closed is told unasked
    pipe.poll()
    while os.getppid() == parent:
        time.sleep(ORPHAN_S)
    os._exit(1)


def _listen(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes], max_line: int) -> None:
    assert process.stdout is not None
    with process.stdout as out:
        while line := out.readline(max_line):
            lines.put(line)
    lines.put(b"")


def _hand_over(process: subprocess.Popen[bytes], order: Mapping[str, Any], data: bytes) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps({**order, "bytes": len(data)}).encode() + b"\n")
        process.stdin.write(data)
        process.stdin.flush()
    except (OSError, ValueError):
        return  # the reader is gone; who waits for its answer finds out
