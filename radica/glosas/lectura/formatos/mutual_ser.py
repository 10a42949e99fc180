"""Mutual Ser EPS: workbook by mail; its table comes after the words «Detalle de glosa», with rows of TOTAL.

Invariant: the second kind of mail, «Validación de subsanación», brings decisions; a row of it that does not say what
was lifted or ratified is not read as a new objection.
"""

from __future__ import annotations

import re

from radica.glosas.lectura.formato import Clase, Contexto, Formato, campo

_DECISION = re.compile(r"validaci.{1,3}n de (?:la )?subsanaci", re.IGNORECASE)


def _preparar(context: Contexto) -> None:
    context.decision = any(_DECISION.search(text) for text in (*context.previo, context.hoja, context.archivo))


FORMATOS = (
    Formato(
        nombre="mutual_ser",
        etiqueta="Mutual Ser EPS",
        pagador="Mutual Ser EPS",
        archivo=r"objeciones de glosa|mutual|subsanaci",
        titulo=r"detalle de glosa|subsanaci",
        campos=(
            campo("factura", "Número de factura", clase=Clase.FACTURA, obligatorio=True),
            campo("numero_glosa", "Número de glosa"),
            campo("descripcion_servicio", "Tecnología", obligatorio=True),
            campo("cantidad", "Cantidad facturada"),
            campo("valor_servicio", "Valor Facturado", clase=Clase.DINERO),
            campo("cantidad_glosada", "Cantidad glosada"),
            campo("valor", "Valor glosado", clase=Clase.DINERO, obligatorio=True),
            campo("motivo", "Concepto de glosa"),
            campo("codigo", "Código de glosa", clase=Clase.CODIGO, obligatorio=True),
            campo("observacion", "Observacion", "Observación de validación"),
            campo("fecha_notificacion", "Fecha", clase=Clase.FECHA),
            campo("levantado", "Valor levantado", "Valor subsanado", clase=Clase.DINERO, firma=False),
            campo("ratificado", "Valor ratificado", "Valor no subsanado", clase=Clase.DINERO, firma=False),
            campo("aceptado", "Valor aceptado", "Valor aceptado IPS", clase=Clase.DINERO, firma=False),
            campo(
                "situacion", "Estado", "Decisión", "Resultado", "Validación", "Validación de subsanación", firma=False
            ),
            campo("fecha_radicacion", "Fecha de radicación", clase=Clase.FECHA, firma=False),
            campo("radicado", "Número de radicado", "Radicado", firma=False),
        ),
        preparar=_preparar,
    ),
)
