"""A plain sheet: title, sections, paragraphs and tables, drawn straight on a canvas.

Invariant: equal calls give equal bytes (no clock, no random name); the foot of each page stays free for the folio of
the whole. Drawn by hand because a dossier has hundreds of small tables, and laying out paragraphs took ten times as
long. Letters that the standard fonts lack are written as `?`: nothing is silently dropped.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import lru_cache

from reportlab.lib import colors
from reportlab.lib.pagesizes import letter
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

INK, DIM, LINE, GROUND = (colors.HexColor(one) for one in ("#1d2733", "#566373", "#c3ccd5", "#f1f4f7"))
WIDTH, HEIGHT = letter
MARGIN, FOOT = 18 * mm, 24 * mm
ROOM = WIDTH - 2 * MARGIN
PLAIN, BOLD, MONO = "Helvetica", "Helvetica-Bold", "Courier"
_CELL_SIZE, _CELL_LEAD = 7.6, 9.4
_MOST = int((HEIGHT - FOOT - 40 * mm) // _CELL_LEAD)
"""Lines of a cell that a page surely holds below the head of its table."""
Cell = tuple[str, ...]


@lru_cache(maxsize=1 << 14)
def _split(text: str, font: str, size: float, room: float) -> tuple[str, ...]:
    found: list[str] = []
    for words in simpleSplit(text, font, size, room) or [""]:
        line = words
        # A word without blanks (a hash) is cut where the room ends.
        while stringWidth(line, font, size) > room and len(line) > 1:
            keep = max(1, int(len(line) * room / stringWidth(line, font, size)))
            while keep > 1 and stringWidth(line[:keep], font, size) > room:
                keep -= 1
            found.append(line[:keep])
            line = line[keep:]
        found.append(line)
    return tuple(found)


def _cells(row: Sequence[str], widths: Sequence[float], font: str) -> list[Cell]:
    return [_split(_latin(cell), font, _CELL_SIZE, width - 6) for cell, width in zip(row, widths, strict=True)]


def _height(texts: Sequence[Cell]) -> float:
    return max(len(one) for one in texts) * _CELL_LEAD + 4


def _parts(texts: Sequence[Cell]) -> Iterator[list[Cell]]:
    """Cut a row that no page holds into rows that one does."""
    for start in range(0, max(len(one) for one in texts), _MOST):
        yield [one[start : start + _MOST] for one in texts]


def _latin(text: str) -> str:
    return text.encode("cp1252", "replace").decode("cp1252")


class Hoja:
    """A document under way: what is added goes below what was added before, on as many pages as it takes."""

    def __init__(self, titulo: str, *, encabezado: str, autor: str) -> None:
        """Begin a document. `encabezado` stands at the head of every page."""
        self._out = io.BytesIO()
        self._canvas = Canvas(self._out, pagesize=letter, invariant=1, pageCompression=1)
        self._canvas.setTitle(_latin(titulo))
        self._canvas.setAuthor(_latin(autor))
        self._canvas.setCreator("radica")
        self._head = _latin(encabezado)
        self._y = 0.0
        self._begin()
        self._lines(titulo, BOLD, 14, 18, INK)
        self._y -= 4

    def seccion(self, texto: str) -> None:
        """Add the title of a section."""
        self._need(40)
        self._y -= 8
        self._lines(texto, BOLD, 10.5, 14, INK)
        self._y -= 2

    def parrafo(self, texto: str, *, menor: bool = False, fuerte: bool = False) -> None:
        """Add a paragraph; `menor` is small print, `fuerte` bold."""
        size, lead = (7.6, 9.8) if menor else (9.2, 12.4)
        self._lines(texto, BOLD if fuerte else PLAIN, size, lead, DIM if menor else INK)
        self._y -= 3

    def huella(self, texto: str) -> None:
        """Add a line in a fixed width (a hash)."""
        self._lines(texto, MONO, 7, 9, DIM)

    def tabla(
        self,
        cabeza: Sequence[str],
        filas: Sequence[Sequence[str]],
        anchos: Sequence[float],
        *,
        derecha: Sequence[int] = (),
        total: bool = False,
    ) -> None:
        """Add a table. `anchos` are shares of the width; columns in `derecha` are set to the right; `total`: last row bold."""
        widths = [ROOM * one / sum(anchos) for one in anchos]
        head = _cells(cabeza, widths, BOLD)
        self._need(34)
        self._row(head, widths, derecha, BOLD, ground=True)
        for number, row in enumerate(filas, 1):
            last = total and number == len(filas)
            font = BOLD if last else PLAIN
            for part in _parts(_cells(row, widths, font)):
                if self._y - _height(part) < FOOT:
                    self._turn()
                    self._row(head, widths, derecha, BOLD, ground=True)
                self._row(part, widths, derecha, font, ground=last)
        self._y -= 6

    def pdf(self) -> bytes:
        """End the document and return it."""
        self._canvas.save()
        return self._out.getvalue()

    def _row(
        self, texts: Sequence[Cell], widths: Sequence[float], right: Sequence[int], font: str, *, ground: bool = False
    ) -> None:
        height = _height(texts)
        if ground:
            self._canvas.setFillColor(GROUND)
            self._canvas.rect(MARGIN, self._y - height, ROOM, height, stroke=0, fill=1)
        self._canvas.setFillColor(INK)
        self._canvas.setFont(font, _CELL_SIZE)
        x = MARGIN
        for column, (lines, width) in enumerate(zip(texts, widths, strict=True)):
            y = self._y - _CELL_LEAD
            for line in lines:
                if column in right:
                    self._canvas.drawRightString(x + width - 3, y, line)
                else:
                    self._canvas.drawString(x + 3, y, line)
                y -= _CELL_LEAD
            x += width
        self._y -= height
        self._canvas.setStrokeColor(LINE)
        self._canvas.setLineWidth(0.4)
        self._canvas.line(MARGIN, self._y, WIDTH - MARGIN, self._y)

    def _lines(self, text: str, font: str, size: float, lead: float, color: colors.Color) -> None:
        for paragraph in _latin(text).splitlines() or [""]:
            for line in _split(paragraph, font, size, ROOM):
                self._need(lead)
                self._canvas.setFillColor(color)
                self._canvas.setFont(font, size)
                self._canvas.drawString(MARGIN, self._y - size, line)
                self._y -= lead

    def _need(self, height: float) -> None:
        if self._y - height < FOOT:
            self._turn()

    def _turn(self) -> None:
        self._canvas.showPage()
        self._begin()

    def _begin(self) -> None:
        self._canvas.setFillColor(DIM)
        self._canvas.setFont(PLAIN, 7.6)
        self._canvas.drawString(MARGIN, HEIGHT - 13 * mm, self._head[:140])
        self._canvas.setStrokeColor(LINE)
        self._canvas.setLineWidth(0.6)
        self._canvas.line(MARGIN, HEIGHT - 15.5 * mm, WIDTH - MARGIN, HEIGHT - 15.5 * mm)
        self._y = HEIGHT - 21 * mm
