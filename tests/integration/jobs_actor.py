"""What the queue tests run in other processes: `python -m tests.integration.jobs_actor ROLE URL …`.

Each role speaks one JSON document a line, so that the test knows how far it came before it kills or stops it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from radica.jobs.queue import Claimed, Done, claim_next, finish, write_intent
from radica.kernel.db import Database


def say(**fields: Any) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def work_off(db: Database, name: str) -> None:
    """Claim, write the intent and finish until nothing is left; tell each intent before the end (as a click would)."""
    say(ready=True)
    sys.stdin.readline()
    while (claimed := claim_next(db, name, "host", 60)) is not None:
        if write_intent(db, claimed, 60, f"i-{claimed.id}"):
            say(clicked=claimed.id, attempts=claimed.attempts)
        finish(db, claimed, outcome=Done())
    say(empty=True)


def wait_preparing(db: Database, lease_s: str) -> None:
    """Claim one job and wait; at a line of input try to write its intent, then to finish."""
    claimed = _claim(db, lease_s)
    sys.stdin.readline()
    say(intent=write_intent(db, claimed, 60, "late"), done=finish(db, claimed, outcome=Done()))


def wait_submitting(db: Database, lease_s: str) -> None:
    """Claim one job, write its intent and wait; at a line of input try to finish."""
    claimed = _claim(db, lease_s)
    say(intent=write_intent(db, claimed, 60, "intent-1"))
    sys.stdin.readline()
    say(done=finish(db, claimed, outcome=Done()))


def _claim(db: Database, lease_s: str) -> Claimed:
    claimed = claim_next(db, "actor", "host", float(lease_s))
    assert claimed is not None
    say(id=claimed.id, token=claimed.token)
    return claimed


ROLES: dict[str, Callable[..., None]] = {
    "work_off": work_off,
    "wait_preparing": wait_preparing,
    "wait_submitting": wait_submitting,
}

if __name__ == "__main__":
    database = Database(sys.argv[2])
    ROLES[sys.argv[1]](database, *sys.argv[3:])
    database.dispose()
