"""Rules between the RIPS and its invoice: who, which number, how much, and what the patient paid.

Invariant: sums are exact and compared only when every value of the RIPS could be read; the value of the invoice is
meant with taxes and before copayments (so in the real pairs). What belongs to another call of the MUV (capitation, notes) is not
compared as if it were an invoice by event. Norm: MUV technical document 1 v002 (RVG08, RVG09, RVC001, RVC004, RVC011).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from radica.facturas.fev import Fev
from radica.facturas.numbers import Match, parse_invoice_number, parse_nit, same_invoice
from radica.facturas.validacion.modelo import Modulo
from radica.facturas.validacion.reglas_rips_base import (
    ANTICIPO,
    COMPARTIDO,
    CONCEPTOS,
    COPAGO,
    CUOTA,
    Falta,
    Faltas,
    Marco,
    Numero,
    Vista,
    concepto,
    monto,
    pesos,
)

TOLERANCIA = Decimal(1)
"""Pesos. Real pairs differ by no more when both are written with the same decimals."""
_REDONDEO = Decimal("0.5")
"""Pesos that one service may differ where the invoice has centavos and the RIPS has not."""
_EVENTO = "04"
_LARGO = 40
"""Characters of a number that a message shows."""
_CON_VALOR = frozenset({Modulo.FEV, Modulo.NC})
_DEL_USUARIO = (COPAGO, CUOTA, COMPARTIDO)
_NOTAS = frozenset({Modulo.NC, Modulo.ND})


@dataclass(slots=True)
class Sumas:
    """Running sums over the services, in pesos. `ilegibles` counts values that are no number."""

    servicios: int = 0
    valor: Numero = 0
    pagos: dict[str, Decimal] = field(default_factory=dict)
    ilegibles: int = 0

    def sumar(self, vista: Vista) -> None:
        """Add the services of a user."""
        for records in vista.servicios.values():
            for _, one in records:
                raw = one.get("vrServicio")
                if raw is None:
                    continue
                self.servicios += 1
                value = monto(raw)
                if value is None:
                    self.ilegibles += 1
                else:
                    self.valor += value
                paid = monto(one.get("valorPagoModerador"))
                if paid:
                    kind = concepto(one)
                    self.pagos[kind] = self.pagos.get(kind, Decimal(0)) + paid


ReglaPaquete = Callable[[Marco, Sumas], Faltas]


def rvc001(marco: Marco, _: Sumas) -> Faltas:
    """RVC001: the NIT of the RIPS is that of who issued the invoice. DT1 v002, T01."""
    own = marco.documento.get("numDocumentoIdObligado")
    rips = parse_nit(own) if isinstance(own, str | int) else None
    issuer = marco.fev.supplier.nit if marco.fev is not None else None
    if rips is None or issuer is None or rips.number == issuer.number:
        return ()
    return (Falta("RVC001", "numDocumentoIdObligado", {"rips": rips.number, "fev": issuer.number}),)


def rvc004(marco: Marco, _: Sumas) -> Faltas:
    """RVC004: the number of the RIPS is that of its document; a note quotes its own number and its invoice. T02."""
    fev = marco.fev
    if fev is None:
        return ()
    if marco.modulo is Modulo.FEV:
        return numero_de_factura(marco.documento.get("numFactura"), fev)
    if marco.modulo not in _NOTAS:
        return ()
    affected = [
        tuple(_numero("numFactura", marco.documento.get("numFactura"), one.number, None)) for one in fev.references
    ]
    return (
        *_numero("numNota", marco.documento.get("numNota"), fev.number, fev.prefix),
        *(min(affected, key=len) if affected else ()),
    )


def numero_de_factura(escrito: object, fev: Fev) -> Faltas:
    """Compare the number as it is written: without prefix, or with other zeros or signs, it is another text."""
    other = (fev.number or "").strip()
    own = str(escrito).strip() if isinstance(escrito, str | int) else ""
    number = parse_invoice_number(other, prefix=fev.prefix)
    if number is None or own.casefold() == other.casefold():
        return ()
    if not number.prefix:
        return _numero("numFactura", escrito, fev.number, fev.prefix)
    return (Falta("RVC004", "numFactura", {"rips": own[:_LARGO] or "(sin número)", "fev": other}),)


def _numero(campo: str, escrito: object, esperado: str | None, prefijo: str | None) -> Faltas:
    text = escrito if isinstance(escrito, str | int) else None
    own, other = parse_invoice_number(text, prefix=prefijo), parse_invoice_number(esperado, prefix=prefijo)
    if own is None or other is None or same_invoice(own, other) is not Match.DIFFERENT:
        return ()
    return (Falta("RVC004", campo, {"rips": own.text, "fev": other.text}),)


def rvc011(marco: Marco, _: Sumas) -> Faltas:
    """RVC011: the provider's code of the invoice has the form of one; so `AF-0000500-85-XX-002` was refused. DT1 v002."""
    codes = marco.fev.salud_values("CODIGO_PRESTADOR") if marco.fev is not None else ()
    wrong = [code for code in codes if not code.strip().isalnum()]
    return (Falta("RVC011", "rips", {"codigo": wrong[0]}),) if wrong else ()


