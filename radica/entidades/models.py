"""Providers (each a tenant) and payers.

Invariant: a NIT names one provider and one payer; an issuer that only appeared in a file is *por confirmar*, has no
users and no bots, until a person with the role confirms it. Payers are a catalogue common to all providers.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from radica.entidades.catalogue import TipoPagador
from radica.kernel.columns import Cents, EnumText, Id, Instant, one_of
from radica.kernel.db import Base

__all__ = ["EstadoPrestador", "Pagador", "Prestador", "TipoPagador"]


class EstadoPrestador(StrEnum):
    """Whether a person vouched for the provider."""

    POR_CONFIRMAR = "por_confirmar"
    ACTIVO = "activo"


class Prestador(Base):
    """An IPS or supplier that bills; the tenant of every row below it."""

    __tablename__ = "prestadores"
    __table_args__ = (one_of("estado", EstadoPrestador, name="estado"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    nit: Mapped[str] = mapped_column(String(20), unique=True)
    nombre: Mapped[str] = mapped_column(String(300))
    codigo_habilitacion: Mapped[str | None] = mapped_column(String(20))
    # Standing of the tenant, not a legal state of a case: set at registration and by `confirm_provider`.
    estado: Mapped[EstadoPrestador] = mapped_column(EnumText(EstadoPrestador))
    buzon: Mapped[str | None] = mapped_column(String(500))
    creado_at: Mapped[datetime] = mapped_column(Instant)
    # Up to this money at risk facturación accepts a finding by itself; null: any (facturas.aceptar).
    limite_aceptacion: Mapped[int | None] = mapped_column(Cents)


class Pagador(Base):
    """Who owes: EPS, SOAT insurer, ADRES, ARL or another."""

    __tablename__ = "pagadores"
    __table_args__ = (one_of("tipo", TipoPagador, name="tipo"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    nit: Mapped[str] = mapped_column(String(20), unique=True)
    nombre: Mapped[str] = mapped_column(String(300))
    tipo: Mapped[TipoPagador] = mapped_column(EnumText(TipoPagador))
