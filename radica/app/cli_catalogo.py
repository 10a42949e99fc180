"""`radica catalogo`: tables of the trade that change with time, loaded from a file.

Invariant: a bad row is refused with its number and the others are loaded (exit 1); a value that changed is a new row
that rules, the earlier one stays. Norm: E.T. art. 635.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from radica.app.cli_context import open_database
from radica.app.cli_parse import DONE, FINDINGS, actions, leaf
from radica.app.cli_words import answer, operator
from radica.cartera.tabla_tasas import bundled_text
from radica.cartera.tasas import Carga, load
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings
from radica.kernel.errors import BadInput

MAX_BYTES = 2_000_000


def configure(_name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the verbs."""
    verbs = actions(parser)
    loading = verbs.add_parser("cargar", help="carga una tabla")
    what = loading.add_subparsers(dest="tabla", required=True, metavar="TABLA", title="Tablas")
    rates = what.add_parser("tasas", help="tasas de usura por mes, para los intereses de mora")
    rates.add_argument(
        "fichero",
        nargs="?",
        type=Path,
        metavar="FICHERO",
        help="CSV con mes,tasa_ea_usura,fuente,verificacion; sin él, la tabla que viene con el programa",
    )
    leaf(rates)
    rates.set_defaults(run=_rates)


def _rates(options: argparse.Namespace, settings: Settings) -> int:
    text = bundled_text() if options.fichero is None else _read(options.fichero)
    with open_database(settings) as database, database.write() as session:
        done = load(session, text, actor=operator(), at=system_clock())
    document = {
        "nuevas": list(done.nuevas),
        "cambiadas": list(done.cambiadas),
        "iguales": list(done.iguales),
        "sin_tasa": list(done.ausentes),
        "rechazos": list(done.rechazos),
    }
    answer(document, _words(done), as_json=options.json)
    return FINDINGS if done.rechazos else DONE


def _read(path: Path) -> str:
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise BadInput(f"No se puede leer {path} como tabla de tasas.", todo="Indique un CSV.", code="archivo_malo")
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _words(done: Carga) -> str:
    lines = [f"{len(done.nuevas)} meses nuevos, {len(done.cambiadas)} cambiados, {len(done.iguales)} iguales."]
    if done.cambiadas:
        lines.append(f"Cambiaron {', '.join(done.cambiadas)}: rige el valor nuevo y el anterior queda guardado.")
    if done.ausentes:
        lines.append(f"Sin tasa: {', '.join(done.ausentes)}; esos meses no se liquidan.")
    return "\n".join([*lines, *done.rechazos])
