"""A worker files through the real child and Chromium at the simulated EPS, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from bots.simulador.server import Handle, start
from radica.app.house import House
from radica.app.tables import metadata
from radica.app.worker import run_worker
from radica.custodia.models import Pieza
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura
from radica.portales.models import CuentaPortal
from radica.radicacion.models import Envio, Intento, Lectura
from radica.radicacion.services import order_filings
from radica.radicacion.states import EstadoEnvio, EstadoIntento
from radica.users.models import ClaseTarea, Tarea
from tests.plugins import filing


@dataclass
class Scene:
    """A house, a portal, and the invoices ordered there."""

    house: House
    portal: Handle
    facturas: list[int]

    def work(self) -> None:
        """Let one worker work until nothing is left to do."""
        run_worker(self.house, stop=threading.Event(), until_empty=True)

    def states(self) -> list[EstadoFactura]:
        with self.house.db.read() as session:
            return list(
                session.scalars(select(Factura.estado).where(Factura.id.in_(self.facturas)).order_by(Factura.id))
            )


@pytest.fixture
def scene(database_url: str, tmp_path: Path) -> Iterator[Scene]:
    house = filing.house_on(database_url, tmp_path)
    built = filing.packages(2)
    nits = {item.package.provider_nit for item in built}
    with start("p2", tmp_path / "ledger.sqlite", config={"users": filing.portal_users(nits)}) as portal:
        at = house.clock()
        with house.db.write() as session:
            rows = [filing.seed_factura(session, house.store, item, at) for item in built]
            seen = set()
            for row, item in zip(rows, built, strict=True):
                if (row.prestador_id, row.pagador_id) not in seen:
                    seen.add((row.prestador_id, row.pagador_id))
                    filing.account(session, house.vault, row, portal.url, usuario=item.package.provider_nit)
            ids = [row.id for row in rows]
            ordered = order_filings(
                session, ids, prestador_ids=[row.prestador_id for row in rows], actor="persona:1", at=at
            )
            assert not ordered.rechazos
        yield Scene(house, portal, ids)
    house.db.dispose()


def test_filed_once_with_sealed_acuse(scene: Scene) -> None:
    scene.work()
    assert scene.states() == [EstadoFactura.RADICADA] * 2
    counts = scene.portal.ledger.counts()
    assert counts["submits"] == 2
    with scene.house.db.read() as session:
        envio = session.scalars(select(Envio).order_by(Envio.id)).first()
        assert envio is not None
        assert envio.estado is EstadoEnvio.RADICADO
        assert envio.radicado is not None
        assert envio.radicado.startswith("RAD-")
        assert envio.nivel_prueba == 3
        kinds = set(session.scalars(select(Pieza.clase).where(Pieza.case_key == envio.case_key)))
        assert {
            "manifest",
            "lineage",
            "form_values",
            "screenshot_before",
            "screenshot_after",
            "acuse_dom",
            "submit_response",
            "radicado",
            "acuse_document",
            "operation",
        } <= kinds


@pytest.mark.parametrize("mode", ["502_after_save", "cut_connection_after_save", "popup_never_shown", "stale_page"])
def test_unknown_is_found_by_look_up_and_never_filed_again(scene: Scene, mode: str) -> None:
    scene.portal.configure(errors={mode: {"next": 1}})
    scene.work()
    assert scene.states() == [EstadoFactura.RADICADA] * 2
    assert scene.portal.ledger.counts()["submits"] == 2
    with scene.house.db.read() as session:
        settled = session.scalars(select(Intento).where(Intento.estado == EstadoIntento.HALLADO)).all()
        assert len(settled) == 1
        assert settled[0].cercado_at is not None


def test_absent_is_read_twice_and_then_filed_by_a_new_attempt(scene: Scene) -> None:
    scene.portal.configure(errors={"502_before_save": {"next": 1}})
    scene.work()
    assert scene.states() == [EstadoFactura.RADICADA] * 2
    with scene.house.db.read() as session:
        absent = session.scalars(select(Intento).where(Intento.estado == EstadoIntento.AUSENTE)).one()
        readings = session.scalars(select(Lectura).where(Lectura.intento_id == absent.id)).all()
        assert len([r for r in readings if r.resultado == "absent"]) >= 2
        attempts = session.scalars(select(Intento).where(Intento.envio_id == absent.envio_id)).all()
        assert len(attempts) == 2


def test_a_rejection_frees_the_invoice_with_the_payers_reason(scene: Scene) -> None:
    scene.portal.configure(errors={"reject": {"next": 1, "reason": "El contrato no está vigente."}})
    scene.work()
    assert sorted(scene.states()) == sorted([EstadoFactura.NO_LISTA, EstadoFactura.RADICADA])
    with scene.house.db.read() as session:
        envio = session.scalars(select(Envio).where(Envio.estado == EstadoEnvio.RECHAZADO)).one()
        assert "contrato no está vigente" in (envio.motivo_rechazo or "")
        assert [line.vivo for line in envio.lineas] == [0]
        tasks = session.scalars(select(Tarea.clase)).all()
        assert tasks == [ClaseTarea.CORREGIR_RECHAZO]


def test_the_password_is_nowhere_but_encrypted(scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    scene.portal.configure(errors={"502_after_save": {"next": 1}})
    scene.work()
    canary = filing.CLAVE
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert canary.encode() not in path.read_bytes(), path.name
    assert canary not in caplog.text
    with scene.house.db.read() as session:
        for table in metadata.sorted_tables:
            for row in session.execute(select(table)).mappings():
                assert canary not in str(dict(row)), table.name
        stored = session.scalars(select(CuentaPortal.clave_cifrada)).first()
    assert stored is not None
    assert scene.house.vault.decrypt(stored) == canary
