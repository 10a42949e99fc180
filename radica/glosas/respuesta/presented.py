"""What changes when the payer has our answers: each line moves, its money too, and the payer's term begins.

Invariant: the date is that of the evidence; an answer that reached the payer is always recorded, but it moves a line
only where the norm lets it: one registered after an acceptance by silence restores the dispute only if it was given
in time. Norms: Ley 1438/2011 art. 57 (GLO-03 to GLO-07), Res. 2284/2023 art. 6.2 (DEV-02).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from radica.audit.models import LegalThing, Reason
from radica.audit.services import Move, advance_all, lock_all
from radica.glosas import clocks
from radica.glosas.acts_base import (
    Hecho,
    ask,
    ask_credit_note,
    balance_of,
    check_dates,
    name_of,
    record_act,
    set_balance,
    set_term,
    settle_tasks,
    term_of,
)
from radica.glosas.bandeja.work_models import Decision, Respuesta
from radica.glosas.models import Devolucion, Glosa, TipoActo
from radica.glosas.states import EstadoDevolucion, EstadoGlosa, EventoDevolucion, EventoGlosa, EventoRespuesta
from radica.users.models import ClaseTarea

_SECOND = (EstadoGlosa.EN_SUBSANACION, EstadoGlosa.LEVANTADA_PARCIAL)


@dataclass
class _Step:
    """One answer: what it moves and with what money. `event` None records it without moving the line."""

    respuesta: Respuesta
    thing: Glosa | Devolucion
    event: StrEnum | None
    accepted: int
    plazo: dict[str, Any]
    tacit: bool = False
    note: str = ""


def register_answers_presented(
    session: Session,
    respuestas: Sequence[Respuesta],
    *,
    ocurrido_at: datetime,
    nivel: int,
    evidence: Sequence[str],
    actor: str,
    at: datetime,
    nota: str = "",
) -> None:
    """Record that the payer has these answers since `ocurrido_at`, and move what they answer.

    Raises BadInput when the date is in the future or before the notice (or, in the second round, the decision) that
    an answer replies to, and InvalidTransition when an answer is not on its way (`en_envio`). All or none.
    """
    hecho = Hecho(ocurrido_at, actor, at, Reason.REGISTRO_MANUAL, tuple(evidence), nota, nivel)
    things: list[LegalThing] = [_thing(session, one) for one in respuestas]
    lock_all(session, [*things, *respuestas])
    steps = [_plan(session, one, hecho) for one in sorted(respuestas, key=lambda row: row.id)]
    moves: list[Move] = []
    for step in steps:
        step.respuesta.presentada_at = ocurrido_at
        moves.append(_move(step.respuesta, EventoRespuesta.PRESENTAR, hecho, {"nivel": nivel}))
        if step.event is not None:
            _before(step, hecho)
            moves.append(
                _move(step.thing, step.event, hecho, {"respuesta": step.respuesta.id, "aceptado": step.accepted})
            )
    advance_all(session, moves, actor=actor, at=at)
    for step in steps:
        _after(session, step, hecho)
    session.flush()


def apply_again(session: Session, respuesta: Respuesta, hecho: Hecho) -> int:
    """Let an answer that the payer has move its objection, just reopened; returns what it accepts, in centavos.

    The answer was recorded when it arrived and had no effect then: an acceptance by silence stood in its way.
    """
    assert respuesta.presentada_at is not None
    thing = _thing(session, respuesta)
    dated = Hecho(respuesta.presentada_at, hecho.actor, hecho.at, hecho.motivo, hecho.evidence, hecho.texto)
    step = _plan(session, respuesta, dated)
    assert step.event is not None
    _before(step, dated)
    advance_all(session, [_move(thing, step.event, dated, {"respuesta": respuesta.id})], actor=hecho.actor, at=hecho.at)
    return step.accepted


def _thing(session: Session, respuesta: Respuesta) -> Glosa | Devolucion:
    if respuesta.glosa_id is not None:
        return session.get_one(Glosa, respuesta.glosa_id)
    return session.get_one(Devolucion, respuesta.devolucion_id)


def _move(thing: LegalThing, event: StrEnum, hecho: Hecho, facts: dict[str, Any]) -> Move:
    return Move(thing, event, hecho.motivo, hecho.texto, {**facts, "ocurrido": hecho.ocurrido_at}, hecho.evidence)


def _plan(session: Session, respuesta: Respuesta, hecho: Hecho) -> _Step:
    thing = _thing(session, respuesta)
    if isinstance(thing, Glosa):
        return _plan_glosa(session, respuesta, thing, hecho)
    check_dates(hecho, thing.notificada_at, "la notificación de la devolución")
    return _plan_devolucion(session, respuesta, thing, hecho)


def _plan_glosa(session: Session, respuesta: Respuesta, glosa: Glosa, hecho: Hecho) -> _Step:
    check_dates(hecho, glosa.notificada_at, "la notificación de la glosa")
    if glosa.estado in _SECOND:
        if glosa.decidida_at is not None:
            check_dates(hecho, glosa.decidida_at, "la decisión del pagador que se responde")
        plazo = clocks.kept(term_of(session, glosa), glosa.decidida_at or glosa.notificada_at, hecho.ocurrido_at)
        event, accepted = _second(respuesta, glosa.en_disputa)
        return _Step(respuesta, glosa, event, accepted, plazo)
    corre = term_of(session, glosa, EstadoGlosa.FORMULADA)
    plazo = clocks.kept(corre, glosa.notificada_at, hecho.ocurrido_at)
    if glosa.estado is EstadoGlosa.FORMULADA:
        event, accepted = _first(respuesta, glosa.en_disputa)
        return _Step(respuesta, glosa, event, accepted, plazo)
    if glosa.estado is EstadoGlosa.ACEPTADA_TACITA and plazo.get("oportuno") is not False:
        event, accepted = _first(respuesta, glosa.aceptado)
        if event is not EventoGlosa.ACEPTAR:
            return _Step(respuesta, glosa, event, accepted, plazo, tacit=True)
    return _Step(respuesta, glosa, None, 0, plazo, note=_stays(glosa))


def _first(respuesta: Respuesta, at_stake: int) -> tuple[StrEnum, int]:
    amount = _accepted(respuesta, at_stake)
    if respuesta.decision is Decision.ACEPTAR or (amount and amount == at_stake):
        return EventoGlosa.ACEPTAR, at_stake
    return (EventoGlosa.ACEPTAR_PARTE, amount) if amount else (EventoGlosa.RESPONDER, 0)


def _second(respuesta: Respuesta, at_stake: int) -> tuple[StrEnum, int]:
    amount = _accepted(respuesta, at_stake)
    if respuesta.decision is Decision.ACEPTAR or (amount and amount == at_stake):
        return EventoGlosa.ACEPTAR, at_stake
    return EventoGlosa.SUBSANAR, amount


def _accepted(respuesta: Respuesta, at_stake: int) -> int:
    """Return what an answer accepts, never more than what is at stake."""
    return min(respuesta.valor_aceptado, at_stake) if respuesta.decision is Decision.ACEPTAR_PARTE else 0


def _plan_devolucion(session: Session, respuesta: Respuesta, devolucion: Devolucion, hecho: Hecho) -> _Step:
    whole = respuesta.decision is Decision.ACEPTAR
    plazo = clocks.kept(
        term_of(session, devolucion, EstadoDevolucion.FORMULADA), devolucion.notificada_at, hecho.ocurrido_at
    )
    if devolucion.estado is EstadoDevolucion.FORMULADA:
        event = EventoDevolucion.ACEPTAR if whole else EventoDevolucion.RESPONDER
        return _Step(respuesta, devolucion, event, devolucion.valor if whole else 0, plazo)
    if devolucion.estado is EstadoDevolucion.ACEPTADA_TACITA and not whole and plazo.get("oportuno") is not False:
        return _Step(respuesta, devolucion, EventoDevolucion.RESPONDER, 0, plazo, tacit=True)
    if devolucion.estado is EstadoDevolucion.REITERADA and whole:
        return _Step(respuesta, devolucion, EventoDevolucion.ACEPTAR, devolucion.valor, plazo)
    return _Step(respuesta, devolucion, None, 0, plazo, note=_stays(devolucion))


def _stays(thing: Glosa | Devolucion) -> str:
    label = thing.MACHINE.labels[thing.estado].lower()
    return f"La respuesta llegó al pagador cuando el caso ya estaba «{label}»: ni su estado ni su dinero cambiaron."


def _before(step: _Step, hecho: Hecho) -> None:
    """Set what must hold before the state changes: money that leaves the dispute, and the date of the answer."""
    if isinstance(step.thing, Glosa):
        step.thing.respondida_at = hecho.ocurrido_at
        if not step.tacit:
            set_balance(step.thing, balance_of(step.thing).accept(step.accepted))


def _after(session: Session, step: _Step, hecho: Hecho) -> None:
    thing, tipo = step.thing, TipoActo.RESPUESTA
    if step.tacit and isinstance(thing, Glosa):
        # Only now: while it stood as accepted, nothing of it could be in dispute.
        set_balance(thing, balance_of(thing).restore(thing.aceptado).accept(step.accepted))
    if step.event is EventoGlosa.SUBSANAR or step.respuesta.ronda > 1:
        tipo = TipoActo.SUBSANACION
    note = f"{hecho.texto} {step.note}".strip()
    told = Hecho(hecho.ocurrido_at, hecho.actor, hecho.at, hecho.motivo, hecho.evidence, note, hecho.nivel)
    record_act(
        session, thing, tipo, told, autor="ips", ronda=step.respuesta.ronda, codigo=step.respuesta.codigo,
        aceptado=step.accepted, plazo=step.plazo,
    )  # fmt: skip
    if step.event is None:
        ask(
            session,
            thing,
            ClaseTarea.REVISAR_SILENCIO,
            f"Respuesta sin efecto: {name_of(session, thing)}",
            hecho.at,
            note,
        )
        return
    set_term(session, thing)
    extra = [ClaseTarea.EMITIR_NOTA_CREDITO] if step.tacit else []
    settle_tasks(session, thing, hecho, "Se respondió", *extra)
    if step.accepted or step.event is EventoGlosa.ACEPTAR:
        ask_credit_note(session, thing, step.accepted, hecho.at)
