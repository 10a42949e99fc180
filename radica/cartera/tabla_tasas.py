"""Usury rates by month as data: read from a CSV, row by row, and the table that comes with the program.

Invariant: pure; a month without a rate is absent, never zero and never its neighbour's; a bad row is refused with its
number and the others stand. Rates are hundredths of a percentage point a year (29,66 % is 2966). Norm: E.T. art. 635.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files

COLUMNS = ("mes", "tasa_ea_usura", "fuente", "verificacion")
MAX_ROWS = 5_000
MAX_PUNTOS = 19_999
_MONTH = re.compile(r"(19|20)\d{2}-(0[1-9]|1[0-2])")
_RATE = re.compile(r"\d{1,3}([.,]\d{1,2})?")


@dataclass(frozen=True)
class Tasa:
    """The usury rate of one month (`2026-08`), in hundredths of a percentage point, with where it was read."""

    mes: str
    puntos: int
    fuente: str
    verificacion: str

    @property
    def por_ciento(self) -> Decimal:
        """The rate as a percentage: 29.66."""
        return (Decimal(self.puntos) / 100).quantize(Decimal("0.01"))


@dataclass(frozen=True)
class Lectura:
    """What a file of rates says: its rates, the months that it leaves without one, and the rows refused, in Spanish."""

    tasas: Sequence[Tasa]
    ausentes: Sequence[str]
    rechazos: Sequence[str]


def read_rates(text: str) -> Lectura:
    """Read a CSV with the columns of COLUMNS (comma or semicolon). A file without them refuses everything."""
    bare = text.removeprefix("\ufeff")
    head = bare.partition("\n")[0]
    rows = csv.DictReader(bare.splitlines(), delimiter=";" if head.count(";") > head.count(",") else ",")
    names = [name.strip().lower() for name in rows.fieldnames or ()]
    if missing := [one for one in COLUMNS[:2] if one not in names]:
        return Lectura((), (), (f"Fila 1: falta la columna {', '.join(missing)}.",))
    rows.fieldnames = names
    found: dict[str, Tasa] = {}
    absent: list[str] = []
    refused: list[str] = []
    for row in rows:
        if rows.line_num > MAX_ROWS:
            refused.append(f"Fila {rows.line_num}: el archivo pasa de {MAX_ROWS} filas; el resto no se leyó.")
            break
        _take(row, rows.line_num, found, absent, refused)
    return Lectura(tuple(found.values()), tuple(absent), tuple(refused))


def _take(
    row: Mapping[str, str | None], number: int, found: dict[str, Tasa], absent: list[str], refused: list[str]
) -> None:
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    month, rate = cells["mes"], cells["tasa_ea_usura"].removesuffix("%").strip()
    if not any(cells.values()):
        return
    if not _MONTH.fullmatch(month):
        refused.append(f"Fila {number}: «{month[:20]}» no es un mes; escríbalo como 2026-08.")
    elif not rate:
        absent.append(month)
    elif not _RATE.fullmatch(rate):
        refused.append(f"Fila {number}: «{rate[:20]}» no es una tasa; escríbala como 29.66.")
    elif not 0 < (value := int(Decimal(rate.replace(",", ".")) * 100)) <= MAX_PUNTOS:
        refused.append(f"Fila {number}: una tasa de {rate} % no puede ser cierta.")
    elif month in found and found[month].puntos != value:
        refused.append(f"Fila {number}: el mes {month} ya tiene otra tasa en este archivo.")
    elif not cells["fuente"]:
        refused.append(f"Fila {number}: falta la fuente de la tasa de {month}.")
    else:
        found.setdefault(
            month, Tasa(month, value, cells["fuente"][:1000], cells["verificacion"][:40] or "sin verificar")
        )


@lru_cache(maxsize=1)
def bundled_text() -> str:
    """Return the CSV that comes with the program."""
    return files("radica.cartera").joinpath("data", "tasas_usura.csv").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def bundled() -> Mapping[str, Tasa]:
    """Return the rates that come with the program, by month."""
    return {one.mes: one for one in read_rates(bundled_text()).tasas}
