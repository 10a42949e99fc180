"""The business-day calendar: against the `holidays` package, against a naive count, and its own promises."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from importlib.resources import files

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.kernel.clock import BOGOTA
from radica.kernel.errors import BadInput
from radica.plazos import calendar as cal

DAYS = st.dates(date(1995, 1, 1), date(2045, 12, 31))
AMOUNTS = st.integers(1, 400)


def at(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=BOGOTA)


@pytest.mark.parametrize("year", range(2020, 2031))
def test_same_days_as_the_holidays_package(year: int) -> None:
    assert set(cal.holidays_of(year)) == set(holidays.country_holidays("CO", years=year))


def test_nineteenth_holiday_begins_in_2026_and_names_its_law() -> None:
    kept = {year: day for year in range(2024, 2030) for day, name in cal.holidays_of(year).items() if "2578" in name}
    assert kept == {
        2026: date(2026, 7, 13),
        2027: date(2027, 7, 12),
        2028: date(2028, 7, 10),
        2029: date(2029, 7, 9),
    }
    assert [len(cal.holidays_of(y)) for y in (2024, 2025, 2026)] == [18, 17, 19]
    assert "San Pedro" in cal.holidays_of(2025)[date(2025, 6, 30)]
    assert "Sagrado" in cal.holidays_of(2025)[date(2025, 6, 30)]


@pytest.mark.parametrize(
    ("start", "amount", "end"),
    [
        (date(2026, 7, 8), 3, date(2026, 7, 14)),  # a weekend and the new holiday of 13 July are skipped
        (date(2026, 7, 12), 1, date(2026, 7, 14)),  # event on a Sunday before a holiday
        (date(2026, 3, 31), 2, date(2026, 4, 6)),  # Maundy Thursday and Good Friday; 6 April is not a holiday
        (date(2026, 11, 21), 0, date(2026, 11, 21)),
    ],
)
def test_known_counts(start: date, amount: int, end: date) -> None:
    assert cal.add_business_days(start, amount) == end


@given(DAYS, AMOUNTS)
def test_adding_equals_a_naive_walk(start: date, amount: int) -> None:
    day, left = start, amount
    while left:
        day += timedelta(days=1)
        closed = day.weekday() >= 5 or day in cal.holidays_of(day.year)
        left -= not closed
    assert cal.add_business_days(start, amount) == day


@given(DAYS, AMOUNTS)
def test_between_undoes_add_and_the_list_proves_it(start: date, amount: int) -> None:
    end = cal.add_business_days(start, amount)
    assert cal.is_business_day(end)
    assert cal.business_days_between(start, end) == amount
    assert cal.business_days_between(end, start) == -amount
    listed = cal.count_list(start, end)
    assert len(listed) == (end - start).days + 1
    assert [d.number for d in listed if d.number] == list(range(1, amount + 1))
    assert listed[-1] == cal.CountedDay(end, amount, "hábil")
    assert all(d.reason for d in listed)


@given(DAYS)
def test_later_event_never_ends_earlier(start: date) -> None:
    assert cal.add_business_days(start, 22) <= cal.add_business_days(start + timedelta(days=1), 22)
    assert cal.next_business_day(start) >= start
    assert cal.is_business_day(cal.next_business_day(start))


def test_skipped_days_say_why() -> None:
    reasons = {d.day.day: d.reason for d in cal.count_list(date(2026, 7, 10), date(2026, 7, 14))}
    assert reasons == {
        10: "día del hecho: no se cuenta",
        11: "sábado",
        12: "domingo",
        13: "festivo: Nuestra Señora de Chiquinquirá (Ley 2578/2026 art. 6)",
        14: "hábil",
    }


def test_saturday_is_an_option_and_changes_the_version() -> None:
    saturdays = cal.build_calendar(saturday_business=True)
    assert not cal.is_business_day(date(2026, 11, 21))
    assert cal.is_business_day(date(2026, 11, 21), calendar=saturdays)
    assert not cal.is_business_day(date(2026, 11, 22), calendar=saturdays)
    assert not cal.is_business_day(date(2026, 8, 8), calendar=cal.build_calendar())
    assert saturdays.version != cal.default_calendar().version


def test_own_days_close_and_open_and_change_the_version() -> None:
    closed = cal.ExtraDay(date(2026, 11, 24), False, "cierre del pagador (circular 12)")
    opened = cal.ExtraDay(date(2026, 12, 8), True, "jornada especial")
    own = cal.build_calendar(extra=[opened, closed])
    assert cal.add_business_days(date(2026, 11, 23), 1, calendar=own) == date(2026, 11, 25)
    assert cal.add_business_days(date(2026, 12, 7), 1, calendar=own) == date(2026, 12, 8)
    assert cal.count_list(date(2026, 11, 23), date(2026, 11, 25), calendar=own)[1].reason == closed.reason
    assert own.version == cal.build_calendar(extra=[closed, opened]).version
    assert own.version != cal.default_calendar().version
    with pytest.raises(BadInput):
        cal.build_calendar(extra=[closed, cal.ExtraDay(closed.day, True, "otra")])


def test_business_hours_readings() -> None:
    friday = at(2026, 7, 10, 15)
    assert cal.business_hours_add(friday, 48) == at(2026, 7, 15, 15)
    assert cal.business_hours_add(at(2026, 7, 11, 15), 48) == at(2026, 7, 16, 0)
    assert cal.business_hours_add(friday, 48, opens=8, closes=17) == at(2026, 7, 22, 9)
    assert cal.business_hours_add(at(2026, 7, 10, 7), 9, opens=8, closes=17) == at(2026, 7, 10, 17)
    assert cal.business_hours_add(at(2026, 7, 10, 17), 1, opens=8, closes=17) == at(2026, 7, 14, 9)


@given(DAYS, st.integers(0, 86_399), st.integers(1, 200))
def test_full_business_hours_are_business_days(day: date, seconds: int, days: int) -> None:
    start = at(day.year, day.month, day.day) + timedelta(seconds=seconds)
    end = cal.business_hours_add(start, 24 * days)
    if cal.is_business_day(start.date()):
        assert end.time() == start.time()
        assert cal.business_days_between(start.date(), (end - timedelta(microseconds=1)).date()) in (days - 1, days)
    else:
        assert end.time() == time(0)


@pytest.mark.parametrize("day", [date(1989, 12, 31), date(2051, 1, 1)])
def test_out_of_range_is_refused_in_spanish(day: date) -> None:
    for use in (
        lambda: cal.is_business_day(day),
        lambda: cal.next_business_day(day),
        lambda: cal.business_days_between(day, date(2026, 1, 1)),
        lambda: cal.add_business_days(day, 3),
    ):
        with pytest.raises(cal.OutOfCalendar, match="fuera del calendario"):
            use()
    with pytest.raises(cal.OutOfCalendar):
        cal.add_business_days(date(2050, 12, 30), 30)


def test_impossible_requests() -> None:
    with pytest.raises(ValueError, match="negative"):
        cal.add_business_days(date(2026, 1, 1), -1)
    with pytest.raises(ValueError, match="before it starts"):
        cal.count_list(date(2026, 1, 2), date(2026, 1, 1))
    with pytest.raises(ValueError, match="opens < closes"):
        cal.business_hours_add(at(2026, 1, 1), 1, opens=9, closes=9)


def test_every_holiday_names_its_law_and_bad_rows_are_refused() -> None:
    assert len(cal.holiday_rules()) == 19
    assert all(rule.norm and rule.article and rule.mark in ("V", "V-sec") for rule in cal.holiday_rules())
    text = files("radica.plazos").joinpath("data", "festivos.csv").read_text(encoding="utf-8")
    for broken in (text.replace("fixed", "movil", 1), text.replace("1984-01-01", "1984-13-01", 1)):
        with pytest.raises(cal.CalendarDataError, match="line 2"):
            cal.parse_holidays(broken)
