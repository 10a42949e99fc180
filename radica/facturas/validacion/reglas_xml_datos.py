"""Rules of values of the document: kind, operation, number, issuer, period, reference of notes, start of a capitation.

Invariant: a value is refused only where the Ministry's list is closed (tables, literal 31) or where reading it fails. A
value that is missing is told beside its code of presence where the text of the rule says «o está vacío», since both are
printed. What only the Ministry's registers know is told as undecidable, once. Norms: technical document 2 v001 (Res. 948 de 2026), section
11.3; manual of the API FEV-RIPS 4.3 (CIN001).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from radica.facturas.fev import Clase
from radica.facturas.numbers import Match, parse_invoice_number, same_invoice
from radica.facturas.validacion.modelo import Hallado, Modulo, Paquete
from radica.facturas.validacion.reglas_xml_codigos import SIN_REGISTRO, codigo
from radica.facturas.validacion.reglas_xml_vista import OPERACIONES, Vista, hallar, texto
from radica.facturas.validacion.tablas import tabla

_DE_FACTURA = frozenset({"01", "02", "03", "04"})
_NUMBER = re.compile("[0-9A-Za-z-]+")
_PERIODO_2024 = date(2024, 10, 1)
_PERIODO_2023 = date(2023, 1, 1)
_NOTE = {Clase.NOTA_CREDITO: "20", Clase.NOTA_DEBITO: "30"}
_REASONS = {Clase.NOTA_CREDITO: "DiscrepancyResponseNC", Clase.NOTA_DEBITO: "DiscrepancyResponseND"}
_CUCON = re.compile(r"CUCON:\s*(\S*)")
_HEX64 = re.compile("[0-9a-fA-F]{64}")
_FORM = "%d/%m/%Y"
_INICIAL = "capitainicial"


def tipo(vista: Vista) -> Iterator[Hallado]:
    """VFE001, VFE002, VCN001, VCN002: the code of the kind of document is of the table, and of this kind."""
    kind = vista.fev.kind
    if kind is Clase.NOTA_DEBITO:
        return
    name, right = (
        ("InvoiceTypeCode", _DE_FACTURA) if kind is Clase.FACTURA else ("CreditNoteTypeCode", frozenset({"91"}))
    )
    element = vista.primero(name)
    value = texto(element)
    if value is None or value not in tabla("InvoiceTypeCode"):
        here = element if element is not None else vista.raiz
        yield hallar(codigo(kind, "tipo_invalido"), here, valor=value or "vacío")
    elif value not in right:
        yield hallar(codigo(kind, "tipo_de_otro"), element, valor=value)


def operacion(vista: Vista) -> Iterator[Hallado]:
    """VFE003: an invoice's operation is one of the seven of health. NOTA-OPERACION: the MUV takes notes 20 and 30."""
    said, element = vista.operacion, vista.primero("CustomizationID")
    if vista.fev.kind is Clase.FACTURA:
        if said not in OPERACIONES:
            way = "" if said else "vacio"
            here = element if element is not None else vista.raiz
            yield hallar(codigo(Clase.FACTURA, "operacion"), here, variante=way, valor=vista.fev.operation or "")
    elif said and said != _NOTE[vista.fev.kind]:
        right = _NOTE[vista.fev.kind]
        yield hallar("NOTA-OPERACION", element, f"{vista.raiz_local}/CustomizationID", valor=said, esperado=right)


def numero(vista: Vista) -> Iterator[Hallado]:
    """VFE005, VCN004, VDN002: the number has letters, digits and nothing else (a hyphen is let pass)."""
    value, element = vista.fev.number, vista.primero("ID")
    if value is None or not _NUMBER.fullmatch(value):
        here = element if element is not None else vista.raiz
        yield hallar(codigo(vista.fev.kind, "numero"), here, variante="vacio" if value is None else "")


def emisor(vista: Vista) -> Iterator[Hallado]:
    """VFE011 (the issuer's identification is of kind 31) and VFE012 (its check digit is a digit), with twins."""
    supplier = vista.primero("AccountingSupplierParty")
    company = supplier.find("{*}Party/{*}PartyTaxScheme/{*}CompanyID") if supplier is not None else None
    if company is None:
        return
    scheme, digit = (company.get("schemeName") or "").strip(), (company.get("schemeID") or "").strip()
    if scheme != "31":
        yield hallar(codigo(vista.fev.kind, "emisor_nit"), company, valor=scheme or "vacío")
    if not re.fullmatch("[0-9]", digit):
        yield hallar(codigo(vista.fev.kind, "emisor_dv"), company, variante="" if digit else "vacio")


