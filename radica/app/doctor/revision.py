"""What the doctor says of one thing: how it is, what was seen, how to mend it.

Invariant: only `falta` keeps something from working; every remedy is something that a person can do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Estado(StrEnum):
    """Whether a thing is well; only `falta` keeps something from working."""

    BIEN = "bien"
    AVISO = "aviso"
    FALTA = "falta"


@dataclass(frozen=True)
class Revision:
    """One thing looked at: its name, how it is, what was seen, and how to mend it."""

    nombre: str
    estado: Estado
    detalle: str
    remedio: str = ""
