"""The demonstration's own house: providers, payers, people, portal accounts, and what is filed by hand.

Invariant: everything passes through the services that people and bots use; doing it again changes nothing but the
addresses of the simulated portals. All of it is invented.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.demo.catalog import P1, PAYERS, PROVIDERS
from radica.app.demo.data import MANUAL, DemoPackage
from radica.app.demo.pdf import Line, write_pdf
from radica.custodia.services import Kept
from radica.custodia.store import Store
from radica.entidades.models import EstadoPrestador, Prestador, TipoPagador
from radica.entidades.services import provider_by_nit, register_payer, register_provider
from radica.facturas.keys import save_key
from radica.facturas.models import Factura
from radica.facturas.numbers import parse_invoice_number
from radica.facturas.states import EstadoFactura
from radica.kernel.clock import BOGOTA, bogota
from radica.kernel.db import Database
from radica.portales.credentials import Vault
from radica.portales.models import CuentaPortal
from radica.portales.services import create_account
from radica.radicacion.manual import PDF, evidence_name, order, register_filed
from radica.users.login import make_hash
from radica.users.models import Rol
from radica.users.passwords import default_hasher
from radica.users.services import create_user, find_user, grant

CLAVE_PERSONAS = "garza de papel bajo la lluvia"
"""Password of every demo person: printed, because the demo listens on this machine only."""
CLAVE_PORTALES = "portal-demo-26"
SETTLING_S = 3
LAST_NUMBER = 999_999
BY_HAND = "Radicada en ventanilla"


@dataclass(frozen=True)
class DemoUser:
    """A person of the demonstration; `providers` are positions in the catalogue."""

    correo: str
    nombre: str
    roles: tuple[Rol, ...]
    providers: tuple[int, ...]


USERS = (
    DemoUser("facturacion@demo.co", "Norvela Quilzeta (facturación)", (Rol.FACTURACION,), (0, 1)),
    DemoUser("clinica@demo.co", "Pelrabio Vilmar (facturación)", (Rol.FACTURACION,), (0,)),
    DemoUser("tresquebradas@demo.co", "Junsatesa Gardana (facturación)", (Rol.FACTURACION,), (1,)),
    DemoUser("hospital@demo.co", "Oxmilumbre Broverel (facturación)", (Rol.FACTURACION,), (2,)),
    DemoUser("glosas@demo.co", "Sandrumel Ovequina (glosas y cartera)", (Rol.GLOSAS, Rol.CARTERA), (0, 1, 2)),
    DemoUser("direccion@demo.co", "Feltundro Lemquina (dirección)", (Rol.DIRECCION,), (0, 1, 2)),
    DemoUser("juridica@demo.co", "Estrabina Corvelum (jurídica)", (Rol.JURIDICA,), (0, 1, 2)),
    DemoUser("auditoria@demo.co", "Daibrilina Munlonor (auditoría)", (Rol.AUDITORIA,), (0, 1, 2)),
    DemoUser("administracion@demo.co", "Wilnevio Zorsamar (administración)", (Rol.ADMINISTRACION,), (0, 1, 2)),
)


def register_house(session: Session, *, clave_hash: str, at: datetime) -> None:
    """Register providers, payers, people and their grants."""
    for provider in PROVIDERS:
        register_provider(
            session,
            provider.nit,
            provider.name,
            at=at,
            estado=EstadoPrestador.ACTIVO,
            codigo_habilitacion=provider.habilitacion,
        )
    for payer in PAYERS:
        register_payer(session, payer.nit, payer.name, tipo=TipoPagador(payer.kind))
    for one in USERS:
        user = find_user(session, one.correo) or create_user(
            session, correo=one.correo, nombre=one.nombre, clave_hash=clave_hash, at=at
        )
        for position in one.providers:
            row = provider_by_nit(session, PROVIDERS[position].nit)
            assert row is not None
            grant(session, usuario_id=user.id, prestador_id=row.id, roles=one.roles, actor="demo", at=at)


def people_hash() -> str:
    """Return the hash of the people's password (takes a moment: call it outside any transaction)."""
    return make_hash(CLAVE_PERSONAS, default_hasher())


def register_keys(session: Session, vault: Vault, *, at: datetime) -> None:
    """Give the house the technical key of each provider's numbering range, so that every CUFE's value is checked."""
    for provider in PROVIDERS:
        row = provider_by_nit(session, provider.nit)
        assert row is not None
        save_key(
            session,
            vault,
            prestador_id=row.id,
            resolucion=provider.resolution,
            prefijo=provider.prefix,
            desde=1,
            hasta=LAST_NUMBER,
            clave=provider.clave_tecnica,
            actor="demo",
            at=at,
        )


