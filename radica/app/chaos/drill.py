"""The chaos drill: many filings through the real child and Chromium while everything is killed and paused.

Invariant: the portals detect no duplicates and keep a ledger of every submit; the drill ends by itself, touches only
processes that it started, and its figures come from ledgers and database (DESIGN section 5: change a rule of the
queue only with a run of this that shows why).
"""

from __future__ import annotations

import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from bots.faults import ENV_FAULTS
from bots.processes import kill_family
from radica.app.chaos.faults import Tormentor, fault_plan
from radica.app.chaos.timing import PREPARE_S, QUERY_LAG_S, RETRY_S, SETTLE_S, SUBMIT_S, TIMING
from radica.app.chaos.verdict import doubles, lost, standing
from radica.app.cli.children import Child, environment, start, stop_all
from radica.app.demo.casa import CLAVE_PORTALES, find_package, register_accounts, register_house
from radica.app.demo.catalog import P2, PAYERS, PROVIDERS
from radica.app.demo.check import read_ledger
from radica.app.demo.data import DemoPackage, generate, write_package
from radica.app.demo.show import portal_address
from radica.app.embedded_pg import postgres_database, postgres_server
from radica.app.schema import migrate
from radica.custodia.backends import open_store
from radica.facturas.intake import import_paths
from radica.facturas.tray import operator_scope
from radica.kernel.clock import Clock, civil_date
from radica.kernel.config import Settings, load_settings
from radica.kernel.db import Database
from radica.kernel.errors import Unavailable
from radica.portales.credentials import open_vault
from radica.portales.models import CuentaPortal
from radica.radicacion.models import Intento
from radica.radicacion.services import order_filings

WORKERS = 4
FAULT_P = 0.015
"""Chance of a death at each of nineteen named points, each visited about once an attempt."""
ERRORS = {
    "502_after_save": {"p": 0.03},
    "cut_connection_after_save": {"p": 0.03},
    "popup_never_shown": {"p": 0.02},
    "stale_page": {"p": 0.02},
}
PAUSES_S = (3.0, TIMING.lease_s + 2, SUBMIT_S + 3.0)

Say = Callable[[str], None]


@dataclass
class Drill:
    """One drill under way."""

    settings: Settings
    environ: dict[str, str]
    clock: Clock
    say: Say
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    portals: list[Child] = field(default_factory=list)
    urls: dict[str, str] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


