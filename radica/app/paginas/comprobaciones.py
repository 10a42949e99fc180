"""What the checks find, over all invoices: first-pass rate by payer and biller, the most frequent codes, the limit.

Invariant: only providers in view; each figure is of first complete verdicts and says its period. Indicator: Limpieza 1.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from radica.entidades.models import Prestador
from radica.facturas import limpieza
from radica.facturas.juicio import por_juzgar
from radica.facturas.validacion.catalogo import titulo_de
from radica.kernel.clock import civil_date
from radica.kernel.web import db_session, now, person
from radica.kernel.web_paging import query_day
from radica.users.access import selected_ids
from radica.users.models import Rol
from radica.users.services import actor_names

PERIOD = timedelta(days=90)

blueprint = Blueprint("comprobaciones", __name__)


@blueprint.get("/comprobaciones")
def ver() -> ResponseReturnValue:
    """Show the figures of a period."""
    session = db_session()
    until = query_day(request.args.get("hasta")) or civil_date(now())
    since = query_day(request.args.get("desde")) or until - PERIOD
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
        nombres=actor_names(session, {one.clave for one in billers}),
        codigos=[(code, titulo_de(code), count, places)
                 for code, count, places in limpieza.por_codigo(session, ids, desde=since, hasta=until)],
        esperan=por_juzgar(session, ids),
        casas=list(houses),
    )  # fmt: skip
