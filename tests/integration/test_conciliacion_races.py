"""Random tables signed to the peso, and what happens at the same time: two signers, two conveners, a decision."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import func, select

from radica.audit.models import Transition
from radica.conciliacion import signing
from radica.conciliacion.acta import gather
from radica.conciliacion.models import Conciliacion, ConciliacionLinea
from radica.conciliacion.services import lines_of
from radica.conciliacion.simulate import Reparto
from radica.conciliacion.states import FIRMADAS, EstadoConciliacion
from radica.conciliacion.table import save_lines, split_of, totals
from radica.glosas.acts import decide
from radica.glosas.models import Acto, Glosa, TipoActo
from radica.glosas.states import EstadoGlosa
from radica.kernel.db import Database
from radica.kernel.errors import RadicaError
from radica.users.models import ClaseTarea, Tarea
from tests.conciliacion_seed import NOW, SIGNED, Mesa, agree, make_mesa, typed
from tests.plugins.glosas import EVIDENCE, day


def at_once(*acts: Callable[[], None]) -> list[RadicaError | None]:
    """Do several things at the same time; return what each was refused with."""
    start = Barrier(len(acts))

    def run(act: Callable[[], None]) -> RadicaError | None:
        start.wait(timeout=30)
        try:
            act()
        except RadicaError as refusal:
            return refusal
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def held(mesa: Mesa) -> int:
    with mesa.database.write() as session:
        row = mesa.convene(session)
        mesa.meet(session, row)
        agree(session, row, levanta=30, acepta=20)
        mesa.hold(session, row)
        return row.id


def signer(mesa: Mesa, row_id: int, text: str) -> Callable[[], None]:
    kept = mesa.signed(text)

    def act() -> None:
        with mesa.database.write(durable=True) as session:
            row = session.get_one(Conciliacion, row_id)
            signing.sign(session, row, kept=kept, firmada_at=SIGNED, actor=text, at=NOW)

    return act


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_random_table_is_signed_to_the_peso(db: Database, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    mesa = make_mesa(db, tmp_path, tuple(rng.randint(1, 9_999_999) for _ in range(12)))
    with db.write() as session:
        row = mesa.convene(session)
        mesa.meet(session, row)
        changes = {}
        for line in lines_of(session, row):
            lifted = rng.choice([0, line.en_disputa, rng.randint(0, line.en_disputa)])
            changes[line.id] = typed(line, levantado=lifted, aceptado=rng.randint(0, line.en_disputa - lifted))
        saved = save_lines(session, row, changes)
        assert not saved.rechazadas
        mesa.hold(session, row)
        row_id = row.id
    signer(mesa, row_id, "firmada")()
    with db.read() as session:
        row = session.get_one(Conciliacion, row_id)
        lines = lines_of(session, row)
        said = gather(session, row)
        # Lines, printed acta, acts, glosas and history say the same.
        assert said.total == totals(session, row) == sum((split_of(one) for one in lines), Reparto())
        acts = session.execute(
            select(func.coalesce(func.sum(Acto.levantado), 0), func.coalesce(func.sum(Acto.aceptado), 0)).where(
                Acto.tipo == TipoActo.CONCILIACION
            )
        ).one()
        assert tuple(acts) == (said.total.levantado, said.total.aceptado)
        for line in lines:
            thing = session.get_one(Glosa, line.glosa_id)
            assert (thing.levantado, thing.aceptado, thing.en_disputa) == (line.levantado, line.aceptado, line.sigue)
            settled = line.sigue == 0
            touched = line.levantado or line.aceptado
            assert thing.estado is (
                EstadoGlosa.CONCILIADA if settled else EstadoGlosa.DEFINITIVA if touched else EstadoGlosa.EN_SUBSANACION
            )
        move = session.scalars(
            select(Transition).where(Transition.thing == "conciliacion", Transition.event.like("firmar%"))
        ).one()
        assert [move.facts[key] for key in ("levantado", "aceptado", "sigue")] == [
            said.total.levantado, said.total.aceptado, said.total.sigue,
        ]  # fmt: skip
        notes = session.scalar(select(func.count()).where(Tarea.clase == ClaseTarea.EMITIR_NOTA_CREDITO))
        assert notes == sum(1 for one in lines if one.aceptado)


def test_two_signers_at_once_make_one_signature(db: Database, tmp_path: Path) -> None:
    mesa = make_mesa(db, tmp_path)
    row_id = held(mesa)
    refusals = at_once(signer(mesa, row_id, "ana"), signer(mesa, row_id, "luis"))
    assert sum(1 for one in refusals if one is None) == 1, refusals
    with db.read() as session:
        assert session.get_one(Conciliacion, row_id).estado in FIRMADAS
        assert session.scalar(select(func.count()).where(Acto.tipo == TipoActo.CONCILIACION)) == 3


def test_a_decision_and_a_signature_at_once_leave_the_money_whole(db: Database, tmp_path: Path) -> None:
    mesa = make_mesa(db, tmp_path)
    row_id = held(mesa)

    def lift() -> None:
        with db.write() as session:
            row = session.get_one(Glosa, mesa.glosas[0])
            decide(
                session, row, levantado=1_000_000, ratificado=False, ocurrido_at=day(11, 19, 8), evidence=[EVIDENCE],
                actor="prueba", at=NOW, motivo="registro_manual",
            )  # fmt: skip

    refusals = at_once(signer(mesa, row_id, "ana"), lift)
    # One of the two came first, and the other was told so.
    assert sum(1 for one in refusals if one is None) == 1, refusals
    with db.read() as session:
        signed = session.get_one(Conciliacion, row_id).estado in FIRMADAS
        row = session.get_one(Glosa, mesa.glosas[0])
        assert (row.levantado, row.aceptado) == ((300_000, 200_000) if signed else (1_000_000, 0))
        assert row.valor == row.levantado + row.aceptado + row.en_disputa


def test_two_conveners_at_once_make_one_table(db: Database, tmp_path: Path) -> None:
    mesa = make_mesa(db, tmp_path)

    def convene() -> None:
        with db.write() as session:
            mesa.convene(session)

    refusals = at_once(convene, convene)
    assert sum(1 for one in refusals if one is None) == 1, refusals
    with db.read() as session:
        (row,) = session.scalars(select(Conciliacion))
        assert row.estado is EstadoConciliacion.CONVOCADA
        assert session.scalar(select(func.count()).select_from(ConciliacionLinea)) == 3
