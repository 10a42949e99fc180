"""Tables of glosas and devoluciones: what arrived, the objections and the dated acts upon them.

Invariant: of each glosa valor = aceptado + levantado + en_disputa, in centavos, held by a CHECK; a devolución is of
a whole invoice and carries no line money; each act is one row that is only added (triggers), with its date, its
evidence and the term it kept or broke. Norms: Res. 2284/2023 art. 6 and Anexo 3; Ley 1438/2011 art. 57.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from radica.audit.models import LegalThing
from radica.glosas.codes import Manual
from radica.glosas.states import DEVOLUCION, GLOSA, EstadoDevolucion, EstadoGlosa
from radica.kernel.columns import CanonicalJson, Cents, EnumText, Id, Instant, one_of
from radica.kernel.db import Base
from radica.kernel.flow import Machine


class Notificacion(Base):
    """One arrival: a file, letter or mail in which a payer objects or decides; its lines stand in `lineas_leidas`."""

    __tablename__ = "notificaciones"
    __table_args__ = (
        CheckConstraint("origen IN ('archivo', 'correo', 'portal', 'mano')", name="origen"),
        # The same bytes again, under whatever name, are the same notice.
        UniqueConstraint("prestador_id", "sha256", "parte"),
        Index("ix_notificaciones_prestador_recibida", "prestador_id", "recibida_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    pagador_id: Mapped[int | None] = mapped_column(Id, ForeignKey("pagadores.id"))
    origen: Mapped[str] = mapped_column(String(10))
    formato: Mapped[str] = mapped_column(String(40), default="")
    confianza: Mapped[int] = mapped_column(Integer, default=0)
    nombre: Mapped[str] = mapped_column(String(300))
    parte: Mapped[str] = mapped_column(String(300), default="")  # name inside its mail or ZIP
    sha256: Mapped[str] = mapped_column(String(64), ForeignKey("blobs.sha256"))
    correo_id: Mapped[int | None] = mapped_column(Id, ForeignKey("correos.id"))
    recibida_at: Mapped[datetime] = mapped_column(Instant)  # arrival: the mail's, or what the person said
    recibida_segun: Mapped[str] = mapped_column(String(20), default="archivo")  # correo, portal, persona, archivo
    cargada_at: Mapped[datetime] = mapped_column(Instant)
    cargada_por: Mapped[str] = mapped_column(String(120))
    total_leido: Mapped[int] = mapped_column(Cents, default=0)
    total_declarado: Mapped[int | None] = mapped_column(Cents)
    lineas: Mapped[int] = mapped_column(Integer, default=0)
    nuevas: Mapped[int] = mapped_column(Integer, default=0)
    repetidas: Mapped[int] = mapped_column(Integer, default=0)
    sin_cruzar: Mapped[int] = mapped_column(Integer, default=0)
    no_leidas: Mapped[int] = mapped_column(Integer, default=0)
    avisos: Mapped[list[str]] = mapped_column(CanonicalJson, default=list)
    terminada_at: Mapped[datetime | None] = mapped_column(Instant)  # null while its lines are being stored


class DestinoLinea(StrEnum):
    """What became of a line of a file."""

    CARGADA = "cargada"  # a new glosa or devolución
    REPETIDA = "repetida"  # the same objection as before (cumulative file): nothing changed
    APLICADA = "aplicada"  # a decision that moved its glosa
    SIN_CRUZAR = "sin_cruzar"  # no invoice, or more than one, or another tenant's: a person decides
    POR_DECIDIR = "por_decidir"  # clear, but it would change money or a state against the rules: a person decides
    NO_LEIDA = "no_leida"  # the row could not be read
    DESCARTADA = "descartada"  # a person said that it is nothing


class LineaNotificada(Base):
    """One row of a notice as it came, and what became of it; the tray of what was not matched is a query on it."""

    __tablename__ = "lineas_notificadas"
    __table_args__ = (
        one_of("destino", DestinoLinea, name="destino"),
        Index("ix_lineas_notificadas_notificacion", "notificacion_id", "id"),
        Index(
            "ix_lineas_notificadas_bandeja",
            "prestador_id",
            "id",
            sqlite_where=text("destino IN ('sin_cruzar', 'por_decidir', 'no_leida')"),
            postgresql_where=text("destino IN ('sin_cruzar', 'por_decidir', 'no_leida')"),
        ),
        Index(
            "ix_lineas_notificadas_descartadas",
            "prestador_id",
            "marca_descarte",
            sqlite_where=text("marca_descarte IS NOT NULL"),
            postgresql_where=text("marca_descarte IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    notificacion_id: Mapped[int] = mapped_column(Id, ForeignKey("notificaciones.id"))
    hoja: Mapped[str] = mapped_column(String(80), default="")
    fila: Mapped[int] = mapped_column(Integer)
    destino: Mapped[DestinoLinea] = mapped_column(EnumText(DestinoLinea))
    razon: Mapped[str | None] = mapped_column(String(60))  # coded: factura_desconocida, factura_ambigua, mayor_valor…
    motivo: Mapped[str | None] = mapped_column(Text)  # for the person
    valor: Mapped[int] = mapped_column(Cents, default=0)
    contenido: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)  # the line as read (health data)
    factura_id: Mapped[int | None] = mapped_column(Id, ForeignKey("facturas.id"))
    glosa_id: Mapped[int | None] = mapped_column(Id, ForeignKey("glosas.id"))
    devolucion_id: Mapped[int | None] = mapped_column(Id, ForeignKey("devoluciones.id"))
    resuelta_at: Mapped[datetime | None] = mapped_column(Instant)
    resuelta_por: Mapped[str | None] = mapped_column(String(120))
    marca_descarte: Mapped[str | None] = mapped_column(String(64))  # by which a discarded line is known when it returns


class ItemFactura(Base):
    """A service of an invoice's RIPS, to which glosas are matched; filled from the RIPS document when first needed."""

    __tablename__ = "items_factura"
    __table_args__ = (
        UniqueConstraint("factura_id", "documento_id", "usuario", "tipo", "consecutivo"),
        Index("ix_items_factura_codigo", "factura_id", "codigo"),
        Index(
            "ix_items_factura_paciente",
            "prestador_id",
            "paciente_documento",
            sqlite_where=text("paciente_documento IS NOT NULL"),
            postgresql_where=text("paciente_documento IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    factura_id: Mapped[int] = mapped_column(Id, ForeignKey("facturas.id"))
    documento_id: Mapped[int] = mapped_column(Id, ForeignKey("documentos.id"))
    tipo: Mapped[str] = mapped_column(String(30))
    usuario: Mapped[int] = mapped_column(Integer)
    consecutivo: Mapped[int] = mapped_column(Integer)
    codigo: Mapped[str] = mapped_column(String(40))
    descripcion: Mapped[str] = mapped_column(String(300), default="")
    paciente_documento: Mapped[str | None] = mapped_column(String(40))
    valor: Mapped[int] = mapped_column(Cents)


class Confianza(StrEnum):
    """How sure a match or a homologation is."""

    EXACTA = "exacta"
    ALTA = "alta"
    MEDIA = "media"
    BAJA = "baja"
    NINGUNA = "ninguna"


class Devolucion(LegalThing, Base):
    """The return of a whole invoice. Its money is the invoice's, counted once however many lines repeat it."""

    KIND: ClassVar[str] = "devolucion"
    MACHINE: ClassVar[Machine] = DEVOLUCION

    __tablename__ = "devoluciones"
    __table_args__ = (
        one_of("estado", EstadoDevolucion, name="estado"),
        CheckConstraint("valor >= 0", name="valor"),
        # Res. 2284/2023 art. 6.1: once. A second one is kept as a line for a person, not as a devolución.
        Index(
            "uq_devoluciones_factura",
            "factura_id",
            unique=True,
            sqlite_where=text("estado <> 'anulada'"),
            postgresql_where=text("estado <> 'anulada'"),
        ),
        Index(
            "ix_devoluciones_bandeja",
            "prestador_id",
            "turno",
            "vence",
            "id",
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    factura_id: Mapped[int] = mapped_column(Id, ForeignKey("facturas.id"))
    pagador_id: Mapped[int] = mapped_column(Id, ForeignKey("pagadores.id"))
    notificacion_id: Mapped[int | None] = mapped_column(Id, ForeignKey("notificaciones.id"))
    codigo: Mapped[str] = mapped_column(String(12))
    causales: Mapped[list[dict[str, Any]]] = mapped_column(CanonicalJson, default=list)  # [{codigo, motivo}]
    numero: Mapped[str | None] = mapped_column(String(60))
    motivo: Mapped[str] = mapped_column(Text, default="")
    valor: Mapped[int] = mapped_column(Cents)
    notificada_at: Mapped[datetime] = mapped_column(Instant)
    notificada_segun: Mapped[str] = mapped_column(String(20))
    extemporanea: Mapped[bool] = mapped_column(Boolean, default=False)
    dias_pagador: Mapped[int | None] = mapped_column(Integer)  # business days from filing to notice
    turno: Mapped[str] = mapped_column(String(10))  # ips, pagador, '' when nobody's term runs
    vence: Mapped[date | None] = mapped_column(Date)  # the earlier reading of the running term
    vence_alterno: Mapped[date | None] = mapped_column(Date)
    vence_termino: Mapped[str | None] = mapped_column(String(12))
    responsable_id: Mapped[int | None] = mapped_column(Id, ForeignKey("usuarios.id"))
    pendiente_hasta: Mapped[date | None] = mapped_column(Date)
    pendiente_motivo: Mapped[str | None] = mapped_column(String(300))
    creada_at: Mapped[datetime] = mapped_column(Instant)


class Glosa(LegalThing, Base):
    """One objection to one line. All amounts in centavos; `valor` is what counts, `valor_objetado` what came."""

    KIND: ClassVar[str] = "glosa"
    MACHINE: ClassVar[Machine] = GLOSA

    __tablename__ = "glosas"
    __table_args__ = (
        one_of("estado", EstadoGlosa, name="estado"),
        one_of("manual", Manual, name="manual"),
        one_of("item_confianza", Confianza, name="item_confianza"),
        CheckConstraint("turno IN ('ips', 'pagador', '')", name="turno"),
        # DESIGN section 4: glosado = aceptado + levantado + en disputa, always.
        CheckConstraint("valor = aceptado + levantado + en_disputa", name="identidad"),
        CheckConstraint(
            "valor >= 0 AND aceptado >= 0 AND levantado >= 0 AND en_disputa >= 0 AND valor_objetado >= valor",
            name="importes",
        ),
        CheckConstraint("exceso = (CASE WHEN valor_objetado > valor THEN 1 ELSE 0 END)", name="exceso"),
        CheckConstraint(
            "estado NOT IN ('aceptada_total', 'aceptada_tacita', 'levantada_total', 'conciliada', 'anulada')"
            " OR en_disputa = 0",
            name="final_sin_disputa",
        ),
        # The same objection again (cumulative files, the same mail twice) is not a new glosa.
        UniqueConstraint("prestador_id", "huella"),
        Index("ix_glosas_factura", "factura_id"),
        # The tray's order, totals and tiles read nothing but this index, also when it is narrowed: an eighth of the time.
        Index(
            "ix_glosas_bandeja",
            "prestador_id",
            "turno",
            "vence",
            "en_disputa",
            "id",
            "pendiente_hasta",
            "responsable_id",
            "pagador_id",
            "codigo",
            "familia",
        ),
        Index("ix_glosas_dinero", "prestador_id", "turno", "en_disputa", "id"),
        Index("ix_glosas_prestador_estado", "prestador_id", "estado"),
        Index("ix_glosas_responsable", "responsable_id", "turno", "vence"),
        Index("ix_glosas_pagador", "prestador_id", "pagador_id", "codigo"),
        Index("ix_glosas_numero", "prestador_id", "numero_glosa"),
        Index(
            "ix_glosas_paciente",
            "prestador_id",
            "paciente_documento",
            sqlite_where=text("paciente_documento IS NOT NULL"),
            postgresql_where=text("paciente_documento IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    factura_id: Mapped[int] = mapped_column(Id, ForeignKey("facturas.id"))
    pagador_id: Mapped[int] = mapped_column(Id, ForeignKey("pagadores.id"))
    notificacion_id: Mapped[int | None] = mapped_column(Id, ForeignKey("notificaciones.id"))
    huella: Mapped[str] = mapped_column(String(64))
    codigo: Mapped[str] = mapped_column(String(12))  # of its manual; as written when no manual has it
    codigo_original: Mapped[str] = mapped_column(String(40))
    familia: Mapped[str] = mapped_column(String(2), default="")  # FA TA SO AU CO CL SA, '' unknown
    manual: Mapped[Manual] = mapped_column(EnumText(Manual))
    numero_glosa: Mapped[str | None] = mapped_column(String(60))
    servicio: Mapped[str | None] = mapped_column(String(60))
    descripcion_servicio: Mapped[str | None] = mapped_column(String(300))
    motivo: Mapped[str] = mapped_column(Text, default="")
    paciente_documento: Mapped[str | None] = mapped_column(String(40))
    item_id: Mapped[int | None] = mapped_column(Id, ForeignKey("items_factura.id"))
    item_confianza: Mapped[Confianza] = mapped_column(EnumText(Confianza), default=Confianza.NINGUNA)
    valor_objetado: Mapped[int] = mapped_column(Cents)
    valor: Mapped[int] = mapped_column(Cents)
    exceso: Mapped[int] = mapped_column(Integer, default=0)  # 1 or 0
    aceptado: Mapped[int] = mapped_column(Cents, default=0)
    levantado: Mapped[int] = mapped_column(Cents, default=0)
    en_disputa: Mapped[int] = mapped_column(Cents)
    ronda: Mapped[int] = mapped_column(Integer, default=1)
    notificada_at: Mapped[datetime] = mapped_column(Instant)
    notificada_segun: Mapped[str] = mapped_column(String(20))
    fecha_segun_pagador: Mapped[date | None] = mapped_column(Date)
    extemporanea: Mapped[bool] = mapped_column(Boolean, default=False)
    dias_pagador: Mapped[int | None] = mapped_column(Integer)  # business days from filing to notice
    respondida_at: Mapped[datetime | None] = mapped_column(Instant)
    decidida_at: Mapped[datetime | None] = mapped_column(Instant)
    turno: Mapped[str] = mapped_column(String(10))
    vence: Mapped[date | None] = mapped_column(Date)
    vence_alterno: Mapped[date | None] = mapped_column(Date)
    vence_termino: Mapped[str | None] = mapped_column(String(12))
    responsable_id: Mapped[int | None] = mapped_column(Id, ForeignKey("usuarios.id"))
    pendiente_hasta: Mapped[date | None] = mapped_column(Date)
    pendiente_motivo: Mapped[str | None] = mapped_column(String(300))
    creada_at: Mapped[datetime] = mapped_column(Instant)


class TipoActo(StrEnum):
    """A dated act upon a devolución or glosa (Anexo Técnico 3 num. 2)."""

    NOTIFICACION = "notificacion"
    RESPUESTA = "respuesta"
    DECISION = "decision"
    SUBSANACION = "subsanacion"
    SILENCIO = "silencio"
    CONCILIACION = "conciliacion"
    CORRECCION = "correccion"


class Acto(Base):
    """One act, one row, only added: what, when, by whom, with what money and evidence, inside which term."""

    __tablename__ = "actos"
    __table_args__ = (
        one_of("tipo", TipoActo, name="tipo"),
        CheckConstraint("(glosa_id IS NULL) <> (devolucion_id IS NULL)", name="uno"),
        CheckConstraint("aceptado >= 0 AND levantado >= 0", name="importes"),
        Index("ix_actos_glosa", "glosa_id"),
        Index("ix_actos_devolucion", "devolucion_id"),
        Index("ix_actos_factura", "factura_id", "ocurrido_at"),
        Index("ix_actos_siifa", "prestador_id", "siifa_vence"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    factura_id: Mapped[int] = mapped_column(Id, ForeignKey("facturas.id"))
    glosa_id: Mapped[int | None] = mapped_column(Id, ForeignKey("glosas.id"))
    devolucion_id: Mapped[int | None] = mapped_column(Id, ForeignKey("devoluciones.id"))
    tipo: Mapped[TipoActo] = mapped_column(EnumText(TipoActo))
    ronda: Mapped[int] = mapped_column(Integer, default=1)
    autor: Mapped[str] = mapped_column(String(10))  # ips, pagador, reloj, ambos
    codigo: Mapped[str | None] = mapped_column(String(12))  # glosa code, RE code, or the payer's word
    aceptado: Mapped[int] = mapped_column(Cents, default=0)
    levantado: Mapped[int] = mapped_column(Cents, default=0)
    texto: Mapped[str] = mapped_column(Text, default="")
    ocurrido_at: Mapped[datetime] = mapped_column(Instant)
    registrado_at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(120))
    nivel_prueba: Mapped[int] = mapped_column(Integer, default=0)
    evidencia: Mapped[list[str]] = mapped_column(CanonicalJson, default=list)  # SHA-256 of pieces
    # The term of this act: {"termino","desde","vence","dias":n,"calendario","oportuno":bool,"lecturas":[…]} or {}.
    plazo: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)
    siifa_vence: Mapped[datetime | None] = mapped_column(Instant)  # GLO-09: 48 business hours; null when it is not ours


class RegistroSiifa(Base):
    """That an act was registered in SIIFA (GLO-09), by whom and with what proof; only added."""

    __tablename__ = "registros_siifa"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    acto_id: Mapped[int] = mapped_column(Id, ForeignKey("actos.id"), unique=True)
    registrado_at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(120))
    referencia: Mapped[str] = mapped_column(String(120), default="")
    evidencia: Mapped[list[str]] = mapped_column(CanonicalJson, default=list)
