"""Restore a backup into an empty house, and say done only after everything was verified again.

Invariant: nothing is restored over something; every file of the backup is hashed before the first row is loaded; bots
do not file until a person lifts the pause of each portal account, because what was filed after the backup is not in
it (DESIGN section 5: a payer's portal has no undo).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from radica.app.respaldo.base import check_kind, forget_people, is_empty, load_database
from radica.app.respaldo.crear import (
    BASE,
    KEYS,
    STORE,
    Progreso,
    Respaldo,
    check_parts,
    disk_words,
    read_backup,
    sync_tree,
)
from radica.app.schema import revisions
from radica.custodia.backends import open_store
from radica.custodia.keyring import MASTER_FILE, SUFFIX, WRAPPED_FILE, KeyRing
from radica.custodia.store import FolderStore, Store
from radica.custodia.verificar import PERSONA, Resumen, means_of, run, start
from radica.custodia.verificar_base import Alcance
from radica.kernel.clock import Clock
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, Unavailable

PAUSED = "Se restauró un respaldo: confirme en el portal qué se radicó después de él y quite la pausa."
UNFINISHED = "RESTAURACION_INCOMPLETA"
"""Stands in the data folder while a restore is under way; a house with it is not whole."""


@dataclass(frozen=True)
class Restaurado:
    """What a restore brought, and what the verification of it found."""

    respaldo: Respaldo
    verificacion: Resumen


def restore(
    settings: Settings, folder: Path, *, actor: str, clock: Clock, progress: Progreso | None = None
) -> Restaurado:
    """Restore a backup into the house of `settings` and verify it whole.

    Raises BadInput when the backup is incomplete, altered, of another kind of database or of a newer schema, or when
    the house is not empty; Unavailable when the keys that open it are not here.
    """
    backup = read_backup(folder)
    _refuse(settings, backup)
    files = check_parts(backup, progress=progress)
    settings.ensure_folders()
    mark = settings.datos / UNFINISHED
    with disk_words("El disco está lleno; la restauración no terminó y aquí no hay una casa entera.", _again(settings)):
        mark.write_text("Se estaba restaurando un respaldo; si esto sigue aquí, no terminó.\n", "utf-8")
        _bring_keys(settings, backup)
        _bring_store(settings, backup, [path for path, _ in files])
        load_database(settings.database_url, folder / BASE, esquema=str(backup.contenido["esquema"]))
    db = Database(settings.database_url)
    try:
        forget_people(db, PAUSED)
        number = start(db, Alcance(), origen=PERSONA, actor=actor, at=clock())
        ended = run(db, open_store(settings), number, clock=clock, medios=means_of(settings))
    finally:
        db.dispose()
    mark.unlink()
    return Restaurado(backup, ended)


def _refuse(settings: Settings, backup: Respaldo) -> None:
    check_kind(settings.database_url, str(backup.contenido["base"]))
    if backup.contenido["esquema"] not in revisions(settings.database_url):
        raise BadInput(
            "El respaldo es de una versión más nueva que esta; no se hizo nada.",
            todo="Instale la versión que lo hizo y restáurelo con ella.",
            code="esquema_desconocido",
        )
    if (settings.datos / UNFINISHED).exists():
        raise BadInput(
            "Aquí quedó a medias otra restauración; no se hizo nada.",
            todo=_again(settings),
            code="restauracion_incompleta",
        )
    store_empty = not settings.store.is_dir() or not _anything(settings)
    if not is_empty(settings.database_url) or not store_empty:
        raise BadInput(
            "Aquí ya hay una casa con datos; no se restauró nada sobre ella.",
            todo="Restaure en una carpeta de datos y una base vacías.",
            code="destino_ocupado",
        )
    has_keys = (settings.keys / MASTER_FILE).exists() or (backup.carpeta / KEYS / MASTER_FILE).exists()
    if not has_keys and (backup.carpeta / STORE / WRAPPED_FILE).exists():
        raise Unavailable(
            f"El respaldo está cifrado y falta {settings.keys.name}/{MASTER_FILE}: sin ella nada se abre.",
            todo=f"Copie primero la carpeta de las llaves en {settings.keys} y repita el comando.",
            code="llaves_de_custodia",
        )
    if (backup.carpeta / STORE / WRAPPED_FILE).exists():
        here = settings.keys if (settings.keys / MASTER_FILE).exists() else backup.carpeta / KEYS
        KeyRing(here, backup.carpeta / STORE).describe()  # keys of another house are told now, not after it is loaded


def _again(settings: Settings) -> str:
    """Say how a restore that was cut is begun anew; what a locked bucket took cannot be removed, and does no harm."""
    store = "nombre otro prefijo del cubo en RADICA_ALMACEN" if settings.s3 is not None else f"vacíe {settings.store}"
    return f"Vacíe la base, {store}, quite {settings.datos / UNFINISHED} y repítala."


def _anything(settings: Settings) -> bool:
    return next(iter(open_store(settings).addresses()), None) is not None


def _bring_keys(settings: Settings, backup: Respaldo) -> None:
    """Put the keys of the backup, if it has them, where there is none of that name; what is here is never replaced."""
    source = backup.carpeta / KEYS
    for path in sorted(source.iterdir()) if source.is_dir() else ():
        target = settings.keys / path.name
        if not target.exists():
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(path.read_bytes())
    sync_tree(settings.keys)


def _bring_store(settings: Settings, backup: Respaldo, paths: Sequence[str]) -> None:
    store = open_store(settings)
    if isinstance(store, FolderStore):
        _bring_folder(store, backup.carpeta, paths)
        return
    kept = FolderStore(backup.carpeta / STORE, KeyRing(settings.keys, backup.carpeta / STORE))
    try:
        for path in paths:
            name = Path(path).name
            if name != WRAPPED_FILE:
                _bring_object(store, kept, name.removesuffix(SUFFIX))
    finally:
        kept.temporary.rmdir()


def _bring_object(store: Store, kept: FolderStore, sha256: str) -> None:
    with kept.open(sha256) as source:
        store.put(source)


def _bring_folder(store: FolderStore, folder: Path, paths: Sequence[str]) -> None:
    """Copy the files as they are, each by way of the temporary folder, so that a cut copy is never taken for a blob."""
    for path in paths:
        target = store.root / Path(path).relative_to(STORE)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        temporary = store.temporary / target.name
        shutil.copyfile(folder / path, temporary)
        temporary.chmod(0o600 if target.name == WRAPPED_FILE else 0o400)
        temporary.replace(target)
    sync_tree(store.root)
