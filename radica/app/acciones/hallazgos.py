"""What a person does about the findings of an invoice: check again, accept, take back, ask for a credit note.

Invariant: the invoice is loaded (and the tenant judged) before anything else; who may accept is decided by the
finding's weight and money, again at the moment of the act. Norm: see `facturas.aceptar`.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.acciones.glosas_formas import read_pesos
from radica.app.handlers.juzgar import KIND_JUDGE
from radica.audit.services import lock_all
from radica.entidades.models import Prestador
from radica.facturas.aceptar import (
    ANY,
    aceptar,
    fijar_limite,
    fila_vista,
    pedir_nota_credito,
    pueden_aceptar,
    retirar,
    riesgo_de,
)
from radica.facturas.juicio import olvidar_juicio
from radica.facturas.models import Factura, Hallazgo
from radica.jobs.queue import enqueue
from radica.kernel.errors import Forbidden, StalePage
from radica.kernel.web import allow, db_session, go, now, person
from radica.users.access import load_for
from radica.users.models import Rol

blueprint = Blueprint("hallazgos", __name__)


def _back(factura_id: int) -> ResponseReturnValue:
    return go(url_for("factura.ver", factura_id=factura_id) + "#hallazgos")


def _of_code(session: Session, factura: Factura, codigo: str) -> Sequence[Hallazgo]:
    """Lock the invoice (a verdict would replace them, another person accept them) and return the findings of one code.

    Raises StalePage when there is none any more.
    """
    lock_all(session, [factura])
    rows = session.scalars(
        select(Hallazgo).where(Hallazgo.factura_id == factura.id, Hallazgo.codigo == codigo).order_by(Hallazgo.id)
    ).all()
    if not rows:
        raise StalePage("Ese hallazgo ya no está: los documentos se comprobaron de nuevo.")
    return rows


@blueprint.post("/facturas/<int:factura_id>/comprobar")
@allow(*ANY)
def comprobar(factura_id: int) -> ResponseReturnValue:
    """Have the documents of an unfiled invoice judged again."""
    session = db_session()
    factura = load_for(session, Factura, factura_id, person(), roles=ANY)
    if olvidar_juicio(session, [factura.id]):
        enqueue(session, KIND_JUDGE, payload={}, priority=150, max_attempts=5, dedup=KIND_JUDGE)
        flash("Se comprueba de nuevo; el resultado aparece aquí en cuanto termine.", "info")
    else:
        flash("La factura ya no está por radicar: queda lo que se halló antes.", "info")
    return _back(factura_id)


@blueprint.post("/facturas/<int:factura_id>/hallazgos/<codigo>/aceptar")
@allow(*ANY)
def aceptar_codigo(factura_id: int, codigo: str) -> ResponseReturnValue:
    """Accept the findings of a code that stand in one row of the page, with a reason."""
    session = db_session()
    factura = load_for(session, Factura, factura_id, person(), roles=ANY)
    of_code = _of_code(session, factura, codigo)
    found = fila_vista(of_code, request.form.get("visto"))
    limit = session.get_one(Prestador, factura.prestador_id).limite_aceptacion
    if factura.prestador_id not in person().granted(*pueden_aceptar(found, riesgo_de(of_code), limit)):
        raise Forbidden(
            "Ese hallazgo lo acepta dirección o administración: rechaza la factura o pasa del límite de dinero.",
            todo="Pídale a una de ellas que lo acepte, o corrija el documento.",
        )
    done = aceptar(session, factura, found, motivo=request.form.get("motivo", ""), actor=person().actor, at=now())
    flash("Quedó aceptado, con su motivo en la historia." if done == 1 else f"Quedaron aceptados {done}.", "success")
    return _back(factura_id)


@blueprint.post("/facturas/<int:factura_id>/hallazgos/<codigo>/retirar")
@allow(*ANY)
def retirar_codigo(factura_id: int, codigo: str) -> ResponseReturnValue:
    """Take the acceptance of a row back."""
    session = db_session()
    factura = load_for(session, Factura, factura_id, person(), roles=ANY)
    found = fila_vista(_of_code(session, factura, codigo), request.form.get("visto"))
    retirar(session, factura, found, actor=person().actor, at=now())
    flash("La aceptación quedó retirada.", "info")
    return _back(factura_id)


@blueprint.post("/facturas/<int:factura_id>/hallazgos/<codigo>/nota-credito")
@allow(*ANY)
def nota_credito(factura_id: int, codigo: str) -> ResponseReturnValue:
    """Open the task of issuing a credit note for what a finding shows."""
    session = db_session()
    factura = load_for(session, Factura, factura_id, person(), roles=ANY)
    first = fila_vista(_of_code(session, factura, codigo), request.form.get("visto"))[0]
    pedir_nota_credito(session, factura, first, motivo=request.form.get("motivo", ""), at=now())
    flash("La tarea de emitir la nota crédito está abierta.", "success")
    return _back(factura_id)


@blueprint.post("/comprobaciones/limite/<int:prestador_id>")
@allow(Rol.ADMINISTRACION)
def limite(prestador_id: int) -> ResponseReturnValue:
    """Set up to which money facturación accepts by itself; empty: any."""
    session = db_session()
    row = load_for(session, Prestador, prestador_id, person(), roles=(Rol.ADMINISTRACION,))
    written = request.form.get("limite", "").strip()
    fijar_limite(session, row, read_pesos(written) if written else None)
    flash("El límite quedó guardado.", "success")
    return go(url_for("comprobaciones.ver"))
