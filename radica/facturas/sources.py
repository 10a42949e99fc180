"""The files that were given: loose ones, those of folders in order of name, and the entries of ZIPs.

Invariant: what cannot be read or is refused comes with its reason and stops nothing; links are never followed; an entry
of a ZIP is written under a name of ours. Pure of database and web. Norm: Res. 2284 de 2023, annex 2, numeral 3.2.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from radica.facturas.archive import Entrada, Limites, expand
from radica.facturas.recognise import recognise
from radica.facturas.texts import storable
from radica.facturas.xmlsafe import Unreadable
from radica.kernel.errors import NO_ROOM

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True)
class Source:
    """A file to read. `path` None: it was refused before, with `code` and `reason`; `temporary` files are removed."""

    path: Path | None
    route: str
    temporary: bool = False
    code: str = ""
    reason: str = ""


def looks_like_zip(path: Path) -> bool:
    """Say whether a file is a ZIP to open (and no Office document). False when it cannot be read."""
    try:
        with path.open("rb") as stream:
            head = stream.read(4096)
    except OSError:
        return False
    return head.startswith(_ZIP) and recognise(head, path.name).is_zip


def sources(paths: Sequence[Path], shown: Sequence[str], folder: Path, limits: Limites | None) -> Iterator[Source]:
    """Yield each file to read; `shown` is how each path was written, and `folder` takes the entries of ZIPs."""
    opened = count(1)
    for path, name in zip(paths, shown, strict=True):
        for place, found in _walk(path, name):
            route = storable(found)  # a name on disk may be no UTF-8
            if _is(Path.is_symlink, place):
                yield Source(None, route, code="enlace", reason="Es un enlace a otro lugar; no se sigue.")
            elif not _is(Path.is_file, place):
                yield Source(None, route, code=_why(place)[0], reason=_why(place)[1])
            elif looks_like_zip(place):
                inside = folder / str(next(opened))
                inside.mkdir()
                yield from _entries(place, route, inside, limits)
            else:
                yield Source(place, route)


def _is(test: Callable[[Path], bool], path: Path) -> bool:
    """Ask about a path; what cannot even be asked (no permission, too long a path) is no."""
    try:
        return test(path)
    except OSError:
        return False


def _why(path: Path) -> tuple[str, str]:
    """Return code and reason of a path that is no file to read."""
    try:
        known = path.exists()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return "ruta_larga", "La ruta es demasiado larga para abrirla."
        return "sin_permiso", "No hay permiso para abrir esa ruta."
    if known and path.is_dir():
        return "sin_permiso", "No hay permiso para abrir la carpeta."
    return "no_existe", "No existe o no es un archivo."


def _walk(path: Path, name: str) -> Iterator[tuple[Path, str]]:
    """Yield the files below a path in order of name, however deep; hidden folders (`.`, `_`) inside it are not ours."""
    waiting = [(path, name)]
    while waiting:
        place, route = waiting.pop()
        if _is(Path.is_symlink, place) or not _is(Path.is_dir, place):
            yield place, route
            continue
        if place is not path and place.name.startswith((".", "_")):
            continue
        try:
            children = sorted(place.iterdir(), reverse=True)
        except OSError:
            yield place, route  # told as what cannot be opened
            continue
        waiting += [(child, f"{route.rstrip('/')}/{child.name}") for child in children]


def _entries(archive: Path, route: str, folder: Path, limits: Limites | None) -> Iterator[Source]:
    """Yield the entries of a ZIP; those refused, and a ZIP that cannot be opened, come with their reason."""
    empty = True
    try:
        for entry in expand(archive, folder, limits):
            empty = False
            inner = f"{route}/{entry.name}"
            if isinstance(entry, Entrada):
                yield Source(entry.path, inner, temporary=True)
            else:
                yield Source(None, inner, code=entry.code, reason=entry.reason)
    except Unreadable as broken:
        yield Source(archive, route, code=broken.code, reason=broken.message)
        return
    except OSError as error:
        full = "el disco está lleno" if error.errno in NO_ROOM else f"error {error.errno} del sistema"
        reason = f"No se pudo abrir el ZIP completo: {full}."
        yield Source(archive, route, code="zip_sin_abrir", reason=reason)
        return
    if empty:
        yield Source(archive, route, code="zip_vacio", reason="El ZIP no trae ningún archivo.")
