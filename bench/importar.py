"""The import: packages (FEV + RIPS + CUV + 3 PDFs of 100 KB) per second into SQLite through the real intake.

The floor is a plain program that parses, hashes, writes durably and inserts the same bytes, in the same run, each in a
process of its own. Processor time stands beside wall time, because a busy machine stretches only the latter.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from lxml import etree

import radica.app.tables  # noqa: F401 - the session must know every table
from radica.app.demo.data import build_set
from radica.app.demo.servicios import CONSULTA
from radica.app.schema import migrate
from radica.custodia.store import FolderStore
from radica.facturas.intake import BATCH, import_paths
from radica.facturas.tray import operator_scope
from radica.kernel.clock import civil_date, system_clock
from radica.kernel.db import Database

PACKAGES = 240
FILES_PER_PACKAGE = 6
ROUNDS = 3
GOAL_PER_S = 60


def run() -> dict[str, Any]:
    """Measure import and floor in turn; `cumple` says whether the goal is met and everything was imported."""
    with tempfile.TemporaryDirectory(prefix="radica-bench-") as name:
        folder = Path(name)
        build_set(
            folder / "muestra", seed=7, packages=PACKAGES, hoy=civil_date(system_clock()), defects=False, pdf_kb=100,
            scenario=CONSULTA,
        )  # fmt: skip
        rounds = [(_child("import", folder, turn), _child("floor", folder, turn)) for turn in range(ROUNDS)]
    speed = statistics.median(ours["por_segundo"] for ours, _ in rounds)
    floor = statistics.median(plain["por_segundo"] for _, plain in rounds)
    ours_cpu = min(ours["cpu_ms_por_paquete"] for ours, _ in rounds)
    floor_cpu = min(plain["cpu_ms_por_paquete"] for _, plain in rounds)
    whole = all(ours["facturas"] == PACKAGES and ours["archivos"] == PACKAGES * FILES_PER_PACKAGE for ours, _ in rounds)
    return {
        "paquetes_por_segundo": round(speed, 1),
        "rondas": [round(ours["por_segundo"], 1) for ours, _ in rounds],
        "suelo_por_segundo": round(floor, 1),
        "rondas_suelo": [round(plain["por_segundo"], 1) for _, plain in rounds],
        "razon": round(speed / floor, 2),
        "cpu_ms_por_paquete": round(ours_cpu, 2),
        "cpu_ms_por_paquete_suelo": round(floor_cpu, 2),
        "meta_por_segundo": GOAL_PER_S,
        "paquetes": PACKAGES,
        "completos": whole,
        "carga_de_la_maquina": round(os.getloadavg()[0], 1),
        "cumple": speed >= GOAL_PER_S and whole,
    }


def _child(role: str, folder: Path, turn: int) -> dict[str, Any]:
    """Run one side in a process of its own over fresh folders, and return what it printed."""
    command = [sys.executable, "-m", "bench.importar", role, str(folder / "muestra"), str(folder / f"{role}{turn}")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


# --- In the processes ---------------------------------------------------------------------------------------------


def _import(source: Path, target: Path) -> dict[str, int]:
    """Import the set as `radica importar` does."""
    url = f"sqlite:///{target / 'radica.sqlite'}"
    migrate(url)
    db, store = Database(url), FolderStore(target / "almacen")
    _start()
    summary = import_paths(db, store, [source], operator_scope("medicion"), clock=system_clock, workdir=target)
    _stop()
    db.dispose()
    return {"facturas": summary.facturas_nuevas, "archivos": sum(one.factura is not None for one in summary.archivos)}


def _floor(source: Path, target: Path) -> dict[str, int]:
    """Parse, hash, write durably and insert; folders synced and rows committed once per batch, as the import does."""
    base = sqlite3.connect(target / "suelo.sqlite", isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=NORMAL")
    base.execute("CREATE TABLE suelo (sha256 TEXT PRIMARY KEY, bytes INTEGER, nombre TEXT, tipo TEXT)")
    files = sorted(path for path in source.rglob("*") if path.is_file())
    _start()
    for start in range(0, len(files), BATCH):
        rows = [_keep(path, target) for path in files[start : start + BATCH]]
        for folder in {target / str(row[0])[:2] for row in rows}:
            _sync(folder)
        _sync(target)
        base.execute("BEGIN IMMEDIATE")
        base.executemany("INSERT OR IGNORE INTO suelo VALUES (?, ?, ?, ?)", rows)
        base.execute("COMMIT")
    _stop()
    base.close()
    return {"facturas": 0, "archivos": len(files)}


def _keep(path: Path, target: Path) -> tuple[str, int, str, str]:
    data = path.read_bytes()
    if path.suffix == ".xml":
        etree.fromstring(data)
    elif path.suffix == ".json":
        json.loads(data)
    address = hashlib.sha256(data).hexdigest()
    (target / address[:2]).mkdir(exist_ok=True)
    temporary = target / f"{address}.tmp"
    with temporary.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    temporary.rename(target / address[:2] / address)
    return address, len(data), path.name, path.suffix


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(handle)
    os.close(handle)


_clock: dict[str, float] = {}


def _start() -> None:
    _clock.update(wall=time.perf_counter(), cpu=_cpu())


def _stop() -> None:
    _clock.update(wall=time.perf_counter() - _clock["wall"], cpu=_cpu() - _clock["cpu"])


def _cpu() -> float:
    """Return user and system seconds of this process, its threads and the children it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _main(role: str, source: str, target: str) -> None:
    Path(target).mkdir()
    counted = (_import if role == "import" else _floor)(Path(source), Path(target))
    packages = sum(1 for path in Path(source).glob("*/*"))
    figures = {
        "por_segundo": packages / _clock["wall"],
        "cpu_ms_por_paquete": 1000 * _clock["cpu"] / packages,
        **counted,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    _main(*sys.argv[1:])
