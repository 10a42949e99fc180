"""Meetings: the list with its money, one meeting with what to do next, and its acta before it is signed.

Invariant: a figure opens the rows that make it; a draft says on every sheet that it is one; the sealed acta is read
from custody. Norm: Circular conjunta 030/2013.
"""

from __future__ import annotations

import hashlib
import io
from functools import lru_cache
from typing import Any

from flask import Response, flash, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from radica.app.acciones import conciliacion_formas as formas
from radica.app.paginas import conciliacion_consultas as sql
from radica.app.paginas import pdf
from radica.app.paginas.comun import opened, store
from radica.app.paginas.conciliacion_plano import READERS, WORKERS, blueprint, load, may_work, query_id
from radica.app.paginas.consultas_factura import class_name
from radica.audit.models import Transition
from radica.audit.services import history
from radica.conciliacion import signing, table
from radica.conciliacion.acta import Contenido, gather
from radica.conciliacion.acta_pdf import draw
from radica.conciliacion.commitments import INCUMPLIDO, ceiling, seen
from radica.conciliacion.models import Conciliacion
from radica.conciliacion.services import LADOS, meeting_token
from radica.conciliacion.states import ABIERTAS, FIRMADAS, MACHINE, EstadoConciliacion
from radica.custodia.services import pieces_of
from radica.entidades.models import Pagador, Prestador
from radica.kernel.clock import bogota, civil_date
from radica.kernel.errors import NotFound, RadicaError
from radica.kernel.web import allow, db_session, now, person
from radica.users.services import actor_names

EVENTS = {
    "crear": ("Se convocó", "curso"),
    "celebrar": ("Se cerró la mesa y se hizo el acta", "curso"),
    "reabrir_mesa": ("Se reabrió la mesa", "aviso"),
    "firmar_total": ("Se firmó: nada sigue en disputa", "bien"),
    "firmar_parcial": ("Se firmó: una parte sigue en disputa", "bien"),
    "fracasar": ("Fracasó; sus líneas quedaron libres", "mal"),
}
TONES = {"convocada": "curso", "celebrada": "aviso", "con_acuerdo_total": "bien", "con_acuerdo_parcial": "bien"}
PROMISES = {
    "pendiente": ("por llegar", "neutro"),
    "cumplido": ("cumplido", "bien"),
    "desistido": ("desistido", "neutro"),
    INCUMPLIDO: ("no llegó", "mal"),
}


@blueprint.get("")
@allow(*READERS)
def lista() -> ResponseReturnValue:
    """List the meetings, and what waits without one."""
    session, me, today = db_session(), person(), civil_date(now())
    ids = sorted(me.selected(*READERS))
    state = request.args.get("estado", "")
    asked = EstadoConciliacion(state) if state in list(EstadoConciliacion) else None
    payer = query_id("pagador")
    broken = request.args.get("compromisos") == "incumplidos"
    before = query_id("despues")
    rows = sql.meetings(
        session, ids, today, estado=asked, pagador_id=payer or None, rotos=broken, before=before or None
    )
    shown = rows[: sql.PER_PAGE]
    name = session.get(Pagador, payer) if payer else None
    filters = [("estado", MACHINE.labels[asked])] if asked else []
    filters += [("pagador", name.nombre)] if name else []
    filters += [("compromisos", "Con compromisos incumplidos")] if broken else []
    return render_template(
        "conciliacion/lista.html",
        reuniones=shown,
        sigue=shown[-1].row.id if len(rows) > len(shown) else None,
        sueltas=sql.without_table(session, ids) if not filters and not before else [],
        cifras=sql.figures(session, ids, today),
        filtros_puestos=filters,
        estados=MACHINE.labels,
        tonos=TONES,
        trabaja=me.may(*WORKERS),
    )


@blueprint.get("/<int:conciliacion_id>")
@allow(*READERS)
def ver(conciliacion_id: int) -> ResponseReturnValue:
    """Show one meeting."""
    session = db_session()
    return page(session, load(session, conciliacion_id))


