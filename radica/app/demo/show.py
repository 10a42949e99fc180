"""The demonstration: the main job on the embedded default, before the user's eyes, with payers that are simulated.

Invariant: it works through the same intake, queue, bots and custody as everything else; it never touches a folder
whose data it did not make; every process that it starts ends with it.
"""

from __future__ import annotations

import http.client
import json
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from radica.app.cli.bar import Bar
from radica.app.cli.children import Child, start, stop_all
from radica.app.cli.context import open_database
from radica.app.demo.casa import (
    CLAVE_PERSONAS,
    CLAVE_PORTALES,
    USERS,
    file_by_hand,
    order_bots,
    people_hash,
    register_accounts,
    register_house,
    register_keys,
)
from radica.app.demo.catalog import P1, PAYERS, PROVIDERS, Payer
from radica.app.demo.check import Verdict, judge, pending, read_ledger, settled
from radica.app.demo.data import MANUAL, RECHAZADA, SIN_NUMERO, DemoPackage, build_set
from radica.app.demo.expediente import await_dossier, judge_dossier, order_dossier
from radica.app.demo.glosas import payers_object
from radica.app.demo.sellos import environment_of, seal_all, start_authority
from radica.custodia.backends import open_store
from radica.facturas.intake import Summary, import_paths
from radica.facturas.keys import known_keys
from radica.facturas.tray import operator_scope
from radica.kernel.clock import Clock, civil_date
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, Unavailable
from radica.portales.credentials import open_vault

MARK = "demo.json"
WORKERS = 2
START_LIMIT_S = 60.0
STUCK_S = 300.0
"""Seconds without any progress after which the demonstration gives up waiting."""
POLL_S = 0.5
WEB_PORT = 8000

Say = Callable[[str], None]


@dataclass
class Demo:
    """One demonstration under way. `portals`: address by the payer's NIT; `hand`: by-hand packages to register."""

    settings: Settings
    clock: Clock
    say: Say
    stop: threading.Event
    children: list[Child] = field(default_factory=list)
    portals: dict[str, str] = field(default_factory=dict)
    packages: tuple[DemoPackage, ...] = ()
    objected: tuple[int, int] = (0, 0)  # lines loaded from the payers' files, and those that wait for a person


def settings_for(settings: Settings, folder: Path) -> Settings:
    """Return the settings of the demonstration: its own folder and embedded database, whatever else is configured."""
    return replace(settings, datos=folder, database_url=f"sqlite:///{folder / 'radica.sqlite'}", s3=None, tsa=())


