"""Coosalud by mail: `DETALLE FCnnn.xlsx` (items) and `GLOSAS FCnnn.xlsx` (objections), joined by id_detalle.

Invariant: an objection without its item stays a line, and says that the item is missing. Numeric codes are this
payer's way of writing those of the Manual Único (203 ⇒ TA0301), by homologation.
"""

from __future__ import annotations

from radica.glosas.lectura.formato import Clase, Contexto, Datos, Formato, ReglaCodigo, campo
from radica.glosas.lectura.valores import Duda

DETALLE = "coosalud_detalle"


def _ajustar(row: Datos, context: Contexto) -> Duda | None:
    if not context.detalles:
        context.avisar("Falta el archivo DETALLE de la misma factura: las glosas quedan sin su servicio.")
        return None
    item = context.detalles.get(row.enlace)
    if item is None:
        row.avisos.append("su id_detalle no está en el archivo DETALLE")
        return None
    row.servicio = item.servicio
    row.descripcion_servicio = item.descripcion
    row.valor_servicio = item.valor
    return None


FORMATOS = (
    Formato(
        nombre="coosalud_correo",
        etiqueta="Coosalud (correo, archivo GLOSAS)",
        pagador="Coosalud EPS",
        archivo=r"glosas.{0,3}fc",
        codigos=ReglaCodigo.HOMOLOGAR,
        minimo=0.7,
        campos=(
            campo("enlace", "id_detalle", obligatorio=True),
            campo("codigo", "codigo_glosa", clase=Clase.CODIGO, obligatorio=True),
            campo("observacion", "justificacion_glosa"),
            campo("valor", "valor_total_glosa", clase=Clase.DINERO, obligatorio=True),
            campo("fecha_notificacion", "fecha_glosa", clase=Clase.FECHA),
            campo("factura", "numero_factura", clase=Clase.FACTURA, obligatorio=True),
            campo("numero_glosa", "id_glosa", "numero_glosa", firma=False),
            campo("radicado", "numero_radicado", "radicado", firma=False),
            campo("fecha_radicacion", "fecha_radicacion", clase=Clase.FECHA, firma=False),
        ),
        ajustar=_ajustar,
    ),
    Formato(
        nombre=DETALLE,
        etiqueta="Coosalud (correo, archivo DETALLE)",
        pagador="Coosalud EPS",
        archivo=r"detalle.{0,3}fc",
        sin_valor=True,
        campos=(
            campo("enlace", "id_detalle", obligatorio=True),
            campo("servicio", "codigo_servicio", obligatorio=True),
            campo(
                "descripcion_servicio",
                "descripcion_servicio",
                "nombre_servicio",
                "descripcion",
                "servicio",
                firma=False,
            ),
            campo("valor_servicio", "valor_total", "valor_servicio", "valor", clase=Clase.DINERO, firma=False),
            campo("factura", "numero_factura", clase=Clase.FACTURA, firma=False),
        ),
    ),
)
