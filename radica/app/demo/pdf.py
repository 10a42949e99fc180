"""A small PDF writer for the supports of the demonstration set: A4, Helvetica, real text layer, fixed dates.

Written by hand because a package needs several files and a benchmark hundreds of packages: only the text streams differ
from file to file, the padding image of a given size is drawn once. Text outside Windows-1252 is replaced by "?".
Invariant: same arguments, same bytes; two files with different text have different bytes.
"""

from __future__ import annotations

import hashlib
import textwrap
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

_WIDTH, _HEIGHT, _MARGIN = 595, 842, 56
_SIZES = {"title": (15, 20, 62), "heading": (11, 18, 66), "text": (9, 13, 104), "small": (7, 10, 132)}
_FOOT = "Documento de demostración de radica. Prestador, pagador, personas y atención son ficticios."
_SCAN_COLUMNS = 512

Style = Literal["title", "heading", "text", "small"]


@dataclass(frozen=True)
class Line:
    """A paragraph of the page in one of four styles; it is wrapped to the width of the page."""

    text: str
    style: Style = "text"


def _literal(text: str) -> bytes:
    """A PDF string object in WinAnsi."""
    raw = text.encode("cp1252", "replace")
    return b"(" + raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)") + b")"


def _pages(lines: Sequence[Line]) -> list[list[tuple[Line, int]]]:
    """Lay the wrapped lines out: pages of (line, baseline in points from the foot)."""
    pages: list[list[tuple[Line, int]]] = [[]]
    y = _HEIGHT - _MARGIN
    for line in lines:
        _, leading, columns = _SIZES[line.style]
        for piece in textwrap.wrap(line.text, columns) or [""]:
            if y - leading < _MARGIN + 20:
                pages.append([])
                y = _HEIGHT - _MARGIN
            y -= leading
            pages[-1].append((Line(piece, line.style), y))
    return pages


def _content(page: list[tuple[Line, int]], number: int, total: int) -> bytes:
    out = [b"0.85 G 0.6 w %d 46 m %d 46 l S BT" % (_MARGIN, _WIDTH - _MARGIN)]
    for line, y in page:
        size = _SIZES[line.style][0]
        font = b"/F2" if line.style in ("title", "heading") else b"/F1"
        out.append(b"%s %d Tf 1 0 0 1 %d %d Tm %s Tj" % (font, size, _MARGIN, y, _literal(line.text)))
    foot = _literal(f"{_FOOT} Página {number} de {total}.")
    out.append(b"/F1 7 Tf 1 0 0 1 %d 34 Tm %s Tj ET" % (_MARGIN, foot))
    return b"\n".join(out)


@lru_cache(maxsize=8)
def _scan(rows: int) -> bytes:
    """Grey picture of `rows` x 512 bytes that does not compress: the grain of a scanned sheet, always the same."""
    blocks = (hashlib.sha512(b"grano%d" % n).digest() for n in range(rows * _SCAN_COLUMNS // 64))
    # The two low bits of noise over light grey: looks like paper, and the file has the size that was asked for.
    return b"".join(blocks).translate(bytes(232 + (value & 15) for value in range(256)))


def _image_object(rows: int) -> bytes:
    head = (
        b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 /Length %d >>"
        % (_SCAN_COLUMNS, rows, rows * _SCAN_COLUMNS)
    )
    return head + b"\nstream\n" + _scan(rows) + b"\nendstream"


def _stream(data: bytes) -> bytes:
    packed = zlib.compress(data, 6)
    return b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)


def _page_objects(pages: list[list[tuple[Line, int]]], rows: int) -> list[bytes]:
    """Objects 5.. of the file: for each page its dictionary and its content, then the image when there is one."""
    total = len(pages) + (1 if rows else 0)
    image = 5 + 2 * total
    objects = []
    for number in range(total):
        resources = b"/Font << /F1 3 0 R /F2 4 0 R >>"
        if number < len(pages):
            content = _content(pages[number], number + 1, total)
        else:
            resources += b" /XObject << /S %d 0 R >>" % image
            foot = _literal(f"Anexo digitalizado. {_FOOT} Página {total} de {total}.")
            height = min(700, rows * 483 // _SCAN_COLUMNS)
            content = b"q 483 0 0 %d %d 70 cm /S Do Q BT /F1 7 Tf 1 0 0 1 %d 34 Tm %s Tj ET" % (
                height,
                _MARGIN,
                _MARGIN,
                foot,
            )
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources << %s >> /Contents %d 0 R >>"
            % (_WIDTH, _HEIGHT, resources, 6 + 2 * number)
        )
        objects.append(_stream(content))
    if rows:
        objects.append(_image_object(rows))
    return objects


def write_pdf(lines: Sequence[Line], *, title: str, when: datetime, kb: int | None = None) -> bytes:
    """A PDF 1.4 with those lines. `when` is its creation date; `kb` (1024 bytes) pads it with a scanned-looking sheet."""
    pages = _pages(lines)
    rows = max(0, (kb * 1024 - 3000)) // _SCAN_COLUMNS if kb else 0
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
    body = _page_objects(pages, rows)
    count = len(pages) + (1 if rows else 0)
    kids = b" ".join(b"%d 0 R" % (5 + 2 * number) for number in range(count))
    stamp = f"D:{when:%Y%m%d%H%M%S}-05'00'"
    info = b"<< /Title %s /Producer (radica demo) /CreationDate %s >>" % (_literal(title), _literal(stamp))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Lang (es-CO) >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count),
        font % b"Helvetica",
        font % b"Helvetica-Bold",
        *body,
        info,
    ]
    return _assemble(objects)


def _assemble(objects: list[bytes]) -> bytes:
    """Number the objects, write the cross-reference table and a trailer with an identifier drawn from the content."""
    parts = [b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"]
    offset = len(parts[0])
    table = [b"0000000000 65535 f \n"]
    for number, content in enumerate(objects, 1):
        table.append(b"%010d 00000 n \n" % offset)
        part = b"%d 0 obj\n%s\nendobj\n" % (number, content)
        offset += len(part)
        parts.append(part)
    ident = hashlib.sha256(b"".join(objects[4:6])).hexdigest()[:32].encode()
    parts.append(b"xref\n0 %d\n" % (len(objects) + 1) + b"".join(table))
    trailer = b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R /ID [<%s> <%s>] >>\nstartxref\n%d\n%%%%EOF\n"
    parts.append(trailer % (len(objects) + 1, len(objects), ident, ident, offset))
    return b"".join(parts)
