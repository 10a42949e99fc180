"""Who may see what: the person behind a session, and `load_for()`, the one way to load a thing by its id.

Invariant: load + 404 + tenant + role in one call; a thing of a provider that is not granted reads exactly like one
that does not exist. A row without provider belongs to the person who brought it, and to nobody else.
Norm: Ley 1581/2012 art. 4 (restricted access and circulation).
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.entidades.models import Prestador
from radica.kernel.errors import Forbidden, NotFound
from radica.kernel.web_identity import Person, Provider
from radica.users.models import Acceso, Sesion, Usuario

IDLE = timedelta(minutes=30)
"""Without activity a session ends; what was typed stays in the browser."""
ABSOLUTE = timedelta(hours=8)
"""A working day; after it the person enters again."""
MAX_ID = 2**63 - 1

Thing = TypeVar("Thing")


def token_hash(token: str) -> str:
    """Return what the database keeps of the cookie's secret."""
    return hashlib.sha256(token.encode()).hexdigest()


def person_of_token(session: Session, token: str, at: datetime) -> Person | None:
    """Return the person of a living session: not revoked, seen within `IDLE`, younger than `ABSOLUTE`, active."""
    row = session.execute(
        select(Sesion, Usuario)
        .join(Usuario, Usuario.id == Sesion.usuario_id)
        .where(Sesion.token_hash == token_hash(token))
    ).one_or_none()
    if row is None:
        return None
    login, user = row
    if login.revocada_at is not None or at >= login.vence_at or at - login.vista_at >= IDLE or not user.activo:
        return None
    grants: dict[int, frozenset[str]] = {}
    for grant in user.accesos:
        grants[grant.prestador_id] = grants.get(grant.prestador_id, frozenset()) | {str(grant.rol)}
    providers = session.scalars(select(Prestador).where(Prestador.id.in_(grants)).order_by(Prestador.nombre))
    return Person(
        id=user.id,
        nombre=user.nombre,
        correo=user.correo,
        sesion_id=login.id,
        grants=grants,
        providers=tuple(Provider(one.id, one.nit, one.nombre) for one in providers),
        # A switch to a provider whose grant was taken away falls back to all.
        prestador_id=login.prestador_id if login.prestador_id in grants else None,
        seen_at=login.vista_at,
        must_change_password=bool(json.loads(user.preferencias).get("cambiar_clave")),
    )


def touch(session: Session, sesion_id: int, at: datetime) -> None:
    """Note activity, so that the session does not end for idleness."""
    login = session.get(Sesion, sesion_id)
    if login is not None and login.vista_at < at:
        login.vista_at = at


def granted_ids(person: Person, *roles: str) -> frozenset[int]:
    """Return the ids of all providers granted in any of `roles` (no roles: in any)."""
    return person.granted(*roles)


def selected_ids(person: Person, *roles: str) -> frozenset[int]:
    """Return the granted ids that the switch leaves in view: what lists and totals are of."""
    return person.selected(*roles)


def load_for(
    session: Session,
    model: type[Thing],
    id_: int,
    person: Person,
    *,
    roles: tuple[str, ...] = (),
) -> Thing:
    """Return the row `id_` of `model` (which has `prestador_id`, or is Prestador) when the person may see it.

    With `roles`, one of them must be held at the row's own provider. Raises NotFound when the row does not exist or
    is of a provider not granted, Forbidden when it may be seen but the role is missing.
    """
    column = "id" if model is Prestador else "prestador_id"
    if not hasattr(model, column):
        raise TypeError(f"{model.__name__} has no provider: load it through the thing it belongs to")
    row = session.get(model, id_) if 0 < id_ <= MAX_ID else None
    if row is None:
        raise NotFound
    provider: Any = getattr(row, column)
    if provider is None:
        if getattr(row, "usuario_id", None) != person.id:
            raise NotFound
        return row
    if provider not in person.granted():
        raise NotFound
    if roles and provider not in person.granted(*roles):
        raise Forbidden
    return row


def grants_in_view(session: Session, usuario_id: int, provider_ids: frozenset[int]) -> list[Acceso]:
    """Return the grants of a user at `provider_ids`, by provider and role; others stay unseen."""
    rows = session.scalars(
        select(Acceso)
        .where(Acceso.usuario_id == usuario_id, Acceso.prestador_id.in_(provider_ids))
        .order_by(Acceso.prestador_id, Acceso.rol)
    )
    return list(rows)
