"""The arithmetic of a table: whatever is typed or asked by percentages, every line and every sum adds up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.conciliacion.simulate import WHOLE, Partida, Porcentaje, Reparto, check, simulate, spread, third, total
from radica.kernel.errors import BadInput
from radica.kernel.money import allocate

values = st.integers(min_value=1, max_value=10**13)
codes = st.sampled_from(["FA0201", "TA0801", "SO3401", "DE5601"])


@st.composite
def tables(draw: st.DrawFn) -> list[Partida]:
    return [
        Partida(number, draw(codes), draw(values), entera=draw(st.integers(0, 9)) == 0)
        for number in range(draw(st.integers(1, 40)))
    ]


@st.composite
def percents(draw: st.DrawFn) -> Porcentaje:
    accept = draw(st.integers(0, WHOLE))
    return Porcentaje(accept, draw(st.integers(0, WHOLE - accept)))


@given(tables(), percents())
def test_percentages_add_up_by_line_and_in_sum(lines: list[Partida], percent: Porcentaje) -> None:
    parts = spread(lines, percent)
    for line in lines:
        if line.id in parts:
            check(line.en_disputa, parts[line.id], entera=line.entera)
    divided = [line for line in lines if not line.entera]
    sums = total([parts[line.id] for line in divided])
    whole = sum(line.en_disputa for line in divided)
    rest = WHOLE - percent.acepta - percent.levanta
    assert [sums.aceptado, sums.levantado, sums.sigue] == allocate(whole, [percent.acepta, percent.levanta, rest])
    for line in divided:  # a line is never more than a centavo off its own percentage
        assert abs(parts[line.id].aceptado * WHOLE - line.en_disputa * percent.acepta) <= 2 * WHOLE


@given(tables(), st.dictionaries(codes, percents()))
def test_a_simulation_keeps_every_centavo(lines: list[Partida], wanted: dict[str, Porcentaje]) -> None:
    result = simulate(lines, wanted)
    assert sum(one.lineas for one in result) == len(lines)
    assert total([one.reparto for one in result]).en_disputa == sum(line.en_disputa for line in lines)
    for one in result:
        assert min(one.reparto.levantado, one.reparto.aceptado, one.reparto.sigue) >= 0


def test_what_is_not_divided_is_moved_whole_or_left() -> None:
    lines = [Partida(1, "DE5601", 1_000, entera=True), Partida(2, "DE5601", 999)]
    assert spread(lines, Porcentaje(5_000, 0)) == {2: Reparto(0, 500, 499)}
    assert spread(lines, Porcentaje(WHOLE, 0))[1] == Reparto(0, 1_000, 0)
    assert spread(lines, Porcentaje(0, WHOLE))[1] == Reparto(1_000, 0, 0)
    (one,) = simulate(lines, {"DE5601": Porcentaje(5_000, 0)})
    assert (one.indivisibles, one.reparto) == (1, Reparto(0, 500, 1_499))


@pytest.mark.parametrize(
    ("typed", "result"),
    [
        ((300, 200, None), Reparto(300, 200, 500)),  # the third follows
        ((300, None, 100), Reparto(300, 600, 100)),
        ((None, 200, 100), Reparto(700, 200, 100)),
        ((300, None, None), Reparto(300, 0, 700)),
        ((None, None, 400), Reparto(600, 0, 400)),
        ((None, None, None), Reparto(0, 0, 1000)),  # nothing typed: as it was
        ((300, 0, 1000), Reparto(300, 0, 700)),  # one field changed on the page: what stays gives way
        ((300, 200, 1000), Reparto(300, 200, 500)),
        ((0, 0, 250), Reparto(750, 0, 250)),  # only what stays was changed: it is lifted
        ((0, 400, 600), Reparto(0, 400, 600)),
        ((500, 500, 500), Reparto(500, 500, 500)),  # all three changed and they do not add up: refused by check
        ((1200, 0, 1000), Reparto(1200, 0, -200)),  # too much: refused by check
    ],
)
def test_two_are_typed_and_the_third_follows(typed: tuple[int | None, int | None, int | None], result: Reparto) -> None:
    assert third(1000, Reparto(0, 0, 1000), *typed) == result


@given(values, st.tuples(*[st.none() | st.integers(0, 10**13)] * 3))
def test_what_is_completed_adds_up_or_is_refused(value: int, typed: tuple[int | None, ...]) -> None:
    levantado, aceptado, sigue = typed
    result = third(value, Reparto(sigue=value), levantado, aceptado, sigue)
    if min(result.levantado, result.aceptado, result.sigue) >= 0 and result.en_disputa == value:
        assert check(value, result) == result
    else:
        with pytest.raises(BadInput):
            check(value, result)
    if None in typed:  # one was left to follow: it can only fail by being negative
        assert result.en_disputa == value


@pytest.mark.parametrize(("accept", "lift"), [(-1, 0), (0, WHOLE + 1), (6_000, 5_000)])
def test_what_is_no_percentage_is_refused(accept: int, lift: int) -> None:
    with pytest.raises(BadInput):
        Porcentaje(accept, lift)


def test_the_refusal_says_by_how_much() -> None:
    with pytest.raises(BadInput, match=r"sobran \$ 5"):
        check(1_000, Reparto(1_500, 0, 0))
    with pytest.raises(BadInput, match=r"faltan \$ 2"):
        check(1_000, Reparto(800, 0, 0))
    with pytest.raises(BadInput, match="toda la factura"):
        check(1_000, Reparto(800, 200, 0), entera=True)
