"""The acta as a PDF: parties, people, lines, totals, promises, signatures, and the proof of each line as an annex.

Invariant: equal contents give equal bytes (no clock, no random name); every total that is printed is added up here
from the printed lines; each sheet carries the provider, the folio of how many, and the hash of the contents.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    LongTable,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from radica.conciliacion.acta import Contenido, Fila, Prueba, day_words
from radica.conciliacion.simulate import Reparto
from radica.kernel.money import format_cop
from radica.kernel.web_format import fecha

INK, DIM, LINE, GROUND = (colors.HexColor(one) for one in ("#1d2733", "#566373", "#c3ccd5", "#f1f4f7"))
MARGIN = 18 * mm
TIPOS = {
    "notificacion": "Notificación",
    "respuesta": "Respuesta",
    "decision": "Decisión",
    "subsanacion": "Segunda respuesta",
    "silencio": "Término vencido",
    "conciliacion": "Conciliación",
    "correccion": "Corrección",
}
AUTORES = {"ips": "prestador", "pagador": "pagador", "reloj": "término", "ambos": "las partes"}
LADOS = {"prestador": "Prestador", "pagador": "Pagador", "otro": "Otro"}

_BASE = ParagraphStyle("base", fontName="Helvetica", fontSize=9, leading=12, textColor=INK, spaceAfter=3)
_CELL = ParagraphStyle("cell", parent=_BASE, fontSize=8, leading=10, spaceAfter=0)
_RIGHT = ParagraphStyle("right", parent=_CELL, alignment=TA_RIGHT)
_BOLD = ParagraphStyle("bold", parent=_RIGHT, fontName="Helvetica-Bold")
_HEAD = ParagraphStyle("head", parent=_CELL, fontName="Helvetica-Bold", textColor=DIM)
_HEAD_RIGHT = ParagraphStyle("head-right", parent=_HEAD, alignment=TA_RIGHT)
_TITLE = ParagraphStyle("title", parent=_BASE, fontName="Helvetica-Bold", fontSize=14, leading=18)
_SECTION = ParagraphStyle(
    "section", parent=_BASE, fontName="Helvetica-Bold", fontSize=10.5, leading=14, spaceBefore=10, spaceAfter=4
)
_SMALL = ParagraphStyle("small", parent=_BASE, fontSize=7.5, leading=9.5, textColor=DIM)
_HASH = ParagraphStyle("hash", parent=_BASE, fontName="Courier", fontSize=6.2, leading=7.6, textColor=DIM)


class _Folios(Canvas):
    """Keeps the sheets until the last is known, so that each says how many there are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sheets: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - the library's name
        """Keep the sheet instead of writing it."""
        self._sheets.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined] # the library's own, not in its stubs

    def save(self) -> None:
        """Write the sheets with their folios."""
        for number, sheet in enumerate(self._sheets, 1):
            self.__dict__.update(sheet)
            self.setFont("Helvetica", 7.5)
            self.setFillColor(DIM)
            self.drawRightString(letter[0] - MARGIN, 10 * mm, f"Folio {number} de {len(self._sheets)}")
            super().showPage()
        super().save()


def draw(content: Contenido, *, borrador: bool = False) -> bytes:
    """Return the acta as PDF; a draft says so across every sheet."""
    out = io.BytesIO()
    document = BaseDocTemplate(
        out,
        pagesize=letter,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=24 * mm,
        bottomMargin=20 * mm,
        title=f"Acta de conciliación {content.numero}",
        author=f"{content.prestador.nombre}, NIT {content.prestador.nit}",
        subject=f"Contenido SHA-256 {content.sha256}",
        creator="radica",
        invariant=1,
        pageCompression=1,
    )
    frame = Frame(document.leftMargin, document.bottomMargin, document.width, document.height, 0, 0, 0, 0, id="cuerpo")
    document.addPageTemplates(PageTemplate("hoja", [frame], onPage=lambda canvas, _: _dress(canvas, content, borrador)))
    document.build(_story(content, document.width), canvasmaker=_Folios)
    return out.getvalue()


