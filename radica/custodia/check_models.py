"""Tables of the care of what is kept: verifications, what they found, until when a blob may not be deleted.

Invariant: a verification never deletes nor mends; its findings are only added; a retention date never moves back.
Norms: Res. 839/2017 art. 3 (clinical records), Ley 962/2005 art. 28 (commercial papers), Ley 527/1999 art. 12.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from radica.kernel.columns import CanonicalJson, EnumText, Id, Instant, one_of
from radica.kernel.db import Base


class EstadoVerificacion(StrEnum):
    """How a verification stands: technical, so no legal machine."""

    EN_CURSO = "en_curso"
    TERMINADA = "terminada"
    PAUSADA = "pausada"  # its budget of bytes is spent, or its process ended; the next run goes on at the cursor


class TipoHallazgo(StrEnum):
    """What may be wrong with what is kept."""

    ALTERADO = "alterado"  # bytes, link, leaf or root are not what they were
    FALTANTE = "faltante"  # a row names what is not there
    HUERFANO = "huerfano"  # a blob that no row names: left by a power cut, never removed
    CADENA_ROTA = "cadena_rota"  # a link does not follow the one before, or a head is not its last link
    SELLO_INVALIDO = "sello_invalido"  # root or token do not hold
    ILEGIBLE = "ilegible"  # could not be read or decrypted now; says nothing of the rest


class Gravedad(StrEnum):
    """How much it matters."""

    GRAVE = "grave"
    AVISO = "aviso"
    NOTA = "nota"


class Verificacion(Base):
    """One run over the store, the chains, the tree and the tokens; resumable at its cursor."""

    __tablename__ = "verificaciones"
    __table_args__ = (one_of("estado", EstadoVerificacion, name="estado"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    origen: Mapped[str] = mapped_column(String(20))  # nocturna, persona
    actor: Mapped[str] = mapped_column(String(120))
    alcance: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)  # {factura, desde, prestador}
    estado: Mapped[EstadoVerificacion] = mapped_column(EnumText(EstadoVerificacion))
    etapa: Mapped[str] = mapped_column(String(20), default="")  # blobs, cadenas, arbol, tokens
    cursor: Mapped[str] = mapped_column(String(200), default="")
    revisados: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    cuentas: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)  # what was looked at, by kind
    iniciada_at: Mapped[datetime] = mapped_column(Instant)
    terminada_at: Mapped[datetime | None] = mapped_column(Instant)


class HallazgoCustodia(Base):
    """One thing that a verification found. Names objects by key or hash, never by what they say."""

    __tablename__ = "hallazgos_custodia"
    __table_args__ = (
        one_of("tipo", TipoHallazgo, name="tipo"),
        one_of("gravedad", Gravedad, name="gravedad"),
        Index("ix_hallazgos_custodia_verificacion", "verificacion_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    verificacion_id: Mapped[int] = mapped_column(Id, ForeignKey("verificaciones.id"))
    prestador_id: Mapped[int | None] = mapped_column(Id, ForeignKey("prestadores.id"))  # None: of the whole house
    tipo: Mapped[TipoHallazgo] = mapped_column(EnumText(TipoHallazgo))
    gravedad: Mapped[Gravedad] = mapped_column(EnumText(Gravedad))
    objeto: Mapped[str] = mapped_column(String(160))  # `blob:<sha256>`, `factura:12`, `hoja:77`, `sello:3`
    esperado: Mapped[str] = mapped_column(String(200), default="")
    hallado: Mapped[str] = mapped_column(String(200), default="")
    detalle: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(Instant)


class RetencionBlob(Base):
    """Until when a blob may not be deleted, by the longest of its uses; the store holds the same date where it can."""

    __tablename__ = "retencion_blobs"
    __table_args__ = (CheckConstraint("length(sha256) = 64", name="sha256"),)

    sha256: Mapped[str] = mapped_column(String(64), ForeignKey("blobs.sha256"), primary_key=True)
    hasta: Mapped[date] = mapped_column(Date)
    regla: Mapped[str] = mapped_column(String(60))  # key of the row in data/retencion.csv
    aplicada_at: Mapped[datetime | None] = mapped_column(Instant)  # when the store took it; None: still to do
