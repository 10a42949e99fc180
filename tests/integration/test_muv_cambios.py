"""What changes between the order, the question and the answer of the MUV: no old verdict stands over newer documents."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, event, select

from radica.app.handlers.muv import HANDLERS, KIND, end_abandoned
from radica.app.worker import do_one
from radica.facturas.intake import import_paths
from radica.facturas.models import Factura
from radica.facturas.muv.envios import abandonar, pedir
from radica.facturas.states import EstadoFactura
from radica.facturas.tray import operator_scope
from radica.facturas.validacion_models import CuentaMuv
from radica.jobs.models import JobState
from radica.jobs.queue import Dead, finish
from radica.kernel.errors import BadInput
from tests.full_disk import small_files
from tests.plugins.validating_muv import NOW, Desk


def load(desk: Desk, path: Path) -> None:
    house = desk.house
    import_paths(
        house.db, house.store, [path], operator_scope("prueba"), clock=house.clock, workdir=house.settings.incoming
    )
    desk.forget_verdict()


def other_rips(desk: Desk, name: str = "otro.json") -> Path:
    """Write the RIPS once more, the same with other bytes."""
    (rips,) = (desk.folder / "paquete0").glob("*.json")
    (desk.folder / name).write_bytes(rips.read_bytes() + b"\n" * len(name))
    return desk.folder / name


def work_and(desk: Desk, at_call: int, happens: Callable[[], object]) -> None:
    """Do one order; at that look at the clock (1: going out, 2: answered and not recorded yet) something happens."""
    looks = 0

    def clock() -> datetime:
        nonlocal looks
        looks += 1
        if looks == at_call:
            happens()
        return NOW

    claimed = desk.claim()
    assert claimed is not None
    do_one(replace(desk.house, clock=clock), HANDLERS[KIND], claimed)
    assert looks >= at_call


def end_job(desk: Desk) -> None:
    (row,) = [one for one in desk.jobs() if one.state is JobState.RUNNING]
    with desk.house.db.write() as session:
        session.merge(row).token += 1  # as a claim by another worker does


@pytest.mark.parametrize("fault", ["", "reject"])
def test_an_answer_about_documents_that_were_replaced_meanwhile_is_kept_and_not_loaded(muv_desk: Desk, fault: str):
    muv_desk.muv.configure(**({fault: 1} if fault else {}))
    muv_desk.ask()
    work_and(muv_desk, 2, lambda: load(muv_desk, other_rips(muv_desk)))
    envio = muv_desk.envio()
    if fault:
        assert (envio.resultado, envio.vivo, "otros documentos" in envio.detalle) == ("rechazado", 0, True)
        assert "CUV-RECHAZADO" not in muv_desk.findings()
    else:
        assert (envio.resultado, envio.codigo, envio.cuv) == ("ajeno", "documentos_cambiados", None)
        assert muv_desk.muv.book.approved[0]["cuv"] in envio.detalle
        assert len(muv_desk.tasks()) == 1
    assert (muv_desk.factura().cuv, muv_desk.cuvs()) == (None, [])
    assert len(muv_desk.pieces()) == 1
    assert muv_desk.jobs()[0].state is JobState.DONE
    # The MUV answers the new documents with the CUV of the old ones (it gives one for each invoice): no match either.
    muv_desk.ask()
    muv_desk.work()
    if fault:
        assert muv_desk.factura().cuv == muv_desk.muv.book.approved[0]["cuv"]
    else:
        assert (muv_desk.envio().resultado, muv_desk.envio().codigo) == ("ajeno", "otra_version")
        assert muv_desk.factura().cuv is None


def test_a_cuv_that_may_be_of_documents_sent_before_calls_a_person(muv_desk: Desk):
    """The first package was approved and its answer lost; its documents are corrected before the second try."""
    muv_desk.muv.configure(reset_after=1)
    muv_desk.ask()
    muv_desk.work()
    load(muv_desk, other_rips(muv_desk))
    muv_desk.work_again()
    first = muv_desk.envio()
    assert (first.resultado, first.codigo) == ("no_enviado", "documentos_cambiados")
    muv_desk.ask()
    muv_desk.work()
    assert (muv_desk.envio().resultado, muv_desk.envio().codigo) == ("ajeno", "otra_version")
    assert (muv_desk.factura().cuv, muv_desk.cuvs()) == (None, [])
    assert muv_desk.tasks()


def test_a_cuv_recovered_for_the_very_documents_counts_although_others_were_refused_before(muv_desk: Desk):
    muv_desk.muv.configure(reject=1)
    muv_desk.ask()
    muv_desk.work()
    load(muv_desk, other_rips(muv_desk))
    muv_desk.muv.configure(reset_after=1)
    muv_desk.ask()
    muv_desk.work()
    muv_desk.work_again()
    assert (muv_desk.envio().resultado, muv_desk.envio().codigo) == ("aprobado", "RVG18")
    assert muv_desk.factura().cuv == muv_desk.muv.book.approved[0]["cuv"]


def test_documents_that_are_replaced_after_their_cuv_are_told(muv_desk: Desk):
    muv_desk.ask()
    muv_desk.work()
    assert "CUV-OTROS-DOCUMENTOS" not in muv_desk.findings()
    house = muv_desk.house
    import_paths(
        house.db, house.store, [other_rips(muv_desk)], operator_scope("prueba"), clock=house.clock,
        workdir=house.settings.incoming,
    )  # fmt: skip
    assert "CUV-OTROS-DOCUMENTOS" in muv_desk.findings()


def test_a_password_put_right_while_the_old_one_is_refused_stays_switched_on(muv_desk: Desk):
    muv_desk.account(clave="vieja")
    muv_desk.ask()
    work_and(muv_desk, 2, muv_desk.account)
    assert not muv_desk.off()
    assert muv_desk.jobs()[0].state is JobState.READY
    muv_desk.work_again()
    assert muv_desk.factura().cuv == muv_desk.muv.book.approved[0]["cuv"]
    assert muv_desk.tasks() == []


def test_two_who_write_the_first_account_at_once_leave_one(muv_desk: Desk):
    with muv_desk.house.db.write() as session:
        session.execute(delete(CuentaMuv))
    meet = threading.Barrier(2)

    def wait(*_: object) -> None:
        """Let both write at once; whoever is kept out until the first has ended never comes here."""
        with suppress(threading.BrokenBarrierError):
            meet.wait(1)

    event.listen(CuentaMuv, "before_insert", wait)
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: muv_desk.account(), range(2)))
    finally:
        event.remove(CuentaMuv, "before_insert", wait)
    with muv_desk.house.db.read() as session:
        assert len(session.scalars(select(CuentaMuv)).all()) == 1
    muv_desk.ask()
    muv_desk.work()
    assert muv_desk.factura().cuv


def test_an_account_switched_off_while_its_order_runs_sends_no_more(muv_desk: Desk):
    muv_desk.muv.configure(error_500_before=1)
    muv_desk.ask()
    work_and(muv_desk, 2, lambda: muv_desk.account(on=False))
    muv_desk.work_again()
    assert (muv_desk.envio().resultado, muv_desk.envio().codigo) == ("no_enviado", "cuenta_apagada")
    assert muv_desk.muv.book.received == []
    assert muv_desk.tasks()  # something may have arrived


def test_an_invoice_that_is_being_filed_is_not_sent_any_more(muv_desk: Desk):
    muv_desk.ask()
    with muv_desk.house.db.write() as session:
        session.get_one(Factura, muv_desk.ids[0]).estado = EstadoFactura.EN_RADICACION
    muv_desk.work()
    assert (muv_desk.envio().resultado, muv_desk.envio().codigo) == ("no_enviado", "muv_tarde")
    assert muv_desk.muv.book.received == []


@pytest.mark.parametrize(("look", "sent"), [(1, 1), (2, 1)])
def test_who_loses_its_turn_leaves_the_order_to_the_other(muv_desk: Desk, look: int, sent: int):
    muv_desk.ask()
    work_and(muv_desk, look, lambda: None if look == 1 else end_job(muv_desk))
    if look == 2:
        assert (muv_desk.factura().cuv, muv_desk.cuvs(), muv_desk.pieces()) == (None, [], [])
    assert len(muv_desk.muv.book.received) == sent


def test_an_order_asked_again_is_not_given_up(muv_desk: Desk):
    """The clock saw it without a job; before it writes so, a person asks again."""
    muv_desk.ask()
    claimed = muv_desk.claim()
    assert claimed is not None
    finish(muv_desk.house.db, claimed, outcome=Dead("caido"))
    assert not muv_desk.ask().nuevo
    with muv_desk.house.db.write() as session:
        assert not abandonar(session, muv_desk.envio().id, at=NOW)
    assert end_abandoned(muv_desk.house.db, NOW) == 0
    muv_desk.work()
    assert muv_desk.envio().resultado == "aprobado"


def test_a_disk_without_room_for_the_answer_costs_a_second_question(muv_desk: Desk):
    muv_desk.ask()
    claimed = muv_desk.claim()
    assert claimed is not None
    put, full = muv_desk.house.store.put, []

    class Full:
        def __getattr__(self, name: str) -> object:
            return getattr(muv_desk.house.store, name)

        def put(self, *given: object) -> object:
            full.append(True)
            with small_files(10):
                return put(*given)  # type: ignore[arg-type]

    do_one(replace(muv_desk.house, store=Full()), HANDLERS[KIND], claimed)  # type: ignore[arg-type]
    assert full
    (job,) = muv_desk.jobs()
    assert (job.state, job.error_code) == (JobState.READY, "disco_lleno")
    assert (muv_desk.factura().cuv, muv_desk.pieces(), muv_desk.envio().resultado) == (None, [], "enviando")
    muv_desk.work_again()
    assert (muv_desk.factura().cuv, muv_desk.envio().codigo) == (muv_desk.muv.book.approved[0]["cuv"], "RVG18")


def test_a_cuv_that_another_invoice_has_blocks_both_ways(desk_of: Callable[[int], Desk]):
    """The MUV gives a second invoice of one provider the CUV of the first: it never goes out as ready."""
    desk = desk_of(1)
    desk.ask()
    desk.work()
    (given,) = desk.muv.book.approved
    (cuv,) = desk.cuvs()
    said = json.loads(desk.house.store.read(cuv.sha256))
    number = desk.factura().numero
    other = number[:-1] + str((int(number[-1]) + 1) % 10)
    folder = desk.folder / "otra"
    folder.mkdir()
    for path in (desk.folder / "paquete0").iterdir():
        if path.suffix in (".xml", ".json"):
            (folder / path.name.replace(number, other)).write_bytes(
                path.read_bytes().replace(number.encode(), other.encode())
            )
    said["NumFactura"] = other
    (folder / f"ResultadosMSPS_{other}_ID2_A_CUV.json").write_text(json.dumps(said), encoding="utf-8")
    for path in sorted(folder.iterdir()):
        load(desk, path)
    with desk.house.db.write() as session:
        twin = session.query(Factura).filter(Factura.numero == other).one()
        assert (twin.cuv, twin.estado) == (given["cuv"], EstadoFactura.NO_LISTA)
        with pytest.raises(BadInput, match="ya tiene su CUV"):
            pedir(session, twin, actor="usuario:1", at=NOW)