def page(session: Session, row: Conciliacion, *, acto: str = "", error: RadicaError | None = None, **given: Any) -> str:
    """Return the page of a meeting; `given` are forms that were refused, `acto` the one that stays open."""
    at = now()
    open_table = row.estado is EstadoConciliacion.CONVOCADA
    moves = history(session, [row.case_key])
    names = actor_names(session, {one.actor for one in moves})
    forms = {
        "firmar": formas.SignForm(prefix="firmar", formdata=None, version=row.version, fecha=civil_date(at)),
        "fracasar": formas.FailForm(prefix="fracasar", formdata=None, version=row.version),
        "reabrir": formas.ReopenForm(prefix="reabrir", formdata=None, version=row.version),
        "compromiso": formas.PromiseForm(prefix="compromiso", formdata=None),
        "llego": formas.KeptForm(prefix="llego", formdata=None, fecha=civil_date(at)),
        "desistir": formas.GivenUpForm(prefix="desistir", formdata=None),
        "reunion": formas.MeetingForm(
            prefix="reunion", formdata=None, citada=bogota(row.citada_at) if row.citada_at else None, lugar=row.lugar,
            notas=row.notas,
        ),
    }  # fmt: skip
    groups = table.groups(session, row)
    return render_template(
        "conciliacion/ver.html",
        c=row,
        pagador=session.get_one(Pagador, row.pagador_id),
        prestador=session.get_one(Prestador, row.prestador_id),
        anterior=session.get(Conciliacion, row.anterior_id) if row.anterior_id else None,
        grupos=groups,
        lineas=sum(one.lineas for one in groups),
        total=table.totals(session, row),
        cota=ceiling(session, row),
        compromisos=seen(session, row, civil_date(at)),
        faltan=signing.missing(session, row, at) if open_table else [],
        cambios=table.differences(session, row) if row.estado in ABIERTAS else [],
        historia=[_event(one, names) for one in moves],
        piezas=pieces_of(session, prestador_id=row.prestador_id, case_keys=[row.case_key]),
        clase=class_name,
        forms=forms | given.pop("forms", {}),
        asistentes=given.pop("asistentes", None) or row.asistentes,
        token=given.pop("token", None) or meeting_token(row),
        acto=acto,
        elegido=given.pop("elegido", None),
        error=error,
        puede=may_work(row),
        abierta=open_table,
        firmada=row.estado in FIRMADAS,
        estados=MACHINE.labels,
        tonos=TONES,
        LADOS=LADOS,
        PROMESAS=PROMISES,
        hoy=civil_date(at),
    )


def _event(move: Transition, names: dict[str, str]) -> dict[str, Any]:
    title, tone = EVENTS.get(move.event, (move.event, "neutro"))
    return {
        "at": move.at,
        "title": title,
        "who": names.get(move.actor, move.actor),
        "detail": move.note,
        "tone": tone,
        "evidence": len(move.evidence),
    }


@lru_cache(maxsize=4)
def _draft(content: Contenido) -> bytes:
    return draw(content, borrador=True)


@blueprint.get("/<int:conciliacion_id>/acta")
@allow(*READERS)
def acta(conciliacion_id: int) -> ResponseReturnValue:
    """Show the draft of the acta, page by page, while the table is open."""
    session = db_session()
    row = load(session, conciliacion_id)
    if row.estado is not EstadoConciliacion.CONVOCADA:
        raise NotFound("Esta conciliación ya no tiene borrador: su acta está en los documentos del caso.")
    content = gather(session, row)
    if not content.filas:
        flash("La mesa no tiene líneas.", "warning")
    return render_template(
        "conciliacion/acta.html", c=row, total=content.total, paginas=pdf.page_count(_draft(content)),
        faltan=signing.missing(session, row, now()), puede=may_work(row),
    )  # fmt: skip


@blueprint.get("/<int:conciliacion_id>/acta/pagina/<int:number>")
@allow(*READERS)
def acta_pagina(conciliacion_id: int, number: int) -> ResponseReturnValue:
    """Send one page of the draft as PNG."""
    session = db_session()
    row = load(session, conciliacion_id)
    if row.estado is not EstadoConciliacion.CONVOCADA:
        raise NotFound
    answer = Response(pdf.draw(_draft(gather(session, row)), number), mimetype="image/png")
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/<int:conciliacion_id>/acta.pdf")
@allow(*READERS)
def acta_pdf(conciliacion_id: int) -> ResponseReturnValue:
    """Send the acta as a file: the signed one, else the one to sign, else the draft."""
    session = db_session()
    row = load(session, conciliacion_id)
    sealed = row.acta_firmada_sha256 or row.acta_sha256
    kind = "firmada" if row.acta_firmada_sha256 else "para-firmar" if sealed else "borrador"
    if sealed:
        source: Any = store().open(sealed)
        _log(row, sealed)
    else:
        if row.estado is EstadoConciliacion.FRACASADA:
            raise NotFound("Esta conciliación fracasó sin acta.")
        data = _draft(gather(session, row))
        _log(row, hashlib.sha256(data).hexdigest())
        source = io.BytesIO(data)
    answer = send_file(
        source, mimetype="application/pdf", as_attachment=True, download_name=f"acta-{row.numero}-{kind}.pdf"
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _log(row: Conciliacion, sha256: str) -> None:
    opened("acta", row.id, prestador_id=row.prestador_id, sha256=sha256, action="descargar", case_key=row.case_key)


def here(row: Conciliacion, endpoint: str = "conciliacion.ver", **values: Any) -> str:
    """Return an address of a meeting."""
    return url_for(endpoint, conciliacion_id=row.id, **values)
