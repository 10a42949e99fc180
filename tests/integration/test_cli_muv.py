"""`radica muv` as a person and a script use it: account, certificate, try-out, order, question about a CUV."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bots.simulador.muv import Handle
from radica.app.cli import program
from radica.facturas.muv.transporte import huella_de
from radica.facturas.validacion_models import CuentaMuv
from radica.kernel.config import load_settings
from radica.kernel.db import Database
from radica.portales.credentials import open_vault
from tests import factories
from tests.plugins.validating_muv import CLAVE, NUMERO, built_packages, paths_of

CUV = "ab12" * 24


@pytest.fixture
def radica(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run one command under `--json`; returns exit code and document."""
    monkeypatch.setenv("RADICA_DATABASE_URL", sqlite_url)

    def run(*words: str, stdin: str = "") -> tuple[int, Any]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = program.main(["--datos", str(tmp_path / "datos"), *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def nit(sqlite_url: str) -> str:
    database = Database(sqlite_url)
    with database.write() as session:
        found = factories.prestador(session).nit
    database.dispose()
    return found


def keep(radica: Any, nit: str, muv: Handle, clave: str = CLAVE) -> tuple[int, Any]:
    return radica("muv", "cuenta", nit, "--url", muv.url, "--documento", NUMERO, "--clave-stdin", stdin=f"{clave}\n")


def test_an_account_is_kept_off_pinned_tried_and_switched_on(
    radica, nit: str, muv: Handle, sqlite_url: str, tmp_path: Path
):
    assert radica("muv", "cuenta", nit) == (0, {"nit": nit, "cuenta": False, "activa": False})
    code, document = keep(radica, nit, muv)
    assert (code, document["activa"], document["certificado"]) == (0, False, None)
    assert CLAVE not in json.dumps(document)
    code, tried = radica("muv", "probar", nit)
    assert (code, tried["codigo"], tried["huella"]) == (1, "certificado", huella_de(muv.certificate))
    assert radica("muv", "cuenta", nit, "--fijar", "0" * 64)[0] == 2
    assert radica("muv", "cuenta", nit, "--fijar", tried["huella"])[1]["certificado"] == tried["huella"]
    code, tried = radica("muv", "probar", nit)
    assert (code, tried["bien"]) == (0, True)
    assert radica("muv", "cuenta", nit, "--enviar-s", "90", "--intentos", "3")[1]["limites"] == {
        "enviar_s": 90, "intentos": 3,
    }  # fmt: skip
    assert radica("muv", "cuenta", nit, "--enviar-s", "0")[0] == 2
    assert radica("muv", "cuenta", nit, "--prender")[1]["activa"] is True
    assert radica("muv", "cuenta", nit, "--apagar")[1]["activa"] is False
    database = Database(sqlite_url)
    with database.read() as session:
        kept = session.scalars(select(CuentaMuv.credencial_cifrada)).one()
    database.dispose()
    assert CLAVE in open_vault(load_settings({}, datos=str(tmp_path / "datos")).keys).decrypt(kept)


def test_a_question_about_a_cuv(radica, nit: str, muv: Handle):
    assert radica("muv", "consultar", CUV, "--nit", nit)[0] == 2  # no account yet
    keep(radica, nit, muv)
    radica("muv", "cuenta", nit, "--fijar", huella_de(muv.certificate))
    assert radica("muv", "consultar", "corto", "--nit", nit)[0] == 2
    code, document = radica("muv", "consultar", CUV, "--nit", nit)
    assert (code, document["valido"], document["reglas"]) == (1, False, ["CCV001"])
    assert muv.state.logins == 0


def test_an_order_is_refused_with_its_reason(radica, muv: Handle, tmp_path: Path):
    built = built_packages(1)[0]
    radica("importar", *[str(path) for path in paths_of(built, tmp_path / "paquete")])
    code, document = radica("muv", "validar", built.package.number)
    assert code == 2
    assert "apagado" in json.dumps(document, ensure_ascii=False)
    assert muv.book.received == []
