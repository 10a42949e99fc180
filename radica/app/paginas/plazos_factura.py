"""The terms that run for one invoice, as the page says them: whose they are, until when, by which article.

Invariant: an ambiguous term shows all its readings, and one without a countable term says why; nothing is invented.
Norms: row by row in `plazos/data/terms.csv` (RAD-01 Res. 948/2026 art. 15, DEV-01 Res. 2284/2023, GLO-01 Ley 1438/2011).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from radica.entidades.models import TipoPagador
from radica.facturas.models import Factura
from radica.facturas.states import POR_RADICAR, EstadoFactura
from radica.kernel.clock import civil_date
from radica.plazos.calendar import OutOfCalendar
from radica.plazos.rules import EstadoPlazo, estado_plazo, terms_for_event
from radica.plazos.table import Evento
from radica.plazos.terms import Lectura, Plazo, SinTermino, calcular, version_for

MAIN = ("RAD-01", "RAD-08", "DEV-01", "GLO-01", "PAG-02", "PAG-03")
"""Terms shown open; the others fold."""


@dataclass(frozen=True)
class PlazoVisto:
    """One term on the page. `nuestro`: the provider must act. `estado` is None when there is nothing to count."""

    termino: str
    asunto: str
    quien: str
    nuestro: bool
    principal: bool
    vence: date | None
    estado: EstadoPlazo | None
    norma: str
    articulo: str
    efecto: str
    lecturas: tuple[Lectura, ...] = ()
    motivo: str = ""
    prudente: date | None = None
    """What to watch where the norm gives that payer no term; it never counts as lapsed."""
    avisos: tuple[str, ...] = ()


def terms_shown(factura: Factura, tipo: TipoPagador, at: datetime) -> list[PlazoVisto]:
    """Return the terms that run for an invoice at the business instant `at`: open ones first, by last day."""
    wanted: list[tuple[str, date]] = []
    if factura.estado is EstadoFactura.RADICADA and factura.fecha_radicacion is not None:
        day = civil_date(factura.fecha_radicacion)
        wanted += [(term, day) for term in terms_for_event(Evento.RADICACION) if term != "PAG-10"]
    elif factura.estado in POR_RADICAR | {EstadoFactura.POR_ANULAR, EstadoFactura.RECIBIDA_SIN_NUMERO}:
        # Without a number nothing proves yet that it was filed in term: the prudent side keeps showing RAD-01.
        start = factura.expedida_at or factura.validada_dian_at
        if start is not None:
            wanted.append(("RAD-01", civil_date(start)))
        served = factura.servicio_hasta or factura.servicio_desde
        if served is not None:
            wanted.append(("RAD-08", served))
    found = [one for term, day in wanted if (one := _seen(term, day, tipo, at)) is not None]
    return sorted(found, key=lambda one: (not one.principal, one.vence or one.prudente or date.max, one.termino))


def _seen(term: str, day: date, tipo: TipoPagador, at: datetime) -> PlazoVisto | None:
    try:
        computed = calcular(term, day, pagador=tipo.value, hoy=civil_date(at))
        if isinstance(computed, SinTermino):
            return _without(computed, term, day)
        return _with(computed, at)
    except OutOfCalendar:
        return None


def _with(plazo: Plazo, at: datetime) -> PlazoVisto:
    ours = "PSS" in plazo.detalle.actor
    return PlazoVisto(
        termino=plazo.termino,
        asunto=plazo.detalle.asunto,
        quien="nosotros" if ours else "el pagador" if "ERP" in plazo.detalle.actor else plazo.detalle.actor.lower(),
        nuestro=ours,
        principal=plazo.termino in MAIN,
        vence=plazo.vence,
        estado=estado_plazo(plazo, civil_date(at)),
        norma=plazo.norma,
        articulo=plazo.articulo,
        efecto=plazo.detalle.efecto,
        lecturas=plazo.lecturas if len(plazo.lecturas) > 1 else (),
        avisos=plazo.avisos,
    )


def _without(none: SinTermino, term: str, day: date) -> PlazoVisto:
    detail = version_for(term, day) if none.fecha_prudente else None
    return PlazoVisto(
        termino=none.termino,
        asunto=f"{detail.asunto}: fecha prudente" if detail else "Sin término que contar",
        quien="",
        nuestro=False,
        principal=none.termino in MAIN,
        vence=None,
        estado=None,
        norma=none.norma,
        articulo=none.articulo,
        efecto="",
        motivo=none.motivo,
        prudente=none.fecha_prudente,
    )
