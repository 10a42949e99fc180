"""Grupo SIS: workbook of objections by tariff, and workbook of the reconsideration with the payer's yes or no.

Invariant: «Glosa Factura» is the invoice's sum and repeats; the line's amount is «Valor Glosa Tarifa». Accepted 1
lifts the objection, 0 ratifies it, and anything else is not read.
"""

from __future__ import annotations

from radica.glosas.lectura.formato import Clase, Contexto, Datos, Formato, campo
from radica.glosas.lectura.valores import Duda

_ANSWERS = {"1": "LEVANTADA", "SI": "LEVANTADA", "SÍ": "LEVANTADA", "0": "RATIFICADA", "NO": "RATIFICADA"}


def _glosa(row: Datos, context: Contexto) -> Duda | None:
    if row.aceptado:
        context.avisar("La columna Valor Aceptado viene diligenciada: no se tomó como respuesta del prestador.")
    return None


def _reconsideracion(row: Datos, _context: Contexto) -> Duda | None:
    answer = _ANSWERS.get(row.situacion.upper())
    if answer is None:
        return Duda("la columna Aceptado no dice 1 ni 0")
    row.situacion = answer
    return None


FORMATOS = (
    Formato(
        nombre="grupo_sis",
        etiqueta="Grupo SIS (glosas)",
        archivo=r"",
        minimo=0.8,
        campos=(
            campo("factura", "Factura", clase=Clase.FACTURA, obligatorio=True),
            campo("valor", "Valor Glosa Tarifa", clase=Clase.DINERO, obligatorio=True),
            campo("aceptado", "Valor Aceptado", clase=Clase.DINERO),
            campo("no_aceptado", "Valor No Aceptado", clase=Clase.DINERO),
            campo("observacion", "Observaciones"),
            campo("otro_valor", "Glosa Factura", clase=Clase.DINERO),
            campo("codigo", "Codigo Glosa", "Codigo", clase=Clase.CODIGO, firma=False),
            campo("servicio", "Codigo Servicio", "CUPS", firma=False),
        ),
        ajustar=_glosa,
    ),
    Formato(
        nombre="grupo_sis_reconsideracion",
        etiqueta="Grupo SIS (reconsideración)",
        minimo=0.9,
        campos=(
            campo("factura", "Factura", clase=Clase.FACTURA, obligatorio=True),
            campo("valor", "Valor Objetado", clase=Clase.DINERO, obligatorio=True),
            campo("situacion", "Aceptado(1:Si/0:No)", "Aceptado (1: Sí / 0: No)", obligatorio=True),
            campo("observacion", "Observaciones"),
            campo("codigo", "Codigo Glosa", "Codigo", clase=Clase.CODIGO, firma=False),
        ),
        ajustar=_reconsideracion,
    ),
)
