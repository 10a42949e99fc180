"""Dates as payers write them: d/m/Y, m/d/Y, ISO, month names, serials of Excel; civil dates out.

Invariant: day and month are told apart by the column (some value above 12), or else by the known habit of the layout;
a column that shows both orders, or a layout without a known habit, leaves `05/03/2026` a `Duda`. 1900-01-01 and its
kin mean that nothing was written. Days are civil days of Colombia: a time with a zone is brought there first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from radica.facturas.texts import believable
from radica.glosas.lectura.valores import Celda, Duda, texto, vacio
from radica.kernel.clock import civil_date


class Orden(StrEnum):
    """Which of the first two numbers is the day."""

    DIA_MES = "d/m/a"
    MES_DIA = "m/d/a"


_MONTHS = {
    name: number
    for number, name in enumerate(
        ["ENE", "FEB", "MAR", "ABR", "MAY", "JUN", "JUL", "AGO", "SEP", "OCT", "NOV", "DIC"], 1
    )
} | {
    "JAN": 1,
    "APR": 4,
    "AUG": 8,
    "DEC": 12,
    "SET": 9,
}
_TIME = r"(?:(?:\s*-?\s*|[ T])\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[ap]\.?\s?m\.?)?)?"
_NUMBERS = re.compile(r"(\d{1,2})\s?[/.-]\s?(\d{1,2})\s?[/.-]\s?(\d{4})" + _TIME, re.IGNORECASE)
_SHORT_YEAR = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}" + _TIME, re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})" + _TIME, re.IGNORECASE)
_ZONED = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s?(Z|[+-]\d{2}:?\d{2})")
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_NAMED = re.compile(
    r"(?:[A-ZÁÉÍÓÚ]{3,10},? )?(\d{1,2})(?:[ /.-]|\sDE\s)\s*([A-Z]{3})[A-Z]*\.?(?:[ /.,-]|\sDE[L]?\s)\s*(\d{4}|\d{2})"
    + _TIME,
    re.IGNORECASE,
)
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?")
_EPOCH = date(1899, 12, 30)
_FIRST_SERIAL, _LAST_SERIAL = 25_569, 73_050  # 1970-01-01 to 2099-12-31
_LONG_AGO = date(1901, 1, 1)
_ZEROS = re.compile(r"[0/.:\s-]+")

_AMBIGUOUS = "una fecha como «05/03/2026» puede ser de marzo o de mayo, y su columna no lo aclara"
_EXCHANGED = "Excel pudo cambiar el día por el mes en esta columna (unas fechas son texto y otras no)"


@dataclass(slots=True)
class EstiloFecha:
    """What a column of dates shows: how often the first, or the second, number could only be a day."""

    dia_mes: int = 0
    mes_dia: int = 0
    sin_decidir: int = 0
    celdas_fecha: int = 0
    dia_alto: int = 0
    leidos: int = 0
    ajenos: int = 0

    def ver(self, cell: Celda) -> None:
        """Learn from one cell of the column."""
        if cell is None or cell == "":
            return
        if isinstance(cell, date):
            self.leidos += 1
            self.celdas_fecha += 1
            self.dia_alto += cell.day > 12
            return
        if not isinstance(cell, str):
            good = not isinstance(leer_fecha(cell, None), Duda)
            self.leidos += good
            self.ajenos += not good
            return
        dia_mes, mes_dia, sin_decidir, leido, ajeno = _shows(cell)
        self.dia_mes += dia_mes
        self.mes_dia += mes_dia
        self.sin_decidir += sin_decidir
        self.leidos += leido
        self.ajenos += ajeno

    @property
    def trocadas(self) -> bool:
        """Say whether Excel itself mixed the column: it took for dates what fits m/d and left `25/03/2026` as text."""
        as_text = self.dia_mes + self.mes_dia
        return bool(as_text and self.celdas_fecha) and not self.sin_decidir and not self.dia_alto

    def orden(self, habito: Orden | None) -> Orden | None:
        """Return the order that the column's values settle, or `habito` when they show none; None when they clash."""
        if self.dia_mes and self.mes_dia:
            return None
        if self.dia_mes or self.mes_dia:
            return Orden.DIA_MES if self.dia_mes else Orden.MES_DIA
        return habito


