"""The watched folder of a provider, filled by the hospital's system and imported by reloj.

Invariant: a file is taken only when nobody has written to it for a while, and moved to `_cargados/AAAA-MM-DD/` only
after its import was committed; what was not understood is in the provider's tray. A crash between both imports the same
files again, which creates nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from radica.custodia.store import FolderStore
from radica.facturas.intake import Summary, import_paths
from radica.facturas.review import KeyFor
from radica.facturas.tray import folder_scope
from radica.kernel.clock import Clock, civil_date
from radica.kernel.db import Database

DONE_FOLDER = "_cargados"
SETTLE_S = 15.0
"""Seconds without writes, by the file's own time, after which a file counts as complete."""
MAX_ENTRIES = 200
"""Top entries of one run; the next run takes the following ones."""


@dataclass(frozen=True)
class Looked:
    """What a look into a folder gave: entries still being written, and the summary of those imported (None: none)."""

    waiting: int
    summary: Summary | None


def import_watched(
    db: Database,
    store: FolderStore,
    folder: Path,
    prestador_id: int,
    *,
    clock: Clock,
    now_s: float,
    workdir: Path,
    key_for: KeyFor | None = None,
    settle_s: float = SETTLE_S,
) -> Looked:
    """Import what is complete in `folder`. `now_s` is the file system's present time in seconds since 1970.

    Raises OSError when the folder cannot be read, Unavailable as `import_paths`.
    """
    entries = [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith((".", "_"))]
    settled = [entry for entry in entries if now_s - _last_write(entry) >= settle_s][:MAX_ENTRIES]
    if not settled:
        return Looked(len(entries), None)
    names = [entry.name for entry in settled]
    scope = folder_scope(prestador_id)
    summary = import_paths(db, store, settled, scope, clock=clock, workdir=workdir, names=names, key_for=key_for)
    shelf = folder / DONE_FOLDER / civil_date(clock()).isoformat()
    shelf.mkdir(parents=True, exist_ok=True)
    for entry in settled:
        entry.rename(_free(shelf / entry.name))
    return Looked(len(entries) - len(settled), summary)


def _last_write(entry: Path) -> float:
    """Return the newest time of an entry and of all that is below it, in seconds since 1970."""
    times = [entry.lstat().st_mtime]
    if entry.is_dir() and not entry.is_symlink():
        times += [_last_write(child) for child in entry.iterdir()]
    return max(times)


def _free(target: Path) -> Path:
    """Return a name that is not taken: what was there stays."""
    candidate, n = target, 1
    while candidate.exists() or candidate.is_symlink():
        n += 1
        candidate = target.with_name(f"{target.stem}_{n}{target.suffix}")
    return candidate
