"""The house's side of looking into a PDF: asks `pdf_hijo`, believes only what has the right form, and keeps nothing.

Invariant: this process never opens a support itself; a PDF that ends its reader, or takes longer than `READ_S`, is
`ilegible`. Words are in no repr. Pure of database and web: rules of `validacion` use it.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from radica.kernel.reader import ReaderProcess

COMMAND = (sys.executable, "-m", "radica.facturas.pdf_hijo")
READ_S = 45.0
MAX_WORDS, MAX_WORD, MAX_LISTED = 20_000, 64, 2_000
MAX_LINE = 4 * MAX_WORDS * MAX_WORD


class EstadoPdf(StrEnum):
    """What came of opening a file as a PDF."""

    LEIDO = "leido"
    VACIO = "vacio"
    NO_PDF = "no_pdf"
    ILEGIBLE = "ilegible"
    CIFRADO = "cifrado"


@dataclass(frozen=True)
class PdfLeido:
    """What a PDF holds. Pages count from 1; `imagenes` are (page, dots per inch) of pages that are pictures."""

    estado: EstadoPdf
    paginas: int = 0
    rasgos: frozenset[str] = frozenset()
    """javascript, accion, apertura, vista, incrustados, formulario, xfa, guion_xfa, firmado."""
    protegido: bool = False
    """Encrypted under an owner's password: it opens without one and forbids `restricciones`."""
    restricciones: tuple[str, ...] = ()
    reparado: bool = False
    """Its table of objects was damaged and was rebuilt to read it."""
    miradas: int = 0
    """How many pages, from the first, were looked at for pictures and emptiness."""
    vacias: tuple[int, ...] = ()
    imagenes: tuple[tuple[int, int], ...] = ()
    sin_texto: tuple[int, ...] = ()
    palabras: frozenset[str] = field(default=frozenset(), repr=False)


class LectorPdf(ReaderProcess):
    """Looks into PDFs, one at a time. Use as a context manager, or `close` it."""

    def __init__(self, *, read_s: float = READ_S, command: Sequence[str] = COMMAND) -> None:
        super().__init__(command, read_s=read_s, max_line=MAX_LINE)

    def leer(self, ruta: Path) -> PdfLeido:
        """Return what the file at `ruta` is; `ilegible` also when its reader dies or takes too long."""
        found = entendido(self.line({"ruta": str(ruta.absolute())}))
        if found is None:
            self.close()
            return PdfLeido(EstadoPdf.ILEGIBLE)
        return found


def leer_pdf(ruta: Path) -> PdfLeido:
    """Look into a PDF with the reader of this process, which is made at the first call and ends with the process."""
    with _LOCK:
        return _own().leer(ruta)


def entendido(line: bytes) -> PdfLeido | None:
    """Read an answer as what it is: words from a process that opened a stranger's file. None when it is none."""
    try:
        value = json.loads(line) if line.endswith(b"\n") else None
        if not isinstance(value, dict):
            return None
        return PdfLeido(
            estado=EstadoPdf(value["estado"]),
            paginas=_number(value.get("paginas", 0)),
            rasgos=frozenset(_texts(value.get("rasgos", []))),
            protegido=value.get("protegido", False) is True,
            restricciones=tuple(_texts(value.get("restricciones", []))),
            reparado=value.get("reparado", False) is True,
            miradas=_number(value.get("miradas", 0)),
            vacias=_numbers(value.get("vacias", [])),
            imagenes=tuple((_number(page), _number(dots)) for page, dots in value.get("imagenes", [])[:MAX_LISTED]),
            sin_texto=_numbers(value.get("sin_texto", [])),
            palabras=frozenset(_texts(value.get("palabras", []))),
        )
    except (ValueError, TypeError, KeyError):
        return None


def _number(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 1 << 31:
        raise ValueError
    return value


def _numbers(value: Any) -> tuple[int, ...]:
    return tuple(_number(one) for one in value[:MAX_LISTED])


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > MAX_WORDS:
        raise ValueError
    return [one for one in value if isinstance(one, str) and 0 < len(one) <= MAX_WORD]


_LOCK = threading.Lock()
_READERS: dict[int, LectorPdf] = {}
"""The reader of this process, by its number: a process that was forked off must not speak through its parent's pipe."""


def _own() -> LectorPdf:
    reader = _READERS.get(os.getpid())
    if reader is None:
        reader = _READERS[os.getpid()] = LectorPdf()
        atexit.register(reader.close)
    return reader
