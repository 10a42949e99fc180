"""`radica respaldo crear|restaurar`: a copy of the whole house that is known to restore.

Invariant: the keys are only in it when asked for, and both ways it is said aloud; a restore says done only after what
it brought was verified.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from radica.app.cli.bar import Bar
from radica.app.cli.context import open_database
from radica.app.cli.parse import DONE, FINDINGS, actions, leaf
from radica.app.cli.words import answer, note, operator
from radica.app.handlers.verificacion import TIPOS
from radica.app.respaldo.crear import make_backup
from radica.app.respaldo.restaurar import restore
from radica.custodia.backends import open_store
from radica.custodia.check_models import EstadoVerificacion, TipoHallazgo
from radica.kernel.clock import system_clock
from radica.kernel.config import Settings

WITH_KEYS = "Este respaldo LLEVA LAS CLAVES: quien lo tenga abre todo. Guárdelo bajo llave y nunca en un lugar público."
WITHOUT_KEYS = (
    "Este respaldo NO lleva las claves: sin la carpeta {keys} no se abre nada. Guarde una copia de ella en otro lugar."
)


def configure(_name: str, parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    verbs = actions(parser)
    create = verbs.add_parser("crear", help="copia la base y el almacén a una carpeta nueva, tal como están ahora")
    create.add_argument("destino", metavar="DESTINO", type=Path, help="carpeta nueva o vacía")
    create.add_argument("--con-claves", action="store_true", help="incluye las claves: quien lo tenga abre todo")
    leaf(create)
    create.set_defaults(run=_create)
    back = verbs.add_parser("restaurar", help="restaura un respaldo en una casa vacía y verifica todo")
    back.add_argument("origen", metavar="ORIGEN", type=Path, help="carpeta del respaldo")
    leaf(back)
    back.set_defaults(run=_restore)


def _create(options: argparse.Namespace, settings: Settings) -> int:
    folder = options.destino.expanduser().resolve()
    with open_database(settings) as database, Bar("Respaldando") as bar:
        made = make_backup(
            database,
            open_store(settings),
            settings,
            folder,
            at=system_clock(),
            with_keys=options.con_claves,
            progress=bar.show,
        )
    note(WITH_KEYS if options.con_claves else WITHOUT_KEYS.format(keys=settings.keys))
    document = {
        "carpeta": str(folder),
        "huella": made.huella,
        "esquema": made.contenido["esquema"],
        "base": made.contenido["base"],
        "blobs": made.contenido["blobs"],
        "bytes": made.contenido["bytes"],
        "con_claves": made.contenido["con_claves"],
        "faltantes": list(made.faltantes),
    }
    lines = [
        f"Respaldo completo en {folder}: {made.contenido['blobs']} archivos, {made.contenido['bytes']} bytes.",
        f"Su huella es {made.huella}; anótela en otro lugar.",
    ]
    if made.faltantes:
        lines.append(f"Faltaban en el almacén {len(made.faltantes)} archivos: ejecute radica custodia verificar.")
    answer(document, "\n".join(lines), as_json=options.json)
    return FINDINGS if made.faltantes else DONE


def _restore(options: argparse.Namespace, settings: Settings) -> int:
    with Bar("Comprobando el respaldo") as bar:
        done = restore(
            settings, options.origen.expanduser().resolve(), actor=operator(), clock=system_clock, progress=bar.show
        )
    ended = done.verificacion
    document = {
        "huella": done.respaldo.huella,
        "creado_at": done.respaldo.contenido["creado_at"],
        "verificacion": ended.id,
        "limpia": ended.limpia and ended.estado is EstadoVerificacion.TERMINADA,
        "revisado": dict(ended.cuentas),
        "hallazgos": dict(ended.tipos),
    }
    lines = [
        f"Se restauró el respaldo del {done.respaldo.contenido['creado_at']} (huella {done.respaldo.huella}).",
        f"Se verificaron {ended.cuentas.get('blobs', 0)} archivos y {ended.cuentas.get('cadenas', 0)} cadenas de historia.",
    ]
    unread = ended.estado is not EstadoVerificacion.TERMINADA
    if unread:
        lines.append(
            f"La verificación NO terminó: {ended.pausa} Ejecute radica custodia verificar antes de usar la casa."
        )
    if ended.limpia and not unread:
        lines.append("Todo está como se guardó.")
    elif ended.tipos:
        told = ", ".join(f"{TIPOS[TipoHallazgo(kind)]}: {count}" for kind, count in ended.tipos.items())
        lines.append(f"La verificación halló: {told}. Véalos en la página Custodia.")
    lines.append(
        "Los bots están en pausa y las sesiones cerradas: confirme en los portales lo radicado después del respaldo."
    )
    answer(document, "\n".join(lines), as_json=options.json)
    return DONE if ended.limpia and not unread else FINDINGS
