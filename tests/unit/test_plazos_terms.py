"""Terms: the whole table against the reference, known dates, both readings, payers without a term, versions."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.entidades.catalogue import TipoPagador
from radica.kernel.clock import BOGOTA
from radica.plazos import calendar as cal
from radica.plazos.calendar import CalendarDataError
from radica.plazos.table import Unidad, UnknownTerm, all_terms, parse_terms, term_ids, versions
from radica.plazos.terms import Plazo, SinTermino, add_months, calcular, plazo_json, version_for

DATA = files("radica.plazos").joinpath("data")
TERMS = DATA.joinpath("terms.csv").read_text(encoding="utf-8")
READINGS = DATA.joinpath("lecturas.csv").read_text(encoding="utf-8")


def plazo(term_id: str, desde: date | datetime, **options: object) -> Plazo:
    found = calcular(term_id, desde, **options)  # type: ignore[arg-type]
    assert isinstance(found, Plazo)
    return found


def sin(term_id: str, desde: date, **options: object) -> SinTermino:
    found = calcular(term_id, desde, **options)  # type: ignore[arg-type]
    assert isinstance(found, SinTermino)
    return found


@pytest.mark.parametrize(
    ("term_id", "desde", "vence"),
    [
        ("RAD-01", date(2026, 7, 3), date(2026, 8, 6)),  # 13 and 20 July are holidays
        ("RAD-01", date(2026, 11, 20), date(2026, 12, 23)),  # 8 December
        ("RAD-02", date(2026, 7, 3), date(2026, 8, 6)),
        ("RAD-03", date(2026, 11, 21), date(2026, 11, 21)),
        ("RAD-06", date(2026, 7, 14), date(2026, 8, 5)),
        ("RAD-08", date(2026, 8, 31), date(2027, 3, 1)),  # 28 Feb 2027 is a Sunday
        ("DEV-01", date(2026, 7, 8), date(2026, 7, 16)),
        ("GLO-01", date(2026, 11, 3), date(2026, 12, 2)),
        ("GLO-03", date(2026, 11, 3), date(2026, 11, 25)),
        ("TIT-01", date(2026, 11, 3), date(2026, 11, 6)),
        ("PRE-01", date(2026, 11, 3), date(2029, 11, 6)),  # Saturday, Sunday, holiday of All Saints
        ("HIS-01", date(2010, 3, 1), date(2010, 4, 15)),
    ],
)
def test_known_dates(term_id: str, desde: date, vence: date) -> None:
    found = plazo(term_id, desde)
    assert found.vence == vence
    assert found.norma
    assert found.calendario == cal.default_calendar().version


@given(st.sampled_from(term_ids()), st.dates(date(2008, 1, 1), date(2030, 12, 31)))
def test_every_term_answers_every_day(term_id: str, desde: date) -> None:
    found = calcular(term_id, desde)
    if isinstance(found, SinTermino):
        assert found.motivo
        return
    known = [each.vence for each in found.lecturas if each.vence]
    assert found.vence == min(known) >= desde
    assert all(each.criterio for each in found.lecturas)
    assert found.detalle.vigente(desde)
    assert calcular(term_id.lower(), datetime(desde.year, desde.month, desde.day, tzinfo=BOGOTA)) is not None


def test_days_of_ley_1122_keep_both_readings() -> None:
    readings = {each.criterio.split(" (")[0]: each.vence for each in plazo("PAG-03", date(2026, 11, 3)).lecturas}
    assert readings == {"30 días hábiles": date(2026, 12, 17), "30 días calendario": date(2026, 12, 3)}
    assert plazo("PAG-03", date(2026, 11, 3)).vence == date(2026, 12, 3)
    moved = plazo("PAG-02", date(2026, 11, 3))
    assert [each.vence for each in moved.lecturas] == [date(2026, 11, 10), date(2026, 11, 8), date(2026, 11, 9)]


def test_subsanar_counts_from_two_dates() -> None:
    decision, end_of_answer = date(2026, 11, 10), date(2026, 11, 4)
    both = plazo("GLO-05", decision, segunda=end_of_answer)
    assert [each.vence for each in both.lecturas] == [date(2026, 11, 20), date(2026, 11, 13)]
    assert both.vence == date(2026, 11, 13)
    one = plazo("GLO-05", decision)
    assert one.vence == date(2026, 11, 20)
    assert one.lecturas[1].vence is None
    assert "falta esa fecha" in one.lecturas[1].criterio


def test_business_hours_to_the_minute_and_with_office_hours() -> None:
    act = datetime(2026, 7, 10, 20, 30, tzinfo=UTC)  # Friday 15:30 in Bogotá, before a Monday holiday
    found = plazo("GLO-09", act)
    assert found.hora == datetime(2026, 7, 15, 15, 30, tzinfo=BOGOTA)
    assert found.vence == date(2026, 7, 15)
    assert not found.avisos
    office = plazo("GLO-09", act, jornada=(8, 17))
    assert office.vence == date(2026, 7, 22)
    assert "8 a 17" in office.lecturas[0].criterio
    bare = plazo("GLO-09", date(2026, 7, 9))
    assert bare.vence == date(2026, 7, 10)
    assert "00:00" in bare.avisos[0]
    assert plazo("HIS-04", datetime(2010, 1, 1, 22, 30, tzinfo=BOGOTA)).vence == date(2010, 1, 2)


def test_the_norm_follows_the_date_of_issue() -> None:
    norms = {day: plazo("RAD-01", day).norma for day in (date(2026, 5, 14), date(2026, 5, 13), date(2023, 6, 1))}
    assert list(norms.values()) == ["Res. 948/2026", "Res. 2275/2023", "Res. 510/2022 (mod. Res. 2805/2022)"]
    assert plazo("RAD-01", date(2026, 6, 1), norma_en=date(2026, 5, 13)).norma == "Res. 2275/2023"
    assert "2022-03-30" in sin("RAD-01", date(2022, 3, 1)).motivo
    assert "2011-01-18" in sin("HIS-01", date(2026, 1, 5)).motivo
    assert version_for("RAD-01", date(2022, 3, 1)) is None
    assert [term.version for term in versions("rad-01")] == [1, 2, 3]


@pytest.mark.parametrize("term_id", ["RAD-01", "DEV-01", "GLO-01", "GLO-03", "PAG-02"])
@pytest.mark.parametrize("kind", [TipoPagador.SOAT, TipoPagador.ADRES])
def test_payers_for_which_the_table_has_no_term(term_id: str, kind: TipoPagador) -> None:
    found = sin(term_id, date(2026, 11, 3), pagador=kind)
    assert kind in found.motivo
    assert found.fecha_prudente == plazo(term_id, date(2026, 11, 3), pagador=TipoPagador.DESCONOCIDO).vence


@pytest.mark.parametrize("kind", [TipoPagador.EPS, TipoPagador.ARL, TipoPagador.OTRO, TipoPagador.DESCONOCIDO])
def test_all_other_payers_have_the_term(kind: TipoPagador) -> None:
    assert plazo("RAD-01", date(2026, 11, 3), pagador=kind).vence == date(2026, 12, 4)


def test_rows_without_a_count_say_why() -> None:
    assert "prohibición" in sin("GLO-02", date(2026, 11, 3)).motivo
    assert "2025-02-01" in sin("VIG-01", date(2026, 11, 3)).motivo
    assert sin("VIG-01", date(2026, 11, 3)).fecha_prudente is None


def test_unknown_term_lists_near_ids() -> None:
    with pytest.raises(UnknownTerm, match="¿Quiso decir") as caught:
        calcular("RAD-1", date(2026, 11, 3))
    assert "RAD-01" in caught.value.near
    with pytest.raises(UnknownTerm) as caught:
        calcular("GLO-99", date(2026, 11, 3))
    assert "GLO-09" in caught.value.near
    with pytest.raises(UnknownTerm, match="Revise la lista"):
        calcular("¿?", date(2026, 11, 3))


def test_days_are_colombian_and_naive_instants_are_refused() -> None:
    late = datetime(2026, 11, 4, 3, 0, tzinfo=UTC)  # still 3 November in Bogotá
    assert plazo("DEV-01", late).desde == date(2026, 11, 3)
    with pytest.raises(ValueError, match="time zone"):
        calcular("DEV-01", late.replace(tzinfo=None))
    with pytest.raises(cal.OutOfCalendar):
        calcular("RET-01", date(2045, 1, 1))
    with pytest.raises(cal.OutOfCalendar):
        calcular("RAD-01", date(9999, 12, 31))


def test_own_calendar_moves_the_term_and_is_recorded() -> None:
    own = cal.build_calendar(extra=[cal.ExtraDay(date(2026, 11, 5), False, "cierre del pagador")])
    found = plazo("DEV-01", date(2026, 11, 3), calendar=own)
    assert found.vence == date(2026, 11, 11)
    assert found.calendario == own.version


def test_warnings() -> None:
    assert "posterior a hoy" in plazo("DEV-01", date(2026, 11, 3), hoy=date(2026, 11, 2)).avisos[0]
    assert not plazo("DEV-01", date(2026, 11, 3), hoy=date(2026, 11, 3)).avisos
    assert "de memoria" in plazo("PAG-10", date(2026, 11, 3)).avisos[0]


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 6, 15), 6, date(2026, 12, 15)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
    ],
)
def test_months_end_on_the_same_or_the_last_day(start: date, months: int, end: date) -> None:
    assert add_months(start, months) == end


def test_cli_document() -> None:
    document = plazo_json(plazo("GLO-05", date(2026, 11, 10)))
    assert set(document) == {"termino", "desde", "vence", "norma", "articulo", "calendario", "lecturas"}
    assert document["vence"] == "2026-11-20"
    assert isinstance(document["lecturas"], list)
    assert [each["vence"] for each in document["lecturas"]] == ["2026-11-20", None]


def test_the_table_holds_every_row_of_the_reference(referencia: Path) -> None:
    with (referencia / "plazos.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    ours = {term.id: term for term in all_terms()}
    assert set(rows) <= set(ours)
    assert set(ours) - set(rows) == {"HIS-02B", "HIS-02C"}
    periodic = {"CIR-02", "SUP-01"}  # a periodicity in months is not a term
    marks = {"VERIFIED": "V", "VERIFIED-SEC": "V-sec", "FROM MEMORY": "M"}
    for term_id, row in rows.items():
        term = ours[term_id]
        assert term.marca == marks[row["verificacion"]], term_id
        assert term.confianza == row["confianza"], term_id
        if row["termino"].isdigit() and row["unidad"] in set(Unidad) and term_id not in periodic:
            assert (term.cantidad, term.unidad) == (int(row["termino"]), Unidad(row["unidad"])), term_id
        if row["unidad"] == "fecha":
            assert term.fecha == date.fromisoformat(row["termino"]), term_id
    assert Counter(term.computable for term in ours.values())[True] > 45


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("dias_habiles", "lunas", "line 2"),
        ("RAD-01,2,", "RAD-01,3,", "RAD-01 overlap"),
        ("2026-05-13,M", "2026-06-13,M", "RAD-01 overlap"),
        ("SOAT|ADRES", "SOAT|LUNA", "line 2"),
        ("expedicion_fev", "eclipse", "line 2"),
        (",22,dias_habiles", ",,dias_habiles", "amount and unit"),
        ("Es una prohibición, no un plazo.", "", "reason"),
        ("2023-12-28,M,", "2023-12-28,,", "validity"),
        ("2023-12-28,M,", "2021-12-28,M,", "ends before"),
        ("V-sec,media,SOAT", "quizás,media,SOAT", "mark"),
    ],
)
def test_a_broken_table_is_refused_at_load(old: str, new: str, said: str) -> None:
    assert old in TERMS
    with pytest.raises(CalendarDataError, match=said):
        parse_terms(TERMS.replace(old, new, 1), READINGS)


@pytest.mark.parametrize(("old", "new"), [("HAB-01,1,2", "HAB-01,1,3"), ("primera", "tercera"), ("GLO-05", "GLO-55")])
def test_broken_readings_are_refused_at_load(old: str, new: str) -> None:
    with pytest.raises(CalendarDataError, match=r"lecturas\.csv"):
        parse_terms(TERMS, READINGS.replace(old, new, 1))


def test_parsing_is_what_is_served() -> None:
    assert parse_terms(TERMS, READINGS) == all_terms()
    assert timedelta(0) == plazo("RAD-04", date(2026, 11, 3)).vence - date(2026, 11, 3)
