"""No reconocidos: what was not understood or belongs to nobody, with its reason, and what a person does with it.

Invariant: nothing leaves the tray without who, when and how; bytes stay in custody. A row without provider belongs to
the person who brought it. Norm: Ley 1581/2012 art. 17 (openings are logged where there is a provider to log for).
"""

from __future__ import annotations

from pathlib import PurePosixPath

from flask import Blueprint, flash, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from radica.app.acciones.comun import FILERS, keys
from radica.app.acciones.formas import DiscardForm
from radica.app.acciones.sql_bandeja import (
    FiltroBandeja,
    find_invoice,
    hand_over,
    mine,
    tray_codes,
    tray_count,
    tray_rows,
)
from radica.app.paginas.comun import HEALTH_ROLES, opened, store
from radica.entidades.models import Prestador
from radica.facturas.intake import import_paths
from radica.facturas.models import NoReconocido, ResultadoArchivo
from radica.facturas.services import assign_support, discard
from radica.facturas.soportes import catalogue
from radica.facturas.tray import Scope, person_scope, resolve
from radica.kernel.errors import BadInput, NotFound
from radica.kernel.web import allow, current, db_session, go, now, person
from radica.kernel.web_paging import Page, cut, decode_cursor
from radica.users.access import MAX_ID, load_for
from radica.users.services import actor_names

blueprint = Blueprint("tray", __name__, url_prefix="/no-reconocidos")

PAGE = 100
CODES = {
    "sin_factura": "No se sabe de qué factura es",
    "sin_prestador": "Su prestador no está entre los suyos",
    "zip_dentro": "Comprimido dentro de otro",
    "zip_vacio": "ZIP vacío",
    "demasiado_grande": "Demasiado grande",
    "ilegible": "No se pudo leer",
    "pdf_sin_nombre_de_soporte": "PDF sin nombre de soporte",
    "pdf_cortado": "PDF incompleto",
    "pdf_falso": "Dice ser PDF y no lo es",
    "json_cortado": "JSON incompleto",
    "json_danado": "JSON dañado",
    "json_codificacion": "JSON con letras dañadas",
    "xml_cortado": "XML incompleto",
    "xml_danado": "XML dañado",
    "desconocido": "No es un documento de facturación",
    "formato": "Formato que no se recibe",
    "sin_numero": "No dice el número de factura",
    "rips_sin_factura": "RIPS sin factura",
    "vacio": "Archivo vacío",
    "grande": "Demasiado grande",
}


@blueprint.get("")
def lista() -> ResponseReturnValue:
    """List the tray."""
    session, me = db_session(), person()
    chosen = FiltroBandeja(
        codigo=request.args.get("codigo", "")[:40],
        resueltos=request.args.get("ver") == "resueltos",
    )
    scope = mine(me.id, sorted(me.selected()))
    after, before = (_id(request.args.get(name)) for name in ("despues", "antes"))
    found = tray_rows(session, scope, chosen, limit=PAGE + 1, after=after, before=before)
    page = cut(
        found,
        limit=PAGE,
        key=lambda one: [one[0].id],
        came_with="x" if after else None,
        backwards=before is not None and after is None,
    )
    total = tray_count(session, scope, chosen)
    return render_template(
        "tray/lista.html",
        page=Page(page.rows, page.next, page.previous, total),
        filtro=chosen,
        codigos=tray_codes(session, scope),
        nombre_codigo=code_name,
        puede=bool(me.granted(*FILERS)),
    )


def code_name(code: str) -> str:
    """Return how a person calls the reason of a row."""
    return CODES.get(code, code.replace("_", " ").capitalize())


def _id(text: str | None) -> int | None:
    cursor = decode_cursor(text, size=1)
    value = cursor[0] if cursor else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_ID else None


@blueprint.get("/<int:fila_id>")
def detalle(fila_id: int) -> ResponseReturnValue:
    """Show one file and what can be done with it."""
    return _page(load_for(db_session(), NoReconocido, fila_id, person()), DiscardForm())


def _page(row: NoReconocido, form: DiscardForm) -> str:
    me = person()
    with current().database.read() as session:
        provider = session.get(Prestador, row.prestador_id) if row.prestador_id else None
        names = actor_names(session, [row.resuelto_por] if row.resuelto_por else [])
    return render_template(
        "tray/detalle.html",
        fila=row,
        prestador=provider,
        nombres=names,
        nombre_codigo=code_name,
        form=form,
        puede=_may(row),
        asigna_soporte=row.codigo.startswith("pdf_sin_nombre") and row.sha256 is not None,
        soportes=sorted((sigla, one.nombre) for sigla, one in catalogue().items()),
        destinos=[one for one in me.providers if one.id in me.granted(*FILERS)] if row.prestador_id is None else [],
    )


def _may(row: NoReconocido) -> bool:
    return row.prestador_id is None or row.prestador_id in person().granted(*FILERS)


