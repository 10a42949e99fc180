"""What each payer's form takes of an answer of one provider: length, capitals, one file; where it differs from the known.

Invariant: a row of a provider wins over the known limits of the house and is removed to go back to them; whoever
changes one is written in the provider's log. Norm: none; the limits are of each payer's portal.
"""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.paginas.glosas_plano import MANAGERS, blueprint
from radica.audit.services import record_reading
from radica.entidades.models import Pagador, Prestador
from radica.glosas.bandeja.tray import payers_in
from radica.glosas.bandeja.tray_filter import DEVOLUCIONES, GLOSAS
from radica.glosas.bandeja.work_models import PerfilRespuesta
from radica.glosas.respuesta.answer_help import limits_for
from radica.glosas.respuesta.splitting import MIN_CARACTERES
from radica.glosas.respuesta.template_text import MAX_TEXTO
from radica.kernel.errors import BadInput, NotFound
from radica.kernel.web import allow, db_session, go, now, person
from radica.users.access import MAX_ID, load_for, selected_ids


@blueprint.get("/pagadores")
@allow(*MANAGERS)
def limites() -> ResponseReturnValue:
    """Show what each payer takes from the providers that the person runs."""
    session = db_session()
    ours = [one for one in person().providers if one.id in selected_ids(person(), *MANAGERS)]
    return render_template(
        "glosas/limites.html",
        casas=[{"id": one.id, "nombre": one.nombre, "pagadores": _rows(session, one.id)} for one in ours],
        MIN=MIN_CARACTERES,
        MAX=MAX_TEXTO,
    )


def _payers(session: Session, prestador_id: int) -> list[int]:
    """Return the payers that objected to a provider or have a row of it."""
    known = dict(payers_in(session, [prestador_id], GLOSAS) + payers_in(session, [prestador_id], DEVOLUCIONES))
    own = session.scalars(select(PerfilRespuesta.pagador_id).where(PerfilRespuesta.prestador_id == prestador_id))
    return sorted(known.keys() | set(own))


def _rows(session: Session, prestador_id: int) -> list[dict[str, Any]]:
    own = set(session.scalars(select(PerfilRespuesta.pagador_id).where(PerfilRespuesta.prestador_id == prestador_id)))
    payers = [session.get_one(Pagador, id_) for id_ in _payers(session, prestador_id)]
    payers.sort(key=lambda one: (one.nombre, one.id))
    return [{"pagador": one, "toma": limits_for(session, prestador_id, one), "propio": one.id in own} for one in payers]


@blueprint.post("/pagadores/<int:prestador_id>")
@allow(*MANAGERS)
def guardar_limite(prestador_id: int) -> ResponseReturnValue:
    """Keep what a payer takes, or go back to what is known of it (`hacer=quitar`)."""
    session = db_session()
    house = load_for(session, Prestador, prestador_id, person(), roles=MANAGERS)
    payer = _number("pagador_id")
    if payer is None or payer not in _payers(session, house.id):
        raise NotFound("No se encontró ese pagador; no se cambió nada.")
    row = session.scalars(
        select(PerfilRespuesta).where(PerfilRespuesta.prestador_id == house.id, PerfilRespuesta.pagador_id == payer)
    ).first()
    name = session.get_one(Pagador, payer).nombre
    if request.form.get("hacer") == "quitar":
        if row is not None:
            session.delete(row)
        _log(session, house.id, f"pagador:{payer} como se conoce")
        flash(f"{name}: vuelve a lo que se conoce de su portal.", "success")
        return go(url_for("glosas.limites"))
    size = _size()
    if row is None:
        row = PerfilRespuesta(prestador_id=house.id, pagador_id=payer)
        session.add(row)
    row.max_caracteres = size
    row.mayusculas = request.form.get("mayusculas") == "si"
    row.un_solo_pdf = request.form.get("un_solo_pdf") == "si"
    _log(session, house.id, f"pagador:{payer} {size or 'sin límite'} {row.mayusculas} {row.un_solo_pdf}")
    flash(f"{name}: las respuestas nuevas se preparan así.", "success")
    return go(url_for("glosas.limites"))


def _number(name: str) -> int | None:
    text = request.form.get(name, "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        return None
    return int(text) if int(text) <= MAX_ID else None


def _size() -> int | None:
    """Return the characters typed, None for no limit. Raises BadInput outside what makes sense."""
    if not request.form.get("max_caracteres", "").strip():
        return None
    size = _number("max_caracteres")
    if size is None or not MIN_CARACTERES <= size <= MAX_TEXTO:
        raise BadInput(
            f"Los caracteres van de {MIN_CARACTERES} a {MAX_TEXTO}; no se guardó nada.",
            todo="Corrija el número, o déjelo en blanco si el portal no tiene límite.",
        )
    return size


def _log(session: Session, prestador_id: int, what: str) -> None:
    record_reading(
        session, prestador_id=prestador_id, actor=person().actor, action="cambiar_limites_glosas",
        purpose="administracion", object_=what[:120], at=now(),
    )  # fmt: skip
