"""Preparing that is cut half way, done twice at once, or finds no room: nothing is lost, doubled or left lying about."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import SQLAlchemyError

from radica.custodia.models import Blob, Pieza
from radica.custodia.s3 import S3Store
from radica.custodia.staging import sweep_leased
from radica.custodia.store import FolderStore
from radica.kernel.clock import system_clock
from radica.kernel.config import S3Settings
from radica.kernel.errors import RadicaError, Unavailable
from radica.radicacion import preparar as preparing
from radica.radicacion.entrega import GROUP
from radica.radicacion.linaje_models import Linaje
from tests.integration.preparar_actor import POINTS
from tests.plugins.preparing import STRICT, Desk, heavy, scripted

REPOSITORY = Path(__file__).resolve().parents[2]
GIVEN = {"EPI_900123456_A1.pdf": scripted(), "PDX_900123456_A1.pdf": heavy(3)}
Make = Callable[..., Desk]


def run(url: str, case: Desk, point: str) -> int:
    folder = case.house.settings.datos.parent
    command = [sys.executable, "-m", "tests.integration.preparar_actor", url, str(folder), str(case.envio_id), point]
    return subprocess.run(command, cwd=REPOSITORY, timeout=120, check=False, capture_output=True).returncode


def whole(case: Desk) -> None:
    """Assert that what stands is one lineage of each change, sealed once, with no bytes that nothing names."""
    rows = [row for row in case.rows() if row.envio_id == case.envio_id]
    assert [row.operacion for row in rows] == ["limpiar"] + ["dividir"] * (len(rows) - 1)
    assert sorted(row.orden for row in rows[1:]) == list(range(1, len(rows)))
    sent = {item.sha256 for item in case.shown().files if item.role == "SOPORTE"}
    assert sent == {row.sha256_enviado for row in rows}
    with case.house.db.read() as session:
        pieces = list(
            session.scalars(
                select(Pieza.sha256).where(Pieza.group_key == GROUP, Pieza.case_key == f"envio:{case.envio_id}")
            )
        )
        named = set(session.scalars(select(Blob.sha256)))
    assert sorted(pieces) == sorted(sent)
    assert set(case.house.store.addresses()) == named
    for name, data in GIVEN.items():
        assert case.house.store.read(case.originals[name]) == data


def test_a_preparation_that_is_killed_again_and_again_ends_whole(prepared_desk: Make, database_url: str) -> None:
    case = prepared_desk(STRICT, GIVEN)
    for point in POINTS:
        assert run(database_url, case, point) == -signal.SIGKILL, point
        assert [row.operacion for row in case.rows()] == (["limpiar"] if point == "confirmado" else []), point
    assert run(database_url, case, "") == 0
    whole(case)
    # What lay in clear when it was killed is swept, and half written bytes as well.
    store = case.house.store
    assert isinstance(store, FolderStore)
    assert sweep_leased(store.temporary) > 0
    store.sweep(older_than_s=0, now=2**40)
    assert list(store.temporary.iterdir()) == []


def test_a_maker_that_is_killed_costs_only_its_change(prepared_desk: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    case = prepared_desk(STRICT, GIVEN)
    suicide = (
        "import os, sys, json; from radica.radicacion import cambio_hijo;"
        "cambio_hijo.answer(json.loads(sys.stdin.readline())); os.kill(os.getpid(), 9)"
    )
    with monkeypatch.context() as patch:
        patch.setattr(preparing, "COMMAND", (sys.executable, "-c", suicide))
        assert len(case.prepare().rechazos) == 1
    assert case.rows() == []
    assert list(case.house.store.temporary.iterdir()) == []
    assert case.prepare().rechazos == []
    whole(case)


def test_who_cannot_wait_ends_the_maker_at_once(prepared_desk: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    case, beats = prepared_desk(STRICT, GIVEN), []

    class Late(Exception):
        pass

    def beat() -> None:
        beats.append(1)
        if len(beats) > 4:  # two looks and one order; then the maker is at work and never ends
            raise Late

    monkeypatch.setattr(preparing, "COMMAND", ("sleep", "300"))
    monkeypatch.setattr(preparing, "BEAT_S", 0.1)
    house = case.house
    with pytest.raises(Late):
        preparing.preparar(house.db, house.store, case.envio_id, actor="persona:1", clock=house.clock, beat=beat)
    assert case.rows() == []
    assert list(house.store.temporary.iterdir()) == []


def test_two_that_prepare_at_once_leave_one_lineage(prepared_desk: Make) -> None:
    case = prepared_desk(STRICT, GIVEN)
    case.prepare()
    case.order_again()  # for this envío nothing is made, only written: nobody waits for the other's bytes
    problems: list[Exception] = []
    other = threading.Thread(target=_prepare, args=(case, problems))

    def let_the_other(_mapper: object, _connection: object, _row: Linaje) -> None:
        """Start the second when the first has written a line, and give it time to do all that it may."""
        if other.ident is None:
            other.start()
            other.join(5)

    event.listen(Linaje, "after_insert", let_the_other)
    try:
        _prepare(case, problems)
        other.join(60)
    finally:
        event.remove(Linaje, "after_insert", let_the_other)
    assert problems == []
    whole(case)


def _prepare(case: Desk, problems: list[Exception]) -> None:
    try:
        case.prepare()
    except (RadicaError, SQLAlchemyError) as problem:
        problems.append(problem)


def test_a_full_disk_is_said_so_and_is_no_fault_of_the_file(
    prepared_desk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = prepared_desk(STRICT, GIVEN)
    # The maker may write 10 kB: to it that is a disk without room.
    narrow = "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000));"
    narrow += "runpy.run_module('radica.radicacion.cambio_hijo', run_name='__main__')"
    with monkeypatch.context() as patch:
        patch.setattr(preparing, "COMMAND", (sys.executable, "-c", narrow))
        with pytest.raises(Unavailable) as told:
            case.prepare()
    assert told.value.code == "disco_lleno"
    assert case.prepare().rechazos == []
    whole(case)


def test_on_a_store_of_objects_it_is_the_same(prepared_desk: Make, s3_settings: S3Settings, tmp_path: Path) -> None:
    case = prepared_desk(STRICT, GIVEN)
    far = S3Store(s3_settings, tmp_path / "lejos", system_clock)
    for address in case.house.store.addresses():
        with case.house.store.open(address) as source:
            far.put(source)
    object.__setattr__(case.house, "store", far)
    assert case.prepare().rechazos == []
    whole(case)
    assert list(far.temporary.iterdir()) == []
