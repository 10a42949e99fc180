"""The process that opens PDF supports: pages, words, images, and what a payer's portal refuses in a PDF.

Invariant: it opens what a stranger made, so it runs with limits (`kernel.reader`) as `python -m radica.facturas.pdf_hijo`
and writes nothing; words go back over the pipe and are kept nowhere. An order is `{"ruta": path}`; the answer is the
JSON that `pdf_lector` reads. Norm: Res. 2284 de 2023, annex 2 (PDF, 300 dpi).
"""

from __future__ import annotations

import math
import re
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
_SCALE, _LONGEST = 0.5, 3_000
"""Dots per point, and dots at most, of the drawing in which a page is looked at for emptiness."""
_DEPTH = 8
_POINTS = 72
_SHARE_OF_A_SCAN = 0.8
"""Part of a page that its pictures cover when the page is a picture; half of it where there is no text either."""
_FEW_LETTERS = 8
_MARK_OF_A_SCANNER = 60
"""Letters that a page which is a picture may carry and still say nothing: the scanner's name, a number of page."""
_STUCK = re.compile(r"[^\W\d_](?=[0-9]{1,3}(?:[.,][0-9]{3})+)")
"""A letter with a number in groups stuck to it: `CC1.098.765.432`."""
_LINES_OF_A_LETTER = 8
_UNSEEN = (pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium_c.FPDF_TEXTRENDERMODE_CLIP)
_MAX_TYPED, _MAX_VALUE = 5_000, 4_000
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
        typed: list[str] = []
        structure = _structure(path, typed)
        return {"estado": "leido", **structure, **(_pages(path, typed) if structure["paginas"] else {})}
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


def _structure(path: Path, typed: list[str]) -> dict[str, Any]:
    """Count the pages and name what a PDF may do besides being read; what was typed on them is added to `typed`."""
    with pikepdf.open(path) as pdf:
        found: set[str] = set()
        root = pdf.Root
        found |= _opening(root)
        form = root.get("/AcroForm")
        if isinstance(form, pikepdf.Dictionary):
            found |= _form(form)
        for one in islice(pdf.objects, MAX_OBJECTS):
            _traits(one, found, typed, 0)
        forbidden = [word for name, word in _PERMITS.items() if pdf.is_encrypted and not getattr(pdf.allow, name)]
        return {
            "paginas": len(pdf.pages),
            "rasgos": sorted(found),
            "protegido": bool(pdf.is_encrypted),
            "restricciones": forbidden,
            "reparado": bool(pdf.get_warnings()),
        }


def _opening(root: pikepdf.Object) -> set[str]:
    """Return `apertura` when something runs as it is opened, `vista` when only the page and its size are chosen.

    Nearly every office program writes the second, which does nothing; some portals refuse it all the same.
    """
    first = root.get("/OpenAction")
    goes = isinstance(first, pikepdf.Dictionary) and first.get("/S") == "/GoTo" and "/Next" not in first
    if "/AA" in root or (isinstance(first, pikepdf.Dictionary) and not goes):
        return {"apertura"}
    return {"vista"} if first is not None else set()


def _form(form: pikepdf.Object) -> set[str]:
    found = set()
    fields, flags, xfa = form.get("/Fields"), form.get("/SigFlags", 0), form.get("/XFA")
    if (isinstance(fields, pikepdf.Array) and len(fields)) or xfa is not None:
        found.add("formulario")
    if xfa is not None:
        found.add("xfa")
    if isinstance(flags, int) and flags & 1:
        found.add("firmado")
    packets = xfa if isinstance(xfa, pikepdf.Array) else [xfa]
    for one in islice(packets, _MAX_TYPED):
        if isinstance(one, pikepdf.Stream) and b"<script" in one.read_bytes():
            found.add("guion_xfa")
    return found


def _typed(thing: pikepdf.Dictionary) -> str:
    """Return what a person typed into a field or wrote over a page: neither is part of the page's own text."""
    kept = "/Contents" if thing.get("/Subtype") == "/FreeText" else "/V" if "/T" in thing or "/Parent" in thing else ""
    value = thing.get(kept) if kept else None
    return str(value)[:_MAX_VALUE] if isinstance(value, pikepdf.String) else ""


