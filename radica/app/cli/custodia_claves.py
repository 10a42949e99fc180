"""`radica custodia claves listar|rotar`: the keys with which the folder of custody is encrypted.

Invariant: no key is ever printed; rotating wraps the data keys anew and rewrites no blob.
"""

from __future__ import annotations

import argparse
from typing import Any

from radica.app.cli.parse import DONE, actions, leaf
from radica.app.cli.words import answer, table
from radica.custodia.keyring import KeyRing
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings


def configure(verbs: Any) -> None:
    """Describe the options of the verb, below `radica custodia`."""
    parser = verbs.add_parser("claves", help="llaves del cifrado del almacén: listar, rotar")
    parts = actions(parser)
    listing = parts.add_parser("listar", help="las llaves que hay y desde cuándo, sin mostrarlas")
    leaf(listing)
    listing.set_defaults(run=_list)
    rotate = parts.add_parser("rotar", help="cambia la llave maestra y la de lo que se guarde desde hoy")
    leaf(rotate)
    rotate.set_defaults(run=_rotate)


def _list(options: argparse.Namespace, settings: Settings) -> int:
    found = KeyRing(settings.keys, settings.store).describe()
    document = {"maestra": found.master, "datos": [{"id": one.id, "desde": one.since} for one in found.data]}
    rows = [(one.id, one.since, "en uso" if one.id == found.current else "para leer") for one in found.data]
    words = f"Llave maestra {found.master}\n" + table(("LLAVE DE DATOS", "DESDE", "USO"), rows)
    answer(document, words if found.data else "Aún no hay llaves: se crean al guardar.", as_json=options.json)
    return DONE


def _rotate(options: argparse.Namespace, settings: Settings) -> int:
    settings.ensure_folders()
    found = KeyRing(settings.keys, settings.store).rotate(system_clock())
    document = {"maestra": found.master, "en_uso": found.current, "llaves_de_datos": len(found.data)}
    words = (
        f"Llave maestra nueva: {found.master}. Lo que se guarde desde ahora usa la llave {found.current}.\n"
        f"Se envolvieron de nuevo {len(found.data)} llaves de datos; ningún archivo se reescribió.\n"
        f"Haga hoy una copia de {settings.keys} en otro lugar: sin ella lo guardado no se puede leer.\n"
        "Conserve también la copia anterior: los respaldos hechos antes de hoy solo se abren con ella."
    )
    answer(document, words, as_json=options.json)
    return DONE
