"""What an answer of a portal means, decided without touching anything.

Invariant: *found* counts when invoice, act and value match and the payer's date is not before the intent; *absent*
counts only after the fence, after the portal's settling time, and when two readings a settling time apart agree;
everything else waits or goes to a person (DESIGN section 5.6). Nothing is inferred from silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import takewhile

from radica.kernel.clock import BOGOTA

MAX_READINGS = 24
"""Readings of one attempt before a person is asked, whatever they say: a portal that contradicts itself has no end."""
MAX_CANNOT_SAY = 4
"""Readings in a row without an answer before a person is asked; a portal may be down for a night."""
CLOCK_TOLERANCE = timedelta(minutes=2)
"""How far a payer's clock may run behind ours; portals that print no seconds need at least one minute."""


class Veredicto(StrEnum):
    """What the readings so far allow."""

    HALLADA = "hallada"
    SIN_NUMERO = "sin_numero"
    AUSENTE = "ausente"
    ESPERAR = "esperar"
    PERSONA = "persona"
    POR_FUERA = "por_fuera"


@dataclass(frozen=True)
class Reading:
    """One answer of look_up. `at_ms`: database clock. `fecha`: the payer's own time, aware. `valor`: centavos."""

    resultado: str
    at_ms: int
    radicado: str | None = None
    fecha: datetime | None = None
    valor: int | None = None
    reintentable: bool = True


@dataclass(frozen=True)
class Decision:
    """The verdict, the sentence for the history, and when to read again (database clock, ms) if it is to wait.

    `pausa_ms`: least pause between the writing of this reading and the next question, which is asked after it.
    """

    veredicto: Veredicto
    motivo: str
    leer_despues_ms: int | None = None
    reading: Reading | None = None
    pausa_ms: int = 0


def decide(
    readings: Sequence[Reading],
    *,
    fenced_ms: int | None,
    settle_ms: int,
    intent_at: datetime,
    valor: int,
    tolerance: timedelta = CLOCK_TOLERANCE,
) -> Decision:
    """Decide an unknown outcome from its readings, in the order in which the portal was asked.

    `fenced_ms` is when the host found no living process of the attempt (None: not yet), `settle_ms` how long the
    portal may hide what it holds, `intent_at` the business instant of the intent, `valor` the filed sum in centavos.
    """
    if not readings:
        return Decision(Veredicto.ESPERAR, "Aún no se ha consultado el portal.", leer_despues_ms=0)
    last = readings[-1]
    if last.resultado == "found":
        return _judge_found(last, intent_at=intent_at, valor=valor, tolerance=tolerance)
    if last.resultado == "known_without_number":
        return _judge_unnumbered(last, intent_at - tolerance)
    if last.resultado == "cannot_say":
        decision = _judge_silence(readings, settle_ms)
    else:
        decision = _judge_absent(readings, fenced_ms, settle_ms)
    if decision.veredicto is Veredicto.ESPERAR and len(readings) >= MAX_READINGS:
        return Decision(
            Veredicto.PERSONA, f"El portal no dio una respuesta firme en {len(readings)} consultas.", reading=last
        )
    return decision


def _judge_found(last: Reading, *, intent_at: datetime, valor: int, tolerance: timedelta) -> Decision:
    if not last.radicado:
        return Decision(Veredicto.SIN_NUMERO, "El portal muestra que la tiene, pero no dice el número.", reading=last)
    if last.valor != valor:
        return Decision(
            Veredicto.PERSONA,
            "El portal muestra una radicación con otro valor: debe decidir una persona.",
            reading=last,
        )
    if last.fecha is None:
        return Decision(
            Veredicto.PERSONA,
            "El portal muestra una radicación sin fecha: no se sabe si es de este envío o se radicó por fuera.",
            reading=last,
        )
    if last.fecha < intent_at - tolerance:
        return Decision(
            Veredicto.POR_FUERA,
            "El portal muestra una radicación anterior a este envío: se radicó por fuera.",
            reading=last,
        )
    return Decision(Veredicto.HALLADA, "El portal muestra la radicación.", reading=last)


def _judge_unnumbered(last: Reading, not_before: datetime) -> Decision:
    if last.fecha is not None and last.fecha < not_before:
        return Decision(
            Veredicto.POR_FUERA, "Lo que el portal muestra es anterior a este envío: se hizo por fuera.", reading=last
        )
    return Decision(Veredicto.SIN_NUMERO, "El portal muestra que la tiene, pero no dice el número.", reading=last)


def _judge_silence(readings: Sequence[Reading], settle_ms: int) -> Decision:
    last = readings[-1]
    if not last.reintentable:
        return Decision(Veredicto.PERSONA, "El portal no puede decir si recibió la factura.", reading=last)
    streak = 0
    for reading in reversed(readings):
        if reading.resultado != "cannot_say":
            break
        streak += 1
    if streak >= MAX_CANNOT_SAY:
        return Decision(Veredicto.PERSONA, f"El portal no contestó en {streak} consultas seguidas.", reading=last)
    pause = max(settle_ms, 1000) * 2 ** (streak - 1)
    return Decision(Veredicto.ESPERAR, "El portal no contestó; se consultará otra vez.", last.at_ms + pause)


def _judge_absent(readings: Sequence[Reading], fenced_ms: int | None, settle_ms: int) -> Decision:
    last = readings[-1]
    if fenced_ms is None:
        return Decision(
            Veredicto.ESPERAR, "El portal no la muestra, pero el proceso que la envió no se ha dado por terminado.", 0
        )
    counting_from = fenced_ms + settle_ms
    if last.at_ms < counting_from:
        return Decision(Veredicto.ESPERAR, "El portal no la muestra; aún puede tardar en mostrarla.", counting_from)
    # Any other answer between the two readings breaks their agreement.
    agreeing = list(takewhile(lambda r: r.resultado == "absent", reversed(readings)))
    good = [r for r in agreeing if r.at_ms >= counting_from]
    first = good[-1]
    if last.at_ms - first.at_ms >= settle_ms and len(good) > 1:
        return Decision(Veredicto.AUSENTE, "Dos consultas separadas coinciden: el portal no la tiene.", reading=last)
    return Decision(
        Veredicto.ESPERAR,
        "Una consulta no la muestra; falta la segunda para darla por no recibida.",
        first.at_ms + settle_ms,
        pausa_ms=settle_ms,
    )


def payer_time(text: str | None) -> datetime | None:
    """Read a payer's ISO date or instant; without offset it is Colombian time. None when it cannot be read."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=BOGOTA)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None  # at the ends of the calendar: no date of a filing
