"""Tables of the dossier: the Expediente, its invoices, and documents that only a person can bring.

Invariant: a dossier is of one provider and one payer; `listo` has bag and manifests (CHECK); a document that a person
brought is never edited: it is withdrawn with a reason and another is loaded. Norms: CGP arts. 82–84 and 422,
PCSJA20-11567, Acuerdo AGN 001/2024.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from radica.audit.models import LegalThing
from radica.kernel.columns import CanonicalJson, EnumText, Id, Instant, one_of
from radica.kernel.db import Base
from radica.kernel.flow import Machine
from radica.prejuridico.states import MACHINE, EstadoExpediente


class Via(StrEnum):
    """Track in court: it chooses and orders the documents."""

    EJECUTIVO = "ejecutivo"  # CGP art. 422
    DECLARATIVO = "declarativo"  # where the title is not enough


class TipoDocumentoPersona(StrEnum):
    """What only a person has (checklist of the lawsuit)."""

    PODER = "poder"
    CERTIFICADO_EXISTENCIA = "certificado_existencia"
    REPS = "reps"
    CONTRATO = "contrato"
    AUTORIZACION = "autorizacion"
    EVENTO_030 = "evento_030"
    EVENTO_031 = "evento_031"
    EVENTO_032 = "evento_032"
    EVENTO_033 = "evento_033"
    EVENTO_034 = "evento_034"
    CONSTANCIA_CONCILIACION = "constancia_conciliacion"
    OTRO = "otro"


class Expediente(LegalThing, Base):
    """One dossier of one provider against one payer, made with the facts up to `corte`."""

    KIND: ClassVar[str] = "expediente"
    MACHINE: ClassVar[Machine] = MACHINE

    __tablename__ = "expedientes"
    __table_args__ = (
        one_of("estado", EstadoExpediente, name="estado"),
        one_of("via", Via, name="via"),
        UniqueConstraint("prestador_id", "numero"),
        CheckConstraint(
            "estado NOT IN ('listo', 'entregado', 'demandado')"
            " OR (bolsa_sha256 IS NOT NULL AND manifiesto_sha256 IS NOT NULL)",
            name="listo_con_bolsa",
        ),
        CheckConstraint("estado <> 'demandado' OR length(radicado_judicial) = 23", name="demandado_con_radicado"),
        Index("ix_expedientes_prestador_estado", "prestador_id", "estado"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    pagador_id: Mapped[int] = mapped_column(Id, ForeignKey("pagadores.id"))
    numero: Mapped[int] = mapped_column(Integer)  # 1, 2, 3… of the provider
    via: Mapped[Via] = mapped_column(EnumText(Via))
    corte: Mapped[date] = mapped_column(Date)  # interest and terms are counted up to this day
    opciones: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)
    avance: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)  # {texto, hechos, de} while it is made
    problema: Mapped[str] = mapped_column(Text, default="")  # why it failed, and what to do
    resumen: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)  # documents, pages, gaps, amounts
    bolsa_sha256: Mapped[str | None] = mapped_column(String(64), ForeignKey("blobs.sha256"))  # ZIP of the bag
    pdf_sha256: Mapped[str | None] = mapped_column(String(64), ForeignKey("blobs.sha256"))  # PDF of the whole
    manifiesto_sha256: Mapped[str | None] = mapped_column(String(64))  # the leaf
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    radicado_judicial: Mapped[str | None] = mapped_column(String(23))
    solicitado_at: Mapped[datetime] = mapped_column(Instant)
    solicitado_por: Mapped[str] = mapped_column(String(120))


class ExpedienteFactura(Base):
    """An invoice in a dossier, in its order."""

    __tablename__ = "expediente_facturas"
    __table_args__ = (Index("ix_expediente_facturas_factura", "factura_id"),)

    expediente_id: Mapped[int] = mapped_column(Id, ForeignKey("expedientes.id"), primary_key=True)
    factura_id: Mapped[int] = mapped_column(Id, ForeignKey("facturas.id"), primary_key=True)
    orden: Mapped[int] = mapped_column(Integer)


class DocumentoPersona(Base):
    """A document that a person loaded: for one invoice, for one payer, or for the provider at large (both null)."""

    __tablename__ = "documentos_persona"
    __table_args__ = (
        one_of("tipo", TipoDocumentoPersona, name="tipo"),
        CheckConstraint("(retirado_at IS NULL) = (retirado_por IS NULL)", name="retiro"),
        Index("ix_documentos_persona_prestador", "prestador_id", "tipo"),
        Index("ix_documentos_persona_factura", "factura_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    pagador_id: Mapped[int | None] = mapped_column(Id, ForeignKey("pagadores.id"))
    factura_id: Mapped[int | None] = mapped_column(Id, ForeignKey("facturas.id"))
    tipo: Mapped[TipoDocumentoPersona] = mapped_column(EnumText(TipoDocumentoPersona))
    fecha: Mapped[date] = mapped_column(Date)  # date of the document itself
    nota: Mapped[str] = mapped_column(String(300), default="")
    pieza_id: Mapped[int] = mapped_column(Id, ForeignKey("piezas.id"))
    cargado_at: Mapped[datetime] = mapped_column(Instant)
    cargado_por: Mapped[str] = mapped_column(String(120))
    retirado_at: Mapped[datetime | None] = mapped_column(Instant)
    retirado_por: Mapped[str | None] = mapped_column(String(120))
    retiro_motivo: Mapped[str] = mapped_column(String(300), default="")
