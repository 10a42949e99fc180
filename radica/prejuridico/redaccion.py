"""Leaving other patients out of what one invoice says of many. Pure.

Invariant: what is left is byte for byte the member that stood there, under the same members; what was left out is
counted and the original is named by its hash; a signed XML is never cut. Norms: Ley 1581/2012 arts. 4, 5 and 6 lit. d.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from radica.facturas.fev import Fev

_PERSONAL = (
    "NUMERO_DOCUMENTO_IDENTIFICACION",
    "NUMERO_IDENTIFICACION",
    "NUM_DOCUMENTO_IDENTIFICACION",
    "PRIMER_NOMBRE",
    "PRIMER_APELLIDO",
)

_LEAST = 4
"""Characters below which a number is no document to look for."""
_OBSERVATIONS = "resultadosvalidacion"


@dataclass(frozen=True)
class RipsRedactado:
    """A RIPS with some of its patients: its bytes, how many stay, how many there were."""

    datos: bytes
    quedan: int
    total: int


def rips_de(value: Mapping[str, Any], usuarios: Collection[int], *, original: str) -> RipsRedactado | None:
    """Return a RIPS with the patients of these numbers (their `consecutivo`, else their place) and a note of what it is.

    `original` is the SHA-256 of the whole. None when the value has no list of patients.
    """
    people = value.get("usuarios")
    if not isinstance(people, list):
        return None
    kept = [one for place, one in enumerate(people, 1) if number_of(one, place) in usuarios]
    note = (
        f"Copia redactada por el prestador: quedan {len(kept)} de {len(people)} usuarios. "
        f"El original, de SHA-256 {original}, sigue en custodia."
    )
    document = {"_redaccion": note, **{key: item for key, item in value.items() if key != "usuarios"}, "usuarios": kept}
    text = json.dumps(document, ensure_ascii=False, indent=1, default=_number)
    return RipsRedactado(text.encode("utf-8"), len(kept), len(people))


def documentos_ajenos(value: Mapping[str, Any], usuarios: Collection[int]) -> frozenset[str]:
    """Return the document numbers that a RIPS has of the patients who are none of these."""
    people = value.get("usuarios")
    rows = enumerate(people if isinstance(people, list) else [], 1)
    found = {str(one.get("numDocumentoIdentificacion") or "").strip(): number_of(one, place) for place, one in rows
             if isinstance(one, Mapping)}  # fmt: skip
    return frozenset(number for number, who in found.items() if who not in usuarios and len(number) >= _LEAST)


def nombra(datos: bytes, documentos: Collection[str]) -> bool:
    """Say whether some bytes hold one of these document numbers as a word of its own."""
    text = datos.decode("utf-8", "replace")
    return any(re.search(rf"(?<![0-9A-Za-z]){re.escape(one)}(?![0-9A-Za-z])", text) for one in documentos)


def cuv_de(value: Any, *, original: str) -> bytes | None:
    """Return a result of the MUV without its observations, which quote values of the patients; None when it has none.

    `original` is the SHA-256 of the whole.
    """
    bare, left = _without(value)
    if not left or not isinstance(bare, dict):
        return None
    note = f"Copia redactada por el prestador, sin {left} observaciones. El original, de SHA-256 {original}, sigue en custodia."
    return json.dumps({"_redaccion": note, **bare}, ensure_ascii=False, indent=1, default=_number).encode("utf-8")


def _without(value: Any) -> tuple[Any, int]:
    """Return a value without its lists of observations, and how many those had."""
    if not isinstance(value, Mapping):
        return value, 0
    kept, left = {}, 0
    for key, item in value.items():
        if str(key).lower() == _OBSERVATIONS and isinstance(item, list):
            left += len(item)
            continue
        kept[key], more = _without(item)
        left += more
    return kept, left


def number_of(user: object, place: int) -> int:
    """Return the number by which a RIPS tells its patients apart: `consecutivo`, or the place (from 1) without one."""
    said = user.get("consecutivo") if isinstance(user, Mapping) else None
    text = str(said).strip()
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 9 and int(text) else place


def nombra_a_otros(fev: Fev) -> bool:
    """Say whether the block of sector salud names more than one person (its historical form does)."""
    return any(len(fev.salud_values(name)) > 1 for name in _PERSONAL)


def _number(value: object) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    raise TypeError("not JSON")
