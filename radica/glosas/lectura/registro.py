"""Which layout a sheet has: by the titles in its first twenty rows, confirmed by what the columns hold.

Invariant: a signature alone is never enough: a column that claims to be a code must hold codes, money money, dates
dates, or the layout is refused with what was seen. The generic layout is only asked when no payer's layout fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from radica.glosas import codes
from radica.glosas.lectura.dinero import EstiloDinero, dinero
from radica.glosas.lectura.fechas import EstiloFecha
from radica.glosas.lectura.formato import Campo, Clase, Formato, ReglaCodigo
from radica.glosas.lectura.hojas import Fila, Hoja
from radica.glosas.lectura.titulos import clave, clave_celda, igual
from radica.glosas.lectura.valores import Celda, Duda, factura, texto, vacio

FILAS_TITULO = 20
_SAMPLE = 400
_ENOUGH = 0.5
_DAY_LIKE = re.compile(r"\d{1,4}[/-]\d{1,2}[/-]\d{1,4}(?: .*)?")
_ADRES_CODE = re.compile(r"\d{4}(?:\.0+)?|\d{4}\s?-.*|.{0,120}?-\s?\d{4}\s?-.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Columna:
    """Where a field stands: its column from 0, and its title's key as the file writes it."""

    campo: Campo
    indice: int
    titulo: str


@dataclass(frozen=True, slots=True)
class Reconocida:
    """A sheet whose layout is known. `fila_titulo` is 0 where the layout has no header row."""

    formato: Formato
    columnas: tuple[Columna, ...]
    fila_titulo: int
    previo: tuple[str, ...]
    confianza: int


@dataclass(frozen=True, slots=True)
class NoReconocida:
    """Why no layout was taken, in Spanish; `cerca` is the closest one's name."""

    motivo: str
    cerca: str = ""


@dataclass(frozen=True, slots=True)
class _Candidato:
    formato: Formato
    columnas: tuple[Columna, ...]
    fila: int
    firma: float

    @property
    def peso(self) -> tuple[float, int]:
        return round(self.firma, 2), len(self.columnas)


def reconocer(hoja: Hoja, archivo: str, formatos: Sequence[Formato]) -> Reconocida | NoReconocida:
    """Return the layout of a sheet, or why none fits. `formatos` are tried by fit; those with a `tope` come last."""
    sample = list(islice(hoja.filas(), _SAMPLE))
    if not any(_filled(row) for _, row in sample):
        return NoReconocida("no tiene filas")
    found = sorted(_candidates(sample, formatos), key=lambda one: (one.formato.tope == 100, one.peso), reverse=True)
    refused: list[str] = []
    for one in found:
        accepted = _confirm(one, sample, archivo, hoja.nombre)
        if isinstance(accepted, Reconocida):
            return accepted
        refused.append(f"parece {one.formato.etiqueta}, pero {accepted}")
    if refused:
        return NoReconocida("; ".join(refused[:2]), found[0].formato.nombre)
    return _closest(sample, formatos)


def _candidates(sample: Sequence[Fila], formatos: Iterable[Formato]) -> list[_Candidato]:
    best: list[_Candidato] = []
    heads = [(number, _keys(row)) for number, row in sample if number <= FILAS_TITULO]
    for formato in formatos:
        mine = [_assign(formato, keys, number) for number, keys in heads if sum(map(bool, keys)) >= 2]
        whole = [one for one in mine if one is not None]
        if whole:
            best.append(max(whole, key=lambda one: one.peso))
        elif formato.columnas_fijas and (fixed := _fixed(formato, sample)):
            best.append(fixed)
    return best


def _keys(row: Sequence[Celda]) -> list[str]:
    return [clave_celda(cell) for cell in row]


def _place(formato: Formato, keys: Sequence[str]) -> tuple[tuple[Columna, ...], float]:
    """Find each field's column in a header row; return them and the share of the signature that is there."""
    used: set[int] = set()
    columns: list[Columna] = []
    for one in formato.campos:
        index = _find(one, keys, used)
        if index is not None:
            used.add(index)
            columns.append(Columna(one, index, keys[index]))
    signature = formato.firma
    seen = sum(column.campo.firma for column in columns)
    return tuple(columns), seen / max(len(signature), 1)


def _find(one: Campo, keys: Sequence[str], used: set[int]) -> int | None:
    for known in one.claves:
        places = [index for index, key in enumerate(keys) if key and igual(key, known)]
        if len(places) >= one.ocurrencia and places[one.ocurrencia - 1] not in used:
            return places[one.ocurrencia - 1]
    for pattern in one.patrones:
        for at, key in enumerate(keys):
            if key and at not in used and re.fullmatch(pattern, key):
                return at
    return None


