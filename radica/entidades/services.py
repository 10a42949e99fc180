"""Find or register providers and payers by NIT.

Invariant: an issuer that only appeared in a file is *por confirmar*; confirming it is an act of a person.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.entidades.models import EstadoPrestador, Pagador, Prestador, TipoPagador


def provider_by_nit(session: Session, nit: str) -> Prestador | None:
    """Return the provider with this NIT (digits without check digit)."""
    return session.scalar(select(Prestador).where(Prestador.nit == nit))


def register_provider(
    session: Session,
    nit: str,
    nombre: str,
    *,
    at: datetime,
    estado: EstadoPrestador = EstadoPrestador.POR_CONFIRMAR,
    codigo_habilitacion: str | None = None,
) -> Prestador:
    """Return the provider with this NIT, registering it when it is new."""
    found = provider_by_nit(session, nit)
    if found is not None:
        return found
    row = Prestador(
        nit=nit, nombre=nombre[:300] or nit, estado=estado, codigo_habilitacion=codigo_habilitacion, creado_at=at
    )
    session.add(row)
    session.flush()
    return row


def confirm_provider(session: Session, prestador: Prestador) -> None:
    """Let a provider work: a person vouched for it."""
    session.execute(
        Prestador.__table__.update()  # type: ignore[attr-defined]
        .where(Prestador.id == prestador.id)
        .values(estado=EstadoPrestador.ACTIVO)
    )
    session.expire(prestador)


def register_payer(session: Session, nit: str, nombre: str, *, tipo: TipoPagador = TipoPagador.DESCONOCIDO) -> Pagador:
    """Return the payer with this NIT, registering it when it is new; a known kind fills an unknown one."""
    found = session.scalar(select(Pagador).where(Pagador.nit == nit))
    if found is None:
        found = Pagador(nit=nit, nombre=nombre[:300] or nit, tipo=tipo)
        session.add(found)
        session.flush()
    elif found.tipo is TipoPagador.DESCONOCIDO and tipo is not TipoPagador.DESCONOCIDO:
        found.tipo = tipo
    return found
