"""Both ledgers side by side: what the payer's file says of each invoice, what ours says, where they differ. Pure.

Invariant: each row of the file and each invoice of the table falls in exactly one class, so that the classes' counts
and sums add up to the whole; a number that may be two invoices is no match, and a word of state that nobody knows is
not compared. Norm: Circular conjunta 030/2013 (crossing of debts).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from radica.facturas.numbers import InvoiceNumber, Match, parse_invoice_number, same_invoice
from radica.glosas.lectura.titulos import clave
from radica.kernel.money import format_cop

IGUAL, NO_ES_NUESTRA, NO_LA_TIENEN, AMBIGUA, NO_LEIDA = "", "no_es_nuestra", "no_la_tienen", "ambigua", "no_leida"
NOMBRES = {
    IGUAL: "Iguales en los dos",
    NO_ES_NUESTRA: "No la conocemos",
    NO_LA_TIENEN: "No la tienen",
    AMBIGUA: "Puede ser de varias facturas",
    NO_LEIDA: "Fila sin leer",
    "valor": "Valor de factura distinto",
    "glosa": "Glosa distinta",
    "estado": "Estado distinto",
}
EN_DISPUTA, LEVANTADA, ACEPTADA, CERRADA, SIN_GLOSA = "en_disputa", "levantada", "aceptada", "cerrada", "sin_glosa"
CLASES = {
    EN_DISPUTA: "en disputa",
    LEVANTADA: "levantada",
    ACEPTADA: "aceptada",
    CERRADA: "cerrada",
    SIN_GLOSA: "sin glosa",
}
_WORDS = {
    LEVANTADA: "LEVANTADA LEVANTADO GLOSALEVANTADA LEVANTADATOTAL LEVANTAMIENTO",
    ACEPTADA: "ACEPTADA ACEPTADO ACEPTADAIPS ACEPTADAPORIPS GLOSAACEPTADA ACEPTADAPRESTADOR",
    CERRADA: "CERRADA CERRADO CONCILIADA CONCILIADO FINALIZADA",
    EN_DISPUTA: "RATIFICADA RATIFICADO PENDIENTE ENTRAMITE PORCONCILIAR PENDIENTEPORCONCILIAR ENDISPUTA RESPONDIDA"
    " NOLEVANTADA REITERADA DEFINITIVA DEVUELTA DEVOLUCION ABIERTA ACTIVA PORRESPONDER SINCONCILIAR ENCONCILIACION"
    " GLOSARATIFICADA GLOSADA",
}
_STATES = {word: name for name, words in _WORDS.items() for word in words.split()}


@dataclass(frozen=True)
class FilaLibro:
    """A row of the payer's file. Centavos; None where the file has no such column or the cell is empty."""

    fila: int
    factura: str
    valor: int | None = None
    glosa: int | None = None
    estado: str = ""
    motivo: str = ""


@dataclass(frozen=True)
class Nuestra:
    """What our ledger says of one invoice. `en_mesa`: it has lines on the table."""

    factura_id: int
    numero: str
    clave: InvoiceNumber
    valor: int | None
    en_disputa: int
    clase: str
    en_mesa: bool = False


@dataclass(frozen=True)
class Cruce:
    """One invoice in both ledgers: the rows that speak of it, both sides, and how they differ."""

    numero: str
    filas: tuple[FilaLibro, ...]
    nuestra: Nuestra | None
    diferencia: str
    detalle: str = ""

    @property
    def valor(self) -> int | None:
        """The payer's value of the invoice."""
        return next((one.valor for one in self.filas if one.valor is not None), None)

    @property
    def glosa(self) -> int | None:
        """The payer's objection to the invoice: the sum of its rows."""
        known = [one.glosa for one in self.filas if one.glosa is not None]
        return sum(known) if known else None


@dataclass(frozen=True)
class Clase:
    """All invoices with the same difference. Centavos of each side."""

    diferencia: str
    facturas: int
    filas: int
    valor_suyo: int
    valor_nuestro: int
    glosa_suya: int
    glosa_nuestra: int


def name_of(diferencia: str) -> str:
    """Return how a person calls a difference; several are joined by `+`."""
    if diferencia in NOMBRES:
        return NOMBRES[diferencia]
    words = [NOMBRES.get(one, one).split(" distint")[0].lower() for one in diferencia.split("+")]
    return f"{', '.join(words[:-1])} y {words[-1]} distintos".capitalize()


