"""Terms of every state by hand-counted days, both readings, lateness with its proof, and the second clock of SIIFA.

June and July of 2026 have holidays on 8, 15 and 29 June, 13 July (new in 2026) and 20 July.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.entidades.catalogue import TipoPagador
from radica.glosas import clocks
from radica.glosas.clocks import Objeto
from radica.glosas.states import DEVOLUCION, GLOSA, EstadoDevolucion, EstadoGlosa
from radica.kernel.clock import BOGOTA
from radica.plazos.calendar import ExtraDay, build_calendar, is_business_day

G, D = EstadoGlosa, EstadoDevolucion


def day(month: int, number: int, hour: int = 10) -> datetime:
    return datetime.combine(date(2026, month, number), time(hour), tzinfo=BOGOTA)


FILED, NOTICED = day(6, 1), day(6, 16)


@pytest.mark.parametrize(
    ("estado", "values", "term", "vence", "alterno"),
    [
        (G.FORMULADA, {}, "GLO-03", date(2026, 7, 8), None),
        (G.RESPONDIDA, {"respondida": day(7, 1)}, "GLO-04", date(2026, 7, 16), None),
        (G.ACEPTADA_PARCIAL, {"respondida": day(7, 1)}, "GLO-04", date(2026, 7, 16), None),
        (G.SIN_DECISION, {"respondida": day(7, 1)}, "GLO-04", date(2026, 7, 16), None),
        (G.EN_SUBSANACION, {"decidida": day(7, 10)}, "GLO-05", date(2026, 7, 21), date(2026, 7, 23)),
        (G.LEVANTADA_PARCIAL, {"decidida": day(7, 6)}, "GLO-05", date(2026, 7, 16), date(2026, 7, 21)),
        (G.SUBSANADA, {"respondida": day(7, 17)}, "GLO-07", date(2026, 7, 27), None),
        (D.FORMULADA, {}, "DEV-02", date(2026, 6, 23), None),
        (D.RESPONDIDA, {"respondida": day(6, 10)}, "DEV-03", date(2026, 6, 18), None),
    ],
)
def test_the_term_of_each_state(estado, values, term: str, vence: date, alterno: date | None) -> None:
    found = clocks.terms_after(estado, notificada=NOTICED, radicada=FILED, pagador=TipoPagador.EPS, **values)
    assert found is not None
    assert (found.termino, found.vence, found.vence_alterno) == (term, vence, alterno)
    assert not found.sin_efecto


def test_both_readings_are_the_same_day_when_the_payer_decides_on_the_last_one() -> None:
    found = clocks.terms_after(G.EN_SUBSANACION, notificada=NOTICED, decidida=day(7, 8))
    assert found is not None
    assert (found.vence, found.vence_alterno, found.ultima) == (date(2026, 7, 17 + 4), None, date(2026, 7, 21))


@pytest.mark.parametrize("estado", [*GLOSA.states, *DEVOLUCION.states])
def test_a_term_runs_exactly_where_somebody_must_act(estado) -> None:
    found = clocks.terms_after(estado, notificada=NOTICED, respondida=day(7, 1), decidida=day(7, 10))
    assert (found is not None) == (clocks.turn(estado) != "")


def test_the_hour_does_not_move_a_civil_day() -> None:
    night = datetime(2026, 6, 17, 4, 30, tzinfo=UTC)  # half past eleven at night of the 16th in Bogotá
    found = clocks.terms_after(G.FORMULADA, notificada=night)
    assert found is not None
    assert found.vence == date(2026, 7, 8)


@pytest.mark.parametrize(
    ("kind", "noticed", "late", "days", "limit"),
    [
        (Objeto.GLOSA, day(7, 2, 23), False, 20, "2026-07-02"),
        (Objeto.GLOSA, day(7, 3, 0), True, 21, "2026-07-02"),
        (Objeto.DEVOLUCION, day(6, 9), False, 5, "2026-06-09"),
        (Objeto.DEVOLUCION, day(6, 10), True, 6, "2026-06-09"),
        (Objeto.GLOSA, day(6, 1), False, 0, "2026-07-02"),
    ],
)
def test_lateness_of_the_payer_is_counted_on_the_true_notice(kind, noticed, late: bool, days: int, limit: str) -> None:
    found = clocks.first_terms(FILED, noticed, kind, segun_pagador=date(2026, 6, 2), pagador=TipoPagador.EPS)
    assert (found.extemporanea, found.dias_pagador, found.prueba["vence"]) == (late, days, limit)
    assert found.prueba["calendario"].startswith("CO-hábil")


def test_the_proof_lists_every_day_and_names_the_holidays() -> None:
    proof = clocks.late_proof(Objeto.GLOSA, FILED, day(7, 3), pagador=TipoPagador.EPS)
    assert proof is not None
    assert (proof.termino, proof.permitidos, proof.limite) == ("GLO-01", 20, date(2026, 7, 2))
    count = proof.conteo
    assert (count.desde, count.hasta, count.habiles, len(count.dias)) == (date(2026, 6, 1), date(2026, 7, 3), 21, 33)
    assert [one.number for one in count.dias if one.number] == list(range(1, 22))
    skipped = {one.day: one.reason for one in count.dias if one.number is None}
    assert skipped[date(2026, 6, 1)] == "día del hecho: no se cuenta"
    assert "Corpus" in skipped[date(2026, 6, 8)]
    assert skipped[date(2026, 6, 6)] == "sábado"
    assert all(is_business_day(one.day) for one in count.dias if one.number)


@pytest.mark.parametrize("noticed", [day(7, 2), day(6, 5)])
def test_there_is_no_proof_of_a_lateness_that_is_none(noticed: datetime) -> None:
    assert clocks.late_proof(Objeto.GLOSA, FILED, noticed, pagador=TipoPagador.EPS) is None


@pytest.mark.parametrize("kind", [TipoPagador.SOAT, TipoPagador.ADRES])
def test_a_payer_without_terms_has_a_prudent_date_and_no_lateness(kind: TipoPagador) -> None:
    found = clocks.first_terms(FILED, day(9, 1), Objeto.GLOSA, pagador=kind)
    assert (found.extemporanea, found.vence, found.prueba["oportuno"]) == (False, date(2026, 9, 22), None)
    assert clocks.late_proof(Objeto.GLOSA, FILED, day(9, 1), pagador=kind) is None
    running = clocks.terms_after(G.FORMULADA, notificada=day(9, 1), pagador=kind)
    assert running is not None
    assert running.sin_efecto
    assert kind in running.motivo


def test_before_the_norm_was_in_force_the_day_is_watched_without_effect() -> None:
    old = datetime(2024, 6, 5, 15, tzinfo=UTC)
    found = clocks.terms_after(D.FORMULADA, notificada=old)
    assert found is not None
    assert (found.vence, found.sin_efecto) == (date(2024, 6, 13), True)


@pytest.mark.parametrize(
    ("stated", "vence", "alterno"),
    [
        (date(2026, 6, 12), date(2026, 7, 7), date(2026, 7, 8)),
        (date(2026, 6, 16), date(2026, 7, 8), None),
        (date(2026, 6, 18), date(2026, 7, 8), None),
        (date(2026, 5, 31), date(2026, 7, 8), None),  # before the filing: not a notice
    ],
)
def test_the_payers_own_date_only_makes_it_earlier(stated: date, vence: date, alterno: date | None) -> None:
    found = clocks.first_terms(FILED, NOTICED, Objeto.GLOSA, segun_pagador=stated, pagador=TipoPagador.EPS)
    assert (found.vence, found.vence_alterno) == (vence, alterno)


def test_an_act_is_in_time_by_each_reading() -> None:
    term = clocks.terms_after(G.EN_SUBSANACION, notificada=NOTICED, decidida=day(7, 10))
    found = [clocks.kept(term, day(7, 10), day(7, when)) for when in (21, 22, 24)]
    assert [(one["oportuno_prudente"], one["oportuno"]) for one in found] == [
        (True, True),
        (False, True),
        (False, False),
    ]
    assert clocks.kept(None, day(7, 10), day(7, 11)) == {}


def test_siifa_has_48_business_hours_to_the_minute() -> None:
    assert clocks.siifa_due(day(7, 1)) == day(7, 3)
    assert clocks.siifa_due(day(7, 10)) == day(7, 15)  # a weekend and the holiday of the 13th
    assert clocks.siifa_due(day(7, 11)) == day(7, 16, 0)  # on a Saturday: from Tuesday's first hour


def test_saturday_and_own_days_are_the_callers() -> None:
    worked = build_calendar(saturday_business=True)
    closed = build_calendar(extra=[ExtraDay(date(2026, 7, 8), business=False, reason="cierre")])
    days = [clocks.running("GLO-03", NOTICED, calendar=one).vence for one in (worked, closed)]
    assert days == [date(2026, 7, 4), date(2026, 7, 9)]
    assert clocks.lateness(Objeto.GLOSA, FILED, NOTICED, calendar=worked)["calendario"] == worked.version


@given(st.dates(date(2012, 1, 1), date(2049, 1, 1)), st.integers(0, 60))
def test_the_prudent_day_is_never_after_the_other_and_lateness_is_being_past_the_limit(start: date, after: int) -> None:
    filed = datetime.combine(start, time(12), tzinfo=BOGOTA)
    noticed = datetime.fromordinal(start.toordinal() + after).replace(hour=12, tzinfo=BOGOTA)
    decided = datetime.fromordinal(start.toordinal() + after + 25).replace(hour=12, tzinfo=BOGOTA)
    found = clocks.first_terms(filed, noticed, Objeto.GLOSA, segun_pagador=start, pagador=TipoPagador.EPS)
    assert found.vence is not None
    assert found.vence <= (found.vence_alterno or found.vence)
    assert found.dias_pagador is not None
    assert found.extemporanea or found.dias_pagador <= 20
    # On the weekend behind the last day no further business day has gone by, and yet the term is over.
    assert found.dias_pagador >= 20 or not found.extemporanea
    assert found.extemporanea == (noticed.date().isoformat() > found.prueba["vence"])
    assert (clocks.late_proof(Objeto.GLOSA, filed, noticed, pagador=TipoPagador.EPS) is not None) == found.extemporanea
    second = clocks.terms_after(G.EN_SUBSANACION, notificada=noticed, decidida=decided)
    assert second is not None
    assert second.vence is not None
    assert second.vence <= (second.vence_alterno or second.vence)
