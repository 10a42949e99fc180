"""Tables of collection: payments entered to an invoice, the dated table of rates, liquidations that were frozen.

Invariant: a payment is never edited: a mistake is undone by a row that reverses it whole; a rate is never edited: a
later load of the same month rules; a liquidation keeps its parameters and its result as they were. Centavos.
Norms: Res. 2284/2023 art. 7 (imputation), E.T. art. 635 (rate), Ley 1438/2011 art. 56 and D.L. 1281/2002 art. 4.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from radica.kernel.columns import CanonicalJson, Cents, EnumText, Id, Instant, one_of
from radica.kernel.db import Base


class ConceptoPago(StrEnum):
    """What lowers an invoice's balance as money."""

    PAGO = "pago"
    GIRO_DIRECTO = "giro_directo"
    ANTICIPO = "anticipo"
    RETENCION = "retencion"


class PagoFactura(Base):
    """Money entered to one invoice. `anula_id` reverses another row of the same invoice and amount, once."""

    __tablename__ = "pagos_factura"
    __table_args__ = (
        one_of("concepto", ConceptoPago, name="concepto"),
        CheckConstraint("(anula_id IS NULL AND valor > 0) OR (anula_id IS NOT NULL AND valor < 0)", name="signo"),
        UniqueConstraint("anula_id"),
        Index("ix_pagos_factura_factura", "factura_id", "fecha"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    factura_id: Mapped[int] = mapped_column(Id, ForeignKey("facturas.id"))
    fecha: Mapped[date] = mapped_column(Date)  # civil date of the payment
    valor: Mapped[int] = mapped_column(Cents)
    concepto: Mapped[ConceptoPago] = mapped_column(EnumText(ConceptoPago))
    referencia: Mapped[str] = mapped_column(String(120), default="")
    nota: Mapped[str] = mapped_column(Text, default="")
    pieza_id: Mapped[int | None] = mapped_column(Id, ForeignKey("piezas.id"))  # its proof
    anula_id: Mapped[int | None] = mapped_column(Id, ForeignKey("pagos_factura.id"))
    registrado_at: Mapped[datetime] = mapped_column(Instant)
    registrado_por: Mapped[str] = mapped_column(String(120))


class TasaUsura(Base):
    """Usury rate of one month as loaded, in hundredths of a percentage point per year (29,66 % is 2966)."""

    __tablename__ = "tasas_usura"
    __table_args__ = (
        CheckConstraint("puntos > 0 AND puntos < 20000", name="puntos"),
        Index("ix_tasas_usura_mes", "mes", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    mes: Mapped[str] = mapped_column(String(7))  # 2026-08
    puntos: Mapped[int] = mapped_column(Integer)
    fuente: Mapped[str] = mapped_column(Text)
    verificacion: Mapped[str] = mapped_column(String(40))
    cargada_at: Mapped[datetime] = mapped_column(Instant)
    cargada_por: Mapped[str] = mapped_column(String(120))


class Liquidacion(Base):
    """A liquidation frozen for a dossier or a person: up to which day, under which parameters, with which result."""

    __tablename__ = "liquidaciones"
    __table_args__ = (Index("ix_liquidaciones_factura", "factura_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    factura_id: Mapped[int] = mapped_column(Id, ForeignKey("facturas.id"))
    corte: Mapped[date] = mapped_column(Date)
    parametros: Mapped[dict[str, Any]] = mapped_column(CanonicalJson)
    resultado: Mapped[dict[str, Any]] = mapped_column(CanonicalJson)
    capital: Mapped[int] = mapped_column(Cents)
    intereses: Mapped[int] = mapped_column(Cents)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(120))
