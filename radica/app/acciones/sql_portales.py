"""Accounts at payer portals as screens read them: lane, health, what waits, what happened.

Invariant: no password is read here, encrypted or not; only accounts of the given providers.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.entidades.models import EstadoPrestador, Pagador, Prestador
from radica.jobs.clock import now_ms
from radica.jobs.models import Job, JobState, Lane, WorkerBeat
from radica.portales.models import CuentaPortal, EventoPortal
from radica.radicacion.models import Envio
from radica.radicacion.states import EstadoEnvio

BEAT_ALIVE_MS = 60_000
"""A worker that was not heard for longer is not counted."""
TROUBLE_SINCE_HOURS = 24


@dataclass(frozen=True)
class Cuenta:
    """One account on the list. `ultimo`: the last thing that went wrong there."""

    id: int
    prestador_id: int
    prestador: str
    pagador: str
    arquetipo: str
    base_url: str
    usuario: str
    activa: bool
    pausada: bool
    motivo_pausa: str | None
    ocupada: bool
    en_cola: int
    radicadas: int
    ultimo: EventoPortal | None


@dataclass(frozen=True)
class Resumen:
    """The line of the top bar: workers alive, filings under way, waiting, and lanes in pause."""

    bots: int
    trabajando: int
    en_cola: int
    pausadas: int


def accounts(session: Session, prestador_ids: Collection[int], *, cuenta_id: int | None = None) -> list[Cuenta]:
    """Return the accounts, by provider and payer."""
    query = (
        select(CuentaPortal, Prestador.nombre, Pagador.nombre, Lane)
        .join(Prestador, Prestador.id == CuentaPortal.prestador_id)
        .join(Pagador, Pagador.id == CuentaPortal.pagador_id)
        .join(Lane, Lane.id == CuentaPortal.lane_id)
        .where(CuentaPortal.prestador_id.in_(prestador_ids))
        .order_by(Prestador.nombre, Pagador.nombre, CuentaPortal.id)
    )
    if cuenta_id is not None:
        query = query.where(CuentaPortal.id == cuenta_id)
    found = session.execute(query).all()
    lanes = [lane.id for _, _, _, lane in found]
    ids = [account.id for account, _, _, _ in found]
    ready = _counts(
        session,
        select(Job.lane_id, func.count()).where(Job.lane_id.in_(lanes), Job.state == JobState.READY),
        Job.lane_id,
    )
    filed = _counts(
        session,
        select(Envio.cuenta_id, func.count()).where(Envio.cuenta_id.in_(ids), Envio.estado == EstadoEnvio.RADICADO),
        Envio.cuenta_id,
    )
    newest = select(func.max(EventoPortal.id)).where(EventoPortal.cuenta_id.in_(ids)).group_by(EventoPortal.cuenta_id)
    events = {one.cuenta_id: one for one in session.scalars(select(EventoPortal).where(EventoPortal.id.in_(newest)))}
    return [
        Cuenta(
            id=account.id,
            prestador_id=account.prestador_id,
            prestador=provider,
            pagador=payer,
            arquetipo=account.arquetipo,
            base_url=account.base_url,
            usuario=account.usuario,
            activa=account.activa,
            pausada=lane.paused,
            motivo_pausa=lane.paused_why,
            ocupada=lane.busy_job_id is not None,
            en_cola=ready.get(lane.id, 0),
            radicadas=filed.get(account.id, 0),
            ultimo=events.get(account.id),
        )
        for account, provider, payer, lane in found
    ]


def _counts(session: Session, query: object, key: object) -> dict[int, int]:
    rows = session.execute(query.group_by(key))  # type: ignore[attr-defined] # a Select, whatever its columns
    return {int(row[0]): int(row[1]) for row in rows}


def events_of(session: Session, cuenta_id: int, *, limit: int = 50) -> list[EventoPortal]:
    """Return what happened to a portal, newest first."""
    query = select(EventoPortal).where(EventoPortal.cuenta_id == cuenta_id).order_by(EventoPortal.id.desc())
    return list(session.scalars(query.limit(limit)))


def summary(session: Session, prestador_ids: Collection[int]) -> Resumen:
    """Return the line of the top bar for some providers."""
    alive = now_ms(session) - BEAT_ALIVE_MS
    bots = session.scalar(select(func.count()).select_from(WorkerBeat).where(WorkerBeat.seen_ms >= alive)) or 0
    states = _states(session, prestador_ids)
    paused = session.scalar(
        select(func.count())
        .select_from(CuentaPortal)
        .join(Lane, Lane.id == CuentaPortal.lane_id)
        .where(CuentaPortal.prestador_id.in_(prestador_ids), CuentaPortal.activa.is_(True), Lane.paused.is_(True))
    )
    return Resumen(bots, states.get(JobState.RUNNING, 0), states.get(JobState.READY, 0), paused or 0)


def _states(session: Session, prestador_ids: Collection[int]) -> dict[JobState, int]:
    query = (
        select(Job.state, func.count())
        .where(
            Job.prestador_id.in_(prestador_ids),
            Job.lane_id.is_not(None),
            Job.state.in_([JobState.READY, JobState.RUNNING]),
        )
        .group_by(Job.state)
    )
    return {row[0]: int(row[1]) for row in session.execute(query)}


def unconfirmed(session: Session, prestador_ids: Collection[int]) -> list[Prestador]:
    """Return providers that only appeared in files, of those granted."""
    query = select(Prestador).where(Prestador.id.in_(prestador_ids), Prestador.estado == EstadoPrestador.POR_CONFIRMAR)
    return list(session.scalars(query.order_by(Prestador.nombre)))


def payers(session: Session) -> list[Pagador]:
    """Return the catalogue of payers, which is common to all providers."""
    return list(session.scalars(select(Pagador).order_by(Pagador.nombre)))


def same_account(session: Session, prestador_id: int, pagador_id: int, usuario: str) -> bool:
    """Say whether the provider has that user at that payer already."""
    query = select(CuentaPortal.id).where(
        CuentaPortal.prestador_id == prestador_id,
        CuentaPortal.pagador_id == pagador_id,
        CuentaPortal.usuario == usuario,
    )
    return session.scalar(query) is not None


def trouble_since(at: datetime, evento: EventoPortal | None) -> bool:
    """Say whether the last event of a portal is fresh enough to be shown as its health."""
    return evento is not None and (at - evento.at).total_seconds() < TROUBLE_SINCE_HOURS * 3600
