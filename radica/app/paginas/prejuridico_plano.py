"""Dossiers on screen: the blueprint, who may, and how one is loaded.

Invariant: jurídica and cartera order dossiers and bring documents; dirección and auditoría look at them; nobody else
sees one, because a dossier holds health data of many patients (Ley 1581/2012 art. 6 lit. d: defence in court).
"""

from __future__ import annotations

from flask import Blueprint
from sqlalchemy.orm import Session

from radica.kernel.web import person
from radica.prejuridico.models import DocumentoPersona, Expediente
from radica.users.access import load_for
from radica.users.models import Rol

blueprint = Blueprint("prejuridico", __name__, url_prefix="/prejuridico")

WORKERS = (Rol.JURIDICA, Rol.CARTERA)
"""Who orders dossiers, brings documents, hands over."""
READERS = (*WORKERS, Rol.DIRECCION, Rol.AUDITORIA)
DOWNLOADERS = (Rol.JURIDICA, Rol.AUDITORIA)
"""Who opens what a dossier holds: it quotes patients."""


def load(session: Session, expediente_id: int, *roles: Rol) -> Expediente:
    """Return a dossier that the person may see (or work on, with `roles`). Raises NotFound or Forbidden."""
    return load_for(session, Expediente, expediente_id, person(), roles=roles or READERS)


def load_brought(session: Session, aportado_id: int, *roles: Rol) -> DocumentoPersona:
    """Return a document that a person brought. Raises NotFound or Forbidden."""
    return load_for(session, DocumentoPersona, aportado_id, person(), roles=roles or READERS)


def may_work(prestador_id: int) -> bool:
    """Say whether the person works on dossiers of this provider."""
    return prestador_id in person().granted(*WORKERS)
