"""Answer an objection: keep the draft, call it done, approve it, send it back.

Invariant: the thing is loaded, and its provider's role checked, before the form is read; nothing typed is lost on a
refusal; a page that is no longer true changes nothing. Norm: Res. 2284/2023 Anexo Técnico 3.
"""

from __future__ import annotations

from typing import Any

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from radica.app.acciones.glosas_formas import AnswerForm, NoteForm
from radica.app.paginas.comun import HEALTH_ROLES, sees_health
from radica.app.paginas.glosas_filtro import asked, kept
from radica.app.paginas.glosas_linea import line_page
from radica.app.paginas.glosas_plano import ANSWERERS, APPROVERS, CLASES, blueprint, load_line
from radica.entidades.models import Pagador
from radica.glosas.bandeja import tray
from radica.glosas.bandeja.tray_filter import Objecion
from radica.glosas.bandeja.work_models import Decision, Respuesta
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.respuesta import answering
from radica.glosas.respuesta.answer_draft import Borrador, WrongField
from radica.glosas.respuesta.answer_help import help_for
from radica.glosas.states import EstadoRespuesta
from radica.kernel.errors import BadInput, Forbidden, InvalidTransition
from radica.kernel.web import allow, current, go, now, person
from radica.users.access import load_for
from radica.users.models import Rol


@blueprint.post("/<any(glosa, devolucion):kind>/<int:objecion_id>/respuesta")
@allow(*ANSWERERS)
def responder(kind: str, objecion_id: int) -> ResponseReturnValue:
    """Keep the answer; `hacer=terminar` calls it done and goes on to the next line of the tray."""
    with current().database.read() as session:
        row = load_line(session, kind, objecion_id, *ANSWERERS)
    form = AnswerForm()
    if request.form.get("usar"):
        return _with_offer(row, form, request.form["usar"])
    if not form.validate_on_submit():
        return line_page(row, form), 422
    done = request.form.get("hacer") == "terminar"
    try:
        with current().database.write() as session:
            row = load_line(session, kind, objecion_id, *ANSWERERS)
            following = _following(session, row) if done else None
            answer = save(session, row, form, done=done)
            state = answer.estado
    except WrongField as refusal:
        getattr(form, refusal.campo, form.texto).errors = [str(refusal)]
        with current().database.read() as session:  # what the refused transaction read is gone with it
            row = load_line(session, kind, objecion_id, *ANSWERERS)
        return line_page(row, form), 422
    flash(_said(state, answer), "success")
    return go(here(row, following))


def _with_offer(row: Objecion, form: AnswerForm, key: str) -> str:
    """Return the page with an offered text in its form; nothing is kept."""
    with current().database.read() as session:
        payer = session.get_one(Pagador, row.pagador_id)
        found = help_for(session, row, payer, person().granted(*HEALTH_ROLES)).texto(key)
    if found is not None:
        form.texto.data, form.decision.data, template = found
        form.plantilla.data = str(template or "")
    return line_page(row, form)


def save(session: Session, row: Objecion, form: AnswerForm, *, done: bool) -> Respuesta:
    """Keep the answer of a form, and call it done when asked. Raises WrongField, StalePage, InvalidTransition."""
    draft = Borrador(
        decision=Decision(form.decision.data),
        texto=form.texto.data or "",
        valor_aceptado=form.valor_aceptado.cents or 0,
        motivo=form.motivo.data or "",
        soportes=tuple(form.soportes.data or ()),
        plantilla_id=int(form.plantilla.data) if (form.plantilla.data or "").isdecimal() else None,
    )
    common: dict[str, Any] = {"actor": person().actor, "at": now()}
    answer = answering.save_answer(session, row, draft, expected_version=form.version.data, visto=form.seen(), **common)
    if done:
        answering.finish(session, row, answer, **common)
    return answer


