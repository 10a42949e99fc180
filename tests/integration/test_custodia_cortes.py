"""Power cut at each named point between blob and row: never a row without its blob, at worst a blob without a row."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from radica.custodia.keyring import KeyRing
from radica.custodia.models import Blob, Pieza
from radica.custodia.store import FolderStore
from radica.kernel.db import Database
from tests import factories
from tests.integration.custodia_actor import ALL_POINTS

REPOSITORY = Path(__file__).resolve().parents[2]
PLACED = ("en_su_lugar", "carpeta_sincronizada", "antes_de_la_fila", "fila_sin_confirmar", "confirmada")


def _run(url: str, folder: Path, prestador_id: int, point: str) -> int:
    command = [
        sys.executable, "-m", "tests.integration.custodia_actor", url, str(folder), str(prestador_id), "constancia", point,
    ]  # fmt: skip
    return subprocess.run(command, cwd=REPOSITORY, timeout=60, check=False, capture_output=True).returncode


@pytest.mark.parametrize("point", ALL_POINTS)
def test_a_cut_leaves_no_row_without_its_blob(db: Database, database_url: str, tmp_path: Path, point: str) -> None:
    with db.write() as session:
        provider = factories.prestador(session).id
    assert _run(database_url, tmp_path, provider, point) == -signal.SIGKILL
    root = tmp_path / "custodia"
    store = FolderStore(root, KeyRing(tmp_path / "claves", root))
    there = list(store.addresses())
    with db.read() as session:
        rows, pieces = list(session.scalars(select(Blob.sha256))), list(session.scalars(select(Pieza.sha256)))
    assert len(there) == (point in PLACED)
    assert rows == pieces == (there if point == "confirmada" else [])
    assert all(store.digest(one) == one for one in there)
    # The same again ends well, whatever was left: one blob, one row, one piece.
    assert _run(database_url, tmp_path, provider, "") == 0
    with db.read() as session:
        rows, pieces = list(session.scalars(select(Blob.sha256))), list(session.scalars(select(Pieza.sha256)))
    assert rows == pieces == list(store.addresses())
    assert store.read(rows[0]) == b"constancia"
    left = list(store.temporary.iterdir())
    assert len(left) == (point not in PLACED)
    assert all(b"constancia" not in one.read_bytes() for one in left)
    assert store.sweep(older_than_s=0, now=2**40) == len(left)
