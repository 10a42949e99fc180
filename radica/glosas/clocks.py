"""The clocks of a devolución and of a glosa: which term runs in each state, what it shows, and whether it was kept.

Invariant: `vence` is the earliest reading and every other is kept beside it; a payer to whom the table gives no term
(SOAT, ADRES) gets a prudent date without effect. Lateness of the payer is counted on the true notice date and proved
day by day. Norms: Ley 1438/2011 art. 57 (GLO-*), Res. 2284/2023 art. 6 (DEV-*), Ley 4/1913 art. 62.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from radica.entidades.catalogue import TipoPagador
from radica.glosas.states import EstadoDevolucion, EstadoGlosa
from radica.kernel.clock import civil_date
from radica.plazos.calendar import (
    Calendar,
    CountedDay,
    add_business_days,
    business_days_between,
    count_list,
    default_calendar,
)
from radica.plazos.table import versions
from radica.plazos.terms import Plazo, SinTermino, calcular

G, D = EstadoGlosa, EstadoDevolucion


class Objeto(StrEnum):
    """What is objected: a line, or the whole invoice."""

    GLOSA = "glosa"
    DEVOLUCION = "devolucion"


PAYER_TERM = {Objeto.GLOSA: "GLO-01", Objeto.DEVOLUCION: "DEV-01"}
ANSWER_TERM = {Objeto.GLOSA: "GLO-03", Objeto.DEVOLUCION: "DEV-02"}
_FIRST_ANSWERED = (G.RESPONDIDA, G.ACEPTADA_PARCIAL, G.SIN_DECISION)
_TO_MEND = (G.EN_SUBSANACION, G.LEVANTADA_PARCIAL)


@dataclass(frozen=True)
class Corre:
    """The term that runs. `sin_efecto` says that the table gives none here and `vence` is only prudent; why: `motivo`."""

    termino: str
    vence: date | None
    vence_alterno: date | None = None
    sin_efecto: bool = False
    motivo: str = ""

    @property
    def ultima(self) -> date | None:
        """Return the last day of the most generous reading."""
        return self.vence_alterno or self.vence


@dataclass(frozen=True)
class FirstTerms:
    """What is known when an objection arrives. `dias_pagador`: business days from filing to notice."""

    extemporanea: bool
    dias_pagador: int | None
    vence: date | None
    vence_alterno: date | None
    termino: str
    prueba: dict[str, Any]


@dataclass(frozen=True)
class Conteo:
    """A count as proof: both dates, each day with its number or why it was skipped, and the calendar's version."""

    desde: date
    hasta: date
    dias: tuple[CountedDay, ...]
    habiles: int
    calendario: str


@dataclass(frozen=True)
class PruebaExtemporanea:
    """That a notice came late: the term, its last day, and the count from the filing to the notice (RE9501, RE9502)."""

    termino: str
    norma: str
    articulo: str
    permitidos: int
    limite: date
    conteo: Conteo


_CALENDARS: dict[str, Calendar] = {}
"""Calendars by version: terms are cached by version because a calendar itself has no hash."""


@lru_cache(maxsize=1 << 16)
def _cached(term_id: str, desde: date, segunda: date | None, pagador: str, version: str) -> Plazo | SinTermino:
    calendar = _CALENDARS[version]
    found = calcular(term_id, desde, calendar=calendar, segunda=segunda, pagador=pagador)
    if isinstance(found, Plazo) or found.fecha_prudente is not None:
        return found
    # Before the norm was in force there is no term; the first version still says which day to watch.
    first = versions(term_id)[0]
    if not first.computable or first.vigente_desde is None:
        return found
    later = calcular(term_id, desde, calendar=calendar, segunda=segunda, norma_en=first.vigente_desde)
    if not isinstance(later, Plazo):
        return found
    return SinTermino(found.termino, found.motivo, found.norma, found.articulo, later.vence)


def _term(term_id: str, desde: date, segunda: date | None, pagador: str, calendar: Calendar) -> Plazo | SinTermino:
    _CALENDARS.setdefault(calendar.version, calendar)
    return _cached(term_id, desde, segunda, pagador, calendar.version)


