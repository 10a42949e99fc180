"""The payer's own record of what it received: one row per invoice of each final submit, accepted or not.

Invariant: a row is on disk (WAL, ``synchronous=FULL``) before the portal answers, and a radicado is never given twice,
not even after a reset. Money is kept as the decimal text that was received; times are UTC text, microseconds, ``Z``.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS numbers (id INTEGER PRIMARY KEY AUTOINCREMENT, given_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS submits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    post INTEGER NOT NULL,
    received_at TEXT NOT NULL,
    portal TEXT NOT NULL,
    provider_code TEXT NOT NULL,
    provider_nit TEXT NOT NULL,
    invoice TEXT NOT NULL,
    act TEXT NOT NULL,
    value TEXT,
    round INTEGER,
    files TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    reason TEXT NOT NULL,
    radicado TEXT,
    filed_at TEXT,
    visible_at TEXT,
    response TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS submits_invoice ON submits (invoice, provider_nit, act);
"""


@dataclass(frozen=True, slots=True)
class FileSeen:
    """One uploaded file as the payer saw it: SHA-256 as hex, size in bytes."""

    name: str
    sha256: str
    bytes: int
    role: str = ""


@dataclass(frozen=True, slots=True)
class Submit:
    """One invoice of one final submit, before or after it was numbered."""

    provider_code: str
    provider_nit: str
    invoice: str
    act: str
    value: str | None
    files: tuple[FileSeen, ...]
    accepted: bool = False
    reason: str = ""
    radicado: str | None = None
    filed_at: str | None = None
    response: str = "sent"
    round: int | None = None


