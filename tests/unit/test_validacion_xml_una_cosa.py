"""A real document with one thing made wrong is refused by the rule of that thing, in its line, and by no other."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from tests.validar_bolsa import juzgar_archivos
from tests.xml_variantes import en_la_factura, en_la_respuesta

Arbol = Callable[[etree._Element], None]
REALES = ("caso03_fev_attached", "caso07_fev_attached", "caso11_fev_attached")


def _find(root: etree._Element, path: str) -> etree._Element:
    found = root.find("/".join(f"{{*}}{name}" for name in path.split("/")))
    if found is None:
        raise LookupError(path)
    return found


def sin(path: str) -> Arbol:
    def change(root: etree._Element) -> None:
        element = _find(root, path)
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return change


def con(path: str, text: str) -> Arbol:
    def change(root: etree._Element) -> None:
        _find(root, path).text = text

    return change


def atributo(path: str, name: str, value: str | None) -> Arbol:
    def change(root: etree._Element) -> None:
        element = _find(root, path)
        if name in element.attrib:
            del element.attrib[name]
        if value is not None:
            element.set(name, value)

    return change


def campo(name: str, change_of: Callable[[etree._Element], None]) -> Arbol:
    def change(root: etree._Element) -> None:
        for item in root.iter("{*}AdditionalInformation"):
            if item.findtext("{*}Name") == name:
                return change_of(item)
        raise LookupError(name)

    return change


def quitado(item: etree._Element) -> None:
    parent = item.getparent()
    assert parent is not None
    parent.remove(item)


def sin_valor(item: etree._Element) -> None:
    for value in item.findall("{*}Value"):
        item.remove(value)


def codigo(value: str | None) -> Callable[[etree._Element], None]:
    return atributo("Value", "schemeID", value)


def sin_bloque(root: etree._Element) -> None:
    for block in list(root.iter("{*}CustomTagGeneral")):
        quitado(block)


_EMISOR = "AccountingSupplierParty/Party/PartyTaxScheme"
_PAGADOR = "AccountingCustomerParty/Party/PartyTaxScheme"
_TOTAL = "LegalMonetaryTotal"
ILICITAS: dict[str, tuple[Arbol, set[str]]] = {
    "sin operación": (sin("CustomizationID"), {"FED001", "VFE003"}),
    "operación vacía": (con("CustomizationID", " "), {"FED001", "VFE003"}),
    "operación ajena": (con("CustomizationID", "10"), {"VFE003"}),
    "sin número": (sin("ID"), {"FED003", "VFE005"}),
    "número con signos": (con("ID", "A/ 1"), {"VFE005"}),
    "sin código único": (sin("UUID"), {"FED004", "VFE006", "VFE007"}),
    "código único corto": (con("UUID", "abc"), {"VFE007"}),
    "código único con signos": (con("UUID", "á"), {"VFE006", "VFE007"}),
    "sin fecha": (sin("IssueDate"), {"FED005"}),
    "fecha de otra forma": (con("IssueDate", "31/01/2025"), {"FEV002"}),
    "sin tipo": (sin("InvoiceTypeCode"), {"FED008", "VFE001"}),
    "tipo que no existe": (con("InvoiceTypeCode", "99"), {"VFE001"}),
    "tipo de nota": (con("InvoiceTypeCode", "91"), {"VFE002"}),
    "sin valor por pagar": (sin(f"{_TOTAL}/PayableAmount"), {"FED017"}),
    "sin totales": (sin(_TOTAL), {"FED017"}),
    "valor con coma": (con(f"{_TOTAL}/PayableAmount", "1,5"), {"FEV002"}),
    "valor con exponente": (con(f"{_TOTAL}/PayableAmount", "1e9"), {"FEV002"}),
    "valor negativo": (con(f"{_TOTAL}/PayableAmount", "-5"), set()),
    "valor desmedido": (con(f"{_TOTAL}/PayableAmount", "9" * 40), set()),
    "sin emisor": (sin("AccountingSupplierParty"), {"FED018"}),
    "emisor sin persona": (sin("AccountingSupplierParty/Party"), {"FED019"}),
    "emisor sin clase": (sin("AccountingSupplierParty/AdditionalAccountID"), {"FED020"}),
    "emisor sin NIT": (sin(f"{_EMISOR}/CompanyID"), {"FED021", "FED022"}),
    "emisor sin dígito": (atributo(f"{_EMISOR}/CompanyID", "schemeID", None), {"FED022", "VFE012"}),
    "emisor con letra": (atributo(f"{_EMISOR}/CompanyID", "schemeID", "K"), {"VFE012"}),
    "emisor con cédula": (atributo(f"{_EMISOR}/CompanyID", "schemeName", "13"), {"VFE011"}),
    "emisor sin nombre": (sin(f"{_EMISOR}/RegistrationName"), {"FED023"}),
    "emisor sin tributos": (sin(_EMISOR), {"FED030"}),
    "pagador sin NIT": (sin(f"{_PAGADOR}/CompanyID"), {"FED034"}),
    "pagador sin nombre": (sin(f"{_PAGADOR}/RegistrationName"), {"FED036"}),
    "sin pagador": (sin("AccountingCustomerParty"), {"FED034", "FED036"}),
    "sin bloque": (sin_bloque, {"FED060"}),
    "sin periodo": (sin("InvoicePeriod"), {"FED100", "FED101", "VFE020", "VFE021"}),
    "sin inicio": (sin("InvoicePeriod/StartDate"), {"FED100", "VFE020"}),
    "fin vacío": (con("InvoicePeriod/EndDate", " "), {"FED101", "VFE021"}),
    "inicio 01/02/2025": (con("InvoicePeriod/StartDate", "01/02/2025"), {"VFE020"}),
    "inicio 20250201": (con("InvoicePeriod/StartDate", "20250201"), {"VFE020"}),
    "inicio 2025-2-1": (con("InvoicePeriod/StartDate", "2025-2-1"), {"VFE020"}),
    "inicio con hora": (con("InvoicePeriod/StartDate", "2025-02-01T00:00:00"), {"VFE020"}),
    "fin 29 de febrero": (con("InvoicePeriod/EndDate", "2025-02-29"), {"VFE021"}),
    "sin CODIGO_PRESTADOR": (campo("CODIGO_PRESTADOR", quitado), {"FED124"}),
    "sin MODALIDAD_PAGO": (campo("MODALIDAD_PAGO", quitado), {"FED126"}),
    "modalidad sin código": (campo("MODALIDAD_PAGO", codigo(None)), {"FED125"}),
    "modalidad sin valor": (campo("MODALIDAD_PAGO", sin_valor), {"FED125"}),
    "modalidad que no existe": (campo("MODALIDAD_PAGO", codigo("09")), {"FED133"}),
    "modalidad con palabra": (campo("MODALIDAD_PAGO", codigo("Evento")), {"FED133"}),
    "sin COBERTURA": (campo("COBERTURA_PLAN_BENEFICIOS", quitado), {"FED128"}),
    "cobertura sin código": (campo("COBERTURA_PLAN_BENEFICIOS", codigo(None)), {"FED127"}),
    "cobertura que no existe": (campo("COBERTURA_PLAN_BENEFICIOS", codigo("88")), {"FED134"}),
    "sin NUMERO_CONTRATO": (campo("NUMERO_CONTRATO", quitado), {"FED130"}),
    "sin NUMERO_POLIZA": (campo("NUMERO_POLIZA", quitado), {"FED132"}),
}
"""A change of one thing, and every code that refuses it then. Where the rule's text ends in «o está vacío», both codes
are printed for what is missing: presence (FED) and value (VFE)."""

_RESPUESTA = "DocumentResponse/Response"
RESPUESTAS: dict[str, tuple[Arbol, set[str]]] = {
    "rechazado": (con(f"{_RESPUESTA}/ResponseCode", "04"), {"GI010"}),
    "código que no existe": (con(f"{_RESPUESTA}/ResponseCode", "99"), {"AAR001"}),
    "código vacío": (con(f"{_RESPUESTA}/ResponseCode", " "), {"AAR001"}),
    "un evento": (con(f"{_RESPUESTA}/ResponseCode", "030"), {"AAR001"}),
    "sin código": (sin(f"{_RESPUESTA}/ResponseCode"), {"AAR001"}),
    "sin respuesta": (sin(_RESPUESTA), {"AAR001"}),
    "de otra factura": (con("DocumentResponse/DocumentReference/UUID", "a" * 96), {"GI011"}),
}
"""Of DIAN's answer in the container; what the container itself says of the verification (02) settles nothing."""


