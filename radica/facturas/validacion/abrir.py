"""Opens one XML of DIAN for the checker: its parsed roots, its values and the very bytes of each signed layer.

Invariant: the bytes of an inner layer are those of its CDATA, never a re-serialisation, because a signature is over
them. Norm: DIAN annex 1.9 (AttachedDocument carries the Invoice and the ApplicationResponse as text).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from radica.facturas.ubl import ROOTS, local_name, open_container, read_attached, read_fev, read_response
from radica.facturas.validacion.modelo import DocumentoXml
from radica.facturas.xmlsafe import Unreadable, decode_base64, embedded_bytes, parse_xml


def abrir_xml(nombre: str, data: bytes) -> DocumentoXml:
    """Open the bytes of an XML file. Raises Unreadable when it is not well-formed, or holds several invoices."""
    root = parse_xml(data)
    name = local_name(root)
    if name in ROOTS:
        return DocumentoXml(nombre, root, root, read_fev(root), None, ((name, data),), len(data))
    if name == "ApplicationResponse":
        answer_only = read_response(root)
        return DocumentoXml(nombre, root, None, None, answer_only, ((name, data),), len(data), root)
    if name != "AttachedDocument":
        raise Unreadable("Es un XML, pero no es factura, nota ni respuesta de la DIAN.", code="xml_otro", todo="")
    container = open_container(root)
    if len(container.documents) > 1:
        raise Unreadable("El contenedor trae varias facturas.", code="varios", todo="Separe cada una en su archivo.")
    layers = ((name, data), *_inner(root))
    answer = container.responses[0] if container.responses else None
    answer_root = container.response_roots[0] if container.response_roots else None
    if not container.documents:
        return DocumentoXml(nombre, root, None, None, answer, layers, len(data), answer_root)
    fev = read_attached(root, container)
    return DocumentoXml(nombre, root, container.documents[0], fev, answer, layers, len(data), answer_root)


_FIRST = re.compile(rb"<(?:[^\s<>/:!?]+:)?([^\s<>/:!?]+)[\s/>]")


def _inner(root: etree._Element) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of the layers inside a container."""
    for external in root.iter("{*}ExternalReference", "{*}Attachment"):
        for data in _carried(external):
            first = _FIRST.match(data)
            yield first[1].decode("utf-8", "replace") if first else local_name(parse_xml(data)), data


def _carried(external: etree._Element) -> Iterator[bytes]:
    """Yield the bytes of each document that `open_container` reads in an element."""
    text = external.findtext("{*}Description")
    if text and text.lstrip("\ufeff \t\r\n").startswith("<"):
        yield embedded_bytes(text)
    binary = external.find("{*}EmbeddedDocumentBinaryObject")
    if binary is not None and binary.text and "xml" in (binary.get("mimeCode") or "").lower():
        yield decode_base64(binary.text)
