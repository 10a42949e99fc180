"""One objection that a payer tells twice in other ways: a person decides, and its money is never claimed twice."""

from __future__ import annotations

import pytest

from tests.plugins.notices import Notices, row

SAME = {"servicio": "890201", "nombre": "Consulta", "paciente": "CC 1098"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"numero": "G1"}, {"numero": "G2"}),
        ({"codigo": "TA08"}, {"codigo": "TA0801"}),
        ({"codigo": "TA0801", "numero": "G1"}, {"codigo": "TA08", "numero": "77"}),
    ],
)
def test_the_same_objection_under_another_number_or_a_finer_code_is_for_a_person(
    notices: Notices, first: dict[str, str], second: dict[str, str]
) -> None:
    notices.invoice("FV501")
    notices.one([row("FV501", **SAME, **first)])
    found = notices.one([row("FV501", **SAME, **second)])
    assert (found.nuevas, notices.tray()) == (0, [("por_decidir", "posible_repetida")])
    assert notices.money() == (1, 100_000)


def test_a_file_that_brings_the_old_number_and_a_new_one_means_two(notices: Notices) -> None:
    notices.invoice("FV501")
    notices.one([row("FV501", **SAME, numero="G1")])
    found = notices.one([row("FV501", **SAME, numero="G1"), row("FV501", **SAME, numero="G2")])
    assert (found.repetidas, found.nuevas, notices.money()) == (1, 1, (2, 200_000))


@pytest.mark.parametrize(
    "other",
    [{"codigo": "SO3401"}, {"servicio": "902210"}, {"valor": "900"}, {"paciente": "CC 2"}, {"codigo": "TA0201"}],
)
def test_what_differs_in_substance_is_another_objection(notices: Notices, other: dict[str, str]) -> None:
    notices.invoice("FV501")
    notices.one([row("FV501", **SAME, numero="G1")])
    assert notices.one([row("FV501", **{**SAME, "numero": "G2", **other})]).nuevas == 1
