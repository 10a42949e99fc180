"""Template texts: what they may hold, what a case fills, and what goes back to a variable before a text is reused."""

from __future__ import annotations

import pytest

from radica.glosas.codes import buscar
from radica.glosas.respuesta import norms
from radica.glosas.respuesta.answer_codes import catalogo
from radica.glosas.respuesta.template_text import VARIABLES, abstraer, llenar, validar, variables
from radica.glosas.respuesta.templates_store import iniciales
from radica.kernel.errors import BadInput


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("  ", "plantilla_vacia"),
        ("Señor {paciente}", "variable_desconocida"),
        ("Factura {factura", "llave_suelta"),
        ("Factura {factura }", "llave_suelta"),
        ("{}", "llave_suelta"),
        ("Según la Ley 9999 de 2020, {factura}", "cita_desconocida"),
        ("x" * 8_001, "plantilla_larga"),
    ],
)
def test_a_text_that_cannot_be_a_template(text: str, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        validar(text)
    assert refused.value.code == code


def test_no_variable_is_of_a_patient() -> None:
    assert not any(word in name for name in VARIABLES for word in ("paciente", "documento", "diagnostico", "usuario"))


def test_a_case_fills_what_it_tells_and_the_rest_stays_in_braces() -> None:
    said = llenar(
        "De {factura} por {valor_objetado}: {explicacion} {explicacion}",
        {"factura": "FE{codigo}", "valor_objetado": "$ 5"},
    )
    assert said.texto == "De FE{codigo} por $ 5: {explicacion} {explicacion}"
    assert said.faltan == ("explicacion",)
    assert llenar("{radicado}", {"radicado": "  "}).faltan == ("radicado",)


def test_every_starter_is_whole_and_of_our_catalogues() -> None:
    rows = iniciales()
    assert len({row["clave"] for row in rows}) == len(rows) >= 25
    for row in rows:
        assert validar(row["texto"]) == row["texto"], row["clave"]
        assert "factura" in variables(row["texto"]) or "codigo" in variables(row["texto"])
        code = buscar(row["codigo"])
        assert catalogo()[row["respuesta"]].autor == "ips"
        assert not row["codigo"] or (code.tipo == "devolucion") == (catalogo()[row["respuesta"]].acto == "devolucion")
        assert norms.citas_desconocidas(llenar(row["texto"], dict.fromkeys(VARIABLES, "X")).texto) == []
    assert {row["respuesta"] for row in rows} == {code for code, one in catalogo().items() if one.autor == "ips"}


def test_the_values_of_a_case_become_variables_again() -> None:
    values = {
        "factura": "FE10234",
        "radicado": "RAD-1",
        "valor_objetado": "$ 1.200.000",
        "codigo": "TA0801",
        "pagador": "EPS A",
    }
    text = "La factura fe10234 (RAD-1), FE102345, TA0801 por $ 1.200.000 a EPS A."
    assert (
        abstraer(text, values)
        == "La factura {factura} ({radicado}), FE102345, {codigo} por {valor_objetado} a {pagador}."
    )
    assert abstraer("El 5 y el 50", {"dias_habiles": "5"}) == "El 5 y el 50"
