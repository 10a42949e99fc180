"""The search of the top bar: number, radicado, CUFE, CUV or payer; one exact hit goes straight there.

Invariant: what was typed never goes into an address unless it fits an invoice or payer of the person's providers, so
that a patient's document typed here leaves no trace in a URL or a log.
"""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, func, or_, select

from radica.app.paginas.consultas_facturas import matching
from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.facturas.named import named
from radica.facturas.numbers import parse_invoice_number
from radica.kernel.web import allow_anyone, current, go, person
from radica.users.access import granted_ids

blueprint = Blueprint("buscar", __name__)


@blueprint.post("/buscar")
@allow_anyone
def buscar() -> ResponseReturnValue:
    """Go to the one hit, to the list of several, or say that there is none."""
    text = " ".join(request.form.get("q", "").split())[:120]
    if not text:
        return go(url_for("facturas.lista"))
    # Searching changes nothing: a reading transaction, although it comes by POST.
    with current().database.read() as session:
        mine = Factura.prestador_id.in_(granted_ids(person()))
        exact = list(session.scalars(select(Factura.id).where(mine, _exact(text)).limit(2)))
        if len(exact) == 1:
            return go(url_for("factura.ver", factura_id=exact[0]))
        payers = list(session.scalars(select(Pagador.id).where(_payer(text)).limit(2)))
        if not exact and len(payers) == 1:
            owing = session.scalar(select(Factura.id).where(mine, Factura.pagador_id == payers[0]).limit(1))
            if owing is not None:
                return go(url_for("facturas.lista", pagador=payers[0]))
        some = session.scalar(select(Factura.id).where(mine, matching(text)).limit(1))
    if some is not None:
        return go(url_for("facturas.lista", q=text))
    return render_template("facturas/sin_resultados.html", q=text)


def _exact(text: str) -> ColumnElement[bool]:
    codes = (Factura.radicado == text, Factura.cufe == text.lower(), Factura.cuv == text.lower())
    return or_(*codes, named(parse_invoice_number(text)))


def _payer(text: str) -> ColumnElement[bool]:
    return or_(
        func.lower(Pagador.nombre).like("%" + text.lower().replace("%", "").replace("_", "") + "%"), Pagador.nit == text
    )
