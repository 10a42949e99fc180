"""File names of the judicial electronic file: pure functions from titles to names that the courts' rule accepts.

Invariant: every name is letters and digits only (no space, accent, hyphen nor sign), begins with its order in two
digits, has a capital at each word, ends with the date as AAAAMMDD when there is one, counts at most 40 characters with
its extension, and is unique in the whole dossier also where capitals do not count. Same titles, same names. More than
99 documents do not fit two digits: then the file is parted in cuadernos (C01, C02…) and the order begins again in each.
Norm: Acuerdo PCSJA20-11567, Protocolo de gestión del expediente electrónico v2 (names of documents and folders).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count, groupby

from radica.prejuridico.contenido import Capitulo, Contenido, DocumentoExpediente

MAX_NOMBRE = 40  # with the extension: so it holds under both readings of the rule
MAX_POR_CUADERNO = 99  # two digits
PRIMERA = "01PrimeraInstancia"
SIN_RADICADO = "SinRadicado"  # stands where the 23 digits will stand

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")  # also inside CamelCase
_EXTENSION = re.compile(r"[a-z0-9]{1,5}")
# Words that tell nothing in a name of 40 characters.
_SMALL = frozenset(re.findall(r"\w+", "a al con de del e el en la las lo los o para por que se sin su sus u un una y"))


@dataclass(frozen=True)
class Titulo:
    """What a document is called by people.

    `clave` is what tells it from its likes (the number of the invoice): it is kept when the text is cut. `grupo` is
    its chapter: a cuaderno does not part one that fits.
    """

    texto: str
    fecha: date | None = None
    extension: str = "pdf"
    clave: str = ""
    grupo: str = ""


@dataclass(frozen=True)
class Nombre:
    """What a document is called in the electronic file: folder of its cuaderno, order in it, and name."""

    cuaderno: str
    orden: int
    nombre: str

    @property
    def ruta(self) -> str:
        """Return cuaderno and name, as a path of two parts."""
        return f"{self.cuaderno}/{self.nombre}"


def nombrar(titulos: Sequence[Titulo]) -> list[Nombre]:
    """Return the names of documents, in their order; the n-th name is of the n-th title."""
    names: list[Nombre] = []
    taken: set[str] = set()
    for number, part in enumerate(_cuadernos(titulos), 1):
        folder = _folder(number, part[0].grupo)
        for order, one in enumerate(part, 1):
            name = next(name for mark in _marks() if (name := _name(order, one, mark)).casefold() not in taken)
            taken.add(name.casefold())
            names.append(Nombre(folder, order, name))
    return names


def nombres_de(contenido: Contenido) -> list[Nombre]:
    """Return the name in the electronic file of each document of a dossier, in the order of `documentos()`."""
    return nombrar([_titulo(chapter, one) for chapter, one in contenido.documentos()])


def _titulo(chapter: Capitulo, one: DocumentoExpediente) -> Titulo:
    key = "".join(palabras(one.factura or ""))
    base = "".join(palabras(one.nombre_base))
    return Titulo(
        texto=one.nombre_base,
        fecha=one.fecha_creacion,
        extension=one.extension,
        clave="" if key and key in base else one.factura or "",
        grupo=chapter.clave,
    )


def raiz(radicado: str | None) -> str:
    """Return the folder that holds the cuadernos: the 23 digits of the lawsuit, once it has them, and the instance."""
    digits = re.sub(r"\D", "", radicado or "")
    return f"{digits if len(digits) == 23 else SIN_RADICADO}/{PRIMERA}"


def palabras(texto: str) -> list[str]:
    """Return the words of a text as the rule writes them: no accents, a capital first, small words left out.

    CamelCase is parted into its words; a text of small words only keeps them.
    """
    folded = "".join(one for one in unicodedata.normalize("NFKD", texto) if not unicodedata.combining(one))
    found = _WORD.findall(folded)
    telling = [one for one in found if one.lower() not in _SMALL]
    return [one[0].upper() + one[1:].lower() for one in telling or found]


def _cuadernos(titulos: Sequence[Titulo]) -> Iterator[list[Titulo]]:
    """Part the documents: all in one when they fit, else chapter by chapter, filling each cuaderno in order."""
    if len(titulos) <= MAX_POR_CUADERNO:
        if titulos:
            yield list(titulos)
        return
    now: list[Titulo] = []
    for _, chapter in groupby(titulos, key=lambda one: one.grupo):
        for piece in _pieces(list(chapter)):
            if now and len(now) + len(piece) > MAX_POR_CUADERNO:
                yield now
                now = []
            now = [*now, *piece]
    yield now


def _pieces(chapter: list[Titulo]) -> Iterator[list[Titulo]]:
    for start in range(0, len(chapter), MAX_POR_CUADERNO):
        yield chapter[start : start + MAX_POR_CUADERNO]


def _folder(number: int, group: str) -> str:
    words = ["Cuaderno", "Principal"] if number == 1 else ["Cuaderno", *palabras(group)]
    start = f"C{number:02d}"
    return start + _fit(words, MAX_NOMBRE - len(start))


def _name(order: int, titulo: Titulo, mark: str) -> str:
    extension = titulo.extension.lower().lstrip(".")
    tail = mark + (f"{titulo.fecha:%Y%m%d}" if titulo.fecha else "")
    tail += f".{extension if _EXTENSION.fullmatch(extension) else 'bin'}"
    room = MAX_NOMBRE - 2 - len(tail)
    # The end of a number tells more than its beginning.
    key = "".join(palabras(titulo.clave))[-min(room, 16) :]
    text = _fit(palabras(titulo.texto) or ([] if key else ["Documento"]), room - len(key))
    return f"{order:02d}{text}{key}{tail}"


def _fit(words: Sequence[str], room: int) -> str:
    """Join whole words as long as they fit; a first word that does not fit alone is cut."""
    out = ""
    for one in words:
        if len(out) + len(one) > room:
            break
        out += one
    return out or "".join(words)[:room]


def _marks() -> Iterator[str]:
    """Return what tells equal names apart, in order: nothing, then B, C, … Z, Bb, Bc… (a letter never joins a date)."""
    yield ""
    letters = "BCDEFGHIJKLMNOPQRSTUVWXYZ"
    for number in count():
        out, rest = "", number
        while True:
            rest, index = divmod(rest, len(letters))
            out = letters[index] + out
            if not rest:
                break
            rest -= 1
        yield out.capitalize()
