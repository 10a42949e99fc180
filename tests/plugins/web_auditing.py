"""Fixture of Auditoría: one imported invoice of the demo with its documents, and the patient in it.

Invariant: everything comes in through the house's own import and store, so that what is searched is what was filed.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from radica.app.demo.data import generate, write_package
from radica.audit.models import AccessLog
from radica.custodia.backends import open_store
from radica.custodia.services import Kept, seal
from radica.facturas.intake import import_paths
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.facturas.tray import operator_scope
from radica.kernel.clock import civil_date
from radica.users.models import Rol
from tests.functional.navigators import Browser
from tests.plugins.web import House


@dataclass
class Audited:
    """An invoice with its documents by kind, one clinical piece, and the document number of its patient."""

    house: House
    factura: int
    numero: str
    prestador: int
    documentos: dict[TipoDocumento, int] = field(default_factory=dict)
    pieza: int = 0
    paciente: str = ""

    def log(self) -> list[AccessLog]:
        """Return the lines of the reading log about documents and searches, oldest first."""
        with self.house.database.read() as session:
            rows = session.scalars(select(AccessLog).order_by(AccessLog.id)).all()
            session.expunge_all()
        return [row for row in rows if not row.action.endswith("_acceso")]

    def enter(self, correo: str, *roles: Rol) -> Browser:
        """Return the browser of a person with these roles at the provider."""
        return self.house.entered(correo, *roles, provider=self.prestador)


@pytest.fixture
def audited(house: House, tmp_path: Path) -> Audited:
    """Return an imported invoice with a support, RIPS and one clinical piece."""
    built = next(iter(generate(seed=5, packages=1, hoy=civil_date(house.clock()), defects=False)))
    write_package(tmp_path / "demo", built)
    store = open_store(house.settings)
    import_paths(
        house.database,
        store,
        [tmp_path / "demo"],
        operator_scope("consola:prueba"),
        clock=house.clock,
        workdir=house.settings.incoming,
    )
    note = "<p>Acuse de la consulta de la señora Ágata Núñez, radicación 77-1234</p>".encode()
    kept = [Kept("acuse.html", "acuse_dom", "", store.put(io.BytesIO(note)))]
    with house.database.write() as session:
        row = session.scalars(select(Factura)).one()
        piece = seal(
            session,
            kept,
            prestador_id=row.prestador_id,
            case_key=row.case_key,
            group_key="",
            origen="persona",
            actor="prueba",
            at=house.clock(),
        )[0]
        docs = session.scalars(select(Documento).where(Documento.factura_id == row.id)).all()
        made = Audited(house, row.id, row.numero, row.prestador_id, {doc.tipo: doc.id for doc in docs}, piece.id)
        rips = next(doc.sha256 for doc in docs if doc.tipo is TipoDocumento.RIPS)
    made.paciente = store.read(rips).decode().split('"numDocumentoIdentificacion"', 1)[1].split('"')[1]
    return made
