"""Compute a legal term: from the event's date to the day it lapses, with norm, article, calendar and all readings.

Invariant: `vence` is always the earliest reading (the prudent one for who must act), and every other reading is kept
beside it; where a norm gives no term the answer is `SinTermino` with its reason, never an invented date.
Norms: Ley 4/1913 art. 62 (days leave out holidays; months and years by calendar, moved when they end on a holiday),
Código Civil art. 67 (a month without that day ends on its last one); each term's own norm is in its row.
"""

from __future__ import annotations

import calendar as month_days
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from radica.entidades.catalogue import TipoPagador
from radica.kernel.clock import BOGOTA, civil_date
from radica.plazos.calendar import (
    Calendar,
    add_business_days,
    business_hours_add,
    default_calendar,
    is_business_day,
    next_business_day,
)
from radica.plazos.table import Criterio, Termino, Unidad, versions


@dataclass(frozen=True)
class Lectura:
    """One reading of a term. `vence` is None when the date from which it counts was not given."""

    vence: date | None
    criterio: str
    hora: datetime | None = None


@dataclass(frozen=True)
class Plazo:
    """A computed term: `desde` the event's civil day, `vence` its last day, `calendario` the calendar's version."""

    termino: str
    desde: date
    vence: date
    norma: str
    articulo: str
    calendario: str
    lecturas: tuple[Lectura, ...]
    detalle: Termino
    hora: datetime | None = None
    avisos: tuple[str, ...] = ()


@dataclass(frozen=True)
class SinTermino:
    """The norm gives nothing to count here, and why. `fecha_prudente` is what to watch anyway, if anything."""

    termino: str
    motivo: str
    norma: str = ""
    articulo: str = ""
    fecha_prudente: date | None = None


def add_months(start: date, months: int) -> date:
    """Return the same day `months` later, or the last day of that month where it has no such day (C.C. art. 67)."""
    years, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(years, month + 1, min(start.day, month_days.monthrange(years, month + 1)[1]))


def version_for(term_id: str, day: date) -> Termino | None:
    """Return the version of a term in force on `day`, or None. Raises UnknownTerm."""
    return next((term for term in reversed(versions(term_id)) if term.vigente(day)), None)


def _civil(at: date | datetime) -> date:
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        return civil_date(at)
    return at


def _by_days(amount: int, start: date, unit: Unidad, cal: Calendar) -> list[Lectura]:
    readings: list[Lectura] = []
    if unit in (Unidad.DIAS_HABILES, Unidad.DIAS):
        text = f"{amount} {'día hábil' if amount == 1 else 'días hábiles'}"
        norm = " (Ley 4/1913 art. 62: «días» se presumen hábiles)" if unit is Unidad.DIAS else ""
        readings.append(Lectura(add_business_days(start, amount, calendar=cal), text + norm))
    if unit in (Unidad.DIAS_CALENDARIO, Unidad.DIAS):
        text = f"{amount} {'día' if amount == 1 else 'días'} calendario"
        last = start + timedelta(days=amount)
        moved = next_business_day(last, calendar=cal)
        readings.append(Lectura(last, text))
        if moved != last:
            readings.append(Lectura(moved, f"{text}; el último no es hábil y se corre al siguiente hábil"))
    return readings


def _by_months(amount: int, start: date, unit: Unidad, cal: Calendar) -> list[Lectura]:
    names = ("mes", "meses") if unit is Unidad.MESES else ("año", "años")
    last = add_months(start, amount if unit is Unidad.MESES else amount * 12)
    moved = next_business_day(last, calendar=cal)
    text = f"{amount} {names[amount != 1]} de calendario"
    if moved != last:
        text += f"; el {last.isoformat()} no es hábil y se corre al siguiente hábil (Ley 4/1913 art. 62)"
    return [Lectura(moved, text)]


def _by_hours(amount: int, at: datetime, unit: Unidad, jornada: tuple[int, int], cal: Calendar) -> list[Lectura]:
    if unit is Unidad.HORAS:
        end, text = at + timedelta(hours=amount), f"{amount} horas corridas"
    else:
        opens, closes = jornada
        end = business_hours_add(at, amount, opens=opens, closes=closes, calendar=cal)
        text = f"{amount} horas hábiles; cada día hábil da las horas de {opens} a {closes}"
    # A term that ends at midnight lapses with the day that closes, not with the one that begins.
    return [Lectura(civil_date(end - timedelta(microseconds=1)), text, end)]