def _dress(canvas: Any, content: Contenido, borrador: bool) -> None:
    """Draw the head and foot that every sheet has; the folio comes last."""
    width, height = letter
    canvas.saveState()
    if borrador:
        canvas.saveState()
        canvas.translate(width / 2, height / 2)
        canvas.rotate(52)
        canvas.setFont("Helvetica-Bold", 84)
        canvas.setFillColor(GROUND)
        canvas.drawCentredString(0, 0, "BORRADOR")
        canvas.restoreState()
    canvas.setFillColor(INK)
    canvas.setFont("Helvetica-Bold", 9)
    name = content.prestador.nombre
    canvas.drawString(MARGIN, height - 13 * mm, name if len(name) <= 70 else name[:69] + "…")
    canvas.setFont("Helvetica", 8)
    canvas.setFillColor(DIM)
    canvas.drawString(MARGIN, height - 17 * mm, f"NIT {content.prestador.nit}")
    canvas.drawRightString(width - MARGIN, height - 13 * mm, f"Acta de conciliación N.º {content.numero}")
    canvas.drawRightString(width - MARGIN, height - 17 * mm, f"Corte {_day(content.fecha_corte)}")
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.6)
    canvas.line(MARGIN, height - 19.5 * mm, width - MARGIN, height - 19.5 * mm)
    canvas.line(MARGIN, 15 * mm, width - MARGIN, 15 * mm)
    canvas.setFont("Courier", 6.2)
    canvas.drawString(MARGIN, 10 * mm, f"Contenido SHA-256 {content.sha256}")
    canvas.restoreState()


def _story(content: Contenido, width: Any) -> list[Flowable]:
    story: list[Flowable] = [
        Paragraph(f"Acta de conciliación N.º {content.numero}", _TITLE),
        Paragraph(
            f"entre <b>{escape(content.prestador.nombre)}</b>, NIT {escape(content.prestador.nit)} (prestador), y"
            f" <b>{escape(content.pagador.nombre)}</b>, NIT {escape(content.pagador.nit)} (pagador)",
            _BASE,
        ),
        *_meeting(content),
        *_people(content, width),
        *_result(content, width),
        *_promises(content, width),
    ]
    if content.notas:
        story += [Paragraph("Observaciones", _SECTION)]
        story += [Paragraph(escape(one) or "&nbsp;", _BASE) for one in content.notas.splitlines()]
    story += [*_signatures(content, width), PageBreak(), *_lines(content, width), *_annex(content, width)]
    return story


def _meeting(content: Contenido) -> list[Flowable]:
    total = content.total
    where = f" en {escape(content.lugar)}" if content.lugar else ""
    held = (
        f"Las partes se reunieron el {_day(content.fecha)} a las {content.hora}{where} para conciliar"
        f" {_count(len(content.filas), 'línea', 'líneas')} de {_count(content.facturas, 'factura', 'facturas')} con"
        f" corte al {_day(content.fecha_corte)}, por {format_cop(total.en_disputa)} en disputa. Las líneas están en la"
        " relación que sigue a las firmas y hacen parte de esta acta; la prueba de cada una está en el anexo."
    )
    came = (
        f"De ese valor el pagador levanta <b>{format_cop(total.levantado)}</b>, el prestador acepta"
        f" <b>{format_cop(total.aceptado)}</b>, que asume con nota crédito, y siguen en disputa"
        f" <b>{format_cop(total.sigue)}</b>."
    )
    said = [held, came]
    if content.anterior:
        proof = f"; su acta firmada tiene SHA-256 {content.anterior_sha256}" if content.anterior_sha256 else ""
        said.append(f"Continúa la conciliación {escape(content.anterior)}{proof}.")
    return [Paragraph("Reunión y resultado", _SECTION), *(Paragraph(one, _BASE) for one in said)]


def _people(content: Contenido, width: Any) -> list[Flowable]:
    rows = [[_h("Asistente"), _h("Cargo"), _h("Por")]]
    rows += [[_c(one.nombre), _c(one.cargo), _c(LADOS.get(one.por, one.por))] for one in content.asistentes]
    table = Table(rows, colWidths=[width * 0.45, width * 0.37, width * 0.18], style=_grid(), repeatRows=1)
    return [Paragraph("Asistentes", _SECTION), table]


