"""Folios: writes on each sheet which it is of how many, without covering anything of the document.

Invariant: a foreign page is made taller by a strip at what a reader sees as its foot, and the folio stands there,
upright; what the page shows stays as it was, cut at its own edge. Our text comes before the page's own drawing, so that
nothing that the page leaves open can move it. A page too small for a folio is set on a letter sheet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pikepdf
from reportlab.lib.pagesizes import letter
from reportlab.lib.units import mm

from radica.glosas.respuesta.paper import DIM, INK, LINE
from radica.prejuridico.papel.tinta import PLAIN, fonts_of, line_at, shorten, text_at, width

_FOLIO_FONT = "/RadicaLetra"
STRIP = 17  # points, at the foot of a page of common size
SIZE = 8
TALLEST = 14_400  # what readers take as the longest side of a page, in its own units
SMALLEST = (220, 120)  # points seen, width and height: below, folio and name do not fit
_EDGES = ("/CropBox", "/TrimBox", "/BleedBox", "/ArtBox")
_INHERITED = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")


@dataclass(frozen=True)
class Caja:
    """What of a page is seen: its edges in its own axes, its turn clockwise, and the points that one unit measures."""

    left: Any
    low: Any
    right: Any
    high: Any
    turn: int
    unit: Any

    @property
    def seen(self) -> tuple[Any, Any]:
        """Return width and height in points, as a reader sees the page."""
        wide, tall = (self.right - self.left) * self.unit, (self.high - self.low) * self.unit
        return (tall, wide) if self.turn in (90, 270) else (wide, tall)


def settle(page: Any) -> None:
    """Give a page what it inherits, so that it can stand in another tree, and take from it what does and not shows."""
    for key in _INHERITED:
        if key not in page:
            up, steps = page.get("/Parent"), 0
            while up is not None and key not in up and steps < 50:
                up, steps = up.get("/Parent"), steps + 1
            if up is not None and key in up:
                page[key] = up[key]
    for key in ("/AA", "/Annots", "/B", "/StructParents", "/PieceInfo", "/Thumb", "/Metadata"):
        if key in page:
            del page[key]


def caja(page: Any) -> Caja:
    """Read what is seen of a page; boxes that make no sense count as a letter sheet."""
    whole = _box(page.get("/MediaBox")) or (0, 0, *letter)
    crop = _box(page.get("/CropBox")) or whole
    seen = (max(whole[0], crop[0]), max(whole[1], crop[1]), min(whole[2], crop[2]), min(whole[3], crop[3]))
    if seen[2] - seen[0] < 1 or seen[3] - seen[1] < 1:
        seen = whole
    try:
        turn = round(page.get("/Rotate", 0)) % 360
    except (TypeError, ValueError):
        turn = 0
    try:
        unit = max(_plain(page.get("/UserUnit", 1)), 1)
    except (TypeError, ValueError):
        unit = 1
    return Caja(*seen, turn if turn in (90, 180, 270) else 0, unit)


def _plain(number: Any) -> Any:
    """Return a number of a PDF (integer or decimal) to the thousandth, in the arithmetic of drawing."""
    return round(number * 1000) / 1000


def _box(value: Any) -> tuple[Any, Any, Any, Any] | None:
    try:
        one, two, three, four = (_plain(number) for number in value)
    except (TypeError, ValueError):
        return None
    found = (min(one, three), min(two, four), max(one, three), max(two, four))
    return found if found[2] - found[0] >= 1 and found[3] - found[1] >= 1 else None


class Foliador:
    """Writes folios on the sheets of one PDF; what all sheets share (fonts, endings) is in it once."""

    def __init__(self, pdf: pikepdf.Pdf, total: int) -> None:
        self._pdf = pdf
        self._total = total
        self._fonts = fonts_of(pdf)
        self._own = pdf.make_indirect(pikepdf.Dictionary(Font=pikepdf.Dictionary(self._fonts)))
        self._end = pdf.make_stream(b"\nQ\n")

    def own(self, drawing: bytes, number: int, name: str) -> Any:
        """Return a sheet of ours as a page: letter, upright, with its foot free for the folio."""
        words = _foot(f"Folio {number} de {self._total}", name, letter[0], 18 * mm, 10 * mm, SIZE)
        return self._pdf.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Page,
                MediaBox=pikepdf.Array([0, 0, *letter]),
                Resources=self._own,
                Contents=self._pdf.make_stream(drawing + words),
            )
        )

    def foreign(self, page: Any, number: int, name: str) -> Any:
        """Write the folio of a page of a document; return the page that shall stand in its place."""
        box = caja(page)
        wide, tall = box.seen
        if wide < SMALLEST[0] or tall < SMALLEST[1]:
            page = self._on_letter(page, box)
            box = caja(page)
        grow = max(1, min(box.seen) / 612)  # a large page is read from farther away
        strip = round(STRIP * grow / box.unit, 2)
        edges = [box.left, box.low, box.right, box.high]
        if (box.high - box.low if box.turn in (0, 180) else box.right - box.left) + strip > TALLEST:
            strip = 0
        shown = list(edges)
        shown[{0: 1, 90: 2, 180: 3, 270: 0}[box.turn]] += strip if box.turn in (90, 180) else -strip
        matrix = {
            0: f"1 0 0 1 {shown[0]} {shown[1]}",
            90: f"0 1 -1 0 {shown[2]} {shown[1]}",
            180: f"-1 0 0 -1 {shown[2]} {shown[3]}",
            270: f"0 -1 1 0 {shown[0]} {shown[3]}",
        }[box.turn]
        wide = (edges[3] - edges[1]) if box.turn in (90, 270) else (edges[2] - edges[0])
        size = round(SIZE * grow / box.unit, 2)
        words = _foot(f"Folio {number} de {self._total}", name, wide, size * 1.5, strip * 0.32, size)
        ground = f"1 1 1 rg 0 0 {wide} {strip} re f\n".encode() + line_at(0, strip - size / 8, wide, size / 16, LINE)
        cut = f"q {edges[0]} {edges[1]} {edges[2] - edges[0]} {edges[3] - edges[1]} re W n\n"
        for key in _EDGES:
            if key in page:
                del page[key]
        page["/MediaBox"] = pikepdf.Array([round(one, 3) for one in shown])
        self._write(page, f"q {matrix} cm\n".encode() + ground + words + b"Q\n" + cut.encode())
        return page

    def _write(self, page: Any, words: bytes) -> None:
        resources = page.get("/Resources")
        if not isinstance(resources, pikepdf.Dictionary):
            resources = page["/Resources"] = pikepdf.Dictionary()
        fonts = resources.get("/Font")
        if not isinstance(fonts, pikepdf.Dictionary):
            fonts = resources["/Font"] = pikepdf.Dictionary()
        if _FOLIO_FONT not in fonts:
            fonts[_FOLIO_FONT] = self._fonts[_FOLIO_FONT]
        before = page.get("/Contents")
        old = list(before) if isinstance(before, pikepdf.Array) else [before]
        streams = [one for one in old if isinstance(one, pikepdf.Stream)]
        page["/Contents"] = pikepdf.Array([self._pdf.make_stream(words), *streams, self._end])

    def _on_letter(self, page: Any, box: Caja) -> Any:
        """Set a page that is too small for a folio on a letter sheet, in its own size, as a reader sees it."""
        sheet = self._pdf.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.Page, MediaBox=pikepdf.Array([0, 0, *letter]))
        )
        wide, tall = box.seen
        room = letter[0] - 80
        if wide > room:
            wide, tall = room, tall * room / wide
        x, y = (letter[0] - wide) / 2, (letter[1] - tall) / 2
        form = self._pdf.make_indirect(pikepdf.Page(page).as_form_xobject())
        sheet["/Resources"] = pikepdf.Dictionary(XObject=pikepdf.Dictionary(RadicaHoja=form))
        drawn = pikepdf.Page(sheet).calc_form_xobject_placement(
            form,
            pikepdf.Name.RadicaHoja,
            pikepdf.Rectangle(x, y, x + wide, y + tall),
            invert_transformations=True,
            allow_shrink=True,
            allow_expand=True,
        )
        sheet["/Contents"] = self._pdf.make_stream(drawn)
        return sheet


def _foot(folio: str, name: str, wide: Any, margin: Any, base: Any, size: Any) -> bytes:
    """Return the drawing of a foot: what the sheet belongs to on the left, its folio on the right."""
    right = wide - margin - width(folio, PLAIN, size)
    short = shorten(name, PLAIN, size, round(right - margin - size, 1))
    return text_at(right, base, folio, PLAIN, size, INK) + text_at(margin, base, short, PLAIN, size, DIM)
