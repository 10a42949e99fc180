"""The only way into an XML that came from outside.

Invariant: no entity is expanded, no network or file is read, and a document with a DOCTYPE is refused after parsing
(looking for the bytes `<!DOCTYPE` misses UTF-16). Messages say where the file breaks, never what it says: it holds
health data.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from lxml import etree

from radica.kernel.errors import BadInput

MAX_XML_BYTES = 32 * 1024 * 1024
"""MinSalud refuses an XML beyond 16 MB (rule GI008); twice that is certainly no invoice."""

_DECLARATION = re.compile(r"<\?xml[^>]*\?>")
_LONG_TEXT = 9_000_000
"""Bytes from which one text may pass the ten million characters that libxml2 reads: a CDATA with thousands of lines."""
_OPEN_BYTES = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml\b(?:[^>]*?encoding\s*=\s*[\"'](?:utf-8|us-ascii|iso-8859-1|windows-1252)[\"'])?"
    rb"(?:(?!encoding)[^>])*\?>\s*)?<[A-Za-z_:!]",
    re.IGNORECASE,
)
"""Beginning of a document in an encoding where no declaration of an entity can hide from a search for its bytes."""
_DEEPEST = 250
_EXTRA_CONTENT = 5
_UNFINISHED = {4, 5, 62, 63, 65, 73, 74, 75, 76, 77}
_ENCODING = {9, 31, 32, 81, 6003}
_TOO_MUCH = {1, 110, 115, 116, 117}


class Unreadable(BadInput):
    """The file cannot be read as what it looks like; `message` is a true reason in Spanish without its content."""


def parse_xml(data: bytes, *, lines_before: int = 0) -> etree._Element:
    """Parse bytes and return the root element.

    `lines_before` are added to every line number: those that stand before an inner document in its file.
    Raises Unreadable when the bytes are not well-formed XML, are too many, or declare a DOCTYPE.
    """
    if len(data) > MAX_XML_BYTES:
        raise Unreadable(
            f"El XML pesa {len(data) // (1024 * 1024)} MB y el máximo que admite MinSalud es 16 MB.",
            todo="Pida al proveedor tecnológico el XML sin imágenes ni adjuntos incrustados.",
            code="xml_grande",
        )
    whole = _without_margin(data)
    try:
        root = parse_closed(whole, lines_before=lines_before, remove_pis=True)
    except etree.XMLSyntaxError as exc:
        raise _explained(exc) from None
    except ValueError:
        raise Unreadable("El archivo no es XML legible.", todo=_AGAIN, code="xml_danado") from None
    docinfo: Any = root.getroottree().docinfo  # the stubs know neither doctype nor externalDTD
    if docinfo.doctype or docinfo.internalDTD is not None or docinfo.externalDTD is not None:
        raise Unreadable(
            "El XML declara un DOCTYPE, que ninguna factura lleva y que se usa para ataques.",
            todo="No lo abra con otros programas; pida el XML original al proveedor tecnológico.",
            code="xml_doctype",
        )
    return root


def parse_closed(data: bytes, *, lines_before: int = 0, remove_pis: bool = False) -> etree._Element:
    """Parse bytes without expanding an entity, reading a file or asking a network; the caller refuses a DOCTYPE.

    The limits of libxml2 hold, but for the length of one text in a large document that declares no entity: there a CDATA
    carries an invoice of thousands of lines. Raises etree.XMLSyntaxError and ValueError.
    """
    whole = b"\n" * lines_before + data
    try:
        return etree.fromstring(whole, _parser(huge=False, remove_pis=remove_pis))
    except etree.XMLSyntaxError:
        plain = len(data) > _LONG_TEXT and _OPEN_BYTES.match(data) is not None
        if not plain or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise
    root = etree.fromstring(whole, _parser(huge=True, remove_pis=remove_pis))
    if _too_deep(root):
        raise ValueError("too many levels")
    return root


def _parser(*, huge: bool, remove_pis: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=huge, remove_pis=remove_pis, recover=False
    )


def _too_deep(root: etree._Element) -> bool:
    """Say whether elements nest deeper than libxml2 allows by itself."""
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > _DEEPEST:
            return True
    return False


def parse_embedded(text: str, *, line: int = 1) -> etree._Element:
    """Parse an XML that travels as text inside another one (CDATA of an AttachedDocument).

    The declared encoding is void there, since the text is already decoded. `line` is where the text begins in the
    file, so that each element knows its line of the file. Raises Unreadable as `parse_xml`.
    """
    inner = embedded_bytes(text)
    margin = text[: text.find("<", len(_before(text)))]
    return parse_xml(inner, lines_before=line - 1 + margin.count("\n"))


def embedded_bytes(text: str) -> bytes:
    """Return the bytes of an XML that travels as text: UTF-8, without its declaration and outer blanks."""
    return text[len(_before(text)) :].strip().encode("utf-8", "surrogatepass")


def _before(text: str) -> str:
    """Return the byte-order mark, blanks and declaration with which an XML in text begins."""
    blanks = len(text) - len(text.lstrip("\ufeff \t\r\n"))
    found = _DECLARATION.match(text, blanks)
    return text[: found.end() if found else blanks]


def decode_base64(text: str) -> bytes:
    """Return the bytes of a Base64 text, blanks allowed. Raises Unreadable when it is none."""
    try:
        return base64.b64decode(re.sub(r"\s+", "", text), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable(
            "El XML incrustado no está bien codificado en Base64.", todo=_AGAIN, code="base64_danado"
        ) from None


_AGAIN = "Vuelva a descargarlo del sistema que lo generó y cárguelo de nuevo."


def _without_margin(data: bytes) -> bytes:
    """Drop blanks before the declaration, which real exporters leave and XML forbids."""
    mark = b"\xef\xbb\xbf"
    rest = data.removeprefix(mark)
    return rest.lstrip(b" \t\r\n") if rest[:1] in b" \t\r\n" and rest else data


def _explained(exc: etree.XMLSyntaxError) -> Unreadable:
    """Say in Spanish why the parser stopped, by its code and line only."""
    line = exc.lineno or 0
    code = int(getattr(exc, "code", 0) or 0)  # libxml2's number; the stubs do not know it
    where = f" (línea {line})" if line else ""
    if code == _EXTRA_CONTENT and "Extra content" in (exc.msg or ""):
        return Unreadable(
            f"El archivo trae contenido después de terminar el XML{where}: parecen dos documentos pegados.",
            todo="Separe cada factura en su propio archivo.",
            code="xml_varios",
        )
    if "too big" in (exc.msg or "") or "too long" in (exc.msg or ""):
        code = 110
    if code in _UNFINISHED:
        return Unreadable(f"El XML está incompleto o cortado{where}.", todo=_AGAIN, code="xml_cortado")
    if code in _ENCODING:
        return Unreadable(
            f"El XML no está escrito en la codificación que declara{where}.",
            todo="Pida el XML original: alguien lo abrió y guardó con otro programa.",
            code="xml_codificacion",
        )
    if code in _TOO_MUCH:
        return Unreadable(
            f"El XML anida demasiado o trae un texto desmedido{where}.",
            todo="Pida el XML original al proveedor tecnológico.",
            code="xml_desmedido",
        )
    return Unreadable(f"El XML está mal formado{where}.", todo=_AGAIN, code="xml_danado")
