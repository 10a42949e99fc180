"""A meeting on both databases: called, worked on by two people, held, signed once, and what it does to the glosas."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import Session

from radica.app.compromisos import check_promises
from radica.audit.services import history
from radica.conciliacion import commitments, signing, table
from radica.conciliacion.acta import gather
from radica.conciliacion.models import Conciliacion, ConciliacionLinea, EstadoCompromiso
from radica.conciliacion.scope import Filtro, scope
from radica.conciliacion.services import (
    add_lines,
    convene,
    fail,
    lines_of,
    meeting_token,
    remove_lines,
    reopen,
    set_meeting,
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
    PEOPLE,
    SIGNED,
    Mesa,
    add_ratified,
    agree,
    make_mesa,
    ratified,
    reiterated,
    typed,
)
from tests.plugins.glosas import EVIDENCE, answer, day, filed, glosa


@pytest.fixture
def mesa(db: Database, tmp_path: Path) -> Mesa:
    return make_mesa(db, tmp_path)


def convened(mesa: Mesa) -> int:
    with mesa.database.write() as session:
        row = mesa.convene(session)
        mesa.meet(session, row)
        return row.id


def held(mesa: Mesa, *, levanta: int = 60, acepta: int = 40) -> int:
    row_id = convened(mesa)
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        agree(session, row, levanta=levanta, acepta=acepta)
        mesa.hold(session, row)
    return row_id


def sign(mesa: Mesa, row_id: int, text_: str = "firmada", version: int | None = None) -> None:
    kept = mesa.signed(text_)
    with mesa.database.write(durable=True) as session:
        row = session.get_one(Conciliacion, row_id)
        signing.sign(session, row, kept=kept, firmada_at=SIGNED, actor="prueba", at=NOW, version=version)


def test_the_scope_says_what_goes_in_and_why_the_rest_does_not(mesa: Mesa) -> None:
    with mesa.database.write() as session:
        provider = session.get_one(Glosa, mesa.glosas[0]).prestador_id
        ours = session.get_one(Factura, mesa.facturas[0])
        fresh = glosa(session, ours, 5_000)  # not answered yet
        flying = ratified(session, ours, 7_000)
        answer(session, flying, ronda=2)
        returned = filed(
            session,
            prestador=session.get_one(Prestador, mesa.prestador_id),
            pagador=session.get_one(Pagador, mesa.pagador_id),
            valor=90_000,
        )
        under = ratified(session, returned, 4_000)
        whole = reiterated(session, returned)
        found = scope(session, prestador_id=provider, pagador_id=mesa.pagador_id, filtro=Filtro(date(2026, 11, 20)))
        reasons = {one.glosa_id or one.devolucion_id: one.razon for one in found.fuera}
        assert reasons[fresh.id] == "por_responder"
        assert reasons[flying.id] == "en_camino"
        assert reasons[under.id] == "factura_devuelta"
        entering = {one.glosa_id for one in found.entran if one.glosa_id}
        assert entering == set(mesa.glosas)
        assert [one.devolucion_id for one in found.entran if one.devolucion_id] == [whole.id]
        assert found.en_disputa == 4_200_001 + 90_000


def test_filters_narrow_the_scope(mesa: Mesa) -> None:
    with mesa.database.read() as session:
        number = session.get_one(Factura, mesa.facturas[1]).numero

        def found(**filters: object) -> set[int | None]:
            filtro = Filtro(**{"fecha_corte": date(2026, 11, 20), **filters})  # type: ignore[arg-type]
            held_ = scope(session, prestador_id=mesa.prestador_id, pagador_id=mesa.pagador_id, filtro=filtro)
            return {one.glosa_id for one in held_.entran}

        assert found(codigos=("FA",)) == {mesa.glosas[0]}
        assert found(facturas=(number.replace("FV", "fv-00"),)) == {mesa.glosas[1]}
        assert found(desde=2_000_000) == {mesa.glosas[1]}
        assert found(glosas=False) == set()
        assert found(fecha_corte=date(2026, 6, 16)) == set(mesa.glosas)  # notified that day
        assert found(fecha_corte=date(2026, 6, 15)) == set()
        unknown = Filtro(date(2026, 11, 20), facturas=("FV1", number))
        held_ = scope(session, prestador_id=mesa.prestador_id, pagador_id=mesa.pagador_id, filtro=unknown)
        assert list(held_.desconocidas) == ["FV1"]


def test_a_line_is_on_one_open_table_only(mesa: Mesa) -> None:
    convened(mesa)
    with mesa.database.write() as session, pytest.raises(BadInput, match="ya está en otra mesa") as refusal:
        mesa.convene(session)
    assert refusal.value.code == "sin_lineas"
    with pytest.raises(IntegrityError), mesa.database.write() as session:
        _take_by_force(session, mesa)


def _take_by_force(session: Session, mesa: Mesa) -> None:
    """Put a line that is on a table on another one, past the services."""
    other = Conciliacion(
        prestador_id=mesa.prestador_id, pagador_id=mesa.pagador_id, numero=2, fecha_corte=date(2026, 11, 1),
        estado=EstadoConciliacion.CONVOCADA, version=0, asistentes=[], creada_at=NOW, creada_por="prueba",
    )  # fmt: skip
    session.add(other)
    session.flush()
    line = ConciliacionLinea(
        prestador_id=mesa.prestador_id, conciliacion_id=other.id, factura_id=mesa.facturas[0],
        glosa_id=mesa.glosas[0], en_disputa=1, levantado=0, aceptado=0, sigue=1,
    )  # fmt: skip
    session.add(line)
    session.flush()


def test_a_failed_meeting_frees_its_lines_and_may_be_referred_to(mesa: Mesa) -> None:
    first = convened(mesa)
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, first)
        with pytest.raises(BadInput):
            fail(session, row, " ", actor="prueba", at=NOW)
        fail(session, row, "El pagador no asistió", actor="prueba", at=NOW)
    with mesa.database.write() as session:
        filtro = Filtro(date(2026, 11, 20))
        again = convene(
            session, prestador_id=mesa.prestador_id, pagador_id=mesa.pagador_id, filtro=filtro, actor="prueba", at=NOW,
            anterior_id=first,
        )  # fmt: skip
        assert (again.numero, again.anterior_id, len(lines_of(session, again))) == (2, first, 3)
        with pytest.raises(BadInput, match="terminada"):
            convene(
                session, prestador_id=mesa.prestador_id, pagador_id=mesa.pagador_id, filtro=filtro, actor="prueba",
                at=NOW, anterior_id=again.id,
            )  # fmt: skip
        story = history(session, [f"conciliacion:{first}"])
        assert (story[0].event, story[0].note) == ("fracasar", "El pagador no asistió")


def test_lines_leave_and_come_back(mesa: Mesa) -> None:
    row_id = convened(mesa)
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        lines = lines_of(session, row)
        number = session.get_one(Factura, lines[0].factura_id).numero
        assert remove_lines(session, row, [lines[0].id, 999_999]) == 1
        assert add_lines(session, row, [number]) == 1
        with pytest.raises(BadInput, match="quedaría sin líneas"):
            remove_lines(session, row, [one.id for one in lines_of(session, row)])
        with pytest.raises(BadInput, match="No se agregó nada"):
            add_lines(session, row, [number, "NOESTA1"])


def test_two_people_on_one_page_never_overwrite_each_other(mesa: Mesa) -> None:
    row_id = convened(mesa)
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        first, second, _ = lines_of(session, row)
        ana = {first.id: typed(first, levantado=10), second.id: typed(second, aceptado=5, nota="se acepta")}
        luis = {first.id: typed(first, levantado=10), second.id: typed(second, aceptado=6)}
        assert sorted(table.save_lines(session, row, ana).guardadas) == [first.id, second.id]
        saved = table.save_lines(session, row, luis)  # the same on the first: nothing to complain of
        assert (list(saved.guardadas), list(saved.vencidas)) == ([], [second.id])
        assert (second.aceptado, second.nota) == (5, "se acepta")
        wrong = table.save_lines(session, row, {first.id: typed(first, levantado=first.en_disputa + 1)})
        assert list(wrong.rechazadas) == [first.id]
        gone = table.save_lines(session, row, {12345: typed(first, levantado=1)})
        assert list(gone.vencidas) == [12345]
        with pytest.raises(StalePage):
            set_meeting(session, row, citada_at=None, lugar="", asistentes=PEOPLE, notas="", expected="otro")
        set_meeting(
            session, row, citada_at=MEETING, lugar="Cali", asistentes=PEOPLE, notas="", expected=meeting_token(row)
        )


def test_the_database_refuses_a_line_that_does_not_add_up(mesa: Mesa) -> None:
    row_id = convened(mesa)
    with pytest.raises(IntegrityError), mesa.database.write() as session:
        session.execute(text(f"UPDATE conciliacion_lineas SET levantado = 1 WHERE conciliacion_id = {row_id}"))


def test_percentages_by_code_leave_what_was_agreed_by_hand(mesa: Mesa) -> None:
    with mesa.database.write() as session:
        add_ratified(
            session, mesa, session.get_one(Prestador, mesa.prestador_id), session.get_one(Pagador, mesa.pagador_id),
            333_333, "FA0201",
        )  # fmt: skip
    row_id = convened(mesa)
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        touched, other = [one for one in lines_of(session, row) if one.glosa_id in (mesa.glosas[0], mesa.glosas[3])]
        table.save_lines(session, row, {touched.id: typed(touched, levantado=1)})
        before = table.split_of(touched) + table.split_of(other)
        assert table.apply_percent(session, row, "FA0201", Porcentaje(2_500, 5_000), expected=before) == (1, 0)
        assert table.split_of(touched).levantado == 1
        with pytest.raises(StalePage):
            table.apply_percent(session, row, "FA0201", Porcentaje(0, 0), expected=before)
        table.apply_percent(session, row, "FA0201", Porcentaje(2_500, 5_000), only_untouched=False)
        sums = table.split_of(touched) + table.split_of(other)
        assert sums == Reparto(666_667, 333_333, 333_333)
        assert table.totals(session, row).en_disputa == 4_533_334
        assert sum(one.lineas for one in table.groups(session, row)) == 4


def test_an_acta_needs_what_it_says(mesa: Mesa) -> None:
    with mesa.database.write() as session:
        row = mesa.convene(session)
        assert len(signing.missing(session, row, NOW)) == 4
        set_meeting(session, row, citada_at=NOW + timedelta(days=1), lugar="", asistentes=PEOPLE[:1], notas="")
        said = " ".join(signing.missing(session, row, NOW))
        assert "futuro" in said
        assert "por el pagador" in said
        with pytest.raises(BadInput) as refusal:
            mesa.hold(session, row)
        assert refusal.value.code == "falta"


def test_what_was_drawn_must_be_what_is_signed_for(mesa: Mesa) -> None:
    row_id = convened(mesa)
    with mesa.database.write() as session:
        row = session.get_one(Conciliacion, row_id)
        agree(session, row)
        drawn = gather(session, row)
        line = lines_of(session, row)[0]
        table.save_lines(session, row, {line.id: typed(line, levantado=1, aceptado=1)})
        with pytest.raises(StalePage):
            signing.celebrate(session, row, kept=mesa.signed(), contents_sha256=drawn.sha256, actor="prueba", at=NOW)


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
