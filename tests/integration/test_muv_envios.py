"""Orders to the MUV against the simulated API: sent once, recovered after what was lost, never accepted for another."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from radica.app.handlers.muv import HANDLERS, KIND, end_abandoned
from radica.app.worker import do_one
from radica.facturas.intake import import_paths
from radica.facturas.models import Hallazgo, OrigenHallazgo, Severidad
from radica.facturas.muv.cuentas import cuenta_de, prender
from radica.facturas.states import EstadoFactura
from radica.facturas.tray import operator_scope
from radica.jobs.models import JobState
from radica.jobs.queue import Dead, finish
from radica.kernel.errors import BadInput
from tests.plugins.validating_muv import NOW, Desk


def test_an_approved_invoice_has_its_cuv_its_evidence_and_is_ready(muv_desk: Desk):
    assert muv_desk.factura().estado is EstadoFactura.INCOMPLETA
    muv_desk.ask()
    assert muv_desk.work() == 1
    (approved,) = muv_desk.muv.book.approved
    factura, envio = muv_desk.factura(), muv_desk.envio()
    assert (factura.cuv, factura.estado) == (approved["cuv"], EstadoFactura.LISTA)
    assert (envio.resultado, envio.cuv, envio.http, envio.proceso) == ("aprobado", approved["cuv"], 200, "1")
    (document,) = muv_desk.cuvs()
    (piece,) = muv_desk.pieces()
    assert document.sha256 == piece.sha256 == envio.evidencia_sha256
    said = json.loads(muv_desk.house.store.read(document.sha256))
    assert said["CodigoUnicoValidacion"] == approved["cuv"]
    (note,) = muv_desk.notes()
    assert (note.facts["resultado"], note.facts["cuv"]) == ("aprobado", approved["cuv"])
    assert list(note.evidence) == [piece.sha256]
    assert muv_desk.tasks() == []


def test_two_clicks_are_one_order_and_one_package(muv_desk: Desk):
    first, second = muv_desk.ask(), muv_desk.ask()
    assert (first.nuevo, second.nuevo) == (True, False)
    assert first.envio.id == second.envio.id
    assert muv_desk.work() == 1
    assert len(muv_desk.muv.book.received) == 1
    with pytest.raises(BadInput, match="ya tiene su CUV"):
        muv_desk.ask()


@pytest.mark.parametrize(
    "fault", ["timeout_after", "reset_after", "error_500_after", "bad_json_after", "drip"]
)  # fmt: skip
def test_what_was_lost_after_processing_is_recovered_and_not_doubled(muv_desk: Desk, fault: str):
    muv_desk.muv.configure(**{fault: 1})
    muv_desk.ask()
    muv_desk.patience(2 if fault in ("timeout_after", "drip") else 60)
    assert muv_desk.work() == 1
    muv_desk.patience(60)
    assert muv_desk.jobs()[0].state is JobState.READY
    assert muv_desk.factura().cuv is None
    assert muv_desk.work_again() == 1
    results = [one.resultado for one in muv_desk.muv.book.received]
    assert results == ["aprobado", "ya_aprobado"]
    (approved,) = muv_desk.muv.book.approved
    assert (muv_desk.factura().cuv, muv_desk.envio().codigo) == (approved["cuv"], "RVG18")
    assert muv_desk.factura().estado is EstadoFactura.LISTA
    names = {one.nombre for one in muv_desk.pieces()}
    assert {"muv_carga.json", "muv_recuperacion.json", "muv_consulta.json"} <= names
    assert muv_desk.tasks() == []


@pytest.mark.parametrize("fault", ["timeout_before", "reset_before", "error_500_before"])
def test_what_never_arrived_is_sent_again(muv_desk: Desk, fault: str):
    muv_desk.muv.configure(**{fault: 1})
    muv_desk.ask()
    muv_desk.patience(2 if fault == "timeout_before" else 60)
    muv_desk.work()
    assert muv_desk.muv.book.received == []
    muv_desk.patience(60)
    muv_desk.work_again()
    assert [one.resultado for one in muv_desk.muv.book.received] == ["aprobado"]
    assert muv_desk.factura().estado is EstadoFactura.LISTA


def test_tries_are_bounded_and_the_last_failure_calls_a_person(muv_desk: Desk):
    muv_desk.muv.configure(error_500_before=99)
    muv_desk.ask()
    assert sum(muv_desk.work_again() for _ in range(8)) == 4
    assert muv_desk.jobs()[0].state is JobState.DEAD
    assert (muv_desk.envio().resultado, muv_desk.envio().codigo, muv_desk.envio().vivo) == ("fallido", "http_500", 0)
    (title,) = muv_desk.tasks()
    assert muv_desk.factura().numero in title
    muv_desk.muv.configure(error_500_before=0)
    assert muv_desk.ask().nuevo
    muv_desk.work()
    assert muv_desk.factura().estado is EstadoFactura.LISTA
    assert muv_desk.tasks() == []  # the MUV spoke: nothing is left for a person


@pytest.mark.parametrize(("fault", "code"), [("redirect", "muv_redirige"), ("bad_request", "http_400")])
def test_what_is_no_matter_of_time_is_not_repeated(muv_desk: Desk, fault: str, code: str):
    muv_desk.muv.configure(**{fault: 1})
    muv_desk.ask()
    muv_desk.work()
    assert (muv_desk.jobs()[0].state, muv_desk.envio().codigo) == (JobState.DEAD, code)
    assert len(muv_desk.tasks()) == 1


def test_clicks_at_the_same_moment_are_one_order(muv_desk: Desk):
    with ThreadPoolExecutor(6) as pool:
        asked = list(pool.map(lambda _: muv_desk.ask(), range(6)))
    assert sum(one.nuevo for one in asked) == 1
    assert (len(muv_desk.envios()), len(muv_desk.jobs())) == (1, 1)


def test_the_account_of_one_provider_is_not_that_of_another(desk_of: Callable[[int], Desk]):
    desk = desk_of(2)
    mine, other = desk.factura(0).prestador_id, desk.factura(1).prestador_id
    assert mine != other
    with desk.house.db.write() as session:
        account = cuenta_de(session, mine)
        assert account is not None
        prender(session, account, activa=False, actor="prueba", at=NOW)
    with pytest.raises(BadInput, match="apagado"):
        desk.ask(0)
    desk.ask(1)
    desk.work()
    (received,) = desk.muv.book.received
    assert received.numero == desk.factura(1).numero
    assert {one.prestador_id for one in desk.pieces()} == {other}


def test_an_expired_token_costs_one_more_login(muv_desk: Desk):
    muv_desk.muv.configure(expired_token=1)
    muv_desk.ask()
    muv_desk.work()
    assert muv_desk.muv.state.logins == 2
    assert muv_desk.factura().cuv is not None


def test_a_refused_password_switches_the_account_off(desk_of: Callable[[int], Desk]):
    desk = desk_of(2)
    desk.account(clave="otra")
    desk.ask(0)
    desk.ask(1)
    desk.work()
    assert desk.muv.state.refused_logins <= len({desk.factura(0).prestador_id, desk.factura(1).prestador_id})
    assert desk.off()
    assert {one.resultado for one in desk.envios()} <= {"fallido", "no_enviado"}
    assert desk.muv.book.received == []
    assert desk.tasks()


def test_a_rejection_is_a_finding_and_can_be_asked_again(muv_desk: Desk):
    muv_desk.muv.configure(reject=1)
    muv_desk.ask()
    muv_desk.work()
    envio = muv_desk.envio()
    assert (envio.resultado, envio.codigo, envio.vivo) == ("rechazado", "RVG08", 0)
    assert "CUV-RECHAZADO" in muv_desk.findings()
    assert muv_desk.factura().estado is EstadoFactura.NO_LISTA
    assert muv_desk.ask().nuevo


def test_an_answer_for_another_invoice_is_never_accepted(muv_desk: Desk):
    muv_desk.muv.configure(other_invoice=1)
    muv_desk.ask()
    muv_desk.work()
    assert (muv_desk.envio().resultado, muv_desk.envio().codigo) == ("ajeno", "otra_factura")
    assert (muv_desk.factura().cuv, muv_desk.cuvs()) == (None, [])
    assert len(muv_desk.pieces()) == 1  # the bytes are kept all the same
    assert len(muv_desk.tasks()) == 1
    muv_desk.ask()
    muv_desk.work()
    assert muv_desk.factura().cuv == muv_desk.muv.book.approved[0]["cuv"]
    assert muv_desk.tasks() == []


def test_a_cuv_of_another_version_is_not_taken(muv_desk: Desk):
    muv_desk.muv.configure(reset_after=1, other_version=1)
    muv_desk.ask()
    muv_desk.work()
    muv_desk.work_again()
    assert (muv_desk.envio().resultado, muv_desk.envio().codigo) == ("ajeno", "otra_version")
    assert muv_desk.factura().cuv is None
    assert len(muv_desk.tasks()) == 1


def test_rvg18_without_a_cuv_calls_a_person(muv_desk: Desk):
    muv_desk.muv.configure(reset_after=1, no_cuv_in_rvg18=1)
    muv_desk.ask()
    muv_desk.work()
    muv_desk.work_again()
    assert (muv_desk.envio().resultado, muv_desk.envio().codigo) == ("fallido", "RVG18")
    assert len(muv_desk.tasks()) == 1


def test_answers_in_camel_case_are_read(muv_desk: Desk):
    muv_desk.muv.configure(camel=1)
    muv_desk.ask()
    muv_desk.work()
    assert muv_desk.factura().estado is EstadoFactura.LISTA


def test_nothing_is_asked_while_it_is_off(muv_desk: Desk):
    muv_desk.account(on=False)
    with pytest.raises(BadInput, match="apagado"):
        muv_desk.ask()
    muv_desk.account()
    muv_desk.ask()
    muv_desk.account(on=False)
    muv_desk.work()
    assert (muv_desk.envio().resultado, muv_desk.envio().codigo) == ("no_enviado", "cuenta_apagada")
    assert (muv_desk.muv.book.received, muv_desk.muv.state.logins) == ([], 0)


def test_what_the_checker_rejects_is_not_sent(muv_desk: Desk):
    _reject(muv_desk)
    with pytest.raises(BadInput, match="RVC999"):
        muv_desk.ask()
    muv_desk.forget_verdict()
    muv_desk.ask()
    _reject(muv_desk)
    muv_desk.work()
    assert (muv_desk.envio().resultado, muv_desk.envio().codigo) == ("no_enviado", "muv_rechazos")
    assert muv_desk.muv.book.received == []


def _reject(desk: Desk) -> None:
    with desk.house.db.write() as session:
        session.add(
            Hallazgo(
                prestador_id=desk.factura().prestador_id, factura_id=desk.ids[0], codigo="RVC999",
                severidad=Severidad.BLOQUEO, lugar="", mensaje="x", que_hacer="x", at=NOW,
                origen=OrigenHallazgo.VALIDADOR, clase="rechazo", fuente="Rips",
            )
        )  # fmt: skip


def test_documents_that_changed_after_the_order_are_not_sent(muv_desk: Desk):
    muv_desk.ask()
    other = muv_desk.folder / "otro.json"
    (rips,) = (path for path in (muv_desk.folder / "paquete0").glob("*.json"))
    other.write_bytes(rips.read_bytes() + b"\n")
    _load(muv_desk, other)
    muv_desk.work()
    assert (muv_desk.envio().resultado, muv_desk.envio().codigo) == ("no_enviado", "documentos_cambiados")
    assert muv_desk.muv.book.received == []
    assert muv_desk.ask().nuevo


def _load(desk: Desk, path: Path) -> None:

    house = desk.house
    import_paths(
        house.db, house.store, [path], operator_scope("prueba"), clock=house.clock, workdir=house.settings.incoming
    )  # fmt: skip
    desk.forget_verdict()


def test_an_order_whose_job_died_is_found_by_the_clock(muv_desk: Desk):
    muv_desk.ask()
    claimed = muv_desk.claim()
    assert claimed is not None
    assert end_abandoned(muv_desk.house.db, NOW) == 0
    finish(muv_desk.house.db, claimed, outcome=Dead("caido"))
    assert end_abandoned(muv_desk.house.db, NOW) == 1
    assert end_abandoned(muv_desk.house.db, NOW) == 0
    assert (muv_desk.envio().resultado, muv_desk.envio().vivo) == ("fallido", 0)
    assert len(muv_desk.tasks()) == 1


def test_who_lost_its_turn_records_nothing(muv_desk: Desk):
    muv_desk.ask()
    claimed = muv_desk.claim()
    assert claimed is not None
    finish(muv_desk.house.db, claimed, outcome=Dead("caido"))

    do_one(muv_desk.house, HANDLERS[KIND], claimed)
    assert (muv_desk.factura().cuv, muv_desk.cuvs(), muv_desk.pieces()) == (None, [], [])
    assert muv_desk.muv.book.received == []  # and asks nothing either
    end_abandoned(muv_desk.house.db, NOW)
    muv_desk.ask()
    muv_desk.work()
    assert muv_desk.factura().cuv == muv_desk.muv.book.approved[0]["cuv"]
    assert len(muv_desk.muv.book.approved) == 1


def test_no_patient_reaches_the_log(muv_desk: Desk, log_lines: list[str]):
    muv_desk.muv.configure(reset_after=1)
    muv_desk.ask()
    muv_desk.work()
    muv_desk.work_again()
    text = "\n".join(log_lines)
    assert "se envía" in text
    (rips,) = (path for path in (muv_desk.folder / "paquete0").glob("*.json"))
    for user in json.loads(rips.read_bytes())["usuarios"]:
        assert user["numDocumentoIdentificacion"] not in text
    assert muv_desk.factura().numero not in text
