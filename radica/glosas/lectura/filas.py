"""Reads a recognised sheet: every row becomes a line, goes to the tray with its reason, or is no row of data.

Invariant: a first pass settles each column's signs of money and order of dates, a second reads; rows of titles, notes,
repeated headers and totals are never lines, and totals are kept to be compared.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from functools import partial
from itertools import islice, repeat, zip_longest
from typing import Any

from radica.glosas.lectura.dinero import EstiloDinero, dinero
from radica.glosas.lectura.fechas import EstiloFecha, Orden, leer_fecha
from radica.glosas.lectura.formato import Clase, Contexto, Datos
from radica.glosas.lectura.hojas import Fila, Hoja
from radica.glosas.lectura.lineas import Constructor
from radica.glosas.lectura.registro import Columna, Reconocida
from radica.glosas.lectura.tipos import LineaLeida, NoLeida
from radica.glosas.lectura.titulos import clave, igual
from radica.glosas.lectura.valores import MAX_TEXTO, Celda, Duda, factura, texto, vacio

UNCOMPUTED = "tiene una fórmula sin calcular: ábralo en Excel, guárdelo y cárguelo de nuevo"
_TOTALS = ("TOTAL", "SUBTOTAL", "GRANTOTAL", "SUMATOTAL", "TOTALES", "VALORTOTAL", "SUMAN", "SUMATORIA")
_TOTAL_WORDS = frozenset({*_TOTALS, "TOTALGLOSA", "TOTALGLOSAS", "TOTALGENERAL", "TOTALFACTURA", "TOTALGLOSADO"})
_AMOUNTS = ("valor", "ratificado", "levantado")
_SOFT = frozenset({"valor_factura", "valor_servicio", "valor_unitario", "otro_valor"})
"""Money that a line can do without: unread, it is left out with a note."""
_FIELDS = tuple((one.name, one.default) for one in fields(Datos) if one.default is not MISSING)
"""What a column may fill, in its order, with what it holds where there is no such column or its cell is empty."""
_KEPT = frozenset(name for name, _ in _FIELDS)
"""Columns that serve the signature alone (patients' names among them) are not read at all."""
_ENDS_IN_AMOUNT = re.compile(r"\$?\s?\d[\d.,']*\s*$")
_PRINTED_TOTAL = re.compile("(?:VALOR)?TOTAL(?:DE)?(?:LA|LAS)?(?:GLOSA|GLOSAS|GLOSADO|OBJETADO)")
_TRAY_TEXT = 500
_TOTAL_INITIALS = frozenset("TSGVtsgv")
_KEPT_CELLS = 20_000
_AT_ONCE = 1_024
"""Rows that are read together."""


@dataclass(slots=True)
class Tabla:
    """What one sheet gave. `totales`: (row, key of its words, centavos) of the rows of totals."""

    lineas: list[LineaLeida] = field(default_factory=list)
    no_leidas: list[NoLeida] = field(default_factory=list)
    totales: list[tuple[int, str, int]] = field(default_factory=list)
    sin_objecion: int = 0


Lector = Callable[[Celda], Any]


_Lectores = list[tuple[int, str, Lector]]
"""Of each column its place, its field and how to read a cell."""


def leer_tabla(hoja: Hoja, found: Reconocida, context: Contexto) -> Tabla:
    """Read all rows of a recognised sheet."""
    with _sin_recolector():
        return _table(hoja, found, context)


@contextmanager
def _sin_recolector() -> Iterator[None]:
    """Make no collections meanwhile: lines hold no cycles, and looking at 100,000 of them again and again costs a fifth."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _table(hoja: Hoja, found: Reconocida, context: Contexto) -> Tabla:
    adjust = found.formato.ajustar
    readers = _readers(hoja, found)
    table = Tabla()
    maker = Constructor(found.formato.codigos, context, {})
    invoice_at = _at(found.columnas, "factura")
    value_at = next((at for at in (_at(found.columnas, name) for name in _AMOUNTS) if at >= 0), -1)
    heads = {one.indice: one.titulo for one in found.columnas if one.titulo}
    wide = _width(hoja, found)
    for rows in _batches(hoja, found):
        kinds = [_kind(row, found.columnas, heads, invoice_at, value_at) for _, row in rows]
        fields_of = _read([one for one, kind in zip(rows, kinds, strict=True) if kind is _DATOS], readers)
        for (number, row), kind in zip(rows, kinds, strict=True):
            if kind is not _DATOS:
                if kind is _TOTAL:
                    _total(number, row, value_at, readers, table)
                elif number in hoja.sin_calcular:
                    table.no_leidas.append(NoLeida(number, f"la fila {UNCOMPUTED}", _row_text(row), hoja.nombre))
                continue
            data = next(fields_of)
            if isinstance(data, Datos):
                doubt = adjust(data, context) if adjust else None
                made: LineaLeida | Duda | None = doubt or maker.linea(data)
            else:
                made = data
            if wide and len(row) > wide and isinstance(made, LineaLeida) and _moved(row, wide, made, found):
                made = Duda("trae más columnas que los títulos: un separador dentro de un texto pudo correr las demás")
            if isinstance(made, LineaLeida):
                if made.codigo is None and (words := _total_inside(made)):
                    table.totales.append((number, words, made.valor))
                else:
                    table.lineas.append(made)
            elif made is not None:
                reason = f"{made.motivo}; {UNCOMPUTED}" if number in hoja.sin_calcular else made.motivo
                table.no_leidas.append(NoLeida(number, reason, _row_text(row), hoja.nombre))
    table.sin_objecion = maker.sin_objecion
    return table


def leer_detalle(hoja: Hoja, found: Reconocida) -> Iterator[Datos]:
    """Yield the rows of a companion file, which holds items and no objections; what is no item is passed over."""
    readers = _readers(hoja, found)
    for rows in _batches(hoja, found):
        yield from (data for data in _read(rows, readers) if isinstance(data, Datos))


def _batches(hoja: Hoja, found: Reconocida) -> Iterator[list[Fila]]:
    """Go once over the rows below the header."""
    body = (one for one in hoja.filas() if one[0] > found.fila_titulo)
    while rows := list(islice(body, _AT_ONCE)):
        yield rows


def _readers(hoja: Hoja, found: Reconocida) -> _Lectores:
    """Go over the sheet once to settle its columns; return how to read them."""
    money: dict[int, EstiloDinero] = {}
    days: dict[int, EstiloFecha] = {}
    for one in found.columnas:
        if one.campo.clase is Clase.DINERO:
            money[one.indice] = EstiloDinero()
        elif one.campo.clase is Clase.FECHA:
            days[one.indice] = EstiloFecha()
    styles: list[tuple[int, EstiloDinero | EstiloFecha]] = [*money.items(), *days.items()]
    for rows in _batches(hoja, found):
        for index, style in styles:
            # What settles a column is that some cell shows it, not how many do: a text seen again is not asked again.
            for cell in {row[index] for _, row in rows if index < len(row)}:
                if cell.__class__ is not float:  # numbers settle nothing
                    style.ver(cell)
    habit = _habit(found.formato.habito, days.values())
    return [
        (one.indice, one.campo.nombre, _reader(one, money, days, habit))
        for one in found.columnas
        if one.campo.nombre in _KEPT
    ]


class _Leidas(dict[Celda, Any]):
    """Cells already read, with how to read one that is not: a file of 100,000 rows repeats most of its texts.

    Equal texts become one object too. 0 and 1 are not kept: True and False would be found under them.
    """

    __slots__ = ("leer",)

    def __init__(self, leer: Lector) -> None:
        super().__init__()
        self.leer = leer

    def __missing__(self, cell: Celda) -> Any:
        value = self.leer(cell)
        if len(self) < _KEPT_CELLS and cell not in (0, 1):
            self[cell] = value
        return value


def _habit(known: Orden | None, days: Iterable[EstiloFecha]) -> Orden | None:
    """Return the layout's habit of dates, None when some column of this very file goes against it."""
    against = any(one.mes_dia if known is Orden.DIA_MES else one.dia_mes for one in days)
    return None if against else known


def _reader(one: Columna, money: dict[int, EstiloDinero], days: dict[int, EstiloFecha], habit: Orden | None) -> Lector:
    if one.campo.clase is Clase.FACTURA:
        return factura
    if one.campo.clase is Clase.DINERO:
        return _Leidas(partial(dinero, signo=money[one.indice].signo)).__getitem__
    if one.campo.clase is Clase.FECHA:
        style = days[one.indice]
        read = partial(leer_fecha, orden=style.orden(habit), trocadas=style.trocadas)
        return _Leidas(read).__getitem__
    return _Leidas(_text).__getitem__


def _text(cell: Celda) -> str:
    text = texto(cell)
    return "" if vacio(text) else text[:MAX_TEXTO]


class Clasificada(Enum):
    """What a row of a sheet is."""

    DATOS = "datos"
    TOTAL = "total"
    OTRA = "otra"  # empty, a note, a title, a repeated header


# Their names in the enumeration cost a fifth of a microsecond each time, and every row asks.
_DATOS, _TOTAL, _OTRA = Clasificada


def _at(columns: Sequence[Columna], name: str) -> int:
    return next((one.indice for one in columns if one.campo.nombre == name), -1)


def _kind(
    row: Sequence[Celda], columns: Sequence[Columna], heads: dict[int, str], invoice_at: int, value_at: int
) -> Clasificada:
    """Say what a row is; asked of every row, so that the common case costs little."""
    first = row[0] if row else None
    if first is None or first == "":
        first = next((cell for cell in row if cell is not None and cell != ""), None)
        if first is None:
            return _OTRA
    if isinstance(first, str) and first.lstrip()[:1] in _TOTAL_INITIALS and _is_total(first, row, columns):
        return _TOTAL
    width = len(row)
    invoice = row[invoice_at] if 0 <= invoice_at < width else None
    value = row[value_at] if 0 <= value_at < width else None
    if invoice in (None, "") or value in (None, ""):
        filled = sum(cell is not None and cell != "" for cell in row)
        return _OTRA if filled == 1 and len(columns) > 2 else _DATOS
    # Titles end with a letter and are repeated where the amounts stand.
    if isinstance(value, str) and not value[-1:].isdigit() and heads.get(value_at) and _repeats(row, heads):
        return _OTRA
    return _DATOS


def _repeats(row: Sequence[Celda], heads: dict[int, str]) -> bool:
    """Say whether a row is the header once more."""
    width = len(row)
    same = sum(
        at < width and isinstance(row[at], str) and igual(clave(texto(row[at])), head) for at, head in heads.items()
    )
    return same * 2 > len(heads)


def _is_total(text: str, row: Sequence[Celda], columns: Sequence[Columna]) -> bool:
    """Say whether a row that begins with `text` sums others. «Total parenteral…» of a given invoice does not."""
    if text.strip()[:4].upper() not in {"TOTA", "SUBT", "SUB ", "SUB-", "GRAN", "SUMA", "VALO"}:
        return False
    key = clave(text[:60])
    if key in _TOTAL_WORDS:
        return True
    if not key.startswith(_TOTALS):
        return False
    at = _at(columns, "factura")
    invoice = row[at] if 0 <= at < len(row) else None
    return invoice is None or invoice in ("", text)


def _width(hoja: Hoja, found: Reconocida) -> int:
    """Return how many columns the titles of a text file name; 0 for a workbook, where people write beside a table."""
    if hoja.nombre:
        return 0
    heads = next((row for number, row in hoja.filas() if number == found.fila_titulo), ())
    return len(heads) or found.formato.columnas_fijas


def _moved(row: Sequence[Celda], wide: int, line: LineaLeida, found: Reconocida) -> bool:
    """Say whether cells beyond the titles may have moved the others.

    They have not where the last title is of free text and what stands before it is in its place: the code is one.
    """
    if not any(cell not in (None, "") for cell in row[wide:]):
        return False
    last = next((one.campo.clase for one in found.columnas if one.indice == wide - 1), None)
    kept = last is Clase.TEXTO and line.codigo is not None and not texto(row[wide - 1]).strip(" .,").isdigit()
    return not kept


def _total_inside(line: LineaLeida) -> str:
    """Return the words of a total that stand where code or service should, in a row that repeats its invoice; or "".

    Only asked of a line whose code no manual has.
    """
    texts = (line.codigo_original,) if line.codigo_original else (line.servicio, line.descripcion_servicio)
    return next((key for key in (clave(one[:60]) for one in texts if one) if key in _TOTAL_WORDS), "")


def _total(number: int, row: Sequence[Celda], value_at: int, readers: _Lectores, table: Tabla) -> None:
    """Keep the amount of a row of totals: from the value's column, else the only other amount of the row."""
    label = next(cell for cell in row if isinstance(cell, str) and cell.strip())
    words = clave(label[:60])
    read = next((reader for index, _, reader in readers if index == value_at), None)
    cell = row[value_at] if 0 <= value_at < len(row) else None
    amount = read(cell) if read else None
    if amount is None:
        others = [dinero(one, None) for one in row if one is not None and one != "" and not isinstance(one, bool)]
        amounts = [one for one in others if isinstance(one, int)]
        amount = amounts[0] if len(amounts) == 1 else None
    if amount is None:
        amount = importe_escrito(texto(label))
    if isinstance(amount, int):
        table.totales.append((number, words, amount))


def importe_escrito(text: str) -> int | None:
    """Return the amount with which a text ends (`Total glosado: $ 26.000,00`), None without one of one reading."""
    match = _ENDS_IN_AMOUNT.search(text)
    amount = dinero(match.group(), None) if match else None
    return amount if isinstance(amount, int) else None


def total_impreso(previo: Sequence[str]) -> int | None:
    """Return the total of glosas that the file prints above its header, in one text or in the cell after its label."""
    for at, text in enumerate(previo):
        if _PRINTED_TOTAL.match(clave(text[:60])):
            following = dinero(previo[at + 1], None) if at + 1 < len(previo) else None
            amount = importe_escrito(text)
            amount = amount if amount is not None or isinstance(following, Duda) else following
            if amount is not None:
                return amount
    return None


def _read(rows: Sequence[Fila], readers: _Lectores) -> Iterator[Datos | Duda | None]:
    """Yield each row's fields, or the first doubt that keeps it from being read; None for a row that says nothing.

    It goes by columns: one `map` then reads a thousand cells.
    """
    cells = list(zip_longest(*(row for _, row in rows)))
    columns = {
        name: list(map(read, cells[index] if index < len(cells) else repeat(None, len(rows))))
        for index, name, read in readers
    }
    doubts: dict[int, Duda] = {}
    notes: dict[int, list[str]] = {}
    for name, column in columns.items():
        for at, value in enumerate(column) if Duda in map(type, column) else ():
            if isinstance(value, Duda):
                if name in _SOFT:
                    notes.setdefault(at, []).append(f"no se leyó {name.replace('_', ' ')}: {value.motivo}")
                    column[at] = None
                else:
                    doubts.setdefault(at, value)
    whole = zip(*(columns.get(name) or repeat(blank, len(rows)) for name, blank in _FIELDS), strict=True)
    for at, ((number, row), values) in enumerate(zip(rows, whole, strict=True)):
        if at in doubts:
            yield doubts[at]
            continue
        data = Datos(number, *values)
        data.avisos.extend(notes.get(at, ()))
        if data.factura or data.valor is not None or data.codigo or data.enlace:
            yield data
        else:
            filled = sum(cell is not None and cell != "" for cell in row)
            yield Duda("no trae factura, código ni valor") if filled > 2 else None


def _row_text(row: Sequence[Celda]) -> str:
    return " | ".join(one for one in (texto(cell) for cell in row) if one)[:_TRAY_TEXT]
