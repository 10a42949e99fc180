"""The tray and the sharing of lines on both databases: pages, totals, neighbours, rules, escalation, four eyes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.models import AccessLog
from radica.glosas.bandeja import tray, work
from radica.glosas.bandeja.tray import Cursor
from radica.glosas.bandeja.tray_filter import Filtro, Objecion, stake
from radica.glosas.bandeja.work_models import AjusteGlosas, Decision, ReglaAsignacion
from radica.glosas.models import Glosa
from radica.glosas.respuesta.answer_draft import Borrador
from radica.glosas.respuesta.answering import approve, finish, save_answer
from radica.glosas.states import EstadoRespuesta
from radica.kernel.clock import civil_date
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, Forbidden, StalePage
from radica.users.models import Rol
from radica.users.services import create_user, grant
from tests import factories
from tests import glosas_seed as seed

HOY = civil_date(factories.NOW)


@pytest.fixture
def houses(db: Database) -> tuple[int, int]:
    """Two providers with forty lines of a few days and amounts, some alike in both."""
    with db.write() as session:
        ids = (factories.prestador(session).id, factories.prestador(session, nombre="IPS del Sur").id)
        for number in range(40):
            invoice = seed.filed_invoice(session, ids[number % 2], filed=factories.NOW - timedelta(days=30))
            noticed = factories.NOW - timedelta(days=1 + number % 5)
            row = seed.objected(session, invoice, valor=1_000_000 * (1 + number % 3), noticed=noticed)
            if number % 10 == 9:
                row.vence = None
    return ids


def walk(session: Session, f: Filtro) -> Iterator[Objecion]:
    """Go through a tray three rows at a time, to its end."""
    cursor: Cursor | None = None
    while rows := tray.rows_of(session, f, cursor, backwards=False, limit=3):
        yield from rows
        cursor = (rows[-1].vence, stake(rows[-1]), rows[-1].id)


@pytest.mark.parametrize("orden", ["vence", "-vence", "valor", "-valor"])
def test_pages_neither_skip_nor_repeat(db: Database, houses: tuple[int, int], orden: str) -> None:
    f = Filtro(frozenset(houses), HOY, orden=orden)
    with db.read() as session:
        whole = [row.id for row in tray.rows_of(session, f, None, backwards=False, limit=1000)]
        assert [row.id for row in walk(session, f)] == whole
        assert len(set(whole)) == 40
        middle = session.get_one(Glosa, whole[20])
        assert tray.neighbours(session, f, middle) == (whole[19], whole[21])
        assert tray.neighbours(session, f, session.get_one(Glosa, whole[0]))[0] is None
        assert tray.neighbours(session, f, session.get_one(Glosa, whole[-1]))[1] is None


def test_the_default_order_is_days_left_then_money(db: Database, houses: tuple[int, int]) -> None:
    with db.read() as session:
        rows = tray.rows_of(session, Filtro(frozenset(houses), HOY), None, backwards=False, limit=1000)
    keys = [(row.vence or date.max, -stake(row), row.id) for row in rows]
    assert keys == sorted(keys)


def test_totals_tiles_and_rows_agree(db: Database, houses: tuple[int, int]) -> None:
    for f in (
        Filtro(frozenset(houses), HOY),
        Filtro(frozenset(houses[:1]), HOY, desde=HOY, hasta=HOY + timedelta(days=60)),
    ):
        with db.read() as session:
            rows = tray.rows_of(session, f, None, backwards=False, limit=1000)
            days = tray.by_day(session, f)
            assert tray.totals(session, f) == (len(rows), sum(stake(row) for row in rows))
            assert sum(one.cuantas for one in days) == len(rows)
            assert sum(one.valor for one in days) == sum(stake(row) for row in rows)


def test_one_walk_counts_what_the_filter_counts_by_itself(db: Database, houses: tuple[int, int]) -> None:
    with db.write() as session:
        base = Filtro(frozenset(houses), HOY)
        glosa = tray.rows_of(session, base, None, backwards=False, limit=1)[0]
        assert isinstance(glosa, Glosa)
        pagador, familia, codigo = glosa.pagador_id, glosa.familia, glosa.codigo
        draft = Borrador(Decision.DEFENDER, seed.TEXTO)
        save_answer(session, glosa, draft, actor="usuario:1", at=factories.NOW)
    with db.read() as session:
        for changes in (
            {}, {"pagador": pagador}, {"familia": familia}, {"codigo": codigo}, {"responsable": "sin"}, {"turno": ""},
            {"respuesta": "sin"}, {"respuesta": "sin", "codigo": codigo}, {"respuesta": "borrador"}, {"ronda": 1},
            {"hasta": HOY}, {"sin_plazo": True}, {"q": "nada"}, {"pendientes": True}, {"clase": "devoluciones"},
        ):  # fmt: skip
            f = replace(base, **changes)
            days, found = tray.tiles_and_totals(session, f)
            assert found == tray.totals(session, f), changes
            assert days == tray.by_day(session, replace(base, clase=f.clase))
        plain, without = tray.totals(session, base)[0], tray.tiles_and_totals(session, replace(base, respuesta="sin"))
        assert without[1][0] == plain - 1


def test_a_provider_not_in_view_is_in_nothing(db: Database, houses: tuple[int, int]) -> None:
    f = Filtro(frozenset(houses[:1]), HOY)
    with db.read() as session:
        rows = tray.rows_of(session, f, None, backwards=False, limit=1000)
        assert {row.prestador_id for row in rows} == {houses[0]}
        assert tray.totals(session, replace(f, prestadores=frozenset())) == (0, 0)


def person(session: Session, provider: int, correo: str, *roles: Rol) -> int:
    user = create_user(session, correo=correo, nombre=correo, clave_hash="x", at=factories.NOW)
    grant(session, usuario_id=user.id, prestador_id=provider, roles=roles, actor="prueba", at=factories.NOW)
    return user.id


def test_the_first_rule_that_fits_decides_and_each_case_is_logged(db: Database) -> None:
    with db.write() as session:
        provider = factories.prestador(session).id
        payer = factories.pagador(session)
        ana, luis = (person(session, provider, f"{name}@x.example", Rol.GLOSAS) for name in ("ana", "luis"))
        gone = person(session, factories.prestador(session).id, "otro@x.example", Rol.GLOSAS)
        dear = seed.objected(session, seed.filed_invoice(session, provider, payer), valor=9_000_000).id
        cheap = seed.objected(session, seed.filed_invoice(session, provider, payer), valor=1_000_000).id
        other = seed.objected(session, seed.filed_invoice(session, provider), codigo="SO0101").id
        session.add_all(
            [
                ReglaAsignacion(prestador_id=provider, orden=1, usuario_id=gone),
                ReglaAsignacion(prestador_id=provider, orden=2, usuario_id=ana, desde=5_000_000),
                ReglaAsignacion(prestador_id=provider, orden=3, usuario_id=luis, familia="TA"),
            ]
        )
        session.flush()
        assert work.assign_by_rules(session, provider, actor="reloj", at=factories.NOW) == work.Reparto(2, 1)
    with db.read() as session:
        owners = {row.id: row.responsable_id for row in session.query(Glosa)}
        logged = session.scalars(select(AccessLog.object).where(AccessLog.action == "repartir_glosas")).all()
    assert owners == {dear: ana, cheap: luis, other: None}
    assert sorted(logged) == sorted([f"glosa:{dear} a usuario:{ana}", f"glosa:{cheap} a usuario:{luis}"])


def test_many_cases_fit_in_lines_of_the_log(db: Database) -> None:
    with db.write() as session:
        provider = factories.prestador(session).id
        ana = person(session, provider, "ana@x.example", Rol.GLOSAS)
        invoice = seed.filed_invoice(session, provider, valor=100_000_000)
        rows = [seed.objected(session, invoice, valor=100_000) for _ in range(30)]
        assert work.assign(session, rows, ana, actor="prueba", at=factories.NOW) == 30
        assert work.assign(session, rows, ana, actor="prueba", at=factories.NOW) == 0
    with db.read() as session:
        lines = session.scalars(select(AccessLog.object).where(AccessLog.action == "asignar_glosas")).all()
    assert all(len(line) <= 120 for line in lines)
    cases = {case for line in lines for case in line.removesuffix(f" a usuario:{ana}").split(",")}
    assert cases == {row.case_key for row in rows}


def test_what_is_about_to_lapse_goes_up_once_and_leaves_its_pause(db: Database) -> None:
    with db.write() as session:
        provider = factories.prestador(session).id
        boss = person(session, provider, "jefa@x.example", Rol.DIRECCION)
        session.add(AjusteGlosas(prestador_id=provider, escalar_a_id=boss, escalar_dias=2, grupo_manual=""))
        near = seed.objected(session, seed.filed_invoice(session, provider))
        far = seed.objected(session, seed.filed_invoice(session, provider))
        near.vence = HOY + timedelta(days=3)
        near.pendiente_hasta, near.pendiente_motivo = HOY + timedelta(days=2), "Se espera el contrato."
        session.flush()
        assert work.escalate(session, hoy=HOY, actor="reloj", at=factories.NOW) == 1
        assert work.escalate(session, hoy=HOY, actor="reloj", at=factories.NOW) == 0
        seen = session.execute(select(Glosa.id, Glosa.responsable_id, Glosa.pendiente_hasta).order_by(Glosa.id)).all()
        assert [tuple(one) for one in seen] == [(near.id, boss, None), (far.id, None, None)]


def test_nothing_waits_beyond_its_term(db: Database) -> None:
    with db.write() as session:
        row = seed.objected(session, seed.filed_invoice(session, factories.prestador(session).id))
        assert row.vence is not None
        for day in (HOY, row.vence + timedelta(days=1)):
            with pytest.raises(BadInput):
                work.pend(session, row, day, "Se espera.", hoy=HOY, actor="prueba", at=factories.NOW)
        work.pend(session, row, row.vence, "Se espera.", hoy=HOY, actor="prueba", at=factories.NOW)
        f = Filtro(frozenset({row.prestador_id}), HOY)
        assert tray.totals(session, f)[0] == 0
        assert tray.totals(session, replace(f, hoy=row.vence))[0] == 1, "it comes back by itself"


def test_four_eyes_and_stale_pages_hold_on_both_databases(db: Database) -> None:
    with db.write() as session:
        row = seed.objected(session, seed.filed_invoice(session, factories.prestador(session).id), valor=9_000_000)
        session.add(
            AjusteGlosas(prestador_id=row.prestador_id, cuatro_ojos_desde=9_000_000, grupo_manual="", escalar_dias=2)
        )
        session.flush()
        draft = Borrador(Decision.DEFENDER, seed.TEXTO)
        with pytest.raises(StalePage):
            save_answer(session, row, draft, actor="usuario:1", at=factories.NOW, expected_version=row.version + 1)
        answer = save_answer(session, row, draft, actor="usuario:1", at=factories.NOW, expected_version=row.version)
        finish(session, row, answer, actor="usuario:1", at=factories.NOW)
        assert answer.estado is EstadoRespuesta.POR_APROBAR
        with pytest.raises(Forbidden):
            approve(session, row, answer, actor="usuario:1", at=factories.NOW)
        approve(session, row, answer, actor="usuario:2", at=factories.NOW)
        assert (answer.estado, answer.aprobada_por) == (EstadoRespuesta.APROBADA, "usuario:2")
