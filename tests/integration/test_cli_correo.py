"""`radica glosas buzones`, `correo` and `resumen` as a person and a script use them, with a real IMAP server."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from radica.app.cli import program
from radica.kernel.clock import civil_date, system_clock
from radica.kernel.db import Database
from radica.users.models import Rol
from radica.users.services import create_user, grant
from tests import factories, glosas_seed
from tests.integration.test_glosas_mailbox import CSV, mail
from tests.plugins.mail import PASSWORD, USER, Imap

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def radica(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run one command; returns exit code, standard output and standard error."""
    monkeypatch.setenv("RADICA_DATABASE_URL", sqlite_url)

    def run(*words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = program.main(["--datos", str(tmp_path / "datos"), "glosas", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def base(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    yield database
    database.dispose()


def add(radica: Run, nit: str, imap: Imap, password: str = PASSWORD) -> tuple[int, str, str]:
    return radica(
        "buzones", "agregar", nit, "--servidor", "127.0.0.1", "--puerto", str(imap.puerto), "--seguridad", "ninguna",
        "--usuario", USER, "--carpeta", imap.carpeta, "--clave-stdin", "--json", stdin=f"{password}\n",
    )  # fmt: skip


def test_a_mailbox_is_added_read_and_listed(radica: Run, base: Database, imap: Imap) -> None:
    with base.write() as session:
        nit = factories.prestador(session).nit
    code, out, err = add(radica, nit, imap)
    document = json.loads(out)
    assert (code, document["prestador"], document["activo"], document["fallo"]) == (0, nit, True, None)
    assert PASSWORD not in out + err
    imap.entregar(mail("Glosas FC1", name="g.csv", data=CSV.encode()), system_clock() - timedelta(hours=1))
    code, out, _ = radica("correo", "--json")
    one = json.loads(out)["buzones"][0]
    assert (code, one["nuevos"], one["por_importar"], one["fallo"]) == (0, 1, 1, None)
    code, out, _ = radica("correo", "--prestador", nit)
    assert (code, "0 nuevos" in out) == (0, True)
    code, out, _ = radica("buzones", "listar")
    assert (code, "al día" in out, PASSWORD in out) == (0, True, False)


def test_a_wrong_password_is_exit_two_and_stays_visible(radica: Run, base: Database, imap: Imap) -> None:
    with base.write() as session:
        nit = factories.prestador(session).nit
    add(radica, nit, imap, "equivocada")
    code, out, _ = radica("correo")
    assert code == 2
    assert "no acepta el usuario o la clave" in out
    code, out, _ = radica("buzones", "listar", "--json")
    assert (code, json.loads(out)["buzones"][0]["activo"]) == (1, False)
    assert radica("correo")[:2] == (0, "No hay buzones activos.\n")


def test_unknown_provider_and_person_are_refused(radica: Run, base: Database, imap: Imap) -> None:
    assert add(radica, "800000000", imap)[0] == 2
    assert radica("correo", "--prestador", "800000000")[0] == 2
    assert radica("resumen", "nadie@x.example")[0] == 2


def test_a_person_sees_the_digest_and_chooses_hours(radica: Run, base: Database) -> None:
    now = datetime.now(UTC)
    with base.write() as session:
        provider = factories.prestador(session).id
        user = create_user(session, correo="ana@x.example", nombre="Ana", clave_hash="x", at=now)
        grant(session, usuario_id=user.id, prestador_id=provider, roles=[Rol.GLOSAS], actor="x", at=now)
        glosas_seed.objected(session, glosas_seed.filed_invoice(session, provider)).vence = civil_date(now)
    code, out, _ = radica("resumen", "ana@x.example", "--horas", "14:00, 06:30", "--json")
    document = json.loads(out)
    assert (code, document["horas"]) == (0, ["06:30", "14:00"])
    assert "vence hoy" in document["asunto"]
    assert "TA0801" in document["texto"]
    code, out, _ = radica("resumen", "ana@x.example", "--horas", "ninguna")
    assert (code, "no recibe resumen" in out) == (0, True)
    assert radica("resumen", "ana@x.example", "--horas", "las siete")[0] == 2
