"""A meeting on both databases: called, worked on by two people, held, signed once, and what it does to the glosas."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from radica.audit.services import history
from radica.conciliacion import signing, table
from radica.conciliacion.acta import gather
from radica.conciliacion.models import Conciliacion, ConciliacionLinea
from radica.conciliacion.scope import Filtro, scope
from radica.conciliacion.services import (
    add_lines,
    convene,
    fail,
    lines_of,
    meeting_token,
    remove_lines,
    set_meeting,
)
from radica.conciliacion.simulate import Porcentaje, Reparto
from radica.conciliacion.states import EstadoConciliacion
from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Factura
from radica.glosas.models import Glosa
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, StalePage
from tests.conciliacion_seed import (
    MEETING,
    NOW,
    PEOPLE,
    Mesa,
    add_ratified,
    agree,
    make_mesa,
    ratified,
    reiterated,
    typed,
)
from tests.integration.conciliacion_actor import convened
from tests.plugins.glosas import answer, filed, glosa


@pytest.fixture
def mesa(db: Database, tmp_path: Path) -> Mesa:
    return make_mesa(db, tmp_path)


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
