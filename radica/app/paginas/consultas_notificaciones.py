"""The notices that arrived and what became of their lines: lists and counts. SQL without Flask.

Invariant: only providers in view; the counts of a notice are of its lines as they stand now, so that a resolved line
leaves the count that it was in.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from radica.entidades.models import Pagador
from radica.glosas.models import DestinoLinea, LineaNotificada, Notificacion
from radica.jobs.models import Job, JobState

NOTICES, LINES = 50, 100
_WAITING = "lineas_notificadas.destino IN ('sin_cruzar', 'por_decidir', 'no_leida')"
"""The words of the partial index, literally, or SQLite does not use it."""


def notices(
    session: Session, prestadores: Collection[int], *, after: int | None = None, limit: int = NOTICES
) -> list[tuple[Notificacion, str | None]]:
    """Return notices, the latest loaded first, with the payer's name."""
    query = (
        select(Notificacion, Pagador.nombre)
        .outerjoin(Pagador, Pagador.id == Notificacion.pagador_id)
        .where(Notificacion.prestador_id.in_(prestadores))
        .order_by(Notificacion.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(Notificacion.id < after)
    return [(row[0], row[1]) for row in session.execute(query)]


def waiting(session: Session, notificaciones: Collection[int]) -> dict[int, dict[DestinoLinea, int]]:
    """Return how many lines of each notice wait for a person now, by why; a notice without such lines is left out."""
    rows = session.execute(
        select(LineaNotificada.notificacion_id, LineaNotificada.destino, func.count())
        .where(LineaNotificada.notificacion_id.in_(notificaciones), text(_WAITING))
        .group_by(LineaNotificada.notificacion_id, LineaNotificada.destino)
    )
    found: dict[int, dict[DestinoLinea, int]] = {}
    for notice, fate, count in rows:
        found.setdefault(notice, {})[fate] = int(count)
    return found


def fates(session: Session, notificacion_id: int) -> dict[DestinoLinea, tuple[int, int]]:
    """Return how many lines of a notice have each fate, and their centavos."""
    rows = session.execute(
        select(LineaNotificada.destino, func.count(), func.sum(LineaNotificada.valor))
        .where(LineaNotificada.notificacion_id == notificacion_id)
        .group_by(LineaNotificada.destino)
    )
    return {kind: (int(n), int(cents or 0)) for kind, n, cents in rows}


@dataclass(frozen=True)
class FiltroLineas:
    """Which lines: of a notice or of all, of one fate or of all that wait for a person."""

    prestadores: frozenset[int]
    notificacion: int | None = None
    destino: DestinoLinea | None = None
    razon: str = ""


def line_page(
    session: Session, f: FiltroLineas, *, after: int | None = None, limit: int = LINES
) -> list[LineaNotificada]:
    """Return lines by id; without a notice only those that wait for a person."""
    query = select(LineaNotificada).where(*_conditions(f)).order_by(LineaNotificada.id).limit(limit)
    if after is not None:
        query = query.where(LineaNotificada.id > after)
    return list(session.scalars(query))


def line_count(session: Session, f: FiltroLineas) -> tuple[int, int]:
    """Return how many lines the filter has, and their centavos."""
    count, cents = session.execute(select(func.count(), func.sum(LineaNotificada.valor)).where(*_conditions(f))).one()
    return count, int(cents or 0)


def _conditions(f: FiltroLineas) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [LineaNotificada.prestador_id.in_(f.prestadores)]
    if f.notificacion is not None:
        found.append(LineaNotificada.notificacion_id == f.notificacion)
    if f.destino is not None:
        found.append(LineaNotificada.destino == f.destino)
    if f.notificacion is None:
        found.append(text(_WAITING))  # type: ignore[arg-type] # a condition in words
    if f.razon:
        found.append(LineaNotificada.razon == f.razon)
    return found


def loads(session: Session, subjects: Sequence[str], kind: str, *, limit: int = 20) -> list[Job]:
    """Return the uploads that run, wait or failed, the latest first."""
    states = (JobState.READY, JobState.RUNNING, JobState.DEAD)
    query = select(Job).where(Job.subject.in_(subjects), Job.kind == kind, Job.state.in_(states))
    return list(session.scalars(query.order_by(Job.id.desc()).limit(limit)))
