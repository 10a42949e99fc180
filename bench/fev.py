"""One real invoice judged: opened, XSD, arithmetic and rules of sector salud; then with its three signatures.

Floors of the same run on the same bytes: lxml alone parsing the file and the documents inside it, and for signatures
the canonical form and SHA-256 of the three layers. Growth is measured on the same container with its lines repeated.
All figures are processor time of one core.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from lxml import etree

from radica.facturas.validacion import motor
from radica.facturas.validacion.abrir import abrir_xml
from radica.facturas.validacion.catalogo import contar
from radica.facturas.validacion.firma import Estado, firma_de_capa, firmas
from radica.facturas.validacion.firma_reglas import firma
from radica.facturas.validacion.modelo import Contexto, Paquete
from radica.facturas.validacion.tablas import VACIOS
from radica.kernel.clock import BOGOTA

SMALL, LARGE = "caso11_fev_attached.xml", "caso01_fev_attached.xml"
"""43 KB with three valid signatures; 180 KB."""
GOAL_RULES, GOAL_SIGNED, GOAL_GROWTH = 250, 60, 1.5
SECONDS = 2.0
_LINE = re.compile(r"<cac:InvoiceLine>.*</cac:InvoiceLine>", re.DOTALL)


def run() -> dict[str, Any]:
    """Measure; `cumple` says whether both rates and the growth are met, and all three signatures were valid."""
    folder = Path(os.environ.get("RADICA_MUESTRAS") or Path(__file__).parents[2] / "shared" / "samples")
    try:
        small, large = (folder / SMALL).read_bytes(), (folder / LARGE).read_bytes()
    except OSError:
        raise SystemExit(f"no hay documentos reales en {folder} (RADICA_MUESTRAS)") from None
    xml = abrir_xml("x", small)
    valid = [one.estado for one in firmas(xml).values()] == [Estado.VALIDA] * 3
    layers = [data for _, data in xml.capas]
    rules, signed = _rate(lambda: _judge(small, signed=False)), _rate(lambda: _judge(small, signed=True))
    parsing = _rate(lambda: [etree.fromstring(data) for data in layers])
    digests = _rate(lambda: [_digest(data) for data in layers])
    growth = _growth(large)
    return {
        "bytes": len(small),
        "reglas_por_segundo": round(rules),
        "con_tres_firmas_por_segundo": round(signed),
        "suelo_lxml_por_segundo": round(parsing),
        "suelo_resumenes_por_segundo": round(digests),
        "razon_reglas": round(rules / parsing, 3),
        "razon_firmas": round(signed / digests, 3),
        "ms_por_parte": _by_part(small),
        "crecimiento": growth,
        "metas": {"reglas": GOAL_RULES, "con_tres_firmas": GOAL_SIGNED, "crecimiento": GOAL_GROWTH},
        "cumple": valid and rules >= GOAL_RULES and signed >= GOAL_SIGNED and growth["razon"] <= GOAL_GROWTH,
    }


def _judge(data: bytes, *, signed: bool) -> None:
    """Open and judge as the house does; without signatures the part that verifies them is left out."""
    firma_de_capa.cache_clear()
    xml = abrir_xml("x", data)
    seen, package = _eyes(), Paquete(xml=xml)
    seen = replace(seen, modulo=motor.modulo_de(package))
    for part in motor.PARTES:
        if signed or part is not firma:
            list(contar(part(package, seen), seen.fecha))


def _eyes() -> Contexto:
    return Contexto(date(2026, 7, 15), datetime(2026, 7, 15, 9, tzinfo=BOGOTA), VACIOS)


def _by_part(data: bytes) -> dict[str, float]:
    """Return what each part costs, in milliseconds of processor, and the opening."""
    package = Paquete(xml=abrir_xml("x", data))
    seen = replace(_eyes(), modulo=motor.modulo_de(package))

    def once(part: motor.Parte) -> None:
        firma_de_capa.cache_clear()
        list(part(package, seen))

    costs = {"abrir": 1000 / _rate(lambda: abrir_xml("x", data), 0.4)}
    for part in motor.PARTES:
        costs[f"{part.__module__.rpartition('.')[2]}.{part.__name__}"] = 1000 / _rate(lambda part=part: once(part), 0.3)  # type: ignore[misc]
    return {name: round(cost, 3) for name, cost in costs.items()}


def _growth(large: bytes) -> dict[str, Any]:
    """Judge the large container with its lines once, twice and four times; `razon` is 1.0 when cost follows size."""
    text = large.decode("utf-8")
    lines = _LINE.search(text)
    if lines is None:
        raise SystemExit(f"{LARGE} no trae líneas")
    sizes = [text.replace(lines[0], lines[0] * times).encode() for times in (1, 2, 4)]
    costs = [1000 / _rate(lambda data=data: _judge(data, signed=True), 1.0) for data in sizes]  # type: ignore[misc]
    per_kb = [cost * 1024 / len(data) for cost, data in zip(costs, sizes, strict=True)]
    return {
        "bytes": [len(data) for data in sizes],
        "ms": [round(cost, 2) for cost in costs],
        "ms_por_kb": [round(cost, 4) for cost in per_kb],
        "razon": round(max(per_kb) / per_kb[0], 2),
    }


def _rate(work: Callable[[], object], seconds: float = SECONDS) -> float:
    """Return how often a second of one core does the work; the best of three turns."""
    work()
    best = 0.0
    for _ in range(3):
        times, start = 0, time.process_time()
        while (spent := time.process_time() - start) < seconds / 3:
            work()
            times += 1
        best = max(best, times / spent)
    return best


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(etree.tostring(etree.fromstring(data), method="c14n")).digest()
