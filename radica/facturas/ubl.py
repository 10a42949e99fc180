"""Reads UBL 2.1 documents of DIAN into the values of `fev.py`.

Invariant: elements are found by local name, because real issuers change namespaces, and nothing is filled in that the
document does not say. Dates without a zone are Colombian (-05:00). Norms: DIAN annex 1.9 (AttachedDocument carries the
Invoice and the ApplicationResponse as text); Res. 948 de 2026 (block of sector salud).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from lxml import etree

from radica.facturas.fev import (
    Anticipo,
    CampoSalud,
    Clase,
    Fev,
    Impuesto,
    Linea,
    Numeracion,
    Parte,
    Referencia,
    RespuestaDian,
)
from radica.facturas.numbers import parse_amount, parse_nit
from radica.facturas.texts import believable, clean
from radica.facturas.xmlsafe import decode_base64, parse_embedded, parse_xml

ROOTS = {"Invoice": Clase.FACTURA, "CreditNote": Clase.NOTA_CREDITO, "DebitNote": Clase.NOTA_DEBITO}
COLOMBIA = timezone(timedelta(hours=-5))
_HEX96 = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{96}(?![0-9a-fA-F])")
_NIT_SCHEME = "31"
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
"""A date of XML Schema, which may carry a zone."""
_LINES = {
    "InvoiceLine": "InvoicedQuantity",
    "CreditNoteLine": "CreditedQuantity",
    "DebitNoteLine": "DebitedQuantity",
}


@dataclass(frozen=True)
class Contenedor:
    """What an AttachedDocument carries: documents (roots), DIAN answers and their roots, and its ParentDocumentID."""

    documents: tuple[etree._Element, ...]
    responses: tuple[RespuestaDian, ...]
    parent_id: str | None
    response_roots: tuple[etree._Element, ...] = ()


def local_name(element: etree._Element) -> str:
    """Return the name of an element without its namespace ("" for comments)."""
    tag: object = element.tag  # a function for comments, which the stubs do not know
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def line_of(element: etree._Element) -> int:
    """Return the line of the file where an element's tag ends, from 1."""
    line: Any = element.sourceline  # the stubs give it no type
    return int(line or 1)


def open_container(root: etree._Element) -> Contenedor:
    """Read the documents that an AttachedDocument carries as text or Base64.

    Raises Unreadable when an inner document is not well-formed.
    """
    documents: list[etree._Element] = []
    answers: list[etree._Element] = []
    for external in root.iter("{*}ExternalReference", "{*}Attachment"):
        for inner in _inner_roots(external):
            if local_name(inner) in ROOTS:
                documents.append(inner)
            elif local_name(inner) == "ApplicationResponse":
                answers.append(inner)
    read = tuple(read_response(answer) for answer in answers)
    return Contenedor(tuple(documents), read, _text(root, "ParentDocumentID"), tuple(answers))


def read_attached(root: etree._Element, container: Contenedor) -> Fev:
    """Read the one sale document of a container together with DIAN's answer and the container's own copies."""
    seen = [text for text in _all_text(root, "ParentDocumentLineReference", "DocumentReference", "UUID") if text]
    seen += [response.cufe for response in container.responses if response.cufe and len(response.cufe) > 4]
    answer = next((r for r in container.responses if (r.code or "") in ("02", "04")), None)
    verified = _first(root, "ParentDocumentLineReference", "DocumentReference", "ResultOfVerification")
    if answer is None and verified is not None:
        at = _instant(_text(verified, "ValidationDate"), _text(verified, "ValidationTime"))
        answer = RespuestaDian(_text(verified, "ValidationResultCode"), None, None, None, at, None, None, None)
    return read_fev(
        container.documents[0], seen=tuple(seen), response=answer, parent=container.parent_id, in_container=True
    )


