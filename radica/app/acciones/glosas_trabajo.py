"""Hand objections over, leave them for a day, talk about them: by line and by many at once.

Invariant: each thing is loaded with its provider's role before anything is read from the form; a bulk act says how
many it changed. Norms: Ley 1438/2011 art. 57 (nothing waits beyond its term).
"""

from __future__ import annotations

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from radica.app.acciones.glosas import here
from radica.app.acciones.glosas_formas import CommentForm, PendForm
from radica.app.paginas.glosas import MAX_BULK
from radica.app.paginas.glosas_filtro import kept
from radica.app.paginas.glosas_plano import ANSWERERS, WORKERS, blueprint, load_line
from radica.glosas.bandeja import work
from radica.glosas.bandeja.tray_filter import DEVOLUCIONES, Objecion
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput
from radica.kernel.web import allow, db_session, go, now, person
from radica.kernel.web_format import plural
from radica.users.access import MAX_ID
from radica.users.models import Rol


@blueprint.post("/<any(glosa, devolucion):kind>/<int:objecion_id>/asignar")
@allow(*ANSWERERS)
def asignar(kind: str, objecion_id: int) -> ResponseReturnValue:
    """Give one objection to a person, or to nobody."""
    session = db_session()
    row = load_line(session, kind, objecion_id, *ANSWERERS)
    work.assign(session, [row], chosen_person(), actor=person().actor, at=now())
    name = work.workers(session, row.prestador_id).get(row.responsable_id or 0)
    flash(f"Quedó a cargo de {name}." if name else "Quedó sin responsable.", "success")
    return go(here(row))


def chosen_person() -> int | None:
    """Return the person chosen in the form, None for nobody. Raises BadInput."""
    typed = request.form.get("usuario_id", "")
    if not typed:
        return None
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 19):
        raise BadInput("No se entiende a quién; no se asignó nada.", todo="Elija a la persona de la lista.")
    return int(typed)


@blueprint.post("/<any(glosa, devolucion):kind>/<int:objecion_id>/pendiente")
@allow(*ANSWERERS)
def pendiente(kind: str, objecion_id: int) -> ResponseReturnValue:
    """Leave an objection for a later day, or bring it back now (`volver`)."""
    session = db_session()
    row = load_line(session, kind, objecion_id, *ANSWERERS)
    if request.form.get("volver"):
        work.unpend(session, row, actor=person().actor, at=now())
        flash("Volvió a la bandeja.", "success")
        return go(here(row))
    form = PendForm()
    if not form.validate_on_submit():
        raise BadInput("Falta el día o qué se espera; no se cambió nada.", todo="Elija el día y escriba qué se espera.")
    work.pend(session, row, form.hasta.data, form.motivo.data, hoy=civil_date(now()), actor=person().actor, at=now())
    flash("Quedó pendiente: ese día vuelve sola a la bandeja.", "success")
    return go(here(row))


@blueprint.post("/<any(glosa, devolucion):kind>/<int:objecion_id>/comentar")
@allow(*WORKERS, Rol.FACTURACION, Rol.CARTERA, Rol.JURIDICA)
def comentar(kind: str, objecion_id: int) -> ResponseReturnValue:
    """Say a word to the team."""
    session = db_session()
    row = load_line(session, kind, objecion_id)
    form = CommentForm()
    if not form.validate_on_submit():
        raise BadInput("El comentario está vacío o es demasiado largo; no se guardó.", todo="Escríbalo de nuevo.")
    called = work.comment(session, row, form.texto.data, usuario_id=person().id, at=now())
    flash(f"Comentario guardado; se avisó a {', '.join(called)}." if called else "Comentario guardado.", "success")
    return go(here(row))


def chosen(session: Session, clase: str) -> list[Objecion]:
    """Return the objections ticked in the tray, of the person's providers. Raises BadInput, NotFound."""
    typed = list(dict.fromkeys(request.form.getlist("ids")))
    if not typed:
        raise BadInput("No eligió ninguna línea; no se hizo nada.", todo="Marque las líneas y vuelva a intentarlo.")
    if len(typed) > MAX_BULK:
        raise BadInput(f"Son más de {MAX_BULK} de una vez; no se hizo nada.", todo="Hágalo por partes.")
    kind = "devolucion" if clase == DEVOLUCIONES else "glosa"
    ids = sorted(int(one) for one in typed if one.isascii() and one.isdecimal() and len(one) < 19)
    if len(ids) != len(typed):
        raise BadInput("Alguna de las líneas elegidas no se entiende; no se hizo nada.", todo="Vuelva a marcarlas.")
    return [load_line(session, kind, one if one <= MAX_ID else 0, *ANSWERERS) for one in ids]


def tray_address(clase: str) -> str:
    """Return the address of the tray from which the person came, with its filter."""
    return url_for("glosas.devoluciones" if clase == DEVOLUCIONES else "glosas.lista", **kept())  # type: ignore[arg-type]


def assign_many(clase: str) -> ResponseReturnValue:
    """Give the ticked objections to one person."""
    session = db_session()
    rows = chosen(session, clase)
    count = work.assign(session, rows, chosen_person(), actor=person().actor, at=now())
    same = len(rows) - count
    text = f"{plural(count, 'línea cambió', 'líneas cambiaron')} de manos."
    flash(text + (f" {plural(same, 'ya estaba', 'ya estaban')} a su cargo." if same else ""), "success")
    return go(tray_address(clase))
