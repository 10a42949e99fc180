"""What nobody would go on with: jobs that died, machines that fell silent. Each is found and handed to a person.

Invariant: an open envío of a bot always has a job, an attempt under way, or an open task; nothing here files, and no
lane is taken from an attempt that may still be sending unsettled (DESIGN sections 5.4, 5.6 and 5.7).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast, literal, or_, select
from sqlalchemy.orm import Session

from radica.jobs.clock import now_ms, to_ms
from radica.jobs.models import Job, JobState, Lane, WorkerBeat
from radica.jobs.queue import release_lane
from radica.radicacion.attempts import lock_attempt, set_attempt
from radica.radicacion.models import Envio, Intento
from radica.radicacion.outcomes import Decision, Veredicto
from radica.radicacion.services import KIND_LOOK_UP
from radica.radicacion.settle import ask_person
from radica.radicacion.states import ABIERTOS, INTENTOS_VIVOS, EstadoEnvio, EstadoIntento
from radica.users.models import ClaseTarea, Tarea
from radica.users.tasks import open_task

SILENCE = timedelta(minutes=30)
"""How long a machine may say nothing (its longest job is far shorter) before a person is asked about its attempts."""
AT_ONCE = 200

_CASE = literal("envio:").concat(cast(Envio.id, String))
_ALIVE = (JobState.READY, JobState.RUNNING, JobState.OUTCOME_UNKNOWN)


def close_abandoned(session: Session, *, at: datetime) -> int:
    """End the attempts that never reached their intent and whose job is not theirs any more. Returns how many.

    Their own intent can only fail, and as long as they look alive nobody may withdraw the envío.
    """
    rows = session.scalars(
        select(Intento)
        .join(Job, Job.id == Intento.job_id)
        .where(
            Intento.estado == EstadoIntento.PREPARANDO,
            or_(Job.state != JobState.RUNNING, Job.token != Intento.token),
        )
        .order_by(Intento.id)
        .limit(AT_ONCE)
        .with_for_update(of=Intento, skip_locked=True)
    ).all()
    for row in rows:
        set_attempt(row, EstadoIntento.TERMINADO, at=at, resultado="abandonado", codigo="trabajador_perdido")
    return len(rows)


def orphaned(session: Session) -> list[int]:
    """Return open envíos of bots that nothing and nobody goes on with (ids)."""
    under_way = [*INTENTOS_VIVOS, EstadoIntento.DESCONOCIDO]
    query = select(Envio.id).where(
        Envio.canal == "bot",
        Envio.estado.in_(ABIERTOS),
        ~select(Job.id).where(Job.subject == _CASE, Job.state.in_(_ALIVE)).exists(),
        ~select(Intento.id).where(Intento.envio_id == Envio.id, Intento.estado.in_(under_way)).exists(),
        ~_asked(),
    )
    return list(session.scalars(query.order_by(Envio.id).limit(AT_ONCE)))


def ask_about_orphans(session: Session, ids: list[int], *, at: datetime) -> int:
    """Open a task for each of those envíos that is still orphaned. Returns how many."""
    for envio in session.scalars(select(Envio).where(Envio.id.in_(set(ids) & set(orphaned(session))))):
        sent = envio.estado is EstadoEnvio.EN_CURSO
        title = "Confirme con el pagador si la recibió: nadie más lo está consultando"
        if not sent:
            title = "El bot se interrumpió demasiadas veces antes de enviar: se necesita una persona"
        open_task(
            session,
            ClaseTarea.CONFIRMAR_RESULTADO if sent else ClaseTarea.ATENDER_PORTAL,
            prestador_id=envio.prestador_id,
            case_key=envio.case_key,
            titulo=title,
            at=at,
        )
    return len(ids)


def unread(session: Session) -> list[int]:
    """Return fenced attempts to be confirmed whose look_up died: no reading will come (ids)."""
    query = (
        select(Intento.id)
        .join(Envio, Envio.id == Intento.envio_id)
        .where(
            Intento.estado == EstadoIntento.DESCONOCIDO,
            Intento.cercado_at.is_not(None),
            ~select(Job.id).where(Job.subject == _CASE, Job.kind == KIND_LOOK_UP, Job.state.in_(_ALIVE)).exists(),
        )
    )
    return list(session.scalars(query.order_by(Intento.id).limit(AT_ONCE)))


def ask_about_unread(session: Session, ids: list[int], *, at: datetime) -> int:
    """Hand each of those attempts that is still unread to a person. Returns how many."""
    count = 0
    for intento_id in ids:
        intento = lock_attempt(session, intento_id)
        if intento.id in unread(session):
            decision = Decision(Veredicto.PERSONA, "El bot no pudo consultar el portal: debe decidir una persona.")
            ask_person(session, intento, session.get_one(Envio, intento.envio_id), decision, at=at)
            count += 1
    return count


def ask_about_unfenced(session: Session, *, at: datetime) -> int:
    """Open a task for attempts that their machine did not fence in time; it may yet answer. Returns how many."""
    rows = session.scalars(
        select(Envio)
        .join(Intento, Intento.envio_id == Envio.id)
        .where(
            Intento.estado == EstadoIntento.DESCONOCIDO,
            Intento.cercado_at.is_(None),
            Intento.intent_at < at - SILENCE,
            ~_asked(),
        )
        .order_by(Envio.id)
        .limit(AT_ONCE)
    ).all()
    for envio in rows:
        open_task(
            session,
            ClaseTarea.CONFIRMAR_RESULTADO,
            prestador_id=envio.prestador_id,
            case_key=envio.case_key,
            titulo="El equipo que la enviaba no responde: confirme con el pagador si la recibió",
            at=at,
        )
    return len(rows)


def free_lanes_of_the_silent(session: Session, *, at: datetime) -> int:
    """Free the lanes held by settled attempts of machines that fell silent: nobody else would. Returns how many."""
    seen = select(WorkerBeat.owner).where(
        WorkerBeat.host == Intento.host, WorkerBeat.seen_ms > now_ms(session) - to_ms(SILENCE.total_seconds())
    )
    jobs = session.scalars(
        select(Intento.job_id)
        .join(Lane, Lane.busy_job_id == Intento.job_id)
        .join(Job, Job.id == Intento.job_id)
        .where(
            Intento.estado.in_([EstadoIntento.HALLADO, EstadoIntento.TERMINADO]),
            Intento.cercado_at.is_(None),
            Intento.intent_at < at - SILENCE,
            Job.state.not_in([JobState.READY, JobState.RUNNING]),
            ~seen.exists(),
        )
    ).all()
    return sum(release_lane(session, job_id) for job_id in jobs)


def _asked() -> ColumnElement[bool]:
    query: Select[Any] = select(Tarea.id).where(Tarea.case_key == _CASE, Tarea.cerrada_at.is_(None))
    return query.exists()
