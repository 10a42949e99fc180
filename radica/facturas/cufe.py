"""CUFE and CUDE: SHA-384 of a fixed chain of fields, and how far each can be verified.

Invariant: the technical key (or the PIN of the software, for notes) is a secret: it enters as an argument, never
leaves in a value, a repr or a message. Without it only form and coherence can be checked. Norm: DIAN annex 1.9,
numerals 11.1 and 11.2; the order of taxes 01, 04, 03 and truncation to two decimals are the norm's.
"""

from __future__ import annotations

import hashlib
import re
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from radica.facturas.fev import Fev

_SHAPE = re.compile(r"^[0-9a-f]{96}$")
_CENT = Decimal("0.01")
_TAX_ORDER = ("01", "04", "03")


class Verificacion(StrEnum):
    """What can be said of a CUFE."""

    COINCIDE = "coincide"
    DIFIERE = "difiere"
    NO_VERIFICABLE = "no_verificable"
    """A field of the chain is missing in the document, or its key is not known."""


def has_shape(cufe: str | None) -> bool:
    """Say whether the text is 96 lower-case hexadecimal digits (SHA-384)."""
    return cufe is not None and _SHAPE.match(cufe) is not None


def amount_text(value: Decimal) -> str:
    """Write pesos as the chain wants them: truncated to two decimals, point, no thousands."""
    return f"{value.quantize(_CENT, rounding=ROUND_DOWN):f}"


def chain(
    *,
    number: str,
    issue_date: str,
    issue_time: str,
    value: Decimal,
    taxes: dict[str, Decimal],
    total: Decimal,
    issuer_nit: str,
    acquirer_id: str,
    key: str,
    environment: str,
) -> str:
    """Return the text whose SHA-384 is the CUFE (key = technical key) or the CUDE (key = PIN of the software).

    `value` is LineExtensionAmount and `total` PayableAmount (prepaid already deducted), in pesos; `taxes` by
    scheme, absent ones count as zero; `issue_time` with its zone as written; ids without check digit.
    """
    by_scheme = "".join(code + amount_text(taxes.get(code, Decimal(0))) for code in _TAX_ORDER)
    head = number + issue_date + issue_time + amount_text(value)
    return head + by_scheme + amount_text(total) + issuer_nit + acquirer_id + key + environment


def digest(text: str) -> str:
    """Return the SHA-384 of a chain in lower-case hexadecimal."""
    return hashlib.sha384(text.encode("utf-8")).hexdigest()


def compute(fev: Fev, key: str) -> str | None:
    """Return the CUFE or CUDE that the fields of the document give with `key`; None when a field is missing."""
    issuer, acquirer = fev.supplier.nit, fev.customer.nit
    if (
        fev.number is None
        or fev.issue_date is None
        or fev.issue_time_text is None
        or fev.line_extension is None
        or fev.payable is None
        or fev.environment is None
        or issuer is None
        or acquirer is None
    ):
        return None
    taxes: dict[str, Decimal] = {}
    for tax in fev.taxes:
        if tax.scheme is not None and tax.amount is not None:
            taxes[tax.scheme] = taxes.get(tax.scheme, Decimal(0)) + tax.amount
    return digest(
        chain(
            number=fev.number.replace(" ", ""),
            issue_date=fev.issue_date.isoformat(),
            issue_time=fev.issue_time_text,
            value=fev.line_extension,
            taxes=taxes,
            total=fev.payable,
            issuer_nit=issuer.number,
            acquirer_id=acquirer.number,
            key=key,
            environment=fev.environment,
        )
    )


def verify(fev: Fev, key: str | None) -> Verificacion:
    """Compare the CUFE of the document with the computed one, when the key is known."""
    expected = compute(fev, key) if key else None
    if expected is None or fev.cufe is None:
        return Verificacion.NO_VERIFICABLE
    return Verificacion.COINCIDE if expected == fev.cufe else Verificacion.DIFIERE


def disagreeing(fev: Fev) -> tuple[str, ...]:
    """Return the CUFE that stand in the QR, the container or DIAN's answer and are not the document's own."""
    return tuple(seen for seen in fev.cufes_seen if seen != fev.cufe)
