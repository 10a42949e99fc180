"""A right invoice and right notes of the demonstration, and the findings of one that was changed on purpose.

Invariant: a change that changes nothing is an error, so that no test passes because it broke nothing. The documents are
the house's own, one element a line inside the container.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from random import Random
from typing import Any

from radica.app.demo.bill import Bill, make_bill
from radica.app.demo.catalog import PAYERS, PROVIDERS
from radica.app.demo.fev import build_fev
from radica.app.demo.servicios import SCENARIOS_EPS
from radica.facturas.cuv import CuvResult, find_answer, read_cuv
from radica.facturas.ubl import COLOMBIA
from radica.facturas.validacion.abrir import abrir_xml
from radica.facturas.validacion.catalogo import contar
from radica.facturas.validacion.modelo import Contexto, Hallazgo, Modulo, Paquete
from radica.facturas.validacion.motor import modulo_de
from radica.facturas.validacion.reglas_xml import parte
from radica.facturas.validacion.tablas import VACIOS

DIA = date(2026, 8, 20)
AHORA = datetime(2026, 11, 22, 10, 0, tzinfo=COLOMBIA)
Cambio = Callable[[str], str]


@cache
def cuenta() -> Bill:
    """A bill of five lines with a moderating payment, for a contributory EPS with contract."""
    scenario = next(one for one in SCENARIOS_EPS if one.key == "apoyo")
    return make_bill(
        Random(3), provider=PROVIDERS[0], payer=PAYERS[0], scenario=scenario, index=4, issue_day=date(2026, 8, 19)
    )


@cache
def factura() -> str:
    """The container with the right invoice, one element a line."""
    return build_fev(cuenta()).decode("utf-8").replace("><", ">\n<")


@cache
def nota(clase: str) -> str:
    """The container with a right note (`CreditNote` or `DebitNote`) about that invoice."""
    credit = clase == "CreditNote"
    text = factura()
    cufe = re.search(r"CUFE-SHA384\">([0-9a-f]{96})", text)
    assert cufe is not None
    text = re.sub(r"(</?)Invoice([ >])", rf"\1{clase}\2", text).replace(":Invoice-2", f":{clase}-2")
    text = text.replace("InvoiceLine>", f"{clase}Line>")
    text = text.replace("InvoicedQuantity", "CreditedQuantity" if credit else "DebitedQuantity")
    text = text.replace(":CustomizationID>SS-CUFE<", f":CustomizationID>{'20' if credit else '30'}<")
    kind = "<cbc:CreditNoteTypeCode>91</cbc:CreditNoteTypeCode>" if credit else ""
    text = text.replace("<cbc:InvoiceTypeCode>01</cbc:InvoiceTypeCode>", kind)
    text = text if credit else text.replace("LegalMonetaryTotal>", "RequestedMonetaryTotal>")
    about = (
        "<cac:DiscrepancyResponse><cbc:ReferenceID>1</cbc:ReferenceID><cbc:ResponseCode>1</cbc:ResponseCode>"
        "</cac:DiscrepancyResponse>\n<cac:BillingReference><cac:InvoiceDocumentReference>"
        f"<cbc:ID>{cuenta().number}</cbc:ID><cbc:UUID>{cufe[1]}</cbc:UUID><cbc:IssueDate>2026-08-01</cbc:IssueDate>"
        "</cac:InvoiceDocumentReference></cac:BillingReference>\n"
    )
    return text.replace("</cac:InvoicePeriod>", f"</cac:InvoicePeriod>\n{about}")


def documento(clase: str) -> str:
    """The right document of a kind: `Invoice`, `CreditNote` or `DebitNote`."""
    return factura() if clase == "Invoice" else nota(clase)


def cambiar(viejo: str, nuevo: str, veces: int = 1) -> Cambio:
    """Replace a pattern inside the sale document (not in the container around it)."""

    def change(text: str) -> str:
        start, end = text.index("<![CDATA["), text.index("]]>")
        inner, count = re.subn(viejo, nuevo, text[start:end], count=veces, flags=re.DOTALL)
        assert count, f"nothing to change: {viejo}"
        return text[:start] + inner + text[end:]

    return change


def quitar(elemento: str, veces: int = 1) -> Cambio:
    """Take an element out of the sale document, whole."""
    return cambiar(rf"<((?:\w+:)?{elemento})(?:\s[^>]*)?>.*?</\1>", "", veces)


def vaciar(elemento: str) -> Cambio:
    """Leave an element of the sale document without text."""
    return cambiar(rf"(<(?:\w+:)?{elemento}(?:\s[^>]*)?>)[^<]*", r"\1")


def cerca(frase: str, cambio: str, nuevo: str) -> Cambio:
    """Replace a pattern behind the first place of a phrase."""
    return cambiar(rf"({re.escape(frase)}(?:(?!{re.escape(frase)}).)*?){cambio}", rf"\g<1>{nuevo}")


def juzgar_texto(
    texto: str,
    *,
    fecha: date = DIA,
    rips: Mapping[str, Any] | None = None,
    modulo: Modulo | None = None,
    cuv: CuvResult | None = None,
    nombre: str = "factura.xml",
    aparte: str | None = None,
) -> list[Hallazgo]:
    """Return what the rules of the XML find in a document; `aparte`: DIAN's answer, when it came as a file of its own."""
    data = texto.encode("utf-8")
    return juzgar_bytes(data, fecha=fecha, rips=rips, modulo=modulo, cuv=cuv, nombre=nombre, aparte=aparte)


