"""What the bots do now, for people: running jobs with their progress, the queue, paused lanes, workers alive.

Invariant: jobs and lanes only of the providers in view; times are those of the database's clock, which alone measures
leases and signs of life (DESIGN section 3). No SQL moves anything here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.jobs.clock import now_ms
from radica.jobs.models import Job, JobState, Lane, Phase, WorkerBeat
from radica.portales.models import CuentaPortal
from radica.radicacion.models import Envio, EnvioFactura
from radica.radicacion.services import KIND_FILE, KIND_LOOK_UP
from radica.radicacion.states import Acto

ALIVE_MS = 60_000
"""A worker that gave no sign for this long is not counted: four of its beats."""
RUNNING_SHOWN = 12
NOMBRES = {KIND_FILE: "Radicando", KIND_LOOK_UP: "Consultando"}


@dataclass(frozen=True)
class EnMarcha:
    """A job under way. `segundos` since it was queued or claimed is not known; progress says how far."""

    que: str
    numero: str
    factura_id: int | None
    pagador: str
    paso: str
    n: int
    de: int
    enviando: bool


@dataclass(frozen=True)
class Detenido:
    """A lane that starts nothing until a person resumes it."""

    pagador: str
    motivo: str
    en_espera: int


@dataclass(frozen=True)
class Bots:
    """The whole picture."""

    en_marcha: Sequence[EnMarcha]
    corriendo: int
    en_cola: int
    por_confirmar: int
    muertos: int
    detenidos: Sequence[Detenido]
    trabajadores: int


def bots_now(session: Session, ids: Collection[int]) -> Bots:
    """Return what the bots do for these providers."""
    counts: dict[JobState, int] = {
        state: int(count)
        for state, count in session.execute(
            select(Job.state, func.count())
            .where(
                Job.prestador_id.in_(ids),
                Job.state.in_([JobState.READY, JobState.RUNNING, JobState.OUTCOME_UNKNOWN, JobState.DEAD]),
            )
            .group_by(Job.state)
        )
    }
    alive = select(func.count()).select_from(WorkerBeat).where(WorkerBeat.seen_ms > now_ms(session) - ALIVE_MS)
    return Bots(
        en_marcha=_running(session, ids),
        corriendo=counts.get(JobState.RUNNING, 0),
        en_cola=counts.get(JobState.READY, 0),
        por_confirmar=counts.get(JobState.OUTCOME_UNKNOWN, 0),
        muertos=counts.get(JobState.DEAD, 0),
        detenidos=_paused(session, ids),
        trabajadores=session.scalar(alive) or 0,
    )


def _running(session: Session, ids: Collection[int]) -> list[EnMarcha]:
    jobs = list(
        session.scalars(
            select(Job)
            .where(Job.prestador_id.in_(ids), Job.state == JobState.RUNNING)
            .order_by(Job.id)
            .limit(RUNNING_SHOWN)
        )
    )
    envios = {int(job.subject[6:]) for job in jobs if job.subject and job.subject.startswith("envio:")}
    rows = session.execute(
        select(
            Envio.id, func.min(Factura.id), func.min(Factura.numero), func.min(Pagador.nombre), func.count(), Envio.acto
        )
        .join(EnvioFactura, EnvioFactura.envio_id == Envio.id)
        .join(Factura, Factura.id == EnvioFactura.factura_id)
        .join(Pagador, Pagador.id == Envio.pagador_id)
        .where(Envio.id.in_(envios))
        .group_by(Envio.id, Envio.acto)
    )
    known = {envio_id: (first, numero, payer, count, acto) for envio_id, first, numero, payer, count, acto in rows}
    return [_line(job, known) for job in jobs]


def _line(job: Job, known: dict[int, tuple[int, str, str, int, Acto]]) -> EnMarcha:
    subject = job.subject or ""
    envio_id = int(subject[6:]) if subject.startswith("envio:") else 0
    first, numero, payer, count, acto = known.get(envio_id, (None, "", "", 0, Acto.RADICACION))
    answering = job.kind == KIND_FILE and acto is not Acto.RADICACION
    return EnMarcha(
        que="Respondiendo" if answering else NOMBRES.get(job.kind, job.kind.replace("_", " ").capitalize()),
        numero=numero if count < 2 else f"{numero} y {count - 1} más",
        factura_id=first,
        pagador=payer,
        paso=job.progress or "empezando",
        n=job.progress_n,
        de=job.progress_of,
        enviando=job.phase is Phase.SUBMITTING,
    )


def _paused(session: Session, ids: Collection[int]) -> list[Detenido]:
    waiting = (
        select(func.count())
        .select_from(Job)
        .where(Job.lane_id == Lane.id, Job.state == JobState.READY)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Pagador.nombre, Lane.paused_why, waiting)
        .select_from(Lane)
        .join(CuentaPortal, CuentaPortal.lane_id == Lane.id)
        .join(Pagador, Pagador.id == CuentaPortal.pagador_id)
        .where(CuentaPortal.prestador_id.in_(ids), Lane.paused.is_(True))
        .order_by(Pagador.nombre)
    )
    return [Detenido(payer, why or "sin motivo escrito", int(count)) for payer, why, count in rows]
