"""Tasks that acts leave to people: credit notes to issue, silences to look at, promises not kept; seen and closed.

Invariant: a task is closed with who and what came of it, once; those that only an act can settle (an approval, an
unknown outcome) are not closed here. Norm: Res. 2284/2023 Anexo Técnico 3 (what follows an acceptance).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.orm import Session
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from radica.app.paginas.comun import provider_names
from radica.app.paginas.consultas_hoy_glosas import CLASES, NOMBRES_TAREA
from radica.glosas.bandeja.work_models import Respuesta
from radica.kernel.errors import BadInput
from radica.kernel.web import allow, db_session, go, now, person
from radica.kernel.web_paging import Page, cursor_instant, cut, decode_cursor
from radica.users.access import load_for, selected_ids
from radica.users.forms import Form
from radica.users.models import ClaseTarea, Rol, Tarea, Usuario
from radica.users.tasks import close_tasks

blueprint = Blueprint("tareas", __name__, url_prefix="/tareas")

PAGE = 50
CLOSERS = (Rol.GLOSAS, Rol.CARTERA, Rol.FACTURACION, Rol.DIRECCION, Rol.ADMINISTRACION)
A_MANO = {
    ClaseTarea.EMITIR_NOTA_CREDITO: "Número y fecha de la nota crédito",
    ClaseTarea.NOTA_AJUSTE_RIPS: "Número y fecha de la nota de ajuste",
    ClaseTarea.VIGILAR_PRESCRIPCION: "Qué se hizo: demanda, solicitud de conciliación…",
    ClaseTarea.REVISAR_SILENCIO: "Qué se hizo",
    ClaseTarea.REVISAR_CUSTODIA: "Qué se halló y cómo se recuperó",
    ClaseTarea.DECIDIR_GLOSA: "Qué se decidió",
    ClaseTarea.COMPROBACION_FALLIDA: "Qué dijo sistemas, o cómo se revisó",
}
"""Tasks that a person's word closes, and what is asked."""


class CloseForm(Form):
    """What came of a task."""

    resultado = StringField("Resultado", validators=[DataRequired("Escriba qué se hizo."), Length(max=300)])


@dataclass(frozen=True)
class Fila:
    """One task with the names beside it."""

    tarea: Tarea
    prestador: str
    responsable: str
    href: str | None
    pide: str | None


@blueprint.get("")
def lista() -> ResponseReturnValue:
    """Show the open tasks of the providers in view, oldest first."""
    session, ids = db_session(), selected_ids(person())
    counts = _counts(session, ids)
    clase = request.args.get("clase", "")
    chosen = ClaseTarea(clase) if clase in [one.value for one in CLASES] else None
    mine = request.args.get("mias") == "1"
    where: list[ColumnElement[bool]] = [
        Tarea.prestador_id.in_(ids),
        Tarea.cerrada_at.is_(None),
        Tarea.clase.in_([chosen.value] if chosen else [one.value for one in CLASES]),
    ]
    if mine:
        where.append(or_(Tarea.responsable_id == person().id, Tarea.responsable_id.is_(None)))
    query = select(Tarea).where(*where)
    after = decode_cursor(request.args.get("despues"), size=2)
    since = cursor_instant(after[0]) if after else None
    if after and since is not None and isinstance(after[1], int):
        query = query.where(tuple_(Tarea.creada_at, Tarea.id) > (since, after[1]))
    rows = list(session.scalars(query.order_by(Tarea.creada_at, Tarea.id).limit(PAGE + 1)))
    page = cut(rows, limit=PAGE, key=lambda row: (row.creada_at.isoformat(), row.id), came_with=None)
    total = session.scalar(select(func.count()).select_from(Tarea).where(*where)) or 0
    return render_template(
        "tareas/lista.html",
        page=Page(_named(session, page.rows), page.next, None, total),
        cuentas=[(one.value, NOMBRES_TAREA[one], counts.get(one, 0)) for one in CLASES if counts.get(one)],
        clase=chosen.value if chosen else "",
        nombre=NOMBRES_TAREA[chosen] if chosen else "",
        mias=mine,
        varios=len(ids) > 1,
        NOMBRES=NOMBRES_TAREA,
        cierra=person().granted(*CLOSERS),
    )


