"""Answer equal lines at once: choose, see each line's own text, code and value, then keep.

Invariant: nothing is kept before each line was shown; what the preview showed goes back with the form, and a line
that moved meanwhile is refused by itself. Lines travel in forms, never in addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from radica.app.acciones.glosas_formas import BulkForm
from radica.app.acciones.glosas_trabajo import assign_many, chosen, tray_address
from radica.app.paginas.comun import payer_names, sees_health
from radica.app.paginas.glosas_filtro import kept
from radica.app.paginas.glosas_plano import ANSWERERS, blueprint, load_line
from radica.glosas import codes
from radica.glosas.bandeja import tray
from radica.glosas.bandeja.tray_filter import GLOSAS
from radica.glosas.bandeja.work_models import Decision
from radica.glosas.models import Glosa
from radica.glosas.respuesta import bulk_answer
from radica.glosas.respuesta.answer_draft import NAMES, options_for
from radica.glosas.respuesta.bulk_answer import Comun, Visto
from radica.glosas.respuesta.templates_store import elegir
from radica.kernel.errors import BadInput
from radica.kernel.web import allow, current, db_session, now, person


@blueprint.post("/<any(glosas, devoluciones):clase>/masiva")
@allow(*ANSWERERS)
def masiva(clase: str) -> ResponseReturnValue:
    """Do what the bar of the tray says with the ticked lines."""
    if request.form.get("hacer") == "responder" and clase == GLOSAS:
        with current().database.read() as session:
            rows = [row for row in chosen(session, clase) if isinstance(row, Glosa)]
        return _choose(rows)
    return assign_many(clase)


@blueprint.get("/glosa/<int:objecion_id>/iguales")
@allow(*ANSWERERS)
def iguales(objecion_id: int) -> ResponseReturnValue:
    """Show the lines equal to one, to answer them at once."""
    session = db_session()
    row = load_line(session, "glosa", objecion_id, *ANSWERERS)
    assert isinstance(row, Glosa)
    return _choose(bulk_answer.equal_lines(session, row))


def _choose(rows: Sequence[Glosa], form: BulkForm | None = None, *, error: BadInput | None = None) -> str:
    """Show the form for lines of one code and payer, or the groups of which they are."""
    ordered = sorted(rows, key=lambda one: (one.codigo, one.pagador_id, one.prestador_id, one.id))
    groups = [
        list(group) for _, group in groupby(ordered, key=lambda one: (one.codigo, one.pagador_id, one.prestador_id))
    ]
    first = rows[0]
    with current().database.read() as session:
        names = payer_names(session, {row.pagador_id for row in rows})
        templates = elegir(session, first) if len(groups) == 1 else []
    return render_template(
        "glosas/masiva.html",
        filas=rows,
        grupos=groups,
        primera=first,
        codigo=codes.buscar(first.codigo),
        pagadores=names,
        plantillas=templates,
        opciones=options_for(first),
        NAMES=NAMES,
        form=form or BulkForm(formdata=None, decision=Decision.DEFENDER.value),
        error=error,
        salud=all(sees_health(one) for one in {row.prestador_id for row in rows}),
        volver=kept(),
        lista=tray_address(GLOSAS),
    )


@blueprint.post("/masiva/vista")
@allow(*ANSWERERS)
def masiva_vista() -> ResponseReturnValue:
    """Show what each line will get."""
    with current().database.read() as session:
        rows = [row for row in chosen(session, GLOSAS) if isinstance(row, Glosa)]
    form = BulkForm()
    if not form.validate_on_submit():
        return _choose(rows, form), 422
    try:
        bulk_answer.check_equal(rows)
        common = _common(form)
    except BadInput as refusal:
        return _choose(rows, form, error=refusal), 422
    with current().database.read() as session:
        fresh = [session.get_one(Glosa, row.id) for row in rows]
        previews = bulk_answer.preview(session, fresh, common)
        lines = {one.objecion.id: one for one in tray.with_names(session, fresh)}
    return render_template(
        "glosas/masiva_previa.html",
        previas=previews,
        lineas=lines,
        form=form,
        NAMES=NAMES,
        salud=sees_health(rows[0].prestador_id),
        volver=kept(),
        lista=tray_address(GLOSAS),
        buenas=[one for one in previews if not one.impide],
    )


def _common(form: BulkForm) -> Comun:
    common = Comun(
        Decision(form.decision.data),
        form.texto.data or "",
        form.motivo.data or "",
        con_soportes=bool(form.con_soportes.data),
    )
    return bulk_answer.with_percent(common, form.porcentaje.data or 0)


@blueprint.post("/masiva/guardar")
@allow(*ANSWERERS)
def masiva_guardar() -> ResponseReturnValue:
    """Keep the answers of the lines that the preview showed and the person left ticked."""
    with current().database.read() as session:
        rows = [row for row in chosen(session, GLOSAS) if isinstance(row, Glosa)]
    form = BulkForm()
    if not form.validate_on_submit():
        return _choose(rows, form), 422
    bulk_answer.check_equal(rows)
    done = bulk_answer.save_all(
        current().database,
        [_seen(row) for row in rows],
        _common(form),
        done=request.form.get("hacer") == "terminar",
        actor=person().actor,
        at=now(),
    )
    with current().database.read() as session:
        refused = dict(done.rechazadas)
        lines = tray.with_names(session, [session.get_one(Glosa, id_) for id_ in refused])
    if done.ids:
        flash(f"Quedaron guardadas {len(done.ids)} de {len(rows)} respuestas.", "success")
    return render_template(
        "glosas/masiva_hecha.html", hecha=done, lineas=lines, motivos=refused, volver=kept(), lista=tray_address(GLOSAS)
    )


def _seen(row: Glosa) -> Visto:
    """Return what the preview showed of a line; a form without it is refused as stale."""
    version = request.form.get(f"version-{row.id}", "")
    written = request.form.get(f"visto-{row.id}", "")
    try:
        moment = datetime.fromisoformat(written) if written else None
    except ValueError:
        moment = None
    return Visto(row.id, int(version) if version.isdecimal() and len(version) < 10 else -1, moment)
