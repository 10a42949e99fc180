"""Numbering resolution, dates and check digits of a sale document.

Invariant: a number is compared with its range by its consecutive, without prefix nor zeros on the left, and nothing is
said where the document does not tell the range. Every code is of the house, a warning: DIAN decides these before it
validates. Norms: DIAN annex 1.9 (InvoiceControl); Res. DIAN 000165 de 2023; E.T. arts. 555-1, 615 and 617.
"""

from __future__ import annotations

from collections.abc import Iterator

from radica.facturas.fev import Clase, Parte
from radica.facturas.numbers import check_digit, parse_invoice_number
from radica.facturas.validacion.modelo import Contexto, Hallado
from radica.facturas.validacion.reglas_xml_vista import ACREDITAN, Vista, hallar

_FORM = "%d/%m/%Y"
_CONTROL = "Invoice/UBLExtensions/DianExtensions/InvoiceControl"


def resolucion(vista: Vista) -> Iterator[Hallado]:
    """NUM-PREFIJO, NUM-RANGO and NUM-VIGENCIA: the number is one that DIAN authorised, on a day of its resolution."""
    fev, numbering = vista.fev, vista.fev.numbering
    if fev.kind is not Clase.FACTURA or numbering is None:
        return
    here, number = vista.primero("ID"), (fev.number or "").upper()
    prefix = (numbering.prefix or "").strip().upper()
    if number and prefix and not number.startswith(prefix):
        yield hallar("NUM-PREFIJO", here, f"{_CONTROL}/AuthorizedInvoices/Prefix", prefijo=prefix)
    else:
        own = parse_invoice_number(number, prefix=prefix) if number else None
        limits = [one.strip() for one in (numbering.first or "", numbering.last or "")]
        digits = own.digits if own is not None else ""
        if digits.isdigit() and all(one.isascii() and one.isdigit() and len(one) < 20 for one in limits):
            first, last = int(limits[0]), int(limits[1])
            if not first <= int(digits) <= last:
                values = {"desde": limits[0], "hasta": limits[1]}
                yield hallar("NUM-RANGO", here, f"{_CONTROL}/AuthorizedInvoices", **values)
    start, end, issued = numbering.valid_from, numbering.valid_to, fev.issue_date
    if issued is not None and ((start is not None and issued < start) or (end is not None and issued > end)):
        values = {
            "expedida": f"{issued:{_FORM}}",
            "desde": f"{start:{_FORM}}" if start else "(sin fecha)",
            "hasta": f"{end:{_FORM}}" if end else "(sin fecha)",
        }
        yield hallar("NUM-VIGENCIA", vista.primero("IssueDate"), f"{_CONTROL}/AuthorizationPeriod", **values)


def fechas(vista: Vista, contexto: Contexto) -> Iterator[Hallado]:
    """FECHA-FUTURA (issued after today) and FECHA-VENCE (due before it was issued)."""
    issued, due = vista.fev.issue_date, vista.fev.due_date
    if issued is None:
        return
    if issued > contexto.ahora.date():
        path = f"{vista.raiz_local}/IssueDate"
        yield hallar("FECHA-FUTURA", vista.primero("IssueDate"), path, expedida=f"{issued:{_FORM}}")
    if due is not None and due < issued:
        here = vista.primero("DueDate")
        if here is None:
            here = vista.primero("PaymentMeans")
        path = f"{vista.raiz_local}/DueDate"
        yield hallar("FECHA-VENCE", here, path, vence=f"{due:{_FORM}}", expedida=f"{issued:{_FORM}}")


def digitos(vista: Vista) -> Iterator[Hallado]:
    """NIT-DV-EMISOR and NIT-DV-PAGADOR: the check digit is that of the number."""
    for code, role, party in (
        ("NIT-DV-EMISOR", "AccountingSupplierParty", vista.fev.supplier),
        ("NIT-DV-PAGADOR", "AccountingCustomerParty", vista.fev.customer),
    ):
        yield from _digit(vista, code, role, party)


def _digit(vista: Vista, code: str, role: str, party: Parte) -> Iterator[Hallado]:
    nit = party.nit
    if nit is None or nit.dv_is_right is not False:
        return
    element = vista.primero(role)
    company = element.find("{*}Party/{*}PartyTaxScheme/{*}CompanyID") if element is not None else None
    path = f"{vista.raiz_local}/{role}/Party/PartyTaxScheme/CompanyID"
    values = {"nit": nit.number, "dv": nit.dv or "", "correcto": check_digit(nit.number)}
    yield hallar(code, company if company is not None else element, path, **values)


def recaudos(vista: Vista) -> Iterator[Hallado]:
    """OPERACION-ANTICIPO: SS-SinAporte says that nobody paid, and payments come along; and the other way around.

    ANTICIPO-CONCEPTO: the kind of collection is not of table conceptoRecaudo.
    """
    fev = vista.fev
    paid = fev.prepaid or sum((one.amount or 0 for one in fev.prepaid_payments), 0)
    if vista.operacion == "SS-SINAPORTE" and paid:
        yield hallar("OPERACION-ANTICIPO", vista.primero("CustomizationID"), "Invoice/CustomizationID")
    if vista.operacion in ACREDITAN and fev.prepaid and not fev.prepaid_payments:
        path = "Invoice/PrepaidPayment"
        yield hallar("OPERACION-ANTICIPO", vista.primero("CustomizationID"), path, variante="sin_detalle")
    for payment, element in zip(fev.prepaid_payments, vista.hijos.get("PrepaidPayment", ()), strict=False):
        if vista.es_salud and payment.concept is not None and payment.concept not in ("01", "02", "03", "04", "05"):
            yield hallar("ANTICIPO-CONCEPTO", element, "Invoice/PrepaidPayment/ID", valor=payment.concept)
