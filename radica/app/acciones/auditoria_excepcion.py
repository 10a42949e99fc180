"""Exceptional access to the health data of a case: asked with a reason by who has no role for it, reviewed afterwards.

Invariant: what is asked for was loaded for the person first; a person with the role is not asked for a reason; the
review is auditoría's and nobody reviews their own. Norm: Ley 1581/2012 arts. 4, 6 and 17.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import flash, render_template, request, url_for
from flask import session as flask_session
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.app.paginas.auditoria_plano import READERS, SEERS, blueprint
from radica.app.paginas.casos import page_of
from radica.app.paginas.comun import CHOSEN, chosen_purpose, provider_names, sees_health
from radica.audit.models import AccessLog
from radica.facturas.models import Factura
from radica.kernel.errors import BadInput
from radica.kernel.web import allow, allow_anyone, db_session, go, now, optional_person, person, safe_next
from radica.radicacion.models import Envio
from radica.users.access import load_for, selected_ids
from radica.users.break_glass import MAX_REASON, MIN_REASON, break_glass, review_access, reviews_of
from radica.users.models import AccesoExcepcional, Tarea, Usuario
from radica.users.purposes import DE_AUDITORIA, NOMBRES, Proposito

SHOWN = 200
_OPEN = "excepciones"
"""Where the browser's signed session keeps which exceptions are open, for the banner alone."""
KINDS: dict[str, type[Factura] | type[Envio]] = {"factura": Factura, "envio": Envio}


@dataclass(frozen=True)
class Abierta:
    """An exception that lasts, for the banner."""

    caso: str
    hasta: datetime


@dataclass(frozen=True)
class Revisable:
    """An exceptional access with who, where, how many openings it saw, and its review."""

    acceso: AccesoExcepcional
    persona: str
    prestador: str
    aperturas: int
    tarea: Tarea | None


@blueprint.get("/acceso-excepcional/<any(factura, envio):kind>/<int:caso_id>")
def pedir(kind: str, caso_id: int) -> ResponseReturnValue:
    """Show the form in which a person asks for the case."""
    row = load_for(db_session(), KINDS[kind], caso_id, person())
    return _form(row, "", None)


def _form(row: Factura | Envio, written: str, problem: BadInput | None) -> ResponseReturnValue:
    page = render_template(
        "auditoria/pedir.html",
        caso=_name(row),
        clave=row.case_key,
        volver=_page(row),
        tiene=sees_health(row.prestador_id),
        escrito=written,
        problema=problem,
        MIN=MIN_REASON,
        MAX=MAX_REASON,
    )
    return page, 422 if problem else 200


@blueprint.post("/acceso-excepcional/<any(factura, envio):kind>/<int:caso_id>")
@allow_anyone
def abrir(kind: str, caso_id: int) -> ResponseReturnValue:
    """Open the case for half an hour."""
    session = db_session()
    row = load_for(session, KINDS[kind], caso_id, person())
    if row.prestador_id in person().granted(*READERS) or sees_health(row.prestador_id):
        return go(_page(row))
    reason = request.form.get("motivo", "")
    try:
        opened = break_glass(
            session, person(), prestador_id=row.prestador_id, case_key=row.case_key, motivo=reason, at=now()
        )
    except BadInput as problem:
        return _form(row, reason[:MAX_REASON], problem)
    kept = [one for one in flask_session.get(_OPEN, []) if one[0] != _name(row)][-4:]
    flask_session[_OPEN] = [*kept, [_name(row), int(opened.hasta.timestamp())]]
    flash("Puede abrir los documentos de este caso durante media hora.", "success")
    return go(_page(row))


def _name(row: Factura | Envio) -> str:
    return f"factura {row.numero}" if isinstance(row, Factura) else f"envío {row.id}"


def _page(row: Factura | Envio) -> str:
    if isinstance(row, Factura):
        return url_for("factura.ver", factura_id=row.id)
    return url_for("radicacion.envio", envio_id=row.id)