def compare(rows: Sequence[FilaLibro], ours: Sequence[Nuestra]) -> list[Cruce]:
    """Match the payer's rows with our invoices and say how each differs; ours on the table and not there, last."""
    groups: dict[str, list[FilaLibro]] = {}
    matched: dict[str, Nuestra] = {}
    crossed: list[Cruce] = []
    finder = _Finder(ours)
    for row in rows:
        if row.motivo:
            crossed.append(Cruce(row.factura, (row,), None, NO_LEIDA, row.motivo))
            continue
        number = parse_invoice_number(row.factura)
        found = finder.find(number) if number is not None else []
        if len(found) > 1:
            named = ", ".join(one.numero for one in found[:4])
            crossed.append(Cruce(row.factura, (row,), None, AMBIGUA, f"Puede ser {named}."))
            continue
        key = f"id:{found[0].factura_id}" if found else f"no:{number.key if number else row.factura}"
        if found:
            matched[key] = found[0]
        groups.setdefault(key, []).append(row)
    crossed += [_cross(ones, matched.get(key)) for key, ones in groups.items()]
    there = {one.factura_id for one in matched.values()}
    crossed += [
        Cruce(one.numero, (), one, NO_LA_TIENEN, "Está en la mesa y no en su archivo.")
        for one in ours
        if one.en_mesa and one.factura_id not in there
    ]
    return crossed


def classes(crossed: Sequence[Cruce]) -> list[Clase]:
    """Return the classes with their sums: differences first, the dearest first, what is equal last."""
    by_class: dict[str, list[Cruce]] = {}
    for one in crossed:
        by_class.setdefault(one.diferencia, []).append(one)
    found = [_class(name, ones) for name, ones in by_class.items()]
    return sorted(found, key=lambda one: (one.diferencia == IGUAL, -max(one.glosa_suya, one.glosa_nuestra)))


def whole(parts: Sequence[Clase]) -> Clase:
    """Add the classes up."""
    return Clase(
        "todas",
        sum(one.facturas for one in parts),
        sum(one.filas for one in parts),
        sum(one.valor_suyo for one in parts),
        sum(one.valor_nuestro for one in parts),
        sum(one.glosa_suya for one in parts),
        sum(one.glosa_nuestra for one in parts),
    )


def state_class(words: str) -> str | None:
    """Return what a payer's word of state means; None when nobody knows."""
    return _STATES.get(clave(words))


class _Finder:
    """Our invoices by number, as the house compares numbers."""

    def __init__(self, ours: Collection[Nuestra]) -> None:
        self._exact: dict[str, list[Nuestra]] = {}
        self._digits: dict[str, list[Nuestra]] = {}
        for one in ours:
            self._exact.setdefault(one.clave.key, []).append(one)
            self._digits.setdefault(one.clave.digits, []).append(one)

    def find(self, number: InvoiceNumber) -> list[Nuestra]:
        """Return the invoices that a number may be; one is a match."""
        exact = self._exact.get(number.key, [])
        if exact:
            return exact
        possible = self._digits.get(number.digits, []) if number.digits else []
        return [one for one in possible if same_invoice(one.clave, number) is not Match.DIFFERENT]


def _cross(rows: Sequence[FilaLibro], ours: Nuestra | None) -> Cruce:
    cross = Cruce(rows[0].factura if ours is None else ours.numero, tuple(rows), ours, IGUAL)
    if ours is None:
        return replace(
            cross, diferencia=NO_ES_NUESTRA, detalle="No hay factura nuestra de este pagador con ese número."
        )
    differs, words = [], []
    values = {one.valor for one in rows if one.valor is not None}
    if len(values) > 1:
        differs.append("valor")
        words.append("Su archivo le da varios valores: " + ", ".join(format_cop(one) for one in sorted(values)) + ".")
    elif values and ours.valor is not None and values != {ours.valor}:
        differs.append("valor")
        words.append(f"Factura: ellos {format_cop(values.pop())}, nosotros {format_cop(ours.valor)}.")
    if cross.glosa is not None and cross.glosa != ours.en_disputa:
        differs.append("glosa")
        words.append(f"Glosa: ellos {format_cop(cross.glosa)}, nosotros {format_cop(ours.en_disputa)} en disputa.")
    told = {one.estado for one in rows if one.estado}
    states = {state_class(one) for one in told}
    if None in states:
        words.append("Su estado no se pudo comparar: " + ", ".join(sorted(told))[:80] + ".")
    elif states and not _agrees(states, ours.clase):
        differs.append("estado")
        words.append(f"Estado: ellos {', '.join(sorted(told))[:60].lower()}, nosotros {CLASES[ours.clase]}.")
    return replace(cross, diferencia="+".join(differs), detalle=" ".join(words))


def _agrees(states: Collection[str | None], ours: str) -> bool:
    if ours == EN_DISPUTA:
        return EN_DISPUTA in states  # lines of one invoice may stand differently
    closed = {LEVANTADA, ACEPTADA, CERRADA}
    if ours == CERRADA:
        return set(states) <= closed
    return set(states) <= {ours, CERRADA} and ours in closed


def _class(name: str, ones: Sequence[Cruce]) -> Clase:
    mine = [one.nuestra for one in ones if one.nuestra is not None]
    return Clase(
        name,
        len(ones),
        sum(len(one.filas) for one in ones),
        sum(one.valor or 0 for one in ones),
        sum(one.valor or 0 for one in mine),
        sum(one.glosa or 0 for one in ones),
        sum(one.en_disputa for one in mine),
    )
