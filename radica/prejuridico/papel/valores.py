"""What the PDF of the whole tells about itself: where each document stands in it, in folios.

Invariant: folios count the sheets of the whole PDF from 1 without holes; both indices (AGN and judiciary) take their
pages from here, so that the number that an index gives is the one printed on the sheet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

Progress = Callable[[int, int], None]
"""Called with documents done and documents in all."""


class Forma(StrEnum):
    """How a document stands in the PDF."""

    PAGINAS = "paginas"  # its own pages
    IMAGEN = "imagen"  # a picture set on sheets of ours
    HOJA = "hoja"  # a sheet names it; its bytes are in the bag
    ANEXO = "anexo"  # should have had pages and could not: a sheet says why


@dataclass(frozen=True)
class Tramo:
    """Where a document stands: its order in the dossier (from 1), its chapter, and its first and last folio.

    `motivo` says, of an ANEXO, why it has no pages here. `aviso` is true when a damaged file could be read after all.
    """

    orden: int
    capitulo: int
    desde: int
    hasta: int
    forma: Forma
    motivo: str = ""
    aviso: str = ""

    @property
    def paginas(self) -> int:
        """Return how many folios it takes."""
        return self.hasta - self.desde + 1


@dataclass(frozen=True)
class PdfResult:
    """The PDF that was written: its folios, those before the first chapter, and where each document stands.

    `tramos` follow `Contenido.documentos()`; `divisores` gives the folio of the sheet that opens each chapter.
    """

    ruta: Path
    folios: int
    preliminares: int
    divisores: dict[int, int]
    tramos: tuple[Tramo, ...]

    @property
    def anexos(self) -> tuple[Tramo, ...]:
        """Return the documents that could not be drawn, which the dossier must declare."""
        return tuple(one for one in self.tramos if one.forma is Forma.ANEXO)
