"""Reading a payer's words: whole numbers only, dates and amounts as Colombian portals write them."""

from __future__ import annotations

import pytest

from bots.portals import reading


@pytest.mark.parametrize(
    ("text", "number", "named"),
    [
        ("Se radicó la factura FE10.", "FE10", True),
        ("Se radicó la factura FE100.", "FE10", False),
        ("Se radicó la factura XFE10.", "FE10", False),
        ("Factura(s): FE9, FE10", "FE10", True),
        ("factura fe10 recibida", "FE10", True),
        ("factura FE10-2 recibida", "FE10", False),
        ("factura SETP-990000001 recibida", "990000001", False),
        ("{'factura':'FE10'}", "FE10", True),
    ],
)
def test_a_number_is_named_only_as_a_whole(text: str, number: str, *, named: bool) -> None:
    assert reading.names(text, number) is named


def test_two_different_radicados_are_none() -> None:
    assert reading.find(r"RAD-\d+", "RAD-1 y otra vez RAD-1") == "RAD-1"
    assert reading.find(r"RAD-\d+", "RAD-1 y RAD-2") is None
    assert reading.find(r"codigo es: '(\d+)'", "Tu codigo es: '241'") == "241"


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("el 21/11/2026 14:22:35.", "2026-11-21T14:22:35-05:00"),
        ("el 21/11/2026 00:05", "2026-11-21T00:05:00-05:00"),
        ("el día 15/01/2026 con", "2026-01-15"),
        ("del 01/01/2026 al 02/01/2026", None),
        ("el 31/02/2026", None),
        ("sin fecha", None),
    ],
)
def test_a_moment_is_read_only_when_there_is_one(text: str, iso: str | None) -> None:
    assert reading.moment(text) == iso


def test_the_server_s_date_is_told_in_colombian_time() -> None:
    assert reading.http_date("Sat, 21 Nov 2026 19:22:35 GMT") == "2026-11-21T14:22:35-05:00"
    assert reading.http_date("ayer") is None
    assert reading.http_date(None) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("$ 573.480,00", "573480.00"), ("1.234.567", "1234567.00"), ("$ 0,5", "0.50"), ("", None), ("pendiente", None)],
)
def test_amounts_group_with_points_and_mark_cents_with_a_comma(text: str, value: str | None) -> None:
    assert reading.amount(text) == value


def test_a_total_with_a_hole_is_none() -> None:
    assert reading.total(["1.10", "2.20"]) == "3.30"
    assert reading.total(["1.10", None]) is None
