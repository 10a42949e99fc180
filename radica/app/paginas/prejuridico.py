"""Prejurídico on screen: what could go to court by payer and invoice, and the dossiers that were made.

Invariant: every figure is of the rows that its link opens; only providers in view. Norms: CGP art. 422, PRE-01 to
PRE-04; Res. 2284/2023 art. 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.app.paginas.comun import provider_names
from radica.app.paginas.conciliacion_plano import query_id
from radica.app.paginas.prejuridico_plano import READERS, WORKERS, blueprint
from radica.entidades.models import Pagador, Prestador
from radica.kernel.clock import civil_date
from radica.kernel.web import allow, db_session, now, person
from radica.prejuridico.candidatas import HUECOS, Candidata, by_payer, candidates
from radica.prejuridico.models import Expediente, ExpedienteFactura, Via
from radica.prejuridico.states import MACHINE, EstadoExpediente

SHOWN = 500
"""Invoices of one payer on the page; those whose clock is nearest."""
PER_PAGE = 60
NEAR_DAYS = 180
VIAS = {Via.EJECUTIVO: "Ejecutiva", Via.DECLARATIVO: "Declarativa"}
E = EstadoExpediente
TONOS = {
    E.SOLICITADO: "curso",
    E.LISTO: "bien",
    E.FALLIDO: "mal",
    E.ENTREGADO: "bien",
    E.DEMANDADO: "bien",
    E.DESCARTADO: "neutro",
}


@dataclass(frozen=True)
class Cifras:
    """What the tiles say: invoices, centavos, how many have gaps, how many prescribe soon or did."""

    facturas: int
    saldo: int
    en_disputa: int
    con_huecos: int
    por_prescribir: int
    prescritas: int


@dataclass(frozen=True)
class Fila:
    """One dossier of the list."""

    row: Expediente
    pagador: str
    prestador: str
    facturas: int


@blueprint.get("")
@allow(*READERS)
def cobro() -> ResponseReturnValue:
    """Show what is owed by payer; with `?pagador=` the invoices of that one."""
    session, me, today = db_session(), person(), civil_date(now())
    ids = me.selected(*READERS)
    payer, provider = query_id("pagador"), query_id("prestador")
    if provider in ids:
        ids = frozenset({provider})
    rows = candidates(session, ids, today, pagador_id=payer or None)
    name = session.get(Pagador, payer) if payer else None
    return render_template(
        "prejuridico/cobro.html",
        cifras=_figures(rows, today),
        grupos=[] if payer else by_payer(rows),
        facturas=rows[:SHOWN] if payer else [],
        facturas_total=len(rows),
        saldo_total=sum(one.saldo for one in rows),
        filtros_puestos=[("pagador", name.nombre)] if name else [],
        prestadores=provider_names(session, ids),
        HUECOS=HUECOS,
        trabaja=me.may(*WORKERS),
        hoy=today,
    )


@blueprint.get("/expedientes")
@allow(*READERS)
def expedientes() -> ResponseReturnValue:
    """List the dossiers, the newest first."""
    session, state, before = db_session(), request.args.get("estado", ""), query_id("despues")
    asked = EstadoExpediente(state) if state in list(EstadoExpediente) else None
    rows = dossiers(session, person().selected(*READERS), estado=asked, before=before or None)
    shown = rows[:PER_PAGE]
    return render_template(
        "prejuridico/expedientes.html",
        filas=shown,
        sigue=shown[-1].row.id if len(rows) > len(shown) else None,
        filtros_puestos=[("estado", MACHINE.labels[asked])] if asked else [],
        estados=MACHINE.labels,
        TONOS=TONOS,
        VIAS=VIAS,
    )


def dossiers(
    session: Session, ids: frozenset[int], *, estado: EstadoExpediente | None = None, before: int | None = None
) -> list[Fila]:
    """Return the dossiers of some providers, the newest first; one more than PER_PAGE tells of another page."""
    count = (
        select(func.count())
        .select_from(ExpedienteFactura)
        .where(ExpedienteFactura.expediente_id == Expediente.id)
        .scalar_subquery()
    )
    query = (
        select(Expediente, Pagador.nombre, Prestador.nombre, count)
        .join(Pagador, Pagador.id == Expediente.pagador_id)
        .join(Prestador, Prestador.id == Expediente.prestador_id)
        .where(Expediente.prestador_id.in_(ids))
        .order_by(Expediente.id.desc())
        .limit(PER_PAGE + 1)
    )
    if estado is not None:
        query = query.where(Expediente.estado == estado)
    if before is not None:
        query = query.where(Expediente.id < before)
    return [Fila(row[0], row[1], row[2], int(row[3])) for row in session.execute(query)]


def _figures(rows: Sequence[Candidata], today: date) -> Cifras:
    left = [days for one in rows if (days := one.dias(today)) is not None]
    return Cifras(
        len(rows),
        sum(one.saldo for one in rows),
        sum(one.en_disputa for one in rows),
        sum(bool(one.huecos) for one in rows),
        sum(days <= NEAR_DAYS for days in left),
        sum(days < 0 for days in left),
    )
