"""Answers on their way to the payer, on both databases: ordered once, moved only by proof, free again when refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from bots.contract import Category, Confidence, Outcome
from radica.app.house import House
from radica.audit.services import history
from radica.custodia.services import Kept
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.decisions import decide
from radica.glosas.models import Acto as ActoGlosa
from radica.glosas.models import Glosa, TipoActo
from radica.glosas.respuesta.presenting import order_answers
from radica.glosas.states import EstadoGlosa, EstadoRespuesta
from radica.jobs.models import JobState
from radica.kernel.errors import NotFound
from radica.radicacion import manual
from radica.radicacion.models import Envio
from radica.radicacion.services import withdraw
from radica.radicacion.states import Acto, EstadoEnvio, EstadoIntento
from radica.users.models import ClaseTarea
from tests.plugins import glosas as casos
from tests.plugins.settling import Desk, said
from tests.plugins.settling_answers import Case, add_answer, open_case_of

R = EstadoRespuesta
CLOSED = {"radicado": None, "text": "¡Usted ha cerrado una cuenta!", "confidence": Confidence.ALTA}


@pytest.fixture
def case(hands: House) -> Case:
    return open_case_of(hands)


def _accept(desk: Desk) -> None:
    claimed, intento = desk.sending()
    desk.apply(claimed, intento, said(Outcome.ACCEPTED, **CLOSED), ("acuse_dom",))


def test_all_approved_answers_of_an_invoice_go_in_one_envio_once(case: Case) -> None:
    with case.house.db.write() as session:
        ordered = order_answers(session, case.respuestas[:1], actor="persona:1", at=case.house.clock())
    (envio,) = ordered.envios
    assert (envio.acto, envio.ronda, envio.canal, envio.valor) == (Acto.RESPUESTA_GLOSA, 1, "bot", 2_000_001)
    assert case.answers() == [R.EN_ENVIO, R.EN_ENVIO]
    again = case.order()
    assert again.envios == ()
    assert "«en envío»" in again.rechazos[0].motivos[0]


def test_two_orders_at_once_make_one_envio(case: Case) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: case.order(), range(2)))
    assert sorted(len(one.envios) for one in both) == [0, 1]


def test_an_invoice_goes_whole_or_not_at_all(case: Case) -> None:
    with case.house.db.write() as session:
        factura = session.get_one(Factura, case.factura_id)
        casos.glosa(session, factura, 700, codigo="TA0801")
    refused = case.order()
    assert refused.envios == ()
    assert refused.rechazos[0].motivos == ("Falta aprobar la respuesta a la glosa TA0801 por $ 7.",)
    assert case.answers() == [R.APROBADA, R.APROBADA]


def test_a_draft_is_not_presented(hands: House) -> None:
    case = open_case_of(hands, 1, estado=R.BORRADOR)
    assert "«borrador»" in case.order().rechazos[0].motivos[0]
    with pytest.raises(NotFound), hands.db.write() as session:
        order_answers(session, [99_999], actor="persona:1", at=hands.clock())


def test_a_closing_without_number_presents_with_weak_proof_and_asks_nobody_for_a_number(case: Case) -> None:
    desk = case.desk()
    _accept(desk)
    envio = desk.envio()
    assert (envio.estado, envio.nivel_prueba, envio.radicado) == (EstadoEnvio.RECIBIDO_SIN_NUMERO, 1, None)
    assert envio.cerrado_at is not None
    assert case.answers() == [R.PRESENTADA, R.PRESENTADA]
    assert case.lines() == [EstadoGlosa.RESPONDIDA, EstadoGlosa.RESPONDIDA]
    assert ClaseTarea.CONSEGUIR_NUMERO not in desk.tasks()
    with case.house.db.read() as session:
        assert session.get_one(Factura, case.factura_id).estado is EstadoFactura.RADICADA
        acts = session.scalars(select(ActoGlosa).where(ActoGlosa.tipo == TipoActo.RESPUESTA)).all()
        assert {(act.nivel_prueba, bool(act.evidencia)) for act in acts} == {(1, True)}
        assert "no da número" in history(session, [f"respuesta:{case.respuestas[0]}"])[0].note
    assert case.order().envios == ()


def test_what_the_payer_refuses_is_free_to_be_mended_and_sent_again(case: Case) -> None:
    desk = case.desk()
    claimed, intento = desk.sending()
    desk.apply(claimed, intento, said(Outcome.REJECTED, reason="Fuera de término."))
    assert desk.envio().estado is EstadoEnvio.RECHAZADO
    assert case.answers() == [R.APROBADA, R.APROBADA]
    assert case.lines() == [EstadoGlosa.FORMULADA, EstadoGlosa.FORMULADA]
    assert desk.tasks() == [ClaseTarea.CORREGIR_RECHAZO]
    second = case.desk()
    assert second.envio_id != desk.envio_id
    _accept(second)
    assert case.answers() == [R.PRESENTADA, R.PRESENTADA]


def test_what_nobody_sent_may_be_withdrawn(case: Case) -> None:
    desk = case.desk()
    with case.house.db.write() as session:
        withdraw(session, session.get_one(Envio, desk.envio_id), "No era", actor="persona:1", at=case.house.clock())
    assert case.answers() == [R.APROBADA, R.APROBADA]
    with case.house.db.read() as session:
        assert {row.envio_id for row in session.scalars(select(Respuesta))} == {None}
    assert len(case.order().envios) == 1


def test_an_unknown_closing_is_settled_by_the_query(case: Case) -> None:
    desk = case.desk()
    desk.unknown()
    assert case.answers() == [R.EN_ENVIO, R.EN_ENVIO]
    desk.read(Outcome.KNOWN_WITHOUT_NUMBER, text="Cuenta cerrada.", fecha=case.house.clock().isoformat())
    assert desk.attempts()[-1].estado is EstadoIntento.HALLADO
    assert case.answers() == [R.PRESENTADA, R.PRESENTADA]


def test_a_closing_older_than_the_intent_was_made_elsewhere(case: Case) -> None:
    desk = case.desk()
    desk.unknown()
    before = (case.house.clock() - timedelta(days=3)).isoformat()
    desk.read(Outcome.KNOWN_WITHOUT_NUMBER, text="Cuenta cerrada.", fecha=before)
    assert desk.attempts()[-1].estado is EstadoIntento.ESPERA_PERSONA
    assert desk.tasks() == [ClaseTarea.RADICADA_POR_FUERA]
    assert case.answers() == [R.EN_ENVIO, R.EN_ENVIO]


def test_absent_twice_makes_a_new_attempt_and_no_new_envio(case: Case) -> None:
    desk = case.desk()
    desk.unknown()
    desk.read(Outcome.ABSENT, ago_s=4)
    desk.read(Outcome.ABSENT)
    assert desk.attempts()[-1].estado is EstadoIntento.AUSENTE
    assert desk.envio().estado is EstadoEnvio.PREPARADO
    _accept(desk)
    assert case.answers() == [R.PRESENTADA, R.PRESENTADA]


def test_a_bot_that_cannot_leaves_a_task_and_the_answers_on_their_way(case: Case) -> None:
    desk = case.desk()
    claimed = desk.claim()
    intento = desk.begin(claimed)
    assert intento is not None
    person = said(Outcome.NOT_SUBMITTED, category=Category.PERSON, code="cuenta_tomada", message="La tiene otro.")
    desk.apply(claimed, intento, person)
    assert desk.tasks() == [ClaseTarea.ATENDER_PORTAL]
    assert case.answers() == [R.EN_ENVIO, R.EN_ENVIO]


def _register(desk: Desk, kept: list[Kept], radicado: str | None) -> None:
    with desk.house.db.write() as session:
        envio = session.get_one(Envio, desk.envio_id)
        manual.register_filed(
            session,
            envio,
            radicado=radicado,
            cuando=desk.house.clock() - timedelta(hours=1),
            kept=kept,
            actor="persona:1",
            at=desk.house.clock(),
            expected_version=envio.version,
        )


@pytest.mark.parametrize("radicado", [None, "RESP-1"])
def test_an_answer_presented_by_hand_is_registered_and_no_bot_does_it_again(case: Case, radicado: str | None) -> None:
    desk = case.desk(canal="mano")
    assert desk.jobs() == []
    _register(desk, desk.kept("constancia"), radicado)
    envio = desk.envio()
    assert envio.nivel_prueba == 3
    assert envio.estado is (EstadoEnvio.RADICADO if radicado else EstadoEnvio.RECIBIDO_SIN_NUMERO)
    assert case.answers() == [R.PRESENTADA, R.PRESENTADA]
    assert case.order().envios == ()
    assert desk.jobs() == []


def test_a_person_may_register_what_a_bot_was_to_present(case: Case) -> None:
    desk = case.desk()
    _register(desk, desk.kept("correo"), None)
    assert case.answers() == [R.PRESENTADA, R.PRESENTADA]
    assert JobState.READY not in desk.jobs()


def test_a_devolucion_is_answered_by_hand_even_where_there_is_a_bot(case: Case) -> None:
    with case.house.db.write() as session:
        devolucion = casos.devolucion(session, session.get_one(Factura, case.factura_id))
        row = casos.answer(session, devolucion, estado=R.APROBADA)
        session.flush()
        ordered = order_answers(session, [row.id], actor="persona:1", at=case.house.clock())
    assert [(envio.acto, envio.canal) for envio in ordered.envios] == [(Acto.RESPUESTA_DEVOLUCION, "mano")]


def test_a_second_round_and_a_late_line_are_each_another_envio(case: Case) -> None:
    _accept(case.desk())
    at = case.house.clock()
    with case.house.db.write() as session:
        lines = session.scalars(select(Glosa).where(Glosa.factura_id == case.factura_id).order_by(Glosa.id)).all()
        for line in lines:
            decide(
                session, line, levantado=0, ratificado=True, ocurrido_at=at, evidence=[casos.EVIDENCE],
                actor="persona:1", at=at, motivo="ratificacion",
            )  # fmt: skip
        again = [add_answer(session, line) for line in lines]
        second = order_answers(session, [row.id for row in again], actor="persona:1", at=at)
        late = casos.glosa(session, session.get_one(Factura, case.factura_id), 900, at=at)
        third = add_answer(session, late)
        refused = order_answers(session, [third.id], actor="persona:1", at=at)
    assert [envio.ronda for envio in second.envios] == [2]
    assert refused.rechazos[0].motivos == ("Ya va en camino otra respuesta de esta factura: espere su resultado.",)
    desk = Desk(case.house, [case.factura_id], second.envios[0].id, case.cuenta_id, case.lane_id)
    _accept(desk)
    with case.house.db.write() as session:
        third_order = order_answers(session, [third.id], actor="persona:1", at=at)
    assert [envio.ronda for envio in third_order.envios] == [3]


def test_a_payers_clock_in_the_future_does_not_date_the_answer(case: Case) -> None:
    desk = case.desk()
    claimed, intento = desk.sending()
    ahead = (case.house.clock() + timedelta(hours=3)).isoformat()
    desk.apply(claimed, intento, said(Outcome.ACCEPTED, **CLOSED, fecha=ahead))
    with case.house.db.read() as session:
        row = session.get_one(Respuesta, case.respuestas[0])
        assert row.presentada_at is not None
        assert row.presentada_at <= case.house.clock()


def test_a_support_that_the_portal_does_not_take_is_refused_before_it_is_sent(case: Case) -> None:
    with case.house.db.write() as session:
        session.get_one(Respuesta, case.respuestas[0]).soportes = ["f" * 64]
    assert "el portal solo recibe PDF" in case.order().rechazos[0].motivos[0]
    assert len(case.order(canal="mano").envios) == 1
