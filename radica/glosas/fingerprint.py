"""What makes two lines the same objection, so that a cumulative file or the same file renamed creates nothing.

Same objection: provider, payer, invoice, code, service (its code; its name when the file gives no code), patient,
the payer's glosa number, and the place among lines equal in all that. Not in it: the value (a higher value on the
same objection must be seen, not taken for another one), the item of the RIPS (which may be found only later), the
row, the sheet, the file's name and the reason's wording, which payers rewrite from one file to the next.
Norm: Ley 1438/2011 art. 57 (once formulated, an invoice gets no new glosas but from new facts).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from radica.facturas.texts import fold

VERSION = "1"
"""Stands first in what is hashed: another rule gets another number, and old fingerprints stay what they were."""

_NOISE = re.compile(r"[^0-9A-Z]+")
# Kinds of identity document that programs write before the number (Res. 948/2026, table of RIPS).
_DOCUMENT = re.compile(r"(?:CC|TI|RC|CE|PA|PT|PE|CN|CD|SC|DE|SI|MS|AS|NIT|NUIP|NV|NI|NU)([0-9]{3,})")


class Rasgos(NamedTuple):
    """What tells objections of one invoice apart; each text in comparable form, empty when the file does not say it."""

    codigo: str
    numero: str
    servicio: str
    descripcion: str
    paciente: str

    @property
    def clave(self) -> tuple[str, str, str, str]:
        """The key of equal lines: the service by its code, by its name only when there is no code."""
        return self.codigo, self.numero, self.servicio or self.descripcion, self.paciente


@lru_cache(maxsize=20_000)
def bare(text: str | None) -> str:
    """Return a code or number in capitals without separators: ` 39-145.b ` is `39145B`."""
    return _NOISE.sub("", text.upper()) if text else ""


@lru_cache(maxsize=20_000)
def document(text: str | None) -> str:
    """Return an identity document without its kind and separators: `CC 1.098.765` is `1098765`. Health data."""
    plain = bare(text)
    kind = _DOCUMENT.fullmatch(plain)
    return (kind[1] if kind else plain).lstrip("0")


@lru_cache(maxsize=20_000)
def words(text: str | None) -> str:
    """Return a name of a service in small letters without accents, as long as the column that keeps it."""
    return fold(text[:300]) if text else ""


def rasgos(
    codigo: str | None,
    numero_glosa: str | None,
    servicio: str | None,
    descripcion: str | None,
    paciente_documento: str | None,
) -> Rasgos:
    """Return the traits of a line read or of a glosa kept: both give the same for the same objection."""
    return Rasgos(bare(codigo), bare(numero_glosa), bare(servicio), words(descripcion), document(paciente_documento))


def huella(prestador_id: int, pagador_id: int, factura_id: int, traits: Rasgos, ordinal: int) -> str:
    """Return the fingerprint of the `ordinal`-th (from 1) of equal objections: SHA-256 in hex."""
    parts = (VERSION, str(prestador_id), str(pagador_id), str(factura_id), *traits.clave, str(ordinal))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


SPECIFIC = 4
"""Letters and figures of a specific concept (TA08); its applications (TA0801) add two."""


class Par(StrEnum):
    """What an incoming line is against the objections that stand."""

    NUEVA = "nueva"
    IGUAL = "igual"
    MAYOR = "mayor_valor"
    MENOR = "menor_valor"


@dataclass(frozen=True, slots=True)
class Existente:
    """An objection that stands: its value as it came (centavos) and its traits."""

    id: int
    valor: int
    traits: Rasgos


def pair(values: Sequence[int], standing: Sequence[Existente]) -> list[tuple[Par, Existente | None]]:
    """Say for each incoming value of one group of equal lines which standing objection of the group it is.

    Equal values meet first, so that a file in another order changes nothing; what is left meets by size. One value
    that is the sum of all that is left is those objections together (an increase that was loaded apart).
    """
    if not standing:
        return [(Par.NUEVA, None)] * len(values)
    by_value: dict[int, list[Existente]] = {}
    for one in reversed(standing):
        by_value.setdefault(one.valor, []).append(one)
    answer: dict[int, tuple[Par, Existente | None]] = {}
    for index, value in enumerate(values):
        if by_value.get(value):
            answer[index] = (Par.IGUAL, by_value[value].pop())
    left = [one for rows in by_value.values() for one in rows]
    open_ = sorted((index for index in range(len(values)) if index not in answer), key=lambda index: values[index])
    if len(open_) == 1 and len(left) > 1 and sum(one.valor for one in left) == values[open_[0]]:
        return [answer.get(index, (Par.IGUAL, left[0])) for index in range(len(values))]
    left.sort(key=lambda one: (one.valor, one.id))
    for index, one in zip(open_, left, strict=False):
        answer[index] = (Par.MAYOR if values[index] > one.valor else Par.MENOR, one)
    return [answer.get(index, (Par.NUEVA, None)) for index in range(len(values))]


def alike(traits: Rasgos, valor: int, standing: Sequence[Existente]) -> Existente | None:
    """Return a standing objection that could be this line told by a file with more or fewer columns, or None.

    Same code, value and known traits, where one of the two leaves something out that the other says: nobody can tell
    from the files whether it is one objection or two, so a person decides.
    """
    for one in standing:
        if one.valor == valor and one.traits.codigo == traits.codigo and one.traits.clave != traits.clave:
            pairs = list(zip(one.traits[1:], traits[1:], strict=True))
            if all(mine == other or not mine or not other for mine, other in pairs):
                return one
    return None


def retold(traits: Rasgos, valor: int, standing: Sequence[Existente]) -> Existente | None:
    """Return a standing objection that could be this line under another number, or a code told finer; or None.

    Same value, service and patient; give only objections that no other line of the file is.
    """
    for one in standing:
        mine, other = one.traits.codigo, traits.codigo
        finer = len(mine) != len(other) and min(len(mine), len(other)) >= SPECIFIC
        kin = mine == other or (finer and mine[:SPECIFIC] == other[:SPECIFIC])
        if one.valor == valor and kin and one.traits.clave[2:] == traits.clave[2:]:
            return one
    return None


def next_ordinal(
    taken: Collection[str], prestador_id: int, pagador_id: int, factura_id: int, traits: Rasgos
) -> tuple[int, str]:
    """Return the first free place among equal objections, and its fingerprint."""
    ordinal = 1
    while (mark := huella(prestador_id, pagador_id, factura_id, traits, ordinal)) in taken:
        ordinal += 1
    return ordinal, mark
