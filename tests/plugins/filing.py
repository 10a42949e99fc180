"""A house with a worker's hands, and invoices ready to be filed at a simulated portal. Real store, real files."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path

from sqlalchemy.orm import Session

from radica.app.demo.catalog import P2
from radica.app.demo.data import BuiltPackage, generate
from radica.app.house import House, Timing, make_house
from radica.audit.services import open_case
from radica.custodia.services import media_type, record_blobs
from radica.custodia.store import FolderStore
from radica.entidades.models import EstadoPrestador, TipoPagador
from radica.entidades.services import register_payer, register_provider
from radica.facturas.facts import remember
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.facturas.recognise import recognise
from radica.facturas.states import EstadoFactura
from radica.kernel.clock import BOGOTA, system_clock
from radica.kernel.config import load_settings
from radica.kernel.db import Database
from radica.kernel.money import to_cents
from radica.portales.credentials import Vault
from radica.portales.models import CuentaPortal
from radica.portales.services import create_account

QUICK = Timing(lease_s=10, beat_s=2, poll_s=0.1, tend_s=0.5, adopt_after_s=0.5, result_patience_s=2)
CLAVE = "Canario-7731xQ"


def house_on(database_url: str, folder: Path, *, timing: Timing = QUICK) -> House:
    """Return a house on a migrated database, with a store and keys of its own."""
    environ = {**os.environ, "RADICA_DATABASE_URL": database_url}
    settings = load_settings(environ, datos=str(folder / "datos"), running_as_root=os.geteuid() == 0)
    db = Database(settings.database_url)
    return make_house(settings, db, environ={**environ, "RADICA_HOST": "prueba"}, clock=system_clock, timing=timing)


def packages(count: int, *, seed: int = 7, hoy: date | None = None) -> list[BuiltPackage]:
    """Return right packages for the P2 payers."""
    today = hoy or system_clock().astimezone(BOGOTA).date()
    return list(generate(seed=seed, packages=count, hoy=today, defects=False, archetypes={P2}))


def seed_factura(session: Session, store: FolderStore, built: BuiltPackage, at: datetime) -> Factura:
    """Add one ready invoice with its documents, as intake leaves it."""
    package = built.package
    provider = register_provider(session, package.provider_nit, "IPS de prueba", at=at, estado=EstadoPrestador.ACTIVO)
    payer = register_payer(session, package.payer_nit, "EPS de prueba", tipo=TipoPagador.EPS)
    row = Factura(
        prestador_id=provider.id,
        pagador_id=payer.id,
        numero=package.number,
        numero_clave=package.number,
        numero_digitos=package.number.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ-"),
        cufe=package.cufe,
        cuv=package.cuv,
        estado=EstadoFactura.LISTA,
        version=0,
        valor=to_cents(package.value),
        expedida_at=datetime.combine(package.issued, time(10), tzinfo=UTC),
        creada_at=at,
    )
    session.add(row)
    open_case(session, row, actor="prueba", at=at, reason="importacion")
    for path, data in built.contents.items():
        stored = store.put(io.BytesIO(data))
        record_blobs(session, [stored], at=at)
        kind, sigla = _kind(path.name)
        session.add(
            Documento(
                prestador_id=provider.id,
                factura_id=row.id,
                sha256=stored.sha256,
                bytes=stored.bytes,
                nombre=path.name,
                tipo=kind,
                sigla=sigla,
                media_type=media_type(path.name),
                datos=remember(recognise(data, path.name).pieces[0]),
                cargado_at=at,
                cargado_por="prueba",
            )
        )
    session.flush()
    return row


def account(session: Session, vault: Vault, factura: Factura, url: str, *, usuario: str, **limits: int) -> CuentaPortal:
    """Add the P2 account of the invoice's provider at its payer."""
    assert factura.pagador_id is not None
    defaults = {"limite_preparar_s": 60, "limite_enviar_s": 40, "asentamiento_s": 1}
    return create_account(
        session,
        vault,
        prestador_id=factura.prestador_id,
        pagador_id=factura.pagador_id,
        arquetipo=P2,
        base_url=url,
        usuario=usuario,
        clave=CLAVE,
        perfil={"campos": {"contrato": "EVENTO-2026"}, "message_limit_s": 3, "step_limit_s": 8},
        **{**defaults, **limits},
    )


def portal_users(nits: set[str]) -> list[dict[str, str]]:
    """Return the simulator's users for some providers."""
    return [{"usuario": nit, "clave": CLAVE, "nit": nit, "nombre": "IPS de prueba"} for nit in sorted(nits)]


def _kind(name: str) -> tuple[TipoDocumento, str]:
    if name.endswith(".xml"):
        return TipoDocumento.FEV, ""
    if name.endswith(".json"):
        return (TipoDocumento.CUV, "") if name.startswith(("ResultadosMSPS", "CUV")) else (TipoDocumento.RIPS, "")
    return TipoDocumento.SOPORTE, name.split("_", 1)[0]


Seeder = Callable[[int], list[int]]
