"""What the doctor and `radica custodia claves` say of a folder and of a bucket."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from radica.app.cli import program
from radica.app.doctor.custodia import custody
from radica.app.doctor.revision import Estado, Revision
from radica.custodia.backends import open_store
from radica.custodia.keyring import MASTER_FILE
from radica.custodia.store import FolderStore
from radica.kernel.config import S3Settings, Settings, load_settings
from tests.plugins.s3 import S3Server


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load_settings({}, datos=str(tmp_path / "datos"))
    made.ensure_folders()
    return made


def _look(settings: Settings) -> dict[str, Revision]:
    return {one.nombre: one for one in custody(settings)}


def test_a_folder_is_honest_about_who_can_delete(settings: Settings) -> None:
    found = _look(settings)
    assert found["inmutabilidad"].estado is Estado.AVISO
    assert "puede borrarlos" in found["inmutabilidad"].detalle
    assert (found["permisos de lo guardado"].estado, found["cifrado del almacén"].estado) == (Estado.BIEN, Estado.BIEN)
    store = open_store(settings)
    assert isinstance(store, FolderStore)
    stored = store.put(io.BytesIO(b"acuse"))
    assert "llave de datos" in _look(settings)["cifrado del almacén"].detalle
    store.sealed_path(stored.sha256).chmod(0o644)
    loose = _look(settings)["permisos de lo guardado"]
    assert (loose.estado, "1 archivos" in loose.detalle) == (Estado.FALTA, True)


def test_clear_files_and_lost_keys_are_said(settings: Settings) -> None:
    FolderStore(settings.store).put(io.BytesIO(b"de antes"))
    assert "1 archivos de antes" in _look(settings)["cifrado del almacén"].detalle
    off = _look(replace(settings, encrypt_store=False))["cifrado del almacén"]
    assert (off.estado, "apagado" in off.detalle) == (Estado.AVISO, True)
    open_store(settings).put(io.BytesIO(b"de ahora"))
    (settings.keys / MASTER_FILE).unlink()
    lost = _look(settings)["cifrado del almacén"]
    assert (lost.estado, "falta" in lost.detalle) == (Estado.FALTA, True)
    assert "copia de las llaves" in lost.remedio


def test_a_locked_bucket_is_proved_and_a_loose_one_refused(
    settings: Settings, s3_settings: S3Settings, s3_server: S3Server
) -> None:
    proved = _look(replace(settings, s3=s3_settings))["inmutabilidad"]
    assert (proved.estado, "se negó a borrar" in proved.detalle) == (Estado.BIEN, True)
    loose = _look(replace(settings, s3=s3_server.bucket(locked=False)))["inmutabilidad"]
    assert (loose.estado, "Object Lock" in loose.detalle) == (Estado.FALTA, True)
    away = replace(s3_settings, endpoint="http://127.0.0.1:9")
    assert "no responde" in _look(replace(settings, s3=away))["inmutabilidad"].detalle


def _claves(settings: Settings, capsys: pytest.CaptureFixture[str], verb: str) -> tuple[int, dict]:
    code = program.main(["custodia", "claves", verb, "--json", "--datos", str(settings.datos)])
    return code, json.loads(capsys.readouterr().out)


def test_keys_are_listed_and_rotated_without_being_shown(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _claves(settings, capsys, "listar") == (0, {"maestra": "", "datos": []})
    store = open_store(settings)
    old = store.put(io.BytesIO(b"primero"))
    master = (settings.keys / MASTER_FILE).read_text().split()[1]
    code, before = _claves(settings, capsys, "listar")
    assert (code, len(before["datos"])) == (0, 1)
    code, after = _claves(settings, capsys, "rotar")
    assert (code, after["llaves_de_datos"], after["maestra"] != before["maestra"]) == (0, 2, True)
    assert program.main(["custodia", "claves", "listar", "--datos", str(settings.datos)]) == 0
    said = capsys.readouterr().out
    assert after["en_uso"] in said
    assert master not in said
    assert (settings.keys / MASTER_FILE).read_text().split()[1] not in said
    assert store.read(old.sha256) == b"primero"
    (settings.keys / MASTER_FILE).write_text("basura\n")
    code, refused = _claves(settings, capsys, "rotar")
    assert (code, refused["error"]["codigo"]) == (2, "llaves_de_custodia")
