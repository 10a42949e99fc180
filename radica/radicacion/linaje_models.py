"""Lineage of a file that had to be changed to be handed in: original hash → operation and version → sent hash.

Invariant: rows are only added, and the original stays in custody beside what was sent. Norm: Ley 527 de 1999 arts. 8
and 9 (integrity of a data message); DESIGN section 7.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from radica.kernel.columns import CanonicalJson, Id, Instant
from radica.kernel.db import Base


class Linaje(Base):
    """One change of one file, for one envío (null: prepared by hand); `orden` counts the parts of a split, from 1."""

    __tablename__ = "linajes"
    __table_args__ = (Index("ix_linajes_factura", "factura_id"), Index("ix_linajes_enviado", "sha256_enviado"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    prestador_id: Mapped[int] = mapped_column(Id, ForeignKey("prestadores.id"))
    factura_id: Mapped[int] = mapped_column(Id, ForeignKey("facturas.id"))
    envio_id: Mapped[int | None] = mapped_column(Id, ForeignKey("envios.id"))
    sha256_original: Mapped[str] = mapped_column(String(64))
    operacion: Mapped[str] = mapped_column(String(40))  # comprimir, limpiar, dividir, renombrar
    version: Mapped[str] = mapped_column(String(80))  # program and version that did it
    sha256_enviado: Mapped[str] = mapped_column(String(64))
    orden: Mapped[int] = mapped_column(Integer, default=1)
    paginas_original: Mapped[int] = mapped_column(Integer)
    paginas_enviado: Mapped[int] = mapped_column(Integer)
    texto_igual: Mapped[bool] = mapped_column(Boolean)
    prueba: Mapped[dict[str, Any]] = mapped_column(CanonicalJson, default=dict)  # hash of the text by page
    at: Mapped[datetime] = mapped_column(Instant)
