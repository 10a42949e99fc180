"""A tariff is proof for years: it is not frozen while its documents cannot be read, nor by who compared earlier."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from radica.app.handlers.tarifas_congelar import (
    KIND_FREEZE,
    congelar_ahora,
    freeze,
    freeze_tariffs,
    order_freezing,
    por_congelar,
)
from radica.app.house import House
from radica.app.worker import do_one
from radica.custodia.crypto import Damaged
from radica.entidades.contratos_models import Contrato, TarifaAplicada
from radica.entidades.tarifarios import Condiciones, FilaPrecio, cargar
from radica.facturas.tarifa_papeles import fuentes_de
from radica.jobs.models import Job, JobState
from radica.jobs.queue import claim_next
from radica.kernel.clock import fixed_clock
from radica.kernel.db import Database
from radica.kernel.errors import NotFound, RadicaError, Unavailable
from tests.integration.test_sabotaje import priced
from tests.plugins.filing import house_on
from tests.plugins.queueing import make_due
from tests.plugins.validating_muv import NOW


@dataclass
class Shaky:
    """A store that does not give what it is asked for while something is wrong with it."""

    real: object
    wrong: RadicaError | None
    asked: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def read(self, sha256: str) -> bytes:
        self.asked.append(sha256)
        if self.wrong is not None:
            raise self.wrong
        return self.real.read(sha256)  # type: ignore[attr-defined, no-any-return]


def agreed(db: Database, price: int, sha256: str) -> None:
    with db.write() as session:
        contract = session.scalars(select(Contrato)).one()
        cargar(
            session, contract, Condiciones(date(2026, 1, 1)), [FilaPrecio("C1", "890201", "Consulta", price)],
            prestador_id=contract.prestador_id, sha256=sha256 * 64, actor="prueba", at=NOW,
        )  # fmt: skip


@pytest.fixture
def priced_house(db: Database, tmp_path: Path) -> House:
    priced(db, tmp_path)
    agreed(db, 9_000_000, "a")
    house = house_on(str(db.url), tmp_path)
    house.db.dispose()
    return replace(house, db=db, clock=fixed_clock(NOW))


def frozen(db: Database) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(TarifaAplicada)) or 0


@pytest.mark.parametrize(
    ("wrong", "state"),
    [
        (Unavailable("La custodia no responde.", code="s3"), JobState.READY),
        (NotFound(), JobState.DONE),
        (Damaged(), JobState.DONE),
    ],
    ids=["away", "lost", "damaged"],
)
def test_what_cannot_be_read_now_is_frozen_when_it_can(priced_house: House, wrong: RadicaError, state: JobState):
    db, store = priced_house.db, Shaky(priced_house.store, wrong)
    house = replace(priced_house, store=store)  # type: ignore[arg-type]
    assert order_freezing(db, NOW) == 1
    claimed = claim_next(db, "w", "host", 60, [KIND_FREEZE])
    assert claimed is not None
    do_one(house, freeze_tariffs, claimed)
    with db.read() as session:
        assert session.get_one(Job, claimed.id).state is state
        (invoice,) = por_congelar(session, limit=5)
    assert (frozen(db), len(store.asked)) == (0, 1)
    with pytest.raises(type(wrong)):
        congelar_ahora(db, store, invoice, actor="ana", at=NOW)  # type: ignore[arg-type]
    store.wrong = None
    make_due(db)
    again = claim_next(db, "w", "host", 60, [KIND_FREEZE]) if state is JobState.READY else None
    if again is not None:
        do_one(house, freeze_tariffs, again)
    else:
        assert congelar_ahora(db, store, invoice, actor="ana", at=NOW)  # type: ignore[arg-type]
    with db.read() as session:
        assert [one["fallo"] for one in session.scalars(select(TarifaAplicada)).one().lineas] == ["de_mas"]


def test_the_clock_adds_nothing_to_what_a_person_froze_and_compares_under_the_lock(priced_house: House):
    """The clock read its documents; before it writes, a person freezes and a newer list comes."""
    db = priced_house.db
    with db.read() as session:
        (invoice,) = por_congelar(session, limit=5)
        sources = fuentes_de(session, invoice)
    assert congelar_ahora(db, priced_house.store, invoice, actor="ana", at=NOW)
    agreed(db, 9_060_000, "b")
    assert not freeze(priced_house, sources)
    assert frozen(db) == 1
    assert congelar_ahora(db, priced_house.store, invoice, actor="ana", at=NOW)
    with db.read() as session:
        last = session.scalars(select(TarifaAplicada).order_by(TarifaAplicada.id.desc())).first()
        assert last is not None
        assert [one["fallo"] for one in last.lineas] == ["igual"]
