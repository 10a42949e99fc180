"""One invoice against its contract's prices: on screen, as a workbook, and in short for the invoice's own page.

Invariant: documents are opened outside transactions; lines are told by place, code, date and money, never by a
patient; the frozen tariff stands beside the comparison of today, so that what changed since is seen.
Norm: Res. 2284 de 2023 Anexo Técnico 3 (TA, AU).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.paginas.comun import purpose_at, store
from radica.app.paginas.contratos_hoja import workbook
from radica.app.paginas.contratos_plano import FREEZERS, READERS, blueprint, load_bill
from radica.app.paginas.frases import who
from radica.audit.services import record_reading
from radica.entidades.contratos import acuerdos_con
from radica.entidades.contratos_models import TarifaAplicada, Tarifario
from radica.entidades.models import Pagador
from radica.entidades.tarifas import NOMBRES, Acuerdo, Comparacion, Comparada, Fallo
from radica.facturas.models import Factura
from radica.facturas.tarifa_factura import comparar_factura, huella_lineas, linea_congelada, tarifa_vigente
from radica.facturas.tarifa_papeles import abrir, fuentes_de
from radica.kernel.web import allow, current, now, person
from radica.users.services import actor_names

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN = 500
"""Lines on the page; the workbook has all."""
ORDEN = (Fallo.DE_MAS, Fallo.NO_PACTADO, Fallo.DE_MENOS, Fallo.SIN_TARIFARIO, Fallo.IGUAL, Fallo.NO_COMPARADA)
TONOS = {
    Fallo.DE_MAS: "mal",
    Fallo.NO_PACTADO: "aviso",
    Fallo.DE_MENOS: "aviso",
    Fallo.SIN_TARIFARIO: "neutro",
    Fallo.IGUAL: "bien",
    Fallo.NO_COMPARADA: "neutro",
}
SIN_AUTORIZACION = "sin_autorizacion"


@dataclass(frozen=True)
class TarifaBreve:
    """What the invoice's page tells of its tariff: the contracts with its payer, the frozen one, and who may open it."""

    acuerdos: tuple[Acuerdo, ...]
    congelada: TarifaAplicada | None
    lineas: int
    abre: bool

    @property
    def hay(self) -> bool:
        """Say whether there is anything to tell."""
        return bool(self.acuerdos) or self.congelada is not None


def tarifa_breve(session: Session, row: Factura) -> TarifaBreve:
    """Return what `facturas/_tarifa.html` shows of an invoice; reads no document."""
    frozen = tarifa_vigente(session, row.id)
    return TarifaBreve(
        tuple(acuerdos_con(session, row.prestador_id, row.pagador_id)),
        frozen,
        len(frozen.lineas) if frozen is not None else 0,
        row.prestador_id in person().granted(*READERS),
    )


@blueprint.get("/factura/<int:factura_id>")
@allow(*READERS)
def factura(factura_id: int) -> ResponseReturnValue:
    """Show the comparison; `?solo=de_mas` narrows the lines."""
    row, found = _compare(factura_id)
    only = request.args.get("solo", "")
    lines = [one for one in sorted(found.lineas, key=_weight) if _fits(one, only)]
    with current().database.read() as session:
        frozen = tarifa_vigente(session, row.id)
        names = actor_names(session, {frozen.por} if frozen is not None else set())
        digest = huella_lineas([linea_congelada(one) for one in found.lineas])
        return render_template(
            "contratos/factura.html",
            f=row,
            pagador=session.get(Pagador, row.pagador_id) if row.pagador_id is not None else None,
            r=found,
            lineas=lines[:SHOWN],
            de_mas_lineas=max(0, len(lines) - SHOWN),
            cuantas=len(lines),
            suma=sum(one.cobrada.valor or 0 for one in lines),
            solo=only,
            ORDEN=ORDEN,
            NOMBRES=NOMBRES,
            TONOS=TONOS,
            SIN_AUTORIZACION=SIN_AUTORIZACION,
            sin_autorizacion=sum(one.sin_autorizacion for one in found.lineas),
            hay_contrato=bool(acuerdos_con(session, row.prestador_id, row.pagador_id)),
            congelada=frozen,
            congelo=who(frozen.por, names) if frozen is not None else "",
            integra=frozen is not None and huella_lineas(frozen.lineas) == frozen.hash,
            igual=frozen is not None and frozen.hash == digest,
            puede_congelar=row.prestador_id in person().granted(*FREEZERS),
            listas=_lists(session, found),
        )


def _lists(session: Session, found: Comparacion) -> list[dict[str, Any]]:
    """Return the versions whose prices were used, each with who loaded it."""
    rows = session.scalars(select(Tarifario).where(Tarifario.id.in_([one.id for one in found.listas]))).all()
    names = actor_names(session, {one.cargado_por for one in rows})
    return [{"t": one, "cargo": who(one.cargado_por, names)} for one in rows]


def _weight(one: Comparada) -> tuple[int, int]:
    return ORDEN.index(one.fallo), -one.en_riesgo


def _fits(one: Comparada, only: str) -> bool:
    if only == SIN_AUTORIZACION:
        return one.sin_autorizacion
    return only not in {fallo.value for fallo in Fallo} or one.fallo.value == only


@blueprint.get("/factura/<int:factura_id>/tarifas.xlsx")
@allow(*READERS)
def excel(factura_id: int) -> ResponseReturnValue:
    """Send the comparison as a workbook; the download is logged first."""
    row, found = _compare(factura_id)
    body = workbook(found, factura=row.numero)
    with current().database.write() as session:
        record_reading(
            session, prestador_id=row.prestador_id, actor=person().actor, action="descargar",
            purpose=purpose_at(row.prestador_id), object_=f"tarifas:{row.id}", case_key=row.case_key, at=now(),
        )  # fmt: skip
    answer = Response(body, mimetype=XLSX)
    answer.headers["Content-Disposition"] = f'attachment; filename="tarifas-{row.numero_clave}.xlsx"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _compare(factura_id: int) -> tuple[Factura, Comparacion]:
    with current().database.read() as session:
        row = load_bill(session, factura_id)
        sources = fuentes_de(session, row.id)
    rips, fev = abrir(sources, store())
    with current().database.read() as session:
        return row, comparar_factura(session, factura_id, rips, fev)
