"""Cartera on screen: the blueprint, who may, and how an invoice or a payment is loaded.

Invariant: cartera enters payments; dirección, jurídica and auditoría read; nobody else sees what is owed.
"""

from __future__ import annotations

from flask import Blueprint
from sqlalchemy.orm import Session

from radica.cartera.models import PagoFactura
from radica.facturas.models import Factura
from radica.kernel.web import person
from radica.users.access import load_for
from radica.users.models import Rol

blueprint = Blueprint("cartera", __name__, url_prefix="/cartera")

WORKERS = (Rol.CARTERA,)
"""Who enters and undoes payments and freezes liquidations."""
READERS = (*WORKERS, Rol.DIRECCION, Rol.JURIDICA, Rol.AUDITORIA)


def load_invoice(session: Session, factura_id: int, *roles: Rol) -> Factura:
    """Return an invoice whose debt the person may see (or work on, with `roles`). Raises NotFound or Forbidden."""
    return load_for(session, Factura, factura_id, person(), roles=roles or READERS)


def load_payment(session: Session, pago_id: int, *roles: Rol) -> tuple[PagoFactura, Factura]:
    """Return a payment and its invoice. Raises NotFound or Forbidden."""
    row = load_for(session, PagoFactura, pago_id, person(), roles=roles or READERS)
    return row, session.get_one(Factura, row.factura_id)


def may_work(prestador_id: int) -> bool:
    """Say whether the person enters payments of this provider."""
    return prestador_id in person().granted(*WORKERS)
