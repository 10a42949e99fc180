"""What this machine has and lacks for the work: one line per thing, and how to mend what is missing.

Invariant: looking changes nothing that lasts (a file written to try a folder is removed, the canary of a bucket may
go after an hour), every look has a time
limit, and nothing raises: what cannot be looked at is itself a finding.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import radica
from radica.app.doctor.custodia import custody
from radica.app.doctor.revision import Estado, Revision
from radica.app.schema import head_revision, present_revision
from radica.kernel.clock import BOGOTA
from radica.kernel.config import Settings
from radica.kernel.db import Database

MIN_FREE_GB = 2
LIMIT_S = 20
STATIC = Path(radica.__file__).parent / "static"
ASSETS = ("vendor/tabler.min.css", "vendor/tabler.min.js", "vendor/htmx.min.js")


def examine(settings: Settings) -> list[Revision]:
    """Look at everything, in the order in which it would hurt."""
    return [
        *_folders(settings),
        _disk(settings),
        *_database(settings),
        *_keys(settings),
        *custody(settings),
        _browser(settings),
        _driver(),
        *_assets(),
        _zone(),
    ]


def _folders(settings: Settings) -> Iterator[Revision]:
    for name, folder in (("carpeta de datos", settings.datos), ("custodia", settings.store), ("claves", settings.keys)):
        place = folder
        while not place.exists() and place != place.parent:
            place = place.parent
        if not place.is_dir():
            yield Revision(name, Estado.FALTA, f"{place} no es una carpeta", "Indique otra con --datos.")
            continue
        try:
            with tempfile.NamedTemporaryFile(dir=place, prefix=".radica-"):
                pass
        except OSError:
            who = f"Dé permiso de escritura sobre {place} a quien ejecuta el programa, o indique otra con --datos."
            yield Revision(name, Estado.FALTA, f"no se puede escribir en {place}", who)
        else:
            note = str(folder) if place == folder else f"{folder} (se creará al usarla)"
            yield Revision(name, Estado.BIEN, note)


def _disk(settings: Settings) -> Revision:
    place = settings.datos
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free // 10**9
    if free < MIN_FREE_GB:
        return Revision("espacio libre", Estado.FALTA, f"{free} GB", f"Libere espacio: hacen falta {MIN_FREE_GB} GB.")
    return Revision("espacio libre", Estado.BIEN, f"{free} GB")


def _database(settings: Settings) -> Iterator[Revision]:
    sqlite_file = Path(settings.database_url.removeprefix("sqlite:///"))
    if settings.database_url.startswith("sqlite") and not sqlite_file.exists():
        yield Revision("base de datos", Estado.AVISO, "todavía no existe", "Se crea sola, o con: radica bd migrar")
        return
    database = Database(settings.database_url)
    try:
        found = present_revision(database.engine)
        head = head_revision(settings.database_url)
        kind = "SQLite" if database.is_sqlite else "PostgreSQL"
        if found == head:
            yield Revision("base de datos", Estado.BIEN, f"{kind}, esquema {head}")
        else:
            seen = f"{kind}, esquema {found or 'vacío'}; este programa usa {head}"
            yield Revision("base de datos", Estado.FALTA, seen, "Haga una copia y ejecute: radica bd migrar")
        yield _durability(database)
    except DBAPIError:
        remedy = "Revise RADICA_DATABASE_URL, que el servidor esté activo y que el usuario pueda entrar."
        yield Revision("base de datos", Estado.FALTA, "no se pudo llegar a ella", remedy)
    finally:
        database.dispose()


def _durability(database: Database) -> Revision:
    """Say whether a commit survives a power cut: the intent of a filing rests on it (DESIGN section 5.3)."""
    name = "durabilidad"
    with database.engine.connect() as connection:
        if database.is_sqlite:
            mode = str(connection.execute(text("PRAGMA journal_mode")).scalar_one())
            if mode == "wal":
                return Revision(name, Estado.BIEN, "WAL, con sincronización completa en cada intención")
            return Revision(
                name, Estado.FALTA, f"modo {mode}", "Use un disco local: en uno de red SQLite no es seguro."
            )
        off = [
            setting
            for setting in ("fsync", "full_page_writes")
            if connection.execute(text(f"SHOW {setting}")).scalar_one() != "on"
        ]
    if off:
        fix = f"Ponga {' y '.join(off)} en on en postgresql.conf: sin eso un corte de luz puede radicar dos veces."
        return Revision(name, Estado.FALTA, f"{', '.join(off)} apagado", fix)
    return Revision(name, Estado.BIEN, "fsync y full_page_writes encendidos")


def _keys(settings: Settings) -> Iterator[Revision]:
    if not settings.keys.is_dir():
        yield Revision("llaves", Estado.BIEN, "aún no hay; se crean al usarlas")
        return
    paths = [settings.keys, *sorted(settings.keys.iterdir())]
    wrong = [path.name for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if wrong:
        fix = f"chmod 700 {settings.keys} && chmod 600 {settings.keys}/*"
        yield Revision("llaves", Estado.FALTA, f"otros usuarios pueden leer: {', '.join(wrong)}", fix)
    else:
        yield Revision(
            "llaves", Estado.BIEN, f"{len(paths) - 1} archivos, solo de su dueño; guárdelos también en otro lugar"
        )


def _browser(settings: Settings) -> Revision:
    name = "navegador"
    remedy = "Instale el paquete chromium-headless-shell (o chromium), o indique uno en RADICA_CHROMIUM."
    if settings.chromium is None:
        return Revision(name, Estado.FALTA, "no hay Chromium: los bots no pueden radicar", remedy)
    if not os.access(settings.chromium, os.X_OK):
        return Revision(name, Estado.FALTA, f"{settings.chromium} no es un ejecutable", remedy)
    said = _output([settings.chromium, "--version"])
    if said is None:
        fix = "Instálelo de nuevo: le falta alguna biblioteca del sistema."
        return Revision(name, Estado.FALTA, f"{settings.chromium} no arranca", fix)
    sandbox = "" if settings.chromium_sandbox else " (sin su aislamiento: se ejecuta como root)"
    return Revision(name, Estado.BIEN, f"{said}{sandbox}")


def _driver() -> Revision:
    """Try Playwright's driver, whose node needs libatomic on a bare Debian."""
    name = "controlador del navegador"
    spec = find_spec("playwright")
    node = Path(spec.origin).parent / "driver" / "node" if spec and spec.origin else None
    if node is None or not node.exists():
        return Revision(name, Estado.FALTA, "falta la biblioteca playwright", "Ejecute: ./run setup")
    said = _output([str(node), "--version"])
    if said is not None:
        return Revision(name, Estado.BIEN, f"node {said}")
    if ctypes.util.find_library("atomic") is None:
        return Revision(name, Estado.FALTA, "falta la biblioteca libatomic", "Instale el paquete libatomic1.")
    return Revision(name, Estado.FALTA, "no arranca", "Ejecute: ./run setup")