def _traits(thing: pikepdf.Object, found: set[str], typed: list[str], depth: int) -> None:
    """Add the traits and typed texts of an object and of what stands directly inside it (indirect ones come by themselves)."""
    if depth > _DEPTH:
        return
    if isinstance(thing, pikepdf.Stream):
        thing = thing.stream_dict
    if isinstance(thing, pikepdf.Dictionary):
        if len(typed) < _MAX_TYPED and (text := _typed(thing)):
            typed.append(text)
        kind = thing.get("/S")
        if kind == "/JavaScript" or "/JS" in thing:
            found.add("javascript")
        elif isinstance(kind, pikepdf.Name) and str(kind) in _ACTIONS:
            found.add("accion")
        if "/ByteRange" in thing and "/Contents" in thing:
            found.add("firmado")
        if "/EF" in thing or "/EmbeddedFiles" in thing:
            found.add("incrustados")
        inside: Any = (value for _, value in thing.items())
    elif isinstance(thing, pikepdf.Array):
        inside = islice(thing, MAX_OBJECTS)
    else:
        return
    for value in inside:
        if isinstance(value, pikepdf.Object) and not value.is_indirect:
            _traits(value, found, typed, depth + 1)


def _pages(path: Path, typed: list[str]) -> dict[str, Any]:
    """Read the words and look at the pictures, page by page."""
    with path.open("rb") as source, pdfium.PdfDocument(source) as document:
        document.init_forms()
        texts: list[str] = []
        empty, coarse, mute = [], [], []
        until = time.monotonic() + PICTURES_S
        looked = 0
        for number in range(1, min(len(document), MAX_PAGES) + 1):
            page = document[number - 1]
            text = str(page.get_textpage().get_text_bounded())
            texts.append(_STUCK.sub(r"\g<0> ", text))
            letters = sum(1 for letter in text if letter.isalnum())
            silent, dots = letters < _FEW_LETTERS, None
            if time.monotonic() < until:
                looked = number
                if letters == 0 and _is_blank(page):
                    empty.append(number)
                else:
                    dots = _dots_per_inch(page, mute=silent)
            if dots is not None:
                coarse.append([number, dots])
            if silent or (dots is not None and letters < _MARK_OF_A_SCANNER):
                mute.append(number)
            page.close()
        return {
            "miradas": looked,
            "vacias": empty,
            "imagenes": coarse,
            "sin_texto": mute,
            "palabras": sorted(joined([*typed, *texts])),
        }


def _is_blank(page: pdfium.PdfPage) -> bool:
    """Say whether a page without text shows nothing: no drawing at all, or a scan of nothing."""
    if pdfium_c.FPDFPage_CountObjects(page) == 0 and not pdfium_c.FPDFPage_GetAnnotCount(page):
        return True
    scale = min(_SCALE, _LONGEST / max(*page.get_size(), 1.0))
    darkest, _ = page.render(scale=scale, grayscale=True).to_pil().convert("L").getextrema()
    return bool(darkest >= _WHITE)


def _dots_per_inch(page: pdfium.PdfPage, *, mute: bool) -> int | None:
    """Return the resolution of a page that is a picture, None for a page of text and drawings."""
    width, height = page.get_size()
    whole = width * height
    pictures = list(_pictures(page))
    covered = sum(area for area, _ in pictures)
    if whole <= 0 or covered < whole * (_SHARE_OF_A_SCAN / 2 if mute else _SHARE_OF_A_SCAN):
        return None
    if not mute and _written_over(page):
        return None
    # A scan in strips is judged whole; one in layers by its finest layer.
    choices = [(covered, sum(dots for _, dots in pictures))]
    choices += [(area, dots) for area, dots in pictures if area >= whole / 2]
    return max(round(_POINTS * math.sqrt(dots / area)) for area, dots in choices)


def _written_over(page: pdfium.PdfPage) -> bool:
    """Say whether a page is written on top of its picture, which is then a letterhead and no scan.

    The words that a reader of scans adds are invisible or lie under the picture; a stamp is a line or two.
    """
    lines, covered = 0, False
    for one in islice(page.get_objects(max_depth=4), 5_000):
        covered = covered or one.type == pdfium_c.FPDF_PAGEOBJ_IMAGE
        if covered and one.type == pdfium_c.FPDF_PAGEOBJ_TEXT:
            lines += pdfium_c.FPDFTextObj_GetTextRenderMode(one.raw) not in _UNSEEN
            if lines >= _LINES_OF_A_LETTER:
                return True
    return False


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
