"""Tables of the blind index: which words a document holds, as keyed hashes that tell nothing without the key.

Invariant: no text of a document stands here, only HMACs of its words under a key of the provider; rows of one
provider answer only questions of that provider. Norm: Ley 1581/2012 arts. 4 and 5 (health data, restricted access).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from radica.kernel.columns import Id, Instant
from radica.kernel.db import Base


class TextoIndexado(Base):
    """A blob of one provider whose words are in the index, or why they are not."""

    __tablename__ = "textos_indexados"
    __table_args__ = (UniqueConstraint("prestador_id", "sha256"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    sha256: Mapped[str] = mapped_column(String(64), ForeignKey("blobs.sha256"))
    palabras: Mapped[int] = mapped_column(Integer)
    resultado: Mapped[str] = mapped_column(String(40))  # indexado, sin_texto, ilegible, otro_formato
    at: Mapped[datetime] = mapped_column(Instant)


class PalabraTexto(Base):
    """One word of one indexed blob: the first 8 bytes of its HMAC as a signed integer."""

    __tablename__ = "palabras_texto"

    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"), primary_key=True, autoincrement=False)
    palabra: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    texto_id: Mapped[int] = mapped_column(Id, ForeignKey("textos_indexados.id"), primary_key=True, autoincrement=False)
