"""Which invoice a document names, and which invoices a number may mean.

Invariant: only what the document says counts; a document without a usable number or issuer gets the reason, never a
guess. Numbers are compared by `numbers.same_invoice`.
"""

from __future__ import annotations

from collections.abc import Iterable

from radica.facturas.fev import Clase
from radica.facturas.models import Factura
from radica.facturas.numbers import InvoiceNumber, Match, parse_invoice_number, same_invoice
from radica.facturas.recognise import Pieza, Tipo

MAX_NUMBER = 40
MAX_DIGITS = 30


def target_number(piece: Pieza) -> InvoiceNumber | None:
    """Return the number of the invoice that a document belongs to; for a note it is the invoice it affects."""
    if piece.fev is not None and piece.fev.kind is not Clase.FACTURA:
        first = piece.fev.references[0] if piece.fev.references else None
        return parse_invoice_number(first.number) if first else None
    return piece.number


def creates_invoice(piece: Pieza) -> bool:
    """Say whether a document may bring a new invoice into the house: the invoice itself, or its RIPS."""
    return piece.tipo in (Tipo.FEV, Tipo.INVOICE) or (piece.rips is not None and piece.rips.note_kind is None)


def unusable(piece: Pieza) -> tuple[str, str] | None:
    """Return why a document that was understood can belong to no invoice."""
    number = target_number(piece)
    if piece.rips is not None and piece.rips.note_kind == "RS":
        return "rips_sin_factura", "Es un RIPS sin factura (tipo RS): no se radica con ninguna factura."
    if piece.issuer is None and piece.cuv is None:
        return "sin_emisor", "El documento no dice el NIT del prestador."
    if number is None and not (piece.cuv is not None and piece.cuv.cuv):
        return "sin_numero", "El documento no dice de qué factura es."
    if number is not None and not number.digits:
        return "numero_incompleto", f"El número de factura «{number.text[:40]}» no tiene consecutivo."
    if number is not None and (len(number.text) > MAX_NUMBER or len(number.digits) > MAX_DIGITS):
        return "numero_largo", "El número de factura es demasiado largo para ser cierto."
    return None


def matches(rows: Iterable[Factura], number: InvoiceNumber) -> tuple[list[Factura], list[Factura]]:
    """Split invoices in those that are the number and those that could be (one of both lacks the prefix)."""
    same, possible = [], []
    for row in rows:
        verdict = same_invoice(own_number(row), number)
        if verdict is Match.SAME:
            same.append(row)
        elif verdict is Match.POSSIBLE:
            possible.append(row)
    return same, possible


def own_number(row: Factura) -> InvoiceNumber:
    """Return the number of an invoice of the house, split as its keys are."""
    prefix = row.numero_clave.removesuffix(row.numero_digitos)
    return InvoiceNumber(row.numero, prefix, row.numero_digitos)


def said(number: InvoiceNumber | None) -> str:
    """Write a number for a message."""
    return number.text if number is not None else "sin número"
