"""`radica ensayo caos`: file many invoices while workers, bots and browsers are killed and paused, and count.

Invariant: exit 0 only if nothing was filed twice, nothing was lost and nothing stayed unknown.
"""

from __future__ import annotations

import argparse

from radica.app.chaos.drill import quiet, run_drill
from radica.app.cli.parse import DONE, FINDINGS, leaf, positive
from radica.app.cli.words import answer, note
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings

ZERO = ("dobles", "perdidos", "desconocidos_al_final")


def configure(_name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    kinds = parser.add_subparsers(dest="ensayo", required=True, metavar="ENSAYO")
    chaos = kinds.add_parser("caos", help="radica con muertes y pausas al azar, y cuenta dobles y perdidos")
    chaos.add_argument("--trabajos", type=positive, default=20, metavar="N", help="cuántas facturas (20)")
    chaos.add_argument("--semilla", type=positive, default=7, metavar="N", help="otros accidentes (7)")
    chaos.add_argument("--base", choices=("sqlite", "postgresql"), default="sqlite", help="base de datos (sqlite)")
    chaos.add_argument("--limite", type=positive, metavar="SEGUNDOS", help="cuánto puede durar")
    leaf(chaos)
    chaos.set_defaults(run=_chaos)


def _chaos(options: argparse.Namespace, _settings: Settings) -> int:
    with quiet():
        figures = run_drill(
            trabajos=options.trabajos,
            semilla=options.semilla,
            base=options.base,
            clock=system_clock,
            say=note,
            limit_s=options.limite,
        )
    words = "\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in figures.items())
    answer(figures, words, as_json=options.json)
    return FINDINGS if any(figures[name] for name in ZERO) else DONE
