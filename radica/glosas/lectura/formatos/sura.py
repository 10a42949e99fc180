"""EPS Sura: `*MASIVO*.TXT`, `;`: one row per invoice with the whole objected amount, no code and no service.

Invariant: the amount is the invoice's; nothing divides it among services here.
"""

from __future__ import annotations

from radica.glosas.lectura.formato import Clase, Contexto, Formato, campo


def _preparar(context: Contexto) -> None:
    context.avisar("El archivo trae el total glosado de cada factura, sin código ni servicio: pida el detalle.")


FORMATOS = (
    Formato(
        nombre="sura",
        etiqueta="EPS Sura",
        pagador="EPS Sura",
        archivo=r"masivo|sura",
        campos=(
            campo("prefijo", "PREFIJOFACTURA", obligatorio=True),
            campo("factura", "NUMEROFACTURA", clase=Clase.FACTURA, obligatorio=True),
            campo("valor", "VALORGLOSA", clase=Clase.DINERO, obligatorio=True),
            campo("fecha_notificacion", "FECHAGLOSA", clase=Clase.FECHA),
            campo("fecha_radicacion", "FECHARADICACION", clase=Clase.FECHA),
            campo("fecha_factura", "FECHAFACTURA", clase=Clase.FECHA),
            campo("numero_glosa", "NUMEROGLOSA", obligatorio=True),
            campo("radicado", "NUMERORADICADO"),
        ),
        preparar=_preparar,
    ),
)
