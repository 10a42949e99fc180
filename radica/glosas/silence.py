"""What the clock does when a term lapses: the effects that the norm itself gives, and otherwise a task for a person.

Invariant: a silence has an effect only the day after its most generous reading, only when the notice date is certain
and no answer is on its way; the same day twice, or two workers at once, do it once. Norms: Res. 2284/2023 art. 6
(DEV-02, DEV-03) and Anexo 3 RE2202 (GLO-03); Ley 1438/2011 art. 57 gives the payer's silence (GLO-04) no effect.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session


@dataclass
class Silencios:
    """What one run did: glosas and devoluciones by effect, tasks opened, what was left as it was and why."""

    aceptadas: int = 0
    devoluciones_aceptadas: int = 0
    devoluciones_levantadas: int = 0
    sin_decision: int = 0
    tareas: int = 0
    miradas: int = 0
    valor_aceptado: int = 0
    omitidas: dict[str, int] = field(default_factory=dict)


def apply_silences(session: Session, *, today: date, at: datetime, limit: int = 200) -> Silencios:
    """Apply one batch of lapsed terms; see the module."""
    raise NotImplementedError(f"{session} {today} {at} {limit}")
