"""Three hundred invoices live random lives at once, through the real acts and the clock, on both databases.

After every round: no CHECK fired, the identity holds in each line, no item and no invoice counts more than it is
worth, each move is in the table of its machine, what the acts say is what the line holds, and a refusal left no trace.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.audit.models import Transition
from radica.facturas.models import Factura
from radica.glosas import acts, clocks
from radica.glosas.acts_base import term_of
from radica.glosas.bandeja.work_models import Decision, Respuesta
from radica.glosas.models import Acto, Glosa, ItemFactura, TipoActo
from radica.glosas.silence import apply_silences
from radica.glosas.states import CONCILIABLES, GLOSA, EstadoGlosa, EventoGlosa
from radica.kernel.clock import civil_date
from radica.kernel.db import Database
from radica.kernel.errors import RadicaError
from tests import factories
from tests.plugins import glosas as made
from tests.plugins.glosas import EVIDENCE, FILED, NOTICED

HISTORIES = 300
ROUNDS = 7
STEP = timedelta(days=9)
START = NOTICED + timedelta(days=2)


def _born(session: Session, dice: random.Random) -> list[int]:
    provider, payer = factories.prestador(session), factories.pagador(session)
    new = []
    for _ in range(HISTORIES):
        worth = [dice.randint(0, 500_000) for _ in range(dice.randint(1, 3))]
        invoice = made.filed(session, valor=dice.randint(0, sum(worth)), prestador=provider, pagador=payer)
        services = made.items(session, invoice, worth)
        for _ in range(dice.randint(1, 3)):
            how = dice.choice(["correo", "correo", "correo", "carga"])
            item = dice.choice([None, *services])
            new.append(made.nueva(invoice, dice.randint(0, 700_000), item=item, notificada_segun=how))
    return acts.formulate_all(session, new, notificacion=None, actor="prueba", at=START, evidence=[EVIDENCE])


def _step(session: Session, glosa: Glosa, dice: random.Random, now: datetime) -> None:
    """Try any act, possible or not, with any amount and a date that is sometimes wrong."""
    on = now - timedelta(days=dice.choice([0, 0, 0, 0, 1, 2, 30, -2]))
    part = dice.choice([0, 1, glosa.en_disputa, glosa.en_disputa + 1, dice.randint(0, glosa.en_disputa)])
    by: dict[str, Any] = {"actor": "prueba", "at": now, "motivo": "registro_manual"}
    dated: dict[str, Any] = {**by, "ocurrido_at": on}
    what = dice.choice(["responder", "responder", "responder", "decidir", "decidir", "decidir", "final", "resto", "acta",
                        "anular", "reabrir", "fecha"])  # fmt: skip
    if what == "responder" and not _has_answer(session, glosa):
        made.present(session, glosa, dice.choice(list(Decision)), valor_aceptado=part, on=on, at=now)
    elif what == "decidir":
        acts.decide(session, glosa, levantado=part, ratificado=dice.random() < 0.7, evidence=[], **dated)
    elif what == "final":
        acts.declare_final(session, glosa, **by)
    elif what == "resto":
        acts.accept_rest(session, glosa, **dated)
    elif what == "acta" and glosa.estado in CONCILIABLES:
        lifted = dice.randint(0, glosa.en_disputa)
        accepted = dice.choice([0, glosa.en_disputa - lifted])
        line = acts.ActaLinea(lifted, accepted, glosa.en_disputa - lifted - accepted, glosa_id=glosa.id)
        acts.apply_acta(
            session, [line], conciliacion_case="conciliacion:1", ocurrido_at=on, evidence=[], actor="prueba", at=now
        )
    elif what == "anular" and dice.random() < 0.2:
        acts.annul(session, glosa, texto="error", **by)
    elif what == "reabrir":
        acts.reopen(session, glosa, texto="prueba", evidence=[EVIDENCE], **by)
    elif what == "fecha":
        acts.correct_notice_date(
            session, glosa, notificada_at=FILED + timedelta(days=dice.randint(-3, 40)), texto="prueba",
            evidence=[EVIDENCE], **by,
        )  # fmt: skip


def _has_answer(session: Session, glosa: Glosa) -> bool:
    same = select(Respuesta.id).where(Respuesta.glosa_id == glosa.id, Respuesta.ronda == glosa.ronda)
    return session.scalars(same).first() is not None


def _look(glosa: Glosa) -> tuple[Any, ...]:
    return (
        glosa.estado,
        glosa.version,
        glosa.valor,
        glosa.aceptado,
        glosa.levantado,
        glosa.en_disputa,
        glosa.notificada_at,
    )


def _round(session: Session, ids: list[int], dice: random.Random, now: datetime, refused: Counter[str]) -> None:
    for glosa_id in ids:
        before = _look(session.get_one(Glosa, glosa_id))
        try:
            with session.begin_nested():
                _step(session, session.get_one(Glosa, glosa_id), dice, now)
                session.flush()
        except RadicaError as refusal:
            refused[refusal.code] += 1
            assert _look(session.get_one(Glosa, glosa_id)) == before


def _check(session: Session) -> Counter[str]:
    rows = list(session.scalars(select(Glosa)))
    for row in rows:
        assert row.valor == row.aceptado + row.levantado + row.en_disputa
        assert row.turno == clocks.turn(row.estado)
        corre = term_of(session, row)
        assert (row.vence, row.vence_alterno) == ((corre.vence, corre.vence_alterno) if corre else (None, None))
    over_item = (
        select(ItemFactura.id)
        .join(Glosa, Glosa.item_id == ItemFactura.id)
        .group_by(ItemFactura.id, ItemFactura.valor)
        .having(func.sum(Glosa.valor) > ItemFactura.valor)
    )
    over_invoice = (
        select(Factura.id)
        .join(Glosa, Glosa.factura_id == Factura.id)
        .group_by(Factura.id, Factura.valor)
        .having(func.sum(Glosa.valor) > Factura.valor)
    )
    assert session.scalars(over_item).all() == session.scalars(over_invoice).all() == []
    moves = session.execute(
        select(Transition.from_state, Transition.event, Transition.to_state)
        .where(Transition.thing == "glosa", Transition.seq > 1)
        .distinct()
    ).all()
    for before, event, after in moves:
        assert GLOSA.next(EstadoGlosa(before), EventoGlosa(event)) == after
    _check_acts(session, rows)
    return Counter(str(row.estado) for row in rows)


def _check_acts(session: Session, rows: list[Glosa]) -> None:
    """What a line holds is what its acts gave it: nothing moves money without a row that says so."""
    given = {
        row[0]: row[1:]
        for row in session.execute(
            select(Acto.glosa_id, func.sum(Acto.levantado), func.sum(Acto.aceptado)).group_by(Acto.glosa_id)
        )
    }
    silenced = set(session.scalars(select(Acto.glosa_id).where(Acto.tipo == TipoActo.SILENCIO, Acto.aceptado > 0)))
    for row in rows:
        if row.estado is not EstadoGlosa.ANULADA:
            assert row.levantado == given[row.id][0]
            assert row.id in silenced or row.aceptado == given[row.id][1]


def test_three_hundred_random_histories(db: Database) -> None:
    dice, refused, now = random.Random(311), Counter[str](), START
    with db.write() as session:
        ids = _born(session, dice)
        provider = session.get_one(Glosa, ids[0]).prestador_id
    seen: Counter[str] = Counter()
    for _ in range(ROUNDS):
        with db.write() as session:
            _round(session, ids, dice, now, refused)
        with db.read() as session:
            seen.update(_check(session))
        apply_silences(db, [provider], today=civil_date(now), at=now)
        with db.read() as session:
            seen.update(_check(session))
        now += STEP
    assert set(seen) == {str(state) for state in EstadoGlosa}, "some state was never reached"
    assert {"fecha_futura", "fecha_anterior", "mas_que_en_disputa", "transicion_invalida"} <= set(refused)