def _load(session: Session, fila_id: int) -> NoReconocido:
    row = load_for(session, NoReconocido, fila_id, person(), roles=FILERS)
    if row.resuelto_at is not None:
        raise BadInput("Este archivo ya salió de la bandeja; no se hizo nada.", todo="Recargue la página.")
    return row


@blueprint.get("/<int:fila_id>/descargar")
@allow(*HEALTH_ROLES, *FILERS)
def descargar(fila_id: int) -> ResponseReturnValue:
    """Send the original as an attachment."""
    with current().database.read() as session:
        row = load_for(session, NoReconocido, fila_id, person(), roles=(*HEALTH_ROLES, *FILERS))
    if row.sha256 is None:
        raise NotFound("De este archivo no se guardaron los bytes: por eso está el motivo.")
    source = store().open(row.sha256)
    # A file of nobody is the person's own upload: there is no provider whose log could hold its opening.
    if row.prestador_id is not None:
        case = f"no_reconocido:{row.id}"
        opened(
            "no_reconocido",
            row.id,
            prestador_id=row.prestador_id,
            sha256=row.sha256,
            action="descargar",
            case_key=case,
        )
    name = PurePosixPath(row.nombre.replace("\\", "/")).name or "archivo"
    return send_file(source, mimetype="application/octet-stream", as_attachment=True, download_name=name, max_age=0)


@blueprint.post("/<int:fila_id>/reintentar")
@allow(*FILERS)
def reintentar(fila_id: int) -> ResponseReturnValue:
    """Try to recognise it again, with what is loaded by now."""
    with current().database.read() as session:
        row = _load(session, fila_id)
    if row.sha256 is None:
        raise BadInput("De este archivo no se guardaron los bytes.", todo="Vuelva a cargarlo.")
    with store().local(row.sha256) as path:
        summary = import_paths(
            current().database,
            store(),
            [path],
            _scope(row),
            clock=current().clock,
            workdir=current().settings.incoming,
            names=[row.nombre],
            key_for=keys(),
        )
    left = [one for one in summary.archivos if one.resultado is ResultadoArchivo.NO_RECONOCIDO]
    if left or not summary.archivos:
        flash(f"Sigue sin reconocerse: {left[0].motivo if left else 'no trae archivos'}", "warning")
        return go(url_for("tray.detalle", fila_id=fila_id))
    numbers = sorted({one.factura for one in summary.archivos if one.factura})
    how = f"Se reconoció: factura {', '.join(numbers)}" if numbers else "Se reconoció y espera su factura"
    with current().database.write() as session:
        again = load_for(session, NoReconocido, fila_id, person())
        if again.resuelto_at is None:
            resolve(again, how=how[:2000], actor=person().actor, at=now())
    flash(f"{how}.", "success")
    return go(url_for("tray.lista"))


def _scope(row: NoReconocido) -> Scope:
    if row.prestador_id is None:
        return person_scope(person().id, person().granted(*FILERS))
    allowed = frozenset({row.prestador_id})
    return Scope(person().actor, "web", owner=row.duenio, prestador_id=row.prestador_id, allowed=allowed)


@blueprint.post("/<int:fila_id>/descartar")
@allow(*FILERS)
def descartar(fila_id: int) -> ResponseReturnValue:
    """Take it out of the tray with a reason; the bytes stay."""
    form = DiscardForm()
    if not form.validate_on_submit():
        with current().database.read() as session:
            return _page(load_for(session, NoReconocido, fila_id, person(), roles=FILERS), form), 422
    session = db_session()
    discard(_load(session, fila_id), form.motivo.data, actor=person().actor, at=now())
    flash("Quedó descartado, con su motivo; el archivo sigue en custodia.", "success")
    return go(url_for("tray.lista"))


@blueprint.post("/<int:fila_id>/prestador")
@allow(*FILERS)
def asignar(fila_id: int) -> ResponseReturnValue:
    """Give a file of one's own tray to a provider's."""
    session = db_session()
    row = _load(session, fila_id)
    target = load_for(session, Prestador, request.form.get("prestador", 0, type=int), person(), roles=FILERS)
    hand_over(session, row, target, actor=person().actor, at=now())
    flash(f"Quedó en la bandeja de {target.nombre}.", "success")
    return go(url_for("tray.lista"))


@blueprint.post("/<int:fila_id>/soporte")
@allow(*FILERS)
def soporte(fila_id: int) -> ResponseReturnValue:
    """Make a PDF of the tray a support of an invoice."""
    session, me = db_session(), person()
    row = _load(session, fila_id)
    ours = me.granted(*FILERS) if row.prestador_id is None else frozenset({row.prestador_id})
    factura = find_invoice(session, request.form.get("factura", ""), sorted(ours))
    assign_support(session, row, factura, request.form.get("sigla", ""), actor=me.actor, at=now())
    flash(f"Quedó como soporte de la factura {factura.numero}.", "success")
    return go(url_for("tray.lista"))
