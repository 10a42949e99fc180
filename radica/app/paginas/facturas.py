"""The list of invoices: filters in the address, keyset pages, choose many, export of exactly what is shown.

Invariant: the list, its totals, the bulk act and the export read the same filter of the providers in view; exporting
is reading and is logged per provider before the file leaves (Ley 1581/2012 art. 17).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from radica.app.paginas.comun import log_export, payer_names, provider_names
from radica.app.paginas.consultas_facturas import (
    DEFAULT_ORDER,
    GRUPO_POR_RADICAR,
    MAX_EXPORT,
    SIN_PAGADOR,
    Filtro,
    all_rows,
    by_state,
    page_of,
    payers_in,
    read_filter,
    ready_ids,
)
from radica.app.paginas.exportar import Fila, workbook
from radica.app.paginas.urgencia import NOMBRES
from radica.facturas.models import Factura
from radica.facturas.states import POR_RADICAR, EstadoFactura
from radica.kernel.clock import civil_date
from radica.kernel.web import allow, db_session, now, person
from radica.kernel.web_format import entero, fecha
from radica.plazos.calendar import OutOfCalendar
from radica.plazos.rules import EstadoPlazo, estado_fecha
from radica.users.access import selected_ids
from radica.users.models import Rol

blueprint = Blueprint("facturas", __name__)
MAX_ORDER = 5_000
"""Invoices of one order from a filter; more are ordered in several."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def asked() -> Filtro:
    """Return the filter of this request, of the providers in view."""
    return read_filter(request.args, request.args.getlist("estado"), selected_ids(person()))


def urgency(row: Factura) -> EstadoPlazo | None:
    """Return how the term to file stands today; None when it does not run any more."""
    if row.vence_radicar is None or row.estado not in POR_RADICAR:
        return None
    try:
        return estado_fecha(row.vence_radicar, civil_date(now()))
    except OutOfCalendar:
        return None


@blueprint.get("/facturas")
def lista() -> ResponseReturnValue:
    """Show one page of the list."""
    f = asked()
    session = db_session()
    page = page_of(session, f, civil_date(now()), after=request.args.get("despues"), before=request.args.get("antes"))
    payers = payers_in(session, f.prestadores)
    return render_template(
        "facturas/lista.html",
        f=f,
        page=page,
        pagadores=payers,
        nombres=payer_names(session, (row.pagador_id for row in page.rows)),
        prestadores=provider_names(session, (row.prestador_id for row in page.rows)),
        varios=len(f.prestadores) > 1,
        urgencia_de=urgency,
        estados=Factura.MACHINE.labels,
        ESTADOS=[
            (GRUPO_POR_RADICAR, "Por radicar (todas)"),
            *((one.value, Factura.MACHINE.labels[one]) for one in EstadoFactura),
        ],
        URGENCIAS=NOMBRES,
        filtros_puestos=_chips(f, dict(payers)),
        puede=person().may(Rol.FACTURACION),
        por_defecto=DEFAULT_ORDER,
        MAX_EXPORT=MAX_EXPORT,
    )


def _chips(f: Filtro, payers: dict[int, str]) -> list[tuple[str, str]]:
    """Return the filters as (query value, words)."""
    labels: dict[Any, str] = {**{one.value: text for one, text in Factura.MACHINE.labels.items()}}
    labels[GRUPO_POR_RADICAR] = "Por radicar"
    chips = [("q", f"«{f.q}»")] if f.q else []
    if f.estados:
        chips.append(("estado", " o ".join(labels[one] for one in f.estados)))
    if f.pagador:
        known = "sin pagador" if f.pagador == SIN_PAGADOR else payers.get(int(f.pagador[:18]), "otro pagador")
        chips.append(("pagador", known))
    if f.prestador is not None:
        names = {one.id: one.nombre for one in person().providers}
        chips.append(("prestador", names.get(f.prestador, "otro prestador")))
    if f.urgencia:
        chips.append(("urgencia", NOMBRES[f.urgencia]))
    if f.desde:
        chips.append(("desde", f"expedidas desde el {fecha(f.desde)}"))
    if f.hasta:
        chips.append(("hasta", f"expedidas hasta el {fecha(f.hasta)}"))
    if f.nivel is not None:
        chips.append(("nivel", f"prueba de nivel {f.nivel}"))
    return chips


@blueprint.get("/facturas/radicar-filtro")
@allow(Rol.FACTURACION)
def radicar_filtro() -> ResponseReturnValue:
    """Say what ordering the whole filter would do, before it is done."""
    f = asked()
    ours = read_filter(request.args, request.args.getlist("estado"), selected_ids(person(), Rol.FACTURACION))
    session, today = db_session(), civil_date(now())
    states = by_state(session, ours, today)
    ids = ready_ids(session, ours, today, limit=MAX_ORDER)
    ready = next(((n, cents) for state, n, cents in states if state is EstadoFactura.LISTA), (0, 0))
    return render_template(
        "facturas/radicar_filtro.html",
        f=f,
        ids=ids,
        listas=ready,
        otras=[(state, n, cents) for state, n, cents in states if state is not EstadoFactura.LISTA],
        estados=Factura.MACHINE.labels,
        filtros_puestos=_chips(ours, dict(payers_in(session, ours.prestadores))),
        tope=MAX_ORDER,
        volver=url_for("facturas.lista") + ("?" + request.query_string.decode() if request.query_string else ""),
    )


@blueprint.get("/facturas/exportar.xlsx")
def exportar() -> ResponseReturnValue:
    """Send the whole filter as Excel."""
    f = asked()
    seen: dict[int, int] = {}
    data = workbook(_rows(f, seen), titulo=f"Facturas al {fecha(now())}")
    log_export({one: f"facturas:{entero(count)}" for one, count in seen.items()}, data)
    name = f"facturas_{civil_date(now()).isoformat()}.xlsx"
    answer = send_file(io.BytesIO(data), mimetype=XLSX, as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _rows(f: Filtro, seen: dict[int, int]) -> Iterator[Fila]:
    """Yield the rows of the export and count them by provider."""
    providers = {one.id: one.nombre for one in person().providers}
    for row, payer in all_rows(db_session(), f, civil_date(now())):
        seen[row.prestador_id] = seen.get(row.prestador_id, 0) + 1
        state = urgency(row)
        yield Fila(
            numero=row.numero,
            prestador=providers.get(row.prestador_id, ""),
            pagador=payer or "",
            valor=row.valor,
            expedida=row.expedida_at,
            vence=row.vence_radicar,
            plazo=state.texto if state else "",
            estado=Factura.MACHINE.labels[row.estado],
            radicado=row.radicado,
            radicada=row.fecha_radicacion,
            nivel=row.nivel_prueba,
            cufe=row.cufe,
        )
