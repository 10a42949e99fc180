"""The page of one invoice: facts and money, its story, what to do now, documents beside it.

Invariant: reading changes nothing; the page names documents and evidence, and their bytes come only through
`documentos.py`, which logs the opening first.
"""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from radica.app.paginas.consultas_factura import CLASES, Caso, class_name, evidence_groups, load_case
from radica.app.paginas.contratos_factura import tarifa_breve
from radica.app.paginas.documentos import viewer_of
from radica.app.paginas.frases import INTENTOS, LECTURAS, Linea, document_name, state_sentence, timeline, who
from radica.app.paginas.hallazgos import agrupar
from radica.app.paginas.muv import NOMBRES as MUV_NOMBRES
from radica.app.paginas.muv import muv_de
from radica.app.paginas.plazos_factura import terms_shown
from radica.app.paginas.siguiente import Accion, lapsed, next_steps
from radica.entidades.models import TipoPagador
from radica.facturas.aceptar import ANY, aceptaciones
from radica.facturas.models import Documento, Factura
from radica.facturas.soportes import catalogue
from radica.facturas.states import POR_RADICAR, REVISABLES
from radica.kernel.clock import civil_date
from radica.kernel.web import db_session, now, person
from radica.plazos.rules import estado_fecha
from radica.users.access import load_for
from radica.users.models import Rol

blueprint = Blueprint("factura", __name__)


@blueprint.get("/facturas/<int:factura_id>")
def ver(factura_id: int) -> ResponseReturnValue:
    """Show the whole story; `?documento=5` or `?evidencia=9` opens that one beside it."""
    session = db_session()
    row = load_for(session, Factura, factura_id, person())
    caso = load_case(session, row)
    today = civil_date(now())
    tipo = caso.pagador.tipo if caso.pagador else TipoPagador.DESCONOCIDO
    me = person()
    groups, undecided = agrupar(
        caso.hallazgos,
        caso.documentos,
        aceptaciones(session, row, caso.hallazgos, caso.documentos),
        roles=frozenset(role.value for role in Rol if row.prestador_id in me.granted(role)),
        limite=caso.prestador.limite_aceptacion,
    )
    supports = {sigla: kind.nombre for sigla, kind in catalogue().items()}
    return render_template(
        "facturas/factura.html",
        caso=caso,
        f=row,
        frase=state_sentence(row, caso.pagador.nombre if caso.pagador else None),
        urgencia_hoy=estado_fecha(row.vence_radicar, today)
        if row.vence_radicar and row.estado in POR_RADICAR
        else None,
        plazos=terms_shown(row, tipo, now()),
        pasos=next_steps(caso, today),
        vencida=lapsed(row, today),
        Accion=Accion,
        historia=_history(caso),
        grupos=groups,
        sin_registro=undecided,
        acepta=row.estado in REVISABLES and row.prestador_id in me.granted(*ANY),
        muv=muv_de(session, row, me),
        MUV_NOMBRES=MUV_NOMBRES,
        tarifa=tarifa_breve(session, row),
        por_juzgar=row.por_juzgar == 1 and row.estado in REVISABLES,
        nombre_documento=lambda doc: document_name(doc, supports),
        INTENTOS=INTENTOS,
        LECTURAS=LECTURAS,
        CLASES=CLASES,
        clase=class_name,
        evidencias=evidence_groups(caso),
        revisable=row.estado in REVISABLES,
        quien=lambda actor: who(actor, caso.nombres),
        estados=Factura.MACHINE.labels,
        visor=_beside(caso),
    )


def _history(caso: Caso) -> list[Linea]:
    attempts = [one.intento for envio in caso.envios for one in envio.intentos]
    readings = [reading for envio in caso.envios for one in envio.intentos for reading in one.lecturas]
    return timeline(caso.movimientos, caso.documentos, attempts, readings, caso.nombres)


def _beside(caso: Caso) -> str:
    """Return the viewer that the address asks for, of a document or piece of this very invoice."""
    wanted: list[Documento] = [doc for doc in caso.documentos if str(doc.id) == request.args.get("documento")]
    if wanted:
        return viewer_of("documento", wanted[0])
    pieces = [piece for piece in caso.piezas if str(piece.id) == request.args.get("evidencia")]
    return viewer_of("evidencia", pieces[0]) if pieces else ""
