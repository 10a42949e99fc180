"""Each rule of the XML: a document that breaks it, and the same document right."""

from __future__ import annotations

import re
from datetime import date

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
    juzgar_texto,
    negativa,
    quitar,
    vaciar,
)

CLASES = ("Invoice", "CreditNote", "DebitNote")
CAMPO = {"Invoice": "FED", "CreditNote": "CND", "DebitNote": "DND"}


def salud(campo: str, valor: str) -> Cambio:
    return cambiar(rf"<Name>{campo}</Name>\s*<Value([^>]*)>[^<]*</Value>", rf"<Name>{campo}</Name>{valor}")


def sin_campo(campo: str) -> Cambio:
    return cambiar(rf"<AdditionalInformation>\s*<Name>{campo}</Name>.*?</AdditionalInformation>", "")


CARGO = (
    "<cac:AllowanceCharge><cbc:ID>1</cbc:ID><cbc:ChargeIndicator>{}</cbc:ChargeIndicator>"
    "<cbc:MultiplierFactorNumeric>0</cbc:MultiplierFactorNumeric><cbc:Amount currencyID='COP'>0.00</cbc:Amount>"
    "<cbc:BaseAmount currencyID='COP'>0.00</cbc:BaseAmount></cac:AllowanceCharge>"
)
IMPUESTO = (
    "<cac:TaxTotal><cbc:TaxAmount currencyID='COP'>0.00</cbc:TaxAmount><cac:TaxSubtotal>"
    "<cbc:TaxableAmount currencyID='COP'>0.00</cbc:TaxableAmount><cbc:TaxAmount currencyID='COP'>0.00</cbc:TaxAmount>"
    "<cac:TaxCategory><cbc:Percent>0.00</cbc:Percent><cac:TaxScheme><cbc:ID>01</cbc:ID></cac:TaxScheme>"
    "</cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>"
)


def con_cargo(indicador: str, falta: str) -> Cambio:
    text = re.sub(rf"<cbc:{falta}[^>]*>[^<]*</cbc:{falta}>", "", CARGO.format(indicador))
    return cambiar(r"<cac:PaymentMeans>", text + "<cac:PaymentMeans>")


def con_impuesto(falta: str) -> Cambio:
    text = re.sub(falta, "", IMPUESTO, count=1)
    assert text != IMPUESTO
    return cambiar(r"<cac:Item>", text + "<cac:Item>")


