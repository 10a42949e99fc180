"""The manuals of glosas: every spelling of a code, both manuals, which one rules, and what replaces an old code."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.glosas import codes
from radica.glosas.codes import Manual


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TA0801", "TA0801"),
        ("ta-08-01", "TA0801"),
        ("TA08 01", "TA0801"),
        (" TA.0801 ", "TA0801"),
        ("TA_08", "TA08"),
        ("TA", "TA"),
        ("203", "203"),
        ("0203", "203"),
        ("203.0", "203"),
        ("203,00", "203"),
        ("DE5601", "DE5601"),
        ("RE9702", "RE9702"),
        ("SO61", "SO61"),
    ],
)
def test_a_code_is_known_in_every_spelling(text: str, expected: str) -> None:
    found = codes.normalizar(text)
    assert found is not None
    assert found.codigo == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PE01",
        "SC0201",
        "RS01",
        "TA0899",
        "TA8",
        "TA801",
        "1001",
        "2102",
        "4506",
        "00203",
        "203.5",
        "20301",
        "-203",
        "٢٠٣",
    ],
)
def test_what_no_manual_has_is_no_code(text: str) -> None:
    assert codes.normalizar(text) is None
    assert codes.normalizar(f"{text} Apoyo diagnóstico") is None
    assert not codes.es_codigo(text)


@given(st.text(max_size=20))
def test_only_the_catalogue_answers(text: str) -> None:
    found = codes.normalizar(text)
    assert found is None or codes.buscar(found.codigo) is found


@pytest.mark.parametrize(
    ("familia", "text", "expected"),
    [
        ("TA", "0801", "TA0801"),
        ("TA", "801", "TA0801"),  # Excel dropped the zero
        ("TA", "8", "TA08"),
        ("TA", "203", "203"),  # TA0203 does not exist; the old 203 is of the same general concept
        ("TA", "301", "TA0301"),  # the old 301 is of SO
        ("SO", "301", None),  # SO0301, or the old 301, which is of SO too
        ("FA", "0203", "FA0203"),  # the old 203 is of TA: one reading is left
        ("XX", "0801", None),
        ("TA", "TA0801", "TA0801"),
    ],
)
def test_digits_beside_a_family_are_never_guessed(familia: str, text: str, expected: str | None) -> None:
    found = codes.normalizar(text, familia=familia)
    assert (found and found.codigo) == expected


def test_a_general_concept_is_not_a_code_of_an_objection() -> None:
    assert [codes.es_codigo(text) for text in ("TA", "2", "8", "TA08", "203")] == [False, False, False, True, True]


def test_the_form_of_a_code_is_not_yet_a_code() -> None:
    assert codes.parece_codigo("PE01")
    assert codes.parece_codigo("TA0899")
    assert not codes.parece_codigo("PEREZ")
    assert not codes.parece_codigo("203")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TA0801 - Apoyo diagnóstico: el valor difiere", "TA0801"),
        ("(so 34 01) epicrisis", "SO3401"),
        ("203 honorarios", "203"),
        ("2 consultas de más", None),
        ("20 sesiones", None),
        ("PE01 no pertinente", None),
        ("Total 203", None),
    ],
)
def test_the_code_at_the_head_of_a_text(text: str, expected: str | None) -> None:
    found = codes.primer_codigo(text)
    assert (found and found.codigo) == expected


def test_both_manuals_are_whole() -> None:
    new = codes.codigos(Manual.UNICO)
    assert len(new) == 318
    assert {one.familia for one in new} == set(codes.FAMILIAS)
    levels = [sum(one.nivel == level for one in new) for level in ("general", "especifico", "aplicacion")]
    assert levels == [9, 109, 200]
    assert all(one.codigo[:-2] in codes.catalogo() for one in new if len(one.codigo) > 2)
    assert {one.codigo for one in new if one.sin_valor} == {"SO61", "SO6101", "SO6102"}
    old = codes.codigos(Manual.ANTERIOR)
    assert len(old) == 115
    assert {one.marca for one in old} == {"V-sec"}
    assert codes.familia("203") == "TA"
    assert codes.familia("999") == "RE"
    assert codes.familia("PE01") is None


def test_same_codes_as_the_reference(referencia: Path) -> None:
    for name, manual in (("glosas.csv", Manual.UNICO), ("glosas_3047.csv", Manual.ANTERIOR)):
        text = (referencia / name).read_text(encoding="utf-8")
        listed = {(row["codigo"], row["tipo"], row["nivel"]) for row in csv.DictReader(text.splitlines())}
        assert {(one.codigo, one.tipo, one.nivel) for one in codes.codigos(manual)} == listed


@pytest.mark.parametrize(
    ("servicio", "radicacion", "expedicion", "grupo", "manual"),
    [
        (date(2025, 1, 31), date(2025, 2, 20), None, "", Manual.ANTERIOR),
        (date(2025, 2, 1), None, None, "G1", Manual.UNICO),
        (date(2025, 2, 1), None, None, "G2", Manual.ANTERIOR),
        (date(2025, 4, 1), None, None, "G2", Manual.UNICO),
        (date(2025, 5, 31), None, None, "G3", Manual.ANTERIOR),
        (date(2025, 3, 1), None, None, "", None),  # depends on the group
        (date(2025, 6, 1), None, None, "", Manual.UNICO),
        (date(2026, 10, 1), date(2026, 10, 9), date(2026, 10, 2), "", Manual.UNICO),
        (date(2025, 1, 10), date(2025, 12, 31), None, "", Manual.ANTERIOR),
        (date(2025, 1, 10), date(2026, 1, 2), None, "", None),  # the transition had ended
        (None, None, date(2025, 1, 15), "", Manual.ANTERIOR),
        (None, date(2026, 3, 1), date(2026, 2, 15), "", None),
        (None, None, None, "", None),
    ],
)
def test_the_dates_say_which_manual_rules_or_that_they_do_not(
    servicio: date | None, radicacion: date | None, expedicion: date | None, grupo: str, manual: Manual | None
) -> None:
    found = codes.manual_aplicable(servicio, radicacion, expedicion, grupo=grupo)
    assert found.manual is manual
    assert found.motivo.endswith(".")
    assert found.marca == "V-sec"


def test_every_old_code_has_heirs_or_a_reason() -> None:
    for one in codes.codigos(Manual.ANTERIOR):
        heirs = codes.homologar(one.codigo)
        assert bool(heirs) != bool(codes.motivo_sin_homologo(one.codigo)), one.codigo
        assert all(heir.razon and heir.codigo in codes.catalogo() for heir in heirs)
        assert [codes.CONFIANZAS.index(heir.confianza) for heir in heirs] == sorted(
            codes.CONFIANZAS.index(heir.confianza) for heir in heirs
        )
    assert codes.homologar("TA08") == ()
    assert codes.motivo_sin_homologo("TA08") == ""


def test_heirs_of_203_of_208_and_of_what_changed_its_meaning() -> None:
    assert [(one.codigo, one.confianza) for one in codes.homologar("203")] == [
        ("TA03", "alta"),
        ("TA0301", "media"),
        ("TA0302", "baja"),
    ]
    assert [(one.codigo, one.confianza) for one in codes.homologar("208")] == [("TA08", "alta"), ("TA0801", "alta")]
    # 127 meant "included in another service"; FA27 means "billed already": the number alone is a trap.
    assert next(one for one in codes.homologar("127") if one.codigo == "FA27").confianza == "baja"
    assert codes.homologar("545") == ()
    assert "persona" in codes.motivo_sin_homologo("545")


def test_codes_are_found_by_their_words_and_by_what_they_replaced() -> None:
    assert "TA0801" in {one.codigo for one in codes.buscar_texto("apoyo DIAGNOSTICO difiere")}
    assert codes.buscar_texto("") == ()
    assert codes.buscar_texto("zorvelina") == ()
    assert [one.codigo for one in codes.antiguos("TA0801")] == ["208"]
    assert codes.antiguos("FA27") == ()
