"""Accounts that add up, made at random as issuers make them, hear nothing; one peso too many anywhere is heard."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.xml_variantes import cambiar, codigos_de, factura, juzgar_texto

CENT = Decimal("0.01")
ZERO = Decimal(0)
PESO = ' currencyID="COP"'


def dos(value: Decimal) -> Decimal:
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Renglon:
    """A line as it is billed: `regalo` is given away, `con_impuesto` writes the price with its tax."""

    cantidad: Decimal
    precio: Decimal
    descuento: Decimal = ZERO
    cargo: Decimal = ZERO
    tarifa: int = 0
    regalo: bool = False
    con_impuesto: bool = False

    @property
    def valor(self) -> Decimal:
        return ZERO if self.regalo else dos(self.cantidad * self.precio) - self.descuento + self.cargo

    @property
    def impuesto(self) -> Decimal:
        return dos(self.valor * self.tarifa / 100)

    def xml(self, number: int) -> str:
        price = self.precio
        if self.con_impuesto and not self.regalo:
            price = (self.valor + self.descuento - self.cargo + self.impuesto) / self.cantidad
        changes = "".join(
            f"<cac:AllowanceCharge><cbc:ID>1</cbc:ID><cbc:ChargeIndicator>{kind}</cbc:ChargeIndicator>"
            f"<cbc:Amount{PESO}>{amount}</cbc:Amount></cac:AllowanceCharge>"
            for kind, amount in (("false", self.descuento), ("true", self.cargo))
            if amount
        )
        tax = impuesto(self.impuesto, self.valor, self.tarifa) if self.tarifa else ""
        return (
            f"<cac:InvoiceLine><cbc:ID>{number}</cbc:ID><cbc:InvoicedQuantity unitCode='94'>{self.cantidad}"
            f"</cbc:InvoicedQuantity><cbc:LineExtensionAmount{PESO}>{self.valor}</cbc:LineExtensionAmount>"
            f"<cbc:FreeOfChargeIndicator>{str(self.regalo).lower()}</cbc:FreeOfChargeIndicator>{changes}{tax}"
            f"<cac:Item><cbc:Description>x</cbc:Description></cac:Item><cac:Price><cbc:PriceAmount{PESO}>{price:.6f}"
            f"</cbc:PriceAmount><cbc:BaseQuantity unitCode='94'>1.00</cbc:BaseQuantity></cac:Price></cac:InvoiceLine>"
        )


def impuesto(amount: Decimal, base: Decimal, rate: int) -> str:
    return (
        f"<cac:TaxTotal><cbc:TaxAmount{PESO}>{amount}</cbc:TaxAmount><cbc:RoundingAmount{PESO}>0.00</cbc:RoundingAmount>"
        f"<cac:TaxSubtotal><cbc:TaxableAmount{PESO}>{base}</cbc:TaxableAmount><cbc:TaxAmount{PESO}>{amount}"
        f"</cbc:TaxAmount><cac:TaxCategory><cbc:Percent>{rate}.00</cbc:Percent><cac:TaxScheme><cbc:ID>01</cbc:ID>"
        f"<cbc:Name>IVA</cbc:Name></cac:TaxScheme></cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>"
    )


@dataclass(frozen=True)
class Cuenta:
    """An invoice: discounts and charges of the whole, what the patient paid, and rounding to whole pesos."""

    renglones: tuple[Renglon, ...]
    descuento: Decimal = ZERO
    cargo: Decimal = ZERO
    pagado: Decimal = ZERO
    redondeado: bool = False
    mas: dict[str, Decimal] = field(default_factory=dict)
    """What is added to a total on purpose."""

    def totales(self) -> dict[str, Decimal]:
        gross = sum((one.valor for one in self.renglones), ZERO)
        taxed = [one for one in self.renglones if one.tarifa]
        inclusive = gross + sum((one.impuesto for one in taxed), ZERO)
        exact = inclusive - self.descuento + self.cargo - self.pagado
        payable = exact.quantize(Decimal(1), rounding=ROUND_HALF_UP).quantize(CENT) if self.redondeado else exact
        totals = {
            "LineExtensionAmount": gross,
            "TaxExclusiveAmount": sum((one.valor for one in taxed), ZERO),
            "TaxInclusiveAmount": inclusive,
            "AllowanceTotalAmount": self.descuento,
            "ChargeTotalAmount": self.cargo,
            "PrepaidAmount": self.pagado,
            "PayableRoundingAmount": payable - exact,
            "PayableAmount": payable,
        }
        return {name: value + self.mas.get(name, ZERO) for name, value in totals.items()}

    def xml(self) -> str:
        totals = self.totales()
        by_rate: dict[int, list[Renglon]] = {}
        for one in self.renglones:
            if one.tarifa:
                by_rate.setdefault(one.tarifa, []).append(one)
        taxes = "".join(
            impuesto(sum((one.impuesto for one in some), ZERO), sum((one.valor for one in some), ZERO), rate)
            for rate, some in by_rate.items()
        )
        body = "".join(f"<cbc:{name}{PESO}>{value}</cbc:{name}>" for name, value in totals.items())
        lines = "".join(one.xml(at) for at, one in enumerate(self.renglones, start=1))
        text = re.sub(
            r"<cac:TaxTotal>.*?</cac:TaxTotal>|<cac:InvoiceLine>.*?</cac:InvoiceLine>", "", base(), flags=re.DOTALL
        )
        money = f"{taxes}<cac:LegalMonetaryTotal>{body}</cac:LegalMonetaryTotal>{lines}"
        text = re.sub(r"<cac:LegalMonetaryTotal>.*?</cac:LegalMonetaryTotal>", money, text, flags=re.DOTALL)
        text = re.sub("(<cbc:PaidAmount[^>]*>)[^<]*", rf"\g<1>{self.pagado}", text)
        return re.sub("(<cbc:LineCountNumeric>)[^<]*", rf"\g<1>{len(self.renglones)}", text)


@cache
def base() -> str:
    return factura()


def pesos(low: str, high: str) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), places=2)


RENGLONES = st.builds(
    Renglon,
    cantidad=st.decimals(Decimal("0.25"), Decimal(400), places=2),
    precio=st.decimals(Decimal(10), Decimal(900_000), places=4),
    descuento=st.one_of(st.just(ZERO), pesos("0.01", "2.00")),
    cargo=st.one_of(st.just(ZERO), pesos("0.01", "900.00")),
    tarifa=st.sampled_from((0, 0, 5, 19)),
    regalo=st.booleans(),
    con_impuesto=st.booleans(),
)
CUENTAS = st.builds(
    Cuenta,
    renglones=st.lists(RENGLONES, min_size=1, max_size=8).map(tuple),
    descuento=st.one_of(st.just(ZERO), pesos("0.01", "2.00")),
    cargo=st.one_of(st.just(ZERO), pesos("0.01", "900.00")),
    redondeado=st.booleans(),
)


def suma_mal(text: str) -> set[str]:
    return {code for code in codigos_de(juzgar_texto(text)) if code.startswith("ARIT-")}


@settings(max_examples=25, deadline=None)
@given(cuenta=CUENTAS)
def test_accounts_that_add_up_hear_nothing(cuenta: Cuenta) -> None:
    whole = cuenta.totales()["TaxInclusiveAmount"]
    paid = Cuenta(cuenta.renglones, min(cuenta.descuento, whole), cuenta.cargo, dos(whole / 10), cuenta.redondeado)
    assert suma_mal(paid.xml()) == set()


ERRADO = {
    "LineExtensionAmount": {"ARIT-LINEAS", "ARIT-CON-IMPUESTOS"},
    "TaxExclusiveAmount": {"ARIT-BASE"},
    "TaxInclusiveAmount": {"ARIT-CON-IMPUESTOS", "ARIT-POR-PAGAR"},
    "AllowanceTotalAmount": {"ARIT-POR-PAGAR"},
    "ChargeTotalAmount": {"ARIT-POR-PAGAR"},
    "PrepaidAmount": {"ARIT-ANTICIPOS", "ARIT-POR-PAGAR"},
    "PayableAmount": {"ARIT-POR-PAGAR"},
}


@pytest.mark.parametrize("total", ERRADO)
@pytest.mark.parametrize("error", [Decimal("1.01"), Decimal("-1.01"), Decimal("1.00")])
def test_a_total_that_is_off_by_more_than_a_peso_is_heard_at_each_sum_it_stands_in(total: str, error: Decimal) -> None:
    lines = (Renglon(Decimal(3), Decimal("1500.5000"), tarifa=19), Renglon(Decimal(1), Decimal("8000.0000")))
    wrong = Cuenta(lines, Decimal("10.00"), Decimal("5.00"), Decimal("100.00"), mas={total: error})
    assert suma_mal(wrong.xml()) == (ERRADO[total] if abs(error) > 1 else set())


TAX = (
    f"<cac:TaxTotal><cbc:TaxAmount{PESO}>{{}}</cbc:TaxAmount><cac:TaxSubtotal><cbc:TaxableAmount{PESO}>{{}}"
    f"</cbc:TaxableAmount><cbc:TaxAmount{PESO}>0.00</cbc:TaxAmount><cac:TaxCategory><cac:TaxScheme><cbc:ID>01</cbc:ID>"
    "</cac:TaxScheme></cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>"
)
CHANGE = (
    "<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator><cbc:MultiplierFactorNumeric>0"
    f"</cbc:MultiplierFactorNumeric><cbc:Amount{PESO}>{{}}</cbc:Amount><cbc:BaseAmount{PESO}>0.00</cbc:BaseAmount>"
    "</cac:AllowanceCharge>"
)
LUGARES = {
    "Invoice/TaxTotal/TaxAmount": ("<cac:LegalMonetaryTotal>", TAX, 0),
    "Invoice/TaxTotal/TaxSubtotal/TaxableAmount": ("<cac:LegalMonetaryTotal>", TAX, 1),
    "Invoice/AllowanceCharge/Amount": ("<cac:LegalMonetaryTotal>", CHANGE, 0),
    "Invoice/InvoiceLine[0]/TaxTotal/TaxAmount": ("<cac:Item>", TAX, 0),
    "Invoice/InvoiceLine[0]/InvoicedQuantity": (r"(?<=<cbc:InvoicedQuantity unitCode=\"94\">)[^<]*", "{}", 0),
}
IMPOSIBLES = {"-5.00": "ARIT-NEGATIVO", "9" * 40: "ARIT-DESMEDIDO", "9" * 13 + ".00": "ARIT-DESMEDIDO"}


@pytest.mark.parametrize("valor", IMPOSIBLES)
@pytest.mark.parametrize("lugar", LUGARES)
def test_money_that_cannot_be_is_told_wherever_it_stands(lugar: str, valor: str) -> None:
    before, body, which = LUGARES[lugar]
    values = ["0.00", "0.00"]
    values[which] = valor
    tail = before if before.startswith("<") else ""
    found = juzgar_texto(cambiar(before, body.format(*values) + tail)(base()))
    assert (IMPOSIBLES[valor], lugar) in {(one.codigo, one.ruta) for one in found}
    assert all("{" not in one.mensaje for one in found)
