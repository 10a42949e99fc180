"""`radica demo`: the main job on invented data, to be watched, or once and judged.

Invariant: under `--json` standard output carries the one line of figures; all else goes to standard error.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from radica.app.cli.parse import DONE, FINDINGS, INTERRUPTED, leaf, port, positive
from radica.app.cli.procesos import on_signal, start_logs
from radica.app.cli.words import answer, note
from radica.app.demo.check import Verdict
from radica.app.demo.show import Demo, run, settings_for
from radica.kernel.clock import civil_date, system_clock
from radica.kernel.config import Settings
from radica.kernel.errors import BadInput

SEED, PACKAGES = 7, 60


def configure(_name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.description = (
        "Carga facturas inventadas, inicia web, trabajadores, reloj y portales simulados, y deja que los bots radiquen. "
        "Sin --datos usa una carpeta propia bajo DATOS/demo, que se retoma si es del mismo día."
    )
    parser.add_argument("--una-vez", action="store_true", help="lo hace, lo comprueba y termina")
    parser.add_argument("--semilla", type=positive, default=SEED, metavar="N", help=f"otro conjunto ({SEED})")
    parser.add_argument(
        "--paquetes", type=positive, default=PACKAGES, metavar="N", help=f"cuántas facturas ({PACKAGES})"
    )
    parser.add_argument("--conservar", action="store_true", help="con --una-vez: no borra su carpeta al terminar bien")
    parser.add_argument("--puerto", type=port, metavar="N", help="de la web; 8000, o uno libre si está ocupado")
    leaf(parser)
    parser.set_defaults(run=_demo)


def _demo(options: argparse.Namespace, settings: Settings) -> int:
    if options.json and not options.una_vez:
        raise BadInput("--json va con --una-vez: sin ella la demostración no termina.", code="uso")
    began = time.monotonic()
    folder, passing = _folder(options, settings)
    start_logs(settings, "WARNING")
    stop = threading.Event()
    on_signal(stop)
    demo = Demo(settings_for(settings, folder), system_clock, note, stop)
    verdict = run(demo, seed=options.semilla, packages=options.paquetes, once=options.una_vez, port=options.puerto)
    if verdict is None:
        return INTERRUPTED if options.una_vez else DONE
    return _report(verdict, options, folder, passing=passing, seconds=round(time.monotonic() - began))


def _folder(options: argparse.Namespace, settings: Settings) -> tuple[Path, bool]:
    """Return the folder, and whether it is removed when all went well (a run to be judged starts from nothing)."""
    if hasattr(options, "datos"):
        return settings.datos, False
    home = settings.datos / "demo"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if options.una_vez:
        return Path(tempfile.mkdtemp(prefix="una-vez-", dir=home)), True
    today = civil_date(system_clock())
    return home / f"{today.isoformat()}-semilla-{options.semilla}-{options.paquetes}", False


def _report(verdict: Verdict, options: argparse.Namespace, folder: Path, *, passing: bool, seconds: int) -> int:
    for text in verdict.wrong:
        note(f"No terminó donde debía: {text}")
    document = {**verdict.figures, "segundos": seconds}
    levels = ", ".join(f"{count} de nivel {level}" for level, count in verdict.figures["nivel_prueba"].items() if count)
    words = (
        f"{document['importadas']} importadas: {document['radicadas']} radicadas, {document['no_listas']} no listas, "
        f"{document['rechazadas']} rechazadas, {document['recibidas_sin_numero']} recibidas sin número, "
        f"{document['por_confirmar']} por confirmar, {document['duplicadas']} duplicadas; {levels}; "
        f"{document['sellos']} sellos, {document['sin_sellar']} historias sin sellar; {_dossier(document)}{seconds} s."
    )
    answer(document, words, as_json=options.json)
    if not verdict.wrong and passing and not options.conservar:
        shutil.rmtree(folder, ignore_errors=True)
    elif passing:
        note(f"La carpeta queda para mirarla: {folder}")
    return FINDINGS if verdict.wrong else DONE


def _dossier(document: dict[str, Any]) -> str:
    """Say how the dossier was judged, where there is one."""
    made = document["expediente"]
    return f"un expediente de {made['folios']} folios, {made['veredicto']}; " if made else ""
