"""The frozen tariff of the line that a glosa of concept TA objects to: what was agreed, billed, and who loaded it.

Invariant: only what was frozen with the invoice is shown as proof; a line is told by user and consecutive of its RIPS
service, or by its code when all lines of that code say the same; otherwise nothing is offered. Amounts are centavos.
Norm: Res. 2284 de 2023 Anexo Técnico 3 (TA: difference between the invoiced and the agreed tariff).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from radica.entidades.contratos_models import Contrato, TarifaAplicada, Tarifario
from radica.entidades.tarifas import Fallo, codigo_normal
from radica.facturas.tarifa_factura import huella_lineas, tarifa_vigente
from radica.glosas.models import Glosa, ItemFactura
from radica.kernel.money import format_cop

TARIFA = "TA"


@dataclass(frozen=True)
class TarifaDeLinea:
    """What stands beside a TA glosa. `linea` is the frozen line; None when the objected service cannot be told."""

    tarifa: TarifaAplicada
    linea: Mapping[str, Any] | None
    contrato: Contrato | None
    lista: Tarifario | None
    integra: bool
    """Whether the frozen lines still have the hash that was written with them."""

    @property
    def fallo(self) -> Fallo | None:
        """The answer of the comparison for the line."""
        return Fallo(self.linea["fallo"]) if self.linea is not None else None

    @property
    def fecha(self) -> date | None:
        """Day of the service."""
        said = self.linea.get("fecha") if self.linea is not None else None
        return date.fromisoformat(said) if said else None

    @property
    def nos_da_razon(self) -> bool:
        """Say whether what was billed is at most what was agreed."""
        return self.integra and self.fallo in (Fallo.IGUAL, Fallo.DE_MENOS)


def es_de_tarifa(objecion: object) -> bool:
    """Say whether an objection is a glosa by tariff."""
    return isinstance(objecion, Glosa) and (objecion.familia == TARIFA or objecion.codigo.startswith(TARIFA))


def tarifa_de(session: Session, objecion: object) -> TarifaDeLinea | None:
    """Return the frozen tariff for a TA glosa, None for any other objection or when nothing was frozen."""
    if not isinstance(objecion, Glosa) or not es_de_tarifa(objecion):
        return None
    row = tarifa_vigente(session, objecion.factura_id)
    if row is None:
        return None
    item = session.get(ItemFactura, objecion.item_id) if objecion.item_id is not None else None
    line = _linea(row.lineas, objecion, item)
    contract_id = (line or {}).get("contrato") or row.contrato_id
    list_id = (line or {}).get("lista")
    return TarifaDeLinea(
        tarifa=row,
        linea=line,
        contrato=session.get(Contrato, contract_id) if contract_id is not None else None,
        lista=session.get(Tarifario, list_id) if list_id is not None else None,
        integra=huella_lineas(row.lineas) == row.hash,
    )


def _linea(lines: Sequence[Mapping[str, Any]], glosa: Glosa, item: ItemFactura | None) -> Mapping[str, Any] | None:
    if item is not None:
        exact = [
            one
            for one in lines
            if (one["tipo"], one["usuario"], one["consecutivo"]) == (item.tipo, item.usuario, item.consecutivo)
        ]
        if len(exact) == 1:
            return exact[0]
    wanted = codigo_normal(item.codigo if item is not None else glosa.servicio or "")
    same = [one for one in lines if wanted and codigo_normal(one["codigo"]) == wanted]
    said = {(one["cobrado"], one["esperado"], one["fallo"], one["lista"], one["contrato"]) for one in same}
    return same[0] if same and len(said) == 1 else None


def valores_de_tarifa(found: TarifaDeLinea | None) -> dict[str, str]:
    """Return what a template of a TA glosa may say of the agreement; the clause only where it speaks for us."""
    if found is None or found.linea is None or found.contrato is None or not found.integra:
        return {}
    values = {"contrato": found.contrato.numero}
    if found.nos_da_razon and found.lista is not None:
        price = format_cop(int(found.linea["esperado"]))
        values["clausula"] = (
            f"lista de precios {found.lista.nombre}, versión {found.lista.version}, vigente desde el"
            f" {found.lista.desde:%d/%m/%Y} (valor pactado {price})"
        )
    return values


def texto_de_prueba(found: TarifaDeLinea | None) -> str:
    """Return the sentence that proves the agreed price, for the answer; "" when the tariff does not speak for us."""
    if found is None or found.linea is None or found.contrato is None or found.lista is None:
        return ""
    if not found.nos_da_razon:
        return ""
    line, day = found.linea, found.fecha
    when = f" del {day:%d/%m/%Y}" if day else ""
    return (
        f"El servicio {line['codigo']}{when} se facturó en {format_cop(int(line['cobrado'] or 0))} y el valor pactado"
        f" para esa fecha en el contrato {found.contrato.numero}, lista {found.lista.nombre} versión"
        f" {found.lista.version} vigente desde el {found.lista.desde:%d/%m/%Y}, es de"
        f" {format_cop(int(line['esperado']))}. La lista se identifica con la huella SHA-256 {found.lista.sha256}."
    )
