"""Until when a blob is kept: the longest of its uses, longer while disputed, never a day back."""

from __future__ import annotations

from datetime import date

import pytest

from radica.custodia import retencion
from radica.custodia.retencion import Uso, in_force, least_until, plus_years, rule_of, until_of
from radica.facturas.recognise import Tipo

HOY = date(2026, 11, 20)
SHA = "a" * 64


def test_the_table_says_its_norm_and_how_sure_we_are() -> None:
    assert {one.clave for one in retencion.table()} == {"clinica", "comercial", "disputa"}
    for one in retencion.table():
        assert one.norma
        assert one.marca in {"V", "V-sec", "M"}
        assert one.anios >= 5


@pytest.mark.parametrize(
    ("clase", "regla"),
    [
        ("documento:RIPS", "clinica"), ("documento:SOPORTE", "clinica"), ("documento:CUV", "clinica"),
        ("documento:FEV", "comercial"), ("pieza:correo", "comercial"), ("pieza:sin_uso", "comercial"),
        ("documento:ALGO_NUEVO", "clinica"), ("otra", "clinica"),
    ],
)  # fmt: skip
def test_each_class_has_its_rule_and_the_unknown_the_longest(clase: str, regla: str) -> None:
    assert rule_of(clase, HOY).clave == regla


def test_every_kind_of_document_is_named() -> None:
    named = set().union(*(one.clases for one in retencion.table()))
    assert {f"documento:{tipo.value}" for tipo in Tipo} <= named


def test_the_longest_use_wins() -> None:
    acuse, rips = Uso(SHA, "pieza:acuse", HOY), Uso(SHA, "documento:RIPS", date(2024, 3, 1))
    assert until_of([acuse], HOY) == retencion.Plazo(date(2036, 11, 20), "comercial")
    assert until_of([acuse, rips], HOY) == retencion.Plazo(date(2039, 3, 1), "clinica")
    assert until_of([], HOY) is None


def test_an_open_dispute_keeps_it_ahead_of_today() -> None:
    old = Uso(SHA, "pieza:acuse", date(2012, 1, 1), en_disputa=True)
    assert until_of([old], HOY) == retencion.Plazo(date(2032, 11, 20), "disputa")
    assert until_of([old], date(2030, 1, 1)) == retencion.Plazo(date(2036, 1, 1), "disputa")
    fresh = Uso(SHA, "documento:RIPS", HOY, en_disputa=True)
    assert until_of([fresh], HOY) == retencion.Plazo(date(2041, 11, 20), "clinica")


def test_what_comes_in_is_locked_for_the_least_years() -> None:
    assert least_until(HOY) == date(2036, 11, 20)
    assert plus_years(date(2028, 2, 29), 10) == date(2038, 3, 1)
    assert plus_years(date(2028, 2, 29), 4) == date(2032, 2, 29)


def test_before_a_norm_its_row_is_not_there() -> None:
    assert set(in_force(date(2010, 1, 1))) == {"comercial", "disputa"}
