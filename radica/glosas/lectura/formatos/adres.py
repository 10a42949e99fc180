"""ADRES: `ReporteGlosasReclamPAQUETE n.xlsx`, sixteen columns of its report, and ten that the team adds.

Invariant: causals are of the ADRES's own list and stay as they are. An item split over several rows is summed by its
rows; a row about the whole claim repeats the items' total: it stays a line for its causal, and its amount is counted
in the items.
"""

from __future__ import annotations

from radica.glosas.lectura.formato import Cerrado, Clase, Contexto, Datos, Formato, ReglaCodigo, campo
from radica.glosas.lectura.tipos import LineaLeida, NoLeida
from radica.glosas.lectura.titulos import clave
from radica.glosas.lectura.valores import Duda

_REPEATS = "es a toda la reclamación: su valor repite el de los ítems y ya está contado en ellos"
_DIFFERS = "la glosa a toda la reclamación no coincide con la suma de sus ítems: decida cuál vale"


def _preparar(context: Contexto) -> None:
    context.avisar("Las causales son de la lista propia de la ADRES, no del Manual Único.")


def _ajustar(row: Datos, context: Contexto) -> Duda | None:
    if clave(row.tipo_elemento).startswith("RECLAMACION") or not (row.servicio or row.descripcion_servicio):
        context.marcas.add(row.fila)
    return None


def _cerrar(lines: list[LineaLeida], unread: list[NoLeida], context: Contexto) -> Cerrado:
    """Count once what a row about the whole claim repeats."""
    whole = {line.fila for line in lines} & context.marcas
    if not whole:
        return lines, unread
    items: dict[str, int] = {}
    claims: dict[str, int] = {}
    for line in lines:
        if line.fila not in whole:
            items[line.factura] = items.get(line.factura, 0) + line.valor
    kept: list[LineaLeida] = []
    for line in lines:
        # Of several causals to a whole claim, each with its total, the first counts when there are no items.
        total = items.get(line.factura) or claims.get(line.factura)
        if line.fila not in whole:
            kept.append(line)
        elif total is None:
            claims[line.factura] = line.valor
            kept.append(line)
        elif line.valor in (0, total):
            kept.append(line._replace(valor=0, avisos=(*line.avisos, _REPEATS)))
        else:
            unread.append(NoLeida(line.fila, _DIFFERS, line.factura, line.hoja))
    return kept, unread


FORMATOS = (
    Formato(
        nombre="adres",
        etiqueta="ADRES (reporte de glosas de reclamaciones)",
        pagador="ADRES",
        archivo=r"reporteglosasreclam|adres",
        codigos=ReglaCodigo.ADRES,
        minimo=0.7,
        campos=(
            campo(
                "factura",
                "Número Factura",
                "No Factura",
                "Factura",
                "Num Factura",
                clase=Clase.FACTURA,
                obligatorio=True,
            ),
            campo("servicio", "Cod Elemento", "Código Elemento", obligatorio=True),
            campo("valor", "Valor Glosado", clase=Clase.DINERO, obligatorio=True),
            campo(
                "codigo",
                "CODIGO NUMERICO",
                "Causal",
                "Cod Causal",
                "Código Causal",
                "Causal Glosa",
                "Causal de glosa",
                "Código Glosa",
                "Descripción Glosa",
                "Descripción Causal",
                clase=Clase.CODIGO,
                patrones=(
                    "(?:COD|CODIGO)?(?:DE)?(?:LA)?CAUSAL(?:ES)?(?:DE)?(?:LA)?(?:GLOSA)?(?:APLICADA)?|(?:COD|CODIGO)(?:DE)?GLOSA|GLOSA",
                ),
            ),
            campo("motivo", "Descripción Glosa", "Descripción Causal", firma=False),
            campo("tipo_elemento", "Tipo Elemento", firma=False),
            campo("descripcion_servicio", "Descripción Elemento", "Nombre Elemento", firma=False),
            campo("cantidad", "Cantidad Reclamado", "Cant Reclamado", "Cantidad Reclamada", firma=False),
            campo("valor_servicio", "Valor Reclamado", clase=Clase.DINERO, firma=False),
            campo("numero_glosa", "Número Paquete", "Paquete", firma=False),
            campo(
                "radicado",
                "Número Radicado",
                "No Radicado",
                "Radicado",
                "Número Radicación",
                "Número Reclamación",
                firma=False,
            ),
            campo("fecha_notificacion", "Fecha Notificación", "Fecha Glosa", clase=Clase.FECHA, firma=False),
            campo("fecha_radicacion", "FECHA DE RADICACION", "Fecha Radicación", clase=Clase.FECHA, firma=False),
            campo("fecha_factura", "FECHA DE FACTURA", "Fecha Factura", clase=Clase.FECHA, firma=False),
            campo("paciente_documento", "Documento Víctima", "Número Documento Víctima", "Documento", firma=False),
        ),
        preparar=_preparar,
        ajustar=_ajustar,
        cerrar=_cerrar,
    ),
)
