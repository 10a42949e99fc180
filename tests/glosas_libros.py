"""Writes the files that payers send, with the exact columns of each layout and invented data.

Every layout has its titles, the way its file is written, and three example rows; a test changes what it is about.
Nothing here comes from a real document: invoices, amounts, people and NITs are made up.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter

Celda = Any
Fila = Sequence[Celda]
SEGUNDA = " (2)"
"""Marks the second column of the same title in the keys of a row."""


@dataclass(frozen=True)
class Molde:
    """How one layout's file is written."""

    archivo: str
    titulos: tuple[str, ...]
    filas: tuple[Mapping[str, Celda], ...]
    antes: tuple[Fila, ...] = ()
    despues: tuple[Fila, ...] = ()
    hoja: str = "Hoja1"
    separador: str = ""
    codificacion: str = "utf-8"

    def tabla(self, filas: Sequence[Mapping[str, Celda]] | None = None) -> list[list[Celda]]:
        """Return all rows of the sheet: what stands above, titles, data, what stands below."""
        body = [[row.get(title, "") for title in self.titulos] for row in (self.filas if filas is None else filas)]
        printed = [title.removesuffix(SEGUNDA) for title in self.titulos]
        return [*map(list, self.antes), printed, *body, *map(list, self.despues)]


def molde(archivo: str, tabla: str, **mas: Any) -> Molde:
    """Make a layout from its table as text: `|` between cells, `#` before a number, `@` before a date.

    Of two columns with one title the second has the key `title (2)`.
    """
    lines = [[cell.strip() for cell in line.split("|")] for line in tabla.strip("\n").splitlines()]
    titles: list[str] = []
    for title in lines[0]:
        titles.append(title + SEGUNDA if title in titles else title)
    rows = tuple(dict(zip(titles, map(_celda, line), strict=True)) for line in lines[1:])
    return Molde(archivo, tuple(titles), rows, **mas)


def _celda(text: str) -> Celda:
    if text.startswith("#"):
        return float(text[1:]) if "." in text else int(text[1:])
    return dt.date.fromisoformat(text[1:]) if text.startswith("@") else text


