"""`advance()`: the only function that changes a legal state, and `record_reading()` for documents opened.

Invariant: a move locks the thing, checks the page's version, asks the machine's table, sets the state and adds one
link to the chain of the case, in the caller's transaction. Lock order, always: things by (kind, id), then chain
heads by case (unsorted, half of the bulk acts deadlocked in trials; without the head row, chains forked).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from radica.audit.chain import GENESIS, link_hash, plain
from radica.audit.models import AccessLog, Apunte, ChainHead, LegalThing, Transition
from radica.kernel.db import insert_rows
from radica.kernel.errors import NotFound, StalePage

READINGS = "lecturas"
"""First part of the name of every chain of readings."""

_AT_ONCE = 500
"""Rows that one statement locks; far below what either database takes as parameters."""


@dataclass(frozen=True)
class Move:
    """One move to make. `expected_version` comes from the page the person saw; None when a process moves it."""

    thing: LegalThing
    event: StrEnum
    reason: str
    note: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    evidence: Sequence[str] = ()
    expected_version: int | None = None


def advance(
    session: Session,
    thing: LegalThing,
    event: StrEnum,
    *,
    actor: str,
    at: datetime,
    reason: str,
    note: str = "",
    facts: dict[str, Any] | None = None,
    evidence: Sequence[str] = (),
    expected_version: int | None = None,
) -> Transition:
    """Make one move; see `advance_all`."""
    move = Move(thing, event, reason, note, facts or {}, tuple(evidence), expected_version)
    return advance_all(session, [move], actor=actor, at=at)[0]


def advance_all(session: Session, moves: Sequence[Move], *, actor: str, at: datetime) -> list[Transition]:
    """Make several moves in one transaction, in the house's lock order; all or none.

    `at` is the business instant of the act (aware); the instant of writing is read from the database's clock.
    `evidence` are SHA-256 hex digests of sealed pieces. Raises StalePage when `expected_version` is not the
    present one, InvalidTransition when the table has no such move, NotFound when the thing is gone.
    """
    ordered = sorted(moves, key=lambda move: (move.thing.KIND, move.thing.id))
    session.flush()  # facts set on the things stand before their rows are read again under the lock
    lock_all(session, [move.thing for move in ordered])
    for move in ordered:
        if move.expected_version is not None and move.expected_version != move.thing.version:
            raise StalePage
    recorded_at = database_now(session)
    heads = _lock_heads(session, {move.thing.case_key for move in ordered})
    written = [
        _write(session, move, heads[move.thing.case_key], actor=actor, at=at, recorded_at=recorded_at)
        for move in ordered
    ]
    session.flush()
    return written


def note_fact(
    session: Session,
    thing: LegalThing,
    what: Apunte,
    *,
    actor: str,
    at: datetime,
    reason: str,
    note: str = "",
    facts: dict[str, Any] | None = None,
    evidence: Sequence[str] = (),
) -> Transition:
    """Write a fact in the chain of a thing whose state it does not change; the thing counts it as a move.

    A page that was drawn before it is stale, as after a move: what the person saw is not what there is.
    """
    lock_all(session, [thing])
    head = _lock_head(session, thing.case_key)
    thing.version = thing.version + 1
    state = str(thing.estado)
    move = Move(thing, what, reason, note, facts or {}, tuple(evidence))
    row = _append(session, move, head, state, state, actor=actor, at=at, recorded_at=database_now(session))
    session.flush()
    return row


def open_case(
    session: Session, thing: LegalThing, *, actor: str, at: datetime, reason: str, facts: dict[str, Any] | None = None
) -> Transition:
    """Write the first link of a thing just created (its initial state is its birth, not a move)."""
    return open_cases(session, [(thing, facts or {})], actor=actor, at=at, reason=reason)[0]


def open_cases(
    session: Session, born: Sequence[tuple[LegalThing, dict[str, Any]]], *, actor: str, at: datetime, reason: str
) -> list[Transition]:
    """Write the first links of several things just created, each with its facts; in a few statements for all."""
    session.flush()
    ordered = sorted(born, key=lambda pair: (pair[0].KIND, pair[0].id))
    heads = _lock_heads(session, {thing.case_key for thing, _ in ordered}, likely_new=True)
    recorded_at = database_now(session)
    rows = [
        _append(
            session,
            Move(thing, _Birth.CREAR, reason, facts=facts),
            heads[thing.case_key],
            "",
            str(thing.estado),
            actor=actor,
            at=at,
            recorded_at=recorded_at,
        )
        for thing, facts in ordered
    ]
    session.flush()
    return rows


def lock_all(session: Session, things: Sequence[LegalThing]) -> None:
    """Lock the rows in the house's order and re-read them. Raises NotFound when one is gone.

    Call it before setting facts on several things; `advance_all` calls it by itself.
    """
    wanted: dict[tuple[str, type[LegalThing]], set[int]] = {}
    for thing in things:
        wanted.setdefault((thing.KIND, type(thing)), set()).add(thing.id)
    for (_, kind), ids in sorted(wanted.items(), key=lambda item: item[0][0]):
        ordered = sorted(ids)
        for start in range(0, len(ordered), _AT_ONCE):
            part = ordered[start : start + _AT_ONCE]
            # Rows are locked after they were sorted, one by one, in this order; against each other, not against
            # rows that only point to them: those are written after locks of their own (it deadlocked in trials).
            found = session.scalars(
                select(kind)
                .where(kind.id.in_(part))
                .order_by(kind.id)
                .with_for_update(key_share=True)
                .execution_options(populate_existing=True)
            ).all()
            if len(found) != len(part):
                raise NotFound


def record_reading(
    session: Session,
    *,
    prestador_id: int,
    actor: str,
    action: str,
    purpose: str,
    object_: str,
    at: datetime,
    sha256: str | None = None,
    case_key: str | None = None,
) -> AccessLog:
    """Add one link to the provider's reading log; commit it before the first byte is sent (DESIGN section 7)."""
    head = _lock_head(session, readings_chain(prestador_id))
    recorded_at = database_now(session)
    row = AccessLog(
        prestador_id=prestador_id,
        seq=head.seq + 1,
        actor=actor,
        action=action,
        purpose=purpose,
        object=object_,
        sha256=sha256,
        case_key=case_key,
        at=at,
        recorded_at=recorded_at,
        prev_hash=head.hash,
    )
    row.hash = link_hash(reading_content(row))
    session.add(row)
    head.seq, head.hash, head.pendiente = row.seq, row.hash, True
    session.flush()
    return row


