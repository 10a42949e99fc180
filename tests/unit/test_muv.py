"""The MUV without a network: bodies of the calls, what an answer means, and the simulator's own judgement."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bots.simulador.muv_juicio import CALLS, already, answer, judge
from radica.facturas.muv.cliente import read_answer
from radica.facturas.muv.llamadas import PIDE, cuerpo, cuerpo_entrada, rips_text, ruta
from radica.facturas.muv.transporte import Llegada, MuvProblem, Puerta, huella_de
from radica.facturas.muv.veredicto import Esperado, difiere, names
from radica.facturas.validacion.modelo import Modulo
from radica.facturas.xmlsafe import Unreadable
from tests.factories import NOW
from tests.plugins.intake import invoice, rips

CUV = "ab12" * 24


def said(value: object, status: int = 200) -> Any:
    return read_answer(Llegada(status, json.dumps(value).encode()))


def result(**more: object) -> dict[str, object]:
    return {"ResultState": True, "ProcesoId": 7, "NumFactura": "FE1", "CodigoUnicoValidacion": CUV, **more}


def test_the_house_and_the_simulator_know_the_same_calls():
    assert {one.value: (wants.rips, wants.xml) for one, wants in PIDE.items()} == {
        name: (call.rips, call.xml) for name, call in CALLS.items()
    }
    assert ruta(Modulo.FEV) == "/api/PaquetesFevRips/CargarFevRips"


@pytest.mark.parametrize("modulo", list(Modulo))
def test_a_call_carries_what_it_wants_and_nothing_else(modulo: Modulo):
    body = json.loads(cuerpo(modulo, rips("900", "FE1"), b"<x/>"))
    assert (body["rips"] is not None, body["xmlFevFile"] != "") == (PIDE[modulo].rips, PIDE[modulo].xml)
    if PIDE[modulo].xml:
        assert base64.b64decode(body["xmlFevFile"]) == b"<x/>"
        with pytest.raises(ValueError, match="wants more"):
            cuerpo(modulo, rips("900", "FE1"), None)


def test_the_rips_travels_with_its_very_text():
    text = '{ "numDocumentoIdObligado":"900", "numFactura":"FE1", "usuarios":[{"x": 1.10}] }'
    assert rips_text(text.encode()) == text
    assert rips_text(b"\xef\xbb\xbf" + text.encode()) == text
    assert rips_text(f'{{"rips": {text}}}'.encode()) == text
    assert b'"x": 1.10' in cuerpo(Modulo.CAPITA_FINAL, text.encode(), None)
    with pytest.raises(Unreadable):
        rips_text(b'{"otro": 1}')


def test_the_login_has_the_shape_of_the_manual():
    body = json.loads(cuerpo_entrada(tipo_documento="CC", numero="1", clave="c", nit="9", tipo_usuario="RE"))
    assert body == {
        "persona": {"identificacion": {"tipo": "CC", "numero": "1"}}, "clave": "c", "nit": "9", "tipoUsuario": "RE",
    }  # fmt: skip


def test_answers_are_read_in_either_case_and_with_either_status():
    assert said(result()).dice.accepted
    camel = {"resultState": False, "numFactura": "", "codigoUnicoValidacion": "-", "resultadosValidacion": []}
    assert not said(camel, 400).dice.accepted
    assert not said(result(), 400).dice.accepted  # an approval never comes as an error
    assert said({"success": True, "data": result()}).dice.accepted


@pytest.mark.parametrize("name", ["caso03", "caso11", "caso13", "caso16", "caso70", "caso01", "caso20"])
def test_real_answers_are_read(muestras: Path, name: str):
    for path in muestras.glob(f"{name}_*respuesta*.json"):
        read = read_answer(Llegada(200, path.read_bytes()))
        assert read.dice.accepted == (read.dice.cuv is not None)
        assert not read.ya_aprobado


@pytest.mark.parametrize(
    ("status", "data", "code", "again"),
    [
        (200, b"{", "respuesta_ilegible", True),
        (200, b"[]", "respuesta_ilegible", True),
        (200, b'{"ResultState":true}', "respuesta_ilegible", True),
        (500, b"", "http_500", True),
        (503, b"<html>", "http_503", True),
        (400, b'{"tipo":"x","descripcion":"y"}', "http_400", False),
        (404, b"", "http_404", False),
    ],
)
def test_what_is_no_answer_says_whether_to_repeat(status: int, data: bytes, code: str, again: bool):
    with pytest.raises(MuvProblem) as told:
        read_answer(Llegada(status, data))
    assert (told.value.code, told.value.again) == (code, again)
    assert "descripcion" not in str(told.value)


def test_rvg18_quotes_its_cuv_wherever_it_stands():
    for line in (already(CUV.upper()), already(None)):
        told = said(result(ResultState=False, CodigoUnicoValidacion="-", ResultadosValidacion=[line.as_json()]))
        assert told.ya_aprobado
        assert told.cuv_citado == (CUV if "CUV:" in line.observaciones else None)
    told = said(result(ResultState=False, ResultadosValidacion=[already(None).as_json()]))
    assert told.cuv_citado == CUV


def test_an_answer_must_name_the_invoice():
    assert names("FE-0001", ["FE1"])
    assert not names("1", ["FE1"])
    assert not names(None, ["FE1"])
    assert not names("", [])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, ""),
        ({"TotalFactura": 0, "NumeroDocumento": None}, ""),
        ({"TotalFactura": 900.4}, ""),
        ({"TotalFactura": 902}, "el valor"),
        ({"NumDocumentoIdObligado": "901"}, "el prestador"),
        ({"NumeroDocumento": "FE2"}, "el número"),
    ],
)
def test_a_register_of_another_version_is_seen(more: dict[str, object], words: str):
    register = {
        "EsValido": True, "CodigoUnicoValidacion": CUV, "NumDocumentoIdObligado": "900", "NumeroDocumento": "FE1",
        "TotalFactura": 1000,
    }  # fmt: skip
    sent = Esperado("900", ("FE1",), (Decimal(1000), Decimal(900)))
    assert difiere(said({**register, **more}).dice, sent) == words


@pytest.mark.parametrize(
    "url", ["", "http://muv.example", "ftp://localhost", "https://u:c@muv.example", "https://", "https://a:x/api"]
)
def test_an_address_that_would_show_the_password_is_refused(url: str):
    with pytest.raises(MuvProblem) as told:
        _ = Puerta(url).raiz
    assert told.value.code == "direccion"


def test_an_address_is_taken_with_or_without_api():
    assert Puerta("https://localhost:9443/api/").raiz == ("https", "localhost", 9443, "")
    assert Puerta("https://muv.example").raiz == ("https", "muv.example", 443, "")
    assert Puerta("http://127.0.0.1:5100/base/api").raiz == ("http", "127.0.0.1", 5100, "/base")
    with pytest.raises(MuvProblem):
        huella_de("no")


def package(value: int = 1000, **more: object) -> dict[str, object]:
    body = json.loads(rips("900000001", "FE1", value), parse_float=Decimal)
    body["usuarios"][0]["servicios"]["consultas"][0]["codPrestador"] = "900000001012"
    xml = invoice("900000001", "FE1").replace(
        b"</Invoice>",
        b"<LegalMonetaryTotal><LineExtensionAmount>1000</LineExtensionAmount></LegalMonetaryTotal></Invoice>",
    )
    return {"rips": body, "xmlFevFile": base64.b64encode(xml).decode(), **more}


def test_the_simulator_judges_by_true_checks():
    good = judge("CargarFevRips", package())
    assert (good.accepted, good.number, good.nit, len(good.cuv)) == (True, "FE1", "900000001", 96)
    assert [one.codigo for one in judge("CargarFevRips", package(1500)).lines] == ["RVG08"]
    assert judge("CargarFevRips", package(xmlFevFile="")).structure
    assert [one.codigo for one in judge("CargarFevRips", package(xmlFevFile="¡")).lines] == ["GI001"]
    big = base64.b64encode(b" " * (16 * 1024 * 1024 + 1)).decode()
    assert [one.codigo for one in judge("CargarFevRips", package(xmlFevFile=big)).lines] == ["GI008"]


def test_the_simulator_answers_in_the_shapes_of_the_real_one(muestras: Path):
    wrong = package()
    wrong["rips"]["usuarios"][0]["servicios"]["consultas"][0]["codPrestador"] = "76001126940"  # type: ignore[index]
    verdict = judge("CargarFevRips", wrong)
    told = answer(verdict, cuv=None, process=0, at=NOW, camel=True, environment="DockerTest")
    real = json.loads((muestras / "caso16_muv_respuesta_400_camelcase.json").read_bytes())
    assert list(told) == list(real)
    assert told["resultadosValidacion"][0] == real["resultadosValidacion"][0]
    good = answer(
        judge("CargarFevRips", package()), cuv=CUV, process=1, at=NOW, camel=False, environment="DockerTest"
    )  # fmt: skip
    manual = json.loads((muestras / "caso60_muv_manual_NotaDebito.json").read_bytes())
    assert list(good) == list(manual)
