"""Tables of the history: transitions per case, heads of their chains, and the log of who read what.

Invariant: rows are only added (triggers refuse UPDATE and DELETE on `transitions` and `access_log` in both
databases); (case_key, seq) is unique, so that a chain cannot fork. Serves Ley 527/1999 arts. 9 and 11 (integrity
and reliability of a data message) and Ley 1581/2012 art. 17 (who consulted health data).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from radica.kernel.columns import CanonicalJson, EnumText, Id, Instant
from radica.kernel.db import Base
from radica.kernel.flow import Machine


class LegalThing:
    """Mixin of whatever has a legal state: only `audit.advance()` may set `estado` and `version`."""

    KIND: ClassVar[str]
    MACHINE: ClassVar[Machine]

    id: Mapped[int]
    prestador_id: Mapped[int]

    @declared_attr
    def estado(cls) -> Mapped[Any]:  # noqa: N805 - declared_attr hands the class
        """Present state; a member of the machine's enum."""
        return mapped_column(EnumText(cls.MACHINE.states), nullable=False)

    @declared_attr
    def version(cls) -> Mapped[int]:  # noqa: N805 - declared_attr hands the class
        """Counts the moves; a page sends back the one it was drawn with."""
        return mapped_column(Integer, nullable=False, default=0)

    @property
    def case_key(self) -> str:
        """Name of the chain in which the moves of this thing stand."""
        return f"{self.KIND}:{self.id}"


class Transition(Base):
    """One move of one thing: from, event, to, who, when, why, with which evidence, and the hash before it."""

    __tablename__ = "transitions"
    __table_args__ = (
        UniqueConstraint("case_key", "seq"),
        CheckConstraint("seq >= 1", name="seq_positive"),
        Index("ix_transitions_prestador_recorded", "prestador_id", "recorded_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    case_key: Mapped[str] = mapped_column(String(60))
    seq: Mapped[int] = mapped_column(Integer)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    thing: Mapped[str] = mapped_column(String(30))
    thing_id: Mapped[int] = mapped_column(Id)
    event: Mapped[str] = mapped_column(String(40))
    from_state: Mapped[str] = mapped_column(String(40))
    to_state: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(String(60))
    note: Mapped[str] = mapped_column(Text, default="")
    facts: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)
    evidence: Mapped[list[str]] = mapped_column(CanonicalJson, default=list)
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)


class ChainHead(Base):
    """The last link of each chain; locked while a link is added, so that chains do not fork.

    `pendiente` only says where the next seal has to look: what counts as sealed is the leaf of that link.
    """

    __tablename__ = "chain_heads"
    # Heads that wait are few among millions; a yes-or-no column, because an append to one that waits already then
    # touches no index.
    __table_args__ = (
        Index(
            "ix_chain_heads_pendiente", "case_key", sqlite_where=text("pendiente"), postgresql_where=text("pendiente")
        ),
    )

    case_key: Mapped[str] = mapped_column(String(60), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer)
    hash: Mapped[str] = mapped_column(String(64))
    pendiente: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())


class AccessLog(Base):
    """Who read, downloaded or exported which document, and for what; one chain per provider."""

    __tablename__ = "access_log"
    __table_args__ = (UniqueConstraint("prestador_id", "seq"), Index("ix_access_log_case", "case_key"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    seq: Mapped[int] = mapped_column(Integer)
    actor: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(30))
    purpose: Mapped[str] = mapped_column(String(120))
    object: Mapped[str] = mapped_column(String(120))
    sha256: Mapped[str | None] = mapped_column(String(64))
    case_key: Mapped[str | None] = mapped_column(String(60))  # hashed where it is told; rows from before it have none
    at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)


class Apunte(StrEnum):
    """What is written in the chain of a thing without moving it: facts that money or proof rests on."""

    REGISTRAR_PAGO = "registrar_pago"
    ANULAR_PAGO = "anular_pago"
    ACEPTAR_HALLAZGO = "aceptar_hallazgo"
    RETIRAR_ACEPTACION = "retirar_aceptacion"
    CONGELAR_TARIFA = "congelar_tarifa"
    RESPONDER_MUV = "responder_muv"


class Reason(StrEnum):
    """Coded reasons of the moves that machines make; people's reasons are these or free text in `note`."""

    IMPORTACION = "importacion"
    REVISION = "revision"
    ORDEN_DE_PERSONA = "orden_de_persona"
    ORDEN_AUTOMATICA = "orden_automatica"
    ACUSE_SELLADO = "acuse_sellado"
    CONSULTA_POSTERIOR = "consulta_posterior"
    RECHAZO_DEL_PAGADOR = "rechazo_del_pagador"
    REGISTRO_MANUAL = "registro_manual"
    FALLO_ANTES_DE_ENVIAR = "fallo_antes_de_enviar"
    DECISION_DE_PERSONA = "decision_de_persona"
    TERMINO_VENCIDO = "termino_vencido"
