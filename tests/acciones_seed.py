"""Real invoices for the acting screens: packages of the demo generator, loaded through the real import."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sqlalchemy import select

from radica.app.demo.catalog import P2
from radica.app.demo.data import BuiltPackage, generate
from radica.custodia.store import FolderStore
from radica.entidades.models import Prestador
from radica.entidades.services import confirm_provider
from radica.facturas.intake import import_paths
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura
from radica.facturas.tray import operator_scope
from radica.kernel.clock import Clock
from radica.kernel.db import Database

HOY = date(2026, 11, 20)


def right_packages(count: int) -> list[BuiltPackage]:
    """Return right packages of one provider for payers with a P2 portal."""
    found = list(generate(seed=7, packages=8 * count, hoy=HOY, defects=False, archetypes={P2}))
    nit = found[0].package.provider_nit
    return [one for one in found if one.package.provider_nit == nit][:count]


def write_package(built: BuiltPackage, folder: Path) -> list[Path]:
    """Write the files of a package and return their paths."""
    paths = []
    for name, data in built.contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        paths.append(path)
    return paths


def import_ready(db: Database, store: FolderStore, clock: Clock, folder: Path, count: int = 1) -> list[int]:
    """Import right packages and return their invoices, all of one confirmed provider and ready to be filed."""
    paths = [path for built in right_packages(count) for path in write_package(built, folder / "paquetes")]
    import_paths(db, store, paths, operator_scope("prueba"), clock=clock, workdir=folder)
    with db.write() as session:
        for provider in session.scalars(select(Prestador)):
            confirm_provider(session, provider)
        ready = select(Factura.id).where(Factura.estado == EstadoFactura.LISTA).order_by(Factura.id)
        ids = list(session.scalars(ready))
    assert len(ids) == count
    return ids
