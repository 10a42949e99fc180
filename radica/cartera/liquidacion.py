"""Interest for late payment: simple, per calendar day, each day with its month's rate; payments imputed as chosen.

Invariant: pure; every line is capital x rate x days / divisor rounded once, and every total is the sum of its lines; a
month without a rate is a line without interest that says so, and the rest is liquidated. The first day of default
and the day of a payment count, both. Norms: Ley 1438/2011 art. 56, D.L. 1281/2002 arts. 4 and 7, E.T. art. 635.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import groupby

from radica.cartera.caso import (
    NO_SE_DEBEN,
    ORDEN,
    Abono,
    CasoLiquidacion,
    ClaseAbono,
    Concepto,
    Inicio,
    TipoConcepto,
)
from radica.cartera.parametros import NOMBRES, Opcion, Parametros, opciones
from radica.cartera.tabla_tasas import Tasa
from radica.kernel.money import round_money

DIA = timedelta(days=1)
CIENTO = 10_000
"""Hundredths of a percentage point in one hundred percent."""
Tabla = Mapping[str, Tasa]


@dataclass(frozen=True)
class Linea:
    """Interest of one capital over days of one month. `capital` and `interes` in centavos, rates in hundredths of a
    percentage point; without the month's rate `usura`, `tasa` and `interes` are None.
    """

    clave: str
    tipo: TipoConcepto
    titulo: str
    capital: int
    desde: date
    hasta: date
    usura: int | None
    tasa: int | None
    divisor: int
    interes: int | None
    inicio: Inicio

    @property
    def dias(self) -> int:
        """Days that the line covers, both ends counted."""
        return (self.hasta - self.desde).days + 1

    @property
    def mes(self) -> str:
        """Month of the line: 2026-08."""
        return f"{self.desde:%Y-%m}"


@dataclass(frozen=True)
class Parte:
    """What of one payment went to one concept, in centavos."""

    clave: str
    intereses: int
    capital: int


@dataclass(frozen=True)
class Imputacion:
    """One payment and where it went; `exceso` is what found nothing to pay."""

    abono: Abono
    partes: Sequence[Parte]
    exceso: int

    @property
    def intereses(self) -> int:
        """What went to interest."""
        return sum(one.intereses for one in self.partes)

    @property
    def capital(self) -> int:
        """What went to capital."""
        return sum(one.capital for one in self.partes)


@dataclass(frozen=True)
class Saldo:
    """How one concept ends: `capital` left, interest caused and paid; `inicio` is None where none runs."""

    concepto: Concepto
    inicio: Inicio | None
    capital: int
    causados: int
    pagados: int

    @property
    def pendientes(self) -> int:
        """Interest caused and not paid."""
        return self.causados - self.pagados


@dataclass(frozen=True)
class Alternativa:
    """The same case under another reading: its source and its figures, in centavos.

    `diferencia` is of the interest caused: what is still to be paid also depends on what the payments covered.
    """

    opcion: Opcion
    capital: int
    causados: int
    pendientes: int
    diferencia: int


@dataclass(frozen=True)
class Resultado:
    """A liquidation. Amounts in centavos."""

    caso: CasoLiquidacion
    corte: date
    parametros: Parametros
    lineas: Sequence[Linea]
    imputaciones: Sequence[Imputacion]
    saldos: Sequence[Saldo]
    alternativas: Sequence[Alternativa] = ()
    avisos: Sequence[str] = ()
    tasas: Tabla = field(default_factory=dict)
    """The rates of the months that its lines touch."""

    @property
    def causados(self) -> int:
        """Interest of all lines."""
        return sum(one.interes or 0 for one in self.lineas)

    @property
    def pagados(self) -> int:
        """Interest that payments covered."""
        return sum(one.intereses for one in self.imputaciones)

    @property
    def pendientes(self) -> int:
        """Interest still owed."""
        return self.causados - self.pagados

    @property
    def capital(self) -> int:
        """Capital whose interest runs, or would once its day comes, and is not paid."""
        return sum(one.capital for one in self.saldos if one.inicio is not None)

    @property
    def sin_intereses(self) -> int:
        """Capital left in concepts that cause no interest under these readings."""
        return sum(one.capital for one in self.saldos if one.inicio is None)

    @property
    def exceso(self) -> int:
        """What was paid beyond the debt."""
        return sum(one.exceso for one in self.imputaciones)

    @property
    def vacios(self) -> Sequence[Linea]:
        """Lines that could not be liquidated because their month has no rate."""
        return [one for one in self.lineas if one.interes is None]


def divisor_de(year: int, parametros: Parametros) -> int:
    """Return by how many days a year's rate is divided."""
    if parametros.divisor == "anual":
        return 366 if calendar.isleap(year) else 365
    return int(parametros.divisor)


