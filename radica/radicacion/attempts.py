"""An attempt of a bot from its row to its result: begin, intent, and what a result does to the envío.

Invariant: the intent is written in one durable transaction with the job's phase, guarded by token and lease, before
the bot may press; a result moves the envío only through that same token, or, when it comes late, only by settling
an unknown as found. Evidence is sealed in every case (DESIGN sections 5.3, 5.5 and 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bots.contract import Category, Confidence, Outcome, Result
from radica.audit.models import Reason
from radica.audit.services import advance
from radica.custodia.models import Pieza
from radica.jobs.models import Job, JobState
from radica.jobs.queue import Claimed, Done, Unknown, finish_in, write_intent_in
from radica.kernel.errors import InvalidTransition
from radica.portales.models import CuentaPortal
from radica.portales.services import write_event
from radica.radicacion.effects import Acuse, effects_of
from radica.radicacion.models import Envio, Intento
from radica.radicacion.outcomes import payer_time
from radica.radicacion.services import close_with_acuse, enqueue_filing, reject
from radica.radicacion.states import ABIERTOS, EstadoEnvio, EstadoIntento, EventoEnvio
from radica.users.models import ClaseTarea
from radica.users.tasks import open_task

MAX_RETRIES = 6
"""Attempts that failed before sending, in a row, until a person is asked."""
RETRY_BASE_S = 60
PROVING = frozenset({"acuse_shot", "acuse_dom", "submit_response", "screenshot_after", "acuse_document"})
"""Kinds of evidence of which at least one must be sealed for a number to count as seen (level 2)."""
DOCUMENT = "acuse_document"
"""Kind of the payer's own document (level 3)."""


@dataclass(frozen=True)
class Applied:
    """What a result did, for the log and the screen."""

    estado: EstadoIntento
    retry_delay_s: int | None = None
    late: bool = False


def begin_attempt(
    session: Session, claimed: Claimed, *, host: str, folder_root: str, marker: str, at: datetime
) -> Intento | None:
    """Add the attempt row of a claimed filing. None when there is nothing (more) to file: the job is then finished.

    None too when the claim is lost: a worker that slept past its lease must not close the attempt of the next one. An
    earlier attempt that never reached its intent belongs to a worker that lost the job: it is closed here, since
    its own write_intent can only fail from now on.
    """
    envio = session.get(Envio, int(claimed.payload["envio_id"]), with_for_update=True, populate_existing=True)
    if not holds(session, claimed):
        return None
    if envio is None or envio.estado is not EstadoEnvio.PREPARADO or envio.canal != "bot":
        finish_in(session, claimed, outcome=Done())
        return None
    stale = session.scalars(
        select(Intento).where(Intento.envio_id == envio.id, Intento.estado == EstadoIntento.PREPARANDO)
    )
    for earlier in stale:
        set_attempt(earlier, EstadoIntento.TERMINADO, at=at, resultado="abandonado", codigo="trabajador_perdido")
    session.flush()
    unsettled = session.scalar(
        select(func.count())
        .select_from(Intento)
        .where(
            Intento.envio_id == envio.id,
            Intento.estado.in_([EstadoIntento.ENVIANDO, EstadoIntento.DESCONOCIDO, EstadoIntento.ESPERA_PERSONA]),
        )
    )
    if unsettled:
        finish_in(session, claimed, outcome=Done())
        return None
    last = session.scalar(select(func.max(Intento.numero)).where(Intento.envio_id == envio.id)) or 0
    intento = Intento(
        prestador_id=envio.prestador_id,
        envio_id=envio.id,
        numero=last + 1,
        job_id=claimed.id,
        token=claimed.token,
        marker=marker,
        host=host,
        carpeta=f"{folder_root}/{marker}",
        estado=EstadoIntento.PREPARANDO,
        iniciado_at=at,
        datos={},
    )
    session.add(intento)
    session.flush()
    return intento


def record_intent(
    session: Session, claimed: Claimed, intento_id: int, *, intent_id: str, limit_s: int, actor: str, at: datetime
) -> bool:
    """Write the intent: job, attempt and envío in the caller's durable transaction. False: say `stop`.

    Raises InvalidTransition when a person closed the envío meanwhile: the caller rolls back and says `stop`.
    """
    intento = lock_attempt(session, intento_id)
    if intento.estado is not EstadoIntento.PREPARANDO:
        raise InvalidTransition("Este intento ya se dio por terminado; no se envió nada.", code="intento_terminado")
    if not write_intent_in(session, claimed, limit_s, intent_id):
        return False
    intento.intent_id = intent_id
    intento.intent_at = at
    set_attempt(intento, EstadoIntento.ENVIANDO, at=None)
    envio = session.get_one(Envio, intento.envio_id)
    facts = {"intento": intento.numero, "intent": intent_id}
    advance(session, envio, EventoEnvio.INTENTAR, actor=actor, at=at, reason=Reason.ORDEN_AUTOMATICA, facts=facts)
    return True


