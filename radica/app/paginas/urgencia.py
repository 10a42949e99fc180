"""Steps of urgency as ranges of days, so that a tile, a filter and a badge always agree.

Invariant: for every last day the range that holds it is the step that `plazos.rules.estado_fecha` gives it; the
ranges leave no day out and share none. Norm: Ley 4/1913 art. 62 (what counts as a business day).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from radica.plazos.calendar import Calendar, add_business_days, default_calendar
from radica.plazos.rules import Paso

SIN_PLAZO = "sin_plazo"
NOMBRES = {
    Paso.VENCIDA.value: "Vencidas",
    Paso.VENCE_HOY.value: "Vencen hoy",
    Paso.DE_1_A_2.value: "1 a 2 días hábiles",
    Paso.DE_3_A_5.value: "3 a 5 días hábiles",
    Paso.HOLGADO.value: "Más de 5 días hábiles",
    SIN_PLAZO: "Sin plazo que contar",
}


@dataclass(frozen=True)
class Rango:
    """Last days from `desde` to `hasta`, both inclusive; None is open. Both None with `sin`: no day at all."""

    desde: date | None
    hasta: date | None
    sin: bool = False


def rangos(hoy: date, *, calendar: Calendar | None = None) -> dict[str, Rango]:
    """Return the range of last days of each step on `hoy`, most urgent first. Raises OutOfCalendar."""
    cal = calendar or default_calendar()
    first, third, sixth = (add_business_days(hoy, days, calendar=cal) for days in (1, 3, 6))
    one = timedelta(days=1)
    return {
        Paso.VENCIDA.value: Rango(None, hoy - one),
        Paso.VENCE_HOY.value: Rango(hoy, first - one),
        Paso.DE_1_A_2.value: Rango(first, third - one),
        Paso.DE_3_A_5.value: Rango(third, sixth - one),
        Paso.HOLGADO.value: Rango(sixth, None),
        SIN_PLAZO: Rango(None, None, sin=True),
    }
