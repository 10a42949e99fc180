"""What payers sent and what became of it: the notices, their lines, and those that wait for a person.

Invariant: nothing that came is hidden; each line says its fate and its reason. What a line says may tell of a patient
and opens only for roles that work with health data; downloads are logged first (Ley 1581/2012 art. 17).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from flask import render_template, request, send_file
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from radica.app.handlers.glosas_importar import KIND_LOAD, subject_of
from radica.app.paginas import consultas_notificaciones as sql
from radica.app.paginas.comun import HEALTH_ROLES, opened, payer_names, store
from radica.app.paginas.frases import who
from radica.app.paginas.glosas_plano import ANSWERERS, blueprint
from radica.glosas.bandeja import lines_tray
from radica.glosas.models import DestinoLinea, LineaNotificada, Notificacion
from radica.kernel.web import allow, current, db_session, passive, person
from radica.kernel.web_paging import Page, cut, decode_cursor
from radica.users.access import load_for, selected_ids
from radica.users.services import actor_names

DESTINOS = {
    DestinoLinea.CARGADA: ("Cargada", "bien"),
    DestinoLinea.APLICADA: ("Decisión aplicada", "bien"),
    DestinoLinea.REPETIDA: ("Ya estaba", "neutro"),
    DestinoLinea.SIN_CRUZAR: ("Sin cruzar", "aviso"),
    DestinoLinea.POR_DECIDIR: ("Por decidir", "aviso"),
    DestinoLinea.NO_LEIDA: ("No leída", "mal"),
    DestinoLinea.DESCARTADA: ("Descartada", "neutro"),
}
RAZONES = {
    "factura_desconocida": "La factura no está entre las suyas",
    "factura_ambigua": "Puede ser de más de una factura",
    "factura_dudosa": "La factura no es segura",
    "factura_devuelta": "La factura está devuelta",
    "factura_glosada": "La factura ya está glosada por líneas",
    "factura_anulada": "La factura está anulada",
    "sin_numero": "No dice la factura",
    "sin_pagador": "No se sabe quién es el pagador",
    "otro_pagador": "La factura es de otro pagador",
    "mayor_valor": "La misma glosa, por más valor",
    "posible_repetida": "Puede ser la misma de antes",
    "glosa_anulada": "Repite una que se anuló",
    "sin_glosa": "Decide sobre algo que no se había glosado",
    "varias_glosas": "Puede decidir sobre más de una glosa",
    "estado_no_admite": "El estado del caso no admite esa decisión",
    "decision_sin_fecha": "La decisión no trae fecha",
    "notificada_antes": "Notificada antes de radicar la factura",
    "fecha_futura": "La fecha todavía no llega",
}


def reason_name(code: str | None) -> str:
    """Return how a person calls the coded reason of a line."""
    return RAZONES.get(code or "", (code or "otra razón").replace("_", " ").capitalize())


def reasons(session: Session, prestadores: frozenset[int]) -> list[tuple[DestinoLinea, str, int]]:
    """Return why lines wait for a person: fate, coded reason, how many; the most frequent first."""
    found = lines_tray.figures(session, prestadores).items()
    return sorted(((fate, why or "", count) for (fate, why), (count, _) in found), key=lambda one: (-one[2], one[1]))


def cursor_id(name: str) -> int | None:
    """Return the id of a cursor in the address."""
    values = decode_cursor(request.args.get(name), size=1)
    value = values[0] if values else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


@blueprint.get("/notificaciones")
def notificaciones() -> ResponseReturnValue:
    """List what arrived, the latest first."""
    session = db_session()
    ids = selected_ids(person())
    rows = sql.notices(session, ids, after=cursor_id("despues"), limit=sql.NOTICES + 1)
    page = cut(rows, limit=sql.NOTICES, key=lambda one: [one[0].id], came_with=None)
    return render_template(
        "glosas/notificaciones.html",
        page=page,
        cargas=sql.loads(session, [subject_of(one) for one in sorted(ids)], KIND_LOAD),
        puede=person().may(*ANSWERERS),
        esperan=sql.waiting(session, [one.id for one, _ in page.rows]),
        DESTINOS=DESTINOS,
    )


@blueprint.get("/notificaciones/cargas")
@passive
def cargas() -> ResponseReturnValue:
    """Draw how far the uploads are, for the page that polls it."""
    session = db_session()
    ids = sorted(selected_ids(person()))
    rows = sql.loads(session, [subject_of(one) for one in ids], KIND_LOAD)
    return render_template("glosas/_cargas.html", cargas=rows, puede=person().may(*ANSWERERS))


@blueprint.get("/notificaciones/<int:notificacion_id>")
def notificacion(notificacion_id: int) -> ResponseReturnValue:
    """Show one notice: totals, warnings and its lines by fate."""
    session = db_session()
    row = load_for(session, Notificacion, notificacion_id, person())
    kinds = {one.value: one for one in DestinoLinea}
    f = sql.FiltroLineas(frozenset({row.prestador_id}), row.id, kinds.get(request.args.get("destino", "")))
    lines = sql.line_page(session, f, after=cursor_id("despues"), limit=sql.LINES + 1)
    page = cut(lines, limit=sql.LINES, key=lambda one: [one.id], came_with=None)
    total, cents = sql.line_count(session, f)
    return render_template(
        "glosas/notificacion.html",
        n=row,
        pagador=payer_names(session, [row.pagador_id]).get(row.pagador_id or 0),
        cuentas=sql.fates(session, row.id),
        elegido=f.destino,
        page=Page(page.rows, page.next, None, total, cents),
        DESTINOS=DESTINOS,
        razon=reason_name,
        salud=row.prestador_id in person().granted(*HEALTH_ROLES),
        quien=who(row.cargada_por, actor_names(session, {row.cargada_por})),
    )


@blueprint.get("/notificaciones/<int:notificacion_id>/descargar")
@allow(*HEALTH_ROLES)
def descargar_notificacion(notificacion_id: int) -> ResponseReturnValue:
    """Send the file as it came, as an attachment."""
    with current().database.read() as session:
        row = load_for(session, Notificacion, notificacion_id, person(), roles=HEALTH_ROLES)
    source = store().open(row.sha256)
    case = f"notificacion:{row.id}"
    opened("notificacion", row.id, prestador_id=row.prestador_id, sha256=row.sha256, action="descargar", case_key=case)
    name = PurePosixPath(row.nombre.replace("\\", "/")).name or "notificacion"
    answer = send_file(source, mimetype="application/octet-stream", as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/lineas")
def lineas() -> ResponseReturnValue:
    """List the lines that wait for a person, by why."""
    session = db_session()
    ids = selected_ids(person())
    kinds = {one.value: one for one in lines_tray.WAITING}
    f = sql.FiltroLineas(
        ids, destino=kinds.get(request.args.get("destino", "")), razon=request.args.get("razon", "")[:60]
    )
    rows = sql.line_page(session, f, after=cursor_id("despues"), limit=sql.LINES + 1)
    page = cut(rows, limit=sql.LINES, key=lambda one: [one.id], came_with=None)
    total, cents = sql.line_count(session, f)
    return render_template(
        "glosas/lineas.html",
        f=f,
        page=Page(page.rows, page.next, None, total, cents),
        razones=reasons(session, ids),
        archivos=_files(page.rows),
        DESTINOS=DESTINOS,
        razon=reason_name,
        salud=person().granted(*HEALTH_ROLES),
        puede=person().may(*ANSWERERS),
    )


def _files(rows: Sequence[LineaNotificada]) -> dict[int, Notificacion]:
    """Return the notices of some lines by id."""
    session = db_session()
    return {id_: session.get_one(Notificacion, id_) for id_ in {one.notificacion_id for one in rows}}
