"""Services of a RIPS per second through the reader and all parts of the checker, with CUPS and CIE-10 loaded.

The floors are `json.loads` and orjson on the same bytes. Each size runs in a process of its own, whose largest memory
is told; linear means that the dearest size costs at most half as much again per service as the cheapest.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import orjson

from bench.rips_sinteticos import escrito
from radica.facturas.jsonsafe import load_json
from radica.facturas.validacion.modelo import Contexto, Paquete
from radica.facturas.validacion.motor import juzgar
from radica.facturas.validacion.tablas import Catalogos, leer_cups

SIZES = (10_000, 30_000, 100_000)
ROUNDS = 3
GOAL_PER_S = 20_000
GOAL_MB = 300
GOAL_SPREAD = 1.5
_DAY = date(2026, 3, 31)
_CUPS = (
    b"Codigo,Nombre,Habilitado,Extra_I:Uso,Extra_VI:Sexo,Extra_IX:Cobertura\n890701,A,SI,AC,Z,01\n902210,B,SI,AP,Z,01\n"
)


def run() -> dict[str, Any]:
    """Measure each size in its own process; `cumple` says whether speed, memory and growth meet their goals."""
    found = [_child(size) for size in SIZES]
    slowest = min(one["servicios_por_segundo"] for one in found)
    costs = [1 / one["servicios_por_segundo"] for one in found]
    spread = max(costs) / min(costs)
    memory = found[-1]["memoria_mb"]
    return {
        "servicios_por_segundo": slowest,
        "meta_servicios_por_segundo": GOAL_PER_S,
        "tamanos": found,
        "razon_con_json_loads": found[-1]["razon_con_json_loads"],
        "crecimiento_por_servicio": round(spread, 2),
        "memoria_mb": memory,
        "meta_memoria_mb": GOAL_MB,
        "cumple": slowest >= GOAL_PER_S and memory < GOAL_MB and spread <= GOAL_SPREAD,
    }


def _child(size: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.rips", str(size)], capture_output=True, text=True, check=True, timeout=300
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _measure(size: int) -> dict[str, Any]:
    """Return the figures of one size. The memory is that of reading and judging; the floors run after it is told."""
    data = escrito(size)
    count = size // 20 * 20
    context = Contexto(
        _DAY,
        datetime(2026, 11, 22, 8, 0),  # noqa: DTZ001  civil time of Colombia
        Catalogos(cups=leer_cups(_CUPS), cie10={"J189": ""}),
    )
    whole, reading, said = [], [], 0
    for _ in range(ROUNDS):
        start = time.process_time()
        value, _repaired = load_json(data)
        read = time.process_time()
        said = len(juzgar(Paquete(rips=value), replace(context)))
        whole.append(time.process_time() - start)
        reading.append(read - start)
        del value
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    floors = {name: _fastest(reader, data) for name, reader in (("json_loads", json.loads), ("orjson", orjson.loads))}
    return {
        "servicios": count,
        "mb": round(len(data) / 1e6, 1),
        "servicios_por_segundo": round(count / min(whole)),
        "solo_leer_por_segundo": round(count / min(reading)),
        "suelo_json_loads_por_segundo": round(count / floors["json_loads"]),
        "suelo_orjson_por_segundo": round(count / floors["orjson"]),
        "razon_con_json_loads": round(floors["json_loads"] / min(whole), 3),
        "hallazgos": said,
        "memoria_mb": memory,
    }


def _fastest(reader: Any, data: bytes) -> float:
    spent = []
    for _ in range(ROUNDS):
        start = time.process_time()
        reader(data)
        spent.append(time.process_time() - start)
    return min(spent)


if __name__ == "__main__":
    print(json.dumps(_measure(int(sys.argv[1]))))