def tasa_de_mora(usura: int, parametros: Parametros) -> int:
    """Return the yearly rate of default out of the usury rate, both in hundredths of a point; never below zero."""
    start = usura
    if parametros.base == "bancario":
        # Usury is 1.5 times the bank rate, rounded half up: going back lands on the certified figure.
        start = int((Decimal(usura) / Decimal("1.5")).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return max(0, start - int(Decimal(parametros.puntos) * 100))


def interes_exacto(capital: int, tasa: int, dias: int, divisor: int) -> Fraction:
    """Return simple interest in centavos before its rounding."""
    return Fraction(capital * tasa * dias, CIENTO * divisor)


def redondear(exact: Fraction, parametros: Parametros) -> int:
    """Round centavos once, half up, to the centavo or to the peso. `exact` must not be negative."""
    unit = 100 if parametros.redondeo == "peso" else 1
    pesos = Decimal(exact.numerator) / Decimal(exact.denominator * unit) / 100
    return int(round_money(pesos) * 100) * unit


def tramos(desde: date, hasta: date) -> Iterator[tuple[date, date]]:
    """Cut the days from `desde` to `hasta` (both counted) by calendar month."""
    while desde <= hasta:
        last = desde.replace(day=calendar.monthrange(desde.year, desde.month)[1])
        yield desde, min(last, hasta)
        desde = last + DIA


@dataclass
class _Cuenta:
    """What runs of one concept while the days pass."""

    concepto: Concepto
    inicio: Inicio | None
    capital: int
    causados: int = 0
    pagados: int = 0
    lineas: list[Linea] = field(default_factory=list)

    def orden(self) -> tuple[bool, date, int, str]:
        start = self.inicio.desde if self.inicio else date.max
        return (self.concepto.tipo in NO_SE_DEBEN, start, ORDEN[self.concepto.tipo], self.concepto.clave)

    def correr(self, desde: date, hasta: date, tabla: Tabla, chosen: Parametros) -> None:
        """Add the lines of some days, both counted."""
        if self.inicio is None or self.capital <= 0:
            return
        for first, last in tramos(max(desde, self.inicio.desde), hasta):
            rate = tabla.get(f"{first:%Y-%m}")
            divisor = divisor_de(first.year, chosen)
            tasa = tasa_de_mora(rate.puntos, chosen) if rate else None
            days = (last - first).days + 1
            interest = (
                redondear(interes_exacto(self.capital, tasa, days, divisor), chosen) if tasa is not None else None
            )
            self.causados += interest or 0
            self.lineas.append(
                Linea(
                    self.concepto.clave,
                    self.concepto.tipo,
                    self.concepto.titulo,
                    self.capital,
                    first,
                    last,
                    rate.puntos if rate else None,
                    tasa,
                    divisor,
                    interest,
                    self.inicio,
                )
            )


def liquidar(caso: CasoLiquidacion, tabla: Tabla, parametros: Parametros, corte: date) -> Resultado:
    """Liquidate a case up to and with the day `corte`, with what each other reading would give beside it."""
    found = _liquidar(caso, tabla, parametros, corte)
    others = []
    for clave in NOMBRES:
        for one in opciones()[clave]:
            if one.valor == getattr(parametros, clave):
                continue
            other = _liquidar(caso, tabla, parametros.con(clave, one.valor), corte)
            if (other.capital, other.pendientes) != (found.capital, found.pendientes):
                others.append(_other(one, other, found))
    used = {one.mes: tabla[one.mes] for one in found.lineas if one.mes in tabla}
    said = [*caso.avisos, *_avisos(found)]
    return replace(found, alternativas=others, avisos=said, tasas=used)


def _other(reading: Opcion, other: Resultado, found: Resultado) -> Alternativa:
    return Alternativa(reading, other.capital, other.causados, other.pendientes, other.causados - found.causados)


def _liquidar(caso: CasoLiquidacion, tabla: Tabla, parametros: Parametros, corte: date) -> Resultado:
    accounts = [_Cuenta(one, one.inicio(parametros), one.capital) for one in caso.conceptos]
    accounts.sort(key=_Cuenta.orden)
    # On one day: first what was never owed goes away, then what was paid is imputed.
    known = sorted(
        (one for one in caso.abonos if one.fecha <= corte),
        key=lambda one: (one.fecha, one.clase is not ClaseAbono.NOTA_CREDITO),
    )
    imputed: list[Imputacion] = []
    since = date.min
    for day, group in groupby(known, key=lambda one: one.fecha):
        for account in accounts:
            account.correr(since, day, tabla, parametros)
        imputed += [_imputar(one, accounts, parametros) for one in group]
        since = day + DIA
    for account in accounts:
        account.correr(since, corte, tabla, parametros)
    lines = [line for account in accounts for line in account.lineas]
    balances = [Saldo(one.concepto, one.inicio, one.capital, one.causados, one.pagados) for one in accounts]
    return Resultado(caso, corte, parametros, lines, imputed, balances)


def _imputar(abono: Abono, accounts: Sequence[_Cuenta], chosen: Parametros) -> Imputacion:
    """Take a payment off the accounts, oldest debt first; only money in the hand pays interest."""
    to_interest, to_capital = dict.fromkeys(range(len(accounts)), 0), dict.fromkeys(range(len(accounts)), 0)
    left = abono.valor

    def interest() -> None:
        nonlocal left
        for at, one in enumerate(accounts):
            taken = min(left, one.causados - one.pagados)
            one.pagados += taken
            to_interest[at] += taken
            left -= taken

    def capital(order: Sequence[int]) -> None:
        nonlocal left
        for at in order:
            taken = min(left, accounts[at].capital)
            accounts[at].capital -= taken
            to_capital[at] += taken
            left -= taken

    order = list(range(len(accounts)))
    if abono.clase is ClaseAbono.NOTA_CREDITO:
        # It takes back what was accepted, then what is disputed, and only then what is owed.
        capital(sorted(order, key=lambda at: (_NOTA.get(accounts[at].concepto.tipo, len(_NOTA)), at)))
    elif abono.clase is ClaseAbono.RETENCION:
        capital(order)
    elif chosen.imputacion == "intereses":
        interest()
        capital(order)
    else:
        capital(order)
        interest()
    parts = [
        Parte(accounts[at].concepto.clave, to_interest[at], to_capital[at])
        for at in order
        if to_interest[at] or to_capital[at]
    ]
    return Imputacion(abono, parts, left)


_NOTA = {TipoConcepto.ACEPTADO: 0, TipoConcepto.EN_DISPUTA: 1}


def _avisos(found: Resultado) -> list[str]:
    said = []
    months = sorted({one.mes for one in found.vacios})
    if months:
        said.append(
            f"Sin tasa certificada para {', '.join(months)}: esos días no se liquidaron. Cárguela cuando se publique"
            " (radica catalogo cargar tasas FICHERO)."
        )
        gap = min(one.desde for one in found.vacios)
        late = [one for one in found.imputaciones if one.abono.clase is ClaseAbono.PAGO and one.abono.fecha >= gap]
        if late and found.parametros.imputacion == "intereses":
            said.append("Hay pagos posteriores a días sin tasa: se imputaron solo a los intereses que se conocen.")
    if found.exceso:
        said.append("Se pagó más de lo que se debía a esa fecha; el exceso no se imputó a nada.")
    if found.lineas:
        first = min(one.desde for one in found.lineas)
        for clave in ("base", "puntos"):
            chosen = next(one for one in opciones()[clave] if one.valor == getattr(found.parametros, clave))
            if chosen.vigente_desde and first < chosen.vigente_desde:
                said.append(
                    f"Hay días anteriores al {chosen.vigente_desde:%d/%m/%Y}, desde cuando rige «{chosen.texto}»."
                )
    return said
