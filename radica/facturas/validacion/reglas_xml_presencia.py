"""Rules of presence: which elements the MUV demands of an invoice, a credit note and a debit note (FED, CND, DND).

Invariant: of a missing branch only its root is told (without issuer nobody needs to hear that its NIT is missing too),
and what only health documents carry is not asked of others, nor of an SS-Recaudo. Norm: technical document 2 v001 of
Res. 948 de 2026, section 11.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from radica.facturas.fev import Clase
from radica.facturas.ubl import local_name
from radica.facturas.validacion.modelo import Hallado
from radica.facturas.validacion.reglas_xml_codigos import codigo, codigo_campo
from radica.facturas.validacion.reglas_xml_vista import Vista, hallar, texto

_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_HEADER = (("001", "CustomizationID"), ("003", "ID"), ("004", "UUID"), ("005", "IssueDate"))
_LINES = {Clase.FACTURA: "InvoiceLine", Clase.NOTA_CREDITO: "CreditNoteLine", Clase.NOTA_DEBITO: "DebitNoteLine"}
_CARGO = {"MultiplierFactorNumeric": "108", "Amount": "109", "BaseAmount": "110"}
_DESCUENTO = {"MultiplierFactorNumeric": "111", "Amount": "112", "BaseAmount": "113"}


def cabecera(vista: Vista) -> Iterator[Hallado]:
    """001 CustomizationID, 003 ID, 004 UUID, 005 IssueDate, 008 InvoiceTypeCode, 017 PayableAmount."""
    kind = vista.fev.kind
    header = (*_HEADER, ("008", "InvoiceTypeCode")) if kind is Clase.FACTURA else _HEADER
    for number, name in header:
        if texto(vista.primero(name)) is None:
            yield hallar(codigo_campo(kind, number), _first(vista.primero(name), vista.raiz))
    totals = vista.primero("RequestedMonetaryTotal" if kind is Clase.NOTA_DEBITO else "LegalMonetaryTotal")
    payable = totals.find("{*}PayableAmount") if totals is not None else None
    if texto(payable) is None:
        yield hallar(codigo_campo(kind, "017"), _first(payable, totals, vista.raiz))


def partes(vista: Vista) -> Iterator[Hallado]:
    """018 to 023 and 030 of the issuer; 031 (credit notes only), 034 and 036 of the acquirer."""
    kind = vista.fev.kind
    supplier, customer = vista.primero("AccountingSupplierParty"), vista.primero("AccountingCustomerParty")
    if supplier is None:
        yield hallar(codigo_campo(kind, "018"), vista.raiz)
    else:
        yield from _emisor(kind, supplier)
    if kind is Clase.NOTA_CREDITO and (customer is None or texto(customer.find("{*}AdditionalAccountID")) is None):
        yield hallar(codigo_campo(kind, "031"), _first(customer, vista.raiz))
    scheme = customer.find("{*}Party/{*}PartyTaxScheme") if customer is not None else None
    for number, name in (("034", "CompanyID"), ("036", "RegistrationName")):
        found = scheme.find(f"{{*}}{name}") if scheme is not None else None
        if texto(found) is None:
            yield hallar(codigo_campo(kind, number), _first(found, scheme, customer, vista.raiz))


def _emisor(kind: Clase, supplier: etree._Element) -> Iterator[Hallado]:
    if texto(supplier.find("{*}AdditionalAccountID")) is None:
        yield hallar(codigo_campo(kind, "020"), supplier)
    party = supplier.find("{*}Party")
    scheme = party.find("{*}PartyTaxScheme") if party is not None else None
    if party is None or scheme is None:
        yield hallar(codigo_campo(kind, "019" if party is None else "030"), _first(party, supplier))
        return
    company = scheme.find("{*}CompanyID")
    if texto(company) is None:
        yield hallar(codigo_campo(kind, "021"), _first(company, scheme))
    if company is None or not (company.get("schemeID") or "").strip():
        yield hallar(codigo_campo(kind, "022"), _first(company, scheme))
    if texto(scheme.find("{*}RegistrationName")) is None:
        yield hallar(codigo_campo(kind, "023"), scheme)


def periodo(vista: Vista) -> Iterator[Hallado]:
    """100 and 101: first and last day of the period that is billed."""
    if not vista.es_salud or vista.es_recaudo:
        return
    period = vista.primero("InvoicePeriod")
    for number, name in (("100", "StartDate"), ("101", "EndDate")):
        found = period.find(f"{{*}}{name}") if period is not None else None
        if texto(found) is None:
            yield hallar(codigo_campo(vista.fev.kind, number), _first(found, period, vista.raiz))


def pagos(vista: Vista) -> Iterator[Hallado]:
    """104 (concept) and 105 (amount) of each PrepaidPayment; FED061: one for each concept, never two."""
    if not vista.es_salud:
        return
    kind, seen = vista.fev.kind, set[str]()
    for payment in vista.hijos.get("PrepaidPayment", ()):
        identifier = payment.find("{*}ID")
        concept = (identifier.get("schemeID") or "").strip() if identifier is not None else ""
        if not concept:
            yield hallar(codigo_campo(kind, "104"), _first(identifier, payment))
        if texto(payment.find("{*}PaidAmount")) is None:
            yield hallar(codigo_campo(kind, "105"), payment)
        repeated = codigo(kind, "anticipo_repetido")
        if concept in seen and repeated:
            yield hallar(repeated, payment, concepto=concept)
        seen.add(concept) if concept else None


def cargos(vista: Vista) -> Iterator[Hallado]:
    """108 to 110 of each charge and 111 to 113 of each discount of the whole document."""
    if not vista.es_salud:
        return
    for one in vista.hijos.get("AllowanceCharge", ()):
        charge = (texto(one.find("{*}ChargeIndicator")) or "").lower() in ("true", "1")
        for name, number in (_CARGO if charge else _DESCUENTO).items():
            if texto(one.find(f"{{*}}{name}")) is None:
                yield hallar(codigo_campo(vista.fev.kind, number), one)


def tributos(vista: Vista) -> Iterator[Hallado]:
    """114, 116, 117 and 122: a tax of a line that is begun and not written out. Once for each code, at its first line.

    RoundingAmount (115) is optional in DIAN's annex and most real invoices leave it out: it is not decided here.
    """
    if not vista.es_salud:
        return
    told: set[str] = set()
    for line in vista.hijos.get(_LINES[vista.fev.kind], ()):
        for tax in line.iterfind("{*}TaxTotal"):
            for number, holder in _falta_en(tax):
                if number not in told:
                    told.add(number)
                    yield hallar(codigo_campo(vista.fev.kind, number), holder)


def _falta_en(tax: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    if texto(tax.find("{*}TaxAmount")) is None:
        yield "114", tax
    for part in tax.iterfind("{*}TaxSubtotal"):
        for number, path in (
            ("116", "{*}TaxableAmount"),
            ("117", "{*}TaxAmount"),
            ("122", "{*}TaxCategory/{*}TaxScheme/{*}ID"),
        ):
            if texto(part.find(path)) is None:
                yield number, part


def forma(vista: Vista) -> Iterator[Hallado]:
    """FEV002 and twins: a total that is no number, or a date of issue that is no date, which no reader of UBL takes."""
    code = codigo(vista.fev.kind, "documento_malo")
    for amount in montos(vista):
        value = texto(amount)
        if value is not None and not _DECIMAL.fullmatch(value):
            yield hallar(code, amount, variante="numero", nombre=local_name(amount))
    issued = vista.primero("IssueDate")
    value = texto(issued)
    if value is not None and vista.fev.issue_date is None:
        yield hallar(code, issued, variante="fecha", nombre="IssueDate")


def totales(vista: Vista) -> etree._Element | None:
    """Return the group of totals: RequestedMonetaryTotal in debit notes, else LegalMonetaryTotal."""
    return _first(vista.primero("LegalMonetaryTotal"), vista.primero("RequestedMonetaryTotal"))


def montos(vista: Vista) -> list[etree._Element]:
    """Return the amounts of the group of totals."""
    group = totales(vista)
    return [one for one in group if local_name(one).endswith("Amount")] if group is not None else []


def _first(*elements: etree._Element | None) -> etree._Element | None:
    return next((one for one in elements if one is not None), None)
