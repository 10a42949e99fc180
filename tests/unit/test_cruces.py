"""Crosses of the house: the CUV of another invoice, codes of provider, dates; and one service under two numbers."""

from __future__ import annotations

import dataclasses
import pickle
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from radica.facturas.cuv import COLOMBIA, CuvResult, ResultadoMuv, find_answer, read_cuv
from radica.facturas.fev import Fev
from radica.facturas.jsonsafe import load_json
from radica.facturas.numbers import parse_nit
from radica.facturas.validacion.abrir import abrir_xml
from radica.facturas.validacion.catalogo import contar
from radica.facturas.validacion.cruces import cruces
from radica.facturas.validacion.leer import respuesta_muv
from radica.facturas.validacion.lote import MAX_OTRAS, entre_huellas, entre_paquetes, huellas
from radica.facturas.validacion.modelo import Clase, Fuente, Paquete
from tests.rips_muestra import FECHA, NIT, NUMERO, contexto, fev, paquete, rips, salud

CLAVE = b"k" * 32
AT = datetime(2026, 8, 2, 10, 0, tzinfo=COLOMBIA)


def cuv(**cambios: Any) -> CuvResult:
    plain: dict[str, Any] = {field.name: None for field in dataclasses.fields(CuvResult)}
    plain |= {"accepted": True, "cuv": "a1" * 48, "number": NUMERO, "at": AT, "is_query": False, "results": ()}
    return CuvResult(**{**plain, **cambios})


def told(package: Paquete) -> list[tuple[str, str]]:
    found = list(cruces(package, contexto()))
    spoken = list(contar(found, FECHA))
    assert len(spoken) == len(found)
    assert {one.clase for one in spoken} <= {Clase.AVISO}
    assert not [one for one in spoken if "{" in one.mensaje]
    return [(one.codigo, one.ruta) for one in found]


def test_a_package_whose_documents_agree_has_no_cross() -> None:
    assert told(paquete(rips(), fev(), cuv=cuv())) == []


@pytest.mark.parametrize(
    ("codigo", "cambio"),
    [
        ("CRUCE-CUV-NUMERO", {"number": "FE1002"}),
        ("CRUCE-CUV-NUMERO", {"number": "1001"}),
        ("CRUCE-CUV-NIT", {"issuer": parse_nit("900111222")}),
        ("CRUCE-CUV-TOTAL", {"total": Decimal(81000)}),
        ("CRUCE-CUV-FECHA", {"at": AT - timedelta(days=4)}),
        ("CRUCE-CUV-PRUEBAS", {"environment": "DockerStage"}),
        ("CRUCE-CUV-RECHAZO", {"results": (ResultadoMuv("RECHAZADO", "RVC012", None, None, "numFactura", "Rips"),)}),
    ],
)
def test_an_answer_that_is_not_of_this_invoice_is_told(codigo: str, cambio: dict[str, Any]) -> None:
    assert [code for code, _ in told(paquete(rips(), fev(), cuv=cuv(**cambio)))] == [codigo]


def test_an_answer_is_compared_with_the_rips_when_there_is_no_invoice() -> None:
    assert told(paquete(rips(), cuv=cuv())) == []
    assert told(paquete(rips(), cuv=cuv(number="FE2"))) == [("CRUCE-CUV-NUMERO", "NumFactura")]
    early = cuv(at=datetime(2026, 7, 1, tzinfo=COLOMBIA))
    assert told(paquete(rips(), cuv=early)) == [("CRUCE-CUV-FECHA", "FechaRadicacion")]
    assert told(paquete(rips(numFactura=None, tipoNota="RS", numNota="7"), cuv=cuv(number="7"))) == []


def test_the_edited_answer_of_a_real_package_is_older_than_its_invoice(muestras: Path) -> None:
    answer = find_answer(load_json((muestras / "caso07_ResultadosMSPS_cuv_adaptado.json").read_bytes())[0])
    assert answer is not None
    xml = abrir_xml("f.xml", (muestras / "caso07_fev_attached.xml").read_bytes())
    package = Paquete(xml=xml, rips=load_json((muestras / "caso07_rips.json").read_bytes())[0], cuv=read_cuv(answer))
    assert told(package) == [("CRUCE-CUV-FECHA", "FechaRadicacion")]


def test_codes_of_provider_and_dates() -> None:
    other = salud(fev(), CODIGO_PRESTADOR=("1100199999", None))
    assert [code for code, _ in told(paquete(rips(), other))] == ["CRUCE-PRESTADOR"]
    two = rips()
    two["usuarios"][0]["servicios"]["medicamentos"][0]["codPrestador"] = "050010999901"
    assert [code for code, _ in told(paquete(two, fev()))] == ["CRUCE-PRESTADOR", "CRUCE-PRESTADORES"]
    late = rips()
    late["usuarios"][0]["servicios"]["otrosServicios"][0]["fechaSuministroTecnologia"] = "2026-08-02 00:00"
    place = "usuarios[0].servicios.otrosServicios[0].fechaSuministroTecnologia"
    assert told(paquete(late, fev())) == [("CRUCE-FECHA", place)]


