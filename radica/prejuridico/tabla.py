"""The two tracks as data: which chapters a dossier has, which documents go in, in which order, under which norm.

Invariant: a document of a kind that the table does not name is refused at once; what a track leaves out has no order
there. Marks of certainty as in the facts: V read, V-sec in secondary sources, M from memory, D our own design.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Clase:
    """A kind of document. `orden` by track: its place in its chapter, absent when the track leaves it out."""

    clave: str
    capitulo: str
    tipologia: str
    nombre_base: str
    orden: dict[str, int]
    norma: str
    certeza: str


@cache
def capitulos(via: str) -> tuple[tuple[str, str], ...]:
    """Return key and title of the chapters of a track, in order."""
    rows = sorted(_rows("capitulos.csv"), key=lambda row: int(row[via]))
    return tuple((row["clave"], row["titulo"]) for row in rows)


@cache
def clases() -> dict[str, Clase]:
    """Return the kinds of document by their key."""
    return {
        row["clave"]: Clase(
            row["clave"],
            row["capitulo"],
            row["tipologia"],
            row["nombre_base"],
            {via: int(row[via]) for via in ("ejecutivo", "declarativo") if row[via]},
            row["norma"],
            row["certeza"],
        )
        for row in _rows("documentos.csv")
    }


@cache
def clase_de_pieza(clase: str) -> str:
    """Return the key of the kind that a sealed piece of an envío or meeting is; `evidencia` when no row names it."""
    return next((row["clave"] for row in _rows("documentos.csv") if clase in row["clases"].split("|")), "evidencia")


@cache
def control() -> tuple[dict[str, str], ...]:
    """Return the rows of the checklist of the lawsuit."""
    return tuple(_rows("control.csv"))


def _rows(name: str) -> list[dict[str, str]]:
    with files("radica.prejuridico").joinpath("data", name).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
