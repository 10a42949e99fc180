"""Invoice numbers, NIT and amounts as they are written in real files, brought to comparable forms.

Invariant: nothing is guessed. Zeros on the left of the consecutive, case and separators do not distinguish an
invoice; a missing prefix makes a *possible* match that the join confirms only when it is the single one of the
provider. Norms: DIAN annex 1.9 (prefix + consecutive without separator), E.T. art. 555-1 (NIT check digit).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from stdnum.co import nit as stdnum_nit

_INVOICE_NOISE = re.compile(r"[\s\-_./]+")
_DIGITS = "0123456789"
_NIT_NOISE = re.compile(r"[\s.,]+")
_NIT = re.compile(r"^([0-9]{3,15})(?:-([0-9]))?$")
_AMOUNT = re.compile(r"^[+-]?[0-9]{1,14}(\.[0-9]{0,10})?$")
_MAX_EXPONENT = 14  # what a column of centavos holds, see kernel.money


class Match(StrEnum):
    """Whether two written numbers are of one invoice."""

    SAME = "same"
    POSSIBLE = "possible"
    """Equal digits, and one of the two carries no prefix: true only when no other invoice fits."""
    DIFFERENT = "different"


@dataclass(frozen=True)
class InvoiceNumber:
    """A number split in prefix and consecutive; `digits` has no zeros on the left and may be empty."""

    text: str
    prefix: str
    digits: str

    @property
    def key(self) -> str:
        """Comparison key with prefix: `FE0001234` and `fe-1234` give `FE1234`."""
        return self.prefix + self.digits

    @property
    def digits_key(self) -> str:
        """Comparison key without prefix: `1234`; empty when there is no consecutive."""
        return self.digits


def parse_invoice_number(text: str | int | None, *, prefix: str | None = None) -> InvoiceNumber | None:
    """Split a written invoice number; None when nothing is written.

    `prefix` is the prefix of the numbering resolution when it is known (it may end in a digit, and then only it
    can tell `FE2` + `0015` from `FE` + `20015`).
    """
    if text is None or isinstance(text, bool):
        return None
    plain = _INVOICE_NOISE.sub("", unicodedata.normalize("NFKC", str(text))).upper()
    if not plain:
        return None
    known = _INVOICE_NOISE.sub("", prefix or "").upper()
    if known and plain.startswith(known) and re.fullmatch("[0-9]+", plain[len(known) :]):
        head, tail = known, plain[len(known) :]
    else:
        head = plain.rstrip(_DIGITS)  # linear, however long a number somebody writes
        tail = plain[len(head) :]
    return InvoiceNumber(text=str(text).strip(), prefix=head, digits=tail.lstrip("0") or tail[-1:])


def same_invoice(one: InvoiceNumber | None, other: InvoiceNumber | None) -> Match:
    """Compare two numbers of the same provider: `FE0001234` = `FE1234`; `1234` is possibly `FE1234`."""
    if one is None or other is None:
        return Match.DIFFERENT
    if one.key == other.key:
        return Match.SAME
    if one.digits and one.digits == other.digits and not (one.prefix and other.prefix):
        return Match.POSSIBLE
    return Match.DIFFERENT


@dataclass(frozen=True)
class Nit:
    """A tax number without separators or zeros on the left, and its check digit when the document gives it."""

    number: str
    dv: str | None = None

    @property
    def dv_is_right(self) -> bool | None:
        """True or false when the document gives a check digit; None when it gives none."""
        return None if self.dv is None else self.dv == check_digit(self.number)

    def __str__(self) -> str:
        return self.number if self.dv is None else f"{self.number}-{self.dv}"


def check_digit(number: str) -> str:
    """Return the DIAN check digit of a number of at most 15 digits (weights of primes, modulo 11).

    Raises ValueError when `number` is not of digits only.
    """
    if not re.fullmatch("[0-9]{1,15}", number):
        raise ValueError("a NIT has only digits")
    return str(stdnum_nit.calc_check_digit(number))


def parse_nit(text: str | int | None, dv: str | None = None) -> Nit | None:
    """Read a NIT written as `900123456`, `900.123.456-7` or zero padded; None when it is no number.

    `dv` is the check digit when the document carries it apart (schemeID of the XML). Ten digits that begin with
    8 or 9 and end in their own check digit are number and digit together: no person's document has that form.
    """
    if text is None or isinstance(text, bool):
        return None
    found = _NIT.match(_NIT_NOISE.sub("", unicodedata.normalize("NFKC", str(text)).replace("\u2013", "-")))
    if not found:
        return None
    number = found[1].lstrip("0")
    if len(number) < 3:
        return None
    apart = (dv or "").strip()
    digit = found[2] or (apart if re.fullmatch("[0-9]", apart) else None)
    if found[2] is None and len(number) == 10 and number[0] in "89" and check_digit(number[:9]) == number[9]:
        return Nit(number[:9], number[9])
    return Nit(number, digit)


def parse_amount(value: object) -> Decimal | None:
    """Read pesos from JSON or XML as an exact Decimal; None for anything that is not plainly a number.

    Accepts `Decimal`, `int` and text with a decimal point (`44900`, `44900.00`); a comma or a thousands
    separator is not read, because `1.234` and `1,234` mean different things to different programs.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        return Decimal(text) if _AMOUNT.match(text) else None
    if isinstance(value, int):
        return Decimal(value) if -(10**_MAX_EXPONENT) < value < 10**_MAX_EXPONENT else None
    if isinstance(value, Decimal):
        return value if value.is_finite() and -_MAX_EXPONENT <= value.adjusted() < _MAX_EXPONENT else None
    return None