def read_fev(
    root: etree._Element,
    *,
    seen: tuple[str, ...] = (),
    response: RespuestaDian | None = None,
    parent: str | None = None,
    in_container: bool = False,
) -> Fev:
    """Read an Invoice, CreditNote or DebitNote. `seen` are CUFE that stand around it (container, DIAN answer)."""
    kind = ROOTS[local_name(root)]
    uuid = _first(root, "UUID")
    cufe = (clean(uuid.text) or "").lower() if uuid is not None else ""
    totals = _first(root, "LegalMonetaryTotal")
    if totals is None:
        totals = _first(root, "RequestedMonetaryTotal")
    numbering = _numbering(root)
    copies = [*_qr_cufes(root), *(text.strip().lower() for text in seen)]
    issue_time = _text(root, "IssueTime")
    count = parse_amount(_text(root, "LineCountNumeric"))
    lines = tuple(_lines(root))
    return Fev(
        kind=kind,
        number=_text(root, "ID"),
        prefix=_prefix(root, numbering),
        cufe=cufe or None,
        cufe_scheme=uuid.get("schemeName") if uuid is not None else None,
        cufes_seen=tuple(dict.fromkeys([*([cufe] if cufe else []), *copies])),
        environment=_text(root, "ProfileExecutionID"),
        profile=_text(root, "ProfileID"),
        operation=_text(root, "CustomizationID"),
        type_code=_text(root, "InvoiceTypeCode") or _text(root, "CreditNoteTypeCode"),
        issue_date=_date(_text(root, "IssueDate")),
        issued_at=_instant(_text(root, "IssueDate"), issue_time) if issue_time else None,
        issue_time_text=issue_time,
        due_date=_date(_text(root, "DueDate")) or _date(_text(root, "PaymentMeans", "PaymentDueDate")),
        period_start=_date(_text(root, "InvoicePeriod", "StartDate")),
        period_end=_date(_text(root, "InvoicePeriod", "EndDate")),
        currency=_text(root, "DocumentCurrencyCode"),
        supplier=_party(root, "AccountingSupplierParty"),
        customer=_party(root, "AccountingCustomerParty"),
        line_extension=_amount(totals, "LineExtensionAmount"),
        tax_exclusive=_amount(totals, "TaxExclusiveAmount"),
        tax_inclusive=_amount(totals, "TaxInclusiveAmount"),
        allowance_total=_amount(totals, "AllowanceTotalAmount"),
        charge_total=_amount(totals, "ChargeTotalAmount"),
        prepaid=_amount(totals, "PrepaidAmount"),
        payable=_amount(totals, "PayableAmount"),
        prepaid_payments=tuple(_prepaid(item) for item in root.iterfind("{*}PrepaidPayment")),
        taxes=tuple(_tax(item) for item in root.iterfind("{*}TaxTotal")),
        lines=lines,
        line_count=int(count) if count is not None else None,
        lines_total=sum((line.amount or Decimal(0) for line in lines), Decimal(0)) if lines else None,
        salud=tuple(_salud(root)),
        numbering=numbering,
        software_provider=parse_nit(next(root.iter("{*}ProviderID"), _NOTHING).text),
        references=tuple(_references(root)),
        container_number=parent,
        in_container=in_container,
        response=response,
    )


def read_response(root: etree._Element) -> RespuestaDian:
    """Read an ApplicationResponse (DIAN validation or an event of the invoice as a title)."""
    answer = _first(root, "DocumentResponse")
    base = answer if answer is not None else _NOTHING
    return RespuestaDian(
        code=_text(base, "Response", "ResponseCode"),
        description=_text(base, "Response", "Description"),
        number=_text(base, "DocumentReference", "ID"),
        cufe=(_text(base, "DocumentReference", "UUID") or "").lower() or None,
        at=_instant(_text(root, "IssueDate"), _text(root, "IssueTime")),
        cude=_text(root, "UUID"),
        sender=parse_nit(_text(root, "SenderParty", "PartyTaxScheme", "CompanyID")),
        receiver=parse_nit(_text(root, "ReceiverParty", "PartyTaxScheme", "CompanyID")),
    )


_NOTHING = etree.Element("nothing")


def _path(*names: str) -> str:
    return "/".join(f"{{*}}{name}" for name in names)


def _first(element: etree._Element, *names: str) -> etree._Element | None:
    return element.find(_path(*names))


def _text(element: etree._Element | None, *names: str) -> str | None:
    return clean(element.findtext(_path(*names))) if element is not None else None


def _all_text(element: etree._Element, *names: str) -> list[str]:
    return [text for item in element.iterfind(_path(*names)) if (text := clean(item.text))]


def _amount(element: etree._Element | None, *names: str) -> Decimal | None:
    return parse_amount(_text(element, *names))


def _date(text: str | None) -> date | None:
    try:
        # Python also reads 20240229 and 2024-W09-4, which no schema of UBL admits.
        written = _DAY.fullmatch(text) if text else None
        day = date.fromisoformat(written[1]) if written is not None else None
    except ValueError:
        return None
    return day if day is not None and believable(day) else None


def _instant(day: str | None, hour: str | None) -> datetime | None:
    """Join a date and a time; without zone they are Colombian, as annex 1.9 demands."""
    on = _date(day)
    if on is None or not hour:
        return None
    try:
        at = datetime.combine(on, time.fromisoformat(hour))
        return (at if at.tzinfo else at.replace(tzinfo=COLOMBIA)).astimezone(COLOMBIA)
    except (ValueError, OverflowError):
        return None


