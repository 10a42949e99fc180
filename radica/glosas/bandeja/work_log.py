"""Who handed an objection over, read back from its provider's log, for the story on its page.

Invariant: only lines of the log that name this very case; nothing is written here. The latest `WINDOW` lines of the log
are looked at, so that the page costs the same in a house with years of log. Norm: Ley 1438/2011 art. 57 (the terms).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.audit.models import AccessLog
from radica.glosas.bandeja.tray_filter import Objecion

WINDOW = 20_000
"""Lines of the log that are looked at, from its end."""
ACTIONS = {
    "asignar_glosas": "asignar",
    "repartir_glosas": "repartir",
    "escalar_glosas": "escalar",
    "pendiente_glosas": "pendiente",
}
_PERSON = "a usuario:"


@dataclass(frozen=True, slots=True)
class Entrega:
    """One handing over: what was done, by whom, to which person (None: nobody, or a day in `detalle`)."""

    at: datetime
    que: str
    actor: str
    usuario_id: int | None
    detalle: str


def handovers(session: Session, objecion: Objecion) -> list[Entrega]:
    """Return how an objection changed hands or waited, oldest first."""
    key, prestador_id = objecion.case_key, objecion.prestador_id
    last = session.scalar(select(func.max(AccessLog.seq)).where(AccessLog.prestador_id == prestador_id)) or 0
    rows = session.scalars(
        select(AccessLog)
        .where(
            AccessLog.prestador_id == prestador_id,
            AccessLog.seq > last - WINDOW,
            AccessLog.action.in_(ACTIONS),
            AccessLog.object.contains(key, autoescape=True),
        )
        .order_by(AccessLog.seq)
    )
    found = []
    for row in rows:
        cases, _, what = row.object.partition(" ")
        if key not in cases.split(","):
            continue
        id_ = what.removeprefix(_PERSON) if what.startswith(_PERSON) else ""
        found.append(Entrega(row.at, ACTIONS[row.action], row.actor, int(id_) if id_.isdecimal() else None, what))
    return found
