"""The arithmetic of a sale document, as DIAN's annex 1.9 asks for it and real documents keep it.

Invariant: totals agree within one peso, as issuers round their lines; TaxExclusiveAmount is the taxed base, and in
exempt services some issuers write zero and others the whole value, both accepted. Every code here is of the house
(`ARIT-*`, a warning): the Ministry does not add up. Norms: DIAN annex 1.9; method of calculation of the health sector
(technical document 2, section 9.a). Measured on 27 real documents.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from lxml import etree

from radica.facturas.checks import TOLERANCE
from radica.facturas.fev import Clase, Linea
from radica.facturas.numbers import parse_amount
from radica.facturas.ubl import local_name
from radica.facturas.validacion.modelo import Hallado
from radica.facturas.validacion.reglas_xml_presencia import montos, totales
from radica.facturas.validacion.reglas_xml_vista import NO_ACREDITAN, Vista, hallar, texto
from radica.kernel.money import format_cop, to_cents

DESMEDIDO = Decimal(10) ** 12
"""Pesos; no invoice of one provider reaches a billion of its millions."""
_ZERO = Decimal(0)
_HALF_CENT = Decimal("0.005")
_LINES = {Clase.FACTURA: "InvoiceLine", Clase.NOTA_CREDITO: "CreditNoteLine", Clase.NOTA_DEBITO: "DebitNoteLine"}
_QUANTITIES = {
    Clase.FACTURA: "InvoicedQuantity",
    Clase.NOTA_CREDITO: "CreditedQuantity",
    Clase.NOTA_DEBITO: "DebitedQuantity",
}
_OF_TAX = ("TaxAmount", "TaxSubtotal/TaxableAmount", "TaxSubtotal/TaxAmount")
_MONEY = {
    "PrepaidPayment": ("PaidAmount",),
    "TaxTotal": _OF_TAX,
    "WithholdingTaxTotal": _OF_TAX,
    "AllowanceCharge": ("Amount", "BaseAmount"),
}
"""Children of the document that hold money, and where."""
_MAX_LINES = 20


def sumas(vista: Vista) -> Iterator[Hallado]:
    """ARIT-LINEAS, ARIT-CON-IMPUESTOS, ARIT-POR-PAGAR, ARIT-ANTICIPOS, ARIT-BASE, ARIT-CUENTA."""
    fev, group = vista.fev, totales(vista)
    taxes = sum((tax.amount or _ZERO for tax in fev.taxes), _ZERO)
    gross, inclusive, payable = fev.line_extension, fev.tax_inclusive, fev.payable
    if fev.lines_total is not None and gross is not None:
        yield from _differs(vista, group, "ARIT-LINEAS", "LineExtensionAmount", gross, fev.lines_total)
    if gross is not None and inclusive is not None:
        yield from _differs(vista, group, "ARIT-CON-IMPUESTOS", "TaxInclusiveAmount", inclusive, gross + taxes)
    if inclusive is not None and payable is not None:
        rounding = _amount(group, "PayableRoundingAmount")
        whole = inclusive - (fev.allowance_total or _ZERO) + (fev.charge_total or _ZERO) + rounding
        net = whole - (fev.prepaid or _ZERO)
        informative = vista.operacion in NO_ACREDITAN and abs(payable - whole) <= TOLERANCE
        if not informative:
            yield from _differs(vista, group, "ARIT-POR-PAGAR", "PayableAmount", payable, net)
    if fev.prepaid_payments or fev.prepaid:
        paid = sum((one.amount or _ZERO for one in fev.prepaid_payments), _ZERO)
        yield from _differs(vista, group, "ARIT-ANTICIPOS", "PrepaidAmount", fev.prepaid or _ZERO, paid)
    if fev.prepaid is not None and inclusive is not None and fev.prepaid > inclusive + TOLERANCE:
        values = {"valor": pesos(fev.prepaid), "total": pesos(inclusive)}
        yield hallar(
            "ARIT-ANTICIPO-MAYOR", _child(group, "PrepaidAmount"), _path(vista, group, "PrepaidAmount"), **values
        )
    yield from _base(vista, group)
    if fev.line_count is not None and fev.line_count != len(fev.lines):
        here, path = vista.primero("LineCountNumeric"), f"{vista.raiz_local}/LineCountNumeric"
        yield hallar("ARIT-CUENTA", here, path, dice=str(fev.line_count), hay=str(len(fev.lines)))


def _base(vista: Vista, group: etree._Element | None) -> Iterator[Hallado]:
    """ARIT-BASE: TaxExclusiveAmount is zero, the whole value, or the sum of what is taxed."""
    fev = vista.fev
    if fev.tax_exclusive is None or fev.line_extension is None:
        return
    taxed = _ZERO
    by_scheme: dict[str, Decimal] = {}
    for tax in vista.hijos.get("TaxTotal", ()):
        for part in tax.iterfind("{*}TaxSubtotal"):
            scheme = texto(part.find("{*}TaxCategory/{*}TaxScheme/{*}ID")) or ""
            base = parse_amount(texto(part.find("{*}TaxableAmount"))) or _ZERO
            by_scheme[scheme] = by_scheme.get(scheme, _ZERO) + base
            taxed += base
    right = (_ZERO, fev.line_extension, taxed, *by_scheme.values())
    if all(abs(fev.tax_exclusive - one) > TOLERANCE for one in right):
        values = {"dice": pesos(fev.tax_exclusive), "bruto": pesos(fev.line_extension)}
        element, path = _child(group, "TaxExclusiveAmount"), _path(vista, group, "TaxExclusiveAmount")
        yield hallar("ARIT-BASE", element, path, **values)


def impuestos(vista: Vista) -> Iterator[Hallado]:
    """ARIT-IMPUESTO: the total of each tax is the sum of its parts."""
    for tax in vista.hijos.get("TaxTotal", ()):
        parts = [parse_amount(texto(part.find("{*}TaxAmount"))) for part in tax.iterfind("{*}TaxSubtotal")]
        told = parse_amount(texto(tax.find("{*}TaxAmount")))
        known = [one for one in parts if one is not None]
        if told is not None and known and len(known) == len(parts):
            total = sum(known, _ZERO)
            if abs(told - total) > TOLERANCE:
                path = f"{vista.raiz_local}/TaxTotal/TaxAmount"
                yield hallar("ARIT-IMPUESTO", tax, path, dice=pesos(told), suma=pesos(total))


def lineas(vista: Vista) -> Iterator[Hallado]:
    """ARIT-LINEA: quantity by price, less discounts and plus charges, is the value of the line (first twenty)."""
    name, told = _LINES[vista.fev.kind], 0
    for place, (line, element) in enumerate(zip(vista.fev.lines, vista.hijos.get(name, ()), strict=False)):
        if _agrees(line) or _agrees_in_detail(line, element) or _de_regalo(line, element):
            continue
        told += 1
        if told > _MAX_LINES:
            return
        path = f"{vista.raiz_local}/{name}[{place}]/LineExtensionAmount"
        values = {"linea_no": line.id or str(place + 1), "dice": pesos(line.amount or _ZERO)}
        product = pesos((line.quantity or _ZERO) * (line.unit_price or _ZERO))
        yield hallar("ARIT-LINEA", element, path, producto=product, **values)


def _agrees(line: Linea) -> bool:
    if line.quantity is None or line.unit_price is None or line.amount is None:
        return True  # presence and form are told by the schema
    return _near(line.quantity * line.unit_price, line)


def _agrees_in_detail(line: Linea, element: etree._Element) -> bool:
    """Try with the discounts of the line, the price of several units (BaseQuantity), and a price that holds the taxes.

    Three makers of four write the price with its taxes, and DIAN validates them.
    """
    change = _ZERO
    for one in element.iterfind("{*}AllowanceCharge"):
        amount = parse_amount(texto(one.find("{*}Amount"))) or _ZERO
        charge = (texto(one.find("{*}ChargeIndicator")) or "").lower() in ("true", "1")
        change += amount if charge else -amount
    product = (line.quantity or _ZERO) * (line.unit_price or _ZERO)
    base = parse_amount(texto(element.find("{*}Price/{*}BaseQuantity")))
    taxes = [parse_amount(texto(one)) or _ZERO for one in element.iterfind("{*}TaxTotal/{*}TaxAmount")]
    products = [product, product - sum(taxes, _ZERO), *([product / base] if base else [])]
    return any(_near(one + change, line) for one in products)


def _de_regalo(line: Linea, element: etree._Element) -> bool:
    """Say whether the line is given away: it has a price and adds nothing (DIAN annex 1.9, FreeOfChargeIndicator)."""
    return not line.amount and (texto(element.find("{*}FreeOfChargeIndicator")) or "").lower() in ("true", "1")


def _near(value: Decimal, line: Linea) -> bool:
    slack = TOLERANCE + abs(line.quantity or _ZERO) * _HALF_CENT
    return abs(value - (line.amount or _ZERO)) <= slack


def valores(vista: Vista) -> Iterator[Hallado]:
    """ARIT-NEGATIVO, ARIT-DESMEDIDO, ARIT-ILEGIBLE: money that no invoice carries, in totals, taxes, changes and lines."""
    group = totales(vista)
    for amount in montos(vista):
        yield from _money(amount, _path(vista, group, local_name(amount)))
    for holder, paths in _MONEY.items():
        for parent in vista.hijos.get(holder, ()):
            for path in paths:
                yield from _money_at(parent, path, f"{vista.raiz_local}/{holder}/{path}")
    yield from islice(_money_of_lines(vista), _MAX_LINES)


def _money_of_lines(vista: Vista) -> Iterator[Hallado]:
    name, quantity = _LINES[vista.fev.kind], _QUANTITIES[vista.fev.kind]
    for place, (line, element) in enumerate(zip(vista.fev.lines, vista.hijos.get(name, ()), strict=False)):
        here = f"{vista.raiz_local}/{name}[{place}]"
        read = (("LineExtensionAmount", line.amount), ("Price/PriceAmount", line.unit_price), (quantity, line.quantity))
        for path, amount in read:
            if not _believable(amount):
                yield from _money_at(element, path, f"{here}/{path.removeprefix('Price/')}")
        for tax in element.iterfind("{*}TaxTotal"):
            for path in _OF_TAX:
                yield from _money_at(tax, path, f"{here}/TaxTotal/{path}")


def _money_at(parent: etree._Element, path: str, told: str) -> Iterator[Hallado]:
    for found in parent.iterfind("/".join(f"{{*}}{name}" for name in path.split("/"))):
        yield from _money(found, told)


def _believable(amount: Decimal | None) -> bool:
    return amount is not None and _ZERO <= amount <= DESMEDIDO


def _money(element: etree._Element, path: str) -> Iterator[Hallado]:
    said = texto(element)
    if said is None or local_name(element) == "PayableRoundingAmount":
        return
    amount = parse_amount(said)
    name = local_name(element)
    counted = name.endswith("Quantity")
    if amount is None:
        digits = said.strip().lstrip("+-").partition(".")[0]
        whole = digits.isascii() and digits.isdigit()
        if whole or not counted:  # a quantity that is no number is told by the schema
            yield hallar("ARIT-DESMEDIDO" if whole else "ARIT-ILEGIBLE", element, path, nombre=name)
    elif amount < 0:
        yield hallar("ARIT-NEGATIVO", element, path, nombre=name, valor=f"{amount:f}" if counted else pesos(amount))
    elif amount > DESMEDIDO:
        yield hallar("ARIT-DESMEDIDO", element, path, nombre=name)


def moneda(vista: Vista) -> Iterator[Hallado]:
    """ARIT-MONEDA: health is billed in Colombian pesos, and every total in the currency of the document."""
    said = vista.fev.currency
    if said is not None and said != "COP":
        here = vista.primero("DocumentCurrencyCode")
        yield hallar("ARIT-MONEDA", here, f"{vista.raiz_local}/DocumentCurrencyCode", valor=said)
    group = totales(vista)
    for amount in montos(vista):
        currency = amount.get("currencyID")
        if currency is not None and said is not None and currency != said:
            path = _path(vista, group, local_name(amount))
            yield hallar("ARIT-MONEDA", amount, path, variante="total", valor=currency, documento=said)
            return


def pesos(amount: Decimal) -> str:
    """Write pesos as Colombians read them; what no column holds is not written out."""
    return format_cop(to_cents(amount)) if abs(amount) < DESMEDIDO else "un valor imposible"


def _differs(
    vista: Vista, group: etree._Element | None, code: str, name: str, said: Decimal, right: Decimal
) -> Iterator[Hallado]:
    if abs(said - right) > TOLERANCE:
        values = {"dice": pesos(said), "da": pesos(right), "diferencia": pesos(abs(said - right))}
        yield hallar(code, _child(group, name), _path(vista, group, name), **values)


def _child(group: etree._Element | None, name: str) -> etree._Element | None:
    found = group.find(f"{{*}}{name}") if group is not None else None
    return found if found is not None else group


def _amount(group: etree._Element | None, name: str) -> Decimal:
    return parse_amount(texto(group.find(f"{{*}}{name}"))) or _ZERO if group is not None else _ZERO


def _path(vista: Vista, group: etree._Element | None, name: str) -> str:
    return f"{vista.raiz_local}/{local_name(group) if group is not None else 'LegalMonetaryTotal'}/{name}"
