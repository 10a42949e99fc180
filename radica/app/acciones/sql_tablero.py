"""What the board of filings shows: each envío is in exactly one situation, and its money with it.

Invariant: the situations share no envío, so that their counts and sums add up; only rows of the given providers are
read. A situation is for screens: it is derived from the states of envío, attempt and job, never stored.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura
from radica.jobs.models import Job, JobState, Lane
from radica.portales.models import CuentaPortal
from radica.radicacion.models import Envio, EnvioFactura, Intento
from radica.radicacion.services import KIND_FILE
from radica.radicacion.states import ABIERTOS, INTENTOS_VIVOS, POR_CONFIRMAR, Acto, EstadoEnvio
from radica.users.models import Tarea

SHOWN_NUMBERS = 3


class Situacion(StrEnum):
    """Where an envío stands, for a person who looks at the board."""

    EN_CURSO = "en_curso"
    EN_COLA = "en_cola"
    POR_CONFIRMAR = "por_confirmar"
    DETENIDO = "detenido"
    A_MANO = "a_mano"
    SIN_NUMERO = "sin_numero"
    RECHAZADO = "rechazado"
    RADICADO = "radicado"


NOMBRES = {
    Situacion.EN_CURSO: "Radicando ahora",
    Situacion.EN_COLA: "En cola",
    Situacion.POR_CONFIRMAR: "Por confirmar",
    Situacion.DETENIDO: "Detenidas: esperan a una persona",
    Situacion.A_MANO: "Para radicar a mano",
    Situacion.SIN_NUMERO: "Recibidas sin número",
    Situacion.RECHAZADO: "Rechazadas por corregir",
    Situacion.RADICADO: "Radicadas en los últimos 7 días",
}
CORTOS = {
    Situacion.EN_CURSO: "Radicando",
    Situacion.EN_COLA: "En cola",
    Situacion.POR_CONFIRMAR: "Por confirmar",
    Situacion.DETENIDO: "Detenidas",
    Situacion.A_MANO: "A mano",
    Situacion.SIN_NUMERO: "Sin número",
    Situacion.RECHAZADO: "Rechazadas",
    Situacion.RADICADO: "Radicadas, 7 días",
}
NEWEST_FIRST = frozenset({Situacion.RECHAZADO, Situacion.RADICADO})

_case = literal("envio:").concat(cast(Envio.id, String))


def _attempt_in(states: Collection[Any]) -> ColumnElement[bool]:
    return exists().where(Intento.envio_id == Envio.id, Intento.estado.in_(sorted(states)))


_live = _attempt_in(INTENTOS_VIVOS)
_unsettled = _attempt_in(POR_CONFIRMAR)
_queued = exists().where(Job.subject == _case, Job.kind == KIND_FILE, Job.state.in_([JobState.READY, JobState.RUNNING]))
_free_again = exists().where(
    EnvioFactura.envio_id == Envio.id,
    EnvioFactura.factura_id == Factura.id,
    Factura.estado.in_([EstadoFactura.INCOMPLETA, EstadoFactura.NO_LISTA, EstadoFactura.LISTA]),
)
_filing = Envio.acto == Acto.RADICACION
_unnumbered = Envio.estado == EstadoEnvio.RECIBIDO_SIN_NUMERO  # of an answer it is the end: payers give no number
_bot_waits = and_(Envio.estado == EstadoEnvio.PREPARADO, Envio.canal == "bot", ~_live, ~_unsettled)


def condition(situacion: Situacion, *, since: datetime) -> ColumnElement[bool]:
    """Return the predicate of a situation; `since` limits what is filed to the last days."""
    open_ = Envio.estado.in_(sorted(ABIERTOS))
    return {
        Situacion.EN_CURSO: and_(open_, ~_unsettled, or_(_live, Envio.estado == EstadoEnvio.EN_CURSO)),
        Situacion.EN_COLA: and_(_bot_waits, _queued),
        Situacion.POR_CONFIRMAR: and_(open_, _unsettled),
        Situacion.DETENIDO: and_(_bot_waits, ~_queued),
        Situacion.A_MANO: and_(Envio.estado == EstadoEnvio.PREPARADO, Envio.canal == "mano"),
        Situacion.SIN_NUMERO: and_(_unnumbered, _filing),
        Situacion.RECHAZADO: and_(Envio.estado == EstadoEnvio.RECHAZADO, _free_again),
        Situacion.RADICADO: and_(
            or_(Envio.estado == EstadoEnvio.RADICADO, and_(_unnumbered, ~_filing)), Envio.cerrado_at >= since
        ),
    }[situacion]


@dataclass(frozen=True)
class Cifra:
    """How many envíos stand in a situation, and for how much (centavos)."""

    situacion: Situacion
    envios: int
    valor: int

    @property
    def nombre(self) -> str:
        """Name of the situation on its tile."""
        return CORTOS[self.situacion]


@dataclass
class Fila:
    """One envío with what its line needs."""

    envio: Envio
    pagador: str
    prestador: str
    numeros: list[str] = field(default_factory=list)
    vence: date | None = None
    intento: Intento | None = None
    job: Job | None = None
    pausa: str | None = None
    tarea: Tarea | None = None

    @property
    def titulo(self) -> str:
        """The invoices in a few words: `FE10234`, `FE1, FE2, FE3 y 4 más`."""
        rest = len(self.numeros) - SHOWN_NUMBERS
        if rest <= 0:
            return ", ".join(self.numeros)
        return f"{', '.join(self.numeros[:SHOWN_NUMBERS])} y {rest} más"

    @property
    def desde(self) -> datetime:
        """When what is shown of it began: its last attempt, its end, or its order."""
        attempt = self.intento
        last = (attempt.terminado_at or attempt.intent_at or attempt.iniciado_at) if attempt else None
        return self.envio.cerrado_at or last or self.envio.creado_at


def figures(session: Session, prestador_ids: Collection[int], *, since: datetime) -> dict[Situacion, Cifra]:
    """Return count and sum of every situation."""
    found = {}
    for one in Situacion:
        count, total = session.execute(
            select(func.count(), func.coalesce(func.sum(Envio.valor), 0)).where(
                Envio.prestador_id.in_(prestador_ids), condition(one, since=since)
            )
        ).one()
        found[one] = Cifra(one, int(count), int(total))
    return found


def rows_in(
    session: Session,
    prestador_ids: Collection[int],
    situacion: Situacion,
    *,
    since: datetime,
    limit: int,
    after: int | None = None,
    before: int | None = None,
) -> list[Fila]:
    """Return envíos of a situation: what waits oldest first, what ended newest first; keyset by id.

    `after` and `before` are ids in the order of the page; rows asked with `before` come in reverse order.
    """
    down = situacion in NEWEST_FIRST
    query = (
        select(Envio, Pagador.nombre, Prestador.nombre)
        .join(Pagador, Pagador.id == Envio.pagador_id)
        .join(Prestador, Prestador.id == Envio.prestador_id)
        .where(Envio.prestador_id.in_(prestador_ids), condition(situacion, since=since))
    )
    backwards = before is not None
    if after is not None:
        query = query.where(Envio.id < after if down else Envio.id > after)
    elif before is not None:
        query = query.where(Envio.id > before if down else Envio.id < before)
    query = query.order_by(Envio.id.desc() if down != backwards else Envio.id).limit(limit)
    rows = [Fila(envio, payer, provider) for envio, payer, provider in session.execute(query).unique()]
    _complete(session, rows)
    return rows


def row_of(session: Session, envio: Envio) -> Fila:
    """Return one envío with what its line needs."""
    row = Fila(
        envio,
        session.get_one(Pagador, envio.pagador_id).nombre,
        session.get_one(Prestador, envio.prestador_id).nombre,
    )
    _complete(session, [row])
    return row


def _complete(session: Session, rows: Sequence[Fila]) -> None:
    by_id = {row.envio.id: row for row in rows}
    numbers = (
        select(EnvioFactura.envio_id, Factura.numero, Factura.vence_radicar)
        .join(Factura, Factura.id == EnvioFactura.factura_id)
        .where(EnvioFactura.envio_id.in_(by_id))
        .order_by(Factura.id)
    )
    for envio_id, number, due in session.execute(numbers):
        row = by_id[envio_id]
        row.numeros.append(number)
        row.vence = min(filter(None, (row.vence, due)), default=None)
    for attempt in session.scalars(select(Intento).where(Intento.envio_id.in_(by_id)).order_by(Intento.numero)):
        by_id[attempt.envio_id].intento = attempt
    cases = {row.envio.case_key: row for row in rows}
    alive = select(Job).where(Job.subject.in_(cases), Job.state.in_([JobState.READY, JobState.RUNNING]))
    for job in session.scalars(alive.order_by(Job.id)):
        cases[job.subject or ""].job = job
    tasks = select(Tarea).where(Tarea.case_key.in_(cases), Tarea.cerrada_at.is_(None)).order_by(Tarea.id)
    for task in session.scalars(tasks):
        cases[task.case_key].tarea = task
    accounts = {row.envio.cuenta_id for row in rows if row.envio.cuenta_id}
    lanes = (
        select(CuentaPortal.id, Lane.paused_why)
        .join(Lane, Lane.id == CuentaPortal.lane_id)
        .where(CuentaPortal.id.in_(accounts), Lane.paused.is_(True))
    )
    paused = {one[0]: one[1] for one in session.execute(lanes)}
    for row in rows:
        if row.envio.cuenta_id in paused:
            row.pausa = paused[row.envio.cuenta_id] or "sin motivo escrito"
