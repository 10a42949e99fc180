"""What one transaction of an import has before it: invoices, documents and providers that its files may meet.

Invariant: what may be met is read and locked in a few statements before the first document is placed, the invoices in
the order of their ids; what is made afterwards is found here too, although it is written only at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from radica.audit.models import LegalThing
from radica.entidades.models import Prestador
from radica.facturas.documents import Shelf, cuv_key, wait_key
from radica.facturas.matching import creates_invoice, target_number
from radica.facturas.models import Documento, Factura
from radica.facturas.numbers import InvoiceNumber
from radica.facturas.placing import Arrived
from radica.facturas.tray import Scope
from radica.kernel.db import insert_rows, reserve_ids

_WRITTEN = tuple(column.key for column in Documento.__table__.columns if column.key != "id")


@dataclass
class Desk:
    """The state of one transaction of an import; `created` and `completed` are carried over the whole import."""

    session: Session
    scope: Scope
    at: datetime
    created: set[int] = field(default_factory=set)
    completed: set[int] = field(default_factory=set)
    touched: set[int] = field(default_factory=set)
    providers: dict[str, Prestador | None] = field(default_factory=dict)
    invoices: dict[tuple[int, str], list[Factura]] = field(default_factory=dict)
    known: dict[str, list[Documento]] = field(default_factory=dict)
    waiting: dict[int, list[Documento]] = field(default_factory=dict)
    scope_ids: list[int] = field(default_factory=list)
    born: list[tuple[LegalThing, dict[str, Any]]] = field(default_factory=list)
    shelf: Shelf = field(init=False)
    _by_id: dict[int, Factura] = field(default_factory=dict)
    _fresh: list[Documento] = field(default_factory=list)
    _ids: list[int] = field(default_factory=list)
    _may_create: int = 0

    def __post_init__(self) -> None:
        """Open the shelf of this transaction."""
        self.shelf = Shelf(self.session)

    def prefetch(self, docs: Sequence[Arrived]) -> None:
        """Read what the documents may meet; once, before the first of them is placed."""
        self._may_create = sum(creates_invoice(doc.piece) for doc in docs)
        nits = {doc.piece.issuer.number for doc in docs if doc.piece.issuer is not None}
        for found in self.session.scalars(select(Prestador).where(Prestador.nit.in_(nits))):
            self.providers[found.nit] = found
        ids = {row.id for nit in nits if (row := self.providers.get(nit)) is not None}
        if any(doc.piece.issuer is None for doc in docs):
            self.scope_ids = self._scope_ids()
            ids |= set(self.scope_ids)
        self._read_known(ids, {doc.stored.sha256 for doc in docs})
        numbers = [number for doc in docs if (number := target_number(doc.piece)) is not None]
        if ids and numbers:
            self._lock_invoices(ids, {number.digits for number in numbers})
        answers = {doc.piece.cuv.cuv for doc in docs if doc.piece.cuv is not None and doc.piece.cuv.cuv}
        if ids and (numbers or answers):
            self._read_waiting(ids, numbers, answers)

    def invoices_of(self, prestador_id: int, digits: str) -> list[Factura]:
        """Return the invoices of a provider with these digits; read once per transaction."""
        key = (prestador_id, digits)
        if key not in self.invoices:
            rows = self.session.scalars(
                select(Factura)
                .where(Factura.prestador_id == prestador_id, Factura.numero_digitos == digits)
                .order_by(Factura.id)
            )
            self.invoices[key] = list(rows)
        return self.invoices[key]

    def invoice(self, factura_id: int) -> Factura:
        """Return an invoice that exists or was made in this transaction."""
        return self._by_id.get(factura_id) or self.session.get_one(Factura, factura_id)

    def new_id(self) -> int:
        """Return the id of the next new invoice: its documents name it before it is written."""
        if not self._ids:
            self._ids = reserve_ids(self.session, Factura.__table__, max(self._may_create, 1))
        return self._ids.pop(0)

    def take(self, row: Factura, facts: dict[str, Any]) -> None:
        """Add a new invoice; `facts` go into the first link of its history."""
        self.session.add(row)
        self.born.append((row, facts))
        self._by_id[row.id] = row
        self.invoices.setdefault((row.prestador_id, row.numero_digitos), []).append(row)
        self.shelf.open(row.id)

    def take_document(self, row: Documento) -> None:
        """Add a new document; until `write` only the desk has it, so that others may still replace it."""
        self._fresh.append(row)
        self.known.setdefault(row.sha256, []).append(row)
        if row.factura_id is None:
            self.waiting.setdefault(row.prestador_id, []).append(row)

    def write(self) -> None:
        """Write the new invoices, then the documents that name them; call it once, at the end."""
        self.session.flush()
        rows = [{name: getattr(row, name) for name in _WRITTEN} for row in self._fresh]
        insert_rows(self.session, Documento, rows)

    def waiting_for_cuv(self, prestador_id: int, cuv: str | None) -> list[Documento]:
        """Return the answers without a number that wait for the invoice of this CUV."""
        rows = self.waiting.get(prestador_id, [])
        return [doc for doc in rows if cuv and doc.factura_id is None and doc.clave_espera == cuv_key(cuv)]

    def _scope_ids(self) -> list[int]:
        """Return the providers whose invoices this import may meet."""
        query = select(Prestador.id).order_by(Prestador.id)
        if self.scope.only_nit is not None:
            query = query.where(Prestador.nit == self.scope.only_nit)
        if self.scope.allowed is not None:
            query = query.where(Prestador.id.in_(self.scope.allowed))
        return list(self.session.scalars(query))

    def _read_known(self, prestador_ids: Collection[int], hashes: Collection[str]) -> None:
        """Read the documents with the same bytes that these providers have; what others have is none of ours."""
        rows = self.session.scalars(
            select(Documento)
            .where(Documento.prestador_id.in_(prestador_ids), Documento.sha256.in_(hashes))
            .order_by(Documento.id)
        )
        for held in rows:
            self.known.setdefault(held.sha256, []).append(held)

    def _lock_invoices(self, prestador_ids: Collection[int], digits: Collection[str]) -> None:
        self.invoices.update({(one, each): [] for one in prestador_ids for each in digits})
        locked = self.session.scalars(
            select(Factura)
            .where(Factura.prestador_id.in_(prestador_ids), Factura.numero_digitos.in_(digits))
            .order_by(Factura.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        for row in locked:
            self.invoices[row.prestador_id, row.numero_digitos].append(row)

    def _read_waiting(
        self, prestador_ids: Collection[int], numbers: Sequence[InvoiceNumber], answers: Collection[str]
    ) -> None:
        """Read the documents that wait for these numbers (with any prefix) or for the invoices of these CUV."""
        patterns = sorted({wait_key(number, any_prefix=True) for number in numbers})
        rows = self.session.scalars(
            select(Documento).where(
                Documento.prestador_id.in_(prestador_ids),
                Documento.factura_id.is_(None),
                or_(
                    Documento.clave_espera.in_([cuv_key(cuv) for cuv in answers]),
                    *(Documento.clave_espera.like(pattern) for pattern in patterns),
                ),
            )
        )
        for doc in rows:
            self.waiting.setdefault(doc.prestador_id, []).append(doc)