def test_the_number_written_another_way_and_a_receipt_with_a_rips() -> None:
    for own, found in (("fe1001", 1), ("FE1001 ", 1), ("FE1001", 0), ("FE-001001", 0)):
        assert told(paquete(rips(numFactura=own), fev())) == [("CRUCE-NUMERO", "numFactura")] * found
    assert told(paquete(rips(numFactura="1001"), fev(number="001001", prefix=None))) == [("CRUCE-NUMERO", "numFactura")]
    assert told(paquete(rips(), fev(operation="SS-Recaudo"))) == [("CRUCE-RECAUDO", "")]


def otra(numero: str = "FE1002", **mas: Any) -> tuple[dict[str, Any], Fev]:
    return rips(numFactura=numero), fev(number=numero, cufe="cd" * 48, **mas)


def test_the_same_services_under_another_number_are_told_in_both() -> None:
    found = list(entre_paquetes([paquete(rips(), fev()), paquete(*otra())], CLAVE))
    assert [(at, one.codigo, one.valores["otra"]) for at, one in found] == [
        (0, "DUP-SERVICIO", "FE1002"),
        (1, "DUP-SERVICIO", "FE1001"),
    ]
    assert found[0][1].valores["cuantos"] == "6 servicios están"
    assert [one.clase for one in contar((one for _, one in found), FECHA)] == [Clase.AVISO] * 2


def test_what_is_not_the_same_service_is_not_told() -> None:
    document, invoice = otra()
    copy = paquete(rips(), fev())
    assert list(entre_paquetes([copy, copy], CLAVE)) == []
    for name in ("numDocumentoIdentificacion", "tipoDocumentoIdentificacion"):
        changed = rips(numFactura="FE1002")
        changed["usuarios"][0][name] = "otro"
        assert list(entre_paquetes([copy, paquete(changed, invoice)], CLAVE)) == []
    elsewhere = rips(numFactura="FE1002", numDocumentoIdObligado="900777666")
    assert list(entre_paquetes([paquete(rips()), paquete(elsewhere)], CLAVE)) == []
    note = rips(numFactura="FE1001", tipoNota="NC", numNota="NC1")
    assert list(entre_paquetes([copy, paquete(note, fev(number="NC1", cufe="ef" * 48))], CLAVE)) == []
    assert document["numFactura"] == invoice.number


def test_one_cufe_or_one_cuv_for_two_invoices() -> None:
    first = paquete(None, fev(), cuv=cuv())
    second = paquete(None, fev(number="FE1002"), cuv=cuv(number="FE1002"))
    found = [(at, one.codigo, one.valores["otra"]) for at, one in entre_paquetes([first, second], CLAVE)]
    assert found == [
        (0, "DUP-CUFE", "FE1002"),
        (1, "DUP-CUFE", "FE1001"),
        (0, "DUP-CUV", "FE1002"),
        (1, "DUP-CUV", "FE1001"),
    ]
    assert list(entre_paquetes([first, paquete(None, fev(), cuv=cuv())], CLAVE)) == []


def test_fingerprints_hold_no_patient_and_need_the_same_key() -> None:
    one, other = huellas(paquete(rips(), fev()), CLAVE), huellas(paquete(*otra()), b"x" * 32)
    assert pickle.loads(pickle.dumps(one)) == one
    assert b"20000002" not in pickle.dumps(one)
    assert list(entre_huellas([one, other])) == []
    assert all(len(service.clave) == 64 for service in one.servicios)
    with pytest.raises(ValueError, match="key"):
        huellas(paquete(rips()), b"")


def test_the_fuente_of_a_rejection_is_the_answer() -> None:
    rejected = cuv(
        accepted=False, cuv=None, results=(ResultadoMuv("RECHAZADO", "RVC061", None, None, None, "Rips"),) * 3
    )
    found = list(contar(cruces(paquete(rips(), fev(), cuv=rejected), contexto()), FECHA))
    assert [(one.codigo, one.fuente) for one in found] == [("CRUCE-CUV-RECHAZO", Fuente.CUV)]
    assert "3 veces" in found[0].mensaje
    assert NIT not in found[0].mensaje


def test_a_refusal_counts_its_causes_in_right_spanish() -> None:
    line = {"Clase": "RECHAZADO", "Codigo": "RVG08"}
    for times, words in ((1, "1 causa de rechazo"), (2, "2 causas de rechazo")):
        answer = find_answer(
            {"ResultState": False, "CodigoUnicoValidacion": "-", "ResultadosValidacion": [line] * times}
        )
        assert answer is not None
        (one,) = respuesta_muv(read_cuv(answer))
        assert one.valores == {"rechazos": words, "codigos": ": RVG08"}


def test_a_thousand_copies_of_one_rips_do_not_make_a_million_sentences() -> None:
    copies = [
        dataclasses.replace(huellas(paquete(rips()), CLAVE), numero=f"FE{at}", identidad=f"1:FE{at}")
        for at in range(1000)
    ]
    found = list(entre_huellas(copies))
    assert len(found) == 1000 * (MAX_OTRAS + 1)
    of_last = [one for at, one in found if at == 999]
    assert [one.valores["otra"] for one in of_last if not one.variante] == [f"FE{at}" for at in range(MAX_OTRAS)]
    assert [one.valores for one in of_last if one.variante] == [{"cuantas": str(999 - MAX_OTRAS)}]
    assert len(list(contar(of_last, FECHA))) == len(of_last)
    one_cufe = [dataclasses.replace(one, servicios=(), cufe="ab" * 48) for one in copies]
    assert [one.valores["otra"] for _, one in entre_huellas(one_cufe)] == ["FE1", *["FE0"] * 999]
