"""Salud Total EPS: TXT of 24 fields, pipe or tab, with or without its titles; it holds patients' names.

Invariant: the amount of a line is the service's (ValorGlosaTotalxServ), never the invoice's ValorGlosaFinal, which
repeats on every line. A cause of return makes the row a return of the whole invoice. Names are never kept.
"""

from __future__ import annotations

import re

from radica.glosas.lectura.formato import Clase, Contexto, Datos, Formato, campo
from radica.glosas.lectura.tipos import TipoLinea
from radica.glosas.lectura.valores import Duda

_NONE = re.compile(r"[0.]+|NO|N\.?/?A\.?|NO APLICA|NINGUN[AO]|SIN .*", re.IGNORECASE)
"""What fills the column of a glosa that returns nothing."""


def _ajustar(row: Datos, _context: Contexto) -> Duda | None:
    if not row.causal_devolucion or _NONE.fullmatch(row.causal_devolucion):
        return None
    row.tipo = TipoLinea.DEVOLUCION
    row.codigo = row.causal_devolucion
    if not row.valor:
        # A return takes the whole invoice; its service amount comes empty.
        row.valor = row.valor_factura
    return None


FORMATOS = (
    Formato(
        nombre="salud_total",
        etiqueta="Salud Total EPS (TXT de 24 campos)",
        pagador="Salud Total EPS",
        archivo=r"salud.?total|glosa|\.txt",
        columnas_fijas=24,
        campos=(
            campo("fecha_radicacion", "FechaRad", clase=Clase.FECHA),
            campo("radicado", "NumeroRad"),
            campo("prefijo", "PrefijoFac"),
            campo("factura", "NumeroFac", clase=Clase.FACTURA, obligatorio=True),
            campo("numero_glosa", "NUMREG"),
            campo("paciente_documento", "NumeroDocAfl"),
            campo("paciente_nombre", "NombreAfl"),
            campo("nap", "NAP"),
            campo("descripcion_servicio", "NombreServicio"),
            campo("valor_servicio", "ValorTotalServ", clase=Clase.DINERO),
            campo("cantidad", "CantidadFac"),
            campo("valor_unitario", "ValorUnitario", clase=Clase.DINERO),
            campo("otro_valor", "ValorGlosaFinal", clase=Clase.DINERO),
            campo("valor", "ValorGlosaTotalxServ", clase=Clase.DINERO, obligatorio=True),
            campo("descripcion_motivo", "DescripcionMotivo"),
            campo("observacion", "Observaciones"),
            campo("codigo_general", "CodMotvGlosaGeneral"),
            campo("motivo_general", "MotvGlosaGeneral"),
            campo("codigo", "CodMotvGlosaEspc", clase=Clase.CODIGO, obligatorio=True),
            campo("motivo", "MotvGlosaEspc"),
            campo("descripcion_devolucion", "DescripcionDevolucion"),
            campo("causal_devolucion", "CausalDevolucion"),
            campo("motivo_devolucion", "MotivoDevolucion"),
            campo("valor_factura", "ValorBrutoFactura", clase=Clase.DINERO),
        ),
        ajustar=_ajustar,
    ),
)