def juzgar_bytes(
    data: bytes,
    *,
    fecha: date = DIA,
    rips: Mapping[str, Any] | None = None,
    modulo: Modulo | None = None,
    cuv: CuvResult | None = None,
    nombre: str = "factura.xml",
    aparte: str | None = None,
) -> list[Hallazgo]:
    """Return what the rules of the XML find in the bytes of a document."""
    answer = abrir_xml("respuesta.xml", aparte.encode("utf-8")) if aparte is not None else None
    package = Paquete(xml=abrir_xml(nombre, data), respuesta=answer, rips=rips, modulo=modulo, cuv=cuv)
    context = Contexto(fecha, AHORA, VACIOS, modulo=modulo or modulo_de(package))
    return list(contar(parte(package, context), fecha))


def codigos_de(hallazgos: list[Hallazgo]) -> set[str]:
    """Codes found, without what no register here decides."""
    return {one.codigo for one in hallazgos if one.clase.value != "no_decidible"}


def aceptacion(modulo: str = "FacturaElectronica") -> CuvResult:
    """An answer of the Ministry that accepts the invoice."""
    answer = find_answer({"ResultState": True, "CodigoUnicoValidacion": "a" * 96, "Modulo": modulo})
    assert answer is not None
    return read_cuv(answer)


def negativa(*codes: str) -> CuvResult:
    """An answer of the Ministry that refuses the invoice for these codes."""
    lines = [{"Clase": "RECHAZADO", "Codigo": code, "PathFuente": "", "Fuente": "FacturaElectronica"} for code in codes]
    answer = find_answer({"ResultState": False, "CodigoUnicoValidacion": "-", "ResultadosValidacion": lines})
    assert answer is not None
    return read_cuv(answer)


_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_SALE = re.compile(r"<(?:\w+:)?(?:Invoice|CreditNote|DebitNote)[\s>]")
_ANSWER = re.compile(r"<(?:\w+:)?ApplicationResponse[\s>]")


def en_la_factura(change: Cambio) -> Callable[[bytes], bytes]:
    """Apply a change to the sale document inside any container, also a real one."""
    return _en(_SALE, change)


def en_la_respuesta(change: Cambio) -> Callable[[bytes], bytes]:
    """Apply a change to DIAN's answer inside a container."""
    return _en(_ANSWER, change)


def _en(begins: re.Pattern[str], change: Cambio) -> Callable[[bytes], bytes]:
    def whole(data: bytes) -> bytes:
        text = data.decode("utf-8-sig")
        found = next((one for one in _CDATA.finditer(text) if begins.search(one[1])), None)
        assert found is not None
        return (text[: found.start(1)] + change(found[1]) + text[found.end(1) :]).encode("utf-8")

    return whole
