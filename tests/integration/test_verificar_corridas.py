"""How a verification runs: killed and taken up, on a budget night after night, with the store away, within a scope."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bots.simulador.tsa import start as start_authority
from radica.app.cli.program import main
from radica.app.handlers.verificacion import next_blob, scope_of_invoice, tell_grave
from radica.custodia.backends import open_store
from radica.custodia.check_models import EstadoVerificacion, TipoHallazgo
from radica.custodia.models import Blob
from radica.custodia.sellos import last_seal, sello_line
from radica.custodia.store import Store
from radica.custodia.tsa import stamp_pending
from radica.custodia.verificar import NOCTURNA, Medios, findings, means_of, run, start, unfinished
from radica.custodia.verificar_base import Alcance
from radica.facturas.models import Factura
from radica.kernel.clock import fixed_clock
from radica.kernel.config import S3Settings, Settings, load_settings
from radica.kernel.db import Database
from radica.kernel.errors import NotFound, RadicaError, Unavailable
from radica.users.models import Tarea
from tests.factories import NOW
from tests.plugins.custody import Custody
from tests.plugins.s3 import READY_S, S3Server

KILLED = """
import os, signal, sys
from pathlib import Path
import radica.app.tables
from radica.custodia.keyring import KeyRing
from radica.custodia.store import FolderStore
from radica.custodia.verificar import run
from radica.kernel.clock import system_clock
from radica.kernel.db import Database

url, root, number, stage = sys.argv[1:]

def progress(done, of, name):
    if name == stage:
        os.kill(os.getpid(), signal.SIGKILL)