@blueprint.post("/<int:tarea_id>/cerrar")
@allow(*CLOSERS)
def cerrar(tarea_id: int) -> ResponseReturnValue:
    """Close a task with what came of it."""
    session = db_session()
    tarea = load_for(session, Tarea, tarea_id, person(), roles=CLOSERS)
    form = CloseForm()
    back = url_for("tareas.lista", clase=tarea.clase.value)
    if tarea.clase not in A_MANO:
        raise BadInput("Esa tarea se cierra al resolver su caso, no aquí.", todo="Abra el caso desde la lista.")
    if not form.validate_on_submit():
        flash("; ".join(text for texts in form.errors.values() for text in texts), "danger")
        return go(back)
    closed = close_tasks(
        session,
        tarea.case_key,
        por=person().actor,
        resultado=(form.resultado.data or "").strip(),
        at=now(),
        clases=[tarea.clase],
    )
    flash("Tarea cerrada." if closed else "Otra persona ya la había cerrado.", "success" if closed else "info")
    return go(back)


def _counts(session: Session, ids: Collection[int]) -> dict[ClaseTarea, int]:
    rows = session.execute(
        select(Tarea.clase, func.count())
        .where(Tarea.prestador_id.in_(ids), Tarea.cerrada_at.is_(None))
        .group_by(Tarea.clase)
    )
    return {clase: int(count) for clase, count in rows}


def _named(session: Session, rows: Collection[Tarea]) -> list[Fila]:
    providers = provider_names(session, {row.prestador_id for row in rows})
    owners = {row.responsable_id for row in rows if row.responsable_id is not None}
    people = dict(session.execute(select(Usuario.id, Usuario.nombre).where(Usuario.id.in_(owners))).all())
    answered = _of_answers(session, [row.case_key for row in rows])
    return [
        Fila(
            row,
            providers.get(row.prestador_id, ""),
            people.get(row.responsable_id, "") if row.responsable_id is not None else "",
            _address(answered.get(row.case_key, row.case_key), row.clase),
            A_MANO.get(row.clase),
        )
        for row in rows
    ]


def _of_answers(session: Session, case_keys: Collection[str]) -> dict[str, str]:
    """Return the case of the objection behind each case of an answer: an answer has no page of its own."""
    ids = {int(key.partition(":")[2]) for key in case_keys if key.startswith("respuesta:")}
    rows = session.execute(
        select(Respuesta.id, Respuesta.glosa_id, Respuesta.devolucion_id).where(Respuesta.id.in_(ids))
    )
    return {
        f"respuesta:{row.id}": f"glosa:{row.glosa_id}" if row.glosa_id else f"devolucion:{row.devolucion_id}"
        for row in rows
    }


def _address(case_key: str, clase: ClaseTarea) -> str | None:
    """Return the page of a case, None when it has none of its own."""
    kind, _, number = case_key.partition(":")
    if kind in ("glosa", "devolucion"):
        return url_for("glosas.ver", kind=kind, objecion_id=int(number))
    if kind == "factura" and clase is ClaseTarea.COMPROBACION_FALLIDA:
        return url_for("factura.ver", factura_id=int(number), _anchor="hallazgos")
    if kind == "factura":
        return url_for("cartera.liquidacion", factura_id=int(number))
    if kind == "custodia":
        return url_for("custodia.integridad")
    if kind == "compromiso":
        return url_for("conciliacion.compromiso", compromiso_id=int(number))
    return url_for("conciliacion.ver", conciliacion_id=int(number)) if kind == "conciliacion" else None