def _said(state: EstadoRespuesta, answer: Respuesta) -> str:
    if state is EstadoRespuesta.APROBADA:
        return f"La respuesta {answer.codigo} quedó aprobada: falta presentarla."
    if state is EstadoRespuesta.POR_APROBAR:
        return f"La respuesta {answer.codigo} espera la aprobación de otra persona."
    return "El borrador quedó guardado."


def _following(session: Session, row: Objecion) -> int | None:
    """Return the next line of the tray that the person came from, found before this one leaves it."""
    return tray.neighbours(session, asked(CLASES[row.KIND]), row)[1]


def here(row: Objecion, objecion_id: int | None = None) -> str:
    """Return the address of a line, of the same tray."""
    values: dict[str, Any] = {**kept(), "kind": row.KIND, "objecion_id": objecion_id or row.id}
    return url_for("glosas.ver", **values)


def load_answer(session: Session, respuesta_id: int, *roles: Rol) -> tuple[Respuesta, Objecion]:
    """Return an answer and what it answers, when the person may."""
    answer = load_for(session, Respuesta, respuesta_id, person(), roles=roles)
    if answer.glosa_id is not None:
        return answer, session.get_one(Glosa, answer.glosa_id)
    return answer, session.get_one(Devolucion, answer.devolucion_id)


@blueprint.post("/respuestas/<int:respuesta_id>/aprobar")
@allow(*APPROVERS)
def aprobar(respuesta_id: int) -> ResponseReturnValue:
    """Approve an answer that another person prepared, and go on to the next one that waits."""
    with current().database.write() as session:
        answer, row = load_answer(session, respuesta_id, *APPROVERS)
        if not sees_health(row.prestador_id):
            raise Forbidden(
                "La respuesta habla de un paciente y su rol no la lee: no se aprueba lo que no se ve.",
                todo="Pida el rol de glosas en este prestador, o que la apruebe quien lo tiene.",
            )
        following = _following(session, row)
        answering.approve(session, row, answer, actor=person().actor, at=now(), expected_version=_version())
    flash(f"La respuesta {answer.codigo} quedó aprobada: falta presentarla.", "success")
    return go(here(row, following))


@blueprint.post("/respuestas/<int:respuesta_id>/devolver")
@allow(*APPROVERS)
def devolver(respuesta_id: int) -> ResponseReturnValue:
    """Send an answer back to its draft."""
    with current().database.write() as session:
        answer, row = load_answer(session, respuesta_id, *APPROVERS)
        form = NoteForm()
        if not form.validate_on_submit():
            raise BadInput(
                "Falta decir qué hay que corregir; no se hizo nada.", todo="Escríbalo y devuélvala otra vez."
            )
        answering.return_(
            session, answer, form.motivo.data, actor=person().actor, at=now(), expected_version=form.version.data
        )
    flash("La respuesta volvió a borrador; su autor verá el motivo en la historia.", "success")
    return go(here(row))


@blueprint.post("/respuestas/<int:respuesta_id>/descartar")
@allow(*ANSWERERS)
def descartar(respuesta_id: int) -> ResponseReturnValue:
    """Give an answer up; the line waits for another."""
    with current().database.write() as session:
        answer, row = load_answer(session, respuesta_id, *ANSWERERS)
        if answer.estado not in (EstadoRespuesta.BORRADOR, EstadoRespuesta.POR_APROBAR, EstadoRespuesta.APROBADA):
            raise InvalidTransition("Esa respuesta ya se envió; no se descartó.", todo="Mire su envío.")
        answering.discard(
            session,
            answer,
            "Descartada en la página.",
            actor=person().actor,
            at=now(),
            expected_version=_version(),
        )
    flash("La respuesta quedó descartada.", "success")
    return go(here(row))


def _version() -> int:
    """Return the version that the page showed; a page without it is stale."""
    typed = request.form.get("version", "")
    return int(typed) if typed.isdecimal() and len(typed) < 10 else -1