store = FolderStore(Path(root) / "custodia", KeyRing(Path(root) / "claves", Path(root) / "custodia"))
run(Database(url), store, int(number), clock=system_clock, progress=progress)
"""


@pytest.mark.parametrize("stage", ["cadenas", "filas", "blobs"])
def test_killed_at_a_stage_it_goes_on_and_counts_nothing_twice(custody: Custody, stage: str) -> None:
    (custody.store.sealed_path(custody.hashes[0])).unlink()
    custody.by_hand("UPDATE facturas SET estado = 'lista' WHERE id = ?", custody.facturas[0])
    number = start(custody.db, Alcance(), origen=NOCTURNA, actor="prueba", at=NOW)
    command = [sys.executable, "-c", KILLED, custody.db.url, str(custody.store.root.parent), str(number), stage]
    assert subprocess.run(command, check=False, timeout=120).returncode == -9
    with custody.db.read() as session:
        assert unfinished(session, Alcance(), origen=NOCTURNA) == number
    ended = run(custody.db, custody.store, number, clock=fixed_clock(NOW))
    assert ended.estado is EstadoVerificacion.TERMINADA
    whole, found = custody.verify()
    assert ended.cuentas == whole.cuentas
    assert custody.found(number) == found
    with pytest.raises(NotFound, match="ya terminó"):
        run(custody.db, custody.store, number, clock=fixed_clock(NOW))


def test_nights_on_a_budget_go_round_the_store(custody: Custody) -> None:
    hashes = sorted(custody.hashes)
    seen = []
    for _ in range(4):
        with custody.db.read() as session:
            scope = Alcance(tras_blob=next_blob(session))
        number = start(custody.db, scope, origen=NOCTURNA, actor="reloj", at=NOW)
        ended = run(custody.db, custody.store, number, clock=fixed_clock(NOW), budget_bytes=1, partial=True)
        assert ended.estado is EstadoVerificacion.TERMINADA
        assert ended.cuentas["cadenas"] == 4  # the whole history every night
        with custody.db.read() as session:
            seen.append((scope.tras_blob, ended.cuentas.get("blobs", 0), next_blob(session)))
    assert seen == [("", 1, hashes[0]), (hashes[0], 1, hashes[1]), (hashes[1], 1, hashes[2]), (hashes[2], 0, "")]


def test_a_persons_budget_pauses_and_the_next_run_goes_on(custody: Custody) -> None:
    number = start(custody.db, Alcance(), origen=NOCTURNA, actor="prueba", at=NOW)
    paused = run(custody.db, custody.store, number, clock=fixed_clock(NOW), budget_bytes=1)
    assert (paused.estado, paused.cuentas["blobs"]) == (EstadoVerificacion.PAUSADA, 1)
    ended = run(custody.db, custody.store, number, clock=fixed_clock(NOW))
    assert (ended.estado, ended.cuentas["blobs"], ended.limpia) == (EstadoVerificacion.TERMINADA, 3, True)


def test_what_no_row_names_is_a_note_and_stays(custody: Custody) -> None:
    stray = custody.store.put(io.BytesIO(b"sin fila"))
    ended, found = custody.verify()
    assert found == [("huerfano", "nota", f"blob:{stray.sha256}")]
    assert ended.limpia
    assert custody.store.exists(stray.sha256)


def test_a_folder_in_a_blobs_place_is_named_and_the_rest_goes_on(custody: Custody) -> None:
    path = custody.store.sealed_path(custody.hashes[0])
    data = path.read_bytes()
    path.unlink()
    path.mkdir()
    try:
        ended, found = custody.verify()
    finally:
        path.rmdir()
        path.write_bytes(data)
    assert found == [("alterado", "grave", f"blob:{custody.hashes[0]}")]
    assert (ended.estado, ended.cuentas["blobs"]) == (EstadoVerificacion.TERMINADA, 3)
    assert custody.verify()[1] == []


# --- Scope -----------------------------------------------------------------------------------------------------------


def test_the_scope_of_an_invoice_finds_its_own_and_nothing_else(custody: Custody) -> None:
    for number in custody.facturas[:2]:
        custody.by_hand("UPDATE facturas SET estado = 'lista' WHERE id = ?", number)
    custody.store.sealed_path(custody.hashes[1]).unlink()
    with custody.db.read() as session:
        scope = scope_of_invoice(session, session.get_one(Factura, custody.facturas[0]))
    assert scope.hashes == (custody.hashes[0],)
    ended, found = custody.verify(scope)
    assert found == [("alterado", "grave", f"factura:{custody.facturas[0]}")]
    assert (ended.cuentas["cadenas"], ended.cuentas["blobs"], "direcciones" in ended.cuentas) == (1, 1, False)


def test_since_a_day_leaves_out_what_was_before(custody: Custody) -> None:
    custody.store.sealed_path(custody.hashes[0]).unlink()
    _, late = custody.verify(Alcance(desde=NOW + timedelta(days=3650)))
    assert late == []
    _, found = custody.verify(Alcance(desde=NOW - timedelta(days=1)))
    assert found == [("faltante", "grave", f"blob:{custody.hashes[0]}")]


# --- Time stamps and what was published ------------------------------------------------------------------------------


@pytest.fixture
def stamped(custody: Custody, stamped_house: Settings) -> Settings:
    """Two seals with a token each."""
    stamp_pending(custody.db, stamped_house, fixed_clock(NOW))
    custody.move(custody.facturas[0])
    stamp_pending(custody.db, stamped_house, fixed_clock(NOW))
    return stamped_house


def stamps(custody: Custody, settings: Settings) -> list[tuple[str, str, str]]:
    number = start(custody.db, Alcance(), origen=NOCTURNA, actor="prueba", at=NOW)
    ended = run(custody.db, custody.store, number, clock=fixed_clock(NOW), medios=means_of(settings))
    assert ended.cuentas["tokens"] == 2
    return custody.found(number)


def test_swapped_tokens_are_both_found(custody: Custody, stamped: Settings) -> None:
    assert stamps(custody, stamped) == []
    custody.by_hand("UPDATE tokens_tiempo SET sello_id = 3 - sello_id, tsa = 'x' WHERE id = 1")
    custody.by_hand("UPDATE tokens_tiempo SET sello_id = 3 - sello_id WHERE id = 2")
    custody.by_hand("UPDATE tokens_tiempo SET tsa = 'una' WHERE id = 1")
    assert stamps(custody, stamped) == [
        ("sello_invalido", "grave", "token:1"), ("sello_invalido", "grave", "token:2"),
    ]  # fmt: skip


def test_a_token_at_another_hour_than_its_row_is_found(custody: Custody, stamped: Settings) -> None:
    custody.by_hand("UPDATE tokens_tiempo SET serie = 'ff00' WHERE id = 1")
    assert stamps(custody, stamped) == [("sello_invalido", "grave", "token:1")]


def test_an_authority_that_we_do_not_trust_does_not_count(custody: Custody, stamped: Settings, tmp_path: Path) -> None:
    foreign = tmp_path / "ajena.pem"
    with start_authority(tmp_path / "ajena") as running:
        foreign.write_bytes(running.anchors.read_bytes())
    settings = replace(stamped, tsa=(replace(stamped.tsa[0], anchors=foreign),))
    assert [one[2] for one in stamps(custody, settings)] == ["token:1", "token:2"]


def test_a_seal_that_differs_from_what_was_published_is_found(custody: Custody, tmp_path: Path) -> None:
    told = tmp_path / "sellos.txt"
    with custody.db.read() as session:
        sello = last_seal(session)
        assert sello is not None
        told.write_bytes(b"2026-11-20 " + sello_line(sello))
    assert custody.verify_with(Medios(publicados=told)) == []
    told.write_text(f"radica/1 {sello.hojas} {'e' * 64}\n", "ascii")
    assert custody.verify_with(Medios(publicados=told)) == [("sello_invalido", "grave", f"sello:{sello.id}")]


# --- The store is away -----------------------------------------------------------------------------------------------


@pytest.fixture
def away(custody: Custody, s3_settings: S3Settings) -> Store:
    """The blobs of the house in S3."""
    settings = replace(load_settings({}, datos=str(custody.store.root.parent / "s3")), s3=s3_settings)
    settings.ensure_folders()
    store = open_store(settings)
    for one in custody.hashes:
        with custody.store.open(one) as source:
            store.put(source)
    return store


def _until_it_reads(store: Store, hashes: Sequence[str]) -> None:
    """Wait until the parts of the server found each other again."""
    until = time.monotonic() + READY_S
    for one in hashes:
        while True:
            try:
                store.read(one)
            except RadicaError:
                assert time.monotonic() < until
                time.sleep(0.3)
            else:
                break


def test_s3_that_is_down_pauses_the_run_which_goes_on_when_it_is_back(
    custody: Custody, away: Store, s3_server: S3Server
) -> None:
    number = start(custody.db, Alcance(), origen=NOCTURNA, actor="prueba", at=NOW)
    s3_server.stop()
    try:
        paused = run(custody.db, away, number, clock=fixed_clock(NOW))
        again = run(custody.db, away, number, clock=fixed_clock(NOW))
    finally:
        s3_server.start()
        _until_it_reads(away, custody.hashes)
    assert (paused.estado, again.estado) == (EstadoVerificacion.PAUSADA, EstadoVerificacion.PAUSADA)
    assert custody.found(number) == [("ilegible", "aviso", "almacen")]  # said once, and of no blob
    ended = run(custody.db, away, number, clock=fixed_clock(NOW))
    assert (ended.estado, ended.cuentas["blobs"]) == (EstadoVerificacion.TERMINADA, 3)
    assert custody.found(number) == [("ilegible", "aviso", "almacen")]


# --- What a person is told -------------------------------------------------------------------------------------------


def test_something_grave_is_a_task_of_its_provider_once(custody: Custody) -> None:
    custody.by_hand("UPDATE facturas SET estado = 'lista' WHERE id = ?", custody.facturas[0])
    for _ in range(2):
        number = custody.verify()[0].id
        assert tell_grave(custody.db, number, at=NOW) == 1
    with custody.db.read() as session:
        rows = session.execute(select(Tarea.clase, Tarea.prestador_id, Tarea.case_key)).all()
    assert [tuple(row) for row in rows] == [("revisar_custodia", custody.prestador, f"custodia:{custody.prestador}")]


def test_the_command_line_says_it_in_json_and_by_its_exit_code(
    custody: Custody, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RADICA_DATABASE_URL", custody.db.url)
    words = ["custodia", "verificar", "--datos", str(custody.store.root.parent), "--json"]
    assert main(words) == 0
    clean = json.loads(capsys.readouterr().out)
    assert (clean["estado"], clean["limpia"], clean["hallazgos"]) == ("terminada", True, [])
    with custody.db.read() as session:
        numbers = [session.get_one(Factura, one).numero for one in custody.facturas]
        assert session.scalar(select(Blob.bytes).limit(1))
    custody.by_hand("UPDATE facturas SET estado = 'lista' WHERE id = ?", custody.facturas[0])
    assert main([*words, "--factura", numbers[1]]) == 0
    capsys.readouterr()
    assert main([*words, "--factura", numbers[0]]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["alcance"]["factura"] == numbers[0]
    assert [(one["tipo"], one["objeto"]) for one in told["hallazgos"]] == [
        (TipoHallazgo.ALTERADO.value, f"factura:{custody.facturas[0]}")
    ]
    assert main([*words, "--factura", "NOHAY9"]) == 2


def test_findings_are_read_page_by_page(custody: Custody) -> None:
    for number in custody.facturas:
        custody.by_hand("UPDATE facturas SET estado = 'lista' WHERE id = ?", number)
    number = custody.verify()[0].id
    with custody.db.read() as session:
        first = findings(session, number, limit=2)
        rest = findings(session, number, after=first[-1].id)
        mine = findings(session, number, prestadores=[custody.prestador])
        others = findings(session, number, prestadores=[custody.prestador + 1])
    assert (len(first), len(rest), len(mine), len(others)) == (2, 1, 3, 0)


def test_two_processes_on_one_verification_do_not_write_over_each_other(custody: Custody) -> None:
    number = start(custody.db, Alcance(), origen=NOCTURNA, actor="prueba", at=NOW)
    other = Database(custody.db.url)
    ran: list[int] = []

    def meanwhile(_done: int, _of: int, stage: str) -> None:
        if stage == "cadenas" and not ran:
            ran.append(run(other, custody.store, number, clock=fixed_clock(NOW)).id)

    with pytest.raises(Unavailable, match="Otro proceso sigue"):
        run(custody.db, custody.store, number, clock=fixed_clock(NOW), progress=meanwhile)
    other.dispose()
    assert custody.verify()[0].cuentas["cadenas"] == 4
