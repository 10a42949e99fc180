"""Asks another process what a PDF or a scanned letter says, with a limit of time; explains what it refused.

Invariant: pdfium is not safe across threads and a hostile PDF may crash or hang it, so this process never opens one.
OCR is tesseract's program with Spanish data when the machine has it; what it reads is never taken for sure.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import radica
from radica.facturas.xmlsafe import Unreadable

READ_S, OCR_PAGE_S, ASK_S = 150, 90, 20
LANGUAGE = "spa"
_KEEP_ENV = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONSAFEPATH", "TESSDATA_PREFIX")
_AGAIN = "Pida al pagador el archivo de nuevo, o registre la carta a mano."
_WORDS: Mapping[str, tuple[str, str]] = {
    "pdf_cifrado": (
        "El PDF está protegido con contraseña.",
        "Ábralo con su contraseña, guárdelo sin ella y cárguelo de nuevo.",
    ),
    "pdf_danado": ("El archivo está dañado o incompleto y no se puede leer.", _AGAIN),
    "pdf_largo": ("El PDF tiene {n} páginas y se leen hasta 500.", "Divídalo y cargue las partes."),
    "pdf_desmedido": ("El archivo trae una cantidad desmedida de contenido.", _AGAIN),
    "escaneo_largo": (
        "La carta escaneada tiene {n} páginas y se reconocen hasta 40.",
        "Divídala y cargue las partes con glosas.",
    ),
    "pdf_lento": ("El archivo tarda demasiado en leerse.", _AGAIN),
}


@dataclass(frozen=True, slots=True)
class Pagina:
    """A page: its text, line by line as printed, and how many pictures it carries."""

    texto: str
    imagenes: int


@dataclass(frozen=True, slots=True)
class RenglonOcr:
    """A line recognised in a picture: page (from 1), text, and tesseract's mean certainty of its words, 0–100."""

    pagina: int
    texto: str
    certeza: int


def paginas(path: Path) -> list[Pagina]:
    """Return the pages of a PDF. Raises Unreadable with the reason and what to do."""
    return [Pagina(one["texto"], one["imagenes"]) for one in _ask("texto", path)["paginas"]]


def tablas(path: Path) -> list[list[list[list[str]]]]:
    """Return, page by page, the ruled tables of a PDF: rows of cells. Raises Unreadable."""
    return [one["tablas"] for one in _ask("tablas", path)["paginas"]]


def hay_ocr() -> bool:
    """Say whether this machine can recognise scanned letters in Spanish."""
    program = shutil.which("tesseract")
    return program is not None and _speaks_spanish(program)


@lru_cache(maxsize=4)
def _speaks_spanish(program: str) -> bool:
    try:
        listed = subprocess.run([program, "--list-langs"], capture_output=True, timeout=ASK_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return LANGUAGE in listed.stdout.decode("utf-8", "replace").split()


def reconocer(path: Path) -> list[RenglonOcr]:
    """Return the lines that OCR sees in a PDF of pictures, or in a PNG, JPEG or TIFF. Raises Unreadable."""
    lines = []
    with TemporaryDirectory(prefix="radica-ocr-") as folder:
        for number, name in enumerate(_ask("imagenes", path, folder)["imagenes"], 1):
            lines += _recognised(Path(folder) / name, number)
    return lines


def _ask(what: str, path: Path, *more: str) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "radica.glosas.lectura.pdf_hijo", what, str(path.resolve()), *more],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=READ_S,
            check=False,
            env=_environment(),
            cwd=Path(radica.__file__).parent.parent,
        )
    except subprocess.TimeoutExpired:
        raise _refusal("pdf_lento", 0) from None
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        # Ended by a signal or by its limits: what it would have printed may quote the letter, and is not looked at.
        raise _refusal("pdf_desmedido" if done.returncode < 0 else "pdf_danado", 0) from None
    if "rechazo" in answer:
        raise _refusal(str(answer["rechazo"]), int(answer["numero"]))
    return answer


def _environment() -> dict[str, str]:
    """What a reader inherits: it has no business with the database's address or the keys."""
    return {name: os.environ[name] for name in _KEEP_ENV if name in os.environ}


def _refusal(code: str, number: int) -> Unreadable:
    reason, todo = _WORDS[code]
    return Unreadable(reason.format(n=number), todo=todo, code=code)


def _recognised(image: Path, page: int) -> list[RenglonOcr]:
    try:
        done = subprocess.run(
            ["tesseract", str(image), "stdout", "-l", LANGUAGE, "--psm", "6", "tsv"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=OCR_PAGE_S,
            check=False,
            env=_environment() | {"OMP_THREAD_LIMIT": "1"},
        )
    except (OSError, subprocess.TimeoutExpired):
        raise _refusal("pdf_lento", 0) from None
    if done.returncode != 0:
        raise _refusal("pdf_danado", 0)
    return _lines(done.stdout.decode("utf-8", "replace"), page)


def _lines(table: str, page: int) -> list[RenglonOcr]:
    """Put the words of tesseract's table together, line by line."""
    words: dict[tuple[str, ...], list[tuple[str, int]]] = {}
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        text = (row.get("text") or "").strip()
        if text and row["level"] == "5":
            place = tuple(row[name] for name in ("block_num", "par_num", "line_num"))
            certainty = int((row["conf"] or "0").split(".")[0])
            words.setdefault(place, []).append((text, certainty))
    return [
        RenglonOcr(page, " ".join(text for text, _ in one), sum(sure for _, sure in one) // len(one))
        for one in words.values()
    ]