def run_drill(
    *, trabajos: int, semilla: int, base: str, clock: Clock, say: Say, limit_s: float | None = None
) -> dict[str, Any]:
    """File `trabajos` invoices under fire and return the figures of the issue. `base`: sqlite or postgresql.

    Raises Unavailable when no PostgreSQL or no browser can be had.
    """
    begun = time.monotonic()
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="radica-caos-", ignore_cleanup_errors=True))
        )
        drill = _set_up(stack, folder, base, clock, say)
        log = folder / "fallos.jsonl"
        plan = fault_plan(semilla, str(log), lease_s=TIMING.lease_s, submit_s=SUBMIT_S, p=FAULT_P)
        drill.environ[ENV_FAULTS] = json.dumps(plan)
        db = Database(drill.settings.database_url)
        stack.callback(db.dispose)
        packages = _load(drill, db, folder, trabajos, semilla)
        stack.callback(_end, drill, db)
        _start_portals(drill, folder, packages, semilla)
        _order(drill, db, packages)
        tormentor = Tormentor(
            roots=lambda: [worker.pid for worker in drill.workers if worker.poll() is None],
            dice=random.Random(semilla),
            budget=max(2, trabajos // 2),
            pauses_s=PAUSES_S,
        )
        threads = [
            threading.Thread(target=_keep_workers, args=(drill, folder)),
            threading.Thread(target=tormentor.run),
        ]
        for thread in threads:
            thread.start()
        try:
            _wait(drill, db, trabajos, limit_s or 120.0 + 25.0 * trabajos)
        finally:
            tormentor.end()
            drill.done.set()
            for thread in threads:
                thread.join()
        rows = [_row(raw) for url in drill.urls.values() for raw in read_ledger(url)]
        deaths, pauses = _struck(log)
        return _figures(db, rows, trabajos, deaths + tormentor.muertes, pauses + tormentor.pausas, begun, say)


def _set_up(stack: ExitStack, folder: Path, base: str, clock: Clock, say: Say) -> Drill:
    environ = environment(os.environ)
    environ.pop("RADICA_DATABASE_URL", None)
    if base == "postgresql":
        server = stack.enter_context(postgres_server(os.environ))
        environ["RADICA_DATABASE_URL"] = stack.enter_context(postgres_database(server))
    settings = load_settings(environ, datos=str(folder / "datos"), running_as_root=os.geteuid() == 0)
    if settings.chromium is None:
        raise Unavailable("No hay un navegador para el ensayo.", todo="Ejecute radica doctor.")
    settings.ensure_folders()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    migrate(settings.database_url)
    return Drill(settings, environ, clock, say)


def _load(drill: Drill, db: Database, folder: Path, trabajos: int, semilla: int) -> list[DemoPackage]:
    """Invent the invoices and import them through the real intake."""
    drill.say(f"Preparando {trabajos} facturas…")
    today = civil_date(drill.clock())
    made = []
    for built in generate(seed=semilla, packages=trabajos, hoy=today, defects=False, archetypes={P2}):
        write_package(folder / "muestra", built)
        made.append(built.package)
    with db.write() as session:
        register_house(session, clave_hash="!", at=drill.clock())
    store = open_store(drill.settings)
    import_paths(
        db,
        store,
        [folder / "muestra"],
        operator_scope("ensayo"),
        clock=drill.clock,
        workdir=drill.settings.incoming,
    )
    return made


def _start_portals(drill: Drill, folder: Path, packages: list[DemoPackage], semilla: int) -> None:
    users = [{"usuario": p.nit, "clave": CLAVE_PORTALES, "nit": p.nit, "nombre": p.name} for p in PROVIDERS]
    for payer in PAYERS:
        if payer.archetype != P2 or all(one.payer_nit != payer.nit for one in packages):
            continue
        config = {
            "payer_name": payer.name,
            "detect_duplicates": False,
            "query_lag_s": QUERY_LAG_S,
            "latency_ms": 30,
            "seed": semilla,
            "users": users,
            "errors": ERRORS,
        }
        words = ["bots.simulador", "p2", "--port", "0", "--ledger", str(folder / f"libro-{payer.nit}.sqlite")]
        child = start(
            f"portal de {payer.name}",
            [*words, "--config", json.dumps(config)],
            environ=os.environ,
            log=folder / f"portal-{payer.nit}.log",
            read_output=True,
        )
        drill.portals.append(child)
        drill.urls[payer.nit] = portal_address(child)


def _order(drill: Drill, db: Database, packages: list[DemoPackage]) -> None:
    missing = next(iter(drill.urls.values()))
    urls = {payer.nit: drill.urls.get(payer.nit, missing) for payer in PAYERS}
    with db.write() as session:
        register_accounts(session, open_vault(drill.settings.keys), urls)
        session.execute(
            update(CuentaPortal).values(
                limite_preparar_s=PREPARE_S,
                limite_enviar_s=SUBMIT_S,
                asentamiento_s=SETTLE_S,
                perfil={"contrato": "EVENTO-2026", "message_limit_s": 6, "step_limit_s": 10, "reintento_s": RETRY_S},
            )
        )
    with db.write() as session:
        rows = [find_package(session, one) for one in packages]
        found = [row for row in rows if row is not None]
        ordered = order_filings(
            session,
            [row.id for row in found],
            prestador_ids=sorted({row.prestador_id for row in found}),
            actor="ensayo",
            at=drill.clock(),
        )
    if len(found) != len(packages) or ordered.rechazos:
        raise Unavailable("Las facturas del ensayo no quedaron listas; no se ensayó nada.", code="ensayo_sin_facturas")


def _keep_workers(drill: Drill, folder: Path) -> None:
    """Keep four workers alive; whoever dies is followed by another."""
    while not drill.done.wait(0.2):
        with drill.lock:
            alive = [worker for worker in drill.workers if worker.poll() is None]
            for dead in drill.workers:
                if dead not in alive:
                    _close_pipe(dead)
            drill.workers[:] = alive + [_start_worker(drill, folder) for _ in range(WORKERS - len(alive))]


def _start_worker(drill: Drill, folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "trabajadores.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "radica.app.chaos.worker", str(drill.settings.datos)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=drill.environ,
            start_new_session=True,
        )


def _wait(drill: Drill, db: Database, trabajos: int, limit_s: float) -> None:
    limit, next_word = time.monotonic() + limit_s, 0.0
    while time.monotonic() < limit:
        now = standing(db)
        if time.monotonic() >= next_word:
            drill.say(
                f"{now.cerrados} de {trabajos} cerradas, {now.abiertos} en camino, {now.espera_persona} con una persona"
            )
            next_word = time.monotonic() + 10
        if now.abiertos == 0 and now.desconocidos == 0:
            return
        time.sleep(0.5)
    drill.say("Se acabó el tiempo del ensayo con trabajo pendiente.")


def _end(drill: Drill, db: Database) -> None:
    """End what the drill started: workers, then whatever lives of any attempt, then the portals."""
    drill.done.set()
    for worker in drill.workers:
        worker.kill()
        worker.wait(timeout=10)
        _close_pipe(worker)
    with db.read() as session:
        attempts = list(session.execute(select(Intento.marker, Intento.carpeta)))
    for marker, carpeta in attempts[-3 * WORKERS :]:
        kill_family(marker, Path(carpeta))
    stop_all(drill.portals, patience_s=5)


def _close_pipe(worker: subprocess.Popen[bytes]) -> None:
    assert worker.stdin is not None
    worker.stdin.close()


def _struck(log: Path) -> tuple[int, int]:
    """Return deaths and pauses at named points; each line was written before its fault happened."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
    deaths = sum(line["action"] == "kill" for line in lines)
    return deaths, len(lines) - deaths


def _row(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "nit": raw["provider_nit"],
        "invoice": raw["invoice"],
        "act": raw["act"],
        "accepted": bool(raw["accepted"]),
        "radicado": raw["radicado"],
    }


def _figures(
    db: Database, rows: list[dict[str, Any]], trabajos: int, deaths: int, pauses: int, begun: float, say: Say
) -> dict[str, Any]:
    missing = lost(db, rows)
    for number in missing:
        say(f"Sin dueño o sin acuerdo con el portal: {number}")
    now = standing(db)
    return {
        "trabajos": trabajos,
        "muertes": deaths,
        "pausas": pauses,
        "radicados_en_portal": len({(row["nit"], row["invoice"], row["act"]) for row in rows if row["accepted"]}),
        "dobles": doubles(rows),
        "perdidos": len(missing),
        "desconocidos_al_final": now.desconocidos,
        "espera_persona": now.espera_persona,
        "segundos": round(time.monotonic() - begun, 1),
    }


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the drill's own process from logging over its progress."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