def history(session: Session, case_keys: Sequence[str]) -> list[Transition]:
    """Return the moves of the cases, newest first."""
    rows = session.scalars(
        select(Transition)
        .where(Transition.case_key.in_(case_keys))
        .order_by(Transition.at.desc(), Transition.id.desc())
    )
    return list(rows)


def database_now(session: Session) -> datetime:
    """Return the database's own clock (UTC; milliseconds on SQLite), which no caller can set."""
    if session.get_bind().dialect.name == "postgresql":
        value = session.execute(text("SELECT clock_timestamp()")).scalar_one()
        assert isinstance(value, datetime)
        return value
    raw = session.execute(text("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")).scalar_one()
    return datetime.fromisoformat(f"{raw}+00:00")


class _Birth(StrEnum):
    CREAR = "crear"


def _write(
    session: Session, move: Move, head: ChainHead, *, actor: str, at: datetime, recorded_at: datetime
) -> Transition:
    thing = move.thing
    before = thing.estado
    after = thing.MACHINE.next(before, move.event)
    thing.estado = after
    thing.version = thing.version + 1
    return _append(session, move, head, str(before), str(after), actor=actor, at=at, recorded_at=recorded_at)


def _append(
    session: Session,
    move: Move,
    head: ChainHead,
    before: str,
    after: str,
    *,
    actor: str,
    at: datetime,
    recorded_at: datetime,
) -> Transition:
    row = Transition(
        case_key=move.thing.case_key,
        seq=head.seq + 1,
        prestador_id=move.thing.prestador_id,
        thing=move.thing.KIND,
        thing_id=move.thing.id,
        event=str(move.event),
        from_state=before,
        to_state=after,
        actor=actor,
        at=at,
        recorded_at=recorded_at,
        reason=str(move.reason),
        note=move.note,
        facts=plain(move.facts),
        evidence=sorted(move.evidence),
        prev_hash=head.hash,
    )
    row.hash = link_hash(link_content(row))
    session.add(row)
    head.seq, head.hash, head.pendiente = row.seq, row.hash, True
    return row


_CONTENT = {
    "case": "case_key",
    "seq": "seq",
    "prestador": "prestador_id",
    "thing": "thing",
    "thing_id": "thing_id",
    "event": "event",
    "from": "from_state",
    "to": "to_state",
    "actor": "actor",
    "at": "at",
    "recorded_at": "recorded_at",
    "reason": "reason",
    "note": "note",
    "facts": "facts",
    "evidence": "evidence",
    "prev": "prev_hash",
}
"""What is hashed of a link, and the column that holds it."""


def link_content(row: Transition) -> dict[str, Any]:
    """Return what is hashed of a transition; the verifier uses the same."""
    return {name: getattr(row, column) for name, column in _CONTENT.items()}


def values_content(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is hashed of a transition that is not an object yet, from the values of its columns."""
    return {name: values[column] for name, column in _CONTENT.items()}


_READING = {
    "prestador": "prestador_id",
    "seq": "seq",
    "actor": "actor",
    "action": "action",
    "purpose": "purpose",
    "object": "object",
    "sha256": "sha256",
    "at": "at",
    "recorded_at": "recorded_at",
    "prev": "prev_hash",
}
"""What is hashed of a reading, and the column that holds it; the case too where it was told."""


def reading_content(row: AccessLog) -> dict[str, Any]:
    """Return what is hashed of a reading; the verifier uses the same. Readings from before cases were told have none."""
    content = {name: getattr(row, column) for name, column in _READING.items()}
    return content if row.case_key is None else {**content, "case": row.case_key}


def readings_chain(prestador_id: int) -> str:
    """Name the chain of a provider's readings, as its head and its leaves have it."""
    return f"{READINGS}:{prestador_id}"


def _lock_head(session: Session, case_key: str) -> ChainHead:
    return _lock_heads(session, {case_key})[case_key]


def _lock_heads(session: Session, case_keys: Collection[str], *, likely_new: bool = False) -> dict[str, ChainHead]:
    """Lock the heads in the order of their cases, making those that are missing; `likely_new` makes before it looks."""
    keys = sorted(case_keys)
    heads = {} if likely_new else _held_heads(session, keys)
    missing = [key for key in keys if key not in heads]
    if missing:
        values = [{"case_key": key, "seq": 0, "hash": GENESIS} for key in missing]
        insert_rows(session, ChainHead, values, again=True)
        heads |= _held_heads(session, missing)
    return heads


def _held_heads(session: Session, keys: Sequence[str]) -> dict[str, ChainHead]:
    found: dict[str, ChainHead] = {}
    for start in range(0, len(keys), _AT_ONCE):
        rows = session.scalars(
            select(ChainHead)
            .where(ChainHead.case_key.in_(keys[start : start + _AT_ONCE]))
            .order_by(ChainHead.case_key)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        found |= {head.case_key: head for head in rows}
    return found
