"""The queue's SQL as text, and its back-off: what can be seen without a database."""

from __future__ import annotations

import re

import pytest

from radica.jobs import statements
from radica.jobs.models import JobState
from radica.jobs.queue import BACKOFF_BASE_S, BACKOFF_CAP_S, backoff_ms

ALL = {name: value for name, value in vars(statements).items() if isinstance(value, statements.Sql)}
MOVES = ["HEARTBEAT", "INTENT", "DONE", "DEAD", "RETRY", "UNKNOWN"]


def test_the_statements_are_found() -> None:
    assert len(ALL) > 20


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_word_is_filled_in_for_each_driver(name: str) -> None:
    both = ALL[name]
    assert not re.search(r"\[[a-z_]+\]", both.sqlite + both.postgresql)
    assert not re.search(r"(?<!:):[a-z]", both.postgresql), "a parameter of the other driver"
    assert "%(" not in both.sqlite


@pytest.mark.parametrize("name", MOVES)
def test_every_move_of_a_worker_names_its_token_and_a_running_job(name: str) -> None:
    where = " ".join(ALL[name].sqlite.rpartition("WHERE")[2].split())
    assert where.startswith("id = :id AND token = :token AND state = 'running'")


@pytest.mark.parametrize("name", sorted(ALL))
def test_states_are_literals(name: str) -> None:
    """A parameter would keep SQLite from its partial indexes; SETTLE alone writes one, and looks for a literal."""
    compared = re.findall(r"WHERE[^;]*?\bstate (?:=|<>) (\S+)", ALL[name].sqlite)
    assert all(re.fullmatch(r"'[a-z_]+'\)?,?", value) for value in compared), compared
    assert all(value.strip("'),") in set(JobState) for value in compared)


def test_only_the_statements_before_an_intent_make_ready() -> None:
    making = {name for name, both in ALL.items() if re.search(r"SET\s+state = (CASE [^,]*)?'ready'", both.sqlite)}
    assert making == {"RETRY", "REAP_READY", "SETTLE_READY"}
    assert "phase = 'preparing'" in ALL["RETRY"].sqlite
    assert "phase = 'preparing'" in ALL["REAP_READY"].sqlite
    assert "intent_id IS NULL" in ALL["SETTLE_READY"].sqlite


@pytest.mark.parametrize("attempts", [1, 2, 3, 9, 10, 11, 40, 10**6])
@pytest.mark.parametrize("token", [0, 1, 250, 500, 501, 2**53])
def test_backoff_doubles_up_to_its_cap_within_a_quarter(attempts: int, token: int) -> None:
    plain = min(BACKOFF_BASE_S * 2 ** min(attempts - 1, 30), BACKOFF_CAP_S) * 1000
    assert plain * 3 // 4 <= backoff_ms(attempts, token) <= plain * 5 // 4


def test_jobs_that_failed_together_do_not_return_together() -> None:
    assert len({backoff_ms(1, token) for token in range(1000)}) > 400
