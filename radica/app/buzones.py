"""The watched folders in which a hospital's own system leaves its files, one per provider.

Invariant: nothing is deleted: what was imported is moved to `procesados/<day>` beside it, and what is still being
written is left alone until its size stands still; links are not followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from radica.kernel.config import Settings

DONE_FOLDER = "procesados"
UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".swp")
QUIET_S = 10
"""Seconds without a change after which a file counts as whole (two looks apart must also agree)."""


def watched_folder(settings: Settings, nit: str, named: str | None) -> Path:
    """Return the folder of a provider: the one a person named, else `DATOS/buzones/<NIT>`."""
    return Path(named) if named else settings.watched / nit


def entries(folder: Path) -> list[Path]:
    """Return the files and folders that wait, by name: neither hidden ones, links, unfinished copies nor the done."""
    with os.scandir(folder) as found:
        return sorted(
            folder / one.name
            for one in found
            if one.name != DONE_FOLDER
            and not one.name.startswith((".", "~"))
            and not one.name.lower().endswith(UNFINISHED)
            and not one.is_symlink()
            and (one.is_file() or one.is_dir())
        )


def has_something(folder: Path) -> bool:
    """Tell whether anything waits in a folder; one that cannot be read is worth a worker's look, which says why."""
    try:
        return bool(entries(folder))
    except OSError:
        return True


def look(entry: Path) -> tuple[tuple[str, int, int], ...]:
    """Return name, size and time of change of all files of an entry, to compare two looks."""
    return tuple(sorted((str(path), stat.st_size, stat.st_mtime_ns) for path, stat in _files(entry)))


def is_quiet(entry: Path, *, now_s: float) -> bool:
    """Tell whether nothing of an entry changed in the last QUIET_S seconds before `now_s` (Unix seconds)."""
    changes = [max(stat.st_mtime, stat.st_ctime) for _, stat in _files(entry)]
    # An empty folder is one that is about to be filled, or that nobody misses: it stays.
    return bool(changes) and all(now_s - change >= QUIET_S for change in changes)


def _files(entry: Path) -> Iterator[tuple[Path, os.stat_result]]:
    if entry.is_file():
        yield entry, entry.stat()
        return
    for folder, _, names in os.walk(entry, followlinks=False):
        for name in names:
            path = Path(folder) / name
            yield path, path.lstat()


def put_away(folder: Path, entry: Path, day: date) -> Path:
    """Move an imported entry to `procesados/<day>`, under another name when that one is taken; return the place."""
    home = folder / DONE_FOLDER / day.isoformat()
    home.mkdir(parents=True, exist_ok=True)
    target, turn = home / entry.name, 1
    while target.exists() or target.is_symlink():
        turn += 1
        target = home / f"{entry.stem}-{turn}{entry.suffix}"
    entry.rename(target)
    return target
