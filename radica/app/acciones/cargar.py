"""Load files: whole in one form, or piece by piece with progress; then one import for all of them together.

Invariant: only providers granted in the roles that load are written to, the rest goes to the person's own tray; names
stay out of addresses and log lines, because they may name a patient. Norm: Res. 948/2026 art. 3 (FEV, RIPS, CUV).
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from flask import Blueprint, flash, jsonify, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from radica.app.acciones import subidas
from radica.app.acciones.comun import FILERS, keys
from radica.app.acciones.sql_bandeja import invoice_numbers, recent_uploads, upload_counts, upload_rows
from radica.app.paginas.comun import store
from radica.facturas.intake import Summary, import_paths, start_import
from radica.facturas.models import Carga, ResultadoArchivo
from radica.facturas.tray import Scope, person_scope
from radica.kernel.errors import BadInput, InvalidTransition, NotFound
from radica.kernel.web import allow, current, db_session, go, max_upload, now, passive, person, wants_json
from radica.kernel.web_paging import Page, cut, decode_cursor
from radica.users.access import load_for

blueprint = Blueprint("cargas", __name__, url_prefix="/facturas/cargar")

PIECE = 8_000_000
"""Bytes of one piece; small enough to begin again after a cut, large enough for few requests."""
WHOLE_FORM = 1_000_000_000
PAGE = 200


@blueprint.record_once
def _alias(state: BlueprintSetupState) -> None:
    """Offer the page under the name by which the other screens know it."""
    state.app.add_url_rule("/facturas/cargar", endpoint="facturas.cargar", view_func=inicio, methods=["GET"])


def _scope() -> Scope:
    return person_scope(person().id, person().granted(*FILERS))


def inicio() -> ResponseReturnValue:
    """Show where files are dropped, and the last uploads."""
    rows = recent_uploads(db_session(), person().id)
    left = {one.id for one in rows if one.terminada_at is None and _broke_off(one)}
    return render_template(
        "cargar/inicio.html",
        cargas=[one for one in rows if one.total or one.id in left],
        interrumpidas=left,
        puede=bool(person().granted(*FILERS)),
        trozo=PIECE,
    )


def _broke_off(row: Carga) -> bool:
    ours = row.usuario_id == person().id and row.terminada_at is None
    return ours and subidas.broke_off(current().settings.incoming, row.id)


@blueprint.post("")
@allow(*FILERS)
@max_upload(WHOLE_FORM, parts=2000)
def entero() -> ResponseReturnValue:
    """Take a whole form: for browsers without script."""
    files = [one for one in request.files.getlist("archivos") if one.filename]
    if not files:
        raise BadInput("No eligió ningún archivo; no se cargó nada.", todo="Elija los archivos o un ZIP.")
    carga_id = start_import(current().database, _scope(), clock=current().clock)
    folder = subidas.begin(current().settings.incoming, carga_id)
    for number, one in enumerate(files):
        subidas.add_piece(folder, number, one.filename or "", 0, one.stream)  # type: ignore[arg-type] # reads bytes
    _import(carga_id, folder)
    return go(url_for("cargas.resultado", carga_id=carga_id))


@blueprint.post("/empezar")
@allow(*FILERS)
def empezar() -> ResponseReturnValue:
    """Begin an upload by pieces."""
    incoming = current().settings.incoming
    subidas.sweep(incoming, now=time.time())
    carga_id = start_import(current().database, _scope(), clock=current().clock)
    subidas.begin(incoming, carga_id)
    return jsonify(
        carga=carga_id,
        trozo=url_for("cargas.trozo", carga_id=carga_id),
        importar=url_for("cargas.importar", carga_id=carga_id),
        cancelar=url_for("cargas.cancelar", carga_id=carga_id),
        avance=url_for("cargas.avance", carga_id=carga_id),
        resultado=url_for("cargas.resultado", carga_id=carga_id),
    )


def _own(carga_id: int) -> Path:
    """Return the folder of an open upload of this person; of anybody else it does not exist."""
    with current().database.read() as session:
        row = load_for(session, Carga, carga_id, person())
        if row.usuario_id != person().id or row.terminada_at is not None:
            raise NotFound("Esa carga ya terminó o se canceló.", todo="Empiece otra.")
    return subidas.folder_of(current().settings.incoming, carga_id)


@blueprint.post("/<int:carga_id>/trozo")
@allow(*FILERS)
@max_upload(PIECE + 4096)
def trozo(carga_id: int) -> ResponseReturnValue:
    """Add one piece: headers X-Archivo (number), X-Desde (offset) and X-Nombre (percent-encoded); the body is bytes."""
    folder = _own(carga_id)
    number, start = (_header_number(name) for name in ("X-Archivo", "X-Desde"))
    name = unquote(request.headers.get("X-Nombre", ""), errors="replace")
    try:
        size = subidas.add_piece(folder, number, name, start, request.stream)  # type: ignore[arg-type] # reads bytes
    except InvalidTransition as refusal:
        return jsonify(mensaje=refusal.message, tamano=subidas.size_of(folder, number)), 409
    return jsonify(tamano=size)


def _header_number(name: str) -> int:
    text = request.headers.get(name, "")
    if not text.isdecimal() or len(text) > 12:
        raise BadInput("Un trozo del archivo llegó sin sus datos; no se guardó.", todo="Vuelva a cargarlo.")
    return int(text)


@blueprint.post("/<int:carga_id>/importar")
@allow(*FILERS)
def importar(carga_id: int) -> ResponseReturnValue:
    """Import what was uploaded; answers when it is done, `avance` says how far it is meanwhile."""
    summary = _import(carga_id, _own(carga_id))
    return jsonify(resultado=url_for("cargas.resultado", carga_id=carga_id), archivos=len(summary.archivos))


def _import(carga_id: int, folder: Path) -> Summary:
    with subidas.held(folder):
        closed = subidas.close(folder, subidas.closed_of(current().settings.incoming, carga_id))
        return _import_held(carga_id, closed)


def _import_held(carga_id: int, closed: Path) -> Summary:
    """Import a closed upload that this request holds; when it breaks off, files and row stay, to be taken up again."""
    paths, names = subidas.contents(closed)
    if not paths:
        _forget(carga_id, closed)
        raise BadInput("No llegó ningún archivo; no se cargó nada.", todo="Elija los archivos y vuelva a cargar.")
    summary = import_paths(
        current().database,
        store(),
        paths,
        _scope(),
        clock=current().clock,
        workdir=current().settings.incoming,
        names=names,
        carga_id=carga_id,
        key_for=keys(),
    )
    subidas.drop(closed)
    return summary


@blueprint.post("/<int:carga_id>/reanudar")
@allow(*FILERS)
def reanudar(carga_id: int) -> ResponseReturnValue:
    """Import again, as an upload of its own, what an import that broke off left; what it loaded is there already."""
    _own(carga_id)
    incoming = current().settings.incoming
    left = subidas.closed_of(incoming, carga_id)
    with subidas.held(left):
        again = start_import(current().database, _scope(), clock=current().clock)
        closed = subidas.close(left, subidas.closed_of(incoming, again))
        _finish(carga_id)
        _import_held(again, closed)
    return go(url_for("cargas.resultado", carga_id=again))


def _forget(carga_id: int, folder: Path) -> None:
    subidas.drop(folder)
    _finish(carga_id)


def _finish(carga_id: int) -> None:
    """Close the row of an upload that is not imported further."""
    with current().database.write() as session:
        row = session.get_one(Carga, carga_id)
        row.terminada_at = row.terminada_at or now()


@blueprint.post("/<int:carga_id>/cancelar")
@allow(*FILERS)
def cancelar(carga_id: int) -> ResponseReturnValue:
    """Forget an upload that was not imported yet, or what an import that broke off left."""
    folder, closed = _own(carga_id), subidas.closed_of(current().settings.incoming, carga_id)
    with subidas.held(folder if folder.is_dir() else closed):
        if folder.is_dir():
            subidas.close(folder, closed)
        _forget(carga_id, closed)
    return jsonify(cancelada=True) if wants_json() else go(url_for("facturas.cargar"))


@blueprint.get("/<int:carga_id>/avance")
@passive
def avance(carga_id: int) -> ResponseReturnValue:
    """Say how far an import is."""
    row = load_for(db_session(), Carga, carga_id, person())
    return jsonify(hechos=row.hechos, total=row.total, terminada=row.terminada_at is not None)


@blueprint.get("/<int:carga_id>")
def resultado(carga_id: int) -> ResponseReturnValue:
    """Show what became of each file."""
    session = db_session()
    row = load_for(session, Carga, carga_id, person())
    kinds = {one.value: one for one in ResultadoArchivo}
    chosen = kinds.get(request.args.get("resultado", ""))
    cursor = decode_cursor(request.args.get("despues"), size=1)
    after = cursor[0] if cursor and isinstance(cursor[0], int) else 0
    files = upload_rows(session, row.id, chosen, limit=PAGE + 1, after=max(0, min(after, 2**62)))
    counts = upload_counts(session, row.id)
    page = cut(files, limit=PAGE, key=lambda one: [one.id], came_with=None)
    ids = {one.factura_id for one in page.rows if one.factura_id is not None}
    total = counts[chosen] if chosen else sum(counts.values())
    shown: Page[Any] = Page(page.rows, page.next, None, total)
    broke_off = _broke_off(row)
    if row.terminada_at is None and not broke_off:
        flash("Esta carga todavía no termina: recargue la página en un momento.", "info")
    return render_template(
        "cargar/resultado.html",
        carga=row,
        interrumpida=broke_off,
        page=shown,
        cuentas=counts,
        elegido=chosen,
        facturas=invoice_numbers(session, ids, sorted(person().granted())),
        R=ResultadoArchivo,
    )
