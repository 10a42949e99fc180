"""Where the sheets of each document come from: PDFs are opened, pictures become sheets, the rest is named by a sheet.

Invariant: what cannot be opened never stops a dossier: it is an ANEXO with its reason in words. Only as many files are
open at a time as the system allows: beyond, those that are open are written together into one temporary file and read
from there, which changes no byte of the result.
"""

from __future__ import annotations

import resource
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
from PIL import Image, ImageOps, ImageSequence
from reportlab.lib.pagesizes import landscape, letter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from radica.custodia.store import Store
from radica.kernel.errors import NO_ROOM, NotFound, Unavailable
from radica.prejuridico.contenido import DocumentoExpediente
from radica.prejuridico.papel.folio import settle
from radica.prejuridico.papel.valores import Forma

FILES_EACH = 4  # descriptors that an open document may hold: the blob, its decrypted copy, the PDF
MOST_OPEN = 2_000
MAX_PIXELS = 120_000_000
_PICTURE_SIDE = 3_300  # pixels of the longer side: 300 dpi on a letter sheet; the whole picture is in the bag
_EDGE = 40  # points
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".gif", ".webp"})
# What pikepdf and Pillow raise on files that are not what they say.
DAMAGED = (
    pikepdf.PdfError,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    RuntimeError,
    SyntaxError,
)

CLAVE = "Tiene contraseña de apertura: sus páginas no se pueden reproducir sin ella."
DANADO = "No es un PDF que se pueda abrir: está dañado o es de otro formato."
IMAGEN = "No es una imagen que se pueda abrir, o es demasiado grande."
SIN_PAGINAS = "El PDF no tiene páginas."
FALTA = "No está en la custodia: se declara el faltante."
DISK_FULL = "El disco está lleno; el expediente no se terminó y nada de lo guardado cambió."
DECLARADO = "Se incorpora como archivo: sus páginas no se pudieron reproducir."
REPARADO = "El archivo tiene defectos de estructura; se reproduce lo que de él se pudo leer."


@dataclass
class Paginas:
    """Sheets of one document: `pages` live in an open PDF of `Fuentes` until its `close`."""

    forma: Forma
    pages: list[Any]
    motivo: str = ""
    aviso: str = ""


class Fuentes:
    """Opens the documents of a dossier one by one, and keeps few of them open."""

    def __init__(self, store: Store, folder: Path, *, max_open: int | None = None) -> None:
        """`folder` is a private temporary folder, which the caller removes."""
        self._store = store
        self._folder = folder
        self._max_open = max_open or files_allowed()
        self._stack = ExitStack()
        self._merged: list[pikepdf.Pdf] = []
        self._waiting: list[Paginas] = []
        self._open = 0

    def __enter__(self) -> Fuentes:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        for one in self._merged:
            one.close()

    def pages_of(self, document: DocumentoExpediente) -> Paginas:
        """Return the sheets of a document; none where a sheet of ours must name it."""
        if self._open >= self._max_open:
            self._merge()
        found = self._read(document)
        if found.pages:
            self._waiting.append(found)
        return found

    def _read(self, document: DocumentoExpediente) -> Paginas:
        kind = _kind(document)
        if kind is None and not document.adjunto:
            missing = document.sha256 is not None and not self._store.exists(document.sha256)
            return Paginas(Forma.ANEXO, [], FALTA) if missing else Paginas(Forma.HOJA, [])
        if document.adjunto and kind is not Forma.PAGINAS:
            return Paginas(Forma.ANEXO, [], document.nota or DECLARADO)
        with ExitStack() as trial:
            try:
                path = self._lend(document, trial)
                found = self._pdf(path, trial) if kind is Forma.PAGINAS else self._picture(path, trial)
            except NotFound:
                return Paginas(Forma.ANEXO, [], FALTA)
            except pikepdf.PasswordError:
                return Paginas(Forma.ANEXO, [], CLAVE)
            except (*DAMAGED, Image.DecompressionBombError) as exc:
                if isinstance(exc, OSError) and exc.errno in NO_ROOM:
                    raise Unavailable(
                        DISK_FULL, todo="Libere espacio y vuelva a intentarlo.", code="disco_lleno"
                    ) from exc
                return Paginas(Forma.ANEXO, [], DANADO if kind is Forma.PAGINAS else IMAGEN)
            if found.pages:
                self._open += 1
                self._stack.push(trial.pop_all())
        return found

    def _lend(self, document: DocumentoExpediente, stack: ExitStack) -> Path:
        if document.sha256 is not None:
            return stack.enter_context(self._store.local(document.sha256))
        path = self._folder / f"{document.huella}.propio"
        path.write_bytes(document.datos or b"")
        return path

    def _pdf(self, path: Path, stack: ExitStack) -> Paginas:
        pdf = stack.enter_context(pikepdf.open(path, suppress_warnings=True))
        pages = [one.obj for one in pdf.pages]
        if any("/Annots" in one for one in pages):
            # Stamps, signatures and fields become drawing; what a document does stays behind.
            pdf.generate_appearance_streams()
            pdf.flatten_annotations("all")
            pages = [one.obj for one in pdf.pages]
        for one in pages:
            settle(one)
        if not pages:
            return Paginas(Forma.ANEXO, [], SIN_PAGINAS)
        return Paginas(Forma.PAGINAS, pages, aviso=REPARADO if pdf.get_warnings() else "")

    def _picture(self, path: Path, stack: ExitStack) -> Paginas:
        out = self._folder / f"imagen-{self._open}-{len(self._merged)}.pdf"
        stack.callback(out.unlink, missing_ok=True)
        draw_picture(path, out)
        found = self._pdf(out, stack)
        return Paginas(Forma.IMAGEN, found.pages)

    def _merge(self) -> None:
        """Write what is open into one file, read it back, and let go of the rest."""
        path = self._folder / f"tanda-{len(self._merged)}.pdf"
        with pikepdf.new() as batch:
            plant(batch, (batch.copy_foreign(page) for one in self._waiting for page in one.pages))
            batch.save(path, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)
        self._stack.close()
        merged = pikepdf.open(path)
        self._merged.append(merged)
        pages = iter([one.obj for one in merged.pages])
        for one in self._waiting:
            one.pages = [next(pages) for _ in one.pages]
        self._waiting, self._open = [], 0


