"""Devoluciones, signed actas and the recount of terms on both databases."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from radica.audit.chain import link_hash
from radica.audit.models import ChainHead, Transition
from radica.audit.services import link_content
from radica.glosas import acts
from radica.glosas.bandeja.work_models import Decision
from radica.glosas.models import Acto, Devolucion, Glosa, TipoActo
from radica.glosas.recount import Recuento, recompute_terms
from radica.glosas.states import EstadoDevolucion, EstadoGlosa
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, InvalidTransition
from radica.plazos.calendar import ExtraDay, build_calendar
from radica.users.models import ClaseTarea, Tarea
from tests.plugins import glosas as made
from tests.plugins.glosas import EVIDENCE, LATER, day

BY = {"actor": "persona:1", "at": LATER, "motivo": "registro_manual"}
D, G = EstadoDevolucion, EstadoGlosa


def decide(session, row, levanta: bool, on):
    return acts.decide_devolucion(session, row, levanta, ocurrido_at=on, evidence=[EVIDENCE], **BY)


def open_tasks(session, thing) -> set[ClaseTarea]:
    return set(session.scalars(select(Tarea.clase).where(Tarea.case_key == thing.case_key, Tarea.cerrada_at.is_(None))))


def test_a_devolucion_is_of_the_whole_invoice_once(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session, valor=5_000_000)
        first = made.devolucion(session, invoice)
        same = made.devolucion(session, invoice)
        joined = made.devolucion(session, invoice, codigo="DE5601", motivo="Otra")
        assert first is same is joined
        assert (first.valor, first.version, first.extemporanea, first.dias_pagador) == (5_000_000, 1, False, 3)
        assert [one["codigo"] for one in first.causales] == ["DE1601", "DE5601"]
        told = session.scalars(select(Acto.codigo).where(Acto.devolucion_id == first.id).order_by(Acto.id)).all()
        assert told == ["DE1601", "DE5601"]
        glosa = made.glosa(session, invoice)  # the term of the glosas runs at the same time
        assert glosa.valor == 1_000_000


def test_a_second_devolucion_after_the_answer_is_for_a_person(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session)
        row = made.devolucion(session, invoice)
        made.present(session, row, on=day(6, 10))
        made.devolucion(session, invoice)  # a cumulative file: the same cause is no second devolución
        with pytest.raises(BadInput) as refused:
            made.devolucion(session, invoice, codigo="DE5601")
        assert refused.value.code == "segunda_devolucion"


def test_from_devolucion_to_acta(db: Database) -> None:
    with db.write() as session:
        row = made.devolucion(session, made.filed(session, valor=5_000_000))
        made.present(session, row, on=day(6, 10))
        assert (row.estado, row.turno, row.vence, row.vence_termino) == (
            D.RESPONDIDA, "pagador", date(2026, 6, 18), "DEV-03",
        )  # fmt: skip
        with pytest.raises(BadInput, match=r"09/06/2026.*10/06/2026"):
            decide(session, row, False, day(6, 9))
        decide(session, row, False, day(6, 17))
        with pytest.raises(BadInput, match="ya estaba registrada"):
            decide(session, row, False, day(6, 17))
        assert (row.estado, row.turno, open_tasks(session, row)) == (D.REITERADA, "", {ClaseTarea.DECIDIR_GLOSA})
        post = {"conciliacion_case": "conciliacion:7", "ocurrido_at": day(9, 1), "evidence": [EVIDENCE],
                "actor": "persona:1", "at": LATER}  # fmt: skip
        acts.apply_acta(session, [acts.ActaLinea(1_000_000, 500_000, 3_500_000, devolucion_id=row.id)], **post)
        assert row.estado is D.REITERADA
        acts.apply_acta(session, [acts.ActaLinea(4_000_000, 1_000_000, 0, devolucion_id=row.id)], **post)
        assert (row.estado, open_tasks(session, row)) == (D.CONCILIADA, {ClaseTarea.EMITIR_NOTA_CREDITO})
        last = session.scalars(select(Acto).where(Acto.devolucion_id == row.id).order_by(Acto.id.desc())).first()
        assert last is not None
        assert (last.tipo, last.autor, last.texto, last.siifa_vence) == (
            TipoActo.CONCILIACION, "ambos", "conciliacion:7", day(9, 3),
        )  # fmt: skip


def test_accepting_a_devolucion_asks_for_the_whole_note(db: Database) -> None:
    with db.write() as session:
        row = made.devolucion(session, made.filed(session, valor=5_000_000))
        made.present(session, row, Decision.ACEPTAR, on=day(6, 10))
        (task,) = session.scalars(select(Tarea).where(Tarea.case_key == row.case_key))
        assert (row.estado, "$ 50.000" in task.titulo) == (D.ACEPTADA, True)


def test_an_expressly_lifted_devolucion_is_not_insisted_on(db: Database) -> None:
    with db.write() as session:
        row = made.devolucion(session, made.filed(session))
        made.present(session, row, on=day(6, 10))
        decide(session, row, True, day(6, 12))
        with pytest.raises(BadInput) as refused:
            decide(session, row, False, day(6, 16))
        assert (refused.value.code, row.estado) == ("ya_levantada", D.LEVANTADA)


def test_an_annulled_devolucion_leaves_room_for_the_right_one(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session)
        wrong = made.devolucion(session, invoice)
        acts.annul(session, wrong, texto="Era de otra factura", **BY)
        right = made.devolucion(session, invoice)
        assert (wrong.estado, right.estado, wrong.id != right.id) == (D.ANULADA, D.FORMULADA, True)


def _disputed(session, count: int = 2) -> list[Glosa]:
    invoice = made.filed(session)
    rows = [made.glosa(session, invoice, 1_000_000) for _ in range(count)]
    for row in rows:
        made.present(session, row, on=day(7, 1))
        acts.decide(session, row, levantado=100_000, ratificado=True, ocurrido_at=day(7, 10), evidence=[], **BY)
    return rows


ACTA = {"conciliacion_case": "conciliacion:7", "ocurrido_at": day(9, 1), "evidence": [EVIDENCE],
        "actor": "persona:1", "at": LATER}  # fmt: skip


def test_a_signed_acta_posts_to_its_lines(db: Database) -> None:
    with db.write() as session:
        one, two = _disputed(session)
        acts.apply_acta(
            session,
            [
                acts.ActaLinea(600_000, 300_000, 0, glosa_id=one.id),
                acts.ActaLinea(0, 200_000, 700_000, glosa_id=two.id),
            ],
            **ACTA,
        )
        assert (one.estado, one.levantado, one.aceptado, one.en_disputa) == (G.CONCILIADA, 700_000, 300_000, 0)
        assert (two.estado, two.levantado, two.aceptado, two.en_disputa) == (G.DEFINITIVA, 100_000, 200_000, 700_000)
        assert open_tasks(session, one) == {ClaseTarea.EMITIR_NOTA_CREDITO}
        assert open_tasks(session, two) == {ClaseTarea.EMITIR_NOTA_CREDITO, ClaseTarea.DECIDIR_GLOSA}
        acts.apply_acta(session, [acts.ActaLinea(700_000, 0, 0, glosa_id=two.id)], **ACTA)  # the next meeting
        assert (two.estado, two.en_disputa) == (G.CONCILIADA, 0)


@pytest.mark.parametrize("amounts", [(900_000, 1, 0), (0, 0, 0), (-1, 0, 900_001)])
def test_an_acta_that_does_not_add_up_posts_nothing(db: Database, amounts: tuple[int, int, int]) -> None:
    with db.write() as session:
        ids = [row.id for row in _disputed(session)]
    lines = [acts.ActaLinea(900_000, 0, 0, glosa_id=ids[0]), acts.ActaLinea(*amounts, glosa_id=ids[1])]
    with pytest.raises(BadInput) as refused, db.write() as session:
        acts.apply_acta(session, lines, **ACTA)
    assert refused.value.code == "acta_no_cuadra"
    with db.read() as session:
        assert [session.get_one(Glosa, one).en_disputa for one in ids] == [900_000, 900_000]


def test_an_acta_cannot_touch_a_closed_line(db: Database) -> None:
    with db.write() as session:
        (row,) = _disputed(session, 1)
        acts.accept_rest(session, row, ocurrido_at=day(8, 3), **BY)
        with pytest.raises(InvalidTransition):
            acts.apply_acta(session, [acts.ActaLinea(0, 0, 0, glosa_id=row.id)], **ACTA)
        returned = made.devolucion(session, made.filed(session))
        with pytest.raises(InvalidTransition, match="reiterada"):
            acts.apply_acta(session, [acts.ActaLinea(0, returned.valor, 0, devolucion_id=returned.id)], **ACTA)


def test_births_in_bulk_write_the_same_chain_as_one_by_one(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session, valor=10**9)
        news = [made.nueva(invoice, 1_000) for _ in range(1_200)]
        ids = acts.formulate_all(session, news, notificacion=None, actor="prueba", at=LATER)
        acts.annul(session, session.get_one(Glosa, ids[7]), texto="x", **BY)
    with db.read() as session:
        links = session.scalars(
            select(Transition).where(Transition.thing == "glosa").order_by(Transition.case_key, Transition.seq)
        ).all()
        assert len(links) == 1_201
        for link in links:
            assert link.hash == link_hash(link_content(link))
        heads = {row.case_key: (row.seq, row.hash) for row in session.scalars(select(ChainHead))}
        last = {link.case_key: (link.seq, link.hash) for link in links}
        assert {key: heads[key] for key in last} == last
        assert last[f"glosa:{ids[7]}"][0] == 2


def test_a_new_closed_day_moves_every_running_term_and_back(db: Database) -> None:
    closed = build_calendar(extra=[ExtraDay(date(2026, 6, 10), business=False, reason="cierre"),
                                   ExtraDay(date(2026, 7, 7), business=False, reason="cierre")])  # fmt: skip
    with db.write() as session:
        invoice = made.filed(session)
        waiting = made.glosa(session, invoice, notificada_at=day(7, 3))
        answered = made.glosa(session, invoice)
        made.present(session, answered, on=day(7, 1))
        done = made.glosa(session, invoice)
        made.present(session, done, Decision.ACEPTAR, on=day(7, 1))
        returned = made.devolucion(session, invoice)
        replied = made.devolucion(session, made.filed(session))
        made.present(session, replied, on=day(6, 9))
    assert recompute_terms(db) == Recuento(4, 0)
    assert recompute_terms(db, calendar=closed, batch=1) == Recuento(4, 4)
    with db.read() as session:
        late = session.get_one(Glosa, waiting.id)
        assert (late.extemporanea, late.dias_pagador, late.vence) == (False, 20, date(2026, 7, 29))
        assert session.get_one(Glosa, answered.id).vence == date(2026, 7, 17)
        assert session.get_one(Glosa, done.id).vence is None
        assert session.get_one(Devolucion, returned.id).vence == date(2026, 6, 16)
        assert session.get_one(Devolucion, replied.id).vence == date(2026, 6, 18)
    assert recompute_terms(db) == Recuento(4, 4)
    with db.read() as session:
        assert session.get_one(Glosa, waiting.id).extemporanea
