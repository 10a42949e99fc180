"""`radica contrato` and `radica tarifario`: written, loaded, compared and closed; what cannot be is refused by its code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from radica.app.cli import program
from radica.kernel.db import Database
from tests import factories
from tests.plugins.glosas import filed

Command = Callable[..., tuple[int, Any]]


@pytest.fixture
def radica(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run one command with --json; returns its exit code and document."""
    monkeypatch.setenv("RADICA_DATABASE_URL", sqlite_url)

    def run(*words: str) -> tuple[int, Any]:
        code = program.main(["--datos", str(tmp_path / "datos"), *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_from_the_command_line(sqlite_url: str, tmp_path: Path, radica: Command) -> None:
    base = Database(sqlite_url)
    with base.write() as session:
        invoice = filed(session)
        provider, payer = factories.prestador(session), factories.pagador(session)
        invoice.prestador_id, invoice.pagador_id = provider.id, payer.id
        nit, payer_nit, number = provider.nit, payer.nit, invoice.numero
    base.dispose()
    path = tmp_path / "lista.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ("CUPS", "Tarifa"))
    sheet.write_row(1, 0, ("890201", 50000))
    sheet.write_row(2, 0, ("890202", -1))
    book.close()
    parties = ("--prestador", nit, "--pagador", payer_nit)
    code, _ = radica("contrato", "crear", "CT-1", *parties, "--desde", "2026-01-01", "--autoriza", "8832")
    assert code == 0
    code, listed = radica("contrato", "listar")
    assert (code, listed["contratos"][0]["autorizacion"]["prefijos"]) == (0, ["8832"])
    code, done = radica("tarifario", "cargar", "ct-1", str(path), "--desde", "2026-01-01")
    assert (code, done["precios"], done["rechazos"][0]["fila"]) == (1, 1, 3)
    assert radica("tarifario", "cargar", "CT-1", str(path), "--desde", "2026-01-01")[1]["nueva"] is False
    named = ("--base", "soat", "--nombre", "SOAT")
    code, _ = radica("tarifario", "base", str(path), "--prestador", nit, "--desde", "2026-01-01", *named)
    assert code == 1
    code, done = radica("tarifario", "cargar", "CT-1", "--desde", "2026-06-01", "--base", "SOAT", "--factor=-10")
    assert (code, done["version"]) == (0, 2)
    code, compared = radica("tarifario", "comparar", number)
    assert (code, compared["lineas"]) == (0, [])
    assert radica("contrato", "cerrar", "CT-1", "--hasta", "2026-12-31")[1]["hasta"] == "2026-12-31"
    for words, wrong in (
        (("contrato", "cerrar", "NADA", "--hasta", "2026-12-31"), "no_encontrado"),
        (("tarifario", "cargar", "CT-1", str(path), "--desde", "2026-01-01", "--factor=mucho"), "uso"),
        (("tarifario", "cargar", "CT-1", "--desde", "2026-01-01", "--base", "ISS"), "tarifario_sin_base"),
        (("tarifario", "cargar", "CT-1", str(tmp_path / "no.xlsx"), "--desde", "2026-01-01"), "archivo_malo"),
    ):
        code, said = radica(*words)
        assert (code, said["error"]["codigo"]) == (2, wrong)


def test_an_amendment_from_the_command_line_keeps_what_it_does_not_name(sqlite_url: str, radica: Command) -> None:
    base = Database(sqlite_url)
    with base.write() as session:
        nit, payer_nit = factories.prestador(session).nit, factories.pagador(session).nit
    base.dispose()
    terms = ("--desde", "2026-01-01", "--hasta", "2026-12-31", "--dias-pago", "30", "--autoriza", "39")
    assert radica("contrato", "crear", "CT-1", "--prestador", nit, "--pagador", payer_nit, *terms)[0] == 0
    code, done = radica("contrato", "otrosi", "CT-1", "--desde", "2026-07-01", "--hasta", "2027-06-30")
    assert (code, done["hasta"], done["dias_pago"]) == (0, "2026-12-31", 30)
    (amended,) = done["otrosies"]
    assert (amended["numero"], amended["hasta"], amended["dias_pago"]) == (1, "2027-06-30", 30)
    assert amended["autorizacion"]["prefijos"] == ["39"]
    code, said = radica("contrato", "otrosi", "CT-1", "--desde", "2026-08-01")
    assert (code, said["error"]["codigo"]) == (2, "otrosi_nota")
