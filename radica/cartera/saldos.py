"""Where each peso of an invoice is: value and debit notes against what was paid, withheld, credited and is still open.

Invariant: valor + notas débito = pagado + retenido + notas crédito + saldo, always, in centavos; the balance holds
what was accepted and waits for its credit note, and is negative when more was paid than owed. DESIGN section 4.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.cartera.models import ConceptoPago
from radica.cartera.pagos import standing
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.states import EstadoDevolucion, EstadoGlosa
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput
from radica.kernel.money import to_cents

_NOTAS = (TipoDocumento.NOTA_CREDITO, TipoDocumento.NOTA_DEBITO)
DEV_ACEPTADAS = frozenset({EstadoDevolucion.ACEPTADA, EstadoDevolucion.ACEPTADA_TACITA})


@dataclass(frozen=True)
class Nota:
    """A credit or debit note of an invoice: its number, day and value in centavos; None when its document has none."""

    tipo: TipoDocumento
    numero: str
    fecha: date
    valor: int | None
    sha256: str


@dataclass(frozen=True)
class Saldo:
    """The identity of one invoice, in centavos."""

    valor: int
    notas_debito: int
    pagado: int
    retenido: int
    notas_credito: int
    aceptado: int

    @property
    def saldo(self) -> int:
        """What is open; negative is what the payer has in its favour."""
        return self.valor + self.notas_debito - self.pagado - self.retenido - self.notas_credito

    @property
    def aceptado_sin_nota(self) -> int:
        """What was accepted and no credit note took back yet; it is part of the balance."""
        return max(0, min(self.aceptado - self.notas_credito, self.saldo))


def balance(session: Session, factura: Factura) -> Saldo:
    """Return the identity of an invoice; one without a value counts as zero."""
    notes = notes_of(session, factura.id)
    paid = standing(session, factura.id)
    return Saldo(
        valor=factura.valor or 0,
        notas_debito=_of(notes, TipoDocumento.NOTA_DEBITO),
        pagado=sum(one.valor for one in paid if one.concepto is not ConceptoPago.RETENCION),
        retenido=sum(one.valor for one in paid if one.concepto is ConceptoPago.RETENCION),
        notas_credito=_of(notes, TipoDocumento.NOTA_CREDITO),
        aceptado=accepted(session, factura),
    )


def accepted(session: Session, factura: Factura) -> int:
    """Return what the provider accepted of an invoice, its credit notes aside."""
    glosas = list(
        session.scalars(select(Glosa).where(Glosa.factura_id == factura.id, Glosa.estado != EstadoGlosa.ANULADA))
    )
    states = session.scalars(select(Devolucion.estado).where(Devolucion.factura_id == factura.id))
    taken = sum(one.aceptado for one in glosas)
    if any(state in DEV_ACEPTADAS for state in states):
        taken += max(0, (factura.valor or 0) - sum(one.valor for one in glosas))
    return taken


def notes_of(session: Session, factura_id: int) -> list[Nota]:
    """Return the notes of an invoice by day; one that came in two files counts once."""
    rows = session.scalars(
        select(Documento)
        .where(Documento.factura_id == factura_id, Documento.tipo.in_([one.value for one in _NOTAS]), Documento.vigente)
        .order_by(Documento.id)
    )
    return sorted(_once(rows), key=lambda one: (one.fecha, one.numero))


def notes_by_invoice(session: Session, prestador_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Return the sums of credit and debit notes, in centavos, of each invoice of some providers that has any."""
    rows = session.scalars(
        select(Documento)
        .where(
            Documento.prestador_id.in_(prestador_ids),
            Documento.factura_id.is_not(None),
            Documento.tipo.in_([one.value for one in _NOTAS]),
            Documento.vigente,
        )
        .order_by(Documento.id)
    )
    grouped: dict[int, list[Documento]] = {}
    for row in rows:
        grouped.setdefault(row.factura_id or 0, []).append(row)
    found = {}
    for factura_id, docs in grouped.items():
        notes = _once(docs)
        found[factura_id] = (_of(notes, TipoDocumento.NOTA_CREDITO), _of(notes, TipoDocumento.NOTA_DEBITO))
    return found


def _once(rows: Iterable[Documento]) -> list[Nota]:
    found: dict[tuple[TipoDocumento, str], Nota] = {}
    for row in rows:
        number = str(row.datos.get("number") or "")
        day = _day(row.datos) or civil_date(row.cargado_at)
        note = Nota(row.tipo, number or row.nombre[:60], day, _payable(row.datos), row.sha256)
        found.setdefault((row.tipo, number or row.sha256), note)
    return list(found.values())


def _payable(datos: Mapping[str, Any]) -> int | None:
    said = datos.get("payable")
    if said is None:
        return None
    try:
        return abs(to_cents(Decimal(str(said))))
    except (InvalidOperation, BadInput):
        return None


def _day(datos: Mapping[str, Any]) -> date | None:
    try:
        return date.fromisoformat(str(datos.get("issue_date") or ""))
    except ValueError:
        return None


def _of(notes: Iterable[Nota], tipo: TipoDocumento) -> int:
    return sum(one.valor or 0 for one in notes if one.tipo is tipo)
