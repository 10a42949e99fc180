"""The money identity of a glosa and of an invoice, over ten thousand random histories and at its edges."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radica.glosas.balance import Balance, countable, new_balance
from radica.glosas.states import FINALES, GLOSA, EstadoGlosa, EventoGlosa
from radica.kernel.errors import BadInput

CENTS = st.integers(min_value=0, max_value=10**13)
HISTORIES = 10_000
V = EventoGlosa


@pytest.mark.parametrize(
    ("item", "already", "objected", "left", "counts"),
    [
        (400, 0, 300, 1000, 300),
        (400, 300, 300, 1000, 100),  # two causes on one item
        (400, 400, 300, 1000, 0),
        (400, 0, 900, 1000, 400),  # objected above the item
        (400, 0, 400, 50, 50),  # the invoice has less left than the item
        (None, 0, 900, 500, 500),
        (None, 0, 900, 0, 0),
        (None, 0, 0, 500, 0),  # SO61
        (400, 500, 300, 1000, 0),  # what an earlier version counted too much is not taken back
        (None, 0, 300, -20, 0),
    ],
)
def test_what_counts_of_an_objection(item: int | None, already: int, objected: int, left: int, counts: int) -> None:
    assert countable(item, already, objected, left) == counts


@given(st.none() | CENTS, CENTS, CENTS, st.integers(min_value=-(10**13), max_value=10**13))
def test_what_counts_is_never_negative_nor_above_any_of_its_limits(
    item: int | None, already: int, objected: int, left: int
) -> None:
    counts = countable(item, already, objected, left)
    assert 0 <= counts <= objected
    assert counts <= max(0, left)
    if item is not None:
        assert counts <= max(0, item - already)


@given(CENTS, CENTS, CENTS)
def test_each_step_moves_exactly_its_amount(aceptado: int, levantado: int, resto: int) -> None:
    whole = new_balance(aceptado + levantado + resto)
    after = whole.accept(aceptado).lift(levantado)
    assert after == Balance(whole.valor, aceptado, levantado, resto)
    assert after.restore(aceptado) == Balance(whole.valor, 0, levantado, resto + aceptado)


@pytest.mark.parametrize("values", [(10, 5, 5, 1), (10, -1, 0, 11), (10, 0, 11, -1), (-1, 0, 0, -1)])
def test_amounts_that_do_not_add_up_are_refused(values: tuple[int, int, int, int]) -> None:
    with pytest.raises(BadInput):
        Balance(*values)


@pytest.mark.parametrize("amount", [-1, 101, 10**13])
def test_nothing_is_taken_from_dispute_that_is_not_there(amount: int) -> None:
    for step in (new_balance(100).accept, new_balance(100).lift):
        with pytest.raises(BadInput, match="en disputa hay"):
            step(amount)
    with pytest.raises(BadInput, match="lo aceptado es"):
        new_balance(100).accept(40).restore(41 if amount > 0 else -1)


def _money(event: V, balance: Balance, dice: random.Random) -> Balance:
    """What an event does to the money, as the acts do it."""
    part = dice.randint(0, balance.en_disputa)
    if event in (V.ACEPTAR, V.VENCER_RESPUESTA):
        return balance.accept(balance.en_disputa)
    if event in (V.ACEPTAR_PARTE, V.SUBSANAR):
        return balance.accept(part)
    if event is V.LEVANTAR:
        return balance.lift(balance.en_disputa)
    if event in (V.LEVANTAR_PARTE, V.CONCILIAR_PARTE):
        return balance.lift(part).accept(
            dice.randint(0, balance.en_disputa - part) if event is V.CONCILIAR_PARTE else 0
        )
    if event is V.CONCILIAR:
        return balance.lift(part).accept(balance.en_disputa - part)
    return new_balance(0) if event is V.ANULAR else balance


def _history(dice: random.Random) -> tuple[int, dict[int, int], list[tuple[int | None, Balance]]]:
    """An invoice with items, some objections above their worth, and a random walk of each through the machine."""
    items = {number: dice.randint(0, 500_000) for number in range(dice.randint(1, 4))}
    invoice = dice.randint(0, sum(items.values()) + 1)
    used, by_item = 0, defaultdict[int, int](int)
    lines: list[tuple[int | None, Balance]] = []
    for _ in range(dice.randint(1, 5)):
        item = dice.choice([None, *items])
        objected = dice.randint(0, 700_000)
        counts = countable(items.get(item) if item is not None else None, by_item[item or 0], objected, invoice - used)
        used += counts
        if item is not None:
            by_item[item] += counts
        state, balance = EstadoGlosa.FORMULADA, new_balance(counts)
        for _ in range(dice.randint(0, 8)):
            choices = [event for (start, event) in GLOSA.table if start is state]
            if not choices:
                break
            event = V(dice.choice(choices))
            if state is EstadoGlosa.ACEPTADA_TACITA:
                balance = balance.restore(balance.aceptado)
            balance = _money(event, balance, dice)
            state = EstadoGlosa(GLOSA.next(state, event))
            if state in FINALES:
                assert balance.en_disputa == 0, (state, balance)
        lines.append((item, balance))
    return invoice, items, lines


def test_ten_thousand_random_histories_keep_every_identity() -> None:
    dice = random.Random(20261121)
    ended = defaultdict[str, int](int)
    for _ in range(HISTORIES):
        invoice, items, lines = _history(dice)
        assert sum(one.valor for _, one in lines) <= invoice
        for item, worth in items.items():
            assert sum(one.valor for number, one in lines if number == item) <= worth
        for _, one in lines:
            assert one.valor == one.aceptado + one.levantado + one.en_disputa
            ended["disputa" if one.en_disputa else "cerrada"] += 1
    assert min(ended["disputa"], ended["cerrada"]) > HISTORIES // 10, "the walks do not reach both ends"
