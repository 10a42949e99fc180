"""How a devolución is born: once for an invoice; a further cause joins the one that waits for our answer.

Invariant: its value is the invoice's, whatever its lines say; a second devolución after the first was answered is not
one: a person decides. Norm: Res. 2284/2023 art. 6.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.models import Reason
from radica.audit.services import advance, lock_all, open_case
from radica.glosas.acts_base import Hecho, record_act, set_term
from radica.glosas.births import Invoice, NuevaDevolucion, lock_invoices, payer_kinds, payer_of, terms_at_birth
from radica.glosas.models import Devolucion, Notificacion, TipoActo
from radica.glosas.states import EstadoDevolucion, EventoDevolucion
from radica.kernel.errors import BadInput


def formulate_devolucion(
    session: Session,
    nueva: NuevaDevolucion,
    *,
    notificacion: Notificacion | None,
    actor: str,
    at: datetime,
    evidence: Sequence[str] = (),
) -> Devolucion:
    """Write a devolución, or join a further cause to the one that waits for our answer (one an invoice, art. 6.1).

    The same cause again changes nothing. Raises BadInput (code `segunda_devolucion`) when the invoice has one that is
    past its first state: a second one is not possible; dates as in `formulate_all`.
    """
    standing = _standing(session, nueva.factura_id)
    if standing is not None:
        lock_all(session, [standing])  # before its invoice: the house's order
    invoice = lock_invoices(session, {nueva.factura_id})[nueva.factura_id]
    payer = payer_of(nueva, invoice)
    terms = terms_at_birth(nueva, invoice, payer_kinds(session, {payer})[payer], at)
    pieces = tuple(sorted({*evidence, *([notificacion.sha256] if notificacion else [])}))
    hecho = Hecho(nueva.notificada_at, actor, at, Reason.IMPORTACION, pieces)
    cause = {"codigo": nueva.codigo, "motivo": nueva.motivo}
    present = _standing(session, nueva.factura_id)  # another load may have written it while this one waited
    if present is not None:
        return _join(session, present, cause, hecho, invoice)
    row = Devolucion(
        prestador_id=invoice.prestador_id,
        factura_id=invoice.id,
        pagador_id=payer,
        notificacion_id=notificacion.id if notificacion else None,
        codigo=nueva.codigo[:12],
        causales=[cause],
        numero=nueva.numero,
        motivo=nueva.motivo,
        valor=invoice.valor or 0,
        notificada_at=nueva.notificada_at,
        notificada_segun=nueva.notificada_segun,
        extemporanea=terms.extemporanea,
        dias_pagador=terms.dias_pagador,
        turno="ips",
        responsable_id=nueva.responsable_id,
        creada_at=at,
        estado=EstadoDevolucion.FORMULADA,
        version=0,
    )
    session.add(row)
    session.flush()
    set_term(session, row)
    facts = {"codigo": row.codigo, "valor": row.valor, "notificada": row.notificada_at}
    open_case(session, row, actor=actor, at=at, reason=Reason.IMPORTACION, facts=facts)
    record_act(session, row, TipoActo.NOTIFICACION, hecho, autor="pagador", codigo=row.codigo, plazo=terms.prueba)
    return row


def _standing(session: Session, factura_id: int) -> Devolucion | None:
    return session.scalars(
        select(Devolucion).where(Devolucion.factura_id == factura_id, Devolucion.estado != EstadoDevolucion.ANULADA)
    ).one_or_none()


def _join(session: Session, present: Devolucion, cause: dict[str, str], hecho: Hecho, invoice: Invoice) -> Devolucion:
    if any(one.get("codigo") == cause["codigo"] for one in present.causales):
        return present
    if present.estado is not EstadoDevolucion.FORMULADA:
        label = Devolucion.MACHINE.labels[present.estado].lower()
        raise BadInput(
            f"La factura {invoice.numero} ya tiene una devolución «{label}»; la norma solo admite una.",
            todo="Decida qué hacer con esta otra (Res. 2284/2023 art. 6.1).",
            code="segunda_devolucion",
        )
    present.causales = [*present.causales, cause]
    advance(
        session, present, EventoDevolucion.AGREGAR_CAUSAL, actor=hecho.actor, at=hecho.at, reason=hecho.motivo,
        facts={"codigo": cause["codigo"]}, evidence=hecho.evidence,
    )  # fmt: skip
    record_act(session, present, TipoActo.NOTIFICACION, hecho, autor="pagador", codigo=cause["codigo"][:12])
    return present
