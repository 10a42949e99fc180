"""Tables of custody: blobs by their hash, and pieces: what a blob is evidence of, for one provider.

Invariant: rows are only added (triggers refuse UPDATE and DELETE). A blob is one on disk whoever brought it; a
piece is of one provider, and only pieces are searched, counted as duplicates or downloaded: a hash alone opens
nothing and tells nothing.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from radica.kernel.columns import Id, Instant
from radica.kernel.db import Base


class Blob(Base):
    """Bytes in the store, named by their SHA-256."""

    __tablename__ = "blobs"
    __table_args__ = (CheckConstraint("length(sha256) = 64", name="sha256"), CheckConstraint("bytes >= 0", name="size"))

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    stored_at: Mapped[datetime] = mapped_column(Instant)


class Pieza(Base):
    """One sealed piece of evidence of one case: which bytes, what they are, who sealed them and when."""

    __tablename__ = "piezas"
    __table_args__ = (
        Index("ix_piezas_case", "case_key"),
        Index("ix_piezas_prestador_sha", "prestador_id", "sha256"),
        Index("uq_piezas_same", "case_key", "group_key", "nombre", "sha256", unique=True),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    case_key: Mapped[str] = mapped_column(String(60))
    group_key: Mapped[str] = mapped_column(String(60), default="")  # e.g. `intento:44`, `lectura:9`
    sha256: Mapped[str] = mapped_column(String(64), ForeignKey("blobs.sha256"))
    bytes: Mapped[int] = mapped_column(BigInteger)
    nombre: Mapped[str] = mapped_column(String(300))
    clase: Mapped[str] = mapped_column(String(40))
    media_type: Mapped[str] = mapped_column(String(100))
    origen: Mapped[str] = mapped_column(String(40))  # bot, persona, importacion
    nota: Mapped[str] = mapped_column(Text, default="")
    sellada_at: Mapped[datetime] = mapped_column(Instant)
    sellada_por: Mapped[str] = mapped_column(String(120))
