"""Electronic invoice of the demonstration set: Invoice, the DIAN's answer and the AttachedDocument that holds both.

All three layers are valid against the UBL 2.1 schemas and carry the CUFE that the DIAN's formula gives for them (SHA-384
of the annex 1.9). They are not signed: a signature of the demo would be by nobody, so `ds:Signature` is left out of every
layer, and the answer of the DIAN is as fictitious as the provider.
Invariant: same bill, same bytes.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal

from radica.app.demo.bill import Bill, Charge
from radica.app.demo.fev_parts import (
    AMBIENTE,
    DIAN_DV,
    DIAN_NAME,
    DIAN_NIT,
    NAMESPACES,
    UBL,
    XML_HEAD,
    dian_extension,
    esc,
    extensions,
    full_party,
    health_extension,
    money,
    simple_party,
)
from radica.facturas.cufe import chain, digest


def bill_cufe(bill: Bill) -> str:
    """CUFE of the bill: 96 lowercase hex digits. Health services carry no VAT, consumption tax or ICA."""
    return digest(
        chain(
            number=bill.number,
            issue_date=bill.issued.date().isoformat(),
            issue_time=f"{bill.issued:%H:%M:%S}-05:00",
            value=Decimal(bill.gross),
            taxes={},
            total=bill.value,
            issuer_nit=bill.provider.nit,
            acquirer_id=bill.payer.nit,
            key=bill.provider.clave_tecnica,
            environment=AMBIENTE,
        )
    )


def _line(number: int, charge: Charge, *, error: int) -> str:
    unit = ' unitCode="94"'
    return (
        f"<cac:InvoiceLine><cbc:ID>{number}</cbc:ID><cbc:InvoicedQuantity{unit}>{charge.qty}.00</cbc:InvoicedQuantity>"
        f'<cbc:LineExtensionAmount currencyID="COP">{money(charge.total + error)}</cbc:LineExtensionAmount>'
        f"<cac:Item><cbc:Description>{esc(charge.item.name)}</cbc:Description><cac:StandardItemIdentification>"
        f'<cbc:ID schemeID="999">{esc(charge.item.code)}</cbc:ID></cac:StandardItemIdentification></cac:Item>'
        f'<cac:Price><cbc:PriceAmount currencyID="COP">{money(charge.unit)}</cbc:PriceAmount>'
        f"<cbc:BaseQuantity{unit}>1.00</cbc:BaseQuantity></cac:Price></cac:InvoiceLine>"
    )


def _totals(bill: Bill) -> str:
    prepaid = f'<cbc:PrepaidAmount currencyID="COP">{money(bill.prepaid)}</cbc:PrepaidAmount>' if bill.recaudo else ""
    return (
        f'<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="COP">{money(bill.gross)}</cbc:LineExtensionAmount>'
        '<cbc:TaxExclusiveAmount currencyID="COP">0.00</cbc:TaxExclusiveAmount>'
        f'<cbc:TaxInclusiveAmount currencyID="COP">{money(bill.gross)}</cbc:TaxInclusiveAmount>{prepaid}'
        f'<cbc:PayableAmount currencyID="COP">{money(bill.payable)}</cbc:PayableAmount></cac:LegalMonetaryTotal>'
    )


def _recaudo(bill: Bill) -> tuple[str, str]:
    """(reference to the receipt given to the patient, PrepaidPayment), both empty when nothing was collected."""
    if bill.recaudo is None:
        return "", ""
    concept, amount = bill.recaudo
    day = bill.end.isoformat()
    reference = (
        f"<cac:AdditionalDocumentReference><cbc:ID>{recaudo_number(bill)}</cbc:ID><cbc:IssueDate>{day}</cbc:IssueDate>"
        "<cbc:DocumentTypeCode>01</cbc:DocumentTypeCode></cac:AdditionalDocumentReference>"
    )
    payment = (
        f'<cac:PrepaidPayment><cbc:ID schemeID="{concept}">1</cbc:ID>'
        f'<cbc:PaidAmount currencyID="COP">{money(amount)}</cbc:PaidAmount><cbc:ReceivedDate>{day}</cbc:ReceivedDate>'
        "</cac:PrepaidPayment>"
    )
    return reference, payment


def recaudo_number(bill: Bill) -> str:
    """Number of the invoice (SS-Recaudo) by which the provider collected the patient's share."""
    return f"R{bill.provider.prefix}{bill.consecutive}"


