"""Arithmetic, numbering, dates, check digits and the container of a sale document: broken one by one."""

from __future__ import annotations

import re

import pytest

from radica.facturas.validacion.modelo import Clase, Modulo
from tests.xml_variantes import (
    Cambio,
    aceptacion,
    cambiar,
    cerca,
    codigos_de,
    cuenta,
    documento,
    factura,
    juzgar_bytes,
    juzgar_texto,
    negativa,
    quitar,
)


def valor(elemento: str, nuevo: str) -> Cambio:
    return cambiar(rf"(<cbc:{elemento}(?: [^>]*)?>)[^<]*", rf"\g<1>{nuevo}")


TAXES = (
    "<cac:TaxTotal><cbc:TaxAmount currencyID='COP'>{}</cbc:TaxAmount><cac:TaxSubtotal>"
    "<cbc:TaxableAmount currencyID='COP'>100.00</cbc:TaxableAmount><cbc:TaxAmount currencyID='COP'>19.00</cbc:TaxAmount>"
    "<cac:TaxCategory><cac:TaxScheme><cbc:ID>01</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:TaxSubtotal>"
    "</cac:TaxTotal><cac:LegalMonetaryTotal>"
)
DISCOUNT = (
    "<cac:AllowanceCharge><cbc:ID>1</cbc:ID><cbc:ChargeIndicator>false</cbc:ChargeIndicator>"
    "<cbc:Amount currencyID='COP'>{}</cbc:Amount></cac:AllowanceCharge><cac:Item>"
)
gross = cuenta().gross

ROTOS: dict[str, tuple[str, Cambio]] = {
    "ARIT-LINEAS": ("Invoice/LegalMonetaryTotal/LineExtensionAmount", cambiar(r"(MonetaryTotal>\s*<cbc:LineExtensionAmount[^>]*>)[^<]*", rf"\g<1>{gross + 2}.00")),
    "ARIT-CON-IMPUESTOS": ("Invoice/LegalMonetaryTotal/TaxInclusiveAmount", valor("TaxInclusiveAmount", f"{gross + 2}.00")),
    "ARIT-POR-PAGAR": ("Invoice/LegalMonetaryTotal/PayableAmount", valor("PayableAmount", f"{gross}.00")),
    "ARIT-ANTICIPOS": ("Invoice/LegalMonetaryTotal/PrepaidAmount", valor("PaidAmount", "1.00")),
    "ARIT-ANTICIPO-MAYOR": ("Invoice/LegalMonetaryTotal/PrepaidAmount", valor("PrepaidAmount", f"{gross + 2}.00")),
    "ARIT-BASE": ("Invoice/LegalMonetaryTotal/TaxExclusiveAmount", valor("TaxExclusiveAmount", "77.00")),
    "ARIT-CUENTA": ("Invoice/LineCountNumeric", valor("LineCountNumeric", "9")),
    "ARIT-IMPUESTO": ("Invoice/TaxTotal/TaxAmount", cambiar("<cac:LegalMonetaryTotal>", TAXES.format("29.00"))),
    "ARIT-LINEA": ("Invoice/InvoiceLine[0]/LineExtensionAmount", valor("PriceAmount", "7.00")),
    "ARIT-NEGATIVO": ("Invoice/LegalMonetaryTotal/PayableAmount", valor("PayableAmount", "-5.00")),
    "ARIT-DESMEDIDO": ("Invoice/LegalMonetaryTotal/PayableAmount", valor("PayableAmount", "9" * 40 + ".00")),
    "ARIT-ILEGIBLE": ("Invoice/PrepaidPayment/PaidAmount", valor("PaidAmount", "$ 18.300")),
    "ARIT-MONEDA": ("Invoice/DocumentCurrencyCode", valor("DocumentCurrencyCode", "USD")),
    "NUM-PREFIJO": ("Invoice/UBLExtensions/DianExtensions/InvoiceControl/AuthorizedInvoices/Prefix", cambiar("<sts:Prefix>[^<]*", "<sts:Prefix>ZZZ")),
    "NUM-RANGO": ("Invoice/UBLExtensions/DianExtensions/InvoiceControl/AuthorizedInvoices", cambiar("<sts:To>[^<]*", "<sts:To>2")),
    "NUM-VIGENCIA": ("Invoice/UBLExtensions/DianExtensions/InvoiceControl/AuthorizationPeriod", cambiar(r"(AuthorizationPeriod>.*?<cbc:EndDate>)[^<]*", r"\g<1>2026-08-18")),
    "FECHA-FUTURA": ("Invoice/IssueDate", valor("IssueDate", "2026-11-23")),
    "FECHA-VENCE": ("Invoice/DueDate", valor("PaymentDueDate", "2026-08-18")),
    "NIT-DV-EMISOR": ("Invoice/AccountingSupplierParty/Party/PartyTaxScheme/CompanyID", cerca("<cac:PartyTaxScheme>", 'schemeID="."', f'schemeID="{(int(cuenta().provider.dv) + 1) % 10}"')),
    "NIT-DV-PAGADOR": ("Invoice/AccountingCustomerParty/Party/PartyTaxScheme/CompanyID", cambiar(r'(AccountingCustomerParty>.*?TaxScheme>.*?<cbc:CompanyID[^>]*schemeID=)"."', rf'\1"{(int(cuenta().payer.dv) + 1) % 10}"')),
    "OPERACION-ANTICIPO": ("Invoice/CustomizationID", valor("CustomizationID", "SS-SinAporte")),
    "ANTICIPO-CONCEPTO": ("Invoice/PrepaidPayment/ID", cambiar(r'(PrepaidPayment>\s*<cbc:ID schemeID=)"02"', r'\1"44"')),
}  # fmt: skip


