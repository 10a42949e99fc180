"""What an adversary tried on the filing core: paused and killed workers, nonsense from bots, dead hosts, races."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bots import contract
from bots.contract import Operation, Outcome, Result
from radica.app.filing.tending import adopt_results, tend
from radica.app.house import House
from radica.app.worker import do_one
from radica.audit.services import lock_all
from radica.jobs.clock import now_ms
from radica.jobs.models import JobState
from radica.jobs.queue import Claimed, Dead, finish
from radica.kernel.errors import NotFound
from radica.portales.models import CuentaPortal
from radica.radicacion.effects import Acuse
from radica.radicacion.models import Envio, Intento
from radica.radicacion.outcomes import Veredicto
from radica.radicacion.services import KIND_LOOK_UP
from radica.radicacion.settle import person_absent, person_found, person_rejected
from radica.radicacion.states import EstadoEnvio, EstadoIntento
from radica.users.models import ClaseTarea
from radica.users.tasks import close_tasks
from tests.plugins.settling import BOT, RADICADO, Desk, open_desk, said


def leave(desk: Desk, intento: Intento, result: Result, *kinds: str) -> None:
    """Write what a bot leaves in its folder before it speaks."""
    folder = Path(intento.carpeta)
    items = []
    for kind in kinds:
        (folder / f"{kind}.html").write_text("<p>radicada</p>")
        items.append(contract.EvidenceItem(kind, f"{kind}.html", "0" * 64, 15))
    contract.write_result(folder, replace(result, marker=intento.marker, evidence=tuple(items)))


def ready_to_adopt(house: House) -> House:
    return replace(house, timing=replace(house.timing, adopt_after_s=-1))


# --- A bot that was stopped ---------------------------------------------------------------------------------------


def test_a_bot_ended_by_the_system_before_its_go_is_tried_again(desk: Desk) -> None:
    claimed = desk.claim()
    intento = desk.begin(claimed)
    assert intento is not None
    desk.apply(claimed, intento, said(Outcome.STOPPED))
    assert desk.envio().estado is EstadoEnvio.PREPARADO
    assert desk.looked_after()


def test_a_worker_killed_between_intent_and_go_leaves_work_for_the_next(desk: Desk) -> None:
    _, intento = desk.sending()
    leave(desk, intento, said(Outcome.STOPPED))
    assert adopt_results(ready_to_adopt(desk.house)) == 1
    assert desk.envio().estado is EstadoEnvio.PREPARADO
    assert desk.looked_after()


# --- A worker that was paused past its lease ------------------------------------------------------------------------


def test_a_worker_that_wakes_late_does_not_take_the_attempt_of_the_next(desk: Desk) -> None:
    asleep = desk.claim()
    desk.lapse()
    claimed = desk.claim()
    intento = desk.begin(claimed)
    assert intento is not None
    assert desk.begin(asleep) is None
    assert desk.intend(claimed, intento)
    assert desk.attempts()[0].estado is EstadoIntento.ENVIANDO
    assert desk.looked_after()


def test_an_absence_read_before_the_settling_time_does_not_count_because_it_was_written_late(desk: Desk) -> None:
    intento = desk.unknown()
    with desk.house.db.write() as session:
        session.execute(update(Intento).where(Intento.id == intento.id).values(cercado_ms=now_ms(session)))
        session.execute(update(CuentaPortal).values(asentamiento_s=0))
    for _ in range(2):
        decision = desk.read(Outcome.ABSENT, ago_s=3600)
        assert decision is not None
        assert decision.veredicto is Veredicto.ESPERAR


# --- Nonsense -----------------------------------------------------------------------------------------------------


NONSENSE = [
    {"radicado": "R" * 5000},
    {"radicado": "RAD-\x00"},
    {"text": "Radicada \x00"},
    {"text": "Radicada \ud800"},
    {"fecha": "0001-01-01T00:00:00+23:00"},
    {"fecha": "9999-12-31T23:59:59-23:00"},
]


@pytest.mark.parametrize("values", NONSENSE, ids=range(len(NONSENSE)))
def test_a_result_of_nonsense_does_not_keep_the_machine_from_its_other_attempts(
    hands: House, values: dict[str, str]
) -> None:
    first, second = open_desk(hands), open_desk(hands)
    for desk in (first, second):
        _, intento = desk.sending()
        leave(desk, intento, said(Outcome.ACCEPTED), "acuse_dom")
        if desk is first:
            path = Path(intento.carpeta) / contract.RESULT_FILE
            path.write_text(json.dumps({**json.loads(path.read_bytes()), **values}))
    first.lapse()
    for _ in range(3):
        tend(ready_to_adopt(hands))
    assert second.envio().estado is EstadoEnvio.RADICADO
    assert first.envio().estado is EstadoEnvio.RADICADO or first.looked_after()
    assert first.busy() is None


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_refusal_without_words_is_a_refusal(desk: Desk, reason: str) -> None:
    claimed, intento = desk.sending()
    desk.apply(claimed, intento, said(Outcome.REJECTED, reason=reason))
    assert desk.envio().estado is EstadoEnvio.RECHAZADO


@pytest.mark.parametrize("valor", ["nada", "1e9999", "NaN", "99999999999999999999999", ""])
def test_a_found_filing_with_an_impossible_value_goes_to_a_person(desk: Desk, valor: str) -> None:
    desk.unknown()
    for _ in range(8):
        if not any(state is JobState.READY for state in desk.jobs(KIND_LOOK_UP)):
            break
        desk.found(valor=valor)
    assert desk.attempts()[0].estado is EstadoIntento.ESPERA_PERSONA
    assert desk.tasks() == [ClaseTarea.CONFIRMAR_RESULTADO]


def test_an_answer_of_another_operation_is_no_answer(desk: Desk) -> None:
    _, intento = desk.sending()
    leave(desk, intento, Result(Operation.LOOK_UP, Outcome.ABSENT, BOT))
    desk.lapse()
    tend(ready_to_adopt(desk.house))
    assert desk.attempts()[0].estado is EstadoIntento.DESCONOCIDO
    assert desk.busy() is None
    assert desk.looked_after()


def test_found_without_sealed_evidence_of_the_portal_is_not_filed(desk: Desk) -> None:
    desk.unknown()
    desk.found(kinds=("operation",))
    assert desk.envio().estado is EstadoEnvio.EN_CURSO
    assert desk.tasks() == [ClaseTarea.CONFIRMAR_RESULTADO]


def test_found_for_some_invoices_of_the_envio_is_no_answer(hands: House) -> None:
    desk = open_desk(hands, 2)
    desk.unknown()
    decision = desk.found(facturas=(contract.FoundFactura("FE1", RADICADO, None, None),))
    assert decision is not None
    assert decision.veredicto == "esperar"


# --- Jobs that die ------------------------------------------------------------------------------------------------


def test_a_look_up_that_died_asks_a_person(desk: Desk) -> None:
    desk.unknown()
    assert finish(desk.house.db, desk.claim(), outcome=Dead("sin_clave", "No se pudo abrir la clave."))
    tend(desk.house)
    assert desk.attempts()[0].estado is EstadoIntento.ESPERA_PERSONA
    assert desk.tasks() == [ClaseTarea.CONFIRMAR_RESULTADO]


def test_a_filing_that_died_leaves_nothing_under_way(desk: Desk) -> None:
    claimed = desk.claim()
    assert desk.begin(claimed) is not None
    assert finish(desk.house.db, claimed, outcome=Dead("no_encontrado", "Falta un archivo."))
    tend(desk.house)
    assert desk.attempts()[0].estado is EstadoIntento.TERMINADO
    assert desk.tasks() == [ClaseTarea.ATENDER_PORTAL]


def test_a_filing_that_dies_again_after_its_task_was_closed_asks_again(desk: Desk) -> None:
    assert finish(desk.house.db, desk.claim(), outcome=Dead("x"))
    tend(desk.house)
    with desk.house.db.write() as session:
        close_tasks(session, desk.envio().case_key, por="yo", resultado="visto", at=desk.house.clock())
    tend(desk.house)
    assert desk.tasks() == [ClaseTarea.ATENDER_PORTAL]


def test_what_was_not_found_after_the_go_is_unknown(desk: Desk) -> None:
    claimed, _ = desk.sending()

    def lost_its_file(_house: House, _claimed: Claimed) -> None:
        raise NotFound

    do_one(desk.house, lost_its_file, claimed)
    desk.lapse()
    tend(desk.house)
    assert desk.attempts()[0].estado is EstadoIntento.DESCONOCIDO
    assert desk.attempts()[0].cercado_at is not None
    assert desk.looked_after()


# --- Fences and people --------------------------------------------------------------------------------------------


def test_a_duplicate_after_the_go_is_fenced_so_that_a_person_can_decide(desk: Desk) -> None:
    claimed, intento = desk.sending()
    desk.apply(claimed, intento, said(Outcome.DUPLICATE))
    tend(desk.house)
    with desk.house.db.write() as session:
        person_absent(
            session,
            session.get_one(Envio, desk.envio_id),
            "No está en el portal",
            ["0" * 64],
            actor="usuario:1",
            at=desk.house.clock(),
        )
    assert desk.envio().estado is EstadoEnvio.PREPARADO
    assert desk.looked_after()


def test_an_attempt_of_a_silent_machine_asks_a_person_whose_word_frees_the_lane(desk: Desk) -> None:
    _, intento = desk.sending()
    desk.lapse()
    other = replace(desk.house, host="otra")
    tend(other)
    assert desk.tasks() == [], "its machine may yet answer"
    with desk.house.db.write() as session:
        past = session.scalar(select(Intento.intent_at).where(Intento.id == intento.id))
        assert past is not None
        session.execute(update(Intento).values(intent_at=past.replace(year=past.year - 1)))
    tend(other)
    assert desk.tasks() == [ClaseTarea.CONFIRMAR_RESULTADO]
    with desk.house.db.write() as session:
        envio = session.get_one(Envio, desk.envio_id)
        pieces = desk.seal(session, "registro:1", desk.kept("constancia"))
        acuse = Acuse(3, "884213", desk.house.clock(), tuple(p.sha256 for p in pieces))
        person_found(session, envio, acuse, actor="usuario:1", at=desk.house.clock())
    tend(other)
    assert desk.envio().estado is EstadoEnvio.RADICADO
    assert desk.busy() is None


def test_an_acuse_that_comes_after_a_person_said_absent_stops_the_new_attempt(desk: Desk) -> None:
    claimed, intento = desk.sending()
    desk.lapse()
    tend(replace(desk.house, host="otra"))
    with desk.house.db.write() as session:
        envio = session.get_one(Envio, desk.envio_id)
        person_absent(
            session, envio, "No está", ["0" * 64], actor="usuario:1", at=desk.house.clock(), host_apagado=True
        )
    assert desk.jobs()[-1] is JobState.READY
    desk.apply(claimed, intento, said(Outcome.ACCEPTED))
    assert desk.envio().estado is EstadoEnvio.RADICADO
    assert JobState.READY not in desk.jobs()


def test_an_acuse_that_comes_after_the_envio_was_freed_is_told_to_a_person(desk: Desk) -> None:
    claimed, intento = desk.sending()
    desk.lapse()
    tend(replace(desk.house, host="otra"))
    with desk.house.db.write() as session:
        envio = session.get_one(Envio, desk.envio_id)
        person_rejected(session, envio, "Lo devolvieron", [], actor="usuario:1", at=desk.house.clock())
    desk.apply(claimed, intento, said(Outcome.ACCEPTED))
    assert ClaseTarea.CONFIRMAR_RESULTADO in desk.tasks()


# --- Two at once --------------------------------------------------------------------------------------------------


def test_two_workers_adopt_the_same_result_once(desk: Desk) -> None:
    _, intento = desk.sending()
    leave(desk, intento, said(Outcome.ACCEPTED), "acuse_dom")
    house = ready_to_adopt(desk.house)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: adopt_results(house), range(2)))
    assert desk.envio().estado is EstadoEnvio.RADICADO
    assert [one.estado for one in desk.attempts()] == [EstadoIntento.TERMINADO]


def test_a_person_and_a_late_acuse_at_once_do_not_lock_each_other_out(desk: Desk) -> None:
    claimed, intento = desk.sending()
    desk.lapse()
    tend(replace(desk.house, host="otra"))
    person_holds, bot_started = threading.Event(), threading.Event()

    def person() -> None:
        with desk.house.db.write() as session:
            envio = session.get_one(Envio, desk.envio_id)
            lock_all(session, [envio])
            person_holds.set()
            bot_started.wait(1)
            pieces = desk.seal(session, "registro:1", desk.kept("constancia"))
            acuse = Acuse(3, "884213", desk.house.clock(), tuple(p.sha256 for p in pieces))
            person_found(session, envio, acuse, actor="usuario:1", at=desk.house.clock())

    def bot() -> None:
        person_holds.wait(5)
        desk.apply(claimed, intento, said(Outcome.ACCEPTED))

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(person), pool.submit(bot)]:
            future.result()
    assert desk.envio().radicado == "884213"
