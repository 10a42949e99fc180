"""The demonstration minds its folder, and counts what the payers' ledgers say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from radica.app.demo.check import Submits, by_invoice
from radica.app.demo.sellos import environment_of
from radica.app.demo.show import MARK, claim_folder, settings_for
from radica.kernel.config import TsaSettings, load_settings
from radica.kernel.errors import BadInput

HOY = date(2026, 11, 20)


def _claim(folder: Path, *, seed: int = 7, packages: int = 10, today: date = HOY) -> None:
    claim_folder(folder, seed=seed, packages=packages, today=today)


def test_a_new_folder_is_marked_and_recognised_again(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    _claim(folder)
    assert (folder / MARK).exists()
    (folder / "radica.sqlite").write_bytes(b"")
    _claim(folder)


@pytest.mark.parametrize("other", [{"seed": 8}, {"packages": 11}, {"today": date(2026, 11, 21)}])
def test_another_demonstration_is_left_alone(tmp_path: Path, other: dict) -> None:
    _claim(tmp_path / "demo")
    with pytest.raises(BadInput, match="otra semilla"):
        _claim(tmp_path / "demo", **other)


def test_real_data_is_never_mixed_with_the_demonstration(tmp_path: Path) -> None:
    (tmp_path / "radica.sqlite").write_bytes(b"real")
    with pytest.raises(BadInput, match="no se mezcla"):
        _claim(tmp_path)
    assert not (tmp_path / MARK).exists()


def test_a_configured_team_database_is_not_used(tmp_path: Path) -> None:
    settings = load_settings({"RADICA_DATABASE_URL": "postgresql://equipo/radica"}, datos=str(tmp_path))
    assert settings_for(settings, tmp_path / "demo").database_url == f"sqlite:///{tmp_path / 'demo' / 'radica.sqlite'}"


def test_its_processes_see_its_own_authority_and_nothing_of_the_real_house(tmp_path: Path) -> None:
    real = {"RADICA_ALMACEN": "s3://cubo", "RADICA_SELLOS_CORREO": "a@b.co", "RADICA_TSA": "otra=https://otra"}
    settings = settings_for(load_settings(real, datos=str(tmp_path)), tmp_path / "demo")
    assert (settings.s3, settings.tsa) == (None, ())
    authority = TsaSettings("demostracion", "http://127.0.0.1:1/", tmp_path / "anclas" / "demostracion.pem", False)
    given = environment_of(replace(settings, tsa=(authority,), seal_mail=None), {**real, "PATH": "/bin"})
    assert given == {
        "PATH": "/bin",
        "RADICA_TSA": "demostracion=http://127.0.0.1:1/",
        "RADICA_TSA_ANCLAS": str(tmp_path / "anclas"),
    }


def test_submits_are_counted_by_provider_and_invoice() -> None:
    rows = [
        {"provider_nit": "1", "invoice": "FE1", "accepted": True, "radicado": "RAD-1"},
        {"provider_nit": "1", "invoice": "FE1", "accepted": False, "radicado": None},
        {"provider_nit": "2", "invoice": "FE1", "accepted": True, "radicado": "RAD-2"},
    ]
    assert by_invoice(rows) == {("1", "FE1"): Submits(2, 1, ("RAD-1",)), ("2", "FE1"): Submits(1, 1, ("RAD-2",))}