@lru_cache(maxsize=4_096)
def _shows(cell: str) -> tuple[bool, bool, bool, bool, bool]:
    """Return what one text shows: d/m, m/d, either, that it is a date, that it is none; all False when it is empty."""
    text = texto(cell)
    if vacio(text) or _ZEROS.fullmatch(text):
        return False, False, False, False, False
    if match := _NUMBERS.fullmatch(text):
        first, second = int(match[1]), int(match[2])
        either = first <= 12 and second <= 12
        return 12 < first <= 31 and second <= 12, 12 < second <= 31 and first <= 12, either, True, False
    doubt = isinstance(_text(text, None), Duda)
    return False, False, False, not doubt, doubt


def leer_fecha(cell: Celda, orden: Orden | None, *, trocadas: bool = False) -> date | Duda | None:
    """Return the civil date of a cell, None when it holds none (also 1900-01-01), or a Duda.

    `orden` is what the column settled (`EstiloFecha.orden`); a value above 12 settles itself whatever the column says.
    `trocadas`: cells that are dates may have day and month exchanged (`EstiloFecha.trocadas`).
    """
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return Duda("la fecha no se entiende")
    if isinstance(cell, date):
        day = cell.date() if isinstance(cell, datetime) else cell
        return Duda(_EXCHANGED) if trocadas and day.day != day.month and day.day <= 12 else _known(day)
    if isinstance(cell, int | float):
        return _serial(int(cell))
    if isinstance(cell, str):
        return _text(texto(cell), orden)
    return Duda("la fecha no se entiende")


def _known(day: date) -> date | Duda | None:
    if day < _LONG_AGO:
        return None
    return day if believable(day) else Duda("el año de la fecha no es creíble")


def _serial(number: int) -> date | Duda | None:
    if 0 <= number <= 2:
        return None
    if 10_000_000 < number < 100_000_000:
        return _text(str(number), None)
    if not _FIRST_SERIAL <= number <= _LAST_SERIAL:
        return Duda("la fecha llegó como un número que no es fecha de Excel")
    return _EPOCH + timedelta(days=number)


@lru_cache(maxsize=4_096)  # a file of a hundred thousand rows has few different days
def _text(text: str, orden: Orden | None) -> date | Duda | None:
    if vacio(text) or _ZEROS.fullmatch(text):
        return None
    if match := _NUMBERS.fullmatch(text):
        return _day_month(int(match[1]), int(match[2]), int(match[3]), orden)
    if _ZONED.fullmatch(text):
        moment = datetime.fromisoformat(text.replace(" ", "T", 1).replace(" ", ""))
        return _known(civil_date(moment))
    if match := _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text):
        return _make(int(match[1]), int(match[2]), int(match[3]))
    if match := _NAMED.fullmatch(text):
        month = _MONTHS.get(match[2].upper())
        year = int(match[3]) if len(match[3]) == 4 else 2000 + int(match[3])
        return _make(year, month, int(match[1])) if month else Duda("el mes de la fecha no se entiende")
    if _SERIAL.fullmatch(text):
        return _serial(int(text[:5]))
    if _SHORT_YEAR.fullmatch(text):
        return Duda("la fecha trae el año con dos cifras y no se sabe cuál de los números es")
    return Duda("la fecha no se entiende")


def _day_month(first: int, second: int, year: int, orden: Orden | None) -> date | Duda | None:
    if year <= 1900:
        return None
    if first > 12 or second > 12 or first == second:
        return _make(year, second, first) if first > 12 or first == second else _make(year, first, second)
    if orden is None:
        return Duda(_AMBIGUOUS)
    return _make(year, second, first) if orden is Orden.DIA_MES else _make(year, first, second)


def _make(year: int, month: int, day: int) -> date | Duda | None:
    try:
        return _known(date(year, month, day))
    except ValueError:
        return Duda("la fecha no existe en el calendario")
