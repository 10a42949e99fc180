"""Answers: which code fits which act, how much it accepts, what proof it needs, and what stops it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.glosas.respuesta.answer_codes import catalogo, codigo_para, nota_debida, opciones
from radica.glosas.respuesta.answer_rules import Propuesta, revisar_respuesta

GLOSA = Propuesta(
    acto="glosa",
    codigo_glosa="TA0801",
    codigo="RE9602",
    valor=120_000_00,
    aceptado=0,
    texto="La tarifa facturada es la pactada.",
    extemporanea=False,
    soportes=1,
)
DEVOLUCION = replace(GLOSA, acto="devolucion", codigo_glosa="DE5601", codigo="RE9601")


def graves(answer: Propuesta) -> list[str]:
    return [one.codigo for one in revisar_respuesta(answer) if one.grave]


def avisos(answer: Propuesta) -> list[str]:
    return [one.codigo for one in revisar_respuesta(answer) if not one.grave]


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        (GLOSA, {}),
        (GLOSA, {"codigo": "RE9502", "extemporanea": True}),
        (GLOSA, {"codigo": "RE9702", "aceptado": 120_000_00, "soportes": 0}),
        (GLOSA, {"codigo": "RE9801", "aceptado": 1}),
        (GLOSA, {"codigo": "RE9901"}),
        (GLOSA, {"soportes": 0, "ya_radicados": 2}),
        (DEVOLUCION, {}),
        (DEVOLUCION, {"codigo": "RE9501", "extemporanea": True}),
        (DEVOLUCION, {"codigo": "RE9701", "aceptado": 120_000_00}),
        (GLOSA, {"codigo_glosa": "SO6101", "valor": 0, "codigo": "RE9901"}),
        (GLOSA, {"codigo_glosa": "SO6101", "valor": 0, "codigo": "RE9602"}),
    ],
)
def test_a_whole_answer_may_go(base: Propuesta, changes: dict[str, object]) -> None:
    assert revisar_respuesta(replace(base, **changes)) == ()


@pytest.mark.parametrize(
    ("base", "changes", "problem"),
    [
        (GLOSA, {"codigo": "RE1234"}, "codigo_desconocido"),
        (GLOSA, {"codigo": "RE96"}, "codigo_general"),
        (GLOSA, {"codigo": "996"}, "codigo_general"),
        (GLOSA, {"codigo": "RE2202"}, "codigo_del_pagador"),
        (GLOSA, {"codigo": "RE9601"}, "codigo_de_otro_acto"),
        (DEVOLUCION, {"codigo": "RE9801", "aceptado": 1}, "codigo_de_otro_acto"),
        (DEVOLUCION, {"codigo": "RE9901"}, "codigo_de_otro_acto"),
        (GLOSA, {"decision": "aceptar"}, "decision_distinta"),
        (GLOSA, {"codigo": "RE9502"}, "notificada_a_tiempo"),
        (GLOSA, {"codigo": "RE9502", "extemporanea": None}, "extemporanea_sin_fechas"),
        (GLOSA, {"codigo": "RE9502", "extemporanea": True, "ronda": 2}, "extemporanea_en_segunda"),
        (GLOSA, {"aceptado": 1}, "acepta_con_codigo_que_no"),
        (GLOSA, {"codigo": "RE9702", "aceptado": 119_999_99}, "acepta_incompleto"),
        (GLOSA, {"codigo": "RE9801", "aceptado": 0}, "parte_que_no_es_parte"),
        (GLOSA, {"codigo": "RE9801", "aceptado": 120_000_00}, "parte_que_no_es_parte"),
        (GLOSA, {"codigo": "RE9801", "aceptado": 120_000_01}, "acepta_de_mas"),
        (GLOSA, {"aceptado": -1}, "acepta_de_mas"),
        (GLOSA, {"codigo_glosa": "SO61", "codigo": "RE9702", "aceptado": 120_000_00}, "so61_sin_valor"),
        (GLOSA, {"soportes": 0}, "falta_evidencia"),
        (GLOSA, {"codigo": "RE9901", "soportes": 0, "ya_radicados": 3}, "falta_soporte"),
        (GLOSA, {"codigo": "RE9801", "aceptado": 1, "soportes": 0}, "falta_soporte"),
        (GLOSA, {"texto": "  "}, "sin_texto"),
        (GLOSA, {"texto": "Factura {factura}"}, "variable_sin_llenar"),
        (GLOSA, {"texto": "Lo ordena la Ley 9999 de 2020."}, "cita_desconocida"),
        (GLOSA, {"texto": "x" * 30_001}, "texto_largo"),
    ],
)
def test_what_stops_an_answer(base: Propuesta, changes: dict[str, object], problem: str) -> None:
    assert graves(replace(base, **changes)) == [problem]


@pytest.mark.parametrize(
    ("base", "changes", "notice"),
    [
        (GLOSA, {"extemporanea": True}, "hubo_extemporanea"),
        (GLOSA, {"codigo": "RE9502", "extemporanea": True, "soportes": 0}, "falta_prueba_de_fechas"),
        (GLOSA, {"codigo_glosa": "SO61"}, "so61_con_valor"),
        (GLOSA, {"vencida": True}, "termino_vencido"),
        (GLOSA, {"ronda": 2, "texto_anterior": "LA TARIFA facturada  es la pactada."}, "mismo_texto"),
        (DEVOLUCION, {"ronda": 2}, "segunda_devolucion"),
    ],
)
def test_what_a_person_is_told_and_decides(base: Propuesta, changes: dict[str, object], notice: str) -> None:
    answer = replace(base, **changes)
    assert avisos(answer) == [notice]
    assert graves(answer) == []


def test_the_unknown_citation_is_named_and_what_stops_comes_first() -> None:
    problems = revisar_respuesta(replace(GLOSA, texto="Según la Ley 9999 de 2020.", vencida=True))
    assert [one.grave for one in problems] == [True, False]
    assert "Ley 9999 de 2020" in problems[0].mensaje
    assert all(one.mensaje.endswith(".") and one.que_hacer.endswith(".") for one in problems)


def _codes(found: tuple[object, ...]) -> list[str]:
    return [one.codigo.codigo for one in found]


def test_the_options_of_an_act_and_which_is_offered_first() -> None:
    on_time = opciones("glosa", codigo_glosa="TA0801", valor=100, extemporanea=False)
    assert _codes(on_time) == ["RE9602", "RE9702", "RE9801", "RE9901"]
    assert not any(one.recomendada for one in on_time)
    late = opciones("glosa", codigo_glosa="TA0801", valor=100, extemporanea=True)
    assert _codes(late)[0] == "RE9502"
    assert late[0].recomendada
    assert "RE9502" not in _codes(opciones("glosa", codigo_glosa="TA0801", valor=100, extemporanea=True, ronda=2))
    assert _codes(opciones("devolucion", codigo_glosa="DE16", valor=100, extemporanea=True)) == [
        "RE9501",
        "RE9601",
        "RE9701",
    ]
    assert _codes(opciones("glosa", codigo_glosa="SO6101", valor=0, extemporanea=None)) == ["RE9901", "RE9602"]


@given(
    st.sampled_from(["TA0801", "SO61", "SO3401", "203", "PE01"]),
    st.integers(0, 10**9),
    st.sampled_from([True, False, None]),
    st.integers(1, 2),
)
def test_every_option_can_be_given(code: str, value: int, late: bool | None, round_: int) -> None:
    for one in opciones("glosa", codigo_glosa=code, valor=value, extemporanea=late, ronda=round_):
        accepted = {"nada": 0, "parte": 1, "todo": value}[one.codigo.acepta]
        answer = replace(
            GLOSA,
            codigo_glosa=code,
            codigo=one.codigo.codigo,
            valor=value,
            aceptado=accepted,
            extemporanea=late,
            ronda=round_,
        )
        assert graves(answer) == []


def test_decisions_have_their_codes_and_acceptances_their_notes() -> None:
    assert codigo_para("devolucion", "aceptar_parte") is None
    assert [
        codigo_para("glosa", one).codigo for one in ("extemporanea", "defender", "aceptar", "aceptar_parte", "subsanar")
    ] == [
        "RE9502",
        "RE9602",
        "RE9702",
        "RE9801",
        "RE9901",
    ]
    assert len(catalogo()) == 10
    whole = nota_debida("RE9701", codigo_glosa="DE16", valor=900_00, aceptado=900_00)
    assert (whole.total, whole.valor) == (True, 900_00)
    part = nota_debida("RE9801", codigo_glosa="TA0801", valor=900_00, aceptado=100_00)
    assert (part.tipo, part.total, part.valor) == ("credito", False, 100_00)
    assert nota_debida("RE9602", codigo_glosa="TA0801", valor=900_00, aceptado=0) is None
    assert nota_debida("RE9901", codigo_glosa="SO6102", valor=0, aceptado=0).tipo == "ajuste_rips"
    assert nota_debida("RE9602", codigo_glosa="SO6102", valor=0, aceptado=0) is None
