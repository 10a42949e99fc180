"""Coosalud portal: workbook whose first row is the title «Glosas de la cuenta N».

Invariant: the file names the account, not the invoice; what the title says is taken as written and said so. A row's
state tells whether it is an objection or the payer's decision.
"""

from __future__ import annotations

import re

from radica.glosas import codes
from radica.glosas.lectura.formato import Clase, Contexto, Datos, Formato, ReglaCodigo, campo
from radica.glosas.lectura.lineas import leer_codigo
from radica.glosas.lectura.valores import Duda

_TITLE = re.compile(r"glosas? de la (?:cuenta|factura)\W*(?:n[o°º.]*\W+)?([A-Z]{0,6}[ -]?\d[\w-]*)", re.IGNORECASE)


def _preparar(context: Contexto) -> None:
    for text in (*context.previo, context.hoja, context.archivo):
        if match := _TITLE.search(text):
            context.radicado = match.group(1)
            context.avisar(
                f"El archivo nombra la cuenta {match.group(1)} y no la factura: compruebe a qué factura corresponde."
            )
            return


def _ajustar(row: Datos, context: Contexto) -> Duda | None:
    if not row.factura:
        if not context.radicado:
            return Duda("el título del archivo no dice de qué cuenta son las glosas")
        row.factura = context.radicado
    # The code stands under Tipo or before the text of Descripcion, by the version of the portal.
    for text in (row.codigo, row.motivo):
        found = leer_codigo(text, ReglaCodigo.HOMOLOGAR)
        if found.codigo is not None:
            row.codigo = text
            row.motivo = "" if text == row.motivo else row.motivo
            return None
    if not codes.parece_codigo(row.codigo):
        row.motivo = ". ".join(part for part in (row.codigo, row.motivo) if part)
        row.codigo = ""
    return None


FORMATOS = (
    Formato(
        nombre="coosalud_portal",
        etiqueta="Coosalud (portal)",
        pagador="Coosalud EPS",
        archivo=r"glosas.{0,4}cuenta|coosalud",
        titulo=r"glosas? de la cuenta",
        codigos=ReglaCodigo.HOMOLOGAR,
        minimo=0.7,
        campos=(
            campo("numero_glosa", "Id Glosa", obligatorio=True),
            campo("enlace", "Id Item", obligatorio=True),
            campo("descripcion_servicio", "Descripcion Item"),
            campo("codigo", "Tipo"),
            campo("motivo", "Descripcion"),
            campo("observacion", "Justificacion"),
            campo("valor", "Valor Glosado", clase=Clase.DINERO, obligatorio=True),
            campo("usuario", "Usuario"),
            campo("fecha_notificacion", "Fecha", clase=Clase.FECHA),
            campo("situacion", "Estado"),
            campo("factura", "Factura", "Numero Factura", clase=Clase.FACTURA, firma=False),
            campo("servicio", "Codigo Item", "Codigo Servicio", firma=False),
        ),
        preparar=_preparar,
        ajustar=_ajustar,
    ),
)
