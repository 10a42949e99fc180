"""Present the answers of an invoice: what is ready, what is missing, the letter as it will be read, and the order.

Invariant: an invoice's answers of a round go together; the letter quotes what the payer wrote, so that opening it is
logged before its first byte (Ley 1581/2012 art. 17). Norm: Res. 2284/2023 Anexo Técnico 3.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence

from flask import Response, flash, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.paginas import pdf
from radica.app.paginas.comun import HEALTH_ROLES, purpose_at, sees_health, store
from radica.app.paginas.glosas import urgency
from radica.app.paginas.glosas_plano import ANSWERERS, blueprint
from radica.audit.services import record_reading
from radica.custodia.store import lend
from radica.facturas.models import Factura
from radica.glosas.models import Glosa
from radica.glosas.respuesta import letter, presenting
from radica.glosas.respuesta.answer_sets import Conjunto, Par, pairs_of, ready_sets, sets_of
from radica.glosas.respuesta.letter_facts import carta_de
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput, NotFound
from radica.kernel.web import allow, current, db_session, go, now, person
from radica.kernel.web_format import plural
from radica.portales.models import CuentaPortal
from radica.users.access import MAX_ID, load_for, selected_ids

MAX_SETS = 200


@blueprint.get("/presentar")
def presentar() -> ResponseReturnValue:
    """List the invoices with approved answers."""
    session = db_session()
    sets = ready_sets(session, selected_ids(person()))
    today = civil_date(now())
    return render_template(
        "glosas/presentar.html",
        conjuntos=sets,
        con_bot={one.clave: _has_bot(session, one) for one in sets},
        urgencia_de=lambda one: urgency(one.vence, today),
        puede=person().may(*ANSWERERS),
        casas=[one for one in person().providers if one.id in selected_ids(person(), *HEALTH_ROLES)],
        volver={},
    )


def _has_bot(session: Session, one: Conjunto) -> bool:
    if one.acto != Glosa.KIND:
        return False
    account = select(CuentaPortal.id).where(
        CuentaPortal.prestador_id == one.factura.prestador_id,
        CuentaPortal.pagador_id == one.pagador_id,
        CuentaPortal.activa.is_(True),
        CuentaPortal.arquetipo.in_(presenting.BOTS),
    )
    return session.scalar(account.limit(1)) is not None


@blueprint.post("/presentar")
@allow(*ANSWERERS)
def presentar_varias() -> ResponseReturnValue:
    """Order that the ticked sets be presented."""
    session = db_session()
    keys = list(dict.fromkeys(request.form.getlist("conjuntos")))
    if not keys or len(keys) > MAX_SETS:
        raise BadInput(
            "No eligió ninguna factura; no se hizo nada." if not keys else f"Son más de {MAX_SETS} de una vez.",
            todo="Marque las facturas y vuelva a intentarlo.",
        )
    ids = [id_ for key in keys for id_ in _ready_ids(session, *_read(session, key))]
    if not ids:
        raise BadInput("No hay respuestas aprobadas para presentar; no se hizo nada.", todo="Recargue la página.")
    channel = "mano" if request.form.get("canal") == "mano" else None
    done = presenting.order_answers(session, ids, actor=person().actor, at=now(), canal=channel)
    for one in done.rechazos:
        flash(f"La factura {one.numero} no se presentó: {' '.join(one.motivos)}", "warning")
    if done.envios:
        by_bot = sum(one.canal == "bot" for one in done.envios)
        by_hand = len(done.envios) - by_bot
        told = [plural(by_bot, "va por el bot", "van por el bot")] if by_bot else []
        told += [plural(by_hand, "queda para presentar a mano", "quedan para presentar a mano")] if by_hand else []
        flash(f"Se ordenó presentar {plural(len(done.envios), 'factura', 'facturas')}: {' y '.join(told)}.", "success")
    if len(done.envios) == 1 and not done.rechazos:
        return go(url_for("radicacion.envio", envio_id=done.envios[0].id))
    return go(url_for("glosas.presentar"))


def _read(session: Session, key: str) -> tuple[Factura, str, int]:
    """Return what a set's name says. Raises NotFound for what is not the person's."""
    parts = key.split(":")
    if len(parts) != 3 or parts[1] not in ("glosa", "devolucion") or not all(_number(parts[i]) for i in (0, 2)):
        raise NotFound
    return load_for(session, Factura, int(parts[0]), person(), roles=ANSWERERS), parts[1], int(parts[2])


def _number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _ready_ids(session: Session, factura: Factura, acto: str, ronda: int) -> list[int]:
    pairs = _of(pairs_of(session, [factura.id]), acto, ronda)
    return [pair.respuesta.id for pair in pairs if pair.lista and pair.respuesta is not None]


def _of(pairs: Sequence[Par], acto: str, ronda: int) -> list[Par]:
    return [
        pair
        for pair in pairs
        if acto == pair.objecion.KIND and (pair.objecion.ronda if isinstance(pair.objecion, Glosa) else 1) == ronda
    ]


@blueprint.get("/presentar/<int:factura_id>")
def presentar_factura(factura_id: int) -> ResponseReturnValue:
    """Show the sets of one invoice: which lines are answered, the letter, and how to present it."""
    session = db_session()
    row = load_for(session, Factura, factura_id, person())
    pairs = pairs_of(session, [row.id])
    today = civil_date(now())
    sets = sets_of(session, [row.id])
    return render_template(
        "glosas/presentar_factura.html",
        f=row,
        conjuntos=sets,
        pares={one.clave: _of(pairs, one.acto, one.ronda) for one in sets},
        con_bot={one.clave: _has_bot(session, one) for one in sets},
        urgencia_de=lambda one: urgency(one.vence, today),
        puede=row.prestador_id in person().granted(*ANSWERERS),
        salud=sees_health(row.prestador_id),
        volver={},
    )


@blueprint.get("/presentar/<int:factura_id>/<any(glosa, devolucion):acto>/<int:ronda>/carta.pdf")
@allow(*HEALTH_ROLES)
def carta(factura_id: int, acto: str, ronda: int) -> ResponseReturnValue:
    """Send the letter; `?soportes=si` joins the supports into one single PDF."""
    data, row, joined = _letter(factura_id, acto, ronda, joined=request.args.get("soportes") == "si")
    _log(row, acto, ronda, "descargar", data, joined)
    name = f"respuesta_{acto}_{row.numero}_{ronda}.pdf"
    answer = send_file(io.BytesIO(data), mimetype="application/octet-stream", as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/presentar/<int:factura_id>/<any(glosa, devolucion):acto>/<int:ronda>/carta.png")
@allow(*HEALTH_ROLES)
def carta_imagen(factura_id: int, acto: str, ronda: int) -> ResponseReturnValue:
    """Send the first page of the letter as a picture."""
    data, row, _ = _letter(factura_id, acto, ronda, joined=False)
    _log(row, acto, ronda, "ver", data)
    answer = Response(pdf.draw(data, 1), mimetype="image/png")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _letter(factura_id: int, acto: str, ronda: int, *, joined: bool) -> tuple[bytes, Factura, list[str]]:
    with current().database.read() as session:
        row = load_for(session, Factura, min(factura_id, MAX_ID), person(), roles=HEALTH_ROLES)
        pairs = _of(pairs_of(session, [row.id]), acto, ronda)
        ready = [pair.respuesta for pair in pairs if pair.lista and pair.respuesta is not None]
        if not ready:
            raise NotFound("Todavía no hay respuestas aprobadas para esa carta.", todo="Apruebe las respuestas.")
        paper = carta_de(session, ready, numero=f"{row.numero}-{ronda}", fecha=civil_date(now()))
    inside = [one.sha256 for one in paper.soportes] if joined else []
    with lend(store(), inside) as files:
        return letter.draw(paper, files), row, inside


def _log(row: Factura, acto: str, ronda: int, action: str, data: bytes, joined: Sequence[str] = ()) -> None:
    """Log the letter and each support that travels inside it."""
    purpose = purpose_at(row.prestador_id)
    with current().database.write() as session:
        for digest in (hashlib.sha256(data).hexdigest(), *joined):
            record_reading(
                session,
                prestador_id=row.prestador_id,
                actor=person().actor,
                action=action,
                purpose=purpose,
                object_=f"carta_{acto}:{row.id}:{ronda}",
                sha256=digest,
                case_key=row.case_key,
                at=now(),
            )
