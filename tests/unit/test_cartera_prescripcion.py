"""Clocks of prescription: by way to the judge, suspended once, the shortest first."""

from __future__ import annotations

from datetime import date

import pytest

from radica.cartera.prescripcion import Suspension, exigible, interrumpida, mas_corta, relojes, umbral_de

SINCE = date(2024, 2, 29)


def test_five_clocks_and_the_shortest_first() -> None:
    found = relojes(SINCE)
    assert [(one.termino, one.vence) for one in found] == [
        ("PRE-01", date(2027, 2, 28)),
        ("PRE-03", date(2027, 2, 28)),
        ("PRE-02", date(2029, 2, 28)),
        ("PRE-04", date(2029, 2, 28)),
        ("PRE-02", date(2034, 2, 28)),
    ]
    assert found[0].certeza == "V-sec alta"
    assert all(one.norma and one.articulo for one in found)


def test_the_last_day_is_not_moved_by_a_holiday() -> None:
    # 28 February 2027 is a Sunday: whoever waits for Monday may be late.
    assert relojes(SINCE)[0].vence.weekday() == 6


@pytest.mark.parametrize(
    ("stop", "days"),
    [
        (Suspension(date(2026, 1, 10), date(2026, 2, 9)), 30),
        (Suspension(date(2026, 1, 10)), 90),  # 10 January to 10 April
        (Suspension(date(2026, 1, 10), date(2026, 12, 31)), 90),
        (Suspension(date(2027, 3, 1)), 0),  # after the shortest one lapsed
        (Suspension(date(2020, 1, 1)), 0),
    ],
)
def test_a_request_stops_the_clock_three_months_at_most(stop: Suspension, days: int) -> None:
    found = {(one.termino, one.via): one for one in relojes(SINCE, [stop])}
    assert found["PRE-01", "Acción cambiaria"].suspendido == days


def test_only_the_first_request_counts() -> None:
    twice = [Suspension(date(2026, 6, 1), date(2026, 6, 11)), Suspension(date(2026, 1, 1), date(2026, 1, 31))]
    assert relojes(SINCE, twice)[0].suspendido == 30


def test_a_lawsuit_interrupts_from_its_day_when_the_debtor_knows_within_the_year() -> None:
    sued, known = date(2026, 3, 2), date(2026, 4, 6)
    assert interrumpida(sued, known, date(2027, 4, 1)) == sued
    assert interrumpida(sued, known, date(2027, 5, 20)) == date(2027, 5, 20)
    assert interrumpida(sued, known, None) is None


def test_it_runs_from_the_earliest_day_on_which_something_could_be_demanded() -> None:
    day, why = exigible(date(2026, 6, 1), "EPS")
    assert day == date(2026, 6, 6)
    assert "Ley 1122/2007" in why
    assert exigible(date(2026, 6, 1), "SOAT")[0] == date(2026, 6, 1)
    assert mas_corta(date(2026, 6, 1), "EPS").vence == date(2029, 6, 6)


def test_steps() -> None:
    assert [umbral_de(days) for days in (181, 180, 91, 90, 30, 0, -5)] == [None, 180, 180, 90, 30, 30, 30]
