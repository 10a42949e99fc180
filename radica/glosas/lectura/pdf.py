"""Reads a payer's letter: PDF with text, or scanned (PDF of pictures, PNG, JPEG, TIFF) through OCR where there is one.

Invariant: the layout follows from signatures in the text, never from the file's name; what cannot be opened or is no
letter of glosas comes back as one NoLeida with the reason and what to do, so that nothing a payer sent is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import groupby
from pathlib import Path

from radica.facturas.texts import fold
from radica.facturas.xmlsafe import Unreadable
from radica.glosas.lectura.carta import Carta, carta
from radica.glosas.lectura.pdf_axa import es_axa, leer_axa
from radica.glosas.lectura.pdf_bolivar import es_bolivar, leer_bolivar
from radica.glosas.lectura.pdf_eps import es_eps, leer_eps
from radica.glosas.lectura.pdf_proceso import hay_ocr, paginas, reconocer, tablas
from radica.glosas.lectura.tipos import Lectura, NoLeida

PDF, PICTURES = b"%PDF-", (b"\x89PNG", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*")
MIN_CERTEZA = 40
"""Below this mean certainty OCR saw a stamp or a photo, not letters."""
_SCAN_CHARS = 40
_HEAD = 1024

_LAYOUTS: tuple[tuple[Callable[[str], int], Callable[[Carta], Lectura]], ...] = (
    (es_axa, leer_axa),
    (es_bolivar, leer_bolivar),
    (es_eps, leer_eps),
)


def es_carta(head: bytes) -> bool:
    """Say whether the first bytes of a file are of a PDF or of a picture."""
    return PDF in head[:_HEAD] or head.startswith(PICTURES)


def leer_pdf(path: Path, nombre: str, *, hoy: date) -> Lectura:
    """Read a letter in PDF or as a picture. Never raises for what the file holds; OSError when it cannot be opened."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    try:
        if PDF in head:
            found = paginas(path)
            if sum(len(page.texto.strip()) for page in found) >= _SCAN_CHARS:
                text = [
                    (number, [(line, 100) for line in page.texto.split("\n")]) for number, page in enumerate(found, 1)
                ]
                return leer_carta(carta(nombre, text, hoy, ocr=False), path)
            if not any(page.imagenes for page in found):
                return nada(nombre, "El PDF está en blanco.", "Pida al pagador el archivo de nuevo.")
        return _scanned(path, nombre, hoy)
    except Unreadable as refused:
        return nada(nombre, refused.message, refused.todo)


def leer_carta(letter: Carta, path: Path | None = None) -> Lectura:
    """Read a letter whose lines are known, by the layout that its text shows; `path` gives ruled tables if needed."""
    plain = "\n".join(fold(line.texto) for line in letter.renglones)
    score, read = max(((sign(plain), reader) for sign, reader in _LAYOUTS), key=lambda one: one[0])
    if score <= 0:
        return nada(
            letter.nombre,
            "No parece una carta de glosas ni de devoluciones.",
            "Si lo es, registre sus glosas a mano con el archivo como prueba.",
        )
    if read is leer_eps and path is not None:
        letter = replace(letter, tablas=_tables(path))
    found = read(letter)
    if not found.lineas and not found.no_leidas:
        return replace(
            nada(letter.nombre, "Es una carta de glosas, pero no se hallaron sus renglones.", _BY_HAND),
            formato=found.formato,
            pagador_nit=found.pagador_nit,
            avisos=found.avisos,
        )
    return found


_BY_HAND = "Registre sus glosas a mano con el archivo como prueba."


def _tables(path: Path) -> tuple[tuple[int, tuple[tuple[str, ...], ...]], ...]:
    return tuple(
        (page, tuple(tuple(row) for row in table)) for page, tables in enumerate(tablas(path), 1) for table in tables
    )


def _scanned(path: Path, nombre: str, hoy: date) -> Lectura:
    """Read a letter of pictures by OCR, or say that a person must."""
    if not hay_ocr():
        return nada(
            nombre,
            "Es una carta escaneada y este equipo no reconoce texto en imágenes.",
            "Instale tesseract-ocr y tesseract-ocr-spa, o registre sus glosas a mano con el archivo como prueba.",
        )
    lines = reconocer(path)
    if not lines or sum(line.certeza for line in lines) // len(lines) < MIN_CERTEZA:
        return nada(nombre, "Es una imagen en la que no se reconoce texto.", _BY_HAND)
    pages = [
        # OCR is never sure: 100 is kept for what was text in the file.
        (page, [(line.texto, min(line.certeza, 99)) for line in group])
        for page, group in groupby(lines, key=lambda line: line.pagina)
    ]
    return leer_carta(carta(nombre, pages, hoy, ocr=True))


def nada(nombre: str, motivo: str, todo: str) -> Lectura:
    """Return the reading of a file of which nothing was read: one NoLeida for the whole file."""
    return Lectura(
        archivo=nombre,
        formato="",
        confianza=0,
        pagador_nit=None,
        lineas=(),
        no_leidas=(NoLeida(0, f"{motivo} {todo}"),),
        total_leido=0,
        total_declarado=None,
    )