def _result(content: Contenido, width: Any) -> list[Flowable]:
    rows = [[_h("Código"), _hr("Líneas"), _hr("En disputa"), _hr("Levantado"), _hr("Aceptado"), _hr("Sigue")]]
    rows += [[_c(code), _r(str(count)), *_money(sums)] for code, count, sums in content.por_codigo()]
    rows.append([_b("Total", left=True), _b(str(len(content.filas))), *_money(content.total, bold=True)])
    shares = (0.14, 0.10, 0.19, 0.19, 0.19, 0.19)
    return [
        Paragraph("Por código", _SECTION),
        Table(rows, colWidths=[width * one for one in shares], style=_grid(total=True), repeatRows=1),
    ]


def _promises(content: Contenido, width: Any) -> list[Flowable]:
    if not content.promesas:
        return [
            Paragraph("Compromisos de pago", _SECTION),
            Paragraph("Las partes no acordaron fechas de pago en esta acta.", _BASE),
        ]
    rows: list[list[Any]] = [[_h("N.º"), _h("Fecha de pago"), _hr("Valor"), _h("Nota")]]
    rows += [
        [_c(str(number)), _c(_day(one.fecha)), _r(format_cop(one.valor)), _c(one.nota)]
        for number, one in enumerate(content.promesas, 1)
    ]
    rows.append(["", _b("Total", left=True), _b(format_cop(sum(one.valor for one in content.promesas))), ""])
    table = Table(
        rows, colWidths=[width * 0.07, width * 0.25, width * 0.2, width * 0.48], style=_grid(total=True), repeatRows=1
    )
    words = "El pagador se compromete a pagar al prestador, en estas fechas, los valores siguientes."
    return [Paragraph("Compromisos de pago", _SECTION), Paragraph(words, _BASE), Spacer(1, 4), table]


def _signatures(content: Contenido, width: Any) -> list[Flowable]:
    blocks = []
    for side, party in (("prestador", content.prestador), ("pagador", content.pagador)):
        people = [one for one in content.asistentes if one.por == side]
        signs = [_block(one.nombre, one.cargo, f"Por {party.nombre}") for one in people]
        blocks.append(signs or [_block("", "", f"Por {party.nombre}")])
    others = [
        _block(one.nombre, one.cargo, "") for one in content.asistentes if one.por not in ("prestador", "pagador")
    ]
    height = max(len(one) for one in blocks)
    rows = [[(side[index] if index < len(side) else "") for side in blocks] for index in range(height)]
    rows += [
        [others[index], others[index + 1] if index + 1 < len(others) else ""] for index in range(0, len(others), 2)
    ]
    style = TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])
    first = Table(rows[:1], colWidths=[width / 2] * 2, style=style)
    rest = [Table([row], colWidths=[width / 2] * 2, style=style) for row in rows[1:]]
    return [CondPageBreak(55 * mm), KeepTogether([Paragraph("Firmas", _SECTION), first]), *rest]


def _block(name: str, office: str, side: str) -> list[Flowable]:
    line = Table([[""]], colWidths=[72 * mm], rowHeights=[16 * mm])
    line.setStyle(TableStyle([("LINEBELOW", (0, 0), (-1, -1), 0.6, INK)]))
    line.hAlign = "LEFT"
    words = [Paragraph(f"<b>{escape(name)}</b>", _CELL)] if name else []
    words += [Paragraph(escape(one), _CELL) for one in (office, side) if one]
    return [line, Spacer(1, 2), *words]


def _lines(content: Contenido, width: Any) -> list[Flowable]:
    # Plain texts where they surely fit: a paragraph in each cell made long tables ten times slower.
    rows: list[list[Any]] = [
        [_h("N.º"), _h("Factura"), _h("Código"), _hr("En disputa"), _hr("Levantado"), _hr("Aceptado"), _hr("Sigue")]
    ]
    for number, one in enumerate(content.filas, 1):
        code = f"{one.codigo}*" if one.tipo == "devolucion" else one.codigo
        rows.append([str(number), _fit(one.factura), code, *_amounts(one.reparto)])
    rows.append(["", "Total", "", *_amounts(content.total)])
    shares = (0.06, 0.16, 0.1, 0.17, 0.17, 0.17, 0.17)
    style = _grid(total=True)
    for command in (
        ("FONT", (0, 1), (-1, -1), "Helvetica", 8, 10),
        ("FONT", (0, -1), (-1, -1), "Helvetica-Bold", 7.5, 10),
        ("ALIGN", (3, 1), (-1, -1), "RIGHT"),
    ):
        style.add(*command)
    table = LongTable(rows, colWidths=[width * one for one in shares], style=style, repeatRows=1)
    story: list[Flowable] = [Paragraph("Relación de líneas", _SECTION), table]
    if any(one.tipo == "devolucion" for one in content.filas):
        story += [Spacer(1, 3), Paragraph("* Devolución de toda la factura.", _SMALL)]
    return story


