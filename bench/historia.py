"""History: links per second on both databases, every chain walked afterwards.

An append is `advance()` of one invoice: rows locked, table asked, state set, link hashed and written. It is measured
one to a transaction, and a hundred to one as bulk acts do; the goal is held against the latter, the former is told
beside it. The floor is the bare driver that writes the same rows (link inserted, head and invoice updated) in the same
pattern of transactions. PostgreSQL is written by 4 processes at once.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from os import environ
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import select

import radica.app.tables  # noqa: F401 - a session must know every table
from radica.app.embedded_pg import postgres_database, postgres_server
from radica.app.schema import migrate
from radica.audit.chain import GENESIS, link_hash
from radica.audit.models import ChainHead, Transition
from radica.audit.services import Move, advance, advance_all, link_content, open_cases
from radica.entidades.models import EstadoPrestador, Pagador, Prestador, TipoPagador
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura, EventoFactura
from radica.kernel.db import Database

IN_ONE = 100
APPENDS = {1: 600, IN_ONE: 3000}
"""Appends of one writer, by how many are in one transaction; each invoice comes back to where it began."""
WRITERS = 4
ROUNDS = 3
GOAL_PER_S = 1000
AT = datetime(2026, 11, 20, 15, tzinfo=UTC)
EVENTS = (EventoFactura.ABRIR_ENVIO, EventoFactura.CANCELAR_ENVIO)
EVIDENCE = ("a" * 64,)


def run() -> dict[str, Any]:
    """Measure both databases; `cumple` says whether appends in batches meet the goal and no chain is broken."""
    with tempfile.TemporaryDirectory(prefix="radica-bench-") as folder:
        found = {"sqlite": _measure(lambda n: _sqlite(Path(folder), n), writers=1)}
    with postgres_server(environ) as server:
        found["postgresql"] = _measure(lambda _: postgres_database(server), writers=WRITERS)
    return {**found, "cumple": all(one["cumple"] for one in found.values())}


@contextmanager
def _sqlite(folder: Path, number: int) -> Iterator[str]:
    yield f"sqlite:///{folder / f'{number}.sqlite'}"


def _measure(new_database: Callable[[int], Any], *, writers: int) -> dict[str, Any]:
    speeds: dict[str, list[float]] = {}
    broken = links = 0
    for number in range(ROUNDS):
        with new_database(number) as url:
            migrate(url)
            _fill(url, writers)
            for batch in (1, IN_ONE):
                for role in ("work", "floor"):
                    speeds.setdefault(f"{role}:{batch}", []).append(_race(role, url, writers, batch))
                    if role == "work":
                        walked, wrong = _walk(url)
                        links, broken = links + walked, broken + wrong
    found = {
        name: {
            "por_segundo": round(statistics.median(speeds[f"work:{batch}"])),
            "rondas": [round(one) for one in speeds[f"work:{batch}"]],
            "suelo_por_segundo": round(statistics.median(speeds[f"floor:{batch}"])),
            "razon": round(statistics.median(speeds[f"work:{batch}"]) / statistics.median(speeds[f"floor:{batch}"]), 3),
        }
        for name, batch in (("de_a_uno", 1), ("de_a_cien", IN_ONE))
    }
    met = found["de_a_cien"]["por_segundo"] >= GOAL_PER_S and not broken
    return {
        **found,
        "escritores": writers,
        "eslabones_revisados": links,
        "cadenas_rotas": broken,
        "meta_por_segundo": GOAL_PER_S,
        "cumple": met,
    }


def _fill(url: str, writers: int) -> None:
    db = Database(url)
    with db.write() as session:
        provider = Prestador(nit="900000001", nombre="IPS", estado=EstadoPrestador.ACTIVO, creado_at=AT)
        payer = Pagador(nit="800000001", nombre="EPS", tipo=TipoPagador.EPS)
        session.add_all([provider, payer])
        session.flush()
        rows = [_invoice(provider.id, payer.id, f"FE{n}") for n in range(writers * IN_ONE)]
        session.add_all(rows)
        open_cases(session, [(row, {}) for row in rows], actor="bench", at=AT, reason="importacion")
    db.dispose()


def _invoice(provider: int, payer: int, number: str) -> Factura:
    return Factura(
        prestador_id=provider, pagador_id=payer, numero=number, numero_clave=number, numero_digitos=number[2:],
        estado=EstadoFactura.LISTA, version=0, valor=100, valor_bruto=100, expedida_at=AT, creada_at=AT,
    )  # fmt: skip


def _walk(url: str) -> tuple[int, int]:
    """Return how many links there are and how many of them, or of the heads, are not what they must be."""
    db = Database(url)
    ends: dict[str, tuple[int, str]] = {}
    count = wrong = 0
    with db.read() as session:
        links = select(Transition).where(Transition.reason != "suelo").order_by(Transition.case_key, Transition.seq)
        for row in session.scalars(links.execution_options(yield_per=1000)):
            last, previous = ends.get(row.case_key, (0, GENESIS))
            good = row.seq == last + 1 and row.prev_hash == previous and row.hash == link_hash(link_content(row))
            count, wrong = count + 1, wrong + (not good)
            ends[row.case_key] = (row.seq, row.hash)
        heads = {row.case_key: (row.seq, row.hash) for row in session.scalars(select(ChainHead))}
    db.dispose()
    return count, wrong + (heads != ends)


def _race(role: str, url: str, writers: int, batch: int) -> float:
    """Start the writers, let them go at once, and return the appends per second of all."""
    command = [sys.executable, "-m", "bench.historia", role, url, str(batch)]
    racers = [
        subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(writers)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n", "a writer did not start"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = [json.loads(racer.communicate(timeout=600)[0]) for racer in racers]
    return sum(one["appends"] for one in told) / (max(one["end"] for one in told) - min(one["start"] for one in told))


# --- In the writers ---------------------------------------------------------------------------------------------------


def _wait_for_go() -> float:
    print("ready", flush=True)
    sys.stdin.readline()
    return time.perf_counter()


def _work(url: str, batch: int, number: int) -> tuple[int, float]:
    db = Database(url)
    with db.read() as session:
        ids = sorted(session.scalars(select(Factura.id)))[number * IN_ONE : (number + 1) * IN_ONE]
    started, done = _wait_for_go(), 0
    while done < APPENDS[batch]:
        event = EVENTS[done // IN_ONE % 2]
        with db.write() as session:
            if batch == 1:
                row = session.get_one(Factura, ids[done % IN_ONE])
                advance(session, row, event, actor="bench", at=AT, reason="x", facts={"n": done}, evidence=EVIDENCE)
            else:
                rows = session.scalars(select(Factura).where(Factura.id.in_(ids)))
                moves = [Move(row, event, "x", facts={"n": done}, evidence=EVIDENCE) for row in rows]
                advance_all(session, moves, actor="bench", at=AT)
        done += batch
    db.dispose()
    return done, started


_LINK = (
    "case_key", "seq", "prestador_id", "thing", "thing_id", "event", "from_state", "to_state", "actor", "at",
    "recorded_at", "reason", "note", "facts", "evidence", "prev_hash", "hash",
)  # fmt: skip


def _floor(url: str, batch: int, number: int) -> tuple[int, float]:
    """Write the same rows with the bare driver: chains of their own, that are not walked."""
    lite = url.startswith("sqlite")
    connection: Any
    if lite:
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30, isolation_level=None)
        connection.execute("PRAGMA synchronous=NORMAL")
    else:
        connection = psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)
    place = "?" if lite else "%s"
    # Our own names only.
    insert = f"INSERT INTO transitions ({', '.join(_LINK)}) VALUES ({', '.join([place] * len(_LINK))})"  # noqa: S608
    head = f"UPDATE chain_heads SET seq = seq, hash = hash, pendiente = pendiente WHERE case_key = {place}"  # noqa: S608
    invoice = f"UPDATE facturas SET estado = estado, version = version WHERE id = {place}"  # noqa: S608
    first = number * IN_ONE + 1
    provider = connection.execute("SELECT min(id) FROM prestadores").fetchone()[0]
    at = "2026-11-20T15:00:00.000000Z"
    started, done = _wait_for_go(), 0
    while done < APPENDS[batch]:
        connection.execute("BEGIN IMMEDIATE" if lite else "BEGIN")
        for _ in range(batch):
            case, serial = f"suelo:{number}:{batch}:{done % IN_ONE}", done // IN_ONE + 1
            digest = f"{batch:08d}{number:08d}{done:048d}"
            connection.execute(
                insert,
                (case, serial, provider, "factura", first, "x", "lista", "lista", "bench", at, at, "suelo", "",
                 '{"n":1}', f'["{EVIDENCE[0]}"]', GENESIS, digest),
            )  # fmt: skip
            connection.execute(head, (f"factura:{first + done % IN_ONE}",))
            connection.execute(invoice, (first + done % IN_ONE,))
            done += 1
        connection.execute("COMMIT")
    connection.close()
    return done, started


def _main(role: str, url: str, batch: str, number: str) -> None:
    done, started = (_work if role == "work" else _floor)(url, int(batch), int(number))
    print(json.dumps({"appends": done, "start": started, "end": time.perf_counter()}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
