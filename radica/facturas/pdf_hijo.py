"""The process that opens PDF supports: pages, words, images, and what a payer's portal refuses in a PDF.

Invariant: it opens what a stranger made, so it runs with limits (`kernel.reader`) as `python -m radica.facturas.pdf_hijo`
and writes nothing; words go back over the pipe and are kept nowhere. An order is `{"ruta": path}`; the answer is the
JSON that `pdf_lector` reads. Norm: Res. 2284 de 2023, annex 2 (PDF, 300 dpi).
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from radica.custodia.texto import joined
from radica.kernel.reader import serve

MEMORY_BYTES = 2 * 1024**3
CPU_S = 40
PICTURES_S = 10.0
"""Seconds after which pages are read without looking at their pictures any more."""
MAX_PAGES = 500
MAX_OBJECTS = 200_000
_DEPTH = 8
_POINTS = 72
_SHARE_OF_A_SCAN = 0.8
"""Part of a page that its pictures cover when the page is a picture; half of it where there is no text either."""
_FEW_LETTERS = 8
_WHITE = 245
"""The darkest dot, of 255, of a page that a scanner took of nothing."""
_ACTIONS = {"/Launch", "/SubmitForm", "/ImportData", "/ResetForm"}
_PERMITS = {
    "print_lowres": "imprimir",
    "extract": "copiar",
    "modify_assembly": "reordenar páginas",
    "modify_other": "modificar",
}


def answer(order: Mapping[str, Any], _: bytes = b"") -> dict[str, Any]:
    """Return what a PDF is; `estado` leido, vacio, no_pdf, ilegible or cifrado."""
    path = Path(order["ruta"])
    try:
        with path.open("rb") as source:
            head = source.read(1024)
    except OSError:
        return {"estado": "ilegible"}
    if not head.strip(b"\x00 \t\r\n"):
        return {"estado": "vacio"}
    if b"%PDF-" not in head or head.startswith(b"PK"):
        return {"estado": "no_pdf"}
    try:
        structure = _structure(path)
        return {"estado": "leido", **structure, **(_pages(path) if structure["paginas"] else {})}
    except pikepdf.PasswordError:
        return {"estado": "cifrado"}
    except (
        pikepdf.PdfError,
        pdfium.PdfiumError,
        MemoryError,
        ValueError,
        LookupError,
        TypeError,
        RuntimeError,
        OSError,
    ):
        return {"estado": "ilegible"}


def _structure(path: Path) -> dict[str, Any]:
    """Count the pages and name what a PDF may do besides being read."""
    with pikepdf.open(path) as pdf:
        found: set[str] = set()
        root = pdf.Root
        if "/OpenAction" in root or "/AA" in root:
            found.add("apertura")
        form = root.get("/AcroForm")
        if isinstance(form, pikepdf.Dictionary):
            fields = form.get("/Fields")
            if isinstance(fields, pikepdf.Array) and len(fields):
                found.add("formulario")
            if "/XFA" in form:
                found.add("formulario")
            if int(form.get("/SigFlags", 0)) & 1:
                found.add("firmado")
        for one in islice(pdf.objects, MAX_OBJECTS):
            _traits(one, found, 0)
        forbidden = [word for name, word in _PERMITS.items() if pdf.is_encrypted and not getattr(pdf.allow, name)]
        return {
            "paginas": len(pdf.pages),
            "rasgos": sorted(found),
            "protegido": bool(pdf.is_encrypted),
            "restricciones": forbidden,
            "reparado": bool(pdf.get_warnings()),
        }


def _traits(thing: pikepdf.Object, found: set[str], depth: int) -> None:
    """Add the traits of an object and of what stands directly inside it (indirect ones come by themselves)."""
    if depth > _DEPTH:
        return
    if isinstance(thing, pikepdf.Stream):
        thing = thing.stream_dict
    if isinstance(thing, pikepdf.Dictionary):
        kind = thing.get("/S")
        if kind == "/JavaScript" or "/JS" in thing:
            found.add("javascript")
        elif isinstance(kind, pikepdf.Name) and str(kind) in _ACTIONS:
            found.add("accion")
        if "/EF" in thing or "/EmbeddedFiles" in thing:
            found.add("incrustados")
        inside: Any = (value for _, value in thing.items())
    elif isinstance(thing, pikepdf.Array):
        inside = islice(thing, MAX_OBJECTS)
    else:
        return
    for value in inside:
        if isinstance(value, pikepdf.Object) and not value.is_indirect:
            _traits(value, found, depth + 1)


def _pages(path: Path) -> dict[str, Any]:
    """Read the words and look at the pictures, page by page."""
    with path.open("rb") as source, pdfium.PdfDocument(source) as document:
        texts: list[str] = []
        empty, coarse, mute = [], [], []
        until = time.monotonic() + PICTURES_S
        looked = 0
        for number in range(1, min(len(document), MAX_PAGES) + 1):
            page = document[number - 1]
            text = str(page.get_textpage().get_text_bounded())
            texts.append(text)
            letters = sum(1 for letter in text if letter.isalnum())
            if letters < _FEW_LETTERS:
                mute.append(number)
            if time.monotonic() < until:
                looked = number
                if letters == 0 and _is_blank(page):
                    empty.append(number)
                else:
                    dots = _dots_per_inch(page, mute=letters < _FEW_LETTERS)
                    if dots is not None:
                        coarse.append([number, dots])
            page.close()
        return {
            "miradas": looked,
            "vacias": empty,
            "imagenes": coarse,
            "sin_texto": mute,
            "palabras": sorted(joined(texts)),
        }


def _is_blank(page: pdfium.PdfPage) -> bool:
    """Say whether a page without text shows nothing: no drawing at all, or a scan of nothing."""
    if pdfium_c.FPDFPage_CountObjects(page) == 0 and not pdfium_c.FPDFPage_GetAnnotCount(page):
        return True
    darkest, _ = page.render(scale=0.5, grayscale=True).to_pil().convert("L").getextrema()
    return bool(darkest >= _WHITE)


def _dots_per_inch(page: pdfium.PdfPage, *, mute: bool) -> int | None:
    """Return the resolution of a page that is a picture, None for a page of text and drawings."""
    width, height = page.get_size()
    whole = width * height
    pictures = list(_pictures(page))
    covered = sum(area for area, _ in pictures)
    if whole <= 0 or covered < whole * (_SHARE_OF_A_SCAN / 2 if mute else _SHARE_OF_A_SCAN):
        return None
    # A scan in strips is judged whole; one in layers by its finest layer.
    choices = [(covered, sum(dots for _, dots in pictures))]
    choices += [(area, dots) for area, dots in pictures if area >= whole / 2]
    return max(round(_POINTS * math.sqrt(dots / area)) for area, dots in choices)


def _pictures(page: pdfium.PdfPage) -> Iterator[tuple[float, int]]:
    """Yield (area in square points, number of dots) of the pictures of a page."""
    for picture in islice(page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=4), 2_000):
        left, bottom, right, top = picture.get_bounds()
        area = (right - left) * (top - bottom)
        wide, high = picture.get_px_size()
        if area > 0:
            yield area, wide * high


if __name__ == "__main__":
    sys.exit(serve(answer, memory_bytes=MEMORY_BYTES, cpu_s=CPU_S))
