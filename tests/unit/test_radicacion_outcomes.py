"""What readings of a portal allow: pure, so every order of answers can be tried."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.radicacion.outcomes import (
    CLOCK_TOLERANCE,
    MAX_CANNOT_SAY,
    MAX_READINGS,
    Decision,
    Reading,
    Veredicto,
    decide,
    payer_time,
)

INTENT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
VALOR = 9_060_000
SETTLE = 1000
FENCED = 10_000


def found(at_ms: int = 20_000, **changes: Any) -> Reading:
    values: dict[str, Any] = {"radicado": "R-1", "fecha": INTENT + timedelta(minutes=1), "valor": VALOR}
    return Reading("found", at_ms, **{**values, **changes})


def absent(at_ms: int) -> Reading:
    return Reading("absent", at_ms)


def silent(at_ms: int, *, retryable: bool = True) -> Reading:
    return Reading("cannot_say", at_ms, reintentable=retryable)


def judge(*readings: Reading, fenced_ms: int | None = FENCED, settle_ms: int = SETTLE) -> Decision:
    return decide(readings, fenced_ms=fenced_ms, settle_ms=settle_ms, intent_at=INTENT, valor=VALOR)


def test_without_a_reading_it_waits() -> None:
    assert judge().veredicto is Veredicto.ESPERAR


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Veredicto.HALLADA),
        ({"fecha": INTENT - CLOCK_TOLERANCE}, Veredicto.HALLADA),
        ({"fecha": INTENT - CLOCK_TOLERANCE - timedelta(seconds=1)}, Veredicto.POR_FUERA),
        ({"fecha": None}, Veredicto.PERSONA),
        ({"valor": VALOR + 1}, Veredicto.PERSONA),
        ({"valor": None}, Veredicto.PERSONA),
        ({"radicado": None}, Veredicto.SIN_NUMERO),
        ({"radicado": ""}, Veredicto.SIN_NUMERO),
    ],
)
def test_found_counts_when_number_value_and_date_are_of_this_filing(
    changes: dict[str, Any], verdict: Veredicto
) -> None:
    assert judge(found(**changes)).veredicto is verdict
    assert judge(found(**changes), fenced_ms=None).veredicto is verdict, "what is seen needs no fence"


def test_known_without_number_counts_at_once() -> None:
    assert judge(Reading("known_without_number", 1)).veredicto is Veredicto.SIN_NUMERO


def test_absent_needs_two_readings_a_settling_time_apart_after_fence_and_settling_time() -> None:
    first = FENCED + SETTLE
    assert judge(absent(first), absent(first + SETTLE)).veredicto is Veredicto.AUSENTE
    assert judge(absent(first), absent(first + SETTLE - 1)).veredicto is Veredicto.ESPERAR
    assert judge(absent(first - 1), absent(first + SETTLE - 1)).veredicto is Veredicto.ESPERAR
    assert judge(absent(first), absent(first + SETTLE), fenced_ms=None).veredicto is Veredicto.ESPERAR
    assert judge(absent(first)).veredicto is Veredicto.ESPERAR


def test_it_says_when_to_ask_again() -> None:
    first = FENCED + SETTLE
    assert judge(absent(FENCED)).leer_despues_ms == first
    again = judge(absent(first + 7))
    assert (again.leer_despues_ms, again.pausa_ms) == (first + 7 + SETTLE, SETTLE)


@pytest.mark.parametrize("between", [silent(FENCED + 3 * SETTLE), found(FENCED + 3 * SETTLE, valor=1)])
def test_another_answer_between_two_absences_breaks_their_agreement(between: Reading) -> None:
    early, late = absent(FENCED + 2 * SETTLE), absent(FENCED + 5 * SETTLE)
    assert judge(early, between, late).veredicto is Veredicto.ESPERAR
    assert judge(early, between, late, absent(FENCED + 6 * SETTLE)).veredicto is Veredicto.AUSENTE


def test_a_portal_that_cannot_say_ends_at_a_person() -> None:
    assert judge(silent(1, retryable=False)).veredicto is Veredicto.PERSONA
    for count in range(1, MAX_CANNOT_SAY):
        decision = judge(*[silent(n) for n in range(count)])
        assert decision.veredicto is Veredicto.ESPERAR
        assert decision.leer_despues_ms == count - 1 + SETTLE * 2 ** (count - 1)
    assert judge(*[silent(n) for n in range(MAX_CANNOT_SAY)]).veredicto is Veredicto.PERSONA


def test_a_portal_that_says_now_this_now_that_ends_at_a_person() -> None:
    flapping = [silent(n) if n % 2 else absent(FENCED + 9 * SETTLE + n) for n in range(MAX_READINGS)]
    assert judge(*flapping[:-1]).veredicto is Veredicto.ESPERAR
    assert judge(*flapping).veredicto is Veredicto.PERSONA


readings = st.lists(
    st.one_of(
        st.builds(absent, st.integers(0, 50)),
        st.builds(silent, st.integers(0, 50), retryable=st.booleans()),
        st.builds(Reading, st.just("known_without_number"), st.integers(0, 50)),
        st.builds(
            found,
            st.integers(0, 50),
            valor=st.sampled_from([VALOR, 1, None]),
            radicado=st.sampled_from(["R-1", None]),
            fecha=st.sampled_from([INTENT, INTENT - timedelta(days=1), None]),
        ),
    ),
    max_size=30,
)


@given(readings=readings, fenced_ms=st.none() | st.integers(0, 30), settle_ms=st.integers(0, 20))
def test_absent_is_never_decided_before_its_time(
    readings: list[Reading], fenced_ms: int | None, settle_ms: int
) -> None:
    decision = judge(*readings, fenced_ms=fenced_ms, settle_ms=settle_ms)  # whatever the clocks did, it answers
    if decision.veredicto is Veredicto.ESPERAR:
        assert decision.leer_despues_ms is not None
        assert len(readings) < MAX_READINGS
    if decision.veredicto is not Veredicto.AUSENTE:
        return
    assert fenced_ms is not None
    assert readings[-1].resultado == "absent"
    agreeing = []
    for reading in reversed(readings):
        if reading.resultado != "absent":
            break
        agreeing.append(reading)
    counted = [reading.at_ms for reading in agreeing if reading.at_ms >= fenced_ms + settle_ms]
    assert len(counted) >= 2
    assert max(counted) - min(counted) >= settle_ms


@given(readings=readings)
def test_found_is_only_decided_by_a_reading_of_this_filing(readings: list[Reading]) -> None:
    decision = judge(*readings)
    if decision.veredicto is Veredicto.HALLADA:
        last = readings[-1]
        assert (last.resultado, last.valor, last.fecha) == ("found", VALOR, INTENT)
        assert last.radicado


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T10:00:00-05:00", INTENT),
        ("2026-11-20T10:00:00", INTENT),
        (" 2026-11-20 ", datetime(2026, 11, 20, 5, tzinfo=UTC)),
        ("20/11/2026", None),
        ("", None),
        (None, None),
        ("0001-01-01T00:00:00+23:00", None),
        ("9999-12-31T23:59:59-23:00", None),
    ],
)
def test_a_payers_time_is_colombian_unless_it_says_otherwise(text: str | None, expected: datetime | None) -> None:
    assert payer_time(text) == expected
