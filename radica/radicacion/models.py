"""Tables of filing: envíos, their invoices, the attempts of the bots and the readings that settle unknown outcomes.

Invariant: one open intention per (invoice, act, round) while it is not rejected or cancelled, held by a partial
unique index; one attempt of an envío may be alive or unsettled at a time. Norm: Res. 948/2026 art. 15.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from radica.audit.models import LegalThing
from radica.kernel.columns import CanonicalJson, Cents, EnumText, Id, Instant, one_of
from radica.kernel.db import Base
from radica.kernel.flow import Machine
from radica.radicacion.states import MACHINE, Acto, EstadoEnvio, EstadoIntento


class Envio(LegalThing, Base):
    """One intention: payer, act, round, 1..n invoices (payers give one radicado for many)."""

    KIND: ClassVar[str] = "envio"
    MACHINE: ClassVar[Machine] = MACHINE

    __tablename__ = "envios"
    __table_args__ = (
        one_of("estado", EstadoEnvio, name="estado"),
        one_of("acto", Acto, name="acto"),
        CheckConstraint("canal IN ('bot', 'mano')", name="canal"),
        CheckConstraint("(canal = 'bot') = (cuenta_id IS NOT NULL)", name="cuenta"),
        CheckConstraint("nivel_prueba BETWEEN 0 AND 4", name="nivel"),
        CheckConstraint(
            "estado <> 'radicado' OR (radicado IS NOT NULL AND fecha_radicacion IS NOT NULL AND nivel_prueba >= 2)",
            name="radicado_con_prueba",
        ),
        CheckConstraint("estado <> 'recibido_sin_numero' OR nivel_prueba >= 1", name="recibido_con_prueba"),
        CheckConstraint("estado <> 'rechazado' OR motivo_rechazo IS NOT NULL", name="rechazo_con_motivo"),
        Index("ix_envios_prestador_estado", "prestador_id", "estado"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    pagador_id: Mapped[int] = mapped_column(Id, ForeignKey("pagadores.id"))
    cuenta_id: Mapped[int | None] = mapped_column(Id, ForeignKey("cuentas_portal.id"))
    acto: Mapped[Acto] = mapped_column(EnumText(Acto))
    ronda: Mapped[int] = mapped_column(Integer)
    canal: Mapped[str] = mapped_column(String(10))
    valor: Mapped[int] = mapped_column(Cents)
    radicado: Mapped[str | None] = mapped_column(String(120))
    fecha_radicacion: Mapped[datetime | None] = mapped_column(Instant)
    nivel_prueba: Mapped[int] = mapped_column(Integer, default=0)
    motivo_rechazo: Mapped[str | None] = mapped_column(Text)
    creado_at: Mapped[datetime] = mapped_column(Instant)
    creado_por: Mapped[str] = mapped_column(String(120))
    cerrado_at: Mapped[datetime | None] = mapped_column(Instant)
    lineas: Mapped[list[EnvioFactura]] = relationship(back_populates="envio", lazy="selectin")


class EnvioFactura(Base):
    """An invoice of an envío. `vivo` is false once the envío is rejected or cancelled."""

    __tablename__ = "envio_facturas"
    __table_args__ = (
        UniqueConstraint("envio_id", "factura_id"),
        Index(
            "uq_envio_facturas_intencion",
            "factura_id",
            "acto",
            "ronda",
            unique=True,
            sqlite_where=text("vivo = 1"),
            postgresql_where=text("vivo = 1"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    envio_id: Mapped[int] = mapped_column(Id, ForeignKey("envios.id"))
    factura_id: Mapped[int] = mapped_column(Id, ForeignKey("facturas.id"), index=True)
    acto: Mapped[Acto] = mapped_column(EnumText(Acto))
    ronda: Mapped[int] = mapped_column(Integer)
    vivo: Mapped[int] = mapped_column(Integer, default=1)  # 1 or 0: the same literal in both databases' indexes
    valor: Mapped[int] = mapped_column(Cents)
    envio: Mapped[Envio] = relationship(back_populates="lineas")


class Intento(Base):
    """One attempt of a bot at an envío: its job, token, marker, and what came of it."""

    __tablename__ = "intentos"
    __table_args__ = (
        UniqueConstraint("envio_id", "numero"),
        one_of("estado", EstadoIntento, name="estado"),
        CheckConstraint("estado <> 'enviando' OR intent_id IS NOT NULL", name="enviando_con_intent"),
        CheckConstraint("estado <> 'ausente' OR cercado_at IS NOT NULL", name="ausente_cercado"),
        Index(
            "uq_intentos_vivo",
            "envio_id",
            unique=True,
            sqlite_where=text("estado IN ('preparando', 'enviando', 'desconocido', 'espera_persona')"),
            postgresql_where=text("estado IN ('preparando', 'enviando', 'desconocido', 'espera_persona')"),
        ),
        Index("ix_intentos_estado", "estado"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    envio_id: Mapped[int] = mapped_column(Id, ForeignKey("envios.id"))
    numero: Mapped[int] = mapped_column(Integer)
    job_id: Mapped[int] = mapped_column(Id, ForeignKey("jobs.id"))
    token: Mapped[int] = mapped_column(BigInteger)
    marker: Mapped[str] = mapped_column(String(40), unique=True)
    host: Mapped[str] = mapped_column(String(120))
    carpeta: Mapped[str] = mapped_column(String(500))
    estado: Mapped[EstadoIntento] = mapped_column(EnumText(EstadoIntento))
    intent_id: Mapped[str | None] = mapped_column(String(40))
    iniciado_at: Mapped[datetime] = mapped_column(Instant)
    intent_at: Mapped[datetime | None] = mapped_column(Instant)
    terminado_at: Mapped[datetime | None] = mapped_column(Instant)
    cercado_at: Mapped[datetime | None] = mapped_column(Instant)
    cercado_ms: Mapped[int | None] = mapped_column(BigInteger)  # database clock, to count the settling time
    resultado: Mapped[str | None] = mapped_column(String(40))
    codigo: Mapped[str | None] = mapped_column(String(60))
    detalle: Mapped[str | None] = mapped_column(Text)
    sellado_at: Mapped[datetime | None] = mapped_column(Instant)
    datos: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)


class Lectura(Base):
    """One answer of `look_up` about an unsettled attempt; two that agree, apart, may settle it as absent."""

    __tablename__ = "lecturas"
    __table_args__ = (
        CheckConstraint(
            "resultado IN ('found', 'known_without_number', 'absent', 'cannot_say')",
            name="resultado",
        ),
        Index("ix_lecturas_intento", "intento_id", "at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    intento_id: Mapped[int] = mapped_column(Id, ForeignKey("intentos.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    # Database clock in milliseconds: settling times are counted on it, beside the fence's.
    at_ms: Mapped[int] = mapped_column(BigInteger)
    resultado: Mapped[str] = mapped_column(String(30))
    radicado: Mapped[str | None] = mapped_column(String(120))
    fecha: Mapped[datetime | None] = mapped_column(Instant)
    valor: Mapped[int | None] = mapped_column(Cents)
    detalle: Mapped[str] = mapped_column(Text, default="")
