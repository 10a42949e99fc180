"""`radica bd migrar` and `radica doctor`: bring the database to its schema, and say what the machine lacks.

Invariant: migrating is an act of a person; the doctor only looks.
"""

from __future__ import annotations

import argparse

from radica.app.cli.context import reachable
from radica.app.cli.parse import DONE, FINDINGS, actions, leaf
from radica.app.cli.words import answer
from radica.app.doctor.machine import examine
from radica.app.doctor.revision import Estado
from radica.app.schema import head_revision, migrate, present_revision
from radica.kernel.config import Settings
from radica.kernel.db import Database

_SIGNS = {Estado.BIEN: "✓", Estado.AVISO: "·", Estado.FALTA: "✗"}


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    if name == "doctor":
        leaf(parser)
        parser.set_defaults(run=_examine)
        return
    verbs = actions(parser)
    upgrade = verbs.add_parser("migrar", help="lleva la base de datos al esquema de esta versión")
    leaf(upgrade)
    upgrade.set_defaults(run=_migrate)


def _migrate(options: argparse.Namespace, settings: Settings) -> int:
    settings.ensure_folders()
    database = Database(settings.database_url)
    try:
        with reachable(database):
            before = present_revision(database.engine)
            migrate(settings.database_url)
            after = present_revision(database.engine)
    finally:
        database.dispose()
    document = {"antes": before, "ahora": after, "cambio": before != after}
    words = f"La base de datos quedó en el esquema {after}." if before != after else f"Ya estaba al día ({after})."
    assert after == head_revision(settings.database_url)
    answer(document, words, as_json=options.json)
    return DONE


def _examine(options: argparse.Namespace, settings: Settings) -> int:
    found = examine(settings)
    lines = []
    for one in found:
        lines.append(f"{_SIGNS[one.estado]} {one.nombre}: {one.detalle}")
        if one.estado is not Estado.BIEN:
            lines.append(f"    → {one.remedio}")
    missing = sum(one.estado is Estado.FALTA for one in found)
    lines.append(f"\n{missing} cosas por arreglar." if missing else "\nTodo lo necesario está.")
    document = {
        "bien": not missing,
        "revisiones": [
            {"nombre": one.nombre, "estado": one.estado.value, "detalle": one.detalle, "remedio": one.remedio}
            for one in found
        ],
    }
    answer(document, "\n".join(lines), as_json=options.json)
    return FINDINGS if missing else DONE