@pytest.mark.parametrize("codigo", ROTOS)
def test_what_does_not_add_up_is_a_warning_at_its_place(codigo: str) -> None:
    path, change = ROTOS[codigo]
    text = factura()
    assert codigo not in codigos_de(juzgar_texto(text))
    found = [one for one in juzgar_texto(change(text)) if one.codigo == codigo]
    assert [one.ruta for one in found][:1] == [path]
    assert found[0].clase is Clase.AVISO
    assert found[0].linea is not None
    assert "{" not in found[0].mensaje


def test_a_comment_among_the_totals_is_no_amount() -> None:
    text = cambiar("<cac:LegalMonetaryTotal>", "<cac:LegalMonetaryTotal><!-- total: $ 1.000 -->")(factura())
    assert codigos_de(juzgar_texto(text)) == set()


def test_one_peso_is_not_told() -> None:
    near = valor("TaxInclusiveAmount", f"{gross + 1}.00")(factura())
    assert "ARIT-CON-IMPUESTOS" not in codigos_de(juzgar_texto(near))


@pytest.mark.parametrize("base", ["0.00", f"{gross}.00"])
def test_the_taxed_base_of_exempt_services_is_written_in_two_ways(base: str) -> None:
    assert codigos_de(juzgar_texto(valor("TaxExclusiveAmount", base)(factura()))) == set()


def test_the_taxed_base_may_be_that_of_the_taxes() -> None:
    taxed = cambiar("<cac:LegalMonetaryTotal>", TAXES.format("19.00"))(valor("TaxExclusiveAmount", "100.00")(factura()))
    assert not codigos_de(juzgar_texto(taxed)) & {"ARIT-BASE", "ARIT-IMPUESTO"}


def test_a_discount_explains_a_line() -> None:
    first = cuenta().charges[0]
    cheaper = cambiar(r"(InvoicedQuantity>\s*<cbc:LineExtensionAmount[^>]*>)[^<]*", rf"\g<1>{first.total - 100}.00")(
        factura()
    )
    assert "ARIT-LINEA" in codigos_de(juzgar_texto(cheaper))
    explained = cambiar("<cac:Item>", DISCOUNT.format("100.00"))(cheaper)
    assert "ARIT-LINEA" not in codigos_de(juzgar_texto(explained))


