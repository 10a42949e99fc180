"""The signed acta on both databases: once, for ever, what it settles, and what stops it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from radica.app.handlers.compromisos import check_promises
from radica.conciliacion import commitments, signing, table
from radica.conciliacion.acta import gather
from radica.conciliacion.models import Conciliacion, EstadoCompromiso
from radica.conciliacion.scope import Filtro
from radica.conciliacion.services import (
    add_lines,
    convene,
    lines_of,
    reopen,
)
from radica.conciliacion.simulate import Porcentaje, Reparto
from radica.conciliacion.states import EstadoConciliacion
from radica.custodia.models import Pieza
from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Factura
from radica.glosas.acts import decide
from radica.glosas.models import Acto, Glosa, TipoActo
from radica.glosas.states import EstadoDevolucion, EstadoGlosa
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, InvalidTransition, StalePage
from radica.users.models import ClaseTarea, Tarea
from tests.conciliacion_seed import (
    MEETING,
    NOW,
    SIGNED,
    Mesa,
    agree,
    make_mesa,
    reiterated,
    typed,
)
from tests.integration.conciliacion_actor import convened, held, sign
from tests.plugins.glosas import EVIDENCE, day, filed


@pytest.fixture
def mesa(db: Database, tmp_path: Path) -> Mesa:
    return make_mesa(db, tmp_path)


def test_a_signed_acta_settles_its_lines_and_asks_for_the_credit_notes(mesa: Mesa) -> None:
    row_id = held(mesa)
    sign(mesa, row_id)
    with mesa.database.read() as session:
        row = session.get_one(Conciliacion, row_id)
        assert row.estado is EstadoConciliacion.CON_ACUERDO_TOTAL
        lines = lines_of(session, row)
        assert [one.vivo for one in lines] == [0, 0, 0]
        for line in lines:
            row_glosa = session.get_one(Glosa, line.glosa_id)
            assert row_glosa.estado is EstadoGlosa.CONCILIADA
            assert (row_glosa.levantado, row_glosa.aceptado, row_glosa.en_disputa) == (line.levantado, line.aceptado, 0)
            act = session.scalars(
                select(Acto).where(Acto.glosa_id == row_glosa.id, Acto.tipo == TipoActo.CONCILIACION)
            ).one()
            assert act.evidencia == [row.acta_firmada_sha256]
        notes = session.scalars(select(Tarea).where(Tarea.clase == ClaseTarea.EMITIR_NOTA_CREDITO)).all()
        assert {one.case_key for one in notes} == {f"glosa:{one}" for one in mesa.glosas}
        kinds = session.scalars(select(Pieza.clase).where(Pieza.case_key == row.case_key)).all()
        assert sorted(kinds) == ["acta", "acta_firmada"]


def test_a_partial_acta_leaves_the_rest_for_another_meeting(mesa: Mesa) -> None:
    row_id = convened(mesa)
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        first, second, third = lines_of(session, row)
        table.save_lines(
            session,
            row,
            {first.id: typed(first, levantado=1_000), second.id: typed(second, aceptado=second.en_disputa)},
        )
        mesa.hold(session, row)
    sign(mesa, row_id)
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        assert row.estado is EstadoConciliacion.CON_ACUERDO_PARCIAL
        states = [session.get_one(Glosa, one.glosa_id).estado for one in (first, second, third)]
        # Nothing was settled on the third: it keeps its state and its terms.
        assert states == [EstadoGlosa.DEFINITIVA, EstadoGlosa.CONCILIADA, EstadoGlosa.EN_SUBSANACION]
        again = convene(
            session, prestador_id=mesa.prestador_id, pagador_id=mesa.pagador_id, filtro=Filtro(date(2026, 11, 20)),
            actor="prueba", at=NOW, anterior_id=row.id,
        )  # fmt: skip
        assert table.totals(session, again).sigue == first.en_disputa - 1_000 + third.en_disputa
        earlier = gather(session, again)
        assert "N.º 1, firmada el 19 de noviembre de 2026" in earlier.anterior
        assert earlier.anterior_sha256 == row.acta_firmada_sha256


def test_it_is_signed_once_and_never_changes_again(mesa: Mesa) -> None:
    row_id = held(mesa)
    with mesa.database.read() as session:
        version = session.get_one(Conciliacion, row_id).version
    sign(mesa, row_id, version=version)
    with pytest.raises(InvalidTransition, match="ya está firmada"):
        sign(mesa, row_id, version=version)
    with mesa.database.read() as session:
        assert len(session.scalars(select(Acto).where(Acto.tipo == TipoActo.CONCILIACION)).all()) == 3
    for statement in (
        "UPDATE conciliacion_lineas SET nota = 'otra' WHERE conciliacion_id = :id",
        "DELETE FROM conciliacion_lineas WHERE conciliacion_id = :id",
        "UPDATE conciliaciones SET lugar = 'otro' WHERE id = :id",
        "DELETE FROM conciliaciones WHERE id = :id",
        "INSERT INTO compromisos SELECT 99, prestador_id, id, '2026-12-01', 5, '' FROM conciliaciones WHERE id = :id",
    ):
        with pytest.raises(DatabaseError, match="acta firmada no cambia"), mesa.database.write() as session:
            session.execute(text(statement), {"id": row_id})
    with mesa.database.write() as session, pytest.raises(InvalidTransition):
        add_lines(session, session.get_one(Conciliacion, row_id), ["FV1"])


def test_a_decision_that_arrives_before_the_signature_stops_it(mesa: Mesa) -> None:
    row_id = held(mesa)
    with mesa.database.write() as session:
        row_glosa = session.get_one(Glosa, mesa.glosas[1])
        number = session.get_one(Factura, row_glosa.factura_id).numero
        # What cannot be decided from here: the payer lifts it all by letter.
        decide(
            session, row_glosa, levantado=row_glosa.en_disputa, ratificado=False, ocurrido_at=day(11, 17),
            evidence=[EVIDENCE], actor="prueba", at=NOW, motivo="registro_manual",
        )  # fmt: skip
    with pytest.raises(signing.LineasCambiadas, match=number) as refusal:
        sign(mesa, row_id)
    assert [one.ahora.razon for one in refusal.value.lineas] == ["cerrada"]
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        assert row.estado is EstadoConciliacion.CELEBRADA
        assert session.get_one(Glosa, mesa.glosas[0]).estado is EstadoGlosa.EN_SUBSANACION
        assert not session.scalars(select(Acto).where(Acto.tipo == TipoActo.CONCILIACION)).all()
        reopen(session, row, "Llegó una decisión", actor="prueba", at=NOW, version=row.version)
        assert row.acta_sha256 is None
        assert table.refresh(session, row) == (0, 1)
        assert len(lines_of(session, row)) == 2
        mesa.hold(session, row)
    sign(mesa, row_id)


def test_a_part_that_was_lifted_meanwhile_is_agreed_anew(mesa: Mesa) -> None:
    row_id = convened(mesa)
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        agree(session, row)
        one = session.get_one(Glosa, mesa.glosas[0])
        session.execute(
            text("UPDATE glosas SET levantado = 400000, en_disputa = en_disputa - 400000 WHERE id = :id"),
            {"id": one.id},
        )
        session.expire_all()
        assert [(line.motivo, line.ahora.en_disputa) for line in table.differences(session, row)] == [
            ("su valor en disputa cambió", 600_000)
        ]
        assert table.refresh(session, row) == (1, 0)
        assert table.split_of(lines_of(session, row)[0]) == Reparto(0, 0, 600_000)
        assert table.differences(session, row) == []


@pytest.mark.parametrize("what", ["unsigned", "not_pdf", "future", "before"])
def test_what_is_no_signed_acta_is_refused(mesa: Mesa, what: str) -> None:
    row_id = convened(mesa)
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        agree(session, row)
        acta = mesa.hold(session, row)
    kept = {"unsigned": acta, "not_pdf": mesa.keep(b"foto", "captura-1_acta.png")}.get(what, mesa.signed())
    when = {"future": NOW + timedelta(days=1), "before": MEETING - timedelta(days=1)}.get(what, SIGNED)
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        with pytest.raises(BadInput) as refusal:
            signing.sign(session, row, kept=kept, firmada_at=when, actor="prueba", at=NOW)
        assert refusal.value.code == {
            "unsigned": "sin_firmar", "not_pdf": "no_es_pdf", "future": "fecha_futura", "before": "fecha",
        }[what]  # fmt: skip
        with pytest.raises(StalePage):
            signing.sign(session, row, kept=mesa.signed(), firmada_at=SIGNED, actor="prueba", at=NOW, version=0)


def test_a_devolucion_is_settled_whole(mesa: Mesa) -> None:
    with mesa.database.write() as session:
        invoice = filed(
            session, prestador=session.get_one(Prestador, mesa.prestador_id),
            pagador=session.get_one(Pagador, mesa.pagador_id), valor=50_000,
        )  # fmt: skip
        returned = reiterated(session, invoice)
    row_id = convened(mesa)
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        (line,) = [one for one in lines_of(session, row) if one.devolucion_id == returned.id]
        refused = table.save_lines(session, row, {line.id: typed(line, levantado=20_000)})
        assert "toda la factura" in refused.rechazadas[line.id]
        assert table.apply_percent(session, row, "", Porcentaje(5_000, 0)) == (3, 1)
        table.save_lines(session, row, {line.id: typed(line, levantado=50_000)})
        mesa.hold(session, row)
    sign(mesa, row_id)
    with mesa.database.read() as session:
        assert session.get_one(type(returned), returned.id).estado is EstadoDevolucion.CONCILIADA


def test_promises_have_a_ceiling_and_a_fate(mesa: Mesa) -> None:
    row_id = convened(mesa)
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        limit = commitments.ceiling(session, row)
        assert (limit.levantado, limit.sin_objetar) == (0, 30_000_000 - 4_200_001)
        agree(session, row)
        assert commitments.ceiling(session, row).levantado == table.totals(session, row).levantado
        most = commitments.ceiling(session, row).maximo
        with pytest.raises(BadInput, match="anterior"):
            commitments.promise(session, row, fecha=date(2026, 11, 17), valor=5, at=NOW)
        commitments.promise(session, row, fecha=date(2026, 11, 25), valor=1_000, at=NOW)
        commitments.promise(session, row, fecha=date(2026, 12, 15), valor=most - 1_000, at=NOW)
        with pytest.raises(BadInput, match="solo pueden deber"):
            commitments.promise(session, row, fecha=date(2026, 12, 16), valor=1, at=NOW)
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        # Lifting less than was promised is told before the acta is drawn.
        agree(session, row, levanta=0, acepta=100)
        assert any("solo pueden deber" in one for one in signing.missing(session, row, NOW))
        agree(session, row)
        mesa.hold(session, row)
    assert check_promises(mesa.database, NOW + timedelta(days=60)) == 0  # not signed: nothing was promised yet
    sign(mesa, row_id)
    assert check_promises(mesa.database, day(11, 25, 23)) == 0  # still its day
    assert check_promises(mesa.database, day(11, 26)) == 1
    assert check_promises(mesa.database, day(11, 27)) == 1
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        (task,) = session.scalars(select(Tarea).where(Tarea.clase == ClaseTarea.COMPROMISO_INCUMPLIDO))
        first, second = commitments.seen(session, row, date(2026, 11, 26))
        assert [one.estado for one in (first, second)] == [commitments.INCUMPLIDO, "pendiente"]
        late = day(11, 28)
        common = {"fecha": date(2026, 11, 27), "actor": "prueba", "at": late}
        kept = mesa.signed("soporte de pago")
        with pytest.raises(BadInput, match="no está cumplido"):
            commitments.settle(
                session,
                first.compromiso,
                EstadoCompromiso.CUMPLIDO,
                valor=999,
                kept=[kept],
                **common,  # type: ignore[arg-type]
            )
        with pytest.raises(BadInput, match="soporte"):
            commitments.settle(session, first.compromiso, EstadoCompromiso.CUMPLIDO, valor=1_000, **common)  # type: ignore[arg-type]
        commitments.settle(session, first.compromiso, EstadoCompromiso.CUMPLIDO, valor=1_000, kept=[kept], **common)  # type: ignore[arg-type]
        assert task.cerrada_at == late
        with pytest.raises(InvalidTransition, match="ya tiene resultado"):
            commitments.settle(session, first.compromiso, EstadoCompromiso.DESISTIDO, nota="x", **common)  # type: ignore[arg-type]
        with pytest.raises(BadInput, match="por qué"):
            commitments.settle(session, second.compromiso, EstadoCompromiso.DESISTIDO, **common)  # type: ignore[arg-type]
