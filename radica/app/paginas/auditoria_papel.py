"""Auditoría on paper: a list as PDF with its facts above it, and as CSV that a spreadsheet opens.

Invariant: pure; equal contents give equal bytes; every sheet has its folio and the hash of the contents. In the CSV
what begins like a formula is a text.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import landscape, letter
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

from radica.glosas.respuesta import paper

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def pdf_list(
    title: str, facts: Sequence[tuple[str, str]], columns: Sequence[tuple[str, int]], rows: Sequence[Sequence[str]]
) -> bytes:
    """Return a PDF: title, facts as label and value, and the table. `columns` are (name, parts of the width)."""
    body = json.dumps([title, facts, [name for name, _ in columns], rows], ensure_ascii=False)
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=landscape(letter),
        leftMargin=paper.MARGIN,
        rightMargin=paper.MARGIN,
        topMargin=paper.MARGIN,
        bottomMargin=paper.MARGIN,
        title=paper.letters(title),
        invariant=1,
    )
    story = [Paragraph(escape(paper.letters(title)), paper.TITLE), Spacer(1, 6)]
    story += [
        Paragraph(f"<b>{escape(paper.letters(name))}:</b> {escape(paper.letters(value))}", paper.BASE)
        for name, value in facts
    ]
    parts = sum(part for _, part in columns)
    table = Table(
        [[paper.head(name) for name, _ in columns], *([paper.cell(text) for text in row] for row in rows)],
        colWidths=[document.width * part / parts for _, part in columns],
        repeatRows=1,
        style=paper.grid(),
    )
    document.build([*story, Spacer(1, 8), table])
    digest = hashlib.sha256(body.encode()).hexdigest()
    return paper.join(out.getvalue(), [], title=paper.letters(title), foot=f"Contenido SHA-256 {digest}")


def csv_list(facts: Sequence[tuple[str, str]], columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """Return the list as CSV (UTF-8 with its mark, semicolons); the facts come first, one a line."""
    out = io.StringIO()
    sheet = csv.writer(out, delimiter=";", lineterminator="\r\n")
    for line in (*facts, (), columns, *rows):
        sheet.writerow([plain(text) for text in line])
    return ("\ufeff" + out.getvalue()).encode()


def plain(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
