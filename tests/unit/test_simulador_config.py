"""Settings of the simulated portals: fault rules are seeded, count down, and refuse what they do not know."""

from __future__ import annotations

import pytest

from bots.simulador.config import Config, ConfigError, Dice, Rule, as_json, merge, parse_rule


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        (True, Rule(p=1.0)),
        (2, Rule(next=2)),
        (0.25, Rule(p=0.25)),
        ({"next": 1, "reason": "Sin contrato"}, Rule(next=1, reason="Sin contrato")),
        ({"invoices": ["fe1"]}, Rule(p=1.0, invoices=("FE1",))),
        (False, None),
        (None, None),
        (0, None),
    ],
)
def test_a_rule_may_be_written_in_several_ways(written: object, rule: Rule | None) -> None:
    assert parse_rule(written) == rule


@pytest.mark.parametrize(
    "changes",
    [
        {"latencia": 3},
        {"errors": {"502_despues": 1}},
        {"errors": {"502_after_save": {"veces": 1}}},
        {"layout": "v3"},
        {"acuse": "mail"},
        {"latency_ms": "300"},
        {"latency_ms": True},
        {"detect_duplicates": 0},
    ],
)
def test_what_the_simulator_does_not_know_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        merge(Config(), changes)


def test_faults_merge_by_mode_and_null_switches_one_off() -> None:
    first = merge(Config(), {"errors": {"reject": 1, "maintenance": True}})
    second = merge(first, {"errors": {"maintenance": None}, "captcha": True})
    assert dict(second.errors) == {"reject": Rule(next=1), "captcha": Rule(p=1.0)}


def test_a_counted_fault_strikes_exactly_so_often_and_only_its_invoices() -> None:
    dice = Dice(merge(Config(), {"errors": {"reject": {"next": 2, "invoices": ["FE1"]}}}))
    assert dice.strikes("reject", ("FE2",)) is None
    assert [dice.strikes("reject", ("fe1",)) is not None for _ in range(4)] == [True, True, False, False]


def test_the_same_seed_throws_the_same_dice() -> None:
    def thrown(seed: int) -> list[bool]:
        dice = Dice(merge(Config(), {"seed": seed, "502_after_save": 0.3}))
        return [dice.strikes("502_after_save") is not None for _ in range(200)]

    assert thrown(7) == thrown(7)
    assert thrown(7) != thrown(8)
    assert 30 < sum(thrown(7)) < 90


def test_passwords_are_not_told_to_who_reads_the_settings() -> None:
    assert "clave-p2-demo" not in str(as_json(Config()))
