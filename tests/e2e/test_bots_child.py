"""The child's handshake with real processes: no `go`, no click; after `go` exactly one, whoever dies or sleeps."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bots import contract
from bots.contract import Category, Operation, Outcome
from bots.processes import family, kill_family
from bots.simulador.server import Handle, start
from tests.plugins import bots as rig


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Handle]:
    settings = {"validation_s": 0.1, "detect_duplicates": False}
    with start("p2", tmp_path / "ledger.db", config=settings) as handle:
        yield handle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "intento").mkdir()
    return tmp_path / "intento"


@pytest.fixture
def message(portal: Handle, folder: Path, tmp_path: Path) -> contract.Start:
    store = tmp_path / "almacen"
    store.mkdir()
    return rig.start(portal, folder, (rig.factura(store, "FE1001"),))


@pytest.fixture
def child(message: contract.Start, folder: Path) -> Iterator[rig.Child]:
    made = rig.Child(folder, message.attempt.marker)
    yield made
    made.close()
    kill_family(message.attempt.marker, folder)


def _ready(child: rig.Child, message: contract.Start) -> None:
    child.say(message)
    assert isinstance(child.until(contract.ReadyToSubmit), contract.ReadyToSubmit)


def _gone(message: contract.Start) -> bool:
    """True when no process of the attempt is left; a dying browser gets a moment."""
    end = time.monotonic() + 15
    while family(message.attempt.marker, Path(message.folder)):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _result(child: rig.Child) -> contract.Result:
    result = child.until(contract.Result)
    assert isinstance(result, contract.Result)
    child.end()
    return result


def test_the_pipe_closed_before_go_ends_everything(
    child: rig.Child, message: contract.Start, portal: Handle, folder: Path
) -> None:
    _ready(child, message)
    assert len(family(message.attempt.marker, folder)) > 2
    child.hang_up()
    child.end()
    assert _gone(message)
    left = contract.read_result(folder)
    assert left is not None
    assert left.outcome is Outcome.STOPPED
    assert portal.ledger.counts()["posts"] == 0


def test_the_pipe_closed_while_the_browser_works_ends_everything(
    child: rig.Child, message: contract.Start, portal: Handle
) -> None:
    portal.configure(latency_ms=20_000)
    child.say(message)
    child.until(contract.Progress)
    child.hang_up()
    child.end()
    assert _gone(message)


def test_sigterm_before_go_ends_everything(child: rig.Child, message: contract.Start, portal: Handle) -> None:
    _ready(child, message)
    child.process.terminate()
    child.end()
    assert _gone(message)
    assert portal.ledger.counts()["posts"] == 0


def test_stop_is_answered_and_nothing_pressed(child: rig.Child, message: contract.Start, portal: Handle) -> None:
    _ready(child, message)
    child.say(contract.Stop("la concesión venció"))
    result = _result(child)
    assert (result.outcome, result.why) == (Outcome.STOPPED, "la concesión venció")
    assert portal.ledger.counts()["posts"] == 0


def test_go_twice_is_one_click(child: rig.Child, message: contract.Start, portal: Handle) -> None:
    _ready(child, message)
    child.say(contract.Go("a"))
    child.say(contract.Go("b"))
    result = _result(child)
    assert (result.outcome, result.intent) == (Outcome.ACCEPTED, "a")
    assert portal.ledger.counts()["posts"] == 1


def test_a_session_lost_at_the_click_is_unknown_until_the_query(
    child: rig.Child, message: contract.Start, portal: Handle
) -> None:
    _ready(child, message)
    portal.configure(session_lost=1)
    child.say(contract.Go("intento-1"))
    result = _result(child)
    assert (result.outcome, result.code) == (Outcome.UNKNOWN, "sesion_perdida")
    assert portal.ledger.counts()["accepted"] == 0


def test_go_before_ready_is_no_permission(child: rig.Child, message: contract.Start, portal: Handle) -> None:
    child.say(message)
    child.say(contract.Go("demasiado pronto"))
    assert isinstance(child.until(contract.ReadyToSubmit), contract.ReadyToSubmit)
    child.hang_up()
    child.end()
    assert portal.ledger.counts()["posts"] == 0


def test_after_go_it_goes_on_with_nobody_listening(
    child: rig.Child, message: contract.Start, portal: Handle, folder: Path
) -> None:
    _ready(child, message)
    child.say(contract.Go("intento-1"))
    child.hang_up()
    child.until(contract.Progress)  # «Radicando»: the permission has arrived
    child.process.terminate()
    child.end(60)
    left = contract.read_result(folder)
    assert left is not None
    assert (left.outcome, left.intent, left.marker) == (Outcome.ACCEPTED, "intento-1", message.attempt.marker)
    assert portal.ledger.counts()["posts"] == 1
    assert _gone(message)


@pytest.mark.parametrize("point", ["child.got_go", "child.before_click"])
def test_a_go_that_grew_old_while_the_process_slept_is_refused(
    message: contract.Start, portal: Handle, point: str
) -> None:
    result = rig.run(message, {point: [["stop", 1.0, 5.3]]})
    assert (result.outcome, result.category, result.code) == (Outcome.NOT_SUBMITTED, Category.RETRY, "go_tardio")
    assert portal.ledger.counts()["posts"] == 0


@pytest.mark.parametrize(
    ("point", "posts"),
    [("child.prepared", 0), ("child.got_go", 0), ("child.before_click", 0), ("child.before_result", 1)],
)
def test_killed_at_any_point_it_never_presses_again_and_leaves_no_process(
    message: contract.Start, folder: Path, portal: Handle, point: str, posts: int
) -> None:
    child = rig.Child(folder, message.attempt.marker, {point: [["kill", 1.0]]})
    child.say(message)
    if point != "child.prepared":
        child.until(contract.ReadyToSubmit)
        child.say(contract.Go("intento-1"))
    assert child.until(contract.Result) is None
    assert child.end() == -signal.SIGKILL
    assert kill_family(message.attempt.marker, folder)
    assert portal.ledger.counts()["posts"] == posts
    assert contract.read_result(folder) is None


def test_killed_after_the_click_the_query_says_whether_it_was_filed(
    message: contract.Start, folder: Path, portal: Handle, tmp_path: Path
) -> None:
    child = rig.Child(folder, message.attempt.marker, {"child.after_click": [["kill", 1.0]]})
    child.say(message)
    child.until(contract.ReadyToSubmit)
    child.say(contract.Go("intento-1"))
    assert child.end() == -signal.SIGKILL
    assert kill_family(message.attempt.marker, folder)
    again = tmp_path / "consulta"
    again.mkdir()
    looked = rig.run(rig.start(portal, again, message.filing.facturas, operation=Operation.LOOK_UP))
    posts = portal.ledger.counts()["posts"]
    assert (posts, looked.outcome) in ((1, Outcome.FOUND), (0, Outcome.ABSENT))


def test_a_browser_that_stopped_answering_does_not_hold_the_child_beyond_its_limit(
    child: rig.Child, message: contract.Start, portal: Handle, folder: Path
) -> None:
    _ready(child, contract.Start(**{**vars(message), "portal": _limited(message.portal, 5)}))
    for process in family(message.attempt.marker, folder):
        if process.pid != child.process.pid:
            process.suspend()
    child.say(contract.Go("intento-1"))
    result = _result(child)
    assert (result.outcome, result.code) == (Outcome.NOT_SUBMITTED, "tiempo_agotado")
    assert _gone(message)
    assert portal.ledger.counts()["posts"] == 0


def test_a_browser_killed_after_the_click_is_unknown(child: rig.Child, message: contract.Start, portal: Handle) -> None:
    portal.configure(hang_after_save=1)
    _ready(child, message)
    child.say(contract.Go("intento-1"))
    end = time.monotonic() + 20
    while portal.ledger.counts()["posts"] == 0 and time.monotonic() < end:
        time.sleep(0.05)
    for process in psutil.Process(child.process.pid).children(recursive=True):
        os.kill(process.pid, signal.SIGKILL)
    result = _result(child)
    assert result.outcome is Outcome.UNKNOWN
    assert portal.ledger.counts()["posts"] == 1


def test_a_dead_browser_before_the_click_is_repeatable(
    child: rig.Child, message: contract.Start, portal: Handle
) -> None:
    _ready(child, message)
    for process in psutil.Process(child.process.pid).children(recursive=True):
        os.kill(process.pid, signal.SIGKILL)
    child.say(contract.Go("intento-1"))
    result = _result(child)
    assert (result.outcome, result.category) == (Outcome.NOT_SUBMITTED, Category.RETRY)
    assert portal.ledger.counts()["posts"] == 0


def test_a_deadline_before_go_is_repeatable(child: rig.Child, message: contract.Start, portal: Handle) -> None:
    portal.configure(latency_ms=20_000)
    child.say(contract.Start(**{**vars(message), "deadline_s": 4}))
    result = _result(child)
    assert (result.outcome, result.category) == (Outcome.NOT_SUBMITTED, Category.RETRY)


def test_a_first_line_that_is_no_start_ends_the_child_without_a_word(child: rig.Child) -> None:
    child.say(contract.Go("sin inicio"))
    assert child.end() == 4
    assert child.said == []


def _limited(portal: contract.Portal, seconds: int) -> contract.Portal:
    return contract.Portal(**{**vars(portal), "submit_limit_s": seconds})
