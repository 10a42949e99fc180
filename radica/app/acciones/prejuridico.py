"""Order a dossier, follow it, hand it over, register its lawsuit, give it up.

Invariant: the web orders and shows; the worker builds. A page that is no longer true changes nothing (its version goes
with it). Norms: CGP arts. 422 and 430; PCSJA20-11567.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from flask import flash, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.acciones import prejuridico_formas as formas
from radica.app.handlers.expedientes import preview
from radica.app.paginas.comun import store
from radica.app.paginas.consultas_factura import class_name
from radica.app.paginas.frases import who
from radica.app.paginas.prejuridico import TONOS, VIAS
from radica.app.paginas.prejuridico_plano import DOWNLOADERS, READERS, WORKERS, blueprint, load, may_work
from radica.audit.models import Transition
from radica.audit.services import history
from radica.custodia.seal_models import Hoja, TipoHoja
from radica.custodia.services import pieces_of
from radica.custodia.staging import leased_folder
from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Factura
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput, InvalidTransition, NotFound, RadicaError, StalePage
from radica.kernel.web import allow, current, db_session, go, now, passive, person
from radica.prejuridico import services
from radica.prejuridico.models import Expediente, ExpedienteFactura, Via
from radica.prejuridico.states import CON_BOLSA, MACHINE, EstadoExpediente
from radica.users.access import MAX_ID
from radica.users.services import actor_names

MAX_PREVIEW = 20
"""Invoices of a preview: it is drawn while the person waits."""
EVENTS = {
    "crear": ("Se pidió el expediente", "curso"),
    "terminar": ("Quedó armado y sellado", "bien"),
    "fallar": ("No se pudo armar", "mal"),
    "reintentar": ("Se pidió de nuevo", "curso"),
    "entregar": ("Se entregó al abogado", "bien"),
    "demandar": ("Se presentó la demanda", "bien"),
    "descartar": ("Se descartó", "neutro"),
}


@blueprint.get("/preparar")
@allow(*WORKERS)
def preparar_una() -> ResponseReturnValue:
    """Ask how the dossier of some invoices is wanted; they come in the address (from an invoice's own page)."""
    return _ask(db_session(), _ids(request.args.getlist("facturas")))


@blueprint.post("/preparar")
@allow(*WORKERS)
def preparar() -> ResponseReturnValue:
    """Ask how the dossier of the chosen invoices is wanted; nothing is made yet."""
    with current().database.read() as session:
        return _ask(session, _ids(request.form.getlist("facturas")))


@blueprint.post("/expedientes")
@allow(*WORKERS)
def solicitar() -> ResponseReturnValue:
    """Order it."""
    ids = _ids(request.form.getlist("facturas"))
    form = formas.OrderForm()
    if not form.validate_on_submit():
        with current().database.read() as session:
            return _ask(session, ids, form), 422
    options = {name: text for name in ("ciudad", "despacho") if (text := (form[name].data or "").strip())}
    try:
        with current().database.write() as session:
            row = services.solicitar(
                session, ids, via=Via(form.via.data), corte=form.corte.data, actor=person().actor, at=now(),
                opciones=options, prestador_ids=sorted(person().granted(*WORKERS)),
            )  # fmt: skip
    except BadInput as refusal:
        with current().database.read() as session:
            return _ask(session, ids, form, refusal), 422
    flash(f"Se está armando el expediente {row.numero}. Puede seguir trabajando: aquí se ve cómo va.", "success")
    return go(here(row))


@blueprint.post("/vista-previa")
@allow(*DOWNLOADERS)
def vista_previa() -> ResponseReturnValue:
    """Draw the PDF that it would have and send it; nothing is ordered, and each document read is in the log."""
    ids = _ids(request.form.getlist("facturas"))
    form = formas.OrderForm()
    ours = person().granted(*WORKERS) & person().granted(*DOWNLOADERS)
    with current().database.read() as session:
        if not form.validate_on_submit():
            return _ask(session, ids, form), 422
        try:
            services.check_cut(form.corte.data, now())
            if len(ids) > MAX_PREVIEW:
                raise BadInput(f"Se ven antes hasta {MAX_PREVIEW} facturas; para más, prepare el expediente.")
            rows = services.invoices(session, ids, sorted(ours))
            provider, payer = services.one_pair(rows)
        except BadInput as refusal:
            return _ask(session, ids, form, refusal), 422
    draft = Expediente(
        id=0, prestador_id=provider, pagador_id=payer, numero=0, via=Via(form.via.data), corte=form.corte.data,
        opciones={}, estado=EstadoExpediente.SOLICITADO, version=0, solicitado_at=now(), solicitado_por=person().actor,
    )  # fmt: skip
    settings = current().settings
    with leased_folder(settings.incoming, "vista-") as folder:
        out = folder / "borrador.pdf"
        preview(current().database, settings, store(), draft, ids, out, actor=person().actor, clock=current().clock)
        data = out.read_bytes()
    answer = send_file(
        io.BytesIO(data), mimetype="application/octet-stream", as_attachment=True,
        download_name="borrador-expediente.pdf",
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/expedientes/<int:expediente_id>")
@allow(*READERS)
def expediente(expediente_id: int) -> ResponseReturnValue:
    """Show one dossier."""
    session = db_session()
    return page(session, load(session, expediente_id))


@blueprint.get("/expedientes/<int:expediente_id>/avance")
@passive
@allow(*READERS)
def avance(expediente_id: int) -> ResponseReturnValue:
    """Say how far it is; when it ended, the page is asked again."""
    row = load(db_session(), expediente_id)
    answer: Any = render_template("prejuridico/_avance.html", e=row)
    return (answer, 200, {"HX-Refresh": "true"}) if row.estado is not EstadoExpediente.SOLICITADO else answer


@blueprint.post("/expedientes/<int:expediente_id>/entregar")
@allow(*WORKERS)
def entregar(expediente_id: int) -> ResponseReturnValue:
    """Register to whom it was handed."""
    return _act(expediente_id, "entregar", services.entregar, "Quedó registrada la entrega.")


@blueprint.post("/expedientes/<int:expediente_id>/demandar")
@allow(*WORKERS)
def demandar(expediente_id: int) -> ResponseReturnValue:
    """Register the lawsuit."""
    return _act(expediente_id, "demandar", services.demandar, "Quedó registrada la demanda.")


@blueprint.post("/expedientes/<int:expediente_id>/descartar")
@allow(*WORKERS)
def descartar(expediente_id: int) -> ResponseReturnValue:
    """Give it up."""
    said = "Quedó descartado; lo que se armó sigue en custodia."
    return _act(expediente_id, "descartar", services.descartar, said)


@blueprint.post("/expedientes/<int:expediente_id>/reintentar")
@allow(*WORKERS)
def reintentar(expediente_id: int) -> ResponseReturnValue:
    """Order it again after a failure."""
    return _act(expediente_id, "reintentar", services.reintentar, "Se está armando de nuevo.")


def page(
    session: Session, row: Expediente, *, acto: str = "", error: RadicaError | None = None, form: Any = None
) -> str:
    """Return the page of a dossier; `acto` is the form that was refused and stays open."""
    moves = history(session, [row.case_key])
    names = actor_names(session, {one.actor for one in moves})
    given = {acto: form} if form is not None else {}
    forms = {
        name: kind(prefix=name, formdata=None, version=row.version) for name, (kind, _) in formas.ACTS.items()
    } | given
    pieces = pieces_of(session, prestador_id=row.prestador_id, case_keys=[row.case_key])
    invoices = (
        select(Factura)
        .join(ExpedienteFactura, ExpedienteFactura.factura_id == Factura.id)
        .where(ExpedienteFactura.expediente_id == row.id)
        .order_by(ExpedienteFactura.orden)
    )
    leaf = select(Hoja).where(Hoja.tipo == TipoHoja.MANIFIESTO, Hoja.nombre == row.case_key).order_by(Hoja.seq.desc())
    can = {event.value for state, event in MACHINE.table if state == row.estado}
    return render_template(
        "prejuridico/expediente.html",
        e=row,
        pagador=session.get_one(Pagador, row.pagador_id),
        prestador=session.get_one(Prestador, row.prestador_id),
        facturas=list(session.scalars(invoices)),
        piezas=pieces,
        clase=class_name,
        hoja=session.scalars(leaf.limit(1)).first(),
        historia=[_event(one, names) for one in moves],
        forms=forms,
        acto=acto,
        error=error,
        puede=may_work(row.prestador_id),
        abre=row.prestador_id in person().granted(*DOWNLOADERS),
        actos=can,
        armado=row.estado in CON_BOLSA or row.bolsa_sha256 is not None,
        estados=MACHINE.labels,
        TONOS=TONOS,
        VIAS=VIAS,
    )


def here(row: Expediente) -> str:
    """Return the address of a dossier."""
    return url_for("prejuridico.expediente", expediente_id=row.id)


def _act(expediente_id: int, acto: str, do: Callable[..., None], said: str) -> ResponseReturnValue:
    """Load before anything else, so that a stranger gets 404; do it, or show the page with what was refused."""
    kind, words = formas.ACTS[acto]
    form = kind(prefix=acto)
    with current().database.read() as session:
        load(session, expediente_id, *WORKERS)
    refusal: RadicaError | None = None
    if form.validate_on_submit():
        try:
            with current().database.write() as session:
                row = load(session, expediente_id, *WORKERS)
                told = {word: form[word].data or "" for word in words}
                do(session, row, **told, actor=person().actor, at=now(), expected_version=int(form.version.data))
        except (BadInput, InvalidTransition, StalePage) as problem:
            refusal = problem
        else:
            flash(said, "success")
            return go(here(row))
    status = 409 if isinstance(refusal, StalePage | InvalidTransition) else 422
    with current().database.read() as session:
        return page(session, load(session, expediente_id), acto=acto, error=refusal, form=form), status


def _event(move: Transition, names: dict[str, str]) -> dict[str, Any]:
    title, tone = EVENTS.get(move.event, (move.event, "neutro"))
    return {
        "at": move.at, "title": title, "who": who(move.actor, names), "detail": move.note, "tone": tone,
        "evidence": len(move.evidence or []),
    }  # fmt: skip


def _ids(words: list[str]) -> list[int]:
    found = [int(one) for one in words if one.isdecimal() and len(one) < 19]
    return [one for one in dict.fromkeys(found) if 0 < one <= MAX_ID]


def _ask(session: Session, ids: list[int], form: Any = None, error: RadicaError | None = None) -> str:
    """Return the page that asks how the dossier is wanted. Raises NotFound when an invoice is not in view."""
    ours = person().granted(*WORKERS)
    if len(ids) > services.MAX_FACTURAS:
        raise BadInput(f"Un expediente admite {services.MAX_FACTURAS} facturas.", todo="Elija menos.")
    wanted = select(Factura).where(Factura.id.in_(ids), Factura.prestador_id.in_(ours)).order_by(Factura.id)
    rows = list(session.scalars(wanted))
    if not ids or len(rows) != len(ids):
        raise NotFound("Alguna de las facturas elegidas no está entre las suyas.", todo="Vuelva a elegirlas.")
    asked = form or formas.OrderForm(formdata=None, corte=civil_date(now()))
    opens = {one.prestador_id for one in rows} <= person().granted(*DOWNLOADERS) and len(rows) <= MAX_PREVIEW
    return render_template("prejuridico/preparar.html", form=asked, candidatas=rows, error=error, previa=opens)
