"""What an envío hands in for each invoice, by its payer's profile: the documents in force, or what was made of them.

Invariant: read only; a file that had to be changed stands in the plan only through its lineage, which `preparar`
writes, so that page, ZIP and bot hand in the same bytes. Norms: Res. 2284/2023 annexes 1 and 2, Ley 527/1999 art. 9.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.custodia.models import Blob
from radica.entidades.models import Pagador
from radica.facturas.models import Documento, Factura
from radica.kernel.clock import civil_date
from radica.kernel.money import plain
from radica.portales.models import CuentaPortal
from radica.portales.services import account_for
from radica.radicacion.linaje_models import Linaje
from radica.radicacion.models import Envio, EnvioFactura
from radica.radicacion.package import Hecho, Operacion, Plan, Source, plan, replaced
from radica.radicacion.perfil_paquete import Perfil, perfil_para

GROUP = "preparado"
"""The group of the sealed pieces that were made to be handed in."""
PROFILE_KEY = "paquete"
"""Under which name an account's own profile says which rules its packages follow."""


@dataclass(frozen=True)
class Paso:
    """One change that was made and proved: what it took, in order, and what came out, in order."""

    clave: str
    operacion: Operacion
    originales: tuple[str, ...]
    hechos: tuple[Hecho, ...]


def perfil_de(session: Session, envio: Envio) -> Perfil:
    """Return the rules of an envío's payer: of its account, else of its payer, else of the portal, else common."""
    account = session.get(CuentaPortal, envio.cuenta_id) if envio.cuenta_id else None
    if account is None:
        account = account_for(session, prestador_id=envio.prestador_id, pagador_id=envio.pagador_id)
    chosen = account.perfil.get(PROFILE_KEY) if account else None
    return perfil_para(
        elegido=chosen if isinstance(chosen, str) else None,
        nit=session.get_one(Pagador, envio.pagador_id).nit,
        arquetipo=account.arquetipo if account else None,
    )


def sources_of(session: Session, factura: Factura) -> list[Source]:
    """Return the documents in force of an invoice."""
    rows = session.scalars(
        select(Documento)
        .where(Documento.factura_id == factura.id, Documento.vigente.is_(True))
        .order_by(Documento.tipo, Documento.sigla, Documento.id)
    )
    return [Source(str(row.tipo), row.sigla, row.nombre, row.sha256, row.bytes) for row in rows]


def plans_of(session: Session, envio: Envio, nit: str) -> list[tuple[Factura, Plan]]:
    """Return what is handed in for each invoice, in the order of their ids, with the changes made so far."""
    perfil = perfil_de(session, envio)
    facturas = session.scalars(
        select(Factura)
        .join(EnvioFactura, EnvioFactura.factura_id == Factura.id)
        .where(EnvioFactura.envio_id == envio.id)
        .order_by(Factura.id)
    )
    found = []
    for factura in facturas:
        sources = sources_of(session, factura)
        for paso in steps_of(session, envio.id, factura.id):
            sources = applied(sources, paso)
        found.append((factura, plan_with(envio, factura, nit, sources, perfil)))
    return found


def plan_with(envio: Envio, factura: Factura, nit: str, sources: Sequence[Source], perfil: Perfil) -> Plan:
    """Plan the package of one invoice of an envío over some files."""
    day = civil_date(envio.creado_at)
    return plan(factura.numero, nit, sources, perfil, fecha=day, valor=plain(factura.valor or 0).removesuffix(".00"))


def applied(sources: Sequence[Source], paso: Paso) -> list[Source]:
    """Put what a step made in place of what it took; a step that took a file which is no longer here does nothing."""
    here = {one.sha256 for one in sources}
    if not set(paso.originales) <= here:
        return list(sources)
    return replaced(sources, paso.operacion, paso.originales, paso.hechos)


def steps_of(session: Session, envio_id: int, factura_id: int) -> list[Paso]:
    """Return the changes made for an invoice of an envío, in the order in which they were made."""
    rows = session.execute(
        select(Linaje, Blob.bytes)
        .join(Blob, Blob.sha256 == Linaje.sha256_enviado)
        .where(Linaje.factura_id == factura_id, Linaje.envio_id == envio_id)
        .order_by(Linaje.id)
    )
    return steps((row, size) for row, size in rows)


def steps(rows: Iterable[tuple[Linaje, int]]) -> list[Paso]:
    """Gather rows of lineage (with the bytes of what came out) into the steps that wrote them."""
    groups: dict[str, list[tuple[Linaje, int]]] = {}
    for row, size in rows:
        groups.setdefault(str(row.prueba.get("paso")), []).append((row, size))
    found = []
    for key, members in groups.items():
        members.sort(key=lambda one: one[0].orden)
        made = {row.sha256_enviado: Hecho(row.sha256_enviado, size, row.paginas_enviado) for row, size in members}
        taken = tuple(dict.fromkeys(row.sha256_original for row, _ in members))
        found.append(Paso(key, Operacion(members[0][0].operacion), taken, tuple(made.values())))
    return found


def lineage_of(session: Session, factura_id: int, envio_id: int | None = None) -> list[Linaje]:
    """Return the changes made for an invoice, oldest first; without `envio_id` the same change of several once."""
    query = select(Linaje).where(Linaje.factura_id == factura_id).order_by(Linaje.id)
    rows = session.scalars(query if envio_id is None else query.where(Linaje.envio_id == envio_id))
    once: dict[tuple[str, str, str, int], Linaje] = {}
    for row in rows:
        once.setdefault((row.sha256_original, row.operacion, row.sha256_enviado, row.orden), row)
    return list(once.values())


def lineage_facts(session: Session, envio_id: int, hashes: Iterable[str]) -> Mapping[str, list[dict[str, Any]]]:
    """Return how each sent file of an envío came to be, for the manifest of an attempt; only changed files are named."""
    wanted = set(hashes)
    found: dict[str, list[dict[str, Any]]] = {}
    rows = session.scalars(
        select(Linaje).where(Linaje.envio_id == envio_id, Linaje.sha256_enviado.in_(wanted)).order_by(Linaje.id)
    )
    for row in rows:
        found.setdefault(row.sha256_enviado, []).append(
            {
                "original_sha256": row.sha256_original,
                "operacion": row.operacion,
                "version": row.version,
                "parte": row.orden,
                "paginas_original": row.paginas_original,
                "paginas_enviado": row.paginas_enviado,
                "texto_igual": row.texto_igual,
            }
        )
    return found