def build_invoice(bill: Bill, cufe: str, *, supplier_dv: str = "", line_error: int = 0) -> str:
    """The Invoice as XML text. `supplier_dv` and `line_error` (pesos added to line 1) are for defects on purpose."""
    reference, payment = _recaudo(bill)
    operation = "SS-CUFE" if bill.recaudo else "SS-SinAporte"
    lines = "".join(
        _line(number, charge, error=line_error if number == 1 else 0) for number, charge in enumerate(bill.charges, 1)
    )
    due = bill.issued.date().isoformat()
    supplier = full_party(bill.provider, dv=supplier_dv or bill.provider.dv, prefix=bill.provider.prefix)
    return (
        f'{XML_HEAD}<Invoice xmlns="{UBL}Invoice-2" {NAMESPACES}>'
        f"{extensions(dian_extension(bill, cufe), health_extension(bill))}"
        f"<cbc:UBLVersionID>UBL 2.1</cbc:UBLVersionID><cbc:CustomizationID>{operation}</cbc:CustomizationID>"
        "<cbc:ProfileID>DIAN 2.1: Factura Electrónica de Venta</cbc:ProfileID>"
        f"<cbc:ProfileExecutionID>{AMBIENTE}</cbc:ProfileExecutionID><cbc:ID>{esc(bill.number)}</cbc:ID>"
        f'<cbc:UUID schemeID="{AMBIENTE}" schemeName="CUFE-SHA384">{cufe}</cbc:UUID>'
        f"<cbc:IssueDate>{due}</cbc:IssueDate><cbc:IssueTime>{bill.issued:%H:%M:%S}-05:00</cbc:IssueTime>"
        f"<cbc:InvoiceTypeCode>01</cbc:InvoiceTypeCode>"
        "<cbc:Note>Documento de demostración: emisor, pagador y atención son ficticios; sin validez fiscal.</cbc:Note>"
        f"<cbc:DocumentCurrencyCode>COP</cbc:DocumentCurrencyCode>"
        f"<cbc:LineCountNumeric>{len(bill.charges)}</cbc:LineCountNumeric>"
        f"<cac:InvoicePeriod><cbc:StartDate>{bill.start}</cbc:StartDate><cbc:EndDate>{bill.end}</cbc:EndDate>"
        f"</cac:InvoicePeriod>{reference}"
        f"<cac:AccountingSupplierParty>{supplier}</cac:AccountingSupplierParty>"
        f"<cac:AccountingCustomerParty>{full_party(bill.payer, dv=bill.payer.dv)}</cac:AccountingCustomerParty>"
        "<cac:PaymentMeans><cbc:ID>2</cbc:ID><cbc:PaymentMeansCode>47</cbc:PaymentMeansCode>"
        f"<cbc:PaymentDueDate>{due}</cbc:PaymentDueDate></cac:PaymentMeans>{payment}"
        f"{_totals(bill)}{lines}</Invoice>"
    )


def build_dian_response(bill: Bill, cufe: str) -> str:
    """ApplicationResponse 02 (document validated by the DIAN) for that CUFE."""
    cude = hashlib.sha384(f"respuesta|{bill.number}|{cufe}".encode()).hexdigest()
    return (
        f'{XML_HEAD}<ApplicationResponse xmlns="{UBL}ApplicationResponse-2" {NAMESPACES}>'
        f"<cbc:UBLVersionID>UBL 2.1</cbc:UBLVersionID><cbc:CustomizationID>1</cbc:CustomizationID>"
        f"<cbc:ProfileID>DIAN 2.1</cbc:ProfileID><cbc:ProfileExecutionID>{AMBIENTE}</cbc:ProfileExecutionID>"
        f'<cbc:ID>{bill.process_id}</cbc:ID><cbc:UUID schemeName="CUDE-SHA384">{cude}</cbc:UUID>'
        f"<cbc:IssueDate>{bill.validated:%Y-%m-%d}</cbc:IssueDate>"
        f"<cbc:IssueTime>{bill.validated:%H:%M:%S}-05:00</cbc:IssueTime>"
        f"<cac:SenderParty>{simple_party(DIAN_NAME, DIAN_NIT, DIAN_DV)}</cac:SenderParty>"
        f"<cac:ReceiverParty>{simple_party(bill.provider.name, bill.provider.nit, bill.provider.dv)}</cac:ReceiverParty>"
        "<cac:DocumentResponse><cac:Response><cbc:ResponseCode>02</cbc:ResponseCode>"
        "<cbc:Description>Documento validado por la DIAN</cbc:Description></cac:Response>"
        f'<cac:DocumentReference><cbc:ID>{esc(bill.number)}</cbc:ID><cbc:UUID schemeName="CUFE-SHA384">{cufe}</cbc:UUID>'
        "</cac:DocumentReference><cac:LineResponse><cac:LineReference><cbc:LineID>1</cbc:LineID></cac:LineReference>"
        "<cac:Response><cbc:ResponseCode>0000</cbc:ResponseCode><cbc:Description>0</cbc:Description></cac:Response>"
        "</cac:LineResponse></cac:DocumentResponse></ApplicationResponse>"
    )