def open_exceptions() -> list[Abierta]:
    """Return the exceptions that this browser opened and that last, for the banner of the frame."""
    if optional_person() is None:
        return []
    moment = now()
    found = [
        Abierta(name, datetime.fromtimestamp(until, moment.tzinfo)) for name, until in flask_session.get(_OPEN, [])
    ]
    return [one for one in found if one.hasta > moment]


# --- Purpose ----------------------------------------------------------------------------------------------------


@blueprint.get("/proposito")
@allow(*READERS)
def proposito() -> ResponseReturnValue:
    """Show for what the auditor reads, and let them say it."""
    return render_template(
        "auditoria/proposito.html",
        propositos=DE_AUDITORIA,
        NOMBRES=NOMBRES,
        elegido=chosen_purpose(),
        volver=safe_next(request.args.get("volver")) or "",
    )


@blueprint.post("/proposito")
@allow(*READERS)
def decir_proposito() -> ResponseReturnValue:
    """Keep the purpose for this login."""
    said = request.form.get("proposito", "")
    if said not in {one.value for one in DE_AUDITORIA}:
        raise BadInput("Elija para qué consulta; no se cambió nada.")
    flask_session[CHOSEN] = said
    flash(f"Lo que abra desde ahora queda registrado para: {NOMBRES[Proposito(said)]}.", "success")
    root = request.host_url.rstrip("/")
    came_from = (request.referrer or "").removeprefix(root) if (request.referrer or "").startswith(root + "/") else ""
    return go(safe_next(request.form.get("volver")) or safe_next(came_from) or url_for("auditoria.inicio"))


# --- Review -----------------------------------------------------------------------------------------------------


@blueprint.get("/excepcionales")
@allow(*SEERS)
def excepcionales() -> ResponseReturnValue:
    """List the exceptional accesses, those without a review first."""
    session = db_session()
    ids = selected_ids(person(), *SEERS)
    rows = list(
        session.scalars(
            select(AccesoExcepcional)
            .where(AccesoExcepcional.prestador_id.in_(ids))
            .order_by(AccesoExcepcional.id.desc())
            .limit(SHOWN)
        )
    )
    shown = reviewable(session, rows)
    shown.sort(key=lambda one: one.tarea is None or one.tarea.cerrada_at is not None)
    return render_template(
        "auditoria/excepcionales.html",
        filas=shown,
        revisa=person().granted(*READERS),
        MIN=MIN_REASON,
        varios=len(ids) > 1,
        pagina=page_of,
    )


def reviewable(session: Session, rows: Sequence[AccesoExcepcional]) -> list[Revisable]:
    """Return accesses with what a reviewer needs."""
    people = dict(
        session.execute(
            select(Usuario.id, Usuario.nombre).where(Usuario.id.in_({row.usuario_id for row in rows}))
        ).all()
    )
    providers = provider_names(session, {row.prestador_id for row in rows})
    reviews = reviews_of(session, rows)
    return [
        Revisable(
            row,
            people.get(row.usuario_id, ""),
            providers.get(row.prestador_id, ""),
            _openings(session, row),
            reviews.get(row.id),
        )
        for row in rows
    ]


def _openings(session: Session, row: AccesoExcepcional) -> int:
    return (
        session.scalar(
            select(func.count())
            .select_from(AccessLog)
            .where(
                AccessLog.prestador_id == row.prestador_id,
                AccessLog.actor == f"usuario:{row.usuario_id}",
                AccessLog.purpose == Proposito.EXCEPCION.value,
                AccessLog.action != "acceso_excepcional",
                AccessLog.at >= row.desde,
                AccessLog.at <= row.hasta,
            )
        )
        or 0
    )


@blueprint.post("/excepcionales/<int:acceso_excepcional_id>/revisar")
@allow(*READERS)
def revisar(acceso_excepcional_id: int) -> ResponseReturnValue:
    """Close the review with what was found."""
    session = db_session()
    row = load_for(session, AccesoExcepcional, acceso_excepcional_id, person(), roles=READERS)
    done = review_access(
        session, row, actor=person().actor, resultado=request.form.get("resultado", "")[:1000], at=now()
    )
    flash("Revisión cerrada." if done else "Otra persona ya la había cerrado.", "success" if done else "info")
    return go(url_for("auditoria.excepcionales"))
