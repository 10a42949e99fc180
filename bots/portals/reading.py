"""Reading what a payer writes: whole invoice numbers, dates and amounts. Pure functions.

Invariant: a number counts as named only as a whole word ("FE10" is not in "FE100"), because success text that belongs
to another invoice must never be read as ours; what does not parse is None, never a guess.
"""

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime

BOGOTA = timezone(timedelta(hours=-5))
_DATE = re.compile(r"\b(\d{2})/(\d{2})/(\d{4})(?:\s+(\d{2}):(\d{2})(?::(\d{2}))?)?")


def names(text: str, number: str) -> bool:
    """True when the text contains the invoice number as a whole word."""
    return re.search(rf"(?<![\w\-]){re.escape(number)}(?![\w]|-\w)", text, re.IGNORECASE) is not None


def names_all(text: str, numbers: list[str]) -> bool:
    """True when every number is named."""
    return all(names(text, n) for n in numbers)


def find(pattern: str, text: str) -> str | None:
    """The only distinct match of a pattern (its first group if it has one); None when there is none or several."""
    found = {m.group(1) if m.re.groups else m.group(0) for m in re.finditer(pattern, text)}
    return found.pop() if len(found) == 1 else None


def moment(text: str) -> str | None:
    """The only dd/mm/aaaa [HH:MM[:SS]] of a text as ISO 8601: with Colombian offset when it has a time, else a date."""
    found = {m.group(0): m for m in _DATE.finditer(text)}
    if len(found) != 1:
        return None
    day, month, year, hour, minute, second = next(iter(found.values())).groups()
    try:
        when = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=BOGOTA
        )
    except ValueError:
        return None
    return when.isoformat() if hour else when.date().isoformat()


def http_date(header: str | None) -> str | None:
    """A Date header of the payer's server as ISO 8601 with Colombian offset."""
    try:
        when = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return when.astimezone(BOGOTA).isoformat() if when.tzinfo else None


def amount(text: str) -> str | None:
    """Pesos as decimal text, "$ 573.480,00" as "573480.00": points group thousands and a comma marks cents, as Colombian portals write."""
    bare = re.sub(r"[^\d.,\-]", "", text)
    try:
        value = Decimal(bare.replace(".", "").replace(",", "."))
    except InvalidOperation:
        return None
    return str(value.quantize(Decimal("0.01")))


def total(values: list[str | None]) -> str | None:
    """Sum of decimal texts; None when one is missing."""
    if any(v is None for v in values):
        return None
    return str(sum((Decimal(v) for v in values if v is not None), Decimal("0.00")))