def running(
    term_id: str,
    desde: datetime | date,
    *,
    segunda: date | None = None,
    tambien: date | None = None,
    pagador: str = TipoPagador.DESCONOCIDO,
    calendar: Calendar | None = None,
) -> Corre:
    """Return the term that begins on `desde`, with the earliest and the latest of its readings.

    `segunda` is the other start of an ambiguous term (GLO-05); `tambien` another date from which it may be counted
    (the notice date that the payer states). Raises OutOfCalendar.
    """
    cal = calendar or default_calendar()
    start = _civil(desde)
    found = _term(term_id, start, segunda, pagador, cal)
    if isinstance(found, SinTermino):
        days, effect, reason = [found.fecha_prudente], True, found.motivo
    else:
        days, effect, reason = [one.vence for one in found.lecturas], False, ""
    if tambien is not None and tambien != start:
        days.append(running(term_id, tambien, segunda=segunda, pagador=pagador, calendar=cal).vence)
    known = sorted({day for day in days if day is not None})
    first, last = (known[0], known[-1]) if known else (None, None)
    return Corre(term_id, first, last if last != first else None, effect, reason)


def lateness(
    kind: Objeto | str,
    radicada: datetime | date,
    notificada: datetime | date,
    *,
    pagador: str = TipoPagador.DESCONOCIDO,
    calendar: Calendar | None = None,
) -> dict[str, Any]:
    """Return whether a notice came within the payer's term (GLO-01, DEV-01), as plain values for the act.

    Keys: termino, desde, hasta, vence (None without a term), dias, calendario, oportuno (None without a term).
    The days one by one are `late_proof`.
    """
    cal = calendar or default_calendar()
    term_id = PAYER_TERM[Objeto(kind)]
    start, end = _civil(radicada), _civil(notificada)
    found = _term(term_id, start, None, pagador, cal)
    limit = found.vence if isinstance(found, Plazo) else None
    told: dict[str, Any] = {
        "termino": term_id,
        "desde": start.isoformat(),
        "hasta": end.isoformat(),
        "vence": limit.isoformat() if limit else None,
        "dias": business_days_between(start, end, calendar=cal),
        "calendario": cal.version,
        "oportuno": end <= limit if limit else None,
    }
    if isinstance(found, SinTermino):
        told["motivo"] = found.motivo
    return told


def first_terms(
    factura_radicada: datetime | None,
    notificada: datetime,
    kind: Objeto | str,
    *,
    segun_pagador: date | None = None,
    pagador: str = TipoPagador.DESCONOCIDO,
    calendar: Calendar | None = None,
) -> FirstTerms:
    """Return what an objection just notified carries: whether it is late, and the term to answer it.

    `notificada` is the true notice date. `segun_pagador`, the date that the payer states, only makes the term start
    earlier (the prudent reading), never later, and says nothing about lateness.
    """
    what = Objeto(kind)
    proof: dict[str, Any] = {}
    if factura_radicada is not None:
        proof = lateness(what, factura_radicada, notificada, pagador=pagador, calendar=calendar)
    stated = prudent_start(factura_radicada, notificada, segun_pagador)
    term = running(ANSWER_TERM[what], notificada, tambien=stated, pagador=pagador, calendar=calendar)
    return FirstTerms(
        proof.get("oportuno") is False, proof.get("dias"), term.vence, term.vence_alterno, term.termino, proof
    )


def prudent_start(
    radicada: datetime | date | None, notificada: datetime | date, segun_pagador: date | None
) -> date | None:
    """Return the payer's date when it is earlier than the true notice and possible (not before the filing)."""
    if segun_pagador is None or segun_pagador >= _civil(notificada):
        return None
    if radicada is not None and segun_pagador < _civil(radicada):
        return None
    return segun_pagador


def terms_after(
    estado: EstadoGlosa | EstadoDevolucion,
    *,
    notificada: datetime | date,
    radicada: datetime | date | None = None,
    segun_pagador: date | None = None,
    respondida: datetime | date | None = None,
    decidida: datetime | date | None = None,
    pagador: str = TipoPagador.DESCONOCIDO,
    calendar: Calendar | None = None,
) -> Corre | None:
    """Return the term that runs in a state, from the dates of the acts that led to it; None when none runs.

    `respondida` is our latest answer, `decidida` the payer's latest decision.
    """
    cal = calendar or default_calendar()
    stated = prudent_start(radicada, notificada, segun_pagador)
    if estado is G.FORMULADA:
        return running("GLO-03", notificada, tambien=stated, pagador=pagador, calendar=cal)
    if estado is D.FORMULADA:
        return running("DEV-02", notificada, tambien=stated, pagador=pagador, calendar=cal)
    # By identity first: the words of both machines are equal texts, their terms are not.
    if estado is D.RESPONDIDA:
        return running("DEV-03", respondida, pagador=pagador, calendar=cal) if respondida else None
    if estado in _FIRST_ANSWERED and respondida is not None:
        return running("GLO-04", respondida, pagador=pagador, calendar=cal)
    if estado in _TO_MEND and decidida is not None:
        end = answers_end(notificada, calendar=cal)
        return running("GLO-05", decidida, segunda=end, pagador=pagador, calendar=cal)
    if estado is G.SUBSANADA and respondida is not None:
        return running("GLO-07", respondida, pagador=pagador, calendar=cal)
    return None


