"""Dispensario Militar (AUDITOOL): `AUDITORIA_GLOSA_*.csv`, Latin-1, `;`, with its header below some titles.

Invariant: an amount under VALOR GLOSA RATIFICADA makes the row a ratification of exactly that amount.
"""

from __future__ import annotations

from radica.glosas.lectura.formato import Clase, Formato, campo

FORMATOS = (
    Formato(
        nombre="dispensario",
        etiqueta="Dispensario Militar (AUDITOOL)",
        pagador="Dispensario Militar",
        archivo=r"auditoria.?glosa|auditool",
        minimo=0.7,
        campos=(
            campo("prefijo", "PREFIJO"),
            campo("factura", "FACTURA", clase=Clase.FACTURA, obligatorio=True),
            campo("radicado", "RADICADO FACTURA", obligatorio=True),
            campo("valor", "VALOR GLOSA INICIAL", clase=Clase.DINERO, firma=False),
            campo("ratificado", "VALOR GLOSA RATIFICADA", clase=Clase.DINERO, firma=False),
            campo("fecha_notificacion", "NOTIFICACION AL PRESTADOR", clase=Clase.FECHA),
            campo("fecha_radicacion", "FEC. PRESENTACION FACTURA", clase=Clase.FECHA),
            campo("fecha_factura", "FECHA EMISION", clase=Clase.FECHA),
            campo("codigo", "CODIGO GLOSA", clase=Clase.CODIGO, obligatorio=True),
            campo("valor_factura", "VALOR FACTURA", clase=Clase.DINERO, firma=False),
            campo("servicio", "CODIGO SERVICIO", "CODIGO CUPS", firma=False),
            campo("descripcion_servicio", "DESCRIPCION SERVICIO", "SERVICIO", firma=False),
            campo("motivo", "DESCRIPCION GLOSA", "MOTIVO GLOSA", firma=False),
            campo("observacion", "OBSERVACION", "OBSERVACIONES", firma=False),
        ),
    ),
)