MOLDES: dict[str, Molde] = {
    "dispensario": molde(
        "AUDITORIA_GLOSA_202603.csv",
        """
PREFIJO | FACTURA | RADICADO FACTURA | VALOR GLOSA INICIAL | NOTIFICACION AL PRESTADOR | FEC. PRESENTACION FACTURA | FECHA EMISION | CODIGO GLOSA
HUS | 487523 | R-100 | $9.576.693,00 | 13/03/2026 | 20/02/2026 | 05/02/2026 | TA0801
HUS | 487524 | R-101 | $1.250,00 | 05/03/2026 | 20/02/2026 | 1900/01/01 | SO3401
""",
        antes=(["DISPENSARIO MÉDICO"], ["AUDITORÍA DE CUENTAS MÉDICAS"], []),
        separador=";",
        codificacion="latin-1",
    ),
    "famisanar": molde(
        "DEVYGLOSAS_0326.txt",
        """
NRO_FACTURA | CODIGO_DEVOLUCION | VALOR DEVOLUCION | FECHA_ENVIO | NRO_RADICACION | OBSERVACION
FE1001 | DE5601 | 573480.00 | 13/03/2026 | 880001 | Soportes no radicados en término
FE1002 | TA0201 | 18500.00 | 13/03/2026 | 880002 | Mayor valor cobrado en 890201 según lo pactado en la negociación
""",
        separador="|",
        codificacion="latin-1",
    ),
    "sura": molde(
        "GLOSAS_MASIVO_01.TXT",
        """
PREFIJOFACTURA | NUMEROFACTURA | VALORGLOSA | FECHAGLOSA | FECHARADICACION | FECHAFACTURA | NUMEROGLOSA | NUMERORADICADO
FE | 2001 | 1250000 | 2026-03-13 | 2026-02-20 | 2026-02-05 | G-1 | S-9
""",
        separador=";",
    ),
    "sanitas": molde(
        "GLOSA SANITAS MARZO.xlsx",
        """
NUMERO DE FACTURA | NUMERO DE FACTURA | VALOR REAL GLOSA | CODIGO PROCEDIMIENTO | CODIGO CONCEPTO GENERAL | FECHA DE RADICACION | FECHA DE FACTURA | ID GLOSA | NUMERO DE RADICACION
FE3001 | TA0801 | #45200 | 890201 | TA | @2026-02-20 | @2026-02-05 | #7001 | SN-1
FE3001 | SO3401 | #12000.5 | 890201 | SO | @2026-02-20 | @2026-02-05 | #7002 | SN-1
""",
        hoja="Glosa",
    ),
    "nueva_eps": molde(
        "Registro_Inforamcion_Glosas.xlsx",
        """
NUMERO_FACTURA | CODIGO_GLOSA_DEV | VALOR_GLOSA_DEV | VALOR_TOTAL_FACTURA | FECHA_HORA_GLOSA | FECHA_HORA_RADICACION | NUMERO_GLOSA_DEV | NUMERO_RADICACION
FE4001 | FA0202 | 15000.00 | 980000.00 | 13/03/2026 22:10 | 20/02/2026 08:00 | N-1 | NR-1
FE4002 | DE1601 | 730000.00 | 730000.00 | 14/03/2026 09:30 | 20/02/2026 08:00 | N-2 | NR-2
""",
    ),
    "savia": molde(
        "Glosas Savia.xlsx",
        """
NUMERO_FACTURA | COD_SERVICIO | SERVICIO | CANTIDAD_SERVICIO | VALOR_UNITARIO | VALOR_GLOSA | MOTIVO_ESP_GLOSA_VALOR_A | OBSERVACION_GLOSA_A | FECHA_RADICACION | FECHA_FACTURA | NUMERO_RADICADO
FE5001 | 902210 | Hemograma | #2 | #21000 | #6000 | TA08 | Tarifa mayor a la pactada | @2026-02-20 | @2026-02-05 | SV-1
""",
    ),
    "coosalud_correo": molde(
        "GLOSAS FC6001.xlsx",
        """
id_detalle | codigo_glosa | justificacion_glosa | valor_total_glosa | fecha_glosa | numero_factura
#501 | #203 | Honorarios por encima de lo pactado | #84000 | @2026-03-13 | FC6001
#502 | 0608 | No se evidencia pertinencia | #16000 | @2026-03-13 | FC6001
""",
    ),
    "coosalud_detalle": molde(
        "DETALLE FC6001.xlsx",
        """
id_detalle | codigo_servicio | descripcion_servicio | valor_total
#501 | 890201 | Consulta de primera vez | #90000
#502 | 902210 | Hemograma | #42000
""",
    ),
    "coosalud_portal": molde(
        "glosas_cuenta.xlsx",
        """
Id Glosa | Id Item | Descripcion Item | Tipo | Descripcion | Justificacion | Valor Glosado | Usuario | Fecha | Estado
#1 | #11 | Consulta de primera vez | Tarifas | 203 - Honorarios profesionales | Mayor valor cobrado | #30000 | auditor1 | 13/03/2026 | Pendiente
#2 | #12 | Hemograma | Soportes | SO3401 - Soporte ausente |  | #12000 | auditor1 | 13/03/2026 | Levantada
""",
        antes=(["Glosas de la cuenta 174713"],),
    ),
    "mutual_ser": molde(
        "Objeciones de glosa Factura FC7001.xlsx",
        """
Número de factura | Número de glosa | Tecnología | Cantidad facturada | Valor Facturado | Cantidad glosada | Valor glosado | Concepto de glosa | Código de glosa | Observacion | Fecha
FC7001 | MS-1 | 890201 Consulta | #1 | $ 45.000,00 | #1 | $ 5.000,00 | Tarifas | TA0201 | Tarifa pactada distinta | 13/03/2026
FC7001 | MS-1 | 902210 Hemograma | #2 | $ 42.000,00 | #1 | $ 21.000,00 | Soportes | SO3401 | Sin resultado | 13/03/2026
""",
        antes=(["MUTUAL SER EPS"], ["Señores IPS"], ["Detalle de glosa"]),
        despues=(["TOTAL", "", "", "", "", "", "$ 26.000,00"],),
    ),
    "salud_total": molde(
        "GLOSAS_900123456_01.txt",
        """
FechaRad | NumeroRad | PrefijoFac | NumeroFac | NUMREG | NumeroDocAfl | NombreAfl | NAP | NombreServicio | ValorTotalServ | CantidadFac | ValorUnitario | ValorGlosaFinal | ValorGlosaTotalxServ | DescripcionMotivo | Observaciones | CodMotvGlosaGeneral | MotvGlosaGeneral | CodMotvGlosaEspc | MotvGlosaEspc | DescripcionDevolucion | CausalDevolucion | MotivoDevolucion | ValorBrutoFactura
20/02/2026 | ST-1 | FE | 8001 | 1 | 10203040 | PACIENTE INVENTADO UNO | 99 | CONSULTA DE PRIMERA VEZ | 45000 | 1 | 45000 | 26000 | 5000 |  | Tarifa distinta | TA | Tarifas | TA0201 | Consulta |  |  |  | 980000
20/02/2026 | ST-1 | FE | 8001 | 2 | 10203040 | PACIENTE INVENTADO UNO |  | HEMOGRAMA | 42000 | 2 | 21000 | 26000 | 21000 |  | Sin resultado | SO | Soportes | SO3401 | Ayudas diagnósticas |  |  |  | 980000
""",
        separador="|",
        codificacion="latin-1",
    ),
    "salud_total_export": molde(
        "NotificacionGLS_8002.xlsx",
        """
NumeroFac_ | NombreServicio | CantidadFac | ValorGlosaTotalxServ | Observaciones | CodMotvGlosaEspc
FE8002 | CONSULTA | #1 | #7000 | Tarifa distinta | TA0201
""",
    ),
    "grupo_sis": molde(
        "Glosas Grupo SIS.xlsx",
        """
Factura | Valor Glosa Tarifa | Valor Aceptado | Valor No Aceptado | Observaciones | Glosa Factura
FE9001 | #4000 |  |  | Mayor tarifa en consulta | #9000
FE9001 | #5000 |  |  | Mayor tarifa en laboratorio | #9000
""",
    ),
    "grupo_sis_reconsideracion": molde(
        "Reconsideracion.xlsx",
        """
Factura | Valor Objetado | Aceptado(1:Si/0:No) | Observaciones
FE9001 | #4000 | #1 | Procede
FE9002 | #5000 | #0 | Se sostiene
""",
    ),
    "policia": molde(
        "GLOSA A RAD 55501.xlsx",
        """
No.FACTURA | VR. GLOSA | FECHA GLOSA | FECHA DE FACTURA
#487523.0 | #125000 | @2026-03-13 | @2026-02-05
""",
        antes=(
            ["DIRECCIÓN DE SANIDAD"],
            [],
            [],
            [],
            [],
            [],
            ["INFORME DE GLOSA"],
            [],
            ["Prestador", "IPS INVENTADA"],
            [],
            ["RADICADO No.", "55501"],
            [],
            [],
        ),
    ),
    "adres": molde(
        "ReporteGlosasReclamPAQUETE 31068.xlsx",
        """
Número Paquete | Número Radicado | Número Factura | Tipo Elemento | Cod Elemento | Descripción Elemento | Cantidad Reclamado | Valor Reclamado | Cantidad Aprobada | Valor Aprobado | Valor Glosado | Descripción Glosa
31068 | AD-1 | FE1100 | Procedimientos | 39145 | Consulta de urgencias | #1 | #60000 | #0 | #0 | #60000 | 39145-Procedimientos-3202- La consulta no está justificada
31068 | AD-1 | FE1100 | Insumos | 2016DM-0000315-R2 | Venda de gasa | #2 | #18800 | #1 | #9400 | #9400 | 2016DM-0000315-R2-Insumos-3106- Soporte ausente
""",
        antes=(["ADMINISTRADORA DE LOS RECURSOS"], [], ["Reporte de glosas"], [], ["Paquete", "31068"], []),
        hoja="ReporteGlosas",
    ),
    "generico": molde(
        "relacion de glosas.xlsx",
        """
Factura | Código de glosa | Valor glosado | Fecha de notificación | Observación
FE1200 | FA0202 | #33000 | @2026-03-13 | Cantidad mayor a la soportada
""",
    ),
}