def _output(command: list[str]) -> str | None:
    """Return the first line that a program prints, None when it does not start, fails or takes too long."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=LIMIT_S, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip().splitlines()[0][:120] if done.stdout.strip() else "arranca"


def _assets() -> Iterator[Revision]:
    missing = [name for name in ASSETS if not (STATIC / name).is_file()]
    if missing:
        lost = f"faltan {', '.join(Path(name).name for name in missing)}"
        yield Revision("archivos de la web", Estado.FALTA, lost, "Ejecute: ./run setup")
    else:
        yield Revision("archivos de la web", Estado.BIEN, f"{len(ASSETS)} en {STATIC / 'vendor'}")


def _zone() -> Revision:
    name = "hora"
    try:
        offset = datetime(2026, 1, 1, tzinfo=ZoneInfo("America/Bogota")).utcoffset()
    except ZoneInfoNotFoundError:
        return Revision(name, Estado.FALTA, "no hay datos de zonas horarias", "Instale el paquete tzdata.")
    now = datetime.now(UTC)
    if offset is None or offset.total_seconds() != -5 * 3600:
        return Revision(name, Estado.FALTA, f"Bogotá sale con {offset}", "Instale de nuevo el paquete tzdata.")
    if now.year < 2026:
        return Revision(name, Estado.FALTA, f"el reloj dice {now:%d/%m/%Y}", "Ponga el reloj en hora (NTP).")
    return Revision(name, Estado.BIEN, f"{now.astimezone(BOGOTA):%d/%m/%Y %H:%M} en Bogotá: compárela con su reloj")