def _attachment(xml: str) -> str:
    return (
        "<cac:Attachment><cac:ExternalReference><cbc:MimeCode>text/xml</cbc:MimeCode>"
        f"<cbc:EncodingCode>UTF-8</cbc:EncodingCode><cbc:Description><![CDATA[{xml}]]></cbc:Description>"
        "</cac:ExternalReference></cac:Attachment>"
    )


def build_fev(bill: Bill, *, cufe: str = "", supplier_dv: str = "", line_error: int = 0) -> bytes:
    """The AttachedDocument (UTF-8) with Invoice and ApplicationResponse in CDATA.

    `cufe`, `supplier_dv` and `line_error` replace what is right by something wrong on purpose.
    """
    cufe = cufe or bill_cufe(bill)
    provider = bill.provider
    when = f"<cbc:IssueDate>{bill.validated:%Y-%m-%d}</cbc:IssueDate>"
    verified = (
        f"<cac:ResultOfVerification><cbc:ValidatorID>{DIAN_NAME}</cbc:ValidatorID>"
        "<cbc:ValidationResultCode>02</cbc:ValidationResultCode>"
        f"<cbc:ValidationDate>{bill.validated:%Y-%m-%d}</cbc:ValidationDate>"
        f"<cbc:ValidationTime>{bill.validated:%H:%M:%S}-05:00</cbc:ValidationTime></cac:ResultOfVerification>"
    )
    invoice = build_invoice(bill, cufe, supplier_dv=supplier_dv, line_error=line_error)
    text = (
        f'{XML_HEAD}<AttachedDocument xmlns="{UBL}AttachedDocument-2" {NAMESPACES}>'
        "<cbc:UBLVersionID>UBL 2.1</cbc:UBLVersionID><cbc:CustomizationID>Documentos adjuntos</cbc:CustomizationID>"
        "<cbc:ProfileID>Factura Electrónica de Venta</cbc:ProfileID>"
        f"<cbc:ProfileExecutionID>{AMBIENTE}</cbc:ProfileExecutionID><cbc:ID>{esc(bill.number)}</cbc:ID>{when}"
        f"<cbc:IssueTime>{bill.validated:%H:%M:%S}-05:00</cbc:IssueTime>"
        "<cbc:DocumentType>Contenedor de Factura Electrónica</cbc:DocumentType>"
        f"<cbc:ParentDocumentID>{esc(bill.number)}</cbc:ParentDocumentID>"
        f"<cac:SenderParty>{simple_party(provider.name, provider.nit, supplier_dv or provider.dv)}</cac:SenderParty>"
        f"<cac:ReceiverParty>{simple_party(bill.payer.name, bill.payer.nit, bill.payer.dv)}</cac:ReceiverParty>"
        f"{_attachment(invoice)}"
        "<cac:ParentDocumentLineReference><cbc:LineID>1</cbc:LineID><cac:DocumentReference>"
        f'<cbc:ID>{esc(bill.number)}</cbc:ID><cbc:UUID schemeName="CUFE-SHA384">{cufe}</cbc:UUID>{when}'
        f"<cbc:DocumentType>ApplicationResponse</cbc:DocumentType>{_attachment(build_dian_response(bill, cufe))}"
        f"{verified}</cac:DocumentReference></cac:ParentDocumentLineReference></AttachedDocument>"
    )
    return text.encode("utf-8")
