"""A small bag with its proofs, for the tests of the offline verifier, and what people do with it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bots.simulador.tsa import State
from radica.prejuridico.bolsa import HISTORIA
from radica.prejuridico.pruebas import TokenProbado
from radica.prejuridico.verificador.verificar import verificar
from tests import bolsa_muestra as muestra
from tests.bolsa_muestra import Muestra

PRUEBA = "sellos/prueba.json"
FILES = [
    "LEEME.txt", "bag-info.txt", "bagit.txt", "verificar.py",
    "manifest-sha256.txt", "manifest-sha512.txt", "tagmanifest-sha256.txt", "tagmanifest-sha512.txt",
    "data/03_facturas/01Factura.xml", "data/06_radicacion/01Acuse.pdf", HISTORIA,
    PRUEBA, "sellos/sello-1.txt", "sellos/sello-1-1.tsr", "sellos/sello-2.txt", "sellos/sello-2-1.tsr",
    "sellos/autoridad-1.raiz.pem", "sellos/autoridad-1.cadena.pem",
]  # fmt: skip


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    return muestra.autoridad(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, state: State) -> Muestra:
    return muestra.make(tmp_path_factory.mktemp("bolsa") / "expediente-3", state)


@pytest.fixture
def sample(original: Muestra, tmp_path: Path) -> Muestra:
    """A copy, in another place."""
    folder = tmp_path / "otra máquina" / "expediente-3"
    shutil.copytree(original.folder, folder)
    bag = muestra.replace(original.bag, folder=folder)
    return Muestra(bag, original.leaves, original.sizes)


@pytest.fixture
def folder(sample: Muestra) -> Path:
    return sample.folder


@pytest.fixture
def no_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found without it, it cannot undo; and asking it takes most of the time."""
    monkeypatch.setenv("PATH", "")


def verdict(folder: Path, *anclas: str) -> str:
    return verificar(folder, anclas).veredicto()


def named(folder: Path) -> str:
    """Everything that the findings say, as one text."""
    return json.dumps(verificar(folder).hallazgos, ensure_ascii=False)


def run(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", *map(str, arguments)],
        capture_output=True, encoding="utf-8", timeout=60, check=False, **options,
    )  # fmt: skip


def edit_proof(folder: Path, change: Callable[[Any], None]) -> None:
    """Change prueba.json and hide it from the tag manifests."""
    proof = json.loads((folder / PRUEBA).read_bytes())
    change(proof)
    (folder / PRUEBA).write_text(json.dumps(proof), encoding="utf-8")
    muestra.retag(folder)


def flip(path: Path, _: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def stamps_of(folder: Path) -> Callable[[bytes, int], TokenProbado]:
    """The tokens that the bag has: whoever has no authority can only put them back."""
    chain = b"".join((folder / f"sellos/autoridad-1.{one}.pem").read_bytes() for one in ("cadena", "raiz")).decode()
    ders = {9: (folder / "sellos/sello-1-1.tsr").read_bytes(), 5: (folder / "sellos/sello-2-1.tsr").read_bytes()}
    return lambda _, size: TokenProbado("demo", ders[size], chain, acreditada=False)