def holds(session: Session, claimed: Claimed) -> bool:
    """Say whether a claim is still the job's own, and keep it so until the transaction ends."""
    query = select(Job.id).where(Job.id == claimed.id, Job.token == claimed.token, Job.state == JobState.RUNNING)
    return session.scalar(query.with_for_update()) is not None


def lock_attempt(session: Session, intento_id: int) -> Intento:
    """Lock the envío of an attempt, then the attempt, and read both again.

    Everybody who acts on an attempt locks in this order (a person begins with the envío); the job comes after it.
    """
    envio_id = session.scalars(select(Intento.envio_id).where(Intento.id == intento_id)).one()
    session.get_one(Envio, envio_id, with_for_update=True, populate_existing=True)
    return session.get_one(Intento, intento_id, with_for_update=True, populate_existing=True)


def apply_result(
    session: Session,
    claimed: Claimed | None,
    intento: Intento,
    result: Result,
    pieces: Sequence[Pieza],
    *,
    actor: str,
    at: datetime,
) -> Applied:
    """Apply a filing result whose evidence is sealed. `claimed` None: it came late or was adopted from a folder.

    The job is finished through its token; when that fails the result is late too.
    """
    intento.sellado_at = at
    if result.outcome is Outcome.STOPPED:
        result = _stopped(result)
    acuse = acuse_of(result, pieces, intento, at)
    job_outcome = _job_outcome(result, acuse)
    on_time = claimed is not None and finish_in(session, claimed, outcome=job_outcome)
    if not on_time:
        return _late(intento, result)
    envio = session.get_one(Envio, intento.envio_id, with_for_update=True, populate_existing=True)
    if envio.estado not in ABIERTOS:  # a person closed it meanwhile; the evidence is sealed, the envío stays
        set_attempt(
            intento, EstadoIntento.TERMINADO, at=at, resultado=str(result.outcome), codigo="cerrado_por_persona"
        )
        return Applied(EstadoIntento.TERMINADO)
    if acuse is not None:
        set_attempt(intento, EstadoIntento.TERMINADO, at=at, resultado=str(result.outcome), detalle=result.text)
        session.flush()
        close_with_acuse(session, envio, acuse, actor=actor, at=at)
        return Applied(EstadoIntento.TERMINADO)
    if result.outcome is Outcome.REJECTED:
        set_attempt(intento, EstadoIntento.TERMINADO, at=at, resultado="rejected", detalle=result.reason)
        session.flush()
        words = (result.reason or "").strip() or "El portal rechazó el envío y no dijo por qué."
        reject(session, envio, words, actor=actor, at=at, evidence=[p.sha256 for p in pieces])
        return Applied(EstadoIntento.TERMINADO)
    if result.outcome is Outcome.NOT_SUBMITTED:
        return _not_submitted(session, intento, envio, result, actor=actor, at=at)
    if result.outcome is Outcome.DUPLICATE:
        return _already_known(session, intento, envio, result, at=at)
    set_attempt(
        intento, EstadoIntento.DESCONOCIDO, at=at, resultado="unknown", codigo=result.code, detalle=result.message
    )
    return Applied(EstadoIntento.DESCONOCIDO)


def acuse_of(result: Result, pieces: Sequence[Pieza], intento: Intento, at: datetime) -> Acuse | None:
    """Return what an accepted result proves, None when it proves too little to count.

    Level 3 needs a sealed document of the payer; level 2 a number read without doubt and one sealed piece of the
    acuse; without number it is level 1 (reference/portales.md C.5).
    """
    if result.outcome is not Outcome.ACCEPTED or result.confidence is Confidence.BAJA:
        return None
    kinds = {piece.clase for piece in pieces}
    if not kinds & PROVING:
        return None
    level = 1
    if result.radicado:
        issued = {piece.nombre for piece in pieces if piece.clase == DOCUMENT}
        level = 3 if result.document in issued else 2
    said = payer_time(result.fecha)
    started = intento.intent_at or intento.iniciado_at
    # A payer's time far from ours is kept in the evidence, not in the clock of the invoice.
    believable = said is not None and abs((said - started).total_seconds()) < 86_400
    return Acuse(
        nivel=level,
        radicado=result.radicado,
        fecha=said if believable and said is not None else at,
        evidence=tuple(sorted({piece.sha256 for piece in pieces})),
        note="" if believable else "Fecha de nuestro reloj: la del pagador no se pudo leer.",
    )


