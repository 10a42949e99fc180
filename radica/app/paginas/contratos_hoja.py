"""The comparison of an invoice as an Excel file: a line per service, with what was agreed and the difference.

Invariant: texts are written as texts (what begins with `=` is no formula), money as numbers, and nothing of a patient
is in it. Pure: a comparison comes in, bytes go out.
"""

from __future__ import annotations

import io

import xlsxwriter

from radica.entidades.tarifas import NOMBRES, Comparacion
from radica.kernel.money import from_cents

COLUMNAS = (
    ("Lugar", 44), ("Código", 14), ("Fecha", 12), ("Cantidad", 10), ("Cobrado", 16), ("Precio pactado", 16),
    ("Esperado", 16), ("Diferencia", 16), ("En riesgo", 16), ("Resultado", 24), ("Autorización", 22),
    ("Contrato", 22), ("Lista", 24), ("Nota", 60),
)  # fmt: skip


def workbook(found: Comparacion, *, factura: str) -> bytes:
    """Return the workbook of a comparison."""
    out = io.BytesIO()
    options = {"in_memory": True, "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"title": f"Tarifas de la factura {factura}", "comments": "radica"})
    sheet = book.add_worksheet("Tarifas")
    head = book.add_format({"bold": True, "bg_color": "#e9edf1", "bottom": 1})
    money, day = book.add_format({"num_format": "#,##0.00"}), book.add_format({"num_format": "yyyy-mm-dd"})
    for index, (name, width) in enumerate(COLUMNAS):
        sheet.set_column(index, index, width)
        sheet.write_string(0, index, name, head)
    sheet.freeze_panes(1, 2)
    last = 0
    for last, one in enumerate(found.lineas, start=1):
        billed, price = one.cobrada, one.pactado
        sheet.write_string(last, 0, billed.ruta)
        sheet.write_string(last, 1, billed.codigo)
        if billed.fecha is not None:
            sheet.write_datetime(last, 2, billed.fecha, day)
        sheet.write_number(last, 3, billed.cantidad)
        amounts = (
            billed.valor, price.valor if price else None, one.esperado, one.diferencia if price else None,
            one.en_riesgo or None,
        )  # fmt: skip
        for column, cents in enumerate(amounts, start=4):
            if cents is not None:
                sheet.write_number(last, column, from_cents(cents), money)
        sheet.write_string(last, 9, NOMBRES[one.fallo])
        sheet.write_string(last, 10, "Falta la que pide el contrato" if one.sin_autorizacion else "")
        sheet.write_string(last, 11, one.acuerdo.numero if one.acuerdo else "")
        sheet.write_string(last, 12, f"{price.lista.nombre} v{price.lista.version}" if price else "")
        sheet.write_string(last, 13, one.nota)
    sheet.autofilter(0, 0, max(last, 1), len(COLUMNAS) - 1)
    book.close()
    return out.getvalue()
