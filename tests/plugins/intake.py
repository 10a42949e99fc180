"""An importer, small documents made by hand, and what the real ones must come to."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import func, select

from radica.app.demo.data import build_set
from radica.audit.models import Transition
from radica.custodia.models import Blob
from radica.custodia.store import FolderStore
from radica.entidades.models import Prestador
from radica.facturas.intake import Summary, import_paths
from radica.facturas.models import Documento, Factura, Hallazgo, NoReconocido
from radica.facturas.tray import Scope, operator_scope, person_scope
from radica.kernel.clock import fixed_clock
from radica.kernel.db import Database
from radica.users.models import Usuario
from tests import factories

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
serial = count(1)
PDF = b"%PDF-1.4\n%s\nstartxref\n0\n%%EOF\n"

# What each real document must become: result and invoice.
LOADED = {
    "caso01": "CN309317", "caso03": "CN311708", "caso05": "FECE214626", "caso07": "A01E5687", "caso10": "PDD0019",
    "caso11": "SETP990000103", "caso13": "SETP990070004", "caso15": "SETP9900001023", "caso22": "CON001",
    "caso24": "FE1825", "caso26": "URG001", "caso28": "00003074044", "caso30": "AWAS1283591", "caso35": "25117687",
    "caso36": "CTFE226713", "caso40": "SETP990000002", "caso46": "SETP990000001", "caso48": "1157",
    "caso51": "SETT0349", "caso70": "CME443346",
}  # fmt: skip
WAITING = {
    "caso18_rips_nota_debito_ND.json": "COR176187",
    "caso20_consultarcuv_respuesta.json": "de este CUV",
    "caso42_creditnote_signed.xml": "SETP990000015",
    "caso45_debitnote_unsigned.xml": "SETP990000015",
    "caso52_creditnote.xml": "TEC08755",
}
TRAY = {
    "INDICE.csv": "desconocido",
    "LEEME.md": "desconocido",
    "caso11_muv_respuesta_rechazo.json": "ambiguo",
    "caso16_muv_respuesta_400_camelcase.json": "sin_numero",
    "caso16_muv_respuesta_aceptado.json": "sin_factura",
    "caso16_rips_sin_factura_RS.json": "rips_sin_factura",
    "caso33_rips_farmacia.json": "numero_incompleto",
    "caso60_muv_manual_NotaDebito.json": "sin_factura",
    "caso62_muv_manual_RipsSinFactura.json": "sin_factura",
    "caso64_muv_manual_CapitaInicial.json": "sin_factura",
    "caso80_evento_030_sintetico.xml": "sin_prestador",
}


class Importer:
    """A database, a store and a clock, and imports into them."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.db, self.store, self.work = db, FolderStore(folder / "custodia"), folder

    def load(self, *paths: Path, scope: Scope | None = None, names: list[str] | None = None) -> Summary:
        return import_paths(
            self.db,
            self.store,
            paths,
            scope or operator_scope("prueba"),
            clock=fixed_clock(NOW),
            workdir=self.work,
            names=names,
        )

    def facturas(self) -> dict[str, Factura]:
        with self.db.read() as session:
            return {row.numero: row for row in session.scalars(select(Factura).order_by(Factura.id))}

    def documentos(self, numero: str | None = None) -> list[Documento]:
        with self.db.read() as session:
            query = select(Documento).order_by(Documento.id)
            if numero is not None:
                query = query.join(Factura, Factura.id == Documento.factura_id).where(Factura.numero == numero)
            return list(session.scalars(query))

    def hallazgos(self, numero: str) -> set[str]:
        with self.db.read() as session:
            query = select(Hallazgo.codigo).join(Factura, Factura.id == Hallazgo.factura_id)
            return set(session.scalars(query.where(Factura.numero == numero)))

    def bandeja(self) -> dict[str, NoReconocido]:
        with self.db.read() as session:
            return {row.nombre: row for row in session.scalars(select(NoReconocido).order_by(NoReconocido.id))}

    def counts(self) -> dict[str, int]:
        with self.db.read() as session:
            tables = (Factura, Documento, NoReconocido, Hallazgo, Prestador, Transition, Blob)
            return {t.__name__: session.scalar(select(func.count()).select_from(t)) or 0 for t in tables}


@pytest.fixture
def importer(db: Database, tmp_path: Path) -> Importer:
    return Importer(db, tmp_path)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """One right package of the demonstration set, in a folder of its own."""
    made = build_set(tmp_path / "demo", seed=3, packages=1, hoy=TODAY, defects=False)
    return tmp_path / "demo" / made.packages[0].files[0].parent


def results(summary: Summary) -> Counter[str]:
    return Counter(one.resultado.value for one in summary.archivos)


def provider(importer: Importer, nit: str) -> int:
    with importer.db.write() as session:
        return factories.prestador(session, nit=nit).id


def rips(nit: str, number: str, value: int = 1000) -> bytes:
    service = {"codPrestador": f"{nit}01", "vrServicio": value, "valorPagoModerador": 0}
    users = [{"servicios": {"consultas": [service]}}]
    return json.dumps({"numDocumentoIdObligado": nit, "numFactura": number, "usuarios": users}).encode()


def invoice(nit: str, number: str) -> bytes:
    return f"""<Invoice><ID>{number}</ID><UUID>{"a" * 96}</UUID><IssueDate>2026-11-10</IssueDate>
    <AccountingSupplierParty><Party><PartyTaxScheme><RegistrationName>IPS</RegistrationName>
    <CompanyID schemeName="31">{nit}</CompanyID></PartyTaxScheme></Party></AccountingSupplierParty></Invoice>""".encode()


def put(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def results_of(rows: object) -> Counter[str]:
    return Counter(one.resultado.value for one in rows)  # type: ignore[attr-defined]


def person(importer: Importer, *granted: int) -> Scope:
    """Add a person and return the scope of their uploads."""
    with importer.db.write() as session:
        row = Usuario(correo=f"p{next(serial)}@ejemplo.co", nombre="Persona", clave_hash="x", creado_at=NOW)
        session.add(row)
        session.flush()
        return person_scope(row.id, granted)
