"""What a signed acta does to the objections on its table: money moves as agreed, the rest becomes definitive.

Invariant: of each line levantado + aceptado + sigue is what is in dispute at that moment, or nothing is posted; what
nothing is left of is conciliada. Norms: Circular conjunta 030/2013; Ley 1438/2011 art. 57 (GLO-08).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from radica.audit.models import Reason
from radica.audit.services import Move, advance_all
from radica.glosas.acts_base import (
    Hecho,
    ask_credit_note,
    balance_of,
    check_dates,
    hold,
    name_of,
    record_act,
    set_balance,
    set_term,
    settle_tasks,
)
from radica.glosas.decisions import ask_what_now
from radica.glosas.models import Devolucion, Glosa, TipoActo
from radica.glosas.states import EstadoDevolucion, EventoDevolucion, EventoGlosa
from radica.kernel.errors import BadInput, InvalidTransition
from radica.kernel.money import format_cop


@dataclass(frozen=True)
class ActaLinea:
    """What was agreed on one line, in centavos; exactly one of `glosa_id` and `devolucion_id`."""

    levantado: int
    aceptado: int
    sigue: int
    glosa_id: int | None = None
    devolucion_id: int | None = None


def apply_acta(
    session: Session,
    lines: Sequence[ActaLinea],
    *,
    conciliacion_case: str,
    ocurrido_at: datetime,
    evidence: Sequence[str],
    actor: str,
    at: datetime,
) -> None:
    """Post a signed acta to its objections, all or none; ask for the credit notes of what was accepted.

    `conciliacion_case` (`conciliacion:7`) goes into each act. Raises BadInput when a line does not add up to what is
    in dispute now, or the date is in the future or before the notice; InvalidTransition when a line was closed.
    """
    hecho = Hecho(ocurrido_at, actor, at, Reason.DECISION_DE_PERSONA, tuple(evidence), conciliacion_case)
    pairs = [(line, _thing(session, line)) for line in lines]
    hold(session, [thing for _, thing in pairs])
    moves: list[Move] = []
    for line, thing in pairs:
        check_dates(hecho, thing.notificada_at, "la notificación")
        _check_sum(session, line, thing)
        event = _event(line, thing)
        if isinstance(thing, Glosa):
            set_balance(thing, balance_of(thing).lift(line.levantado).accept(line.aceptado))
            thing.decidida_at = ocurrido_at
        if event is not None:
            facts = {"conciliacion": conciliacion_case, "levantado": line.levantado, "aceptado": line.aceptado,
                     "sigue": line.sigue}  # fmt: skip
            moves.append(Move(thing, event, hecho.motivo, "", facts, hecho.evidence))
    advance_all(session, moves, actor=actor, at=at)
    for line, thing in pairs:
        _after(session, line, thing, hecho)
    session.flush()


def _thing(session: Session, line: ActaLinea) -> Glosa | Devolucion:
    if line.glosa_id is not None:
        return session.get_one(Glosa, line.glosa_id)
    return session.get_one(Devolucion, line.devolucion_id)


def _check_sum(session: Session, line: ActaLinea, thing: Glosa | Devolucion) -> None:
    at_stake = thing.en_disputa if isinstance(thing, Glosa) else thing.valor
    agreed = (line.levantado, line.aceptado, line.sigue)
    if min(agreed) < 0 or sum(agreed) != at_stake:
        raise BadInput(
            f"Lo acordado sobre la {name_of(session, thing)} suma {format_cop(sum(agreed))} y en disputa hay "
            f"{format_cop(at_stake)}; no se aplicó el acta.",
            todo="Actualice la mesa de trabajo con los valores de hoy.",
            code="acta_no_cuadra",
        )


def _event(line: ActaLinea, thing: Glosa | Devolucion) -> StrEnum | None:
    if isinstance(thing, Glosa):
        return EventoGlosa.CONCILIAR_PARTE if line.sigue else EventoGlosa.CONCILIAR
    if thing.estado is not EstadoDevolucion.REITERADA:
        raise InvalidTransition(
            f"Solo se concilia una devolución reiterada; esta está «{Devolucion.MACHINE.labels[thing.estado].lower()}».",
            code="transicion_invalida",
        )
    # The norm knows no partial devolución: while something of it is in dispute it stays as it is.
    return None if line.sigue else EventoDevolucion.CONCILIAR


def _after(session: Session, line: ActaLinea, thing: Glosa | Devolucion, hecho: Hecho) -> None:
    record_act(
        session, thing, TipoActo.CONCILIACION, hecho, autor="ambos", codigo="acta", aceptado=line.aceptado,
        levantado=line.levantado, ronda=thing.ronda if isinstance(thing, Glosa) else 1,
    )  # fmt: skip
    set_term(session, thing)
    settle_tasks(session, thing, hecho, f"Se llevó al acta de {hecho.texto}")
    if line.aceptado:
        ask_credit_note(session, thing, line.aceptado, hecho.at)
    if line.sigue:
        ask_what_now(session, thing, hecho.at)
