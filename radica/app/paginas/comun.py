"""What the reading screens share: the store, who may see health data, tokens of an opened document, its log.

Invariant: health data is shown only in roles that work with it, held at the document's own provider; an opening is
committed before the first byte leaves, and the images of its pages carry a token of that opening instead of a line
of the log each. Norm: Ley 1581/2012 arts. 4, 6 and 17.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.custodia.backends import open_store
from radica.custodia.services import log_opening
from radica.custodia.store import Store
from radica.entidades.models import Pagador, Prestador
from radica.kernel.web import current, now, person
from radica.users.models import Rol

HEALTH_ROLES = (Rol.FACTURACION, Rol.GLOSAS, Rol.AUDITORIA, Rol.JURIDICA)
"""Roles whose work needs patients, services and diagnoses."""
OPENING_LASTS = timedelta(minutes=20)
"""How long the pages of an opened document may be fetched without another line in the log."""
PURPOSES = {
    Rol.FACTURACION: "facturacion",
    Rol.GLOSAS: "respuesta de glosas",
    Rol.AUDITORIA: "auditoria",
    Rol.JURIDICA: "cobro juridico",
    Rol.CARTERA: "cartera",
    Rol.DIRECCION: "direccion",
    Rol.ADMINISTRACION: "administracion",
}


def store() -> Store:
    """Return the custody store of this house."""
    return open_store(current().settings)


def sees_health(prestador_id: int) -> bool:
    """Say whether the person may see health data of this provider."""
    return prestador_id in person().granted(*HEALTH_ROLES)


def purpose_at(prestador_id: int) -> str:
    """Return for what the person reads: the first role held at that provider, in the order of the trade."""
    held = person().grants.get(prestador_id, frozenset())
    return next((words for role, words in PURPOSES.items() if role.value in held), "consulta")


def opened(kind: str, thing_id: int, *, prestador_id: int, sha256: str, action: str) -> str:
    """Log an opening in its own committed transaction and return the token for the pages of this document."""
    with current().database.write() as session:
        log_opening(
            session,
            prestador_id=prestador_id,
            object_=f"{kind}:{thing_id}",
            sha256=sha256,
            actor=person().actor,
            action=action,
            purpose=purpose_at(prestador_id),
            at=now(),
        )
    until = int((now() + OPENING_LASTS).timestamp())
    return str(_signer().dumps([kind, thing_id, person().sesion_id, until]))


def is_open(kind: str, thing_id: int, token: str, at: datetime) -> bool:
    """Say whether the token is of this person's living opening of this document."""
    try:
        value = _signer().loads(token)
    except BadSignature:
        return False
    if not isinstance(value, list) or len(value) != 4 or not isinstance(value[3], int):
        return False
    return value[:3] == [kind, thing_id, person().sesion_id] and at.timestamp() < value[3]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.config["SECRET_KEY"]), salt="documento-abierto")


def payer_names(session: Session, ids: Iterable[int | None]) -> dict[int, str]:
    """Return the names of some payers."""
    wanted = {one for one in ids if one is not None}
    rows = session.execute(select(Pagador.id, Pagador.nombre).where(Pagador.id.in_(wanted)))
    return {row.id: row.nombre for row in rows}


def provider_names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Return the names of some providers."""
    rows = session.execute(select(Prestador.id, Prestador.nombre).where(Prestador.id.in_(set(ids))))
    return {row.id: row.nombre for row in rows}
