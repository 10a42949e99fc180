"""Documents of an invoice: adding one, which of several versions is in force, and those that wait for their invoice.

Invariant: a document is never deleted nor overwritten; a corrected one replaces the earlier, which stays with
`vigente = false`. Once an invoice is being filed its documents are not replaced: what was sent is what stands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.custodia.store import Stored
from radica.facturas.facts import remember
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.facturas.numbers import InvoiceNumber
from radica.facturas.recognise import Pieza, Tipo
from radica.facturas.states import REVISABLES

NOT_REPLACED = "Se guardó sin reemplazar al anterior: la factura ya está en radicación."
"""Said when a corrected document comes after the filing began."""
_INVOICE_KINDS = (TipoDocumento.FEV, TipoDocumento.INVOICE)


class Shelf:
    """The documents in force of the invoices of one transaction, each list read once."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._lists: dict[int, list[Documento]] = {}

    def of(self, factura_id: int) -> list[Documento]:
        """Return the list of an invoice; add to it what is added to the invoice."""
        if factura_id not in self._lists:
            self._lists[factura_id] = documents_of(self.session, factura_id, in_force=True)
        return self._lists[factura_id]

    def open(self, factura_id: int) -> None:
        """Note that an invoice is new and has no documents."""
        self._lists[factura_id] = []


def sigla_of(piece: Pieza) -> str:
    """Return what tells documents of one kind apart: letters of the support, kind of note, code of an event."""
    if piece.soporte is not None:
        return piece.soporte.sigla
    if piece.rips is not None:
        return (piece.rips.note_kind or "")[:20]
    if piece.response is not None and piece.tipo is Tipo.RESPUESTA_DIAN:
        return (piece.response.code or "")[:20]
    return ""


def documents_hash(documents: Iterable[Documento]) -> str:
    """Return one SHA-256 of the documents in force of an invoice (kind, letters, content), in a fixed order."""
    parts = sorted((doc.tipo.value, doc.sigla, doc.sha256) for doc in documents)
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode("utf-8")).hexdigest()


def wait_key(number: InvoiceNumber, *, any_prefix: bool = False) -> str:
    """Return the key under which a document waits, `digits|key`; with `any_prefix` the LIKE pattern over prefixes."""
    digits = number.digits[:50]
    return f"{digits}|%" if any_prefix else f"{digits}|{number.key}"[:120]


def awaited(doc: Documento) -> InvoiceNumber:
    """Return the number that a waiting document waits for."""
    digits, _, key = (doc.clave_espera or "|").partition("|")
    return InvoiceNumber(key, key.removesuffix(digits), digits)


def add_document(
    session: Session,
    piece: Pieza,
    stored: Stored,
    name: str,
    *,
    factura: Factura,
    number: InvoiceNumber | None,
    actor: str,
    at: datetime,
) -> tuple[Documento, str]:
    """Add a document of an invoice; return it and a Spanish note ("" when all is plain). The next flush writes it."""
    row, note = new_document(
        Shelf(session), piece, stored, name,
        prestador_id=factura.prestador_id, factura=factura, number=number, actor=actor, at=at,
    )  # fmt: skip
    session.add(row)
    return row, note


def new_document(
    shelf: Shelf,
    piece: Pieza,
    stored: Stored,
    name: str,
    *,
    prestador_id: int,
    factura: Factura | None,
    number: InvoiceNumber | None,
    actor: str,
    at: datetime,
) -> tuple[Documento, str]:
    """Make a document of an invoice, or one that waits for it; the caller writes the row. Note as `add_document`."""
    row = Documento(
        prestador_id=prestador_id,
        factura_id=factura.id if factura else None,
        clave_espera=_waits_for(piece, number) if factura is None else None,
        sha256=stored.sha256,
        bytes=stored.bytes,
        nombre=name[:300],
        tipo=piece.tipo,
        sigla=sigla_of(piece),
        media_type=piece.media_type,
        datos=remember(piece),
        vigente=True,
        cargado_at=at,
        cargado_por=actor,
    )
    return row, (_settle_version(shelf, factura, row) if factura is not None else "")


def link_waiting(shelf: Shelf, factura: Factura, waiting: Sequence[Documento]) -> None:
    """Join documents that waited to their invoice, which has just come, in the order in which they came."""
    for doc in sorted(waiting, key=lambda one: one.cargado_at):
        _settle_version(shelf, factura, doc)
        doc.factura_id, doc.clave_espera = factura.id, None


def cuv_key(cuv: str) -> str:
    """Return the key under which an answer without a number waits for the invoice of its CUV."""
    return f"cuv|{cuv}"


def documents_of(session: Session, factura_id: int, *, in_force: bool = False) -> list[Documento]:
    """Return the documents of an invoice in the order of their loading; `in_force` leaves out replaced ones."""
    query = select(Documento).where(Documento.factura_id == factura_id)
    if in_force:
        query = query.where(Documento.vigente)
    return list(session.scalars(query.order_by(Documento.id)))


def has_invoice(shelf: Shelf, factura_id: int) -> bool:
    """Say whether the invoice itself (container or bare) was loaded; one of them is always in force."""
    return any(doc.tipo in _INVOICE_KINDS for doc in shelf.of(factura_id))


def _waits_for(piece: Pieza, number: InvoiceNumber | None) -> str | None:
    if number is not None:
        return wait_key(number)
    return cuv_key(piece.cuv.cuv) if piece.cuv is not None and piece.cuv.cuv else None


def _settle_version(shelf: Shelf, factura: Factura, new: Documento) -> str:
    """Decide whether `new` or the one in force stays in force; returns a note when the new one does not count."""
    present = shelf.of(factura.id)
    rivals = [doc for doc in present if doc is not new and _rivals(doc, new)]
    if not rivals:
        present.append(new)
        return ""
    if factura.estado not in REVISABLES:
        new.vigente = False
        return NOT_REPLACED
    if any(_weight(doc) > _weight(new) for doc in rivals):
        new.vigente = False
        return ""
    for doc in rivals:
        doc.vigente = False
        present.remove(doc)
    present.append(new)
    return ""


def _rivals(one: Documento, other: Documento) -> bool:
    """Say whether two documents are versions of the same thing."""
    if one.tipo in _INVOICE_KINDS and other.tipo in _INVOICE_KINDS:
        return True
    if one.tipo is not other.tipo or one.sigla != other.sigla:
        return False
    if one.tipo in (TipoDocumento.RIPS, TipoDocumento.CUV):
        return not one.sigla  # notes add up; the main RIPS is one
    if one.tipo is TipoDocumento.SOPORTE:
        return one.nombre.casefold() == other.nombre.casefold()
    return False


def _weight(doc: Documento) -> tuple[Any, ...]:
    """Rank versions: a container outweighs a bare invoice, an accepted CUV a refused one, then the later answer."""
    if doc.tipo in _INVOICE_KINDS:
        return (doc.tipo is TipoDocumento.FEV,)
    if doc.tipo is TipoDocumento.CUV:
        return (bool(doc.datos.get("accepted")), str(doc.datos.get("at") or ""))
    return (0,)
