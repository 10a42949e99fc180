"""What a screen says of a term, and which terms an event starts."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.kernel.clock import BOGOTA
from radica.plazos.calendar import ExtraDay, build_calendar
from radica.plazos.rules import EstadoPlazo, Paso, estado_fecha, estado_plazo, terms_for_event
from radica.plazos.table import Evento
from radica.plazos.terms import Plazo, SinTermino, calcular

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("vence", "hoy", "state"),
    [
        (FRIDAY, FRIDAY, EstadoPlazo(Paso.VENCE_HOY, 0, "vence hoy")),
        (FRIDAY, date(2026, 11, 19), EstadoPlazo(Paso.DE_1_A_2, 1, "1 día hábil")),
        (date(2026, 11, 24), FRIDAY, EstadoPlazo(Paso.DE_1_A_2, 2, "2 días hábiles")),
        (date(2026, 11, 25), FRIDAY, EstadoPlazo(Paso.DE_3_A_5, 3, "3 días hábiles")),
        (date(2026, 11, 27), FRIDAY, EstadoPlazo(Paso.DE_3_A_5, 5, "5 días hábiles")),
        (date(2026, 11, 30), FRIDAY, EstadoPlazo(Paso.HOLGADO, 6, "6 días hábiles")),
        (FRIDAY, date(2026, 11, 23), EstadoPlazo(Paso.VENCIDA, -1, "vencida hace 1 día hábil")),
        (FRIDAY, date(2026, 11, 25), EstadoPlazo(Paso.VENCIDA, -3, "vencida hace 3 días hábiles")),
        (FRIDAY, date(2026, 11, 21), EstadoPlazo(Paso.VENCIDA, 0, "vencida desde el último día hábil")),
        (date(2026, 11, 22), FRIDAY, EstadoPlazo(Paso.VENCE_HOY, 0, "vence el 22/11/2026, sin más días hábiles")),
        (date(2026, 11, 23), date(2026, 11, 21), EstadoPlazo(Paso.DE_1_A_2, 1, "1 día hábil")),
    ],
)
def test_four_steps_in_words(vence: date, hoy: date, state: EstadoPlazo) -> None:
    assert estado_fecha(vence, hoy) == state


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(-60, 60))
def test_urgency_only_grows_as_days_go_by(hoy: date, days: int) -> None:
    vence = hoy + timedelta(days=days)
    order = list(Paso)
    today, tomorrow = estado_fecha(vence, hoy), estado_fecha(vence, hoy + timedelta(days=1))
    assert order.index(tomorrow.paso) <= order.index(today.paso)
    assert tomorrow.dias_habiles <= today.dias_habiles
    assert (today.paso is Paso.VENCIDA) == (vence < hoy)


def test_a_computed_term() -> None:
    found = calcular("RAD-01", date(2026, 10, 20))
    assert isinstance(found, Plazo)
    assert found.vence == date(2026, 11, 23)
    assert estado_plazo(found, FRIDAY).texto == "1 día hábil"
    late = datetime(2026, 11, 23, 23, 30, tzinfo=BOGOTA)
    assert estado_plazo(found, late).texto == "vence hoy"
    assert estado_plazo(found, late + timedelta(hours=1)).paso is Paso.VENCIDA
    closed = build_calendar(extra=[ExtraDay(date(2026, 11, 20), False, "cierre")])
    assert estado_plazo(found, date(2026, 11, 19), calendar=closed).dias_habiles == 1


def test_a_term_in_hours_lapses_within_the_day() -> None:
    found = calcular("GLO-09", datetime(2026, 11, 18, 9, 0, tzinfo=BOGOTA))
    assert isinstance(found, Plazo)
    assert estado_plazo(found, datetime(2026, 11, 20, 8, 0, tzinfo=BOGOTA)).texto == "vence hoy"
    assert estado_plazo(found, datetime(2026, 11, 20, 9, 1, tzinfo=BOGOTA)).texto == "vencida hoy"
    assert estado_plazo(found, FRIDAY).paso is Paso.VENCE_HOY


def test_terms_that_an_event_starts() -> None:
    assert terms_for_event("expedicion_fev") == ["RAD-01", "RAD-02", "RAD-05", "TIT-03"]
    assert terms_for_event("prestacion_servicio") == ["RAD-08"]
    assert terms_for_event("envio") == ["RAD-04"]
    assert terms_for_event("radicacion") == ["RAD-03", "DEV-01", "GLO-01", "PAG-02", "PAG-03", "PAG-04", "TIT-01"]
    assert terms_for_event(Evento.EXIGIBILIDAD) == ["PRE-02", "PRE-03", "PRE-04"]
    assert terms_for_event(Evento.VENCIMIENTO_FACTURA) == ["PRE-01"]
    assert terms_for_event(Evento.CUV) == terms_for_event(Evento.CUV_NOTA) == []
    with pytest.raises(ValueError, match="eclipse"):
        terms_for_event("eclipse")


@pytest.mark.parametrize("event", ["expedicion_fev", "prestacion_servicio", "envio", "radicacion"])
def test_every_term_of_this_room_is_computable_today(event: str) -> None:
    computed = [calcular(term_id, date(2026, 11, 3)) for term_id in terms_for_event(event)]
    assert computed
    assert not [found for found in computed if isinstance(found, SinTermino)]
