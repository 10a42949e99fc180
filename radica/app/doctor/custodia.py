"""What the doctor looks at in custody: that nothing can be deleted where that is promised, and what a folder cannot promise.

Invariant: immutability is proved by trying to undo it on a canary, never believed; where it cannot be proved that is
said. Norm: Res. 839/2017 art. 3 (years for which a clinical record must be there).
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from itertools import islice

from radica.app.doctor.revision import Estado, Revision
from radica.custodia.keyring import KeyRing
from radica.custodia.s3 import S3Store
from radica.custodia.store import FolderStore
from radica.kernel.clock import system_clock
from radica.kernel.config import S3Settings, Settings
from radica.kernel.errors import RadicaError

LOOKED_AT = 2000
"""Blobs whose mode is looked at; the verification looks at all of them."""
ROOT_CAN = (
    "los archivos son de solo lectura, pero quien administra esta máquina puede borrarlos: la verificación y los sellos "
    "lo delatan, no lo impiden"
)


def custody(settings: Settings) -> Iterator[Revision]:
    """Look at the store that the settings name."""
    if settings.s3 is not None:
        yield from _bucket(settings, settings.s3)
    elif settings.store.is_dir():
        yield from _folder(settings)


def _bucket(settings: Settings, bucket: S3Settings) -> Iterator[Revision]:
    name = "inmutabilidad"
    try:
        store = S3Store(bucket, settings.store / "tmp", system_clock)
        proof = store.prove()
        encrypted = store.is_encrypted()
    except RadicaError as problem:
        yield Revision(name, Estado.FALTA, problem.message, problem.todo)
        return
    failed = [
        words
        for refused, words in ((proof.delete_refused, "borrar"), (proof.shorten_refused, "acortar su fecha"))
        if not refused
    ]
    if failed:
        seen = f"el cubo «{bucket.bucket}» dejó {' y '.join(failed)} a un archivo de prueba bajo candado"
        yield Revision(name, Estado.FALTA, seen, "Use un servicio que cumpla Object Lock en modo COMPLIANCE.")
    else:
        seen = f"el cubo «{bucket.bucket}» se negó a borrar un archivo de prueba bajo candado y a acortar su fecha"
        yield Revision(name, Estado.BIEN, seen)
    if encrypted:
        yield Revision("cifrado del almacén", Estado.BIEN, "el servicio cifra lo que guarda")
    else:
        fix = "Encienda el cifrado por defecto del cubo (SSE): lo guardado tiene datos de salud."
        yield Revision("cifrado del almacén", Estado.AVISO, "el servicio no dice que cifre lo que guarda", fix)


def _folder(settings: Settings) -> Iterator[Revision]:
    ring = KeyRing(settings.keys, settings.store)
    store = FolderStore(settings.store, ring, encrypt=settings.encrypt_store)
    fix = "Para que nadie pueda borrar use un cubo S3 con Object Lock (RADICA_ALMACEN), y guarde respaldos aparte."
    yield Revision("inmutabilidad", Estado.AVISO, f"carpeta: {ROOT_CAN}", fix)
    seen = list(islice(store.addresses(), LOOKED_AT))
    sealed = [one for one in seen if store.sealed_path(one).is_file()]
    places = [store.sealed_path(one) if one in set(sealed) else store.path(one) for one in seen]
    loose = sum(bool(stat.S_IMODE(place.stat().st_mode) & 0o377) for place in places)
    if loose:
        fix = f"chmod -R u-w,go-rwx {settings.store}/??/*"
        yield Revision("permisos de lo guardado", Estado.FALTA, f"{loose} archivos no son de solo lectura", fix)
    else:
        yield Revision("permisos de lo guardado", Estado.BIEN, f"{len(seen)} archivos, de solo lectura de su dueño")
    yield _encryption(settings, ring, store, sealed, plain=len(seen) - len(sealed))


def _encryption(settings: Settings, ring: KeyRing, store: FolderStore, sealed: list[str], *, plain: int) -> Revision:
    name = "cifrado del almacén"
    try:
        keys = ring.describe()
        if sealed:
            store.open(sealed[0]).close()
    except RadicaError as problem:
        return Revision(name, Estado.FALTA, problem.message, problem.todo)
    if not settings.encrypt_store:
        fix = "Quite RADICA_CIFRADO=0: lo guardado tiene datos de salud."
        return Revision(name, Estado.AVISO, "apagado: lo nuevo queda en claro", fix)
    if plain:
        fix = "Siguen legibles y protegidos solo por los permisos; cifre el disco donde están."
        return Revision(name, Estado.AVISO, f"encendido, pero {plain} archivos de antes están en claro", fix)
    using = (
        f"llave de datos {keys.current}, llave maestra legible" if keys.current else "las llaves se crean al guardar"
    )
    return Revision(name, Estado.BIEN, f"AES-256-GCM; {using}")
