"""Custody: 100 KB documents sealed per second, and the whole store read, decrypted and hashed.

Floors of the same run: the same bytes written, fsynced, renamed and their folder fsynced, without hash or encryption;
and the raw SHA-256 of the same bytes in plain files (bytes come from the page cache on both sides: what is measured is
the work, not the disk). RADICA_BENCH_BLOBS says how many blobs; the goal speaks of 50,000 (5 GB).
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from radica.custodia.keyring import KeyRing
from radica.custodia.store import FolderStore

DOCUMENT = 100_000
BLOBS = int(os.environ.get("RADICA_BENCH_BLOBS", "5000"))
SEALED = 1000
ROUNDS = 5
SEAL_GOAL, READ_GOAL = 0.60, 0.80


def run() -> dict[str, Any]:
    """Measure sealing and reading in turns with their floors."""
    with tempfile.TemporaryDirectory(prefix="radica-bench-") as name:
        folder = Path(name)
        sealing = _sealing(folder)
        reading = _reading(folder)
    return {"sellado": sealing, "lectura": reading, "cumple": sealing["cumple"] and reading["cumple"]}


def _store(root: Path) -> FolderStore:
    return FolderStore(root / "custodia", KeyRing(root / "claves", root / "custodia"))


def _documents(count: int, seed: int) -> list[bytes]:
    """Return different documents that do not compress; one random body with a number of its own in front."""
    body = random.Random(seed).randbytes(DOCUMENT - 8)
    return [number.to_bytes(8, "big") + body for number in range(count)]


def _sealing(folder: Path) -> dict[str, Any]:
    """Seal one by one, as evidence comes, and floor, in turns of small batches on fresh documents."""
    store, plain = _store(folder / "sellado"), folder / "suelo"
    plain.mkdir()
    ours, floor = [], []
    batch = SEALED // ROUNDS
    for turn in range(ROUNDS):
        data = _documents(batch, turn)
        names = [hashlib.sha256(one).hexdigest() for one in data]
        ours.append(batch / _took(lambda data=data: [store.put(io.BytesIO(one)) for one in data]))
        pairs = list(zip(names, data, strict=True))
        floor.append(batch / _took(lambda pairs=pairs: [_durable(plain, *one) for one in pairs]))
    ratio = statistics.median(one / base for one, base in zip(ours, floor, strict=True))
    return {
        "documentos_por_segundo": round(statistics.median(ours)),
        "suelo_por_segundo": round(statistics.median(floor)),
        "razon": round(ratio, 2),
        "meta_razon": SEAL_GOAL,
        "documentos": SEALED,
        "kb_por_documento": DOCUMENT // 1000,
        "cumple": ratio >= SEAL_GOAL,
    }


def _durable(folder: Path, name: str, data: bytes) -> None:
    """Write bytes so that a power cut does not lose them: the least that a store can do."""
    place = folder / name[:2]
    if not place.is_dir():
        place.mkdir()
        _sync(folder)
    temporary = folder / f".{name}"
    with temporary.open("wb", buffering=0) as out:
        out.write(data)
        os.fsync(out.fileno())
    temporary.rename(place / name)
    _sync(place)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reading(folder: Path) -> dict[str, Any]:
    """Hash all blobs through the store with two threads, and the same bytes raw from plain files with two threads."""
    store, plain = _store(folder / "lectura"), folder / "crudo"
    hashes = []
    for start in range(0, BLOBS, 500):
        staged = [store.stage(io.BytesIO(one)) for one in _documents(min(500, BLOBS - start), 1000 + start)]
        hashes += [one.sha256 for one in store.settle(staged)]
    files = []
    for sha256 in hashes:
        path = plain / sha256[:2] / sha256
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.read(sha256))
        files.append(str(path))
    os.sync()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        _each(pool, store.digest, hashes)  # both sides once before: what was just written is not in the cache alike
        _each(pool, _raw, files)
        ours, floor, pairs = [], [], []
        for _ in range(ROUNDS):
            ours.append(_took(lambda: _each(pool, store.digest, hashes)))
            floor.append(_took(lambda: _each(pool, _raw, files)))
            pairs.append(floor[-1] / ours[-1])
        whole = _each(pool, store.digest, hashes) == hashes
    ratio, megabytes = statistics.median(pairs), len(hashes) * DOCUMENT / 1e6
    return {
        "mb_por_segundo": round(megabytes / statistics.median(ours)),
        "suelo_mb_por_segundo": round(megabytes / statistics.median(floor)),
        "razon": round(ratio, 2),
        "rondas_razon": [round(one, 2) for one in pairs],
        "meta_razon": READ_GOAL,
        "archivos": len(hashes),
        "iguales": whole,
        "cumple": ratio >= READ_GOAL and whole,
    }


def _each(pool: ThreadPoolExecutor, act: Callable[[str], str], names: Sequence[str]) -> list[str]:
    """Do `act` to all names in portions, one thread each at a time."""
    size = 200
    portions = [names[start : start + size] for start in range(0, len(names), size)]
    return [one for part in pool.map(lambda portion: [act(name) for name in portion], portions) for one in part]


def _raw(path: str) -> str:
    with Path(path).open("rb", buffering=0) as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _took(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
