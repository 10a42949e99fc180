"""`radica importar`: load files, folders and ZIPs, and say what became of each.

Invariant: every file has its row; loading again creates nothing; what was not understood is kept in the tray with its
reason, and the command then ends with 1.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from radica.app.cli.bar import Bar
from radica.app.cli.context import open_database
from radica.app.cli.parse import DONE, FINDINGS, leaf
from radica.app.cli.words import answer, operator
from radica.custodia.backends import open_store
from radica.facturas.intake import Summary, import_paths
from radica.facturas.keys import known_keys
from radica.facturas.models import ResultadoArchivo
from radica.facturas.numbers import parse_nit
from radica.facturas.tray import operator_scope
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings
from radica.kernel.errors import BadInput
from radica.portales.credentials import open_vault

SHOWN = 20


def configure(_name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("rutas", nargs="+", type=Path, metavar="RUTA", help="archivo, carpeta o ZIP")
    parser.add_argument("--prestador", metavar="NIT", help="solo los documentos de este prestador")
    leaf(parser)
    parser.set_defaults(run=_import)


def _import(options: argparse.Namespace, settings: Settings) -> int:
    missing = [str(path) for path in options.rutas if not path.exists()]
    if missing:
        raise BadInput(f"No existe: {', '.join(missing)[:500]}. No se cargó nada.", todo="Revise la ruta.", code="ruta")
    nit = None
    if options.prestador is not None:
        tax = parse_nit(options.prestador)
        if tax is None:
            raise BadInput("Ese NIT no se puede leer.", todo="Escríbalo como 900123456.", code="nit_malo")
        nit = tax.number
    settings.ensure_folders()
    with open_database(settings) as database, Bar("Importando") as bar:
        summary = import_paths(
            database,
            open_store(settings),
            options.rutas,
            operator_scope(operator(), only_nit=nit),
            clock=system_clock,
            workdir=settings.incoming,
            progress=bar.show,
            key_for=known_keys(database, open_vault(settings.keys)),
        )
    answer(summary.as_json(), _words(summary), as_json=options.json)
    return DONE if summary.clean else FINDINGS


def _words(summary: Summary) -> str:
    rows = summary.archivos
    count = {kind: sum(one.resultado is kind for one in rows) for kind in ResultadoArchivo}
    loaded, double, lost = (count[kind] for kind in ResultadoArchivo)
    lines = [
        f"{len(rows)} archivos: {loaded} cargados, {double} ya estaban, {lost} no reconocidos.",
        f"{summary.facturas_nuevas} facturas nuevas, {summary.facturas_completadas} completadas.",
    ]
    unknown = [one for one in rows if one.resultado is ResultadoArchivo.NO_RECONOCIDO]
    lines += [f"  {one.ruta}: {one.motivo}" for one in unknown[:SHOWN]]
    if len(unknown) > SHOWN:
        lines.append(f"  … y {len(unknown) - SHOWN} más: están en la bandeja No reconocidos (--json los da todos).")
    return "\n".join(lines)
