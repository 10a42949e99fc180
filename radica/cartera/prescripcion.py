"""The clocks after which an invoice can no longer be claimed, one per way to the judge, and the shortest first.

Invariant: each clock counts plain years from the earliest day on which its debt could be demanded, and is not moved
when it ends on a holiday: nobody should trust that day. A suspension only counts where a person entered it; without it
the date is the earlier one. Competence is not settled, so the alert follows the shortest. Norms: C.Co. 789 (PRE-01),
Código Civil 2536 (PRE-02), CPTSS 151 (PRE-03), CPACA 164 (PRE-04), Ley 2220/2022 art. 56 (CON-02), CGP 94 (PRE-05).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.cartera.pagos import sums
from radica.cartera.saldos import notes_by_invoice
from radica.entidades.models import Pagador, TipoPagador
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura
from radica.kernel.clock import BOGOTA, civil_date
from radica.plazos.table import Criterio
from radica.plazos.terms import Plazo, SinTermino, add_months, calcular, version_for

FILED = (EstadoFactura.RADICADA, EstadoFactura.RECIBIDA_SIN_NUMERO)
UMBRALES = (180, 90, 30)
"""Days before the shortest clock at which a person is told."""
VIAS = {
    "PRE-01": "Acción cambiaria",
    "PRE-02": "Civil",
    "PRE-03": "Laboral y de la seguridad social",
    "PRE-04": "Contencioso administrativo",
}
SUSPENSION_MESES = 3


@dataclass(frozen=True)
class Suspension:
    """A request of conciliación: its day, and the day on which it ended (None: not known, three months at most)."""

    desde: date
    hasta: date | None = None


@dataclass(frozen=True)
class Reloj:
    """One clock: from when, until which day, its norm and how sure we are; `suspendido` in days."""

    termino: str
    via: str
    desde: date
    vence: date
    norma: str
    articulo: str
    certeza: str
    suspendido: int = 0


@dataclass(frozen=True)
class Alerta:
    """An invoice whose shortest clock is near. `umbral` is the step it passed; `dias` may be negative."""

    factura_id: int
    prestador_id: int
    numero: str
    pagador: str
    saldo: int
    reloj: Reloj
    dias: int
    umbral: int


def exigible(presentada: date, pagador: str) -> tuple[date, str]:
    """Return the earliest day on which something of an invoice could be demanded, and why.

    It is the end of the shortest reading of the short term of payment (PAG-02); a payer without a term of its own is
    counted from the very day of filing.
    """
    found = calcular("PAG-02", presentada, pagador=pagador)
    if isinstance(found, SinTermino):
        return presentada, "La tabla no tiene término de pago para este pagador: se cuenta desde la presentación."
    return found.vence, f"Vencimiento de la parte que se paga primero ({found.norma}, art. {found.articulo})."


def relojes(desde: date, suspensiones: Sequence[Suspension] = ()) -> list[Reloj]:
    """Return the clocks of a debt that can be demanded from `desde`, the shortest first."""
    made = []
    for term_id, via in VIAS.items():
        term = version_for(term_id, desde)
        if term is None or term.cantidad is None:
            continue
        certainty = f"{term.marca} {term.confianza}"
        readings = term.criterios or (Criterio(term.cantidad, term.unidad, segunda=False, texto=""),)
        for one in readings:
            last, days = _suspended(desde, add_months(desde, one.cantidad * 12), suspensiones)
            name = f"{via}: {one.texto}" if one.texto else via
            made.append(Reloj(term_id, name, desde, last, term.norma, term.articulo, certainty, days))
    return sorted(made, key=lambda one: (one.vence, one.termino))


def _suspended(since: date, last: date, suspensiones: Sequence[Suspension]) -> tuple[date, int]:
    """Return the last day and for how many days the clock stood still: once, and three months at most."""
    for one in sorted(suspensiones, key=lambda each: each.desde):
        if since <= one.desde <= last:
            longest = add_months(one.desde, SUSPENSION_MESES)
            until = min(one.hasta or longest, longest)
            days = max(0, (until - one.desde).days)
            return last + timedelta(days=days), days
    return last, 0


def interrumpida(demanda: date, notificada_al_demandante: date, notificado_al_demandado: date | None) -> date | None:
    """Return the day from which a lawsuit interrupts (PRE-05): its own when the debtor was notified within the year.

    Notified later, it interrupts from that notice; not notified, it does not (None).
    """
    if notificado_al_demandado is None:
        return None
    term = calcular("PRE-05", notificada_al_demandante)
    in_time = isinstance(term, Plazo) and notificado_al_demandado <= term.vence
    return demanda if in_time else notificado_al_demandado


def de_factura(factura: Factura, pagador: str, suspensiones: Sequence[Suspension] = ()) -> list[Reloj]:
    """Return the clocks of an invoice, the shortest first; none while it is not filed."""
    if factura.fecha_radicacion is None:
        return []
    since, _ = exigible(civil_date(factura.fecha_radicacion), pagador)
    return relojes(since, suspensiones)


@lru_cache(maxsize=8192)
def mas_corta(presentada: date, pagador: str) -> Reloj:
    """Return the shortest clock of an invoice filed on a day with a payer of a kind, nothing suspended."""
    return relojes(exigible(presentada, pagador)[0])[0]


def umbral_de(dias: int, umbrales: Sequence[int] = UMBRALES) -> int | None:
    """Return the smallest step that `dias` days are within, None beyond the largest; a lapsed clock is in the last."""
    return min((one for one in umbrales if dias <= one), default=None)


def _old(hoy: date, umbrales: Sequence[int]) -> datetime:
    """Return the instant before which an invoice was filed whose clock may be near: no clock is shorter than three
    years, and one of them is left to spare.
    """
    return datetime.combine(add_months(hoy + timedelta(days=max(umbrales)), -24), time(0), tzinfo=BOGOTA)


def alertas(
    session: Session,
    hoy: date,
    *,
    prestador_ids: Collection[int] | None = None,
    umbrales: Sequence[int] = UMBRALES,
    suspensiones: Mapping[int, Sequence[Suspension]] | None = None,
) -> list[Alerta]:
    """Return the filed invoices with a balance whose shortest clock is within the widest step, the nearest first."""
    query = (
        select(Factura, Pagador)
        .outerjoin(Pagador, Pagador.id == Factura.pagador_id)
        .where(Factura.estado.in_([one.value for one in FILED]), Factura.fecha_radicacion < _old(hoy, umbrales))
    )
    if prestador_ids is not None:
        query = query.where(Factura.prestador_id.in_(prestador_ids))
    rows: list[tuple[Factura, Pagador | None]] = [(row[0], row[1]) for row in session.execute(query)]
    providers = {factura.prestador_id for factura, _ in rows}
    paid, notes = sums(session, providers), notes_by_invoice(session, providers)
    found = []
    for factura, payer in rows:
        credit, debit = notes.get(factura.id, (0, 0))
        left = (factura.valor or 0) + debit - credit - sum(paid.get(factura.id, (0, 0)))
        if left <= 0:
            continue
        kind = payer.tipo if payer is not None else TipoPagador.DESCONOCIDO
        stops = (suspensiones or {}).get(factura.id, ())
        filed = civil_date(factura.fecha_radicacion or factura.creada_at)
        first = de_factura(factura, kind, stops)[0] if stops else mas_corta(filed, kind)
        days = (first.vence - hoy).days
        step = umbral_de(days, umbrales)
        if step is not None:
            name = payer.nombre if payer is not None else ""
            found.append(Alerta(factura.id, factura.prestador_id, factura.numero, name, left, first, days, step))
    return sorted(found, key=lambda one: (one.reloj.vence, one.factura_id))