PRESENCIA: dict[str, Cambio] = {
    "001": vaciar("CustomizationID"),
    "003": cambiar(r"(ProfileExecutionID>\s*)<cbc:ID>[^<]*</cbc:ID>", r"\1"),
    "004": vaciar("UUID"),
    "005": quitar("IssueDate"),
    "008": quitar("InvoiceTypeCode"),
    "017": quitar("PayableAmount"),
    "018": quitar("AccountingSupplierParty"),
    "019": cambiar(r"(AccountingSupplierParty>.*?)<cac:Party>.*?</cac:Party>", r"\1"),
    "020": cerca("<cac:AccountingSupplierParty>", "<cbc:AdditionalAccountID>1</cbc:AdditionalAccountID>", ""),
    "021": cerca("<cac:PartyTaxScheme>", r"(<cbc:CompanyID[^>]*>)[^<]*", r"\2"),
    "022": cerca("<cac:PartyTaxScheme>", r'schemeID="."', 'schemeID=""'),
    "023": cerca("<cac:PartyTaxScheme>", r"(<cbc:RegistrationName>)[^<]*", r"\2"),
    "030": quitar("PartyTaxScheme"),
    "031": cerca("<cac:AccountingCustomerParty>", "<cbc:AdditionalAccountID>1</cbc:AdditionalAccountID>", ""),
    "034": cambiar(r"(AccountingCustomerParty>.*?TaxScheme>.*?<cbc:CompanyID[^>]*>)[^<]*", r"\1"),
    "036": cambiar(r"(AccountingCustomerParty>.*?TaxScheme>.*?<cbc:RegistrationName>)[^<]*", r"\1"),
    "060": quitar("CustomTagGeneral"),
    "100": quitar("StartDate", 2),
    "101": quitar("InvoicePeriod"),
    "104": cambiar(r'(<cac:PrepaidPayment>\s*<cbc:ID) schemeID="[^"]*"', r"\1"),
    "105": quitar("PaidAmount"),
    "108": con_cargo("true", "MultiplierFactorNumeric"),
    "109": con_cargo("true", "Amount"),
    "110": con_cargo("true", "BaseAmount"),
    "111": con_cargo("false", "MultiplierFactorNumeric"),
    "112": con_cargo("false", "Amount"),
    "113": con_cargo("false", "BaseAmount"),
    "114": con_impuesto("<cbc:TaxAmount [^>]*>0.00</cbc:TaxAmount>"),
    "116": con_impuesto("<cbc:TaxableAmount.*?</cbc:TaxableAmount>"),
    "117": con_impuesto("(?<=</cbc:TaxableAmount>)<cbc:TaxAmount.*?</cbc:TaxAmount>"),
    "122": con_impuesto("<cbc:ID>01</cbc:ID>"),
    "123": salud("CODIGO_PRESTADOR", "<Value/>"),
    "124": sin_campo("CODIGO_PRESTADOR"),
    "125": salud("MODALIDAD_PAGO", "<Value>Pago por evento</Value>"),
    "126": sin_campo("MODALIDAD_PAGO"),
    "127": salud("COBERTURA_PLAN_BENEFICIOS", "<Value>UPC</Value>"),
    "128": sin_campo("COBERTURA_PLAN_BENEFICIOS"),
    "129": salud("NUMERO_CONTRATO", "<Value/>"),
    "130": sin_campo("NUMERO_CONTRATO"),
    "131": salud("NUMERO_POLIZA", "<Value>AT-123</Value>"),
    "132": sin_campo("NUMERO_POLIZA"),
    "133": salud("MODALIDAD_PAGO", '<Value schemeID="11">Capitación</Value>'),
    "134": salud("COBERTURA_PLAN_BENEFICIOS", '<Value schemeID="99">Otra</Value>'),
}
SOLO = {"008": ("Invoice",), "031": ("CreditNote",)}


@pytest.mark.parametrize("clase", CLASES)
def test_a_right_document_has_no_finding(clase: str) -> None:
    assert codigos_de(juzgar_texto(documento(clase))) == set()


@pytest.mark.parametrize("clase", CLASES)
@pytest.mark.parametrize("numero", PRESENCIA)
def test_each_field_that_is_missing_is_told_with_the_code_of_its_kind(numero: str, clase: str) -> None:
    change = PRESENCIA[numero]
    if clase not in SOLO.get(numero, CLASES):
        if numero == "031":
            assert CAMPO[clase] + numero not in codigos_de(juzgar_texto(change(documento(clase))))
        return
    found = juzgar_texto(change(documento(clase)))
    code = CAMPO[clase] + numero
    assert code in codigos_de(found)
    (one, *_) = [seen for seen in found if seen.codigo == code]
    assert one.ruta == ""
    assert one.linea is not None
    notified = numero in ("123", "129", "131")
    assert one.clase is (Clase.NOTIFICACION if notified else Clase.RECHAZO)


def test_of_a_missing_branch_only_the_root_is_told() -> None:
    found = codigos_de(juzgar_texto(PRESENCIA["018"](factura())))
    assert "FED018" in found
    assert not found & {"FED019", "FED021", "FED022", "FED023", "FED030", "VFE011"}


