"""The process that judges files a person dropped: it keeps nothing and knows neither the database nor a key.

Invariant: one order is one batch; the answer is one line of JSON with the results of every file that fitted the
limits. Norm: Res. 948 de 2026 (what the MUV would say, before it is asked).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from radica.facturas.archive import MB, Limites
from radica.facturas.sources import sources
from radica.facturas.validacion.grupos import agrupar
from radica.facturas.validacion.leer import Archivo, describir
from radica.facturas.validacion.resultado import FALLOS, Encargo, pacientes_de_lote, resultados, sin_revisar
from radica.facturas.validacion.tablas import VACIOS, catalogos_de
from radica.kernel.reader import serve

MEMORY_BYTES = 3 * 1024 * MB
CPU_S = 60
LIMITS = Limites(entries=2_000, entry_bytes=64 * MB, total_bytes=256 * MB, ratio_from=4 * MB)
_DEFECT = "el comprobador no entendió este documento"


def judge(order: Mapping[str, Any], _data: bytes) -> dict[str, Any]:
    """Judge the files of a folder. `order`: `carpeta`, `rutas`, `nombres`, `ahora`, `fecha` and `catalogos` or None."""
    catalogues = catalogos_de(Path(order["catalogos"])) if order.get("catalogos") else VACIOS
    day = date.fromisoformat(order["fecha"]) if order.get("fecha") else None
    errand = Encargo(datetime.fromisoformat(order["ahora"]), catalogues, day)
    paths = [Path(path) for path in order["rutas"]]
    given = [describir(one) for one in sources(paths, list(order["nombres"]), Path(order["carpeta"]), LIMITS)]
    errand = replace(errand, pacientes=frozenset(pacientes_de_lote(given)))
    found: list[dict[str, Any]] = []
    for number, group in enumerate(agrupar(given)):
        found += [{**one, "grupo": number} for one in _judged([given[at] for at in group], errand)]
    return {"resultados": found, "catalogos": dict(catalogues.versiones)}


def _judged(files: Sequence[Archivo], errand: Encargo) -> list[dict[str, Any]]:
    """Judge one group; a defect of ours costs that group its checks, not the batch."""
    try:
        return resultados(files, errand)
    except FALLOS:
        return sin_revisar(files, _DEFECT, errand)


if __name__ == "__main__":
    sys.exit(serve(judge, memory_bytes=MEMORY_BYTES, cpu_s=CPU_S))
