"""The way of a glosa through its acts on both databases: state, money, terms, rows, tasks; and facts out of order."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.chain import link_hash
from radica.audit.models import Transition
from radica.audit.services import link_content
from radica.entidades.models import TipoPagador
from radica.glosas import acts
from radica.glosas.bandeja.work_models import AjusteGlosas, Decision, Respuesta
from radica.glosas.models import Acto, Glosa, TipoActo
from radica.glosas.states import EstadoGlosa, EstadoRespuesta
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, InvalidTransition, StalePage
from radica.users.models import ClaseTarea, Tarea
from tests.plugins import glosas as made
from tests.plugins.glosas import EVIDENCE, FILED, LATER, NOTICED, day

BY = {"actor": "persona:1", "at": LATER, "motivo": "registro_manual"}


DECIDED = day(7, 10)


def decide(session: Session, glosa: Glosa, *, levantado=0, ratificado=True, on=DECIDED, **more):
    return acts.decide(
        session,
        glosa,
        levantado=levantado,
        ratificado=ratificado,
        ocurrido_at=on,
        evidence=[EVIDENCE],
        **{**BY, **more},
    )


def money(glosa: Glosa) -> tuple[int, int, int, int]:
    return glosa.valor, glosa.aceptado, glosa.levantado, glosa.en_disputa


def terms(glosa: Glosa) -> tuple[str, str | None, date | None, date | None]:
    return glosa.turno, glosa.vence_termino, glosa.vence, glosa.vence_alterno


def rows_of(session: Session, glosa: Glosa) -> list[Acto]:
    return list(session.scalars(select(Acto).where(Acto.glosa_id == glosa.id).order_by(Acto.id)))


def tasks(session: Session, case_key: str) -> list[ClaseTarea]:
    found = select(Tarea.clase).where(Tarea.case_key == case_key, Tarea.cerrada_at.is_(None)).order_by(Tarea.id)
    return list(session.scalars(found))


def test_a_glosa_is_born_with_its_money_term_act_and_first_link(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session), 2_500_050)
    with db.read() as session:
        glosa = session.get_one(Glosa, glosa.id)
        assert (glosa.estado, glosa.version, glosa.extemporanea, glosa.dias_pagador) == ("formulada", 0, False, 9)
        assert money(glosa) == (2_500_050, 0, 0, 2_500_050)
        assert terms(glosa) == ("ips", "GLO-03", date(2026, 7, 8), None)
        (act,) = rows_of(session, glosa)
        assert (act.tipo, act.autor, act.codigo, act.evidencia) == ("notificacion", "pagador", "FA0201", [EVIDENCE])
        assert act.plazo["oportuno"] is True
        assert act.plazo["vence"] == "2026-07-02"
        assert act.siifa_vence is None
        (link,) = session.scalars(select(Transition).where(Transition.case_key == glosa.case_key))
        assert (link.seq, link.event, link.to_state) == (1, "crear", "formulada")
        assert link.hash == link_hash(link_content(link))


def test_a_late_glosa_says_so_and_by_how_much(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session), notificada_at=day(7, 3))
        assert (glosa.extemporanea, glosa.dias_pagador) == (True, 21)
        assert rows_of(session, glosa)[0].plazo["oportuno"] is False


def test_the_payers_earlier_date_makes_the_term_prudent_but_no_lateness(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session)
        early = made.glosa(session, invoice, fecha_segun_pagador=date(2026, 6, 12))
        later = made.glosa(session, invoice, fecha_segun_pagador=date(2026, 6, 18))
        nonsense = made.glosa(session, invoice, fecha_segun_pagador=date(2026, 5, 20))
        assert (early.vence, early.vence_alterno) == (date(2026, 7, 7), date(2026, 7, 8))
        assert (later.vence, later.vence_alterno) == (date(2026, 7, 8), None)
        assert (nonsense.vence, nonsense.vence_alterno) == (date(2026, 7, 8), None)


def test_a_payer_without_terms_gets_a_prudent_date(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session, tipo=TipoPagador.SOAT), notificada_at=day(9, 1))
        assert (glosa.extemporanea, glosa.vence) == (False, date(2026, 9, 22))
        assert rows_of(session, glosa)[0].plazo["oportuno"] is None


@pytest.mark.parametrize(("when", "code"), [(day(11, 21), "fecha_futura"), (day(5, 29), "notificada_antes")])
def test_a_notice_in_the_future_or_before_the_filing_is_refused(db: Database, when, code: str) -> None:
    with pytest.raises(BadInput) as refused, db.write() as session:
        made.glosa(session, made.filed(session), notificada_at=when)
    assert refused.value.code == code
    with db.read() as session:
        assert session.scalars(select(Glosa)).all() == []


def test_causes_on_one_item_never_count_for_more_than_it(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session, valor=1_000_000)
        item, other = made.items(session, invoice, [400_000, 900_000])
        first = made.glosa(session, invoice, 300_000, item=item)
        second = made.glosa(session, invoice, 300_000, item=item, codigo="TA0201")
        third = made.glosa(session, invoice, 900_000, item=other)
        whole = made.glosa(session, invoice, 50_000)
        assert [money(one)[0] for one in (first, second, third, whole)] == [300_000, 100_000, 600_000, 0]
        assert [one.exceso for one in (first, second, third, whole)] == [0, 1, 1, 1]
        assert [one.valor_objetado for one in (second, third)] == [300_000, 900_000]


def test_the_same_objection_is_born_once(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session)
        one, two = made.nueva(invoice, 100), made.nueva(invoice, 200)
        by = {"notificacion": None, "actor": "prueba", "at": LATER}
        first = acts.formulate_all(session, [one, two, one], **by)
        again = acts.formulate_all(session, [two, made.nueva(invoice, 300)], **by)
        assert first[0] == first[2] != first[1] == again[0]
        assert len(session.scalars(select(Glosa)).all()) == 3
        assert len(session.scalars(select(Transition).where(Transition.thing == "glosa")).all()) == 3


def test_from_answer_to_definitive(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session), 1_000_000)
        answer = made.present(session, glosa, Decision.ACEPTAR_PARTE, valor_aceptado=250_000, on=day(7, 1))
        assert (answer.estado, answer.presentada_at) == (EstadoRespuesta.PRESENTADA, day(7, 1))
        assert glosa.estado is EstadoGlosa.ACEPTADA_PARCIAL
        assert money(glosa) == (1_000_000, 250_000, 0, 750_000)
        assert terms(glosa) == ("pagador", "GLO-04", date(2026, 7, 16), None)
        assert tasks(session, glosa.case_key) == [ClaseTarea.EMITIR_NOTA_CREDITO]
        decide(session, glosa, levantado=100_000, on=day(7, 10))
        assert (glosa.estado, glosa.ronda) == (EstadoGlosa.LEVANTADA_PARCIAL, 2)
        assert money(glosa) == (1_000_000, 250_000, 100_000, 650_000)
        assert terms(glosa) == ("ips", "GLO-05", date(2026, 7, 21), date(2026, 7, 23))
        made.present(session, glosa, on=day(7, 17))
        assert glosa.estado is EstadoGlosa.SUBSANADA
        assert terms(glosa) == ("pagador", "GLO-07", date(2026, 7, 27), None)
        decide(session, glosa, on=day(7, 24))
        assert (glosa.estado, glosa.turno, glosa.vence) == (EstadoGlosa.DEFINITIVA, "", None)
        assert ClaseTarea.DECIDIR_GLOSA in tasks(session, glosa.case_key)
        told = [(row.tipo, row.autor, row.ronda, row.plazo.get("oportuno")) for row in rows_of(session, glosa)]
        assert told == [
            (TipoActo.NOTIFICACION, "pagador", 1, True),
            (TipoActo.RESPUESTA, "ips", 1, True),
            (TipoActo.DECISION, "pagador", 1, True),
            (TipoActo.SUBSANACION, "ips", 2, True),
            (TipoActo.DECISION, "pagador", 2, True),
        ]
        assert glosa.version == 4


def test_every_act_of_ours_has_its_48_hours(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        made.present(session, glosa, on=day(7, 1))
        assert [row.siifa_vence for row in rows_of(session, glosa)] == [None, day(7, 3)]
        session.add(AjusteGlosas(prestador_id=glosa.prestador_id, siifa=False))
        decide(session, glosa)
        made.present(session, glosa, on=day(7, 17))
        assert [row.siifa_vence for row in rows_of(session, glosa)] == [None, day(7, 3), None, None]


def test_accepting_everything_closes_it_and_asks_for_the_note(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session), 123_456)
        made.present(session, glosa, Decision.ACEPTAR, on=day(7, 1))
        assert (glosa.estado, money(glosa)) == (EstadoGlosa.ACEPTADA_TOTAL, (123_456, 123_456, 0, 0))
        (task,) = session.scalars(select(Tarea).where(Tarea.case_key == glosa.case_key))
        assert "$ 1.234,56" in task.titulo


def test_a_glosa_without_value_asks_for_the_rips_note(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session), 0, codigo="SO6101", familia="SO")
        assert tasks(session, glosa.case_key) == [ClaseTarea.NOTA_AJUSTE_RIPS]
        made.present(session, glosa, Decision.SUBSANAR, on=day(7, 1))
        decide(session, glosa, ratificado=True)
        assert glosa.estado is EstadoGlosa.EN_SUBSANACION
        made.present(session, glosa, on=day(7, 17))
        decide(session, glosa, ratificado=False, on=day(7, 20))
        assert (glosa.estado, money(glosa)) == (EstadoGlosa.LEVANTADA_TOTAL, (0, 0, 0, 0))


# --- Facts out of order: each has one outcome, and none changes money by the way -----------------------------------


def test_a_decision_dated_before_our_answer_is_refused_with_both_dates(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        made.present(session, glosa, on=day(7, 6))
        with pytest.raises(BadInput, match=r"03/07/2026.*06/07/2026") as refused:
            decide(session, glosa, on=day(7, 3))
        assert refused.value.code == "fecha_anterior"
        assert (glosa.estado, money(glosa)) == (EstadoGlosa.RESPONDIDA, (1_000_000, 0, 0, 1_000_000))


def test_a_whole_withdrawal_counts_whenever_it_comes(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session)
        unanswered, answered = made.glosa(session, invoice), made.glosa(session, invoice)
        decide(session, unanswered, levantado=1_000_000, ratificado=False, on=day(6, 20))
        made.present(session, answered, on=day(7, 6))
        decide(session, answered, levantado=1_000_000, ratificado=False, on=day(7, 3))
        assert {unanswered.estado, answered.estado} == {EstadoGlosa.LEVANTADA_TOTAL}
        assert money(answered) == (1_000_000, 0, 1_000_000, 0)
        # GLO-06: five business days to pay; the 29th is a holiday.
        pay = rows_of(session, unanswered)[-1].plazo["pago"]
        assert pay == {"termino": "GLO-06", "vence": "2026-06-26", "exigible": True}


@pytest.mark.parametrize("second", [False, True])
def test_the_same_decision_twice_counts_once(db: Database, second: bool) -> None:
    """Cumulative files bring the first ratification again, also when our second answer is already there."""
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        made.present(session, glosa, on=day(7, 1))
        decide(session, glosa, levantado=10, on=day(7, 10))
        if second:
            made.present(session, glosa, on=day(7, 10))
        before = (glosa.estado, money(glosa), len(rows_of(session, glosa)))
        with pytest.raises(BadInput) as refused:
            decide(session, glosa, levantado=10, on=day(7, 10))
        assert refused.value.code == "decision_repetida"
        assert (glosa.estado, money(glosa), len(rows_of(session, glosa))) == before


@pytest.mark.parametrize("levantado", [1_000_001, -1])
def test_a_decision_never_raises_money(db: Database, levantado: int) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        made.present(session, glosa, on=day(7, 1))
        with pytest.raises(BadInput) as refused:
            decide(session, glosa, levantado=levantado)
        assert refused.value.code == "mas_que_en_disputa"
        assert money(glosa) == (1_000_000, 0, 0, 1_000_000)


def test_a_ratification_before_any_answer_and_a_decision_on_an_annulled_line_are_refused(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        with pytest.raises(InvalidTransition):
            decide(session, glosa)
        acts.annul(session, glosa, texto="Se cargó dos veces", **BY)
        assert (glosa.estado, money(glosa)) == (EstadoGlosa.ANULADA, (0, 0, 0, 0))
        with pytest.raises(InvalidTransition):
            decide(session, glosa, levantado=0, ratificado=False)


def test_a_decision_that_says_nothing_and_a_future_one_are_refused(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        made.present(session, glosa, on=day(7, 1))
        for values, code in (({"ratificado": False}, "decision_vacia"), ({"on": day(11, 21)}, "fecha_futura")):
            with pytest.raises(BadInput) as refused:
                decide(session, glosa, **values)
            assert refused.value.code == code


def test_a_stale_page_moves_nothing(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        made.present(session, glosa, on=day(7, 1))
        with pytest.raises(StalePage):
            decide(session, glosa, expected_version=0)
        assert glosa.estado is EstadoGlosa.RESPONDIDA


def test_an_answer_before_the_notice_or_in_the_future_is_refused(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
    for when, code in ((day(6, 15), "fecha_anterior"), (day(11, 21), "fecha_futura")):
        with pytest.raises(BadInput) as refused, db.write() as session:
            made.present(session, session.get_one(Glosa, glosa.id), on=when)
        assert refused.value.code == code
    with db.read() as session:
        assert session.scalars(select(Respuesta)).all() == []


def test_an_answer_that_arrives_when_the_payer_had_withdrawn_changes_nothing_but_is_told(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        row = made.answer(session, glosa, Decision.ACEPTAR_PARTE, valor_aceptado=500)
        decide(session, glosa, levantado=1_000_000, ratificado=False, on=day(7, 1))
        acts.register_answers_presented(
            session, [row], ocurrido_at=day(7, 2), nivel=3, evidence=[EVIDENCE], actor="bot:w", at=LATER
        )
        assert (glosa.estado, money(glosa)) == (EstadoGlosa.LEVANTADA_TOTAL, (1_000_000, 0, 1_000_000, 0))
        assert row.estado is EstadoRespuesta.PRESENTADA
        assert rows_of(session, glosa)[-1].aceptado == 0
        assert tasks(session, glosa.case_key) == [ClaseTarea.REVISAR_SILENCIO]


def test_what_is_given_up_at_the_end(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        with pytest.raises(InvalidTransition):
            acts.accept_rest(session, glosa, ocurrido_at=day(7, 1), **BY)
        made.present(session, glosa, on=day(7, 1))
        decide(session, glosa, levantado=300_000)
        acts.declare_final(session, glosa, texto="No hay más soportes", **BY)
        acts.accept_rest(session, glosa, ocurrido_at=day(8, 3), **BY)
        assert (glosa.estado, money(glosa)) == (EstadoGlosa.ACEPTADA_TOTAL, (1_000_000, 700_000, 300_000, 0))
        assert tasks(session, glosa.case_key) == [ClaseTarea.EMITIR_NOTA_CREDITO]


def test_another_open_cause_on_a_lifted_item_is_shown_to_a_person(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session)
        (item,) = made.items(session, invoice, [400_000])
        first, second = (made.glosa(session, invoice, 400_000, item=item) for _ in range(2))
        made.present(session, first, on=day(7, 1))
        decide(session, first, levantado=400_000, ratificado=False)
        assert tasks(session, second.case_key) == [ClaseTarea.DECIDIR_GLOSA]
        assert money(second) == (0, 0, 0, 0)


# --- Corrections --------------------------------------------------------------------------------------------------


def test_a_true_notice_date_moves_lateness_and_term_and_keeps_the_old_one(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session), notificada_segun="carga")
        acts.correct_notice_date(
            session, glosa, notificada_at=day(7, 3), texto="Llegó por correo", evidence=[EVIDENCE], **BY
        )
        assert (glosa.extemporanea, glosa.dias_pagador, glosa.notificada_segun) == (True, 21, "persona")
        assert glosa.vence == date(2026, 7, 28)
        assert "16/06/2026 10:00 → 03/07/2026 10:00" in rows_of(session, glosa)[-1].texto


@pytest.mark.parametrize(("when", "code"), [(day(5, 29), "fecha_anterior"), (day(11, 21), "fecha_futura")])
def test_an_impossible_notice_date_is_refused(db: Database, when, code: str) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        with pytest.raises(BadInput) as refused:
            acts.correct_notice_date(session, glosa, notificada_at=when, texto="x", evidence=[EVIDENCE], **BY)
        assert refused.value.code == code
        assert glosa.notificada_at == NOTICED


def test_a_correction_needs_words_and_evidence(db: Database) -> None:
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        for words, pieces, code in ((" ", [EVIDENCE], "falta_motivo"), ("x", [], "falta_prueba")):
            with pytest.raises(BadInput) as refused:
                acts.correct_notice_date(session, glosa, notificada_at=FILED, texto=words, evidence=pieces, **BY)
            assert refused.value.code == code


def test_an_annulled_line_takes_its_drafts_and_not_what_is_on_its_way(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session)
        drafted, sent = made.glosa(session, invoice), made.glosa(session, invoice)
        draft = made.answer(session, drafted, estado=EstadoRespuesta.BORRADOR)
        made.answer(session, sent)
        acts.annul(session, drafted, texto="Era de otra factura", **BY)
        assert draft.estado is EstadoRespuesta.DESCARTADA
        with pytest.raises(BadInput, match="envío"):
            acts.annul(session, sent, texto="Era de otra factura", **BY)
        assert sent.estado is EstadoGlosa.FORMULADA
