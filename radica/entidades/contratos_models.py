"""Contracts between a provider and a payer, their price lists, and the tariff that was frozen with an invoice.

Invariant: a price list is never changed: a new version, with its first day, follows it; what was applied to an
invoice is only added, with the hash of what it says. Norm: Decreto 441 de 2022 (voluntary agreements), Ley 1122 de
2007 art. 13 (payment terms); CUCON identifies the contract.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from radica.kernel.columns import CanonicalJson, Cents, Id, Instant
from radica.kernel.db import Base


class Contrato(Base):
    """An agreement with a payer; dates are civil and both included."""

    __tablename__ = "contratos"
    __table_args__ = (
        UniqueConstraint("prestador_id", "pagador_id", "numero", "desde"),
        CheckConstraint("hasta IS NULL OR desde <= hasta", name="vigencia"),
        CheckConstraint("dias_pago IS NULL OR dias_pago > 0", name="dias_pago"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    pagador_id: Mapped[int] = mapped_column(Id, ForeignKey("pagadores.id"), index=True)
    numero: Mapped[str] = mapped_column(String(80))
    cucon: Mapped[str | None] = mapped_column(String(80))
    modalidad: Mapped[str] = mapped_column(String(10))  # code of table modalidadPago
    desde: Mapped[date] = mapped_column(Date)
    hasta: Mapped[date | None] = mapped_column(Date)
    dias_pago: Mapped[int | None] = mapped_column(Integer)  # calendar days
    autorizacion: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)
    creado_at: Mapped[datetime] = mapped_column(Instant)
    creado_por: Mapped[str] = mapped_column(String(120))


class Otrosi(Base):
    """An amendment: all terms of a contract from its first day on, both dates included; only added.

    What was in force before that day is in the contract itself or in an earlier amendment.
    """

    __tablename__ = "otrosies"
    __table_args__ = (
        UniqueConstraint("contrato_id", "numero"),
        CheckConstraint("hasta IS NULL OR desde <= hasta", name="vigencia"),
        CheckConstraint("dias_pago IS NULL OR dias_pago > 0", name="dias_pago"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    contrato_id: Mapped[int] = mapped_column(Id, ForeignKey("contratos.id"))
    numero: Mapped[int] = mapped_column(Integer)  # 1, 2, … in the order in which they were written here
    desde: Mapped[date] = mapped_column(Date)
    hasta: Mapped[date | None] = mapped_column(Date)
    cucon: Mapped[str | None] = mapped_column(String(80))
    dias_pago: Mapped[int | None] = mapped_column(Integer)  # calendar days
    autorizacion: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)
    nota: Mapped[str] = mapped_column(Text, default="")
    creado_at: Mapped[datetime] = mapped_column(Instant)
    creado_por: Mapped[str] = mapped_column(String(120))


class Tarifario(Base):
    """One version of a price list: of a contract, or a base list of the provider (SOAT, ISS) that belongs to none.

    `factor` is in hundredths of a percent over its base; `origen_id` is the base list that it was made from.
    """

    __tablename__ = "tarifarios"
    __table_args__ = (
        UniqueConstraint("contrato_id", "nombre", "version"),
        CheckConstraint("hasta IS NULL OR desde <= hasta", name="vigencia"),
        Index(
            "uq_tarifarios_base",
            "prestador_id",
            "nombre",
            "version",
            unique=True,
            sqlite_where=text("contrato_id IS NULL"),
            postgresql_where=text("contrato_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    contrato_id: Mapped[int | None] = mapped_column(Id, ForeignKey("contratos.id"))
    origen_id: Mapped[int | None] = mapped_column(Id, ForeignKey("tarifarios.id"))
    nombre: Mapped[str] = mapped_column(String(120))
    version: Mapped[int] = mapped_column(Integer)
    base: Mapped[str] = mapped_column(String(20))  # PROPIA, SOAT, ISS
    factor: Mapped[int] = mapped_column(Integer, default=0)
    redondeo: Mapped[str] = mapped_column(String(10), default="peso", server_default="peso")
    desde: Mapped[date] = mapped_column(Date)
    hasta: Mapped[date | None] = mapped_column(Date)
    sha256: Mapped[str] = mapped_column(String(64))  # the file it was loaded from, in custody
    filas: Mapped[int] = mapped_column(Integer)
    cargado_at: Mapped[datetime] = mapped_column(Instant)
    cargado_por: Mapped[str] = mapped_column(String(120))


class Precio(Base):
    """One agreed price. `codigo` is CUPS, CUM/IUM or the provider's own, without dots or blanks."""

    __tablename__ = "precios"
    __table_args__ = (
        # One code of SOAT or ISS may stand for several CUPS.
        UniqueConstraint("tarifario_id", "codigo", "cups"),
        CheckConstraint("valor >= 0", name="valor"),
        Index(
            "ix_precios_cups",
            "tarifario_id",
            "cups",
            sqlite_where=text("cups IS NOT NULL"),
            postgresql_where=text("cups IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    tarifario_id: Mapped[int] = mapped_column(Id, ForeignKey("tarifarios.id"))
    codigo: Mapped[str] = mapped_column(String(40))
    cups: Mapped[str | None] = mapped_column(String(40))  # when `codigo` is the provider's own
    descripcion: Mapped[str] = mapped_column(Text, default="")
    valor: Mapped[int] = mapped_column(Cents)  # as agreed: base and factor already applied
    base: Mapped[int | None] = mapped_column(Cents)


class TarifaAplicada(Base):
    """The tariff in force on the dates of an invoice, frozen with the case; only added."""

    __tablename__ = "tarifas_aplicadas"
    __table_args__ = (Index("ix_tarifas_aplicadas_factura", "factura_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    factura_id: Mapped[int] = mapped_column(Id)  # facturas.id; the room of invoices is built upon this one
    contrato_id: Mapped[int | None] = mapped_column(Id, ForeignKey("contratos.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    por: Mapped[str] = mapped_column(String(120))
    lineas: Mapped[list[Any]] = mapped_column(CanonicalJson)
    de_mas: Mapped[int] = mapped_column(Cents)  # billed above the agreed price
    de_menos: Mapped[int] = mapped_column(Cents)
    sin_pactar: Mapped[int] = mapped_column(Cents)
    hash: Mapped[str] = mapped_column(String(64))  # of the canonical `lineas`
