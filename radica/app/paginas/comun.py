"""What the reading screens share: the store, who may see health data, tokens of an opened document, its log.

Invariant: health data is shown only in roles that work with it, held at the document's own provider; an opening is
committed before the first byte leaves, and the images of its pages carry a token of that opening instead of a line
of the log each. Norm: Ley 1581/2012 arts. 4, 6 and 17.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from flask import current_app
from flask import session as flask_session
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.paginas.casos import covering_cases
from radica.audit.services import record_reading
from radica.custodia.backends import open_store
from radica.custodia.services import log_opening
from radica.custodia.store import Store
from radica.entidades.models import Pagador, Prestador
from radica.kernel.errors import Forbidden
from radica.kernel.web import current, now, person
from radica.users.break_glass import living_access
from radica.users.models import AccesoExcepcional, Rol
from radica.users.purposes import DE_AUDITORIA, Proposito, default_purpose

HEALTH_ROLES = (Rol.FACTURACION, Rol.GLOSAS, Rol.AUDITORIA, Rol.JURIDICA)
"""Roles whose work needs patients, services and diagnoses."""
OPENING_LASTS = timedelta(minutes=20)
"""How long the pages of an opened document may be fetched without another line in the log."""
CHOSEN = "proposito"
"""Where the browser's signed session keeps the purpose that an auditor said; it ends with the login."""


def store() -> Store:
    """Return the custody store of this house."""
    return open_store(current().settings)


def sees_health(prestador_id: int, case_key: str | None = None) -> bool:
    """Say whether the person may see health data of this provider; with a case also by an exception that lasts."""
    return prestador_id in person().granted(*HEALTH_ROLES) or exception_for(prestador_id, case_key) is not None


def exception_for(prestador_id: int, case_key: str | None) -> AccesoExcepcional | None:
    """Return the exceptional access under which this person sees the health data of this case now, if any."""
    who = person()
    if case_key is None or prestador_id not in who.granted():
        return None
    with current().database.read() as session:
        keys = covering_cases(session, case_key)
        return living_access(session, who.id, prestador_id=prestador_id, case_keys=keys, at=now())


def purpose_at(prestador_id: int) -> str:
    """Return for what the person reads there: by their role, or what an auditor said. Raises PurposeNeeded."""
    found = default_purpose(person().grants.get(prestador_id, frozenset())) or chosen_purpose()
    if found is None:
        raise PurposeNeeded
    return found.value


def chosen_purpose() -> Proposito | None:
    """Return the purpose that this person said in this login, None before."""
    said = flask_session.get(CHOSEN)
    return Proposito(said) if said in {one.value for one in DE_AUDITORIA} else None


class PurposeNeeded(Forbidden):
    """An auditor opens something before saying for what (403)."""

    def __init__(self) -> None:
        super().__init__(
            "Antes de abrir documentos diga para qué los consulta; no se abrió nada.",
            todo="Dígalo en Auditoría › Propósito; vale hasta que salga, y puede cambiarlo.",
        )


def opened(
    kind: str, thing_id: int, *, prestador_id: int, sha256: str, action: str, case_key: str | None = None
) -> str:
    """Log an opening in its own committed transaction and return the token for the pages of this document."""
    by_exception = prestador_id not in person().granted(*HEALTH_ROLES) and exception_for(prestador_id, case_key)
    purpose = Proposito.EXCEPCION.value if by_exception else purpose_at(prestador_id)
    with current().database.write() as session:
        log_opening(
            session,
            prestador_id=prestador_id,
            object_=f"{kind}:{thing_id}",
            sha256=sha256,
            actor=person().actor,
            action=action,
            purpose=purpose,
            case_key=case_key,
            at=now(),
        )
    last = now() + OPENING_LASTS
    until = int((min(last, by_exception.hasta) if by_exception else last).timestamp())
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


def log_export(objects: Mapping[int, str], data: bytes) -> None:
    """Log, per provider, what a file that is about to leave holds (`facturas:12`), with its hash; commits by itself."""
    digest = hashlib.sha256(data).hexdigest()
    with current().database.write() as session:
        for prestador_id, what in sorted(objects.items()):
            record_reading(
                session,
                prestador_id=prestador_id,
                actor=person().actor,
                action="exportar",
                purpose=purpose_at(prestador_id),
                object_=what,
                sha256=digest,
                at=now(),
            )
