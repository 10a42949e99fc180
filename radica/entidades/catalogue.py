"""The small catalogue of payers known from public sources: which kind of payer a NIT is, and how its portal behaves.

Invariant: an unknown NIT is DESCONOCIDO, never guessed; whoever asks for terms treats it as a payer with terms
(the prudent side). Marks: V read in a real document, V-sec in a secondary source, M from memory, to be confirmed.
Norm: the kinds follow the definitions of payers in Res. 948/2026 (responsible entities, other payers, ADRES).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files

MARKS = ("V", "V-sec", "M")


class TipoPagador(StrEnum):
    """Kind of payer, as far as it changes which terms and checks apply."""

    EPS = "EPS"
    SOAT = "SOAT"
    ADRES = "ADRES"
    ARL = "ARL"
    OTRO = "OTRO"
    DESCONOCIDO = "DESCONOCIDO"


@dataclass(frozen=True)
class PagadorConocido:
    """One payer of the catalogue. `nit` has no check digit and is empty when not known; `arquetipo` is P1-P7."""

    nombre: str
    nit: str
    tipo: TipoPagador
    arquetipo: str
    marca: str
    nota: str

    @property
    def por_confirmar(self) -> bool:
        """Say whether a person should confirm NIT or kind before relying on the entry."""
        return self.marca != "V" or not self.nit


def parse_payers(text: str) -> tuple[PagadorConocido, ...]:
    """Read the catalogue (CSV with header). Raises ValueError naming the line that is wrong."""
    found: list[PagadorConocido] = []
    for line, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        nit = row["nit"]
        if row["marca"] not in MARKS or not row["nombre"] or row["tipo"] == TipoPagador.DESCONOCIDO:
            raise ValueError(f"pagadores.csv line {line}: mark, name or kind")
        if nit and not (nit.isascii() and nit.isdigit() and len(nit) == 9):
            raise ValueError(f"pagadores.csv line {line}: the NIT has nine digits and no check digit")
        if nit and any(other.nit == nit for other in found):
            raise ValueError(f"pagadores.csv line {line}: NIT given twice")
        try:
            kind = TipoPagador(row["tipo"])
        except ValueError as wrong:
            raise ValueError(f"pagadores.csv line {line}: {wrong}") from wrong
        found.append(PagadorConocido(row["nombre"], nit, kind, row["arquetipo"], row["marca"], row["nota"]))
    return tuple(found)


@lru_cache(maxsize=1)
def known_payers() -> tuple[PagadorConocido, ...]:
    """Return the whole catalogue, those without a known NIT too."""
    return parse_payers(files("radica.entidades").joinpath("data", "pagadores.csv").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _by_nit() -> Mapping[str, PagadorConocido]:
    return {payer.nit: payer for payer in known_payers() if payer.nit}


def payer_by_nit(nit: str) -> PagadorConocido | None:
    """Return the known payer with this NIT (dots and a `-d` check digit are ignored), or None."""
    bare = nit.split("-", 1)[0].replace(".", "").replace(" ", "")
    return _by_nit().get(bare)


def kind_by_nit(nit: str) -> TipoPagador:
    """Return the kind of payer of this NIT; DESCONOCIDO when the catalogue does not have it."""
    payer = payer_by_nit(nit)
    return payer.tipo if payer else TipoPagador.DESCONOCIDO