def files_allowed() -> int:
    """Return how many documents may be open at a time under this process's limit of files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_OPEN
    return min(max((soft - 256) // FILES_EACH, 20), MOST_OPEN)


def plant(pdf: pikepdf.Pdf, pages: Iterable[Any]) -> list[Any]:
    """Make page objects that are the PDF's own its only pages; return them.

    By hand, because adding pages through the library costs the square of the documents.
    """
    root = pdf.Root["/Pages"]
    planted = []
    for page in pages:
        page["/Parent"] = root
        planted.append(page)
    root["/Kids"] = pikepdf.Array(planted)
    root["/Count"] = len(planted)
    return planted


def _kind(document: DocumentoExpediente) -> Forma | None:
    extension = document.extension.lower()
    if document.media_type == "application/pdf" or extension == ".pdf":
        return Forma.PAGINAS
    if extension in _PICTURES or (document.media_type.startswith("image/") and "svg" not in document.media_type):
        return Forma.IMAGEN
    return None


def draw_picture(path: Path, out: Path) -> None:
    """Set each picture of a file on a letter sheet, upright. Raises what `DAMAGED` lists."""
    with Image.open(path) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            raise ValueError("too many pixels")
        canvas = Canvas(str(out), pagesize=letter, invariant=1, pageCompression=1)
        plain = picture.format == "JPEG" and picture.mode in {"L", "RGB"} and picture.getexif().get(0x0112, 1) == 1
        if plain:
            picture.load()  # a picture that is cut short is told here
            _place(canvas, ImageReader(str(path)), picture.width, picture.height)
        else:
            for frame in ImageSequence.Iterator(picture):
                shown = _flat(frame)
                _place(canvas, ImageReader(shown), shown.width, shown.height)
        canvas.save()


def _flat(frame: Image.Image) -> Image.Image:
    """Return a picture upright, on white, no finer than paper shows."""
    upright = ImageOps.exif_transpose(frame)
    if upright.mode in {"RGBA", "LA", "PA", "P"}:
        clear = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    shown = upright.convert("L" if upright.mode in {"1", "L", "I;16", "I", "F"} else "RGB")
    shown.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE))
    return shown


def _place(canvas: Canvas, picture: ImageReader, width: int, height: int) -> None:
    """Draw a picture in the middle of a sheet that lies as it lies; small ones are not blown up beyond 100 dpi."""
    sheet = landscape(letter) if width > height else letter
    canvas.setPageSize(sheet)
    scale = min((sheet[0] - 2 * _EDGE) / width, (sheet[1] - 2 * _EDGE) / height, 72 / 100)
    wide, tall = width * scale, height * scale
    canvas.drawImage(picture, (sheet[0] - wide) / 2, (sheet[1] - tall) / 2, wide, tall)
    canvas.showPage()