DATOS: dict[str, tuple[str, Cambio]] = {
    "VFE001": ("Invoice", cambiar("InvoiceTypeCode>01", "InvoiceTypeCode>77")),
    "VFE002": ("Invoice", cambiar("InvoiceTypeCode>01", "InvoiceTypeCode>91")),
    "VFE003": ("Invoice", cambiar("CustomizationID>SS-CUFE", "CustomizationID>10")),
    "VFE005": ("Invoice", cambiar(r"(ProfileExecutionID>\s*<cbc:ID>)([A-Z]+)", r"\1\2 ")),
    "VFE011": ("Invoice", cerca("<cac:PartyTaxScheme>", 'schemeName="31"', 'schemeName="13"')),
    "VFE012": ("Invoice", cerca("<cac:PartyTaxScheme>", r'schemeID="."', 'schemeID="K"')),
    "VFE020": ("Invoice", cambiar(r"(InvoicePeriod>\s*<cbc:StartDate>)[^<]*", r"\g<1>30/07/2026")),
    "VFE021": ("Invoice", cambiar(r"(StartDate>\s*<cbc:EndDate>)[^<]*(?=</cbc:EndDate>\s*</cac:I)", r"\g<1>2026-02-29")),
    "VCN001": ("CreditNote", quitar("CreditNoteTypeCode")),
    "VCN002": ("CreditNote", cambiar("CreditNoteTypeCode>91", "CreditNoteTypeCode>92")),
    "VCN004": ("CreditNote", cambiar(r"(ProfileExecutionID>\s*<cbc:ID>)([A-Z]+)", r"\1\2 ")),
    "VCN010": ("CreditNote", cerca("<cac:PartyTaxScheme>", 'schemeName="31"', 'schemeName=""')),
    "VCN011": ("CreditNote", cerca("<cac:PartyTaxScheme>", r'schemeID="."', 'schemeID="12"')),
    "VCN019": ("CreditNote", cambiar(r"(InvoicePeriod>\s*<cbc:StartDate>)[^<]*", r"\g<1>2026")),
    "VCN020": ("CreditNote", cambiar(r"(<cbc:EndDate>)[^<]*(?=</cbc:EndDate>\s*</cac:I)", r"\g<1>ayer")),
    "VDN002": ("DebitNote", cambiar(r"(ProfileExecutionID>\s*<cbc:ID>)([A-Z]+)", r"\1\2/")),
    "VDN008": ("DebitNote", cerca("<cac:PartyTaxScheme>", 'schemeName="31"', 'schemeName="22"')),
    "VDN009": ("DebitNote", cerca("<cac:PartyTaxScheme>", r'schemeID="."', 'schemeID="x"')),
    "VDN017": ("DebitNote", cambiar(r"(InvoicePeriod>\s*<cbc:StartDate>)[^<]*", r"\g<1>20260701T")),
    "VDN018": ("DebitNote", cambiar(r"(<cbc:EndDate>)[^<]*(?=</cbc:EndDate>\s*</cac:I)", r"\g<1>2026-13-01")),
    "PNC012": ("CreditNote", quitar("BillingReference")),
    "PDN012": ("DebitNote", quitar("BillingReference")),
    "NOTA-SIN-CUFE": ("CreditNote", cambiar(r"(InvoiceDocumentReference><cbc:ID>[^<]*</cbc:ID>)<cbc:UUID>.*?</cbc:UUID>", r"\1")),
    "NOTA-OPERACION": ("DebitNote", cambiar("CustomizationID>30", "CustomizationID>32")),
    "NOTA-CONCEPTO": ("DebitNote", cambiar("<cbc:ResponseCode>1<", "<cbc:ResponseCode>9<")),
    "CUCON-FORMA": ("Invoice", cambiar(r"<cbc:Note>", "<cbc:Note>CUCON:132</cbc:Note><cbc:Note>")),
    "PERIODO-INVERTIDO": ("Invoice", cambiar(r"(InvoicePeriod>\s*<cbc:StartDate>)[^<]*", r"\g<1>2026-08-30")),
    "RVG018": ("Invoice", cambiar(r"InvoicePeriod>.*?</cac:InvoicePeriod>", "InvoicePeriod><cbc:StartDate>2024-09-01</cbc:StartDate><cbc:EndDate>2024-09-30</cbc:EndDate></cac:InvoicePeriod>")),
    "FED061": ("Invoice", cambiar(r"(<cac:PrepaidPayment>.*?</cac:PrepaidPayment>)", r"\1\1")),
    "FED136": ("Invoice", salud("NUMERO_CONTRATO", "<Value>NA</Value>")),
    "FEV002": ("Invoice", cambiar(r"(<cbc:PayableAmount[^>]*>)[^<]*", r"\g<1>1.234.567,00")),
    "NCV002": ("CreditNote", cambiar(r"CreditNote-2", "CreditNote-9")),
    "NDV002": ("DebitNote", cambiar(r"(<cbc:IssueDate>)[^<]*", r"\g<1>2026-02-30")),
    "SALUD-MAYUSCULAS": ("Invoice", cambiar("<Name>NUMERO_POLIZA", "<Name>Numero_Poliza")),
    "SALUD-NOMBRE": ("Invoice", salud("MODALIDAD_PAGO", '<Value schemeID="04"/>')),
    "COBERTURA-MODALIDAD": ("Invoice", salud("COBERTURA_PLAN_BENEFICIOS", '<Value schemeID="02">PM</Value>')),
}  # fmt: skip