def periodo(vista: Vista) -> Iterator[Hallado]:
    """VFE020, VFE021 and twins (no date, or none written); RVG018 and RCG018 (before the Ministry's first days)."""
    if not vista.es_salud:
        return
    fev, period = vista.fev, vista.primero("InvoicePeriod")
    for check, name, day in (
        ("periodo_inicio", "StartDate", fev.period_start),
        ("periodo_fin", "EndDate", fev.period_end),
    ):
        found = period.find(f"{{*}}{name}") if period is not None else None
        empty = texto(found) is None
        if day is None and not (empty and vista.es_recaudo):
            here = next((one for one in (found, period, vista.raiz) if one is not None), None)
            yield hallar(codigo(fev.kind, check), here, variante="vacio" if empty else "")
    if fev.period_start is None or fev.period_end is None or vista.es_recaudo:
        return
    if fev.period_start > fev.period_end:
        values = {"inicio": f"{fev.period_start:{_FORM}}", "fin": f"{fev.period_end:{_FORM}}"}
        yield hallar("PERIODO-INVERTIDO", period, f"{vista.raiz_local}/InvoicePeriod", **values)
    last = max(fev.period_start, fev.period_end)
    # RVG018 speaks of invoices; RCG018 stands among the rules of credit notes, whose invoice may be older.
    for code, first, asked in (("RVG018", _PERIODO_2024, fev.kind is Clase.FACTURA), ("RCG018", _PERIODO_2023, True)):
        if asked and last < first:
            yield hallar(code, period, fin=f"{last:{_FORM}}", desde=f"{first:{_FORM}}")


def capita_inicial(vista: Vista, paquete: Paquete) -> Iterator[Hallado]:
    """CIN001: at the start of a capitation the invoice is issued inside the period that it bills.

    A receipt given to a patient (SS-Recaudo to a person) never goes to the MUV, and an answer that names another module
    settles that this is no start. An invoice of capitation that came without RIPS may be that of a later period, whose
    RIPS was just not given: that is a warning.
    """
    fev, said = vista.fev, _modulos(paquete)
    if vista.modulo is not Modulo.CAPITA_INICIAL or (said and _INICIAL not in said):
        return
    if vista.es_recaudo and not fev.customer.is_nit:
        return
    start, end, issued = fev.period_start, fev.period_end, fev.issue_date
    if start is None or end is None or issued is None or start <= issued <= end:
        return
    sure = vista.es_recaudo or vista.pedido is Modulo.CAPITA_INICIAL or _INICIAL in said
    yield hallar(
        "CIN001",
        vista.primero("IssueDate"),
        variante="" if sure else "sin_rips",
        inicio=f"{start:{_FORM}}",
        fin=f"{end:{_FORM}}",
        expedida=f"{issued:{_FORM}}",
    )


def _modulos(paquete: Paquete) -> frozenset[str]:
    """Return which calls the answer that came along names, in small letters; older answers name it in each line."""
    cuv = paquete.cuv
    named = () if cuv is None else (cuv.module, *(line.fuente for line in cuv.results if line.codigo == "CIN001"))
    return frozenset(word.lower() for word in named if word)


def numero_en_rips(vista: Vista, paquete: Paquete) -> Iterator[Hallado]:
    """PFP001: the number of the invoice is the one of the RIPS. A number without its prefix is left to RVC004."""
    said = (paquete.rips or {}).get("numFactura")
    if vista.fev.kind is not Clase.FACTURA or vista.es_recaudo or not isinstance(said, str) or not said.strip():
        return
    own = parse_invoice_number(vista.fev.number, prefix=vista.fev.prefix)
    if own is not None and same_invoice(own, parse_invoice_number(said)) is Match.DIFFERENT:
        yield hallar("PFP001", vista.primero("ID"), fev=vista.fev.number or "", rips=said.strip())


def referencia(vista: Vista) -> Iterator[Hallado]:
    """PNC012, PDN012: a note says which invoice it changes; NOTA-SIN-CUFE: and by its CUFE."""
    fev = vista.fev
    if fev.kind is Clase.FACTURA:
        return
    if not fev.references:
        yield hallar(codigo(fev.kind, "sin_referencia"), vista.raiz)
    elif not any(one.cufe for one in fev.references):
        here = vista.primero("BillingReference")
        path = f"{vista.raiz_local}/BillingReference/InvoiceDocumentReference/UUID"
        yield hallar("NOTA-SIN-CUFE", here, path)


def motivo(vista: Vista) -> Iterator[Hallado]:
    """NOTA-CONCEPTO: the reason of a note is one of DIAN's table (1 to 6 for credit, 1 to 4 for debit)."""
    table = _REASONS.get(vista.fev.kind)
    for one in vista.hijos.get("DiscrepancyResponse", ()) if table else ():
        said = texto(one.find("{*}ResponseCode"))
        if said is not None and table is not None and said not in tabla(table):
            yield hallar("NOTA-CONCEPTO", one, f"{vista.raiz_local}/DiscrepancyResponse/ResponseCode", valor=said)


def cucon(vista: Vista) -> Iterator[Hallado]:
    """CUCON-FORMA: the unique code of a contract, in a note of the invoice, has 64 hex digits."""
    for note in vista.hijos.get("Note", ()):
        said = _CUCON.match(texto(note) or "")
        if said is not None and not _HEX64.fullmatch(said[1]):
            yield hallar("CUCON-FORMA", note, f"{vista.raiz_local}/Note")


def sin_registro(vista: Vista) -> Iterator[Hallado]:
    """VFE022, GI012, GI013, GI015, GI016: what only the Ministry's registers decide, told once where it applies."""
    asked = vista.es_salud and not vista.es_recaudo
    for code in SIN_REGISTRO[vista.fev.kind] if asked else ():
        yield Hallado(code)
