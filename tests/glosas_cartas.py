"""Letters that payers send, drawn by our own code: AXA and Bolívar styles, any EPS, scanned ones, hostile ones.

Names, numbers and amounts are invented; the structure is what the layouts are known for.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pikepdf
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib import colors
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

Row = Sequence[str]

AXA_ITEMS: tuple[tuple[str, str, str, tuple[Row, ...]], ...] = (
    (
        "2026-7741002", "HUS487523", "25.400,00",
        (
            ("39145", "CONSULTA DE URGENCIAS", "1", "85.400,00", "60.000,00", "TA0201", "25.400,00"),
            ("21701", "RADIOGRAFIA DE TORAX", "1", "52.000,00", "52.000,00", "", "0,00"),
        ),
    ),
    (
        "2026-7741003", "HUS0000487600", "1.348.200,50",
        (
            ("T50012", "MATERIAL DE OSTEOSINTESIS", "2", "1.300.000,50", "0,00", "SO3401", "1.300.000,50"),
            ("39201", "ESTANCIA EN HABITACION", "3", "348.200,00", "300.000,00", "FA0101", "48.200,00"),
        ),
    ),
)  # fmt: skip

EPS_ROWS: tuple[Row, ...] = (
    ("FC10023", "$ 1.250.000,00", "TA0801", "$ 125.000,00", "Mayor valor cobrado frente a la tarifa pactada"),
    ("FC10024", "$ 480.300,50", "SO0601", "$ 480.300,50", "No se anexa la hoja de administración de medicamentos"),
    ("FC10025", "$ 95.000,00", "AU0101", "$ 95.000,00", "Sin autorización del servicio electivo"),
)
EPS_HEAD = ("Factura", "Valor factura", "Código", "Valor glosa", "Motivo")


LONG_ITEM = (
    "Material de osteosíntesis SO3401: no se anexa la factura del proveedor ni el soporte de la autorización del "
    "insumo, según lo pactado entre las partes, glosado $ 1.229.500,00"
)


def axa(
    claims: Sequence[tuple[str, str, str, Sequence[Row]]] = AXA_ITEMS, *, total: str = "1.373.600,50", fecha: str = ""
) -> bytes:
    """A liquidation letter: per claim its number, invoice and items; the last number of a line is what is glossed."""
    lines = [
        "AXA COLPATRIA SEGUROS S.A.  NIT 860.002.184-6",
        f"Bogotá D.C., {fecha or '12 de noviembre de 2026'}",
        "Señores: IPS DE PRUEBA S.A.S.  NIT 900.123.456-8",
        "Asunto: Liquidación de reclamaciones SOAT",
        "Fecha de radicación: 20/10/2026",
    ]
    for claim, invoice, subtotal, items in claims:
        lines += [f"No. reclamo: {claim}   No. factura: {invoice}"]
        lines += ["Código  Descripción  Cant.  Vr. reclamado  Vr. aprobado  Causal  Vr. glosado"]
        lines += ["  ".join(cell for cell in item if cell) for item in items]
        lines += [f"Total reclamo  {subtotal}"]
    lines += [f"Total glosado  {total}", "Cordialmente, Auditoría de cuentas médicas"]
    return plain_pdf(lines)


def axa_by_rows(rows: Sequence[Row], total: str) -> bytes:
    """The same payer's short form: one row per claim and invoice."""
    lines = ["AXA COLPATRIA SEGUROS S.A.", "Medellín, 3 de noviembre de 2026"]
    lines += ["No. reclamo  No. factura  Fecha accidente  Vr. reclamado  Vr. pagado  Vr. glosado"]
    lines += ["  ".join(row) for row in rows] + [f"Total  {total}"]
    return plain_pdf(lines)


def bolivar(items: Sequence[tuple[str, str]] | None = None, *, inicial: str = "$ 1.254.900,00") -> bytes:
    """An acta: items numbered (n.nn), some longer than a line."""
    chosen = items or (
        ("1.01", "890701 Consulta de urgencias TA0201 mayor valor cobrado frente al tarifario, glosado $ 25.400,00"),
        ("1.02", LONG_ITEM),
    )
    lines = [
        "SEGUROS BOLÍVAR S.A.",
        "Acta Nro. 45872",
        "Fecha del acta: 10/11/2026",
        "Prestador: IPS DE PRUEBA S.A.S. NIT 900.123.456-8",
        "Factura: FC10023   Radicado: 2026-88123   Fecha de radicación: 21/10/2026",
        f"Valor glosado inicial: {inicial}",
    ]
    for number, text in chosen:
        lines += _wrapped(f"({number}) {text}", 88)
    return plain_pdf([*lines, "Total de ítems: 2", "Firma del auditor"])


