"""Tables of the work on glosas: our answers, templates, payers' limits, rules of assignment, words between people.

Invariant: one answer per glosa or devolución and round that is not discarded; a template version that was used is
never changed; amounts are centavos. Norm: Res. 2284/2023 Anexo Técnico 3 (answer codes).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from radica.audit.models import LegalThing
from radica.glosas.states import RESPUESTA, EstadoRespuesta
from radica.kernel.columns import CanonicalJson, Cents, EnumText, Id, Instant, one_of
from radica.kernel.db import Base
from radica.kernel.flow import Machine


class Decision(StrEnum):
    """Closed list: what the provider decides on a line (ui: with a reason)."""

    DEFENDER = "defender"  # RE9602 / RE9601
    SUBSANAR = "subsanar"  # RE9901
    ACEPTAR_PARTE = "aceptar_parte"  # RE9801
    ACEPTAR = "aceptar"  # RE9702 / RE9701
    EXTEMPORANEA = "extemporanea"  # RE9502 / RE9501


class Respuesta(LegalThing, Base):
    """Our answer to one glosa or devolución in one round, from draft to presented."""

    KIND: ClassVar[str] = "respuesta"
    MACHINE: ClassVar[Machine] = RESPUESTA

    __tablename__ = "respuestas"
    __table_args__ = (
        one_of("estado", EstadoRespuesta, name="estado"),
        one_of("decision", Decision, name="decision"),
        CheckConstraint("(glosa_id IS NULL) <> (devolucion_id IS NULL)", name="uno"),
        CheckConstraint("valor_aceptado >= 0", name="aceptado"),
        CheckConstraint("estado NOT IN ('en_envio', 'presentada') OR envio_id IS NOT NULL", name="envio"),
        Index(
            "uq_respuestas_glosa",
            "glosa_id",
            "ronda",
            unique=True,
            sqlite_where=text("glosa_id IS NOT NULL AND estado <> 'descartada'"),
            postgresql_where=text("glosa_id IS NOT NULL AND estado <> 'descartada'"),
        ),
        Index(
            "uq_respuestas_devolucion",
            "devolucion_id",
            "ronda",
            unique=True,
            sqlite_where=text("devolucion_id IS NOT NULL AND estado <> 'descartada'"),
            postgresql_where=text("devolucion_id IS NOT NULL AND estado <> 'descartada'"),
        ),
        Index("ix_respuestas_envio", "envio_id"),
        Index("ix_respuestas_prestador_estado", "prestador_id", "estado", "factura_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    factura_id: Mapped[int] = mapped_column(Id, ForeignKey("facturas.id"))
    glosa_id: Mapped[int | None] = mapped_column(Id, ForeignKey("glosas.id"))
    devolucion_id: Mapped[int | None] = mapped_column(Id, ForeignKey("devoluciones.id"))
    ronda: Mapped[int] = mapped_column(Integer)
    decision: Mapped[Decision] = mapped_column(EnumText(Decision))
    codigo: Mapped[str] = mapped_column(String(6))  # RE9602…
    valor_aceptado: Mapped[int] = mapped_column(Cents, default=0)
    texto: Mapped[str] = mapped_column(Text)
    motivo: Mapped[str] = mapped_column(String(300), default="")  # why this decision, for the file
    plantilla_id: Mapped[int | None] = mapped_column(Id, ForeignKey("plantillas.id"))
    soportes: Mapped[list[str]] = mapped_column(CanonicalJson, default=list)  # SHA-256 of documents to attach
    preparada_at: Mapped[datetime] = mapped_column(Instant)
    preparada_por: Mapped[str] = mapped_column(String(120))
    aprobada_at: Mapped[datetime | None] = mapped_column(Instant)
    aprobada_por: Mapped[str | None] = mapped_column(String(120))
    envio_id: Mapped[int | None] = mapped_column(Id, ForeignKey("envios.id"))
    presentada_at: Mapped[datetime | None] = mapped_column(Instant)


class Plantilla(Base):
    """One version of a template; a used one is never changed, a change is a new version."""

    __tablename__ = "plantillas"
    __table_args__ = (UniqueConstraint("prestador_id", "clave", "version"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    clave: Mapped[str] = mapped_column(String(60))
    version: Mapped[int] = mapped_column(Integer)
    nombre: Mapped[str] = mapped_column(String(120))
    codigo: Mapped[str] = mapped_column(String(12), default="")  # glosa code or family to which it fits, '' any
    pagador_id: Mapped[int | None] = mapped_column(Id, ForeignKey("pagadores.id"))
    respuesta: Mapped[str] = mapped_column(String(6))  # RE code
    texto: Mapped[str] = mapped_column(Text)
    vigente: Mapped[bool] = mapped_column(Boolean, default=True)
    creada_at: Mapped[datetime] = mapped_column(Instant)
    creada_por: Mapped[str] = mapped_column(String(120))


class PerfilRespuesta(Base):
    """What a payer accepts in an answer, for one provider; without a row the data file's profile counts."""

    __tablename__ = "perfiles_respuesta"
    __table_args__ = (UniqueConstraint("prestador_id", "pagador_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    pagador_id: Mapped[int] = mapped_column(Id, ForeignKey("pagadores.id"))
    max_caracteres: Mapped[int | None] = mapped_column(Integer)
    mayusculas: Mapped[bool] = mapped_column(Boolean, default=False)
    un_solo_pdf: Mapped[bool] = mapped_column(Boolean, default=False)


class AjusteGlosas(Base):
    """How one provider works its glosas. Amounts in centavos."""

    __tablename__ = "ajustes_glosas"

    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"), primary_key=True)
    cuatro_ojos_desde: Mapped[int | None] = mapped_column(Cents)
    grupo_manual: Mapped[str] = mapped_column(String(2), default="")  # G1, G2, G3 of Res. 1885/2024; '' unknown
    siifa: Mapped[bool] = mapped_column(Boolean, default=True)
    escalar_a_id: Mapped[int | None] = mapped_column(Id, ForeignKey("usuarios.id"))
    escalar_dias: Mapped[int] = mapped_column(Integer, default=2)  # business days left at which a line escalates


class ReglaAsignacion(Base):
    """To whom a new line goes; the first that fits, by `orden`."""

    __tablename__ = "reglas_asignacion"
    __table_args__ = (Index("ix_reglas_asignacion", "prestador_id", "orden"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    orden: Mapped[int] = mapped_column(Integer)
    pagador_id: Mapped[int | None] = mapped_column(Id, ForeignKey("pagadores.id"))
    familia: Mapped[str] = mapped_column(String(2), default="")
    desde: Mapped[int | None] = mapped_column(Cents)
    hasta: Mapped[int | None] = mapped_column(Cents)
    usuario_id: Mapped[int] = mapped_column(Id, ForeignKey("usuarios.id"))
    activa: Mapped[bool] = mapped_column(Boolean, default=True)


class Comentario(Base):
    """A word of a person on a line (or on a devolución), with whom it mentions."""

    __tablename__ = "comentarios"
    __table_args__ = (Index("ix_comentarios_case", "case_key", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    case_key: Mapped[str] = mapped_column(String(60))
    usuario_id: Mapped[int] = mapped_column(Id, ForeignKey("usuarios.id"))
    texto: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)


class Mencion(Base):
    """That a comment speaks to a person, until the person saw it."""

    __tablename__ = "menciones"
    __table_args__ = (
        UniqueConstraint("comentario_id", "usuario_id"),
        Index(
            "ix_menciones_nuevas",
            "usuario_id",
            sqlite_where=text("vista_at IS NULL"),
            postgresql_where=text("vista_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    comentario_id: Mapped[int] = mapped_column(Id, ForeignKey("comentarios.id"))
    usuario_id: Mapped[int] = mapped_column(Id, ForeignKey("usuarios.id"))
    vista_at: Mapped[datetime | None] = mapped_column(Instant)
