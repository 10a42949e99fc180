"""What the payer received about glosas: one row per item of each answer and one per closing, kept or not.

Invariant: a row is on disk (WAL, ``synchronous=FULL``) before the portal answers; every POST is counted, so that an item
answered twice or an account closed twice shows. Same file as the filings' ledger, tables of its own.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final

from bots.simulador.ledger import utc_text

ANSWER: Final = "respuesta"
CLOSING: Final = "cierre"
OPENING: Final = "apertura"

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS answer_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at TEXT NOT NULL,
    kind TEXT NOT NULL,
    account TEXT NOT NULL,
    invoice TEXT NOT NULL,
    provider_nit TEXT NOT NULL,
    round INTEGER NOT NULL,
    user TEXT NOT NULL,
    item TEXT NOT NULL,
    code TEXT NOT NULL,
    text TEXT NOT NULL,
    file_sha256 TEXT NOT NULL,
    bulk INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    again INTEGER NOT NULL,
    reason TEXT NOT NULL
);
"""
_FIELDS: Final = (
    *("kind", "account", "invoice", "provider_nit", "round", "user", "item", "code", "text", "file_sha256"),
    *("bulk", "kept", "again", "reason"),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing received. ``kept``: it changed the account; ``again``: the account or item had it already."""

    kind: str
    account: str
    invoice: str
    provider_nit: str
    round: int
    user: str
    item: str = ""
    code: str = ""
    text: str = ""
    file_sha256: str = ""
    bulk: int = 0
    kept: bool = True
    again: bool = False
    reason: str = ""


class AnswerLedger:
    """The events of one portal, shared by the request threads of one process."""

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def record(self, events: Sequence[Event]) -> None:
        """Add what one request brought, in one durable transaction."""
        at = utc_text(datetime.now(UTC))
        marks = ", ".join("?" * (len(_FIELDS) + 1))
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(
                f"INSERT INTO answer_events (received_at, {', '.join(_FIELDS)}) VALUES ({marks})",  # noqa: S608
                [(at, *(getattr(event, name) for name in _FIELDS)) for event in events],
            )

    def rows(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Everything received (of one kind), oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT * FROM answer_events WHERE ? IS NULL OR kind = ? ORDER BY id", (kind, kind)
            ).fetchall()
        return [{**dict(row), "kept": bool(row["kept"]), "again": bool(row["again"])} for row in rows]

    def counts(self) -> dict[str, int]:
        """Totals: POSTs and what was kept of them; ``*_again`` what came although the portal had it already."""
        counts = {}
        for kind, name in ((ANSWER, "answers"), (CLOSING, "closings")):
            rows = self.rows(kind)
            counts[name] = len(rows)
            counts[f"{name}_kept"] = sum(row["kept"] for row in rows)
            counts[f"{name}_again"] = sum(row["again"] for row in rows)
        return counts

    def reset(self) -> None:
        """Forget every row."""
        with self._lock:
            self._db.execute("DELETE FROM answer_events")
