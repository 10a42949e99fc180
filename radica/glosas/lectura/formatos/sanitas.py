"""EPS Sanitas: workbook with a sheet `Glosa`; the second column titled NUMERO DE FACTURA holds the glosa code.

Invariant: that second column is taken as the code only when it holds codes. One service may stand on several rows,
one per objection: each stays a line of its own.
"""

from __future__ import annotations

from radica.glosas.lectura.formato import Clase, Contexto, Datos, Formato, campo
from radica.glosas.lectura.valores import Duda


def _ajustar(row: Datos, context: Contexto) -> Duda | None:
    if row.otro_valor is not None and row.valor is not None and row.otro_valor != row.valor:
        context.avisar(
            "Hay filas cuyas dos columnas de valor glosado no coinciden: se tomó la primera de VALOR REAL GLOSA, "
            "VALOR GLOSADO PRESTADOR y VALOR GLOSADO GLOSA que trae el archivo."
        )
    return None


FORMATOS = (
    Formato(
        nombre="sanitas",
        etiqueta="EPS Sanitas",
        pagador="EPS Sanitas",
        archivo=r"sanitas|\bglosa\b",
        campos=(
            campo("factura", "NUMERO DE FACTURA", clase=Clase.FACTURA, obligatorio=True),
            campo(
                "codigo",
                "NUMERO DE FACTURA",
                clase=Clase.CODIGO,
                obligatorio=True,
                n=2,
            ),
            campo(
                "valor",
                "VALOR REAL GLOSA",
                "VALOR GLOSADO PRESTADOR",
                "VALOR GLOSADO GLOSA",
                clase=Clase.DINERO,
                obligatorio=True,
            ),
            campo("otro_valor", "VALOR GLOSADO PRESTADOR", "VALOR GLOSADO GLOSA", clase=Clase.DINERO, firma=False),
            campo("servicio", "CODIGO PROCEDIMIENTO"),
            campo("descripcion_servicio", "DESCRIPCION PROCEDIMIENTO", "NOMBRE PROCEDIMIENTO", firma=False),
            campo("codigo_general", "CODIGO CONCEPTO GENERAL"),
            campo("motivo", "DESCRIPCION GLOSA", "CONCEPTO ESPECIFICO", "CONCEPTO GENERAL", firma=False),
            campo("observacion", "OBSERVACION", "OBSERVACIONES", firma=False),
            campo(
                "fecha_notificacion",
                "FECHA DE GLOSA",
                "FECHA GLOSA",
                "FECHA NOTIFICACION",
                clase=Clase.FECHA,
                firma=False,
            ),
            campo("fecha_radicacion", "FECHA DE RADICACION", clase=Clase.FECHA),
            campo("fecha_factura", "FECHA DE FACTURA", clase=Clase.FECHA),
            campo("numero_glosa", "ID GLOSA"),
            campo("radicado", "NUMERO DE RADICACION"),
        ),
        ajustar=_ajustar,
    ),
)
