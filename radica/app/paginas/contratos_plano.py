"""Contracts on screen: the blueprint, who may, and how a contract, a list or an invoice is loaded.

Invariant: administración and dirección write; who bills, answers, collects or audits reads; a thing of a provider that
was not granted does not exist.
"""

from __future__ import annotations

from flask import Blueprint
from sqlalchemy.orm import Session

from radica.entidades.contratos_models import Contrato, Tarifario
from radica.entidades.models import Prestador
from radica.facturas.models import Factura
from radica.kernel.web import person
from radica.users.access import load_for
from radica.users.models import Rol

blueprint = Blueprint("contratos", __name__, url_prefix="/contratos")

WRITERS = (Rol.ADMINISTRACION, Rol.DIRECCION)
"""Who writes and closes contracts and loads price lists."""
FREEZERS = (Rol.FACTURACION, Rol.GLOSAS, *WRITERS)
"""Who may freeze the tariff of an invoice before the clock does."""
READERS = (*FREEZERS, Rol.CARTERA, Rol.AUDITORIA, Rol.JURIDICA)


def load_contract(session: Session, contrato_id: int, *roles: Rol) -> Contrato:
    """Return a contract that the person may see (or change, with `roles`). Raises NotFound or Forbidden."""
    return load_for(session, Contrato, contrato_id, person(), roles=roles or READERS)


def load_list(session: Session, tarifario_id: int) -> Tarifario:
    """Return a version of a price list that the person may see. Raises NotFound or Forbidden."""
    return load_for(session, Tarifario, tarifario_id, person(), roles=READERS)


def load_house(session: Session, prestador_id: int, *roles: Rol) -> Prestador:
    """Return a provider whose base lists the person may see (or load, with `roles`). Raises NotFound or Forbidden."""
    return load_for(session, Prestador, prestador_id, person(), roles=roles or READERS)


def load_bill(session: Session, factura_id: int, *roles: Rol) -> Factura:
    """Return an invoice whose prices the person may see. Raises NotFound or Forbidden."""
    return load_for(session, Factura, factura_id, person(), roles=roles or READERS)


def may_write(prestador_id: int) -> bool:
    """Say whether the person writes contracts of this provider."""
    return prestador_id in person().granted(*WRITERS)
