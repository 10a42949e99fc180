"""Plain text files as rows: `;`, `|`, tab or comma, told apart by the content; encodings told apart by the bytes.

Invariant: no line is swallowed: a quote that never closes costs its own line's quoting and nothing else. Bytes are
UTF-8 only when all of them are; else Windows-1252. The number of a row is that of its first line in the file.
"""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from radica.facturas.xmlsafe import Unreadable
from radica.glosas.lectura.valores import Celda

SEPARADORES = (";", "|", "\t", ",")
MAX_BYTES = 600 * 1024 * 1024
MAX_LINEAS = 1_048_576
"""Lines of one file: as many as a sheet of Excel can have; above this nobody sent glosas."""
MAX_LARGO = 200_000
_MAX_QUOTED_LINES = 30
_SAMPLE_LINES = 60
_CHUNK = 1024 * 1024
_TOO_MANY = "El archivo tiene más líneas de las que se pueden leer."

Filas = Callable[[], Iterator[tuple[int, list[Celda]]]]


def abrir(path: Path, head: bytes) -> tuple[Filas, frozenset[int], tuple[str, ...]]:
    """Return a way to go over the rows of a text file, no formulas, and what to tell about it.

    Raises Unreadable for bytes that are no text, files beyond the limits, and text without columns.
    """
    encoding, lost = _encoding(path, head)
    sample = _sample(path, encoding)
    separator = _separator(sample)
    if separator is None:
        raise Unreadable(
            "El texto no tiene columnas: no se encontró separador (; | tabulador o coma).",
            todo="Revise que sea el archivo de glosas.",
            code="sin_columnas",
        )
    notes = ("Al archivo se le perdieron letras con tilde antes de llegar.",) if lost else ()

    def rows() -> Iterator[tuple[int, list[Celda]]]:
        with path.open(encoding=encoding, errors="replace", newline=None) as stream:
            yield from _rows(_lines(stream), separator)

    return rows, frozenset(), notes


def decodificar(data: bytes) -> str:
    """Return bytes as text: by their mark, else UTF-8 if all of them are, else Windows-1252."""
    marked = _marked(data)
    if marked:
        return data.decode(marked, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _marked(head: bytes) -> str:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Excel's «Unicode text» without its mark: every second byte is zero.
    if len(head) >= 64 and head[1:64:2].count(0) > 28:
        return "utf-16-le"
    return ""


def _encoding(path: Path, head: bytes) -> tuple[str, bool]:
    """Return the encoding and whether letters were lost before. Raises Unreadable for what is no text."""
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable(_TOO_MANY, todo="Pártalo por meses o por facturas.", code="demasiado_grande")
    encoding = _marked(head)
    if not encoding and (head.count(0) > 8 or sum(byte < 9 or 13 < byte < 27 for byte in head) > 8):
        raise Unreadable("El archivo no es una tabla ni un texto.", todo="Revise qué recibió.", code="no_es_texto")
    decoder = codecs.getincrementaldecoder(encoding or "utf-8")(errors="strict")
    lost = False
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                lost = lost or "\ufffd" in decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return (encoding or "cp1252"), lost
    return encoding or "utf-8", lost


def _sample(path: Path, encoding: str) -> list[str]:
    lines: list[str] = []
    with path.open(encoding=encoding, errors="replace", newline=None) as stream:
        while len(lines) < _SAMPLE_LINES and (line := stream.readline(MAX_LARGO)):
            if line.strip():
                lines.append(line)
    return lines


def _separator(lines: list[str]) -> str | None:
    """Return the sign that cuts most lines into the same number of columns; None when none cuts them."""
    best: tuple[float, int, str] | None = None
    for sign in SEPARADORES:
        counts = Counter(len(_split(line, sign)) for line in lines)
        counts.pop(1, None)
        if not counts:
            continue
        columns, times = max(counts.items(), key=lambda one: (one[1] * one[0], one[0]))
        score = times * columns / max(len(lines), 1)
        if best is None or score > best[0]:
            best = (score, columns, sign)
    return best[2] if best else None


def _split(line: str, separator: str) -> list[str]:
    bare = line.rstrip("\r\n")
    if '"' not in bare:
        return bare.split(separator)
    return next(csv.reader([bare], delimiter=separator), [])


def _lines(stream: TextIO) -> Iterator[str]:
    """Yield the lines; raise Unreadable for one that no table has."""
    while line := stream.readline(MAX_LARGO):
        if len(line) == MAX_LARGO and not line.endswith("\n"):
            raise Unreadable("El texto tiene líneas demasiado largas.", todo="Revise qué recibió.", code="no_es_tabla")
        yield line


def _rows(stream: Iterator[str], separator: str) -> Iterator[tuple[int, list[Celda]]]:
    """Cut lines into rows; a quoted cell may hold line ends as long as its quote closes soon."""
    csv.field_size_limit(MAX_LARGO * _MAX_QUOTED_LINES)
    width = 0
    pending: list[tuple[int, str]] = []
    for number, line in enumerate(stream, start=1):
        if number > MAX_LINEAS:
            raise Unreadable(_TOO_MANY, todo="Pártalo por meses o por facturas.", code="demasiado_grande")
        if not pending and '"' not in line:
            row: list[Celda] = [*line.rstrip("\r\n").split(separator)]
            width = max(width, len(row))
            yield number, row
            continue
        pending.append((number, line))
        while pending:
            taken = _quoted(pending, separator, width)
            if taken == 0 and len(pending) <= _MAX_QUOTED_LINES:
                break
            yield _take(pending, taken, separator)
            del pending[: max(taken, 1)]
    while pending:
        taken = _quoted(pending, separator, width)
        yield _take(pending, taken, separator)
        del pending[: max(taken, 1)]


def _quoted(pending: list[tuple[int, str]], separator: str, width: int) -> int:
    """Return how many of the pending lines make one row with its quotes closed; 0 when more lines are needed."""
    quotes = 0
    for taken, (_, line) in enumerate(pending, start=1):
        quotes += line.count('"')
        if quotes % 2 == 0:
            whole = "".join(text for _, text in pending[:taken])
            # A line that is a row by itself is no rest of a cell: two stray quotes would swallow what is between.
            rows = width > 1 and any(text.count(separator) >= width - 1 for _, text in pending[1:taken])
            return taken if taken == 1 or (len(_parse(whole, separator)) >= width and not rows) else 1
    return 0


def _take(pending: list[tuple[int, str]], taken: int, separator: str) -> tuple[int, list[Celda]]:
    """Return the first row of the pending lines; with `taken` 0 its first line, whose quotes mean nothing."""
    number, first = pending[0]
    if taken == 0 or (taken == 1 and first.count('"') % 2):
        return number, [*first.rstrip("\r\n").replace('"', "").split(separator)]
    return number, [*_parse("".join(text for _, text in pending[:taken]), separator)]


def _parse(text: str, separator: str) -> list[str]:
    return next(csv.reader([text.rstrip("\r\n")], delimiter=separator), [])