def test_a_line_given_away_has_a_price_and_adds_nothing() -> None:
    given = cambiar(r"(InvoicedQuantity>\s*<cbc:LineExtensionAmount[^>]*>)[^<]*", r"\g<1>0.00")(factura())
    assert "ARIT-LINEA" in codigos_de(juzgar_texto(given))
    free = "<cbc:FreeOfChargeIndicator>{}</cbc:FreeOfChargeIndicator><cac:Item>"
    assert "ARIT-LINEA" not in codigos_de(juzgar_texto(cambiar("<cac:Item>", free.format("true"))(given)))
    assert "ARIT-LINEA" in codigos_de(juzgar_texto(cambiar("<cac:Item>", free.format("false"))(given)))


def test_a_price_may_stand_for_several_units() -> None:
    first = cuenta().charges[0]
    dozen = cambiar(r"(<cbc:PriceAmount[^>]*>)[^<]*", rf"\g<1>{first.unit * 12}.00")(factura())
    assert "ARIT-LINEA" in codigos_de(juzgar_texto(dozen))
    said = cambiar(r"(<cbc:BaseQuantity[^>]*>)[^<]*", r"\g<1>12.00")(dozen)
    assert "ARIT-LINEA" not in codigos_de(juzgar_texto(said))


def test_many_wrong_lines_are_told_twenty_times() -> None:
    line = re.search(r"<cac:InvoiceLine>.*?</cac:InvoiceLine>", factura(), re.DOTALL)
    assert line is not None
    wrong = re.sub(r"(<cbc:PriceAmount[^>]*>)[^<]*", r"\g<1>-3.00", line[0])
    text = factura().replace("</Invoice>", wrong * 60 + "</Invoice>")
    found = [one.codigo for one in juzgar_texto(text)]
    assert found.count("ARIT-LINEA") == 20
    assert found.count("ARIT-NEGATIVO") == 20


@pytest.mark.parametrize("dia", ["29/02/2026", "2026-02-29", "20260819T00:00", "19 de agosto"])
def test_a_date_that_is_none_is_told_and_stops_nothing(dia: str) -> None:
    found = juzgar_texto(valor("IssueDate", dia)(factura()))
    assert "FEV002" in codigos_de(found)


@pytest.mark.parametrize("dia", ["2028-02-29", "2026-08-19-05:00", "2026-08-19Z"])
def test_a_date_that_is_one_is_not_told(dia: str) -> None:
    assert "FEV002" not in codigos_de(juzgar_texto(valor("IssueDate", dia)(factura())))


@pytest.mark.parametrize("zona", ["Z", "-05:00", "+00:00"])
def test_a_period_whose_dates_carry_a_zone_is_a_period(zona: str) -> None:
    text = cambiar(r"(InvoicePeriod>\s*<cbc:StartDate>[^<]*)", rf"\g<1>{zona}")(factura())
    assert codigos_de(juzgar_texto(text)) == codigos_de(juzgar_texto(factura()))


def test_a_number_written_with_zeros_is_in_its_range() -> None:
    prefix = cuenta().provider.prefix
    text = cambiar(r"(ProfileExecutionID>\s*<cbc:ID>)[^<]*", rf"\g<1>{prefix}000000002")(factura())
    assert "NUM-RANGO" not in codigos_de(juzgar_texto(text))


# --- the container and DIAN's answer ---


def bare(text: str) -> str:
    start, end = text.index("<![CDATA[") + 9, text.index("]]>")
    return text[start:end]


@pytest.mark.parametrize(("kind", "code"), [("Invoice", "PFE001"), ("CreditNote", "PNC001"), ("DebitNote", "PDN001")])
def test_a_document_without_container(kind: str, code: str) -> None:
    (one,) = [seen for seen in juzgar_texto(bare(documento(kind))) if seen.codigo == code]
    assert one.clase is Clase.RECHAZO
    for answer, weight in (
        (aceptacion(), Clase.AVISO),
        (negativa("RVG08"), Clase.AVISO),
        (negativa("RVG08", code), Clase.RECHAZO),
    ):
        (one,) = [seen for seen in juzgar_texto(bare(documento(kind)), cuv=answer) if seen.codigo == code]
        assert one.clase is weight