def register_accounts(session: Session, vault: Vault, urls: Mapping[str, str]) -> None:
    """Give every provider its account at each payer with a portal. `urls`: address by the payer's NIT.

    Those that exist get the new address: the portals of this run listen elsewhere.
    """
    for payer in PAYERS:
        if payer.archetype is None:
            continue
        owed_by = register_payer(session, payer.nit, payer.name)
        for provider in PROVIDERS:
            row = provider_by_nit(session, provider.nit)
            assert row is not None
            account = session.scalar(
                select(CuentaPortal).where(CuentaPortal.prestador_id == row.id, CuentaPortal.pagador_id == owed_by.id)
            )
            if account is not None:
                account.base_url = urls[payer.nit]
                continue
            create_account(
                session,
                vault,
                prestador_id=row.id,
                pagador_id=owed_by.id,
                arquetipo=payer.archetype,
                base_url=urls[payer.nit],
                usuario=provider.nit,
                clave=CLAVE_PORTALES,
                perfil=_profile(payer.archetype, provider.place.dane),
                limite_preparar_s=180,
                limite_enviar_s=90,
                asentamiento_s=SETTLING_S,
            )
    session.flush()


def _profile(archetype: str, city: str) -> dict[str, object]:
    if archetype == P1:
        return {
            "ciudad_dane": city,
            "email": "facturacion@demo.co",
            "usuario_registra": "Facturación",
            "message_limit_s": 10,
        }
    return {"contrato": "EVENTO-2026", "message_limit_s": 15}


def find_package(session: Session, package: DemoPackage) -> Factura | None:
    """Return the invoice of a package, None when it was not imported."""
    number = parse_invoice_number(package.number)
    assert number is not None
    return session.scalar(
        select(Factura)
        .join(Prestador, Prestador.id == Factura.prestador_id)
        .where(Prestador.nit == package.provider_nit, Factura.numero_clave == number.key)
    )


def order_bots(database: Database, packages: Sequence[DemoPackage], *, actor: str, at: datetime) -> int:
    """Order what is ready and has a bot, as a person would from the list. Returns how many envíos were opened."""
    with database.write() as session:
        rows = [find_package(session, one) for one in packages if one.expected != MANUAL]
        ready = [row for row in rows if row is not None and row.estado is EstadoFactura.LISTA]
        providers = sorted({row.prestador_id for row in ready})
        ordered = order(session, [row.id for row in ready], prestador_ids=providers, actor=actor, at=at)
        return len(ordered.envios)


def file_by_hand(database: Database, store: Store, packages: Sequence[DemoPackage], *, actor: str, at: datetime) -> int:
    """Register as filed by hand, on the day after their issue, the ready invoices of these packages. Returns how many."""
    filed = 0
    for package in packages:
        radicado = f"VU-{at:%Y}-{package.number}"
        when = min(datetime.combine(package.issued + timedelta(days=1), time(10, 15), tzinfo=BOGOTA), at)
        stored = store.put(io.BytesIO(_constancia(package, radicado, when)))
        with database.write(durable=True) as session:
            row = find_package(session, package)
            if row is None or row.estado is not EstadoFactura.LISTA:
                continue
            providers = [row.prestador_id]
            ordered = order(session, [row.id], prestador_ids=providers, actor=actor, at=at, by_hand=True)
            for envio in ordered.envios:
                register_filed(
                    session,
                    envio,
                    radicado=radicado,
                    cuando=when,
                    kept=[Kept(evidence_name("ventanilla.pdf", PDF, 1), PDF.clase, "", stored)],
                    actor=actor,
                    at=at,
                    expected_version=envio.version,
                    note=BY_HAND,
                )
            filed += len(ordered.envios)
    return filed


def _constancia(package: DemoPackage, radicado: str, at: datetime) -> bytes:
    when = bogota(at)
    lines = [
        Line("CONSTANCIA DE RADICACIÓN (DEMOSTRACIÓN)", "title"),
        Line(f"Radicado: {radicado}"),
        Line(f"Fecha y hora: {when:%d/%m/%Y %H:%M}"),
        Line(f"Factura: {package.number} del NIT {package.provider_nit}"),
        Line(f"Valor: {package.value}"),
    ]
    return write_pdf(lines, title=f"Constancia {radicado}", when=when)
