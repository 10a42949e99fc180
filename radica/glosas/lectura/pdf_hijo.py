"""The process that opens a payer's PDF or picture: text, tables, or pages as pictures for OCR; then it ends.

Invariant: a file that crashes, hangs or swells its reader takes only this process, which has limits of memory and
time; it speaks one JSON document on standard output and never an exception's words, because a letter holds health data.
Run as `python -m radica.glosas.lectura.pdf_hijo WHAT PATH [FOLDER]`; the house calls it through `pdf_proceso`.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

import pdfplumber
import pypdfium2 as pdfium
from pdfminer.pdfparser import PDFSyntaxError
from PIL import Image, ImageOps, ImageSequence

MAX_PAGES = 500
MAX_TABLE_PAGES = 60
MAX_SCAN_PAGES = 40
MAX_PAGE_CHARS = 60_000
SCAN_DPI = 300
MAX_SCAN_PIXELS = 25_000_000
MEMORY_BYTES = 3 * 1024**3
CPU_S = 120
_PASSWORD = 4  # pdfium's FPDF_ERR_PASSWORD


class Refused(Exception):
    """The file is refused; `code` is what `pdf_proceso` explains."""

    def __init__(self, code: str, number: int = 0) -> None:
        super().__init__(code)
        self.code, self.number = code, number


def text_of(path: Path) -> dict[str, Any]:
    """Return the text of each page, and how many pictures it carries (a scan is a picture without text)."""
    document = _open(path)
    pages = []
    for index in range(len(document)):
        page = document[index]
        try:
            words = page.get_textpage().get_text_bounded()
            pictures = sum(1 for _ in page.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_IMAGE], max_depth=3))
        except pdfium.PdfiumError:
            raise Refused("pdf_danado") from None
        if len(words) > MAX_PAGE_CHARS:
            raise Refused("pdf_desmedido", index + 1)
        pages.append({"texto": words.replace("\r", ""), "imagenes": pictures})
        page.close()
    return {"paginas": pages}


def tables_of(path: Path) -> dict[str, Any]:
    """Return the ruled tables of each page as rows of cells."""
    out = []
    try:
        with pdfplumber.open(path) as document:
            for page in document.pages[:MAX_TABLE_PAGES]:
                tables = [[[cell or "" for cell in row] for row in table] for table in page.extract_tables()]
                out.append({"tablas": tables})
                page.close()
    except (PDFSyntaxError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise Refused("pdf_danado") from None  # each was raised by a damaged file that pdfium still opens
    return {"paginas": out, "de_mas": max(0, len(document.pages) - MAX_TABLE_PAGES)}


def pictures_of(path: Path, folder: Path) -> dict[str, Any]:
    """Draw each page into `folder` as a grey PNG for OCR; return the names in order."""
    names = []
    if path.read_bytes()[:5] == b"%PDF-":
        document = _open(path)
        if len(document) > MAX_SCAN_PAGES:
            raise Refused("escaneo_largo", len(document))
        for index in range(len(document)):
            page = document[index]
            width, height = page.get_size()
            if width <= 0 or height <= 0:
                raise Refused("pdf_danado")
            scale = min(SCAN_DPI / 72, (MAX_SCAN_PIXELS / (width * height)) ** 0.5)
            image = page.render(scale=scale, grayscale=True, may_draw_forms=False).to_pil()
            names.append(_saved(image, folder, index))
    else:
        Image.MAX_IMAGE_PIXELS = 2 * MAX_SCAN_PIXELS
        with Image.open(path, formats=("PNG", "JPEG", "TIFF")) as image:
            for index, frame in enumerate(ImageSequence.Iterator(image)):
                if index >= MAX_SCAN_PAGES:
                    raise Refused("escaneo_largo", index)
                names.append(_saved(ImageOps.exif_transpose(frame).convert("L"), folder, index))
    return {"imagenes": names}


def _saved(image: Image.Image, folder: Path, index: int) -> str:
    name = f"{index:04d}.png"
    image.save(folder / name, dpi=(SCAN_DPI, SCAN_DPI))
    return name


def _open(path: Path) -> pdfium.PdfDocument:
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as problem:
        raise Refused("pdf_cifrado" if problem.err_code == _PASSWORD else "pdf_danado") from None
    if len(document) > MAX_PAGES:
        raise Refused("pdf_largo", len(document))
    return document


def main(arguments: list[str]) -> int:
    """Do one thing with one file; 0 also for a refusal, which is said in the JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    what, path = arguments[0], Path(arguments[1])
    try:
        if what == "texto":
            answer = text_of(path)
        elif what == "tablas":
            answer = tables_of(path)
        else:
            answer = pictures_of(path, Path(arguments[2]))
    except Refused as refused:
        answer = {"rechazo": refused.code, "numero": refused.number}
    except (MemoryError, Image.DecompressionBombError):
        answer = {"rechazo": "pdf_desmedido", "numero": 0}
    except (pdfium.PdfiumError, OSError, ValueError, SyntaxError):
        answer = {"rechazo": "pdf_danado", "numero": 0}
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
