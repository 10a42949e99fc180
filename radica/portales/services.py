"""Portal accounts: register them, find the one of a payer, write down what happened to a portal.

Invariant: an account and its lane come to be together; a lane that needs a person is paused with the reason, and
only a person resumes it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.jobs.models import Lane
from radica.kernel.errors import BadInput
from radica.portales.credentials import Vault
from radica.portales.models import CuentaPortal, EventoPortal

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def safe_address(text: str) -> bool:
    """Say whether a portal may be addressed so: https with a host and no user in it, or this machine itself."""
    address = text.strip()
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    # A browser reads a backslash as a slash, so that its host is not the one read here.
    if not host or parts.username is not None or any(one.isspace() or one == "\\" for one in address):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)


def create_account(
    session: Session,
    vault: Vault,
    *,
    prestador_id: int,
    pagador_id: int,
    arquetipo: str,
    base_url: str,
    usuario: str,
    clave: str,
    perfil: dict[str, Any] | None = None,
    **limits: int,
) -> CuentaPortal:
    """Add the account with its lane. `limits`: limite_preparar_s, limite_enviar_s, asentamiento_s, max_facturas.

    Raises BadInput when the address is not a safe one.
    """
    if not safe_address(base_url):
        raise BadInput(
            "La dirección del portal debe empezar por https://.",
            todo="Sin cifrado, la clave del portal viajaría a la vista.",
        )
    lane = Lane(name=f"{arquetipo}:{prestador_id}:{pagador_id}:{usuario}", next_at_ms=0, gap_ms=0, paused=False)
    session.add(lane)
    session.flush()
    row = CuentaPortal(
        prestador_id=prestador_id,
        pagador_id=pagador_id,
        arquetipo=arquetipo,
        base_url=base_url.strip().rstrip("/"),
        usuario=usuario,
        clave_cifrada=vault.encrypt(clave),
        perfil=perfil or {},
        lane_id=lane.id,
        **limits,
    )
    session.add(row)
    session.flush()
    return row


def account_for(session: Session, *, prestador_id: int, pagador_id: int) -> CuentaPortal | None:
    """Return the active account of a provider at a payer, None when that payer has no bot yet."""
    return session.scalar(
        select(CuentaPortal)
        .where(
            CuentaPortal.prestador_id == prestador_id,
            CuentaPortal.pagador_id == pagador_id,
            CuentaPortal.activa.is_(True),
        )
        .order_by(CuentaPortal.id)
        .limit(1)
    )


def write_event(session: Session, cuenta_id: int, clase: str, detalle: str, *, at: datetime) -> EventoPortal:
    """Add a line to the log of what happened to a portal; `detalle` without health data or secrets."""
    row = EventoPortal(cuenta_id=cuenta_id, clase=clase, detalle=detalle[:2000], at=at)
    session.add(row)
    return row
