"""Tables of the checker: its verdicts, what persons accepted, loaded catalogues, and the account of the MUV.

Invariant: a verdict and an acceptance are only added; a new verdict never erases that the first one failed
(first-pass rate). Passwords are encrypted. Norms: Res. 948 de 2026 (MUV); indicator *Limpieza 1* of the house.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from radica.kernel.columns import CanonicalJson, Cents, Id, Instant
from radica.kernel.db import Base


class Validacion(Base):
    """One verdict of the checker about an invoice; only added. `codigos` counts rejections by code."""

    __tablename__ = "validaciones"
    __table_args__ = (
        Index("ix_validaciones_factura", "factura_id", "id"),
        Index("ix_validaciones_prestador", "prestador_id", "at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    factura_id: Mapped[int] = mapped_column(Id, ForeignKey("facturas.id"))
    pagador_id: Mapped[int | None] = mapped_column(Id, ForeignKey("pagadores.id"))
    facturador: Mapped[str] = mapped_column(String(120))  # actor who loaded the last document
    at: Mapped[datetime] = mapped_column(Instant)
    fecha_reglas: Mapped[date] = mapped_column(Date)
    huella: Mapped[str] = mapped_column(String(64))  # of the documents and of the rules that judged them
    completa: Mapped[bool] = mapped_column(Boolean)  # FEV and RIPS were there (or it goes without RIPS)
    primera: Mapped[bool] = mapped_column(Boolean)  # first complete verdict of the invoice: Limpieza 1 counts it
    rechazos: Mapped[int] = mapped_column(Integer)
    notificaciones: Mapped[int] = mapped_column(Integer)
    avisos: Mapped[int] = mapped_column(Integer)
    no_decidibles: Mapped[int] = mapped_column(Integer)
    codigos: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)


class HallazgoAceptado(Base):
    """A person took responsibility for a finding, with a reason; only added, withdrawn by its two last columns."""

    __tablename__ = "hallazgos_aceptados"
    __table_args__ = (
        Index(
            "uq_hallazgos_aceptados_vivo",
            "factura_id",
            "codigo",
            "lugar",
            "huella",
            "dicho",
            unique=True,
            sqlite_where=text("retirado_at IS NULL"),
            postgresql_where=text("retirado_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    factura_id: Mapped[int] = mapped_column(Id, ForeignKey("facturas.id"))
    codigo: Mapped[str] = mapped_column(String(40))
    lugar: Mapped[str] = mapped_column(String(300))
    huella: Mapped[str] = mapped_column(String(64))  # of the documents for which it was accepted
    dicho: Mapped[str] = mapped_column(String(64))  # of the words, weight and money that the person saw
    valor: Mapped[int | None] = mapped_column(Cents)  # money at risk that the person accepted
    motivo: Mapped[str] = mapped_column(Text)
    aceptado_at: Mapped[datetime] = mapped_column(Instant)
    aceptado_por: Mapped[str] = mapped_column(String(120))
    retirado_at: Mapped[datetime | None] = mapped_column(Instant)
    retirado_por: Mapped[str | None] = mapped_column(String(120))


class HuellaServicio(Base):
    """A service of an invoice as a keyed hash of patient, code and date: finds the same one under another number."""

    __tablename__ = "huellas_servicio"
    __table_args__ = (
        Index("ix_huellas_servicio_clave", "prestador_id", "clave"),
        Index("ix_huellas_servicio_factura", "factura_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    factura_id: Mapped[int] = mapped_column(Id, ForeignKey("facturas.id"))
    clave: Mapped[str] = mapped_column(String(64))
    ruta: Mapped[str] = mapped_column(String(120))


class CatalogoCargado(Base):
    """A version of a large official table (CUPS, CIE-10, …): its bytes are a blob in custody."""

    __tablename__ = "catalogos_cargados"
    __table_args__ = (UniqueConstraint("nombre", "sha256"), Index("ix_catalogos_cargados_nombre", "nombre", "id"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    nombre: Mapped[str] = mapped_column(String(40))
    sha256: Mapped[str] = mapped_column(String(64))
    filas: Mapped[int] = mapped_column(Integer)
    version: Mapped[str] = mapped_column(String(80), default="")  # date the table says of itself
    vigente_desde: Mapped[date | None] = mapped_column(Date)
    cargado_at: Mapped[datetime] = mapped_column(Instant)
    cargado_por: Mapped[str] = mapped_column(String(120))


class CuentaMuv(Base):
    """How a provider reaches the validator of MinSalud; off until a person switches it on."""

    __tablename__ = "cuentas_muv"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"), unique=True)
    activa: Mapped[bool] = mapped_column(Boolean, default=False)
    url: Mapped[str] = mapped_column(String(300))
    tipo_usuario: Mapped[str] = mapped_column(String(5), default="RE")
    tipo_documento: Mapped[str] = mapped_column(String(5))
    credencial_cifrada: Mapped[bytes] = mapped_column(LargeBinary)  # number of the person and password
    certificado_pem: Mapped[str | None] = mapped_column(Text)  # the self-signed one of the local API, pinned
    limites: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)  # seconds, tries
    cambiada_at: Mapped[datetime] = mapped_column(Instant)
    cambiada_por: Mapped[str] = mapped_column(String(120))


class EnvioMuv(Base):
    """One package sent to the MUV and what it answered; one alive per provider, call and content."""

    __tablename__ = "envios_muv"
    __table_args__ = (
        Index(
            "uq_envios_muv_vivo",
            "prestador_id",
            "modulo",
            "huella",
            unique=True,
            sqlite_where=text("vivo = 1"),
            postgresql_where=text("vivo = 1"),
        ),
        Index("ix_envios_muv_factura", "factura_id", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    factura_id: Mapped[int | None] = mapped_column(Id, ForeignKey("facturas.id"))
    modulo: Mapped[str] = mapped_column(String(40))  # validacion.modelo.Modulo
    huella: Mapped[str] = mapped_column(String(64))
    vivo: Mapped[int] = mapped_column(Integer, default=1)
    resultado: Mapped[str] = mapped_column(String(20), default="pedido")
    pedido_at: Mapped[datetime] = mapped_column(Instant)
    pedido_por: Mapped[str] = mapped_column(String(120))
    enviado_at: Mapped[datetime | None] = mapped_column(Instant)
    terminado_at: Mapped[datetime | None] = mapped_column(Instant)
    proceso: Mapped[str | None] = mapped_column(String(40))
    cuv: Mapped[str | None] = mapped_column(String(96))
    http: Mapped[int | None] = mapped_column(Integer)
    codigo: Mapped[str | None] = mapped_column(String(60))
    detalle: Mapped[str] = mapped_column(Text, default="")
    evidencia_sha256: Mapped[str | None] = mapped_column(String(64))
