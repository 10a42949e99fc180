"""Several hands at once on the same objections, on both databases: nothing is counted twice, nothing stays half done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

from sqlalchemy import func, select

from radica.glosas import acts
from radica.glosas.models import Acto, Devolucion, Glosa, TipoActo
from radica.glosas.silence import apply_silences
from radica.kernel.db import Database
from radica.kernel.errors import RadicaError
from tests.plugins import glosas as made
from tests.plugins.glosas import LATER, day

BY = {"actor": "persona:1", "at": LATER, "motivo": "registro_manual"}


def test_two_loads_never_count_an_item_twice(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session, valor=1_000_000)
        (item,) = made.items(session, invoice, [600_000])
    news = [made.nueva(invoice, 100_000, item=item) for _ in range(24)]

    def load(turn: int) -> None:
        mine = news[turn::4]
        with db.write() as session:
            acts.formulate_all(session, mine, notificacion=None, actor="prueba", at=LATER)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(load, range(4)))
    with db.read() as session:
        assert session.scalar(select(func.sum(Glosa.valor))) == 600_000
        assert session.scalar(select(func.count()).where(Glosa.exceso == 1)) == 18


def test_two_loads_of_one_devolucion_make_one(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session)

    def load(turn: int) -> int:
        with db.write() as session:
            return made.devolucion(session, invoice, codigo=f"DE{turn % 3}601").id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(load, range(6)))) == 1
    with db.read() as session:
        row = session.scalars(select(Devolucion)).one()
        assert sorted(one["codigo"] for one in row.causales) == ["DE0601", "DE1601", "DE2601"]
        assert session.scalar(select(func.count()).select_from(Acto)) == 3


def test_clock_answer_and_withdrawal_at_once_leave_one_outcome_each(db: Database) -> None:
    with db.write() as session:
        invoice = made.filed(session, valor=10**9)
        ids = [made.glosa(session, invoice, 1_000).id for _ in range(12)]
        provider = invoice.prestador_id

    def clock() -> None:
        apply_silences(db, [provider], today=date(2026, 7, 9), at=day(7, 9), batch=3)

    def person(levanta: bool) -> None:
        for one in ids if levanta else reversed(ids):
            try:
                with db.write() as session:
                    glosa = session.get_one(Glosa, one)
                    if levanta:
                        acts.decide(
                            session, glosa, levantado=1_000, ratificado=False, ocurrido_at=day(7, 7), evidence=[], **BY
                        )
                    else:
                        made.present(session, glosa, on=day(7, 6))
            except RadicaError:
                continue  # it came second: a refusal in words, and nothing half done

    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(clock), pool.submit(person, True), pool.submit(person, False)]:
            future.result()
    with db.read() as session:
        for glosa in session.scalars(select(Glosa)):
            assert glosa.valor == glosa.aceptado + glosa.levantado + glosa.en_disputa == 1_000
            assert glosa.estado in {"levantada_total", "respondida", "aceptada_tacita"}
            told = session.scalars(select(Acto).where(Acto.glosa_id == glosa.id)).all()
            assert sum(one.levantado for one in told) == glosa.levantado
            assert sum(one.tipo is TipoActo.SILENCIO for one in told) <= 1
