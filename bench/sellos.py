"""Seals: one over 100,000 new heads on both databases, ten new among a million old, and the check of a proof.

The floor of a seal is the bare driver that writes as many rows of leaves in one transaction (PostgreSQL: COPY). After
it, all is computed again from the leaves' content, and a proof of each of a thousand leaves is checked.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from os import environ
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import select, text

import radica.app.tables  # noqa: F401 - a session must know every table
from radica.app.embedded_pg import postgres_database, postgres_server
from radica.app.schema import migrate
from radica.audit import merkle
from radica.custodia import sellos
from radica.custodia.arbol import leaf_bytes
from radica.custodia.pruebas import proof_of, recompute_root
from radica.custodia.seal_models import Hoja
from radica.kernel.clock import fixed_clock
from radica.kernel.db import Database

HEADS, OLD, NEW = 100_000, 1_000_000, 10
PROOFS = 1000
GOAL_SEAL_S, GOAL_PROOF_MS = 3.0, 1.0
CLOCK = fixed_clock(datetime(2026, 11, 20, 15, tzinfo=UTC))
_ADD = {
    "sqlite": """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
        INSERT INTO chain_heads (case_key, seq, hash, pendiente)
        SELECT :prefix || ':' || i, 1, lower(hex(randomblob(32))), :waits FROM n""",
    "postgresql": """
        INSERT INTO chain_heads (case_key, seq, hash, pendiente)
        SELECT :prefix || ':' || i, 1, encode(sha256(CAST(:prefix || i AS bytea)), 'hex'), :waits
        FROM generate_series(1, :count) AS i""",
}


def run() -> dict[str, Any]:
    """Measure both databases; `cumple` says whether the goals are met."""
    with tempfile.TemporaryDirectory(prefix="radica-bench-") as folder:
        found = {"sqlite": _measure(f"sqlite:///{Path(folder) / 'a.sqlite'}", _floor_sqlite)}
    with postgres_server(environ) as server, postgres_database(server) as url:
        found["postgresql"] = _measure(url, _floor_postgres)
    return {**found, "cumple": all(one["cumple"] for one in found.values())}


def _measure(url: str, floor: Callable[[str], float]) -> dict[str, Any]:
    migrate(url)
    db = Database(url)
    bare = floor(url)
    _add(db, "factura", HEADS, waits=True)
    seconds = _timed(lambda: sellos.seal(db, clock=CLOCK))
    _add(db, "vieja", OLD, waits=False)
    few = []
    for turn in range(5):
        _add(db, f"nueva{turn}", NEW, waits=True)
        few.append(_timed(lambda: sellos.seal(db, clock=CLOCK)))
    right, made_ms, checked_ms = _prove(db)
    db.dispose()
    return {
        "cabezas": HEADS,
        "segundos": round(seconds, 2),
        "suelo_s": round(bare, 2),
        "razon": round(seconds / bare, 2),
        "meta_s": GOAL_SEAL_S,
        "diez_nuevas_entre_un_millon_ms": round(statistics.median(few) * 1000, 1),
        "raiz_recalculada_igual": right,
        "prueba_sacada_ms": round(made_ms, 3),
        "prueba_verificada_ms": round(checked_ms, 4),
        "meta_prueba_ms": GOAL_PROOF_MS,
        "cumple": seconds < GOAL_SEAL_S and checked_ms < GOAL_PROOF_MS and right,
    }


def _add(db: Database, prefix: str, count: int, *, waits: bool) -> None:
    with db.write() as session:
        order = text(_ADD[session.get_bind().dialect.name])
        session.execute(order, {"prefix": prefix, "count": count, "waits": waits})
        if not db.is_sqlite:
            session.execute(text("ANALYZE chain_heads"))


def _timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    assert work() is not None
    return time.perf_counter() - started


def _prove(db: Database) -> tuple[bool, float, float]:
    """Return whether the root is that of the leaves, and the median milliseconds to take a proof out and to check it."""
    made, checked = [], []
    with db.read() as session:
        newest = sellos.last_seal(session)
        assert newest is not None
        right = recompute_root(session, newest.hojas) == bytes.fromhex(newest.raiz)
        for index in random.Random(7).sample(range(newest.hojas), PROOFS):
            row = session.scalars(select(Hoja).where(Hoja.indice == index)).one()
            started = time.perf_counter()
            proof = proof_of(session, row, sello=newest)
            made.append(time.perf_counter() - started)
            path, root = [bytes.fromhex(one) for one in proof.path], bytes.fromhex(newest.raiz)
            started = time.perf_counter()
            leaf = merkle.leaf_hash(leaf_bytes(row.tipo, row.nombre, row.seq, row.hash))
            right &= merkle.verify_inclusion(leaf, row.indice, newest.hojas, path, root)
            checked.append(time.perf_counter() - started)
    return right, statistics.median(made) * 1000, statistics.median(checked) * 1000


def _rows() -> list[tuple[Any, ...]]:
    return [(n, "cadena", f"factura:{n}", 1, f"{n:064d}", f"{n:064d}") for n in range(HEADS)]


def _floor_sqlite(url: str) -> float:
    rows = _rows()
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("CREATE TABLE suelo (indice INTEGER PRIMARY KEY, tipo, nombre, seq, hash, hoja)")
    connection.execute("CREATE UNIQUE INDEX suelo_u ON suelo (tipo, nombre, seq)")
    started = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO suelo VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.execute("DROP TABLE suelo")
    connection.close()
    return seconds


def _floor_postgres(url: str) -> float:
    rows = _rows()
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        connection.execute(
            "CREATE TABLE suelo (indice bigint PRIMARY KEY, tipo text, nombre text, seq int, hash text, hoja text,"
            " UNIQUE (tipo, nombre, seq))"
        )
        connection.commit()
        started = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy("COPY suelo FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        connection.commit()
        seconds = time.perf_counter() - started
        connection.execute("DROP TABLE suelo")
    return seconds
