"""Opens a ZIP that came from outside, safely, entry by entry.

Invariant: an entry's name never becomes a path on disk; bytes written are limited while they are written, not by what
the archive declares; an entry that is refused is reported with its reason and the rest goes on. A ZIP inside a ZIP is
refused unless the limits allow it. Norm: Res. 2284 de 2023, annex 2, numeral 3.2 (one archive, without subfolders).
"""

from __future__ import annotations

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from radica.facturas.texts import has_control
from radica.facturas.xmlsafe import Unreadable

MB = 1024 * 1024
_CHUNK = 256 * 1024
_ENCRYPTED = 0x1
_UTF8_NAME = 0x800
_PLAIN = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")
_DRIVE = re.compile(r"^[A-Za-z]:")
_SYSTEM = re.compile(r"(^|/)(__MACOSX/.*|\.DS_Store|Thumbs\.db|desktop\.ini)$", re.IGNORECASE)
_SPANISH = frozenset("áéíóúüñÁÉÍÓÚÜÑ°ºª¿¡–")


@dataclass(frozen=True)
class Limites:
    """How much an archive may give. `ratio` is refused only beyond `ratio_from` bytes: RIPS compress well.

    `nested` lets an entry be an archive itself (a workbook is a ZIP too); opening it is then the caller's decision.
    """

    entries: int = 20_000
    entry_bytes: int = 1024 * MB
    total_bytes: int = 8 * 1024 * MB
    ratio: int = 200
    ratio_from: int = 16 * MB
    nested: bool = False


@dataclass(frozen=True)
class Entrada:
    """An entry that was written: its name inside the archive (repaired), where its bytes are, and how many."""

    name: str
    path: Path
    size: int


@dataclass(frozen=True)
class Rechazo:
    """An entry that was not written, with the reason in Spanish."""

    name: str
    code: str
    reason: str
    todo: str


class EntryRefused(Exception):
    """One entry is refused; `expand` turns it into a `Rechazo` and goes on."""

    def __init__(self, code: str, reason: str, todo: str) -> None:
        super().__init__(code)
        self.code, self.reason, self.todo = code, reason, todo


def expand(archive: Path, folder: Path, limits: Limites | None = None) -> Iterator[Entrada | Rechazo]:
    """Write the entries of `archive` one by one into `folder`, as `000000`, `000001`…, and yield what became of each.

    The caller may use and delete each file before asking for the next. Raises Unreadable when the file is no ZIP
    or has too many entries, and OSError when the disk does not take the bytes.
    """
    bounds = limits or Limites()
    try:
        bundle = zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        raise Unreadable(
            "El ZIP está dañado o incompleto.", todo="Vuelva a comprimirlo y cárguelo de nuevo.", code="zip_danado"
        ) from None
    with bundle:
        infos = bundle.infolist()
        if len(infos) > bounds.entries:
            raise Unreadable(
                f"El ZIP trae {len(infos)} archivos y se admiten {bounds.entries}.",
                todo="Divídalo en varios.",
                code="zip_muchos",
            )
        seen: set[str] = set()
        left = bounds.total_bytes
        for index, info in enumerate(infos):
            if info.is_dir():
                continue
            name = entry_name(info)
            target = folder / f"{index:06d}"
            try:
                check_name(name, seen)
                _check_entry(info)
                size = _write(bundle, info, target, bounds, left)
            except EntryRefused as refused:
                target.unlink(missing_ok=True)
                yield Rechazo(_shown(name), refused.code, refused.reason, refused.todo)
                continue
            left -= size
            yield Entrada(name, target, size)


def entry_name(info: zipfile.ZipInfo) -> str:
    """Return the name of an entry with `/` and with the accents that its writer meant.

    Without the UTF-8 mark, `zipfile` reads cp437; most Spanish archives were written in UTF-8, cp850 or cp1252.
    """
    name = info.orig_filename
    if not info.flag_bits & _UTF8_NAME and not name.isascii():
        try:
            raw = name.encode("cp437")
        except UnicodeEncodeError:
            raw = b""
        candidates = [text for encoding in ("utf-8", "cp850", "cp1252") if (text := _decoded(raw, encoding))]
        if candidates and _decoded(raw, "utf-8"):
            name = candidates[0]
        elif candidates:
            name = max(candidates, key=_spanish)
    return name.replace("\\", "/")


