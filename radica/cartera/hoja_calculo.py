"""The liquidation as a workbook whose formulas recompute it: whoever opens it sees how each figure comes to be.

Invariant: capital, days, rate, divisor, interest and every total are formulas over the cells that a person could
check; their cached values are those of the program, and equal facts give equal bytes. Texts are never formulas. Pure.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import xlsxwriter

from radica.cartera.caso import ClaseAbono
from radica.cartera.liquidacion import Resultado
from radica.cartera.parametros import MARCAS, NOMBRES, opcion
from radica.kernel.money import from_cents

_CLASES = {
    ClaseAbono.PAGO: "Pago",
    ClaseAbono.RETENCION: "Retención",
    ClaseAbono.NOTA_CREDITO: "Nota crédito",
}
RENGLONES, IMPUTACION, CONCEPTOS, TASAS, PARAMETROS = "Renglones", "Imputación", "Conceptos", "Tasas", "Parámetros"
_DIVISOR, _FACTOR, _PUNTOS, _DECIMALES = (f"'{PARAMETROS}'!$C${row}" for row in (2, 3, 4, 5))
_NO_RATE, _NO_LINE = "sin tasa", "sin liquidar"
_PAGOS = f"'{IMPUTACION}'"
"""As formulas name the sheet: its accent asks for quotes."""


class _Libro:
    """A workbook with the house's formats, and rows written cell by cell."""

    def __init__(self, titulo: str, corte: date) -> None:
        self.out = io.BytesIO()
        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self.book = xlsxwriter.Workbook(self.out, options)
        made = datetime.combine(corte, time(0), tzinfo=UTC).replace(tzinfo=None)
        self.book.set_properties({"title": titulo, "comments": "radica", "created": made})
        self.head = self.book.add_format({"bold": True, "bg_color": "#e9edf1", "bottom": 1, "text_wrap": True})
        self.strong = self.book.add_format({"bold": True})
        self.money = self.book.add_format({"num_format": "#,##0.00"})
        self.rate = self.book.add_format({"num_format": "0.00"})
        self.day = self.book.add_format({"num_format": "dd/mm/yyyy", "align": "left"})

    def sheet(self, name: str, columns: Sequence[tuple[str, int]]) -> Any:
        """Add a sheet with its head."""
        sheet = self.book.add_worksheet(name)
        for at, (title, width) in enumerate(columns):
            sheet.set_column(at, at, width)
            sheet.write_string(0, at, title, self.head)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        return sheet

    def row(self, sheet: Any, number: int, cells: Sequence[Any]) -> None:
        """Write one row: texts, days, amounts, and (formula, cached value, format) triples; None stays empty."""
        for at, cell in enumerate(cells):
            if cell is None:
                continue
            if isinstance(cell, tuple):
                formula, value, form = cell
                sheet.write_formula(number, at, formula, form, value)
            elif isinstance(cell, date):
                sheet.write_datetime(number, at, datetime.combine(cell, time(0)), self.day)
            elif isinstance(cell, Decimal):
                sheet.write_number(number, at, cell, self.money)
            elif isinstance(cell, int):
                sheet.write_number(number, at, cell)
            else:
                sheet.write_string(number, at, str(cell))


def workbook(found: Resultado) -> bytes:
    """Return the workbook of a liquidation."""
    libro = _Libro(f"Liquidación de la factura {found.caso.factura}", found.corte)
    resumen = libro.sheet("Resumen", (("Concepto", 46), ("Valor", 22), ("Cómo se obtiene", 70)))
    _lines(libro, found)
    _imputations(libro, found)
    _concepts(libro, found)
    _rates(libro, found)
    _parameters(libro, found)
    _others(libro, found)
    _summary(libro, resumen, found)
    libro.book.close()
    return libro.out.getvalue()


