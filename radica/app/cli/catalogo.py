"""`radica catalogo`: tables of the trade that change with time, loaded from a file.

Invariant: a bad row of rates is refused with its number and the others are loaded (exit 1); a value that changed is a
new row that rules, the earlier one stays; of CUPS and CIE-10 the whole file is a version, or is refused. Norms: E.T.
art. 635; tables of SISPRO.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from radica.app.cli.context import open_database
from radica.app.cli.parse import DONE, FINDINGS, actions, leaf
from radica.app.cli.words import answer, operator
from radica.cartera.tabla_tasas import bundled_text
from radica.cartera.tasas import Carga, load
from radica.custodia.backends import open_store
from radica.facturas.catalogos import cargar_catalogo
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings
from radica.kernel.errors import BadInput

MAX_BYTES = 2_000_000
_OFICIALES = {
    "cups": "tabla CUPSRips: los procedimientos en salud que se pueden informar",
    "cie10": "tabla CIE10: los diagnósticos que se pueden informar",
}


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
    for name, words in _OFICIALES.items():
        official = what.add_parser(name, help=words)
        official.add_argument("fichero", type=Path, metavar="FICHERO", help="CSV tal como lo descarga SISPRO")
        leaf(official)
        official.set_defaults(run=_oficial)


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


def _oficial(options: argparse.Namespace, settings: Settings) -> int:
    with open_database(settings) as database:
        done = cargar_catalogo(
            database, open_store(settings), options.tabla, options.fichero, actor=operator(), at=system_clock()
        )
    version = f", actualizada el {done.version}" if done.version else ""
    words = f"{'Cargada' if done.nueva else 'Ya estaba cargada'} la tabla {done.nombre}: {done.filas} códigos{version}."
    if not done.nueva and not done.rige:
        words += " Rige otra que se cargó después; no se cambió nada."
    elif done.nueva:
        words += " Rige desde ahora; la anterior, si la había, queda guardada."
    answer(asdict(done), words, as_json=options.json)
    return DONE


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
