"""The part of the checker that judges the XML of invoices and notes: every rule of it, over one view of the document.

Invariant: each rule runs once and finds its elements through the same view; without a sale document only what is said
of the container is told. Norms: those of each module `reglas_xml_*`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from radica.facturas.validacion import (
    reglas_xml_aritmetica as aritmetica,
)
from radica.facturas.validacion import (
    reglas_xml_contenedor as contenedor,
)
from radica.facturas.validacion import (
    reglas_xml_datos as datos,
)
from radica.facturas.validacion import (
    reglas_xml_numeracion as numeracion,
)
from radica.facturas.validacion import (
    reglas_xml_presencia as presencia,
)
from radica.facturas.validacion import (
    reglas_xml_salud as salud,
)
from radica.facturas.validacion.modelo import Contexto, Hallado, Paquete
from radica.facturas.validacion.reglas_xml_vista import Vista, mirar

Regla = Callable[[Vista], Iterable[Hallado]]

REGLAS: tuple[Regla, ...] = (
    contenedor.nombres,
    contenedor.clase,
    presencia.cabecera,
    presencia.partes,
    presencia.periodo,
    presencia.pagos,
    presencia.cargos,
    presencia.tributos,
    presencia.forma,
    datos.tipo,
    datos.operacion,
    datos.numero,
    datos.emisor,
    datos.periodo,
    datos.referencia,
    datos.motivo,
    datos.cucon,
    datos.sin_registro,
    salud.extension,
    salud.grupos,
    salud.prestador,
    salud.de_tabla,
    salud.contrato,
    salud.cobertura_y_modalidad,
    salud.varios_usuarios,
    salud.texto_de_tabla,
    aritmetica.sumas,
    aritmetica.impuestos,
    aritmetica.lineas,
    aritmetica.valores,
    aritmetica.moneda,
    numeracion.resolucion,
    numeracion.digitos,
    numeracion.recaudos,
)
"""The rules that need the document alone."""


def parte(paquete: Paquete, contexto: Contexto) -> Iterator[Hallado]:
    """Yield what every rule of the XML finds in a package."""
    xml = paquete.xml
    if xml is None:
        if paquete.respuesta is not None:  # a container that came without its invoice is read as DIAN's answer
            yield from contenedor.sin_documento(paquete.respuesta, paquete.modulo)
        return
    if xml.es_contenedor or xml.fev is not None:
        yield from contenedor.archivo(xml)
    yield from contenedor.sin_documento(xml, paquete.modulo)
    view = mirar(paquete, contexto)
    if view is None:
        return
    for rule in REGLAS:
        yield from rule(view)
    apart = paquete.respuesta.respuesta if paquete.respuesta is not None else None
    yield from contenedor.contenedor(view, apart)
    yield from contenedor.respuesta(view, paquete)
    yield from datos.capita_inicial(view, paquete)
    yield from datos.numero_en_rips(view, paquete)
    yield from salud.conceptos(view, paquete)
    yield from numeracion.fechas(view, contexto)
