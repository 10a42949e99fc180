"""What was billed against what was agreed, line by line, on the date of each line. Pure.

Invariant: every line gets one answer and its exact difference in centavos; what cannot be compared (no contract that
day, no list, a modality without prices) is said and never counted as right; totals are sums of their lines. Several
prices of one code are never guessed: the nearest is compared and the line says so. Norms: Decreto 441 de 2022
(voluntary agreements), Res. 2284 de 2023 Anexo Técnico 3 (objections of concept TA and AU).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

EVENTO = "04"
MODALIDADES = {
    "01": "Pago individual por caso, conjunto integral, paquete o canasta",
    "02": "Pago global prospectivo",
    "03": "Pago por capitación",
    "04": "Pago por evento",
}
"""Table modalidadPago of the FEV."""
CON_PRECIO = frozenset({"01", EVENTO})
"""Modalities in which a line has a price of its own."""
BASES = ("PROPIA", "SOAT", "ISS")
REDONDEOS = {"centavo": 1, "peso": 100, "centena": 10_000}
"""To what a price is rounded, half up, in centavos."""
FACTOR_MAX = 100_000
TOLERANCIA = 100
"""Centavos below which two amounts are the same: programs round each line to the peso."""
SIN_PRECIO = frozenset({"urgencias", "hospitalizacion", "recienNacidos"})
"""Groups of the RIPS that describe a stay and carry no price."""
_NO_PIDEN = frozenset({"urgencias", "recienNacidos"})
_RUIDO = re.compile(r"[\s.\u00a0]+")
_CUM = re.compile(r"0*((?!0)\d+|0)-(\d{1,3})")
"""Zeros and digits do not overlap: a long row of zeros is no trap."""


class Fallo(StrEnum):
    """What the comparison of a line says."""

    IGUAL = "igual"
    DE_MAS = "de_mas"
    DE_MENOS = "de_menos"
    NO_PACTADO = "no_pactado"
    SIN_TARIFARIO = "sin_tarifario"
    NO_COMPARADA = "no_comparada"


NOMBRES = {
    Fallo.IGUAL: "Igual a lo pactado",
    Fallo.DE_MAS: "Cobrado de más",
    Fallo.DE_MENOS: "Cobrado de menos",
    Fallo.NO_PACTADO: "Sin precio pactado",
    Fallo.SIN_TARIFARIO: "Sin tarifario ese día",
    Fallo.NO_COMPARADA: "No se compara",
}


@dataclass(frozen=True)
class ReglaAutorizacion:
    """Which services of a contract need an authorisation: all, stays, or those whose code begins in some way."""

    todos: bool = False
    hospitalizacion: bool = False
    prefijos: tuple[str, ...] = ()

    @classmethod
    def de(cls, value: Mapping[str, Any]) -> ReglaAutorizacion:
        """Read what a contract row keeps."""
        return cls(
            bool(value.get("todos")), bool(value.get("hospitalizacion")), tuple(map(str, value.get("prefijos") or ()))
        )

    def dato(self) -> dict[str, Any]:
        """Return what a contract row keeps."""
        return {"todos": self.todos, "hospitalizacion": self.hospitalizacion, "prefijos": sorted(self.prefijos)}

    def exige(self, linea: Cobrada) -> bool:
        """Say whether a line needs one. Urgent care never does (Ley 1751 de 2015 art. 10, Ley 100 de 1993 art. 168)."""
        if linea.urgente or linea.tipo in _NO_PIDEN:
            return False
        if self.todos:
            return True
        if linea.tipo == "hospitalizacion":
            return self.hospitalizacion
        return bool(self.prefijos) and linea.codigo.startswith(self.prefijos)


@dataclass(frozen=True)
class Acuerdo:
    """A contract for a comparison, and its amendments with all their terms; dates included, `dias_pago` calendar days."""

    id: int
    numero: str
    cucon: str
    modalidad: str
    desde: date
    hasta: date | None
    dias_pago: int | None = None
    autorizacion: ReglaAutorizacion = ReglaAutorizacion()
    otrosi: int = 0
    otrosies: tuple[Acuerdo, ...] = ()

    def el(self, dia: date) -> Acuerdo:
        """Return its terms on a day: those of the amendment that began last, then of the newest; else the first."""
        begun = [one for one in self.otrosies if one.desde <= dia]
        return max(begun, key=lambda one: (one.desde, one.otrosi)) if begun else self

    def rige(self, dia: date) -> bool:
        """Say whether it is in force on a day."""
        end = self.el(dia).hasta
        return self.desde <= dia and (end is None or dia <= end)

    @property
    def nombres(self) -> set[str]:
        """Return how an invoice may name it: its number, and each CUCON that it ever had."""
        return {numero_normal(one) for one in (self.numero, self.cucon, *(own.cucon for own in self.otrosies))} - {""}


@dataclass(frozen=True)
class Lista:
    """One version of a price list; `factor` in hundredths of a percent over `base`."""

    id: int
    contrato_id: int
    nombre: str
    version: int
    base: str
    factor: int
    desde: date
    hasta: date | None
    sha256: str = ""
    cargado_por: str = ""
    cargado_at: str = ""

    def rige(self, dia: date) -> bool:
        """Say whether a day is inside its dates; a later version may rule instead."""
        return self.desde <= dia and (self.hasta is None or dia <= self.hasta)


@dataclass(frozen=True)
class Pactado:
    """An agreed unit price in centavos."""

    lista: Lista
    codigo: str
    cups: str | None
    valor: int


@dataclass(frozen=True)
class Cobrada:
    """One billed line. `valor` in centavos, None where the kind carries no price; `autorizada` None when not known."""

    ruta: str
    tipo: str
    codigo: str
    fecha: date | None
    cantidad: Decimal = Decimal(1)
    valor: int | None = None
    autorizada: bool | None = None
    urgente: bool = False
    usuario: int = 0
    consecutivo: int = 0


@dataclass(frozen=True)
class Comparada:
    """A line and what the comparison says. `esperado` and `diferencia` (billed less agreed) in centavos."""

    cobrada: Cobrada
    fallo: Fallo
    acuerdo: Acuerdo | None = None
    pactado: Pactado | None = None
    esperado: int | None = None
    diferencia: int = 0
    nota: str = ""
    sin_autorizacion: bool = False

    @property
    def en_riesgo(self) -> int:
        """Centavos that the payer may object to: the whole without authorisation or price, else what is too much."""
        if self.sin_autorizacion or self.fallo is Fallo.NO_PACTADO:
            return self.cobrada.valor or 0
        return self.diferencia if self.fallo is Fallo.DE_MAS else 0


@dataclass(frozen=True)
class Dicho:
    """What the invoice says of its contract: number or CUCON as written, code of the modality."""

    contratos: tuple[str, ...] = ()
    modalidad: str | None = None


@dataclass(frozen=True)
class Comparacion:
    """All lines of an invoice; amounts in centavos."""

    lineas: tuple[Comparada, ...]
    avisos: tuple[str, ...] = ()
    fuente: str = "rips"
    cuenta: Mapping[Fallo, int] = field(default_factory=dict)

    def suma(self, fallo: Fallo) -> int:
        """Return what the lines of one answer were billed for."""
        return sum(one.cobrada.valor or 0 for one in self.lineas if one.fallo is fallo)

    @property
    def cobrado(self) -> int:
        """What all lines were billed for."""
        return sum(one.cobrada.valor or 0 for one in self.lineas)

    @property
    def de_mas(self) -> int:
        """Billed above the agreed price."""
        return sum(one.diferencia for one in self.lineas if one.fallo is Fallo.DE_MAS)

    @property
    def de_menos(self) -> int:
        """Agreed and not billed."""
        return -sum(one.diferencia for one in self.lineas if one.fallo is Fallo.DE_MENOS)

    @property
    def sin_pactar(self) -> int:
        """Billed without an agreed price."""
        return self.suma(Fallo.NO_PACTADO)

    @property
    def sin_autorizacion(self) -> int:
        """Billed without the authorisation that the contract asks for."""
        return sum(one.cobrada.valor or 0 for one in self.lineas if one.sin_autorizacion)

    @property
    def en_riesgo(self) -> int:
        """What the payer may object to, each line once."""
        return sum(one.en_riesgo for one in self.lineas)

    @property
    def acuerdos(self) -> tuple[Acuerdo, ...]:
        """The contracts that applied, in the order of the lines."""
        return tuple({one.acuerdo.id: one.acuerdo for one in self.lineas if one.acuerdo is not None}.values())

    @property
    def listas(self) -> tuple[Lista, ...]:
        """The lists whose prices were used."""
        return tuple({one.pactado.lista.id: one.pactado.lista for one in self.lineas if one.pactado}.values())


Precios = Mapping[int, Mapping[str, tuple[Pactado, ...]]]
"""By list, the prices under each code and under each CUPS."""


def codigo_normal(text: str) -> str:
    """Return a code as it is compared: capitals, no dots or blanks; a CUM without zeros that some programs add."""
    plain = _RUIDO.sub("", text).upper()
    found = _CUM.fullmatch(plain)
    return f"{found[1]}-{int(found[2])}" if found else plain


def numero_normal(text: str) -> str:
    """Return the number of a contract as it is compared: capitals, letters and digits only."""
    return "".join(one for one in text.upper() if one.isalnum())


def con_factor(base: int, factor: int, redondeo: str) -> int:
    """Return a price out of its base in centavos, once rounded half up. Raises KeyError for an unknown rounding."""
    unit = REDONDEOS[redondeo]
    exact = Decimal(base * (10_000 + factor)) / Decimal(10_000 * unit)
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)) * unit


def elegir_acuerdo(acuerdos: Sequence[Acuerdo], dia: date, dicho: Dicho) -> tuple[Acuerdo | None, str]:
    """Return the contract with its terms of a day, or why none can be told: by what the invoice names, then by its modality."""
    ruling = [one for one in acuerdos if one.rige(dia)]
    if not ruling:
        return None, "No hay contrato con este pagador ese día."
    named = {numero_normal(one) for one in dicho.contratos} - {""}
    if named:
        fits = [one for one in ruling if named & one.nombres]
        if len(fits) == 1:
            return fits[0].el(dia), ""
        if not fits and len(ruling) > 1:
            return None, "La factura nombra un contrato que no está entre los vigentes ese día."
    if len(ruling) > 1:
        ruling = [one for one in ruling if one.modalidad == dicho.modalidad] or ruling
    if len(ruling) == 1:
        return ruling[0].el(dia), ""
    return None, f"Hay {len(ruling)} contratos vigentes ese día y la factura no dice cuál."


def listas_del_dia(listas: Sequence[Lista], contrato_id: int, dia: date) -> list[Lista]:
    """Return of each list of a contract the version in force on a day: the one that began last, then the newest."""
    chosen: dict[str, Lista] = {}
    for one in listas:
        if one.contrato_id != contrato_id or not one.rige(dia):
            continue
        held = chosen.get(one.nombre)
        if held is None or (held.desde, held.version) < (one.desde, one.version):
            chosen[one.nombre] = one
    return sorted(chosen.values(), key=lambda one: one.id)


def comparar(
    lineas: Sequence[Cobrada],
    acuerdos: Sequence[Acuerdo],
    listas: Sequence[Lista],
    precios: Precios,
    *,
    dicho: Dicho,
    fecha: date,
    fuente: str = "rips",
) -> Comparacion:
    """Compare each line with the price in force on its date; `fecha` stands in for a line without a readable date."""
    contracts: dict[date, tuple[Acuerdo | None, str]] = {}
    ruling: dict[tuple[int, date], list[Lista]] = {}
    found: list[Comparada] = []
    for line in lineas:
        day = line.fecha or fecha
        if day not in contracts:
            contracts[day] = elegir_acuerdo(acuerdos, day, dicho)
        contract, reason = contracts[day]
        if contract is None:
            found.append(_sin_contrato(line, reason))
            continue
        key = (contract.id, day)
        if key not in ruling:
            ruling[key] = listas_del_dia(listas, contract.id, day)
        found.append(_linea(line, contract, ruling[key], precios))
    counts = {fallo: sum(one.fallo is fallo for one in found) for fallo in Fallo}
    return Comparacion(tuple(found), _avisos(found), fuente, counts)


def _sin_contrato(line: Cobrada, reason: str) -> Comparada:
    priced = line.tipo not in SIN_PRECIO and line.valor is not None
    return Comparada(line, Fallo.SIN_TARIFARIO if priced else Fallo.NO_COMPARADA, nota=reason)


def _linea(line: Cobrada, contract: Acuerdo, lists: Sequence[Lista], precios: Precios) -> Comparada:
    missing = line.autorizada is False and contract.autorizacion.exige(line)

    def said(fallo: Fallo, nota: str = "", pactado: Pactado | None = None) -> Comparada:
        expected = None if pactado is None else _esperado(pactado.valor, line.cantidad)
        gap = 0 if expected is None else (line.valor or 0) - expected
        return Comparada(line, fallo, contract, pactado, expected, gap, nota, missing)

    if line.tipo in SIN_PRECIO:
        return said(Fallo.NO_COMPARADA, "Describe una estancia; no lleva precio.")
    if line.valor is None:
        return said(Fallo.NO_COMPARADA, "El valor del servicio no se pudo leer.")
    if contract.modalidad not in CON_PRECIO:
        name = MODALIDADES.get(contract.modalidad, contract.modalidad).lower()
        return said(Fallo.NO_COMPARADA, f"El contrato {contract.numero} es de {name}: sus servicios no llevan precio.")
    if contract.modalidad != EVENTO and line.valor == 0:
        return said(Fallo.NO_COMPARADA, "Va incluido en el paquete.")
    if not lists:
        return said(Fallo.SIN_TARIFARIO, f"El contrato {contract.numero} no tiene lista de precios vigente ese día.")
    prices = _de_codigo(codigo_normal(line.codigo), lists, precios)
    if not prices:
        return said(Fallo.NO_PACTADO, f"El código no está en las listas del contrato {contract.numero}.")
    near = min(prices, key=lambda one: (abs((line.valor or 0) - _esperado(one.valor, line.cantidad)), one.lista.id))
    gap = line.valor - _esperado(near.valor, line.cantidad)
    note = "" if len(prices) == 1 else f"El código tiene {len(prices)} precios; se comparó con el más cercano."
    if abs(gap) < TOLERANCIA:
        return said(Fallo.IGUAL, note, near)
    return said(Fallo.DE_MAS if gap > 0 else Fallo.DE_MENOS, note, near)


def _esperado(unit: int, quantity: Decimal) -> int:
    """Return unit price by quantity in centavos, rounded once half up."""
    return int((unit * quantity).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _de_codigo(code: str, lists: Sequence[Lista], precios: Precios) -> list[Pactado]:
    """Return the different prices of a code: an own price goes before one made of SOAT or ISS."""
    found = [price for one in lists for price in precios.get(one.id, {}).get(code, ())]
    own = [one for one in found if one.lista.base == "PROPIA"]
    return list({one.valor: one for one in reversed(own or found)}.values())


def _avisos(found: Sequence[Comparada]) -> tuple[str, ...]:
    """Return the reasons for which lines were not compared, once each and how many, most first."""
    reasons: dict[str, int] = {}
    for one in found:
        if one.fallo in (Fallo.SIN_TARIFARIO, Fallo.NO_COMPARADA) and one.cobrada.tipo not in SIN_PRECIO:
            reasons[one.nota] = reasons.get(one.nota, 0) + 1
    ranked = sorted(reasons.items(), key=lambda pair: -pair[1])
    return tuple(f"{text} ({count} {'línea' if count == 1 else 'líneas'})" for text, count in ranked)


def vence_pactado(presentada: date, dias: int) -> date:
    """Return the last day to pay that a contract gives: calendar days after the invoice was filed."""
    return presentada + timedelta(days=dias)
