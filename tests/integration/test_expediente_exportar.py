"""A dossier from its order to the bag in custody: whole, sealed, logged, verifiable, and the same again."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import bagit
import pikepdf
import pytest

from radica.app.house import House
from radica.kernel.config import TsaSettings
from radica.prejuridico.states import EstadoExpediente
from tests.expediente_seed import Caso, make_caso
from tests.plugins import filing


@pytest.fixture
def hands(sqlite_url: str, tmp_path: Path, tsa_settings: TsaSettings) -> Iterator[House]:
    """A worker's house on SQLite with an authority of time."""
    made = filing.house_on(sqlite_url, tmp_path)
    yield replace(made, settings=replace(made.settings, tsa=(tsa_settings,)))
    made.db.dispose()


@pytest.fixture
def caso(hands: House) -> Caso:
    return make_caso(hands)


def unpack(caso: Caso, expediente_id: int, folder: Path) -> Path:
    """Take the bag out of custody."""
    row = caso.row(expediente_id)
    assert row.bolsa_sha256 is not None, row.problema
    with caso.house.store.local(row.bolsa_sha256) as path, zipfile.ZipFile(path) as packed:
        packed.extractall(folder)
    (bag,) = folder.iterdir()
    return bag


def test_a_dossier_is_made_and_its_bag_verifies_on_a_bare_python(caso: Caso, tmp_path: Path) -> None:
    expediente = caso.order()
    caso.work()
    row = caso.row(expediente)
    assert row.estado is EstadoExpediente.LISTO, row.problema
    bag = unpack(caso, expediente, tmp_path / "fuera")
    bagit.Bag(str(bag)).validate()
    said = subprocess.run(
        [sys.executable, "-I", "-S", str(bag / "verificar.py"), "--json"], capture_output=True, text=True, check=False
    )
    verdict = json.loads(said.stdout)
    assert (said.returncode, verdict["veredicto"]) == (0, "VÁLIDA"), said.stdout
    assert row.resumen["documentos"] > 20
    with pikepdf.open(bag / "data" / "ExpedienteCompleto.pdf") as pdf:
        assert len(pdf.pages) == row.resumen["folios"]