def rvg08(marco: Marco, sumas: Sumas) -> Faltas:
    """RVG08: by event, Σ vrServicio is the value of the invoice, or of the credit note. DT1 v002; guidelines 3.2, 2.2.2.

    Taxes are in it (guidelines 3.2, 3.3.7; so a real answer of 2025). It is wrong only when the sum is neither that
    nor what is payable before the patient paid.
    """
    fev = marco.fev
    if fev is None or marco.modulo not in _CON_VALOR or marco.modalidad != _EVENTO or sumas.ilegibles:
        return ()
    totals = _brutos(fev)
    if not totals or (marco.modulo is Modulo.NC and not sumas.servicios):
        return ()
    fine = any(total % 1 for total in totals) and not Decimal(sumas.valor) % 1
    allowed = max(TOLERANCIA, _REDONDEO * sumas.servicios) if fine else TOLERANCIA
    if min(abs(total - sumas.valor) for total in totals) <= allowed:
        return ()
    off = abs(totals[0] - sumas.valor)
    said = {"rips": pesos(sumas.valor), "fev": pesos(totals[0]), "diferencia": pesos(off)}
    return (Falta("RVG08", "", said),)


def _brutos(fev: Fev) -> list[Decimal]:
    paid = sum((one.amount or Decimal(0) for one in fev.prepaid_payments), Decimal(0)) or fev.prepaid or Decimal(0)
    due = fev.payable + paid if fev.payable is not None else None
    gross, taxed = fev.line_extension, fev.tax_inclusive
    if gross is not None and taxed is not None and taxed - gross > TOLERANCIA:
        gross = None
    return [total for total in (gross, taxed, due) if total is not None]


def rvg09(marco: Marco, sumas: Sumas) -> Faltas:
    """RVG09: by event, Σ valorPagoModerador is what the invoice says that the patient paid. DT1 v002.

    The rule is of the sum; the same sum under another concept is only noticed. An advance (04) is not in the RIPS.
    """
    fev = marco.fev
    if fev is None or marco.modulo is not Modulo.FEV or marco.modalidad != _EVENTO:
        return ()
    told = _pagos(fev)
    rips = {kind: sumas.pagos.get(kind, Decimal(0)) for kind in _DEL_USUARIO}
    unsaid = fev.prepaid - _anticipos(fev) if not told and fev.prepaid else Decimal(0)
    if not told and not unsaid and _descontado(fev, sum(sumas.pagos.values(), Decimal(0))):
        return ()
    paid, due = sum(rips.values(), Decimal(0)), sum(told.values(), Decimal(0)) or unsaid
    same = abs(due - paid) <= TOLERANCIA
    if unsaid or not told.keys() <= rips.keys():
        # The invoice says how much and not of what: only the totals can be compared.
        return () if same else (_pagado("pagos del usuario", paid, due),)
    off = [kind for kind, amount in rips.items() if abs(told.get(kind, Decimal(0)) - amount) > TOLERANCIA]
    if not off and same:
        return ()
    kind = off[0] if off else "pagos del usuario"
    one = _pagado(kind, rips.get(kind, paid), told.get(kind, Decimal(0)) if off else due)
    return (one._replace(variante="concepto" if same else ""),)


def _pagado(kind: str, rips: Decimal, fev: Decimal) -> Falta:
    return Falta("RVG09", "", {"concepto": kind, "rips": pesos(rips), "fev": pesos(fev)})


def _anticipos(fev: Fev) -> Decimal:
    """Return what was paid in advance: it is in the total of the invoice and not in the RIPS."""
    advances = (one.amount for one in fev.prepaid_payments if CONCEPTOS.get(one.concept or "") == ANTICIPO)
    return sum((amount for amount in advances if amount), Decimal(0))


def _descontado(fev: Fev, paid: Decimal) -> bool:
    """Say whether the invoice takes off what the patient paid by another way (a discount): no answer judged that."""
    if fev.payable is None or fev.line_extension is None or not paid:
        return False
    return abs(fev.line_extension - fev.payable - paid) <= TOLERANCIA


def _pagos(fev: Fev) -> dict[str, Decimal]:
    """Return its PrepaidPayments by concept. Fields of older extensions do not count: a real answer ignored them."""
    told: dict[str, Decimal] = {}
    for one in fev.prepaid_payments:
        kind = CONCEPTOS.get(one.concept or "", "")
        if one.amount and kind != ANTICIPO:
            told[kind] = told.get(kind, Decimal(0)) + one.amount
    return told


DE_PAQUETE: tuple[ReglaPaquete, ...] = (rvc001, rvc004, rvc011, rvg08, rvg09)
"""The rules of this file, in the order in which they are told."""
