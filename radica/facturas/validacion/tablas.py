"""Reference tables of the RIPS and the invoice, and the large catalogues that are loaded apart (CUPS, CIE-10).

Invariant: a catalogue that is not loaded is None, and a rule that needs it says *no decidible*, never *correcto*.
Norms: tables of SISPRO named by MUV technical document 1; coverage matrix of the same document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cups:
    """One row of table CUPSRips, the columns that rules read (empty text when the table says nothing)."""

    codigo: str
    nombre: str
    habilitado: bool
    uso: str
    quirurgico: str
    sexo: str
    ambito: str
    estancia: str
    cobertura: str
    duplicado: str
    dx_requerido: str
    minimo: str
    maximo: str


@dataclass(frozen=True)
class Catalogos:
    """The large catalogues at hand. `versiones` says which, for the verdict."""

    cups: Mapping[str, Cups] | None = field(repr=False, default=None)
    cie10: Mapping[str, str] | None = field(repr=False, default=None)
    """Code → name."""
    versiones: Mapping[str, str] = field(default_factory=dict)


VACIOS = Catalogos()
"""No large catalogue: what needs one is not decidable."""
