"""Integridad and Sellos: the last verifications and what they found, the report, and the seals with their time stamps.

Invariant: who looks sees what was found of their providers and of the whole house, never of others; asking for a
verification changes no case, and the work is done by a worker. Norm: Ley 527/1999 arts. 9, 11 and 12.
"""

from __future__ import annotations

import io

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.handlers.informe_integridad import (
    count_seals,
    gather_report,
    integrity_pdf,
    last_seals,
    scope_words,
    seen_seal,
)
from radica.app.handlers.verificacion import CUENTAS, ETAPAS, GRAVEDADES, KIND_ASKED, TIPOS, VERIFY_AT
from radica.custodia.check_models import EstadoVerificacion, Gravedad, HallazgoCustodia, Verificacion
from radica.custodia.seal_models import PublicacionSello
from radica.custodia.sellos import unsealed
from radica.custodia.verificar import PERSONA, findings, open_verification, summary
from radica.custodia.verificar_base import Alcance
from radica.jobs.models import Job, JobState
from radica.jobs.queue import enqueue
from radica.kernel.errors import NotFound
from radica.kernel.web import allow, db_session, now, passive, person
from radica.kernel.web_format import fecha_hora
from radica.users.access import selected_ids
from radica.users.models import Rol

blueprint = Blueprint("custodia", __name__, url_prefix="/custodia")

SEERS = (Rol.AUDITORIA, Rol.DIRECCION, Rol.ADMINISTRACION)
"""Who sees how custody stands; no content of a document is in it."""
ASKERS = (Rol.AUDITORIA, Rol.ADMINISTRACION)
"""Who asks for a verification now."""
RUNS, FOUND, SEALS = 15, 200, 40
"""Rows of a page: verifications, findings, seals."""
TONOS = {Gravedad.GRAVE: "mal", Gravedad.AVISO: "aviso", Gravedad.NOTA: "neutro"}
ESTADOS = {
    EstadoVerificacion.EN_CURSO: ("En curso", "curso"),
    EstadoVerificacion.PAUSADA: ("En pausa", "aviso"),
    EstadoVerificacion.TERMINADA: ("Terminada", "bien"),
}
MAX_ID = 2**62


@blueprint.get("")
@allow(*SEERS)
def integridad() -> ResponseReturnValue:
    """Show the last verification, or the one that was asked for, with the others below."""
    session, ids = db_session(), sorted(selected_ids(person(), *SEERS))
    asked = request.args.get("verificacion", 0, type=int)
    rows = _visible(session, ids)
    chosen = load(session, asked, ids) if asked else (rows[0] if rows else None)
    after = min(max(request.args.get("tras", 0, type=int), 0), MAX_ID)
    found = findings(session, chosen.id, prestadores=ids, after=after, limit=FOUND + 1) if chosen else []
    return render_template(
        "custodia/integridad.html",
        v=chosen,
        resumen=summary(session, chosen.id, prestadores=ids) if chosen else None,
        hallazgos=found[:FOUND],
        sigue=found[FOUND - 1].id if len(found) > FOUND else None,
        anteriores=[(row, summary(session, row.id, prestadores=ids)) for row in rows],
        alcance_de=scope_words,
        pide=person().may(*ASKERS),
        hora=VERIFY_AT,
        CUENTAS=CUENTAS,
        ETAPAS=ETAPAS,
        TIPOS=TIPOS,
        GRAVEDADES=GRAVEDADES,
        TONOS=TONOS,
        ESTADOS=ESTADOS,
        enlace=link_of,
    )


@blueprint.get("/avance/<int:verificacion_id>")
@allow(*SEERS)
@passive
def avance(verificacion_id: int) -> ResponseReturnValue:
    """Show how far a verification is; the page asks while it runs."""
    session, ids = db_session(), sorted(selected_ids(person(), *SEERS))
    row = load(session, verificacion_id, ids)
    return render_template("custodia/_avance.html", v=row, ETAPAS=ETAPAS, ESTADOS=ESTADOS)


@blueprint.post("/verificar")
@allow(*ASKERS)
def verificar() -> ResponseReturnValue:
    """Order a verification of everything; while one that was asked for runs, show that one."""
    session, me = db_session(), person()
    job = session.scalar(
        select(Job.payload)
        .where(Job.kind == KIND_ASKED, Job.state.in_((JobState.READY, JobState.RUNNING)))
        .order_by(Job.id.desc())
        .limit(1)
    )
    running = int(job["verificacion"]) if job else None
    number = running or open_verification(session, Alcance(), origen=PERSONA, actor=me.actor, at=now())
    enqueue(session, KIND_ASKED, payload={"verificacion": number}, priority=150, dedup=f"{KIND_ASKED}:{number}")
    flash("La verificación quedó en la cola; aquí se ve cómo va.")
    return redirect(url_for("custodia.integridad", verificacion=number))


@blueprint.get("/informe/<int:verificacion_id>.pdf")
@allow(*SEERS)
def informe(verificacion_id: int) -> ResponseReturnValue:
    """Send the report of a verification."""
    session, ids = db_session(), sorted(selected_ids(person(), *SEERS))
    row = load(session, verificacion_id, ids)
    data = integrity_pdf(gather_report(session, row.id, prestadores=ids))
    answer = send_file(
        io.BytesIO(data),
        mimetype="application/pdf",
        as_attachment=True,
        download_name=f"informe_integridad_{row.id}.pdf",
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/sellos")
@allow(*SEERS)
def sellos() -> ResponseReturnValue:
    """List the seals, newest first: the line that was stamped, who stamped it, where it was told."""
    session = db_session()
    before = request.args.get("antes", 0, type=int)
    rows = last_seals(session, limit=SEALS + 1, before=before if 0 < before < MAX_ID else 0)
    shown = rows[:SEALS]
    told: dict[int, list[str]] = {}
    query = select(PublicacionSello).where(PublicacionSello.sello_id.in_([one.id for one in shown]))
    for one in session.scalars(query.order_by(PublicacionSello.id)):
        where = "archivo" if one.destino == "archivo" else "correo del auditor"
        told.setdefault(one.sello_id, []).append(f"{where}, {fecha_hora(one.at)}")
    seals, stamped = count_seals(session)
    return render_template(
        "custodia/sellos.html",
        sellos=[seen_seal(session, one) for one in shown],
        sigue=shown[-1].id if len(rows) > SEALS else None,
        publicados=told,
        cuantos=seals,
        estampados=stamped,
        sin_sellar=unsealed(session),
    )


def link_of(one: HallazgoCustodia) -> str | None:
    """Return the page of what a finding names, where it has one."""
    kind, _, rest = one.objeto.partition(":")
    number = rest.partition("#")[0]
    if kind == "factura" and number.isdigit() and one.prestador_id is not None:
        return url_for("factura.ver", factura_id=int(number))
    return None


def load(session: Session, verificacion_id: int, ids: list[int]) -> Verificacion:
    """Return a verification that the person may see. Raises NotFound: one of another provider's invoice is not."""
    row = session.get(Verificacion, verificacion_id) if 0 < verificacion_id < MAX_ID else None
    if row is None or row.alcance.get("prestador", ids[0] if ids else 0) not in ids:
        raise NotFound
    return row


def _visible(session: Session, ids: list[int]) -> list[Verificacion]:
    """Return the newest verifications that the person may see."""
    # The scope is JSON: those of one invoice are few, so a few more are read and told apart here.
    rows = session.scalars(select(Verificacion).order_by(Verificacion.id.desc()).limit(RUNS * 10))
    return [row for row in rows if row.alcance.get("prestador", ids[0] if ids else 0) in ids][:RUNS]
