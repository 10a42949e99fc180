"""Tables of invoices: the Factura, its documents, findings, imports and the tray of what was not understood.

Invariant: one Factura per provider and normalised number; a document is one per provider, invoice, hash and kind,
so that loading the same thing again creates nothing; nothing that came in is dropped: it is a document of an invoice
or a row of the tray with the reason.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from radica.audit.models import LegalThing
from radica.facturas.cufe import Verificacion
from radica.facturas.findings import Severidad
from radica.facturas.recognise import Tipo
from radica.facturas.states import MACHINE, EstadoFactura
from radica.kernel.columns import CanonicalJson, Cents, EnumText, Id, Instant, one_of
from radica.kernel.db import Base
from radica.kernel.flow import Machine

TipoDocumento = Tipo
"""What a document is, by its content: in the tables as `recognise` tells it."""

__all__ = [
    "Carga",
    "CargaArchivo",
    "ClaveTecnica",
    "Documento",
    "Factura",
    "Hallazgo",
    "NoReconocido",
    "OrigenHallazgo",
    "ResultadoArchivo",
    "Severidad",
    "TipoDocumento",
]


class Factura(LegalThing, Base):
    """A medical invoice of one provider. Amounts in centavos; None while no document told them."""

    KIND: ClassVar[str] = "factura"
    MACHINE: ClassVar[Machine] = MACHINE

    __tablename__ = "facturas"
    __table_args__ = (
        UniqueConstraint("prestador_id", "numero_clave"),
        one_of("estado", EstadoFactura, name="estado"),
        one_of("cufe_comprobado", Verificacion, name="cufe_comprobado"),
        CheckConstraint("nivel_prueba BETWEEN 0 AND 4", name="nivel"),
        # A filed invoice has number, date and proof of level 2 or more (DESIGN section 4).
        CheckConstraint(
            "estado <> 'radicada' OR (radicado IS NOT NULL AND fecha_radicacion IS NOT NULL AND nivel_prueba >= 2)",
            name="radicada_con_prueba",
        ),
        CheckConstraint("estado <> 'recibida_sin_numero' OR nivel_prueba >= 1", name="recibida_con_prueba"),
        Index("ix_facturas_prestador_estado", "prestador_id", "estado"),
        Index("ix_facturas_prestador_expedicion", "prestador_id", "expedida_at", "id"),
        Index("ix_facturas_cufe", "cufe"),
        Index("ix_facturas_prestador_cuv", "prestador_id", "cuv"),
        Index("ix_facturas_radicado", "radicado"),
        Index("ix_facturas_digitos", "prestador_id", "numero_digitos"),
        Index(
            "ix_facturas_por_juzgar",
            "id",
            sqlite_where=text("por_juzgar = 1"),
            postgresql_where=text("por_juzgar = 1"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    pagador_id: Mapped[int | None] = mapped_column(Id, ForeignKey("pagadores.id"), index=True)
    numero: Mapped[str] = mapped_column(String(40))  # as the FEV prints it
    numero_clave: Mapped[str] = mapped_column(String(40))  # prefix + digits without padding: FE10234
    numero_digitos: Mapped[str] = mapped_column(String(30))  # digits without padding: 10234
    cufe: Mapped[str | None] = mapped_column(String(96))
    # Last verdict that was had with the technical key; it stands when a review has no keys at hand.
    cufe_comprobado: Mapped[Verificacion | None] = mapped_column(EnumText(Verificacion))
    cuv: Mapped[str | None] = mapped_column(String(96))
    tipo_operacion: Mapped[str | None] = mapped_column(String(30))
    expedida_at: Mapped[datetime | None] = mapped_column(Instant)
    validada_dian_at: Mapped[datetime | None] = mapped_column(Instant)
    servicio_desde: Mapped[date | None] = mapped_column(Date)
    servicio_hasta: Mapped[date | None] = mapped_column(Date)
    valor: Mapped[int | None] = mapped_column(Cents)  # PayableAmount
    valor_bruto: Mapped[int | None] = mapped_column(Cents)  # LineExtensionAmount
    pago_moderador: Mapped[int | None] = mapped_column(Cents)  # PrepaidAmount
    usuarios: Mapped[int | None] = mapped_column(Integer)
    vence_radicar: Mapped[date | None] = mapped_column(Date)  # RAD-01, kept for trays and sorting
    nivel_prueba: Mapped[int] = mapped_column(Integer, default=0)
    radicado: Mapped[str | None] = mapped_column(String(120))
    fecha_radicacion: Mapped[datetime | None] = mapped_column(Instant)
    # A person with the role filed after RAD-01 lapsed, with this reason (issue of terms: alert, never silence).
    extemporanea_por: Mapped[str | None] = mapped_column(String(120))
    extemporanea_motivo: Mapped[str | None] = mapped_column(Text)
    creada_at: Mapped[datetime] = mapped_column(Instant)
    revisada_at: Mapped[datetime | None] = mapped_column(Instant)
    # The documents in force as one hash, and whether the checker still has to open them (1 or 0).
    huella_documentos: Mapped[str | None] = mapped_column(String(64))
    por_juzgar: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class Documento(Base):
    """A document of an invoice, or waiting for its invoice (`factura_id` null). The bytes are a blob in custody."""

    __tablename__ = "documentos"
    __table_args__ = (
        one_of("tipo", TipoDocumento, name="tipo"),
        UniqueConstraint("prestador_id", "factura_id", "sha256", "tipo", "sigla"),
        Index("ix_documentos_prestador_sha", "prestador_id", "sha256"),
        Index("ix_documentos_factura", "factura_id"),
        Index("ix_documentos_espera", "prestador_id", "clave_espera"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    factura_id: Mapped[int | None] = mapped_column(Id, ForeignKey("facturas.id"))
    clave_espera: Mapped[str | None] = mapped_column(String(120))  # number key or CUV it waits for
    sha256: Mapped[str] = mapped_column(String(64), ForeignKey("blobs.sha256"))
    bytes: Mapped[int] = mapped_column(BigInteger)
    nombre: Mapped[str] = mapped_column(String(300))
    tipo: Mapped[TipoDocumento] = mapped_column(EnumText(TipoDocumento))
    sigla: Mapped[str] = mapped_column(String(20), default="")
    media_type: Mapped[str] = mapped_column(String(100))
    datos: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)  # what was read, no health data
    vigente: Mapped[bool] = mapped_column(Boolean, default=True)  # a corrected document replaces it; it stays
    cargado_at: Mapped[datetime] = mapped_column(Instant)
    cargado_por: Mapped[str] = mapped_column(String(120))


class OrigenHallazgo(StrEnum):
    """Who found it: the review of what was read, or the checker that opened the documents."""

    REVISION = "revision"
    VALIDADOR = "validador"


class Hallazgo(Base):
    """A finding of an invoice; each origin rewrites its own as a whole."""

    __tablename__ = "hallazgos"
    __table_args__ = (one_of("severidad", Severidad, name="severidad"), Index("ix_hallazgos_factura", "factura_id"))
    # Columns from `origen` on came with the checker: their values are guarded by the code, not by CHECKs.

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    factura_id: Mapped[int] = mapped_column(Id, ForeignKey("facturas.id"))
    codigo: Mapped[str] = mapped_column(String(40))
    severidad: Mapped[Severidad] = mapped_column(EnumText(Severidad))
    lugar: Mapped[str] = mapped_column(String(300))
    mensaje: Mapped[str] = mapped_column(Text)
    que_hacer: Mapped[str] = mapped_column(Text)
    norma: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[datetime] = mapped_column(Instant)
    origen: Mapped[OrigenHallazgo] = mapped_column(
        EnumText(OrigenHallazgo), default=OrigenHallazgo.REVISION, server_default="revision"
    )
    clase: Mapped[str] = mapped_column(String(20), default="", server_default="")  # validacion.modelo.Clase, or ""
    quien: Mapped[str] = mapped_column(String(30), default="facturacion", server_default="facturacion")
    fuente: Mapped[str] = mapped_column(String(30), default="", server_default="")
    linea: Mapped[int | None] = mapped_column(Integer)  # of the XML, from 1
    valor: Mapped[int | None] = mapped_column(Cents)  # money at risk


class ClaveTecnica(Base):
    """The technical key of a numbering range that DIAN authorised, encrypted; it makes the CUFE's value checkable."""

    __tablename__ = "claves_tecnicas"
    __table_args__ = (
        UniqueConstraint("prestador_id", "resolucion", "prefijo"),
        CheckConstraint("desde >= 0 AND desde <= hasta", name="rango"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    resolucion: Mapped[str] = mapped_column(String(30))
    prefijo: Mapped[str] = mapped_column(String(10), default="")
    desde: Mapped[int] = mapped_column(BigInteger)
    hasta: Mapped[int] = mapped_column(BigInteger)
    clave_cifrada: Mapped[bytes] = mapped_column(LargeBinary)
    registrada_at: Mapped[datetime] = mapped_column(Instant)
    registrada_por: Mapped[str] = mapped_column(String(120))


class Carga(Base):
    """One import: who, from where, how far, and its result per file."""

    __tablename__ = "cargas"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int | None] = mapped_column(Id, ForeignKey("prestadores.id"), index=True)
    usuario_id: Mapped[int | None] = mapped_column(Id, ForeignKey("usuarios.id"))
    origen: Mapped[str] = mapped_column(String(20))  # web, cli, buzon
    actor: Mapped[str] = mapped_column(String(120))
    iniciada_at: Mapped[datetime] = mapped_column(Instant)
    terminada_at: Mapped[datetime | None] = mapped_column(Instant)
    total: Mapped[int] = mapped_column(Integer, default=0)
    hechos: Mapped[int] = mapped_column(Integer, default=0)
    facturas_nuevas: Mapped[int] = mapped_column(Integer, default=0)
    facturas_completadas: Mapped[int] = mapped_column(Integer, default=0)


class ResultadoArchivo(StrEnum):
    """What became of a file."""

    CARGADO = "cargado"
    DUPLICADO = "duplicado"
    NO_RECONOCIDO = "no_reconocido"


class CargaArchivo(Base):
    """One file of an import and what became of it."""

    __tablename__ = "carga_archivos"
    __table_args__ = (one_of("resultado", ResultadoArchivo, name="resultado"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    carga_id: Mapped[int] = mapped_column(Id, ForeignKey("cargas.id"), index=True)
    ruta: Mapped[str] = mapped_column(String(500))
    resultado: Mapped[ResultadoArchivo] = mapped_column(EnumText(ResultadoArchivo))
    tipo: Mapped[str | None] = mapped_column(String(40))
    factura_id: Mapped[int | None] = mapped_column(Id, ForeignKey("facturas.id"))
    motivo: Mapped[str | None] = mapped_column(Text)


class NoReconocido(Base):
    """The tray: what was not understood or belongs to nobody, with the reason. The bytes are kept in custody."""

    __tablename__ = "no_reconocidos"
    __table_args__ = (
        Index("ix_no_reconocidos_prestador", "prestador_id", "resuelto_at"),
        Index("ix_no_reconocidos_usuario", "usuario_id", "resuelto_at"),
        Index(
            "uq_no_reconocidos_abierto",
            "duenio",
            "sha256",
            "nombre",
            unique=True,
            sqlite_where=text("resuelto_at IS NULL"),
            postgresql_where=text("resuelto_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int | None] = mapped_column(Id, ForeignKey("prestadores.id"))
    usuario_id: Mapped[int | None] = mapped_column(Id, ForeignKey("usuarios.id"))
    duenio: Mapped[str] = mapped_column(String(40))  # `prestador:3`, `usuario:4` or `nadie`: never null, for the index
    carga_id: Mapped[int | None] = mapped_column(Id, ForeignKey("cargas.id"))
    nombre: Mapped[str] = mapped_column(String(300))
    sha256: Mapped[str | None] = mapped_column(String(64))  # null when the bytes could not be kept (a ZIP bomb)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    codigo: Mapped[str] = mapped_column(String(40))
    motivo: Mapped[str] = mapped_column(Text)
    recibido_at: Mapped[datetime] = mapped_column(Instant)
    resuelto_at: Mapped[datetime | None] = mapped_column(Instant)
    resuelto_por: Mapped[str | None] = mapped_column(String(120))
    resolucion: Mapped[str | None] = mapped_column(Text)
