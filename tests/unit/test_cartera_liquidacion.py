"""Interest recomputed another way: day by day, with fractions, by code that shares nothing with the product's."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radica.cartera.caso import Abono, CasoLiquidacion, ClaseAbono, Concepto, Inicio, TipoConcepto
from radica.cartera.liquidacion import Resultado, interes_exacto, liquidar, redondear, tasa_de_mora, tramos
from radica.cartera.parametros import NOMBRES, Parametros, elegir, opcion, opciones
from radica.cartera.tabla_tasas import Tasa, bundled, read_rates
from radica.kernel.errors import BadInput

JAN = date(2025, 1, 1)
RATES = {
    f"{2025 + n // 12}-{n % 12 + 1:02d}": Tasa(f"{2025 + n // 12}-{n % 12 + 1:02d}", 2400 + 7 * n, "prueba", "V")
    for n in range(30)
}
SHORT, LONG, LIFTED = TipoConcepto.NO_OBJETADO_CORTO, TipoConcepto.NO_OBJETADO_LARGO, TipoConcepto.GLOSA_LEVANTADA


def start(day: date) -> Inicio:
    return Inicio(day, "PAG-02", "5 días hábiles", "Ley 1122/2007", "13 lit. d", "V alta")


def owed(key: str, cents: int, day: date, kind: TipoConcepto = SHORT) -> Concepto:
    readings = {
        SHORT: {"habiles": start(day), "calendario": start(day - timedelta(days=2))},
        LONG: {"habiles": start(day), "calendario": start(day - timedelta(days=12))},
        LIFTED: {
            "levantamiento": start(day),
            "presentacion": start(day - timedelta(days=60)),
            "sesenta_habiles": start(day + timedelta(days=30)),
        },
        TipoConcepto.EN_DISPUTA: {"presentacion": start(day)},
    }[kind]
    return Concepto(key, kind, "", cents, readings)


def case(*concepts: Concepto, paid: tuple[Abono, ...] = ()) -> CasoLiquidacion:
    return CasoLiquidacion("FE1", JAN, concepts, paid)


def payment(day: date, cents: int, kind: ClaseAbono = ClaseAbono.PAGO) -> Abono:
    return Abono(day, cents, kind)


days = st.integers(0, 500).map(lambda n: JAN + timedelta(days=n))
money = st.integers(0, 5_000_000_000)
debts = st.lists(st.tuples(money, days), min_size=1, max_size=3)
payments = st.lists(st.tuples(days, st.integers(1, 3_000_000_000), st.sampled_from(list(ClaseAbono))), max_size=5)
choices = st.fixed_dictionaries(
    {key: st.sampled_from([one.valor for one in opciones()[key]]) for key in ("divisor", "base", "imputacion")}
).map(elegir)


def build(debts: list[tuple[int, date]], paid: list[tuple[date, int, ClaseAbono]]) -> CasoLiquidacion:
    return case(
        *(owed(f"c{n}", cents, day) for n, (cents, day) in enumerate(debts)),
        paid=tuple(Abono(day, cents, kind) for day, cents, kind in paid),
    )


def naive(
    debts: list[tuple[int, date]], paid: list[tuple[date, int, ClaseAbono]], chosen: Parametros, end: date
) -> int:
    """Walk every calendar day; a run of days of one month and one capital is rounded when it is over."""
    capital = {f"c{n}": cents for n, (cents, _) in enumerate(debts)}
    begins = {f"c{n}": day for n, (_, day) in enumerate(debts)}
    order = sorted(capital, key=lambda key: (begins[key], key))
    caused: dict[str, int] = defaultdict(int)
    settled: dict[str, int] = defaultdict(int)
    run: dict[str, Fraction] = defaultdict(Fraction)

    def close() -> None:
        for key in order:
            value = run.pop(key, Fraction())
            caused[key] += (2 * value.numerator + value.denominator) // (2 * value.denominator)

    by_day = defaultdict(list)
    for day, cents, kind in paid:
        by_day[day].append((cents, kind))
    today = JAN
    while today <= end:
        points = RATES[f"{today:%Y-%m}"].puntos
        points = (points if chosen.base == "usura" else (2 * points * 2 + 3) // 6) - 200
        leap = today.year % 4 == 0
        divisor = {"366": 366, "365": 365, "anual": 366 if leap else 365}[chosen.divisor]
        for key in order:
            if today >= begins[key]:
                run[key] += Fraction(capital[key] * points, 10_000 * divisor)
        tomorrow = today + timedelta(days=1)
        if by_day[today] or tomorrow.month != today.month:
            close()
        for cents, kind in sorted(by_day[today], key=lambda one: one[1] is not ClaseAbono.NOTA_CREDITO):
            left = cents
            steps = ["interest", "capital"] if chosen.imputacion == "intereses" else ["capital", "interest"]
            for step in steps if kind is ClaseAbono.PAGO else ["capital"]:
                for key in order:
                    if step == "interest":
                        take = min(left, caused[key] - settled[key])
                        settled[key] += take
                    else:
                        take = min(left, capital[key])
                        capital[key] -= take
                    left -= take
        today = tomorrow
    close()
    return sum(caused.values())


@settings(max_examples=120, deadline=None)
@given(debts, payments, choices, days)
def test_the_total_is_what_a_walk_over_every_day_gives(
    debts: list[tuple[int, date]], paid: list[tuple[date, int, ClaseAbono]], chosen: Parametros, end: date
) -> None:
    found = liquidar(build(debts, paid), RATES, chosen, end)
    assert found.causados == sum(one.interes or 0 for one in found.lineas)
    assert found.causados == naive(debts, paid, chosen, end)


@settings(max_examples=100, deadline=None)
@given(debts, payments, choices, days)
def test_every_centavo_of_capital_and_of_payments_is_somewhere(
    debts: list[tuple[int, date]], paid: list[tuple[date, int, ClaseAbono]], chosen: Parametros, end: date
) -> None:
    built = build(debts, paid)
    found = liquidar(built, RATES, chosen, end)
    assert built.capital == found.capital + found.sin_intereses + sum(one.capital for one in found.imputaciones)
    for one in found.imputaciones:
        assert one.abono.valor == one.intereses + one.capital + one.exceso
        assert one.intereses == 0 or one.abono.clase is ClaseAbono.PAGO
    assert all(one.capital >= 0 and one.pendientes >= 0 for one in found.saldos)
    assert sum(one.causados for one in found.saldos) == found.causados


@given(money, days, st.integers(0, 200), st.integers(0, 200), st.integers(0, 6000))
def test_cutting_an_interval_anywhere_changes_nothing_before_rounding(
    capital: int, first: date, one: int, two: int, rate: int
) -> None:
    last = first + timedelta(days=one + two)
    middle = first + timedelta(days=one)

    def exact(*parts: tuple[date, date]) -> Fraction:
        return sum(
            (
                interes_exacto(capital, rate, (until - since).days + 1, 366)
                for begin, end in parts
                for since, until in tramos(begin, end)
            ),
            Fraction(),
        )

    assert exact((first, last)) == exact((first, middle), (middle + timedelta(days=1), last))


@settings(max_examples=80, deadline=None)
@given(debts, payments, choices, days, st.integers(0, 60))
def test_interest_never_shrinks_with_a_later_day(
    debts: list[tuple[int, date]],
    paid: list[tuple[date, int, ClaseAbono]],
    chosen: Parametros,
    end: date,
    more: int,
) -> None:
    built = build(debts, paid)
    before = liquidar(built, RATES, chosen, end).causados
    assert liquidar(built, RATES, chosen, end + timedelta(days=more)).causados >= before


@given(days, days)
def test_no_capital_no_interest(since: date, end: date) -> None:
    assert liquidar(case(owed("a", 0, since)), RATES, Parametros(), end).lineas == []


def of(concept: Concepto, end: date, *paid: Abono, **chosen: str) -> Resultado:
    return liquidar(case(concept, paid=paid), RATES, elegir(chosen), end)


def test_one_month_by_hand() -> None:
    # 10,000,000 pesos; 24.00 % less 2 points; 31 days of January; 366: 186,338.797… pesos.
    found = of(owed("a", 1_000_000_000, JAN), date(2025, 1, 31))
    assert [(one.dias, one.tasa, one.interes) for one in found.lineas] == [(31, 2200, 18_633_880)]
    assert of(owed("a", 1_000_000_000, JAN), date(2025, 1, 31), divisor="365").causados == 18_684_932
    assert of(owed("a", 1_000_000_000, JAN), date(2025, 1, 31), redondeo="peso").causados == 18_633_900


def test_the_first_day_and_the_day_of_payment_count() -> None:
    found = of(
        owed("a", 36_600_000_000, JAN), date(2025, 1, 20), payment(date(2025, 1, 10), 36_600_000_000 + 220_000_00)
    )
    assert [(one.desde.day, one.hasta.day) for one in found.lineas] == [(1, 10), (11, 20)]
    assert found.lineas[0].interes == 36_600_000_000 * 22 * 10 // 36_600
    assert found.lineas[1].capital == found.lineas[0].interes - 220_000_00  # interest was paid first


def test_to_capital_first_leaves_interest_owed() -> None:
    paid = payment(date(2025, 1, 10), 36_600_000_000)
    found = of(owed("a", 36_600_000_000, JAN), date(2025, 3, 1), paid, imputacion="capital")
    assert (found.capital, found.pendientes) == (0, 220_000_000)
    assert len(found.lineas) == 1


def test_a_payment_before_the_debt_is_due_lowers_it_without_interest() -> None:
    found = of(owed("a", 1_000_000, date(2025, 3, 1)), date(2025, 3, 31), payment(date(2025, 2, 1), 400_000))
    assert {one.capital for one in found.lineas} == {600_000}


def test_a_payment_after_the_day_of_the_cut_is_not_seen() -> None:
    found = of(owed("a", 1_000_000, JAN), date(2025, 1, 31), payment(date(2025, 2, 1), 1_000_000))
    assert (found.capital, found.imputaciones) == (1_000_000, [])


def test_what_is_paid_beyond_the_debt_is_told() -> None:
    found = of(owed("a", 1_000_000, date(2025, 3, 1)), date(2025, 3, 31), payment(date(2025, 2, 1), 1_250_000))
    assert (found.exceso, found.capital, found.causados) == (250_000, 0, 0)
    assert any("más de lo que se debía" in one for one in found.avisos)


def test_a_month_without_rate_is_not_liquidated_and_says_so_and_the_rest_is() -> None:
    rates = {month: one for month, one in RATES.items() if month != "2025-02"}
    found = liquidar(case(owed("a", 1_000_000_000, JAN)), rates, Parametros(), date(2025, 3, 31))
    assert [one.interes is None for one in found.lineas] == [False, True, False]
    assert [(one.mes, one.dias) for one in found.vacios] == [("2025-02", 28)]
    assert any("2025-02" in one for one in found.avisos)
    whole = liquidar(case(owed("a", 1_000_000_000, JAN)), RATES, Parametros(), date(2025, 3, 31))
    assert found.causados == whole.causados - (whole.lineas[1].interes or 0)


def test_a_credit_note_takes_what_was_accepted_before_what_is_owed() -> None:
    accepted = Concepto("z", TipoConcepto.ACEPTADO, "", 300_000, motivo="Se aceptó.")
    built = case(owed("a", 700_000, JAN), accepted, paid=(payment(date(2025, 1, 5), 350_000, ClaseAbono.NOTA_CREDITO),))
    found = liquidar(built, RATES, Parametros(), date(2025, 1, 31))
    assert {one.concepto.clave: one.capital for one in found.saldos} == {"a": 650_000, "z": 0}


def test_a_payment_goes_to_what_is_owed_before_what_is_disputed() -> None:
    disputed = owed("d", 500_000, JAN - timedelta(days=90), TipoConcepto.EN_DISPUTA)
    built = case(disputed, owed("a", 500_000, JAN), paid=(payment(JAN - timedelta(days=1), 500_000),))
    found = liquidar(built, RATES, elegir({"disputa": "infundada"}), date(2025, 1, 31))
    assert {one.concepto.clave: one.capital for one in found.saldos} == {"a": 0, "d": 500_000}


def test_the_other_readings_stand_beside_with_their_source() -> None:
    built = case(owed("g", 1_000_000_000, date(2025, 4, 1), LIFTED))
    found = liquidar(built, RATES, Parametros(), date(2025, 6, 30))
    other = {(one.opcion.clave, one.opcion.valor): one for one in found.alternativas}
    early = other["glosa", "presentacion"]
    assert early.diferencia > 0
    assert early.opcion.cita == "D.L. 1281/2002; Res. 2284/2023, art. 7; 4"
    assert early.pendientes == liquidar(built, RATES, elegir({"glosa": "presentacion"}), date(2025, 6, 30)).pendientes
    assert other["glosa", "sesenta"].diferencia < 0
    assert other["divisor", "365"].diferencia > 0
    assert other["base", "bancario"].diferencia < 0
    assert ("dias", "calendario") not in other  # changes nothing here


def test_the_bank_rate_is_found_again_in_the_usury_rate() -> None:
    assert tasa_de_mora(2966, elegir({"base": "bancario"})) == 1977 - 200
    assert tasa_de_mora(2921, elegir({"base": "bancario"})) == 1947 - 200
    assert tasa_de_mora(100, Parametros()) == 0


@given(st.fractions(min_value=0, max_value=10**15))
def test_half_goes_up_once(exact: Fraction) -> None:
    assert redondear(exact, Parametros()) == (exact + Fraction(1, 2)).__floor__()
    assert redondear(exact, elegir({"redondeo": "peso"})) == 100 * (exact / 100 + Fraction(1, 2)).__floor__()


def test_the_table_of_parameters_tells_source_and_certainty_of_each() -> None:
    assert elegir() == Parametros()
    assert set(opciones()) == set(NOMBRES)
    for ones in opciones().values():
        assert all(one.texto and one.norma and one.certeza for one in ones)
    with pytest.raises(BadInput, match="no admite «360»"):
        opcion("divisor", "360")
    with pytest.raises(BadInput, match="no admite"):
        elegir({"antojo": "1"})


def test_bundled_rates_leave_out_the_months_that_nobody_certified() -> None:
    assert bundled()["2026-08"].puntos == 2966
    assert bundled()["2024-08"].puntos == 2921
    assert "2026-09" not in bundled()
    assert not read_rates("mes;tasa_ea_usura;fuente;verificacion\n2026-09;;pendiente;\n").rechazos


def test_a_bad_row_is_refused_by_its_number_and_the_rest_is_read() -> None:
    text = (
        'mes,tasa_ea_usura,fuente,verificacion\n2026-08,"29,66",SFC,V\n2026-13,20,SFC,V\n2026-07,-3,SFC,V\n'
        "2026-06,28.799,SFC,V\n2026-08,30,SFC,V\n2026-05,400,SFC,V\n2026-04,26.76,,V\n2026-03,25.52,SFC,\n2026-09,,SFC,\n"
    )
    found = read_rates(text)
    assert [(one.mes, one.puntos) for one in found.tasas] == [("2026-08", 2966), ("2026-03", 2552)]
    assert [one.partition(":")[0] for one in found.rechazos] == [
        "Fila 3",
        "Fila 4",
        "Fila 5",
        "Fila 6",
        "Fila 7",
        "Fila 8",
    ]
    assert found.ausentes == ("2026-09",)
    assert "falta la columna" in read_rates("a,b\n1,2\n").rechazos[0]
