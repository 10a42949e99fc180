"""Excel of the findings of the invoices in a filter of the list, or of one invoice.

Invariant: only providers in view; the same filter as the list; a finding that the review tells too is one row, as on
the page; exporting is reading and is logged per provider before the file leaves (Ley 1581/2012 art. 17).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from flask import Blueprint, Response, send_file
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.paginas.comun import log_export, payer_names
from radica.app.paginas.consultas_facturas import all_rows
from radica.app.paginas.facturas import XLSX, asked
from radica.app.paginas.hallazgos import GEMELOS
from radica.app.paginas.hallazgos_plano import Fila, libro
from radica.entidades.models import Prestador
from radica.facturas.aceptar import aceptaciones
from radica.facturas.models import Documento, Factura, Hallazgo, OrigenHallazgo
from radica.facturas.validacion_models import HallazgoAceptado
from radica.kernel.clock import civil_date
from radica.kernel.web import db_session, now, person
from radica.kernel.web_format import entero, fecha
from radica.users.access import load_for

blueprint = Blueprint("hallazgos_excel", __name__)
_BATCH = 500


@blueprint.get("/facturas/hallazgos.xlsx")
def filtro() -> ResponseReturnValue:
    """Send the findings of all invoices of the list's filter."""
    session = db_session()
    return _send(session, all_rows(session, asked(), civil_date(now())), "hallazgos")


@blueprint.get("/facturas/<int:factura_id>/hallazgos.xlsx")
def factura(factura_id: int) -> ResponseReturnValue:
    """Send the findings of one invoice."""
    session = db_session()
    row = load_for(session, Factura, factura_id, person())
    payer = payer_names(session, [row.pagador_id]).get(row.pagador_id or 0)
    return _send(session, [(row, payer)], f"hallazgos_{row.numero_clave}")


def _send(session: Session, invoices: Iterable[tuple[Factura, str | None]], name: str) -> Response:
    """Write the workbook, log the reading per provider, and answer."""
    seen: dict[int, int] = {}
    data = libro(_filas(session, invoices, seen), titulo=f"Hallazgos al {fecha(now())}")
    log_export({one: f"hallazgos:{entero(count)}" for one, count in seen.items()}, data)
    whole = f"{name}_{civil_date(now()).isoformat()}.xlsx"
    answer = send_file(io.BytesIO(data), mimetype=XLSX, as_attachment=True, download_name=whole)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _filas(session: Session, invoices: Iterable[tuple[Factura, str | None]], seen: dict[int, int]) -> Iterator[Fila]:
    """Yield one row a finding, in the order of the invoices, and count them by provider."""
    nits = {one.id: one.nit for one in session.scalars(select(Prestador).where(Prestador.id.in_(person().granted())))}
    rest = iter(invoices)
    while batch := list(islice(rest, _BATCH)):
        found = _by_invoice(session, [row.id for row, _ in batch])
        accepted = _accepted(session, [row for row, _ in batch], found)
        for row, payer in batch:
            for one in found.get(row.id, ()):
                seen[row.prestador_id] = seen.get(row.prestador_id, 0) + 1
                yield Fila(
                    factura=row.numero,
                    nit=nits.get(row.prestador_id, ""),
                    codigo=one.codigo,
                    severidad=one.clase or one.severidad.value,
                    quien=one.quien,
                    documento=one.fuente,
                    ruta=one.lugar,
                    linea=one.linea,
                    mensaje=one.mensaje,
                    arreglo=one.que_hacer,
                    norma=one.norma,
                    pagador=payer or "",
                    valor=one.valor,
                    aceptado=accepted.get(one.id, ""),
                )


def _by_invoice(session: Session, ids: Sequence[int]) -> dict[int, list[Hallazgo]]:
    """Return the findings by invoice, without those of the checker that the review tells in its own words."""
    found: dict[int, list[Hallazgo]] = {}
    query = select(Hallazgo).where(Hallazgo.factura_id.in_(ids)).order_by(Hallazgo.factura_id, Hallazgo.id)
    for one in session.scalars(query):
        found.setdefault(one.factura_id, []).append(one)
    for invoice, many in found.items():
        house = {one.codigo for one in many if one.origen is OrigenHallazgo.REVISION}
        found[invoice] = [
            one for one in many if one.origen is OrigenHallazgo.REVISION or GEMELOS.get(one.codigo, "") not in house
        ]
    return found


def _accepted(session: Session, rows: Sequence[Factura], found: Mapping[int, Sequence[Hallazgo]]) -> dict[int, str]:
    """Return, by finding, the reason of the acceptance that stands for the documents in force."""
    query = select(HallazgoAceptado.factura_id).where(
        HallazgoAceptado.factura_id.in_([row.id for row in rows]), HallazgoAceptado.retirado_at.is_(None)
    )
    with_some = set(session.scalars(query))
    reasons: dict[int, str] = {}
    for row in rows:
        if row.id in with_some:
            in_force = select(Documento).where(Documento.factura_id == row.id, Documento.vigente)
            documents = session.scalars(in_force.order_by(Documento.id)).all()
            living = aceptaciones(session, row, found.get(row.id, ()), documents)
            reasons |= {finding: one.motivo for finding, one in living.items()}
    return reasons
