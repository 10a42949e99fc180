"""Auditoría on screen: the blueprint, who may, and where its pages are.

Invariant: auditoría reads everything of its providers and changes nothing but what is its own: the purpose it reads
for, its searches and samples, and the review of exceptional accesses. Norm: Ley 1581/2012 art. 17.
"""

from __future__ import annotations

from flask import Blueprint

from radica.users.models import Rol

blueprint = Blueprint("auditoria", __name__, url_prefix="/auditoria")

READERS = (Rol.AUDITORIA,)
"""Who searches, samples and exports."""
SEERS = (Rol.AUDITORIA, Rol.DIRECCION, Rol.ADMINISTRACION)
"""Who sees who read what; no content of a document is in it."""
TITULAR = (Rol.AUDITORIA, Rol.ADMINISTRACION)
"""Who answers a patient's question of who read their documents (Ley 1581/2012 arts. 8 and 14)."""
