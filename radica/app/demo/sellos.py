"""The demonstration's time-stamping authority, and the seal with which it ends: nothing stays unproved.

Invariant: the authority is the simulated one and its certificates say so: its stamps have no legal value. It lives in
the demonstration's folder, so that one taken up again still verifies its old stamps.
"""

from __future__ import annotations

import json
import selectors
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from radica.app.cli.children import Child, start
from radica.app.handlers.sellar_publicar import publish
from radica.custodia.seal_models import Sello, TokenTiempo
from radica.custodia.sellos import unsealed
from radica.custodia.tsa import ensure_sealed
from radica.kernel.clock import Clock
from radica.kernel.config import Settings, TsaSettings
from radica.kernel.db import Database
from radica.kernel.errors import Unavailable

NAME = "demostracion"
TRIES = 5
"""Seals that the end makes at most: what the house itself writes meanwhile is in the next."""
_NOT_OURS = ("RADICA_DATABASE_URL", "RADICA_ALMACEN", "RADICA_SELLOS_CORREO", "RADICA_TSA_ACREDITADAS")
"""What a person configured for the real house; the demonstration's processes do not see it."""


def start_authority(settings: Settings, environ: Mapping[str, str], *, limit_s: float) -> tuple[Child, Settings]:
    """Start the authority and return it, with the settings that name it. Raises Unavailable when it does not start."""
    folder = settings.datos / "autoridad"
    words = ["bots.simulador.tsa", "--folder", str(folder)]
    log = settings.datos / "logs" / "autoridad.log"
    child = start("autoridad de sellado simulada", words, environ=environ, log=log, read_output=True)
    told = _first_line(child, limit_s)
    anchors = folder / "anclas" / f"{NAME}.pem"
    anchors.parent.mkdir(exist_ok=True, mode=0o700)
    shutil.copyfile(told["anclas"], anchors)
    authority = TsaSettings(name=NAME, url=told["url"], anchors=anchors, accredited=False)
    return child, replace(settings, tsa=(authority,), seal_file=settings.datos / "sellos.txt", seal_mail=None)


def _first_line(child: Child, limit_s: float) -> dict[str, str]:
    output = child.process.stdout
    assert output is not None
    with selectors.DefaultSelector() as ready:
        ready.register(output, selectors.EVENT_READ)
        line = output.readline() if ready.select(limit_s) else b""
    try:
        told = json.loads(line)
        return {"url": str(told["url"]), "anclas": str(Path(told["anclas"]))}
    except (ValueError, KeyError):
        raise Unavailable(
            f"No arrancó la {child.name}.", todo="Mire los registros en logs/.", code="no_arranca"
        ) from None


def environment_of(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the demonstration's own processes: its authority and its file, nothing of the real house."""
    kept = {key: value for key, value in environ.items() if key not in _NOT_OURS}
    for one in settings.tsa:
        kept["RADICA_TSA"] = f"{one.name}={one.url}"
        kept["RADICA_TSA_ANCLAS"] = str(one.anchors.parent) if one.anchors else ""
    if settings.seal_file is not None:
        kept["RADICA_SELLOS_ARCHIVO"] = str(settings.seal_file)
    return kept


def seal_all(database: Database, settings: Settings, *, clock: Clock) -> tuple[dict[str, Any], list[str]]:
    """Seal and stamp until nothing is left; return the figures, and what is wrong with them."""
    left = 1
    for _ in range(TRIES):
        ensure_sealed(database, settings, clock=clock)
        with database.read() as session:
            left = unsealed(session)
        if not left:
            break
    publish(database, settings, {}, clock=clock)
    with database.read() as session:
        seals = session.scalar(select(func.count()).select_from(Sello)) or 0
        stamped = session.scalar(select(func.count(TokenTiempo.sello_id.distinct()))) or 0
    wrong = [f"{left} historias quedaron sin sellar"] if left else []
    if stamped < seals:
        wrong.append(f"{seals - stamped} sellos quedaron sin sello de tiempo")
    return {"sellos": seals, "sellos_de_tiempo": stamped, "sin_sellar": left}, wrong