def _assign(formato: Formato, keys: Sequence[str], number: int) -> _Candidato | None:
    columns, share = _place(formato, keys)
    names = {column.campo.nombre for column in columns}
    if share < formato.minimo or any(one.obligatorio and one.nombre not in names for one in formato.campos):
        return None
    if not formato.sin_valor and not names & {"valor", "ratificado", "levantado"}:
        return None
    return _Candidato(formato, columns, number, share)


def _fixed(formato: Formato, sample: Sequence[Fila]) -> _Candidato | None:
    """Take a layout by the order of its columns, where a file of exactly that width came without its titles."""
    wide = formato.columnas_fijas
    rows = [row for _, row in sample if _filled(row)]
    # A separator at the end of the line makes one more column, always empty.
    if not rows or any(len(row) != wide and (len(row) != wide + 1 or row[-1] not in ("", None)) for row in rows):
        return None
    columns = tuple(Columna(one, index, "") for index, one in enumerate(formato.campos[: formato.columnas_fijas]))
    return _Candidato(formato, columns, 0, 0.8)


def _filled(row: Sequence[Celda]) -> bool:
    return any(cell is not None and cell != "" for cell in row)


def _confirm(one: _Candidato, sample: Sequence[Fila], archivo: str, hoja: str) -> Reconocida | str:
    """Check every column of a candidate against its cells; return it with its confidence, or what contradicts it."""
    body = [row for number, row in sample if number > one.fila and _filled(row)]
    # Short rows are notes and totals: they say nothing about the columns.
    full = [row for row in body if sum(cell not in (None, "") for cell in row) >= min(3, len(one.columnas))] or body
    shares: list[float] = []
    prefixes = _prefixes(one.columnas, full)
    for column in one.columnas:
        if column.campo.clase is Clase.TEXTO:
            continue
        cells = [row[column.indice] for row in full if column.indice < len(row)]
        cells = [cell for cell in cells if clave_celda(cell) != column.titulo or not column.titulo]
        share, other = _holds(column.campo.clase, cells, one.formato.codigos, prefixes)
        if share < _ENOUGH:
            title = column.titulo or column.campo.nombre
            return f"la columna «{title[:40]}» no trae {column.campo.clase} sino {other}"
        shares.append(share)
    if one.formato.tope < 100 and (rival := _rival(one, sample, full)):
        return rival
    previo = tuple(texto(cell) for number, row in sample if number < one.fila for cell in row if texto(cell))
    named = _named(one.formato, archivo, hoja, previo)
    content = sum(shares) / len(shares) if shares else 1.0
    score = round(100 * (0.55 * one.firma + 0.35 * content + 0.10 * named))
    return Reconocida(one.formato, one.columnas, one.fila, previo, min(score, one.formato.tope))


def _rival(one: _Candidato, sample: Sequence[Fila], rows: Sequence[Sequence[Celda]]) -> str:
    """Name two columns that could both be the invoice, the code or the amount and do not say the same, or ""."""
    keys = next((_keys(row) for number, row in sample if number == one.fila), [])
    used = {column.indice for column in one.columnas}
    for column in one.columnas:
        same = _SAME.get(column.campo.clase)
        if same is None or not (column.campo.obligatorio or column.campo.firma):
            continue
        for at, key in enumerate(keys):
            if at in used or _find(column.campo, [key], set()) is None:
                continue
            pairs = [(row[column.indice], row[at]) for row in rows if max(column.indice, at) < len(row)]
            other = [cell for _, cell in pairs if not vacio(texto(cell))]
            if not other or _holds(column.campo.clase, other, one.formato.codigos, frozenset())[0] < _ENOUGH:
                continue
            if any(same(mine) != same(cell) for mine, cell in pairs):
                return (
                    f"las columnas «{column.titulo[:40]}» y «{key[:40]}» pueden ser la misma y no traen lo mismo: "
                    "deje ese título solo en la que vale"
                )
    return ""


def _digits(cell: Celda) -> str:
    return "".join(one for one in texto(cell) if one.isdigit()).lstrip("0")


def _amount(cell: Celda) -> str:
    amount = dinero(cell, None)
    return texto(cell) if isinstance(amount, Duda) else str(amount or 0)


_SAME: dict[Clase, Callable[[Celda], str]] = {
    Clase.FACTURA: _digits,
    Clase.DINERO: _amount,
    Clase.CODIGO: lambda cell: clave(texto(cell)),
}
"""What two columns must agree in, to say the same."""


