"""The electronic index that the judiciary asks for: one sheet a cuaderno, with its heading, eleven columns and foot.

Invariant: pages are the folios of the PDF of the whole, so that the number in the index is the one on the sheet; first
and last page are formulas with their values kept, so that the book opens right everywhere; texts are texts, whatever
they begin with; same facts, same bytes. Norm: Acuerdo PCSJA20-11567 arts. 21 and 33, Protocolo v2 de 18-feb-2021.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import xlsxwriter

from radica.prejuridico.contenido import Contenido, DocumentoExpediente
from radica.prejuridico.nombres import Nombre, nombres_de
from radica.prejuridico.papel.valores import Forma, PdfResult, Tramo

SERIE = "Procesos judiciales"
COLUMNAS = (
    "Nombre documento", "Fecha creación documento", "Fecha incorporación expediente", "Orden documento",
    "Número páginas", "Página inicio", "Página fin", "Formato", "Tamaño", "Origen", "Observaciones",
)  # fmt: skip
_ANCHOS = (44, 13, 14, 11, 10, 9, 9, 10, 11, 14, 60)
_FIRST = 15  # row of the first document, from 1
_KILO = 1024
_SUBSERIES = {"ejecutivo": "Procesos ejecutivos", "declarativo": "Procesos declarativos"}


@dataclass(frozen=True)
class _Fila:
    documento: DocumentoExpediente
    nombre: Nombre
    tramo: Tramo


def judicial_index(contenido: Contenido, pdf: PdfResult) -> bytes:
    """Return the index as an Excel book; `pdf` tells the folios of each document."""
    rows = [
        _Fila(one, name, place)
        for (_, one), name, place in zip(contenido.documentos(), nombres_de(contenido), pdf.tramos, strict=True)
    ]
    folders = list(dict.fromkeys(row.nombre.cuaderno for row in rows)) or ["C01CuadernoPrincipal"]
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    # The day of the corte, not the day of today: the same facts give the same bytes.
    book.set_properties(
        {
            "title": f"Índice electrónico del expediente {contenido.numero}",
            "author": contenido.demandante.nombre,
            "created": datetime.combine(contenido.corte, time(12)),
        }
    )
    book.set_size(2400, 1400)
    looks = _looks(book)
    for folder in folders:
        sheet = book.add_worksheet(folder[:31])
        _set_up(sheet)
        _heading(sheet, looks, contenido, folder, len(folders))
        own = [row for row in rows if row.nombre.cuaderno == folder]
        _documents(sheet, looks, own)
        _foot(sheet, looks, contenido, _FIRST - 1 + max(len(own), 1), len(folders))
    book.close()
    return out.getvalue()


def _looks(book: Any) -> dict[str, Any]:
    base = {"font_name": "Arial", "font_size": 9, "valign": "top"}
    boxed = {**base, "border": 1, "border_color": "#8A949E"}
    return {
        "titulo": book.add_format({**base, "bold": True, "font_size": 13}),
        "etiqueta": book.add_format({**boxed, "bold": True, "bg_color": "#E8ECF0"}),
        "valor": book.add_format({**boxed, "text_wrap": True, "num_format": "@"}),
        "cabeza": book.add_format({**boxed, "bold": True, "bg_color": "#E8ECF0", "text_wrap": True, "align": "center"}),
        "texto": book.add_format({**boxed, "text_wrap": True, "num_format": "@"}),
        "dia": book.add_format({**boxed, "num_format": "yyyy-mm-dd", "align": "center"}),
        "numero": book.add_format({**boxed, "num_format": "0", "align": "center"}),
        "nota": book.add_format({**base, "italic": True, "text_wrap": True}),
    }


def _set_up(sheet: Any) -> None:
    for column, width in enumerate(_ANCHOS):
        sheet.set_column(column, column, width)
    sheet.set_landscape()
    sheet.set_paper(5)  # legal, the paper of the courts
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(_FIRST - 2)
    sheet.freeze_panes(_FIRST - 1, 1)
    sheet.set_footer("&C&P de &N")


def _heading(sheet: Any, looks: dict[str, Any], contenido: Contenido, folder: str, folders: int) -> None:
    sheet.write_string(0, 0, "ÍNDICE DEL EXPEDIENTE JUDICIAL ELECTRÓNICO", looks["titulo"])
    facts = [
        ("Ciudad", contenido.ciudad),
        ("Despacho judicial", contenido.despacho),
        ("Serie o subserie documental", f"{SERIE}. {_SUBSERIES.get(contenido.via, contenido.via)}"),
        ("No. radicación del proceso", contenido.radicado_judicial or ""),
        ("Partes procesales (parte A, demandado)", f"{contenido.demandado.nombre}, NIT {contenido.demandado.nit}"),
        ("Partes procesales (parte B, demandante)", f"{contenido.demandante.nombre}, NIT {contenido.demandante.nit}"),
        ("Terceros intervinientes", ""),
        ("Cuaderno", folder),
        ("¿El expediente judicial posee documentos físicos?", "No"),
        ("No. de carpetas, cuadernos o legajos físicos", "0"),
        ("No. de carpetas, cuadernos o legajos digitalizados", str(folders)),
    ]
    for row, (label, value) in enumerate(facts, 1):
        sheet.write_string(row, 0, label, looks["etiqueta"])
        sheet.merge_range(row, 1, row, 6, "", looks["valor"])
        sheet.write_string(row, 1, value, looks["valor"])
    words = (
        "Las páginas son los folios del PDF del expediente. Entre capítulos hay una hoja divisoria, que la fórmula de la"
        " página inicial cuenta."
    )
    sheet.merge_range(len(facts) + 1, 0, len(facts) + 1, 10, "", looks["nota"])
    sheet.write_string(len(facts) + 1, 0, words, looks["nota"])
    for column, name in enumerate(COLUMNAS):
        sheet.write_string(_FIRST - 2, column, name, looks["cabeza"])
    sheet.set_row(_FIRST - 2, 26)


def _documents(sheet: Any, looks: dict[str, Any], rows: Sequence[_Fila]) -> None:
    for place, row in enumerate(rows):
        at = _FIRST - 1 + place
        one, spot = row.documento, row.tramo
        sheet.write_string(at, 0, row.nombre.nombre, looks["texto"])
        sheet.write_datetime(at, 1, _civil(one.fecha_creacion), looks["dia"])
        sheet.write_datetime(at, 2, _civil(one.fecha_incorporacion), looks["dia"])
        sheet.write_number(at, 3, row.nombre.orden, looks["numero"])
        sheet.write_number(at, 4, spot.paginas, looks["numero"])
        if place:
            step = spot.desde - rows[place - 1].tramo.hasta
            sheet.write_formula(at, 5, f"=G{at}+{step}", looks["numero"], spot.desde)
        else:
            sheet.write_number(at, 5, spot.desde, looks["numero"])
        sheet.write_formula(at, 6, f"=F{at + 1}+E{at + 1}-1", looks["numero"], spot.hasta)
        sheet.write_string(at, 7, row.nombre.nombre.rpartition(".")[2].upper(), looks["texto"])
        sheet.write_string(at, 8, size_words(one.tamano), looks["texto"])
        sheet.write_string(at, 9, one.origen.value, looks["texto"])
        sheet.write_string(at, 10, _remarks(row), looks["texto"])


def _foot(sheet: Any, looks: dict[str, Any], contenido: Contenido, row: int, folders: int) -> None:
    row += 1
    sheet.write_string(row, 0, "Fecha de cierre del expediente", looks["etiqueta"])
    sheet.write_datetime(row, 1, _civil(contenido.corte), looks["dia"])
    sheet.write_string(row + 1, 0, "Número de cuadernos", looks["etiqueta"])
    sheet.write_number(row + 1, 1, folders, looks["numero"])


def size_words(size: int) -> str:
    """Write a size in bytes as the courts' index does: `12 KB`, `1,4 MB`."""
    if size < _KILO:
        return f"{size} B"
    if size < _KILO * _KILO:
        return f"{(size + _KILO // 2) // _KILO} KB"
    whole, tenth = divmod((size * 10 + _KILO * _KILO // 2) // (_KILO * _KILO), 10)
    return f"{whole},{tenth} MB"


def _remarks(row: _Fila) -> str:
    one, spot = row.documento, row.tramo
    told = [one.titulo if one.factura is None or one.factura in one.titulo else f"{one.titulo}, factura {one.factura}"]
    if spot.forma is Forma.ANEXO:
        told.append(f"Sin reproducir: {spot.motivo}")
    elif spot.forma is Forma.HOJA:
        told.append("Archivo electrónico: en el PDF lo identifica una hoja.")
    if spot.aviso:
        told.append(spot.aviso)
    if one.redactado:
        told.append("Se omitieron datos de otros pacientes.")
    if one.nota and one.nota != spot.motivo:
        told.append(one.nota)
    return " ".join(text if text.endswith(".") else f"{text}." for text in told)[:2000]


def _civil(day: date) -> datetime:
    """Return a day as the library wants one; a spreadsheet knows no days before 1900."""
    return datetime.combine(max(day, date(1900, 1, 1)), time())
