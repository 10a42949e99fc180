"""The tray of what was not understood or belongs to nobody, and for whom an import works.

Invariant: nothing that came in is dropped: it is a document of an invoice or a row here, with a true reason and its
bytes in custody. A row belongs to one owner; the same file in the same tray is one open row.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.custodia.store import Stored
from radica.facturas.models import NoReconocido
from radica.kernel.errors import BadInput

RETRIABLE = ("sin_factura", "sin_prestador")
"""Codes of the tray that a later import may settle by itself."""


@dataclass(frozen=True)
class Scope:
    """For whom an import works. `allowed` are provider ids (None: all); `only_nit` restricts the operator's CLI.

    `may_register` lets an unknown issuer become a provider *por confirmar*. `owner` is whose tray it is:
    `usuario:4`, `prestador:3` or `nadie` (only the operator of the machine sees it).
    """

    actor: str
    origen: str
    owner: str = "nadie"
    usuario_id: int | None = None
    prestador_id: int | None = None
    allowed: frozenset[int] | None = None
    only_nit: str | None = None
    may_register: bool = False


def operator_scope(actor: str, *, only_nit: str | None = None) -> Scope:
    """Return the scope of the command line: every provider (or one NIT), unknown issuers are registered."""
    return Scope(actor, "cli", only_nit=only_nit, may_register=True)


def person_scope(usuario_id: int, granted: Collection[int]) -> Scope:
    """Return the scope of an upload: the providers granted to the person; the rest goes to the person's own tray."""
    owner = f"usuario:{usuario_id}"
    return Scope(owner, "web", owner=owner, usuario_id=usuario_id, allowed=frozenset(granted))


def folder_scope(prestador_id: int) -> Scope:
    """Return the scope of a provider's watched folder."""
    owner = f"prestador:{prestador_id}"
    return Scope("buzon", "buzon", owner=owner, prestador_id=prestador_id, allowed=frozenset({prestador_id}))


def put_in_tray(
    session: Session,
    scope: Scope,
    name: str,
    stored: Stored | None,
    code: str,
    reason: str,
    *,
    at: datetime,
    prestador_id: int | None = None,
) -> NoReconocido:
    """Add a row, or return the open one of the same file.

    The operator's finds go to the provider that the document names; a person's always to the person.
    """
    owner, provider = scope.owner, scope.prestador_id
    if owner == "nadie" and prestador_id is not None:
        owner, provider = f"prestador:{prestador_id}", prestador_id
    sha256 = stored.sha256 if stored else None
    same = select(NoReconocido).where(
        NoReconocido.duenio == owner,
        NoReconocido.nombre == name[:300],
        NoReconocido.sha256 == sha256 if sha256 else NoReconocido.sha256.is_(None),
        NoReconocido.resuelto_at.is_(None),
    )
    found = session.scalar(same)
    if found is not None:
        return found
    row = NoReconocido(
        prestador_id=provider,
        usuario_id=scope.usuario_id,
        duenio=owner,
        nombre=name[:300],
        sha256=sha256,
        bytes=stored.bytes if stored else 0,
        codigo=code[:40],
        motivo=reason,
        recibido_at=at,
    )
    session.add(row)
    session.flush()
    return row


def open_rows(
    session: Session,
    *,
    usuario_id: int | None = None,
    prestador_ids: Collection[int] = (),
    before_id: int | None = None,
    limit: int = 100,
) -> list[NoReconocido]:
    """Return the open rows of a person and of some providers, newest first, in pages by id."""
    mine = NoReconocido.usuario_id == usuario_id if usuario_id is not None else NoReconocido.id < 0
    query = select(NoReconocido).where(
        NoReconocido.resuelto_at.is_(None),
        mine | (NoReconocido.prestador_id.in_(prestador_ids) & NoReconocido.usuario_id.is_(None)),
    )
    if before_id is not None:
        query = query.where(NoReconocido.id < before_id)
    return list(session.scalars(query.order_by(NoReconocido.id.desc()).limit(limit)))


def resolve(row: NoReconocido, *, how: str, actor: str, at: datetime) -> None:
    """Close a row with what was done. Raises BadInput when it is closed already or `how` is empty."""
    if row.resuelto_at is not None:
        raise BadInput("Este archivo ya salió de la bandeja; no se hizo nada.", todo="Recargue la página.")
    if not how.strip():
        raise BadInput("Falta decir qué se hizo con el archivo.", todo="Escriba el motivo.")
    row.resuelto_at, row.resuelto_por, row.resolucion = at, actor, how.strip()
