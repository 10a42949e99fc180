"""Reads the one signature block of a document, and refuses every shape in which a part could stand unsigned.

Invariant: what comes out is one ds:Signature in the place DIAN gives it, whose references are the whole document and
elements of the block itself, each found by an Id that occurs once; whatever else stands in the block is one of the
unsigned properties of XAdES, so that no reader finds invoice data there. Pure. Norms: W3C XML-Signature, ETSI TS 101 903.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from radica.facturas.ubl import line_of

DS = "{http://www.w3.org/2000/09/xmldsig#}"
XADES = "{http://uri.etsi.org/01903/v1.3.2#}"
XADES_141 = "{http://uri.etsi.org/01903/v1.4.1#}"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_INCLUSIVE = "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces"

_PLACE = ("ExtensionContent", "UBLExtension", "UBLExtensions")
_IDS = etree.XPath("//@*[translate(local-name(), 'ID', 'id') = 'id']")
_MAX_REFERENCES = 12

_UNSIGNED = frozenset(
    [
        "Signature",
        "SignatureValue",
        "Object",
        "KeyInfo",
        "KeyValue",
        "RSAKeyValue",
        "Modulus",
        "Exponent",
        "X509Data",
        "X509Certificate",
        "X509IssuerSerial",
        "X509IssuerName",
        "X509SerialNumber",
        "X509SubjectName",
        "X509SKI",
        "QualifyingProperties",
        "UnsignedProperties",
        "UnsignedSignatureProperties",
        "SignatureTimeStamp",
        "SigAndRefsTimeStamp",
        "RefsOnlyTimeStamp",
        "ArchiveTimeStamp",
        "EncapsulatedTimeStamp",
        "CertificateValues",
        "EncapsulatedX509Certificate",
        "RevocationValues",
        "OCSPValues",
        "EncapsulatedOCSPValue",
        "CRLValues",
        "EncapsulatedCRLValue",
        "CompleteCertificateRefs",
        "CompleteRevocationRefs",
        "CertRefs",
        "Cert",
        "CertDigest",
        "DigestMethod",
        "DigestValue",
        "IssuerSerial",
        "CRLRefs",
        "CRLRef",
        "CRLIdentifier",
        "DigestAlgAndValue",
        "OCSPRefs",
        "OCSPRef",
        "OCSPIdentifier",
        "ResponderID",
        "ByName",
        "ByKey",
        "ProducedAt",
        "Issuer",
        "IssueTime",
        "Number",
        "CanonicalizationMethod",
        "TimeStampValidationData",
    ]
)
"""Local names that may stand unsigned in the block: none of them is read by whoever reads an invoice."""


class Falla(Exception):
    """Why a signature is not valid: the verdict (`alterada`, `ausente`, `no_comprobada`), a code and a line."""

    def __init__(self, veredicto: str, motivo: str, linea: int | None = None) -> None:
        super().__init__(motivo)
        self.veredicto = veredicto
        self.motivo = motivo
        self.linea = linea


@dataclass(frozen=True)
class Metodo:
    """A canonicalisation: its algorithm and the prefixes that an exclusive one keeps."""

    algoritmo: str
    prefijos: tuple[str, ...] = ()


@dataclass(frozen=True)
class Referencia:
    """One ds:Reference: `parte` is the element it names, None for the whole document."""

    parte: etree._Element | None
    canonicalizacion: Metodo | None
    resumen: str
    valor: bytes


@dataclass(frozen=True)
class Bloque:
    """One signature block, taken apart; nothing in it is verified yet."""

    firma: etree._Element
    signed_info: etree._Element
    canonicalizacion: Metodo
    algoritmo: str
    valor: bytes
    referencias: tuple[Referencia, ...]
    certificados: tuple[bytes, ...]
    """DER of the certificates in KeyInfo, in their order."""
    resumen_certificado: tuple[str, bytes] | None
    """Digest method and value that the signed properties give for the signing certificate."""
    fecha: str | None
    linea: int | None


def leer_bloque(root: etree._Element) -> Bloque | None:
    """Take the signature of a document apart; None when there is none. Raises Falla when it cannot be trusted."""
    signatures = list(root.iter(f"{DS}Signature"))
    if not signatures:
        return None
    signature = signatures[0]
    line = line_of(signature)
    if not _elements(signature):
        raise Falla("ausente", "incompleta", line)
    if len(signatures) > 1:
        raise Falla("no_comprobada", "varias_firmas", line_of(signatures[1]))
    _check_place(root, signature)
    _check_comments(root)
    signed_info, value = _one(signature, "SignedInfo"), _one(signature, "SignatureValue")
    properties = _properties(signature)
    named = _named(root, signature)
    references = tuple(_reference(item, named) for item in _references(signed_info))
    _check_cover(references, properties)
    _check_unsigned(signature, {signed_info, *(one.parte for one in references if one.parte is not None)})
    return Bloque(
        firma=signature,
        signed_info=signed_info,
        canonicalizacion=_method(_one(signed_info, "CanonicalizationMethod")),
        algoritmo=_one(signed_info, "SignatureMethod").get("Algorithm", ""),
        valor=decodificar(value.text),
        referencias=references,
        certificados=certificados(signature),
        resumen_certificado=_certificate_digest(properties),
        fecha=properties.findtext(f"{XADES}SignedSignatureProperties/{XADES}SigningTime"),
        linea=line,
    )


def sin_firma(signature: etree._Element) -> None:
    """Take the signature out of its document, as the enveloped transform does; what follows it stays."""
    parent = signature.getparent()
    if parent is None:
        raise Falla("no_comprobada", "lugar")
    before, tail = signature.getprevious(), signature.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    signature.tail = None
    parent.remove(signature)


def hereda_xml(element: etree._Element) -> bool:
    """Say whether an ancestor carries xml:lang, xml:space…, which C14N 1.0 would move to the element."""
    return any(str(name).startswith(_XML) for above in element.iterancestors() for name in above.attrib)


def _check_place(root: etree._Element, signature: etree._Element) -> None:
    names = [str(above.tag).rpartition("}")[2] for above in signature.iterancestors()]
    if names[:-1] != list(_PLACE) or signature.getroottree().getroot() is not root:
        raise Falla("no_comprobada", "lugar", line_of(signature))


def _check_comments(root: etree._Element) -> None:
    """Refuse a comment inside a text: no signature covers it and it hides the rest of the text from readers."""
    for comment in root.iter(etree.Comment):
        parent = comment.getparent()
        if parent is None:
            continue
        texts = [parent.text, *(child.tail for child in parent)]
        if any(text and text.strip() for text in texts):
            raise Falla("no_comprobada", "comentario", line_of(comment))


def _elements(parent: etree._Element) -> list[etree._Element]:
    """Return the children that are elements: no comments, no instructions."""
    return list(parent.iterchildren("{*}*"))


def _one(parent: etree._Element, name: str) -> etree._Element:
    found = parent.findall(f"{DS}{name}")
    if len(found) != 1:
        raise Falla("alterada", "bloque", line_of(parent))
    return found[0]


def _properties(signature: etree._Element) -> etree._Element:
    """Return the one SignedProperties of the block, in its place."""
    found = list(signature.iter(f"{XADES}SignedProperties"))
    placed = signature.findall(f"{DS}Object/{XADES}QualifyingProperties/{XADES}SignedProperties")
    if not found:
        raise Falla("no_comprobada", "sin_propiedades", line_of(signature))
    if len(found) != 1 or placed != found:
        raise Falla("alterada", "propiedades_movidas", line_of(found[0]))
    return found[0]


def _named(root: etree._Element, signature: etree._Element) -> dict[str, etree._Element | None]:
    """Return the elements by Id over the whole document; None for an Id that occurs twice or outside the block."""
    named: dict[str, etree._Element | None] = {}
    inside = set(signature.iter())
    smart: list[Any] = list(_IDS(root))  # type: ignore[arg-type]  # texts that know their element
    for value in smart:
        owner = value.getparent()
        name = str(value)
        usable = name not in named and value.attrname == "Id" and owner in inside
        named[name] = owner if usable else None
    return named


def _references(signed_info: etree._Element) -> list[etree._Element]:
    found = signed_info.findall(f"{DS}Reference")
    if len(found) > _MAX_REFERENCES:
        raise Falla("no_comprobada", "referencias", line_of(signed_info))
    return found


def _reference(item: etree._Element, named: dict[str, etree._Element | None]) -> Referencia:
    uri = item.get("URI")
    if uri is None or (uri and not uri.startswith("#")):
        raise Falla("no_comprobada", "referencia_externa", line_of(item))
    part = None
    if uri:
        if uri[1:] not in named:
            raise Falla("no_comprobada" if "(" in uri else "alterada", "referencia", line_of(item))
        part = named[uri[1:]]
        if part is None:
            raise Falla("alterada", "id_repetido", line_of(item))
    return Referencia(
        part,
        _transforms(item, whole=part is None),
        _one(item, "DigestMethod").get("Algorithm", ""),
        decodificar(_one(item, "DigestValue").text),
    )


_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"


def _transforms(item: etree._Element, *, whole: bool) -> Metodo | None:
    """Return the canonicalisation of a reference; anything but enveloped and one canonicalisation is refused."""
    methods = [_method(one) for one in item.iterfind(f"{DS}Transforms/{DS}Transform")]
    if whole:
        if not methods or methods[0].algoritmo != _ENVELOPED:
            raise Falla("no_comprobada", "transformacion", line_of(item))
        methods = methods[1:]
    if len(methods) > 1:
        raise Falla("no_comprobada", "transformacion", line_of(item))
    return methods[0] if methods else None


def _method(element: etree._Element) -> Metodo:
    """Read an algorithm; only an exclusive canonicalisation may have a parameter."""
    children = _elements(element)
    if any(child.tag != _INCLUSIVE for child in children):
        raise Falla("no_comprobada", "transformacion", line_of(element))
    prefixes = tuple(word for child in children for word in (child.get("PrefixList") or "").split())
    return Metodo(element.get("Algorithm", ""), prefixes)


def _check_cover(references: tuple[Referencia, ...], properties: etree._Element) -> None:
    """Demand one reference to the whole document and one to the signed properties."""
    parts = [one.parte for one in references]
    if parts.count(None) != 1:
        raise Falla("alterada", "no_cubre")
    if properties not in parts:
        raise Falla("alterada", "propiedades_sin_firmar", line_of(properties))


def _check_unsigned(signature: etree._Element, signed: set[etree._Element]) -> None:
    """Refuse anything in the block that no reference covers and that is not a known unsigned property."""
    for element in _unsigned(signature, signed):
        namespace, _, name = str(element.tag).rpartition("}")
        if namespace + "}" not in (DS, XADES, XADES_141) or name not in _UNSIGNED:
            raise Falla("alterada", "contenido_sin_firmar", line_of(element))


def _unsigned(element: etree._Element, signed: set[etree._Element]) -> Iterator[etree._Element]:
    yield element
    for child in _elements(element):
        if child not in signed:
            yield from _unsigned(child, signed)


def _certificate_digest(properties: etree._Element) -> tuple[str, bytes] | None:
    """Return the digest of the signing certificate: the first Cert of SigningCertificate, or of its version 2."""
    for name in ("SigningCertificate", "SigningCertificateV2"):
        digest = properties.find(f"{XADES}SignedSignatureProperties/{XADES}{name}/{XADES}Cert/{XADES}CertDigest")
        if digest is not None:
            return _one(digest, "DigestMethod").get("Algorithm", ""), decodificar(_one(digest, "DigestValue").text)
    return None


def certificados(signature: etree._Element) -> tuple[bytes, ...]:
    """Return the DER of the certificates of a block, in their order. Raises Falla when one is no Base64."""
    found = signature.iterfind(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate")
    return tuple(decodificar(one.text) for one in found)


def decodificar(text: str | None) -> bytes:
    """Decode Base64 with blanks. Raises Falla when it is none."""
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise Falla("alterada", "base64") from None
