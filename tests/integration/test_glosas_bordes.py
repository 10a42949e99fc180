"""Where two right things meet: an answer whose line closed, a note in parts, a file loaded too late, hands at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.house import House
from radica.audit.services import advance
from radica.entidades.models import Prestador
from radica.facturas.models import Factura
from radica.glosas import acts
from radica.glosas.bandeja import work
from radica.glosas.bandeja.work_models import AjusteGlosas, Decision, Plantilla, ReglaAsignacion, Respuesta
from radica.glosas.deciding import settle_decisions
from radica.glosas.fates import Aviso, Linea
from radica.glosas.lectura.tipos import LineaLeida, TipoLinea
from radica.glosas.matching import CruceFactura, FacturaRef
from radica.glosas.models import Confianza, DestinoLinea, Glosa
from radica.glosas.respuesta import answering
from radica.glosas.respuesta.answer_draft import Borrador, WrongField
from radica.glosas.respuesta.answer_sets import ready_sets
from radica.glosas.silence import apply_silences
from radica.glosas.states import EstadoGlosa, EstadoRespuesta
from radica.glosas.storing import active_rules, owner_of
from radica.kernel.db import Database
from radica.kernel.errors import BadInput
from radica.radicacion import manual
from radica.radicacion.models import Envio
from radica.radicacion.services import reject
from radica.radicacion.states import EventoEnvio
from radica.users.models import ClaseTarea, Rol, Tarea, Usuario
from radica.users.services import create_user, grant
from tests import factories
from tests.plugins import glosas as made
from tests.plugins.glosas import EVIDENCE, LATER, day
from tests.plugins.settling_answers import open_case_of

BY = {"actor": "persona:1", "at": LATER, "motivo": "registro_manual"}
R = EstadoRespuesta


def titles(session: Session, case_key: str, clase: ClaseTarea) -> list[str]:
    found = select(Tarea.titulo).where(Tarea.case_key == case_key, Tarea.clase == clase, Tarea.cerrada_at.is_(None))
    return list(session.scalars(found))


def close(session: Session, case_key: str, clase: ClaseTarea) -> None:
    row = session.scalars(select(Tarea).where(Tarea.case_key == case_key, Tarea.clase == clase)).one()
    row.cerrada_at, row.cerrada_por, row.resultado = LATER, "persona:1", "hecha"


# --- Answers whose line closed -----------------------------------------------------------------------------------


def _lift(session: Session, glosa: Glosa) -> None:
    acts.decide(
        session, glosa, levantado=glosa.en_disputa, ratificado=False, ocurrido_at=LATER, evidence=[EVIDENCE], **BY
    )


def test_the_answer_of_a_line_that_closed_goes_with_it_and_its_approval_task_too(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session)
        glosa = made.glosa(session, invoice)
        answer = made.answer(session, glosa, estado=R.POR_APROBAR)
        session.flush()
        made_task = Tarea(
            prestador_id=glosa.prestador_id, clase=ClaseTarea.APROBAR_RESPUESTA, case_key=answer.case_key,
            titulo="Aprobar", creada_at=LATER,
        )  # fmt: skip
        session.add(made_task)
        session.flush()
        _lift(session, glosa)
        assert answer.estado is R.DESCARTADA
        assert titles(session, answer.case_key, ClaseTarea.APROBAR_RESPUESTA) == []


def test_an_annulled_line_closes_the_task_to_approve_its_answer(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        answer = made.answer(session, glosa, estado=R.POR_APROBAR)
        session.flush()
        session.add(
            Tarea(
                prestador_id=glosa.prestador_id, clase=ClaseTarea.APROBAR_RESPUESTA, case_key=answer.case_key,
                titulo="Aprobar", creada_at=LATER,
            )
        )  # fmt: skip
        acts.annul(session, glosa, texto="Era de otra factura", **BY)
        assert answer.estado is R.DESCARTADA
        assert titles(session, answer.case_key, ClaseTarea.APROBAR_RESPUESTA) == []


def test_an_acceptance_by_silence_keeps_the_answer_that_may_have_been_given_in_time(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        answer = made.answer(session, glosa, estado=R.APROBADA)
        provider = glosa.prestador_id
    apply_silences(db, [provider], today=date(2026, 7, 9), at=day(7, 9))
    with db.read() as session:
        assert session.get_one(Glosa, glosa.id).estado is EstadoGlosa.ACEPTADA_TACITA
        assert session.get_one(Respuesta, answer.id).estado is R.APROBADA
        assert ready_sets(session, [provider]) == []


def test_an_order_does_not_take_along_the_answer_of_a_line_accepted_by_silence(hands: House) -> None:
    case = open_case_of(hands)
    with hands.db.write() as session:
        first = session.get_one(Glosa, session.get_one(Respuesta, case.respuestas[0]).glosa_id)
        first.notificada_segun = "correo"
        provider = first.prestador_id
        second = session.get_one(Glosa, session.get_one(Respuesta, case.respuestas[1]).glosa_id)
        acts.correct_notice_date(
            session, second, notificada_at=LATER - timedelta(days=1), texto="Llegó ayer", evidence=[EVIDENCE], **BY
        )
    apply_silences(hands.db, [provider], today=date(2026, 7, 9), at=day(7, 9))
    del case.respuestas[0]
    desk = case.desk()
    assert desk.envio().valor == 1_000_001
    with hands.db.read() as session:
        carried = session.scalars(select(Respuesta.id).where(Respuesta.envio_id == desk.envio_id)).all()
        assert list(carried) == case.respuestas


# --- Rules that hold again when it is sent -----------------------------------------------------------------------


def test_an_answer_that_says_late_is_not_presented_after_the_notice_date_was_put_right(hands: House) -> None:
    case = open_case_of(hands, 1)
    with hands.db.write() as session:
        answer = session.get_one(Respuesta, case.respuestas[0])
        glosa = session.get_one(Glosa, answer.glosa_id)
        answer.codigo, answer.decision = "RE9502", Decision.EXTEMPORANEA
        assert not glosa.extemporanea
    refused = case.order()
    assert refused.envios == ()
    assert "RE9502 no procede" in refused.rechazos[0].motivos[0]


def test_a_draft_that_its_rules_refuse_cannot_be_approved_around_them(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        draft = Borrador(Decision.SUBSANAR, "Se adjunta lo que faltaba.")
        answer = answering.save_answer(session, glosa, draft, actor="usuario:1", at=LATER)
        with pytest.raises(WrongField, match="soporte"):
            answering.approve(session, glosa, answer, actor="usuario:2", at=LATER)
        assert answer.estado is R.BORRADOR


# --- Notes -------------------------------------------------------------------------------------------------------


def test_the_note_of_three_acceptances_asks_only_for_what_no_note_covers(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session), 1_000_000)
        made.present(session, glosa, Decision.ACEPTAR_PARTE, valor_aceptado=100_000, on=day(7, 1), at=day(7, 1, 11))
        close(session, glosa.case_key, ClaseTarea.EMITIR_NOTA_CREDITO)
        acts.decide(session, glosa, levantado=0, ratificado=True, ocurrido_at=day(7, 6), evidence=[],
                    actor="persona:1", at=day(7, 6, 12), motivo="registro_manual")  # fmt: skip
        made.present(session, glosa, Decision.ACEPTAR_PARTE, valor_aceptado=50_000, on=day(7, 8), at=day(7, 8, 11))
        assert "$ 500:" in titles(session, glosa.case_key, ClaseTarea.EMITIR_NOTA_CREDITO)[0]
        acts.apply_acta(
            session, [acts.ActaLinea(0, 30_000, 820_000, glosa_id=glosa.id)], conciliacion_case="conciliacion:1",
            ocurrido_at=day(8, 3), evidence=[EVIDENCE], actor="persona:1", at=day(8, 3, 11),
        )  # fmt: skip
        assert glosa.aceptado == 180_000
        (title,) = titles(session, glosa.case_key, ClaseTarea.EMITIR_NOTA_CREDITO)
        assert "$ 800:" in title


# --- Silence -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loaded", [day(7, 9), day(11, 20)])
def test_a_file_loaded_after_its_own_dates_had_lapsed_accepts_nothing(db: Database, loaded) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session), notificada_segun="archivo", at=loaded)
        provider = glosa.prestador_id
    done = apply_silences(db, [provider], today=date(2026, 11, 21), at=day(11, 21))
    assert (done.aceptadas, done.tareas) == (0, 1)
    with db.read() as session:
        assert session.get_one(Glosa, glosa.id).estado is EstadoGlosa.FORMULADA


def test_a_file_loaded_inside_its_term_lapses_as_the_norm_says(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session), notificada_segun="archivo", at=day(7, 8))
        provider = glosa.prestador_id
    assert apply_silences(db, [provider], today=date(2026, 7, 9), at=day(7, 9)).aceptadas == 1


def test_a_term_that_lapses_while_its_answer_travels_asks_a_person_once(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        made.answer(session, glosa)
        provider = glosa.prestador_id
    for _ in range(2):
        done = apply_silences(db, [provider], today=date(2026, 7, 9), at=day(7, 9))
        assert done.aceptadas == 0
    with db.read() as session:
        assert session.get_one(Glosa, glosa.id).estado is EstadoGlosa.FORMULADA
        (title,) = titles(session, glosa.case_key, ClaseTarea.REVISAR_SILENCIO)
        assert "en un envío" in title


# --- By hand -----------------------------------------------------------------------------------------------------


def test_an_answer_registered_by_hand_before_its_notice_is_refused_not_dated_anew(hands: House) -> None:
    desk = open_case_of(hands, 1).desk(canal="mano")
    kept = desk.kept("constancia")

    def register() -> None:
        with hands.db.write() as session:
            envio = session.get_one(Envio, desk.envio_id)
            manual.register_filed(
                session, envio, radicado=None, cuando=day(6, 15), kept=kept, actor="persona:1", at=hands.clock(),
                expected_version=envio.version,
            )  # fmt: skip

    with pytest.raises(BadInput) as refused:
        register()
    assert refused.value.code == "fecha_anterior"


def test_presenting_again_closes_the_task_to_mend_what_was_refused(hands: House) -> None:
    case = open_case_of(hands, 1)
    desk = case.desk(canal="mano")
    with hands.db.write() as session:
        reject(session, session.get_one(Envio, desk.envio_id), "Ilegible", actor="persona:1", at=hands.clock())
    assert desk.tasks() == [ClaseTarea.CORREGIR_RECHAZO]
    case.desk()
    assert desk.tasks() == []


def test_a_notice_date_is_not_corrected_while_the_answer_travels(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        made.answer(session, glosa)
        with pytest.raises(BadInput) as refused:
            acts.correct_notice_date(
                session, glosa, notificada_at=day(6, 18), texto="Llegó el 18", evidence=[EVIDENCE], **BY
            )
        assert refused.value.code == "respuesta_en_envio"


# --- At once -----------------------------------------------------------------------------------------------------


def _worth(session: Session, glosa_id: int) -> None:
    glosa = session.get_one(Glosa, glosa_id)
    acts.decide(session, glosa, levantado=1, ratificado=True, ocurrido_at=day(8, 10), evidence=[EVIDENCE], **BY)


def test_two_decisions_on_two_causes_of_one_item_do_not_block_each_other(db: Database) -> None:
    pairs = []
    with db.write() as session:
        for _ in range(12):
            invoice = made.filed(session, valor=10**9)
            (item,) = made.items(session, invoice, [600_000])
            one = made.glosa(session, invoice, 400_000, item=item)
            other = made.glosa(session, invoice, 400_000, item=item)
            third = made.glosa(session, invoice, 400_000, item=item)
            one.valor_objetado, one.exceso = 500_000, 1
            for glosa in (one, other):
                made.present(session, glosa, on=day(7, 1))
            del third
            pairs.append((one.id, other.id))
        providers = list(session.scalars(select(Prestador.id)))
    apply_silences(db, providers, today=date(2026, 8, 1), at=day(8, 1))  # every line has its task now

    def work(turn: int) -> None:
        for pair in pairs:
            with db.write() as session:
                _worth(session, pair[turn])

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(work, 0), pool.submit(work, 1)]:
            future.result()
    with db.read() as session:
        ids = [one for pair in pairs for one in pair]
        rows = session.scalars(select(Glosa).where(Glosa.id.in_(ids))).all()
        assert {row.estado for row in rows} == {EstadoGlosa.LEVANTADA_PARCIAL}
        assert all(row.levantado == 1 and row.valor == row.levantado + row.en_disputa for row in rows)


def test_a_decision_file_in_any_order_and_the_clock_do_not_block_each_other(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session, valor=10**9)
        glosas = [made.glosa(session, invoice, 1_000) for _ in range(30)]
        for glosa in glosas:
            made.present(session, glosa, on=day(7, 1))
        ids, provider = [one.id for one in glosas], invoice.prestador_id
        lines = [_said(invoice, ids[-1 - n], n) for n in range(30)]
        for n, glosa in enumerate(reversed(glosas)):
            glosa.numero_glosa = f"G{n}"

    def file() -> None:
        with db.write() as session:
            settle_decisions(session, lines, AVISO, actor="archivo", at=LATER)

    def clock() -> None:
        apply_silences(db, [provider], today=date(2026, 8, 1), at=day(8, 1), batch=30)

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(file), pool.submit(clock)]:
            future.result()
    assert {line.destino for line in lines} == {DestinoLinea.APLICADA}
    with db.read() as session:
        states = session.scalars(select(Glosa.estado).where(Glosa.id.in_(ids))).all()
        assert set(states) == {EstadoGlosa.LEVANTADA_TOTAL}


AVISO = Aviso(1, 1, None, EVIDENCE, LATER, "archivo")


def _said(invoice: Factura, glosa_id: int, number: int) -> Linea:
    read = LineaLeida(
        fila=number + 2, factura=invoice.numero, tipo=TipoLinea.DECISION, codigo="FA0201", codigo_original="FA0201",
        valor=0, levantado=1_000, numero_glosa=f"G{number}", fecha_notificacion=date(2026, 7, 10),
    )  # fmt: skip
    found = FacturaRef(
        invoice.id, invoice.numero, invoice.numero_clave, invoice.numero_digitos, invoice.pagador_id, invoice.valor,
        invoice.valor, None, None, None, invoice.estado,
    )  # fmt: skip
    return Linea(read, CruceFactura(found, Confianza.EXACTA))


# --- Owners ------------------------------------------------------------------------------------------------------


def test_new_lines_do_not_go_to_somebody_who_left(db: Database) -> None:
    with db.write() as session:
        provider = factories.prestador(session)
        gone, here = (_worker(session, provider.id, f"{name}@norte.example") for name in ("ida", "ana"))
        for order, person in enumerate((gone, here)):
            session.add(ReglaAsignacion(prestador_id=provider.id, orden=order, usuario_id=person.id, activa=True))
        gone.activo = False
        session.flush()
        assert owner_of(active_rules(session, provider.id), None, "FA", 1) == here.id


def test_a_rule_has_the_same_edge_for_new_lines_and_for_those_that_wait(db: Database) -> None:
    rule = ReglaAsignacion(prestador_id=1, orden=1, usuario_id=7, familia="", hasta=1_000_000, activa=True)
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session), 1_000_000)
        assert work.owner_by_rule([rule], glosa) is None
    assert owner_of([rule], None, "FA", 1_000_000) is None
    assert owner_of([rule], None, "FA", 999_999) == 7


def test_what_nobody_presented_yet_is_escalated_and_what_is_being_sent_is_not(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session)
        boss = _worker(session, invoice.prestador_id, "jefa@norte.example")
        by_hand, sending = made.glosa(session, invoice), made.glosa(session, invoice)
        made.answer(session, by_hand)
        sent = made.answer(session, sending)
        envio = session.get_one(Envio, sent.envio_id)
        advance(session, envio, EventoEnvio.INTENTAR, actor="bot:w", at=LATER, reason="orden_de_persona")
        session.add(
            AjusteGlosas(prestador_id=invoice.prestador_id, escalar_a_id=boss.id, escalar_dias=2, grupo_manual="")
        )
        session.flush()
        assert work.escalate(session, hoy=date(2026, 7, 7), actor="reloj", at=LATER) == 1
        assert (by_hand.responsable_id, sending.responsable_id) == (boss.id, None)


def _worker(session: Session, prestador_id: int, correo: str) -> Usuario:
    row = create_user(session, correo=correo, nombre=correo, clave_hash="x", at=LATER)
    session.flush()
    grant(session, usuario_id=row.id, prestador_id=prestador_id, roles=[Rol.GLOSAS], actor="prueba", at=LATER)
    return row


def test_an_answer_names_only_a_template_of_its_own_provider(db: Database) -> None:
    with db.write() as session:
        glosa, other = made.glosa(session, made.filed(session)), made.filed(session)
        common = {"nombre": "n", "respuesta": "RE9602", "texto": "t", "creada_at": LATER, "creada_por": "prueba"}
        own, foreign = (
            Plantilla(prestador_id=one, clave="c", version=1, **common)
            for one in (glosa.prestador_id, other.prestador_id)
        )
        session.add_all([own, foreign])
        session.flush()
        for asked, kept in ((own.id, own.id), (foreign.id, None), (987_654, None), (10**30, None)):
            draft = Borrador(Decision.DEFENDER, "El servicio se prestó.", plantilla_id=asked)
            row = answering.save_answer(session, glosa, draft, actor="usuario:1", at=LATER)
            assert row.plantilla_id == kept
