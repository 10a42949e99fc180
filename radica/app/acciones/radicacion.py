"""The board of filings and what is waiting to be filed: follow, choose, order.

Invariant: an order goes in short transactions of some invoices each, because intents and heartbeats of the bots wait
behind them; ordering again what is already open is harmless and says so. Norm: Res. 948/2026 art. 15.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from flask import flash, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from radica.app.acciones import decidir, envio
from radica.app.acciones.comun import FILERS
from radica.app.acciones.plano import blueprint
from radica.app.acciones.sql_radicar import (
    NEVER,
    ORDERS,
    Filtro,
    by_payer,
    ready_ids,
    rows,
    sort_key,
    totals,
)
from radica.app.acciones.sql_tablero import NOMBRES, Situacion, figures, rows_in
from radica.app.paginas.urgencia import NOMBRES as PASOS
from radica.facturas.models import Factura
from radica.facturas.states import POR_RADICAR, EstadoFactura
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput, NotFound
from radica.kernel.web import allow, current, db_session, go, now, passive, person, wants_json
from radica.kernel.web_paging import Page, cursor_instant, cut, decode_cursor, query_day
from radica.plazos.rules import EstadoPlazo, estado_fecha
from radica.radicacion import manual
from radica.radicacion.services import Refusal
from radica.users.access import MAX_ID

__all__ = ["blueprint"]

ROUTES = (decidir, envio)
"""Modules whose routes are part of this blueprint."""
PAGE = 100
ON_BOARD = 6
LATELY = timedelta(days=7)
CHUNK = 50
"""Invoices of one ordering transaction."""
MAX_ORDER = 2000
SHOWN_REFUSALS = 200


@blueprint.get("")
def tablero() -> ResponseReturnValue:
    """Show the board."""
    return render_template("radicacion/tablero.html", **_board())


@blueprint.get("/en-vivo")
@passive
def en_vivo() -> ResponseReturnValue:
    """Return the living part of the board, polled."""
    return render_template("radicacion/_vivo.html", **_board())


def _board() -> dict[str, Any]:
    session, ids, moment = db_session(), sorted(person().selected()), now()
    since = moment - LATELY
    found = figures(session, ids, since=since)
    sections = {
        one: rows_in(session, ids, one, since=since, limit=ON_BOARD * (4 if one is Situacion.EN_CURSO else 1))
        for one in Situacion
        if found[one].envios
    }
    waiting = totals(session, Filtro(), ids, civil_date(moment))
    return {"cifras": found, "secciones": sections, "por_radicar": waiting, "S": Situacion, "nombres": NOMBRES}


@blueprint.get("/envios")
def envios() -> ResponseReturnValue:
    """List the envíos of one situation."""
    try:
        chosen = Situacion(request.args.get("situacion", ""))
    except ValueError:
        raise NotFound from None
    session, ids, since = db_session(), sorted(person().selected()), now() - LATELY
    after, before = (decode_cursor(request.args.get(name), size=1) for name in ("despues", "antes"))
    found = rows_in(
        session,
        ids,
        chosen,
        since=since,
        limit=PAGE + 1,
        after=_id(after),
        before=_id(before) if not after else None,
    )
    total = figures(session, ids, since=since)[chosen]
    page = cut(
        found,
        limit=PAGE,
        key=lambda row: [row.envio.id],
        came_with=request.args.get("despues"),
        backwards=bool(before and not after),
    )
    page = Page(page.rows, page.next, page.previous, total.envios, total.valor)
    return render_template("radicacion/envios.html", page=page, situacion=chosen, titulo=NOMBRES[chosen], S=Situacion)


def _id(cursor: list[Any] | None) -> int | None:
    value = cursor[0] if cursor else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_ID else None


@blueprint.get("/por-radicar")
def por_radicar() -> ResponseReturnValue:
    """List what is invoiced and not filed."""
    session, ids, today = db_session(), sorted(person().selected()), civil_date(now())
    chosen = _filter(request.args)
    backwards = bool(request.args.get("antes") and not request.args.get("despues"))
    cursor = decode_cursor(request.args.get("antes" if backwards else "despues"), size=2)
    after = _after(cursor, chosen.orden)
    found = rows(session, chosen, ids, today, limit=PAGE + 1, after=after, backwards=backwards and after is not None)
    page = cut(
        found,
        limit=PAGE,
        key=lambda row: sort_key(row, chosen.orden),
        came_with="x" if after else None,
        backwards=backwards and after is not None,
    )
    count, cents, ready, ready_cents = totals(session, chosen, ids, today)
    payers = by_payer(session, chosen, ids, today)
    return render_template(
        "radicacion/por_radicar.html",
        page=Page(page.rows, page.next, page.previous, count, cents),
        filtro=chosen,
        pagadores=payers,
        elegido=next((one for one in payers if one.pagador_id == chosen.pagador), None),
        listas=ready,
        listas_cents=ready_cents,
        estados={one.value: Factura.MACHINE.labels[one] for one in EstadoFactura if one in POR_RADICAR},
        pasos=PASOS,
        urgencias=_urgencies([row.factura.vence_radicar for row in found], today),
        puede=person().may(*FILERS),
        tope=MAX_ORDER,
        hoy=today,
    )


def _urgencies(days: Sequence[date | None], today: date) -> dict[date, EstadoPlazo]:
    return {day: estado_fecha(day, today) for day in set(days) if day is not None}


def _filter(args: Any) -> Filtro:
    """Read the filter; what is not understood does not restrict."""
    payer, state = args.get("pagador", ""), args.get("estado", "")
    order, step = args.get("orden", "vence"), args.get("paso", "")
    return Filtro(
        pagador=int(payer) if payer.isdecimal() and len(payer) < 19 else None,
        estado=EstadoFactura(state) if state in POR_RADICAR else None,
        paso=step if step in PASOS else "",
        q=args.get("q", "").strip()[:60],
        orden=order if order in ORDERS else "vence",
    )


def _after(cursor: list[Any] | None, orden: str) -> tuple[Any, int] | None:
    """Turn a cursor into sort value and id; a damaged one is the first page."""
    if cursor is None or _id([cursor[1]]) is None:
        return None
    value, last = cursor
    found: Any
    match orden.removeprefix("-"):
        case "valor":
            found = value if isinstance(value, int) else None
        case "vence":
            found = NEVER if value == NEVER.isoformat() else query_day(value) if isinstance(value, str) else None
        case _:
            found = cursor_instant(value)
    return None if found is None else (found, last)


@dataclass
class _Result:
    """What an order of many invoices came to."""

    bot: list[int] = field(default_factory=list)
    mano: list[int] = field(default_factory=list)
    facturas: int = 0
    valor: int = 0
    rechazos: list[Refusal] = field(default_factory=list)


@blueprint.post("/ordenar")
@allow(*FILERS)
def ordenar() -> ResponseReturnValue:
    """Order filings: of the chosen invoices (`id` or `factura_ids`), or of all ready ones of the filter (`todas`)."""
    by_hand = request.form.get("canal") == "mano"
    ids = _all_of_filter() if request.form.get("todas") else _chosen()
    if not ids:
        raise BadInput("No eligió ninguna factura; no se hizo nada.", todo="Márquelas en la lista y vuelva a ordenar.")
    result = _order(ids, by_hand=by_hand)
    if wants_json():
        return jsonify(
            envios=result.bot + result.mano,
            facturas=result.facturas,
            rechazos=[{"factura": one.numero, "motivos": list(one.motivos)} for one in result.rechazos],
        )
    if len(result.mano) == 1 and not result.bot and not result.rechazos:
        flash("Quedó reservada para radicar a mano: ningún bot la tomará.", "success")
        return go(url_for("radicacion.envio", envio_id=result.mano[0]))
    return render_template(
        "radicacion/orden.html", r=result, rechazos=result.rechazos[:SHOWN_REFUSALS], a_mano=by_hand, tope=MAX_ORDER
    )


def _chosen() -> list[int]:
    texts = request.form.getlist("id") + request.form.getlist("factura_ids")
    found = {int(one) for text in texts for one in text.split(",") if one.isdecimal() and len(one) < 19}
    if len(found) > MAX_ORDER:
        raise BadInput(f"Son más de {MAX_ORDER} facturas de una vez; no se hizo nada.", todo="Ordénelas por partes.")
    return sorted(found)


def _all_of_filter() -> list[int]:
    with current().database.read() as session:
        ids = sorted(person().selected(*FILERS))
        return ready_ids(session, _filter(request.form), ids, civil_date(now()), limit=MAX_ORDER)


def _order(ids: Sequence[int], *, by_hand: bool) -> _Result:
    result = _Result()
    allowed = sorted(person().granted(*FILERS))
    with current().database.read() as session:
        manual.check_ours(session, ids, allowed)
    for start in range(0, len(ids), CHUNK):
        with current().database.write(durable=True) as session:
            ordered = manual.order(
                session,
                ids[start : start + CHUNK],
                prestador_ids=allowed,
                actor=person().actor,
                at=now(),
                by_hand=by_hand,
            )
            for one in ordered.envios:
                (result.bot if one.canal == "bot" else result.mano).append(one.id)
                result.facturas += len(one.lineas)
                result.valor += one.valor
            result.rechazos += ordered.rechazos
    return result
