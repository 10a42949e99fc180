"""The blueprint that all screens of glosas share, and who may do what in them.

Invariant: reading needs the provider's grant; answering, deciding and loading need a role held at the thing's own
provider. What an objection says may tell of a patient: its text opens only for the roles that work with health data.
"""

from __future__ import annotations

from flask import Blueprint
from sqlalchemy.orm import Session

from radica.glosas.bandeja.tray_filter import DEVOLUCIONES, GLOSAS, Objecion
from radica.glosas.bandeja.work import WORKERS
from radica.glosas.models import Devolucion, Glosa
from radica.kernel.web import person
from radica.users.access import load_for
from radica.users.models import Rol

blueprint = Blueprint("glosas", __name__, url_prefix="/glosas")

ANSWERERS = (Rol.GLOSAS, Rol.ADMINISTRACION)
"""Who takes lines, writes answers, loads notices and registers decisions."""
APPROVERS = (Rol.GLOSAS, Rol.DIRECCION, Rol.ADMINISTRACION)
"""Who gives the second look; the author never is the second."""
MANAGERS = (Rol.DIRECCION, Rol.ADMINISTRACION)
"""Who keeps rules of assignment, amounts and limits of payers, and undoes what was recorded by mistake."""
__all__ = ["ANSWERERS", "APPROVERS", "CLASES", "KINDS", "MANAGERS", "WORKERS", "blueprint", "load_line"]

KINDS: dict[str, type[Glosa] | type[Devolucion]] = {"glosa": Glosa, "devolucion": Devolucion}
CLASES = {"glosa": GLOSAS, "devolucion": DEVOLUCIONES}


def load_line(session: Session, kind: str, objecion_id: int, *roles: Rol) -> Objecion:
    """Return the objection when the person may see it, or hold one of `roles` at its provider."""
    found: Objecion = load_for(session, KINDS[kind], objecion_id, person(), roles=roles)
    return found
