"""Bad input: each kind gives a true reason or a finding in its place, and never *valido*."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from radica.facturas.sources import Source
from radica.facturas.validacion.leer import describir
from radica.facturas.validacion.resultado import Encargo, sin_revisar
from radica.facturas.validacion.tablas import VACIOS
from tests.validar_bolsa import AHORA, codigos, juzgar_archivos, juzgar_uno

Cambio = Callable[[dict[str, Any]], None]


@pytest.fixture
def factura(muestras: Path) -> bytes:
    return (muestras / "caso40_invoice_signed.xml").read_bytes()


@pytest.fixture
def rips(muestras: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((muestras / "caso07_rips.json").read_text("utf-8-sig"))
    return value


def test_the_two_start_from_documents_that_are_right(tmp_path: Path, factura: bytes, rips: dict[str, Any]) -> None:
    assert juzgar_uno(tmp_path, "f.xml", factura)["firma"] == {"Invoice": "valida"}
    assert juzgar_uno(tmp_path, "r.json", json.dumps(rips).encode())["estado"] == "valido"


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        (lambda x: x.decode().encode("latin-1", "replace"), "factura", "codificación que declara"),
        (lambda x: x.replace(b'encoding="UTF-8"', b'encoding="KLINGON"'), "factura", "codificación que declara"),
        (lambda x: x + x[x.index(b"<Invoice") :], "factura", "dos documentos pegados"),
        (lambda x: b"<lote>" + x[x.index(b"<Invoice") :] * 2 + b"</lote>", "factura", "2 documentos"),
        (lambda x: x[: len(x) // 2], "factura", "incompleto o cortado"),
        (lambda _: b"", "desconocido", "vacío"),
        (lambda x: x.replace(b"<Invoice", b'<!DOCTYPE a SYSTEM "x"><Invoice', 1), "factura", "DOCTYPE"),
        (lambda x: b"PK\x03\x04" + x, "desconocido", "comprimido"),
    ],
)
def test_an_xml_that_cannot_be_read_says_why(
    tmp_path: Path, factura: bytes, change: Callable[[bytes], bytes], kind: str, said: str
) -> None:
    result = juzgar_uno(tmp_path, "f.xml", change(factura))
    assert (result["tipo"], result["estado"]) == (kind, "ilegible")
    assert said in result["hallazgos"][0]["mensaje"]
    assert result["firma"] == {}


def test_another_encoding_that_is_true_is_read_and_told(tmp_path: Path, factura: bytes) -> None:
    wide = factura.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")
    result = juzgar_uno(tmp_path, "f.xml", wide)
    assert result["factura"]["numero"] == "SETP990000002"
    assert "LEC-CODIFICACION" in codigos(result, "aviso")


def test_accents_coded_twice_are_told(tmp_path: Path, muestras: Path, factura: bytes) -> None:
    real = juzgar_uno(tmp_path, "f.xml", (muestras / "caso05_fev_attached.xml").read_bytes())
    assert "LEC-LETRAS" in codigos(real)
    assert "LEC-LETRAS" not in codigos(juzgar_uno(tmp_path, "f.xml", factura))


def test_a_mark_of_order_at_the_beginning_does_no_harm(tmp_path: Path, factura: bytes, rips: dict[str, Any]) -> None:
    plain = juzgar_archivos(tmp_path, {"f.xml": factura, "r.json": json.dumps(rips).encode()})
    mark = b"\xef\xbb\xbf"
    marked = juzgar_archivos(tmp_path, {"f.xml": mark + factura, "r.json": mark + json.dumps(rips).encode()})
    assert marked["r.json"] == plain["r.json"]
    assert marked["f.xml"]["factura"] == plain["f.xml"]["factura"]


@pytest.mark.parametrize("amount", ["-14024.07", "1" + "0" * 40, "1e30", "NaN", "14.024,07", "", "14024.07.1"])
def test_money_that_cannot_be_is_told_at_its_place(tmp_path: Path, factura: bytes, amount: str) -> None:
    data = factura.replace(b">14024.07</cbc:PayableAmount>", f">{amount}</cbc:PayableAmount>".encode())
    assert data != factura
    clean = {(one["codigo"], one["ruta"]) for one in juzgar_uno(tmp_path, "f.xml", factura)["hallazgos"]}
    result = juzgar_uno(tmp_path, "f.xml", data)
    new = {(one["codigo"], one["ruta"]) for one in result["hallazgos"]} - clean
    assert any("Payable" in path or code.startswith("FE") for code, path in new), new
    assert result["factura"]["valor_pagar"] in (None, amount)


@pytest.mark.parametrize(("day", "good"), [("2024-02-29", True), ("2025-02-29", False), ("29/02/2024", False),
                                            ("20240229", False), ("0000-00-00", False)])  # fmt: skip
def test_the_day_of_an_invoice_is_a_day_that_exists(tmp_path: Path, factura: bytes, day: str, good: bool) -> None:
    data = re.sub(rb"(<cbc:IssueDate>)[^<]*", rb"\g<1>" + day.encode(), factura, count=1)
    result = juzgar_uno(tmp_path, "f.xml", data)
    assert result["factura"]["fecha_expedicion"] == (day if good else None)
    assert ("XSD-UBL" in codigos(result)) is not good


def services(value: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = next(rows[0] for rows in value["usuarios"][0]["servicios"].values() if rows)
    return first


def of(key: str, given: object) -> Cambio:
    return lambda value: services(value).__setitem__(key, given)


@pytest.mark.parametrize(
    "change",
    [
        *(of("vrServicio", one) for one in ("44900", "44.900", "x", "", -5, 10**40, None, True, [], {})),
        *(
            of("fechaInicioAtencion", one)
            for one in ("2025-02-29 10:00", "31/01/2025 10:00", "2025/01/31", "20250131", "2025-01-31T10:00:00", 5)
        ),
        lambda value: value.__setitem__("usuarios", []),
        lambda value: value.__setitem__("usuarios", None),
        lambda value: value.__setitem__("usuarios", "x"),
        lambda value: value["usuarios"][0].__setitem__("servicios", []),
        lambda value: value.__setitem__("numDocumentoIdObligado", 5),
        lambda value: services(value).pop("vrServicio"),
        lambda value: services(value).__setitem__("otraCosa", 1),
    ],
)
def test_a_rips_that_is_wrong_is_never_valido(tmp_path: Path, rips: dict[str, Any], change: Cambio) -> None:
    wrong = copy.deepcopy(rips)
    change(wrong)
    assert juzgar_uno(tmp_path, "r.json", json.dumps(wrong).encode())["estado"] == "con_hallazgos"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: x[:900], "cortado"),
        (lambda x: x + x, "dos documentos pegados"),
        (lambda x: x.replace(b'"vrServicio": ', b'"vrServicio": NaN, "a": ', 1), "número imposible"),
        (lambda x: b'{"rips":' * 90 + x + b"}" * 90, "niveles"),
        (lambda x: x.replace(b'"vrServicio"', b'"vrServ\\ud800icio"', 1), "letras que no existen"),
    ],
)
def test_a_json_that_cannot_be_read_says_why(
    tmp_path: Path, rips: dict[str, Any], change: Callable[[bytes], bytes], said: str
) -> None:
    result = juzgar_uno(tmp_path, "r.json", change(json.dumps(rips).encode()))
    assert (result["tipo"], result["estado"]) == ("rips", "ilegible")
    assert said in result["hallazgos"][0]["mensaje"]


def test_a_key_written_twice_is_told(tmp_path: Path, rips: dict[str, Any]) -> None:
    data = json.dumps(rips).encode().replace(b'"vrServicio"', b'"vrServicio": 1, "vrServicio"', 1)
    result = juzgar_uno(tmp_path, "r.json", data)
    assert codigos(result, "aviso") == {"LEC-CLAVE-REPETIDA"}


def test_a_rips_in_another_encoding_is_read_and_told(tmp_path: Path, rips: dict[str, Any]) -> None:
    rips["usuarios"][0]["observación"] = "año"
    result = juzgar_uno(tmp_path, "r.json", json.dumps(rips, ensure_ascii=False).encode("cp1252"))
    assert "LEC-NOTA" in codigos(result, "aviso")


@pytest.mark.parametrize(
    ("name", "causes"),
    [
        ("caso11_muv_respuesta_rechazo", {"CFR003", "RVC001", "RVC011", "RVC012", "RVC061"}),
        ("caso16_muv_respuesta_400_camelcase", {"RVG01"}),
    ],
)
def test_an_answer_without_cuv_tells_what_the_ministry_rejected(
    tmp_path: Path, muestras: Path, name: str, causes: set[str]
) -> None:
    result = juzgar_uno(tmp_path, "c.json", (muestras / f"{name}.json").read_bytes())
    assert (result["tipo"], result["estado"]) == ("cuv", "con_hallazgos")
    assert result["cuv"]["aceptado"] is False
    assert codigos(result, "rechazo") == causes
    assert codigos(result, "aviso") == {"LEC-CUV-RECHAZADO"}


def test_what_the_documents_are_told_is_not_said_again_by_the_answer(tmp_path: Path, muestras: Path) -> None:
    names = ("caso11_fev_attached.xml", "caso11_rips_envuelto.json", "caso11_muv_respuesta_rechazo.json")
    _, rips, cuv = juzgar_archivos(tmp_path, {name: (muestras / name).read_bytes() for name in names}).values()
    assert codigos(rips, "rechazo") == {"RVC001", "RVC011", "RVC061"}
    assert codigos(cuv, "rechazo") == {"CFR003", "RVC012"}


@pytest.mark.parametrize(("state", "weight"), [(False, "rechazo"), (True, "aviso")])
def test_an_answer_that_says_no_and_not_why(tmp_path: Path, state: bool, weight: str) -> None:
    answer = {"ResultState": state, "CodigoUnicoValidacion": "-", "ResultadosValidacion": []}
    result = juzgar_uno(tmp_path, "c.json", json.dumps(answer).encode())
    assert codigos(result, weight) == {"LEC-CUV-SIN-CODIGO"}


def test_which_answer_counts_does_not_hang_on_the_order(tmp_path: Path, muestras: Path) -> None:
    real = (muestras / "caso16_muv_respuesta_aceptado.json").read_bytes()
    names = ("caso16_rips_sin_factura_RS", "caso16_muv_respuesta_400_camelcase", "caso20_consultarcuv_respuesta")
    given = {f"{name}.json": (muestras / f"{name}.json").read_bytes() for name in names} | {"si.json": real}
    forth = juzgar_archivos(tmp_path, given)
    back = juzgar_archivos(tmp_path, dict(reversed(given.items())))
    assert forth == {name: back[name] for name in forth}
    assert forth["caso16_rips_sin_factura_RS.json"]["cuv"]["aceptado"] is True


def test_a_cuv_of_another_invoice_is_told_and_rules_nothing(tmp_path: Path, muestras: Path) -> None:
    names = ("caso07_fev_attached.xml", "caso07_rips.json", "caso70_muv_respuesta.json")
    fev, rips, cuv = juzgar_archivos(tmp_path, {name: (muestras / name).read_bytes() for name in names}).values()
    assert "CRUCE-CUV-NUMERO" in codigos(cuv, "aviso")
    assert fev["cuv"] is rips["cuv"] is None
    assert cuv["cuv"]["aceptado"] is True
    alone = juzgar_archivos(tmp_path, {name: (muestras / name).read_bytes() for name in names[:2]})
    assert [alone[name] for name in names[:2]] == [fev, rips]


@pytest.mark.parametrize("gone", ["usuarios", "numDocumentoIdObligado"])
def test_half_a_rips_is_still_a_rips(tmp_path: Path, rips: dict[str, Any], gone: str) -> None:
    del rips[gone]
    result = juzgar_uno(tmp_path, "r.json", json.dumps(rips).encode())
    assert (result["tipo"], result["estado"]) == ("rips", "ilegible")
    assert "numDocumentoIdObligado" in result["hallazgos"][0]["mensaje"]


@pytest.mark.parametrize("blank", [None, "", " "])
def test_a_rips_of_no_invoice_and_no_note_is_not_valid(tmp_path: Path, rips: dict[str, Any], blank: str | None) -> None:
    rips["numFactura"] = blank
    assert "LEC-SIN-NUMERO" in codigos(juzgar_uno(tmp_path, "r.json", json.dumps(rips).encode()), "aviso")


def test_a_layer_of_the_container_is_told_in_the_container(tmp_path: Path, muestras: Path) -> None:
    given = {
        name: (muestras / name).read_bytes() for name in ("caso05_fev_attached.xml", "caso05_appresponse_dian02.xml")
    }
    container, answer = juzgar_archivos(tmp_path, given).values()
    for result, layers in ((container, 3), (answer, 1)):
        told = [one["ruta"] for one in result["hallazgos"] if one["codigo"] == "FIRMA-ALTERADA"]
        assert len(told) == len(set(told)) == layers


def test_what_is_no_document_of_billing_is_said_so(tmp_path: Path) -> None:
    found = juzgar_archivos(
        tmp_path, {"a.txt": b"hola", "b.json": b'{"a":1}', "c.xml": b"<a/>", "d.pdf": b"hola", "e.png": b"\x89PNG\r\n"}
    )
    assert {name: (one["tipo"], one["estado"]) for name, one in found.items()} == {
        "a.txt": ("desconocido", "ilegible"),
        "b.json": ("desconocido", "ilegible"),
        "c.xml": ("desconocido", "ilegible"),
        "d.pdf": ("soporte", "ilegible"),
        "e.png": ("desconocido", "ilegible"),
    }


def test_an_answer_of_dian_that_refuses_is_not_valid(tmp_path: Path, muestras: Path) -> None:
    data = (muestras / "caso11_appresponse_dian02.xml").read_bytes()
    assert juzgar_uno(tmp_path, "a.xml", data)["estado"] == "valido"
    refused = juzgar_uno(tmp_path, "a.xml", data.replace(b"ResponseCode>02<", b"ResponseCode>04<"))
    assert "LEC-DIAN-RECHAZADO" in codigos(refused, "rechazo")


def test_a_group_that_could_not_be_judged_is_never_valid(tmp_path: Path, rips: dict[str, Any]) -> None:
    (tmp_path / "r.json").write_bytes(json.dumps(rips).encode())
    file = describir(Source(tmp_path / "r.json", "r.json"))
    (result,) = sin_revisar([file], " (incidente 1A2B)", Encargo(AHORA, VACIOS))
    assert (result["tipo"], result["estado"]) == ("rips", "ilegible")
    assert "incidente 1A2B" in result["hallazgos"][0]["mensaje"]