def con_modalidad(text: str) -> str:
    """The modality that coverage 02 does not admit."""
    return salud("MODALIDAD_PAGO", '<Value schemeID="01">Paquete</Value>')(text)


@pytest.mark.parametrize("codigo", DATOS)
def test_each_wrong_value_is_told(codigo: str) -> None:
    kind, change = DATOS[codigo]
    text = con_modalidad(documento(kind)) if codigo == "COBERTURA-MODALIDAD" else documento(kind)
    assert codigo not in codigos_de(juzgar_texto(text))
    found = [one for one in juzgar_texto(change(text)) if one.codigo == codigo]
    assert found
    assert found[0].linea is not None
    house = codigo.count("-") > 0
    assert found[0].ruta.startswith(kind) if house else found[0].ruta == ""


def test_a_coverage_of_before_counts_for_invoices_of_before() -> None:
    closed = salud("COBERTURA_PLAN_BENEFICIOS", '<Value schemeID="01">UPC</Value>')(factura())
    assert "FED134" in codigos_de(juzgar_texto(closed))
    before = cambiar(r"(<cbc:IssueDate>)[^<]*", r"\g<1>2026-06-30")(closed)
    assert "FED134" not in codigos_de(juzgar_texto(before, fecha=date(2026, 6, 30)))


def test_a_debit_note_has_totals_of_its_own() -> None:
    text = documento("DebitNote").replace("RequestedMonetaryTotal>", "LegalMonetaryTotal>")
    assert "DND017" in codigos_de(juzgar_texto(text))


def test_a_block_of_the_maker_beside_that_of_salud_is_let_be() -> None:
    own = "<ext:UBLExtension><ext:ExtensionContent><CustomTagGeneral><Name>x</Name></CustomTagGeneral>"
    own += "</ext:ExtensionContent></ext:UBLExtension>"
    assert codigos_de(juzgar_texto(cambiar("<ext:UBLExtension>", own + "<ext:UBLExtension>")(factura()))) == set()


def test_a_block_of_another_sector_makes_no_health_document() -> None:
    fields = "<AdditionalInformation><name>Lugar de Salida</name><value>Cali</value></AdditionalInformation>"
    export = f'<CustomTagGeneral><Interoperabilidad><Group schemeName="Exportación"><Collection>{fields}'
    export += "</Collection></Group></Interoperabilidad></CustomTagGeneral>"
    text = cambiar("<CustomTagGeneral>.*?</CustomTagGeneral>", export)(factura())
    sold = juzgar_texto(cambiar("CustomizationID>SS-CUFE", "CustomizationID>10")(text))
    assert [one.codigo for one in sold] == ["VFE003"]
    assert "FED124" in codigos_de(juzgar_texto(text))


