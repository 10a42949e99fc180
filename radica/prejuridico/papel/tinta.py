"""Letters, lines and grounds of our sheets, written straight as page content; and how wide a text is.

Invariant: equal calls give equal bytes; every sign is one that the standard fonts have (Windows Latin), as
`radica.glosas.respuesta.paper` maps them. Written by hand because a large dossier has thousands of small texts: the canvas of a
PDF library took three times as long as merging the documents.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pikepdf
from reportlab.lib.colors import Color
from reportlab.pdfbase.pdfmetrics import getFont

from radica.glosas.respuesta.paper import DIM, GROUND, INK, LINE, letters

PLAIN, BOLD, MONO = "Helvetica", "Helvetica-Bold", "Courier"
_NAMES = {PLAIN: "RadicaLetra", BOLD: "RadicaNegrita", MONO: "RadicaFija"}
_WIDTHS: dict[str, list[int]] = {name: [one or 0 for one in getFont(name).widths] for name in _NAMES}
_INKS = {id(one): f"{one.red:.3f} {one.green:.3f} {one.blue:.3f}" for one in (INK, DIM, LINE, GROUND)}


@lru_cache(maxsize=1 << 14)
def signs(text: str) -> bytes:
    """Return a text in the signs that the fonts have."""
    if text.isprintable():
        try:
            return text.encode("cp1252")
        except UnicodeEncodeError:
            pass  # some sign has to be written with a nearer one
    return letters(text).replace("\n", " ").encode("cp1252", "replace")


def width(text: str, font: str, size: Any) -> Any:
    """Return how wide a text is, in points."""
    table = _WIDTHS[font]
    return sum(map(table.__getitem__, signs(text))) * size / 1000


@lru_cache(maxsize=1 << 14)
def split(text: str, font: str, size: Any, room: Any, most: int) -> tuple[str, ...]:
    """Part a text into lines that fit, at most `most`; what is left out is told by dots, what has no blank is cut."""
    lines: list[str] = []
    now = ""
    for word in signs(text).decode("cp1252").split():
        longer = f"{now} {word}" if now else word
        if width(longer, font, size) <= room:
            now = longer
            continue
        if now:
            lines.append(now)
        now = word
        while width(now, font, size) > room and len(now) > 1:
            keep = len(now) - 1
            while keep > 1 and width(now[:keep], font, size) > room:
                keep -= 1
            lines.append(now[:keep])
            now = now[keep:]
    lines.append(now)
    if len(lines) > most:
        lines = [*lines[: most - 1], shorten(" ".join(lines[most - 1 :]), font, size, room)]
    return tuple(lines)


@lru_cache(maxsize=1 << 14)
def shorten(text: str, font: str, size: Any, room: Any) -> str:
    """Return a text on one line of its room; what is left out is told by dots; empty when nothing fits."""
    if width(text, font, size) <= room:
        return text
    while text and width(f"{text}…", font, size) > room:
        text = text[:-1]
    return f"{text.rstrip()}…" if text else ""


def text_at(x: Any, y: Any, words: str, font: str, size: Any, color: Color) -> bytes:
    """Return the drawing of one line with its baseline at y."""
    raw = signs(words).replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    head = f"BT {_INKS[id(color)]} rg /{_NAMES[font]} {size:.2f} Tf {x:.2f} {y:.2f} Td ("
    return head.encode() + raw + b") Tj ET\n"


def line_at(x: Any, y: Any, far: Any, thick: Any, color: Color) -> bytes:
    """Return the drawing of a level line."""
    return f"{_INKS[id(color)]} RG {thick:.3f} w {x:.2f} {y:.2f} m {far:.2f} {y:.2f} l S\n".encode()


def box_at(x: Any, y: Any, wide: Any, tall: Any, color: Color) -> bytes:
    """Return the drawing of a filled rectangle."""
    return f"{_INKS[id(color)]} rg {x:.2f} {y:.2f} {wide:.2f} {tall:.2f} re f\n".encode()


def fonts_of(pdf: pikepdf.Pdf) -> dict[str, Any]:
    """Return the fonts as objects of a PDF, by the names that the drawings use; one of each for all sheets."""
    return {
        f"/{short}": pdf.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Font,
                Subtype=pikepdf.Name.Type1,
                BaseFont=pikepdf.Name(f"/{name}"),
                Encoding=pikepdf.Name.WinAnsiEncoding,
            )
        )
        for name, short in _NAMES.items()
    }
