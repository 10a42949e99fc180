"""How a provider shares and watches its glosas: rules of assignment, four eyes, escalation, limits of its payers.

Invariant: the first rule that fits decides; only who works at the provider may be named; whoever changes a rule is
written in the provider's log. Norm: none; the terms themselves are law and are not settings.
"""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.app.acciones.glosas_formas import read_pesos
from radica.app.paginas.comun import payer_names
from radica.app.paginas.glosas_plano import MANAGERS, blueprint
from radica.audit.services import record_reading
from radica.entidades.models import Pagador, Prestador
from radica.glosas.bandeja import work
from radica.glosas.bandeja.tray import payers_in
from radica.glosas.bandeja.tray_filter import GLOSAS
from radica.glosas.bandeja.work_models import AjusteGlosas, ReglaAsignacion
from radica.glosas.codes import FAMILIAS
from radica.glosas.respuesta.answer_draft import settings_of
from radica.kernel.errors import BadInput
from radica.kernel.web import allow, db_session, go, now, person
from radica.kernel.web_format import plural
from radica.users.access import MAX_ID, load_for, selected_ids

MAX_RULES = 200


@blueprint.get("/reglas")
@allow(*MANAGERS)
def reglas() -> ResponseReturnValue:
    """Show the rules of the providers that the person runs."""
    session = db_session()
    ours = [one for one in person().providers if one.id in selected_ids(person(), *MANAGERS)]
    return render_template("glosas/reglas.html", casas=[_of(session, one.id, one.nombre) for one in ours])


def _of(session: Session, prestador_id: int, name: str) -> dict[str, Any]:
    rules = work.rules_of(session, prestador_id)
    people = work.workers(session, prestador_id)
    return {
        "id": prestador_id,
        "nombre": name,
        "reglas": rules,
        "personas": people,
        "pagadores": payers_in(session, [prestador_id], GLOSAS),
        "nombres": payer_names(session, {one.pagador_id for one in rules}),
        "ajuste": settings_of(session, prestador_id),
        "familias": {key: label for key, label in FAMILIAS.items() if key != "RE"},
    }


def _house(session: Session, prestador_id: int) -> Prestador:
    return load_for(session, Prestador, prestador_id, person(), roles=MANAGERS)


@blueprint.post("/reglas/<int:prestador_id>")
@allow(*MANAGERS)
def agregar_regla(prestador_id: int) -> ResponseReturnValue:
    """Add a rule at the end."""
    session = db_session()
    house = _house(session, prestador_id)
    owner = _number("usuario_id")
    if owner is None or owner not in work.workers(session, house.id):
        raise BadInput("Elija a quién van las líneas: alguien que trabaje glosas en este prestador.")
    payer = _number("pagador_id")
    if payer is not None and session.get(Pagador, min(payer, MAX_ID)) is None:
        raise BadInput("Ese pagador no existe; no se guardó nada.", todo="Elíjalo de la lista.")
    family = request.form.get("familia", "")
    low, high = _pesos("desde"), _pesos("hasta")
    if low is not None and high is not None and low >= high:
        raise BadInput("El valor «desde» tiene que ser menor que el «hasta»; no se guardó nada.")
    last = session.scalar(select(func.max(ReglaAsignacion.orden)).where(ReglaAsignacion.prestador_id == house.id)) or 0
    if last >= MAX_RULES:
        raise BadInput("Son demasiadas reglas; no se guardó nada.", todo="Quite las que no usa.")
    session.add(
        ReglaAsignacion(
            prestador_id=house.id,
            orden=last + 1,
            pagador_id=payer,
            familia=family if family in FAMILIAS else "",
            desde=low,
            hasta=high,
            usuario_id=owner,
        )
    )
    _log(session, house.id, f"regla {last + 1} agregada")
    flash("La regla quedó de última: decide cuando ninguna anterior sirve.", "success")
    return go(url_for("glosas.reglas"))


def _number(name: str) -> int | None:
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _pesos(name: str) -> int | None:
    text = request.form.get(name, "").strip()
    return read_pesos(text) if text else None


def _log(session: Session, prestador_id: int, what: str) -> None:
    record_reading(
        session, prestador_id=prestador_id, actor=person().actor, action="cambiar_reglas_glosas",
        purpose="administracion", object_=what[:120], at=now(),
    )  # fmt: skip


@blueprint.post("/reglas/<int:regla_id>/<any(subir, quitar, activar):hacer>")
@allow(*MANAGERS)
def cambiar_regla(regla_id: int, hacer: str) -> ResponseReturnValue:
    """Move a rule up, switch it, or remove it."""
    session = db_session()
    rule = load_for(session, ReglaAsignacion, regla_id, person(), roles=MANAGERS)
    if hacer == "quitar":
        session.delete(rule)
    elif hacer == "activar":
        rule.activa = not rule.activa
    else:
        rules = work.rules_of(session, rule.prestador_id)
        at = next(i for i, one in enumerate(rules) if one.id == rule.id)
        if at:
            rules[at - 1], rules[at] = rules[at], rules[at - 1]
        for order, one in enumerate(rules, 1):
            one.orden = order
    _log(session, rule.prestador_id, f"regla {regla_id}: {hacer}")
    flash("Las reglas quedaron cambiadas.", "success")
    return go(url_for("glosas.reglas"))


@blueprint.post("/reglas/<int:prestador_id>/repartir")
@allow(*MANAGERS)
def repartir(prestador_id: int) -> ResponseReturnValue:
    """Share the lines without an owner by the rules, now."""
    session = db_session()
    house = _house(session, prestador_id)
    done = work.assign_by_rules(session, house.id, actor=person().actor, at=now())
    left = f"; a {plural(done.sin_regla, 'línea', 'líneas')} no les sirve ninguna regla" if done.sin_regla else ""
    flash(f"{plural(done.cambiadas, 'línea quedó repartida', 'líneas quedaron repartidas')}{left}.", "success")
    return go(url_for("glosas.reglas"))


@blueprint.post("/reglas/<int:prestador_id>/ajustes")
@allow(*MANAGERS)
def guardar_ajustes(prestador_id: int) -> ResponseReturnValue:
    """Keep the four-eyes amount and the escalation."""
    session = db_session()
    house = _house(session, prestador_id)
    days = _number("escalar_dias")
    boss = _number("escalar_a_id")
    if days is None or not 1 <= days <= 15:
        raise BadInput("Los días para escalar van de 1 a 15; no se guardó nada.")
    if boss is not None and boss not in work.workers(session, house.id):
        raise BadInput("A quien se escala tiene que trabajar glosas en este prestador; no se guardó nada.")
    row = session.get(AjusteGlosas, house.id)
    if row is None:
        row = AjusteGlosas(prestador_id=house.id, grupo_manual="", siifa=True)
        session.add(row)
    row.cuatro_ojos_desde = _pesos("cuatro_ojos_desde")
    row.escalar_a_id, row.escalar_dias = boss, days
    _log(session, house.id, "ajustes de glosas")
    flash("Los ajustes quedaron guardados.", "success")
    return go(url_for("glosas.reglas"))
