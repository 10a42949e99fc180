"""The job that judges: through the real queue, with prices and fingerprints of services, on both databases."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from radica.app.handlers.juzgar import KIND_JUDGE, judge_invoices, order_judging
from radica.app.house import House as Hands
from radica.app.house import Timing
from radica.custodia.keyring import KeyRing
from radica.custodia.store import FolderStore
from radica.facturas.intake import import_paths
from radica.facturas.models import Documento, Factura, Hallazgo
from radica.facturas.tray import operator_scope
from radica.facturas.validacion_models import HuellaServicio, Validacion
from radica.jobs.models import Job, JobState
from radica.jobs.queue import claim_next
from radica.portales.credentials import open_vault
from tests.acciones_seed import import_ready, right_packages, write_package
from tests.plugins.web import House


def store_of(house: House, *, encrypt: bool = False) -> FolderStore:
    return FolderStore(house.settings.store, KeyRing(house.settings.keys, house.settings.store), encrypt=encrypt)


def hands_of(house: House) -> Hands:
    store, vault = store_of(house), open_vault(house.settings.keys)
    return Hands(house.settings, house.database, store, vault, house.clock, "prueba", "prueba:1", environ={})


def work(house: House, change: Callable[[Hands], Hands] = lambda hands: hands) -> Job:
    """Order and do the job as clock and worker do; return its row."""
    assert order_judging(house.database, house.clock()) == 1
    claimed = claim_next(house.database, "prueba:1", "prueba", lease_s=60, kinds=(KIND_JUDGE,))
    assert claimed is not None
    judge_invoices(change(hands_of(house)), claimed)
    with house.database.read() as session:
        return session.get_one(Job, claimed.id)


def test_the_clock_orders_only_when_something_waits(any_house: House, tmp_path: Path):
    assert order_judging(any_house.database, any_house.clock()) == 0
    import_ready(any_house.database, FolderStore(any_house.settings.store), any_house.clock, tmp_path, 3)
    assert work(any_house).state is JobState.DONE
    any_house.clock.forward(minutes=2)
    assert order_judging(any_house.database, any_house.clock()) == 0
    with any_house.database.read() as session:
        assert len(session.scalars(select(Validacion)).all()) == 3


def test_a_service_billed_under_two_numbers_is_told_without_its_patient(any_house: House, tmp_path: Path):
    """The second invoice is a copy of the first under another number; what is stored names nobody."""
    (built,) = right_packages(1)
    first = write_package(built, tmp_path / "una")
    number = built.package.number
    other = number[:-1] + str((int(number[-1]) + 1) % 10)
    again = []
    for path in first:
        if path.suffix == ".pdf" or path.name.startswith("ResultadosMSPS"):
            continue
        copy = tmp_path / "otra" / path.name.replace(number, other)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes().replace(number.encode(), other.encode()))
        again.append(copy)
    store = FolderStore(any_house.settings.store)
    for paths in (first, again):
        import_paths(
            any_house.database, store, paths, operator_scope("prueba"), clock=any_house.clock, workdir=tmp_path
        )
    work(any_house)
    with any_house.database.read() as session:
        rows = session.execute(
            select(Factura.numero, Hallazgo.mensaje).join(Hallazgo).where(Hallazgo.codigo == "DUP-SERVICIO")
        )
        told = dict(tuple(row) for row in rows)
        prints = session.scalars(select(HuellaServicio.clave)).all()
    assert list(told) == [other]
    assert number in told[other]
    rips = json.loads(next(path for path in first if path.name.startswith("RIPS")).read_bytes())
    document = rips["usuarios"][0]["numDocumentoIdentificacion"]
    assert document not in told[other]
    assert prints
    assert all(len(one) == 64 and document not in one for one in prints)


def test_a_damaged_support_costs_its_invoice_a_finding_and_the_others_nothing(any_house: House, tmp_path: Path):
    """Custody is encrypted and a byte of the first invoice's PDF turned: the job ends and every invoice is judged."""
    store = store_of(any_house, encrypt=True)
    import_ready(any_house.database, store, any_house.clock, tmp_path, 3)
    with any_house.database.read() as session:
        support = session.scalars(select(Documento).where(Documento.tipo == "SOPORTE").order_by(Documento.id)).first()
    assert support is not None
    path = store.sealed_path(support.sha256)
    path.chmod(0o600)
    turned = bytearray(path.read_bytes())
    turned[-1] ^= 1
    path.write_bytes(turned)
    assert work(any_house).state is JobState.DONE
    with any_house.database.read() as session:
        assert len(session.scalars(select(Validacion)).all()) == 3
        told = session.scalars(select(Hallazgo).where(Hallazgo.codigo == "DOC-ILEGIBLE")).all()
        assert [(one.factura_id, one.lugar) for one in told] == [(support.factura_id, "SOPORTE")]


def test_the_lease_is_renewed_while_one_invoice_is_judged(any_house: House, tmp_path: Path):
    """The judgement waits, within, until a heartbeat was written; with none it would wait in vain."""
    import_ready(any_house.database, store_of(any_house), any_house.clock, tmp_path, 1)
    pause, seen = threading.Event(), []

    def clock() -> datetime:
        for _ in range(600):
            with any_house.database.read() as session:
                if session.scalars(select(Job.progress).where(Job.kind == KIND_JUDGE)).one():
                    seen.append(True)
                    break
            pause.wait(0.05)
        return any_house.clock()

    job = work(any_house, lambda hands: replace(hands, clock=clock, timing=Timing(beat_s=0.05)))
    assert job.state is JobState.DONE
    assert seen
