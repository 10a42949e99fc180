"""Enter a payment with its proof, undo one entered by mistake, freeze a liquidation.

Invariant: proofs are in custody before any transaction opens; nothing is edited: an undone payment and a frozen
liquidation stay. Norm: Res. 2284/2023 art. 7.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue

from radica.app.acciones import cartera_formas as formas
from radica.app.acciones.comun import EVIDENCE_LIMIT, keep_evidence
from radica.app.paginas.cartera import page, wanted
from radica.app.paginas.cartera_plano import WORKERS, blueprint, load_invoice, load_payment
from radica.cartera import pagos
from radica.cartera.liquidar import congelar, liquidar_factura
from radica.cartera.models import ConceptoPago
from radica.kernel.errors import BadInput, RadicaError
from radica.kernel.money import format_cop
from radica.kernel.web import allow, current, go, max_upload, now, person


@blueprint.post("/factura/<int:factura_id>/pagos")
@allow(*WORKERS)
@max_upload(EVIDENCE_LIMIT, parts=40)
def registrar_pago(factura_id: int) -> ResponseReturnValue:
    """Enter a payment."""
    with current().database.read() as session:
        load_invoice(session, factura_id, *WORKERS)
    form = formas.PaymentForm(prefix="pago")
    if not form.validate_on_submit():
        return _again(factura_id, "pago", pago=form)
    try:
        kept = [replace(one, clase="pago") for one in keep_evidence(form.pruebas.data or [])]
        with current().database.write() as session:
            row = pagos.enter(
                session, load_invoice(session, factura_id, *WORKERS), fecha=form.fecha.data,
                valor=form.valor.cents or 0, concepto=ConceptoPago(form.concepto.data),
                referencia=form.referencia.data or "", nota=form.nota.data or "", kept=kept, actor=person().actor,
                at=now(),
            )  # fmt: skip
    except BadInput as refusal:
        return _again(factura_id, "pago", refusal, pago=form)
    flash(f"Quedó registrado: {format_cop(row.valor)} del {row.fecha:%d/%m/%Y}.", "success")
    return go(_here(factura_id, "pagos"))


@blueprint.post("/pagos/<int:pago_id>/anular")
@allow(*WORKERS)
def anular_pago(pago_id: int) -> ResponseReturnValue:
    """Undo a payment entered by mistake."""
    with current().database.read() as session:
        factura_id = load_payment(session, pago_id, *WORKERS)[1].id
    form = formas.ReverseForm(prefix="anular")
    if not form.validate_on_submit():
        return _again(factura_id, f"anular-{pago_id}", anular=form)
    try:
        with current().database.write() as session:
            row, _ = load_payment(session, pago_id, *WORKERS)
            pagos.reverse(session, row, form.motivo.data, actor=person().actor, at=now())
    except BadInput as refusal:
        return _again(factura_id, f"anular-{pago_id}", refusal, anular=form)
    flash(f"El pago de {format_cop(row.valor)} quedó anulado; sigue a la vista con su motivo.", "success")
    return go(_here(factura_id, "pagos"))


@blueprint.post("/factura/<int:factura_id>/congelar")
@allow(*WORKERS)
def congelar_liquidacion(factura_id: int) -> ResponseReturnValue:
    """Keep the liquidation as the page shows it."""
    with current().database.read() as session:
        load_invoice(session, factura_id, *WORKERS)
    corte, chosen, problem = wanted(request.form)
    if problem is not None:
        return _again(factura_id, "", problem)
    with current().database.write() as session:
        factura = load_invoice(session, factura_id, *WORKERS)
        found = liquidar_factura(session, factura, corte=corte, parametros=chosen)
        congelar(session, factura, found, actor=person().actor, at=now())
    flash("Quedó guardada la liquidación como está.", "success")
    return go(_here(factura_id, "guardadas"))


def _here(factura_id: int, part: str) -> str:
    return url_for("cartera.liquidacion", factura_id=factura_id) + f"#{part}"


def _again(factura_id: int, acto: str, refusal: RadicaError | None = None, **forms: Any) -> ResponseReturnValue:
    with current().database.read() as session:
        row = load_invoice(session, factura_id, *WORKERS)
        return page(session, row, acto=acto, error=refusal, **forms), 422