@pytest.mark.parametrize(("kind", "code"), [("Invoice", "PFE001"), ("CreditNote", "PNC001"), ("DebitNote", "PDN001")])
def test_an_invoice_whose_answer_of_dian_came_apart_was_taken_out_of_a_container(kind: str, code: str) -> None:
    start, end = documento(kind).rindex("<![CDATA[") + 9, documento(kind).rindex("]]>")
    for answer, weight in (("02", Clase.AVISO), ("030", Clase.RECHAZO)):
        apart = documento(kind)[start:end].replace("<cbc:ResponseCode>02", f"<cbc:ResponseCode>{answer}")
        (one,) = [seen for seen in juzgar_texto(bare(documento(kind)), aparte=apart) if seen.codigo == code]
        assert one.clase is weight


def without_answer(text: str) -> str:
    return re.sub(r"<cac:ParentDocumentLineReference>.*?</cac:ParentDocumentLineReference>", "", text, flags=re.DOTALL)


@pytest.mark.parametrize(("kind", "code"), [("Invoice", "PFE003"), ("CreditNote", "PNC003"), ("DebitNote", "PDN003")])
def test_a_container_without_answer(kind: str, code: str) -> None:
    assert code in codigos_de(juzgar_texto(without_answer(documento(kind))))


def test_a_container_without_document() -> None:
    text = factura()
    empty = text[: text.index("<![CDATA[")] + text[text.index("]]>") + 3 :]
    assert codigos_de(juzgar_texto(empty)) == {"PFE002"}
    assert codigos_de(juzgar_texto(empty, modulo=Modulo.NC_TOTAL)) == {"PNC002"}
    assert codigos_de(juzgar_texto(empty, modulo=Modulo.ND)) == {"PDN002"}
    event = empty.replace("ResponseCode>02<", "ResponseCode>030<")
    assert codigos_de(juzgar_texto(event)) == set()


@pytest.mark.parametrize(("kind", "code"), [("Invoice", "GI011"), ("CreditNote", "GI014"), ("DebitNote", "GI017")])
def test_the_answer_of_another_document(kind: str, code: str) -> None:
    text = documento(kind)
    last = text.rindex('CUFE-SHA384">') + len('CUFE-SHA384">')
    other = text[:last] + "0" * 96 + text[last + 96 :]
    assert code in codigos_de(juzgar_texto(other))
    assert code not in codigos_de(juzgar_texto(text))


def test_what_dian_answered() -> None:
    text = factura()
    refused = text.replace("<cbc:ResponseCode>02", "<cbc:ResponseCode>04")
    assert "GI010" in codigos_de(juzgar_texto(refused))
    strange = text.replace("<cbc:ResponseCode>02", "<cbc:ResponseCode>99").replace("ResultCode>02", "ResultCode>99")
    assert "AAR001" in codigos_de(juzgar_texto(strange))
    nothing = text.replace("<cbc:ResponseCode>02", "<cbc:ResponseCode>").replace("ResultCode>02", "ResultCode>")
    assert "AAR001" in codigos_de(juzgar_texto(nothing))


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("Invoice", ("FEV001", "FEV002", "FEV003")),
        ("CreditNote", ("NCV001", "NCV002", "NCV003")),
        ("DebitNote", ("NDV001", "NDV002", "NDV003")),
    ],
)
def test_a_root_outside_ubl_is_read_by_nobody(kind: str, codes: tuple[str, ...]) -> None:
    for name, code in zip(("AttachedDocument", kind, "ApplicationResponse"), codes, strict=True):
        found = juzgar_texto(documento(kind).replace(f":xsd:{name}-2", ":xsd:Otra-2"))
        assert code in codigos_de(found)


