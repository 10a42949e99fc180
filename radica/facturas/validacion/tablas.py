"""Reference tables of the RIPS and the invoice, and the large catalogues that are loaded apart (CUPS, CIE-10).

Invariant: a catalogue that is not loaded is None, and a rule that needs it says *no decidible*, never *correcto*; a
code counts only on the days on which its row is in force. `data/tablas.csv` is our selection of what SISPRO showed in
July 2026 (column `actualizada`: when the Ministry last changed that table). Norms: tables of SISPRO named by MUV
technical document 1; coverage matrix of the same document, section 3.2.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from radica.facturas.texts import fold
from radica.facturas.validacion.confianza import DE_LA_CASA, Anclas, anclas_de
from radica.kernel.errors import BadInput

MAX_CATALOGO_BYTES = 64 * 1024 * 1024
"""The official CUPS table weighs 2 MB: far more is another file."""

_FROM, _TO = date(2000, 1, 1), date(9999, 12, 31)
_CUPS_CODE = re.compile(r"[0-9A-Z]{5,6}")
_CIE_CODE = re.compile(r"[A-Z][0-9]{2}[0-9A-Z]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DELIMITERS = ",;\t|"
_MAY_BE_STRANGE = 20
"""One row in so many may have a code of another form before the file is taken for another table."""


@dataclass(frozen=True, slots=True)
class Cups:
    """One row of table CUPSRips, the columns that rules read (empty text when the table says nothing)."""

    codigo: str
    nombre: str
    habilitado: bool
    uso: str
    quirurgico: str
    sexo: str
    ambito: str
    estancia: str
    cobertura: str
    duplicado: str
    dx_requerido: str
    minimo: str
    maximo: str


@dataclass(frozen=True)
class Catalogos:
    """The large catalogues at hand. `versiones` says which, for the verdict."""

    cups: Mapping[str, Cups] | None = field(repr=False, default=None)
    cie10: Mapping[str, str] | None = field(repr=False, default=None)
    """Code → name."""
    versiones: Mapping[str, str] = field(default_factory=dict)
    anclas: Anclas = DE_LA_CASA
    """Certificates that are known: the shipped list, and those of the folder `certificados`."""


VACIOS = Catalogos()
"""No large catalogue: what needs one is not decidable."""


@dataclass(frozen=True)
class Cobertura:
    """What one coverage of the plan of benefits admits. Empty sets in a doubtful row: it decides nothing."""

    codigo: str
    modalidades: frozenset[str]
    tipos_usuario: frozenset[str]
    conceptos: frozenset[str]
    """Kinds of collection that the invoice may carry; 04 (advance) never stands in a RIPS."""
    desde: date
    hasta: date
    dudosa: bool
    """The published row is empty or not proved: no rejection may rest on it."""
    nota: str


@dataclass(frozen=True, slots=True)
class _Fila:
    nombre: str
    para: frozenset[str]
    desde: date
    hasta: date


def tabla(nombre: str) -> Mapping[str, str]:
    """Return code → name of a small table, also of codes that are no longer in force. KeyError when unknown."""
    return _names()[nombre]


@cache
def codigos(nombre: str, fecha: date, para: str = "") -> frozenset[str]:
    """Return the codes of a table in force on a day; `para` narrows to a use (`C` consultas, `P` procedimientos…)."""
    return frozenset(
        code
        for code, row in _tables()[nombre].items()
        if row.desde <= fecha <= row.hasta and (not para or not row.para or para in row.para)
    )


def en_tabla(nombre: str, codigo: str, fecha: date, para: str = "") -> bool:
    """Say whether a code stands in a table on a day. KeyError when the table is unknown."""
    return codigo in codigos(nombre, fecha, para)


def edicion(fecha: date) -> date:
    """Return the last day up to `fecha` on which some table changed: what is made for it holds until the next."""
    return max((day for day in _changes() if day <= fecha), default=_FROM)


def cobertura(codigo: str) -> Cobertura | None:
    """Return the row of the coverage matrix; None for a code that is not in it."""
    return _coverages().get(codigo)


def leer_cups(source: Path | BinaryIO | bytes) -> Mapping[str, Cups]:
    """Read table CUPSRips as SISPRO downloads it (CSV; any of four delimiters, UTF-8, UTF-16 or Windows-1252).

    Raises BadInput when it is not that table.
    """
    rows = _catalogue(source, "CUPS", _CUPS_CODE, ("codigo", "nombre", "extra_i", "extra_ix"))
    text = sys.intern
    return MappingProxyType(
        {
            row["codigo"]: Cups(
                row["codigo"],
                row["nombre"],
                row.get("habilitado", "SI").upper() != "NO",
                *(text(row.get(name, "")) for name in _CUPS_COLUMNS),
            )
            for row in rows
        }
    )


_CUPS_COLUMNS = (
    "extra_i",
    "extra_ii",
    "extra_vi",
    "extra_vii",
    "extra_viii",
    "extra_ix",
    "extra_x",
    "extra_v",
    "extra_iii",
    "extra_iv",
)
"""In the order of the fields of `Cups` from `uso` on."""


def leer_cie10(source: Path | BinaryIO | bytes) -> Mapping[str, str]:
    """Read table CIE10 of SISPRO as code → name; same tolerance as `leer_cups`. Raises BadInput."""
    rows = _catalogue(source, "CIE-10", _CIE_CODE, ("codigo", "nombre"))
    return MappingProxyType({row["codigo"]: row["nombre"] for row in rows})


def actualizada(source: Path | BinaryIO | bytes) -> str:
    """Return the last day on which a table says that one of its rows changed (`AAAA-MM-DD`); empty when it does not."""
    header, rows = _table(_bytes(source, ""), "")
    if "fecha_actualizacion" not in header:
        return ""
    at = header.index("fecha_actualizacion")
    return max((found[0] for row in rows if len(row) > at and (found := _DAY.match(row[at].strip()))), default="")


def catalogos_de(carpeta: Path) -> Catalogos:
    """Read the catalogues of a folder: the last file by name that begins with `cups` and with `cie10`, or has the word
    in its name as SISPRO's own downloads do (.csv or .txt), and the PEM certificates of its subfolder `certificados`.

    Raises BadInput when the folder has neither, or one of them is another table.
    """
    if not carpeta.is_dir():
        raise BadInput(f"No existe la carpeta de catálogos {carpeta}.", todo="Revise la ruta.", code="catalogos_no_hay")
    found = {kind: _last(carpeta, kind) for kind in ("cups", "cie10")}
    cups, cie, trust = found["cups"], found["cie10"], carpeta / "certificados"
    if cups is None and cie is None and not trust.is_dir():
        raise BadInput(
            f"La carpeta {carpeta} no tiene catálogos: se buscan archivos cups*.csv y cie10*.csv.",
            todo="Descargue las tablas CUPSRips y CIE10 de SISPRO y déjelas allí.",
            code="catalogos_no_hay",
        )
    return Catalogos(
        cups=leer_cups(cups) if cups else None,
        cie10=leer_cie10(cie) if cie else None,
        versiones={kind: path.name for kind, path in found.items() if path is not None},
        anclas=anclas_de(trust) if trust.is_dir() else DE_LA_CASA,
    )


def _last(folder: Path, kind: str) -> Path | None:
    names = [one for one in folder.iterdir() if one.is_file() and one.suffix.lower() in {".csv", ".txt"}]
    plain = {one: re.sub(r"[^a-z0-9]", "", one.name.lower()) for one in names}
    called = [one for one in names if plain[one].startswith(kind)] or [one for one in names if kind in plain[one]]
    return max(called, key=lambda one: one.name, default=None)


def _catalogue(
    source: Path | BinaryIO | bytes, what: str, form: re.Pattern[str], needed: Sequence[str]
) -> Iterator[dict[str, str]]:
    """Yield the rows of a SISPRO table by column key. Raises BadInput before the first row when it is not that table."""
    header, rows = _table(_bytes(source, what), what)
    missing = [name for name in needed if name not in header]
    if missing:
        raise BadInput(
            f"El archivo no es la tabla {what} de SISPRO: le faltan las columnas {', '.join(missing)}.",
            todo=_AGAIN,
            code="catalogo_malo",
        )
    at = header.index("codigo")
    whole = [row for row in rows if len(row) > at]
    strange = sum(1 for row in whole if not form.fullmatch(row[at].strip().upper()))
    if not whole or strange * _MAY_BE_STRANGE > len(whole):
        raise BadInput(
            f"El archivo no parece la tabla {what}: {strange} de {len(whole)} códigos tienen otra forma.",
            todo=_AGAIN,
            code="catalogo_malo",
        )
    return _cells(header, whole)


def _table(data: bytes, what: str) -> tuple[list[str], list[list[str]]]:
    text = _decoded(data, what)
    first = text.lstrip().partition("\n")[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(_DELIMITERS, key=first.count))
    try:
        rows = [row for row in lines if any(cell.strip() for cell in row)]
    except csv.Error as wrong:
        raise BadInput(f"El archivo no se puede leer como tabla {what}.", todo=_AGAIN, code="catalogo_malo") from wrong
    return ([_key(name) for name in rows[0]] if rows else []), rows[1:]


def _cells(header: list[str], rows: list[list[str]]) -> Iterator[dict[str, str]]:
    for row in rows:
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=False)}
        cells["codigo"] = cells["codigo"].upper()
        yield {"nombre": "", **cells}


_AGAIN = "Descargue de nuevo la tabla de web.sispro.gov.co y cárguela sin editarla."


def _bytes(source: Path | BinaryIO | bytes, what: str) -> bytes:
    try:
        if isinstance(source, bytes):
            data = source
        elif isinstance(source, Path):
            with source.open("rb") as stream:
                data = stream.read(MAX_CATALOGO_BYTES + 1)
        else:
            data = source.read(MAX_CATALOGO_BYTES + 1)
    except OSError as wrong:
        raise BadInput(f"No se puede leer el archivo de la tabla {what}.", todo="Revise la ruta.") from wrong
    if len(data) > MAX_CATALOGO_BYTES:
        raise BadInput(f"El archivo es demasiado grande para ser la tabla {what}.", todo=_AGAIN, code="catalogo_malo")
    return data


def _decoded(data: bytes, what: str) -> str:
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise BadInput(f"El archivo no es texto: no es la tabla {what}.", todo=_AGAIN, code="catalogo_malo")


def _key(name: str) -> str:
    """Bring a column to its key: `Extra_IX:Cobertura` → `extra_ix`, `Código` → `codigo`."""
    return fold(name).partition(":")[0].strip().replace(" ", "_")


@cache
def _tables() -> dict[str, dict[str, _Fila]]:
    found: dict[str, dict[str, _Fila]] = {}
    for row in _data("tablas.csv"):
        found.setdefault(row["tabla"], {})[row["codigo"]] = _Fila(
            row["nombre"], frozenset(row["aplica"].split()), _day(row["desde"], _FROM), _day(row["hasta"], _TO)
        )
    return found


@cache
def _changes() -> frozenset[date]:
    rows = [row for table in _tables().values() for row in table.values()]
    return frozenset({row.desde for row in rows} | {row.hasta + timedelta(days=1) for row in rows if row.hasta < _TO})


@cache
def _names() -> Mapping[str, Mapping[str, str]]:
    return {
        name: MappingProxyType({code: row.nombre for code, row in rows.items()}) for name, rows in _tables().items()
    }


@cache
def _coverages() -> dict[str, Cobertura]:
    return {
        row["cobertura"]: Cobertura(
            row["cobertura"],
            frozenset(row["modalidades"].split()),
            frozenset(row["tipos_usuario"].split()),
            frozenset(row["conceptos"].split()),
            _day(row["desde"], _FROM),
            _day(row["hasta"], _TO),
            row["dudosa"] == "si",
            row["nota"],
        )
        for row in _data("cobertura.csv")
    }


def _data(name: str) -> list[dict[str, str]]:
    text = files("radica.facturas.validacion").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _day(text: str, otherwise: date) -> date:
    return date.fromisoformat(text) if text else otherwise
