"""Correos: what came to the mailboxes, what each was taken for and why, what it became, and a person's other opinion.

Invariant: nothing that arrived is out of this list; subject and words may tell of a patient, so the pages open only for
the roles that work with health data; the original opens through the viewer of evidence, which logs it. Norm: Ley
527/1999 arts. 20-24 (receipt of a data message); Ley 1581/2012 art. 17.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.app.paginas.comun import HEALTH_ROLES
from radica.entidades.models import Prestador
from radica.glosas.correo.mail_intake import IMPORTED, pieza_de, reclasificar
from radica.glosas.correo.mail_models import BuzonCorreo, ClaseCorreo, Correo
from radica.glosas.models import Notificacion
from radica.jobs.models import Job, JobState
from radica.kernel.errors import BadInput
from radica.kernel.web import allow, db_session, go, person
from radica.kernel.web_paging import Page, cut, decode_cursor
from radica.users.access import MAX_ID, load_for
from radica.users.models import Rol

blueprint = Blueprint("correos", __name__, url_prefix="/correos")

PAGE = 50
KEEPERS = (Rol.GLOSAS, Rol.ADMINISTRACION)
"""Who may say that a mail is something else."""
NAMES = {
    ClaseCorreo.GLOSA: "Glosas",
    ClaseCorreo.DEVOLUCION: "Devoluciones",
    ClaseCorreo.DECISION: "Decisión del pagador",
    ClaseCorreo.ACUSE: "Acuse de recibo",
    ClaseCorreo.OTRO: "Otro",
}
TONES = {ClaseCorreo.GLOSA: "curso", ClaseCorreo.DEVOLUCION: "curso", ClaseCorreo.DECISION: "curso"}


@dataclass(frozen=True)
class FiltroCorreos:
    """What the person chose."""

    clase: str = ""
    con_problema: bool = False


@blueprint.get("")
@allow(*HEALTH_ROLES)
def lista() -> ResponseReturnValue:
    """List the mails, newest first, and how the mailboxes do."""
    session, me = db_session(), person()
    ids = me.selected(*HEALTH_ROLES)
    kind = request.args.get("clase", "")
    chosen = FiltroCorreos(
        kind if kind in {one.value for one in ClaseCorreo} else "", request.args.get("ver") == "problema"
    )
    after, before = (_id(request.args.get(name)) for name in ("despues", "antes"))
    found = _rows(session, ids, chosen, after, before)
    page = cut(
        found,
        limit=PAGE,
        key=lambda one: [one[0].id],
        came_with="x" if after else None,
        backwards=before is not None and after is None,
    )
    total = session.scalar(_where(select(func.count()).select_from(Correo), ids, chosen)) or 0
    boxes = session.scalars(
        select(BuzonCorreo).where(BuzonCorreo.prestador_id.in_(ids)).order_by(BuzonCorreo.usuario, BuzonCorreo.id)
    ).all()
    return render_template(
        "correos/lista.html",
        page=Page(page.rows, page.next, page.previous, total),
        filtro=chosen,
        buzones=boxes,
        nombres=NAMES,
        tonos=TONES,
        clases=list(ClaseCorreo),
    )


def _id(text: str | None) -> int | None:
    cursor = decode_cursor(text, size=1)
    value = cursor[0] if cursor else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_ID else None


def _where(query: Any, ids: Collection[int], chosen: FiltroCorreos) -> Any:
    query = query.where(Correo.prestador_id.in_(ids))
    if chosen.clase:
        query = query.where(Correo.clase == chosen.clase)
    return query.where(Correo.problema.is_not(None)) if chosen.con_problema else query


def _rows(
    session: Session, ids: Collection[int], chosen: FiltroCorreos, after: int | None, before: int | None
) -> list[tuple[Correo, str]]:
    query = _where(select(Correo, Prestador.nombre).join(Prestador, Prestador.id == Correo.prestador_id), ids, chosen)
    if after is not None:
        query = query.where(Correo.id < after)
    elif before is not None:
        query = query.where(Correo.id > before)
    order = Correo.id if before is not None and after is None else Correo.id.desc()
    return [(row, name) for row, name in session.execute(query.order_by(order).limit(PAGE + 1))]


@blueprint.get("/<int:correo_id>")
@allow(*HEALTH_ROLES)
def detalle(correo_id: int) -> ResponseReturnValue:
    """Show one mail: its arrival and evidence, why it was taken for what it is, and what it became."""
    session = db_session()
    row = load_for(session, Correo, correo_id, person(), roles=HEALTH_ROLES)
    notices = session.scalars(
        select(Notificacion).where(Notificacion.correo_id == row.id).order_by(Notificacion.id)
    ).all()
    job = session.scalar(select(Job).where(Job.subject == f"correo:{row.id}").order_by(Job.id.desc()).limit(1))
    return render_template(
        "correos/detalle.html",
        correo=row,
        pieza=pieza_de(session, row),
        buzon=session.get(BuzonCorreo, row.buzon_id) if row.buzon_id else None,
        notificaciones=notices,
        carga=_import_words(job),
        nombres=NAMES,
        tonos=TONES,
        clases=[one for one in ClaseCorreo if one is not row.clase or (job and job.state is JobState.DEAD)],
        puede=row.prestador_id in person().granted(*KEEPERS),
    )


def _import_words(job: Job | None) -> str:
    """Say how the import of a mail's files goes; "" when none was ordered or it is done."""
    if job is None or job.state is JobState.DONE:
        return ""
    if job.state is JobState.DEAD:
        return f"No se pudo cargar: {job.error or job.error_code}. Diga otra vez qué es, para intentarlo de nuevo."
    return "Sus archivos están en la cola para cargarse."


@blueprint.post("/<int:correo_id>/clase")
@allow(*KEEPERS)
def reclasificar_correo(correo_id: int) -> ResponseReturnValue:
    """Take a person's word for what a mail is; what becomes a notice is imported."""
    session = db_session()
    row = load_for(session, Correo, correo_id, person(), roles=KEEPERS)
    try:
        kind = ClaseCorreo(request.form.get("clase", ""))
    except ValueError:
        raise BadInput("Elija qué es el correo; no se cambió nada.") from None
    reclasificar(session, row, kind, actor=person().nombre)
    words = "Sus archivos se cargan en un momento." if kind in IMPORTED else "No se carga nada de él."
    flash(f"Quedó como {NAMES[kind].lower()}. {words}", "success")
    return go(url_for("correos.detalle", correo_id=correo_id))
