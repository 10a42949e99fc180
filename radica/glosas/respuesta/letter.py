"""The response letter to a payer: what was objected, what we answer and accept line by line, with which supports.

Invariant: every amount of the table is of a line and every total is added up here; equal contents give equal bytes,
and the hash in the foot is of the contents, so that an altered letter shows. The texts stand whole: the letter is the
annex to which a portal's short text sends. Norms: Ley 1438/2011 art. 57; Res. 2284/2023 Anexo Técnico 3 num. 2.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import letter
from reportlab.lib.units import mm
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    LongTable,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from radica.glosas.respuesta import paper
from radica.glosas.respuesta.paper import (
    BASE,
    DIM,
    HASH,
    INK,
    LINE,
    MARGIN,
    SECTION,
    SMALL,
    TITLE,
    cell,
    grid,
    head,
    letters,
    right,
)
from radica.kernel.money import format_cop
from radica.kernel.web_format import fecha_larga


@dataclass(frozen=True, slots=True)
class Parte:
    """Provider or payer."""

    nombre: str
    nit: str


@dataclass(frozen=True, slots=True)
class LineaCarta:
    """One answered objection. Amounts in centavos; `valor` is what was in dispute."""

    factura: str
    codigo: str
    servicio: str
    valor: int
    aceptado: int
    respuesta: str
    sentido: str
    texto: str
    numero_glosa: str = ""
    radicado: str = ""
    soportes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SoporteCarta:
    """A piece that goes with the letter."""

    sigla: str
    nombre: str
    sha256: str
    factura: str = ""


@dataclass(frozen=True, slots=True)
class Carta:
    """The contents of a letter. `ronda` 2 is the second answer; `firma` is name and office, empty for none."""

    prestador: Parte
    pagador: Parte
    fecha: date
    numero: str
    acto: str
    ronda: int
    lineas: tuple[LineaCarta, ...]
    soportes: tuple[SoporteCarta, ...] = ()
    ciudad: str = ""
    firma: tuple[str, str] = ("", "")
    notas: str = ""

    @property
    def sha256(self) -> str:
        """Hash of the contents: sorted JSON, UTF-8."""
        body = {**asdict(self), "fecha": self.fecha.isoformat(), "version": 1}
        return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def draw(carta: Carta, adjuntos: Sequence[Path] = ()) -> bytes:
    """Return the letter as PDF; with `adjuntos`, one single PDF with those supports after it, foliated through.

    `adjuntos` are the files of `carta.soportes`, in that order. Raises BadInput naming the support that cannot be
    joined, ValueError for a letter without lines or with other attachments than it lists.
    """
    if not carta.lineas or (adjuntos and len(adjuntos) != len(carta.soportes)):
        raise ValueError("a letter needs lines, and its attachments are the supports that it lists")
    out = io.BytesIO()
    title = _title(carta)
    document = _sheets(out, carta.prestador, title)
    document.build(_story(carta, document.width, joined=bool(adjuntos)))
    names = [f"{one.sigla or 'sin sigla'} (el {number} de la lista)" for number, one in enumerate(carta.soportes, 1)]
    others = list(zip(names, adjuntos, strict=False)) if adjuntos else []
    return paper.join(out.getvalue(), others, title=letters(title), foot=f"Contenido SHA-256 {carta.sha256}")


def anexo(prestador: Parte, titulo: str, texto: str) -> bytes:
    """Return the annex of one answer: the whole text to which a portal's short one sends, foliated, with its hash."""
    body = json.dumps([prestador.nombre, prestador.nit, titulo, texto], ensure_ascii=False)
    digest = hashlib.sha256(body.encode()).hexdigest()
    out = io.BytesIO()
    document = _sheets(out, prestador, "Anexo de la respuesta")
    document.build([Paragraph(escape(letters(titulo)), TITLE), Spacer(1, 4), *paper.prose(texto)])
    return paper.join(out.getvalue(), [], title=letters(titulo), foot=f"Contenido SHA-256 {digest}")


def _sheets(out: io.BytesIO, prestador: Parte, title: str) -> BaseDocTemplate:
    document = BaseDocTemplate(
        out,
        pagesize=letter,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=24 * mm,
        bottomMargin=20 * mm,
        invariant=1,
    )
    frame = Frame(document.leftMargin, document.bottomMargin, document.width, document.height, 0, 0, 0, 0, id="cuerpo")
    dress = PageTemplate("hoja", [frame], onPage=lambda canvas, _: _dress(canvas, prestador, title))
    document.addPageTemplates(dress)
    return document


def _title(carta: Carta) -> str:
    what = "devolución" if carta.acto == "devolucion" else "glosas"
    return f"{'Segunda respuesta' if carta.ronda > 1 else 'Respuesta'} a {what} N.º {carta.numero}"


def _dress(canvas: Any, prestador: Parte, title: str) -> None:
    width, height = letter
    canvas.saveState()
    canvas.setFillColor(INK)
    canvas.setFont("Helvetica-Bold", 9)
    name = letters(prestador.nombre)
    canvas.drawString(MARGIN, height - 13 * mm, name if len(name) <= 60 else name[:59] + "…")
    canvas.setFont("Helvetica", 8)
    canvas.setFillColor(DIM)
    canvas.drawString(MARGIN, height - 17 * mm, f"NIT {letters(prestador.nit)}")
    canvas.drawRightString(width - MARGIN, height - 13 * mm, letters(title))
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.6)
    canvas.line(MARGIN, height - 19.5 * mm, width - MARGIN, height - 19.5 * mm)
    canvas.line(MARGIN, 15 * mm, width - MARGIN, 15 * mm)
    canvas.restoreState()


