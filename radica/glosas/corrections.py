"""What a person puts right: an objection recorded by mistake, an acceptance by silence that was none, a notice date.

Invariant: every correction says why, leaves an act with both values, and needs evidence where money or a term moves
in our favour; a correction never touches an objection whose answer is on its way. Norms: Res. 2284/2023 art. 6, Ley
1438/2011 art. 57 (the terms that a true notice date changes).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.services import advance
from radica.facturas.models import Factura
from radica.glosas.acts_base import (
    Hecho,
    ask_credit_note,
    balance_of,
    check_dates,
    hold,
    payer_kind,
    record_act,
    set_balance,
    set_term,
    settle_tasks,
)
from radica.glosas.balance import new_balance
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.clocks import Objeto, first_terms
from radica.glosas.models import Acto, Devolucion, Glosa, TipoActo
from radica.glosas.respuesta.presented import apply_again
from radica.glosas.states import (
    DEV_ABIERTAS,
    FINALES,
    EstadoRespuesta,
    EventoDevolucion,
    EventoGlosa,
)
from radica.kernel.clock import bogota
from radica.kernel.errors import BadInput
from radica.users.models import ClaseTarea


def annul(
    session: Session,
    thing: Glosa | Devolucion,
    *,
    actor: str,
    at: datetime,
    motivo: str,
    texto: str,
    evidence: Sequence[str] = (),
    expected_version: int | None = None,
) -> Acto:
    """Take an objection out of the books: it was recorded by mistake. Its money counts no more, its rows stay.

    Drafts of its answer are discarded with it. Raises BadInput without `texto` or when an answer is on its way.
    """
    _need_words(texto)
    hecho = Hecho(at, actor, at, motivo, tuple(evidence), texto)
    hold(session, [thing], expected_version)
    _refuse_on_its_way(session, thing, "no se puede anular", EstadoRespuesta.EN_ENVIO, EstadoRespuesta.PRESENTADA)
    event = EventoGlosa.ANULAR if isinstance(thing, Glosa) else EventoDevolucion.ANULAR
    thing.MACHINE.next(thing.estado, event)
    before = thing.valor
    if isinstance(thing, Glosa):
        set_balance(thing, new_balance(0))
    _advance(session, thing, event, hecho, {"valor": before})
    act = record_act(session, thing, TipoActo.CORRECCION, hecho, autor="ips", codigo="anulada")
    set_term(session, thing)
    settle_tasks(session, thing, hecho, "Se anuló", ClaseTarea.NOTA_AJUSTE_RIPS)
    session.flush()
    return act


def reopen(
    session: Session,
    thing: Glosa | Devolucion,
    *,
    actor: str,
    at: datetime,
    motivo: str,
    texto: str,
    evidence: Sequence[str],
    notificada_at: datetime | None = None,
    expected_version: int | None = None,
) -> Acto:
    """Undo an acceptance by silence: proof says that the term had not lapsed. The money is in dispute again.

    `notificada_at` is the true notice date when that is what was wrong. The clock does not accept it a second time;
    if it lapses again a person decides. An answer that the payer has already counts from now. Raises BadInput without words or evidence.
    """
    _need_words(texto)
    _need_evidence(evidence, "reabrirla")
    hecho = Hecho(at, actor, at, motivo, tuple(evidence), texto)
    hold(session, [thing], expected_version)
    if notificada_at is not None:
        _check_notice(session, thing, notificada_at, hecho)
    presented = [one for one in answers_of(session, thing) if one.estado is EstadoRespuesta.PRESENTADA]
    event = EventoGlosa.REABRIR if isinstance(thing, Glosa) else EventoDevolucion.REABRIR
    _advance(session, thing, event, hecho, {})
    if isinstance(thing, Glosa):
        set_balance(thing, balance_of(thing).restore(thing.aceptado))
    if notificada_at is not None:
        _set_notice(session, thing, notificada_at, "persona")
    session.flush()
    accepted = sum(apply_again(session, one, hecho) for one in presented)
    act = record_act(
        session, thing, TipoActo.CORRECCION, hecho, autor="ips", codigo="reabierta", aceptado=accepted,
        ronda=thing.ronda if isinstance(thing, Glosa) else 1,
    )  # fmt: skip
    set_term(session, thing)
    settle_tasks(session, thing, hecho, "Se reabrió", ClaseTarea.EMITIR_NOTA_CREDITO)
    if accepted:
        ask_credit_note(session, thing, accepted, at)
    session.flush()
    return act


def correct_notice_date(
    session: Session,
    thing: Glosa | Devolucion,
    *,
    notificada_at: datetime,
    actor: str,
    at: datetime,
    motivo: str,
    texto: str,
    evidence: Sequence[str],
    segun: str = "persona",
    expected_version: int | None = None,
) -> Acto:
    """Set the true notice date: lateness and the running term are counted again; the old date stays in the act.

    Raises BadInput without words or evidence, for a date in the future or before the filing, and for an objection
    that is closed (one accepted by silence is reopened with its date instead).
    """
    _need_words(texto)
    _need_evidence(evidence, "cambiar la fecha de notificación")
    hold(session, [thing], expected_version)
    open_ = thing.estado not in FINALES if isinstance(thing, Glosa) else thing.estado in DEV_ABIERTAS
    if not open_:
        raise BadInput(
            f"El caso está «{thing.MACHINE.labels[thing.estado].lower()}»: su fecha de notificación ya no se cambia.",
            todo="Si se aceptó por silencio sin que venciera el término, reábralo con su fecha.",
            code="caso_cerrado",
        )
    _refuse_on_its_way(session, thing, "su fecha de notificación no se cambia ahora", EstadoRespuesta.EN_ENVIO)
    old = bogota(thing.notificada_at)
    words = f"Fecha de notificación: {old:%d/%m/%Y %H:%M} → {bogota(notificada_at):%d/%m/%Y %H:%M}. {texto}"
    hecho = Hecho(at, actor, at, motivo, tuple(evidence), words)
    _check_notice(session, thing, notificada_at, hecho)
    proof = _set_notice(session, thing, notificada_at, segun)
    event = EventoGlosa.CORREGIR if isinstance(thing, Glosa) else EventoDevolucion.CORREGIR
    facts = {"antes": old, "ahora": bogota(notificada_at)}
    advance(session, thing, event, actor=actor, at=at, reason=motivo, note=words, facts=facts, evidence=evidence)
    act = record_act(
        session, thing, TipoActo.CORRECCION, hecho, autor="ips", codigo="fecha", plazo=proof,
        ronda=thing.ronda if isinstance(thing, Glosa) else 1,
    )  # fmt: skip
    set_term(session, thing)
    session.flush()
    return act


def _check_notice(session: Session, thing: Glosa | Devolucion, notificada_at: datetime, hecho: Hecho) -> None:
    """Raise BadInput when a notice date is in the future, before the filing, or after what we answered to it."""
    radicada = session.get_one(Factura, thing.factura_id).fecha_radicacion
    dated = Hecho(notificada_at, hecho.actor, hecho.at, hecho.motivo)
    check_dates(dated, radicada or notificada_at, "la radicación de la factura")
    answered = _first_answer(session, thing)
    if answered is not None:
        check_dates(Hecho(answered, hecho.actor, hecho.at, hecho.motivo), notificada_at, "esa notificación")


def _set_notice(session: Session, thing: Glosa | Devolucion, notificada_at: datetime, segun: str) -> dict[str, Any]:
    """Write the notice date and what follows from it; return the count of lateness."""
    radicada = session.get_one(Factura, thing.factura_id).fecha_radicacion
    kind = Objeto.GLOSA if isinstance(thing, Glosa) else Objeto.DEVOLUCION
    terms = first_terms(radicada, notificada_at, kind, pagador=payer_kind(session, thing.pagador_id))
    thing.notificada_at, thing.notificada_segun = notificada_at, segun
    thing.extemporanea, thing.dias_pagador = terms.extemporanea, terms.dias_pagador
    return terms.prueba


def _first_answer(session: Session, thing: Glosa | Devolucion) -> datetime | None:
    column = Acto.glosa_id if isinstance(thing, Glosa) else Acto.devolucion_id
    return session.scalars(
        select(Acto.ocurrido_at).where(column == thing.id, Acto.tipo == TipoActo.RESPUESTA).order_by(Acto.id).limit(1)
    ).first()


def answers_of(session: Session, thing: Glosa | Devolucion) -> list[Respuesta]:
    """Return the answers of an objection that are not discarded, oldest first."""
    column = Respuesta.glosa_id if isinstance(thing, Glosa) else Respuesta.devolucion_id
    return list(
        session.scalars(
            select(Respuesta)
            .where(column == thing.id, Respuesta.estado != EstadoRespuesta.DESCARTADA)
            .order_by(Respuesta.id)
        )
    )


def _refuse_on_its_way(session: Session, thing: Glosa | Devolucion, what: str, *states: EstadoRespuesta) -> None:
    """Raise BadInput when an answer of the objection is in one of these states: what it answers stays as it is."""
    if any(one.estado in states for one in answers_of(session, thing)):
        raise BadInput(
            f"Su respuesta ya va en un envío al pagador: {what}.",
            todo="Espere el resultado del envío.",
            code="respuesta_en_envio",
        )


def _need_words(texto: str) -> None:
    if not texto.strip():
        raise BadInput("Falta decir por qué.", todo="Escriba el motivo.", code="falta_motivo")


def _need_evidence(evidence: Sequence[str], what: str) -> None:
    if not evidence:
        raise BadInput(
            f"Hace falta una prueba para {what}.", todo="Adjunte el documento que lo demuestra.", code="falta_prueba"
        )


def _advance(
    session: Session,
    thing: Glosa | Devolucion,
    event: EventoGlosa | EventoDevolucion,
    hecho: Hecho,
    facts: dict[str, int],
) -> None:
    advance(
        session, thing, event, actor=hecho.actor, at=hecho.at, reason=hecho.motivo[:60], note=hecho.texto,
        facts=facts, evidence=hecho.evidence,
    )  # fmt: skip
