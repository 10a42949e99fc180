"""The command line as a person and a script use it: words, JSON documents and exit codes, on an embedded database."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from radica.app.cli import program
from radica.audit.models import AccessLog
from radica.entidades.models import EstadoPrestador, Prestador
from radica.facturas.models import ClaveTecnica, Hallazgo, Severidad
from radica.facturas.states import EstadoFactura
from radica.kernel.db import Database
from radica.portales.credentials import open_vault
from radica.portales.models import CuentaPortal
from radica.radicacion.models import Envio
from radica.users.models import Usuario
from tests import factories

CLAVE = "tres montes bajo la lluvia"


@pytest.fixture
def radica(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run one command; returns exit code, standard output and standard error."""
    monkeypatch.setenv("RADICA_DATABASE_URL", sqlite_url)
    monkeypatch.delenv("RADICA_CLAVE", raising=False)

    def run(*words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = program.main(["--datos", str(tmp_path / "datos"), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def base(sqlite_url: str):
    """The same database, for what a command should find or have done."""
    database = Database(sqlite_url)
    yield database
    database.dispose()


def _document(out: str) -> Any:
    assert out.count("\n") == 1, "one line and nothing else on standard output"
    return json.loads(out)


def test_a_person_is_created_with_grants_and_never_twice(radica, base: Database) -> None:
    with base.write() as session:
        nit = factories.prestador(session).nit
    words = ("usuarios", "crear", "Ana@IPS.co", "--nombre", "Ana Zorvelina", "--clave-stdin", "--json")
    grants = ("--prestador", nit, "--rol", "facturacion", "--rol", "auditoria")
    code, out, _ = radica(*words, *grants, stdin=f"{CLAVE}\n")
    assert code == 0
    assert _document(out) == {
        "correo": "ana@ips.co",
        "nombre": "Ana Zorvelina",
        "activo": True,
        "accesos": [{"prestador": nit, "rol": "auditoria"}, {"prestador": nit, "rol": "facturacion"}],
    }
    with base.read() as session:
        kept = session.query(Usuario).one().clave_hash
    assert kept.startswith("$argon2id$")
    assert CLAVE not in kept

    code, out, _ = radica(*words, stdin=f"{CLAVE}\n")
    assert (code, _document(out)["error"]["codigo"]) == (2, "existe")


def test_a_weak_password_and_none_at_all_are_refused(radica, base: Database) -> None:
    words = ("usuarios", "crear", "ana@ips.co", "--nombre", "Ana Zorvelina")
    code, out, err = radica(*words, "--clave-stdin", stdin="corta\n")
    assert (code, out) == (2, "")
    assert "caracteres" in err
    code, _, err = radica(*words)
    assert code == 2
    assert "--clave-stdin" in err
    with base.read() as session:
        assert session.query(Usuario).count() == 0


def test_grants_are_given_and_taken(radica, base: Database) -> None:
    with base.write() as session:
        nit = factories.prestador(session).nit
    radica("usuarios", "crear", "ana@ips.co", "--nombre", "Ana Z", "--clave-stdin", stdin=f"{CLAVE}\n")
    change = ("usuarios", "acceso", "ana@ips.co", "--prestador", nit, "--rol", "direccion", "--json")
    code, out, _ = radica(*change)
    assert (code, _document(out)["accesos"]) == (0, [{"prestador": nit, "rol": "direccion"}])
    code, out, _ = radica(*change)
    assert (code, _document(out)["cambios"]) == (1, 0)
    code, out, _ = radica(*change, "--quitar")
    assert (code, _document(out)["accesos"]) == (0, [])


def test_a_provider_is_confirmed_once(radica, base: Database) -> None:
    with base.write() as session:
        row = factories.prestador(session)
        nit, row_id = row.nit, row.id
        session.execute(
            Prestador.__table__.update().where(Prestador.id == row_id).values(estado=EstadoPrestador.POR_CONFIRMAR)
        )
    code, out, _ = radica("prestadores", "confirmar", nit, "--json")
    assert (code, _document(out)["estado"], _document(out)["cambio"]) == (0, "activo", True)
    code, out, _ = radica("prestadores", "confirmar", nit, "--json")
    assert (code, _document(out)["cambio"]) == (0, False)
    with base.read() as session:
        assert [one.action for one in session.query(AccessLog)] == ["confirmar_prestador"]
    code, _, err = radica("prestadores", "confirmar", "999")
    assert code == 2
    assert "999" in err


def test_a_portal_password_is_kept_only_encrypted(radica, base: Database, tmp_path: Path) -> None:
    with base.write() as session:
        nit, payer = factories.prestador(session).nit, factories.pagador(session).nit
    words = ["portales", "agregar", "--prestador", nit, "--pagador", payer, "--arquetipo", "p2_cuentas_medicas"]
    words += ["--url", "https://portal.example", "--usuario", "u1", "--clave-stdin", "--asentamiento-s", "3"]
    code, out, err = radica(*words, "--json", stdin="secreto-del-portal\n")
    assert code == 0
    assert "secreto-del-portal" not in out + err
    assert _document(out)["asentamiento_s"] == 3
    with base.read() as session:
        kept = session.query(CuentaPortal).one().clave_cifrada
    assert b"secreto" not in kept
    assert open_vault(tmp_path / "datos" / "claves").decrypt(kept) == "secreto-del-portal"
    code, out, _ = radica(*words, "--json", stdin="secreto-del-portal\n")
    assert (code, _document(out)["error"]["codigo"]) == (2, "existe")


def test_estado_tells_the_story_and_asks_when_the_number_is_of_several(radica, base: Database) -> None:
    with base.write() as session:
        payer = factories.pagador(session, nombre="EPS Sabana Verde")
        one, two = factories.prestador(session), factories.prestador(session)
        row = factories.factura(session, one, payer, numero="FE10234", valor=9_060_050, estado=EstadoFactura.NO_LISTA)
        factories.factura(session, two, payer, numero="FE10234")
        session.add(
            Hallazgo(
                prestador_id=one.id,
                factura_id=row.id,
                codigo="CUV-FALTA",
                severidad=Severidad.BLOQUEO,
                lugar="CUV",
                mensaje="Falta el CUV.",
                que_hacer="Cárguelo.",
                at=factories.NOW,
            )
        )
        nits = sorted([one.nit, two.nit])
        nit = one.nit
    code, out, _ = radica("estado", "fe-0010234", "--json")
    assert code == 2
    error = _document(out)["error"]
    assert error["codigo"] == "ambiguo"
    assert [item["nit_prestador"] for item in error["candidatas"]] == nits

    code, out, _ = radica("estado", "10234", "--nit", nit, "--json")
    assert code == 0
    document = _document(out)
    assert document == {
        "numero": "FE10234",
        "nit_prestador": nit,
        "pagador": "EPS Sabana Verde",
        "nit_pagador": document["nit_pagador"],
        "estado": "no_lista",
        "valor": "90600.50",
        "radicado": None,
        "fecha_radicacion": None,
        "nivel_prueba": 0,
        "plazos": [{"termino": "RAD-01", "vence": "2026-12-23"}],
        "hallazgos": [
            {
                "codigo": "CUV-FALTA",
                "severidad": "bloqueo",
                "lugar": "CUV",
                "mensaje": "Falta el CUV.",
                "que_hacer": "Cárguelo.",
            }
        ],
        "evidencias": [],
    }
    code, out, _ = radica("estado", "NADA9", "--json")
    assert (code, _document(out)["error"]["codigo"]) == (2, "no_encontrado")


def test_radicar_orders_what_is_ready_and_says_all_reasons_of_the_rest(radica, base: Database, tmp_path: Path) -> None:
    with base.write() as session:
        payer, by_hand = factories.pagador(session), factories.pagador(session)
        provider = factories.prestador(session)
        ready = factories.factura(session, provider, payer).numero
        factories.factura(session, provider, by_hand)
        blocked = factories.factura(session, provider, payer, estado=EstadoFactura.NO_LISTA).numero
        nit, payer_nit = provider.nit, payer.nit
    words = ["portales", "agregar", "--prestador", nit, "--pagador", payer_nit, "--arquetipo", "p2_cuentas_medicas"]
    radica(*words, "--url", "https://portal.example", "--usuario", "u1", "--clave-stdin", stdin="clave-portal\n")

    code, out, _ = radica("radicar", "--pendientes", "--json")
    document = _document(out)
    assert code == 0
    assert [(one["facturas"], one["canal"], one["ronda"]) for one in document["envios"]] == [([ready], "bot", 1)]

    code, out, _ = radica("radicar", "--pendientes", "--json")
    assert (code, _document(out)) == (0, {"envios": [], "rechazos": []})

    code, out, _ = radica("radicar", "--factura", blocked, "--json")
    assert code == 1
    assert _document(out)["rechazos"] == [{"factura": blocked, "motivos": ["La factura está «no lista»."]}]
    with base.read() as session:
        assert session.query(Envio).count() == 1


def test_nothing_of_an_unconfirmed_provider_is_filed(radica, base: Database) -> None:
    with base.write() as session:
        provider = factories.prestador(session)
        number = factories.factura(session, provider, factories.pagador(session)).numero
        session.execute(
            Prestador.__table__.update().where(Prestador.id == provider.id).values(estado=EstadoPrestador.POR_CONFIRMAR)
        )
    code, out, _ = radica("radicar", "--factura", number, "--json")
    assert (code, _document(out)["error"]["codigo"]) == (2, "prestador_por_confirmar")
    with base.read() as session:
        assert session.query(Envio).count() == 0


def test_the_embedded_database_comes_to_be_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RADICA_DATABASE_URL", raising=False)
    datos = tmp_path / "nueva"
    assert program.main(["usuarios", "listar", "--json", "--datos", str(datos)]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"usuarios": []}
    assert (datos / "radica.sqlite").stat().st_size > 0
    assert program.main(["bd", "migrar", "--json", "--datos", str(datos)]) == 0
    assert json.loads(capsys.readouterr().out)["cambio"] is False


def test_a_database_of_another_schema_is_left_alone(radica, base: Database) -> None:
    with base.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    code, out, _ = radica("usuarios", "listar", "--json")
    assert (code, _document(out)["error"]["codigo"]) == (2, "base_sin_migrar")


def test_a_server_that_does_not_answer_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RADICA_DATABASE_URL", "postgresql://nadie:nada@127.0.0.1:1/nada")
    code = program.main(["usuarios", "listar", "--json", "--datos", str(tmp_path)])
    error = json.loads(capsys.readouterr().out)["error"]
    assert (code, error["codigo"]) == (2, "base_inaccesible")
    assert "nada@" not in json.dumps(error)


def test_migrating_and_listing_work_on_both_databases(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RADICA_DATABASE_URL", database_url)
    assert program.main(["bd", "migrar", "--json", "--datos", str(tmp_path / "d")]) == 0
    assert program.main(["prestadores", "listar", "--json", "--datos", str(tmp_path / "d")]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert json.loads(first)["cambio"] is False
    assert json.loads(second) == {"prestadores": []}
    program.main(["doctor", "--json", "--datos", str(tmp_path / "d")])
    found = {one["nombre"]: one for one in json.loads(capsys.readouterr().out)["revisiones"]}
    assert found["base de datos"]["estado"] == "bien"
    kind = "fsync" if database_url.startswith("postgresql") else "WAL"
    assert kind in found["durabilidad"]["detalle"]


def test_the_doctor_names_what_is_missing_and_how_to_mend_it(radica, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("RADICA_CHROMIUM", str(tmp_path / "no-hay"))
    keys = tmp_path / "datos" / "claves"
    keys.mkdir(parents=True)
    (keys / "web.key").write_bytes(b"x")
    (keys / "web.key").chmod(0o644)
    code, out, _ = radica("doctor", "--json")
    found = {one["nombre"]: one for one in _document(out)["revisiones"]}
    assert code == 1
    assert found["navegador"]["estado"] == "falta"
    assert "chromium-headless-shell" in found["navegador"]["remedio"]
    assert found["llaves"]["estado"] == "falta"
    assert "chmod 600" in found["llaves"]["remedio"]
    assert found["base de datos"]["estado"] == "bien"
    assert found["durabilidad"]["estado"] == "bien"


def test_what_nobody_foresaw_becomes_a_number_and_a_line_of_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    settings = program.load_settings({"RADICA_DATOS": str(tmp_path)})
    hook = program.incident_hook(settings, as_json=True)
    error = ValueError("paciente 1023456789")
    with pytest.raises(SystemExit) as end:
        hook(ValueError, error, None)
    assert end.value.code == 2
    said = json.loads(capsys.readouterr().out)["error"]
    assert said["codigo"] == "incidente"
    log = (tmp_path / "logs" / "incidentes.log").read_text()
    number = said["mensaje"].split("incidente ")[1][:8]
    assert number in log
    assert "1023456789" not in log + json.dumps(said)


def test_a_data_folder_that_cannot_be_one_is_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "archivo"
    taken.write_text("x")
    for folder in (taken, taken / "dentro"):
        assert program.main(["usuarios", "listar", "--json", "--datos", str(folder)]) == 2
        assert json.loads(capsys.readouterr().out)["error"]["codigo"] == "carpeta_mala"


def test_a_technical_key_comes_by_stdin_and_is_kept_encrypted(radica, base: Database) -> None:
    key = "a1b2c3d4" * 5
    with base.write() as session:
        nit = factories.prestador(session).nit
    words = ["prestadores", "clave-tecnica", nit, "--resolucion", "18760000000001", "--prefijo", "fe"]
    words += ["--desde", "1", "--hasta", "5000"]
    code, out, err = radica(*words, "--clave-stdin", "--json", stdin=f"{key}\n")
    assert (code, _document(out)["nueva"], _document(out)["facturas_revisadas"]) == (0, True, 0)
    assert key not in out + err
    code, out, _ = radica(*words, "--clave-stdin", "--json", stdin=f"{key}\n")
    assert (code, _document(out)["nueva"]) == (0, False)
    with base.read() as session:
        kept = session.query(ClaveTecnica).one()
        assert [one.action for one in session.query(AccessLog)] == ["guardar_clave_tecnica"] * 2
    assert (kept.prefijo, key.encode() in kept.clave_cifrada) == ("FE", False)
    code, _, err = radica(*words)
    assert (code, "--clave-stdin" in err) == (2, True)
    code, _, err = radica(*words, "--clave-stdin", stdin="corta\n")
    assert (code, "corta" in err) == (2, False)
