"""Entering and leaving: the failures that lock an account, the sessions, the second factor.

Invariant: a session's secret is in the cookie only, the database holds its hash; a changed password, a logout and a
withdrawn account end the sessions at once. Locks grow with each failure and are told to nobody: the answer for a
wrong password, an unknown person and a locked account is the same.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import argon2
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from radica.kernel.errors import BadInput, NotFound
from radica.users.access import ABSOLUTE, token_hash
from radica.users.models import Sesion, Usuario
from radica.users.passwords import check_policy, hash_password, matched_step, open_secret, seal_secret

FREE_FAILURES = 4
"""Failures without a pause; the fifth locks for a minute, each further one for twice as long, at most half an hour."""
LONGEST_LOCK_MIN = 30


@dataclass(frozen=True)
class Candidate:
    """Who says to be whom; `usuario_id` is None for an unknown person, whose hash matches nothing."""

    usuario_id: int | None
    clave_hash: str


@lru_cache(maxsize=4)
def _nobody_hash(hasher: argon2.PasswordHasher) -> str:
    return hasher.hash(secrets.token_hex(16))


def login_candidate(session: Session, correo: str, hasher: argon2.PasswordHasher) -> Candidate:
    """Return what a password is checked against; the check itself (a fifth of a second) needs no transaction."""
    user = session.scalar(select(Usuario).where(Usuario.correo == correo.strip().lower()))
    if user is None:
        return Candidate(None, _nobody_hash(hasher))
    return Candidate(user.id, user.clave_hash)


def lock_minutes(failures: int) -> int:
    """Return for how many minutes an account is locked after so many failures in a row."""
    if failures <= FREE_FAILURES:
        return 0
    doublings = min(failures - FREE_FAILURES - 1, LONGEST_LOCK_MIN.bit_length())
    return min(1 << doublings, LONGEST_LOCK_MIN)


def settle_login(session: Session, candidate: Candidate, *, matched: bool, at: datetime) -> Usuario | None:
    """Count the try and return the person who may go on, or None.

    The account is locked and read again here: tries that were checked in parallel cannot slip past the lock.
    With a second factor the failures are forgotten only when its code is right too.
    """
    if candidate.usuario_id is None:
        return None
    user = session.get(Usuario, candidate.usuario_id, with_for_update=True, populate_existing=True)
    if user is None or not user.activo or (user.bloqueado_hasta is not None and at < user.bloqueado_hasta):
        return None
    if not matched or user.clave_hash != candidate.clave_hash:
        count_failure(user, at)
        return None
    if user.segundo_factor is None:
        forget_failures(user)
    return user


def count_failure(user: Usuario, at: datetime) -> None:
    """Note one wrong password or code."""
    user.fallos += 1
    minutes = lock_minutes(user.fallos)
    if minutes:
        user.bloqueado_hasta = at + timedelta(minutes=minutes)


def forget_failures(user: Usuario) -> None:
    """Start counting anew after a right entry."""
    user.fallos = 0
    user.bloqueado_hasta = None


def open_session(session: Session, user: Usuario, at: datetime) -> str:
    """Add a session and return its secret, which is never written anywhere but into the cookie."""
    token = secrets.token_urlsafe(32)
    session.add(
        Sesion(
            token_hash=token_hash(token),
            usuario_id=user.id,
            creada_at=at,
            vista_at=at,
            vence_at=at + ABSOLUTE,
        )
    )
    session.flush()
    return token


def close_session(session: Session, sesion_id: int, at: datetime) -> None:
    """Revoke one session (logout)."""
    session.execute(update(Sesion).where(Sesion.id == sesion_id, Sesion.revocada_at.is_(None)).values(revocada_at=at))


def close_sessions(session: Session, usuario_id: int, at: datetime, *, but: int | None = None) -> None:
    """Revoke all sessions of a person, except the one in which they act."""
    statement = update(Sesion).where(Sesion.usuario_id == usuario_id, Sesion.revocada_at.is_(None))
    if but is not None:
        statement = statement.where(Sesion.id != but)
    session.execute(statement.values(revocada_at=at))


def choose_provider(session: Session, sesion_id: int, prestador_id: int | None) -> None:
    """Turn the provider switch of a session; the caller checked the grant."""
    login = session.get(Sesion, sesion_id)
    if login is None:
        raise NotFound
    login.prestador_id = prestador_id


def change_password(
    session: Session, usuario_id: int, *, new: str, new_hash: str, at: datetime, but_session: int
) -> None:
    """Set a person's own password and end their other sessions. Raises BadInput when the policy refuses it.

    The caller checked the present password and made the hash before the transaction: each takes a fifth of a second,
    in which nobody else could write.
    """
    user = _user(session, usuario_id)
    check_policy(new, correo=user.correo, nombre=user.nombre)
    user.clave_hash = new_hash
    forget_failures(user)
    set_preference(user, "cambiar_clave", None)
    close_sessions(session, usuario_id, at, but=but_session)


def count_failure_of(session: Session, usuario_id: int, at: datetime) -> None:
    """Note that a person gave a wrong present password inside their own session."""
    count_failure(_user(session, usuario_id), at)


def make_hash(clave: str, hasher: argon2.PasswordHasher) -> str:
    """Return the hash to keep (about 0.2 s at the house's parameters)."""
    return hash_password(clave, hasher)


def enable_second_factor(
    session: Session, usuario_id: int, *, secret: str, code: str, key: bytes, at: datetime
) -> None:
    """Turn the second factor on, once its first code is right. Raises BadInput otherwise."""
    user = _user(session, usuario_id)
    step = matched_step(secret, code, at, after_step=0)
    if step is None:
        raise BadInput(
            "El código no corresponde.",
            todo="Espere el siguiente código de la aplicación y revise la hora del teléfono.",
            code="codigo_malo",
        )
    user.segundo_factor = seal_secret(secret, key)
    set_preference(user, "otp_paso", step)


def disable_second_factor(user: Usuario) -> None:
    """Turn the second factor off; the caller checked that this may be."""
    user.segundo_factor = None
    set_preference(user, "otp_paso", None)


def check_code(session: Session, usuario_id: int, *, code: str, key: bytes, at: datetime) -> Usuario | None:
    """Check the second factor's code and return the person, or count a failure and return None.

    A code that was used once is not good again, even within its half minute.
    """
    user = session.get(Usuario, usuario_id, with_for_update=True, populate_existing=True)
    if user is None or not user.activo or user.segundo_factor is None:
        return None
    if user.bloqueado_hasta is not None and at < user.bloqueado_hasta:
        return None
    last = preferences(user).get("otp_paso")
    step = matched_step(
        open_secret(user.segundo_factor, key), code, at, after_step=last if isinstance(last, int) else 0
    )
    if step is None:
        count_failure(user, at)
        return None
    set_preference(user, "otp_paso", step)
    forget_failures(user)
    return user


def preferences(user: Usuario) -> dict[str, Any]:
    """Return the person's small settings."""
    values: dict[str, Any] = json.loads(user.preferencias or "{}")
    return values


def set_preference(user: Usuario, name: str, value: object | None) -> None:
    """Keep one small setting; None removes it."""
    values = preferences(user)
    if value is None:
        values.pop(name, None)
    else:
        values[name] = value
    user.preferencias = json.dumps(values, sort_keys=True, ensure_ascii=False)


def _user(session: Session, usuario_id: int) -> Usuario:
    user = session.get(Usuario, usuario_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise NotFound
    return user
