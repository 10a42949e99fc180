"""Chapter *pagos*: what was paid to each invoice with its proof, and the liquidation of capital and interest.

Invariant: every figure of the liquidation is the one that `cartera` computed from dated rates up to the dossier's day;
a month without a rate is not liquidated and says so; each reading that a norm leaves open is shown beside ours.
Norms: E.T. arts. 634–635; D.L. 1281/2002 arts. 4 and 7; Ley 1438/2011 arts. 56–57; Código Civil art. 1653.
"""

from __future__ import annotations

from collections.abc import Mapping

from radica.cartera.hoja_calculo import workbook
from radica.cartera.liquidacion import Resultado
from radica.cartera.models import PagoFactura
from radica.cartera.parametros import NOMBRES, opcion
from radica.facturas.models import Factura
from radica.kernel.money import format_cop
from radica.kernel.web_format import fecha
from radica.prejuridico.acopio import Acopio
from radica.prejuridico.hoja import Hoja
from radica.prejuridico.libro import Avance, Libro

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CONCEPTS = {"pago": "Pago", "giro_directo": "Giro directo", "anticipo": "Anticipo", "retencion": "Retención"}


def escribir(libro: Libro, acopio: Acopio, resultados: Mapping[int, Resultado], progress: Avance) -> None:
    """Write payments and liquidations; `resultados` by invoice id."""
    if any(acopio.pagos.values()):
        libro.generado("relacion_pagos", "Relación de pagos", _payments(acopio), "application/pdf")
    for number, invoice in enumerate(acopio.facturas):
        progress("Liquidando las facturas", number, len(acopio.facturas))
        for row in en_pie(acopio.pagos.get(invoice.id, [])):
            _proof(libro, acopio, invoice, row)
        found = resultados.get(invoice.id)
        if found is None:
            libro.hueco(
                "sin_liquidacion", "pagos", f"La factura {invoice.numero} no se liquidó.",
                "Revise su valor y su fecha de radicación.", factura=invoice.numero,
            )  # fmt: skip
            continue
        libro.generado(
            "liquidacion", f"Liquidación de la factura {invoice.numero} al {fecha(acopio.corte)}",
            _liquidation(acopio, invoice, found), "application/pdf", factura=invoice.numero, caso=invoice.case_key,
        )  # fmt: skip
        libro.generado(
            "liquidacion_excel", f"Liquidación de la factura {invoice.numero} (hoja de cálculo)", workbook(found), XLSX,
            factura=invoice.numero, caso=invoice.case_key, nota="Con fórmulas vivas: recalcula al peso.",
        )  # fmt: skip
        _gaps(libro, invoice, found)


def en_pie(rows: list[PagoFactura]) -> list[PagoFactura]:
    """Return the payments that nobody undid, by day."""
    undone = {row.anula_id for row in rows}
    standing = [row for row in rows if row.anula_id is None and row.id not in undone]
    return sorted(standing, key=lambda row: (row.fecha, row.id))


def _proof(libro: Libro, acopio: Acopio, invoice: Factura, row: PagoFactura) -> None:
    piece = acopio.piezas_sueltas.get(row.pieza_id or 0)
    if piece is not None:
        libro.pieza(
            "prueba_pago", f"Prueba del {_CONCEPTS[row.concepto].lower()} del {fecha(row.fecha)}", piece,
            creado=row.fecha, factura=invoice.numero,
        )  # fmt: skip
    else:
        libro.hueco(
            "pago_sin_prueba", "pagos",
            f"El {_CONCEPTS[row.concepto].lower()} de {format_cop(row.valor)} a la factura {invoice.numero} del "
            f"{fecha(row.fecha)} está anotado sin documento.",
            "Adjunte el comprobante o la carta de imputación.", factura=invoice.numero,
        )  # fmt: skip


def _gaps(libro: Libro, invoice: Factura, found: Resultado) -> None:
    months = sorted({line.mes for line in found.vacios})
    if months:
        libro.hueco(
            "tasa_faltante", "pagos",
            f"De la factura {invoice.numero} no se liquidan los intereses de {', '.join(months)}: falta la tasa de "
            "usura de esos meses.",
            "Cárguela con: radica catalogo cargar tasas FICHERO, y prepare de nuevo el expediente.",
            factura=invoice.numero,
        )  # fmt: skip
    for one in (words for words in found.avisos if not words.startswith("Sin tasa")):  # told above, by month
        libro.hueco(
            "aviso_liquidacion",
            "pagos",
            f"Factura {invoice.numero}: {one}",
            "Revise la liquidación.",
            factura=invoice.numero,
        )