def claim_folder(folder: Path, *, seed: int, packages: int, today: date) -> None:
    """Make a folder the demonstration's, or recognise it. Raises BadInput when it holds anything else."""
    wanted = {"semilla": seed, "paquetes": packages, "hoy": today.isoformat()}
    mark = folder / MARK
    if mark.exists():
        try:
            found = json.loads(mark.read_text(encoding="utf-8"))
        except ValueError:
            found = None
        if found != wanted:
            raise BadInput(
                "Esa carpeta tiene una demostración de otro día, otra semilla u otro tamaño; no se tocó.",
                todo="Indique otra carpeta con --datos, o borre esa.",
                code="carpeta_ocupada",
            )
        return
    if folder.exists() and any(folder.iterdir()):
        raise BadInput(
            "Esa carpeta ya tiene otras cosas; la demostración no se mezcla con datos que no son suyos.",
            todo="Indique una carpeta vacía con --datos.",
            code="carpeta_ocupada",
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mark.write_text(json.dumps(wanted) + "\n", encoding="utf-8")


def run(demo: Demo, *, seed: int, packages: int, once: bool, port: int | None) -> Verdict | None:
    """Do the demonstration. With `once`, return the verdict when the queue is empty; else serve until stopped."""
    today = civil_date(demo.clock())
    claim_folder(demo.settings.datos, seed=seed, packages=packages, today=today)
    demo.settings.ensure_folders()
    try:
        with open_database(demo.settings) as database:
            _prepare(demo, database, seed=seed, packages=packages, today=today)
            address = "" if demo.stop.is_set() else _start_house(demo, port)
            if not once and address:
                _welcome(demo, address)
            if not demo.stop.is_set():
                _order(demo, database, all_by_hand=once)
            _wait(demo, database)
            if not demo.stop.is_set():
                _object(demo, database)
            if once and not demo.stop.is_set():
                return _judge(demo, database)
            if not demo.stop.is_set():
                _after(demo, database, address)
                _serve(demo)
    finally:
        demo.say("Terminando los procesos de la demostración…")
        stop_all(demo.children)
    return None


def _prepare(demo: Demo, database: Database, *, seed: int, packages: int, today: date) -> None:
    """Invent the set, register who takes part, start the portals and import."""
    demo.say(f"Preparando {packages} facturas inventadas en {demo.settings.datos}…")
    made = build_set(demo.settings.datos / "muestra", seed=seed, packages=packages, hoy=today, mixed_delivery=True)
    demo.packages = made.packages
    hashed = people_hash()
    with database.write() as session:
        register_house(session, clave_hash=hashed, at=demo.clock())
    authority, demo.settings = start_authority(demo.settings, os.environ, limit_s=START_LIMIT_S)
    demo.children.append(authority)
    for payer in PAYERS:
        if payer.archetype is not None:
            demo.portals[payer.nit] = _start_portal(demo, payer)
    vault = open_vault(demo.settings.keys)
    with database.write() as session:
        register_accounts(session, vault, demo.portals)
        register_keys(session, vault, at=demo.clock())
    summary = _import(demo, database, made.folder)
    demo.say(
        f"Importadas: {summary.facturas_nuevas} facturas nuevas de {len(summary.archivos)} archivos"
        f" ({summary.facturas_completadas} ya estaban y recibieron documentos)."
    )


def _import(demo: Demo, database: Database, folder: Path) -> Summary:
    with Bar("Importando") as bar:
        return import_paths(
            database,
            open_store(demo.settings),
            [folder],
            operator_scope("demo"),
            clock=demo.clock,
            workdir=demo.settings.incoming,
            names=["muestra"],
            progress=bar.show,
            key_for=known_keys(database, open_vault(demo.settings.keys)),
        )


def _start_portal(demo: Demo, payer: Payer) -> str:
    """Start the simulated portal of a payer and return its address."""
    kind = "p1" if payer.archetype == P1 else "p2"
    ours = [one for one in demo.packages if one.payer_nit == payer.nit]
    config: dict[str, object] = {"payer_name": payer.name, "latency_ms": 100}
    if kind == "p1":
        silent = [one.number for one in ours if one.expected == SIN_NUMERO]
        config |= {"nits": [one.nit for one in PROVIDERS]}
        config |= {"popup_never_shown": {"invoices": silent}} if silent else {}
    else:
        refused = [one.number for one in ours if one.expected == RECHAZADA]
        reason = "El contrato citado en la factura no está registrado para este prestador."
        config |= {
            "users": [
                {"usuario": one.nit, "clave": CLAVE_PORTALES, "nit": one.nit, "nombre": one.name} for one in PROVIDERS
            ]
        }
        config |= {"reject": {"invoices": refused, "reason": reason}} if refused else {}
    ledger = demo.settings.datos / "portales" / f"{kind}-{payer.nit}.sqlite"
    ledger.parent.mkdir(exist_ok=True, mode=0o700)
    words = ["bots.simulador", kind, "--port", "0", "--ledger", str(ledger), "--config", json.dumps(config)]
    log = demo.settings.datos / "logs" / f"portal-{payer.nit}.log"
    child = start(f"portal de {payer.name}", words, environ=os.environ, log=log, read_output=True)
    demo.children.append(child)
    return portal_address(child)


def portal_address(child: Child) -> str:
    """Read the line with which a simulated portal says that it listens."""
    output = child.process.stdout
    assert output is not None
    with selectors.DefaultSelector() as ready:
        ready.register(output, selectors.EVENT_READ)
        line = output.readline() if ready.select(START_LIMIT_S) else b""
    try:
        return str(json.loads(line)["url"])
    except (ValueError, KeyError):
        raise Unavailable(
            f"No arrancó el {child.name}.", todo="Mire los registros en logs/.", code="no_arranca"
        ) from None


def _start_house(demo: Demo, port: int | None) -> str:
    """Start web, workers and clock; return the address of the web when it answers."""
    chosen = port if port is not None else free_port(WEB_PORT)
    words = {"web": ["web", "--puerto", str(chosen)], "reloj": ["reloj"]}
    words |= {f"worker-{n}": ["worker"] for n in range(1, WORKERS + 1)}
    for name in words:
        demo.children.append(_start_own(demo, name, words[name]))
    _answering(demo, chosen)
    return f"http://127.0.0.1:{chosen}"


def _start_own(demo: Demo, name: str, words: Sequence[str]) -> Child:
    environ = environment_of(demo.settings, os.environ)
    arguments = ["radica.app.cli", "--datos", str(demo.settings.datos), *words]
    return start(name, arguments, environ=environ, log=demo.settings.datos / "logs" / f"{name}.log")


def free_port(wanted: int) -> int:
    """Return `wanted` when nobody listens there on this machine, else any free port."""
    for candidate in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", candidate))
            return int(probe.getsockname()[1])
    raise Unavailable("No hay un puerto libre para la web.", code="puerto_ocupado")


def _answering(demo: Demo, port: int) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit and not demo.stop.is_set():
        watch(demo)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/salud")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            demo.stop.wait(0.2)
        finally:
            connection.close()
    if not demo.stop.is_set():
        raise Unavailable("La web no contestó a tiempo.", todo="Mire logs/web.log.", code="no_arranca")


def watch(demo: Demo) -> None:
    """Start dead workers anew (the queue judges what they were doing). Raises Unavailable when another one died."""
    for at, child in enumerate(demo.children):
        if child.alive or demo.stop.is_set():
            continue
        if not child.name.startswith("worker-"):
            raise Unavailable(f"Se cayó un proceso: {child.name}.", todo="Mire los registros en logs/.", code="caido")
        demo.say(f"{child.name} terminó con código {child.process.returncode}; se inicia otro.")
        demo.stop.wait(2)
        demo.children[at] = _start_own(demo, child.name, ["worker"])


def _order(demo: Demo, database: Database, *, all_by_hand: bool) -> None:
    """Order the bots' filings, and register by hand those whose payers have no bot (every other one, to leave some)."""
    ordered = order_bots(database, demo.packages, actor="demo", at=demo.clock())
    manual = [one for one in demo.packages if one.expected == MANUAL]
    chosen = manual if all_by_hand else manual[::2]
    by_hand = file_by_hand(database, open_store(demo.settings), chosen, actor="demo", at=demo.clock())
    demo.say(f"Ordenadas {ordered} radicaciones a los bots; registradas {by_hand} radicadas a mano.")


def _wait(demo: Demo, database: Database) -> None:
    """Wait until the queue is empty, showing how far it is. Raises Unavailable when nothing moves any more."""
    with Bar("Radicando con los bots") as bar:
        last, moved = (-1, -1), time.monotonic()
        while not demo.stop.is_set():
            watch(demo)
            with database.read() as session:
                left, (done, total) = pending(session), settled(session)
            bar.show(done, total)
            if not left:
                return
            if (left, done) != last:
                last, moved = (left, done), time.monotonic()
            if time.monotonic() - moved > STUCK_S:
                demo.say(f"Nada avanzó en {STUCK_S:.0f} s: quedan {left} trabajos sin terminar.")
                return
            demo.stop.wait(POLL_S)


def _object(demo: Demo, database: Database) -> None:
    """Let the payers object to some of what was filed, as their files would say it."""
    demo.objected = lines, waiting = payers_object(database, demo.settings, demo.portals, clock=demo.clock)
    demo.say(f"Los pagadores objetaron: {lines} glosas y devoluciones cargadas, {waiting} líneas por decidir.")


def _judge(demo: Demo, database: Database) -> Verdict:
    ledger = [row for url in demo.portals.values() for row in read_ledger(url)]
    with database.read() as session:
        verdict = judge(session, demo.packages, ledger)
    lines, waiting = demo.objected
    dossier, refused = _dossier(demo, database)
    sealed, unproved = seal_all(database, demo.settings, clock=demo.clock)
    verdict.figures |= {"objeciones": lines, "expediente": dossier, **sealed}
    verdict.wrong.extend([*refused, *unproved])
    if waiting:
        verdict.wrong.append(f"{waiting} objeciones de los pagadores quedaron sin cruzar o por decidir")
    return verdict


def _dossier(demo: Demo, database: Database) -> tuple[dict[str, Any] | None, list[str]]:
    """Let the workers make a dossier of what one payer owes, and judge it; nothing when nothing was filed."""
    number = order_dossier(database, clock=demo.clock)
    if number is None:
        return None, ["no hubo facturas radicadas con qué armar un expediente"]
    demo.say("Armando un expediente de lo que debe un pagador…")
    row = await_dossier(database, number, stop=demo.stop, watch=lambda: watch(demo))
    return judge_dossier(demo.settings, row)


def _welcome(demo: Demo, address: str) -> None:
    people = "\n".join(f"    {one.correo:<24} {one.nombre}" for one in USERS)
    portals = "\n".join(f"    {demo.portals[one.nit]:<24} {one.name}" for one in PAYERS if one.nit in demo.portals)
    demo.say(
        f"\n  radica está en {address}\n\n"
        f"  Personas de la demostración (contraseña de todas: {CLAVE_PERSONAS}):\n{people}\n\n"
        f"  Portales simulados de los pagadores:\n{portals}\n\n"
        "  Qué mirar primero: entre como facturacion@demo.co y abra Radicación, donde los bots trabajan ahora mismo;\n"
        "  después Hoy, Por radicar (quedan algunas para radicar a mano) y la historia de cualquier factura radicada.\n"
        "  Cuando la cola quede vacía los pagadores glosan: entre como glosas@demo.co y responda desde Glosas.\n"
        "  Ctrl-C termina todo.\n"
    )


def _after(demo: Demo, database: Database, address: str) -> None:
    verdict = _judge(demo, database)
    one = verdict.figures
    demo.say(
        f"\nLa cola está vacía: {one['radicadas']} radicadas, {one['no_listas']} no listas, {one['rechazadas']} rechazada(s),"
        f" {one['recibidas_sin_numero']} recibida(s) sin número, {one['duplicadas']} duplicadas."
    )
    demo.say(f"Toda la historia quedó bajo {one['sellos']} sellos, de una autoridad de demostración sin valor legal.")
    if one["expediente"]:
        demo.say(
            f"En Prejurídico hay un expediente de {one['expediente']['folios']} folios; su verificador dice"
            f" {one['expediente']['veredicto']}: entre como juridica@demo.co y descárguelo."
        )
    for text in verdict.wrong:
        demo.say(f"  No terminó donde debía: {text}")
    demo.say(f"Sigue en {address} hasta que presione Ctrl-C.")


def _serve(demo: Demo) -> None:
    while not demo.stop.wait(1):
        watch(demo)