def utc_text(moment: datetime) -> str:
    """UTC as text that sorts like time: ``2026-11-21T19:05:17.000000Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Ledger:
    """The SQLite file of one portal, shared by the request threads of one process."""

    def __init__(self, path: Path, portal: str) -> None:
        self._lock = Lock()
        self._portal = portal
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def file(
        self,
        submits: Sequence[Submit],
        *,
        at: datetime,
        lag_s: float,
        refuse_duplicates: bool,
        number: Callable[[int], str],
        duplicate: Callable[[str, str, str], str],
    ) -> tuple[Submit, ...]:
        """Record one final submit of 1..n invoices in one durable transaction and return the rows as recorded.

        ``number`` makes the radicado out of a serial that is never reused. With ``refuse_duplicates`` nothing is
        accepted when one of the invoices is already held; ``duplicate`` then makes the reason out of its number, date
        and radicado. ``lag_s`` is how long the query page hides the filing.
        """
        with self._lock, self._db:  # commits, or rolls back on an error
            self._db.execute("BEGIN IMMEDIATE")
            serial = self._db.execute("INSERT INTO numbers (given_at) VALUES (?)", (utc_text(at),)).lastrowid or 0
            rows = self._decide(submits, serial, number, duplicate if refuse_duplicates else None)
            for row in rows:
                self._insert(row, serial, at, lag_s)
        return rows

    def _decide(
        self,
        submits: Sequence[Submit],
        serial: int,
        number: Callable[[int], str],
        duplicate: Callable[[str, str, str], str] | None,
    ) -> tuple[Submit, ...]:
        for item in submits if duplicate else ():
            earlier = self._earlier(item.provider_nit, item.invoice, item.act)
            if duplicate and item.accepted and earlier is not None:
                reason = duplicate(item.invoice, str(earlier["filed_at"]), str(earlier["radicado"]))
                return tuple(replace(row, accepted=False, reason=reason) for row in submits)
        radicado = number(serial)
        return tuple(replace(row, radicado=radicado) if row.accepted else row for row in submits)

    def _insert(self, row: Submit, post: int, at: datetime, lag_s: float) -> None:
        visible = utc_text(at + timedelta(seconds=lag_s)) if row.accepted else None
        self._db.execute(
            "INSERT INTO submits (post, received_at, portal, provider_code, provider_nit, invoice, act, value, round,"
            " files, accepted, reason, radicado, filed_at, visible_at, response)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                post,
                utc_text(at),
                self._portal,
                row.provider_code,
                row.provider_nit,
                row.invoice,
                row.act,
                row.value,
                row.round,
                json.dumps([asdict(item) for item in row.files], ensure_ascii=False),
                int(row.accepted),
                row.reason,
                row.radicado,
                row.filed_at if row.accepted else None,
                visible,
                row.response,
            ),
        )

    def _earlier(self, nit: str, invoice: str, act: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute(
            "SELECT * FROM submits WHERE accepted = 1 AND provider_nit = ? AND invoice = ? AND act = ? ORDER BY id",
            (nit, invoice, act),
        ).fetchone()
        return row

    def earlier(self, nit: str, invoice: str, act: str) -> dict[str, Any] | None:
        """The first accepted filing of this invoice for this act, visible or not."""
        with self._lock:
            row = self._earlier(nit, invoice, act)
        return None if row is None else _plain(row)

    def visible(self, nit: str | None, invoice: str, at: datetime) -> list[dict[str, Any]]:
        """Accepted filings of an invoice that the query page shows at ``at``; ``nit=None`` for any provider."""
        with self._lock:
            rows = self._db.execute(
                "SELECT * FROM submits WHERE accepted = 1 AND invoice = ? AND visible_at <= ?"
                " AND (? IS NULL OR provider_nit = ?) ORDER BY id",
                (invoice, utc_text(at), nit, nit),
            ).fetchall()
        return [_plain(row) for row in rows]

    def recent(self, nit: str | None, at: datetime, limit: int = 20) -> list[dict[str, Any]]:
        """The last visible filings of a provider, newest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT * FROM submits WHERE accepted = 1 AND visible_at <= ? AND (? IS NULL OR provider_nit = ?)"
                " ORDER BY id DESC LIMIT ?",
                (utc_text(at), nit, nit, limit),
            ).fetchall()
        return [_plain(row) for row in rows]

    def by_radicado(self, radicado: str) -> list[dict[str, Any]]:
        """The rows of one radicado (several when an account holds several invoices)."""
        with self._lock:
            rows = self._db.execute("SELECT * FROM submits WHERE radicado = ? ORDER BY id", (radicado,)).fetchall()
        return [_plain(row) for row in rows]

    def last_accepted(self) -> dict[str, Any] | None:
        """The newest accepted row, whoever filed it: what a page that was not refreshed would still show."""
        with self._lock:
            row = self._db.execute("SELECT * FROM submits WHERE accepted = 1 ORDER BY id DESC LIMIT 1").fetchone()
        return None if row is None else _plain(row)

    def rows(self) -> list[dict[str, Any]]:
        """Everything received, oldest first."""
        with self._lock:
            rows = self._db.execute("SELECT * FROM submits ORDER BY id").fetchall()
        return [_plain(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Totals: ``duplicates`` = submits − distinct (NIT, invoice, act); ``duplicates_accepted`` among accepted."""
        with self._lock:
            row = self._db.execute(
                "SELECT count(*) AS submits, count(DISTINCT post) AS posts, coalesce(sum(accepted), 0) AS accepted,"
                " count(DISTINCT provider_nit || '|' || invoice || '|' || act) AS distinct_filings,"
                " count(DISTINCT CASE WHEN accepted = 1 THEN provider_nit || '|' || invoice || '|' || act END) AS held"
                " FROM submits"
            ).fetchone()
        return {
            "submits": row["submits"],
            "posts": row["posts"],
            "accepted": row["accepted"],
            "rejected": row["submits"] - row["accepted"],
            "distinct": row["distinct_filings"],
            "duplicates": row["submits"] - row["distinct_filings"],
            "duplicates_accepted": row["accepted"] - row["held"],
        }

    def reset(self) -> None:
        """Forget every row; the serial of the radicados goes on."""
        with self._lock:
            self._db.execute("DELETE FROM submits")


def duplicate_text(invoice: str, filed_at: str, radicado: str) -> str:
    """The sentence with which the payer says that it already holds an invoice; ``filed_at`` is ISO local time."""
    day = datetime.fromisoformat(filed_at).strftime("%d/%m/%Y")
    number = f" con el radicado {radicado}" if radicado else ""
    return f"La factura {invoice} ya fue radicada el día {day}{number}."


def _plain(row: sqlite3.Row) -> dict[str, Any]:
    document = dict(row)
    document["files"] = json.loads(document["files"])
    document["accepted"] = bool(document["accepted"])
    return document
