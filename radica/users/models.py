"""People, grants, sessions and tasks.

Invariant: a person sees only the providers granted to them, in the role of the grant; a session is a row that can be
revoked, of which the browser holds a secret and the database only its hash.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from radica.kernel.columns import EnumText, Id, Instant, one_of
from radica.kernel.db import Base


class Rol(StrEnum):
    """Roles of DESIGN section 3, granted per provider."""

    FACTURACION = "facturacion"
    GLOSAS = "glosas"
    CARTERA = "cartera"
    AUDITORIA = "auditoria"
    JURIDICA = "juridica"
    DIRECCION = "direccion"
    ADMINISTRACION = "administracion"


class Usuario(Base):
    """A person. `correo` is lowercase and unique; the password is an argon2id hash."""

    __tablename__ = "usuarios"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    correo: Mapped[str] = mapped_column(String(254), unique=True)
    nombre: Mapped[str] = mapped_column(String(200))
    clave_hash: Mapped[str] = mapped_column(String(300))
    activo: Mapped[bool] = mapped_column(Boolean, default=True)
    fallos: Mapped[int] = mapped_column(Integer, default=0)
    bloqueado_hasta: Mapped[datetime | None] = mapped_column(Instant)
    segundo_factor: Mapped[str | None] = mapped_column(String(300))
    creado_at: Mapped[datetime] = mapped_column(Instant)
    preferencias: Mapped[str] = mapped_column(Text, default="{}")
    accesos: Mapped[list[Acceso]] = relationship(back_populates="usuario", lazy="selectin")


class Acceso(Base):
    """The grant of one provider to one person in one role (several rows: several roles)."""

    __tablename__ = "accesos"
    __table_args__ = (UniqueConstraint("usuario_id", "prestador_id", "rol"), one_of("rol", Rol, name="rol"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    usuario_id: Mapped[int] = mapped_column(Id, ForeignKey("usuarios.id"))
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"), index=True)
    rol: Mapped[Rol] = mapped_column(EnumText(Rol))
    usuario: Mapped[Usuario] = relationship(back_populates="accesos")


class Sesion(Base):
    """A login. `token_hash` is the SHA-256 of the secret in the cookie."""

    __tablename__ = "sesiones"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    usuario_id: Mapped[int] = mapped_column(Id, ForeignKey("usuarios.id"), index=True)
    creada_at: Mapped[datetime] = mapped_column(Instant)
    vista_at: Mapped[datetime] = mapped_column(Instant)
    vence_at: Mapped[datetime] = mapped_column(Instant)
    revocada_at: Mapped[datetime | None] = mapped_column(Instant)
    prestador_id: Mapped[int | None] = mapped_column(Id, ForeignKey("prestadores.id"))


class ClaseTarea(StrEnum):
    """What a person is asked to do."""

    CONFIRMAR_RESULTADO = "confirmar_resultado"  # unknown outcome that the portal cannot settle
    CONSEGUIR_NUMERO = "conseguir_numero"  # received without number, level 1
    ATENDER_PORTAL = "atender_portal"  # captcha, credentials, changed layout, certificate
    ANULAR_Y_REEXPEDIR = "anular_y_reexpedir"  # RAD-01 lapsed: Res. 948/2026 art. 15 par. 1
    CORREGIR_RECHAZO = "corregir_rechazo"  # payer refused; a corrected filing is a new round
    RADICADA_POR_FUERA = "radicada_por_fuera"  # the portal holds a filing older than our intent
    EMITIR_NOTA_CREDITO = "emitir_nota_credito"  # accepted value: Res. 2284/2023 Anexo 3, RE97 and RE98
    APROBAR_RESPUESTA = "aprobar_respuesta"  # above the four-eyes amount
    REVISAR_SILENCIO = "revisar_silencio"  # a term lapsed: its effect was applied, or a person must decide
    DECIDIR_GLOSA = "decidir_glosa"  # the payer's silence or ratification has no effect by itself
    NOTA_AJUSTE_RIPS = "nota_ajuste_rips"  # SO61: adjust the RIPS, no money
    COMPROMISO_INCUMPLIDO = "compromiso_incumplido"  # a promised payment did not come
    REVISAR_CUSTODIA = "revisar_custodia"  # a verification found something grave
    VIGILAR_PRESCRIPCION = "vigilar_prescripcion"  # the shortest term to claim is near
    COMPROBACION_FALLIDA = "comprobacion_fallida"  # the checker broke off over an invoice: part of it is unchecked
    REVISAR_ACCESO = "revisar_acceso"  # somebody opened health data by exception: an auditor looks at it


class Tarea(Base):
    """A thing for a person to do, tied to its case by key (`envio:12`); one open task per kind and case."""

    __tablename__ = "tareas"
    __table_args__ = (
        one_of("clase", ClaseTarea, name="clase"),
        CheckConstraint("(cerrada_at IS NULL) = (cerrada_por IS NULL)", name="cierre"),
        Index(
            "uq_tareas_abierta",
            "clase",
            "case_key",
            unique=True,
            sqlite_where=text("cerrada_at IS NULL"),
            postgresql_where=text("cerrada_at IS NULL"),
        ),
        Index("ix_tareas_prestador_abierta", "prestador_id", "cerrada_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    clase: Mapped[ClaseTarea] = mapped_column(EnumText(ClaseTarea))
    case_key: Mapped[str] = mapped_column(String(60))
    titulo: Mapped[str] = mapped_column(String(300))
    detalle: Mapped[str] = mapped_column(Text, default="")
    responsable_id: Mapped[int | None] = mapped_column(Id, ForeignKey("usuarios.id"))
    creada_at: Mapped[datetime] = mapped_column(Instant)
    cerrada_at: Mapped[datetime | None] = mapped_column(Instant)
    cerrada_por: Mapped[str | None] = mapped_column(String(120))
    resultado: Mapped[str | None] = mapped_column(Text)


class AccesoExcepcional(Base):
    """Break-glass: health data of one case opened for a short while by who has no role for it, with the reason."""

    __tablename__ = "accesos_excepcionales"
    __table_args__ = (Index("ix_accesos_excepcionales_usuario", "usuario_id", "case_key", "hasta"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    usuario_id: Mapped[int] = mapped_column(Id, ForeignKey("usuarios.id"))
    case_key: Mapped[str] = mapped_column(String(60))
    motivo: Mapped[str] = mapped_column(Text)
    desde: Mapped[datetime] = mapped_column(Instant)
    hasta: Mapped[datetime] = mapped_column(Instant)
