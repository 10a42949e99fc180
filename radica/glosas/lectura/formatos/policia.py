"""Sanidad de la Policía: `GLOSA A RAD N.xlsx`, header near row 14, the radicado printed above it.

Invariant: the radicado is the one printed; when the file's name says another, both are told.
"""

from __future__ import annotations

import re

from radica.glosas.lectura.formato import Clase, Contexto, Datos, Formato, campo
from radica.glosas.lectura.valores import Duda

_NUMBER = r"([A-Z]{0,6}-?\d[\w/-]*)"
_PRINTED = re.compile(r"\bRAD(?:ICADO|ICACI[OÓ]N)?\b[^\d]{0,25}?\b" + _NUMBER, re.IGNORECASE)
_LABEL = re.compile(r"[^\d]{0,15}\bRAD(?:ICADO|ICACI[OÓ]N)?\b[^\d]{0,15}", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[/-]\d{1,2}[/-]\d{1,4}")


def _preparar(context: Contexto) -> None:
    context.radicado = radicado_impreso(context.previo)
    named = _PRINTED.search(context.archivo.rsplit("/", 1)[-1].rsplit(".", 1)[0])
    if named is None:
        return
    if not context.radicado:
        context.radicado = named.group(1)
    elif context.radicado != named.group(1):
        context.avisar(
            f"El archivo se llama con el radicado {named.group(1)} y por dentro dice {context.radicado}: se tomó este."
        )


def radicado_impreso(texts: tuple[str, ...]) -> str:
    """Return the radicado among the texts above the header: with its label, or in the cell after it."""
    for at, text in enumerate(texts):
        match = _PRINTED.search(text)
        if match is None and _LABEL.fullmatch(text) and at + 1 < len(texts):
            match = re.fullmatch(_NUMBER, texts[at + 1], re.IGNORECASE)
        if match is not None and not _DATE.match(match.group(1)):
            return match.group(1)
    return ""


def _ajustar(row: Datos, context: Contexto) -> Duda | None:
    row.radicado = row.radicado or context.radicado
    return None


FORMATOS = (
    Formato(
        nombre="policia",
        etiqueta="Sanidad de la Policía",
        pagador="Sanidad de la Policía",
        archivo=r"glosa.{0,3}a.{0,3}rad",
        titulo=r"\brad",
        minimo=0.7,
        campos=(
            campo("factura", "No.FACTURA", "No. DE FACTURA", clase=Clase.FACTURA, obligatorio=True),
            campo("valor", "VR. GLOSA", clase=Clase.DINERO, obligatorio=True),
            campo("fecha_notificacion", "FECHA GLOSA", clase=Clase.FECHA),
            campo("fecha_factura", "FECHA DE FACTURA", clase=Clase.FECHA),
            campo("valor_factura", "VR. FACTURA", "VALOR FACTURA", clase=Clase.DINERO, firma=False),
            campo("codigo", "CODIGO GLOSA", "COD. GLOSA", "CODIGO", clase=Clase.CODIGO, firma=False),
            campo("motivo", "MOTIVO GLOSA", "DESCRIPCION GLOSA", "CONCEPTO", firma=False),
            campo("observacion", "OBSERVACION", "OBSERVACIONES", firma=False),
            campo("radicado", "RADICADO", "No. RADICADO", firma=False),
        ),
        preparar=_preparar,
        ajustar=_ajustar,
    ),
)
