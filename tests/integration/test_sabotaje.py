"""Workers killed (SIGKILL) at one step after another of judging, of the MUV, of freezing and of loading prices."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from radica.app.tarifario.cargar import cargar_archivo
from radica.audit.chain import link_hash
from radica.audit.models import Transition
from radica.audit.services import link_content
from radica.custodia.models import Pieza as Piece
from radica.custodia.services import record_blobs
from radica.entidades.contratos import crear
from radica.entidades.contratos_models import Contrato, Precio, TarifaAplicada, Tarifario
from radica.entidades.tarifarios import Condiciones
from radica.facturas.models import Documento, Factura, Hallazgo, OrigenHallazgo, TipoDocumento
from radica.facturas.validacion_models import HuellaServicio, Validacion
from radica.jobs.models import Job, JobState
from radica.kernel.db import Database
from radica.kernel.errors import Unavailable
from tests.full_disk import small_files
from tests.integration.test_contratos import AT, RIPS, YEAR
from tests.plugins.filing import house_on
from tests.plugins.glosas import filed
from tests.plugins.validating_muv import NOW, Desk


def sabotage(url: str, folder: Path, *parts: str) -> dict[str, int]:
    """Do jobs by processes killed ever later, until one lives; return how many died over each."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.sabotage_actor", url, str(folder), *parts],
        capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return {role: sum(died.values()) for role, died in json.loads(done.stdout.splitlines()[-1]).items()}


def sound(db: Database) -> None:
    """Every link of every case says what it was hashed over, and follows the one before."""
    last: dict[str, str] = {}
    with db.read() as session:
        for link in session.scalars(select(Transition).order_by(Transition.case_key, Transition.seq)):
            assert link.hash == link_hash(link_content(link))
            assert link.prev_hash == last.get(link.case_key, link.prev_hash)
            last[link.case_key] = link.hash


def told(db: Database) -> Counter[tuple[Any, ...]]:
    """Return the findings of the checker, each as often as it stands."""
    with db.read() as session:
        query = select(Hallazgo.factura_id, Hallazgo.codigo, Hallazgo.lugar, Hallazgo.mensaje, Hallazgo.linea)
        rows = session.execute(query.where(Hallazgo.origen == OrigenHallazgo.VALIDADOR.value))
        return Counter(tuple(row) for row in rows)


def test_verdicts_and_orders_whose_workers_die_at_every_step_are_whole_and_stand_once(muv_desk: Desk):
    db, url = muv_desk.house.db, muv_desk.house.settings.database_url
    muv_desk.ask()
    died = sabotage(url, muv_desk.folder, "juzgar:0:", "juzgar:9:", "muv:11:")
    assert min(died.values()) > 4
    (approved,) = muv_desk.muv.book.approved
    assert (muv_desk.factura().cuv, muv_desk.envio().resultado) == (approved["cuv"], "aprobado")
    assert (len(muv_desk.cuvs()), len(muv_desk.notes()), muv_desk.tasks()) == (1, 1, [])
    sound(db)
    found = told(db)
    with db.read() as session:
        assert session.scalars(select(Validacion.primera)).all().count(True) == 1
        assert {one.state for one in session.scalars(select(Job))} == {JobState.DONE}
        prints = session.scalar(select(func.count()).select_from(HuellaServicio))
    sabotage(url, muv_desk.folder, "juzgar:0:")
    assert found == told(db)
    with db.read() as session:
        assert session.scalars(select(Factura.por_juzgar)).all() == [0]
        assert session.scalar(select(func.count()).select_from(HuellaServicio)) == prints


def priced(db: Database, folder: Path) -> None:
    """Add an invoice filed today with its RIPS, and a contract with its payer."""
    store = house_on(str(db.url), folder).store
    stored = store.put(io.BytesIO(json.dumps(RIPS).encode()))
    with db.write() as session:
        invoice = filed(session, at=NOW)
        assert invoice.pagador_id is not None
        crear(
            session, prestador_id=invoice.prestador_id, pagador_id=invoice.pagador_id, numero="CT-1", modalidad="04",
            desde=YEAR, actor="prueba", at=AT,
        )  # fmt: skip
        record_blobs(session, [stored], at=AT)
        session.add(
            Documento(
                prestador_id=invoice.prestador_id, factura_id=invoice.id, sha256=stored.sha256, bytes=1, nombre="r",
                sigla="", tipo=TipoDocumento.RIPS, media_type="application/json", datos={}, cargado_at=AT, cargado_por="p",
            )
        )  # fmt: skip


def test_prices_and_tariffs_whose_workers_die_at_every_step_are_whole_and_stand_once(db: Database, tmp_path: Path):
    priced(db, tmp_path)
    path = tmp_path / "lista.csv"
    rows = ["890201;90000", *(f"{100_000 + n};{n + 1}" for n in range(5_500))]
    path.write_text("CUPS;VALOR\n" + "\n".join(rows), encoding="utf-8")
    died = sabotage(str(db.url), tmp_path, f"lista:4:{path}", "congelar:5:")
    assert min(died.values()) > 4
    with db.read() as session:
        (version,) = session.scalars(select(Tarifario)).all()
        assert (version.version, version.filas) == (1, 5_501)
        assert session.scalar(select(func.count()).select_from(Precio)) == 5_501
        assert len(session.scalars(select(Piece)).all()) == 1
        (row,) = session.scalars(select(TarifaAplicada)).all()
        assert [one["fallo"] for one in row.lineas] == ["de_mas"]
        assert session.scalar(select(func.count()).where(Transition.event == "congelar_tarifa")) == 1
    sound(db)


def test_a_full_disk_keeps_nothing_of_a_price_list_and_it_loads_afterwards(db: Database, tmp_path: Path):
    priced(db, tmp_path)
    path = tmp_path / "lista.csv"
    path.write_text("CUPS;VALOR\n890201;90000\n" + "\n" * 20_000, encoding="utf-8")
    store = house_on(str(db.url), tmp_path).store
    with db.read() as session:
        contract = session.scalars(select(Contrato)).one()

    def load() -> bool:
        return cargar_archivo(
            db, store, path, Condiciones(YEAR), prestador_id=contract.prestador_id, contrato_id=contract.id,
            nombre="lista.csv", actor="prueba", at=NOW,
        ).nueva  # fmt: skip

    before = set(store.addresses())
    with pytest.raises(Unavailable) as full, small_files(10_000):
        load()
    assert full.value.code == "disco_lleno"
    assert (set(store.addresses()), list(store.temporary.iterdir())) == (before, [])
    with db.read() as session:
        assert session.scalars(select(Tarifario)).all() == []
    assert load()
