"""Opens the ZIP of a bag that came back from outside, so that the verifier sees exactly what is in it.

Invariant: an archive with anything that a bag's ZIP has no use for (paths that climb, links, doubles, passwords, a
second folder) is refused whole, never mended: what is left out silently would be proved silently. Bytes are counted
while they are written, not as the archive declares them.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from radica.kernel.errors import BadInput

MAX_ENTRIES = 100_000
MAX_RATIO = 100
"""How many times its own size an archive may grow; our own do not compress at all."""
FREE_BYTES = 256 * 1024 * 1024
"""What any archive may grow to, however small it is."""
_CHUNK = 1 << 20
_ENCRYPTED = 0x1


def unpack_bag(archive: Path, target: Path) -> Path:
    """Unpack a bag into `target` (an empty folder) and return the bag's folder. Raises BadInput when it is not one."""
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = [one for one in packed.infolist() if not one.is_dir()]
            _check(packed.infolist())
            left = max(FREE_BYTES, archive.stat().st_size * MAX_RATIO)
            for one in packed.infolist():
                place = target.joinpath(*one.filename.rstrip("/").split("/"))
                if one.is_dir():
                    place.mkdir(parents=True, exist_ok=True)
                else:
                    left -= _extract(packed, one, place, left)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise _refused("está dañado o no es un ZIP") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise _refused("un nombre es a la vez archivo y carpeta, o está dos veces") from error
    return _bag_in(target, [one.filename for one in entries])


def _check(entries: Sequence[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise _refused("tiene demasiados archivos")
    if len({one.filename.rstrip("/") for one in entries}) != len(entries):
        raise _refused("un nombre está dos veces")
    for one in entries:
        parts = one.filename.rstrip("/").split("/")
        if any(part in {"", ".", ".."} for part in parts) or not one.filename.isprintable():
            raise _refused("un nombre de archivo sale de la carpeta o no es un nombre")
        if "\\" in one.filename or ":" in one.filename or one.orig_filename != one.filename:
            raise _refused("un nombre de archivo sale de la carpeta o no es un nombre")
        kind = stat.S_IFMT(one.external_attr >> 16)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise _refused("contiene un enlace o un objeto que no es archivo")
        if one.flag_bits & _ENCRYPTED:
            raise _refused("tiene contraseña")


def _extract(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path, left: int) -> int:
    place.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with packed.open(entry) as source, place.open("xb") as out:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > left:
                raise _refused("crece demasiado al abrirlo")
            out.write(chunk)
    return size


def _bag_in(target: Path, names: Sequence[str]) -> Path:
    """Return the folder that holds all: the archive's own root, or the one folder in it."""
    tops = {name.split("/")[0] for name in names}
    if "bagit.txt" in names or len(tops) != 1 or not (target / next(iter(tops))).is_dir():
        return target
    return target / tops.pop()


def _refused(reason: str) -> BadInput:
    return BadInput(
        f"No se abrió el ZIP: {reason}.",
        todo="Pida de nuevo el expediente; si lo abre por su cuenta, verifique la carpeta.",
        code="zip_rechazado",
    )
