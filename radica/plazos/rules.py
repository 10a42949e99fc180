"""How an open term reads on a screen, and which terms an event starts.

Invariant: urgency has the same four steps (and "holgado") on every screen, always in words, never colour alone; the
days said are business days after today up to and with the last day. Norm: Ley 4/1913 art. 62 for what counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from radica.kernel.clock import civil_date
from radica.plazos.calendar import Calendar, business_days_between, default_calendar
from radica.plazos.table import Evento, all_terms
from radica.plazos.terms import Plazo


class Paso(StrEnum):
    """Steps of urgency, most urgent first."""

    VENCIDA = "vencida"
    VENCE_HOY = "vence_hoy"
    DE_1_A_2 = "1_2"
    DE_3_A_5 = "3_5"
    HOLGADO = "holgado"


@dataclass(frozen=True)
class EstadoPlazo:
    """The state of a term today. `dias_habiles` are those left; negative, those gone since it lapsed."""

    paso: Paso
    dias_habiles: int
    texto: str


def _dias(amount: int) -> str:
    return f"{amount} {'día hábil' if amount == 1 else 'días hábiles'}"


def estado_fecha(vence: date, hoy: date, *, calendar: Calendar | None = None) -> EstadoPlazo:
    """Return the state of something that lapses at the end of the civil day `vence`. Raises OutOfCalendar.

    Text is for a badge: "vence hoy", "2 días hábiles", "vencida hace 3 días hábiles". A last day that is not a
    business day and has no business day before it counts as urgent as today.
    """
    left = business_days_between(hoy, vence, calendar=calendar or default_calendar())
    if vence < hoy:
        # Lapsed, but no business day has gone by since then (a Saturday after a Friday).
        texto = f"vencida hace {_dias(-left)}" if left else "vencida desde el último día hábil"
        return EstadoPlazo(Paso.VENCIDA, left, texto)
    if vence == hoy:
        return EstadoPlazo(Paso.VENCE_HOY, 0, "vence hoy")
    if left == 0:
        return EstadoPlazo(Paso.VENCE_HOY, 0, f"vence el {vence:%d/%m/%Y}, sin más días hábiles")
    step = Paso.DE_1_A_2 if left <= 2 else Paso.DE_3_A_5 if left <= 5 else Paso.HOLGADO
    return EstadoPlazo(step, left, _dias(left))


def estado_plazo(plazo: Plazo, hoy: date | datetime, *, calendar: Calendar | None = None) -> EstadoPlazo:
    """Return the state of a computed term on `hoy` (civil day, or aware instant, which terms in hours look at).

    Pass the calendar with which the term was computed; without it the national one is used.
    """
    if not isinstance(hoy, datetime):
        return estado_fecha(plazo.vence, hoy, calendar=calendar)
    if plazo.hora is not None and plazo.hora < hoy and civil_date(hoy) == plazo.vence:
        return EstadoPlazo(Paso.VENCIDA, 0, "vencida hoy")
    return estado_fecha(plazo.vence, civil_date(hoy), calendar=calendar)


def terms_for_event(event: Evento | str) -> list[str]:
    """Return the ids of all countable terms that start at this event, in the order of the table.

    Raises ValueError for an event that does not exist (a defect of the caller).
    """
    wanted = Evento(event)
    return list(dict.fromkeys(term.id for term in all_terms() if term.evento is wanted and term.computable))
