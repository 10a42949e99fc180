"""Tables of the mailboxes in which payers' notices arrive, and of the mails read from them.

Invariant: a mail is one per provider by its Message-ID and by the hash of its bytes; its raw bytes are a piece of
custody before anything in it is believed. Norm: Ley 527/1999 arts. 20–24 (receipt and time of a data message).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from radica.kernel.columns import CanonicalJson, EnumText, Id, Instant, one_of
from radica.kernel.db import Base


class BuzonCorreo(Base):
    """An IMAP mailbox of one provider; the password is encrypted."""

    __tablename__ = "buzones_correo"
    __table_args__ = (UniqueConstraint("prestador_id", "servidor", "usuario", "carpeta"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    servidor: Mapped[str] = mapped_column(String(200))
    puerto: Mapped[int] = mapped_column(Integer, default=993)
    seguridad: Mapped[str] = mapped_column(String(10), default="tls")  # tls, starttls, ninguna (loopback only)
    usuario: Mapped[str] = mapped_column(String(200))
    clave_cifrada: Mapped[bytes] = mapped_column(LargeBinary)
    carpeta: Mapped[str] = mapped_column(String(200), default="INBOX")
    marcar_leido: Mapped[bool] = mapped_column(Boolean, default=False)
    uidvalidity: Mapped[int | None] = mapped_column(BigInteger)
    ultimo_uid: Mapped[int] = mapped_column(BigInteger, default=0)
    activo: Mapped[bool] = mapped_column(Boolean, default=True)
    leido_at: Mapped[datetime | None] = mapped_column(Instant)
    fallo: Mapped[str | None] = mapped_column(String(300))


class ClaseCorreo(StrEnum):
    """What a mail is, by its subject, its attachments and the codes in them."""

    GLOSA = "glosa"
    DEVOLUCION = "devolucion"
    DECISION = "decision"
    ACUSE = "acuse"
    OTRO = "otro"


class Correo(Base):
    """One mail as it arrived: who says to have sent it, when it arrived, what it was taken for and why."""

    __tablename__ = "correos"
    __table_args__ = (
        one_of("clase", ClaseCorreo, name="clase"),
        UniqueConstraint("prestador_id", "sha256"),
        Index("ix_correos_message", "prestador_id", "message_id"),
        Index("ix_correos_llegada", "prestador_id", "llegada_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    buzon_id: Mapped[int | None] = mapped_column(Id, ForeignKey("buzones_correo.id"))
    message_id: Mapped[str] = mapped_column(String(300))
    sha256: Mapped[str] = mapped_column(String(64), ForeignKey("blobs.sha256"))
    bytes: Mapped[int] = mapped_column(BigInteger)
    remitente: Mapped[str] = mapped_column(String(320))
    asunto: Mapped[str] = mapped_column(String(500))
    enviado_at: Mapped[datetime | None] = mapped_column(Instant)
    llegada_at: Mapped[datetime] = mapped_column(Instant)  # the server's own time of arrival
    leido_at: Mapped[datetime] = mapped_column(Instant)
    clase: Mapped[ClaseCorreo] = mapped_column(EnumText(ClaseCorreo))
    razones: Mapped[list[str]] = mapped_column(CanonicalJson, default=list)
    problema: Mapped[str | None] = mapped_column(Text)  # why it was not read, for the person
