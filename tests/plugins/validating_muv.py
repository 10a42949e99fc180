"""The simulated MUV on loopback, and a house whose provider has its account there: real HTTPS, real files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from bots.simulador.muv import Handle, start
from radica.app.demo.data import BuiltPackage
from radica.app.handlers.muv import HANDLERS
from radica.app.house import House
from radica.app.worker import do_one
from radica.audit.models import Apunte, Transition
from radica.custodia.models import Pieza
from radica.facturas.intake import import_paths
from radica.facturas.models import Documento, Factura, Hallazgo, TipoDocumento
from radica.facturas.muv.cuentas import guardar_cuenta, prender
from radica.facturas.muv.envios import KIND, Pedido, pedir
from radica.facturas.tray import operator_scope
from radica.facturas.validacion_models import CuentaMuv, EnvioMuv
from radica.jobs.models import Job
from radica.jobs.queue import Claimed, claim_next
from radica.kernel.clock import fixed_clock
from radica.users.models import Tarea
from tests.plugins.filing import house_on, packages
from tests.plugins.queueing import make_due

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
NUMERO, CLAVE = "1000001", "clave-muv-demo"
LIMITS = {"entrar_s": 60, "enviar_s": 60, "consultar_s": 60, "intentos": 4}
"""Limits of a test's account: none is run into, unless a test is of that (`Desk.patience`)."""


@pytest.fixture
def muv(tmp_path: Path) -> Iterator[Handle]:
    """A running MUV whose pauses are longer than the client's patience."""
    with start(tmp_path / "muv") as running:
        running.configure(pause_s=90, environment="DockerProd")
        yield running


def built_packages(count: int) -> list[BuiltPackage]:
    """Return right packages of the demonstration set, of the day of these tests."""
    return packages(count, hoy=NOW.date())


def paths_of(built: BuiltPackage, folder: Path, *, cuv: bool = False) -> list[Path]:
    """Write the files of a package; without its CUV, as before the MUV saw it."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path, data in built.contents.items():
        if cuv or "CUV" not in path.name:
            (folder / path.name).write_bytes(data)
            written.append(folder / path.name)
    return written


@dataclass
class Desk:
    """A house with invoices that wait for their CUV, and short words for what a test does there."""

    house: House
    muv: Handle
    folder: Path
    ids: list[int]

    def account(self, *, on: bool = True, **changes: str) -> None:
        """Write the account of every provider."""
        values = {
            "url": self.muv.url, "tipo_usuario": "RE", "tipo_documento": "CC", "numero": NUMERO, "clave": CLAVE,
            "certificado_pem": self.muv.certificate, **changes,
        }  # fmt: skip
        with self.house.db.write() as session:
            for prestador_id in set(session.scalars(select(Factura.prestador_id))):
                row = guardar_cuenta(
                    session, self.house.vault, prestador_id=prestador_id, actor="prueba", at=NOW, **values
                )
                row.limites = dict(LIMITS)
                prender(session, row, activa=on, actor="prueba", at=NOW)

    def patience(self, seconds: int) -> None:
        """Let the sending wait so long from now on."""
        with self.house.db.write() as session:
            for row in session.scalars(select(CuentaMuv)):
                row.limites = {**LIMITS, "enviar_s": seconds}

    def ask(self, at: int = 0) -> Pedido:
        with self.house.db.write() as session:
            asked = pedir(session, session.get_one(Factura, self.ids[at]), actor="usuario:1", at=NOW)
            session.flush()
            return replace(asked)

    def claim(self) -> Claimed | None:
        return claim_next(self.house.db, "w1", "host-1", 60, [KIND])

    def work(self) -> int:
        """Do every order that is ready, once each."""
        done = 0
        while (claimed := self.claim()) is not None:
            do_one(self.house, HANDLERS[KIND], claimed)
            done += 1
        return done

    def work_again(self) -> int:
        """Do them without waiting for the back-off."""
        make_due(self.house.db)
        return self.work()

    def factura(self, at: int = 0) -> Factura:
        with self.house.db.read() as session:
            return session.get_one(Factura, self.ids[at])

    def envios(self) -> list[EnvioMuv]:
        with self.house.db.read() as session:
            return list(session.scalars(select(EnvioMuv).order_by(EnvioMuv.id)))

    def envio(self) -> EnvioMuv:
        return self.envios()[-1]

    def jobs(self) -> list[Job]:
        with self.house.db.read() as session:
            return list(session.scalars(select(Job).where(Job.kind == KIND).order_by(Job.id)))

    def tasks(self) -> list[str]:
        with self.house.db.read() as session:
            return list(session.scalars(select(Tarea.titulo).where(Tarea.cerrada_at.is_(None)).order_by(Tarea.id)))

    def cuvs(self) -> list[Documento]:
        with self.house.db.read() as session:
            return list(
                session.scalars(
                    select(Documento).where(Documento.tipo == TipoDocumento.CUV.value).order_by(Documento.id)
                )
            )

    def pieces(self) -> list[Pieza]:
        with self.house.db.read() as session:
            return list(session.scalars(select(Pieza).order_by(Pieza.id)))

    def notes(self) -> list[Transition]:
        with self.house.db.read() as session:
            query = select(Transition).where(Transition.event == Apunte.RESPONDER_MUV.value)
            return list(session.scalars(query.order_by(Transition.id)))

    def findings(self, at: int = 0) -> set[str]:
        with self.house.db.read() as session:
            return set(session.scalars(select(Hallazgo.codigo).where(Hallazgo.factura_id == self.ids[at])))

    def forget_verdict(self) -> None:
        """Take away what the checker found: these tests are of the sending, not of the rules."""
        with self.house.db.write() as session:
            session.execute(delete(Hallazgo))
            for row in session.scalars(select(Factura)):
                row.por_juzgar = 0

    def off(self) -> bool:
        with self.house.db.read() as session:
            return all(not row.activa for row in session.scalars(select(CuentaMuv)))


def make_desk(database_url: str, folder: Path, muv: Handle, *, count: int = 1) -> Desk:
    """Load packages without their CUV into a house on a migrated database, with the account on."""
    house = replace(house_on(database_url, folder), clock=fixed_clock(NOW))
    paths = [path for at, one in enumerate(built_packages(count)) for path in paths_of(one, folder / f"paquete{at}")]
    import_paths(
        house.db, house.store, paths, operator_scope("prueba"), clock=fixed_clock(NOW), workdir=house.settings.incoming
    )
    with house.db.read() as session:
        ids = list(session.scalars(select(Factura.id).order_by(Factura.id)))
    desk = Desk(house, muv, folder, ids)
    desk.forget_verdict()
    desk.account()
    return desk


@pytest.fixture
def desk_of(database_url: str, tmp_path: Path, muv: Handle) -> Iterator[Callable[[int], Desk]]:
    """Yield what makes a desk with so many invoices, once per kind of database."""
    made: list[Desk] = []

    def make(count: int) -> Desk:
        made.append(make_desk(database_url, tmp_path, muv, count=count))
        return made[-1]

    yield make
    for one in made:
        one.house.db.dispose()


@pytest.fixture
def muv_desk(desk_of: Callable[[int], Desk]) -> Desk:
    """Return a desk with one invoice."""
    return desk_of(1)
