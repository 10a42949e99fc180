"""A check that breaks off leaves one task to people; a later one that ends well closes it; none keeps others waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from radica.app.handlers.juzgar import KIND_JUDGE, judge_invoices, order_judging
from radica.facturas.comprobacion_fallida import FALLO
from radica.facturas.juicio import encargo_de, interrumpida, registrar
from radica.facturas.models import Factura, Hallazgo
from radica.facturas.validacion.modelo import Hallazgo as Found
from radica.facturas.validacion_models import Validacion
from radica.jobs.models import Job, JobState
from radica.jobs.queue import Claimed, Retry, claim_next, finish
from radica.kernel.db import Database
from radica.users.models import ClaseTarea, Tarea
from tests.acciones_seed import import_ready
from tests.integration.test_juzgar import hands_of, store_of
from tests.plugins.web import House


def tasks(database: Database) -> list[tuple[str, bool]]:
    """Return case and whether it is open, of every task of a broken check, in order."""
    with database.read() as session:
        rows = session.scalars(select(Tarea).where(Tarea.clase == ClaseTarea.COMPROBACION_FALLIDA).order_by(Tarea.id))
        return [(row.case_key, row.cerrada_at is None) for row in rows]


def record(house: House, factura_id: int, found: Sequence[Found]) -> None:
    """Record a verdict as the job does."""
    with house.database.write() as session:
        row = session.get_one(Factura, factura_id)
        row.por_juzgar = 1
        session.flush()
        assert registrar(session, encargo_de(session, row), found, at=house.clock())


def test_two_broken_checks_leave_one_task_and_a_good_one_closes_it(any_house: House, tmp_path: Path):
    (factura,) = import_ready(any_house.database, store_of(any_house), any_house.clock, tmp_path, 1)
    for _ in range(2):
        record(any_house, factura, interrumpida(any_house.clock()))
    assert tasks(any_house.database) == [(f"factura:{factura}", True)]
    record(any_house, factura, [])
    assert tasks(any_house.database) == [(f"factura:{factura}", False)]
    with any_house.database.read() as session:
        (row,) = session.scalars(select(Tarea).where(Tarea.clase == ClaseTarea.COMPROBACION_FALLIDA))
        assert (row.cerrada_por, row.resultado) == ("reloj", "La comprobación terminó bien.")


def turn(house: House, attempts: int) -> Claimed:
    """Return the job, claimed for the nth time: each time before, its process ended."""
    order_judging(house.database, house.clock())
    while True:
        claimed = claim_next(house.database, "prueba:1", "prueba", lease_s=60, kinds=(KIND_JUDGE,))
        assert claimed is not None
        if claimed.attempts == attempts:
            return claimed
        assert finish(house.database, claimed, outcome=Retry("cortado", "Se cortó.", delay_s=0))


def ending_at(house: House, nth: int) -> Callable[[], datetime]:
    """Return a clock at whose nth reading memory is over, which no check of ours foresees."""
    read = iter(range(1, 1_000))

    def clock() -> datetime:
        if next(read) == nth:
            raise MemoryError
        return house.clock()

    return clock


def test_an_invoice_that_ends_its_process_keeps_none_behind_it_waiting(any_house: House, tmp_path: Path):
    first, *rest = import_ready(any_house.database, store_of(any_house), any_house.clock, tmp_path, 3)
    hands = hands_of(any_house)
    claimed = turn(any_house, 2)
    with pytest.raises(MemoryError):
        judge_invoices(replace(hands, clock=ending_at(any_house, 2)), claimed)
    assert tasks(any_house.database) == [(f"factura:{first}", True)]
    assert finish(any_house.database, claimed, outcome=Retry("cortado", "Se cortó.", delay_s=0))
    judge_invoices(hands, claimed := turn(any_house, 3))
    with any_house.database.read() as session:
        assert session.get_one(Job, claimed.id).state is JobState.DONE
        verdicts = dict(session.execute(select(Validacion.factura_id, Validacion.completa)).all())
        broken = session.scalars(select(Hallazgo.factura_id).where(Hallazgo.codigo == FALLO)).all()
    assert verdicts.keys() == {first, *rest}
    assert verdicts[first] is False
    assert broken == [first]
    assert tasks(any_house.database)[0] == (f"factura:{first}", True)
    assert not any(is_open for _, is_open in tasks(any_house.database)[1:])


def test_checked_again_by_a_person_it_is_opened_again(any_house: House, tmp_path: Path):
    (factura,) = import_ready(any_house.database, store_of(any_house), any_house.clock, tmp_path, 1)
    record(any_house, factura, interrumpida(any_house.clock()))
    with any_house.database.write() as session:
        session.get_one(Factura, factura).por_juzgar = 1
    judge_invoices(hands_of(any_house), turn(any_house, 1))
    assert tasks(any_house.database) == [(f"factura:{factura}", False)]
