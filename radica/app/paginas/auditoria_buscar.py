"""The one search of Auditoría: what was typed comes by POST, and the answer is the page itself.

Invariant: no word, number or document that was typed stands in an address, a log line or the reading log, which only
holds that this person searched, for what and how many documents it told of. Norm: Ley 1581/2012 arts. 4 and 17.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.paginas import auditoria_consultas as consultas
from radica.app.paginas.auditoria import index_state
from radica.app.paginas.auditoria_plano import READERS, blueprint
from radica.app.paginas.casos import page_of
from radica.app.paginas.comun import PurposeNeeded, payer_names, provider_names, purpose_at
from radica.app.paginas.consultas_factura import class_name
from radica.app.paginas.frases import document_name
from radica.audit.services import record_reading
from radica.custodia.models import Pieza
from radica.custodia.texto import KEY_FILE, key_fits, provider_key
from radica.facturas.models import Documento, Factura, NoReconocido
from radica.facturas.soportes import catalogue
from radica.glosas.models import Notificacion
from radica.kernel.web import allow, current, now, person
from radica.kernel.web_keys import load_or_make_key
from radica.users.access import selected_ids
from radica.users.purposes import DE_AUDITORIA, NOMBRES


@blueprint.post("/buscar")
@allow(*READERS)
def buscar() -> ResponseReturnValue:
    """Search everything of the providers in view and show it."""
    typed = request.form.get("q", "")[: consultas.MAX_QUERY]
    ids = selected_ids(person(), *READERS)
    page: dict[str, Any] = {"q": typed, "propositos": DE_AUDITORIA, "NOMBRES": NOMBRES}
    try:
        purposes = {one: purpose_at(one) for one in sorted(ids)}
    except PurposeNeeded:
        return render_template("auditoria/resultados.html", **page, falta=True, r=None), 403
    database = current().database
    keys = word_keys(ids)
    with database.read() as session:
        found = consultas.search(session, typed, ids, keys)
        page["llave_mala"] = not all(key_fits(session, one, key) for one, key in keys.items())
        page |= _named(session, found) | index_state(session, ids)
    rows = (*found.textos, *found.paciente)
    told = {row.prestador_id for row in rows if row.prestador_id is not None}
    log_search("buscar", "busqueda", {one: purposes[one] for one in told}, found.textos, found.paciente)
    return render_template(
        "auditoria/resultados.html", **page, falta=False, r=found, varios=len(ids) > 1, pagina=page_of
    )


def word_keys(ids: Collection[int]) -> dict[int, bytes]:
    """Return the word keys of some providers."""
    master = load_or_make_key(current().settings.keys / KEY_FILE)
    return {one: provider_key(master, one) for one in ids}


def log_search(
    action: str, what: str, purposes: dict[int, str], *groups: Collection[Any], at: datetime | None = None
) -> None:
    """Write in the log of each of some providers that its documents were searched and how many were told of."""
    told = dict.fromkeys(purposes, 0)
    for group in groups:
        for row in group:
            told[row.prestador_id] += 1
    with current().database.write() as session:
        for prestador_id, count in sorted(told.items()):
            record_reading(
                session,
                prestador_id=prestador_id,
                actor=person().actor,
                action=action,
                purpose=purposes[prestador_id],
                object_=f"{what}:{count}",
                at=at or now(),
            )


def _named(session: Session, found: consultas.Hallado) -> dict[str, Any]:
    """Return the names that the page needs beside the rows."""
    groups: tuple[Sequence[Any], ...] = (
        found.facturas, found.envios, found.glosas, found.devoluciones, found.huellas, found.paciente, found.textos
    )  # fmt: skip
    rows = [row for group in groups for row in group]
    invoices = {row.factura_id for row in rows if getattr(row, "factura_id", None)}
    numbers = dict(session.execute(select(Factura.id, Factura.numero).where(Factura.id.in_(invoices))).all())
    payers = [getattr(row, "pagador_id", None) for row in rows]
    supports = {sigla: one.nombre for sigla, one in catalogue().items()}
    return {
        "numeros": numbers,
        "pagadores": payer_names(session, payers),
        "prestadores": provider_names(session, {row.prestador_id for row in rows}),
        "nombre": lambda row: _name(row, supports),
        "abrir": _address,
    }


def _name(row: Any, supports: dict[str, str]) -> str:
    if isinstance(row, Documento):
        return document_name(row, supports)
    if isinstance(row, Pieza):
        return class_name(row)
    return "Notificación del pagador" if isinstance(row, Notificacion) else "Archivo no reconocido"


def _address(row: Any) -> str | None:
    """Return where a document of the results opens, None when it has no page."""
    if isinstance(row, Documento):
        return url_for("factura.ver", factura_id=row.factura_id, documento=row.id) if row.factura_id else None
    if isinstance(row, Pieza):
        kind, _, number = row.case_key.partition(":")
        if kind == "factura" and number.isdecimal():
            return url_for("factura.ver", factura_id=int(number), evidencia=row.id)
        return page_of(row.case_key)
    if isinstance(row, Notificacion):
        return url_for("glosas.notificacion", notificacion_id=row.id)
    return url_for("tray.detalle", fila_id=row.id) if isinstance(row, NoReconocido) else None
