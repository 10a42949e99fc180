"""The durable queue: enqueue, claim, heartbeat, intent, finish, reap (DESIGN section 5; every rule closes a hole).

Invariant: a job that may have reached a portal (its intent is written) is never ready again by itself; a lane works
for one job at a time; whoever comes late changes nothing, because every move is guarded by the claim's own token.
Functions on a Session (`…_in`, and those without a claim) join the caller's transaction; functions on a Database
open one of their own and commit it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from radica.jobs import statements as sql
from radica.jobs.clock import to_ms
from radica.jobs.driver import Link, short, within
from radica.jobs.models import Job, JobState, Lane
from radica.kernel.db import Database
from radica.kernel.errors import Unavailable

BACKOFF_BASE_S = 5
BACKOFF_CAP_S = 3600

_TRIES = 5  # a candidate may go stale between a statement's snapshot and its lock


@dataclass(frozen=True)
class Claimed:
    """A job in the hands of one worker. `token` is the fence: every later move must name it."""

    id: int
    kind: str
    payload: dict[str, Any]
    lane_id: int | None
    token: int
    attempts: int
    max_attempts: int
    subject: str | None
    prestador_id: int | None


@dataclass(frozen=True)
class Progress:
    """What a running job says of itself: a short Spanish text without health data, and `n` of `of` when it counts."""

    text: str
    n: int | None = None
    of: int | None = None


@dataclass(frozen=True)
class Done:
    """The work is done, with whatever business result."""


@dataclass(frozen=True)
class Retry:
    """It failed before anything left the house: again after a pause, or a dead letter after the last attempt.

    `delay_s` None means exponential back-off with jitter. Possible only before the intent.
    """

    code: str
    error: str = ""
    delay_s: float | None = None


@dataclass(frozen=True)
class Dead:
    """It cannot be done by trying again; a person sees it."""

    code: str
    error: str = ""


@dataclass(frozen=True)
class Unknown:
    """The intent is written and nobody can say whether the portal holds the filing. The lane stays taken."""

    code: str
    error: str = ""


Outcome = Done | Retry | Dead | Unknown


@dataclass(frozen=True)
class Reaped:
    """Ids of the jobs whose lease had run out, by what became of them."""

    unknown: list[int]
    requeued: list[int]
    dead: list[int]


# --- Coming in --------------------------------------------------------------------------------------------------


def enqueue(
    session: Session,
    kind: str,
    *,
    payload: Mapping[str, Any],
    prestador_id: int | None = None,
    lane_id: int | None = None,
    subject: str | None = None,
    priority: int = 100,
    delay_s: float = 0,
    max_attempts: int = 5,
    dedup: str | None = None,
) -> int:
    """Add a job in the caller's transaction, together with the fact that needs it, and return its id.

    Lower `priority` runs first. While a job with the same `dedup` is alive (ready, running or of unknown outcome)
    no second one is made, and the id of that one is returned.
    """
    link = within(session)
    values = {
        "kind": kind,
        "payload": json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
        "prestador_id": prestador_id,
        "lane_id": lane_id,
        "subject": subject,
        "priority": priority,
        "delay_ms": to_ms(delay_s),
        "max_attempts": max_attempts,
        "dedup": dedup,
    }
    for _ in range(_TRIES):
        rows = link.run(sql.ENQUEUE, values) or link.run(sql.ALIVE_WITH_DEDUP, {"dedup": dedup})
        if rows:
            return int(rows[0][0])
        # The twin ended between the two statements: the place is free now.
    raise Unavailable(
        "La cola está muy ocupada; no se guardó este cambio.", todo="Intente de nuevo.", code="cola_ocupada"
    )


# --- One job's life ---------------------------------------------------------------------------------------------


def claim_next(
    db: Database, owner: str, host: str, lease_s: float, kinds: Collection[str] | None = None
) -> Claimed | None:
    """Take the next job that may run now, with a new token and a lease of `lease_s`; None when there is none.

    Between lanes and jobs without a lane the order is priority, due time, id. `kinds` restricts what is taken.
    """
    values: dict[str, Any] = {"owner": owner, "host": host, "lease_ms": to_ms(lease_s)}
    statement = sql.CLAIM
    if kinds is not None:
        statement = sql.CLAIM_KINDS
        values["kinds"] = json.dumps(sorted(kinds))
    for _ in range(_TRIES):
        with short(db) as link:
            rows = link.run(statement, values)
            if rows and rows[0][0] is not None:
                claimed = _claimed(rows[0])
                if link.is_sqlite and claimed.lane_id is not None:
                    link.run(sql.TAKE_LANE, {"id": claimed.id, "lane": claimed.lane_id})
                return claimed
        if not rows or not rows[0][-1]:
            return None
    return None  # others were quicker each time: the caller polls again


def heartbeat(db: Database, claimed: Claimed, lease_s: float, progress: Progress | None = None) -> bool:
    """Extend the lease while preparing, and write the progress; False when the job is no longer ours: stop.

    A lease that ran out is not revived, and one that is submitting keeps its limit (the answer is still True).
    """
    values = {
        "id": claimed.id,
        "token": claimed.token,
        "lease_ms": to_ms(lease_s),
        "progress": progress.text[:200] if progress else None,
        "n": progress.n if progress else None,
        "of": progress.of if progress else None,
    }
    with short(db) as link:
        return bool(link.run(sql.HEARTBEAT, values))


def write_intent(db: Database, claimed: Claimed, submit_limit_s: float, intent_id: str) -> bool:
    """Write durably that the filing may happen from now on; False means stop, nothing may be submitted.

    True only while the claim is ours, not yet submitting, and its lease alive on the database's clock. From then
    on the lease is `submit_limit_s`, and running out of it means an unknown outcome.
    """
    with short(db, durable=True) as link:
        return _intent(link, claimed, submit_limit_s, intent_id)


def write_intent_in(session: Session, claimed: Claimed, submit_limit_s: float, intent_id: str) -> bool:
    """Do the same in the caller's short transaction, which must be `db.write(durable=True)`."""
    written = _intent(within(session), claimed, submit_limit_s, intent_id)
    _reread(session, claimed.id)
    return written


