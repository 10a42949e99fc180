"""The process that changes a PDF so that a payer takes it, and proves that it says the same: pages, text and looks.

Invariant: nothing that a page shows is lost: streams are packed anew without loss, scripts and actions go, pages are
spread over files or joined in order. It opens strangers' files, so it runs with limits (`kernel.reader`) as
`python -m radica.radicacion.cambio_hijo`; what it writes is taken only with its proof. Norm: Ley 527 de 1999 art. 9.
"""

from __future__ import annotations

import hashlib
import io
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2 as pdfium

from radica.kernel.errors import NO_ROOM
from radica.kernel.reader import serve

MEMORY_BYTES = 3 * 1024**3
CPU_S = 900
MAX_PAGES = 5_000
MAX_OBJECTS = 500_000
MAX_PARTS = 200
_SCALE = 0.5
"""36 dots per inch: enough to see that a page looks the same, little enough to draw each one twice."""
_LONGEST = 7_200
"""Dots of the longest side of that drawing, at most: a page may say that it is a kilometre long."""
_ACTIONS = {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/ResetForm"}
_DEPTH = 8
_BROKEN = (MemoryError, ValueError, LookupError, TypeError, RuntimeError)
"""What the libraries raise on a PDF that is not what it says."""


class NoCabe(Exception):
    """One page alone is larger than the limit."""


def answer(order: Mapping[str, Any], _: bytes = b"") -> dict[str, Any]:
    """Do one change. Order: `operacion`, `entradas`, `carpeta`, `tope` (bytes or null).

    Answers `estado` hecho (with `salidas`, pages of each input in `hojas`, and `original` and `enviado`, page by page), no_cabe,
    sin_espacio or ilegible.
    """
    inputs = [Path(one) for one in order["entradas"]]
    folder = Path(order["carpeta"])
    try:
        made = _CHANGES[order["operacion"]](inputs, folder, order.get("tope"))
        before = [pages_of(path) for path in inputs]
        after = [pages_of(path) for path in made]
    except NoCabe:
        return {"estado": "no_cabe"}
    except OSError as problem:
        return {"estado": "sin_espacio" if problem.errno in NO_ROOM else "ilegible"}
    except (pikepdf.PdfError, pikepdf.PasswordError, pdfium.PdfiumError, *_BROKEN):
        return {"estado": "ilegible"}
    return {
        "estado": "hecho",
        "salidas": [{"nombre": path.name, "paginas": len(pages)} for path, pages in zip(made, after, strict=True)],
        "hojas": [len(pages) for pages in before],
        "original": [page for pages in before for page in pages],
        "enviado": [page for pages in after for page in pages],
    }


def pages_of(path: Path) -> list[list[str]]:
    """Return, by page, the SHA-256 of its text and of its picture. Raises ValueError when there are too many pages."""
    with path.open("rb") as source, pdfium.PdfDocument(source) as document:
        if len(document) > MAX_PAGES:
            raise ValueError
        document.init_forms()  # else what was typed into fields is not drawn, and its loss would not be seen
        return [_page(document[number]) for number in range(len(document))]


def _page(page: pdfium.PdfPage) -> list[str]:
    text = str(page.get_textpage().get_text_bounded())
    scale = min(_SCALE, _LONGEST / max(*page.get_size(), 1.0))
    picture = page.render(scale=scale, grayscale=True).to_pil()
    looks = hashlib.sha256(f"{picture.size}".encode() + picture.tobytes()).hexdigest()
    page.close()
    return [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), looks]


def _limpiar(inputs: Sequence[Path], folder: Path, _: int | None) -> list[Path]:
    """Take out scripts, actions at opening, and actions that start programs or send data."""
    with pikepdf.open(inputs[0]) as pdf:
        for name in ("/OpenAction", "/AA"):
            if name in pdf.Root:
                del pdf.Root[name]
        names = pdf.Root.get("/Names")
        if isinstance(names, pikepdf.Dictionary) and "/JavaScript" in names:
            del names["/JavaScript"]
        for one in islice(pdf.objects, MAX_OBJECTS):
            _disarm(one, 0)
        return [_saved(pdf, folder / "limpio.pdf")]


