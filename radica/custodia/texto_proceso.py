"""The house's side of reading words: hands bytes to `texto_hijo` and never opens a document itself.

Invariant: every document has a time limit; one that ends its reader is `ilegible` and the next goes to a new reader.
What a reader that died would have said is not looked at: it may quote a patient.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import radica
from radica.custodia.texto import MAX_WORD, MAX_WORDS_PER_BLOB, Leido

COMMAND = (sys.executable, "-m", "radica.custodia.texto_hijo")
READ_S = 20.0
MAX_BYTES = 64 * 1024 * 1024
"""Longer documents are not read."""
MAX_LINE = 4 * MAX_WORDS_PER_BLOB * MAX_WORD
PER_READER = 200
"""Documents after which a reader is replaced: its memory and its time are limited as a whole."""
_KEEP_ENV = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONSAFEPATH")
_OUTCOMES = frozenset({"indexado", "sin_texto", "ilegible", "otro_formato"})
ILEGIBLE = Leido("ilegible", frozenset())


class Reader:
    """One reader process at a time, made when it is needed. Use as a context manager."""

    def __init__(self, *, read_s: float = READ_S, command: Sequence[str] = COMMAND) -> None:
        self._read_s, self._command = read_s, list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._given = 0

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def words(self, data: bytes) -> Leido:
        """Return what is in a document; `ilegible` when it is too long, or its reader dies or takes too long."""
        if len(data) > MAX_BYTES:
            return ILEGIBLE
        if self._process is None or self._given >= PER_READER:
            self._start()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        self._given += 1
        # A reader that hangs before it took all the bytes would block us: the writing has a thread of its own.
        writer = threading.Thread(target=_hand_over, args=(process, data), daemon=True)
        writer.start()
        try:
            line = self._lines.get(timeout=self._read_s)
        except queue.Empty:
            line = b""
        found = _understood(line)
        if found is None:
            self._end()
            return ILEGIBLE
        writer.join(timeout=self._read_s)
        return found

    def _start(self) -> None:
        self._end()
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEEP_ENV if name in os.environ},
            cwd=Path(radica.__file__).parent.parent,
        )
        self._process, self._given, self._lines = process, 0, queue.SimpleQueue()
        threading.Thread(target=_listen, args=(process, self._lines), daemon=True).start()

    def _end(self) -> None:
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


def _listen(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    assert process.stdout is not None
    with process.stdout as out:
        while line := out.readline(MAX_LINE):
            lines.put(line)
    lines.put(b"")


def _hand_over(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps({"bytes": len(data)}).encode() + b"\n")
        process.stdin.write(data)
        process.stdin.flush()
    except (OSError, ValueError):
        return  # the reader is gone; who waits for its answer finds out


def _understood(line: bytes) -> Leido | None:
    """Read an answer as what it is: words from a process that opened a stranger's file."""
    try:
        value = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    if not isinstance(value, dict) or value.get("resultado") not in _OUTCOMES:
        return None
    words = value.get("palabras")
    if not isinstance(words, list) or len(words) > MAX_WORDS_PER_BLOB:
        return None
    kept = frozenset(one for one in words if isinstance(one, str) and 0 < len(one) <= MAX_WORD)
    return Leido(str(value["resultado"]), kept)
