"""Structure: what the schemas refuse is told with element and line, never with a value; what DIAN accepted is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from lxml import etree

from radica.facturas.validacion.abrir import abrir_xml
from radica.facturas.validacion.catalogo import contar, reglas
from radica.facturas.validacion.esquema_palabras import expected, short
from radica.facturas.validacion.modelo import Contexto, Hallazgo, Paquete
from radica.facturas.validacion.tablas import VACIOS
from radica.facturas.validacion.xsd import MOSTRADOS, by_local_name, esquemas
from radica.kernel.clock import BOGOTA

DIA = date(2026, 7, 2)
CONTEXTO = Contexto(DIA, datetime(2026, 7, 2, 8, tzinfo=BOGOTA), VACIOS)

ACEPTADOS = (
    "caso01_appresponse_dian02",
    "caso01_fev_attached",
    "caso03_fev_attached",
    "caso05_fev_attached",
    "caso07_fev_attached",
    "caso11_fev_attached",
    "caso13_fev_attached_ssrecaudo",
    "caso40_invoice_signed",
    "caso42_creditnote_signed",
    "caso48_fev_attached_insumos",
)


def hallazgos(data: bytes) -> list[Hallazgo]:
    return list(contar(esquemas(Paquete(xml=abrir_xml("f.xml", data)), CONTEXTO), DIA))


@pytest.mark.parametrize("name", ACEPTADOS)
def test_what_dian_accepted_has_no_error_of_structure(muestras: Path, name: str) -> None:
    assert hallazgos((muestras / f"{name}.xml").read_bytes()) == []


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("caso10_fev_attached_oficial948", {("XSD-UBL", 6), ("XSD-UBL", 120), ("XSD-DIAN", 67)}),
        ("caso45_debitnote_unsigned", {("XSD-UBL", 34), ("XSD-DIAN", 24)}),
        ("caso46_invoice_hab_cufe_verificado", {("XSD-UBL", 2), ("XSD-DIAN", 19)}),
        ("caso51_invoice_iva_cufe", {("XSD-UBL", 202), ("XSD-DIAN", 5)}),
        ("caso52_creditnote", {("XSD-UBL", 209)}),
        ("caso80_evento_030_sintetico", {("XSD-UBL", 10)}),
    ],
)
def test_what_is_wrong_is_named_with_its_line_of_the_file(muestras: Path, name: str, codes: set[object]) -> None:
    data = (muestras / f"{name}.xml").read_bytes()
    found = hallazgos(data)
    assert {(one.codigo, one.linea) for one in found} == codes
    lines = data.decode("utf-8").split("\n")
    for one in found:
        assert one.linea is not None
        assert f"línea {one.linea}" in one.mensaje
        if one.ruta.count("/"):
            assert one.ruta.rsplit("/", 1)[1] in lines[one.linea - 1]


@pytest.fixture
def factura(muestras: Path) -> Iterator[etree._Element]:
    return etree.fromstring((muestras / "caso40_invoice_signed.xml").read_bytes())


def test_a_missing_element_is_told_with_what_was_expected(factura: etree._Element) -> None:
    line = factura.find("{*}InvoiceLine/{*}Item")
    assert line is not None
    line.getparent().remove(line)
    (found,) = hallazgos(etree.tostring(factura))
    assert (found.codigo, found.ruta) == ("XSD-UBL", "Invoice/InvoiceLine/Price")
    assert "se espera" in found.mensaje
    assert "Item" in found.mensaje


def test_a_value_that_does_not_fit_is_never_quoted(factura: etree._Element) -> None:
    place = factura.find("{*}IssueDate")
    assert place is not None
    place.text = "SECRETO-1234"
    (found,) = hallazgos(etree.tostring(factura))
    assert found.ruta == "Invoice/IssueDate"
    assert "SECRETO" not in repr(found)


def test_a_misspelt_element_is_told_where_it_stands(factura: etree._Element) -> None:
    total = factura.find("{*}LegalMonetaryTotal/{*}PayableAmount")
    assert total is not None
    total.tag = total.tag.replace("PayableAmount", "PayableAmuont")
    (found,) = hallazgos(etree.tostring(factura))
    assert found.ruta == "Invoice/LegalMonetaryTotal/PayableAmuont"
    assert "PayableAmuont" in found.mensaje


def test_a_flood_of_errors_is_told_as_a_number(factura: etree._Element) -> None:
    line = factura.find("{*}InvoiceLine")
    assert line is not None
    for index in range(MOSTRADOS * 3):
        twin = etree.fromstring(etree.tostring(line))
        place = twin.find("{*}LineExtensionAmount")
        assert place is not None
        place.text = f"x{index}"
        line.addnext(twin)
    found = hallazgos(etree.tostring(factura))
    assert len(found) == MOSTRADOS + 1
    assert f"{MOSTRADOS * 2} errores" in found[-1].mensaje


def salud(body: str, namespace: str = "") -> bytes:
    """An invoice shell around a block of sector salud; what UBL says of the shell is not the subject."""
    return (
        f'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:e="urn:oasis:names:'
        f'specification:ubl:schema:xsd:CommonExtensionComponents-2"><e:UBLExtensions><e:UBLExtension>'
        f'<e:ExtensionContent><CustomTagGeneral xmlns="{namespace}">{body}</CustomTagGeneral></e:ExtensionContent>'
        f"</e:UBLExtension></e:UBLExtensions></Invoice>"
    ).encode()


def of_salud(data: bytes) -> list[Hallazgo]:
    return [one for one in hallazgos(data) if one.codigo == "XSD-SALUD"]


GOOD = (
    '<Interoperabilidad><Group schemeName="Sector Salud"><Collection schemeName="Usuario"><AdditionalInformation>'
    "<Name>CODIGO_PRESTADOR</Name><Value>7600102541</Value></AdditionalInformation></Collection></Group>"
    "</Interoperabilidad>"
)


@pytest.mark.parametrize("namespace", ["", "urn:one", "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"])
def test_the_block_of_salud_is_read_by_local_name(namespace: str) -> None:
    assert of_salud(salud(GOOD, namespace)) == []


@pytest.mark.parametrize(
    ("change", "element"),
    [
        (('schemeName="Usuario"', ""), "Collection"),
        (("<Name>CODIGO_PRESTADOR</Name>", ""), "AdditionalInformation/Value"),
        (("<Name>CODIGO_PRESTADOR</Name>", "<Name> </Name>"), "AdditionalInformation/Name"),
        (("Value>", "Valor>"), "AdditionalInformation/Valor"),
        ((GOOD, "<Name>Responsable</Name><Value>url www.minsalud.gov.co</Value>"), "CustomTagGeneral"),
    ],
)
def test_a_broken_block_of_salud_is_told(change: tuple[str, str], element: str) -> None:
    (found,) = of_salud(salud(GOOD.replace(*change)))
    assert found.ruta.endswith(element)


def test_a_copy_by_local_name_keeps_lines_and_drops_comments() -> None:
    tree = etree.fromstring(b'<a:x xmlns:a="urn:a" a:no="1" si="2">\n<!-- c --><a:y>t</a:y>\n</a:x>')
    copy = by_local_name(tree)
    assert etree.tostring(copy) == b'<x si="2">\n<y>t</y></x>'
    assert [one.sourceline for one in copy.iter()] == [1, 2]


def test_each_wording_that_can_be_found_has_its_row() -> None:
    for code in ("XSD-UBL", "XSD-DIAN", "XSD-SALUD"):
        wordings = {wording for one, wording in reglas() if one == code}
        assert {"falta", "sobra", "valor", "texto", "atributo", "atributo_falta", "otro", "mas"} <= wordings


def test_names_from_outside_are_cut_and_lists_are_short() -> None:
    assert len(short("x" * 10_000)) < 100
    assert short("a\x1bb") == "ab"
    assert expected("Expected is one of ( {urn:u}A, {urn:u}B, {urn:u}C, {urn:u}D ).") == "A, B, C, entre otros"
    assert expected("Expected is ( {urn:u}A ).") == "A"
    assert expected("nothing") == ""
