"""What a cell says as text: spaces, accents lost or doubled by a wrong encoding, invoice numbers, doubts.

Invariant: a value that has two readings is a `Duda` with its reason in Spanish, never one of the readings. Invoice
numbers stay as written (`HUS487523`, `HUS0000487523` and `487523` are told apart here and matched elsewhere); only
what Excel adds to a number (`487523.0`) is taken away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from radica.facturas.texts import clean

Celda = str | int | float | bool | date | datetime | time | timedelta | None
"""What a sheet or a text file gives for a cell."""

MAX_TEXTO = 20_000
_FLOAT_TAIL = re.compile(r"\d+\.0+")
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d+")
_WHOLE_FLOAT = 10**15
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A)]
)
"""Characters of no width or of direction: a code copied from a web page carries them, and is the same code."""
EMPTY_WORDS = frozenset({"", "-", "--", "N/A", "NA", "N.A.", "NULL", "NONE", "NAN", "S/D", "SIN DATO"})
"""What people and programs write for nothing."""
_EMPTY_INITIALS = frozenset("-NnSs")


@dataclass(frozen=True, slots=True)
class Duda:
    """Why a cell was not read; goes to the row's reason. Never holds the cell of another person's data."""

    motivo: str


def texto(cell: Celda) -> str:
    """Return a cell as text: one line, single spaces, doubled UTF-8 repaired; whole floats without their `.0`."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        if cell.isascii() and "  " not in cell and cell.isprintable():
            return cell.strip()
        return clean(cell.translate(_INVISIBLE)) or ""
    if isinstance(cell, bool):
        return "SI" if cell else "NO"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _WHOLE_FLOAT else str(Decimal(repr(cell)))
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def vacio(text: str) -> bool:
    """Say whether a text means nothing was written."""
    return text == "" or (len(text) <= 8 and text[0] in _EMPTY_INITIALS and text.upper() in EMPTY_WORDS)


def factura(cell: Celda) -> str | Duda:
    """Return an invoice number as written, "" when the cell is empty.

    A number in scientific notation, or beyond fifteen digits in a numeric cell, has lost digits: a Duda.
    """
    if isinstance(cell, str) and len(cell) > 4 and cell.isalnum() and cell.isascii():
        return cell
    if isinstance(cell, float) and (not cell.is_integer() or abs(cell) >= _WHOLE_FLOAT):
        return Duda("el número de factura llegó como número de Excel y perdió cifras")
    if isinstance(cell, date | time | timedelta | bool):
        return Duda("en el número de factura hay otra cosa (una fecha o una marca)")
    text = texto(cell)
    if vacio(text):
        return ""
    if _FLOAT_TAIL.fullmatch(text):
        return text.split(".", 1)[0]
    if _SCIENTIFIC.fullmatch(text) and ("." in text or "," in text or "+" in text):
        return Duda("el número de factura quedó en notación científica y perdió cifras")
    return text


def unir_prefijo(prefijo: str, numero: str) -> str:
    """Put prefix and number together as the payer prints them in two columns; a prefix already there stays once."""
    if not prefijo or numero.upper().startswith(prefijo.upper()):
        return numero
    return prefijo + numero
