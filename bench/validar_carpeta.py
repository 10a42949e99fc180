"""A folder of 5,000 packages (FEV + RIPS + CUV) judged by `radica validar` with all cores, through the real command.

The floor is a plain program that reads the same files and parses them (lxml, json) with as many processes, in the same
run. The packages come from the generator of the demonstration set, so nothing real is needed.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from lxml import etree

from radica.app.demo.data import generate
from radica.app.demo.servicios import CONSULTA
from radica.kernel.clock import civil_date, system_clock

PACKAGES = 5_000
CHUNK = 64
MAX_RATIO = 25
"""Judging may take this many times what reading and parsing alone takes."""


def run(packages: int = PACKAGES) -> dict[str, Any]:
    """Measure the command and its floor; `cumple`: all files were judged, and within the ratio."""
    processes = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="radica-bench-") as name:
        folder = Path(name) / "paquetes"
        count, size = _write(folder, packages)
        floor = _floor(folder, processes)
        seconds, judged, states, peak = _command(folder, Path(name), processes)
    return {
        "paquetes": packages,
        "archivos": count,
        "mb": round(size / 1024**2, 1),
        "procesos": processes,
        "segundos": round(seconds, 1),
        "paquetes_por_segundo": round(packages / seconds, 1),
        "suelo_segundos": round(floor, 1),
        "suelo_paquetes_por_segundo": round(packages / floor, 1),
        "razon": round(seconds / floor, 1),
        "memoria_mb_del_mayor_proceso": round(peak, 1),
        "estados": states,
        "razon_maxima": MAX_RATIO,
        "carga_de_la_maquina": round(os.getloadavg()[0], 1),
        "cumple": judged == count and states.get("ilegible", 0) == 0 and seconds / floor <= MAX_RATIO,
    }


def _write(folder: Path, packages: int) -> tuple[int, int]:
    """Write the documents of the packages without their PDFs; return how many files and bytes."""
    count = size = 0
    hoy = civil_date(system_clock())
    for built in generate(seed=5, packages=packages, hoy=hoy, defects=False, scenario=CONSULTA):
        for path, data in built.contents.items():
            if path.suffix in (".xml", ".json"):
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
                count, size = count + 1, size + len(data)
    return count, size


def _floor(folder: Path, processes: int) -> float:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    began = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        done = sum(pool.imap_unordered(_parse, files, chunksize=CHUNK))
    assert done == len(files)
    return time.perf_counter() - began


def _parse(path: Path) -> int:
    data = path.read_bytes()
    if path.suffix == ".xml":
        root = etree.fromstring(data)
        for inner in root.iter("{*}Description"):
            if inner.text and inner.text.startswith("<?xml"):
                etree.fromstring(re.sub(r"^<\?xml[^>]*\?>", "", inner.text).encode())
    else:
        json.loads(data)
    return 1


def _command(folder: Path, home: Path, processes: int) -> tuple[float, int, dict[str, int], float]:
    """Run the command, and return seconds, files judged, how many of each state, and the largest process in MB."""
    answer = home / "respuesta.json"
    command = [sys.executable, "-m", "radica.app.cli", "--datos", str(home / "var"), "validar", str(folder)]
    began = time.perf_counter()
    with answer.open("wb") as out:
        done = subprocess.run([*command, "--json", "-j", str(processes)], stdout=out, timeout=1_800, check=False)
    seconds = time.perf_counter() - began
    if done.returncode not in (0, 1):
        raise SystemExit(f"radica validar ended with {done.returncode}")
    states: dict[str, int] = {}
    results = json.loads(answer.read_bytes())["resultados"]
    for one in results:
        states[one["estado"]] = states.get(one["estado"], 0) + 1
    return seconds, len(results), states, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]) if len(sys.argv) > 1 else PACKAGES), ensure_ascii=False, indent=2))