def test_a_number_of_one_digit_is_not_refused() -> None:
    assert "FED133" not in codigos_de(
        juzgar_texto(salud("MODALIDAD_PAGO", '<Value schemeID="4">Evento</Value>')(factura()))
    )


def test_a_filler_is_no_policy_and_no_contract() -> None:
    policy = salud("NUMERO_POLIZA", "<Value>NA</Value>")(factura())
    assert codigos_de(juzgar_texto(policy)) == set()
    nothing = salud("NUMERO_CONTRATO", "<Value>0</Value>")(policy)
    assert {"FED129", "FED131", "FED136"} <= codigos_de(juzgar_texto(nothing))


def test_a_policy_does_not_stand_for_the_contract() -> None:
    """So a real answer of March 2025: FED129 alone, and accepted."""
    policy = salud("NUMERO_POLIZA", "<Value>AT-123</Value>")(salud("NUMERO_CONTRATO", "<Value/>")(factura()))
    found = [one for one in juzgar_texto(policy, fecha=date(2025, 3, 13)) if one.clase is not Clase.NO_DECIDIBLE]
    assert [(one.codigo, one.clase) for one in found] == [("FED129", Clase.NOTIFICACION)]
    assert "póliza" in found[0].mensaje


def test_a_document_without_date_is_not_judged_by_what_began_on_a_day() -> None:
    closed = salud("COBERTURA_PLAN_BENEFICIOS", '<Value schemeID="01">UPC</Value>')(factura())
    empty = salud("NUMERO_CONTRATO", "<Value/>")(closed)
    assert {"FED134", "FED136"} <= codigos_de(juzgar_texto(empty))
    undated = juzgar_texto(cambiar(r"<cbc:IssueDate>.*?</cbc:IssueDate>", "")(empty))
    assert {"FED005"} == {one.codigo for one in undated if one.clase is Clase.RECHAZO}
    assert "FED136" not in codigos_de(undated)


def test_without_contract_a_reason_is_enough() -> None:
    reason = (
        '<AdditionalInformation><Name>FACTURA_SIN_CONTRATO</Name><Value schemeID="01">Urgencias</Value>'
        "</AdditionalInformation></Collection>"
    )
    text = cambiar("</Collection>", reason)(salud("NUMERO_CONTRATO", "<Value/>")(factura()))
    assert codigos_de(juzgar_texto(text)) == set()


def test_rules_begin_on_their_day() -> None:
    twice = DATOS["FED061"][1](factura())
    assert "FED061" in codigos_de(juzgar_texto(twice, fecha=date(2026, 7, 1)))
    assert "FED061" not in codigos_de(juzgar_texto(twice, fecha=date(2026, 6, 30)))
    old = DATOS["RVG018"][1](factura())
    assert "RVG018" not in codigos_de(juzgar_texto(old, fecha=date(2024, 10, 3)))
    assert "RCG018" not in codigos_de(juzgar_texto(old))
    older = old.replace("2024-09-", "2022-09-")
    assert "RCG018" in codigos_de(juzgar_texto(older, fecha=date(2024, 10, 3)))
    assert {"RCG018", "RVG018"} <= codigos_de(juzgar_texto(older))
    note = DATOS["RVG018"][1](documento("CreditNote"))
    assert not codigos_de(juzgar_texto(note)) & {"RCG018", "RVG018"}
    assert "RCG018" in codigos_de(juzgar_texto(note.replace("2024-09-", "2022-09-")))


def capita(text: str) -> str:
    modality = salud("MODALIDAD_PAGO", '<Value schemeID="03">Capitación</Value>')(text)
    return cambiar(
        r"(InvoicePeriod>\s*<cbc:StartDate>)[^<]*(</cbc:StartDate>\s*<cbc:EndDate>)[^<]*",
        r"\g<1>2026-07-01\g<2>2026-07-31",
    )(modality)


