"""The first page of Auditoría and the log of readings: who opened what, when, for what, of which case.

Invariant: only lines of the providers where the person may see the log; no content of a document is in them. Norm:
Ley 1581/2012 art. 17 (control of access) and Decreto 1377/2013 art. 26 (demonstrated accountability).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from radica.app.paginas.auditoria_plano import READERS, SEERS, TITULAR, blueprint
from radica.app.paginas.casos import page_of
from radica.app.paginas.comun import chosen_purpose, provider_names
from radica.app.paginas.consultas_evidencia import NOMBRES as CADENAS
from radica.audit.models import AccessLog
from radica.custodia.text_models import TextoIndexado
from radica.facturas.models import Documento, Factura
from radica.facturas.named import named
from radica.facturas.numbers import parse_invoice_number
from radica.kernel.clock import BOGOTA
from radica.kernel.web import allow, db_session, person
from radica.kernel.web_paging import Page, cut, decode_cursor, query_day
from radica.prejuridico.casos import cases_of_invoice
from radica.users.access import selected_ids
from radica.users.models import Acceso, ClaseTarea, Tarea, Usuario
from radica.users.purposes import NOMBRES, Proposito, purpose_name
from radica.users.services import actor_names

PAGE = 50
MAX_CASES = 20
ACCIONES = {
    "ver": "Vio",
    "ver_texto": "Vio el texto",
    "descargar": "Descargó",
    "exportar": "Exportó",
    "previsualizar": "Vio antes el PDF de un expediente",
    "buscar": "Buscó en los documentos",
    "muestra": "Sacó una muestra",
    "informe_accesos": "Informe de accesos de un paciente",
    "acceso_excepcional": "Pidió acceso excepcional",
}
"""How actions are said; others are acts of administration and stand as written, without underscores."""

CASOS = {**CADENAS, "notificacion": "Notificación"}


@dataclass(frozen=True)
class FiltroAccesos:
    """What the person chose. `casos` are the keys that `caso` stands for, None when it was not given."""

    ids: frozenset[int]
    persona: int | None = None
    accion: str = ""
    proposito: str = ""
    desde: date | None = None
    hasta: date | None = None
    caso: str = ""
    casos: frozenset[str] | None = None


@blueprint.get("")
@allow(*SEERS)
def inicio() -> ResponseReturnValue:
    """Show the search box and where the rest is."""
    session = db_session()
    ids = selected_ids(person(), *SEERS)
    return render_template(
        "auditoria/inicio.html",
        busca=person().may(*READERS),
        titular=person().may(*TITULAR),
        pendientes=_waiting(session, ids),
        lecturas=_readings(session, ids),
        proposito=chosen_purpose(),
        NOMBRES=NOMBRES,
        **index_state(session, ids),
    )


def index_state(session: Session, ids: Collection[int]) -> dict[str, int]:
    """Return how many documents' words can be searched, and of how many documents there are."""
    read = session.scalar(select(func.count()).select_from(TextoIndexado).where(TextoIndexado.prestador_id.in_(ids)))
    papers = session.scalar(select(func.count()).select_from(Documento).where(Documento.prestador_id.in_(ids)))
    return {"leidos": read or 0, "documentos": papers or 0}


def _waiting(session: Session, ids: Collection[int]) -> int:
    query = select(func.count()).select_from(Tarea)
    query = query.where(
        Tarea.clase == ClaseTarea.REVISAR_ACCESO, Tarea.cerrada_at.is_(None), Tarea.prestador_id.in_(ids)
    )
    return session.scalar(query) or 0


def _readings(session: Session, ids: Collection[int]) -> int:
    """Return how many readings the logs of some providers hold: the last number of each chain."""
    last = select(func.max(AccessLog.seq)).where(AccessLog.prestador_id.in_(ids)).group_by(AccessLog.prestador_id)
    return sum(session.scalars(last))


