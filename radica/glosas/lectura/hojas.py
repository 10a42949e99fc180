"""Sheets of rows out of whatever tabular file came: workbooks of Excel (.xlsx, .xlsm, .xls) and plain text.

Invariant: what a file is follows from its bytes, never from its name; macros are never run and formulas never
computed (a formula without its stored result is reported); one sheet is in memory at a time, and a workbook that
claims cells enough to fill the machine is refused before it is opened.
"""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import IO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

import radica
from radica.facturas.xmlsafe import Unreadable
from radica.glosas.lectura import planos, xls_hijo
from radica.glosas.lectura.valores import Celda

Fila = tuple[int, Sequence[Celda]]
"""A row: its number in the file, from 1, and its cells."""

MAX_CELDAS = 30_000_000
"""Cells of one sheet's rectangle: 24 bytes each while it is open."""
MAX_HOJAS = 200
MAX_XML = 800 * 1024 * 1024
MAX_TEXTOS = 128 * 1024 * 1024
"""Bytes of a workbook's XML, and of its shared texts, which are all in memory at once."""
XLS_S = 90
"""Seconds that trying a workbook of Excel 97 may take."""
_KEEP_ENV = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONSAFEPATH")
_LETTERS = 26
_CHUNK = 4 * 1024 * 1024
_OVERLAP = 256
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_TEXTS = "xl/sharedStrings.xml"
_COUNTS = re.compile(rb'\buniqueCount=["\'](\d+)["\']')
"""Different texts; `count` beside it is of the cells that hold them, which repeat a few texts any number of times."""
# They begin with plain letters, with or without a namespace's prefix: the search of 50 MB then takes a fifth.
_ROW = re.compile(rb'row\s[^>]*?\br=["\'](\d{1,9})["\']')
_FORMULA = re.compile(rb"<f[ />]")
_UNCOMPUTED = re.compile(rb'<c r="[A-Z]{1,3}(\d{1,9})"[^>]*><f(?:\s[^>]*)?(?:/>|>[^<]*</f>)(?:<v\s?/>|<v></v>)?</c>')
_HTML = re.compile(rb"<(?:!doctype html|html|table|head|body|meta)\b", re.IGNORECASE)
_XML_SHEET = b"urn:schemas-microsoft-com:office:spreadsheet"


@dataclass(frozen=True, slots=True)
class Hoja:
    """One sheet. `filas()` gives a new pass over its rows each time, while the sheet is the current one.

    `sin_calcular`: rows that hold a formula without its result. `avisos` are for the person who loads the file.
    """

    nombre: str
    filas: Callable[[], Iterator[Fila]]
    sin_calcular: frozenset[int] = frozenset()
    avisos: tuple[str, ...] = ()


def hojas(path: Path) -> Iterator[Hoja]:
    """Yield the sheets of a file one by one; use each before asking for the next.

    Raises Unreadable, with what happened and what to do, for what cannot be read as a table.
    """
    with path.open("rb") as stream:
        head = stream.read(8192)
    if not head.strip(b"\x00 \t\r\n"):
        raise Unreadable("El archivo está vacío.", todo="Pida que lo envíen de nuevo.", code="vacio")
    if head.startswith(_ZIP):
        yield from _workbook(path, _check_zip(path))
    elif head.startswith(_OLE):
        _check_ole(path)
        yield from _workbook(path, {})
    elif _looks_html(head):
        raise Unreadable(
            "Es una página web guardada con nombre de hoja de cálculo.",
            todo="Ábrala en Excel y guárdela como .xlsx.",
            code="html",
        )
    elif _XML_SHEET in head:
        raise Unreadable("Es un libro XML de Excel 2003, que no se lee.", todo="Guárdelo como .xlsx.", code="xml_2003")
    else:
        yield Hoja("", *planos.abrir(path, head))


def _looks_html(head: bytes) -> bool:
    bare = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return bare.startswith(b"<") and _HTML.search(bare[:2048]) is not None