def check_name(name: str, seen: set[str]) -> None:
    """Refuse names that try to leave the folder, hide something, are of the system or repeat; notes it in `seen`."""
    if has_control(name):
        raise EntryRefused("nombre_control", "El nombre trae caracteres de control.", "Renombre el archivo.")
    if name.startswith("/") or _DRIVE.match(name):
        raise EntryRefused("nombre_absoluto", "El nombre es una ruta absoluta.", "Comprima sin rutas completas.")
    if ".." in name.split("/"):
        raise EntryRefused(
            "nombre_fuera", "El nombre intenta salir de la carpeta (..).", "Comprima de nuevo la carpeta."
        )
    if _SYSTEM.search(name):
        raise EntryRefused(
            "del_sistema", "Es un archivo del sistema operativo, no un documento.", "No hay que hacer nada."
        )
    if name.casefold() in seen:
        raise EntryRefused("nombre_repetido", "El ZIP trae dos archivos con este nombre.", "Renombre uno de los dos.")
    seen.add(name.casefold())


def _check_entry(info: zipfile.ZipInfo) -> None:
    """Refuse what is not a plain file in a plain compression."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise EntryRefused("enlace", "Es un enlace u objeto especial, no un archivo.", "Comprima el archivo verdadero.")
    if info.flag_bits & _ENCRYPTED:
        raise EntryRefused("cifrado", "El archivo está protegido con contraseña.", "Comprímalo sin contraseña.")
    if info.compress_type not in _PLAIN:
        raise EntryRefused("compresion", "Usa una compresión que no se abre.", "Comprímalo como ZIP normal (deflate).")


def _write(bundle: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, bounds: Limites, left: int) -> int:
    """Copy an entry to `target` under the running limits and return its bytes."""
    if info.file_size > bounds.entry_bytes:
        raise _too_large(bounds.entry_bytes)
    try:
        with bundle.open(info) as source, target.open("xb") as sink:
            return _copy(source, sink, info, bounds, left)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        raise EntryRefused(
            "danado", "El archivo está dañado dentro del ZIP.", "Vuelva a comprimirlo y cárguelo de nuevo."
        ) from None


def _copy(source: IO[bytes], sink: IO[bytes], info: zipfile.ZipInfo, bounds: Limites, left: int) -> int:
    size = 0
    while chunk := source.read(_CHUNK):
        if size == 0 and not bounds.nested and chunk.startswith(_ARCHIVES):
            raise EntryRefused("zip_dentro", "Es un comprimido dentro de otro.", "Descomprímalo y cargue su contenido.")
        size += len(chunk)
        if size > bounds.ratio_from and size > bounds.ratio * max(info.compress_size, 1):
            raise EntryRefused(
                "bomba",
                "Se infla de forma desmedida al abrirlo; no es un documento.",
                "No lo cargue; avise a sistemas.",
            )
        if size > bounds.entry_bytes:
            raise _too_large(bounds.entry_bytes)
        if size > left:
            raise EntryRefused("zip_grande", "El ZIP abierto pesa más de lo admitido.", "Divídalo en varios ZIP.")
        sink.write(chunk)
    return size


def _too_large(limit: int) -> EntryRefused:
    return EntryRefused("grande", f"El archivo pesa más de {limit // MB} MB.", "Divídalo o revíselo.")


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return ""


def _spanish(text: str) -> int:
    """Score how Spanish a name looks: each usual letter counts for it, any other strange one against it."""
    return sum(1 if char in _SPANISH else -1 for char in text if not char.isascii())


def _shown(name: str) -> str:
    """Return a name that can be shown: control characters are written out and the length is bounded."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in name)[:300] or os.curdir
