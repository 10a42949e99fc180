"""What the checks find, over all invoices: first-pass rate by payer and biller, the most frequent codes, the limit.

Invariant: only providers in view; each figure is of first complete verdicts, says its period, and opens the very
invoices that it counts. Indicator: Limpieza 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.paginas.comun import payer_names, provider_names
from radica.app.paginas.consultas_comprobadas import Comprobada, comprobadas, en_espera
from radica.app.paginas.frases import who
from radica.entidades.models import Prestador
from radica.facturas import limpieza
from radica.facturas.juicio import por_juzgar
from radica.facturas.models import Factura
from radica.facturas.validacion.catalogo import titulo_de
from radica.kernel.clock import civil_date
from radica.kernel.web import db_session, now, person
from radica.kernel.web_format import fecha
from radica.kernel.web_paging import query_day
from radica.users.access import selected_ids
from radica.users.models import Rol
from radica.users.services import actor_names

PERIOD = timedelta(days=90)
ESPERAN = "esperan"
"""The result that asks for what is not checked yet."""
_RESULTADOS = {
    limpieza.LIMPIA: "sin nada que el Ministerio rechace",
    limpieza.RECHAZADA: "con algo que el Ministerio rechaza",
    limpieza.CON_AVISOS: "con avisos",
    ESPERAN: "esperan la comprobación",
}

blueprint = Blueprint("comprobaciones", __name__)


@blueprint.get("/comprobaciones")
def ver() -> ResponseReturnValue:
    """Show the figures of a period."""
    session = db_session()
    since, until = _period()
    ids = sorted(selected_ids(person()))
    billers = limpieza.por_facturador(session, ids, desde=since, hasta=until)
    owned = person().granted(Rol.ADMINISTRACION)
    houses = session.scalars(
        select(Prestador).where(Prestador.id.in_(set(ids) & set(owned))).order_by(Prestador.nombre)
    )
    return render_template(
        "facturas/comprobaciones.html",
        desde=since,
        hasta=until,
        total=limpieza.total(session, ids, desde=since, hasta=until),
        pagadores=limpieza.por_pagador(session, ids, desde=since, hasta=until),
        facturadores=billers,
        nombres=_names(session, {one.clave for one in billers}),
        codigos=[(code, titulo_de(code), count, places)
                 for code, count, places in limpieza.por_codigo(session, ids, desde=since, hasta=until)],
        esperan=por_juzgar(session, ids),
        casas=list(houses),
        SIN=limpieza.SIN_PAGADOR,
    )  # fmt: skip


def _names(session: Session, actors: set[str]) -> dict[str, str]:
    """Return how a person calls those who loaded."""
    known = actor_names(session, actors)
    return {one: who(one, known) or "sin registro" for one in actors}


def _period() -> tuple[date, date]:
    """Return the days asked for, both included; what cannot be read is the last PERIOD."""
    until = query_day(request.args.get("hasta")) or civil_date(now())
    return query_day(request.args.get("desde")) or until - PERIOD, until


@blueprint.get("/comprobaciones/facturas")
def facturas() -> ResponseReturnValue:
    """Show the invoices behind a figure."""
    session = db_session()
    which = _asked()
    cursor = {"after": request.args.get("despues"), "before": request.args.get("antes")}
    waiting = which.resultado == ESPERAN
    page = en_espera(session, which.prestadores, **cursor) if waiting else comprobadas(session, which, **cursor)
    # Of actors in the rows only: an address that names somebody else's person must not tell who that is.
    names = _names(session, {one.primera.facturador for one in page.rows if one.primera is not None})
    payer_ids = [_payer_of(one) for one in page.rows]
    payers = payer_names(session, [*payer_ids, int(which.pagador) if which.pagador.isdecimal() else None])
    return render_template(
        "facturas/comprobadas.html",
        f=which,
        espera=waiting,
        page=page,
        pagador_de=_payer_of,
        pagadores=payers,
        prestadores=provider_names(session, (one.factura.prestador_id for one in page.rows)),
        varios=len(which.prestadores) > 1,
        nombres=names,
        estados=Factura.MACHINE.labels,
        lugares=limpieza.lugares(session, which) if which.codigo else 0,
        codigo_dice=titulo_de(which.codigo) if which.codigo else "",
        filtros_puestos=[] if waiting else _chips(which, payers, names),
    )


def _payer_of(one: Comprobada) -> int | None:
    """Return the payer by which an invoice was counted."""
    return one.primera.pagador_id if one.primera is not None else one.factura.pagador_id


def _asked() -> limpieza.Primeras:
    """Read what the address asks for; what cannot be read asks for nothing."""
    since, until = _period()
    payer = request.args.get("pagador", "")
    result = request.args.get("resultado", "")
    return limpieza.Primeras(
        prestadores=sorted(selected_ids(person())),
        desde=since,
        hasta=until,
        resultado=result if result in _RESULTADOS else "",
        pagador=payer if payer == limpieza.SIN_PAGADOR or (payer.isdecimal() and len(payer) < 19) else "",
        facturador=request.args.get("facturador", "")[:120],
        codigo=request.args.get("codigo", "")[:40],
    )


def _chips(which: limpieza.Primeras, payers: dict[int, str], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the filters as (query value, words)."""
    chips = [("desde", f"desde el {fecha(which.desde)}"), ("hasta", f"hasta el {fecha(which.hasta)}")]
    if which.resultado:
        chips.append(("resultado", _RESULTADOS[which.resultado]))
    if which.pagador:
        known = "sin pagador conocido" if which.pagador == limpieza.SIN_PAGADOR else payers.get(int(which.pagador))
        chips.append(("pagador", known or "otro pagador"))
    if which.facturador:
        chips.append(("facturador", f"cargó {names.get(which.facturador, 'otra persona')}"))
    if which.codigo:
        chips.append(("codigo", f"con {which.codigo}"))
    return [(name, text) for name, text in chips if name in request.args]
