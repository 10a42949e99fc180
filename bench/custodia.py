"""The sealing of custody: documents of 100 KB encrypted, hashed and made durable per second, one by one.

The floor writes the same bytes, fsyncs them, renames them and fsyncs their folder, without hash or encryption: the
least that any store must do. Turns of both alternate, because the disk's mood changes. (Reading and hashing what is
sealed is measured by `verificacion`.)
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from radica.custodia.keyring import KeyRing
from radica.custodia.store import FolderStore

DOCUMENT = 100_000
SEALED = 2000
ROUNDS = 10
GOAL = 0.60


def run() -> dict[str, Any]:
    """Measure sealing in turns with its floor."""
    with tempfile.TemporaryDirectory(prefix="radica-bench-") as name:
        return _sealing(Path(name))


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
        "rondas_razon": [round(one / base, 2) for one, base in zip(ours, floor, strict=True)],
        "meta_razon": GOAL,
        "documentos": SEALED,
        "kb_por_documento": DOCUMENT // 1000,
        "cumple": ratio >= GOAL,
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


def _took(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
