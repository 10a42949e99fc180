"""A progress bar on standard error for whatever takes longer than two seconds.

Invariant: standard output is never touched; where nobody watches (no terminal) it writes a line now and then instead
of moving a bar.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self, TextIO

QUIET_S = 2.0
"""What ends sooner than this shows nothing."""
LINE_EVERY_S = 10.0
REDRAW_S = 0.1
WIDTH = 30


class Bar:
    """Shows `done` of `of`; a context manager that leaves a finished line behind."""

    def __init__(self, title: str, *, out: TextIO | None = None) -> None:
        self._title = title
        self._out = out or sys.stderr
        self._live = self._out.isatty()
        self._began = time.monotonic()
        self._next = self._began + QUIET_S
        self._last = (0, 0)
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if self._shown and kind is None:
            self._write(*self._last, final=True)
        elif self._shown and self._live:
            self._out.write("\n")

    def show(self, done: int, of: int, note: str = "") -> None:
        """Say how far the work is; draws only when it is time to."""
        self._last = (done, of)
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (REDRAW_S if self._live else LINE_EVERY_S)
        self._shown = True
        self._write(done, of, note=note)

    def _write(self, done: int, of: int, *, note: str = "", final: bool = False) -> None:
        elapsed = int(time.monotonic() - self._began)
        tail = f" {note}" if note else ""
        if not self._live:
            self._out.write(f"{self._title}: {done} de {of} ({elapsed} s){tail}\n")
        else:
            full = WIDTH * done // of if of else 0
            line = f"{self._title} [{'█' * full}{'·' * (WIDTH - full)}] {done}/{of} {elapsed} s{tail}"
            self._out.write(f"\r\x1b[K{line[:110]}" + ("\n" if final else ""))
        self._out.flush()
