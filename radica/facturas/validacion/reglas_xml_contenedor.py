"""Rules of the container and of DIAN's answer: what the MUV checks before it looks at the invoice.

Invariant: a rule speaks of what is certain in the file; a bare invoice that the Ministry already answered for came to
it in a container that is not here, so it is told as a warning. Norms: technical document 2 v001 (Res. 948 de 2026),
sections 11.1 to 11.3; DIAN annex 1.9 (AttachedDocument, ApplicationResponse).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from lxml import etree

from radica.facturas.fev import Clase, RespuestaDian
from radica.facturas.ubl import local_name
from radica.facturas.validacion.modelo import DocumentoXml, Hallado, Modulo, Paquete
from radica.facturas.validacion.reglas_xml_codigos import codigo
from radica.facturas.validacion.reglas_xml_vista import Vista, hallar, texto
from radica.facturas.validacion.tablas import tabla

MAX_BYTES = 16 * 1024 * 1024
_OTROS_ARCHIVOS = frozenset({".txt", ".pdf", ".html", ".htm", ".doc", ".docx", ".xls", ".xlsx", ".csv", ".rar", ".7z"})
_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_HEX96 = re.compile("[0-9a-f]{96}")
_REGLA_DIAN = re.compile("[A-Z]{2,5}[0-9]{2,3}[a-z]?")
_MAX_REGLAS = 8
_CALLS: Mapping[Clase, tuple[Modulo, ...]] = {
    Clase.NOTA_CREDITO: (Modulo.NC, Modulo.NC_TOTAL, Modulo.NC_ACUERDO, Modulo.NC_CAPITA),
    Clase.NOTA_DEBITO: (Modulo.ND,),
    Clase.FACTURA: (Modulo.FEV, Modulo.CAPITA_INICIAL, Modulo.CAPITA_PERIODO),
}


def archivo(xml: DocumentoXml) -> Iterator[Hallado]:
    """GI008 (more than 16 MB) and GI005 (another extension than XML)."""
    if xml.bytes_ > MAX_BYTES:
        yield Hallado("GI008", "", {"mb": str(-(-xml.bytes_ // (1024 * 1024)))}, linea=1)
    suffix = PurePosixPath(xml.nombre).suffix.lower()
    if suffix in _OTROS_ARCHIVOS:
        yield Hallado("GI005", "", {"extension": suffix}, linea=1)


def sin_documento(xml: DocumentoXml, pedido: Modulo | None) -> Iterator[Hallado]:
    """PFE002, PNC002, PDN002: the container carries no invoice nor note. An event of the title travels so, rightly."""
    event = xml.respuesta is not None and xml.respuesta.code not in ("02", "04", None)
    if xml.es_contenedor and xml.principal is None and not event:
        kind = next((kind for kind, calls in _CALLS.items() if pedido in calls), Clase.FACTURA)
        yield hallar(codigo(kind, "sin_documento"), xml.raiz)


def nombres(vista: Vista) -> Iterator[Hallado]:
    """FEV001, FEV002, FEV003 and twins: a root outside its UBL namespace, which no reader of UBL accepts."""
    kind, xml = vista.fev.kind, vista.xml
    for check, root in (
        ("contenedor_malo", xml.raiz if xml.es_contenedor else None),
        ("documento_malo", vista.raiz),
        ("respuesta_mala", xml.raiz_respuesta),
    ):
        if root is not None and root.tag != f"{{{_UBL}{local_name(root)}-2}}{local_name(root)}":
            yield hallar(codigo(kind, check), root, variante="espacio", nombre=local_name(root))


def clase(vista: Vista) -> Iterator[Hallado]:
    """FEV008, NCV008, NDV008: somebody asked for the check of another kind of document than this one."""
    asked = vista.pedido
    for kind, calls in _CALLS.items():
        if asked in calls and vista.fev.kind is not kind:
            yield hallar(codigo(kind, "otra_clase"), vista.raiz, documento=local_name(vista.raiz))


def contenedor(vista: Vista, aparte: RespuestaDian | None) -> Iterator[Hallado]:
    """PFE001, PFE003 and twins: without AttachedDocument, or one without DIAN's answer. Not asked of an SS-Recaudo.

    Who gives the invoice and DIAN's answer as two files took them out of a container.
    """
    if vista.es_recaudo or not vista.es_salud:
        return
    kind = vista.fev.kind
    if not vista.xml.es_contenedor:
        code, apart = codigo(kind, "sin_contenedor"), aparte is not None and aparte.validated
        way = "suelta" if _recibido(vista, code) else "partida" if apart else ""
        yield hallar(code, vista.raiz, variante=way)
    elif vista.xml.respuesta is None:
        code = codigo(kind, "sin_respuesta")
        known = _recibido(vista, code) or aparte is not None
        yield hallar(code, vista.xml.raiz, variante="suelta" if known else "")


def _recibido(vista: Vista, code: str) -> bool:
    """Say whether the Ministry answered for this document and did not miss what is missing here."""
    return vista.dichos is not None and code not in vista.dichos


def _reglas_dian(root: etree._Element | None) -> str:
    """Return the rules that DIAN's answer names line by line, as ` por FAD06, FAJ24` ("" when it names none)."""
    if root is None:
        return ""
    codes = [
        texto(one) or "" for one in root.iterfind("{*}DocumentResponse/{*}LineResponse/{*}Response/{*}ResponseCode")
    ]
    told = list(dict.fromkeys(code for code in codes if _REGLA_DIAN.fullmatch(code)))
    return f" por {', '.join(told[:_MAX_REGLAS])}" if told else ""


def respuesta(vista: Vista, paquete: Paquete) -> Iterator[Hallado]:
    """GI010 (DIAN refused it), AAR001 (its answer says nothing valid) and GI011 or twins (it answers for another one)."""
    apart = paquete.respuesta
    inner, root = vista.xml.respuesta, vista.xml.raiz_respuesta
    if inner is None and apart is not None:
        inner, root = apart.respuesta, apart.raiz_respuesta
    answer = vista.fev.response
    if answer is None or (inner is not None and answer.cude is None):
        answer = inner  # what the container says of the verification is no answer where there is one
    if answer is None:
        return
    if answer.code == "04":
        yield hallar("GI010", root, reglas=_reglas_dian(root))
    elif not answer.validated and (answer.code is None or answer.code not in tabla("ResponseCode")):
        yield hallar("AAR001", root, valor=answer.code or "vacío")
    elif not answer.validated:
        yield hallar("AAR001", root, variante="evento", valor=answer.code or "")
    said, own = answer.cufe or "", vista.fev.cufe or ""
    if said != own and _HEX96.fullmatch(said) and _HEX96.fullmatch(own):
        yield hallar(codigo(vista.fev.kind, "otro_documento"), root)
