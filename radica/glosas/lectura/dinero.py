"""Money as payers write it: `$9.576.693,00`, `573480.00`, `(1.250,00)`, numbers of Excel; integer centavos out.

Invariant: which sign divides thousands is settled per column by its other values and never guessed: `1.234` in a
column that settles nothing is a `Duda`. A column that uses both ways settles nothing for such a value either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from radica.glosas.lectura.valores import Celda, Duda, texto, vacio
from radica.kernel.errors import BadInput
from radica.kernel.money import to_cents

PUNTO, COMA = ".", ","
_CURRENCY = re.compile(r"(?:COP|COL|M/?CTE|PESOS|\$|\s|\u00a0)+", re.IGNORECASE)
_SHAPE = re.compile(r"\d[\d.,'’]*|[.,]\d+")
_TWO_NUMBERS = re.compile(r"\d\s(?!\d{3}(?!\d))\d")
"""A space divides thousands only before three digits: «150 2» is no amount."""
_SAFE = 10**13
"""Pesos in a whole number below this need no rounding."""
_AMBIGUOUS = "un valor como «1.234» puede ser mil o uno con decimales, y su columna no lo aclara"
_NO_MONEY = "el valor no es una cantidad de dinero"
_ACCOUNTING_ZERO = re.compile(r"\$ ?-")
_EXCEL = re.compile(r"-?\d+(?:\.\d+)?[eE][+-]?\d+")


@dataclass(slots=True)
class EstiloDinero:
    """What a column of money shows: how often each sign was seen to divide decimals."""

    decimal_punto: int = 0
    decimal_coma: int = 0
    leidos: int = 0
    ajenos: int = 0

    def ver(self, cell: Celda) -> None:
        """Learn from one cell of the column. Numbers and plain digits settle nothing."""
        if cell is None or cell == "":
            return
        if not isinstance(cell, str):
            if isinstance(cell, int | float) and not isinstance(cell, bool):
                self.leidos += 1
            else:
                self.ajenos += 1
            return
        if cell.isascii() and cell.isdigit():
            self.leidos += 1
            return
        text = texto(cell)
        if vacio(text):
            return
        digits = _digits(text)
        if digits is None:
            self.ajenos += 1
            return
        self.leidos += 1
        sign = _decimal_sign(digits[0])
        if sign == PUNTO:
            self.decimal_punto += 1
        elif sign == COMA:
            self.decimal_coma += 1

    @property
    def signo(self) -> str | None:
        """The sign that divides decimals in this column; None when nothing, or both, was seen."""
        if bool(self.decimal_punto) == bool(self.decimal_coma):
            return None
        return PUNTO if self.decimal_punto else COMA


def dinero(cell: Celda, signo: str | None) -> int | Duda | None:
    """Return centavos (negative in parentheses or with a minus), None for an empty cell, or a Duda.

    `signo` is what the column settled (`EstiloDinero.signo`).
    """
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return Duda(_NO_MONEY)
    if isinstance(cell, int | float):
        if -_SAFE < cell < _SAFE and cell == int(cell):
            return int(cell) * 100
        return _cents(Decimal(repr(cell)))
    text = texto(cell)
    if vacio(text):
        return None
    if _ACCOUNTING_ZERO.fullmatch(text):
        return 0
    if _EXCEL.fullmatch(text):
        return Duda("el valor quedó en notación científica y perdió cifras")
    found = _digits(text)
    if found is None:
        return Duda(_NO_MONEY)
    digits, negative = found
    sign = _decimal_sign(digits)
    if sign is None and _one_group(digits):
        sign = signo
    if sign is None:
        return Duda(_AMBIGUOUS)
    plain = _plain(digits, sign)
    if plain is None:
        return Duda("los puntos y comas del valor no se entienden")
    cents = _cents(Decimal(plain))
    return -cents if negative and isinstance(cents, int) else cents


def _cents(amount: Decimal) -> int | Duda:
    try:
        return to_cents(amount)
    except BadInput:
        return Duda("el valor es demasiado grande para ser cierto")


def _digits(text: str) -> tuple[str, bool] | None:
    """Return the digits with their signs of grouping, and whether the amount is negative; None for other text."""
    if _TWO_NUMBERS.search(text):
        return None
    bare = _CURRENCY.sub("", text)
    negative = False
    if bare.startswith("(") and bare.endswith(")"):
        bare, negative = bare[1:-1], True
    if bare.startswith(("-", "−", "–")):
        bare, negative = bare[1:], not negative
    elif bare.endswith("-"):
        bare, negative = bare[:-1], not negative
    elif bare.startswith("+"):
        bare = bare[1:]
    return (bare, negative) if _SHAPE.fullmatch(bare) else None


def _decimal_sign(digits: str) -> str | None:
    """Return the sign that surely divides decimals, "" when there is none to divide, None when both readings stand."""
    marks = [one for one in digits if one in ".,"]
    if not marks:
        return ""
    last = marks[-1]
    if len(set(marks)) == 2:
        # 1,234.567 may be three decimals or two ways of writing thousands.
        return last if marks.count(last) == 1 and len(digits.rpartition(last)[2]) != 3 else None
    if len(marks) > 1 or "'" in digits or "’" in digits:
        # 1.234.567 and 1'234.567: the repeated sign, and the one after an apostrophe of millions, divide thousands …
        tail = digits.rpartition(last)[2]
        if len(marks) == 1 and len(tail) != 3:
            return last  # … but 1'234.50 has decimals.
        return COMA if last == PUNTO else PUNTO
    head, _, tail = digits.partition(last)
    if len(tail) == 3 and head and not head.startswith("0"):
        return None
    return last


def _one_group(digits: str) -> bool:
    """Say whether the text is of the kind that its column must settle (`1.234`)."""
    return len([one for one in digits if one in ".,"]) == 1


def _plain(digits: str, sign: str) -> str | None:
    """Return the amount with a decimal point, or None when thousands do not come in threes."""
    whole, mark, cents = digits.rpartition(sign) if sign and sign in digits else (digits, "", "")
    if not mark:
        whole, cents = digits, ""
    groups = re.split(r"[.,'’]", whole)
    if len(groups) > 1 and (not 1 <= len(groups[0]) <= 3 or any(len(group) != 3 for group in groups[1:])):
        return None
    if not cents.isdigit() and cents:
        return None
    return f"{''.join(groups) or '0'}.{cents or '0'}"
