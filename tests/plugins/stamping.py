"""A time-stamping authority on loopback: the simulated one, whose tokens are pyHanko's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bots.simulador.tsa import Handle, start
from radica.kernel.config import Settings, TsaSettings, load_settings


@pytest.fixture(scope="session")
def tsa_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the authority's keys, made once."""
    return tmp_path_factory.mktemp("autoridad")


@pytest.fixture
def tsa(tsa_folder: Path) -> Iterator[Handle]:
    """A running authority; every test gets it well-behaved."""
    with start(tsa_folder) as running:
        yield running


@pytest.fixture
def tsa_settings(tsa: Handle) -> TsaSettings:
    """How the house is told of it: its root is trusted."""
    return TsaSettings(name="una", url=tsa.url, anchors=tsa.anchors, accredited=False)


@pytest.fixture
def stamped_house(tmp_path: Path, tsa_settings: TsaSettings) -> Settings:
    """Settings of a house with that authority."""
    return replace(load_settings({}, datos=str(tmp_path / "datos")), tsa=(tsa_settings,))
