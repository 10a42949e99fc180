"""Tasks for processes of a test: some end well, some kill their process, some never end."""

from __future__ import annotations

import os
import signal
import time


def hacer(task: tuple[str, int]) -> int:
    """Double a number, or do the harm that the word says."""
    what, number = task
    if what == "muere":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "sale":
        raise SystemExit(3)
    if what == "falla":
        raise RuntimeError("a secret of a patient")
    if what == "cuelga":
        time.sleep(600)
    return 2 * number
