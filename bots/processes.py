"""The processes of one attempt: finding them, and ending all of them.

Known by the marker in the environment (RADICA_INTENTO). Chromium's helper processes overwrite their environment block
(seen: zygote, network service and renderer show zeroes), so two more signs count: working inside the attempt's folder,
and belonging to a session whose leader is marked. Invariant: a process without any of the signs is never touched.
"""

import os
import time
from pathlib import Path

import psutil

from bots.faults import ENV_MARKER


def family(marker: str, folder: Path | None = None) -> list[psutil.Process]:
    """All living processes of the attempt but this one. `folder` is the attempt folder, absolute."""
    found: dict[int, psutil.Process] = {}
    others: list[psutil.Process] = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        if _signed(process, marker, folder):
            found[process.pid] = process
        else:
            others.append(process)
    for process in others:
        if _session(process) in found:
            found[process.pid] = process
    return [p for p in found.values() if _alive(p)]


def kill_family(marker: str, folder: Path | None = None, *, rounds: int = 20) -> bool:
    """SIGKILL the family until none is left, at most `rounds` times 50 ms. True when none is left."""
    for _ in range(rounds):
        living = family(marker, folder)
        if not living:
            return True
        for process in living:
            _kill(process)
        time.sleep(0.05)
    return not family(marker, folder)


def _signed(process: psutil.Process, marker: str, folder: Path | None) -> bool:
    try:
        if process.environ().get(ENV_MARKER) == marker:
            return True
    except (psutil.Error, OSError):
        pass
    if folder is None:
        return False
    try:
        return Path(process.cwd()).is_relative_to(folder)
    except (psutil.Error, OSError):
        return False


def _session(process: psutil.Process) -> int:
    try:
        return os.getsid(process.pid)
    except OSError:
        return -1


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:
        return  # gone between the look and the kill: what we wanted
