"""The list of invoices as an Excel file: exactly the columns, the order and the rows of the filter.

Invariant: texts are written as texts (what begins with `=` is no formula), money as numbers with two decimals, and
nothing of a patient is in it. Pure: rows come in, bytes go out.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import xlsxwriter

from radica.kernel.clock import bogota
from radica.kernel.money import from_cents

COLUMNS = (
    ("Número", 16),
    ("Prestador", 34),
    ("Pagador", 34),
    ("Valor", 18),
    ("Expedida", 12),
    ("Vence para radicar", 18),
    ("Plazo", 22),
    ("Estado", 20),
    ("Radicado", 24),
    ("Fecha de radicación", 18),
    ("Nivel de prueba", 14),
    ("CUFE", 30),
)


@dataclass(frozen=True)
class Fila:
    """One row. `valor` in centavos."""

    numero: str
    prestador: str
    pagador: str
    valor: int | None
    expedida: datetime | None
    vence: date | None
    plazo: str
    estado: str
    radicado: str | None
    radicada: datetime | None
    nivel: int
    cufe: str | None


def workbook(rows: Iterable[Fila], *, titulo: str) -> bytes:
    """Return the workbook; `titulo` says in its properties which filter it is."""
    out = io.BytesIO()
    options = {"in_memory": True, "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"title": titulo, "comments": "radica"})
    sheet = book.add_worksheet("Facturas")
    head = book.add_format({"bold": True, "bg_color": "#e9edf1", "bottom": 1})
    money, day = book.add_format({"num_format": "#,##0.00"}), book.add_format({"num_format": "yyyy-mm-dd"})
    for index, (name, width) in enumerate(COLUMNS):
        sheet.set_column(index, index, width)
        sheet.write_string(0, index, name, head)
    sheet.freeze_panes(1, 1)
    last = 0
    for last, row in enumerate(rows, start=1):
        sheet.write_string(last, 0, row.numero)
        sheet.write_string(last, 1, row.prestador)
        sheet.write_string(last, 2, row.pagador)
        if row.valor is not None:
            sheet.write_number(last, 3, from_cents(row.valor), money)
        if row.expedida is not None:
            sheet.write_datetime(last, 4, bogota(row.expedida).replace(tzinfo=None), day)
        if row.vence is not None:
            sheet.write_datetime(last, 5, row.vence, day)
        sheet.write_string(last, 6, row.plazo)
        sheet.write_string(last, 7, row.estado)
        sheet.write_string(last, 8, row.radicado or "")
        if row.radicada is not None:
            sheet.write_datetime(last, 9, bogota(row.radicada).replace(tzinfo=None), day)
        sheet.write_number(last, 10, row.nivel)
        sheet.write_string(last, 11, row.cufe or "")
    sheet.autofilter(0, 0, max(last, 1), len(COLUMNS) - 1)
    book.close()
    return out.getvalue()