def _story(carta: Carta, width: Any, *, joined: bool) -> list[Flowable]:
    day = fecha_larga(carta.fecha).split(", ", 1)[1]
    where = f"{letters(carta.ciudad)}, {day}" if carta.ciudad else day
    story: list[Flowable] = [
        Paragraph(escape(where), BASE),
        Spacer(1, 4),
        Paragraph(
            f"Señores<br/><b>{escape(letters(carta.pagador.nombre))}</b><br/>NIT {escape(carta.pagador.nit)}", BASE
        ),
        Spacer(1, 4),
        Paragraph(escape(letters(_title(carta))), TITLE),
        Paragraph(_opening(carta), BASE),
        Spacer(1, 4),
        _table(carta, width),
        Paragraph("Respuesta a cada línea", SECTION),
        *_answers(carta),
    ]
    if carta.notas:
        story += [Paragraph("Observaciones", SECTION), *paper.prose(carta.notas)]
    if carta.soportes:
        story += _supports(carta, width, joined=joined)
    if carta.firma[0]:
        name, office = (escape(letters(one)) for one in carta.firma)
        block = Table(
            [[""]], colWidths=[72 * mm], rowHeights=[16 * mm], style=[("LINEBELOW", (0, 0), (-1, -1), 0.6, INK)]
        )
        block.hAlign = "LEFT"
        story += [CondPageBreak(35 * mm), KeepTogether([block, Paragraph(f"<b>{name}</b><br/>{office}", BASE)])]
    return story


def _opening(carta: Carta) -> str:
    invoices = len({one.factura for one in carta.lineas})
    count = _many(len(carta.lineas), "objeción", "objeciones")
    total, accepted = _sum(carta, "valor"), _sum(carta, "aceptado")
    said = (
        f"<b>{escape(letters(carta.prestador.nombre))}</b> responde {count} sobre {_many(invoices, 'factura', 'facturas')},"
        f" por <b>{format_cop(total)}</b>. Acepta <b>{format_cop(accepted)}</b> y no acepta"
        f" <b>{format_cop(total - accepted)}</b>, que solicita levantar."
    )
    return said + (" Por lo aceptado expide nota crédito." if accepted else "")


def _sum(carta: Carta, name: str) -> int:
    return sum(getattr(one, name) for one in carta.lineas)


def _table(carta: Carta, width: Any) -> Flowable:
    rows: list[list[Any]] = [
        [head("N.º"), head("Factura"), head("Glosa"), head("Código"), head("Servicio"), head("Objetado", number=True),
         head("Aceptado", number=True), head("Respuesta")]
    ]  # fmt: skip
    for number, one in enumerate(carta.lineas, 1):
        amounts = [right(format_cop(one.valor)), right(format_cop(one.aceptado))]
        texts = [cell(one.factura), cell(one.numero_glosa), cell(one.codigo), cell(one.servicio[:120])]
        rows.append([cell(str(number)), *texts, *amounts, cell(one.respuesta)])
    total = [right(format_cop(_sum(carta, name)), bold=True) for name in ("valor", "aceptado")]
    rows.append(["", Paragraph("<b>Total</b>", paper.CELL), "", "", "", *total, ""])
    shares = (0.05, 0.13, 0.11, 0.09, 0.24, 0.14, 0.14, 0.1)
    return LongTable(rows, colWidths=[width * one for one in shares], style=grid(total=True), repeatRows=1)


def _answers(carta: Carta) -> list[Flowable]:
    """Say each different answer once, with the lines to which it goes."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for number, one in enumerate(carta.lineas, 1):
        groups.setdefault((one.respuesta, one.sentido, one.texto.strip()), []).append(number)
    story: list[Flowable] = []
    for (code, sense, text), numbers in groups.items():
        name = "Línea" if len(numbers) == 1 else "Líneas"
        title = Paragraph(f"<b>{name} {_ranges(numbers)} · {code}</b> {escape(letters(sense))}", BASE)
        first, *rest = paper.prose(text) or [Paragraph("Sin texto.", BASE)]
        story += [KeepTogether([title, first]), *rest, Spacer(1, 4)]
    return story


def _ranges(numbers: Sequence[int]) -> str:
    """Return line numbers as people write them: 1 a 3, 7."""
    runs: list[list[int]] = []
    for one in numbers:
        if runs and one == runs[-1][-1] + 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} a {run[-1]}" for run in runs)


def _supports(carta: Carta, width: Any, *, joined: bool) -> list[Flowable]:
    rows: list[list[Any]] = [[head("N.º"), head("Soporte"), head("Factura"), head("SHA-256")]]
    for number, one in enumerate(carta.soportes, 1):
        name = f"{one.sigla} {one.nombre}".strip()
        rows.append([cell(str(number)), cell(name), cell(one.factura), Paragraph(one.sha256, HASH)])
    words = "Siguen a esta carta, en este orden." if joined else "Se entregan en archivos aparte."
    table = LongTable(rows, colWidths=[width * one for one in (0.05, 0.33, 0.12, 0.5)], style=grid(), repeatRows=1)
    return [Paragraph("Soportes", SECTION), Paragraph(words, SMALL), table]


def _many(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
