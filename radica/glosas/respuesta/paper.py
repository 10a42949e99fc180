"""The look of the documents that the house writes on glosas: ink, type, tables, folios. Sober, black on white.

Invariant: equal contents give equal bytes (no clock, no random name); every sheet says «Folio x de y» and the hash of
the contents, the sheets of merged supports too. Type is Helvetica in the Windows Latin set: a sign outside it is
written with its nearest plain form, never as a blank box.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pikepdf
from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Paragraph, TableStyle

from radica.kernel.errors import BadInput

INK, DIM, LINE, GROUND = (colors.HexColor(one) for one in ("#1d2733", "#566373", "#c3ccd5", "#f1f4f7"))
MARGIN = 18 * mm
MAX_PAGES = 5_000
_FOLIO_SIZE = 7.5

BASE = ParagraphStyle("base", fontName="Helvetica", fontSize=9.5, leading=13, textColor=INK, spaceAfter=4)
CELL = ParagraphStyle("cell", parent=BASE, fontSize=8, leading=10, spaceAfter=0)
RIGHT = ParagraphStyle("right", parent=CELL, alignment=TA_RIGHT)
HEAD = ParagraphStyle("head", parent=CELL, fontName="Helvetica-Bold", textColor=DIM)
HEAD_RIGHT = ParagraphStyle("head-right", parent=HEAD, alignment=TA_RIGHT)
TITLE = ParagraphStyle("title", parent=BASE, fontName="Helvetica-Bold", fontSize=14, leading=18)
SECTION = ParagraphStyle(
    "section", parent=BASE, fontName="Helvetica-Bold", fontSize=10.5, leading=14, spaceBefore=10, spaceAfter=4
)
SMALL = ParagraphStyle("small", parent=BASE, fontSize=7.5, leading=9.5, textColor=DIM)
HASH = ParagraphStyle("hash", parent=BASE, fontName="Courier", fontSize=6.2, leading=7.6, textColor=DIM, spaceAfter=0)

_PLAIN = {"≥": ">=", "≤": "<=", "→": "->", "−": "-", "‑": "-", "×": "x", "\u2009": " ", "\u202f": " ", "№": "N.º"}


def letters(text: str) -> str:
    """Return a text in the signs that the type has."""
    out = []
    for one in unicodedata.normalize("NFC", text):
        plain = _PLAIN.get(one, one)
        if one.isspace() and one != "\n":
            plain = " "
        elif not _writable(plain):
            folded = unicodedata.normalize("NFKD", one)
            plain = "".join(part for part in folded if _writable(part)) or (
                "" if unicodedata.category(one) == "Cf" else "?"
            )
        out.append(plain)
    return "".join(out)


def _writable(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return all(one == "\n" or ord(one) >= 32 for one in text)


def prose(text: str) -> list[Paragraph]:
    """Return the paragraphs of a text that people wrote."""
    return [Paragraph(escape(letters(one)), BASE) for one in text.splitlines() if one.strip()]


def cell(text: str) -> Paragraph:
    """Return a cell of a table."""
    return Paragraph(escape(letters(text)), CELL)


def right(text: str, *, bold: bool = False) -> Paragraph:
    """Return a cell with a number."""
    words = escape(letters(text))
    return Paragraph(f"<b>{words}</b>" if bold else words, RIGHT)


def head(text: str, *, number: bool = False) -> Paragraph:
    """Return a cell of a table's head."""
    return Paragraph(escape(letters(text)), HEAD_RIGHT if number else HEAD)


def grid(*, total: bool = False) -> TableStyle:
    """Return the rules of a table: a grey head, thin lines, and a closing row when it adds up."""
    style: list[Any] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("BACKGROUND", (0, 0), (-1, 0), GROUND),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ]
    if total:
        style += [("LINEABOVE", (0, -1), (-1, -1), 0.8, INK), ("BACKGROUND", (0, -1), (-1, -1), GROUND)]
    return TableStyle(style)