def eps(
    rows: Sequence[Row] = EPS_ROWS,
    *,
    head: Row = EPS_HEAD,
    total: str | None = "$ 700.300,50",
    ruled: bool = True,
    asunto: str = "Notificación de glosas. Radicado No. RAD-2026-00123, periodo octubre de 2026",
    fecha: str = "Bogotá D.C., 12 de noviembre de 2026",
) -> bytes:
    """A generic EPS letter; `ruled=False` draws the table without lines, as text."""
    before, after = eps_words(asunto, fecha)
    whole = [head, *rows, *([("TOTAL", "", "", total, "")] if total and len(head) == 5 else [])]
    if not ruled:
        lines = ["   ".join(cell for cell in row if cell) for row in whole]
        return plain_pdf([*before, *lines, *after])
    styles = getSampleStyleSheet()
    body = [Paragraph(line, styles["Normal"]) for line in before]
    cells = [[Paragraph(cell, styles["BodyText"]) for cell in row] for row in whole]
    table = Table(cells, repeatRows=1)
    table.setStyle(TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black)]))
    out = io.BytesIO()
    SimpleDocTemplate(out, pagesize=LETTER).build(
        [*body, Spacer(1, 12), table, Spacer(1, 12), *[Paragraph(line, styles["Normal"]) for line in after]]
    )
    return out.getvalue()


def eps_words(asunto: str, fecha: str) -> tuple[list[str], list[str]]:
    """What stands above and below the table of a generic letter."""
    return (
        [
            "EPS DE PRUEBA S.A. NIT 800.111.222-5",
            fecha,
            "Señores",
            "IPS DE PRUEBA S.A.S. NIT 900.123.456-8",
            f"Asunto: {asunto}",
            "Nos permitimos notificar las objeciones a las siguientes facturas:",
        ],
        [
            "Cuenta con quince (15) días hábiles para responder en el portal de la entidad.",
            "Atentamente,",
            "Auditor de cuentas médicas",
        ],
    )


def plain_pdf(lines: Sequence[str], *, per_page: int = 48, size: int = 9) -> bytes:
    """Lines of text, page by page, with page numbers below."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=LETTER)
    pages = [lines[start : start + per_page] for start in range(0, len(lines), per_page)] or [[]]
    for number, page in enumerate(pages, 1):
        canvas.setFont("Helvetica", size)
        for row, line in enumerate(page):
            canvas.drawString(50, 740 - (size + 5) * row if size > 2 else 740 - row, line)
        canvas.drawString(270, 30, f"Página {number} de {len(pages)}")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def picture(lines: Sequence[str], *, format_: str = "PNG", dpi: int = 200) -> bytes:
    """The lines as a scanner sees them: a picture of a letter-size page."""
    image = Image.new("L", (int(8.5 * dpi), 11 * dpi), 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(_font(), dpi // 7)
    for row, line in enumerate(lines):
        draw.text((dpi // 2, dpi // 2 + row * dpi // 4), line, font=font, fill=0)
    out = io.BytesIO()
    image.save(out, format_, dpi=(dpi, dpi))
    return out.getvalue()


def scanned(lines: Sequence[str]) -> bytes:
    """A PDF that holds only the picture."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(picture(lines))) as image:
        image.save(out, "PDF", resolution=200)
    return out.getvalue()


def _font() -> str:
    for name in ("dejavu/DejaVuSans.ttf", "liberation/LiberationSans-Regular.ttf"):
        path = Path("/usr/share/fonts/truetype") / name
        if path.exists():
            return str(path)
    raise AssertionError("no TrueType font on this machine: install fonts-dejavu-core")


def encrypted(data: bytes) -> bytes:
    """The same PDF behind a password."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="dueño", user="secreta"))
    return out.getvalue()


def many_pages(count: int) -> bytes:
    """A PDF of that many pages of nothing."""
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        for _ in range(count):
            pdf.add_blank_page(page_size=(200, 200))
        pdf.save(out)
    return out.getvalue()


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
