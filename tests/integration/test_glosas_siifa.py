"""The 48 business hours of SIIFA: what is pending, how urgent, and how it is recorded once, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from radica.glosas.models import Acto, Glosa, RegistroSiifa, TipoActo
from radica.glosas.siifa import Urgencia, counts, pending, record
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, NotFound
from tests import factories
from tests.plugins import glosas as made
from tests.plugins.glosas import day


def answered(db: Database) -> Glosa:
    """Answered on Wednesday 1 July at ten: pending until Friday at ten."""
    with db.write() as session:
        glosa = made.glosa(session, made.filed(session))
        made.present(session, glosa, on=day(7, 1))
        return glosa


@pytest.mark.parametrize(
    ("now", "urgency"),
    [(day(7, 2), Urgencia.HOLGADA), (day(7, 3, 2), Urgencia.PRONTO), (day(7, 3, 10), Urgencia.PRONTO),
     (day(7, 3, 11), Urgencia.VENCIDA)],
)  # fmt: skip
def test_what_is_pending_and_how_urgent(db: Database, now, urgency: Urgencia) -> None:
    glosa = answered(db)
    with db.read() as session:
        (row,) = pending(session, [glosa.prestador_id], now)
        assert (row.objeto, row.objeto_id, row.codigo, row.respuesta) == ("glosa", glosa.id, "FA0201", "RE9602")
        assert (row.vence, row.urgencia) == (day(7, 3), urgency)
        told = counts(session, [glosa.prestador_id], now)
        assert told == {one: int(one is urgency) for one in Urgencia}


def test_a_registration_is_recorded_once(db: Database) -> None:
    glosa = answered(db)
    with db.write() as session:
        (row,) = pending(session, [glosa.prestador_id], day(7, 2))
        values = {"prestador_ids": [glosa.prestador_id], "actor": "persona:1", "at": day(7, 2)}
        assert record(session, [row.acto_id], referencia=" GTL-77 ", **values) == 1
        assert record(session, [row.acto_id], referencia="otra", **values) == 0
        assert session.scalars(select(RegistroSiifa.referencia)).all() == ["GTL-77"]
        assert pending(session, [glosa.prestador_id], day(7, 2)) == []
        assert sum(counts(session, [glosa.prestador_id], day(7, 2)).values()) == 0


def test_what_cannot_be_recorded(db: Database) -> None:
    glosa = answered(db)
    with db.write() as session:
        ours = session.scalars(select(Acto.id).where(Acto.tipo == TipoActo.RESPUESTA)).one()
        theirs = session.scalars(select(Acto.id).where(Acto.tipo == TipoActo.NOTIFICACION)).one()
        other = factories.prestador(session)
        base = {"referencia": "G1", "actor": "persona:1", "at": day(7, 2), "prestador_ids": [glosa.prestador_id]}
        for ids, change, error in [
            ([ours], {"prestador_ids": [other.id]}, NotFound),
            ([ours, 999], {}, NotFound),
            ([ours], {"referencia": " "}, BadInput),
            ([theirs], {}, BadInput),
            ([ours], {"registrado_at": day(6, 30)}, BadInput),
            ([ours], {"registrado_at": day(7, 3)}, BadInput),
        ]:
            with pytest.raises(error):
                record(session, ids, **{**base, **change})
        assert session.scalars(select(RegistroSiifa)).all() == []
        assert pending(session, [other.id], day(7, 2)) == []
