"""Fault points: nothing without a plan, and with one the same faults for the same seed, told before they happen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bots import faults

ROOT = Path(__file__).resolve().parents[2]
HALF = {"seed": 7, "log": "x", "points": {"child.ready": [["kill", 0.25], ["stop", 0.25, 0.1]]}}


def _process(code: str, plan: dict[str, object] | None) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), faults.ENV_MARKER: "marca"}
    if plan is not None:
        env[faults.ENV_FAULTS] = json.dumps(plan)
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, timeout=60, check=False)


def test_the_draw_is_told_again_by_the_seed_and_differs_by_visit_and_marker() -> None:
    plan = faults.parse(json.dumps(HALF))
    first = [faults.draw(plan, "a", "child.ready", n) for n in range(400)]
    assert first == [faults.draw(plan, "a", "child.ready", n) for n in range(400)]
    assert first != [faults.draw(plan, "b", "child.ready", n) for n in range(400)]
    kinds = [action.kind if action else "none" for action in first]
    assert {kind: 60 < kinds.count(kind) < 260 for kind in ("kill", "stop", "none")} == dict.fromkeys(
        ("kill", "stop", "none"), True
    )
    assert faults.draw(plan, "a", "child.other", 1) is None


@pytest.mark.parametrize("action", [["burn", 1.0], ["stop", 1.0], ["kill", 1.0, 3]])
def test_an_action_of_another_shape_is_refused(action: list[object]) -> None:
    with pytest.raises(ValueError, match="fault is"):
        faults.parse(json.dumps({"seed": 1, "log": "x", "points": {"p": [action]}}))


def test_without_a_plan_a_point_is_nothing() -> None:
    done = _process("from bots import faults; faults.point('child.ready'); print('sigue')", None)
    assert done.stdout.strip() == b"sigue"


def test_a_kill_is_in_the_log_before_it_happens(tmp_path: Path) -> None:
    log = tmp_path / "log"
    plan: dict[str, object] = {"seed": 1, "log": str(log), "points": {"child.ready": [["kill", 1.0]]}}
    done = _process("from bots import faults; faults.point('child.ready'); print('sigue')", plan)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout == b""
    line = json.loads(log.read_text())
    assert (line["point"], line["action"], line["marker"]) == ("child.ready", "kill", "marca")


def test_a_stopped_process_is_continued_and_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    plan: dict[str, object] = {"seed": 1, "log": str(log), "points": {"child.ready": [["stop", 1.0, 0.2]]}}
    done = _process("from bots import faults; faults.point('child.ready'); print('sigue')", plan)
    assert done.stdout.strip() == b"sigue"
    assert json.loads(log.read_text())["action"] == "stop"
