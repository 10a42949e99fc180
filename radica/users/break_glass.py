"""Break-glass: who has no role for health data opens one case for half an hour, with a reason, and an auditor looks.

Invariant: only for people who hold some role at the provider of the case; what was asked stands in the reading log
(with the hash of the reason, so that it cannot be reworded later) before anything opens, and a task asks an auditor to
review it. Norm: Ley 1581/2012 arts. 4, 6 lit. c and 17 lit. d.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.services import record_reading
from radica.kernel.errors import BadInput
from radica.kernel.web_identity import Person
from radica.users.models import AccesoExcepcional, ClaseTarea, Tarea
from radica.users.purposes import Proposito
from radica.users.tasks import close_tasks, open_task

LASTS = timedelta(minutes=30)
MIN_REASON = 20
MAX_REASON = 1000
_WORDS = 3


def task_case(acceso_id: int) -> str:
    """Return the case under which the review of an exceptional access is asked."""
    return f"acceso:{acceso_id}"


def break_glass(
    session: Session, person: Person, *, prestador_id: int, case_key: str, motivo: str, at: datetime
) -> AccesoExcepcional:
    """Open the health data of one case for `LASTS`; asked again while it is open, the open one is returned.

    The caller loaded the case for this person. Raises BadInput when the reason is not one.
    """
    reason = " ".join(motivo.split())
    if len(reason) < MIN_REASON or len(reason) > MAX_REASON or len(set(reason.lower().split())) < _WORDS:
        raise BadInput(
            "Falta el motivo: el acceso no se abrió.",
            todo=f"Escriba para qué necesita ver este caso, en {MIN_REASON} letras o más.",
            code="motivo_corto",
        )
    found = living_access(session, person.id, prestador_id=prestador_id, case_keys=[case_key], at=at)
    if found is not None:
        return found
    row = AccesoExcepcional(
        prestador_id=prestador_id,
        usuario_id=person.id,
        case_key=case_key,
        motivo=reason,
        desde=at,
        hasta=at + LASTS,
    )
    session.add(row)
    session.flush()
    record_reading(
        session,
        prestador_id=prestador_id,
        actor=person.actor,
        action="acceso_excepcional",
        purpose=Proposito.EXCEPCION,
        object_=task_case(row.id),
        sha256=hashlib.sha256(reason.encode()).hexdigest(),
        case_key=case_key,
        at=at,
    )
    open_task(
        session,
        ClaseTarea.REVISAR_ACCESO,
        prestador_id=prestador_id,
        case_key=task_case(row.id),
        titulo=f"Revisar un acceso excepcional a datos de salud ({case_key})",
        at=at,
    )
    return row


def living_access(
    session: Session, usuario_id: int, *, prestador_id: int, case_keys: Collection[str], at: datetime
) -> AccesoExcepcional | None:
    """Return the access of this person to one of the cases that is open at `at`, None without one."""
    return session.scalar(
        select(AccesoExcepcional)
        .where(
            AccesoExcepcional.usuario_id == usuario_id,
            AccesoExcepcional.prestador_id == prestador_id,
            AccesoExcepcional.case_key.in_(sorted(case_keys)),
            AccesoExcepcional.desde <= at,
            AccesoExcepcional.hasta > at,
        )
        .order_by(AccesoExcepcional.hasta.desc(), AccesoExcepcional.id.desc())
        .limit(1)
    )


def review_access(session: Session, row: AccesoExcepcional, *, actor: str, resultado: str, at: datetime) -> bool:
    """Close the review with what the auditor found; False when another one had. Raises BadInput on an empty word.

    Nobody reviews their own access.
    """
    said = " ".join(resultado.split())
    if len(said) < MIN_REASON:
        raise BadInput(
            "Falta el resultado de la revisión; no se cerró.",
            todo=f"Escriba qué encontró, en {MIN_REASON} letras o más.",
            code="revision_corta",
        )
    if actor == f"usuario:{row.usuario_id}":
        raise BadInput("Nadie revisa su propio acceso; no se cerró.", todo="Pídalo a otra persona de auditoría.")
    closed = close_tasks(
        session, task_case(row.id), por=actor, resultado=said, at=at, clases=[ClaseTarea.REVISAR_ACCESO]
    )
    return closed > 0


def reviews_of(session: Session, rows: Collection[AccesoExcepcional]) -> dict[int, Tarea]:
    """Return the review of each access, open or closed, by the id of the access."""
    keys = {task_case(row.id): row.id for row in rows}
    tasks = session.scalars(
        select(Tarea).where(Tarea.clase == ClaseTarea.REVISAR_ACCESO, Tarea.case_key.in_(keys)).order_by(Tarea.id)
    )
    return {keys[task.case_key]: task for task in tasks}
