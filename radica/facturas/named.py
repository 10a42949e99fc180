"""The invoices that a written number may mean, as one condition for every screen and file that names them.

Invariant: a prefix decides; without one, every prefix with those digits is meant, and it is the caller who refuses
when that is more than one invoice. Norm: DIAN annex 1.9 (prefix and consecutive; see `numbers`).
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, or_

from radica.facturas.models import Factura
from radica.facturas.numbers import InvoiceNumber


def named(number: InvoiceNumber | None) -> ColumnElement[bool]:
    """Return the condition that an invoice may be the one with this number; None (nothing written) means none."""
    if number is None:
        return false()
    if number.prefix or not number.digits:
        return Factura.numero_clave == number.key
    # Not the digits alone: a resolution whose prefix is all digits puts part of them into the prefix.
    return or_(Factura.numero_clave == number.key, Factura.numero_digitos == number.digits)
