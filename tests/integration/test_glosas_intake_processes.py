"""Loading in processes that are killed, and in two at once: each line once, and the notice whole in the end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from radica.glosas.models import DestinoLinea, Notificacion
from radica.kernel.db import Database
from tests.plugins.notices import Notices, row, table

REPOSITORY = Path(__file__).resolve().parents[2]


class Actor:
    """A process that loads one file, step by step."""

    def __init__(self, notices: Notices, url: str, path: Path, *, batch: int = 20) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "tests.integration.glosas_actor", url, str(notices.folder), str(path),
                str(notices.prestador.id), notices.at.isoformat(), str(batch),
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
        )  # fmt: skip

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def to_the_end(self) -> str:
        """Let it run, and return its last word."""
        out, _ = self.process.communicate("\n" * 1000, timeout=60)
        assert self.process.returncode == 0
        return out.strip().splitlines()[-1]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=60)


@pytest.fixture
def file_of_many(notices: Notices) -> Path:
    """A file of 120 objections to 12 invoices, equal ones among them, and one of no invoice."""
    rows = []
    for number in range(12):
        invoice = f"FV{700 + number}"
        notices.invoice(invoice)
        rows += [row(invoice, "100", servicio=str(n % 5)) for n in range(10)]
    path = notices.folder / "muchas.csv"
    path.write_bytes(table([*rows, row("FV1")]))
    return path


def check_whole(notices: Notices) -> None:
    (notice,) = notices.rows(Notificacion)
    assert notice.terminada_at is not None
    assert (notice.lineas, notice.nuevas, notice.sin_cruzar) == (121, 120, 1)
    assert notices.money() == (120, 120 * 10_000)
    lines = notices.lineas()
    assert len({one.fila for one in lines}) == len(lines) == 121
    held = [one.glosa_id for one in lines if one.destino is DestinoLinea.CARGADA]
    assert len(set(held)) == 120


def test_a_killed_import_is_finished_by_importing_again(notices: Notices, db: Database, file_of_many: Path) -> None:
    actor = Actor(notices, db.url, file_of_many)
    assert actor.line().startswith("lote")
    actor.go_on()
    assert actor.line().startswith("lote")
    actor.kill()
    (notice,) = notices.rows(Notificacion)
    assert notice.terminada_at is None
    assert 0 < notice.lineas < 121
    found = notices.one(file_of_many.read_bytes(), "otro nombre.csv", pagador_nit=None)
    assert not found.ya_estaba
    assert (found.nuevas, found.sin_cruzar) == (120, 1)
    check_whole(notices)


def test_two_imports_of_one_file_at_once_make_one(notices: Notices, db: Database, file_of_many: Path) -> None:
    one, other = (Actor(notices, db.url, file_of_many) for _ in range(2))
    assert one.line().startswith("lote")
    assert other.line().startswith("lote")  # both are in the middle of it
    assert one.to_the_end() == "fin 120"
    assert other.to_the_end() == "fin 120"
    check_whole(notices)


def test_two_files_that_overlap_at_once_make_each_objection_once(
    notices: Notices, db: Database, file_of_many: Path
) -> None:
    second = notices.folder / "acumulado.csv"
    second.write_bytes(file_of_many.read_bytes() + b"FV700;SO3401;900;2026-06-16;7\n")
    one, other = Actor(notices, db.url, file_of_many), Actor(notices, db.url, second)
    assert one.line().startswith("lote")
    assert other.line().startswith("lote")
    one.to_the_end()
    other.to_the_end()
    assert notices.money()[0] == 121
    assert all(one.terminada_at for one in notices.rows(Notificacion))