def _lines(libro: _Libro, found: Resultado) -> None:
    columns = (
        ("Concepto", 44), ("Clave", 20), ("Capital", 18), ("Desde", 12), ("Hasta", 12), ("Días", 7), ("Mes", 9),
        ("Usura % E.A.", 11), ("Tasa de mora %", 11), ("Divisor", 9), ("Interés", 16), ("Norma", 42), ("Certeza", 12),
    )  # fmt: skip
    sheet = libro.sheet(RENGLONES, columns)
    last_part, last_concept = _last(sum(len(one.partes) for one in found.imputaciones)), _last(len(found.saldos))
    last_rate = _last(len(_months(found)))
    for at, one in enumerate(found.lineas, start=1):
        n = at + 1
        leap = f"OR(MOD(YEAR(D{n}),400)=0,AND(MOD(YEAR(D{n}),4)=0,MOD(YEAR(D{n}),100)<>0))"
        paid = (
            f"SUMIFS({_PAGOS}!$G$2:$G${last_part},{_PAGOS}!$E$2:$E${last_part},B{n},"
            f'{_PAGOS}!$A$2:$A${last_part},"<"&D{n})'
        )
        libro.row(
            sheet, at,
            (
                one.titulo,
                one.clave,
                (f"=VLOOKUP(B{n},{CONCEPTOS}!$A$2:$C${last_concept},3,FALSE)-{paid}", from_cents(one.capital), libro.money),
                one.desde,
                one.hasta,
                (f"=E{n}-D{n}+1", one.dias, None),
                (f"=YEAR(D{n})*100+MONTH(D{n})", one.desde.year * 100 + one.desde.month, None),
                (f'=IFERROR(VLOOKUP(G{n},{TASAS}!$A$2:$C${last_rate},3,FALSE),"{_NO_RATE}")',
                 _NO_RATE if one.usura is None else from_cents(one.usura), libro.rate),
                (f'=IF(ISNUMBER(H{n}),MAX(0,ROUND(H{n}/{_FACTOR},2)-{_PUNTOS}),"{_NO_RATE}")',
                 _NO_RATE if one.tasa is None else from_cents(one.tasa), libro.rate),
                (f'=IF({_DIVISOR}="anual",IF({leap},366,365),{_DIVISOR})', one.divisor, None),
                (f'=IF(ISNUMBER(I{n}),ROUND(C{n}*I{n}*F{n}/(100*J{n}),{_DECIMALES}),"{_NO_LINE}")',
                 _NO_LINE if one.interes is None else from_cents(one.interes), libro.money),
                one.inicio.cita,
                one.inicio.certeza,
            ),
        )  # fmt: skip
    sheet.autofilter(0, 0, max(1, len(found.lineas)), len(columns) - 1)


def _imputations(libro: _Libro, found: Resultado) -> None:
    columns = (
        ("Fecha", 12), ("Qué es", 16), ("Referencia", 36), ("Valor", 18), ("Clave", 20), ("A intereses", 18),
        ("A capital", 18), ("Sin imputar", 16),
    )  # fmt: skip
    sheet = libro.sheet(IMPUTACION, columns)
    at = 0
    for one in found.imputaciones:
        for number, part in enumerate(one.partes):
            at += 1
            first = number == 0
            libro.row(
                sheet, at,
                (
                    one.abono.fecha, _CLASES[one.abono.clase], one.abono.referencia,
                    from_cents(one.abono.valor) if first else None, part.clave, from_cents(part.intereses),
                    from_cents(part.capital), from_cents(one.exceso) if first and one.exceso else None,
                ),
            )  # fmt: skip
    for one in (each for each in found.imputaciones if not each.partes):
        at += 1
        cells = (one.abono.fecha, _CLASES[one.abono.clase], one.abono.referencia, from_cents(one.abono.valor))
        libro.row(sheet, at, (*cells, None, None, None, from_cents(one.exceso)))


def _concepts(libro: _Libro, found: Resultado) -> None:
    columns = (
        ("Clave", 20), ("Concepto", 44), ("Capital inicial", 18), ("Abonado a capital", 18), ("Capital", 18),
        ("Intereses causados", 18), ("Intereses pagados", 18), ("Intereses pendientes", 18), ("Causa intereses", 10),
        ("Desde", 12), ("Norma", 42), ("Por qué", 70),
    )  # fmt: skip
    sheet = libro.sheet(CONCEPTOS, columns)
    part, line = _last(sum(len(one.partes) for one in found.imputaciones)), _last(len(found.lineas))
    for at, one in enumerate(found.saldos, start=1):
        n = at + 1
        key = f"{_PAGOS}!$E$2:$E${part},A{n}"
        runs = one.inicio is not None
        libro.row(
            sheet, at,
            (
                one.concepto.clave,
                one.concepto.titulo,
                from_cents(one.concepto.capital),
                (f"=SUMIFS({_PAGOS}!$G$2:$G${part},{key})", from_cents(one.concepto.capital - one.capital), libro.money),
                (f"=C{n}-D{n}", from_cents(one.capital), libro.money),
                (f"=SUMIFS({RENGLONES}!$K$2:$K${line},{RENGLONES}!$B$2:$B${line},A{n})", from_cents(one.causados),
                 libro.money),
                (f"=SUMIFS({_PAGOS}!$F$2:$F${part},{key})", from_cents(one.pagados), libro.money),
                (f"=F{n}-G{n}", from_cents(one.pendientes), libro.money),
                "Sí" if runs else "No",
                one.inicio.desde if one.inicio else None,
                one.inicio.cita if one.inicio else "",
                one.inicio.criterio if one.inicio else one.concepto.motivo,
            ),
        )  # fmt: skip


