"""Part of the checker: what the signatures of a package say, and what they prove of DIAN's validation.

Invariant: every finding here is an `aviso`, outside the Ministry's verdict. That DIAN validated an invoice is proved
offline only by an answer whose signature holds, whose certificate is known as DIAN's and which names this very CUFE.
Pure. Norms: DIAN annex 1.9 (numeral 5 signature, ApplicationResponse); Ley 527 de 1999 arts. 7 y 8.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from radica.facturas.ubl import line_of
from radica.facturas.validacion.confianza import DE_LA_CASA, Anclas
from radica.facturas.validacion.firma import Estado, Firma, firma_de_capa
from radica.facturas.validacion.firma_bloque import DS
from radica.facturas.validacion.modelo import Contexto, DocumentoXml, Fuente, Hallado, Paquete

_CAPAS = {
    "AttachedDocument": "el contenedor (AttachedDocument)",
    "Invoice": "la factura (Invoice)",
    "CreditNote": "la nota crédito (CreditNote)",
    "DebitNote": "la nota débito (DebitNote)",
    "ApplicationResponse": "la respuesta de la DIAN (ApplicationResponse)",
}
_DIAN_CODES = ("02", "04")
_NOT_COVERED = frozenset(
    ["no_cubre", "id_repetido", "contenido_sin_firmar", "propiedades_movidas", "propiedades_sin_firmar", "bloque"]
)
_WHY = {
    "resumen": "usa un algoritmo de resumen que ya no se acepta (por ejemplo SHA-1)",
    "algoritmo": "usa un algoritmo de firma que la DIAN no admite",
    "canonicalizacion": "usa una canonicalización que aquí no se comprueba",
    "transformacion": "transforma el documento antes de firmarlo (XPath, XSLT o varias pasadas)",
    "varias_firmas": "trae más de una firma",
    "comentario": "trae comentarios en medio de los datos, que ninguna firma ampara",
    "clave_corta": "fue hecha con una clave de menos de 2048 bits",
    "lugar": "no está donde la DIAN la manda poner",
    "referencia_externa": "ampara algo que está fuera del documento",
    "sin_certificado": "no trae el certificado de quien firmó",
    "certificado_ilegible": "trae un certificado que no se deja leer",
    "sin_propiedades": "no trae las propiedades firmadas (fecha y certificado) que pide la DIAN",
}
_OTHERWISE = "está hecha de una forma que aquí no se comprueba"


def firma(paquete: Paquete, contexto: Contexto) -> Iterator[Hallado]:
    """Tell each layer whose signature is altered, missing, not verifiable, out of its term or of an unknown DIAN."""
    seen: set[bytes] = set()
    for xml in (paquete.xml, paquete.respuesta):
        for name, data in xml.capas if xml is not None else ():
            if xml is not None and data not in seen:
                seen.add(data)
                found = _capa(xml, name, firma_de_capa(data, contexto.catalogos.anclas))
                # DIAN's answer inside the container is a layer of it; a loose one is a document of its own.
                yield from (replace(one, fuente=Fuente.RESPUESTA) if xml is paquete.respuesta else one for one in found)


def validada_por_dian(xml: DocumentoXml, cufe: str | None, anclas: Anclas = DE_LA_CASA) -> bool:
    """Say whether the file holds DIAN's signed proof that it validated the document with this CUFE."""
    answer = xml.respuesta
    if answer is None or not answer.validated or cufe is None or answer.cufe != cufe.lower():
        return False
    layers = [firma_de_capa(data, anclas) for name, data in xml.capas if name == "ApplicationResponse"]
    return len(layers) == 1 and layers[0].estado is Estado.VALIDA and layers[0].de_la_dian


def _capa(xml: DocumentoXml, name: str, one: Firma) -> Iterator[Hallado]:
    event = name == "ApplicationResponse" and (xml.respuesta is None or xml.respuesta.code not in _DIAN_CODES)
    said = "el evento (ApplicationResponse)" if event else _CAPAS.get(name, name)
    of = "d" + said if said.startswith("el ") else "de " + said
    values = {"capa": said, "de_capa": of, "motivo": _WHY.get(one.motivo, _OTHERWISE)}
    if one.estado is Estado.ALTERADA:
        variant = "amparo" if one.motivo in _NOT_COVERED else ""
        yield _hallado(xml, name, "FIRMA-ALTERADA", values, variant)
    elif one.estado is Estado.AUSENTE:
        variant = "incompleta" if one.motivo == "incompleta" else "contenedor" if name == "AttachedDocument" else ""
        yield _hallado(xml, name, "FIRMA-AUSENTE", values, variant)
    elif one.estado is Estado.NO_COMPROBADA:
        yield _hallado(xml, name, "FIRMA-NO-COMPROBADA", values)
    if one.vigente is False:
        yield _hallado(xml, name, "FIRMA-VIGENCIA", values)
    if one.estado is Estado.VALIDA and name == "ApplicationResponse" and not event and not one.de_la_dian:
        way = "por_confirmar" if one.dice_dian else ""
        yield _hallado(xml, name, "FIRMA-DESCONOCIDA", {**values, "huella": (one.huella or "")[:16]}, way)


def _hallado(xml: DocumentoXml, name: str, codigo: str, values: dict[str, str], variant: str = "") -> Hallado:
    root = _root(xml, name)
    signature = next(root.iter(f"{DS}Signature"), None) if root is not None else None
    place = signature if signature is not None else root
    return Hallado(
        codigo,
        f"{name}/UBLExtensions/UBLExtension/ExtensionContent/Signature",
        values,
        variant,
        line_of(place) if place is not None else None,
    )


def _root(xml: DocumentoXml, name: str) -> etree._Element | None:
    """Return the root of a layer whose lines are those of the file."""
    if name == "ApplicationResponse":
        return xml.raiz_respuesta
    return xml.raiz if name == "AttachedDocument" else xml.principal
