"""`radica custodia …`: what a person asks of the care of what is kept; finds the sub-verb and hands over.

Invariant: this file knows only the table of sub-verbs; each module of it describes its own options (`configure`) and
runs itself.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from radica.app.cli import custodia_claves, custodia_expediente, custodia_sellos, custodia_verificar
from radica.app.cli.parse import actions

PARTS: tuple[Callable[[Any], None], ...] = (
    custodia_sellos.configure,
    custodia_verificar.configure,
    custodia_claves.configure,
    custodia_expediente.configure,
)
"""Each adds its verbs to the sub-parsers that it is given, with `set_defaults(run=…)`: (options, settings) → exit code."""


def configure(_name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the options of all sub-verbs."""
    verbs = actions(parser)
    for part in PARTS:
        part(verbs)
