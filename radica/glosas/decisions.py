"""What the payer decides on an objection, and what a person declares when nothing more can be mended.

Invariant: a decision never raises what is in dispute, is never dated before the answer it decides on, and counts
once however often it is loaded; what does not fit is refused whole, with both dates or both amounts. Norms: Ley
1438/2011 art. 57 (GLO-04 to GLO-08), Res. 2284/2023 art. 6.3 (DEV-03).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.services import advance
from radica.glosas import clocks
from radica.glosas.acts_base import (
    Hecho,
    ask,
    ask_credit_note,
    balance_of,
    check_dates,
    hold,
    last_answer,
    name_of,
    payer_kind,
    record_act,
    set_balance,
    set_term,
    settle_tasks,
    term_of,
)
from radica.glosas.models import Acto, Devolucion, Glosa, TipoActo
from radica.glosas.states import EstadoDevolucion, EstadoGlosa, EventoDevolucion, EventoGlosa
from radica.kernel.errors import BadInput, InvalidTransition
from radica.kernel.money import format_cop
from radica.users.models import ClaseTarea

G = EstadoGlosa
_LIFTED, _PART, _RATIFIED = "levanta", "parcial", "ratifica"


def decide(
    session: Session,
    glosa: Glosa,
    *,
    levantado: int,
    ratificado: bool,
    ocurrido_at: datetime,
    evidence: Sequence[str],
    actor: str,
    at: datetime,
    motivo: str,
    texto: str = "",
    expected_version: int | None = None,
) -> Acto:
    """Record the payer's decision: `levantado` centavos now, and whether the rest is `ratificado`.

    Everything in dispute lifted ends the glosa; a part lifted leaves the rest for a second answer. Raises BadInput
    with code `decision_repetida` (the same decision again), `fecha_anterior`, `fecha_futura`, `mas_que_en_disputa`
    or `decision_vacia`; InvalidTransition when the state admits no such decision. Nothing changed then.
    """
    hecho = Hecho(ocurrido_at, actor, at, motivo, tuple(evidence), texto)
    siblings = _siblings(session, glosa)
    # The other causes of the item are held too: who decides on one of them at once would wait for the tasks of this one.
    hold(session, [glosa, *siblings])
    hold(session, [glosa], expected_version)
    at_stake = glosa.aceptado if glosa.estado is G.ACEPTADA_TACITA else glosa.en_disputa
    word = _word(levantado, ratificado=ratificado, at_stake=at_stake)
    _refuse_again(session, glosa, hecho, word, levantado)
    _check_order(glosa, hecho, word)
    event = {
        _LIFTED: EventoGlosa.LEVANTAR, _PART: EventoGlosa.LEVANTAR_PARTE, _RATIFIED: EventoGlosa.RATIFICAR,
    }[word]  # fmt: skip
    after = Glosa.MACHINE.next(glosa.estado, event)
    plazo = _kept(session, glosa, hecho)
    if levantado:
        plazo["pago"] = clocks.pay_until(ocurrido_at, pagador=payer_kind(session, glosa.pagador_id))
    tacit = glosa.estado is G.ACEPTADA_TACITA
    balance = balance_of(glosa)
    set_balance(glosa, (balance.restore(levantado) if tacit else balance).lift(levantado))
    glosa.decidida_at = ocurrido_at
    ronda = glosa.ronda
    if after in (G.EN_SUBSANACION, G.LEVANTADA_PARCIAL):
        glosa.ronda += 1
    _advance(session, glosa, event, hecho, {"levantado": levantado, "ratificado": ratificado})
    act = record_act(
        session, glosa, TipoActo.DECISION, hecho, autor="pagador", ronda=ronda, codigo=word, levantado=levantado,
        plazo=plazo,
    )  # fmt: skip
    set_term(session, glosa)
    extra = [ClaseTarea.EMITIR_NOTA_CREDITO] if tacit else []
    settle_tasks(session, glosa, hecho, "El pagador decidió", *extra)
    if after is G.DEFINITIVA:
        ask_what_now(session, glosa, at)
    if levantado:
        _warn_siblings(session, glosa, siblings, at)
    session.flush()
    return act


def _word(levantado: int, *, ratificado: bool, at_stake: int) -> str:
    if not 0 <= levantado <= at_stake:
        raise BadInput(
            f"El pagador levanta {format_cop(levantado)} y en disputa hay {format_cop(at_stake)}; no se cambió nada.",
            todo="Revise el valor de la decisión.",
            code="mas_que_en_disputa",
        )
    if levantado == at_stake and (levantado or not ratificado):
        return _LIFTED
    if levantado:
        return _PART
    if ratificado:
        return _RATIFIED
    raise BadInput(
        "La decisión no levanta ningún valor ni ratifica la glosa; no se cambió nada.",
        todo="Indique qué decidió el pagador.",
        code="decision_vacia",
    )


def _refuse_again(session: Session, glosa: Glosa, hecho: Hecho, word: str, levantado: int) -> None:
    """Cumulative files bring old decisions again, often when a later answer already waits for the next one."""
    same = session.scalars(
        select(Acto.id).where(
            Acto.glosa_id == glosa.id,
            Acto.tipo == TipoActo.DECISION,
            Acto.ocurrido_at == hecho.ocurrido_at,
            Acto.codigo == word,
            Acto.levantado == levantado,
        )
    ).first()
    if same is not None:
        raise BadInput(
            "Esta decisión ya estaba registrada con la misma fecha y el mismo valor; no se cambió nada.",
            code="decision_repetida",
        )


def _check_order(glosa: Glosa, hecho: Hecho, word: str) -> None:
    check_dates(hecho, glosa.notificada_at, "la notificación de la glosa")
    # A payer may withdraw everything at any time; anything less decides on an answer and comes after it.
    if word != _LIFTED and glosa.respondida_at is not None:
        check_dates(hecho, glosa.respondida_at, "la respuesta sobre la que se decide")


def _kept(session: Session, glosa: Glosa, hecho: Hecho) -> dict[str, Any]:
    if glosa.respondida_at is None or clocks.turn(glosa.estado) != "pagador":
        return {}
    return clocks.kept(term_of(session, glosa), glosa.respondida_at, hecho.ocurrido_at)


def _advance(
    session: Session,
    thing: Glosa | Devolucion,
    event: EventoGlosa | EventoDevolucion,
    hecho: Hecho,
    facts: dict[str, Any],
) -> None:
    advance(
        session, thing, event, actor=hecho.actor, at=hecho.at, reason=hecho.motivo[:60], note=hecho.texto,
        facts={**facts, "ocurrido": hecho.ocurrido_at}, evidence=hecho.evidence,
    )  # fmt: skip


def ask_what_now(session: Session, thing: Glosa | Devolucion, at: datetime) -> None:
    """Open the task that asks a person which way to go: conciliation, Supersalud, judge, or to accept (GLO-08)."""
    title = f"Decidir la vía (conciliación, Supersalud, juez) o aceptar: {name_of(session, thing)}"
    ask(session, thing, ClaseTarea.DECIDIR_GLOSA, title, at)


def _siblings(session: Session, glosa: Glosa) -> Sequence[Glosa]:
    """Return the other open causes on the same item that count less than they object."""
    if glosa.item_id is None:
        return ()
    return session.scalars(
        select(Glosa)
        .where(
            Glosa.factura_id == glosa.factura_id, Glosa.item_id == glosa.item_id, Glosa.id != glosa.id,
            Glosa.exceso == 1, Glosa.turno != "",
        )
        .order_by(Glosa.id)
    ).all()  # fmt: skip


def _warn_siblings(session: Session, glosa: Glosa, siblings: Sequence[Glosa], at: datetime) -> None:
    """Tell a person when another open cause on the same item counts less than it objects: it may count now."""
    for other in (one for one in siblings if one.turno):
        detail = (
            f"Se levantó la {glosa.codigo} del mismo servicio. Esta objeta {format_cop(other.valor_objetado)} y cuenta "
            f"{format_cop(other.valor)} porque la otra ya ocupaba el valor del servicio: revise si sigue en pie."
        )
        ask(session, other, ClaseTarea.DECIDIR_GLOSA, f"Revisar lo que cuenta: {name_of(session, other)}", at, detail)


def decide_devolucion(
    session: Session,
    devolucion: Devolucion,
    levanta: bool,
    *,
    ocurrido_at: datetime,
    evidence: Sequence[str],
    actor: str,
    at: datetime,
    motivo: str,
    texto: str = "",
    expected_version: int | None = None,
) -> Acto:
    """Record that the payer withdraws a devolución (`levanta`) or insists on it.

    Insisting after its silence had lifted it counts only if it is dated inside DEV-03. Raises BadInput
    (`decision_repetida`, `fecha_anterior`, `fecha_futura`, `reiterada_tarde`) and InvalidTransition.
    """
    hecho = Hecho(ocurrido_at, actor, at, motivo, tuple(evidence), texto)
    hold(session, [devolucion], expected_version)
    word = "levanta" if levanta else "reitera"
    check_dates(hecho, devolucion.notificada_at, "la notificación de la devolución")
    last = session.scalars(
        select(Acto).where(Acto.devolucion_id == devolucion.id).order_by(Acto.id.desc()).limit(1)
    ).first()
    if last is not None and last.tipo is TipoActo.DECISION and last.codigo == word:
        raise BadInput("Esta decisión ya estaba registrada; no se cambió nada.", code="decision_repetida")
    answer = last_answer(session, devolucion)
    plazo: dict[str, Any] = {}
    if answer is not None and not levanta:
        check_dates(hecho, answer.ocurrido_at, "la respuesta sobre la que se decide")
    if answer is not None:
        plazo = clocks.kept(term_of(session, devolucion, EstadoDevolucion.RESPONDIDA), answer.ocurrido_at, ocurrido_at)
    if devolucion.estado is EstadoDevolucion.LEVANTADA and not levanta:
        _check_insisting(last, plazo)
    tacit = devolucion.estado is EstadoDevolucion.ACEPTADA_TACITA
    event = EventoDevolucion.LEVANTAR if levanta else EventoDevolucion.REITERAR
    _advance(session, devolucion, event, hecho, {"decision": word})
    act = record_act(session, devolucion, TipoActo.DECISION, hecho, autor="pagador", codigo=word, plazo=plazo)
    set_term(session, devolucion)
    settle_tasks(session, devolucion, hecho, "El pagador decidió", *([ClaseTarea.EMITIR_NOTA_CREDITO] if tacit else []))
    if not levanta:
        ask_what_now(session, devolucion, at)
    session.flush()
    return act


def _check_insisting(last: Acto | None, plazo: dict[str, Any]) -> None:
    if last is None or last.tipo is not TipoActo.SILENCIO:
        raise BadInput(
            "El pagador ya había levantado esta devolución de forma expresa; no se cambió nada.",
            todo="Si insiste, regístrelo como novedad en los comentarios y llévelo a conciliación.",
            code="ya_levantada",
        )
    if plazo.get("oportuno") is False:
        raise BadInput(
            f"El pagador insistió el {plazo['hasta']} y su término venció el {plazo['vence']}: la devolución sigue "
            "levantada por su silencio (Res. 2284/2023 art. 6.3).",
            code="reiterada_tarde",
        )


def declare_final(
    session: Session,
    glosa: Glosa,
    *,
    actor: str,
    at: datetime,
    motivo: str,
    texto: str = "",
    evidence: Sequence[str] = (),
    expected_version: int | None = None,
) -> Acto:
    """Declare that what is in dispute is definitive: nothing to mend, or the payer's last silence; a person says so."""
    hecho = Hecho(at, actor, at, motivo, tuple(evidence), texto)
    hold(session, [glosa], expected_version)
    _advance(session, glosa, EventoGlosa.DECLARAR_DEFINITIVA, hecho, {"en_disputa": glosa.en_disputa})
    act = record_act(session, glosa, TipoActo.CORRECCION, hecho, autor="ips", ronda=glosa.ronda, codigo="definitiva")
    set_term(session, glosa)
    settle_tasks(session, glosa, hecho, "Se declaró definitiva")
    ask_what_now(session, glosa, at)
    session.flush()
    return act


