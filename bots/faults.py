"""Named fault points: places where a rehearsal kills or stops this very process.

A no-op unless RADICA_FALLOS is set (JSON: {"seed": int, "log": path, "points": {name: [["kill", p], ["stop", p, seconds]]}}).
Invariant: the draw depends only on seed, marker (or pid), name and visit, so a rehearsal can be told again; each fault
is in the log before it happens, because a killed process cannot say it afterwards.
"""

import json
import os
import random
import signal
import subprocess
import time
from dataclasses import dataclass

ENV_FAULTS = "RADICA_FALLOS"
ENV_MARKER = "RADICA_INTENTO"


@dataclass(frozen=True)
class Action:
    """What happens at a point: `kill`, or `stop` for so many seconds, with a probability in [0, 1]."""

    kind: str
    probability: float
    seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """The faults of one rehearsal."""

    seed: int
    log: str
    points: dict[str, tuple[Action, ...]]


def parse(text: str) -> Plan:
    """Read a plan; ValueError when an action is not known or has the wrong shape."""
    raw = json.loads(text)
    points: dict[str, tuple[Action, ...]] = {}
    for name, actions in raw["points"].items():
        points[name] = tuple(_action(a) for a in actions)
    return Plan(int(raw["seed"]), str(raw["log"]), points)


def draw(plan: Plan, who: str, name: str, visit: int) -> Action | None:
    """The action of this visit (1 = first) or None. Pure: same arguments, same answer."""
    actions = plan.points.get(name, ())
    if not actions:
        return None
    at = random.Random(f"{plan.seed}|{who}|{name}|{visit}").random()
    upto = 0.0
    for action in actions:
        upto += action.probability
        if at < upto:
            return action
    return None


def point(name: str) -> None:
    """Pass the fault point `name`: nothing in production, perhaps death or a pause in a rehearsal."""
    text = os.environ.get(ENV_FAULTS)
    if not text:
        return
    plan = parse(text)
    _visits[name] = _visits.get(name, 0) + 1
    action = draw(plan, os.environ.get(ENV_MARKER) or str(os.getpid()), name, _visits[name])
    if action is None:
        return
    _record(plan.log, name, action)
    if action.kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    _stop(action.seconds)


def _action(raw: list[object]) -> Action:
    kind, probability, *rest = raw
    if kind not in ("kill", "stop") or len(rest) != (kind == "stop"):
        raise ValueError('a fault is ["kill", p] or ["stop", p, seconds]')
    return Action(str(kind), float(str(probability)), float(str(rest[0])) if rest else 0.0)


def _record(path: str, name: str, action: Action) -> None:
    line = {
        "point": name,
        "action": action.kind,
        "seconds": action.seconds,
        "pid": os.getpid(),
        "marker": os.environ.get(ENV_MARKER),
        "at": time.time(),
    }
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(fd, json.dumps(line).encode() + b"\n")
    finally:
        os.close(fd)


def _stop(seconds: float) -> None:
    # The alarm clock must survive the fence of this attempt, so it carries no marker and has its own session.
    env = {k: v for k, v in os.environ.items() if k not in (ENV_MARKER, ENV_FAULTS)}
    clock = subprocess.Popen(
        ["/bin/sh", "-c", f"sleep {seconds:.3f}; kill -CONT {os.getpid()}"],
        start_new_session=True,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _clocks.append(clock)
    os.kill(os.getpid(), signal.SIGSTOP)
    clock.poll()


_visits: dict[str, int] = {}
_clocks: list[subprocess.Popen[bytes]] = []
