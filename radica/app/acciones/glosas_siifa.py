"""What SIIFA still waits for: our acts with their 48 business hours, and the note that they were registered.

Invariant: an act is noted once, with its reference; the clock is the act's, not the page's. Norm: Res. 1962/2025
(GLO-09).
"""

from __future__ import annotations

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import DateTimeLocalField
from wtforms.validators import Optional

from radica.app.paginas.glosas_plano import ANSWERERS, blueprint
from radica.glosas import siifa
from radica.kernel.clock import BOGOTA
from radica.kernel.errors import BadInput
from radica.kernel.web import allow, db_session, go, now, person
from radica.kernel.web_format import plural
from radica.users.access import selected_ids
from radica.users.forms import Form

SHOWN = 500


class RegisteredForm(Form):
    """When it was registered."""

    cuando = DateTimeLocalField(
        "Registrado el", format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], validators=[Optional()]
    )


@blueprint.get("/siifa")
def registros_siifa() -> ResponseReturnValue:
    """List our acts that SIIFA does not have."""
    session = db_session()
    ids = sorted(selected_ids(person()))
    return render_template(
        "glosas/siifa.html",
        filas=siifa.pending(session, ids, now(), limit=SHOWN),
        cuentas=siifa.counts(session, ids, now()),
        U=siifa.Urgencia,
        puede=person().may(*ANSWERERS),
    )


@blueprint.post("/siifa")
@allow(*ANSWERERS)
def registrar_siifa() -> ResponseReturnValue:
    """Note that the ticked acts stand in SIIFA."""
    session = db_session()
    ids = [int(one) for one in request.form.getlist("actos") if one.isascii() and one.isdecimal() and len(one) < 19]
    if not ids or len(ids) > SHOWN:
        raise BadInput("No eligió ningún acto; no se guardó nada.", todo="Marque los que ya registró en SIIFA.")
    form = RegisteredForm()
    if not form.validate_on_submit():
        raise BadInput("No se entiende la fecha del registro; no se guardó nada.", todo="Escriba la que dice SIIFA.")
    when = form.cuando.data.replace(tzinfo=BOGOTA) if form.cuando.data else None
    count = siifa.record(
        session,
        ids,
        prestador_ids=sorted(person().granted(*ANSWERERS)),
        referencia=request.form.get("referencia", "")[:120],
        actor=person().actor,
        at=now(),
        registrado_at=when,
    )
    flash(f"{plural(count, 'acto quedó registrado', 'actos quedaron registrados')} en SIIFA.", "success")
    return go(url_for("glosas.registros_siifa"))
