"""Money, dates, texts and invoice numbers as payers write them: read without doubt, or not read."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.glosas.lectura.dinero import EstiloDinero, dinero
from radica.glosas.lectura.fechas import EstiloFecha, Orden, leer_fecha
from radica.glosas.lectura.titulos import clave, igual
from radica.glosas.lectura.valores import Duda, factura, texto, unir_prefijo, vacio


@pytest.mark.parametrize(
    ("cell", "cents"),
    [
        ("$9.576.693,00", 957_669_300),
        ("573480.00", 57_348_000),
        ("$ 1.234.567", 123_456_700),
        ("1,234,567.89", 123_456_789),
        ("(1.250,00)", -125_000),
        ("($ 1,250.50)", -125_050),
        ("-1.250,50", -125_050),
        ("15000-", -1_500_000),
        ("1'234.567,89", 123_456_789),
        ("1'234.567", 123_456_700),
        ("COP 15000", 1_500_000),
        ("$ -", 0),
        ("0", 0),
        ("0,5", 50),
        ("573480.0000", 57_348_000),
        (9_576_693, 957_669_300),
        (573480.1, 57_348_010),
        (0.1 + 0.2, 30),
        ("", None),
        ("-", None),
        ("N/A", None),
        (None, None),
    ],
)
def test_money_of_one_reading_is_read_whatever_its_column(cell, cents):
    assert {dinero(cell, sign) for sign in (None, ".", ",")} == {cents}


@pytest.mark.parametrize("cell", ["1.234", "1,234", "$ 12.500", "-999.000", "(1.250)"])
def test_a_lone_group_of_three_is_only_read_as_its_column_says(cell):
    assert isinstance(dinero(cell, None), Duda)
    assert abs(dinero(cell, ".")) != abs(dinero(cell, ","))


@pytest.mark.parametrize(
    "cell",
    ["abc", "1.2.3", "12.345.67", "1,23,4", "1E+5", "12/03/2026", "1.234.5678,00", True, "TA0801", "99999999999999999"],
)
def test_what_is_no_money_is_refused(cell):
    assert {type(dinero(cell, sign)) for sign in (None, ".", ",")} == {Duda}


@pytest.mark.parametrize(
    ("column", "cell", "cents"),
    [
        (["1.234", "9.576.693,00"], "1.234", 123_400),
        (["1.234", "12.500.000"], "1.234", 123_400),
        (["1.234", "15,50"], "1.234", 123_400),
        (["1,234", "573480.00"], "1,234", 123_400),
        (["1.234", "573480.00"], "1.234", 123),
        (["1.234", "15.600", "234.000"], "1.234", None),
        (["1.234", 573480, "980000"], "1.234", None),
        (["1.234", "573480.00", "$9.576.693,00"], "1.234", None),
    ],
    ids=["coma", "millones", "decimales", "inglés", "punto", "nada", "números", "mezcla"],
)
def test_a_column_settles_its_thousands_or_refuses_them(column, cell, cents):
    style = EstiloDinero()
    for one in column:
        style.ver(one)
    read = dinero(cell, style.signo)
    assert isinstance(read, Duda) if cents is None else read == cents


def test_a_column_of_two_styles_still_reads_what_has_one_reading():
    assert dinero("573480.00", None) == 57_348_000
    assert dinero("$9.576.693,00", None) == 957_669_300


@given(st.integers(-(10**13), 10**13), st.sampled_from([(",", "."), (".", ",")]), st.booleans())
def test_money_written_with_decimals_comes_back(cents, signs, parentheses):
    thousands, decimal = signs
    pesos, rest = divmod(abs(cents), 100)
    text = f"{pesos:,}".replace(",", "T").replace("T", thousands) + f"{decimal}{rest:02d}"
    if cents < 0:
        text = f"({text})" if parentheses else f"-{text}"
    # However its column looks, an amount with two decimals has one reading.
    assert {dinero(text, sign) for sign in (None, ".", ",")} == {cents}


@given(st.integers(1, 999), st.integers(0, 999), st.sampled_from(".,"), st.sampled_from(["", "$ ", "-"]))
def test_a_lone_group_is_never_a_value_without_its_column(head, tail, sign, before):
    assert isinstance(dinero(f"{before}{head}{sign}{tail:03d}", None), Duda)


@given(st.text(max_size=25), st.sampled_from([None, ".", ","]))
def test_no_text_breaks_the_reading_of_money(text, sign):
    read = dinero(text, sign)
    assert read is None or isinstance(read, int | Duda)
    if isinstance(read, int) and read:
        assert any(one.isdigit() for one in text)


@given(st.decimals(0, 10**11, places=2))
def test_a_number_of_excel_comes_back(amount):
    assert dinero(float(amount), None) == int(amount.quantize(Decimal("0.01")) * 100)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("25/03/2026", date(2026, 3, 25)),
        ("03/25/2026", date(2026, 3, 25)),
        ("3/3/2026", date(2026, 3, 3)),
        ("2026-03-05", date(2026, 3, 5)),
        ("2026/3/5 08:00:00.000", date(2026, 3, 5)),
        ("20260305", date(2026, 3, 5)),
        ("5 de marzo de 2026", date(2026, 3, 5)),
        ("05-MAR-26", date(2026, 3, 5)),
        ("lunes, 5 de marzo de 2026", date(2026, 3, 5)),
        ("2026-03-06T02:10:00Z", date(2026, 3, 5)),
        ("2026-03-05T22:10:00-05:00", date(2026, 3, 5)),
        ("46086", date(2026, 3, 5)),
        (46086.0, date(2026, 3, 5)),
        (46086.93, date(2026, 3, 5)),
        (date(2026, 3, 5), date(2026, 3, 5)),
        (datetime(2026, 3, 5, 22, 10), date(2026, 3, 5)),  # noqa: DTZ001 - what Excel gives
        ("1900/01/01", None),
        ("01/01/1900", None),
        ("00/00/0000", None),
        ("0000-00-00", None),
        (date(1899, 12, 31), None),
        (0.0, None),
        ("", None),
        ("N/A", None),
    ],
)
def test_dates_of_one_reading_are_read_whatever_their_column(cell, day):
    assert {leer_fecha(cell, order) for order in (None, *Orden)} == {day}


@pytest.mark.parametrize(
    "cell", ["31/02/2026", "13/13/2026", "05/03/26", "pronto", "1234", 12345678901.0, "15/08/2999", True, "05/XYZ/2026"]
)
def test_what_is_no_date_is_refused(cell):
    assert {type(leer_fecha(cell, order)) for order in (None, *Orden)} == {Duda}


@pytest.mark.parametrize(
    ("column", "habit", "day"),
    [
        (["05/03/2026", "25/03/2026"], None, date(2026, 3, 5)),
        (["05/03/2026", "03/25/2026"], None, date(2026, 5, 3)),
        (["05/03/2026", "03/25/2026"], Orden.DIA_MES, date(2026, 5, 3)),
        (["05/03/2026", "06/04/2026"], Orden.DIA_MES, date(2026, 3, 5)),
        (["05/03/2026", "06/04/2026"], None, None),
        (["05/03/2026", "25/03/2026", "03/25/2026"], Orden.DIA_MES, None),
    ],
    ids=["día", "mes", "contra la costumbre", "costumbre", "nada", "mezcla"],
)
def test_a_column_settles_day_and_month_or_refuses_them(column, habit, day):
    style = EstiloFecha()
    for one in column:
        style.ver(one)
    read = leer_fecha("05/03/2026", style.orden(habit))
    assert isinstance(read, Duda) if day is None else read == day


def test_a_column_that_excel_half_converted_keeps_its_cells_of_date_in_doubt():
    style = EstiloFecha()
    for one in ("25/03/2026", date(2026, 5, 3), "13/03/2026"):
        style.ver(one)
    assert style.trocadas
    assert isinstance(leer_fecha(date(2026, 5, 3), None, trocadas=True), Duda)
    assert leer_fecha(date(2026, 3, 3), None, trocadas=True) == date(2026, 3, 3)


def test_cells_of_date_are_trusted_where_one_shows_a_day_above_twelve():
    style = EstiloFecha()
    for one in ("25/03/2026", date(2026, 5, 30), date(2026, 5, 3)):
        style.ver(one)
    assert not style.trocadas


DAYS = st.dates(date(1990, 1, 1), date(2199, 12, 31))


@given(DAYS, st.sampled_from(["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y %H:%M"]))
def test_a_date_with_its_order_known_comes_back(day, form):
    assert leer_fecha(datetime.combine(day, datetime.min.time()).strftime(form), Orden.DIA_MES) == day


@given(DAYS)
def test_a_date_is_never_read_when_it_has_two_readings(day):
    read = leer_fecha(f"{day:%d/%m/%Y}", None)
    assert read == day if day.day > 12 or day.day == day.month else isinstance(read, Duda)


@given(st.text(max_size=25), st.sampled_from([None, *Orden]))
def test_no_text_breaks_the_reading_of_dates(text, order):
    read = leer_fecha(text, order)
    assert read is None or isinstance(read, date | Duda)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("HUS487523", "HUS487523"),
        ("HUS0000487523", "HUS0000487523"),
        ("487523", "487523"),
        (487523.0, "487523"),
        ("487523.0", "487523"),
        (" HUS 487523 ", "HUS 487523"),
        ("", ""),
        ("NULL", ""),
    ],
)
def test_an_invoice_stays_as_written_but_for_what_excel_adds(cell, number):
    assert factura(cell) == number


@pytest.mark.parametrize("cell", ["4.87523E+11", 4.875e17, 487523.5, date(2026, 3, 5)])
def test_an_invoice_that_lost_digits_is_refused(cell):
    assert isinstance(factura(cell), Duda)


@pytest.mark.parametrize(
    ("prefix", "number", "whole"),
    [
        ("HUS", "487523", "HUS487523"),
        ("HUS", "HUS487523", "HUS487523"),
        ("", "487523", "487523"),
        ("hus", "HUS1", "HUS1"),
    ],
)
def test_a_prefix_of_its_own_column_goes_before_the_number_once(prefix, number, whole):
    assert unir_prefijo(prefix, number) == whole


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("FacturaciÃ³n", "Facturación"),
        ("Facturación", "Facturación"),
        ("a\u00a0 b\n c", "a b c"),
        (12.5, "12.5"),
        (12.0, "12"),
    ],
)
def test_texts_come_clean(cell, text):
    assert texto(cell) == text


@pytest.mark.parametrize(
    ("read", "known", "same"),
    [
        ("Número  de factura", "NUMERO DE FACTURA", True),
        ("numero_de_factura:", "NUMERO DE FACTURA", True),
        ("NOTIFICACI\ufffdN AL PRESTADOR", "NOTIFICACION AL PRESTADOR", True),
        ("N\ufffd\ufffdmero de factura", "NUMERO DE FACTURA", True),
        ("NUMERO DE FACTURA 2", "NUMERO DE FACTURA", False),
        ("FACTURA", "NUMERO DE FACTURA", False),
        ("\ufffd\ufffd\ufffd", "FEC", False),
    ],
)
def test_titles_are_compared_whole(read, known, same):
    assert igual(clave(read), clave(known)) is same


def test_words_for_nothing_are_nothing():
    assert all(map(vacio, ("", "-", "N/A", "null", "S/D")))
    assert not vacio("NO")
