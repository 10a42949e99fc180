"""The sheets of ours in the dossier: cover, index, dividers, and the sheets of documents that have no pages here.

Invariant: equal contents give equal bytes (no clock, no random name); how many sheets the index takes does not depend
on the folios that it prints; the foot of every sheet stays free for its folio. Sober, black on white, to be read by a
judge and printed by a clerk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reportlab.lib.colors import Color
from reportlab.lib.pagesizes import letter
from reportlab.lib.units import mm

from radica.conciliacion.acta import day_words
from radica.glosas.respuesta.paper import DIM, GROUND, INK, LINE, MARGIN
from radica.prejuridico.contenido import Capitulo, Contenido, DocumentoExpediente
from radica.prejuridico.papel.fuentes import Paginas
from radica.prejuridico.papel.tinta import BOLD, MONO, PLAIN, box_at, line_at, shorten, split, text_at, width
from radica.prejuridico.papel.valores import Forma

WIDTH, HEIGHT = letter
ROOM = WIDTH - 2 * MARGIN
TOP, LOW = HEIGHT - 26 * mm, 24 * mm
_LEAD = 11.5
_CHAPTER_LEAD = 22
_TITLE_ROOM = ROOM - 42 - 62


@dataclass(frozen=True)
class Enlace:
    """A place on a sheet of ours that leads to a folio: number of the sheet (from 0), rectangle, folio."""

    sheet: int
    rect: tuple[Any, Any, Any, Any]
    folio: int


@dataclass(frozen=True)
class Renglon:
    """One line of the index: order and title of a document, or title of a chapter (no order), and its folios."""

    orden: int | None
    texto: str
    desde: int
    hasta: int
    nota: str = ""


class Lienzo:
    """Draws the sheets of ours one after another; `hojas` holds the content of those that are done."""

    def __init__(self, contenido: Contenido) -> None:
        self.contenido = contenido
        self.hojas: list[bytes] = []
        self._now: list[bytes] = []

    @property
    def sheets(self) -> int:
        """Return how many sheets are done."""
        return len(self.hojas)

    def end(self) -> None:
        """Close the sheet under way."""
        self.hojas.append(b"".join(self._now))
        self._now = []

    def text(self, x: Any, y: Any, words: str, *, font: str = PLAIN, size: Any = 9, color: Color = INK) -> None:
        """Write one line with its baseline at y."""
        self._now.append(text_at(x, y, words, font, size, color))

    def to_right(self, x: Any, y: Any, words: str, *, font: str = PLAIN, size: Any = 9, color: Color = INK) -> None:
        """Write one line that ends at x."""
        self._now.append(text_at(x - width(words, font, size), y, words, font, size, color))

    def block(
        self,
        x: Any,
        y: Any,
        words: str,
        room: Any,
        *,
        font: str = PLAIN,
        size: Any = 9,
        lead: Any = 12,
        color: Color = INK,
        most: int = 40,
    ) -> Any:
        """Write a text in the room it has, on at most `most` lines; return the y below it."""
        for line in split(words, font, size, room, most):
            self.text(x, y, line, font=font, size=size, color=color)
            y -= lead
        return y

    def rule(
        self, y: Any, *, x: Any = MARGIN, far: Any = WIDTH - MARGIN, thick: Any = 0.6, color: Color = LINE
    ) -> None:
        """Draw a line across."""
        self._now.append(line_at(x, y, far, thick, color))

    def ground(self, y: Any, height: Any) -> None:
        """Lay a grey ground across."""
        self.box(MARGIN, y, ROOM, height, GROUND)

    def box(self, x: Any, y: Any, wide: Any, tall: Any, color: Color) -> None:
        """Fill a rectangle."""
        self._now.append(box_at(x, y, wide, tall, color))

    def head(self, what: str) -> None:
        """Draw the head of a sheet of ours."""
        name = self.contenido.demandante.nombre
        self.text(MARGIN, HEIGHT - 13 * mm, shorten(name, BOLD, 9, ROOM * 0.6), font=BOLD)
        self.to_right(WIDTH - MARGIN, HEIGHT - 13 * mm, f"Expediente N.º {self.contenido.numero}", size=8, color=DIM)
        self.text(MARGIN, HEIGHT - 17 * mm, f"NIT {self.contenido.demandante.nit}", size=8, color=DIM)
        self.to_right(WIDTH - MARGIN, HEIGHT - 17 * mm, what, size=8, color=DIM)
        self.rule(HEIGHT - 19.5 * mm)

    def divider(self, chapter: Capitulo, lines: Sequence[Renglon]) -> None:
        """Draw the sheet that opens a chapter: its title and its first documents with their folios."""
        self.head("")
        y = HEIGHT - 78 * mm
        self.text(MARGIN, y, f"CAPÍTULO {chapter.numero}", font=BOLD, size=10, color=DIM)
        y = self.block(MARGIN, y - 26, chapter.titulo, ROOM, font=BOLD, size=20, lead=25)
        self.rule(y + 8, far=MARGIN + 60, thick=1.6, color=INK)
        y -= 14
        if not lines:
            self.text(MARGIN, y, "No hay documentos en este capítulo.", color=DIM)
        else:
            first, last = lines[0].desde, lines[-1].hasta
            total = f"{count_words(len(lines), 'documento', 'documentos')}, {'folio' if first == last else 'folios'} {folios_words(first, last)}"
            self.text(MARGIN, y, total, size=9.5, color=DIM)
        y -= 24
        shown = lines if len(lines) <= 30 else lines[:29]
        for line in shown:
            self.text(MARGIN, y, str(line.orden), size=8.5, color=DIM)
            self.text(MARGIN + 30, y, shorten(line.texto, PLAIN, 8.5, _TITLE_ROOM), size=8.5)
            self.to_right(WIDTH - MARGIN, y, folios_words(line.desde, line.hasta), size=8.5)
            y -= 13
        if len(shown) < len(lines):
            self.text(MARGIN + 30, y, f"y {len(lines) - len(shown)} más, en el índice", size=8.5, color=DIM)
        self.end()

    def declared(self, order: int, chapter: Capitulo, one: DocumentoExpediente, found: Paginas, path: str) -> None:
        """Draw the sheet that stands for a document without pages here, and names it beyond doubt."""
        self.head(shorten(f"Capítulo {chapter.numero}. {chapter.titulo}", PLAIN, 8, ROOM * 0.7))
        loose = found.forma is Forma.ANEXO
        y = HEIGHT - 60 * mm
        what = "ARCHIVO ANEXO SIN REPRODUCIR" if loose else "DOCUMENTO ELECTRÓNICO"
        self.text(MARGIN, y, what, font=BOLD, size=10, color=DIM)
        y = self.block(MARGIN, y - 24, one.titulo, ROOM, font=BOLD, size=16, lead=20)
        if loose:
            y -= 8
            reason = split(found.motivo, PLAIN, 10, ROOM - 26, 4)
            tall = 34 + 13 * len(reason)
            self.ground(y - tall + 8, tall)
            self.box(MARGIN, y - tall + 8, 2.4, tall, INK)
            self.text(MARGIN + 14, y - 10, "Por qué no se reproducen sus páginas", font=BOLD, size=9)
            self.block(MARGIN + 14, y - 25, found.motivo, ROOM - 26, size=10, lead=13, most=4)
            y -= tall + 4
        y -= 14
        for label, value in self._facts(order, one, path):
            lines = split(value, PLAIN, 9.5, ROOM - 150, 8)
            self.text(MARGIN, y, label, size=9, color=DIM)
            font, size = (MONO, 8.2) if label == "SHA-256" else (PLAIN, 9.5)
            for line in lines:
                self.text(MARGIN + 150, y, line, font=font, size=size)
                y -= 13
            self.rule(y + 5, thick=0.4)
            y -= 9
        y -= 8
        words = (
            "El archivo está en el expediente tal como se guardó. Esta hoja lo identifica y no lo reemplaza: quien lo abra puede"
            " calcular su SHA-256 y compararlo con el de esta hoja."
        )
        if "faltante" not in found.motivo:
            self.block(MARGIN, y, words, ROOM, size=9, lead=12.5, color=DIM)
        self.end()

    def _facts(self, order: int, one: DocumentoExpediente, path: str) -> list[tuple[str, str]]:
        facts = [("Orden en el expediente", str(order)), ("Tipo de documento", one.tipologia)]
        if one.factura:
            facts.append(("Factura", one.factura))
        facts += [
            ("Fecha del documento", day_words(one.fecha_creacion)),
            ("Fecha de incorporación", day_words(one.fecha_incorporacion)),
            ("Formato", f"{one.extension.lstrip('.').upper()} ({one.media_type})"),
            ("Tamaño", f"{thousands(one.tamano)} bytes"),
            ("SHA-256", one.huella),
            ("Dónde está", path),
        ]
        if one.redactado:
            facts.append(("Reserva", "Se omitieron datos de otros pacientes."))
        if one.nota:
            facts.append(("Observaciones", one.nota))
        return facts

    def index(self, lines: Sequence[Renglon], first_sheet: int) -> list[Enlace]:
        """Draw the index; return what a reader may click. `first_sheet` is the sheet of ours on which it begins."""
        links = []
        for number, page in enumerate(_pages(lines)):
            self.head("Índice")
            y = TOP
            if not number:
                self.text(MARGIN, y - 8, "Índice", font=BOLD, size=18)
                y -= 34
            self.text(MARGIN, y, "N.º", font=BOLD, size=8, color=DIM)
            self.text(MARGIN + 34, y, "Documento", font=BOLD, size=8, color=DIM)
            self.to_right(WIDTH - MARGIN, y, "Folios", font=BOLD, size=8, color=DIM)
            self.rule(y - 5, color=INK)
            y -= 18
            for line in page:
                top = y + 9
                y = self._index_line(line, y)
                links.append(Enlace(first_sheet + number, (MARGIN, y + 9, WIDTH - MARGIN, top), line.desde))
            self.end()
        return links

    def _index_line(self, line: Renglon, y: Any) -> Any:
        if line.orden is None:
            self.ground(y - 11, _CHAPTER_LEAD - 5)
            self.text(MARGIN + 4, y - 5, shorten(line.texto, BOLD, 9, ROOM - 80), font=BOLD, size=9)
            self.to_right(WIDTH - MARGIN - 4, y - 5, folios_words(line.desde, line.hasta), font=BOLD, size=8.5)
            return y - _CHAPTER_LEAD - 2
        self.text(MARGIN + 4, y, str(line.orden), size=8.2, color=DIM)
        self.to_right(WIDTH - MARGIN - 4, y, folios_words(line.desde, line.hasta), size=8.2)
        return self.block(MARGIN + 34, y, _index_text(line), _TITLE_ROOM, size=8.2, lead=_LEAD, most=2) - 1.5


def index_sheets(lines: Sequence[Renglon]) -> int:
    """Return how many sheets the index will take; folios are not looked at."""
    return len(_pages(lines))


def _pages(lines: Sequence[Renglon]) -> list[list[Renglon]]:
    pages: list[list[Renglon]] = [[]]
    y = TOP - 52
    for place, line in enumerate(lines):
        need = _tall(line)
        if line.orden is None and place + 1 < len(lines):
            need += _tall(lines[place + 1])  # a chapter never stands alone at the foot
        if y - need < LOW:
            pages.append([])
            y = TOP - 18
        pages[-1].append(line)
        y -= _tall(line)
    return pages


def _tall(line: Renglon) -> Any:
    if line.orden is None:
        return _CHAPTER_LEAD + 2
    return len(split(_index_text(line), PLAIN, 8.2, _TITLE_ROOM, 2)) * _LEAD + 1.5


def _index_text(line: Renglon) -> str:
    return f"{line.texto} ({line.nota})" if line.nota else line.texto


def folios_words(first: int, last: int) -> str:
    """Write a range of folios: `12` or `12 a 15`."""
    return str(first) if first == last else f"{first} a {last}"


def thousands(number: int) -> str:
    """Write a whole number as Colombia does: `1.014`."""
    return f"{number:,}".replace(",", ".")


def count_words(number: int, one: str, many: str) -> str:
    """Write how many there are of something."""
    return f"{thousands(number)} {one if number == 1 else many}"
