"""First links of many new things at once, past the ORM; the same bytes as `open_cases` writes.

Invariant: a case that is born here has no chain yet, so its head and its first link are written together and no row
is locked; the unique key of `chain_heads` refuses a second birth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from radica.audit.chain import GENESIS, instant_text, link_hash, plain
from radica.audit.models import ChainHead, Transition
from radica.audit.services import database_now, values_content
from radica.kernel.db import insert_rows

BIRTH = "crear"
"""Event of every first link."""


@dataclass(frozen=True)
class Birth:
    """A thing just inserted: its kind, id, provider, initial state, and the facts of its first link."""

    kind: str
    thing_id: int
    prestador_id: int
    estado: str
    facts: dict[str, Any] = field(default_factory=dict)


def open_new_cases(session: Session, births: Sequence[Birth], *, actor: str, at: datetime, reason: str) -> None:
    """Write the first links of things just inserted. The rows of the things must be in the same transaction."""
    if not births:
        return
    recorded_at = database_now(session)
    texts = {"at": instant_text(at), "recorded_at": instant_text(recorded_at)}  # written once for all the hashes
    heads: list[dict[str, Any]] = []
    no_evidence: list[str] = []  # one for all: what is the same object is written as JSON once
    links: list[dict[str, Any]] = []
    for birth in sorted(births, key=lambda one: (one.kind, one.thing_id)):
        case_key = f"{birth.kind}:{birth.thing_id}"
        row = {
            "case_key": case_key,
            "seq": 1,
            "prestador_id": birth.prestador_id,
            "thing": birth.kind,
            "thing_id": birth.thing_id,
            "event": BIRTH,
            "from_state": "",
            "to_state": birth.estado,
            "actor": actor,
            "at": at,
            "recorded_at": recorded_at,
            "reason": reason,
            "note": "",
            "facts": plain(birth.facts),
            "evidence": no_evidence,
            "prev_hash": GENESIS,
        }
        row["hash"] = link_hash(values_content({**row, **texts}))
        links.append(row)
        heads.append({"case_key": case_key, "seq": 1, "hash": row["hash"]})
    insert_rows(session, ChainHead, heads)
    insert_rows(session, Transition, links)