def _check_ole(path: Path) -> None:
    """Refuse what an OLE container holds instead of a readable workbook. Raises Unreadable.

    Excel wraps an encrypted workbook in one; anything else is tried in a process of its own first.
    """
    with path.open("rb") as stream:
        tail = b""
        while chunk := stream.read(_CHUNK):
            if _ENCRYPTED in tail + chunk:
                raise _encrypted()
            tail = chunk[-64:]
    try:
        tried = subprocess.run(
            [sys.executable, "-m", "radica.glosas.lectura.xls_hijo", str(path.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=XLS_S,
            check=False,
            env={name: os.environ[name] for name in _KEEP_ENV if name in os.environ},
            cwd=Path(radica.__file__).parent.parent,
        )
    except subprocess.TimeoutExpired:
        raise _damaged() from None
    if tried.returncode == xls_hijo.LOCKED:
        raise _encrypted()
    if tried.returncode != xls_hijo.GOOD:
        raise _damaged()


def _encrypted() -> Unreadable:
    return Unreadable(
        "El libro tiene contraseña y no se puede leer.",
        todo="Pida la clave al pagador, ábralo y guárdelo sin contraseña.",
        code="cifrado",
    )


def _damaged() -> Unreadable:
    return Unreadable(
        "El libro está dañado o incompleto.", todo="Descárguelo otra vez o pida que lo envíen de nuevo.", code="dañado"
    )


def _check_zip(path: Path) -> dict[str, frozenset[int]]:
    """Look at each sheet's XML before anything opens it; return the rows with formulas not computed, by sheet file.

    Raises Unreadable for what is no workbook, is damaged, encrypted, or claims too many cells.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            names = bundle.namelist()
            if any(entry.flag_bits & 1 for entry in bundle.infolist()):
                raise _encrypted()
            if "xl/workbook.bin" in names or "content.xml" in names:
                raise Unreadable("Ese tipo de libro no se lee.", todo="Guárdelo como .xlsx.", code="otro_libro")
            if "xl/workbook.xml" not in names:
                raise Unreadable("El archivo no es un libro de Excel.", todo="Revise qué recibió.", code="no_es_libro")
            sizes = {entry.filename: entry.file_size for entry in bundle.infolist()}
            if sum(sizes.values()) > MAX_XML or sizes.get(_TEXTS, 0) > MAX_TEXTOS:
                raise _too_big()
            _check_texts(bundle, sizes)
            sheets = [name for name in names if re.fullmatch(r"xl/worksheets/[^/]+\.xml", name)]
            if len(sheets) > MAX_HOJAS:
                raise _too_big()
            return {name: _scan_sheet(bundle, name) for name in sheets}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as problem:
        raise _damaged() from problem
    except OSError as problem:
        if problem.errno != errno.EINVAL:  # a place before the file's beginning, which only a damaged index names
            raise
        raise _damaged() from problem


def _check_texts(bundle: zipfile.ZipFile, sizes: dict[str, int]) -> None:
    """Refuse a list of texts that says it is longer than its bytes can be: its reader makes room for what it says."""
    if _TEXTS not in sizes:
        return
    with bundle.open(_TEXTS) as stream:
        head = stream.read(4096)
    if any(int(count) > sizes[_TEXTS] // len("<si/>") for count in _COUNTS.findall(head)):
        raise _damaged()


def _too_big() -> Unreadable:
    return Unreadable(
        "El libro dice tener más celdas de las que se pueden leer (suele ser formato aplicado a hojas vacías).",
        todo="Copie las filas con datos a un libro nuevo y cárguelo.",
        code="demasiado_grande",
    )


def _scan_sheet(bundle: zipfile.ZipFile, name: str) -> frozenset[int]:
    """Measure a sheet from its own cell references (its declared size may lie). Raises Unreadable when it is huge."""
    columns: set[bytes] = set()
    last = total = 0
    uncomputed: set[int] = set()
    with bundle.open(name) as stream:
        tail = b""
        for chunk in _ahead(stream):
            total += len(chunk)
            if total > MAX_XML:
                raise _too_big()
            block = tail + chunk
            last = max(last, max(map(int, _ROW.findall(block)), default=0))
            if last > planos.MAX_LINEAS:
                raise _too_big()
            # Only what widens the rectangle: columns after Z, and cells that claim a row far below those seen.
            for letters, row in _far(str(last)[0], len(str(last))).findall(block):
                columns.add(letters)
                last = max(last, int(row))
            if _FORMULA.search(block):
                uncomputed.update(int(row) for row in _UNCOMPUTED.findall(block))
            tail = block[-_OVERLAP:]
    width = max(_LETTERS, max(map(_column, columns), default=0))
    if width * last > MAX_CELDAS:
        raise _too_big()
    return frozenset(uncomputed)


@lru_cache(maxsize=16)
def _far(first: str, digits: int) -> re.Pattern[bytes]:
    """Return what finds references but those to a column of one letter and a row not much beyond `first` and its digits.

    They are nearly all of a sheet's: it finds few, and counts no sheet for less than half of what it is.
    """
    near = rf"[A-Z](?:\d{{0,{digits - 1}}}|[0-{first}]\d{{{digits - 1}}})"
    return re.compile(rf"r=[\"'](?!{near}[\"'])([A-Z]{{1,3}})(\d{{1,9}})[\"']".encode())


def _ahead(stream: IO[bytes]) -> Iterator[bytes]:
    """Read in pieces, each while the one before is looked at: unpacking leaves the interpreter to others."""
    with ThreadPoolExecutor(max_workers=1) as helper:
        coming = helper.submit(stream.read, _CHUNK)
        while chunk := coming.result():
            coming = helper.submit(stream.read, _CHUNK)
            yield chunk


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


@contextmanager
def _guarded() -> Iterator[None]:
    """Turn what the workbook reader says of bad files into our refusals. It is Rust: some damage makes it panic."""
    try:
        yield
    except PasswordError as problem:
        raise _encrypted() from problem
    except (CalamineError, OSError) as problem:
        raise _damaged() from problem
    except BaseException as problem:
        if type(problem).__name__ == "PanicException":  # of no module that could be imported
            # Its words may quote a cell: they go no further.
            raise _damaged() from None
        raise


def _workbook(path: Path, uncomputed: dict[str, frozenset[int]]) -> Iterator[Hoja]:
    with _guarded():
        book = CalamineWorkbook.from_path(str(path))
    with book:
        wanted = [one for one in book.sheets_metadata if one.typ is SheetTypeEnum.WorkSheet]
        for number, one in enumerate(wanted, start=1):
            if one.visible is not SheetVisibleEnum.Visible:
                yield Hoja(one.name, _no_rows, avisos=(f"La hoja oculta «{one.name[:60]}» no se leyó.",))
                continue
            with _guarded():
                sheet = book.get_sheet_by_name(one.name)
            # Excel numbers the files of its sheets in their order; where it did not, no formula is blamed.
            yield Hoja(
                one.name,
                partial(_rows_of, sheet),
                uncomputed.get(f"xl/worksheets/sheet{number}.xml", frozenset()),
            )


def _no_rows() -> Iterator[Fila]:
    return iter(())


def _rows_of(sheet: CalamineSheet) -> Iterator[Fila]:
    with _guarded():
        yield from enumerate(sheet.iter_rows(), start=1)