def test_a_capitation_is_issued_inside_its_period() -> None:
    inside = cambiar(r"(<cbc:IssueDate>)[^<]*", r"\g<1>2026-07-15")(capita(factura()))
    assert "CIN001" not in codigos_de(juzgar_texto(inside))
    outside = capita(factura())
    for day, weight in ((date(2025, 10, 29), Clase.RECHAZO), (date(2025, 10, 30), Clase.NOTIFICACION)):
        asked = juzgar_texto(outside, fecha=day, modulo=Modulo.CAPITA_INICIAL)
        (one,) = [seen for seen in asked if seen.codigo == "CIN001"]
        assert one.clase is weight
        assert one.ruta == ""
        assert one.fuente.value == "CapitaInicial"
    (one,) = [seen for seen in juzgar_texto(outside, fecha=date(2025, 10, 29)) if seen.codigo == "CIN001"]
    assert one.clase is Clase.AVISO, "an invoice without its RIPS may be that of a later period"
    assert "CIN001" not in codigos_de(juzgar_texto(outside, cuv=aceptacion("CapitaPeriodo")))
    assert "CIN001" not in codigos_de(juzgar_texto(outside, rips={"tipoNota": None, "usuarios": []}))


def test_a_receipt_is_asked_neither_for_the_block_nor_for_a_period() -> None:
    text = quitar("InvoicePeriod")(
        quitar("CustomTagGeneral")(quitar("PrepaidPayment")(quitar("PrepaidAmount")(factura())))
    )
    gross = f"{cuenta().gross}.00"
    text = cambiar(r"(<cbc:PayableAmount[^>]*>)[^<]*", rf"\g<1>{gross}")(text)
    receipt = cambiar("CustomizationID>SS-CUFE", "CustomizationID>SS-Recaudo")(text)
    found = juzgar_texto(receipt)
    assert [one.codigo for one in found] == []
    dressed = cambiar("CustomizationID>SS-CUFE", "CustomizationID>SS-Recaudo")(factura())
    assert "SALUD-SOBRA" in codigos_de(juzgar_texto(dressed))
    assert {"FED060", "FED100"} <= codigos_de(juzgar_texto(text))


@pytest.mark.parametrize("operacion", ["SS-CUFE", "SS-CUDE", "SS-POS", "SS-SNum"])
def test_the_operations_that_subtract_are_right_with_a_payment(operacion: str) -> None:
    text = (
        cambiar("CustomizationID>SS-CUFE", f"CustomizationID>{operacion}")(factura())
        if operacion != "SS-CUFE"
        else factura()
    )
    assert codigos_de(juzgar_texto(text)) == set()


def test_the_operations_that_report_do_not_subtract() -> None:
    gross = f"{cuenta().gross}.00"
    whole = cambiar(r"(<cbc:PayableAmount[^>]*>)[^<]*", rf"\g<1>{gross}")(factura())
    assert "ARIT-POR-PAGAR" in codigos_de(juzgar_texto(whole))
    report = cambiar("CustomizationID>SS-CUFE", "CustomizationID>SS-Reporte")(whole)
    assert codigos_de(juzgar_texto(report)) == set()
    nobody = cambiar("CustomizationID>SS-CUFE", "CustomizationID>SS-SinAporte")(whole)
    assert codigos_de(juzgar_texto(nobody)) == {"OPERACION-ANTICIPO"}


def test_a_supplier_s_invoice_hears_one_thing() -> None:
    text = quitar("InvoicePeriod")(quitar("CustomTagGeneral")(factura()))
    found = juzgar_texto(cambiar("CustomizationID>SS-CUFE", "CustomizationID>10")(text))
    assert [one.codigo for one in found] == ["VFE003"]


def test_an_invoice_that_goes_to_the_ministry_hears_all_that_it_lacks() -> None:
    """With its RIPS or the answer beside it nobody takes it for a supplier's."""
    text = quitar("InvoicePeriod")(quitar("CustomTagGeneral")(factura()))
    sold = cambiar("CustomizationID>SS-CUFE", "CustomizationID>10")(text)
    every = {"VFE003", "FED060", "FED100", "FED101", "VFE020", "VFE021"}
    assert codigos_de(juzgar_texto(sold, rips={"numFactura": cuenta().number})) == every
    assert codigos_de(juzgar_texto(sold, cuv=negativa("VFE003", "FED060"))) == every
    assert codigos_de(juzgar_texto(sold, modulo=Modulo.FEV)) == every


