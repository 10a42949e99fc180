"""Cartera: what is owed by payer, and one invoice as a debt with its interest, its payments and its clocks.

Invariant: reading changes nothing; each figure opens the rows that make it; the readings that a norm leaves open stand
in the address, so that a liquidation can be passed on. Norms: Ley 1438/2011 art. 56, D.L. 1281/2002 arts. 4 and 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from radica.app.acciones import cartera_formas as formas
from radica.app.paginas import cartera_consultas as sql
from radica.app.paginas.cartera_plano import READERS, WORKERS, blueprint, load_invoice, may_work
from radica.app.paginas.conciliacion_plano import query_id
from radica.app.paginas.frases import who
from radica.cartera.caso import ETIQUETAS
from radica.cartera.hoja_calculo import workbook
from radica.cartera.liquidar import congeladas, liquidar_factura
from radica.cartera.pagos import NOMBRES as CONCEPTOS
from radica.cartera.pagos import entered
from radica.cartera.parametros import MARCAS, NOMBRES, Parametros, elegir, opciones
from radica.cartera.prescripcion import de_factura, exigible
from radica.cartera.saldos import balance, notes_of
from radica.custodia.models import Pieza
from radica.entidades.models import Pagador, Prestador, TipoPagador
from radica.facturas.models import Factura
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput, RadicaError
from radica.kernel.web import allow, db_session, now, person
from radica.kernel.web_paging import Page, cut, decode_cursor, query_day
from radica.users.services import actor_names

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ABIERTOS = [clave for clave in NOMBRES if len(opciones()[clave]) > 1]
"""Parameters with more than one reading: those that a person chooses."""


@blueprint.get("")
@allow(*READERS)
def lista() -> ResponseReturnValue:
    """List what is owed, by payer and by invoice."""
    session, ids, today = db_session(), sorted(person().selected(*READERS)), civil_date(now())
    rows = sql.debts(session, ids, today)
    age = request.args.get("edad", "")
    filtro = sql.Filtro(
        query_id("pagador") or None,
        age if age in [name for name, *_ in sql.EDADES] else "",
        request.args.get("prescripcion") == "cerca",
    )
    shown = sql.chosen(rows, filtro)
    at = decode_cursor(request.args.get("despues"), size=2)
    since = sql.cursor_day(at[0]) if at else None
    cursor = (since, at[1]) if at and since is not None and isinstance(at[1], int) else None
    page = cut(
        sql.after(shown, cursor),
        limit=sql.PAGE,
        key=lambda one: (one.presentada.isoformat(), one.factura_id),
        came_with=None,
    )
    words = {name: text for name, text, *_ in sql.EDADES}
    names = {one.pagador_id: one.pagador for one in rows}
    filters = [("pagador", names.get(filtro.pagador_id, "Un pagador"))] if filtro.pagador_id else []
    filters += [("edad", words[filtro.edad])] if filtro.edad else []
    filters += [("prescripcion", "Por prescribir")] if filtro.cerca else []
    return render_template(
        "cartera/lista.html",
        page=Page(page.rows, page.next, None, len(shown), sum(one.saldo for one in shown)),
        sumas=sql.by_payer(shown),
        filtros_puestos=filters,
        edades=sql.EDADES,
        vieja=[one for one in rows if one.edad >= sql.VIEJA],
        cerca=[one for one in rows if one.cerca],
        todas=rows,
        varios=len(ids) > 1,
    )


@blueprint.get("/factura/<int:factura_id>/liquidacion")
@allow(*READERS)
def liquidacion(factura_id: int) -> ResponseReturnValue:
    """Show one invoice as a debt."""
    session = db_session()
    return page(session, load_invoice(session, factura_id))


@blueprint.get("/factura/<int:factura_id>/liquidacion.xlsx")
@allow(*READERS)
def excel(factura_id: int) -> ResponseReturnValue:
    """Send the workbook of the liquidation under the readings of the address."""
    session = db_session()
    row = load_invoice(session, factura_id)
    corte, chosen, problem = wanted(request.args)
    if problem is not None:
        raise problem
    found = liquidar_factura(session, row, corte=corte, parametros=chosen)
    answer = Response(workbook(found), mimetype=XLSX)
    name = f"liquidacion-{row.numero_clave}-{corte:%Y%m%d}.xlsx"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def wanted(values: Mapping[str, str]) -> tuple[date, Parametros, RadicaError | None]:
    """Return the day and the readings that an address or form asks for, and what of it was not understood."""
    given = {clave: values[clave] for clave in ABIERTOS if values.get(clave)}
    corte = query_day(values.get("corte")) or civil_date(now())
    try:
        return corte, elegir(given), None
    except BadInput as refusal:
        return corte, elegir(), refusal


def page(session: Session, row: Factura, *, acto: str = "", error: RadicaError | None = None, **given: Any) -> str:
    """Return the page of an invoice as a debt; `given` are forms that were refused, `acto` the one that stays open."""
    at = now()
    corte, chosen, problem = wanted(request.values)
    payer = session.get(Pagador, row.pagador_id) if row.pagador_id else None
    kind = payer.tipo if payer is not None else TipoPagador.DESCONOCIDO
    payments = entered(session, row.id)
    proofs = {one.pago.id: session.get(Pieza, one.pago.pieza_id) for one in payments if one.pago.pieza_id}
    frozen = congeladas(session, row.id)
    changed = {clave: valor for clave, valor in chosen.as_dict().items() if valor != getattr(elegir(), clave)}

    def leer(endpoint: str = "cartera.liquidacion", **otra: str) -> str:
        """Return an address with the readings of this page, some of them changed."""
        values: dict[str, Any] = {"factura_id": row.id, "corte": corte.isoformat(), **changed, **otra}
        return url_for(endpoint, **values)

    forms = {
        "pago": formas.PaymentForm(prefix="pago", formdata=None, fecha=civil_date(at)),
        "anular": formas.ReverseForm(prefix="anular", formdata=None),
    }
    actors = {one.pago.registrado_por for one in payments} | {one.actor for one in frozen}
    names = actor_names(session, actors)
    return render_template(
        "cartera/liquidacion.html",
        f=row,
        pagador=payer,
        prestador=session.get_one(Prestador, row.prestador_id),
        r=liquidar_factura(session, row, corte=corte, parametros=chosen),
        s=balance(session, row),
        notas=notes_of(session, row.id),
        pagos=payments,
        soportes=proofs,
        relojes=de_factura(row, kind),
        exigible=exigible(civil_date(row.fecha_radicacion), kind) if row.fecha_radicacion else None,
        congeladas=frozen,
        nombres={one: who(one, names) for one in actors},
        opciones={clave: opciones()[clave] for clave in ABIERTOS},
        cambiados=changed,
        leer=leer,
        NOMBRES=NOMBRES,
        MARCAS=MARCAS,
        CONCEPTOS=CONCEPTOS,
        ETIQUETAS=ETIQUETAS,
        forms=forms | given,
        acto=acto,
        error=error or problem,
        corte=corte,
        hoy=civil_date(at),
        puede=may_work(row.prestador_id),
        trabaja=WORKERS,
    )
