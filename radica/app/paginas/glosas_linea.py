"""The page of one objection: what the payer says beside what we billed, and the answer.

Invariant: reading happens in one short transaction; what may tell of a patient is shown only in roles that work with
health data; the proof of a term names both dates, each business day and the calendar's version.
Norms: Ley 1438/2011 art. 57, Res. 2284/2023 Anexo Técnico 3, Res. 1962/2025 (SIIFA).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.acciones.glosas_formas import ActForm, AnswerForm, DecisionForm, ReasonOnlyForm
from radica.app.paginas.comun import HEALTH_ROLES, sees_health
from radica.app.paginas.consultas_glosa import CasoGlosa, load_line_case
from radica.app.paginas.contratos_plano import READERS as LISTAS
from radica.app.paginas.documentos import viewer_of
from radica.app.paginas.frases import document_name, who
from radica.app.paginas.glosas import owners, urgency
from radica.app.paginas.glosas_filtro import asked, kept
from radica.app.paginas.glosas_frases import story
from radica.app.paginas.glosas_plano import ANSWERERS, APPROVERS, CLASES, MANAGERS, blueprint, load_line
from radica.facturas.models import Documento
from radica.facturas.soportes import catalogue
from radica.glosas import clocks, codes
from radica.glosas.bandeja import tray, work
from radica.glosas.bandeja.tray_filter import Objecion, stake
from radica.glosas.bandeja.work_models import Decision
from radica.glosas.codes import Manual
from radica.glosas.models import Acto, Devolucion, Glosa, RegistroSiifa, TipoActo
from radica.glosas.respuesta.answer_draft import NAMES, answerable, needs_second, options_for
from radica.glosas.respuesta.answer_help import help_for
from radica.glosas.respuesta.bulk_answer import count_equal
from radica.glosas.respuesta.tarifa import es_de_tarifa, tarifa_de
from radica.glosas.states import DEV_ABIERTAS, FINALES, EstadoGlosa, EstadoRespuesta, EventoDevolucion, EventoGlosa
from radica.kernel.clock import civil_date
from radica.kernel.errors import RadicaError
from radica.kernel.money import format_cop
from radica.kernel.web import current, db_session, now, person
from radica.plazos.calendar import OutOfCalendar
from radica.plazos.terms import version_for
from radica.users.services import actor_names

G = EstadoGlosa


@dataclass(frozen=True)
class Corriendo:
    """The term that runs, with its count from the first day to the last, one by one."""

    termino: str
    asunto: str
    norma: str
    articulo: str
    conteo: clocks.Conteo


@blueprint.get("/<any(glosa, devolucion):kind>/<int:objecion_id>")
def ver(kind: str, objecion_id: int) -> ResponseReturnValue:
    """Show one objection; `?documento=5` opens that one beside it."""
    session = db_session()
    row = load_line(session, kind, objecion_id)
    if work.unseen(session, row.case_key, person().id):
        with current().database.write() as writing:
            work.mark_seen(writing, row.case_key, person().id, at=now())
    return line_page(row)


def line_page(
    row: Objecion,
    form: AnswerForm | None = None,
    *,
    error: RadicaError | None = None,
    acto: str = "",
    acto_form: Any = None,
) -> str:
    """Return the page of an objection, with the form (of the answer, or of `acto`) as a person left it."""
    f = asked(CLASES[row.KIND])
    with current().database.read() as session:
        caso = load_line_case(session, row)
        before, after = tray.neighbours(session, f, row)
        people = owners(session, frozenset({row.prestador_id}))
        second = needs_second(session, row)
        due = answerable(row) and (caso.respuesta is None or caso.respuesta.estado in _OPEN)
        help_ = help_for(session, row, caso.pagador, person().granted(*HEALTH_ROLES)) if due else None
        equal = count_equal(session, row) if due and isinstance(row, Glosa) else 0
        unregistered = _without_siifa(session, caso)
        tariff = _tariff(session, row)
    held = person().granted
    return render_template(
        "glosas/linea.html",
        caso=caso,
        o=row,
        dev=isinstance(row, Devolucion),
        en_juego=stake(row),
        codigo=codes.buscar(row.codigo),
        manual=_ruling_manual(caso),
        form=form or answer_form(caso),
        error=error,
        por_responder=due,
        apoyo=help_,
        iguales=equal,
        opciones=options_for(row),
        NAMES=NAMES,
        puede=row.prestador_id in held(*ANSWERERS),
        aprueba=_approves(caso, second=second),
        dirige=row.prestador_id in held(*MANAGERS),
        salud=sees_health(row.prestador_id),
        dos=second,
        urgencia_hoy=urgency(row.vence, civil_date(now())),
        corre=running(caso),
        tardia=late(caso),
        siifa=unregistered,
        **tariff,
        historia=story(caso.actos, caso.movimientos, caso.nombres, caso.entregas),
        personas=people,
        antes=before,
        despues=after,
        volver=kept(),
        nombre_documento=named,
        quien=lambda actor: who(actor, caso.nombres),
        visor=_beside(caso),
        esta=lambda **more: url_for("glosas.ver", **{**kept(), **more, "kind": row.KIND, "objecion_id": row.id}),
        hoy=civil_date(now()),
        actos=act_forms(row, acto, acto_form),
        acto=acto or request.args.get("acto", ""),
    )


_OPEN = (EstadoRespuesta.BORRADOR,)


def _without_siifa(session: Session, caso: CasoGlosa) -> list[Acto]:
    """Return the acts whose 48 hours run and that nobody registered in SIIFA yet."""
    ids = [one.id for one in caso.actos]
    registered = set(session.scalars(select(RegistroSiifa.acto_id).where(RegistroSiifa.acto_id.in_(ids))))
    return [one for one in caso.actos if one.siifa_vence is not None and one.id not in registered]


def _tariff(session: Session, row: Objecion) -> dict[str, Any]:
    """Return what the page shows of the tariff that applied: itself, who loaded its list, whether it may be opened."""
    found = tarifa_de(session, row)
    loader = found.lista.cargado_por if found is not None and found.lista is not None else ""
    return {
        "de_tarifa": es_de_tarifa(row),
        "tarifa": found,
        "quien_tarifa": who(loader, actor_names(session, {loader})) if loader else "",
        "abre_tarifas": row.prestador_id in person().granted(*LISTAS),
    }


_DECISION_EVENTS = (EventoGlosa.LEVANTAR, EventoGlosa.LEVANTAR_PARTE, EventoGlosa.RATIFICAR)
_RETURN_EVENTS = (EventoDevolucion.LEVANTAR, EventoDevolucion.REITERAR)


def act_forms(row: Objecion, acto: str, form: Any) -> dict[str, Any]:
    """Return the forms of the acts that the machine allows now and the person may record, by name."""
    held = person().granted
    able = row.prestador_id in held(*ANSWERERS)
    heads = row.prestador_id in held(*MANAGERS)
    machine, state = row.MACHINE, row.estado
    whole = isinstance(row, Devolucion)
    decides = _RETURN_EVENTS if whole else _DECISION_EVENTS
    annul = EventoDevolucion.ANULAR if whole else EventoGlosa.ANULAR
    reopen = EventoDevolucion.REABRIR if whole else EventoGlosa.REABRIR
    open_ = state in DEV_ABIERTAS if whole else state not in FINALES
    offered: dict[str, type[Any]] = {}
    if able and any(machine.can(state, event) for event in decides):
        offered["decision"] = DecisionForm
    if not whole and (able or heads) and machine.can(state, EventoGlosa.DECLARAR_DEFINITIVA):
        offered["definitiva"] = ReasonOnlyForm
    if not whole and heads and state in (G.EN_SUBSANACION, G.LEVANTADA_PARCIAL, G.DEFINITIVA):
        offered["aceptar"] = ReasonOnlyForm
    if heads and machine.can(state, reopen):
        offered["reabrir"] = ActForm
    if (able or heads) and open_:
        offered["fecha"] = ActForm
    if heads and machine.can(state, annul):
        offered["anular"] = ReasonOnlyForm
    forms = {name: kind(prefix=name, formdata=None, version=row.version) for name, kind in offered.items()}
    if form is not None:
        forms[acto] = form
    return forms


def named(doc: Documento) -> str:
    """Return how a person calls a document."""
    return document_name(doc, {sigla: one.nombre for sigla, one in catalogue().items()})


def _ruling_manual(caso: CasoGlosa) -> str:
    """Say in words when the code is not of the manual that rules the service, or when the dates do not tell; else "".

    Norm: Res. 2284/2023 art. 12 as changed by Res. 1885/2024 (the day of the service, by the provider's group).
    """
    row, bill = caso.objecion, caso.factura
    if isinstance(row, Devolucion) or row.manual is Manual.OTRO:
        return ""
    rules = codes.manual_aplicable(
        bill.servicio_hasta or bill.servicio_desde,
        civil_date(bill.fecha_radicacion) if bill.fecha_radicacion else None,
        civil_date(bill.expedida_at) if bill.expedida_at else None,
        grupo=caso.ajuste.grupo_manual,
    )
    if rules.manual is None or rules.manual.value == row.manual.value:
        return "" if rules.manual is not None else rules.motivo
    heirs = ", ".join(f"{one.codigo} ({one.confianza})" for one in codes.homologar(row.codigo))
    equal = f" Hoy equivale a {heirs}." if heirs else ""
    return f"El código es de otro manual que el que rige. {rules.motivo}{equal}"


def _approves(caso: CasoGlosa, *, second: bool) -> bool:
    """Say whether the person may approve the answer: by role, able to read it, and not its author where two are asked."""
    provider = caso.objecion.prestador_id
    may = provider in person().granted(*APPROVERS) and sees_health(provider)
    return may and not (second and _author(caso) == person().actor)


def _author(caso: CasoGlosa) -> str:
    return caso.respuesta.preparada_por if caso.respuesta else ""


def answer_form(caso: CasoGlosa) -> AnswerForm:
    """Return the form with what the draft holds; `?decision=` and `?texto` of a suggestion never come by address."""
    row, saved = caso.objecion, caso.respuesta
    first = next((one.codigo.decision for one in options_for(row) if one.recomendada), Decision.DEFENDER.value)
    data: dict[str, Any] = {"version": row.version, "decision": first, "soportes": []}
    if saved is not None:
        data |= {
            "visto": saved.preparada_at.isoformat(),
            "decision": saved.decision.value,
            "texto": saved.texto,
            "motivo": saved.motivo,
            "soportes": list(saved.soportes),
            "plantilla": saved.plantilla_id or "",
        }
        if saved.decision is Decision.ACEPTAR_PARTE:
            data["valor_aceptado"] = format_cop(saved.valor_aceptado).removeprefix("$ ")
    return AnswerForm(formdata=None, data=data)


def _start(caso: CasoGlosa) -> date | datetime | None:
    row = caso.objecion
    term = row.vence_termino or ""
    if term in ("GLO-03", "DEV-02"):
        stated = row.fecha_segun_pagador if isinstance(row, Glosa) else None
        return clocks.prudent_start(caso.factura.fecha_radicacion, row.notificada_at, stated) or row.notificada_at
    if isinstance(row, Glosa):
        return row.decidida_at if term == "GLO-05" else row.respondida_at
    answers = [one.ocurrido_at for one in caso.actos if one.tipo is TipoActo.RESPUESTA]
    return answers[-1] if answers else None


def running(caso: CasoGlosa) -> Corriendo | None:
    """Return the term that runs now with its days, None without one."""
    row, start = caso.objecion, _start(caso)
    if row.vence is None or start is None or row.vence_termino is None:
        return None
    day = civil_date(start) if isinstance(start, datetime) else start
    version = version_for(row.vence_termino, day)
    try:
        count = clocks.count_proof(day, max(day, row.vence))
    except OutOfCalendar:
        return None
    subject = version.asunto if version else row.vence_termino
    return Corriendo(
        row.vence_termino, subject, version.norma if version else "", version.articulo if version else "", count
    )


def late(caso: CasoGlosa) -> clocks.PruebaExtemporanea | None:
    """Return the proof that the notice came late, None when it did not or nothing can prove it."""
    row, filed = caso.objecion, caso.factura.fecha_radicacion
    if not row.extemporanea or filed is None:
        return None
    try:
        return clocks.late_proof(row.KIND, filed, row.notificada_at, pagador=caso.pagador.tipo)
    except OutOfCalendar:
        return None


def _beside(caso: CasoGlosa) -> str:
    """Return the viewer that the address asks for, of a document or piece of this very objection."""
    wanted = [doc for doc in caso.documentos if str(doc.id) == request.args.get("documento")]
    if wanted:
        return viewer_of("documento", wanted[0])
    pieces = [piece for piece in caso.piezas if str(piece.id) == request.args.get("evidencia")]
    return viewer_of("evidencia", pieces[0]) if pieces else ""
