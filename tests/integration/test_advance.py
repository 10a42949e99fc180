"""`advance()` moves, chains, refuses stale pages; history cannot be rewritten, on both databases."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from radica.audit.chain import link_hash
from radica.audit.models import Transition
from radica.audit.services import Move, advance, advance_all, link_content, record_reading
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura, EventoFactura
from radica.kernel.db import Database
from radica.kernel.errors import InvalidTransition, StalePage
from tests import factories
from tests.factories import NOW


def _one(session: Session) -> Factura:
    return factories.factura(session, factories.prestador(session), factories.pagador(session))


def _chain(session: Session, case: str) -> list[Transition]:
    return list(session.scalars(select(Transition).where(Transition.case_key == case).order_by(Transition.seq)))


def test_a_move_sets_state_and_adds_a_link(db: Database) -> None:
    with db.write() as session:
        factura = _one(session)
        advance(
            session,
            factura,
            EventoFactura.ABRIR_ENVIO,
            actor="persona:1",
            at=NOW,
            reason="orden_de_persona",
            note="señal con tilde: radicación",
            facts={"envio": 7},
            evidence=["b" * 64, "a" * 64],
        )
    with db.read() as session:
        again = session.get(Factura, factura.id)
        assert again is not None
        assert again.estado is EstadoFactura.EN_RADICACION
        assert again.version == 1
        links = _chain(session, factura.case_key)
        assert [link.event for link in links] == ["crear", "abrir_envio"]
        previous = "0" * 64
        for link in links:
            assert link.prev_hash == previous
            assert link.hash == link_hash(link_content(link))
            previous = link.hash
        assert links[1].evidence == ["a" * 64, "b" * 64]


def test_an_impossible_move_changes_nothing(db: Database) -> None:
    with db.write() as session:
        factura = _one(session)
    with pytest.raises(InvalidTransition, match="Lista"), db.write() as session:
        advance(session, session.merge(factura), EventoFactura.RADICAR, actor="x", at=NOW, reason="revision")
    with db.read() as session:
        assert len(_chain(session, factura.case_key)) == 1


def test_a_stale_page_is_refused(db: Database) -> None:
    with db.write() as session:
        factura = _one(session)
        advance(session, factura, EventoFactura.QUEDAR_LISTA, actor="x", at=NOW, reason="revision", expected_version=0)
    stale = Move(factura, EventoFactura.ABRIR_ENVIO, "revision", expected_version=0)
    with pytest.raises(StalePage), db.write() as session:
        advance_all(session, [replace(stale, thing=session.get_one(Factura, factura.id))], actor="x", at=NOW)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transitions SET actor = 'otro'",
        "DELETE FROM transitions",
        "UPDATE access_log SET actor = 'otro'",
        "DELETE FROM access_log",
    ],
)
def test_history_refuses_update_and_delete(db: Database, statement: str) -> None:
    with db.write() as session:
        factura = _one(session)
        record_reading(
            session,
            prestador_id=factura.prestador_id,
            actor="persona:1",
            action="ver",
            purpose="auditoría",
            object_="documento:1",
            at=NOW,
        )
    with pytest.raises(DBAPIError, match="solo admite filas nuevas"), db.write() as session:
        session.execute(text(statement))


def test_a_filed_invoice_needs_proof(db: Database) -> None:
    with db.write() as session:
        factura = _one(session)
    with pytest.raises(DBAPIError, match="radicada_con_prueba"), db.write() as session:
        session.execute(text("UPDATE facturas SET estado = 'radicada' WHERE id = :i"), {"i": factura.id})


def test_bulk_moves_from_many_threads_neither_deadlock_nor_fork(db: Database) -> None:
    with db.write() as session:
        prestador, pagador = factories.prestador(session), factories.pagador(session)
        ids = [factories.factura(session, prestador, pagador).id for _ in range(6)]

    def bulk(turn: int) -> None:
        order = ids if turn % 2 else list(reversed(ids))
        with db.write() as session:
            things = [session.get_one(Factura, i) for i in order]
            advance_all(
                session,
                [Move(thing, EventoFactura.QUEDAR_LISTA, "revision") for thing in things],
                actor=f"hilo:{turn}",
                at=NOW,
            )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(bulk, range(12)))
    with db.read() as session:
        for i in ids:
            links = _chain(session, f"factura:{i}")
            assert [link.seq for link in links] == list(range(1, 14))
            assert all(b.prev_hash == a.hash for a, b in itertools.pairwise(links))