def join(first: bytes, others: Sequence[tuple[str, Path]], *, title: str, foot: str) -> bytes:
    """Return one PDF: ours and the supports after it, in order, each sheet with its folio and `foot`.

    `others` are (name to say in a refusal, file). Raises BadInput naming the one that is no readable PDF, or when
    there are more than `MAX_PAGES` sheets. `foot` is plain ASCII without brackets.
    """
    with pikepdf.new() as whole:
        with pikepdf.open(io.BytesIO(first)) as ours:
            whole.pages.extend(ours.pages)
            own = len(whole.pages)
        for name, path in others:
            _append(whole, name, path)
        total = len(whole.pages)
        if total > MAX_PAGES:
            raise BadInput(
                f"El PDF tendría {total} folios.", todo="Reparta los soportes en varias respuestas.", code="pdf_largo"
            )
        for number, page in enumerate(whole.pages, 1):
            _stamp(page, f"Folio {number} de {total}", foot, own=number <= own)
        whole.docinfo["/Title"] = title
        whole.docinfo["/Producer"] = "radica"
        out = io.BytesIO()
        whole.save(
            out, deterministic_id=True, compress_streams=True, object_stream_mode=pikepdf.ObjectStreamMode.generate
        )
    return out.getvalue()


def _append(whole: pikepdf.Pdf, name: str, path: Path) -> None:
    try:
        with pikepdf.open(path) as one:
            # What a sheet shows becomes drawing (stamps, signatures, fields); what a document does stays behind.
            one.flatten_annotations("all")
            for page in one.pages:
                for action in ("/AA", "/Annots"):
                    if action in page.obj:
                        del page.obj[action]
            whole.pages.extend(one.pages)
    except pikepdf.PasswordError as exc:
        raise BadInput(
            f"El soporte {name} tiene contraseña y no se pudo unir.",
            todo="Súbalo sin contraseña.",
            code="pdf_con_clave",
        ) from exc
    except (pikepdf.PdfError, OSError, ValueError) as exc:
        raise BadInput(
            f"El soporte {name} no es un PDF que se pueda leer.", todo="Cámbielo por uno sano.", code="pdf_danado"
        ) from exc


def _stamp(page: pikepdf.Page, folio: str, foot: str, *, own: bool) -> None:
    """Write folio and foot on a sheet as a reader sees it, whatever its size and turn."""
    left, low, far, high = (round(one) for one in page.cropbox)
    turn = int(page.obj.get("/Rotate", 0)) % 360
    # From the sheet as seen, with its origin down left, to the page's own axes.
    matrix = {
        0: f"1 0 0 1 {left} {low}",
        90: f"0 1 -1 0 {far} {low}",
        180: f"-1 0 0 -1 {far} {high}",
        270: f"0 -1 1 0 {left} {high}",
    }.get(turn, f"1 0 0 1 {left} {low}")
    width = high - low if turn in (90, 270) else far - left
    page.add_resource(_font("/Helvetica"), pikepdf.Name.Font, pikepdf.Name.RadicaFolio)
    edge, base = (MARGIN, 10 * mm) if own else (6 * mm, 7 * mm)
    long = stringWidth(folio, "Helvetica", _FOLIO_SIZE)
    words = [f"Q q {matrix} cm"]
    if not own:  # on a foreign sheet a white strip keeps it legible over a scan
        words.append(f"1 1 1 rg {width - edge - long - 4:.2f} {base - 3:.2f} {long + 8:.2f} 12 re f")
    words.append(
        f"0.34 0.39 0.45 rg BT /RadicaFolio {_FOLIO_SIZE} Tf {width - edge - long:.2f} {base:.2f} Td ({folio}) Tj ET"
    )
    if own:
        page.add_resource(_font("/Courier"), pikepdf.Name.Font, pikepdf.Name.RadicaHuella)
        words.append(f"BT /RadicaHuella 6.2 Tf {MARGIN:.2f} {base:.2f} Td ({foot}) Tj ET")
    # What the sheet's own drawing leaves open must not move ours.
    page.contents_add(b"q\n", prepend=True)
    page.contents_add(("\n".join([*words, "Q"]) + "\n").encode("ascii"))


def _font(name: str) -> pikepdf.Dictionary:
    return pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type1,
        BaseFont=pikepdf.Name(name),
        Encoding=pikepdf.Name.WinAnsiEncoding,
    )
