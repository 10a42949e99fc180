"""What a chaos drill does to its own processes: deaths and pauses, at every named point and at random.

Invariant: only processes that the drill started are touched, found as descendants of its own workers; a pause is
always followed by a continue; with the same seed the named points draw the same faults (DESIGN section 5).
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

BEFORE_INTENT = (
    "worker.claimed",
    "worker.began",
    "worker.before_intent",
    "child.started",
    "child.logged_in",
    "child.prepared",
    "child.ready",
)
AFTER_INTENT = (
    "worker.after_intent",
    "worker.after_go",
    "worker.got_result",
    "worker.before_seal",
    "worker.sealed",
    "worker.finished",
    "worker.before_reading",
    "child.got_go",
    "child.before_click",
    "child.after_click",
    "child.before_result",
    "child.after_result",
)
POINTS = BEFORE_INTENT + AFTER_INTENT


def fault_plan(seed: int, log: str, *, lease_s: float, submit_s: float, p: float) -> dict[str, object]:
    """Return the plan for RADICA_FALLOS: at each point a death, a pause past the lease, a pause past the intent."""
    short, long = lease_s + 2.0, submit_s + 3.0
    points = {name: [["kill", p], ["stop", p / 2, short]] for name in BEFORE_INTENT}
    # Six seconds make a `go` too old without ending the intent's lease; the long pause ends both.
    points |= {name: [["kill", p], ["stop", p / 3, 6.0], ["stop", p / 3, long]] for name in AFTER_INTENT}
    return {"seed": seed, "log": log, "points": points}


@dataclass
class Tormentor:
    """Kills and pauses random processes of the workers until its budget is spent. `roots`: ids of the workers."""

    roots: Callable[[], list[int]]
    dice: random.Random
    budget: int
    pauses_s: tuple[float, ...]
    muertes: int = 0
    pausas: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _sleepers: list[threading.Thread] = field(default_factory=list)

    def run(self) -> None:
        """Strike every second or so; to be run in a thread."""
        while self.budget > 0 and not self._stop.wait(self.dice.uniform(0.4, 1.8)):
            victim = self._victim()
            if victim is None:
                continue
            self.budget -= 1
            if self.dice.random() < 0.6:
                self._kill(victim)
            else:
                self._pause(victim, self.dice.choice(self.pauses_s))

    def end(self) -> None:
        """Strike no more, and wait until everything paused goes on."""
        self._stop.set()
        for sleeper in self._sleepers:
            sleeper.join()

    def _victim(self) -> psutil.Process | None:
        living: list[psutil.Process] = []
        for pid in self.roots():
            with suppress(psutil.Error):
                worker = psutil.Process(pid)
                living += [worker, *worker.children(recursive=True)]
        return self.dice.choice(sorted(living, key=lambda one: one.pid)) if living else None

    def _kill(self, victim: psutil.Process) -> None:
        with suppress(psutil.Error):
            victim.kill()
            self.muertes += 1

    def _pause(self, victim: psutil.Process, seconds: float) -> None:
        try:
            os.kill(victim.pid, signal.SIGSTOP)
        except OSError:
            return
        self.pausas += 1
        sleeper = threading.Thread(target=self._wake, args=(victim, seconds), daemon=True)
        self._sleepers.append(sleeper)
        sleeper.start()

    def _wake(self, victim: psutil.Process, seconds: float) -> None:
        self._stop.wait(seconds)
        with suppress(psutil.Error):  # psutil checks that the id is still the same process
            victim.resume()