def _payments(acopio: Acopio) -> bytes:
    sheet = Hoja(
        "Relación de pagos", encabezado=f"{acopio.prestador.nombre} ante {acopio.pagador.nombre}", autor=acopio.autor
    )
    sheet.parrafo(
        "Pagos, giros, anticipos y retenciones anotados a cada factura. Donde el pagador no detalló su pago, la norma "
        "manda imputarlo a la factura más antigua (Res. 2284/2023 art. 7).",
        menor=True,
    )
    rows, total = [], 0
    for invoice in acopio.facturas:
        for row in en_pie(acopio.pagos.get(invoice.id, [])):
            total += row.valor
            rows.append(
                (invoice.numero, fecha(row.fecha), _CONCEPTS[row.concepto], format_cop(row.valor), row.referencia)
            )
    rows.append(("Total", "", "", format_cop(total), ""))
    sheet.tabla(
        ("Factura", "Fecha", "Concepto", "Valor", "Referencia"), rows, (2, 2, 2, 2.2, 4), derecha=(3,), total=True
    )
    return sheet.pdf()


def _liquidation(acopio: Acopio, invoice: Factura, found: Resultado) -> bytes:
    name = f"Liquidación de la factura {invoice.numero} al {fecha(acopio.corte)}"
    sheet = Hoja(name, encabezado=f"{acopio.prestador.nombre} ante {acopio.pagador.nombre}", autor=acopio.autor)
    rows = [
        ("Capital que causa intereses", format_cop(found.capital)),
        ("Capital sin intereses", format_cop(found.sin_intereses)),
        ("Intereses causados", format_cop(found.causados)),
        ("Intereses pagados", format_cop(found.pagados)),
        ("Intereses pendientes", format_cop(found.pendientes)),
        ("Capital e intereses", format_cop(found.capital + found.sin_intereses + found.pendientes)),
    ]
    sheet.tabla(("Concepto", "Valor"), rows, (8, 4), derecha=(1,), total=True)
    sheet.seccion("Qué se debe y desde cuándo")
    owed = [
        (
            one.concepto.titulo,
            format_cop(one.capital),
            fecha(one.inicio.desde) if one.inicio else "no causa intereses",
            f"{one.inicio.norma}, art. {one.inicio.articulo} ({one.inicio.certeza})"
            if one.inicio
            else one.concepto.motivo,
        )
        for one in found.saldos
    ]
    sheet.tabla(("Concepto", "Capital", "Desde", "Norma y certeza"), owed, (3.4, 1.9, 1.9, 4.8), derecha=(1,))
    _lines(sheet, found)
    if found.imputaciones:
        sheet.seccion("A qué se imputó cada pago")
        paid = [
            (
                fecha(one.abono.fecha),
                format_cop(one.abono.valor),
                format_cop(one.intereses),
                format_cop(one.capital),
                one.abono.referencia,
            )
            for one in found.imputaciones
        ]
        sheet.tabla(
            ("Fecha", "Pago", "A intereses", "A capital", "Referencia"), paid, (2, 2, 2, 2, 4), derecha=(1, 2, 3)
        )
    _readings(sheet, found)
    return sheet.pdf()


def _lines(sheet: Hoja, found: Resultado) -> None:
    sheet.seccion("Intereses mes a mes")
    rows = [
        (
            one.titulo,
            format_cop(one.capital),
            f"{fecha(one.desde)} a {fecha(one.hasta)}",
            str(one.dias),
            _percent(one.tasa),
            str(one.divisor),
            "sin tasa" if one.interes is None else format_cop(one.interes),
        )
        for one in found.lineas
    ]
    sheet.tabla(
        ("Concepto", "Capital", "Días", "N.º", "Tasa", "Div.", "Interés"),
        rows,
        (2.8, 2.1, 3, 0.7, 1.2, 0.8, 2),
        derecha=(1, 3, 4, 5, 6),
    )


def _readings(sheet: Hoja, found: Resultado) -> None:
    sheet.seccion("Cómo se liquidó")
    chosen = found.parametros.as_dict()
    rows = []
    for key, title in NOMBRES.items():
        one = opcion(key, chosen[key])
        rows.append((title, one.texto, f"{one.cita} ({one.certeza})"))
    sheet.tabla(("Parámetro", "Lectura", "Fuente y certeza"), rows, (3, 5, 4))
    if found.alternativas:
        sheet.seccion("Otras lecturas de la norma")
        others = [
            (
                NOMBRES[one.opcion.clave],
                one.opcion.texto,
                one.opcion.cita,
                format_cop(one.pendientes),
                format_cop(one.diferencia),
            )
            for one in found.alternativas
        ]
        sheet.tabla(
            ("Parámetro", "Lectura", "Fuente", "Intereses", "Diferencia"),
            others,
            (2.4, 3.6, 2.6, 1.8, 1.8),
            derecha=(3, 4),
        )


def _percent(hundredths: int | None) -> str:
    return "—" if hundredths is None else f"{hundredths // 100},{hundredths % 100:02d} %"
