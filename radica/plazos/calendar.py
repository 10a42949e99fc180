"""The Colombian business-day calendar as dated data with its legal source.

Holidays come from `data/festivos.csv` (law, article, validity of each rule); a `Calendar` value is built once for
1990-2050 and answers from a prefix table. Invariant: every calendar has a `version` that changes when its data or
its options change, so that a term computed today can be explained and recomputed years later.
Norms: Ley 51/1983 arts. 1-2, Ley 2578/2026 art. 6 (19th holiday), Ley 4/1913 art. 62 (holidays are left out of
terms in days). Saturday is an option because no norm settles it for this trade; by default it does not count.
"""

from __future__ import annotations

import csv
import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files

from radica.kernel.errors import BadInput

FIRST_YEAR = 1990
LAST_YEAR = 2050
CALENDAR_NAME = "CO-hábil"

_FIRST_DAY = date(FIRST_YEAR, 1, 1)
_LAST_DAY = date(LAST_YEAR, 12, 31)
_BASE = _FIRST_DAY.toordinal()
_KINDS = ("fixed", "monday", "easter-offset")


class CalendarDataError(ValueError):
    """A data file of terms or holidays contradicts itself; raised at load, never at use."""


class OutOfCalendar(BadInput):
    """The date lies outside the years that the calendar covers."""


@dataclass(frozen=True)
class HolidayRule:
    """One holiday of the law. `easter` is days after Easter Sunday; `since`/`until` bound the observed day."""

    name: str
    kind: str
    month: int
    day: int
    easter: int
    norm: str
    article: str
    mark: str
    since: date
    until: date | None

    def observed(self, year: int) -> date | None:
        """Return the day on which it is kept in `year`, or None when the rule is not in force that day."""
        if self.kind == "easter-offset":
            kept = easter_sunday(year) + timedelta(days=self.easter)
        else:
            kept = date(year, self.month, self.day)
            if self.kind == "monday":
                kept += timedelta(days=-kept.weekday() % 7)
        in_force = self.since <= kept and (self.until is None or kept <= self.until)
        return kept if in_force else None


@dataclass(frozen=True)
class ExtraDay:
    """A day that somebody decided against the general rule: closed (`business=False`) or worked, and by which act."""

    day: date
    business: bool
    reason: str


@dataclass(frozen=True)
class CountedDay:
    """One day of a count: its number (1, 2, …) when it counted, or None and the Spanish reason why it was skipped."""

    day: date
    number: int | None
    reason: str


@dataclass(frozen=True)
class Calendar:
    """A built calendar. `version` names data and options; the tables cover 1990-01-01 to 2050-12-31."""

    version: str
    saturday_business: bool
    reasons: Mapping[date, str] = field(repr=False)
    """Why a day is closed, for holidays and extra closed days; for extra worked days, why it is open."""
    prefix: tuple[int, ...] = field(repr=False)
    """prefix[i] = business days in the i days that begin on the first day."""
    business: tuple[int, ...] = field(repr=False)
    """Ordinals of all business days, ascending."""


