"""The process that judges files a person dropped: it keeps nothing and knows neither the database nor a key.

Invariant: one order is one batch; the answer is one line of JSON with the result of every file, those that showed only
beside another invoice included. Norm: Res. 948 de 2026 (what the MUV would say, before it is asked).
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from radica.app.validar.carpetas import habla_de
from radica.facturas.archive import MB, Limites
from radica.facturas.sources import sources
from radica.facturas.validacion.grupos import agrupar
from radica.facturas.validacion.leer import Archivo, describir
from radica.facturas.validacion.lote import Huellas, entre_huellas
from radica.facturas.validacion.resultado import (
    FALLOS,
    Encargo,
    agregar,
    juzgados,
    pacientes_de_lote,
    sin_revisar,
)
from radica.facturas.validacion.tablas import VACIOS, catalogos_de
from radica.kernel.reader import serve

MEMORY_BYTES = 3 * 1024 * MB
CPU_S = 60
LIMITS = Limites(entries=2_000, entry_bytes=64 * MB, total_bytes=256 * MB, ratio_from=4 * MB)
_DEFECT = " (el comprobador no entendió este documento)"


def judge(order: Mapping[str, Any], _data: bytes) -> dict[str, Any]:
    """Judge the files of a folder. `order`: `carpeta`, `rutas`, `nombres`, `ahora`, `fecha` and `catalogos` or None."""
    catalogues = catalogos_de(Path(order["catalogos"])) if order.get("catalogos") else VACIOS
    day = date.fromisoformat(order["fecha"]) if order.get("fecha") else None
    errand = Encargo(datetime.fromisoformat(order["ahora"]), catalogues, day)
    paths = [Path(path) for path in order["rutas"]]
    given = [describir(one) for one in sources(paths, list(order["nombres"]), Path(order["carpeta"]), LIMITS)]
    return {"resultados": _results(given, errand), "catalogos": dict(catalogues.versiones)}


def _results(given: Sequence[Archivo], errand: Encargo) -> list[dict[str, Any]]:
    """Judge the files by invoice, then the invoices beside each other; each result names its group."""
    groups = agrupar(given)
    if len(groups) > 1:
        patients = frozenset(pacientes_de_lote(given))
        errand = replace(errand, clave=secrets.token_bytes(32), pacientes=patients)
    found: dict[int, dict[str, Any]] = {}
    prints: list[tuple[tuple[int, ...], Huellas]] = []
    for number, group in enumerate(groups):
        results, print_ = _judged([given[at] for at in group], errand)
        found.update((at, {**one, "grupo": number}) for at, one in zip(group, results, strict=True))
        if print_ is not None:
            prints.append((group, print_))
    for index, one in entre_huellas(each for _, each in prints):
        at = habla_de([(at, given[at]) for at in prints[index][0]], one)
        found[at] = agregar(found[at], [one], errand)
    return [found[at] for at in sorted(found)]


def _judged(files: Sequence[Archivo], errand: Encargo) -> tuple[list[dict[str, Any]], Huellas | None]:
    """Judge one group; a defect of ours costs that group its checks, not the batch."""
    try:
        return juzgados(files, errand)
    except FALLOS:
        return sin_revisar(files, _DEFECT, errand), None


if __name__ == "__main__":
    sys.exit(serve(judge, memory_bytes=MEMORY_BYTES, cpu_s=CPU_S))
