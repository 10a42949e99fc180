"""The tables of a mail's own text, as sheets: some payers write the objections in the mail itself.

Invariant: only cells of the innermost tables are rows; nothing outside the text is fetched, and no script is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from lxml import etree, html

from radica.glosas.lectura.hojas import Fila, Hoja
from radica.glosas.lectura.planos import decodificar
from radica.glosas.lectura.valores import texto

MAX_BYTES = 20 * 1024 * 1024
MAX_TABLAS = 50
_MAX_SPAN = 50


def hojas_html(path: Path) -> Iterator[Hoja]:
    """Yield the innermost tables of a mail's HTML, each with its row numbers from 1; none when it cannot be read."""
    if path.stat().st_size > MAX_BYTES:
        return
    text = decodificar(path.read_bytes())
    try:
        root = html.fromstring(text, parser=html.HTMLParser(no_network=True, huge_tree=False))
    except (etree.ParserError, ValueError):
        return
    tables = [one for one in root.iter("table") if next(one.iterdescendants("table"), None) is None]
    for number, table in enumerate(tables[:MAX_TABLAS], start=1):
        yield Hoja(f"tabla {number}", partial(_rows, table))


def _rows(table: html.HtmlElement) -> Iterator[Fila]:
    held: dict[int, int] = {}  # column → rows that a cell above still covers: left empty, so that none slides into it
    for number, row in enumerate(table.iter("tr"), start=1):
        cells: list[str] = []
        for cell in row.iterchildren("td", "th"):
            while held.get(len(cells)):
                cells.append("")
            at, wide, high = len(cells), _span(cell, "colspan"), _span(cell, "rowspan")
            cells += [texto(" ".join(cell.itertext())), *[""] * (wide - 1)]
            held |= dict.fromkeys(range(at, at + wide), high)
        held = {at: left - 1 for at, left in held.items() if left > 1}
        yield number, cells


def _span(cell: html.HtmlElement, name: str) -> int:
    text = cell.get(name, "1")
    return max(1, min(int(text), _MAX_SPAN)) if text.isascii() and text.isdigit() and len(text) < 5 else 1
