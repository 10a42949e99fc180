"""Indicators of glosas by payer, family and code: each figure with its formula, its bars, and the rows that make it.

Invariant: the rows behind a figure add up to it (they are read with its very conditions); only providers in view.
Norms: the house's indicators of Res. 2284/2023 and Ley 1438/2011 art. 57 as figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.paginas.glosas_notificaciones import cursor_id
from radica.app.paginas.glosas_plano import blueprint
from radica.facturas.models import Factura
from radica.glosas import codes
from radica.glosas.bandeja import tray
from radica.glosas.bandeja.tray_filter import GLOSAS
from radica.glosas.figures import Alcance, Clave, Unidad
from radica.glosas.indicators import Aporte, Eje, Grupo, Indicador, Parte, breakdown, indicators, open_rows
from radica.glosas.models import Devolucion, Glosa
from radica.kernel.clock import civil_date
from radica.kernel.errors import NotFound
from radica.kernel.web import db_session, now, person
from radica.kernel.web_format import cop, entero
from radica.kernel.web_paging import cut, query_day
from radica.users.access import selected_ids

PERIOD = timedelta(days=365)
ROWS = 100
EJES = {Eje.PAGADOR: "Por pagador", Eje.FAMILIA: "Por concepto", Eje.CODIGO: "Por código"}
MEDIDAS = (Clave.GLOSA_INICIAL, Clave.LEVANTAMIENTO, Clave.RATIFICACION, Clave.ACEPTACION, Clave.EXTEMPORANEAS,
           Clave.RESPUESTA_OPORTUNA)  # fmt: skip
"""What the table compares; the tiles show all."""


def scope() -> Alcance:
    """Return what the address asks for: a year back from today unless it says otherwise."""
    today = civil_date(now())
    until = query_day(request.args.get("hasta")) or today
    payer = request.args.get("pagador", "")
    code = request.args.get("codigo", "").strip().upper()[:12]
    return Alcance(
        tuple(sorted(selected_ids(person()))),
        query_day(request.args.get("desde")) or until - PERIOD,
        until,
        today,
        int(payer) if payer.isascii() and payer.isdecimal() and len(payer) < 19 else None,
        code or None,
    )


def asked_args(alcance: Alcance, **more: Any) -> dict[str, Any]:
    """Return the scope as values of an address."""
    found = {
        "desde": alcance.desde.isoformat(),
        "hasta": alcance.hasta.isoformat(),
        "pagador": alcance.pagador_id,
        "codigo": alcance.codigo,
        **more,
    }
    return {name: value for name, value in found.items() if value is not None}


@blueprint.get("/indicadores")
def indicadores() -> ResponseReturnValue:
    """Show the figures of a scope and compare them along an axis."""
    session, alcance = db_session(), scope()
    axes = {one.value: one for one in Eje}
    axis = axes.get(request.args.get("eje", ""), Eje.PAGADOR)
    groups = breakdown(session, alcance, axis, limit=50)
    return render_template(
        "glosas/indicadores.html",
        a=alcance,
        cifras=list(indicators(session, alcance).values()),
        grupos=groups,
        eje=axis,
        EJES=EJES,
        MEDIDAS=MEDIDAS,
        pagadores=tray.payers_in(session, alcance.prestador_ids, GLOSAS),
        medida=measure,
        nombre=lambda group: group_name(group, axis),
        ancho=width,
        abrir=lambda one, parte="numerador": opening(one, parte),
        fila=lambda group: opening_scope(alcance, group, axis),
        mayor=_largest(groups),
        args=asked_args(alcance),
    )


def measure(one: Indicador) -> str:
    """Write a figure as people read it: a percentage, or days."""
    ratio = one.razon
    if ratio is None:
        return "—"
    if one.clave is Clave.DIAS_RESPUESTA:
        return f"{ratio.quantize(Decimal('0.1'))}".replace(".", ",") + " días"
    return f"{(ratio * 100).quantize(Decimal('0.1'))}".replace(".", ",") + " %"


def amount(value: int, unit: Unidad) -> str:
    """Write one of the two numbers of a figure."""
    return cop(value) if unit is Unidad.PESOS else entero(value)


def width(one: Indicador) -> str:
    """Return how long the bar of a ratio is, of 100."""
    ratio = one.razon
    if ratio is None:
        return "0"
    return str(min(Decimal(100), ratio * 100).quantize(Decimal("0.1")))


def group_name(group: Grupo, axis: Eje) -> str:
    """Return how a person calls a row of the table."""
    if axis is Eje.PAGADOR:
        return group.nombre
    known = codes.FAMILIAS.get(group.clave) if axis is Eje.FAMILIA else None
    found = codes.buscar(group.clave)
    return known or (found.texto if found else group.nombre)


def _largest(groups: Sequence[Grupo]) -> int:
    return max((one.indicadores[Clave.GLOSA_INICIAL].numerador for one in groups if Clave.GLOSA_INICIAL in one.indicadores),
               default=0)  # fmt: skip


def opening(one: Indicador, parte: str) -> str:
    """Return the address of the rows behind a figure."""
    values = asked_args(one.alcance, parte=parte if parte != "numerador" else None)
    return url_for("glosas.indicador", clave=one.clave.value, **values)


def opening_scope(alcance: Alcance, group: Grupo, axis: Eje) -> str:
    """Return the address of the same page for one row of the table."""
    name = "pagador" if axis is Eje.PAGADOR else "codigo"
    finer = Eje.CODIGO if axis is not Eje.CODIGO else Eje.PAGADOR
    return url_for("glosas.indicadores", **{**asked_args(alcance), name: group.clave, "eje": finer.value})


@blueprint.get("/indicadores/<clave>")
def indicador(clave: str) -> ResponseReturnValue:
    """Open one figure: the rows that add up to its numerator or its denominator."""
    session, alcance = db_session(), scope()
    known = {one.value: one for one in Clave}
    if clave not in known:
        raise NotFound
    one = indicators(session, alcance)[known[clave]]
    parte = Parte.DENOMINADOR if request.args.get("parte") == Parte.DENOMINADOR.value else Parte.NUMERADOR
    rows = open_rows(session, one, parte, after=cursor_id("despues") or 0, limit=ROWS + 1)
    page = cut(rows, limit=ROWS, key=lambda row: [row.id], came_with=None)
    return render_template(
        "glosas/indicador.html",
        i=one,
        a=alcance,
        parte=parte,
        Parte=Parte,
        page=page,
        filas=_named(session, page.rows),
        medida=measure,
        importe=lambda value: amount(value, one.unidad),
        abrir=lambda which: opening(one, which),
        args=asked_args(alcance),
    )


def _named(session: Session, rows: Sequence[Aporte]) -> list[tuple[Aporte, str, str]]:
    """Return the rows with the invoice's number and the objection's code."""
    wanted = {row.factura_id for row in rows}
    numbers = {row.id: row.numero for row in session.scalars(select(Factura).where(Factura.id.in_(wanted)))}
    found: dict[tuple[str, int], str] = {}
    for kind in (Glosa, Devolucion):
        ids = {row.id for row in rows if row.objeto == kind.KIND}
        for id_, code in session.execute(select(kind.id, kind.codigo).where(kind.id.in_(ids))):
            found[kind.KIND, id_] = code
    return [(row, numbers.get(row.factura_id, ""), found.get((row.objeto, row.id), "")) for row in rows]