def test_the_number_of_the_rips_is_that_of_the_invoice() -> None:
    number = cuenta().number
    assert "PFP001" not in codigos_de(juzgar_texto(factura(), rips={"numFactura": number}))
    assert "PFP001" in codigos_de(juzgar_texto(factura(), rips={"numFactura": "OTRA77"}))
    bare = number.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert "PFP001" not in codigos_de(juzgar_texto(factura(), rips={"numFactura": bare}))


def test_a_coverage_admits_some_kinds_of_collection() -> None:
    def services(concept: str) -> dict[str, object]:
        return {"usuarios": [{"servicios": {"consultas": [{"conceptoRecaudo": "05"}, {"conceptoRecaudo": concept}]}}]}

    assert "CIN006" not in codigos_de(juzgar_texto(factura(), rips=services("02")))
    (one,) = [seen for seen in juzgar_texto(factura(), rips=services("03")) if seen.codigo == "CIN006"]
    assert one.ruta == "usuarios[0].servicios.consultas[1].conceptoRecaudo"
    assert "CIN006" not in codigos_de(juzgar_texto(factura(), rips=services("03"), fecha=date(2026, 6, 30)))
    paid = cambiar(r'(<cac:PrepaidPayment>\s*<cbc:ID schemeID=)"02"', r'\1"03"')(factura())
    assert "CIN006" in codigos_de(juzgar_texto(paid))
    doubtful = salud("COBERTURA_PLAN_BENEFICIOS", '<Value schemeID="03">Prima</Value>')(paid)
    assert "CIN006" not in codigos_de(juzgar_texto(doubtful))
    # UPC and prepagada in one invoice: the shared payment is of the other.
    other = cambiar(
        "</Collection>",
        '</Collection><Collection schemeName="Usuario"><AdditionalInformation><Name>COBERTURA_PLAN_BENEFICIOS</Name>'
        '<Value schemeID="11">x</Value></AdditionalInformation></Collection>',
    )
    assert "CIN006" not in codigos_de(juzgar_texto(other(paid), rips=services("03")))


def test_several_users_share_modality_and_coverage() -> None:
    second = cambiar(
        "</Collection>",
        '</Collection><Collection schemeName="Usuario"><AdditionalInformation><Name>MODALIDAD_PAGO</Name>'
        '<Value schemeID="{}">x</Value></AdditionalInformation></Collection>',
    )
    assert "SALUD-DISTINTOS" not in codigos_de(juzgar_texto(second(factura()).replace('"{}"', '"04"')))
    assert "SALUD-DISTINTOS" in codigos_de(juzgar_texto(second(factura()).replace('"{}"', '"03"')))


def test_what_only_a_register_knows_is_said_so() -> None:
    for kind, codes in (
        ("Invoice", {"VFE022"}),
        ("CreditNote", {"GI012", "GI013", "GI016"}),
        ("DebitNote", {"GI015", "GI016"}),
    ):
        found = juzgar_texto(documento(kind))
        assert {one.codigo for one in found if one.clase is Clase.NO_DECIDIBLE} == codes


def test_another_kind_of_document_than_was_asked_for() -> None:
    assert "NCV008" in codigos_de(juzgar_texto(factura(), modulo=Modulo.NC))
    assert "NDV008" in codigos_de(juzgar_texto(factura(), modulo=Modulo.ND))
    assert "FEV008" in codigos_de(juzgar_texto(documento("CreditNote"), modulo=Modulo.FEV))
    assert codigos_de(juzgar_texto(documento("CreditNote"), modulo=Modulo.NC_TOTAL)) == set()