def _months(found: Resultado) -> list[tuple[str, int]]:
    return sorted({(one.mes, one.usura) for one in found.lineas if one.usura is not None})


def _rates(libro: _Libro, found: Resultado) -> None:
    sheet = libro.sheet(TASAS, (("Mes", 9), ("Mes (texto)", 12), ("Usura % E.A.", 12), ("Fuente", 80), ("Certeza", 14)))
    for at, (month, usury) in enumerate(_months(found), start=1):
        rate = found.tasas.get(month)
        libro.row(sheet, at, (int(month.replace("-", "")), month, from_cents(usury)))
        libro.row(sheet, at, (None, None, None, rate.fuente if rate else "", rate.verificacion if rate else ""))


def _parameters(libro: _Libro, found: Resultado) -> None:
    columns = (
        ("Parámetro", 36), ("Lectura", 60), ("Número de las fórmulas", 14), ("Norma", 42), ("Certeza", 34), ("Nota", 70),
    )  # fmt: skip
    sheet = libro.sheet(PARAMETROS, columns)
    chosen = found.parametros
    numbers: dict[str, Any] = {
        "divisor": chosen.divisor if chosen.divisor == "anual" else int(chosen.divisor),
        "base": Decimal("1.5") if chosen.base == "bancario" else 1,
        "puntos": int(chosen.puntos),
        "redondeo": 0 if chosen.redondeo == "peso" else 2,
    }
    # The formulas know the first four rows by their place.
    order = [*numbers, *(clave for clave in NOMBRES if clave not in numbers)]
    for at, clave in enumerate(order, start=1):
        one = opcion(clave, getattr(chosen, clave))
        certainty = f"{one.certeza} ({MARCAS[one.marca]})"
        libro.row(sheet, at, (NOMBRES[clave], one.texto, numbers.get(clave), one.cita, certainty, one.nota))


def _others(libro: _Libro, found: Resultado) -> None:
    columns = (
        ("Parámetro", 36), ("Otra lectura", 70), ("Capital que causa intereses", 18),
        ("Intereses causados", 18), ("Intereses pendientes", 18), ("Diferencia en lo causado", 18), ("Norma", 42),
        ("Certeza", 14),
    )  # fmt: skip
    sheet = libro.sheet("Otras lecturas", columns)
    for at, one in enumerate(found.alternativas, start=1):
        amounts = [from_cents(cents) for cents in (one.capital, one.causados, one.pendientes, one.diferencia)]
        cells = (NOMBRES[one.opcion.clave], one.opcion.texto, *amounts, one.opcion.cita, one.opcion.certeza)
        libro.row(sheet, at, cells)


def _summary(libro: _Libro, sheet: Any, found: Resultado) -> None:
    concept, line = _last(len(found.saldos)), _last(len(found.lineas))
    part = _last(sum(max(1, len(one.partes)) for one in found.imputaciones))
    capital = f"SUMIFS({CONCEPTOS}!$E$2:$E${concept},{CONCEPTOS}!$I$2:$I${concept},"
    rows = (
        ("Capital que causa intereses", f'={capital}"Sí")', found.capital, "Conceptos con «Sí»"),
        ("Capital que no causa intereses", f'={capital}"No")', found.sin_intereses, "Conceptos con «No»"),
        ("Intereses causados", f"=SUM({RENGLONES}!$K$2:$K${line})", found.causados, "Suma de los renglones"),
        ("Intereses pagados", f"=SUM({_PAGOS}!$F$2:$F${part})", found.pagados, "Suma de lo imputado a intereses"),
        ("Intereses pendientes", "=B4-B5", found.pendientes, "Causados menos pagados"),
        ("Total: capital que causa intereses más intereses", "=B2+B6", found.capital + found.pendientes, ""),
        ("Pagado de más", f"=SUM({_PAGOS}!$H$2:$H${part})", found.exceso, "No se imputó a nada"),
    )
    for at, (label, formula, cents, how) in enumerate(rows, start=1):
        libro.row(sheet, at, (label, (formula, from_cents(cents), libro.money), how))
    facts = [
        f"Factura {found.caso.factura}",
        f"Liquidada hasta el {found.corte:%d/%m/%Y}, ese día incluido",
        *([f"Radicada el {found.caso.presentada:%d/%m/%Y}"] if found.caso.presentada else []),
        "Interés simple por día: capital × tasa × días ÷ divisor, redondeado una vez por renglón",
        *found.avisos,
    ]
    for at, text in enumerate(facts, start=len(rows) + 2):
        sheet.write_string(at, 0, text, libro.strong if at == len(rows) + 2 else None)


def _last(count: int) -> int:
    """Return the number of the last row of a block of `count` rows under a head; never above the first."""
    return max(2, count + 1)
