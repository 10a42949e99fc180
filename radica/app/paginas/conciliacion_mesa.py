"""The working table, the simulator and both ledgers, as pages.

Invariant: what was typed and refused comes back as it was typed, beside what stands now; the simulator stores
nothing; a class of differences opens its rows, and its rows make its sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from radica.app.acciones.conciliacion_formas import LedgerForm, read_percents
from radica.app.paginas import conciliacion_consultas as sql
from radica.app.paginas.conciliacion_plano import READERS, blueprint, load, may_work, query_id
from radica.conciliacion import ledger, ledger_store, table
from radica.conciliacion.models import Conciliacion
from radica.conciliacion.simulate import Porcentaje, simulate, total
from radica.conciliacion.states import ABIERTAS, EstadoConciliacion
from radica.entidades.models import Pagador
from radica.kernel.errors import BadInput, RadicaError
from radica.kernel.money import from_cents
from radica.kernel.web import allow, db_session

ROWS = 300
"""Rows of a class of differences on one page."""


@dataclass(frozen=True)
class Tecleado:
    """What a person typed on a line and was refused: the three amounts, the note, and why."""

    levantado: str
    aceptado: str
    sigue: str
    nota: str
    motivo: str


@blueprint.get("/<int:conciliacion_id>/mesa")
@allow(*READERS)
def mesa(conciliacion_id: int) -> ResponseReturnValue:
    """Show the working table."""
    session = db_session()
    return table_page(session, load(session, conciliacion_id))


def table_page(
    session: Session,
    row: Conciliacion,
    *,
    typed: Mapping[int, Tecleado] | None = None,
    error: RadicaError | None = None,
) -> str:
    """Return a page of the table; `typed` are the refused lines."""
    code, number = request.args.get("codigo", "")[:12], request.args.get("factura", "")[:40]
    lines, following = sql.page_of_lines(session, row, codigo=code, factura=number, after=query_id("despues"))
    groups = table.groups(session, row)
    return render_template(
        "conciliacion/mesa.html",
        c=row,
        pagador=session.get_one(Pagador, row.pagador_id),
        lineas=lines,
        sigue=following,
        grupos=groups,
        grupo=next((one for one in groups if one.codigo == code), None),
        total=table.totals(session, row),
        cuantas=sum(one.lineas for one in groups),
        cambios=table.differences(session, row) if row.estado in ABIERTAS else [],
        typed=typed or {},
        error=error,
        codigo=code,
        factura=number,
        puede=may_work(row) and row.estado is EstadoConciliacion.CONVOCADA,
        estados=row.MACHINE.labels,
        pesos=pesos,
    )


def pesos(cents: int) -> str:
    """Write centavos as a field shows them: 45.300 or 45.300,50."""
    whole, _, rest = str(from_cents(cents)).partition(".")
    grouped = f"{int(whole):,}".replace(",", ".")
    return grouped if rest == "00" else f"{grouped},{rest}"


@blueprint.get("/<int:conciliacion_id>/simulador")
@allow(*READERS)
def simulador(conciliacion_id: int) -> ResponseReturnValue:
    """Show what percentages by code would leave; nothing is stored."""
    session = db_session()
    return simulator_page(session, load(session, conciliacion_id))


def simulator_page(session: Session, row: Conciliacion, error: RadicaError | None = None) -> str:
    """Return the simulator with what the address (or a refused form) asks."""
    asked = request.form if request.method == "POST" else request.args
    wanted: dict[str, Porcentaje] = {}
    try:
        wanted = read_percents(asked)
    except BadInput as refusal:
        error = error or refusal
    results = simulate(table.parts_of(session, row), wanted)
    return render_template(
        "conciliacion/simulador.html",
        c=row,
        pagador=session.get_one(Pagador, row.pagador_id),
        resultados=results,
        total=total([one.reparto for one in results]),
        ahora_total=table.totals(session, row),
        indivisibles=sum(one.indivisibles for one in results),
        pedido=asked,
        hay=bool(wanted),
        error=error,
        puede=may_work(row) and row.estado is EstadoConciliacion.CONVOCADA,
    )


@blueprint.get("/<int:conciliacion_id>/libro")
@allow(*READERS)
def libro(conciliacion_id: int) -> ResponseReturnValue:
    """Show both ledgers side by side."""
    session = db_session()
    return ledger_page(session, load(session, conciliacion_id))


def ledger_page(session: Session, row: Conciliacion, *, form: Any = None, error: RadicaError | None = None) -> str:
    """Return the comparison, and the rows of the class that the address names."""
    crossed = ledger_store.crossing(session, row)
    parts = ledger.classes(crossed)
    chosen = request.args.get("diferencia")
    rows = [one for one in crossed if chosen is not None and one.diferencia == ("" if chosen == "iguales" else chosen)]
    start = max(0, min(request.args.get("desde", 0, type=int), len(rows)))
    return render_template(
        "conciliacion/libro.html",
        c=row,
        pagador=session.get_one(Pagador, row.pagador_id),
        clases=parts,
        todo=ledger.whole(parts),
        elegida=chosen,
        filas=rows[start : start + ROWS],
        cuantas=len(rows),
        desde=start,
        paso=ROWS,
        nombre=ledger.name_of,
        CLASES=ledger.CLASES,
        form=form or LedgerForm(formdata=None),
        error=error,
        puede=may_work(row) and row.estado is EstadoConciliacion.CONVOCADA,
    )
