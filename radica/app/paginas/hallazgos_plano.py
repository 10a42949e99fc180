"""Findings as an Excel file, one row each, for the hospital's own system.

Invariant: texts are written as texts (what begins with `=` is no formula), money as a number with two decimals, and
nothing of a patient is in it: places are positions, not names. Pure: rows come in, bytes go out.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import xlsxwriter

from radica.kernel.money import from_cents

MAX_FILAS = 200_000
"""Rows of one file; Excel takes a million, people do not."""
_MAX_TEXT = 32_000  # a cell takes 32,767 characters and xlsxwriter drops what is longer
SEVERIDADES = {
    "rechazo": "Rechazo del Ministerio",
    "notificacion": "Notificación del Ministerio",
    "aviso": "Aviso",
    "no_decidible": "No decidible sin conexión",
    "bloqueo": "Impide radicar",
    "info": "Nota",
}
QUIENES = {
    "facturacion": "Facturación",
    "proveedor_tecnologico": "Proveedor tecnológico",
    "asistencial": "Quien atendió",
    "contratacion": "Contratación",
    "sistemas": "Sistemas",
}
DOCUMENTOS = {
    "FacturaElectronica": "Factura electrónica",
    "Rips": "RIPS",
    "FevRips": "Factura y RIPS",
    "CapitaInicial": "Factura de cápita",
    "Cuv": "CUV",
    "ApplicationResponse": "Respuesta de la DIAN",
    "Soporte": "Soportes",
}
COLUMNS = (
    ("Factura", 18),
    ("NIT", 14),
    ("Pagador", 30),
    ("Código", 16),
    ("Severidad", 24),
    ("Quién lo arregla", 22),
    ("Documento", 20),
    ("Archivo", 34),
    ("Ruta", 44),
    ("Línea", 8),
    ("Qué pasa", 70),
    ("Qué hacer", 60),
    ("Norma", 34),
    ("Valor en riesgo", 18),
    ("Aceptado", 34),
)


@dataclass(frozen=True, slots=True)
class Fila:
    """One finding. `severidad`, `quien` and `documento` are codes; `valor` in centavos."""

    factura: str
    nit: str
    codigo: str
    severidad: str
    quien: str
    documento: str
    ruta: str
    linea: int | None
    mensaje: str
    arreglo: str
    norma: str = ""
    pagador: str = ""
    archivo: str = ""
    valor: int | None = None
    aceptado: str = ""


def libro(filas: Iterable[Fila], *, titulo: str) -> bytes:
    """Return the workbook, at most MAX_FILAS rows; `titulo` stands in its properties."""
    out = io.BytesIO()
    options = {"in_memory": True, "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"title": titulo, "comments": "radica"})
    sheet = book.add_worksheet("Hallazgos")
    head = book.add_format({"bold": True, "bg_color": "#e9edf1", "bottom": 1})
    money = book.add_format({"num_format": "#,##0.00"})
    for index, (name, width) in enumerate(COLUMNS):
        sheet.set_column(index, index, width)
        sheet.write_string(0, index, name, head)
    sheet.freeze_panes(1, 1)
    last = 0
    for last, one in enumerate(islice(filas, MAX_FILAS), start=1):
        for index, text in enumerate(_texts(one)):
            if isinstance(text, int):
                sheet.write_number(last, index, text)
            elif text:
                sheet.write_string(last, index, text[:_MAX_TEXT])
        if one.valor is not None:
            sheet.write_number(last, _MONEY, from_cents(one.valor), money)
    sheet.autofilter(0, 0, max(last, 1), len(COLUMNS) - 1)
    book.close()
    return out.getvalue()


_MONEY = 13


def _texts(one: Fila) -> tuple[str | int, ...]:
    return (
        one.factura,
        one.nit,
        one.pagador,
        one.codigo,
        SEVERIDADES.get(one.severidad, one.severidad),
        QUIENES.get(one.quien, one.quien),
        DOCUMENTOS.get(one.documento, one.documento),
        one.archivo,
        one.ruta,
        "" if one.linea is None else one.linea,
        one.mensaje,
        one.arreglo,
        one.norma,
        "",
        one.aceptado,
    )