def test_the_weight_and_the_ending_of_the_file() -> None:
    data, limit = factura().encode("utf-8"), 16 * 1024 * 1024
    filler = b"<!--" + b"x" * 999_993 + b"-->"
    many = data + filler * ((limit - len(data)) // len(filler))
    whole = many + b"\n" * (limit - len(many))
    assert "GI008" not in codigos_de(juzgar_bytes(whole))
    assert "GI008" in codigos_de(juzgar_bytes(whole + b"\n"))
    assert "GI005" in codigos_de(juzgar_bytes(data, nombre="factura.txt"))
    assert "GI005" not in codigos_de(juzgar_bytes(data, nombre="FACTURA.XML"))


def test_an_old_period_by_the_older_rule() -> None:
    text = cambiar(
        r"InvoicePeriod>.*?</cac:InvoicePeriod>",
        "InvoicePeriod><cbc:StartDate>2022-11-01</cbc:StartDate><cbc:EndDate>2022-11-30</cbc:EndDate></cac:InvoicePeriod>",
    )(factura())
    found = codigos_de(juzgar_texto(text, fecha=cuenta().issued.date().replace(year=2024)))
    assert "RCG018" in found
    assert "RVG018" not in found


def test_a_payment_without_its_detail() -> None:
    text = quitar("PrepaidPayment")(factura())
    assert {"OPERACION-ANTICIPO", "ARIT-ANTICIPOS"} <= codigos_de(juzgar_texto(text))


def test_each_finding_stands_in_the_line_of_the_file() -> None:
    text = valor("LineCountNumeric", "9")(factura())
    (one,) = [seen for seen in juzgar_texto(text) if seen.codigo == "ARIT-CUENTA"]
    assert one.linea is not None
    assert "LineCountNumeric" in text.splitlines()[one.linea - 1]


# --- lawful documents that are not the usual one ---

NOTIFICADA = (
    "</cac:DocumentReference><cac:LineResponse><cac:LineReference><cbc:LineID>{0}</cbc:LineID></cac:LineReference>"
    "<cac:Response><cbc:ResponseCode>FAJ4{0}</cbc:ResponseCode><cbc:Description>Notificación</cbc:Description>"
    "</cac:Response></cac:LineResponse>"
)


def test_an_answer_of_dian_with_notifications_validates() -> None:
    text = factura()
    head, answer = text[: text.rindex("<![CDATA[")], text[text.rindex("<![CDATA[") :]
    noted = answer.replace("</cac:DocumentReference>", NOTIFICADA.format(1), 1)
    assert noted != answer
    assert codigos_de(juzgar_texto(head + noted)) == set()
    refused = noted.replace("<cbc:ResponseCode>02", "<cbc:ResponseCode>04", 1)
    (one,) = [seen for seen in juzgar_texto(head + refused) if seen.clase is Clase.RECHAZO]
    assert (one.codigo, "(respuesta 04) por FAJ41." in one.mensaje) == ("GI010", True)


@pytest.mark.parametrize("kind", ["CreditNote", "DebitNote"])
def test_a_note_may_name_several_invoices(kind: str) -> None:
    text = documento(kind)
    found = re.search(r"<cac:BillingReference>.*?</cac:BillingReference>", text, re.DOTALL)
    assert found is not None
    assert codigos_de(juzgar_texto(text.replace(found[0], found[0] * 3))) == set()
    without = found[0].replace("<cbc:UUID>", "<!--").replace("</cbc:UUID>", "-->")
    assert codigos_de(juzgar_texto(text.replace(found[0], found[0] + without))) == set()
    assert codigos_de(juzgar_texto(text.replace(found[0], without))) == {"NOTA-SIN-CUFE"}


def test_a_capitation_of_twelve_months_is_a_period() -> None:
    year = cambiar(
        r"(InvoicePeriod>\s*<cbc:StartDate>)[^<]*(</cbc:StartDate>\s*<cbc:EndDate>)[^<]*",
        r"\g<1>2026-01-01\g<2>2026-12-31",
    )(factura())
    capita = cambiar(
        r"(<Name>MODALIDAD_PAGO</Name>\s*)<Value[^>]*>[^<]*", r'\1<Value schemeID="03">Pago por capitación'
    )(year)
    assert codigos_de(juzgar_texto(capita)) == set()


def test_each_kind_of_payment_stands_once() -> None:
    (one,) = re.findall(r"<cac:PrepaidPayment>.*?</cac:PrepaidPayment>", factura(), re.DOTALL)
    nothing = re.sub(r"(<cbc:PaidAmount[^>]*>)[^<]*", r"\g<1>0.00", one)
    four = one + "".join(nothing.replace('schemeID="02"', f'schemeID="{code}"') for code in ("01", "03", "04"))
    assert codigos_de(juzgar_texto(factura().replace(one, four))) == set()
