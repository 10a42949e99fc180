"""Documents that only a person has: listed, loaded with type, date and what they serve for, withdrawn with a reason.

Invariant: the file is in custody before any transaction opens; a refusal keeps what was typed. Norms: CGP arts. 82–85.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from radica.app.acciones import prejuridico_formas as formas
from radica.app.acciones.comun import EVIDENCE_LIMIT
from radica.app.paginas.comun import payer_names, provider_names, sees_health, store
from radica.app.paginas.prejuridico_plano import DOWNLOADERS, READERS, WORKERS, blueprint, load_brought, may_work
from radica.custodia.services import Kept
from radica.custodia.staging import leased_folder
from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.facturas.named import named
from radica.facturas.numbers import parse_invoice_number
from radica.kernel.errors import BadInput, InvalidTransition, RadicaError
from radica.kernel.web import allow, current, db_session, go, max_upload, now, person
from radica.prejuridico import documentos
from radica.prejuridico.capitulos.partes import NOMBRES
from radica.prejuridico.models import DocumentoPersona, TipoDocumentoPersona
from radica.radicacion.package import safe

SHOWN = 300


@blueprint.get("/aportados")
@allow(*READERS)
def aportados() -> ResponseReturnValue:
    """List what people brought, with the form to bring another."""
    return _page(db_session())


@blueprint.post("/aportados")
@allow(*WORKERS)
@max_upload(EVIDENCE_LIMIT)
def aportar() -> ResponseReturnValue:
    """Load one."""
    form = formas.BringForm()
    with current().database.read() as session:
        _choices(session, form)
        if not form.validate_on_submit():
            return _page(session, form=form), 422
        try:
            scope = _scope(session, form)
        except BadInput as refusal:
            return _page(session, form=form, error=refusal), 422
    kind = TipoDocumentoPersona(form.tipo.data)
    refused: RadicaError | None = None
    try:
        kept = _keep(request.files.getlist("archivos"), kind)
        with current().database.write() as session:
            _, new = documentos.agregar(
                session, kept, tipo=kind, alcance=scope, fecha=form.fecha.data, actor=person().actor, at=now(),
                nota=form.nota.data or "",
            )  # fmt: skip
    except BadInput as refusal:
        refused = refusal
    else:
        flash("Quedó guardado." if new else "Ese mismo archivo ya estaba; no se repitió.", "success" if new else "info")
        return go(url_for("prejuridico.aportados"))
    with current().database.read() as session:
        return _page(session, form=form, error=refused), 422


@blueprint.post("/aportados/<int:aportado_id>/retirar")
@allow(*WORKERS)
def retirar(aportado_id: int) -> ResponseReturnValue:
    """Withdraw one."""
    with current().database.read() as session:
        load_brought(session, aportado_id, *WORKERS)
    try:
        with current().database.write() as session:
            row = load_brought(session, aportado_id, *WORKERS)
            documentos.retirar(session, row, request.form.get("motivo", ""), actor=person().actor, at=now())
    except (BadInput, InvalidTransition) as refusal:
        with current().database.read() as session:
            return _page(session, error=refusal, retirando=aportado_id), 422
    flash("Quedó retirado; sus bytes siguen en custodia.", "success")
    return go(url_for("prejuridico.aportados"))


def _page(session: Session, *, form: Any = None, error: RadicaError | None = None, retirando: int = 0) -> str:
    ids = sorted(person().selected(*READERS))
    rows = documentos.listar(session, ids, con_retirados=True)[:SHOWN]
    asked = form
    if asked is None and person().may(*WORKERS):
        asked = formas.BringForm(formdata=None, pagador=request.args.get("pagador", ""))
        _choices(session, asked)
    payers = payer_names(session, (row.pagador_id for row, _ in rows))
    providers = provider_names(session, (row.prestador_id for row, _ in rows))
    wanted = {row.factura_id for row, _ in rows if row.factura_id is not None}
    numbers = {one.id: one.numero for one in session.scalars(select(Factura).where(Factura.id.in_(wanted)))}
    return render_template(
        "prejuridico/aportados.html",
        filas=[_row(row, payers, providers, numbers) for row, _ in rows],
        form=asked,
        error=error,
        retirando=retirando,
        TIPOS=NOMBRES,
    )


def _row(
    row: DocumentoPersona, payers: dict[int, str], providers: dict[int, str], numbers: dict[int, str]
) -> dict[str, Any]:
    return {
        "row": row,
        "pagador": payers.get(row.pagador_id or 0, ""),
        "prestador": providers.get(row.prestador_id, ""),
        "factura": numbers.get(row.factura_id or 0, ""),
        "puede": may_work(row.prestador_id),
        "abre": row.prestador_id in person().granted(*DOWNLOADERS) or sees_health(row.prestador_id),
    }


def _choices(session: Session, form: Any) -> None:
    view = person().selected(*WORKERS) or person().granted(*WORKERS)
    form.prestador.choices = [(one.id, one.nombre) for one in person().providers if one.id in view]
    payers = select(Pagador).where(
        Pagador.id.in_(select(Factura.pagador_id).where(Factura.prestador_id.in_(view)).distinct())
    )
    form.pagador.choices = [("", "todos los pagadores")]
    form.pagador.choices += [(str(one.id), one.nombre) for one in session.scalars(payers.order_by(Pagador.nombre))]


def _scope(session: Session, form: Any) -> documentos.Alcance:
    """Return what it serves for. Raises BadInput when the invoice is not one of that provider."""
    provider, typed = int(form.prestador.data), (form.factura.data or "").strip()
    if typed:
        number = parse_invoice_number(typed)
        exact = session.scalars(select(Factura).where(Factura.prestador_id == provider, named(number)).limit(2)).all()
        if len(exact) != 1:
            seen = "hay varias facturas con ese número" if exact else "no hay una factura con ese número"
            raise BadInput(
                f"No se cargó: {seen} de ese prestador.", todo="Escríbalo con su prefijo.", code="factura_aportada"
            )
        return documentos.Alcance(provider, None, exact[0].id)
    return documentos.Alcance(provider, int(form.pagador.data) if form.pagador.data else None, None)


def _keep(files: list[FileStorage], kind: TipoDocumentoPersona) -> Kept:
    """Bring the one file into custody. Raises BadInput when it is none, or several."""
    given = [one for one in files if one.filename]
    if len(given) != 1:
        raise BadInput("Adjunte un archivo, y uno solo.", todo="Si son varios, cárguelos uno por uno.", code="archivos")
    original = Path((given[0].filename or "").replace("\\", "/"))
    with leased_folder(current().settings.incoming, "aportado-") as folder:
        path = folder / f"{safe(original.stem)[:80] or 'archivo'}{original.suffix.lower()[:8]}"
        given[0].save(path)
        return documentos.guardar_archivo(store(), path, kind)