@blueprint.get("/accesos")
@allow(*SEERS)
def accesos() -> ResponseReturnValue:
    """List the readings, newest first."""
    session = db_session()
    f = asked_accesses(session)
    after = decode_cursor(request.args.get("despues"), size=1)
    query = select(AccessLog).where(*conditions(f))
    if after and isinstance(after[0], int):
        query = query.where(AccessLog.id < after[0])
    rows = list(session.scalars(query.order_by(AccessLog.id.desc()).limit(PAGE + 1)))
    page = cut(rows, limit=PAGE, key=lambda one: [one.id], came_with=None)
    return render_template(
        "auditoria/accesos.html",
        f=f,
        page=Page(page.rows, page.next),
        nombres=actor_names(session, {row.actor for row in page.rows}),
        prestadores=provider_names(session, {row.prestador_id for row in page.rows}),
        varios=len(f.ids) > 1,
        personas=people_of(session, f.ids),
        ACCIONES=ACCIONES,
        PROPOSITOS=NOMBRES,
        proposito=purpose_name,
        casos=case_names(session, page.rows),
        pagina=page_of,
        hay=any((f.persona, f.accion, f.proposito, f.desde, f.hasta, f.caso)),
    )


def asked_accesses(session: Session) -> FiltroAccesos:
    """Read the filter of the address; what is none of ours is no filter."""
    ids = selected_ids(person(), *SEERS)
    who = request.args.get("persona", "")
    action, purpose = request.args.get("accion", ""), request.args.get("proposito", "")
    case = " ".join(request.args.get("caso", "").split())[:60]
    return FiltroAccesos(
        ids,
        int(who) if who.isascii() and who.isdecimal() and len(who) < 19 else None,
        action if action in ACCIONES else "",
        purpose if purpose in {one.value for one in Proposito} else "",
        query_day(request.args.get("desde")),
        query_day(request.args.get("hasta")),
        case,
        frozenset(_cases(session, case, ids)) if case else None,
    )


def _cases(session: Session, text: str, ids: Collection[int]) -> list[str]:
    """Return the cases that a person means: a key as it stands in the log, or those of an invoice by its number."""
    if ":" in text:
        return [text]
    means = named(parse_invoice_number(text))
    rows = session.scalars(select(Factura.id).where(Factura.prestador_id.in_(ids), means).limit(MAX_CASES))
    return [case for factura_id in list(rows) for case in cases_of_invoice(session, factura_id)]


def conditions(f: FiltroAccesos) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter."""
    where: list[ColumnElement[bool]] = [AccessLog.prestador_id.in_(f.ids)]
    if f.persona is not None:
        where.append(AccessLog.actor == f"usuario:{f.persona}")
    if f.accion:
        where.append(AccessLog.action == f.accion)
    if f.proposito:
        where.append(AccessLog.purpose == f.proposito)
    if f.desde is not None:
        where.append(AccessLog.at >= _midnight(f.desde))
    if f.hasta is not None:
        where.append(AccessLog.at < _midnight(f.hasta + timedelta(days=1)))
    if f.casos is not None:
        where.append(AccessLog.case_key.in_(sorted(f.casos)))
    return where


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), BOGOTA)


def people_of(session: Session, ids: Collection[int]) -> list[tuple[int, str]]:
    """Return the people who hold or held a role at some providers, by name."""
    rows = session.execute(
        select(Usuario.id, Usuario.nombre)
        .where(Usuario.id.in_(select(Acceso.usuario_id).where(Acceso.prestador_id.in_(ids))))
        .order_by(Usuario.nombre, Usuario.id)
    )
    return [(row.id, row.nombre) for row in rows]


def case_names(session: Session, rows: Sequence[AccessLog]) -> dict[str, str]:
    """Return how the cases of some lines are called: an invoice by its number."""
    keys = {row.case_key for row in rows if row.case_key}
    numbers = {int(one.partition(":")[2]) for one in keys if one.startswith("factura:") and one[8:].isdecimal()}
    found = dict(session.execute(select(Factura.id, Factura.numero).where(Factura.id.in_(numbers))).all())
    names = {f"factura:{id_}": f"Factura {numero}" for id_, numero in found.items()}
    return {key: names.get(key) or _case_name(key) for key in keys}


def _case_name(key: str) -> str:
    """Return how a case without a name of its own is called: its kind in words, with its accents."""
    kind, _, number = key.partition(":")
    said = CASOS.get(kind) or kind.replace("_", " ").capitalize()
    return f"{said} {number.replace(':', ' ').replace('_', ' ')}".strip()
