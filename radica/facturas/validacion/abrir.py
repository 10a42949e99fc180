"""Opens one XML of DIAN for the checker: its parsed roots, its values and the very bytes of each signed layer.

Invariant: the bytes of an inner layer are those of its CDATA, never a re-serialisation, because a signature is over
them. Norm: DIAN annex 1.9 (AttachedDocument carries the Invoice and the ApplicationResponse as text).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from radica.facturas.ubl import ROOTS, line_of, local_name, open_container, read_attached, read_fev, read_response
from radica.facturas.validacion.modelo import DocumentoXml
from radica.facturas.xmlsafe import Unreadable, decode_base64, embedded_bytes, parse_embedded, parse_xml


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
    inner, answer_root = _inner(root)
    layers = ((name, data), *inner)
    answer = container.responses[0] if container.responses else None
    if not container.documents:
        return DocumentoXml(nombre, root, None, None, answer, layers, len(data), answer_root)
    fev = read_attached(root, container)
    return DocumentoXml(nombre, root, container.documents[0], fev, answer, layers, len(data), answer_root)


_FIRST = re.compile(rb"<(?:[^\s<>/:!?]+:)?([^\s<>/:!?]+)[\s/>]")


def _inner(root: etree._Element) -> tuple[tuple[tuple[str, bytes], ...], etree._Element | None]:
    """Return the layers inside a container, and the root of DIAN's answer with its lines of the file."""
    found: list[tuple[str, bytes]] = []
    answer = None
    for external in root.iter("{*}ExternalReference", "{*}Attachment"):
        for data, text, line in _carried(external):
            first = _FIRST.match(data)
            name = first[1].decode("utf-8", "replace") if first else local_name(parse_xml(data))
            found.append((name, data))
            if name == "ApplicationResponse" and answer is None:
                answer = parse_embedded(text, line=line) if text else parse_xml(data)
    return tuple(found), answer


def _carried(external: etree._Element) -> Iterator[tuple[bytes, str, int]]:
    """Yield the bytes of each document that `open_container` reads in an element, its text and where that begins."""
    holder = external.find("{*}Description")
    text = holder.text if holder is not None else None
    if holder is not None and text and text.lstrip("\ufeff \t\r\n").startswith("<"):
        yield embedded_bytes(text), text, line_of(holder)
    binary = external.find("{*}EmbeddedDocumentBinaryObject")
    if binary is not None and binary.text and "xml" in (binary.get("mimeCode") or "").lower():
        yield decode_base64(binary.text), "", 1
