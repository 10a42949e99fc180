"""Real documents written in every other lawful way hear the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.validar_bolsa import juzgar_archivos
from tests.xml_variantes import en_la_factura, factura

Texto = Callable[[str], str]
Bytes = Callable[[bytes], bytes]

REALES = ("caso03_fev_attached", "caso07_fev_attached", "caso13_fev_attached_ssrecaudo")
CASA = "factura de la casa"
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)


class NoAplica(LookupError):
    """The document has nothing that this variation could change."""


def re_(old: str, new: str, times: int = 0) -> Texto:
    def change(text: str) -> str:
        result, count = re.subn(old, new, text, count=times, flags=re.DOTALL)
        if not count:
            raise NoAplica(old)
        return result

    return change


def prefijo(old: str, new: str) -> Texto:
    def change(text: str) -> str:
        if f"xmlns:{old}=" not in text:
            raise NoAplica(old)
        return re.sub(rf"(</?){old}:", rf"\g<1>{new}:", text.replace(f"xmlns:{old}=", f"xmlns:{new}="))

    return change


def todos(*changes: Texto) -> Texto:
    def change(text: str) -> str:
        for one in changes:
            text = one(text)
        return text

    return change


def raiz_con_prefijo(text: str) -> str:
    """The root has a prefix, so that the blocks without one stand in no namespace."""
    text = re.sub(r"<Invoice(\s)", r"<fe:Invoice\1", text, count=1).replace("</Invoice>", "</fe:Invoice>")
    return re.sub(r"xmlns=([\"'][^\"']*Invoice-2[\"'])", r"xmlns:fe=\1", text, count=1)


def al_reves(element: str) -> Texto:
    """Turn the order of an element and its kin."""

    def change(text: str) -> str:
        found = list(re.finditer(rf"<((?:\w+:)?{element})[\s>].*?</\1>", text, re.DOTALL))
        if len(found) < 2:
            raise NoAplica(element)
        turned = "\n".join(one[0] for one in reversed(found))
        return text[: found[0].start()] + turned + text[found[-1].end() :]

    return change


def doble(element: str) -> Texto:
    return re_(rf"(<((?:\w+:)?{element})[\s>].*?</\2>)", r"\1\1", 1)


def bloque(content: str) -> Texto:
    """Put an extension of another trade before those that are there."""
    body = f"<ext:UBLExtension><ext:ExtensionContent><CustomTagGeneral>{content}</CustomTagGeneral>"
    return re_("(<ext:UBLExtension>)", rf"{body}</ext:ExtensionContent></ext:UBLExtension>\1", 1)


EXPORTA = (
    '<Interoperabilidad><Group schemeName="Exportacion"><Collection><AdditionalInformation><name>Lugar</name>'
    "<value>Cali</value></AdditionalInformation></Collection></Group></Interoperabilidad>"
)
RETENCION = (
    '<cac:WithholdingTaxTotal><cbc:TaxAmount currencyID="COP">500.00</cbc:TaxAmount><cac:TaxSubtotal>'
    '<cbc:TaxableAmount currencyID="COP">5000.00</cbc:TaxableAmount><cbc:TaxAmount currencyID="COP">500.00</cbc:TaxAmount>'
    "<cac:TaxCategory><cbc:Percent>10.00</cbc:Percent><cac:TaxScheme><cbc:ID>06</cbc:ID><cbc:Name>ReteRenta</cbc:Name>"
    "</cac:TaxScheme></cac:TaxCategory></cac:TaxSubtotal></cac:WithholdingTaxTotal>"
)
DESCUENTO = (
    "<cac:AllowanceCharge><cbc:ID>1</cbc:ID><cbc:ChargeIndicator>false</cbc:ChargeIndicator>"
    "<cbc:AllowanceChargeReasonCode>09</cbc:AllowanceChargeReasonCode><cbc:AllowanceChargeReason>Pronto pago"
    "</cbc:AllowanceChargeReason><cbc:MultiplierFactorNumeric>0.00</cbc:MultiplierFactorNumeric>"
    '<cbc:Amount currencyID="COP">0.00</cbc:Amount><cbc:BaseAmount currencyID="COP">100.00</cbc:BaseAmount>'
    "</cac:AllowanceCharge>"
)
_DAY = r"(\d{4}-\d\d-\d\d)"

LICITAS: dict[str, Texto] = {
    "prefijos": todos(prefijo("cbc", "b"), prefijo("cac", "a"), prefijo("ext", "e"), prefijo("sts", "dian")),
    "raiz con prefijo": raiz_con_prefijo,
    "extensiones al revés": al_reves("UBLExtension"),
    "campos al revés": al_reves("AdditionalInformation"),
    "dos usuarios": doble("Collection"),
    "dos grupos": doble("Group"),
    "bloque sin espacio de nombres": re_("<CustomTagGeneral[^>]*>", '<CustomTagGeneral xmlns="">'),
    "bloque en otro espacio": re_("<CustomTagGeneral[^>]*>", '<CustomTagGeneral xmlns="urn:otro">'),
    "grupo en minúsculas": re_('"Sector Salud"', '"sector salud"'),
    "grupo en mayúsculas": re_('"Sector Salud"', '"SECTOR SALUD"'),
    "usuario en mayúsculas": re_('"Usuario"', '"USUARIO"'),
    "valores sin schemeName": re_(r'(<Value[^>]*?) schemeName="[^"]*"', r"\1"),
    "códigos con blancos": re_(r'(<Value[^>]*?schemeID=")(\d\d)"', r'\1 \2 "'),
    "valores con blancos": re_(r"(<Value[^>]*>)([^<\s][^<]*)<", "\\1  \\2 \n <"),
    "nombres con blancos": re_(r"(<Name>)([A-Z_]+)<", "\\1\n \\2 <"),
    "otra ortografía": re_(r'(<Value[^>]*schemeID="04"[^>]*>)[^<]*', r"\1pago por EVENTO"),
    "un campo de antes": re_(
        "(</Collection>)",
        r"<AdditionalInformation><Name>NUMERO_AUTORIZACION</Name><Value>1</Value></AdditionalInformation>\1",
        1,
    ),
    "bloque del fabricante": bloque("<Name>Fabricante</Name><Value>1</Value>"),
    "bloque de exportador": bloque(EXPORTA),
    "espacio antiguo de la DIAN": re_(
        '(xmlns:sts=")[^"]*', r"\1http://www.dian.gov.co/contratos/facturaelectronica/v1/Structures"
    ),
    "seis decimales": re_(r"(Amount currencyID=\"COP\">\d+\.\d\d)<", r"\g<1>0000<"),
    "sin centavos": re_(r"(Amount currencyID=\"COP\">\d+)\.00<", r"\1<"),
    "número con blancos": re_(r"(ProfileExecutionID>\s*<\w+:ID>)([^<]*)<", "\\1 \\2\n<", 1),
    "código único con blancos": re_(r"(<\w+:UUID[^>]*>)([^<]*)<", "\\1\n \\2 <", 1),
    "operación con blancos": re_("(CustomizationID[^>]*>)([^<]*)", r"\1 \2 ", 1),
    "comentarios": re_("(<cac:LegalMonetaryTotal>)", r"<!-- totales -->\1<!-- pesos -->"),
    "instrucciones": re_("(<cac:LegalMonetaryTotal>)", r"<?programa 1?>\1"),
    "retenciones": re_("(<cac:LegalMonetaryTotal>)", rf"{RETENCION}\1", 1),
    "descuento de cero": re_("(<cac:(?:TaxTotal|LegalMonetaryTotal)>)", rf"{DESCUENTO}\1", 1),
    "fecha con zona": re_(rf"(<\w+:IssueDate>){_DAY}<", r"\1\2-05:00<", 1),
    "periodo con zona": re_(rf"(InvoicePeriod>\s*<\w+:StartDate>){_DAY}<", r"\1\2Z<", 1),
    "otro periodo": re_(
        "(</cac:InvoicePeriod>)", r"\1<cac:InvoicePeriod><cbc:Description>x</cbc:Description></cac:InvoicePeriod>", 1
    ),
    "dos grupos tributarios": re_(
        "(</cac:PartyTaxScheme>)",
        r"\1<cac:PartyTaxScheme><cbc:RegistrationName>X</cbc:RegistrationName><cac:TaxScheme><cbc:ID>01</cbc:ID>"
        r"<cbc:Name>IVA</cbc:Name></cac:TaxScheme></cac:PartyTaxScheme>",
    ),
}
"""Of the sale document: none of them changes what it says."""


def en(declared: str, codec: str) -> Bytes:
    def change(data: bytes) -> bytes:
        text = re.sub(r"^\s*<\?xml[^>]*\?>", f'<?xml version="1.0" encoding="{declared}"?>', data.decode("utf-8-sig"))
        try:
            return text.encode(codec)
        except UnicodeEncodeError as strange:
            raise NoAplica(codec) from strange

    return change


def sin_cdata(data: bytes) -> bytes:
    def escaped(found: re.Match[str]) -> str:
        return found[1].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    return _CDATA.sub(escaped, data.decode("utf-8-sig")).encode("utf-8")


def dentro(begins: str) -> Bytes:
    """Change with what each inner document begins."""

    def change(data: bytes) -> bytes:
        text = data.decode("utf-8-sig")
        return re.sub(r"(<!\[CDATA\[)\s*(?:<\?xml[^>]*\?>)?", lambda found: found[1] + begins, text).encode("utf-8")

    return change


_DECLARED = re.compile(rb"^(\xef\xbb\xbf)?\s*<\?xml[^>]*\?>")
ESCRITOS: dict[str, Bytes] = {
    "UTF-16": en("UTF-16", "utf-16"),
    "UTF-16 al revés": lambda data: b"\xfe\xff" + en("UTF-16", "utf-16-be")(data),
    "ISO-8859-1": en("ISO-8859-1", "iso-8859-1"),
    "windows-1252": en("windows-1252", "cp1252"),
    "marca de orden": lambda data: b"\xef\xbb\xbf" + data.removeprefix(b"\xef\xbb\xbf"),
    "marca y blancos": lambda data: b"\xef\xbb\xbf\r\n " + data.removeprefix(b"\xef\xbb\xbf"),
    "blancos delante": lambda data: b"\n\n " + data.removeprefix(b"\xef\xbb\xbf"),
    "renglones de Windows": lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "sin declaración": lambda data: _DECLARED.sub(b"", data),
    "otra declaración": lambda data: _DECLARED.sub(b"<?xml version='1.0' standalone='yes' ?>", data),
    "comentario al final": lambda data: data + b"\n<!-- fin -->\n",
    "texto en vez de CDATA": sin_cdata,
    "CDATA sin declaración": dentro(""),
    "CDATA con otra declaración": dentro('<?xml version="1.0" encoding="ISO-8859-1" standalone="no"?>'),
    "CDATA con marca y blancos": dentro('\ufeff\n <?xml version="1.0" encoding="UTF-8"?>\n'),
}
"""Of the file: the same document in other bytes."""

_OF_BYTES = re.compile("FIRMA|LEC-CODIFICACION|LEC-LETRAS")
"""What is told of the bytes and of the signature over them."""


@cache
def _real(folder: Path, name: str) -> bytes:
    return factura().encode("utf-8") if name == CASA else (folder / f"{name}.xml").read_bytes()


def veredicto(folder: Path, data: bytes) -> tuple[Any, ...]:
    result = juzgar_archivos(folder, {"f.xml": data})["f.xml"]
    told = sorted(
        (one["codigo"], one["severidad"], one["ruta"])
        for one in result["hallazgos"]
        if not _OF_BYTES.match(one["codigo"])
    )
    return result["tipo"], result["factura"], told


@pytest.mark.parametrize("nombre", [*REALES, CASA])
def test_a_document_written_in_another_lawful_way_hears_the_same(muestras: Path, tmp_path: Path, nombre: str) -> None:
    data = _real(muestras, nombre)
    before, tried = veredicto(tmp_path, data), 0
    changes: Iterable[tuple[str, Bytes]] = (*((name, en_la_factura(one)) for name, one in LICITAS.items()),)
    for name, change in (*changes, *ESCRITOS.items()):
        try:
            changed = change(data)
        except NoAplica:
            continue
        tried += changed != data
        assert veredicto(tmp_path, changed) == before, name
    assert tried > 25


def test_the_operation_may_be_written_in_capitals(muestras: Path, tmp_path: Path) -> None:
    data = _real(muestras, "caso13_fev_attached_ssrecaudo")
    loud = en_la_factura(re_("SS-Recaudo", "SS-RECAUDO"))(data)
    assert veredicto(tmp_path, loud)[2] == veredicto(tmp_path, data)[2]