def _named(formato: Formato, archivo: str, hoja: str, previo: Sequence[str]) -> float:
    """Return 1 when file, sheet or title carry the layout's name, 0 when it has one and they do not."""
    if not formato.archivo and not formato.titulo:
        return 1.0
    if formato.archivo and re.search(formato.archivo, f"{archivo.rsplit('/', 1)[-1]} {hoja}", re.IGNORECASE):
        return 1.0
    titled = bool(formato.titulo) and re.search(formato.titulo, " ".join(previo), re.IGNORECASE) is not None
    return 1.0 if titled else 0.0


def _prefixes(columns: Sequence[Columna], rows: Sequence[Sequence[Celda]]) -> frozenset[str]:
    """Return the letters before this file's invoice numbers: FE3001 has the form of a code, and is none."""
    at = next((one.indice for one in columns if one.campo.clase is Clase.FACTURA), -1)
    texts = (texto(row[at]).upper() for row in rows if 0 <= at < len(row))
    return frozenset(text[:2] for text in texts if text[:2].isalpha())


def _holds(clase: Clase, cells: Sequence[Celda], rule: ReglaCodigo, prefixes: frozenset[str]) -> tuple[float, str]:
    """Return the share of a column's filled cells that are what it claims, and the name of what else they look like."""
    filled = [cell for cell in cells if not vacio(texto(cell))]
    if not filled:
        return 1.0, "nada"
    if clase is Clase.DINERO:
        money = EstiloDinero()
        for cell in filled:
            money.ver(cell)
        good = money.leidos
    elif clase is Clase.FECHA:
        days = EstiloFecha()
        for cell in filled:
            days.ver(cell)
        good = len(filled) - days.ajenos
    elif clase is Clase.CODIGO:
        good = sum(parece_codigo(texto(cell), rule, prefixes) for cell in filled)
    else:
        good = sum(parece_factura(cell) for cell in filled)
    return good / len(filled), _look(filled)


def parece_codigo(text: str, rule: ReglaCodigo, prefixes: frozenset[str] = frozenset()) -> bool:
    """Say whether a cell has the form of a glosa code, alone or before its own text.

    One that no manual has counts too, unless it begins like the file's invoices (`prefixes`).
    """
    if rule is ReglaCodigo.ADRES:
        return _ADRES_CODE.fullmatch(text) is not None
    if codes.es_codigo(text) or codes.primer_codigo(text) is not None:
        return True
    return codes.parece_codigo(text) and text[:2].upper() not in prefixes


def parece_factura(cell: Celda) -> bool:
    """Say whether a cell could be an invoice number: short, with digits, and no code of the manual with letters."""
    text = factura(cell)
    if isinstance(text, Duda):
        return False
    if not any(one.isdigit() for one in text) or len(text) > 40 or text.count(" ") > 2:
        return False
    return not (text[0].isalpha() and codes.es_codigo(text)) and _DAY_LIKE.fullmatch(text) is None


def _look(cells: Sequence[Celda]) -> str:
    """Name what most cells look like, for the person; never the cells themselves."""
    kinds = {
        "códigos de glosa": sum(codes.es_codigo(texto(cell)) for cell in cells),
        "fechas": sum(
            not isinstance(cell, str | int | float) or _DAY_LIKE.match(texto(cell)) is not None for cell in cells
        ),
        "números": sum(
            texto(cell).replace(".", "").replace(",", "").lstrip("$-( ").rstrip(") ").isdigit() for cell in cells
        ),
    }
    name, times = max(kinds.items(), key=lambda one: one[1])
    return name if times * 2 > len(cells) else "otros textos"


def _name(one: Campo) -> str:
    return one.titulos[0] if one.titulos else one.nombre.upper()


def _closest(sample: Sequence[Fila], formatos: Sequence[Formato]) -> NoReconocida:
    """Name the layout that comes nearest and the titles it lacks."""
    best: tuple[tuple[int, float], Formato, list[str]] | None = None
    for number, row in sample:
        keys = _keys(row) if number <= FILAS_TITULO else []
        for formato in formatos if sum(map(bool, keys)) >= 2 else ():
            columns, share = _place(formato, keys)
            names = {column.campo.nombre for column in columns}
            near = (sum(column.campo.firma for column in columns), share)
            if share > 0 and (best is None or near > best[0]):
                best = (near, formato, [_name(one) for one in formato.firma if one.nombre not in names])
    if best is None:
        return NoReconocida("ninguna de sus primeras veinte filas tiene títulos de columnas conocidos")
    missing = ", ".join(f"«{title}»" for title in best[2][:6])
    return NoReconocida(f"lo más cercano es {best[1].etiqueta}; le faltan las columnas {missing}", best[1].nombre)
