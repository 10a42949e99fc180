"""The verification of custody: MB per second of blobs that are hashed again, encrypted on disk, with their rows.

The floor hashes the same bytes, plain, as files of the same sizes, with as many threads, in the same run: what any
program must do at least. Ours decrypts, authenticates, reads the rows and writes how far it came besides. The sizes go
round 10, 30, 100 and 260 KB. `RADICA_BENCH_MB` and `RADICA_BENCH_BLOBS` set another amount (5000 and 50000: the goal's).
"""

from __future__ import annotations

import hashlib
import io
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import radica.app.tables  # noqa: F401 - the session must know every table
from radica.app.schema import migrate
from radica.custodia.keyring import KeyRing
from radica.custodia.models import Blob
from radica.custodia.store import FolderStore
from radica.custodia.verificar import PERSONA, Medios, start
from radica.custodia.verificar import run as verify
from radica.custodia.verificar_base import Alcance
from radica.kernel.clock import system_clock
from radica.kernel.db import Database, insert_rows

MB = int(os.environ.get("RADICA_BENCH_MB", "500"))
BLOBS = int(os.environ.get("RADICA_BENCH_BLOBS", "5000"))
THREADS = 2
ROUNDS = 3
GOAL = 0.8
SHARES = (10, 30, 100, 260)
"""Relative sizes, in turn: their mean is 100."""
SLICE = 16
_cpu: dict[str, list[float]] = {"nuestro": [], "suelo": []}


def run() -> dict[str, Any]:
    """Measure verification and floor in turn; `cumple` says whether the goal is met and nothing was found."""
    with tempfile.TemporaryDirectory(prefix="radica-bench-") as name:
        folder = Path(name)
        db, store, size = _fill(folder)
        plain = sorted((folder / "planos").rglob("*.bin"))
        rounds = [(_ours(db, store), _floor(plain)) for _ in range(ROUNDS)]
        db.dispose()
    ours = [size / 1e6 / seconds for (seconds, _), _ in rounds]
    floor = [size / 1e6 / seconds for _, seconds in rounds]
    # Rounds stand side by side: what else the machine does in one weighs on both of its sides.
    ratio = statistics.median(mine / plain for mine, plain in zip(ours, floor, strict=True))
    whole = all(seen == (BLOBS, size) for (_, seen), _ in rounds)
    return {
        "mb_por_segundo": round(statistics.median(ours)),
        "rondas": [round(one) for one in ours],
        "suelo_mb_por_segundo": round(statistics.median(floor)),
        "rondas_suelo": [round(one) for one in floor],
        "razon": round(ratio, 2),
        "cpu_us_por_blob": round(min(_cpu["nuestro"])),
        "cpu_us_por_blob_suelo": round(min(_cpu["suelo"])),
        "meta_razon": GOAL,
        "blobs": BLOBS,
        "mb": round(size / 1e6),
        "hilos_de_cada_lado": THREADS,
        "cifrado": True,
        "completa": whole,
        "cumple": ratio >= GOAL and whole,
    }


def _fill(folder: Path) -> tuple[Database, FolderStore, int]:
    """Make the blobs, encrypted with their rows, and the same bytes as plain files in folders alike."""
    url = f"sqlite:///{folder / 'radica.sqlite'}"
    migrate(url)
    db = Database(url)
    store = FolderStore(folder / "custodia", KeyRing(folder / "claves", folder / "custodia"))
    unit = MB * 1_000_000 // BLOBS // 100
    total = 0
    for first in range(0, BLOBS, 500):
        contents = [os.urandom(unit * SHARES[at % len(SHARES)]) for at in range(first, min(first + 500, BLOBS))]
        staged = [store.stage(io.BytesIO(one)) for one in contents]
        stored = store.settle(staged)
        for one, data in zip(stored, contents, strict=True):
            place = folder / "planos" / one.sha256[:2]
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{one.sha256}.bin").write_bytes(data)
        rows = [{"sha256": one.sha256, "bytes": one.bytes, "stored_at": system_clock()} for one in stored]
        with db.write() as session:
            insert_rows(session, Blob, rows)
        total += sum(len(one) for one in contents)
    os.sync()
    return db, store, total


def _ours(db: Database, store: FolderStore) -> tuple[float, tuple[int, int]]:
    """Verify everything; return the seconds, and how many blobs of how many bytes were found whole."""
    number = start(db, Alcance(), origen=PERSONA, actor="medicion", at=system_clock())
    begun, cpu = time.perf_counter(), time.process_time()
    ended = verify(db, store, number, clock=system_clock, medios=Medios(hilos=THREADS))
    seconds = time.perf_counter() - begun
    _cpu["nuestro"].append((time.process_time() - cpu) / BLOBS * 1e6)
    return seconds, (ended.cuentas["blobs"] if not ended.tipos else 0, ended.bytes)


def _floor(paths: Sequence[Path]) -> float:
    begun, cpu = time.perf_counter(), time.process_time()
    slices = [paths[start : start + SLICE] for start in range(0, len(paths), SLICE)]
    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        wrong = sum(pool.map(_hash_plain, slices))
    assert not wrong
    _cpu["suelo"].append((time.process_time() - cpu) / BLOBS * 1e6)
    return time.perf_counter() - begun


def _hash_plain(paths: Sequence[Path]) -> int:
    wrong = 0
    for path in paths:
        with path.open("rb", buffering=0) as source:
            wrong += hashlib.file_digest(source, "sha256").hexdigest() != path.stem
    return wrong
