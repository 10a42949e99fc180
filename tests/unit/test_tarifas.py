"""The comparison of billed lines with agreed prices: dates at borders, quantities, contracts, sums, and findings."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.entidades.tarifas import (
    Acuerdo,
    Cobrada,
    Comparacion,
    Dicho,
    Fallo,
    Lista,
    Pactado,
    ReglaAutorizacion,
    codigo_normal,
    comparar,
    con_factor,
    elegir_acuerdo,
    listas_del_dia,
)
from radica.facturas.tarifa_factura import hallazgos_de_tarifa, huella_lineas, linea_congelada, lineas_de_rips
from radica.facturas.validacion.catalogo import contar

YEAR = date(2026, 1, 1)
DAY = date(2026, 5, 20)


def deal(
    id_: int = 1,
    numero: str = "CT-1",
    *,
    modalidad: str = "04",
    desde: date = YEAR,
    hasta: date | None = None,
    regla: ReglaAutorizacion | None = None,
) -> Acuerdo:
    return Acuerdo(id_, numero, "", modalidad, desde, hasta, None, regla or ReglaAutorizacion())


def price_list(
    id_: int = 1,
    *,
    contrato: int = 1,
    nombre: str = "General",
    version: int = 1,
    base: str = "PROPIA",
    desde: date = YEAR,
    hasta: date | None = None,
) -> Lista:
    return Lista(id_, contrato, nombre, version, base, 0, desde, hasta)


def line(code: str = "890201", value: int | None = 10_000, **more: object) -> Cobrada:
    return Cobrada(
        **{
            "ruta": "usuarios[0].servicios.consultas[0]",
            "tipo": "consultas",
            "codigo": code,
            "fecha": DAY,
            "valor": value,
            "autorizada": True,
            **more,
        }
    )  # type: ignore[arg-type]


def one(
    billed: Cobrada, prices: dict[str, list[int]], *, acuerdo: Acuerdo | None = None, listas: tuple[Lista, ...] = ()
) -> Comparacion:
    lists = listas or (price_list(),)
    table = {
        lists[0].id: {
            code: tuple(Pactado(lists[0], code, None, value) for value in values) for code, values in prices.items()
        }
    }
    return comparar([billed], [acuerdo or deal()], lists, table, dicho=Dicho(), fecha=DAY)


@pytest.mark.parametrize(
    ("value", "quantity", "says", "gap"),
    [
        (10_000, "1", Fallo.IGUAL, 0),
        (10_099, "1", Fallo.IGUAL, 99),
        (10_100, "1", Fallo.DE_MAS, 100),
        (9_900, "1", Fallo.DE_MENOS, -100),
        (30_000, "3", Fallo.IGUAL, 0),
        (25_000, "2.5", Fallo.IGUAL, 0),
        (0, "1", Fallo.DE_MENOS, -10_000),
    ],
)
def test_a_line_against_its_price_by_its_quantity(value: int, quantity: str, says: Fallo, gap: int) -> None:
    found = one(line(value=value, cantidad=Decimal(quantity)), {"890201": [10_000]}).lineas[0]
    assert (found.fallo, found.diferencia) == (says, gap)


def test_a_code_without_price_risks_the_whole() -> None:
    found = one(line("999999", 12_000), {"890201": [10_000]})
    assert found.lineas[0].fallo is Fallo.NO_PACTADO
    assert (found.sin_pactar, found.en_riesgo) == (12_000, 12_000)


def test_of_several_prices_the_nearest_is_compared_and_said() -> None:
    found = one(line(value=20_500), {"890201": [10_000, 20_000]}).lineas[0]
    assert (found.esperado, found.fallo) == (20_000, Fallo.DE_MAS)
    assert "2 precios" in found.nota


def test_an_own_price_goes_before_one_over_soat() -> None:
    soat, own = price_list(1, nombre="SOAT", base="SOAT"), price_list(2, nombre="Paquetes")
    table = {
        1: {"890201": (Pactado(soat, "39145", "890201", 10_000),)},
        2: {"890201": (Pactado(own, "890201", None, 12_000),)},
    }
    found = comparar([line(value=10_000)], [deal()], [soat, own], table, dicho=Dicho(), fecha=DAY).lineas[0]
    assert (found.esperado, found.fallo) == (12_000, Fallo.DE_MENOS)


def test_each_line_takes_the_version_of_its_own_day() -> None:
    old, new = price_list(1, version=1), price_list(2, version=2, desde=date(2026, 7, 1))
    table = {
        number: {"890201": (Pactado(ruling, "890201", None, value),)}
        for number, ruling, value in ((1, old, 100_00), (2, new, 120_00))
    }
    days = (date(2026, 6, 30), date(2026, 7, 1))
    found = comparar(
        [line(value=120_00, fecha=day) for day in days], [deal()], [old, new], table, dicho=Dicho(), fecha=DAY
    )
    assert [one.fallo for one in found.lineas] == [Fallo.DE_MAS, Fallo.IGUAL]
    assert [one.pactado.lista.version for one in found.lineas if one.pactado] == [1, 2]


@given(starts=st.lists(st.integers(0, 400), min_size=1, max_size=6), asked=st.integers(-10, 410))
def test_the_version_in_force_is_the_last_that_began(starts: list[int], asked: int) -> None:
    lists = [
        price_list(number, version=number, desde=YEAR + timedelta(days=gap)) for number, gap in enumerate(starts, 1)
    ]
    day = YEAR + timedelta(days=asked)
    began = [one for one in lists if one.desde <= day]
    found = listas_del_dia(lists, 1, day)
    assert found == ([max(began, key=lambda one: (one.desde, one.version))] if began else [])


def test_before_the_contract_and_after_its_end_there_is_none() -> None:
    ruled = deal(hasta=date(2026, 12, 31))
    for day, there in (
        (date(2025, 12, 31), False),
        (YEAR, True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 1), False),
    ):
        assert (elegir_acuerdo([ruled], day, Dicho())[0] is not None) is there


def test_the_invoice_names_its_contract_by_number_cucon_or_modality() -> None:
    event, package = deal(1, "CT-01 2026"), deal(2, "CT-02", modalidad="01")
    third = deal(3, "CT-03")
    assert elegir_acuerdo([event, third], DAY, Dicho(("ct01-2026",)))[0] is event
    assert elegir_acuerdo([event, package], DAY, Dicho((), "01"))[0] is package
    chosen, reason = elegir_acuerdo([event, third], DAY, Dicho())
    assert chosen is None
    assert "2 contratos vigentes" in reason
    assert elegir_acuerdo([event, third], DAY, Dicho(("OTRO",)))[0] is None
    assert elegir_acuerdo([event], DAY, Dicho(("OTRO",)))[0] is event, "one contract alone needs no name"


@pytest.mark.parametrize("modality", ["02", "03"])
def test_a_modality_without_prices_is_not_compared_and_said(modality: str) -> None:
    found = one(line(), {"890201": [1]}, acuerdo=deal(modalidad=modality))
    assert found.lineas[0].fallo is Fallo.NO_COMPARADA
    assert found.en_riesgo == 0
    assert "no llevan precio" in found.avisos[0]


def test_a_contract_without_list_says_so() -> None:
    found = comparar([line()], [deal()], [], {}, dicho=Dicho(), fecha=DAY)
    assert found.lineas[0].fallo is Fallo.SIN_TARIFARIO
    assert "CT-1 no tiene lista" in found.avisos[0]


@pytest.mark.parametrize(
    ("rule", "billed", "missing"),
    [
        (ReglaAutorizacion(todos=True), line(autorizada=False), True),
        (ReglaAutorizacion(todos=True), line(autorizada=True), False),
        (ReglaAutorizacion(todos=True), line(autorizada=None), False),
        (ReglaAutorizacion(todos=True), line(autorizada=False, urgente=True), False),
        (ReglaAutorizacion(todos=True), line(autorizada=False, tipo="urgencias", value=None), False),
        (ReglaAutorizacion(prefijos=("8902",)), line(autorizada=False), True),
        (ReglaAutorizacion(prefijos=("39",)), line(autorizada=False), False),
        (ReglaAutorizacion(hospitalizacion=True), line("", None, autorizada=False, tipo="hospitalizacion"), True),
        (ReglaAutorizacion(hospitalizacion=True), line(autorizada=False), False),
    ],
)
def test_which_lines_lack_the_authorisation_of_the_contract(
    rule: ReglaAutorizacion, billed: Cobrada, missing: bool
) -> None:
    assert one(billed, {"890201": [10_000]}, acuerdo=deal(regla=rule)).lineas[0].sin_autorizacion is missing


lines = st.builds(
    line,
    st.sampled_from(["890201", "890301", "999999", ""]),
    st.one_of(st.none(), st.integers(0, 10**13)),
    fecha=st.one_of(st.none(), st.dates(date(2025, 1, 1), date(2027, 12, 31))),
    cantidad=st.decimals(min_value="0.01", max_value="500", places=2),
    tipo=st.sampled_from(["consultas", "medicamentos", "urgencias", "hospitalizacion"]),
    autorizada=st.sampled_from([True, False, None]),
    urgente=st.booleans(),
)


@given(st.lists(lines, max_size=30), st.booleans())
def test_the_totals_are_the_sums_of_their_lines(billed: list[Cobrada], ask: bool) -> None:
    first, second = price_list(1), price_list(2, version=2, desde=date(2026, 7, 1))
    table = {
        number: {
            "890201": (Pactado(ruling, "890201", None, 55_555),),
            "890301": (Pactado(ruling, "890301", None, number * 1_000),),
        }
        for number, ruling in ((1, first), (2, second))
    }
    contract = deal(hasta=date(2027, 6, 30), regla=ReglaAutorizacion(todos=ask))
    found = comparar(billed, [contract], [first, second], table, dicho=Dicho(), fecha=DAY)
    assert [one.cobrada for one in found.lineas] == billed
    assert sum(found.cuenta.values()) == len(billed)
    assert sum(found.suma(fallo) for fallo in Fallo) == found.cobrado
    compared = [one for one in found.lineas if one.esperado is not None]
    small = sum(one.diferencia for one in compared if one.fallo is Fallo.IGUAL)
    assert (
        sum(one.cobrada.valor or 0 for one in compared)
        == sum(one.esperado or 0 for one in compared) + found.de_mas - found.de_menos + small
    )
    assert 0 <= found.en_riesgo <= found.cobrado
    for finding in contar(hallazgos_de_tarifa(found), DAY):
        assert "{" not in finding.mensaje + finding.arreglo
    assert huella_lineas([linea_congelada(one) for one in found.lineas]) == huella_lineas(
        [linea_congelada(one) for one in found.lineas]
    )


@pytest.mark.parametrize(
    ("base", "factor", "rounding", "made"),
    [
        (5_123_400, 0, "centena", 5_120_000),
        (5_125_000, 0, "centena", 5_130_000),
        (5_123_400, -1_050, "peso", 4_585_400),
        (5_123_400, -1_050, "centavo", 4_585_443),
        (100, 1_000, "peso", 100),
        (10_000, -9_999, "centavo", 1),
    ],
)
def test_a_price_out_of_its_base_is_rounded_once(base: int, factor: int, rounding: str, made: int) -> None:
    assert con_factor(base, factor, rounding) == made


@given(st.integers(0, 10**14), st.integers(-9_999, 100_000), st.sampled_from(["centavo", "peso", "centena"]))
def test_rounding_never_moves_a_price_by_more_than_half_its_unit(base: int, factor: int, rounding: str) -> None:
    unit = {"centavo": 1, "peso": 100, "centena": 10_000}[rounding]
    made = con_factor(base, factor, rounding)
    assert made % unit == 0
    assert abs(made * 10_000 - base * (10_000 + factor)) * 2 <= unit * 10_000


@pytest.mark.parametrize(
    ("text", "same"),
    [(" 89.02.01 ", "890201"), ("19934567-01", "19934567-1"), ("s1001", "S1001"), ("0019934567-1", "19934567-1")],
)
def test_codes_are_compared_without_what_programs_add(text: str, same: str) -> None:
    assert codigo_normal(text) == same


def test_the_services_of_a_rips_become_lines_without_their_patient() -> None:
    rips = {
        "usuarios": [
            {
                "consecutivo": 7,
                "numDocumentoIdentificacion": "1020304050",
                "servicios": {
                    "medicamentos": [
                        {
                            "codTecnologiaSalud": "19934567-1",
                            "cantidadMedicamento": "2.5",
                            "vrServicio": 25000,
                            "fechaDispensAdmon": "2026-05-20 08:00",
                            "numAutorizacion": " ",
                        }
                    ],
                    "procedimientos": [
                        {
                            "codProcedimiento": "881602",
                            "vrServicio": "70000",
                            "fechaInicioAtencion": "2026-02-30 08:00",
                            "numAutorizacion": "A1",
                            "grupoServicios": "05",
                        },
                        "nada",
                    ],
                    "hospitalizacion": [{"fechaInicioAtencion": "2026-05-20 08:00"}],
                    "consultas": None,
                },
            },
            None,
        ]
    }
    procedure, stay, drug = lineas_de_rips(rips)
    assert (drug.cantidad, drug.valor, drug.autorizada, drug.usuario) == (Decimal("2.5"), 2_500_000, False, 7)
    assert (procedure.fecha, procedure.urgente, procedure.autorizada) == (None, True, True)
    assert stay.valor is None
    assert "1020304050" not in repr((procedure, stay, drug))


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"usuarios": None},
        {"usuarios": {"a": 1}},
        {
            "usuarios": [
                {"servicios": {"consultas": [{"vrServicio": "1e99", "codConsulta": {}, "fechaInicioAtencion": 5}]}}
            ]
        },
    ],
)
def test_a_rips_that_is_none_stops_nothing(value: dict[str, object]) -> None:
    for one in lineas_de_rips(value):
        assert one.valor is None


def test_what_is_wrong_is_found_at_its_place_with_its_money() -> None:
    found = one(
        line(value=15_300, autorizada=False), {"890201": [10_000]}, acuerdo=deal(regla=ReglaAutorizacion(todos=True))
    )
    told = list(contar(hallazgos_de_tarifa(found), DAY))
    assert [(one.codigo, one.ruta) for one in told] == [
        ("TAR-DE-MAS", "usuarios[0].servicios.consultas[0].vrServicio"),
        ("TAR-SIN-AUTORIZACION", "usuarios[0].servicios.consultas[0].numAutorizacion"),
    ]
    assert "$ 53" in told[0].mensaje
    assert found.en_riesgo == 15_300, "once, and the whole without authorisation"


def test_a_code_of_zeros_without_end_is_no_trap():
    zeros = "0" * 1_000_000
    assert codigo_normal(zeros) == zeros
    assert codigo_normal("000-1") == "0-1"
    assert codigo_normal("00120-02") == "120-2"
