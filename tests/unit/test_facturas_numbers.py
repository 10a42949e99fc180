"""Numbers, NIT and amounts in the forms in which real files write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.facturas.numbers import (
    Match,
    check_digit,
    parse_amount,
    parse_invoice_number,
    parse_nit,
    same_invoice,
)
from radica.facturas.texts import base_name, clean, fold, repair_mojibake

PREFIX = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ", max_size=4)


@pytest.mark.parametrize(
    ("one", "other", "match"),
    [
        ("FE0001234", "FE1234", Match.SAME),
        ("fe-1234", "FE 1234", Match.SAME),
        ("00003074044", "3074044", Match.SAME),
        ("1234", "FE1234", Match.POSSIBLE),
        ("0001234", "FE1234", Match.POSSIBLE),
        ("FE1234", "FV1234", Match.DIFFERENT),
        ("FE1234", "FE1235", Match.DIFFERENT),
        ("FEVC", "FEVC", Match.SAME),
        ("FEVC", "FEVC1", Match.DIFFERENT),
        ("", "FE1", Match.DIFFERENT),
        ("A01E5687", "a01e05687", Match.SAME),
        ("2ND1", "ND1", Match.DIFFERENT),
        ("FE0", "FE00", Match.SAME),
    ],
)
def test_when_two_numbers_are_one_invoice(one: str, other: str, match: Match):
    assert same_invoice(parse_invoice_number(one), parse_invoice_number(other)) is match
    assert same_invoice(parse_invoice_number(other), parse_invoice_number(one)) is match


def test_a_known_prefix_that_ends_in_a_digit():
    split, plain = parse_invoice_number("FE20015", prefix="FE2"), parse_invoice_number("FE215", prefix="FE2")
    assert split is not None
    assert plain is not None
    assert (split.prefix, split.digits, split.key) == ("FE2", "15", "FE215")
    assert same_invoice(split, plain) is Match.SAME
    assert parse_invoice_number("SETP990000103", prefix="OTRO") == parse_invoice_number("SETP990000103")


@given(PREFIX, st.integers(0, 10**15), st.integers(0, 8))
def test_padding_case_and_separators_do_not_distinguish(prefix: str, consecutive: int, zeros: int):
    plain = parse_invoice_number(f"{prefix}{consecutive}")
    padded = parse_invoice_number(f" {prefix.lower()}-{'0' * zeros}{consecutive} ")
    assert same_invoice(plain, padded) is Match.SAME
    assert plain is not None
    assert plain.digits_key == str(consecutive)


@given(PREFIX, PREFIX, st.integers(0, 10**9), st.integers(0, 10**9))
def test_two_numbers_are_one_only_with_equal_digits(a: str, b: str, one: int, other: int):
    match = same_invoice(parse_invoice_number(f"{a}{one}"), parse_invoice_number(f"{b}{other}"))
    assert (match is Match.SAME) is (a == b and one == other)
    assert (match is Match.POSSIBLE) is (a != b and one == other and not (a and b))


@pytest.mark.parametrize(
    ("text", "dv", "expected"),
    [
        ("891200528", None, "891200528"),
        ("891.200.528-1", None, "891200528-1"),
        ("0891200528", None, "891200528"),
        ("890399020", "1", "890399020-1"),
        ("8903990201", None, "890399020-1"),
        ("8903990202", None, "8903990202"),
        ("1115240490", None, "1115240490"),
        (" 900 123 456 ", "", "900123456"),
        ("......", None, None),
        ("", None, None),
        (None, None, None),
        ("AF-01", None, None),
        ("٩٠٠١٢٣٤٥٦", None, None),
    ],
)
def test_nit_as_written(text: str | None, dv: str | None, expected: str | None):
    nit = parse_nit(text, dv)
    assert (str(nit) if nit else None) == expected


def test_check_digits_of_public_entities():
    for number, dv in (("890399020", "1"), ("901021565", "8"), ("830053105", "3"), ("800197268", "4")):
        assert check_digit(number) == dv
        assert parse_nit(number, dv).dv_is_right is True  # type: ignore[union-attr]
        assert parse_nit(number, str((int(dv) + 1) % 10)).dv_is_right is False  # type: ignore[union-attr]
    assert parse_nit("890399020").dv_is_right is None  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="digits"):
        check_digit("89-1")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("44900", Decimal(44900)),
        (" 44900.10 ", Decimal("44900.10")),
        (44900, Decimal(44900)),
        (Decimal("0.1"), Decimal("0.1")),
        ("1.", Decimal(1)),
        ("1,5", None),
        ("1.234.567", None),
        ("1e5", None),
        ("", None),
        (None, None),
        (True, None),
        (1.5, None),
        (10**30, None),
        (Decimal("1e400"), None),
        (Decimal("NaN"), None),
        ("NaN", None),
    ],
)
def test_amounts_are_exact_or_nothing(value: object, expected: Decimal | None):
    assert parse_amount(value) == expected


@given(st.text(max_size=40))
def test_clean_text_has_no_control_and_repair_keeps_right_text(text: str):
    cleaned = clean(text)
    assert cleaned is None or cleaned == " ".join(cleaned.split())
    assert "/" not in base_name(text)
    assert "\x00" not in base_name(text)


@given(st.text("abcáéíóúñÁÉÍÓÚÑ °º¿¡«»–€", max_size=40))
def test_mojibake_is_turned_back(text: str):
    assert repair_mojibake(text) == text
    try:
        damaged = text.encode("utf-8").decode("cp1252")
    except UnicodeDecodeError:
        return
    assert repair_mojibake(damaged) == text


def test_fold():
    assert fold("  Pago por EVENTO ") == "pago por evento"
    assert fold("CapitaciÃ³n") == "capitacion"


def test_a_number_of_a_million_digits_is_split_in_one_pass():
    """A search that begins again at each digit would take hours; intake reads these in the web's own process."""
    written = "1" * 1_000_000 + "x"
    found = parse_invoice_number(written)
    assert found is not None
    assert (len(found.prefix), found.digits) == (len(written), "")
