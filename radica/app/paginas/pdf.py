"""Draw a page of a PDF as a picture, so that a payer's file never runs in our origin nor in the person's browser.

Invariant: pdfium is not safe across threads, so one page is drawn at a time; a page is never drawn larger than
`MAX_PIXELS`, whatever size it claims, and a damaged file is a clear refusal. Nothing is written to disk.
"""

from __future__ import annotations

import io
from threading import Lock

import pypdfium2 as pdfium
from PIL import Image, ImageOps

from radica.kernel.errors import BadInput, NotFound

MAX_BYTES = 64 * 1024 * 1024
MAX_PIXELS = 4_000_000
WIDTH = 1100
"""Pixels across: sharp on the screens that people have, at about 100 kB a page."""
_ONE_AT_A_TIME = Lock()
_BROKEN = "El PDF está dañado o protegido y no se puede mostrar."
_AGAIN = "Descárguelo para abrirlo con otro programa, o pida el original."


def page_count(data: bytes) -> int:
    """Return how many pages the PDF has. Raises BadInput when it cannot be read."""
    with _ONE_AT_A_TIME:
        document = _open(data)
        try:
            return len(document)
        finally:
            document.close()


def draw(data: bytes, number: int) -> bytes:
    """Return page `number` (from 1) as PNG. Raises NotFound without that page, BadInput when it cannot be drawn."""
    with _ONE_AT_A_TIME:
        document = _open(data)
        try:
            if not 1 <= number <= len(document):
                raise NotFound("El PDF no tiene esa página.")
            page = document[number - 1]
            width, height = page.get_size()
            if width <= 0 or height <= 0:
                raise BadInput(_BROKEN, todo=_AGAIN, code="pdf_danado")
            scale = min(WIDTH / width, (MAX_PIXELS / (width * height)) ** 0.5)
            return _png(page.render(scale=scale, may_draw_forms=False).to_pil())
        except pdfium.PdfiumError as exc:
            raise BadInput(_BROKEN, todo=_AGAIN, code="pdf_danado") from exc
        finally:
            document.close()


def picture(data: bytes) -> bytes:
    """Return a PNG or JPEG drawn anew as PNG, so that only pixels pass. Raises BadInput when it is no picture."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > 10 * MAX_PIXELS:
                raise _too_large()
            # Photos of a telephone say in their metadata which side is up; the metadata itself does not pass.
            return _png(ImageOps.exif_transpose(image).convert("RGB"))
    except Image.DecompressionBombError as exc:
        raise _too_large() from exc
    except (OSError, ValueError, SyntaxError) as exc:
        raise BadInput("La imagen está dañada.", todo="Descárguela para revisarla.", code="imagen_danada") from exc


def _too_large() -> BadInput:
    return BadInput("La imagen es demasiado grande para mostrarla.", todo="Descárguela.", code="imagen_grande")


def _open(data: bytes) -> pdfium.PdfDocument:
    if len(data) > MAX_BYTES:
        raise BadInput("El PDF es demasiado grande para mostrarlo aquí.", todo="Descárguelo.", code="pdf_grande")
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as exc:
        raise BadInput(_BROKEN, todo=_AGAIN, code="pdf_danado") from exc


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=False, compress_level=6)
    return out.getvalue()
