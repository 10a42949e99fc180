"""Nueva EPS (Factramed): workbook `Registro_Inforamcion…`, cumulative: it brings again what earlier files brought.

Invariant: every row is read; which lines are new is decided where they are stored, not here.
"""

from __future__ import annotations

from radica.glosas.lectura.formato import Clase, Formato, campo

FORMATOS = (
    Formato(
        nombre="nueva_eps",
        etiqueta="Nueva EPS (Factramed)",
        pagador="Nueva EPS",
        archivo=r"registro.?infor|factramed|nueva",
        acumulado=True,
        campos=(
            campo("factura", "NUMERO_FACTURA", clase=Clase.FACTURA, obligatorio=True),
            campo("codigo", "CODIGO_GLOSA_DEV", clase=Clase.CODIGO, obligatorio=True),
            campo("valor", "VALOR_GLOSA_DEV", clase=Clase.DINERO, obligatorio=True),
            campo("valor_factura", "VALOR_TOTAL_FACTURA", clase=Clase.DINERO),
            campo("fecha_notificacion", "FECHA_HORA_GLOSA", clase=Clase.FECHA),
            campo("fecha_radicacion", "FECHA_HORA_RADICACION", clase=Clase.FECHA),
            campo("fecha_factura", "FECHA_FACTURA", clase=Clase.FECHA, firma=False),
            campo("numero_glosa", "NUMERO_GLOSA_DEV"),
            campo("radicado", "NUMERO_RADICACION"),
            campo("servicio", "CODIGO_SERVICIO", "COD_SERVICIO", firma=False),
            campo("descripcion_servicio", "DESCRIPCION_SERVICIO", "NOMBRE_SERVICIO", firma=False),
            campo("motivo", "DESCRIPCION_GLOSA_DEV", "DESCRIPCION_GLOSA", firma=False),
            campo("observacion", "OBSERVACION", "OBSERVACIONES", "OBSERVACION_GLOSA", firma=False),
        ),
    ),
)
