"""A line that was not matched, decided or read: what it says, and what a person does with it.

Invariant: a line is decided again by the rules of intake and leaves the tray only with who, when and why; of another
provider's invoice nothing is said. Norms: Res. 2284/2023 art. 6, Ley 1438/2011 art. 57.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.paginas.comun import sees_health, store
from radica.app.paginas.glosas_notificaciones import DESTINOS, RAZONES, reason_name
from radica.app.paginas.glosas_plano import ANSWERERS, blueprint
from radica.facturas.models import Factura
from radica.facturas.named import named
from radica.facturas.numbers import parse_invoice_number
from radica.glosas.bandeja import lines_tray
from radica.glosas.bandeja.lines_tray import ACEPTABLES, CON_FECHA, REINTENTABLES, WAITING, Acto
from radica.glosas.items import fill_items
from radica.glosas.models import DestinoLinea, LineaNotificada, Notificacion
from radica.kernel.errors import BadInput, RadicaError
from radica.kernel.web import allow, current, db_session, go, now, person
from radica.kernel.web_format import plural
from radica.kernel.web_paging import query_day
from radica.users.access import load_for
from radica.users.services import actor_names


@blueprint.get("/lineas/<int:linea_id>")
def linea(linea_id: int) -> ResponseReturnValue:
    """Show one line and what can be done with it."""
    return _page(load_for(db_session(), LineaNotificada, linea_id, person()))


def _page(row: LineaNotificada, error: RadicaError | None = None) -> str:
    with current().database.read() as session:
        notice = session.get_one(Notificacion, row.notificacion_id)
        near = lines_tray.candidates(session, row) if row.destino in WAITING else []
        invoices = session.scalars(select(Factura).where(Factura.id.in_([one.id for one in near]))).all()
        held = session.get(Factura, row.factura_id) if row.factura_id else None
        names = actor_names(session, [row.resuelta_por] if row.resuelta_por else [])
        following = _next(session, row)
    return render_template(
        "glosas/linea_suelta.html",
        l=row,
        n=notice,
        candidatas=invoices,
        factura=held,
        quien=names,
        siguiente=following,
        DESTINOS=DESTINOS,
        razon=reason_name,
        salud=sees_health(row.prestador_id),
        puede=row.prestador_id in person().granted(*ANSWERERS),
        espera=row.destino in WAITING,
        cruzable=row.destino is DestinoLinea.SIN_CRUZAR and "tipo" in row.contenido,
        aceptable=(row.razon or "") in ACEPTABLES | CON_FECHA and "tipo" in row.contenido,
        con_fecha=(row.razon or "") in CON_FECHA,
        reintentable=(row.razon or "") in REINTENTABLES,
        CONOCIDAS=RAZONES,
        error=error,
    )


def _next(session: Session, row: LineaNotificada) -> int | None:
    found = lines_tray.waiting(session, [row.prestador_id], after_id=row.id, limit=1)
    return found[0].id if found else None


def _reason() -> str:
    return request.form.get("motivo", "").strip()[:1000]


@blueprint.post("/lineas/<int:linea_id>/cruzar")
@allow(*ANSWERERS)
def cruzar_linea(linea_id: int) -> ResponseReturnValue:
    """Match a line, and the alike of its notice, to an invoice."""
    with current().database.read() as session:
        row = load_for(session, LineaNotificada, linea_id, person(), roles=ANSWERERS)
    try:
        with current().database.read() as session:
            invoice = _invoice(session, row)
        fill_items(current().database, store(), row.prestador_id, {invoice})
        with current().database.write() as session:
            row = load_for(session, LineaNotificada, linea_id, person(), roles=ANSWERERS)
            ended = lines_tray.match_by_hand(session, row, invoice, Acto(person().actor, now(), _reason()))
    except BadInput as refusal:
        return _again(linea_id, refusal), 422
    _say(ended)
    return _onwards(linea_id)


def _invoice(session: Session, row: LineaNotificada) -> int:
    """Return the id of the invoice that the form names: one of those offered, or by its number. Raises BadInput."""
    typed = request.form.get("factura", "").strip()[:60]
    number = parse_invoice_number(typed)
    if number is None:
        raise BadInput("Escriba el número de la factura; no se cruzó nada.")
    found = session.scalars(
        select(Factura.id).where(Factura.prestador_id == row.prestador_id, named(number)).limit(2)
    ).all()
    if not found:
        raise BadInput("Esa factura no está entre las de este prestador; no se cruzó nada.", todo="Revise el número.")
    if len(found) > 1:
        raise BadInput("Hay varias facturas con ese número; no se cruzó nada.", todo="Escríbalo con su prefijo.")
    return found[0]


@blueprint.post("/lineas/<int:linea_id>/aceptar")
@allow(*ANSWERERS)
def aceptar_linea(linea_id: int) -> ResponseReturnValue:
    """Load a line although there was a doubt."""
    with current().database.read() as session:
        load_for(session, LineaNotificada, linea_id, person(), roles=ANSWERERS)
    try:
        with current().database.write() as session:
            row = load_for(session, LineaNotificada, linea_id, person(), roles=ANSWERERS)
            fate = lines_tray.accept(
                session,
                row,
                Acto(person().actor, now(), _reason()),
                notificada=query_day(request.form.get("notificada")),
            )
    except BadInput as refusal:
        return _again(linea_id, refusal), 422
    _say({fate: 1})
    return _onwards(linea_id)


@blueprint.post("/lineas/<int:linea_id>/descartar")
@allow(*ANSWERERS)
def descartar_linea(linea_id: int) -> ResponseReturnValue:
    """Take a line out of the tray: it is nothing."""
    with current().database.read() as session:
        load_for(session, LineaNotificada, linea_id, person(), roles=ANSWERERS)
    try:
        with current().database.write() as session:
            row = load_for(session, LineaNotificada, linea_id, person(), roles=ANSWERERS)
            lines_tray.discard(session, row, Acto(person().actor, now(), _reason()))
    except BadInput as refusal:
        return _again(linea_id, refusal), 422
    flash("Quedó descartada, con su motivo; sigue en su notificación.", "success")
    return _onwards(linea_id)


@blueprint.post("/notificaciones/<int:notificacion_id>/reintentar")
@allow(*ANSWERERS)
def reintentar_notificacion(notificacion_id: int) -> ResponseReturnValue:
    """Decide again the lines of a notice that something new may have settled."""
    with current().database.read() as session:
        row = load_for(session, Notificacion, notificacion_id, person(), roles=ANSWERERS)
    ended = lines_tray.retry(
        current().database,
        store(),
        row.prestador_id,
        actor=person().actor,
        clock=current().clock,
        notificacion_id=row.id,
    )
    if ended:
        _say(ended)
    else:
        flash("Ninguna línea se pudo resolver todavía.", "info")
    return go(url_for("glosas.notificacion", notificacion_id=notificacion_id))


def _again(linea_id: int, refusal: RadicaError) -> str:
    with current().database.read() as session:
        row = load_for(session, LineaNotificada, linea_id, person())
    return _page(row, refusal)


def _say(ended: Mapping[DestinoLinea, int]) -> None:
    """Say how lines ended."""
    counts = Counter(ended)
    waiting = sum(counts[one] for one in WAITING)
    told = [
        f"{plural(n, 'línea', 'líneas')}: {DESTINOS[one][0].lower()}" for one, n in counts.items() if one not in WAITING
    ]
    if told:
        flash(f"{'; '.join(told)}.", "success")
    if waiting:
        flash(f"{plural(waiting, 'línea sigue', 'líneas siguen')} esperando: su página dice por qué.", "warning")


def _onwards(linea_id: int) -> ResponseReturnValue:
    """Go to the next line that waits, or back to the tray."""
    with current().database.read() as session:
        row = load_for(session, LineaNotificada, linea_id, person())
        following = _next(session, row)
    return go(url_for("glosas.linea", linea_id=following) if following else url_for("glosas.lineas"))
