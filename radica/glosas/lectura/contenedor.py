"""Opens what a payer sends around its files: ZIPs inside ZIPs, mails with attachments, mails inside mails.

Invariant: what a file is follows from its bytes, not from its name; every inner file comes out with its whole way as
name (`correo.eml/GLOSAS.zip/GLOSAS FC1.xlsx`) or is reported with the reason why not; limits of bytes, entries and
depth hold over the whole nest, so that a bomb divided among layers is no way around them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from radica.facturas.archive import MB, Entrada, Limites, Rechazo, expand
from radica.facturas.xmlsafe import Unreadable
from radica.glosas.lectura.correo import Mensaje, es_eml, es_msg, leer_correo

LIMITES = Limites(entries=5_000, entry_bytes=512 * MB, total_bytes=2_048 * MB, nested=True)
MAX_DEPTH = 6
CUERPO_HTML, CUERPO_TEXTO = "cuerpo.html", "cuerpo.txt"
"""Inner names of a mail's own text: it may hold the table of glosas, and is no failure when it holds none."""

_HEAD = 16 * 1024
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_FOREIGN = {b"Rar!": "RAR", b"7z\xbc\xaf": "7-Zip", b"\x1f\x8b": "GZIP"}
_TNEF = b"\x78\x9f\x3e\x22"
_OFFICE = frozenset({"[Content_Types].xml", "mimetype"})
"""A ZIP that holds one of these is a workbook or a text document (Office, OpenDocument), not an archive."""


def expandir(path: Path, nombre: str, *, carpeta: Path, limites: Limites = LIMITES) -> Iterator[Entrada | Rechazo]:
    """Yield every readable file inside `path`, or `path` itself when it holds nothing.

    `nombre` is how the file is called outside; `carpeta` an empty folder of the caller's, where inner files are
    written and stay. A mail also gives its own text as `cuerpo.html` or `cuerpo.txt`. What is refused, damaged
    archives included, comes as a Rechazo. Raises OSError when the disk does not take the bytes.
    """
    nest = _Nido(carpeta, replace(limites, nested=True))
    yield from nest.abrir(Entrada(nombre, path, path.stat().st_size), depth=0)


def es_cuerpo(nombre: str) -> bool:
    """Say whether an inner name is a mail's own text."""
    return nombre.rsplit("/", 1)[-1] in {CUERPO_HTML, CUERPO_TEXTO} and "/" in nombre


@dataclass
class _Nido:
    """What is left to give while a nest is opened, and where the next file goes."""

    carpeta: Path
    limites: Limites
    usados: int = 0
    entradas: int = 0
    numero: int = 0

    def abrir(self, entry: Entrada, *, depth: int) -> Iterator[Entrada | Rechazo]:
        """Yield the leaves of one file."""
        kind = _kind(entry.path)
        if kind in _FOREIGN.values():
            yield Rechazo(
                entry.name,
                "comprimido_ajeno",
                f"Es un comprimido {kind}, que no se abre.",
                "Pida el archivo en ZIP o descomprímalo y cargue su contenido.",
            )
        elif kind == "TNEF":
            yield Rechazo(
                entry.name,
                "tnef",
                "Es un anexo en el formato propio de Outlook (winmail.dat).",
                "Pida que reenvíen el correo en formato HTML.",
            )
        elif kind == "":
            yield entry
        elif depth >= MAX_DEPTH:
            yield Rechazo(
                entry.name,
                "muy_anidado",
                f"Está dentro de más de {MAX_DEPTH} comprimidos o correos.",
                "Descomprímalo y cargue su contenido.",
            )
        elif kind == "ZIP":
            yield from self._zip(entry, depth)
        else:
            yield from self._mail_file(entry, depth)

    def _zip(self, entry: Entrada, depth: int) -> Iterator[Entrada | Rechazo]:
        left = replace(
            self.limites,
            total_bytes=max(0, self.limites.total_bytes - self.usados),
            entries=max(0, self.limites.entries - self.entradas),
        )
        try:
            for inner in expand(entry.path, self._folder(), left):
                self.entradas += 1
                if isinstance(inner, Rechazo):
                    yield replace(inner, name=f"{entry.name}/{inner.name}")
                    continue
                self.usados += inner.size
                # The walk goes on with what this entry holds; `expand` counts its own level only.
                yield from self.abrir(replace(inner, name=f"{entry.name}/{inner.name}"), depth=depth + 1)
        except Unreadable as problem:
            yield Rechazo(entry.name, problem.code, problem.message, problem.todo)

    def _mail_file(self, entry: Entrada, depth: int) -> Iterator[Entrada | Rechazo]:
        try:
            message = leer_correo(entry.path)
        except Unreadable as problem:
            yield Rechazo(entry.name, problem.code, problem.message, problem.todo)
            return
        yield from self._mail(message, entry.name, depth)

    def _mail(self, message: Mensaje, name: str, depth: int) -> Iterator[Entrada | Rechazo]:
        if "<table" in message.html.lower() or (message.html.strip() and not message.texto.strip()):
            yield from self._put(f"{name}/{CUERPO_HTML}", message.html.encode(), depth, open_it=False)
        elif message.texto.strip():
            yield from self._put(f"{name}/{CUERPO_TEXTO}", message.texto.encode(), depth, open_it=False)
        if message.cortado:
            yield Rechazo(
                name,
                "correo_cortado",
                "El correo llegó cortado: a sus anexos puede faltarles el final.",
                "Compare lo leído con lo que envió el pagador y pídalo de nuevo.",
            )
        for attached in message.adjuntos:
            inner = f"{name}/{attached.nombre}"
            if attached.mensaje is not None:
                yield from self._mail(attached.mensaje, inner, depth + 1)
            elif attached.decorativo:
                yield Rechazo(inner, "decorativo", "Es un logo o firma del correo.", "No hay que hacer nada.")
            elif not attached.datos:
                yield Rechazo(inner, "vacio", "El anexo llegó vacío.", "Pida que lo envíen de nuevo.")
            else:
                yield from self._put(inner, attached.datos, depth, open_it=True)

    def _put(self, name: str, data: bytes, depth: int, *, open_it: bool) -> Iterator[Entrada | Rechazo]:
        """Write a part of a mail as a file of its own and go on with what it holds."""
        self.entradas += 1
        self.usados += len(data)
        if self.usados > self.limites.total_bytes or self.entradas > self.limites.entries:
            yield Rechazo(name, "correo_grande", "El correo trae más de lo admitido.", "Cargue sus anexos aparte.")
            return
        path = self._folder() / "000000"
        path.write_bytes(data)
        entry = Entrada(name, path, len(data))
        if open_it:
            yield from self.abrir(entry, depth=depth + 1)
        else:
            yield entry

    def _folder(self) -> Path:
        self.numero += 1
        folder = self.carpeta / f"{self.numero:05d}"
        folder.mkdir()
        return folder


def _kind(path: Path) -> str:
    """Return what a file holds other files as: ZIP, MAIL, TNEF, the name of a foreign archive, or "" for a leaf."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    for mark, name in _FOREIGN.items():
        if head.startswith(mark):
            return name
    if head.startswith(_TNEF):
        return "TNEF"
    if head.startswith(_ZIP):
        return "" if _is_office(path) else "ZIP"
    return "MAIL" if es_eml(head) or es_msg(path) else ""


def _is_office(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as bundle:
            return not _OFFICE.isdisjoint(bundle.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError):
        return False  # opened as a ZIP, it is then reported as damaged
