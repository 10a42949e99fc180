"""EPS Famisanar: `DEVYGLOSAS*.txt`, pipes, Latin-1; returns and glosas together, told apart by the code.

Invariant: a service is only taken from the text when exactly one code of service stands in it.
"""

from __future__ import annotations

import re

from radica.glosas.lectura.formato import Clase, Contexto, Datos, Formato, campo
from radica.glosas.lectura.valores import Duda

_NAMED = re.compile(r"\b(?:CUPS|C[OÓ]DIGO|C[OÓ]D|SERVICIO|PROCEDIMIENTO)\b\W{0,3}(\d{5,6}[A-Z]?\d?)\b", re.IGNORECASE)
_BARE = re.compile(r"(?<![\w$.,-])(\d{6})(?![\w.,-]*\d)")


def _ajustar(row: Datos, _context: Contexto) -> Duda | None:
    if not row.servicio:
        row.servicio = servicio_en_texto(row.observacion, {row.factura, row.radicado, row.numero_glosa})
    return None


def servicio_en_texto(text: str, others: set[str]) -> str:
    """Return the only code of service that a text names, "" when there is none or more than one."""
    for pattern in (_NAMED, _BARE):
        found = {one for one in pattern.findall(text) if not any(one and one in other for other in others)}
        if found:
            return found.pop() if len(found) == 1 else ""
    return ""


FORMATOS = (
    Formato(
        nombre="famisanar",
        etiqueta="EPS Famisanar",
        pagador="EPS Famisanar",
        archivo=r"devyglosas|famisanar",
        campos=(
            campo("factura", "NRO_FACTURA", clase=Clase.FACTURA, obligatorio=True),
            campo("codigo", "CODIGO_DEVOLUCION", clase=Clase.CODIGO, obligatorio=True),
            campo("valor", "VALOR DEVOLUCION", clase=Clase.DINERO, obligatorio=True),
            campo("fecha_notificacion", "FECHA_ENVIO", clase=Clase.FECHA),
            campo("radicado", "NRO_RADICACION"),
            campo("observacion", "OBSERVACION"),
            campo("valor_factura", "VALOR_FACTURA", clase=Clase.DINERO, firma=False),
            campo("fecha_radicacion", "FECHA_RADICACION", clase=Clase.FECHA, firma=False),
            campo("fecha_factura", "FECHA_FACTURA", clase=Clase.FECHA, firma=False),
        ),
        ajustar=_ajustar,
    ),
)
