"""«Elegir todo el filtro»: assign, or leave for a day, all that the tray's filter shows, after seeing how much it is.

Invariant: only lines of providers where the person answers; the page says how many and for how much before anything is
done, and what moved meanwhile refuses it. Norms: Ley 1438/2011 art. 57.
"""

from __future__ import annotations

from dataclasses import replace

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from radica.app.acciones.glosas_formas import PendForm
from radica.app.acciones.glosas_trabajo import chosen_person, tray_address
from radica.app.paginas.glosas import owners
from radica.app.paginas.glosas_filtro import asked, chips, kept
from radica.app.paginas.glosas_plano import ANSWERERS, blueprint
from radica.glosas.bandeja import filter_work, tray, work
from radica.glosas.bandeja.filter_work import MAX_FILTER, Visto
from radica.glosas.bandeja.tray_filter import Filtro, Objecion
from radica.kernel.clock import civil_date
from radica.kernel.errors import RadicaError
from radica.kernel.web import allow, current, db_session, go, now, person
from radica.kernel.web_format import plural
from radica.users.access import selected_ids


def _filter(clase: str) -> Filtro:
    """Return the filter of the address, of the providers where the person answers."""
    return replace(asked(clase), prestadores=selected_ids(person(), *ANSWERERS))


@blueprint.get("/<any(glosas, devoluciones):clase>/filtro")
@allow(*ANSWERERS)
def todo_el_filtro(clase: str) -> ResponseReturnValue:
    """Say how many lines the filter holds and for how much, and ask what to do with them."""
    return _page(db_session(), clase, PendForm(formdata=None))


def _page(session: Session, clase: str, form: PendForm, error: RadicaError | None = None) -> str:
    f = _filter(clase)
    people = owners(session, f.prestadores)
    return render_template(
        "glosas/filtro.html",
        clase=clase,
        f=f,
        visto=filter_work.counted(session, f),
        puestos=chips(f, dict(tray.payers_in(session, f.prestadores, clase)), dict(people)),
        personas=people,
        form=form,
        error=error,
        volver=kept(),
        lista=tray_address(clase),
        MAX_FILTER=MAX_FILTER,
    )


@blueprint.post("/<any(glosas, devoluciones):clase>/filtro")
@allow(*ANSWERERS)
def actuar_en_el_filtro(clase: str) -> ResponseReturnValue:
    """Assign or leave for a day all that the filter shows."""
    form = PendForm()
    pending = request.form.get("hacer") == "pendiente"
    if pending and not form.validate():
        with current().database.read() as session:
            return _page(session, clase, form), 422
    try:
        said = _pend(clase, form) if pending else _assign(clase)
    except RadicaError as refusal:
        with current().database.read() as session:
            return _page(session, clase, form, refusal), 422
    flash(said, "success")
    return go(tray_address(clase))


def _seen() -> Visto:
    typed = [request.form.get(name, "") for name in ("cuantas", "cents")]
    known = all(one.isascii() and one.isdecimal() and len(one) < 19 for one in typed)
    return Visto(int(typed[0]), int(typed[1])) if known else Visto(-1, -1)


def _assign(clase: str) -> str:
    f, owner = _filter(clase), chosen_person()
    with current().database.read() as session:
        ids = filter_work.check_filter(session, f, _seen())
        filter_work.check_worker(session, f, owner)

    def give(session: Session, rows: list[Objecion]) -> int:
        return work.assign(session, rows, owner, actor=person().actor, at=now())

    changed, left = filter_work.in_parts(current().database, f, ids, give)
    same = len(ids) - changed - left
    text = f"{plural(changed, 'línea cambió', 'líneas cambiaron')} de manos."
    return text + (f" {plural(same, 'ya estaba', 'ya estaban')} a su cargo." if same else "") + _gone(left)


def _pend(clase: str, form: PendForm) -> str:
    f, today = _filter(clase), civil_date(now())
    with current().database.read() as session:
        ids = filter_work.check_filter(session, f, _seen())

    def wait(session: Session, rows: list[Objecion]) -> int:
        return work.pend_many(
            session, rows, form.hasta.data, form.motivo.data, hoy=today, actor=person().actor, at=now()
        )

    changed, left = filter_work.in_parts(current().database, f, ids, wait)
    sooner = len(ids) - changed - left
    text = f"{plural(changed, 'línea quedó pendiente', 'líneas quedaron pendientes')}."
    if sooner:
        text += (
            f" {plural(sooner, 'vence antes de ese día y sigue', 'vencen antes de ese día y siguen')} en la bandeja."
        )
    return text + _gone(left)


def _gone(left: int) -> str:
    return f" {plural(left, 'salió', 'salieron')} del filtro mientras tanto y no se tocaron." if left else ""
