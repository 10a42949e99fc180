"""Orders to the MUV in real worker processes: one killed while the Ministry works, and two at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

from radica.jobs.models import JobState
from tests.plugins.queueing import lapse, make_due
from tests.plugins.validating_muv import Desk

PATIENCE_S = 120


def worker(desk: Desk, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "radica.app.cli", "worker", "--datos", str(desk.house.settings.datos), *words],
        env={**os.environ, "RADICA_DATABASE_URL": desk.house.settings.database_url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def wait_for(told: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not told():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.05)


def started(process: subprocess.Popen[bytes]) -> None:
    """Wait until it says that it works: a signal before that ends it as it would end any program."""
    assert process.stderr is not None
    while b"trabajador en marcha" not in (line := process.stderr.readline()):
        assert line, "the worker ended by itself"


def ended(process: subprocess.Popen[bytes]) -> str:
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said.decode()
    return said.decode()


def test_a_worker_killed_between_sending_and_recording_doubles_nothing(muv_desk: Desk):
    muv_desk.muv.configure(timeout_after=1)
    muv_desk.ask()
    process = worker(muv_desk)
    wait_for(lambda: len(muv_desk.muv.book.received) == 1)
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    (job,) = muv_desk.jobs()
    assert (job.state, muv_desk.envio().resultado, muv_desk.factura().cuv) == (JobState.RUNNING, "enviando", None)
    lapse(muv_desk.house.db, job.id)
    said = ended(worker(muv_desk, "--hasta-vacio"))
    assert "se envía (CargarFevRips)" in said
    assert muv_desk.factura().numero not in said
    assert [one.resultado for one in muv_desk.muv.book.received] == ["aprobado", "ya_aprobado"]
    (approved,) = muv_desk.muv.book.approved
    assert (muv_desk.factura().cuv, muv_desk.envio().resultado) == (approved["cuv"], "aprobado")
    assert len(muv_desk.cuvs()) == 1
    assert len(muv_desk.notes()) == 1


def test_two_workers_with_answers_lost_give_each_invoice_its_own_cuv(desk_of: Callable[[int], Desk]):
    desk = desk_of(3)
    desk.muv.configure(reset_after=1, error_500_before=1)
    for at in range(3):
        desk.ask(at)
    processes = [worker(desk), worker(desk)]
    try:
        for one in processes:
            started(one)
        wait_for(lambda: sum(desk.factura(at).cuv is not None for at in range(3)) + _put_forward(desk) == 3)
    finally:
        for one in processes:
            one.terminate()
        for one in processes:
            ended(one)
    given = {approved["numero"]: approved["cuv"] for approved in desk.muv.book.approved}
    assert {desk.factura(at).numero: desk.factura(at).cuv for at in range(3)} == given
    assert len(set(given.values())) == 3
    assert sum(one.resultado == "ya_aprobado" for one in desk.muv.book.received) == 1
    assert {one.resultado for one in desk.envios()} == {"aprobado"}


def _put_forward(desk: Desk) -> int:
    """Let what waits for its back-off run now; counts nothing."""
    make_due(desk.house.db)
    return 0