def _disarm(thing: pikepdf.Object, depth: int) -> None:
    if depth > _DEPTH:
        return
    if isinstance(thing, pikepdf.Stream):
        thing = thing.stream_dict
    if isinstance(thing, pikepdf.Array):
        inside: Iterator[Any] = islice(thing, MAX_OBJECTS)
    elif isinstance(thing, pikepdf.Dictionary):
        for name in ("/AA", "/JS"):
            if name in thing:
                del thing[name]
        for name in ("/A", "/Next", "/PA"):
            value = thing.get(name)
            if isinstance(value, pikepdf.Dictionary) and str(value.get("/S")) in _ACTIONS:
                del thing[name]
        if str(thing.get("/S")) in _ACTIONS:  # an action that something else still points to does nothing any more
            for name in ("/S", "/F", "/Win"):
                if name in thing:
                    del thing[name]
        inside = (value for _, value in thing.items())
    else:
        return
    for value in list(inside):
        if isinstance(value, pikepdf.Object) and not value.is_indirect:
            _disarm(value, depth + 1)


def _comprimir(inputs: Sequence[Path], folder: Path, _: int | None) -> list[Path]:
    """Pack the streams again, as small as they go without losing anything."""
    pikepdf.settings.set_flate_compression_level(9)
    with pikepdf.open(inputs[0]) as pdf:
        pdf.remove_unreferenced_resources()
        return [_saved(pdf, folder / "comprimido.pdf", recompress_flate=True)]


def _dividir(inputs: Sequence[Path], folder: Path, tope: int | None) -> list[Path]:
    """Spread the pages over files of at most `tope` bytes each, in order: what does not fit is halved. Raises NoCabe."""
    limit = tope or sys.maxsize
    made: list[Path] = []
    with pikepdf.open(inputs[0]) as pdf:
        total = len(pdf.pages)
        parts = min(total, max(2, math.ceil(inputs[0].stat().st_size / limit)))
        todo = [(total * n // parts, total * (n + 1) // parts) for n in reversed(range(parts))]
        while todo:
            first, end = todo.pop()
            path = _part(pdf, first, end, folder / f"parte_{len(made) + 1}.pdf")
            if path.stat().st_size <= limit:
                made.append(path)
                continue
            path.unlink()
            if end - first == 1 or len(made) + len(todo) >= MAX_PARTS:
                raise NoCabe
            middle = (first + end) // 2
            todo += [(middle, end), (first, middle)]
    if len(made) < 2:
        raise NoCabe
    return made


def _part(pdf: pikepdf.Pdf, first: int, end: int, path: Path) -> Path:
    with pikepdf.new() as part:
        part.add_pages_from(pdf, range(first, end))  # with the fields of their forms
        part.remove_unreferenced_resources()
        return _saved(part, path)


def _unir(inputs: Sequence[Path], folder: Path, _: int | None) -> list[Path]:
    """Put the pages of several files one after another in one."""
    with ExitStack() as stack, pikepdf.new() as whole:
        for path in inputs:
            whole.add_pages_from(stack.enter_context(pikepdf.open(path)))
        return [_saved(whole, folder / "unido.pdf")]


def _saved(pdf: pikepdf.Pdf, path: Path, *, recompress_flate: bool = False) -> Path:
    with _Patient(path) as place, io.BufferedWriter(place) as out:
        pdf.save(
            out,
            deterministic_id=True,
            compress_streams=True,
            recompress_flate=recompress_flate,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
        )
        out.flush()
        if place.problem is not None:
            raise place.problem
    return path


class _Patient(io.RawIOBase):
    """A file that keeps the system's refusal to write for later: raised in the middle it ends the process in qpdf."""

    def __init__(self, path: Path) -> None:
        self._file, self._at = path.open("wb", buffering=0), 0
        self.problem: OSError | None = None

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, data: Any) -> int:
        """Write all of `data`; once there is no room, nothing any more."""
        rest = memoryview(data)
        self._at += rest.nbytes
        try:
            while self.problem is None and rest:
                rest = rest[self._file.write(rest) :]
        except OSError as problem:
            self.problem = problem
        return len(data)

    def tell(self) -> int:
        """Return how many bytes were given."""
        return self._at

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


_CHANGES: dict[str, Callable[[Sequence[Path], Path, int | None], list[Path]]] = {
    "limpiar": _limpiar,
    "comprimir": _comprimir,
    "dividir": _dividir,
    "unir": _unir,
}


if __name__ == "__main__":
    sys.exit(serve(answer, memory_bytes=MEMORY_BYTES, cpu_s=CPU_S))