def rechazos(folder: Path, data: bytes) -> set[str]:
    result = juzgar_archivos(folder, {"f.xml": data})["f.xml"]
    assert result["tipo"] == "fev"
    refused = [one for one in result["hallazgos"] if one["severidad"] == "rechazo"]
    assert all(one["ruta"] == "" and one["linea"] for one in refused)
    return {one["codigo"] for one in refused}


@pytest.mark.parametrize("nombre", REALES)
def test_one_thing_wrong_in_a_real_document_is_refused_by_its_rule_alone(
    muestras: Path, tmp_path: Path, nombre: str
) -> None:
    data = (muestras / f"{nombre}.xml").read_bytes()
    assert rechazos(tmp_path, data) == set()
    for name, (change, expected) in ILICITAS.items():
        assert rechazos(tmp_path, en_la_factura(_cambiado(change))(data)) == expected, name
    for name, (change, expected) in RESPUESTAS.items():
        assert rechazos(tmp_path, en_la_respuesta(_cambiado(change))(data)) == expected, name


def test_a_container_without_its_invoice_is_refused(muestras: Path, tmp_path: Path) -> None:
    data = (muestras / "caso07_fev_attached.xml").read_bytes()
    empty = en_la_factura(lambda _: "")(data)
    (one,) = [
        seen
        for seen in juzgar_archivos(tmp_path, {"f.xml": empty})["f.xml"]["hallazgos"]
        if seen["severidad"] == "rechazo"
    ]
    assert (one["codigo"], one["ruta"]) == ("PFE002", "")
    event = en_la_respuesta(_cambiado(RESPUESTAS["un evento"][0]))(empty)
    assert not [
        seen
        for seen in juzgar_archivos(tmp_path, {"f.xml": event})["f.xml"]["hallazgos"]
        if seen["severidad"] == "rechazo"
    ]
    answer = (muestras / "caso07_appresponse_dian02.xml").read_bytes()
    assert juzgar_archivos(tmp_path, {"r.xml": answer})["r.xml"]["estado"] == "valido"


def _cambiado(change: Arbol) -> Callable[[str], str]:
    def altered(text: str) -> str:
        root = etree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text).strip().encode("utf-8"))
        change(root)
        return etree.tostring(root, encoding="unicode")

    return altered
