"""The proof of one invoice on screen: its whole story link by link, with the seal over each, and the proof to carry away.

Invariant: reading changes nothing; hashes and seals are shown as they stand; a portable proof holds the links from the
event to the sealed head, so that it can be computed again without us. Norms: Ley 527/1999 arts. 9 to 12, RFC 6962, RFC 3161.
"""

from __future__ import annotations

import json

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from radica.app.paginas import consultas_evidencia as sql
from radica.app.paginas.frases import who
from radica.audit.models import Transition
from radica.custodia.pruebas import link_proof
from radica.facturas.models import Factura
from radica.kernel.errors import NotFound
from radica.kernel.web import db_session, person
from radica.prejuridico.casos import cases_of_invoice
from radica.radicacion.entrega import lineage_of
from radica.users.access import load_for
from radica.users.services import actor_names

blueprint = Blueprint("evidencia", __name__)


@blueprint.get("/facturas/<int:factura_id>/prueba")
def ver(factura_id: int) -> ResponseReturnValue:
    """Show every link of the invoice's cases with its seal."""
    session = db_session()
    row = load_for(session, Factura, factura_id, person())
    rows = sql.links(session, row.prestador_id, cases_of_invoice(session, row.id))
    names = actor_names(session, {one.move.actor for one in rows})
    return render_template(
        "evidencia/factura.html",
        f=row,
        eslabones=rows,
        resumen=sql.summary(rows),
        linaje=lineage_of(session, row.id),
        quien=lambda actor: who(actor, names),
    )


@blueprint.get("/facturas/<int:factura_id>/prueba/<int:transicion_id>.json")
def descargar(factura_id: int, transicion_id: int) -> ResponseReturnValue:
    """Send the proof of one link: its content, the links up to the sealed head, leaf, path, root and tokens."""
    session = db_session()
    row = load_for(session, Factura, factura_id, person())
    move = session.get(Transition, transicion_id)
    if move is None or move.case_key not in cases_of_invoice(session, row.id):
        raise NotFound
    body = link_proof(session, move.case_key, move.seq)
    answer = Response(json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True), mimetype="application/json")
    answer.headers["Content-Disposition"] = (
        f"attachment; filename=prueba_{move.case_key.replace(':', '_')}_{move.seq}.json"
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
