"""Keyset pages and addresses that keep the filters.

Invariant: a cursor is opaque text with sort values and an id, never health data; a damaged one is the first page,
not an error. Order by (sort column, id) so that the pages neither skip nor repeat rows while others are added.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from flask import request
from werkzeug.datastructures import MultiDict

Row = TypeVar("Row")

MAX_CURSOR = 1000
FIRST_YEAR, LAST_YEAR = 2, 9998
"""With a year to spare on either side a day can be moved to another time zone."""


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page. `total` and `cents` are of the whole filter; cursors are None at the ends."""

    rows: Sequence[Row]
    next: str | None = None
    previous: str | None = None
    total: int | None = None
    cents: int | None = None


def encode_cursor(values: Sequence[Any]) -> str:
    """Turn JSON values (numbers, texts, None) into opaque text for the address."""
    return base64.urlsafe_b64encode(json.dumps(list(values)).encode()).decode().rstrip("=")


def decode_cursor(text: str | None, *, size: int) -> list[Any] | None:
    """Read a cursor of `size` values (texts, numbers that a database holds, None); None when it is none of ours."""
    if not text or len(text) > MAX_CURSOR:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    whole = isinstance(values, list) and len(values) == size and all(_storable(one) for one in values)
    return values if whole else None


def _storable(value: Any) -> bool:
    if isinstance(value, int):
        return abs(value) < 2**63
    return value is None or (isinstance(value, str) and value.isprintable())  # neither NUL nor half a character


def cursor_instant(text: Any) -> datetime | None:
    """Read the aware instant of a cursor; None when it is none, or at the very ends of the calendar."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo and FIRST_YEAR <= moment.year <= LAST_YEAR else None


def query_day(text: str | None) -> date | None:
    """Read a day of an address; None when it is none, or at the very ends of the calendar."""
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        return None
    return day if day is not None and FIRST_YEAR <= day.year <= LAST_YEAR else None


def cut(
    rows: Sequence[Row],
    *,
    limit: int,
    key: Callable[[Row], Sequence[Any]],
    came_with: str | None,
    backwards: bool = False,
) -> Page[Row]:
    """Make a page of `rows` read with `limit + 1`; `backwards` rows come in reverse order (a step back)."""
    more, kept = len(rows) > limit, list(rows[:limit])
    if backwards:
        kept.reverse()
    first, last = (encode_cursor(key(kept[0])), encode_cursor(key(kept[-1]))) if kept else (None, None)
    before = more if backwards else bool(came_with)
    after = True if backwards else more
    return Page(kept, next=last if after else None, previous=first if before else None)


def with_args(**changes: str | int | list[str] | None) -> str:
    """Return this page's address with some query values changed (None removes one); the cursor is dropped."""
    args = MultiDict(request.args)
    for name in ("despues", "antes"):
        args.poplist(name)
    for name, value in changes.items():
        args.poplist(name)
        values = value if isinstance(value, list) else [] if value is None else [str(value)]
        args.setlist(name, values)
    query = urlencode([(name, value) for name, values in sorted(args.lists()) for value in values if value != ""])
    return f"{request.path}?{query}" if query else request.path
