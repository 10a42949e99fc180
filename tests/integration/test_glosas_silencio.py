"""What the clock does when a term lapses: the effects of the norm and no other, once, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.entidades.models import Prestador, TipoPagador
from radica.glosas import acts
from radica.glosas.bandeja.work_models import Decision
from radica.glosas.models import Acto, Devolucion, Glosa, TipoActo
from radica.glosas.silence import Silencios, apply_silences
from radica.glosas.states import EstadoDevolucion, EstadoGlosa, EstadoRespuesta
from radica.kernel.db import Database
from radica.kernel.errors import BadInput
from radica.users.models import ClaseTarea, Tarea
from radica.users.tasks import close_tasks
from tests.plugins import glosas as made
from tests.plugins.glosas import EVIDENCE, LATER, day

BY = {"actor": "persona:1", "at": LATER, "motivo": "registro_manual"}
LAST_DAY = date(2026, 7, 8)
DAY_AFTER = date(2026, 7, 9)


def run(db: Database, today: date, batch: int = 200) -> Silencios:
    with db.read() as session:
        providers = list(session.scalars(select(Prestador.id).order_by(Prestador.id)))
    return apply_silences(db, providers, today=today, at=day(today.month, today.day, 0), batch=batch)


def tasks(db: Database, thing: Glosa | Devolucion) -> list[ClaseTarea]:
    with db.read() as session:
        found = select(Tarea.clase).where(Tarea.case_key == thing.case_key, Tarea.cerrada_at.is_(None))
        return sorted(session.scalars(found))


def again(session: Session, thing: Glosa) -> Glosa:
    return session.get_one(Glosa, thing.id)


def one_glosa(db: Database, **values: object) -> Glosa:
    with db.write() as session:
        tipo = values.pop("tipo", TipoPagador.EPS)
        assert isinstance(tipo, TipoPagador)
        return made.glosa(session, made.filed(session, tipo=tipo), 1_000_000, **values)


def state(db: Database, thing: Glosa | Devolucion) -> str:
    with db.read() as session:
        return str(session.get_one(type(thing), thing.id).estado)


def test_an_unanswered_glosa_is_accepted_the_day_after_and_once(db: Database) -> None:
    glosa = one_glosa(db)
    assert run(db, LAST_DAY) == Silencios()
    done = run(db, DAY_AFTER)
    assert (done.aceptadas, done.valor_aceptado, done.tareas) == (1, 1_000_000, 1)
    assert run(db, DAY_AFTER) == run(db, date(2026, 8, 1)) == Silencios()
    with db.read() as session:
        row = again(session, glosa)
        assert (row.estado, row.aceptado, row.en_disputa, row.turno) == ("aceptada_tacita", 1_000_000, 0, "")
        act = session.scalars(select(Acto).where(Acto.glosa_id == glosa.id, Acto.tipo == TipoActo.SILENCIO)).one()
        assert (act.autor, act.codigo, act.aceptado, act.siifa_vence) == ("reloj", "RE2202", 1_000_000, None)
        assert act.ocurrido_at == day(7, 9, 0)
    assert tasks(db, glosa) == [ClaseTarea.EMITIR_NOTA_CREDITO, ClaseTarea.REVISAR_SILENCIO]


def test_the_later_reading_must_have_lapsed(db: Database) -> None:
    glosa = one_glosa(db, fecha_segun_pagador=date(2026, 6, 12))
    done = run(db, LAST_DAY)
    assert (done.aceptadas, dict(done.omitidas)) == (0, {"aun_no_vence": 1})
    assert run(db, DAY_AFTER).aceptadas == 1
    assert state(db, glosa) == "aceptada_tacita"


@pytest.mark.parametrize(
    "values",
    [
        {"notificada_segun": "carga"},
        {"notificada_at": day(7, 3)},  # the payer's own term had lapsed
        {"tipo": TipoPagador.SOAT},
        {"tipo": TipoPagador.ADRES},
    ],
)
def test_where_the_effect_is_not_certain_a_person_is_asked_and_no_money_moves(db: Database, values: dict) -> None:
    glosa = one_glosa(db, **values)
    done = run(db, date(2026, 8, 20))
    assert (done.aceptadas, done.tareas) == (0, 1)
    assert run(db, date(2026, 8, 21)).tareas == 0
    assert state(db, glosa) == "formulada"
    assert tasks(db, glosa) == [ClaseTarea.REVISAR_SILENCIO]


def test_a_task_that_a_person_closed_does_not_come_back(db: Database) -> None:
    glosa = one_glosa(db, notificada_segun="carga")
    run(db, DAY_AFTER)
    with db.write() as session:
        close_tasks(session, glosa.case_key, por="persona:1", resultado="vista", at=day(7, 9, 12))
    assert run(db, date(2026, 7, 10)).tareas == 0
    assert tasks(db, glosa) == []


def test_an_answer_on_its_way_is_never_silenced(db: Database) -> None:
    glosa = one_glosa(db)
    with db.write() as session:
        made.answer(session, again(session, glosa))
    done = run(db, date(2026, 9, 1))
    assert (done.aceptadas, dict(done.omitidas)) == (0, {"respuesta_en_envio": 1})
    assert state(db, glosa) == "formulada"


def test_an_approved_answer_that_nobody_sent_does_not_stop_the_clock(db: Database) -> None:
    glosa = one_glosa(db)
    with db.write() as session:
        made.answer(session, again(session, glosa), estado=EstadoRespuesta.APROBADA)
    assert run(db, DAY_AFTER).aceptadas == 1


def test_the_payers_silence_has_no_effect_but_an_alert(db: Database) -> None:
    glosa = one_glosa(db)
    with db.write() as session:
        made.present(session, again(session, glosa), Decision.ACEPTAR_PARTE, valor_aceptado=400_000, on=day(7, 1))
    assert run(db, date(2026, 7, 16)).sin_decision == 0
    assert run(db, date(2026, 7, 17)).sin_decision == 1
    assert run(db, date(2026, 7, 18)) == Silencios()
    with db.read() as session:
        row = again(session, glosa)
        assert (row.estado, row.aceptado, row.levantado, row.en_disputa) == ("sin_decision", 400_000, 0, 600_000)
        assert (row.turno, row.vence) == ("pagador", date(2026, 7, 16))
    assert ClaseTarea.DECIDIR_GLOSA in tasks(db, glosa)
    with db.write() as session:  # a late decision still counts
        acts.decide(
            session, again(session, glosa), levantado=0, ratificado=True, ocurrido_at=day(7, 22), evidence=[], **BY
        )
        assert again(session, glosa).estado is EstadoGlosa.EN_SUBSANACION


def test_our_second_silence_and_the_payers_last_one_only_ask(db: Database) -> None:
    one, two = one_glosa(db), one_glosa(db)
    with db.write() as session:
        for glosa in (again(session, one), again(session, two)):
            made.present(session, glosa, on=day(7, 1))
            acts.decide(session, glosa, levantado=0, ratificado=True, ocurrido_at=day(7, 10), evidence=[], **BY)
        made.present(session, again(session, two), on=day(7, 17))
    assert run(db, date(2026, 7, 23)).tareas == 0
    done = run(db, date(2026, 8, 1))
    assert (done.tareas, done.sin_decision, done.aceptadas) == (2, 0, 0)
    assert (state(db, one), state(db, two)) == ("en_subsanacion", "subsanada")
    assert (tasks(db, one), tasks(db, two)) == ([ClaseTarea.REVISAR_SILENCIO], [ClaseTarea.DECIDIR_GLOSA])


# --- What turns up after the clock spoke --------------------------------------------------------------------------


def test_an_answer_given_in_time_but_registered_late_restores_the_dispute(db: Database) -> None:
    glosa = one_glosa(db)
    run(db, DAY_AFTER)
    with db.write() as session:
        made.present(session, again(session, glosa), Decision.ACEPTAR_PARTE, valor_aceptado=300_000, on=day(7, 8, 23))
        row = again(session, glosa)
        assert (row.estado, row.aceptado, row.en_disputa) == ("aceptada_parcial", 300_000, 700_000)
        (task,) = session.scalars(select(Tarea).where(Tarea.case_key == glosa.case_key, Tarea.cerrada_at.is_(None)))
        assert (task.clase, "$ 3.000" in task.titulo) == (ClaseTarea.EMITIR_NOTA_CREDITO, True)


def test_an_answer_after_the_term_is_recorded_and_the_acceptance_stands(db: Database) -> None:
    glosa = one_glosa(db)
    run(db, DAY_AFTER)
    with db.write() as session:
        answer = made.present(session, again(session, glosa), on=day(7, 9))
        row = again(session, glosa)
        assert (row.estado, row.aceptado, row.en_disputa) == ("aceptada_tacita", 1_000_000, 0)
        assert answer.estado is EstadoRespuesta.PRESENTADA
        act = session.scalars(select(Acto).where(Acto.glosa_id == glosa.id).order_by(Acto.id.desc())).first()
        assert act is not None
        assert (act.tipo, act.plazo["oportuno"]) == (TipoActo.RESPUESTA, False)


def test_the_payer_may_withdraw_what_was_accepted_by_silence(db: Database) -> None:
    glosa = one_glosa(db)
    run(db, DAY_AFTER)
    with db.write() as session:
        acts.decide(
            session, again(session, glosa), levantado=1_000_000, ratificado=False, ocurrido_at=day(7, 20), evidence=[],
            **BY,
        )  # fmt: skip
        row = again(session, glosa)
        assert (row.estado, row.aceptado, row.levantado) == ("levantada_total", 0, 1_000_000)
    assert tasks(db, glosa) == []


def test_a_reopened_glosa_is_not_accepted_by_the_clock_again(db: Database) -> None:
    glosa = one_glosa(db)
    run(db, DAY_AFTER)
    with db.write() as session:
        acts.reopen(session, again(session, glosa), texto="El correo llegó el 25", evidence=[EVIDENCE],
                    notificada_at=day(6, 25), **BY)  # fmt: skip
        row = again(session, glosa)
        assert (row.estado, row.aceptado, row.en_disputa) == ("formulada", 0, 1_000_000)
        assert row.vence == date(2026, 7, 21)
    done = run(db, date(2026, 7, 22))
    assert (done.aceptadas, done.tareas) == (0, 1)
    assert state(db, glosa) == "formulada"


def test_reopening_lets_the_answer_count_that_the_payer_already_had(db: Database) -> None:
    glosa = one_glosa(db)
    run(db, DAY_AFTER)
    with db.write() as session:
        made.present(session, again(session, glosa), Decision.ACEPTAR_PARTE, valor_aceptado=200_000, on=day(7, 14))
        acts.reopen(session, again(session, glosa), texto="El correo llegó el 25", evidence=[EVIDENCE],
                    notificada_at=day(6, 25), **BY)  # fmt: skip
        row = again(session, glosa)
        assert (row.estado, row.aceptado, row.en_disputa) == ("aceptada_parcial", 200_000, 800_000)
        assert (row.respondida_at, row.vence_termino, row.turno) == (day(7, 14), "GLO-04", "pagador")


@pytest.mark.parametrize("when", [day(7, 15), day(5, 29), day(11, 21)])
def test_an_impossible_date_reopens_nothing(db: Database, when: datetime) -> None:
    glosa = one_glosa(db)
    run(db, DAY_AFTER)
    with db.write() as session:
        made.present(session, again(session, glosa), on=day(7, 14))
    with db.write() as session:
        row = again(session, glosa)
        with pytest.raises(BadInput):
            acts.reopen(session, row, texto="x", evidence=[EVIDENCE], notificada_at=when, **BY)
        assert (row.estado, row.aceptado) == ("aceptada_tacita", 1_000_000)


# --- Devoluciones -------------------------------------------------------------------------------------------------


def returned(db: Database) -> Devolucion:
    with db.write() as session:
        return made.devolucion(session, made.filed(session, valor=7_000_000))


def test_an_unanswered_devolucion_is_accepted_whole(db: Database) -> None:
    row = returned(db)
    assert (row.vence, row.vence_termino, row.valor) == (date(2026, 6, 12), "DEV-02", 7_000_000)
    assert run(db, date(2026, 6, 12)).devoluciones_aceptadas == 0
    done = run(db, date(2026, 6, 13))
    assert (done.devoluciones_aceptadas, done.valor_aceptado) == (1, 7_000_000)
    assert state(db, row) == "aceptada_tacita"
    assert tasks(db, row) == [ClaseTarea.EMITIR_NOTA_CREDITO, ClaseTarea.REVISAR_SILENCIO]


def test_the_payers_silence_lifts_a_devolucion_answered_in_time(db: Database) -> None:
    row = returned(db)
    with db.write() as session:
        made.present(session, session.get_one(Devolucion, row.id), on=day(6, 10))
    assert run(db, date(2026, 6, 18)).devoluciones_levantadas == 0
    assert run(db, date(2026, 6, 19)).devoluciones_levantadas == 1
    assert state(db, row) == "levantada"
    with db.write() as session:  # insisting is possible only inside the payer's own term
        thing = session.get_one(Devolucion, row.id)
        with pytest.raises(BadInput, match="2026-06-18"):
            acts.decide_devolucion(session, thing, False, ocurrido_at=day(6, 19), evidence=[], **BY)
        acts.decide_devolucion(session, thing, False, ocurrido_at=day(6, 18), evidence=[], **BY)
        assert thing.estado is EstadoDevolucion.REITERADA


def test_a_devolucion_answered_late_is_left_to_a_person(db: Database) -> None:
    row = returned(db)
    with db.write() as session:
        made.present(session, session.get_one(Devolucion, row.id), on=day(6, 16))
    done = run(db, date(2026, 7, 9))
    assert (done.devoluciones_levantadas, done.tareas) == (0, 1)
    assert state(db, row) == "respondida"


def test_a_silence_in_batches_and_by_two_workers_is_done_once(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session, valor=100_000_000)

        ids = [made.glosa(session, invoice, 1_000).id for _ in range(25)]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: run(db, DAY_AFTER, batch=4), range(2)))
    assert sum(one.aceptadas for one in results) == 25
    with db.read() as session:
        acts_ = session.scalars(select(Acto.glosa_id).where(Acto.tipo == TipoActo.SILENCIO)).all()
        assert sorted(one for one in acts_ if one) == ids