def easter_sunday(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (method of the anonymous 1876 algorithm)."""
    golden, century, rest = year % 19, year // 100, year % 100
    leap_c, leap_r = century // 4, century % 4
    moon = (19 * golden + century - leap_c - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * leap_r + 2 * (rest // 4) - moon - rest % 4) % 7
    shift = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def parse_holidays(text: str) -> tuple[HolidayRule, ...]:
    """Read the holiday table (CSV with header). Raises CalendarDataError naming the line that is wrong."""
    rules: list[HolidayRule] = []
    for line, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            kind = row["clase"]
            if kind not in _KINDS or not row["norma"] or not row["nombre"]:
                raise ValueError("kind, norm or name")
            rule = HolidayRule(
                name=row["nombre"],
                kind=kind,
                month=int(row["mes"] or 0),
                day=int(row["dia"] or 0),
                easter=int(row["pascua"] or 0),
                norm=row["norma"],
                article=row["articulo"],
                mark=row["marca"],
                since=date.fromisoformat(row["desde"]),
                until=date.fromisoformat(row["hasta"]) if row["hasta"] else None,
            )
            rule.observed(LAST_YEAR)
        except (KeyError, ValueError, TypeError) as wrong:
            raise CalendarDataError(f"festivos.csv line {line}: {wrong}") from wrong
        rules.append(rule)
    return tuple(rules)


@lru_cache(maxsize=1)
def _holiday_text() -> str:
    return files("radica.plazos").joinpath("data", "festivos.csv").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def holiday_rules() -> tuple[HolidayRule, ...]:
    """Return the holidays of the law, with norm and validity."""
    return parse_holidays(_holiday_text())


@lru_cache(maxsize=128)
def holidays_of(year: int) -> Mapping[date, str]:
    """Return the national holidays of `year`: day → name and norm in Spanish. Two on one day share the entry."""
    found: dict[date, str] = {}
    for rule in holiday_rules():
        kept = rule.observed(year)
        if kept is not None:
            label = f"{rule.name} ({rule.norm} art. {rule.article})"
            found[kept] = f"{found[kept]}; {label}" if kept in found else label
    return found


def build_calendar(*, saturday_business: bool = False, extra: Iterable[ExtraDay] = ()) -> Calendar:
    """Return the calendar for these options; the same options give the same value (cached).

    `extra` are days closed or worked by a decision of a payer or an authority (two for one day: BadInput).
    """
    return _build(saturday_business, tuple(sorted(extra, key=lambda e: (e.day, e.business, e.reason))))


@lru_cache(maxsize=256)
def _build(saturday_business: bool, extra: tuple[ExtraDay, ...]) -> Calendar:
    special = {e.day: e for e in extra}
    if len(special) != len(extra):
        raise BadInput("Hay dos decisiones distintas para un mismo día del calendario.", todo="Deje una sola por día.")
    reasons: dict[date, str] = {}
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        reasons.update({day: f"festivo: {name}" for day, name in holidays_of(year).items()})
    reasons.update({e.day: e.reason for e in extra})
    prefix, business = [0], []
    for ordinal in range(_BASE, _LAST_DAY.toordinal() + 1):
        day = date.fromordinal(ordinal)
        if day in special:
            works = special[day].business
        else:
            works = day not in reasons and (day.weekday() < 5 or (day.weekday() == 5 and saturday_business))
        if works:
            business.append(ordinal)
        prefix.append(len(business))
    return Calendar(_version(saturday_business, extra), saturday_business, reasons, tuple(prefix), tuple(business))


def _version(saturday_business: bool, extra: tuple[ExtraDay, ...]) -> str:
    options = [f"sabado={saturday_business}", f"{FIRST_YEAR}-{LAST_YEAR}"]
    options += [f"{e.day.isoformat()}|{e.business}|{e.reason}" for e in extra]
    rows = [line.strip() for line in _holiday_text().splitlines()]
    digest = hashlib.sha256("\n".join([CALENDAR_NAME, *rows, *options]).encode()).hexdigest()
    saturday = "sábado hábil" if saturday_business else "sábado no hábil"
    extras = f", {len(extra)} días propios" if extra else ""
    return f"{CALENDAR_NAME} ({saturday}{extras}) {digest[:12]}"


def default_calendar() -> Calendar:
    """Return the national calendar without own days, Saturday not business."""
    return build_calendar()


def _index(day: date) -> int:
    index = day.toordinal() - _BASE
    if not 0 <= index <= _LAST_DAY.toordinal() - _BASE:
        raise OutOfCalendar(
            f"La fecha {day.isoformat()} está fuera del calendario hábil ({FIRST_YEAR} a {LAST_YEAR}).",
            todo="Revise el año de la fecha.",
            code="fecha_fuera_de_calendario",
        )
    return index


def is_business_day(day: date, *, calendar: Calendar | None = None) -> bool:
    """Say whether `day` counts in terms of business days. Raises OutOfCalendar outside 1990-2050."""
    cal = calendar or default_calendar()
    index = _index(day)
    return cal.prefix[index + 1] > cal.prefix[index]


def add_business_days(start: date, amount: int, *, calendar: Calendar | None = None) -> date:
    """Return the last day of a term of `amount` business days whose event happened on `start`.

    The day of the event is not counted: counting begins on the next business day. `amount` 0 is the same day.
    """
    if amount < 0:
        raise ValueError("a term has no negative days")
    index = _index(start)
    if amount == 0:
        return start
    cal = calendar or default_calendar()
    wanted = cal.prefix[index + 1] + amount - 1
    if wanted >= len(cal.business):
        _index(_LAST_DAY + timedelta(days=1))
    return date.fromordinal(cal.business[wanted])


def business_days_between(start: date, end: date, *, calendar: Calendar | None = None) -> int:
    """Return the business days after `start` up to and with `end`; negative when `end` is before `start`."""
    cal = calendar or default_calendar()
    return cal.prefix[_index(end) + 1] - cal.prefix[_index(start) + 1]


def next_business_day(day: date, *, calendar: Calendar | None = None) -> date:
    """Return `day` if it is a business day, else the first one after it (Ley 4/1913 art. 62)."""
    cal = calendar or default_calendar()
    _index(day)
    found = bisect_left(cal.business, day.toordinal())
    if found >= len(cal.business):
        _index(_LAST_DAY + timedelta(days=1))
    return date.fromordinal(cal.business[found])


def _reason(day: date, cal: Calendar) -> str:
    if day in cal.reasons:
        return cal.reasons[day]
    return ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")[day.weekday()]


def count_list(start: date, end: date, *, calendar: Calendar | None = None) -> tuple[CountedDay, ...]:
    """Return every day from the event to `end`, one by one, with the reason of each skipped one: the count as proof."""
    cal = calendar or default_calendar()
    if end < start:
        raise ValueError("the count ends before it starts")
    days = [CountedDay(start, None, "día del hecho: no se cuenta")]
    number = 0
    for ordinal in range(start.toordinal() + 1, end.toordinal() + 1):
        day = date.fromordinal(ordinal)
        if is_business_day(day, calendar=cal):
            number += 1
            days.append(CountedDay(day, number, "hábil" if day not in cal.reasons else f"hábil: {_reason(day, cal)}"))
        else:
            days.append(CountedDay(day, None, _reason(day, cal)))
    return tuple(days)


def business_hours_add(
    start: datetime, hours: int, *, opens: int = 0, closes: int = 24, calendar: Calendar | None = None
) -> datetime:
    """Return the instant at which `hours` business hours after `start` are over.

    Reading chosen: every business day gives the hours from `opens` to `closes` (0-24 by default: all 24, so that
    48 hours are two business days to the minute); no hour of other days counts. It is the earlier, prudent reading;
    a house that reads office hours passes, say, 8 and 17. `start` is aware
    (kernel.clock.BOGOTA); its zone decides what a day is.
    """
    if not 0 <= opens < closes <= 24:
        raise ValueError("office hours need 0 <= opens < closes <= 24")
    if hours < 0:
        raise ValueError("a term has no negative hours")
    left: timedelta = timedelta(hours=hours)
    at = start
    while True:
        midnight = datetime.combine(at.date(), time(0), tzinfo=at.tzinfo)
        begin, end = midnight + timedelta(hours=opens), midnight + timedelta(hours=closes)
        if is_business_day(at.date(), calendar=calendar):
            at = max(at, begin)
            if at < end or (at == end and not left):
                if left <= end - at:
                    return at + left
                left -= end - at
        at = midnight + timedelta(days=1)
