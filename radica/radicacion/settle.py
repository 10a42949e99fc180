"""Unknown outcomes: fence the attempt, read the portal, and settle as found, absent, or by a person.

Invariant: the lane stays busy until the attempt is fenced; a new attempt is made only after *absent* was decided by
`outcomes.decide`; a person who decides leaves evidence and a reason (DESIGN section 5.6).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bots.contract import Outcome, Result
from radica.audit.models import Reason
from radica.audit.services import advance
from radica.custodia.models import Pieza
from radica.jobs.clock import now_ms
from radica.jobs.models import Job, JobState, Lane
from radica.jobs.queue import enqueue, release_lane, settle_unknown
from radica.kernel.errors import BadInput, InvalidTransition
from radica.kernel.money import to_cents
from radica.portales.models import CuentaPortal
from radica.radicacion.attempts import PROVING, lock_attempt, set_attempt
from radica.radicacion.effects import Acuse
from radica.radicacion.models import Envio, Intento, Lectura
from radica.radicacion.outcomes import Decision, Reading, Veredicto, decide, payer_time
from radica.radicacion.services import (
    KIND_LOOK_UP,
    close_with_acuse,
    enqueue_filing,
    facturas_of,
    reject,
)
from radica.radicacion.states import POR_CONFIRMAR, EstadoEnvio, EstadoIntento, EventoEnvio
from radica.users.models import ClaseTarea
from radica.users.tasks import close_tasks, open_task

SEEN = frozenset({Veredicto.HALLADA, Veredicto.SIN_NUMERO})
NOT_RETRYABLE = frozenset({"sin_consulta", "no_dice", "consulta_ambigua", "valor_ilegible"})
"""Codes of `cannot_say` that another reading cannot mend."""
ONE_DAY = timedelta(days=1)


def mark_unknown(session: Session, *, at: datetime) -> list[Intento]:
    """Follow the reaper: attempts that were sending and whose job is not theirs any more are *por confirmar*.

    Skips what another process holds: it judges that attempt itself.
    """
    rows = list(
        session.scalars(
            select(Intento)
            .join(Job, Job.id == Intento.job_id)
            .where(
                Intento.estado == EstadoIntento.ENVIANDO,
                or_(Job.state != JobState.RUNNING, Job.token != Intento.token),
            )
            .order_by(Intento.id)
            .with_for_update(of=Intento, skip_locked=True)
        )
    )
    for row in rows:
        set_attempt(
            row,
            EstadoIntento.DESCONOCIDO,
            at=at,
            resultado="unknown",
            codigo="sin_respuesta",
            detalle="El proceso que enviaba no respondió antes de su límite.",
        )
    return rows


def unfenced(session: Session, host: str) -> list[Intento]:
    """Return the attempts of this host that ended without a certain end of their processes.

    Those that still hold their lane, and those to be confirmed: nobody may settle one as absent before its fence.
    """
    rows = session.scalars(
        select(Intento)
        .join(Job, Job.id == Intento.job_id)
        .outerjoin(Lane, Lane.busy_job_id == Job.id)
        .where(
            Intento.host == host,
            Intento.cercado_at.is_(None),
            Intento.intent_at.is_not(None),
            Job.state.not_in([JobState.READY, JobState.RUNNING]),
            or_(Lane.id.is_not(None), Intento.estado.in_(POR_CONFIRMAR)),
        )
        .order_by(Intento.id)
    )
    return list(rows)


def record_fence(session: Session, intento_id: int, *, at: datetime) -> bool:
    """Write that no process of the attempt lives any more; free its lane and put look_up first in it.

    Call it only after the host found none. False when another worker was first.
    """
    intento = session.get_one(Intento, intento_id, with_for_update=True, populate_existing=True)
    if intento.cercado_at is not None:
        return False
    intento.cercado_at, intento.cercado_ms = at, now_ms(session)
    release_lane(session, intento.job_id)
    if intento.estado is EstadoIntento.DESCONOCIDO:
        _enqueue_reading(session, intento, delay_ms=0)
    return True


def _enqueue_reading(session: Session, intento: Intento, *, delay_ms: int) -> None:
    envio = session.get_one(Envio, intento.envio_id)
    assert envio.cuenta_id is not None
    account = session.get_one(CuentaPortal, envio.cuenta_id)
    enqueue(
        session,
        KIND_LOOK_UP,
        payload={"intento_id": intento.id},
        prestador_id=envio.prestador_id,
        lane_id=account.lane_id,
        subject=envio.case_key,
        priority=0,  # the next job of its lane
        dedup=f"{KIND_LOOK_UP}:{intento.id}",
        delay_s=max(0, -(-delay_ms // 1000)),
    )


def record_reading(session: Session, intento_id: int, result: Result, *, asked_ms: int, at: datetime) -> Lectura:
    """Add what look_up answered. A found that lacks one of the invoices is no answer: it is *cannot_say*.

    `asked_ms`: database clock before the portal was asked. An answer may be written long after it was given, and only
    the moment of the question says what it can prove.
    """
    intento = session.get_one(Intento, intento_id)
    code, valor = result.code, None
    resultado, detalle = str(result.outcome), result.message or result.text or ""
    if result.outcome is Outcome.STOPPED:
        resultado, code, detalle = "cannot_say", None, "La consulta se detuvo."
    elif result.outcome is Outcome.FOUND and not _covers(session, intento, result):
        resultado, code, detalle = "cannot_say", "respuesta_incompleta", "La consulta no trae todas las facturas."
    try:
        valor = to_cents(result.valor) if result.valor is not None else None
    except BadInput as exc:
        resultado, code, detalle = "cannot_say", "valor_ilegible", exc.message
    row = Lectura(
        prestador_id=intento.prestador_id,
        intento_id=intento.id,
        at=at,
        at_ms=asked_ms,
        resultado=resultado,
        radicado=result.radicado,
        fecha=payer_time(result.fecha),
        valor=valor,
        detalle=f"{code}: {detalle}" if code else detalle,
    )
    session.add(row)
    session.flush()
    return row


def _covers(session: Session, intento: Intento, result: Result) -> bool:
    envio = session.get_one(Envio, intento.envio_id)
    return {row.numero for row in facturas_of(session, envio)} <= {row.numero for row in result.facturas}


def settle(session: Session, intento_id: int, pieces: Sequence[Pieza], *, actor: str, at: datetime) -> Decision | None:
    """Decide an unknown attempt from its readings and act on it. `pieces`: sealed evidence of the last reading.

    None when it was settled meanwhile.
    """
    intento = lock_attempt(session, intento_id)
    if intento.estado is not EstadoIntento.DESCONOCIDO:
        return None
    envio = session.get_one(Envio, intento.envio_id)
    assert envio.cuenta_id is not None
    account = session.get_one(CuentaPortal, envio.cuenta_id)
    decision = decide(
        readings_of(session, intento),
        fenced_ms=intento.cercado_ms,
        settle_ms=account.asentamiento_s * 1000,
        intent_at=intento.intent_at or intento.iniciado_at,
        valor=envio.valor,
    )
    hashes = tuple(sorted({piece.sha256 for piece in pieces}))
    if decision.veredicto in SEEN and not {piece.clase for piece in pieces} & PROVING:
        decision = Decision(Veredicto.PERSONA, "El portal la muestra, pero no se pudo guardar la prueba.")
    if decision.veredicto is Veredicto.ESPERAR:
        assert decision.leer_despues_ms is not None
        wait_ms = max(decision.leer_despues_ms - now_ms(session), decision.pausa_ms)
        _enqueue_reading(session, intento, delay_ms=wait_ms)
    elif decision.veredicto in SEEN:
        _settle_found(session, intento, envio, decision, hashes, actor=actor, at=at)
    elif decision.veredicto is Veredicto.AUSENTE:
        settle_absent(session, intento, envio, decision.motivo, hashes, actor=actor, at=at)
    else:
        ask_person(session, intento, envio, decision, at=at)
    return decision


def readings_of(session: Session, intento: Intento) -> list[Reading]:
    """Return the readings of an attempt in the order in which the portal was asked."""
    rows = session.scalars(select(Lectura).where(Lectura.intento_id == intento.id).order_by(Lectura.at_ms, Lectura.id))
    return [
        Reading(
            resultado=row.resultado,
            at_ms=row.at_ms,
            radicado=row.radicado,
            fecha=row.fecha,
            valor=row.valor,
            reintentable=row.detalle.split(":", 1)[0] not in NOT_RETRYABLE,
        )
        for row in rows
    ]


def _settle_found(
    session: Session,
    intento: Intento,
    envio: Envio,
    decision: Decision,
    hashes: tuple[str, ...],
    *,
    actor: str,
    at: datetime,
) -> None:
    reading = decision.reading
    assert reading is not None
    filed = decision.veredicto is Veredicto.HALLADA
    end_attempt(session, intento, EstadoIntento.HALLADO, at=at, detalle=decision.motivo)
    acuse = Acuse(
        nivel=2 if filed else 1,
        radicado=reading.radicado if filed else None,
        # A date of the future is kept in the evidence, not in the clock of the invoice.
        fecha=reading.fecha if reading.fecha and reading.fecha <= at + ONE_DAY else intento.intent_at or at,
        evidence=hashes,
        reason=Reason.CONSULTA_POSTERIOR,
        note=decision.motivo,
    )
    close_with_acuse(session, envio, acuse, actor=actor, at=at)


def settle_absent(
    session: Session,
    intento: Intento,
    envio: Envio,
    motivo: str,
    hashes: tuple[str, ...],
    *,
    actor: str,
    at: datetime,
    reason: str = Reason.CONSULTA_POSTERIOR,
) -> None:
    """Settle as absent and make the new attempt: a new job, never the old one again."""
    if intento.cercado_at is None:
        raise BadInput("El proceso que envió no se ha dado por terminado; aún no se puede reintentar.")
    end_attempt(session, intento, EstadoIntento.AUSENTE, at=at, detalle=motivo)
    facts = {"intento": intento.numero}
    advance(
        session,
        envio,
        EventoEnvio.CONFIRMAR_AUSENTE,
        actor=actor,
        at=at,
        reason=reason,
        note=motivo,
        facts=facts,
        evidence=hashes,
    )
    assert envio.cuenta_id is not None
    enqueue_filing(session, envio, session.get_one(CuentaPortal, envio.cuenta_id))
    clases = [ClaseTarea.CONFIRMAR_RESULTADO]
    close_tasks(session, envio.case_key, por=actor, resultado=motivo, at=at, clases=clases)


def ask_person(session: Session, intento: Intento, envio: Envio, decision: Decision, *, at: datetime) -> None:
    """Hand an outcome that the portal cannot settle to a person; for the queue it is over."""
    end_attempt(session, intento, EstadoIntento.ESPERA_PERSONA, at=at, detalle=decision.motivo)
    outside = decision.veredicto is Veredicto.POR_FUERA
    open_task(
        session,
        ClaseTarea.RADICADA_POR_FUERA if outside else ClaseTarea.CONFIRMAR_RESULTADO,
        prestador_id=envio.prestador_id,
        case_key=envio.case_key,
        titulo=decision.motivo,
        at=at,
    )


def person_found(session: Session, envio: Envio, acuse: Acuse, *, actor: str, at: datetime) -> None:
    """A person settles, with sealed evidence, that the payer holds the filing (any open or unnumbered envío).

    Refused while a bot is pressing the button: its own answer comes within minutes.
    """
    _refuse_while_sending(session, envio)
    for intento in _open_attempts(session, envio):
        end_attempt(session, intento, EstadoIntento.HALLADO, at=at, detalle="Lo confirmó una persona.")
    close_with_acuse(session, envio, acuse, actor=actor, at=at)


def person_absent(
    session: Session,
    envio: Envio,
    motivo: str,
    evidence: Sequence[str],
    *,
    actor: str,
    at: datetime,
    host_apagado: bool = False,
) -> None:
    """A person settles, with evidence and reason, that the payer does not hold it: a new attempt is made.

    Refused while a process of the attempt may live (not fenced): that would be the double filing. `host_apagado`
    is the person's word that the machine that sent is off for good, which fences it.
    """
    if not motivo.strip() or not evidence:
        raise BadInput(
            "Falta el motivo o la evidencia de que el pagador no la tiene.",
            todo="Adjunte la respuesta del pagador o la captura de su consulta.",
        )
    _refuse_while_sending(session, envio)
    attempts = _open_attempts(session, envio)
    if not attempts:
        raise InvalidTransition("Este envío no tiene un resultado por confirmar.", todo="Recargue la página.")
    for intento in attempts:
        if envio.estado is EstadoEnvio.PREPARADO:  # nothing was sent in this attempt: the payer spoke before
            end_attempt(session, intento, EstadoIntento.TERMINADO, at=at, detalle=motivo)
            assert envio.cuenta_id is not None
            enqueue_filing(session, envio, session.get_one(CuentaPortal, envio.cuenta_id))
            continue
        if intento.cercado_at is None and host_apagado:
            intento.cercado_at, intento.cercado_ms = at, now_ms(session)
            release_lane(session, intento.job_id)
        settle_absent(
            session, intento, envio, motivo, tuple(evidence), actor=actor, at=at, reason=Reason.DECISION_DE_PERSONA
        )
    close_tasks(session, envio.case_key, por=actor, resultado=motivo, at=at)


def person_rejected(
    session: Session, envio: Envio, motivo: str, evidence: Sequence[str], *, actor: str, at: datetime
) -> None:
    """A person registers that the payer refused it."""
    _refuse_while_sending(session, envio)
    for intento in _open_attempts(session, envio):
        end_attempt(session, intento, EstadoIntento.TERMINADO, at=at, detalle=motivo)
    reject(session, envio, motivo, actor=actor, at=at, evidence=evidence, reason=Reason.REGISTRO_MANUAL)


def _refuse_while_sending(session: Session, envio: Envio) -> None:
    sending = session.scalar(
        select(Intento.id).where(Intento.envio_id == envio.id, Intento.estado == EstadoIntento.ENVIANDO)
    )
    if sending is not None:
        raise InvalidTransition(
            "Un bot está enviando esta factura en este momento; no se cambió nada.",
            todo="Espere su respuesta: llega en pocos minutos.",
            code="bot_enviando",
        )


def _open_attempts(session: Session, envio: Envio) -> list[Intento]:
    rows = session.scalars(
        select(Intento)
        .where(Intento.envio_id == envio.id, Intento.estado.in_(POR_CONFIRMAR))
        .order_by(Intento.id)
        .with_for_update()
    )
    return list(rows)


def end_attempt(
    session: Session, intento: Intento, estado: EstadoIntento, *, at: datetime, detalle: str | None
) -> None:
    """Set an attempt's end; for the queue its unknown outcome is over, and its lane waits for the fence."""
    set_attempt(intento, estado, at=at, detalle=detalle)
    session.flush()
    job = session.get_one(Job, intento.job_id)
    if job.state is JobState.OUTCOME_UNKNOWN:
        settle_unknown(session, job.id, JobState.DONE)