def _inner_roots(element: etree._Element) -> Iterator[etree._Element]:
    """Yield the XML documents that an ExternalReference or Attachment carries in its own children."""
    holder = element.find("{*}Description")
    description = holder.text if holder is not None else None
    if holder is not None and description and description.lstrip("\ufeff \t\r\n").startswith("<"):
        yield parse_embedded(description, line=line_of(holder))
    binary = element.find("{*}EmbeddedDocumentBinaryObject")
    if binary is not None and binary.text and "xml" in (binary.get("mimeCode") or "").lower():
        yield parse_xml(decode_base64(binary.text))


def _qr_cufes(root: etree._Element) -> list[str]:
    """Return the CUFE that the QR text repeats."""
    return [
        hexa.lower()
        for qr in root.iter("{*}QRCode")
        for hexa in _HEX96.findall("".join(str(part) for part in qr.itertext()))
    ]


def _party(root: etree._Element, role: str) -> Parte:
    party = _first(root, role, "Party")
    base = party if party is not None else _NOTHING
    company = base.find(_path("PartyTaxScheme", "CompanyID"))
    if company is None or parse_nit(company.text) is None:
        other = base.find(_path("PartyLegalEntity", "CompanyID"))
        company = other if other is not None and parse_nit(other.text) else company
    names = (("PartyTaxScheme", "RegistrationName"), ("PartyLegalEntity", "RegistrationName"), ("PartyName", "Name"))
    name = next((text for path in names if (text := _text(base, *path))), None)
    if company is None:
        return Parte(None, name, None)
    scheme = (company.get("schemeName") or "").strip() or None
    dv = company.get("schemeID") if scheme == _NIT_SCHEME else None
    return Parte(parse_nit(company.text, dv), name, scheme)


def _prefix(root: etree._Element, numbering: Numeracion | None) -> str | None:
    return (numbering.prefix if numbering else None) or _text(
        root, "AccountingSupplierParty", "Party", "PartyLegalEntity", "CorporateRegistrationScheme", "ID"
    )


def _numbering(root: etree._Element) -> Numeracion | None:
    control = next(root.iter("{*}InvoiceControl"), None)
    if control is None:
        return None
    return Numeracion(
        resolution=_text(control, "InvoiceAuthorization"),
        prefix=_text(control, "AuthorizedInvoices", "Prefix"),
        first=_text(control, "AuthorizedInvoices", "From"),
        last=_text(control, "AuthorizedInvoices", "To"),
        valid_from=_date(_text(control, "AuthorizationPeriod", "StartDate")),
        valid_to=_date(_text(control, "AuthorizationPeriod", "EndDate")),
    )


def _prepaid(item: etree._Element) -> Anticipo:
    identifier = _first(item, "ID")
    concept = clean(identifier.get("schemeID")) if identifier is not None else None
    return Anticipo(concept, _amount(item, "PaidAmount"), _date(_text(item, "ReceivedDate")))


def _tax(item: etree._Element) -> Impuesto:
    return Impuesto(_text(item, "TaxSubtotal", "TaxCategory", "TaxScheme", "ID"), _amount(item, "TaxAmount"))


def _lines(root: etree._Element) -> Iterator[Linea]:
    """Yield the lines of any of the three documents; the code is the standard one, else the seller's."""
    for item in root.iterfind("{*}*"):
        name = local_name(item)
        if name not in _LINES:
            continue
        quantity = _first(item, _LINES[name])
        yield Linea(
            id=_text(item, "ID"),
            code=_text(item, "Item", "StandardItemIdentification", "ID")
            or _text(item, "Item", "SellersItemIdentification", "ID"),
            description=_text(item, "Item", "Description"),
            quantity=parse_amount(clean(quantity.text)) if quantity is not None else None,
            unit=quantity.get("unitCode") if quantity is not None else None,
            unit_price=_amount(item, "Price", "PriceAmount"),
            amount=_amount(item, "LineExtensionAmount"),
        )


def _salud(root: etree._Element) -> Iterator[tuple[CampoSalud, ...]]:
    """Yield one tuple of fields for each Collection of the interoperability block: one by user, or one for all."""
    for block in root.iter("{*}Collection"):
        fields = []
        for item in block.iterfind("{*}AdditionalInformation"):
            name, value = _text(item, "Name"), _first(item, "Value")
            if name:
                text = clean(value.text) if value is not None else None
                code = clean(value.get("schemeID")) if value is not None else None
                fields.append(CampoSalud(name.upper(), text, code))
        if fields:
            yield tuple(fields)


def _references(root: etree._Element) -> Iterator[Referencia]:
    for item in root.iterfind(_path("BillingReference", "InvoiceDocumentReference")):
        cufe = _text(item, "UUID")
        yield Referencia(_text(item, "ID"), cufe.lower() if cufe else None, _date(_text(item, "IssueDate")))
