"""A batch of the command line tells a service that stands under two invoices, whatever the number of processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from radica.app.cli.validar import words_of
from radica.app.validar.carpetas import Balance, validar
from radica.facturas.validacion.resultado import VALIDO, Encargo
from radica.facturas.validacion.tablas import VACIOS
from radica.kernel.clock import BOGOTA
from tests.rips_muestra import AHORA, rips


def lote(folder: Path, documents: list[dict[str, Any]], procesos: int) -> Balance:
    given = folder / "dados"
    given.mkdir()
    for at, one in enumerate(documents):
        (given / f"{at}.json").write_text(json.dumps(one), encoding="utf-8")
    work = folder / "trabajo"
    work.mkdir()
    return validar(
        [str(given)],
        Encargo(AHORA.replace(tzinfo=BOGOTA), VACIOS, clave=b"k" * 32),
        carpeta=work,
        procesos=procesos,
        palabras=words_of,
        avance=lambda *_: None,
        incidente=pytest.fail,
    )


@pytest.mark.parametrize("procesos", [1, 2])
def test_a_service_under_two_numbers_is_told_in_both_files(tmp_path: Path, procesos: int) -> None:
    elsewhere = rips(numFactura="FE3000")
    elsewhere["usuarios"][0]["numDocumentoIdentificacion"] = "30000003"
    with (balance := lote(tmp_path, [rips(), rips(numFactura="FE2000"), elsewhere], procesos)).sink:
        results = [json.loads(text) for text in balance.texts(words=False)]
        words = list(balance.texts(words=True))
    twice = [[one for one in result["hallazgos"] if one["codigo"] == "DUP-SERVICIO"] for result in results]
    assert [len(found) for found in twice] == [1, 1, 0]
    assert "FE2000" in twice[0][0]["mensaje"]
    assert "FE1001" in twice[1][0]["mensaje"]
    assert balance.estados["con_hallazgos"] == sum(one["estado"] == "con_hallazgos" for one in results)
    assert balance.severidades["aviso"] == sum(
        one["severidad"] == "aviso" for result in results for one in result["hallazgos"]
    )
    assert not [text for text in words if "20000002" in text]


def test_one_invoice_alone_is_compared_with_nothing(tmp_path: Path) -> None:
    with (balance := lote(tmp_path, [rips()], 1)).sink:
        [result] = [json.loads(text) for text in balance.texts(words=False)]
    assert not [one for one in result["hallazgos"] if one["codigo"].startswith("DUP")]
    assert balance.estados[VALIDO] + balance.estados["con_hallazgos"] == 1