def answers_end(notificada: datetime | date, *, calendar: Calendar | None = None) -> date:
    """Return the day on which the fifteen days to answer ended: the second start of GLO-05."""
    amount = next(term.cantidad for term in reversed(versions("GLO-03")) if term.cantidad is not None)
    return add_business_days(_civil(notificada), amount, calendar=calendar)


def turn(estado: EstadoGlosa | EstadoDevolucion) -> str:
    """Return who must act in a state: `ips`, `pagador`, or `` when nobody's term runs."""
    if estado in {G.FORMULADA, D.FORMULADA, *_TO_MEND}:
        return "ips"
    if estado in {*_FIRST_ANSWERED, G.SUBSANADA, D.RESPONDIDA}:
        return "pagador"
    return ""


def kept(
    corre: Corre | None, desde: datetime | date, act: datetime, *, calendar: Calendar | None = None
) -> dict[str, Any]:
    """Return, as plain values for the act, whether it came inside the term `corre` that began on `desde`.

    `oportuno` counts to the last reading, `oportuno_prudente` to the first; both None where the table has no term.
    """
    if corre is None or corre.vence is None:
        return {}
    cal = calendar or default_calendar()
    start, end = _civil(desde), civil_date(act)
    last = corre.ultima or corre.vence
    return {
        "termino": corre.termino,
        "desde": start.isoformat(),
        "hasta": end.isoformat(),
        "vence": corre.vence.isoformat(),
        "vence_alterno": corre.vence_alterno.isoformat() if corre.vence_alterno else None,
        "dias": business_days_between(start, end, calendar=cal),
        "calendario": cal.version,
        "oportuno": None if corre.sin_efecto else end <= last,
        "oportuno_prudente": None if corre.sin_efecto else end <= corre.vence,
    }


def pay_until(levantada: datetime | date, *, pagador: str, calendar: Calendar | None = None) -> dict[str, Any]:
    """Return, as plain values for the act, until when the payer must pay what it lifted (GLO-06)."""
    corre = running("GLO-06", levantada, pagador=pagador, calendar=calendar)
    return {
        "termino": corre.termino,
        "vence": corre.vence.isoformat() if corre.vence else None,
        "exigible": not corre.sin_efecto,
    }


def count_proof(desde: datetime | date, hasta: datetime | date, *, calendar: Calendar | None = None) -> Conteo:
    """Return the count from one day to another, every day listed with its number or the reason it is skipped.

    Raises ValueError when `hasta` is before `desde`.
    """
    cal = calendar or default_calendar()
    start, end = _civil(desde), _civil(hasta)
    days = count_list(start, end, calendar=cal)
    return Conteo(start, end, days, sum(day.number is not None for day in days), cal.version)


def late_proof(
    kind: Objeto | str,
    radicada: datetime | date,
    notificada: datetime | date,
    *,
    pagador: str = TipoPagador.DESCONOCIDO,
    calendar: Calendar | None = None,
) -> PruebaExtemporanea | None:
    """Return the proof that a notice came late, or None when it came in time or the table has no term for the payer."""
    cal = calendar or default_calendar()
    found = _term(PAYER_TERM[Objeto(kind)], _civil(radicada), None, pagador, cal)
    if not isinstance(found, Plazo) or _civil(notificada) <= found.vence:
        return None
    count = count_proof(radicada, notificada, calendar=cal)
    allowed = found.detalle.cantidad or 0
    return PruebaExtemporanea(found.termino, found.norma, found.articulo, allowed, found.vence, count)


def siifa_due(ocurrido_at: datetime, *, calendar: Calendar | None = None) -> datetime | None:
    """Return the instant at which the 48 business hours of GLO-09 after an act are over."""
    found = calcular("GLO-09", ocurrido_at, calendar=calendar)
    return found.hora if isinstance(found, Plazo) else None


def _civil(at: datetime | date) -> date:
    return civil_date(at) if isinstance(at, datetime) else at
