"""A temporary folder for strangers' files that does not outlive the command, however the command ends.

Invariant: the folder is removed on the way out, also when the process is told to end (SIGTERM, SIGHUP); what one that
was killed left behind is removed by the next, which knows it by the lock that nobody holds any more. Norm: Ley 1581 de
2012 (health data stays nowhere that nobody asked for).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_LOCK = ".en-uso"
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
_AGAIN_S = 0.01


@contextmanager
def carpeta_propia(prefijo: str) -> Iterator[Path]:
    """Yield a folder of mode 0700 that is gone afterwards; first removes those of the same prefix that were left."""
    _sweep(Path(tempfile.gettempdir()), prefijo)
    with _ends_as_interruption(), tempfile.TemporaryDirectory(prefix=prefijo) as name:
        folder = Path(name)
        with (folder / _LOCK).open("w", encoding="ascii") as held:
            fcntl.lockf(held, fcntl.LOCK_EX)  # of this process only: what it forks off does not hold it
            inside = folder / "d"
            inside.mkdir()
            yield inside


def _sweep(where: Path, prefijo: str) -> None:
    """Remove the folders that nobody uses; one without a lock yet is just being made, and stays."""
    for folder in where.glob(f"{prefijo}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            with (folder / _LOCK).open("r+", encoding="ascii") as lock:
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue


@contextmanager
def _ends_as_interruption() -> Iterator[None]:
    """Turn the signals that end a process into Ctrl-C while inside, so that what was opened is closed."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what a signal does
        return
    complain, heard = sys.unraisablehook, False

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        nonlocal heard
        heard = True
        raise KeyboardInterrupt

    def again(lost: sys.UnraisableHookArgs) -> None:
        # Raised where Python swallows it (a finalizer): it is raised anew a little later.
        if issubclass(lost.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)  # not at once: here it would be swallowed too
        else:
            complain(lost)

    sys.unraisablehook = again
    before = {which: signal.getsignal(which) for which in _ENDS}
    for which, handler in before.items():
        if handler in (signal.SIG_DFL, signal.default_int_handler):  # one that is ignored (nohup) stays so
            signal.signal(which, interrupt)
    try:
        yield
        if heard:
            raise KeyboardInterrupt  # swallowed without a word: whoever asked is answered here at the latest
        sys.unraisablehook = complain
    except KeyboardInterrupt:
        sys.unraisablehook = lambda _: None  # it ends: what half-made things complain of on the way is no news
        raise
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