def _fit(text: str) -> Any:
    return text if len(text) <= 14 and text.isascii() else _c(text)


def _annex(content: Contenido, width: Any) -> list[Flowable]:
    words = (
        "Actos de cada línea en orden de fecha, con el SHA-256 de los archivos que los prueban, guardados en la"
        " custodia del prestador."
    )
    story: list[Flowable] = [PageBreak(), Paragraph("Anexo: prueba de cada línea", _SECTION), Paragraph(words, _SMALL)]
    for start in range(0, len(content.filas), 50):
        story += [Spacer(1, 4), _proofs(content.filas[start : start + 50], start + 1, width)]
    return story


def _proofs(lines: Sequence[Fila], first: int, width: Any) -> Flowable:
    rows: list[list[Any]] = []
    style: list[Any] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("FONT", (0, 0), (-1, -1), "Helvetica", 8, 10),
        ("FONT", (2, 0), (2, -1), "Courier", 6.2, 7.6),
    ]
    for number, one in enumerate(lines, first):
        at = len(rows)
        style += [("FONT", (0, at), (0, at), "Helvetica-Bold", 8, 10), ("LINEABOVE", (0, at), (-1, at), 0.4, LINE)]
        style.append(("NOSPLIT", (0, at), (-1, at + 1)))
        filed = f" · radicado {one.radicado}" if one.radicado else ""
        rows.append([f"{number}. {one.factura} · {one.codigo} · {format_cop(one.en_disputa)}{filed}", "", ""])
        if one.nota:
            style.append(("SPAN", (0, len(rows)), (-1, len(rows))))
            rows.append([_c(f"Nota: {one.nota}"), "", ""])
        for act in one.pruebas:
            hashes = "\n".join(act.hashes) or "sin archivo"
            rows.append([fecha(date.fromisoformat(act.fecha)), _act(act), hashes])
        if not one.pruebas:
            rows.append(["Sin actos registrados", "", ""])
    return LongTable(rows, colWidths=[width * 0.15, width * 0.35, width * 0.5], style=TableStyle(style))


def _act(act: Prueba) -> str:
    words = TIPOS.get(act.acto, act.acto)
    return f"{words}{' ' + act.codigo if act.codigo else ''}, {AUTORES.get(act.autor, act.autor)}"


def _grid(*, total: bool = False) -> TableStyle:
    style: list[Any] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("BACKGROUND", (0, 0), (-1, 0), GROUND),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ]
    if total:
        style += [("LINEABOVE", (0, -1), (-1, -1), 0.8, INK), ("BACKGROUND", (0, -1), (-1, -1), GROUND)]
    return TableStyle(style)


def _amounts(sums: Reparto) -> list[str]:
    return [format_cop(one) for one in (sums.en_disputa, sums.levantado, sums.aceptado, sums.sigue)]


def _money(sums: Reparto, *, bold: bool = False) -> list[Paragraph]:
    return [_b(one) if bold else _r(one) for one in _amounts(sums)]


def _c(text: str) -> Paragraph:
    return Paragraph(escape(text), _CELL)


def _r(text: str) -> Paragraph:
    return Paragraph(escape(text), _RIGHT)


def _b(text: str, *, left: bool = False) -> Paragraph:
    return Paragraph(f"<b>{escape(text)}</b>", _CELL if left else _BOLD)


def _h(text: str) -> Paragraph:
    return Paragraph(text, _HEAD)


def _hr(text: str) -> Paragraph:
    return Paragraph(text, _HEAD_RIGHT)


def _day(text: str) -> str:
    return day_words(date.fromisoformat(text)) if text else "sin fecha"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