def accept_rest(
    session: Session,
    glosa: Glosa,
    *,
    ocurrido_at: datetime,
    actor: str,
    at: datetime,
    motivo: str,
    texto: str = "",
    evidence: Sequence[str] = (),
    expected_version: int | None = None,
) -> Acto:
    """Accept what is left of a ratified or definitive glosa: a person gives it up; its credit note is asked for.

    A first answer is presented to the payer instead: from other states it raises InvalidTransition.
    """
    hecho = Hecho(ocurrido_at, actor, at, motivo, tuple(evidence), texto)
    hold(session, [glosa], expected_version)
    check_dates(hecho, glosa.decidida_at or glosa.notificada_at, "el acto que se responde")
    left = glosa.en_disputa
    if glosa.estado not in (G.EN_SUBSANACION, G.LEVANTADA_PARCIAL, G.DEFINITIVA):
        raise InvalidTransition(
            f"No se puede aceptar lo que queda de una glosa «{Glosa.MACHINE.labels[glosa.estado].lower()}».",
            todo="Si falta responderla, prepare la respuesta.",
            code="transicion_invalida",
        )
    set_balance(glosa, balance_of(glosa).accept(left))
    _advance(session, glosa, EventoGlosa.ACEPTAR, hecho, {"aceptado": left})
    act = record_act(
        session, glosa, TipoActo.SUBSANACION, hecho, autor="ips", ronda=glosa.ronda, codigo="RE9702", aceptado=left
    )
    set_term(session, glosa)
    settle_tasks(session, glosa, hecho, "Se aceptó lo que quedaba")
    ask_credit_note(session, glosa, left, at)
    session.flush()
    return act
