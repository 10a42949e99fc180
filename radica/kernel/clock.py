"""The business clock: the only reader of business time, in America/Bogota.

Invariant: services and pure code get `at` or a `Clock` as an argument and never ask the system. Leases and
heartbeats do not use this clock but the database's (DESIGN section 3: two clocks that no code compares).
Colombia has had no daylight saving since 1993, so the zone is a constant -05:00 for all dates handled here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

BOGOTA = ZoneInfo("America/Bogota")

Clock = Callable[[], datetime]
"""Returns an aware datetime in UTC."""


def system_clock() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)


def fixed_clock(at: datetime) -> Clock:
    """Return a clock that always says `at` (aware)."""
    if at.tzinfo is None:
        raise ValueError("a clock needs an aware datetime")
    moment = at.astimezone(UTC)
    return lambda: moment


def bogota(at: datetime) -> datetime:
    """Return the instant `at` (aware) as Colombian civil time."""
    return at.astimezone(BOGOTA)


def civil_date(at: datetime) -> date:
    """Return the Colombian calendar day of the instant `at` (aware)."""
    return at.astimezone(BOGOTA).date()


def daily_due(now: datetime, at: time) -> datetime:
    """Return the latest instant with the Bogotá time `at` that is not after `now` (aware): what happens once a day."""
    local = now.astimezone(BOGOTA)
    due = datetime.combine(local.date(), at, tzinfo=BOGOTA)
    return due if due <= local else due - timedelta(days=1)
