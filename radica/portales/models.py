"""Portal accounts and what happened to portals.

Invariant: the password stands only encrypted here, with a key outside the database; an account has exactly one lane,
so that a portal that admits one session per user never sees two.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from radica.kernel.columns import CanonicalJson, Id, Instant
from radica.kernel.db import Base


class CuentaPortal(Base):
    """The account of one provider at one payer's portal."""

    __tablename__ = "cuentas_portal"
    __table_args__ = (UniqueConstraint("prestador_id", "pagador_id", "usuario"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    pagador_id: Mapped[int] = mapped_column(Id, ForeignKey("pagadores.id"))
    arquetipo: Mapped[str] = mapped_column(String(40))  # name of a class in bots/portals
    base_url: Mapped[str] = mapped_column(String(500))
    usuario: Mapped[str] = mapped_column(String(200))
    clave_cifrada: Mapped[bytes] = mapped_column(LargeBinary)
    perfil: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)
    perfil_version: Mapped[str] = mapped_column(String(40), default="1")
    lane_id: Mapped[int] = mapped_column(Id, ForeignKey("lanes.id"), unique=True)
    activa: Mapped[bool] = mapped_column(Boolean, default=True)
    # Seconds. The submit limit is the lease of the intent; the settling time is how long the portal may take to
    # show a filing that it holds.
    limite_preparar_s: Mapped[int] = mapped_column(Integer, default=300)
    limite_enviar_s: Mapped[int] = mapped_column(Integer, default=240)
    asentamiento_s: Mapped[int] = mapped_column(Integer, default=900)
    max_facturas: Mapped[int] = mapped_column(Integer, default=1)


class EventoPortal(Base):
    """Something a portal did to us: down, changed page, captcha, refused login; the outage log."""

    __tablename__ = "eventos_portal"
    __table_args__ = (Index("ix_eventos_portal_cuenta_at", "cuenta_id", "at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    cuenta_id: Mapped[int] = mapped_column(Id, ForeignKey("cuentas_portal.id"))
    clase: Mapped[str] = mapped_column(String(60))
    detalle: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(Instant)
