"""Load what a payer sent: one or many files, whose they are and when they truly arrived.

Invariant: the bytes are in custody before the job that reads them is ordered; the day that a person states is the day
from which the term is counted. Norms: Ley 527/1999 arts. 20–24 (time of receipt), Ley 1438/2011 art. 57.
"""

from __future__ import annotations

from pathlib import Path

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from radica.app.acciones.glosas_formas import NoticeForm
from radica.app.handlers.glosas_importar import KIND_LOAD, order_load, subject_of
from radica.app.paginas.comun import store
from radica.app.paginas.glosas_plano import ANSWERERS, blueprint
from radica.custodia.services import record_blobs
from radica.entidades.models import Pagador, Prestador
from radica.jobs.models import Job
from radica.jobs.queue import enqueue
from radica.kernel.errors import BadInput, NotFound
from radica.kernel.web import allow, current, db_session, go, max_upload, now, person
from radica.kernel.web_format import plural
from radica.users.access import load_for

MAX_FILES = 50
MAX_FILE = 64 * 1024 * 1024
WHOLE_FORM = 400_000_000


@blueprint.get("/cargar")
@allow(*ANSWERERS)
def cargar() -> ResponseReturnValue:
    """Show the form."""
    return _page(_form(NoticeForm(formdata=None)))


def _form(form: NoticeForm) -> NoticeForm:
    ours = [one for one in person().providers if one.id in person().granted(*ANSWERERS)]
    form.prestador.choices = [SelectChoice(one.id, one.nombre) for one in ours]
    if form.prestador.data is None:
        form.prestador.data = person().prestador_id if person().prestador_id in {one.id for one in ours} else None
    with current().database.read() as session:
        payers = session.execute(select(Pagador.nit, Pagador.nombre).order_by(Pagador.nombre)).all()
    form.pagador.choices = [SelectChoice("", "El que diga el archivo")]
    form.pagador.choices += [SelectChoice(row.nit, row.nombre) for row in payers if row.nit]
    return form


def _page(form: NoticeForm, error: BadInput | None = None) -> str:
    return render_template("glosas/cargar.html", form=form, error=error)


@blueprint.post("/cargar")
@allow(*ANSWERERS)
@max_upload(WHOLE_FORM, parts=MAX_FILES + 20)
def cargar_archivos() -> ResponseReturnValue:
    """Keep the files and order that they be read."""
    form = _form(NoticeForm())
    if not form.validate_on_submit():
        return _page(form), 422
    files = [one for one in request.files.getlist(form.archivos.name) if one.filename]
    received = form.moment()
    try:
        if not files or len(files) > MAX_FILES:
            raise BadInput(
                "No eligió ningún archivo; no se cargó nada." if not files else f"Son más de {MAX_FILES} archivos.",
                todo="Elija los archivos, o un ZIP con varios.",
            )
        if received is not None and received > now():
            raise BadInput("La fecha en que se recibió todavía no llega.", todo="Escriba la fecha que dice la prueba.")
        stored = [(store().put(one.stream, limit=MAX_FILE), one.filename or "archivo") for one in files]  # type: ignore[arg-type] # reads bytes
    except BadInput as refusal:
        return _page(form, refusal), 422
    session = db_session()
    provider = load_for(session, Prestador, form.prestador.data, person(), roles=ANSWERERS)
    record_blobs(session, [one for one, _ in stored], at=now())
    for kept, name in stored:
        order_load(
            session,
            sha256=kept.sha256,
            nombre=Path(name.replace("\\", "/")).name,
            prestador_id=provider.id,
            pagador_nit=form.pagador.data or None,
            recibida_at=received,
            actor=person().actor,
        )
    flash(f"{plural(len(stored), 'archivo quedó', 'archivos quedaron')} en custodia; se están leyendo.", "success")
    return go(url_for("glosas.notificaciones"))


def _failed(session: Session, job_id: int) -> Job:
    job = load_for(session, Job, job_id, person(), roles=ANSWERERS)
    if job.kind != KIND_LOAD or job.subject != subject_of(job.prestador_id or 0):
        raise NotFound
    return job


@blueprint.post("/cargas/<int:job_id>/reintentar")
@allow(*ANSWERERS)
def reintentar_carga(job_id: int) -> ResponseReturnValue:
    """Read a file again that could not be read."""
    session = db_session()
    job = _failed(session, job_id)
    told = job.payload
    enqueue(
        session,
        KIND_LOAD,
        payload={**told, "actor": person().actor},
        prestador_id=job.prestador_id,
        subject=job.subject,
        max_attempts=4,
        dedup=f"{KIND_LOAD}:{job.prestador_id}:{told['sha256']}",
    )
    job.subject = f"{job.subject}:visto"  # it leaves the page; its row and its reason stay
    flash("Se vuelve a leer el archivo.", "success")
    return go(url_for("glosas.notificaciones"))


@blueprint.post("/cargas/<int:job_id>/quitar")
@allow(*ANSWERERS)
def quitar_carga(job_id: int) -> ResponseReturnValue:
    """Take a failed upload off the page."""
    session = db_session()
    job = _failed(session, job_id)
    job.subject = f"{job.subject}:visto"
    return go(url_for("glosas.notificaciones"))
