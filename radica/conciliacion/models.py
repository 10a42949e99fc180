"""Tables of conciliaciones: the meeting, its working table, the payer's ledger, the commitments of payment.

Invariant: of each line en_disputa = levantado + aceptado + sigue, in centavos; a line of dispute is on one open table
at a time; once the acta is signed its lines and commitments do not change (triggers). Norm: Circular conjunta 030/2013.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from radica.audit.models import LegalThing
from radica.conciliacion.states import MACHINE, EstadoConciliacion
from radica.kernel.columns import CanonicalJson, Cents, EnumText, Id, Instant, one_of
from radica.kernel.db import Base
from radica.kernel.flow import Machine


class Conciliacion(LegalThing, Base):
    """One meeting of one provider with one payer, and its acta."""

    KIND: ClassVar[str] = "conciliacion"
    MACHINE: ClassVar[Machine] = MACHINE

    __tablename__ = "conciliaciones"
    __table_args__ = (
        one_of("estado", EstadoConciliacion, name="estado"),
        UniqueConstraint("prestador_id", "numero"),
        CheckConstraint(
            "estado NOT IN ('con_acuerdo_total', 'con_acuerdo_parcial')"
            " OR (firmada_at IS NOT NULL AND acta_firmada_sha256 IS NOT NULL)",
            name="acuerdo_firmado",
        ),
        Index("ix_conciliaciones_prestador_estado", "prestador_id", "estado"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    pagador_id: Mapped[int] = mapped_column(Id, ForeignKey("pagadores.id"))
    numero: Mapped[int] = mapped_column(Integer)  # 1, 2, 3… of the provider
    fecha_corte: Mapped[date] = mapped_column(Date)
    alcance: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)  # filters with which it was made
    citada_at: Mapped[datetime | None] = mapped_column(Instant)  # when the meeting is
    lugar: Mapped[str] = mapped_column(String(200), default="")
    asistentes: Mapped[list[dict[str, str]]] = mapped_column(CanonicalJson, default=list)  # [{nombre, cargo, por}]
    notas: Mapped[str] = mapped_column(Text, default="")
    anterior_id: Mapped[int | None] = mapped_column(Id, ForeignKey("conciliaciones.id"))
    acta_sha256: Mapped[str | None] = mapped_column(String(64), ForeignKey("blobs.sha256"))  # as we drew it
    acta_firmada_sha256: Mapped[str | None] = mapped_column(String(64), ForeignKey("blobs.sha256"))  # as it came back
    firmada_at: Mapped[datetime | None] = mapped_column(Instant)
    creada_at: Mapped[datetime] = mapped_column(Instant)
    creada_por: Mapped[str] = mapped_column(String(120))


class ConciliacionLinea(Base):
    """One line on the table. `vivo` is 0 once its conciliación ended without touching it."""

    __tablename__ = "conciliacion_lineas"
    __table_args__ = (
        CheckConstraint("(glosa_id IS NULL) <> (devolucion_id IS NULL)", name="uno"),
        CheckConstraint("en_disputa = levantado + aceptado + sigue", name="identidad"),
        CheckConstraint("en_disputa > 0 AND levantado >= 0 AND aceptado >= 0 AND sigue >= 0", name="importes"),
        UniqueConstraint("conciliacion_id", "glosa_id"),
        UniqueConstraint("conciliacion_id", "devolucion_id"),
        Index(
            "uq_conciliacion_lineas_glosa",
            "glosa_id",
            unique=True,
            sqlite_where=text("vivo = 1 AND glosa_id IS NOT NULL"),
            postgresql_where=text("vivo = 1 AND glosa_id IS NOT NULL"),
        ),
        Index(
            "uq_conciliacion_lineas_devolucion",
            "devolucion_id",
            unique=True,
            sqlite_where=text("vivo = 1 AND devolucion_id IS NOT NULL"),
            postgresql_where=text("vivo = 1 AND devolucion_id IS NOT NULL"),
        ),
        Index("ix_conciliacion_lineas_conciliacion", "conciliacion_id", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    conciliacion_id: Mapped[int] = mapped_column(Id, ForeignKey("conciliaciones.id"))
    factura_id: Mapped[int] = mapped_column(Id, ForeignKey("facturas.id"))
    glosa_id: Mapped[int | None] = mapped_column(Id, ForeignKey("glosas.id"))
    devolucion_id: Mapped[int | None] = mapped_column(Id, ForeignKey("devoluciones.id"))
    en_disputa: Mapped[int] = mapped_column(Cents)
    levantado: Mapped[int] = mapped_column(Cents, default=0)
    aceptado: Mapped[int] = mapped_column(Cents, default=0)
    sigue: Mapped[int] = mapped_column(Cents)
    nota: Mapped[str] = mapped_column(String(500), default="")
    vivo: Mapped[int] = mapped_column(Integer, default=1)


class EstadoCompromiso(StrEnum):
    """How a promise of payment stands; `incumplido` is told by the date, not stored."""

    PENDIENTE = "pendiente"
    CUMPLIDO = "cumplido"
    DESISTIDO = "desistido"


class Compromiso(Base):
    """A payment that the payer promised in an acta: when, how much. Signed amounts and dates do not change."""

    __tablename__ = "compromisos"
    __table_args__ = (
        CheckConstraint("valor > 0", name="valor"),
        Index("ix_compromisos_fecha", "prestador_id", "fecha"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    conciliacion_id: Mapped[int] = mapped_column(Id, ForeignKey("conciliaciones.id"), index=True)
    fecha: Mapped[date] = mapped_column(Date)
    valor: Mapped[int] = mapped_column(Cents)
    nota: Mapped[str] = mapped_column(String(300), default="")


class CompromisoHecho(Base):
    """What came of a commitment, only added: kept (with evidence) or given up (with a reason)."""

    __tablename__ = "compromisos_hechos"
    __table_args__ = (one_of("resultado", EstadoCompromiso, name="resultado"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    compromiso_id: Mapped[int] = mapped_column(Id, ForeignKey("compromisos.id"), unique=True)
    resultado: Mapped[EstadoCompromiso] = mapped_column(EnumText(EstadoCompromiso))
    valor: Mapped[int] = mapped_column(Cents, default=0)
    fecha: Mapped[date] = mapped_column(Date)
    nota: Mapped[str] = mapped_column(String(300), default="")
    evidencia: Mapped[list[str]] = mapped_column(CanonicalJson, default=list)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(120))


class LibroPagador(Base):
    """One row of the payer's own ledger for a meeting, and how it differs from ours."""

    __tablename__ = "libros_pagador"
    __table_args__ = (Index("ix_libros_pagador_conciliacion", "conciliacion_id", "diferencia"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    conciliacion_id: Mapped[int] = mapped_column(Id, ForeignKey("conciliaciones.id"))
    sha256: Mapped[str] = mapped_column(String(64), ForeignKey("blobs.sha256"))
    fila: Mapped[int] = mapped_column(Integer)
    factura_texto: Mapped[str] = mapped_column(String(60))
    factura_id: Mapped[int | None] = mapped_column(Id, ForeignKey("facturas.id"))
    valor_factura: Mapped[int | None] = mapped_column(Cents)
    valor_glosa: Mapped[int | None] = mapped_column(Cents)
    estado_glosa: Mapped[str] = mapped_column(String(60), default="")
    diferencia: Mapped[str] = mapped_column(String(40), default="")  # '' equal; coded otherwise
    detalle: Mapped[str] = mapped_column(String(300), default="")
