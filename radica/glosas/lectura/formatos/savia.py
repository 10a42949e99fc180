"""Savia Salud EPS: workbook with one objection per service; codes of four characters (TA08) before their text.

Invariant: a code of a specific concept stays one: no application is added to it.
"""

from __future__ import annotations

from radica.glosas.lectura.formato import Clase, Formato, campo

FORMATOS = (
    Formato(
        nombre="savia",
        etiqueta="Savia Salud EPS",
        pagador="Savia Salud EPS",
        archivo=r"savia",
        campos=(
            campo("factura", "NUMERO_FACTURA", clase=Clase.FACTURA, obligatorio=True),
            campo("servicio", "COD_SERVICIO"),
            campo("descripcion_servicio", "SERVICIO"),
            campo("cantidad", "CANTIDAD_SERVICIO"),
            campo("valor_unitario", "VALOR_UNITARIO", clase=Clase.DINERO),
            campo("valor", "VALOR_GLOSA", clase=Clase.DINERO, obligatorio=True),
            campo("codigo", "MOTIVO_ESP_GLOSA_VALOR_A", clase=Clase.CODIGO, obligatorio=True),
            campo("observacion", "OBSERVACION_GLOSA_A"),
            campo("fecha_notificacion", "FECHA_GLOSA", "FECHA_NOTIFICACION", clase=Clase.FECHA, firma=False),
            campo("fecha_radicacion", "FECHA_RADICACION", clase=Clase.FECHA),
            campo("fecha_factura", "FECHA_FACTURA", clase=Clase.FECHA),
            campo("radicado", "NUMERO_RADICADO"),
        ),
    ),
)
