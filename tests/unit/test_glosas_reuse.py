"""A text that goes from one case to another leaves the first one behind: numbers, dates, amounts, names."""

from __future__ import annotations

import pytest

from radica.glosas.respuesta.reuse import limpiar, palabras, parecido


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("El paciente Zorvelina Quimbay Prada fue atendido", "El paciente {dato} fue atendido"),
        ("la señora María de los Ángeles Tuta, atendida", "la señora {dato}, atendida"),
        ("identificado con CC 1.023.456.789 el 12/03/2026", "identificado con CC {dato} el {dato}"),
        ("la historia 80123456 y el 3 de marzo de 2026", "la historia {dato} y el {dato}"),
        ("por $ 1.234.567 y $ 5", "por {dato} y {dato}"),
        ("autorización AUT-2026-00123456.", "autorización {dato}."),
        ("escriba a persona@correo.co", "escriba a {dato}"),
        ("el servicio 890201", "el servicio {dato}"),
        ("historia HC-4471 del caso", "historia {dato} del caso"),
        ("CC 1023456789 2026-03-12", "CC {dato}"),
    ],
)
def test_what_belonged_to_the_other_case_goes(text: str, clean: str) -> None:
    assert limpiar(text, privados=["HC-4471"]) == clean


@pytest.mark.parametrize(
    "text",
    [
        "Según el artículo 57 de la Ley 1438 de 2011 y la Resolución 2284 de 2023, el código TA0801 no procede.",
        "El artículo 2.5.3.4.5.7 del Decreto 780 de 2016 y {factura} con {valor_objetado}.",
        "El paciente fue atendido en urgencias durante 15 días hábiles.",
    ],
)
def test_norms_codes_and_plain_words_stay(text: str) -> None:
    assert limpiar(text) == text


def test_in_capitals_words_are_lost_rather_than_a_name_kept() -> None:
    assert "ZORVELINA" not in limpiar("EL PACIENTE ZORVELINA PRADA INGRESA POR URGENCIAS Y SE ATIENDE")


def test_likeness_of_reasons() -> None:
    one = palabras("Mayor valor cobrado en la tarifa del examen según el anexo")
    assert parecido(one, one) == 100
    assert parecido(one, palabras("mayor VALOR cobrado: tarifa del exámen")) > 50
    assert parecido(one, palabras("falta la epicrisis")) == 0
    assert parecido(frozenset(), frozenset()) == 0
