"""An envío from its order to its end: refusals, intents, results, readings, people, rounds; on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from bots import contract
from bots.contract import Category, Confidence, Outcome
from radica.app.house import House
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura
from radica.jobs.models import JobState
from radica.kernel.errors import BadInput, InvalidTransition, NotFound
from radica.radicacion.attempts import MAX_RETRIES
from radica.radicacion.effects import Acuse
from radica.radicacion.models import Envio, EnvioFactura, Lectura
from radica.radicacion.outcomes import Veredicto
from radica.radicacion.services import KIND_LOOK_UP, open_envio_of, order_filings, withdraw
from radica.radicacion.settle import mark_unknown, person_absent, person_found, person_rejected, unfenced
from radica.radicacion.states import EstadoEnvio, EstadoIntento
from radica.users.models import ClaseTarea
from tests import factories
from tests.plugins.settling import RADICADO, Desk, open_desk, said

ME = "usuario:1"
EVIDENCE = ["0" * 64]


def last(desk: Desk) -> EstadoIntento:
    return desk.attempts()[-1].estado


# --- Orders -------------------------------------------------------------------------------------------------------


def test_what_is_not_ready_is_refused_with_every_reason_and_the_rest_goes_on(hands: House) -> None:
    with hands.db.write() as session:
        provider, payer = factories.prestador(session), factories.pagador(session)
        ready = factories.factura(session, provider, payer)
        wrong = factories.factura(session, provider, payer, estado=EstadoFactura.NO_LISTA)
        wrong.pagador_id = None
        late = factories.factura(session, provider, payer)
        late.vence_radicar = hands.clock().date() - timedelta(days=40)
        ids = [ready.id, wrong.id, late.id]
        ordered = order_filings(session, ids, prestador_ids=[provider.id], actor=ME, at=hands.clock())
        assert [line.factura_id for envio in ordered.envios for line in envio.lineas] == [ready.id]
        assert [(one.factura_id, len(one.motivos)) for one in ordered.rechazos] == [(wrong.id, 2), (late.id, 1)]
        assert ordered.envios[0].canal == "mano", "this payer has no account"


def test_invoices_of_another_provider_are_not_found_and_nothing_is_ordered(desk: Desk) -> None:
    with pytest.raises(NotFound), desk.house.db.write() as session:
        order_filings(session, desk.facturas, prestador_ids=[10**6], actor=ME, at=desk.house.clock())


def test_two_orders_at_once_make_one_envio(hands: House) -> None:
    with hands.db.write() as session:
        provider, payer = factories.prestador(session), factories.pagador(session)
        ids = [factories.factura(session, provider, payer).id for _ in range(3)]
        provider_id = provider.id

    def order(ids: list[int]) -> tuple[int, int]:
        with hands.db.write() as session:
            done = order_filings(session, ids, prestador_ids=[provider_id], actor=ME, at=hands.clock())
            return len(done.envios), len(done.rechazos)

    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(order, [ids, ids[::-1]]))
    assert sorted(counts) == [(0, 3), (3, 0)]
    with hands.db.read() as session:
        assert len(session.scalars(select(EnvioFactura)).all()) == 3


# --- Attempt and result -------------------------------------------------------------------------------------------


def test_accepted_with_a_sealed_acuse_is_filed_with_all_its_invoices(hands: House) -> None:
    desk = open_desk(hands, 2)
    claimed, intento = desk.sending()
    assert desk.envio().estado is EstadoEnvio.EN_CURSO
    desk.apply(claimed, intento, said(Outcome.ACCEPTED))
    envio = desk.envio()
    assert (envio.estado, envio.radicado, envio.nivel_prueba) == (EstadoEnvio.RADICADO, RADICADO, 2)
    assert desk.states() == {EstadoFactura.RADICADA}
    assert (desk.busy(), desk.jobs(), last(desk)) == (None, [JobState.DONE], EstadoIntento.TERMINADO)


@pytest.mark.parametrize(
    ("changes", "kinds", "estado", "nivel"),
    [
        ({"document": "acuse_document.txt"}, ["acuse_dom", "acuse_document"], EstadoEnvio.RADICADO, 3),
        ({"document": "acuse_dom.txt"}, ["acuse_dom"], EstadoEnvio.RADICADO, 2),
        ({"radicado": None}, ["acuse_dom"], EstadoEnvio.RECIBIDO_SIN_NUMERO, 1),
        ({"confidence": Confidence.BAJA}, ["acuse_dom"], EstadoEnvio.EN_CURSO, 0),
        ({}, ["manifest"], EstadoEnvio.EN_CURSO, 0),
        ({}, [], EstadoEnvio.EN_CURSO, 0),
    ],
)
def test_a_number_counts_for_what_is_sealed(
    desk: Desk, changes: dict[str, object], kinds: list[str], estado: EstadoEnvio, nivel: int
) -> None:
    claimed, intento = desk.sending()
    desk.apply(claimed, intento, said(Outcome.ACCEPTED, **changes), kinds)
    assert (desk.envio().estado, desk.envio().nivel_prueba) == (estado, nivel)
    if estado is EstadoEnvio.EN_CURSO:
        assert (last(desk), desk.busy()) == (EstadoIntento.DESCONOCIDO, claimed.id)
    else:
        assert (last(desk), desk.busy()) == (EstadoIntento.TERMINADO, None)


def test_a_rejection_frees_the_invoice_for_a_new_round(desk: Desk) -> None:
    claimed, intento = desk.sending()
    desk.apply(claimed, intento, said(Outcome.REJECTED))
    assert (desk.envio().estado, desk.envio().motivo_rechazo) == (EstadoEnvio.RECHAZADO, "El contrato no está vigente.")
    assert desk.tasks() == [ClaseTarea.CORREGIR_RECHAZO]
    assert EstadoFactura.EN_RADICACION not in desk.states()
    with desk.house.db.write() as session:
        row = session.get_one(Factura, desk.facturas[0])
        assert open_envio_of(session, row.id) is None
        row.estado = EstadoFactura.LISTA  # corrected
        session.flush()
        again = order_filings(session, [row.id], prestador_ids=[row.prestador_id], actor=ME, at=desk.house.clock())
        assert [envio.ronda for envio in again.envios] == [2]


def test_what_failed_before_sending_is_tried_again_and_then_asked(desk: Desk) -> None:
    for n in range(MAX_RETRIES):
        assert desk.tasks() == [], n
        claimed, intento = desk.sending()
        desk.apply(claimed, intento, said(Outcome.NOT_SUBMITTED))
        assert desk.envio().estado is EstadoEnvio.PREPARADO
    assert desk.tasks() == [ClaseTarea.ATENDER_PORTAL]
    assert set(desk.jobs()) == {JobState.DONE}


def test_what_a_person_must_mend_is_asked_at_once(desk: Desk) -> None:
    claimed = desk.claim()
    intento = desk.begin(claimed)
    assert intento is not None
    desk.apply(claimed, intento, said(Outcome.NOT_SUBMITTED, category=Category.PERSON, code="captcha"))
    assert (desk.tasks(), desk.jobs()) == ([ClaseTarea.ATENDER_PORTAL], [JobState.DONE])


def test_a_duplicate_before_the_go_goes_to_a_person_who_found_it(desk: Desk) -> None:
    claimed = desk.claim()
    intento = desk.begin(claimed)
    assert intento is not None
    desk.apply(claimed, intento, said(Outcome.DUPLICATE))
    assert (last(desk), desk.tasks()) == (EstadoIntento.ESPERA_PERSONA, [ClaseTarea.RADICADA_POR_FUERA])
    with desk.house.db.write() as session:
        pieces = desk.seal(session, "registro:1", desk.kept("constancia"))
        acuse = Acuse(3, "7", desk.house.clock(), tuple(piece.sha256 for piece in pieces))
        person_found(session, session.get_one(Envio, desk.envio_id), acuse, actor=ME, at=desk.house.clock())
    assert (desk.envio().estado, desk.tasks()) == (EstadoEnvio.RADICADO, [])


def test_the_intent_is_refused_to_a_lost_claim_and_to_a_closed_envio(desk: Desk) -> None:
    lost = desk.claim()
    intento = desk.begin(lost)
    assert intento is not None
    desk.lapse()
    assert not desk.intend(lost, intento)
    claimed = desk.claim()
    following = desk.begin(claimed)
    assert following is not None
    assert [one.estado for one in desk.attempts()] == [EstadoIntento.TERMINADO, EstadoIntento.PREPARANDO]
    with desk.house.db.write() as session:
        withdraw(session, session.get_one(Envio, desk.envio_id), "No era", actor=ME, at=desk.house.clock())
    with pytest.raises(InvalidTransition):
        desk.intend(claimed, following)
    assert desk.attempts()[-1].intent_at is None
    desk.apply(claimed, following, said(Outcome.STOPPED))
    assert desk.envio().estado is EstadoEnvio.CANCELADO
    assert JobState.READY not in desk.jobs()


def test_what_may_have_been_sent_cannot_be_withdrawn_nor_decided_while_it_is_sent(desk: Desk) -> None:
    desk.sending()
    for act in (_withdraw, _absent, _rejected):
        with pytest.raises(InvalidTransition):
            act(desk)
    assert (desk.envio().estado, last(desk)) == (EstadoEnvio.EN_CURSO, EstadoIntento.ENVIANDO)


# --- Unknown outcomes ---------------------------------------------------------------------------------------------


def test_a_lapsed_intent_is_unknown_keeps_its_lane_and_is_fenced_only_by_its_machine(desk: Desk) -> None:
    claimed, intento = desk.sending()
    desk.lapse()
    with desk.house.db.write() as session:
        assert [row.id for row in mark_unknown(session, at=desk.house.clock())] == [intento.id]
        assert [row.id for row in unfenced(session, desk.house.host)] == [intento.id]
        assert unfenced(session, "otra") == []
    assert (last(desk), desk.busy(), desk.jobs(KIND_LOOK_UP)) == (EstadoIntento.DESCONOCIDO, claimed.id, [])
    desk.fence(intento)
    assert (desk.busy(), desk.jobs(KIND_LOOK_UP)) == (None, [JobState.READY])


def test_an_acuse_that_comes_late_settles_the_unknown(desk: Desk) -> None:
    claimed, intento = desk.sending()
    desk.lapse()
    desk.apply(claimed, intento, said(Outcome.ACCEPTED))
    assert (desk.envio().estado, last(desk)) == (EstadoEnvio.RADICADO, EstadoIntento.HALLADO)
    assert desk.busy() == claimed.id, "its processes may still live"
    desk.fence(intento)
    assert (desk.busy(), desk.jobs(KIND_LOOK_UP)) == (None, [])


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.NOT_SUBMITTED, Outcome.DUPLICATE, Outcome.UNKNOWN])
def test_what_comes_late_and_is_no_acuse_moves_nothing(desk: Desk, outcome: Outcome) -> None:
    claimed, intento = desk.sending()
    desk.lapse()
    desk.apply(claimed, intento, said(outcome))
    assert (desk.envio().estado, last(desk)) == (EstadoEnvio.EN_CURSO, EstadoIntento.DESCONOCIDO)
    assert desk.attempts()[0].sellado_at is not None


def test_found_is_filed_with_level_2(desk: Desk) -> None:
    desk.unknown()
    decision = desk.found()
    assert decision is not None
    assert decision.veredicto is Veredicto.HALLADA
    assert (desk.envio().estado, desk.envio().nivel_prueba) == (EstadoEnvio.RADICADO, 2)
    assert desk.states() == {EstadoFactura.RADICADA}
    assert set(desk.jobs()) == {JobState.DONE}


def test_known_without_number_ends_without_number_until_a_late_acuse_brings_it(desk: Desk) -> None:
    intento = desk.unknown()
    desk.read(Outcome.KNOWN_WITHOUT_NUMBER, text="Factura registrada")
    assert desk.envio().estado is EstadoEnvio.RECIBIDO_SIN_NUMERO
    assert desk.tasks() == [ClaseTarea.CONSEGUIR_NUMERO]
    desk.apply(None, intento, said(Outcome.ACCEPTED))
    assert (desk.envio().estado, desk.envio().radicado, desk.tasks()) == (EstadoEnvio.RADICADO, RADICADO, [])


def test_absent_twice_makes_a_new_attempt(desk: Desk) -> None:
    desk.unknown()
    desk.read(Outcome.ABSENT, ago_s=10)
    assert (last(desk), desk.jobs()) == (EstadoIntento.DESCONOCIDO, [JobState.OUTCOME_UNKNOWN])
    desk.read(Outcome.ABSENT)
    assert (last(desk), desk.envio().estado) == (EstadoIntento.AUSENTE, EstadoEnvio.PREPARADO)
    assert desk.jobs() == [JobState.DONE, JobState.READY]
    claimed, intento = desk.sending()
    assert intento.numero == 2
    desk.apply(claimed, intento, said(Outcome.ACCEPTED))
    assert desk.envio().estado is EstadoEnvio.RADICADO


def test_absent_before_the_fence_settled_only_waits(desk: Desk) -> None:
    claimed, intento = desk.sending()
    desk.apply(claimed, intento, said(Outcome.UNKNOWN))
    desk.fence(intento, settled=False)
    for _ in range(3):
        desk.read(Outcome.ABSENT, ago_s=3)
    assert last(desk) is EstadoIntento.DESCONOCIDO


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ({"valor": "1.00"}, ClaseTarea.CONFIRMAR_RESULTADO),
        ({"fecha": "2020-01-01T10:00:00-05:00"}, ClaseTarea.RADICADA_POR_FUERA),
        ({"fecha": None}, ClaseTarea.CONFIRMAR_RESULTADO),
    ],
)
def test_found_that_is_not_this_filing_asks_a_person(desk: Desk, values: dict[str, object], task: ClaseTarea) -> None:
    desk.unknown()
    desk.found(**values)
    assert (desk.envio().estado, last(desk)) == (EstadoEnvio.EN_CURSO, EstadoIntento.ESPERA_PERSONA)
    assert desk.tasks() == [task]
    assert JobState.READY not in desk.jobs(KIND_LOOK_UP)


def test_a_date_of_the_future_is_not_the_date_of_filing(desk: Desk) -> None:
    desk.unknown()
    desk.found(fecha="2199-01-01T10:00:00-05:00")
    filed = desk.envio().fecha_radicacion
    assert filed is not None
    assert filed <= desk.house.clock()


def test_a_portal_that_cannot_say_asks_a_person(desk: Desk) -> None:
    desk.unknown()
    desk.read(Outcome.CANNOT_SAY, code="no_dice", message="No hay consulta")
    assert desk.tasks() == [ClaseTarea.CONFIRMAR_RESULTADO]
    with desk.house.db.read() as session:
        assert session.scalars(select(Lectura.detalle)).all() == ["no_dice: No hay consulta"]


def test_a_filing_of_several_that_the_portal_shows_in_part_is_read_again(hands: House) -> None:
    desk = open_desk(hands, 3)
    desk.unknown()
    desk.found(facturas=(contract.FoundFactura("FE0", RADICADO, None, None),))
    assert (last(desk), desk.jobs(KIND_LOOK_UP)) == (EstadoIntento.DESCONOCIDO, [JobState.DONE, JobState.READY])


# --- People -------------------------------------------------------------------------------------------------------


def test_a_person_says_absent_only_with_reason_and_evidence_after_the_fence(desk: Desk) -> None:
    claimed, intento = desk.sending()
    desk.apply(claimed, intento, said(Outcome.UNKNOWN))
    with pytest.raises(BadInput):
        _absent(desk)
    desk.fence(intento)
    for motivo, evidence in ((" ", EVIDENCE), ("No está", [])):
        with pytest.raises(BadInput):
            _absent(desk, motivo, evidence)
    _absent(desk)
    assert (last(desk), desk.envio().estado, desk.jobs()[-1]) == (
        EstadoIntento.AUSENTE,
        EstadoEnvio.PREPARADO,
        JobState.READY,
    )
    assert desk.claim().kind == KIND_LOOK_UP, "what is asked already may be asked"


def test_a_persons_word_that_the_machine_is_off_fences_and_frees_the_lane(desk: Desk) -> None:
    claimed, intento = desk.sending()
    desk.apply(claimed, intento, said(Outcome.UNKNOWN))
    _absent(desk, off=True)
    assert (last(desk), desk.busy(), desk.jobs()[-1]) == (EstadoIntento.AUSENTE, None, JobState.READY)


def test_a_person_registers_a_refusal_of_an_unknown(desk: Desk) -> None:
    desk.unknown()
    _rejected(desk)
    assert (desk.envio().estado, last(desk)) == (EstadoEnvio.RECHAZADO, EstadoIntento.TERMINADO)
    assert JobState.READY not in desk.jobs(KIND_LOOK_UP)


def test_a_withdrawn_envio_is_filed_by_nobody(desk: Desk) -> None:
    _withdraw(desk)
    assert (desk.envio().estado, desk.jobs()) == (EstadoEnvio.CANCELADO, [JobState.CANCELLED])
    assert EstadoFactura.EN_RADICACION not in desk.states()


def _withdraw(desk: Desk) -> None:
    with desk.house.db.write() as session:
        withdraw(session, session.get_one(Envio, desk.envio_id), "No era", actor=ME, at=desk.house.clock())


def _rejected(desk: Desk) -> None:
    with desk.house.db.write() as session:
        envio = session.get_one(Envio, desk.envio_id)
        person_rejected(session, envio, "Devuelta", EVIDENCE, actor=ME, at=desk.house.clock())


def _absent(desk: Desk, motivo: str = "No está", evidence: list[str] = EVIDENCE, *, off: bool = False) -> None:
    with desk.house.db.write() as session:
        envio = session.get_one(Envio, desk.envio_id)
        at = desk.house.clock()
        person_absent(session, envio, motivo, evidence, actor=ME, at=at, host_apagado=off)
