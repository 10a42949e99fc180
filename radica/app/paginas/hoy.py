"""Hoy: what will cost money today, what a person has to do, what is stuck, and what the bots do now.

Invariant: every figure opens, and the rows that it opens make it; the part about the bots refreshes by itself without
counting as activity of the person.
"""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from radica.app.paginas.consultas_bots import bots_now
from radica.app.paginas.consultas_hoy import by_urgency, stuck, work
from radica.app.paginas.consultas_hoy_glosas import glosas_today
from radica.app.paginas.urgencia import NOMBRES, SIN_PLAZO
from radica.kernel.clock import civil_date
from radica.kernel.money import allocate
from radica.kernel.web import db_session, now, passive, person
from radica.plazos.rules import Paso
from radica.users.access import selected_ids

blueprint = Blueprint("hoy", __name__)

TILES = (Paso.VENCIDA, Paso.VENCE_HOY, Paso.DE_1_A_2, Paso.DE_3_A_5, Paso.HOLGADO)


@blueprint.get("/hoy")
def index() -> ResponseReturnValue:
    """Show the day."""
    session, ids, today = db_session(), selected_ids(person()), civil_date(now())
    steps = by_urgency(session, ids, today)
    lines, count = work(session, ids, today)
    money = [steps[one.value].valor for one in TILES]
    return render_template(
        "hoy/hoy.html",
        barra=_bar(money),
        pasos=[(one.value, NOMBRES[one.value], steps[one.value]) for one in TILES],
        sin_plazo=steps[SIN_PLAZO],
        total=(sum(one.cuantas for one in steps.values()), sum(one.valor for one in steps.values())),
        lineas=lines,
        cuantas=count,
        atasco=stuck(session, ids, usuario_id=person().id),
        bots=bots_now(session, ids),
        pasos_glosas=[(name, text) for name, text in NOMBRES.items() if name != SIN_PLAZO],
        objeciones=glosas_today(session, ids, today, usuario_id=person().id),
    )


def _bar(money: list[int]) -> list[tuple[str, int, int]]:
    """Return (step, x, width) in per mille of the money of all steps; empty when there is no money."""
    if sum(money) <= 0:
        return []
    widths = allocate(1000, money)
    starts = [sum(widths[:index]) for index in range(len(widths))]
    return [(step.value, x, width) for step, x, width in zip(TILES, starts, widths, strict=True) if width]


@blueprint.get("/hoy/bots")
@passive
def bots() -> ResponseReturnValue:
    """Draw again what the bots do; the page polls it."""
    return render_template("hoy/bots.html", bots=bots_now(db_session(), selected_ids(person())))