def escribir(
    carpeta: Path,
    formato: str,
    filas: Sequence[Mapping[str, Celda]] | None = None,
    *,
    nombre: str | None = None,
    tabla: Sequence[Fila] | None = None,
) -> Path:
    """Write the file of a layout; `filas` replace its example rows, `tabla` the whole sheet."""
    molde = MOLDES[formato]
    path = carpeta / (nombre or molde.archivo)
    rows = list(tabla) if tabla is not None else molde.tabla(filas)
    if molde.separador and path.suffix.lower() not in {".xlsx", ".xlsm"}:
        return plano(path, rows, separador=molde.separador, codificacion=molde.codificacion)
    return libro(path, {molde.hoja: rows})


def cambiada(formato: str, indice: int = 0, **cambios: Celda) -> dict[str, Celda]:
    """Return an example row with some cells changed; a key's `_` stands for a space of its title."""
    row = dict(MOLDES[formato].filas[indice])
    for key, value in cambios.items():
        title = key if key in MOLDES[formato].titulos else key.replace("_", " ")
        row[title] = value
    return row


def libro(path: Path, hojas: Mapping[str, Sequence[Fila]], *, ocultas: Sequence[str] = ()) -> Path:
    """Write a workbook; a text cell that begins with `=` is a formula without its result."""
    book = xlsxwriter.Workbook(path, {"strings_to_numbers": False, "strings_to_formulas": False})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in hojas.items():
        sheet = book.add_worksheet(name)
        if name in ocultas:
            sheet.hide()
        for y, row in enumerate(rows):
            for x, cell in enumerate(row):
                if isinstance(cell, dt.date):
                    sheet.write_datetime(y, x, dt.datetime.combine(cell, dt.time()), day)
                elif isinstance(cell, str) and cell.startswith("="):
                    sheet.write_formula(y, x, cell, None, "")
                elif cell is not None and cell != "":
                    sheet.write(y, x, cell)
    book.close()
    return path


def plano(path: Path, filas: Sequence[Fila], *, separador: str, codificacion: str = "utf-8", fin: str = "\r\n") -> Path:
    """Write a text file with a separator; cells are written as they are, without quotes."""
    text = fin.join(separador.join(str(cell) for cell in row) for row in filas) + fin
    path.write_bytes(text.encode(codificacion))
    return path


def zip_de(path: Path, archivos: Mapping[str, Path | bytes]) -> Path:
    """Write a ZIP with files under the names given."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in archivos.items():
            bundle.writestr(name, content.read_bytes() if isinstance(content, Path) else content)
    path.write_bytes(buffer.getvalue())
    return path