def _intent(link: Link, claimed: Claimed, submit_limit_s: float, intent_id: str) -> bool:
    values = {"id": claimed.id, "token": claimed.token, "intent_id": intent_id, "limit_ms": to_ms(submit_limit_s)}
    return bool(link.run(sql.INTENT, values))


def finish(db: Database, claimed: Claimed, *, outcome: Outcome) -> bool:
    """End the job and free its lane (not for Unknown); False when it came too late and nothing was changed."""
    with short(db) as link:
        return _finish(link, claimed, outcome)


def finish_in(session: Session, claimed: Claimed, *, outcome: Outcome) -> bool:
    """Do the same in the caller's transaction, which from here on holds the job and its lane: keep it short."""
    ended = _finish(within(session), claimed, outcome)
    _reread(session, claimed.id, claimed.lane_id)
    return ended


def _finish(link: Link, claimed: Claimed, outcome: Outcome) -> bool:
    values: dict[str, Any] = {"id": claimed.id, "token": claimed.token}
    if isinstance(outcome, Done):
        statement = sql.DONE
    else:
        values |= {"code": outcome.code[:60], "error": outcome.error}
        statement = {Retry: sql.RETRY, Dead: sql.DEAD, Unknown: sql.UNKNOWN}[type(outcome)]
    if isinstance(outcome, Retry):
        pause_s = outcome.delay_s
        values["delay_ms"] = backoff_ms(claimed.attempts, claimed.token) if pause_s is None else to_ms(pause_s)
    return bool(_move(link, statement, values, frees=not isinstance(outcome, Unknown)))


def backoff_ms(attempts: int, token: int) -> int:
    """Return the pause after the attempt `attempts` (1 is the first): doubled each time, ±25 % of jitter.

    The jitter is drawn from the claim's random token, so that jobs that failed together do not return together.
    """
    pause_s = min(BACKOFF_BASE_S << min(max(attempts, 1) - 1, 20), BACKOFF_CAP_S)
    return pause_s * (750 + token % 501)


# --- Lapsed leases and unknown outcomes ---------------------------------------------------------------------------


def reap(db: Database) -> Reaped:
    """Judge every lease that ran out: past its intent, unknown (keeps its lane); before it, ready again or dead."""
    with short(db) as link:
        return Reaped(
            unknown=_move(link, sql.REAP_UNKNOWN, {}, frees=False),
            dead=_move(link, sql.REAP_DEAD, {}, frees=True),
            requeued=_move(link, sql.REAP_READY, {}, frees=True),
        )


def release_lane(session: Session, job_id: int) -> bool:
    """Free the lane that a job of unknown (or settled) outcome still holds; call it only after its attempt is fenced."""
    freed = within(session).run(sql.RELEASE_LANE, {"id": job_id})
    _reread(session, job_id, *(row[0] for row in freed))
    return bool(freed)


def settle_unknown(session: Session, job_id: int, to: JobState) -> bool:
    """End a job of unknown outcome as done, dead or cancelled; False when it is not unknown (any more).

    `ready` is refused for whatever wrote an intent: a new attempt is a new job. The lane is not touched: it is free
    only when the attempt is fenced (`release_lane`), before or after this.
    """
    if to not in {JobState.READY, JobState.DONE, JobState.DEAD, JobState.CANCELLED}:
        raise ValueError(f"an unknown outcome cannot be settled as {to}")
    values: dict[str, Any] = {"id": job_id}
    if to is JobState.READY:
        settled = within(session).run(sql.SETTLE_READY, values)
    else:
        settled = within(session).run(sql.SETTLE, values | {"to": to.value})
    _reread(session, job_id)
    return bool(settled)


def cancel(session: Session, job_id: int) -> bool:
    """Cancel a job that nobody has taken yet; False when it is too late for that."""
    cancelled = within(session).run(sql.CANCEL, {"id": job_id})
    _reread(session, job_id)
    return bool(cancelled)


def _reread(session: Session, job_id: int, lane_id: int | None = None) -> None:
    """Let the session read again what the SQL changed behind its back."""
    for entity, id_ in ((Job, job_id), (Lane, lane_id)):
        loaded = None if id_ is None else session.identity_map.get(identity_key(entity, id_))
        if loaded is not None:
            session.expire(loaded)


def _move(link: Link, statement: sql.Sql, values: Mapping[str, Any], *, frees: bool) -> list[int]:
    """Run a guarded move; return the ids of what it moved. Its lanes are freed only if something moved."""
    ids = [int(row[0]) for row in link.run(statement, values)]
    if ids and frees and link.is_sqlite:
        link.run(sql.FREE_LANES, {"ids": json.dumps(ids)})
    return ids


def _claimed(row: tuple[Any, ...]) -> Claimed:
    id_, kind, payload, lane_id, token, attempts, max_attempts, subject, prestador_id = row[:9]
    return Claimed(
        id=id_,
        kind=kind,
        payload=json.loads(payload),
        lane_id=lane_id,
        token=token,
        attempts=attempts,
        max_attempts=max_attempts,
        subject=subject,
        prestador_id=prestador_id,
    )