def _read(one: Criterio, at: date | datetime, ancla: str, jornada: tuple[int, int], cal: Calendar) -> list[Lectura]:
    start = _civil(at)
    if ancla == "mes_siguiente":
        start = start.replace(day=month_days.monthrange(start.year, start.month)[1])
    if one.unidad is Unidad.INMEDIATO:
        found = [Lectura(start, "de inmediato, el mismo día")]
    elif one.unidad in (Unidad.MESES, Unidad.ANOS):
        found = _by_months(one.cantidad, start, one.unidad, cal)
    elif one.unidad in (Unidad.HORAS, Unidad.HORAS_HABILES):
        instant = at if isinstance(at, datetime) else datetime.combine(at, time(0), tzinfo=BOGOTA)
        found = _by_hours(one.cantidad, instant.astimezone(BOGOTA), one.unidad, jornada, cal)
    else:
        found = _by_days(one.cantidad, start, one.unidad, cal)
    if not one.texto:
        return found
    return [Lectura(each.vence, f"{one.texto}: {each.criterio}", each.hora) for each in found]


def _avisos(term: Termino, desde: date | datetime, start: date, hoy: date | None) -> tuple[str, ...]:
    found = []
    if term.unidad in (Unidad.HORAS, Unidad.HORAS_HABILES) and not isinstance(desde, datetime):
        found.append("Sin la hora del hecho: se contó desde las 00:00 de ese día.")
    if hoy is not None and start > hoy:
        found.append("La fecha del hecho es posterior a hoy: revísela.")
    if term.marca == "M":
        found.append("Término tomado de memoria: confírmelo en la norma antes de usarlo.")
    return tuple(found)


def _sin_termino(term_id: str, start: date, term: Termino | None) -> SinTermino | None:
    """Return why there is nothing to count, for reasons that do not depend on the payer."""
    if term is None:
        known = versions(term_id)
        first, last = known[0].vigente_desde, known[-1].vigente_hasta
        ends = f" y la última rigió hasta {last.isoformat()}" if last else ""
        begins = f" (la primera rige desde {first.isoformat()}{ends})" if first else ""
        reason = f"La tabla no tiene norma vigente para {known[0].id} el {start.isoformat()}{begins}."
        return SinTermino(known[0].id, reason)
    if term.fecha is not None:
        reason = f"Es una fecha de vigencia ({term.fecha.isoformat()}), no un plazo que se cuente."
        return SinTermino(term.id, reason, term.norma, term.articulo)
    if not term.computable:
        return SinTermino(term.id, term.motivo, term.norma, term.articulo)
    return None


def calcular(
    term_id: str,
    desde: date | datetime,
    *,
    calendar: Calendar | None = None,
    hoy: date | None = None,
    segunda: date | datetime | None = None,
    pagador: str = TipoPagador.DESCONOCIDO,
    norma_en: date | None = None,
    jornada: tuple[int, int] = (0, 24),
) -> Plazo | SinTermino:
    """Compute when the term `term_id` lapses for an event on `desde`.

    `desde` and `segunda` are a civil date or an aware instant; `segunda` is the other possible start of an ambiguous
    term (GLO-05: the day on which the 15 days to answer ended). The version of the norm is that of `norma_en`, by
    default the event's day. `pagador` (a TipoPagador) decides whether the table has a term at all. `jornada` are the hours of a
    business day for terms in business hours. Raises UnknownTerm, OutOfCalendar, ValueError (naive instant).
    """
    cal = calendar or default_calendar()
    start = _civil(desde)
    is_business_day(start, calendar=cal)
    term = version_for(term_id, norma_en or start)
    nothing = _sin_termino(term_id, start, term)
    if term is None or term.cantidad is None or nothing is not None:
        return nothing or SinTermino(term_id, "La norma no fija un plazo.")
    criterios = term.criterios or (Criterio(term.cantidad, term.unidad, segunda=False, texto=""),)
    readings: list[Lectura] = []
    for one in criterios:
        at = segunda if one.segunda else desde
        if at is None:
            readings.append(Lectura(None, f"{one.texto}: falta esa fecha para contarla"))
        else:
            readings.extend(_read(one, at, term.ancla, jornada, cal))
    known = [each for each in readings if each.vence is not None]
    first = min(known, key=lambda each: each.vence or date.max)
    vence = first.vence or date.max
    if pagador in term.sin_termino_para:
        reason = (
            f"La tabla no tiene término de {term.id} para pagadores de tipo {pagador}: revise la norma de ese pagador."
        )
        return SinTermino(term.id, reason, term.norma, term.articulo, vence)
    avisos = _avisos(term, desde, start, hoy)
    return Plazo(
        term.id, start, vence, term.norma, term.articulo, cal.version, tuple(readings), term, first.hora, avisos
    )


def plazo_json(plazo: Plazo) -> dict[str, object]:
    """Return the document that the CLI prints: termino, desde, vence, norma, articulo, calendario, lecturas."""
    return {
        "termino": plazo.termino,
        "desde": plazo.desde.isoformat(),
        "vence": plazo.vence.isoformat(),
        "norma": plazo.norma,
        "articulo": plazo.articulo,
        "calendario": plazo.calendario,
        "lecturas": [
            {"vence": each.vence.isoformat() if each.vence else None, "criterio": each.criterio}
            for each in plazo.lecturas
        ],
    }
