"""CUPS and CIE-10 of the house: versions in custody, the last one rules, the same file again adds nothing."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError

from radica.app.cli import program
from radica.custodia.keyring import KeyRing
from radica.custodia.models import Blob
from radica.custodia.store import FolderStore
from radica.facturas.catalogos import cargar_catalogo, catalogos_de_casa
from radica.facturas.validacion.tablas import VACIOS
from radica.facturas.validacion_models import CatalogoCargado
from radica.kernel.db import Database
from radica.kernel.errors import BadInput

NOW = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
CUPS = "Codigo,Nombre,Habilitado,Extra_I:UsoCodigoCUP,Extra_IX:Cobertura,Fecha_Actualizacion\n"
FIRST = CUPS + "890201,CONSULTA,SI,AC,01,2025-05-03 01:47:52 PM\n"
SECOND = CUPS + "890201,CONSULTA,SI,AC,01,2026-02-01 01:00:00 PM\n890202,OTRA,SI,AC,01,2025-05-03 01:47:52 PM\n"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "custodia", KeyRing(tmp_path / "claves", tmp_path / "custodia"))


def _file(folder: Path, text: str, name: str = "tabla.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_newer_version_rules_and_the_older_one_stays(db: Database, store: FolderStore, tmp_path: Path) -> None:
    with db.read() as session:
        assert catalogos_de_casa(session, store) is VACIOS
    first = cargar_catalogo(db, store, "cups", _file(tmp_path, FIRST), actor="ana", at=NOW)
    assert (first.filas, first.version, first.nueva, first.rige) == (1, "2025-05-03", True, True)
    with db.read() as session:
        before = catalogos_de_casa(session, store)
    assert before.cups is not None
    assert set(before.cups) == {"890201"}
    assert before.cie10 is None
    second = cargar_catalogo(db, store, "cups", _file(tmp_path, SECOND), actor="ana", at=NOW)
    assert (second.version, second.rige) == ("2026-02-01", True)
    again = cargar_catalogo(db, store, "cups", _file(tmp_path, FIRST), actor="luz", at=NOW)
    assert (again.nueva, again.rige, again.sha256) == (False, False, first.sha256)
    with db.read() as session:
        now, twice = catalogos_de_casa(session, store), catalogos_de_casa(session, store)
        rows = list(session.scalars(select(CatalogoCargado).order_by(CatalogoCargado.id)))
        blobs = {blob.sha256 for blob in session.scalars(select(Blob))}
    assert now.cups is not None
    assert set(now.cups) == {"890201", "890202"}
    assert now.cups is twice.cups, "read once per version"
    assert now.versiones == {"cups": "2026-02-01"}
    assert [(row.sha256, row.cargado_por) for row in rows] == [(first.sha256, "ana"), (second.sha256, "ana")]
    assert blobs == {first.sha256, second.sha256}
    assert store.read(first.sha256) == FIRST.encode()


def test_another_file_is_refused_and_nothing_is_kept(db: Database, store: FolderStore, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="extra_i"):
        cargar_catalogo(db, store, "cups", _file(tmp_path, "Codigo,Nombre\nA000,COLERA\n"), actor="ana", at=NOW)
    with pytest.raises(BadInput, match="No se puede leer"):
        cargar_catalogo(db, store, "cie10", tmp_path / "no-hay.csv", actor="ana", at=NOW)
    with db.read() as session:
        assert session.scalar(select(CatalogoCargado)) is None
    assert list(store.addresses()) == []


def test_a_version_is_only_added(db: Database, store: FolderStore, tmp_path: Path) -> None:
    cargar_catalogo(db, store, "cups", _file(tmp_path, FIRST), actor="ana", at=NOW)
    with pytest.raises(DBAPIError), db.write() as session:
        session.execute(delete(CatalogoCargado))


@pytest.fixture
def radica(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run one command; returns exit code, standard output and standard error."""
    monkeypatch.setenv("RADICA_DATABASE_URL", sqlite_url)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    def run(*words: str) -> tuple[int, str, str]:
        code = program.main(["--datos", str(tmp_path / "datos"), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_command_loads_says_so_again_and_refuses(radica: Any, tmp_path: Path) -> None:
    path = str(_file(tmp_path, "Codigo;Nombre\nA000;CÓLERA\nJ189;NEUMONÍA\n"))
    code, out, _ = radica("catalogo", "cargar", "cie10", path)
    assert code == 0
    assert "2 códigos" in out
    code, out, _ = radica("catalogo", "cargar", "cie10", path, "--json")
    document = json.loads(out)
    assert (code, document["nombre"], document["filas"], document["nueva"], document["rige"]) == (
        0, "cie10", 2, False, True,
    )  # fmt: skip
    code, out, err = radica("catalogo", "cargar", "cups", path)
    assert (code, out) == (2, "")
    assert "no es la tabla CUPS" in err
    assert "Traceback" not in err
