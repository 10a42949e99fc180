"""Convene a meeting, say when and who, close its table, reopen it, sign it, or write that it failed.

Invariant: files are in custody before any transaction opens; the acta is drawn outside of it and sealed only when the
table is still what was drawn; a page that is no longer true changes nothing. Norm: Circular conjunta 030/2013.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.acciones import conciliacion_formas as formas
from radica.app.acciones.comun import EVIDENCE_LIMIT, keep_evidence
from radica.app.paginas import conciliacion_consultas as sql
from radica.app.paginas.comun import store
from radica.app.paginas.conciliacion import here, page
from radica.app.paginas.conciliacion_plano import WORKERS, blueprint, load
from radica.conciliacion import services, signing
from radica.conciliacion.acta import gather
from radica.conciliacion.acta_pdf import draw
from radica.conciliacion.models import Conciliacion
from radica.conciliacion.scope import RAZONES, Alcance, scope
from radica.conciliacion.states import FIRMADAS, MACHINE, EstadoConciliacion
from radica.custodia.services import Kept
from radica.entidades.models import Pagador
from radica.glosas.models import Devolucion, Glosa
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput, RadicaError
from radica.kernel.web import allow, current, db_session, go, max_upload, now, person

SHOWN = 200
"""Lines of a scope that its preview lists."""


@blueprint.get("/nueva")
@allow(*WORKERS)
def nueva() -> ResponseReturnValue:
    """Ask whom to meet; with a payer in the address, show at once what would go in."""
    chosen = bool(request.args.get("pagador"))
    form = formas.ConveneForm(request.args if chosen else None, meta={"csrf": False})
    session = db_session()
    _choices(session, form)
    form.corte.data = civil_date(now())
    form.glosas.data = form.devoluciones.data = True
    if not chosen:
        return _preview(form)
    known = all(field.data in {one for one, _ in field.choices} for field in (form.prestador, form.pagador))
    return _preview(form, *_scope(session, form)) if known else _preview(form)


@blueprint.post("/nueva")
@allow(*WORKERS)
def convocar() -> ResponseReturnValue:
    """Convene, or only show what would go in (`hacer=ver`)."""
    form = formas.ConveneForm()
    with current().database.read() as session:
        _choices(session, form)
        if not form.validate_on_submit():
            return _preview(form), 422
        if request.form.get("hacer") == "ver":
            return _preview(form, *_scope(session, form))
    try:
        with current().database.write() as session:
            row = services.convene(
                session,
                prestador_id=form.prestador.data,
                pagador_id=form.pagador.data,
                filtro=form.filtro(),
                actor=person().actor,
                at=now(),
                anterior_id=int(form.anterior.data) if (form.anterior.data or "").isdecimal() else None,
            )
    except BadInput as refusal:
        return _preview(form, None, refusal), 422
    flash(f"Quedó convocada la conciliación {row.numero}. Diga cuándo es, y trabaje la mesa.", "success")
    return go(here(row))


def _choices(session: Session, form: Any) -> None:
    ours = person().granted(*WORKERS)
    view = person().selected(*WORKERS) or ours
    form.prestador.choices = [(one.id, one.nombre) for one in person().providers if one.id in view]
    payers = select(Pagador).where(
        Pagador.id.in_(select(Glosa.pagador_id).where(Glosa.prestador_id.in_(ours)).distinct())
        | Pagador.id.in_(select(Devolucion.pagador_id).where(Devolucion.prestador_id.in_(ours)).distinct())
    )
    form.pagador.choices = [(one.id, one.nombre) for one in session.scalars(payers.order_by(Pagador.nombre))]
    provider, payer = form.prestador.data, form.pagador.data
    if provider is None and len(form.prestador.choices) == 1:
        provider = form.prestador.choices[0][0]
    known = provider in ours and payer in {one for one, _ in form.pagador.choices}
    earlier = sql.earlier_meetings(session, provider, payer) if known else []
    form.anterior.choices = [("", "Ninguna")]
    form.anterior.choices += [(str(one.id), f"N.º {one.numero} · {MACHINE.labels[one.estado]}") for one in earlier]


def _scope(session: Session, form: Any) -> tuple[Alcance | None, RadicaError | None]:
    try:
        held = scope(session, prestador_id=form.prestador.data, pagador_id=form.pagador.data, filtro=form.filtro())
    except BadInput as refusal:
        return None, refusal
    return held, None


def _preview(form: Any, held: Alcance | None = None, error: RadicaError | None = None) -> str:
    labels = {**Glosa.MACHINE.labels, **Devolucion.MACHINE.labels}
    return render_template(
        "conciliacion/nueva.html", form=form, alcance=held, error=error, muestra=SHOWN, RAZONES=RAZONES, estados=labels
    )


@blueprint.post("/<int:conciliacion_id>/reunion")
@allow(*WORKERS)
def reunion(conciliacion_id: int) -> ResponseReturnValue:
    """Write when and where it is, who attends and what is noted."""
    check(conciliacion_id)
    form = formas.MeetingForm(prefix="reunion")
    attend = formas.people(request.form)
    refusal: RadicaError | None = None
    if form.validate_on_submit():
        try:
            with current().database.write() as session:
                row = load(session, conciliacion_id, *WORKERS)
                services.set_meeting(
                    session, row, citada_at=form.moment(), lugar=form.lugar.data or "", asistentes=attend,
                    notas=form.notas.data or "", expected=request.form.get("visto", ""),
                )  # fmt: skip
        except BadInput as problem:
            refusal = problem
        else:
            flash("Quedaron guardados los datos de la reunión.", "success")
            return go(here(row))
    return again(
        conciliacion_id, "reunion", {"reunion": form}, refusal, asistentes=attend, token=request.form.get("visto", "")
    )


@blueprint.post("/<int:conciliacion_id>/lineas")
@allow(*WORKERS)
def agregar(conciliacion_id: int) -> ResponseReturnValue:
    """Put what some invoices have in dispute on the table."""
    return simply(
        conciliacion_id,
        lambda session, row: _added(services.add_lines(session, row, formas.numbers(request.form.get("facturas", "")))),
        "conciliacion.mesa",
    )


def _added(count: int) -> str:
    return "Se agregó una línea." if count == 1 else f"Se agregaron {count} líneas."


@blueprint.post("/<int:conciliacion_id>/quitar")
@allow(*WORKERS)
def quitar(conciliacion_id: int) -> ResponseReturnValue:
    """Take lines off the table."""
    chosen = [int(one) for one in request.form.getlist("linea") if one.isdecimal() and len(one) < 19]

    def act(session: Session, row: Conciliacion) -> str:
        count = services.remove_lines(session, row, chosen)
        return f"Se quitaron {count} líneas de la mesa; pueden ir a otra." if count > 1 else "Se quitó una línea."

    return simply(conciliacion_id, act, "conciliacion.mesa")


@blueprint.post("/<int:conciliacion_id>/celebrar")
@allow(*WORKERS)
def celebrar(conciliacion_id: int) -> ResponseReturnValue:
    """Close the table and make the acta to sign."""
    version = request.form.get("version", -1, type=int)
    with current().database.read() as session:
        row = load(session, conciliacion_id, *WORKERS)
        ready = row.estado is EstadoConciliacion.CONVOCADA and not signing.missing(session, row, now())
        content = gather(session, row) if ready else None
    stored = store().put(io.BytesIO(draw(content))) if content is not None else None

    def act(session: Session, row: Conciliacion) -> str:
        if content is None or stored is None:
            services.lock_open_table(session, row)
            raise BadInput(" ".join(signing.missing(session, row, now())) or "La mesa cambió; inténtelo de nuevo.")
        kept = Kept(f"acta-{row.numero}.pdf", signing.ACTA, "", stored)
        signing.celebrate(
            session, row, kept=kept, contents_sha256=content.sha256, actor=person().actor, at=now(), version=version
        )
        return "Quedó lista el acta. Descárguela, háganla firmar y suba aquí el PDF firmado."

    return simply(conciliacion_id, act)


@blueprint.post("/<int:conciliacion_id>/reabrir")
@allow(*WORKERS)
def reabrir(conciliacion_id: int) -> ResponseReturnValue:
    """Work on the table again."""
    check(conciliacion_id)
    form = formas.ReopenForm(prefix="reabrir")
    if not form.validate_on_submit():
        return again(conciliacion_id, "reabrir", {"reabrir": form})

    def act(session: Session, row: Conciliacion) -> str:
        services.reopen(session, row, form.motivo.data, actor=person().actor, at=now(), version=form.version.data)
        return "La mesa está abierta otra vez; el acta sin firmar ya no cuenta."

    return simply(conciliacion_id, act)


@blueprint.post("/<int:conciliacion_id>/firmar")
@allow(*WORKERS)
@max_upload(EVIDENCE_LIMIT, parts=40)
def firmar(conciliacion_id: int) -> ResponseReturnValue:
    """Take in the signed acta and post its effects."""
    row = check(conciliacion_id)
    form = formas.SignForm(prefix="firmar")
    if not form.validate_on_submit():
        return again(conciliacion_id, "firmar", {"firmar": form})
    try:
        kept = keep_evidence(form.pruebas.data or [])
        if len(kept) != 1:
            raise BadInput("Adjunte el acta firmada: un solo PDF.", code="sin_acta")
        if row.estado in FIRMADAS and row.acta_firmada_sha256 == kept[0].stored.sha256:
            flash("Esa acta ya estaba registrada; no se hizo nada más.", "info")
            return go(here(row))
        with current().database.write(durable=True) as session:
            row = load(session, conciliacion_id, *WORKERS)
            signing.sign(
                session, row, kept=kept[0], firmada_at=form.moment(now()), actor=person().actor, at=now(),
                version=form.version.data,
            )  # fmt: skip
    except BadInput as refusal:
        return again(conciliacion_id, "firmar", {"firmar": form}, refusal)
    flash("Quedó firmada: sus valores ya están en las glosas, y lo aceptado pide nota crédito.", "success")
    return go(here(row))


@blueprint.post("/<int:conciliacion_id>/fracasar")
@allow(*WORKERS)
@max_upload(EVIDENCE_LIMIT, parts=40)
def fracasar(conciliacion_id: int) -> ResponseReturnValue:
    """Write that there was no agreement."""
    check(conciliacion_id)
    form = formas.FailForm(prefix="fracasar")
    if not form.validate_on_submit():
        return again(conciliacion_id, "fracasar", {"fracasar": form})
    try:
        kept = keep_evidence(form.pruebas.data or [])
        with current().database.write() as session:
            row = load(session, conciliacion_id, *WORKERS)
            services.fail(
                session, row, form.motivo.data, kept=kept, actor=person().actor, at=now(), version=form.version.data
            )
    except BadInput as refusal:
        return again(conciliacion_id, "fracasar", {"fracasar": form}, refusal)
    flash("Quedó como fracasada; sus líneas pueden ir a otra mesa.", "success")
    return go(here(row))


def check(conciliacion_id: int) -> Conciliacion:
    """Load a meeting before the form is read, so that a stranger learns nothing of it."""
    with current().database.read() as session:
        return load(session, conciliacion_id, *WORKERS)


def simply(
    conciliacion_id: int, act: Callable[[Session, Conciliacion], str], endpoint: str = "conciliacion.ver"
) -> ResponseReturnValue:
    """Do one act; a refusal is said above the page that asked for it."""
    check(conciliacion_id)
    try:
        with current().database.write() as session:
            row = load(session, conciliacion_id, *WORKERS)
            said = act(session, row)
    except BadInput as refusal:
        flash(str(refusal), "danger")
        return go(url_for(endpoint, conciliacion_id=conciliacion_id))
    flash(said, "success")
    return go(here(row, endpoint))


def again(
    conciliacion_id: int, acto: str, forms: dict[str, Any], refusal: RadicaError | None = None, **given: Any
) -> ResponseReturnValue:
    """Draw the page again with what was typed."""
    with current().database.read() as session:
        row = load(session, conciliacion_id, *WORKERS)
        return page(session, row, acto=acto, error=refusal, forms=forms, **given), 422
