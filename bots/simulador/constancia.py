"""The constancia de radicación that the p2 payer issues as a PDF.

Invariant: the same filing gives the same bytes on every download (a document that changed its hash between two
readings would prove nothing), so the date inside is that of the filing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from reportlab.lib import colors
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle


@dataclass(frozen=True, slots=True)
class Line:
    """One invoice of the constancia; the value is already formatted."""

    invoice: str
    value: str
    files: int


def constancia(
    *, payer: str, radicado: str, filed_at: str, code: str, nit: str, provider: str, lines: Sequence[Line], total: str
) -> bytes:
    """The PDF as bytes; ``filed_at`` is the payer's own date and time as it stands on the page."""
    styles = getSampleStyleSheet()
    facts = [
        ["Número de radicado", radicado],
        ["Fecha y hora de radicación", filed_at],
        ["Prestador", provider],
        ["NIT del prestador", nit],
        ["Código de usuario", code],
    ]
    rows = [["Factura", "Archivos recibidos", "Valor"]]
    rows += [[line.invoice, str(line.files), line.value] for line in lines]
    rows.append(["Total", "", total])
    head = Table(facts, colWidths=[55 * mm, 115 * mm])
    head.setStyle(
        TableStyle([("FONT", (0, 0), (0, -1), "Helvetica-Bold", 9), ("FONT", (1, 0), (1, -1), "Helvetica", 9)])
    )
    body = Table(rows, colWidths=[70 * mm, 50 * mm, 50 * mm], repeatRows=1)
    body.setStyle(
        TableStyle(
            [
                ("FONT", (0, 0), (-1, -1), "Helvetica", 9),
                ("FONT", (0, 0), (-1, 0), "Helvetica-Bold", 9),
                ("FONT", (0, -1), (-1, -1), "Helvetica-Bold", 9),
                ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#dfe7ef")),
                ("GRID", (0, 0), (-1, -1), 0.4, colors.HexColor("#8a97a5")),
                ("ALIGN", (2, 0), (2, -1), "RIGHT"),
            ]
        )
    )
    story: list[Flowable] = [
        Paragraph(payer, styles["Title"]),
        Paragraph("Constancia de radicación de cuentas médicas", styles["Heading2"]),
        head,
        Spacer(1, 6 * mm),
        body,
        Spacer(1, 6 * mm),
        Paragraph(
            "La recepción de la cuenta no implica la aceptación de su contenido. El trámite de auditoría se surtirá en"
            " los términos de la norma vigente.",
            styles["BodyText"],
        ),
        Spacer(1, 4 * mm),
        Paragraph("Documento de un portal simulado, sin ningún valor fuera de las pruebas.", styles["Italic"]),
    ]
    buffer = BytesIO()
    document = SimpleDocTemplate(
        buffer, pagesize=letter, title=f"Constancia {radicado}", author=payer, topMargin=20 * mm, invariant=1
    )
    document.build(story)
    return buffer.getvalue()
