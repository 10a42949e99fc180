"""Tables of the seals: leaves and tiles of the Merkle tree, its sealed heads, their time stamps, where they were told.

Invariant: rows are only added (triggers on both databases). A leaf is the head of one chain at one moment, or the
hash of a dossier's manifests; the tree is one for the whole house, over leaves that name no provider and no patient.
Norms: RFC 6962 (tree and proofs), RFC 3161 (time-stamp token), Ley 527/1999 arts. 9 and 12.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from radica.kernel.columns import EnumText, Id, Instant, one_of
from radica.kernel.db import Base


class TipoHoja(StrEnum):
    """What a leaf stands for."""

    CADENA = "cadena"  # head of a chain of history or of readings
    MANIFIESTO = "manifiesto"  # hash of the manifests of an exported dossier


class Hoja(Base):
    """One leaf of the tree. `nombre` is the chain (`factura:12`, `lecturas:1`) or the dossier (`expediente:3`)."""

    __tablename__ = "hojas"
    __table_args__ = (
        one_of("tipo", TipoHoja, name="tipo"),
        CheckConstraint("length(hash) = 64", name="hash"),
        CheckConstraint("length(hoja) = 64", name="hoja"),
        UniqueConstraint("tipo", "nombre", "seq"),
    )

    indice: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)  # 0, 1, 2… without holes
    tipo: Mapped[TipoHoja] = mapped_column(EnumText(TipoHoja))
    nombre: Mapped[str] = mapped_column(String(60))
    seq: Mapped[int] = mapped_column(Integer)  # of the link that was the head; of a dossier, its export number
    hash: Mapped[str] = mapped_column(String(64))  # the link's hash, or the hash of the manifests
    hoja: Mapped[str] = mapped_column(String(64))  # RFC 6962 leaf hash over the canonical bytes of this row


class Mosaico(Base):
    """A complete tile of the tree, so that proofs need few rows: 256 neighbours at height 8 × `nivel`, and their root."""

    __tablename__ = "mosaicos"

    nivel: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    indice: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary)  # 257 × 32 bytes, the root last


class Sello(Base):
    """One sealed head of the tree: how many leaves, which root."""

    __tablename__ = "sellos"
    __table_args__ = (CheckConstraint("length(raiz) = 64", name="raiz"), CheckConstraint("hojas >= 1", name="hojas"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    hojas: Mapped[int] = mapped_column(BigInteger, unique=True)  # tree size
    raiz: Mapped[str] = mapped_column(String(64))
    creado_at: Mapped[datetime] = mapped_column(Instant)  # business clock
    recorded_at: Mapped[datetime] = mapped_column(Instant)  # database clock


class TokenTiempo(Base):
    """A verified RFC 3161 token over the hash of a sealed head; several authorities may stamp one head."""

    __tablename__ = "tokens_tiempo"
    __table_args__ = (UniqueConstraint("sello_id", "tsa"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    sello_id: Mapped[int] = mapped_column(Id, ForeignKey("sellos.id"))
    tsa: Mapped[str] = mapped_column(String(80))
    token: Mapped[bytes] = mapped_column(LargeBinary)  # DER of the TimeStampResp's token (ContentInfo)
    cadena: Mapped[str] = mapped_column(Text)  # PEM: certificates of the authority up to its root
    hora: Mapped[datetime] = mapped_column(Instant)  # genTime of the authority
    serie: Mapped[str] = mapped_column(String(80))
    acreditada: Mapped[bool] = mapped_column(Boolean)  # ONAC accreditation as configured, not as believed
    recibido_at: Mapped[datetime] = mapped_column(Instant)


class FalloTsa(Base):
    """An authority that did not answer, or answered what is not a token over our hash; the head waits for it."""

    __tablename__ = "fallos_tsa"
    __table_args__ = (Index("ix_fallos_tsa_sello", "sello_id", "tsa"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    sello_id: Mapped[int] = mapped_column(Id, ForeignKey("sellos.id"))
    tsa: Mapped[str] = mapped_column(String(80))
    motivo: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime] = mapped_column(Instant)


class PublicacionSello(Base):
    """Where the line of a sealed head was told: the file, or the auditor's mail."""

    __tablename__ = "publicaciones_sello"
    __table_args__ = (UniqueConstraint("sello_id", "destino"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    sello_id: Mapped[int] = mapped_column(Id, ForeignKey("sellos.id"))
    destino: Mapped[str] = mapped_column(String(200))  # `archivo`, or `correo:` and the address
    at: Mapped[datetime] = mapped_column(Instant)
