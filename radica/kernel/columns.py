"""Column types that behave the same on SQLite and PostgreSQL.

Invariant: instants are aware UTC with microseconds (text of fixed width on SQLite, so that text order is time
order), money is integer centavos, JSON is canonical text, and a state column admits only the values of its enum.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Dialect, Integer, String, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

from radica.kernel.canonical import canonical_json

Id = BigInteger().with_variant(Integer(), "sqlite")
"""Primary and foreign keys; SQLite needs INTEGER for its row id."""

Cents = BigInteger
"""Money in centavos."""


@lru_cache(maxsize=64)
def _instant_text(value: datetime) -> str:
    """Write an instant as SQLite keeps it; the rows of one batch carry the same few."""
    # Not strftime: it writes the year 33 in two digits, and no page could read such a row again.
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC with microseconds."""

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use timestamptz on PostgreSQL, fixed-width text on SQLite."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive datetimes: they would be read as another instant elsewhere."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime in a database column")
        return value.astimezone(UTC) if dialect.name == "postgresql" else _instant_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware UTC datetime."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return datetime.fromisoformat(value).astimezone(UTC)  # not strptime: lists of thousands read it


class CanonicalJson(TypeDecorator[Any]):
    """A JSON document as text with sorted keys: equal values are equal bytes on both databases."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write sorted, compact, UTF-8 without escapes."""
        if value is None:
            return None
        return canonical_json(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Read it back."""
        return None if value is None else json.loads(value)


class EnumText(TypeDecorator[Any]):
    """A StrEnum stored by value."""

    impl = String(40)
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Refuse values that are not of the enum."""
        return value.value if type(value) is self.enum else None if value is None else self.enum(value).value

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return the enum member."""
        return None if value is None else self.enum(value)

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """Compare with members and plain values alike."""
        return self


def one_of(column: str, enum: type[StrEnum], *, name: str) -> CheckConstraint:
    """Return the CHECK that a text column holds only values of `enum`."""
    values = ", ".join(f"'{member.value}'" for member in enum)
    return CheckConstraint(f"{column} IN ({values})", name=name)
