"""Payments entered to an invoice by hand: enter one with its proof, undo one whole, list them.

Invariant: rows are only added; a mistake is undone by a row that takes it back whole, once, and both then count for
nothing; the same payment (day, amount, reference) is entered once. Amounts are centavos. Norm: Res. 2284/2023 art. 7.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from radica.audit.models import Apunte, Reason
from radica.audit.services import lock_all, note_fact
from radica.cartera.models import ConceptoPago, PagoFactura
from radica.custodia.services import Kept, seal
from radica.facturas.models import Factura
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput, InvalidTransition
from radica.kernel.money import MAX_CENTS, format_cop

NOMBRES = {
    ConceptoPago.PAGO: "Pago",
    ConceptoPago.GIRO_DIRECTO: "Giro directo",
    ConceptoPago.ANTICIPO: "Anticipo",
    ConceptoPago.RETENCION: "Retención",
}
FIRST_YEAR = 2000


@dataclass(frozen=True)
class Visto:
    """A payment and, when it was undone, the row that did it."""

    pago: PagoFactura
    anulado_por: PagoFactura | None


def enter(
    session: Session,
    factura: Factura,
    *,
    fecha: date,
    valor: int,
    concepto: ConceptoPago = ConceptoPago.PAGO,
    referencia: str = "",
    nota: str = "",
    kept: Sequence[Kept] = (),
    actor: str,
    at: datetime,
) -> PagoFactura:
    """Enter a payment of `valor` centavos. More than the balance is taken in: it is what the payer did.

    Raises BadInput for a date in the future, an amount that is none, several proofs, or the same payment again.
    """
    lock_all(session, [factura])
    reference = " ".join(referencia.split())[:120]
    _check(session, factura, fecha, valor, reference, civil_date(at))
    if len(kept) > 1:
        raise BadInput("Un pago lleva un solo soporte; no se guardó nada.", todo="Únalos en un PDF.", code="soportes")
    pieces = seal(
        session, kept, prestador_id=factura.prestador_id, case_key=factura.case_key, group_key="pagos",
        origen="persona", actor=actor, at=at,
    )  # fmt: skip
    row = PagoFactura(
        prestador_id=factura.prestador_id,
        factura_id=factura.id,
        fecha=fecha,
        valor=valor,
        concepto=concepto,
        referencia=reference,
        nota=nota.strip()[:1000],
        pieza_id=pieces[0].id if pieces else None,
        registrado_at=at,
        registrado_por=actor,
    )
    session.add(row)
    session.flush()
    _write(session, factura, row, Apunte.REGISTRAR_PAGO, [one.sha256 for one in pieces])
    return row


def _write(session: Session, factura: Factura, row: PagoFactura, what: Apunte, evidence: Sequence[str] = ()) -> None:
    """Write the payment in the invoice's own chain: money that can be proved, and whose row cannot change unseen."""
    facts = {"pago": row.id, "valor": row.valor, "fecha": row.fecha.isoformat(), "concepto": row.concepto.value}
    note_fact(
        session, factura, what, actor=row.registrado_por, at=row.registrado_at, reason=Reason.REGISTRO_MANUAL,
        facts=facts, evidence=evidence,
    )  # fmt: skip


def _check(session: Session, factura: Factura, fecha: date, valor: int, reference: str, today: date) -> None:
    if not 0 < valor <= MAX_CENTS:
        raise BadInput("El valor del pago debe ser mayor que cero; no se guardó nada.", code="valor")
    if fecha > today:
        raise BadInput(
            f"La fecha del pago ({fecha:%d/%m/%Y}) está en el futuro; no se guardó nada.",
            todo="Escriba el día en que llegó el dinero.",
            code="fecha_futura",
        )
    if fecha.year < FIRST_YEAR:
        raise BadInput("La fecha del pago no puede ser tan antigua; no se guardó nada.", code="fecha")
    undone = aliased(PagoFactura)
    same = session.scalar(
        select(PagoFactura.id)
        .outerjoin(undone, undone.anula_id == PagoFactura.id)
        .where(
            PagoFactura.factura_id == factura.id,
            PagoFactura.fecha == fecha,
            PagoFactura.valor == valor,
            PagoFactura.referencia == reference,
            undone.id.is_(None),
        )
        .limit(1)
    )
    if same is not None:
        raise BadInput(
            f"Ese pago ya está: {format_cop(valor)} del {fecha:%d/%m/%Y}, con la misma referencia. No se guardó otra vez.",
            todo="Si son dos pagos iguales, dé a cada uno su referencia.",
            code="pago_repetido",
        )


def reverse(session: Session, pago: PagoFactura, motivo: str, *, actor: str, at: datetime) -> PagoFactura:
    """Undo a payment whole. Raises BadInput without a reason, InvalidTransition when it is undone or undoes another."""
    if not motivo.strip():
        raise BadInput("Escriba por qué se anula el pago.", code="sin_motivo")
    factura = session.get_one(Factura, pago.factura_id)
    lock_all(session, [factura])
    if pago.anula_id is not None:
        raise InvalidTransition("Ese renglón anula otro pago: no se anula a su vez.", code="es_anulacion")
    if session.scalar(select(PagoFactura.id).where(PagoFactura.anula_id == pago.id)) is not None:
        raise InvalidTransition("Ese pago ya estaba anulado; no se cambió nada.", code="ya_anulado")
    row = PagoFactura(
        prestador_id=pago.prestador_id,
        factura_id=pago.factura_id,
        fecha=pago.fecha,
        valor=-pago.valor,
        concepto=pago.concepto,
        referencia=pago.referencia,
        nota=motivo.strip()[:1000],
        anula_id=pago.id,
        registrado_at=at,
        registrado_por=actor,
    )
    session.add(row)
    session.flush()
    _write(session, factura, row, Apunte.ANULAR_PAGO)
    return row


def entered(session: Session, factura_id: int) -> list[Visto]:
    """Return the payments of an invoice by day, each with what undid it."""
    rows = list(
        session.scalars(
            select(PagoFactura).where(PagoFactura.factura_id == factura_id).order_by(PagoFactura.fecha, PagoFactura.id)
        )
    )
    undone = {row.anula_id: row for row in rows if row.anula_id is not None}
    return [Visto(row, undone.get(row.id)) for row in rows if row.anula_id is None]


def standing(session: Session, factura_id: int) -> list[PagoFactura]:
    """Return the payments of an invoice that nobody undid, by day."""
    return [one.pago for one in entered(session, factura_id) if one.anulado_por is None]


def sums(session: Session, prestador_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Return what was paid and withheld, in centavos, of each invoice of some providers that has payments."""
    rows = session.execute(
        select(PagoFactura.factura_id, PagoFactura.concepto, func.sum(PagoFactura.valor))
        .where(PagoFactura.prestador_id.in_(prestador_ids))
        .group_by(PagoFactura.factura_id, PagoFactura.concepto)
    )
    found: dict[int, tuple[int, int]] = {}
    for factura_id, concepto, value in rows:
        paid, withheld = found.get(factura_id, (0, 0))
        kept = concepto is ConceptoPago.RETENCION
        found[factura_id] = (paid + (0 if kept else int(value)), withheld + (int(value) if kept else 0))
    return found
