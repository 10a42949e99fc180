"""`radica glosas`: what a payer objects, from the command line; each verb stands in a file of its own.

Invariant: a group only hands its parser to its verbs.
"""

from __future__ import annotations

import argparse

from radica.app.cli.correo import add_correo
from radica.app.cli.glosas_codigos import add_codigos
from radica.app.cli.glosas_exportar import add_exportar
from radica.app.cli.glosas_importar import add_importar
from radica.app.cli.glosas_leer import add_leer
from radica.app.cli.glosas_plantillas import add_plantillas
from radica.app.cli.parse import actions


def configure(_name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the verbs."""
    verbs = actions(parser)
    add_codigos(verbs)
    add_leer(verbs)
    add_importar(verbs)
    add_correo(verbs)
    add_exportar(verbs)
    add_plantillas(verbs)
