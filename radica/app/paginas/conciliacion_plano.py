"""Meetings on screen: the blueprint, who may, and how one is loaded.

Invariant: glosas and cartera work a table; dirección, jurídica and auditoría look at it; nobody else sees one.
"""

from __future__ import annotations

from flask import Blueprint, request
from sqlalchemy.orm import Session

from radica.conciliacion.models import Compromiso, Conciliacion
from radica.kernel.web import person
from radica.users.access import MAX_ID, load_for
from radica.users.models import Rol

blueprint = Blueprint("conciliacion", __name__, url_prefix="/conciliacion")

WORKERS = (Rol.GLOSAS, Rol.CARTERA)
"""Who convenes, agrees and signs."""
READERS = (*WORKERS, Rol.DIRECCION, Rol.JURIDICA, Rol.AUDITORIA)


def load(session: Session, conciliacion_id: int, *roles: Rol) -> Conciliacion:
    """Return a meeting that the person may see (or work on, with `roles`). Raises NotFound or Forbidden."""
    return load_for(session, Conciliacion, conciliacion_id, person(), roles=roles or READERS)


def load_promise(session: Session, compromiso_id: int, *roles: Rol) -> tuple[Compromiso, Conciliacion]:
    """Return a promise and its meeting, for who sees them (or works on them). Raises NotFound or Forbidden."""
    promise = load_for(session, Compromiso, compromiso_id, person(), roles=roles or READERS)
    return promise, session.get_one(Conciliacion, promise.conciliacion_id)


def query_id(name: str) -> int:
    """Return an id of the address; 0 when it is none that a database could hold."""
    value = request.args.get(name, 0, type=int)
    return value if 0 < value <= MAX_ID else 0


def may_work(row: Conciliacion) -> bool:
    """Say whether the person works on meetings of this provider."""
    return row.prestador_id in person().granted(*WORKERS)