def set_attempt(
    intento: Intento,
    estado: EstadoIntento,
    *,
    at: datetime | None,
    resultado: str | None = None,
    codigo: str | None = None,
    detalle: str | None = None,
) -> None:
    """Set the technical state of an attempt (it moves on processes, so no link of the legal chain)."""
    setattr(intento, "estado", estado)  # noqa: B010 - the one place that moves attempts; see test_house_rules
    intento.terminado_at = at or intento.terminado_at
    intento.resultado = resultado or intento.resultado
    intento.codigo = codigo or intento.codigo
    intento.detalle = detalle or intento.detalle


def _job_outcome(result: Result, acuse: Acuse | None) -> Done | Unknown:
    if result.outcome is Outcome.UNKNOWN or (result.outcome is Outcome.ACCEPTED and acuse is None):
        return Unknown(result.code or "lectura_dudosa", result.message or "")
    return Done()  # a retry is a new job: a job past its intent is never ready again


def _stopped(result: Result) -> Result:
    """A bot that was stopped vouches that it had no `go`: a failure before sending, even when the intent was written."""
    return replace(
        result,
        outcome=Outcome.NOT_SUBMITTED,
        category=Category.RETRY,
        code="detenido",
        message=f"El bot se detuvo antes de enviar; no se envió nada ({result.why or 'sin motivo'}).",
    )


def _late(intento: Intento, result: Result) -> Applied:
    intento.datos = {**intento.datos, "tardio": str(result.outcome)}
    if intento.estado is EstadoIntento.PREPARANDO:
        set_attempt(intento, EstadoIntento.TERMINADO, at=intento.sellado_at, resultado="tardio", codigo=result.code)
    return Applied(intento.estado, late=True)


def _not_submitted(
    session: Session, intento: Intento, envio: Envio, result: Result, *, actor: str, at: datetime
) -> Applied:
    set_attempt(
        intento,
        EstadoIntento.TERMINADO,
        at=at,
        resultado="not_submitted",
        codigo=result.code,
        detalle=result.message,
    )
    session.flush()
    if envio.estado is EstadoEnvio.EN_CURSO:
        facts = {"intento": intento.numero, "codigo": result.code}
        advance(
            session,
            envio,
            EventoEnvio.CONFIRMAR_AUSENTE,
            actor=actor,
            at=at,
            reason=Reason.FALLO_ANTES_DE_ENVIAR,
            facts=facts,
        )
    if envio.estado not in ABIERTOS or envio.cuenta_id is None:
        return Applied(EstadoIntento.TERMINADO)
    account = session.get_one(CuentaPortal, envio.cuenta_id)
    write_event(session, account.id, result.code or "sin_codigo", result.message or "", at=at)
    failures = _failures_in_a_row(session, envio)
    if result.category is Category.RETRY and failures < MAX_RETRIES:
        base = int(account.perfil.get("reintento_s", RETRY_BASE_S))
        delay = min(5, base) if result.code == "go_tardio" else base * 2 ** (failures - 1)
        enqueue_filing(session, envio, account, delay_s=delay)
        return Applied(EstadoIntento.TERMINADO, delay)
    open_task(
        session,
        ClaseTarea.ATENDER_PORTAL,
        prestador_id=envio.prestador_id,
        case_key=envio.case_key,
        titulo=effects_of(envio).words.stopped,
        detalle=result.message or "",
        at=at,
    )
    return Applied(EstadoIntento.TERMINADO)


def _failures_in_a_row(session: Session, envio: Envio) -> int:
    rows = session.scalars(
        select(Intento.resultado).where(Intento.envio_id == envio.id).order_by(Intento.numero.desc()).limit(20)
    )
    count = 0
    for resultado in rows:
        if resultado != "not_submitted":
            break
        count += 1
    return count


def _already_known(session: Session, intento: Intento, envio: Envio, result: Result, *, at: datetime) -> Applied:
    """The payer says it has the invoice before we pressed: somebody filed it elsewhere; a person decides."""
    set_attempt(
        intento, EstadoIntento.ESPERA_PERSONA, at=at, resultado="duplicate", codigo="ya_radicada", detalle=result.text
    )
    open_task(
        session,
        ClaseTarea.RADICADA_POR_FUERA,
        prestador_id=envio.prestador_id,
        case_key=envio.case_key,
        titulo=effects_of(envio).words.outside,
        detalle=f"{result.text or ''} {result.radicado or ''} {result.fecha or ''}".strip(),
        at=at,
    )
    return Applied(EstadoIntento.ESPERA_PERSONA)
