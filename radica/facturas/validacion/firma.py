"""XAdES-EPES signatures of each signed layer, verified offline over the very bytes that were signed.

Invariant: *válida* is only said when the one signature of a layer covers the whole document that the readers read, its
key and its signed properties, with known algorithms and nothing unsigned left where a reader could look. Everything
that cannot be checked is *no comprobada*, never *válida*. Pure. Norms: W3C XML-Signature and C14N 1.0, ETSI TS 101 903
v1.3.2/1.4.1, DIAN signature policy v2 (annex 1.9, numeral 5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from radica.facturas.ubl import COLOMBIA
from radica.facturas.validacion.confianza import DE_LA_CASA, Anclas, conoce, dice_ser_dian, titular
from radica.facturas.validacion.firma_bloque import (
    DS,
    XADES,
    Bloque,
    Falla,
    Metodo,
    certificados,
    decodificar,
    hereda_xml,
    leer_bloque,
    sin_firma,
)
from radica.facturas.validacion.modelo import DocumentoXml
from radica.facturas.xmlsafe import parse_closed

_MIN_RSA_BITS = 2048
_NOT_YET = "sin_comprobar"
_T = TypeVar("_T")

_C14N: dict[str, tuple[bool, bool]] = {
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315": (False, False),
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments": (False, True),
    "http://www.w3.org/2006/12/xml-c14n11": (False, False),
    "http://www.w3.org/2006/12/xml-c14n11#WithComments": (False, True),
    "http://www.w3.org/2001/10/xml-exc-c14n#": (True, False),
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments": (True, True),
}
"""Algorithm → (exclusive, with comments). C14N 1.1 differs from 1.0 only in the xml: attributes that a part takes from
its ancestors, and those are refused (`hereda_xml`)."""

_C14N_DEFAULT = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"

_ELSEWHERE = frozenset(
    f"http://www.w3.org/{name}"
    for name in (
        "2000/09/xmldsig#rsa-sha1",
        "2000/09/xmldsig#dsa-sha1",
        "2000/09/xmldsig#hmac-sha1",
        "2001/04/xmldsig-more#rsa-sha1",
        "2001/04/xmldsig-more#ecdsa-sha1",
        "2001/04/xmldsig-more#rsa-md5",
        "2001/04/xmldsig-more#rsa-ripemd160",
        "2007/05/xmldsig-more#sha256-rsa-MGF1",
        "2007/05/xmldsig-more#sha512-rsa-MGF1",
        "2009/xmldsig11#dsa-sha256",
        "2008/07/xml-c14n2",
        "2010/xml-c14n2",
    )
)
"""Algorithms that exist and are not checked here."""

_DIGESTS = {
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
_SIGNATURES: dict[str, tuple[str, hashes.HashAlgorithm]] = {
    f"http://www.w3.org/2001/04/xmldsig-more#{kind}-{name}": (kind, value)
    for kind in ("rsa", "ecdsa")
    for name, value in (("sha256", hashes.SHA256()), ("sha384", hashes.SHA384()), ("sha512", hashes.SHA512()))
}


class Estado(StrEnum):
    """What is said of the signature of one layer."""

    VALIDA = "valida"
    ALTERADA = "alterada"
    """What is read is not what was signed: a digest or the signature value does not hold, or the block was tampered."""
    AUSENTE = "ausente"
    """There is no signature, or only the empty frame of one."""
    NO_COMPROBADA = "no_comprobada"
    """An algorithm or a transformation that is not checked here (SHA-1, XPath, a key of 1024 bits)."""


@dataclass(frozen=True)
class Firma:
    """The verdict on one layer. `motivo` is a code for people who build software; words stand in the catalogue."""

    estado: Estado
    motivo: str = ""
    firmante: str | None = field(default=None, repr=False)
    """Name in the certificate: a company, or a professional who bills."""
    fecha: datetime | None = None
    """SigningTime as it was signed; aware."""
    huella: str | None = None
    """SHA-256 of the certificate, hexadecimal."""
    conocido: bool = False
    """The certificate is on the trust list, or signed by an authority that was given."""
    de_la_dian: bool = False
    """The certificate is one of DIAN's on the trust list."""
    dice_dian: bool = False
    """The certificate names DIAN as its owner, and may not be on the list yet: DIAN renews it every two years."""
    vigente: bool | None = None
    """The certificate was in force when it was signed; None when that is not known."""
    linea: int | None = None
    """Line of the signature inside its layer, from 1."""


def firmas(xml: DocumentoXml, anclas: Anclas = DE_LA_CASA) -> dict[str, Firma]:
    """Return the verdict on each signed layer of a file by the name of its root (`AttachedDocument`, `Invoice`, …).

    Where two layers have one name, the worse verdict stands: nobody knows which of them is read.
    """
    found: dict[str, Firma] = {}
    for name, data in xml.capas:
        one = firma_de_capa(data, anclas)
        known = found.get(name)
        if known is None or _WORSE.index(one.estado) > _WORSE.index(known.estado):
            found[name] = one
    return found


_WORSE = (Estado.VALIDA, Estado.NO_COMPROBADA, Estado.AUSENTE, Estado.ALTERADA)


@lru_cache(maxsize=6)
def firma_de_capa(data: bytes, anclas: Anclas = DE_LA_CASA) -> Firma:
    """Verify the signature of one document, given its very bytes. Remembers the last few: the parts ask again."""
    try:
        root = _parsed(data)
        block = leer_bloque(root)
    except Falla as failure:
        return _refused(Firma(Estado(failure.veredicto), failure.motivo, linea=failure.linea), data)
    if block is None:
        return _refused(Firma(Estado.AUSENTE, "sin_firma"), data)
    about = _about(block, anclas)
    try:
        _verify(root, block)
    except Falla as failure:
        return _refused(replace(about, estado=Estado(failure.veredicto), motivo=failure.motivo), data)
    return replace(about, estado=Estado.VALIDA, motivo="")


def _refused(one: Firma, data: bytes) -> Firma:
    """Return the verdict on a signature that is not valid: what cannot be checked may still be seen to be altered."""
    open_to_doubt = one.estado is Estado.NO_COMPROBADA or one.motivo == "sin_firma"
    try:
        return replace(one, estado=Estado.ALTERADA, motivo="bloque") if open_to_doubt and _changed(data) else one
    except Falla:
        return one


def _changed(data: bytes) -> bool:
    """Say whether a block that cannot be checked was changed after it was signed. Raises Falla when that is not known.

    SignedInfo names every reference and algorithm, and the value covers SignedInfo: where the key of the block does
    not make the value hold, a letter is not the one that was signed. Nor is it in the name of what nobody defined.
    """
    root = _parsed(data)
    signature = next(root.iter(f"{DS}Signature"), None)
    if signature is None:  # its namespace is not the one of a signature any more
        return any((value.text or "").strip() for value in root.iter("{*}SignatureValue"))
    info, value = signature.find(f"{DS}SignedInfo"), signature.findtext(f"{DS}SignatureValue")
    if info is None or not value:
        return False
    form, kind = (
        (found.get("Algorithm", "") if (found := info.find(f"{DS}{name}")) is not None else "")
        for name in ("CanonicalizationMethod", "SignatureMethod")
    )
    if (form not in _C14N and form not in _ELSEWHERE) or (kind not in _SIGNATURES and kind not in _ELSEWHERE):
        return True
    try:
        signed, proof = _canonical(info, Metodo(form), comments=True), decodificar(value)
    except Falla:
        return form in _C14N and not hereda_xml(info)  # nobody signs what has no canonical form
    reasons = {_reason(one, kind, proof, signed) for one in certificados(signature)}
    promised = any(one.get("Type", "").endswith("#SignedProperties") for one in info.iterfind(f"{DS}Reference"))
    return reasons == {"valor"} or (promised and next(signature.iter(f"{XADES}SignedProperties"), None) is None)


def _reason(certificate: bytes, kind: str, value: bytes, signed: bytes) -> str:
    """Return why a certificate does not make the value hold, or nothing when it does."""
    try:
        _check_value(certificate, kind, value, signed)
    except Falla as failure:
        return failure.motivo
    return ""


def _parsed(data: bytes) -> etree._Element:
    """Parse a layer with its comments and instructions, which are part of what was signed. Raises Falla."""
    try:
        root = parse_closed(data.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n"))
    except (etree.XMLSyntaxError, ValueError):
        raise Falla("no_comprobada", "ilegible") from None
    docinfo: Any = root.getroottree().docinfo  # the stubs do not know its doctype
    if docinfo.doctype or docinfo.internalDTD is not None:
        raise Falla("alterada", "doctype")
    return root


def _verify(root: etree._Element, block: Bloque) -> None:
    """Hold every reference and the signature value against the document. Raises Falla with the first that fails."""
    signed_info = _canonical(block.signed_info, block.canonicalizacion, comments=True)
    parts = [(one, _part(one.parte, one.canonicalizacion)) for one in block.referencias if one.parte is not None]
    sin_firma(block.firma)
    parts += [(one, _part(root, one.canonicalizacion)) for one in block.referencias if one.parte is None]
    for reference, data in parts:
        if hashlib.new(_known(_DIGESTS, reference.resumen, "resumen"), data).digest() != reference.valor:
            raise Falla("alterada", "documento" if reference.parte is None else "propiedades")
    _check_value(_signer(block), block.algoritmo, block.valor, signed_info)


def _part(element: etree._Element, method: Metodo | None) -> bytes:
    """Canonicalise what a reference names; without a method it is C14N 1.0, and comments are never part of it."""
    return _canonical(element, method or Metodo(_C14N_DEFAULT), comments=False)


def _canonical(element: etree._Element, method: Metodo, *, comments: bool) -> bytes:
    exclusive, with_comments = _known(_C14N, method.algoritmo, "canonicalizacion")
    if not exclusive and hereda_xml(element):
        raise Falla("no_comprobada", "canonicalizacion")
    whole = element.getparent() is None
    what: etree._Element | etree._ElementTree = element.getroottree() if whole else element
    try:
        return etree.tostring(
            what,
            method="c14n",
            exclusive=exclusive,
            with_comments=with_comments and comments,
            inclusive_ns_prefixes=list(method.prefijos) or None,
        )
    except (etree.C14NError, ValueError):
        raise Falla("no_comprobada", "canonicalizacion") from None


def _known(table: Mapping[str, _T], name: str, kind: str) -> _T:
    if name not in table:
        raise Falla("no_comprobada", kind)
    return table[name]


def _signer(block: Bloque) -> bytes:
    """Return the DER of the certificate that the signed properties name. Raises Falla when none of the key is it."""
    if not block.certificados:
        raise Falla("no_comprobada", "sin_certificado")
    if block.resumen_certificado is None:
        raise Falla("no_comprobada", "sin_propiedades")
    method, value = block.resumen_certificado
    name = _known(_DIGESTS, method, "resumen")
    found = next((one for one in block.certificados if hashlib.new(name, one).digest() == value), None)
    if found is None:
        raise Falla("alterada", "certificado_cambiado")
    return found


def _check_value(certificate: bytes, algorithm: str, value: bytes, signed: bytes) -> None:
    """Verify the signature value with the key of the certificate. Raises Falla."""
    kind, digest = _known(_SIGNATURES, algorithm, "algoritmo")
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        if kind == "rsa" and isinstance(key, rsa.RSAPublicKey):
            if key.key_size < _MIN_RSA_BITS:
                raise Falla("no_comprobada", "clave_corta")
            key.verify(value, signed, padding.PKCS1v15(), digest)
        elif kind == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            half = len(value) // 2
            numbers = int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
            key.verify(encode_dss_signature(*numbers), signed, ec.ECDSA(digest))
        else:
            raise Falla("no_comprobada", "algoritmo")
    except InvalidSignature:
        raise Falla("alterada", "valor") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Falla("no_comprobada", "certificado_ilegible") from None


def _about(block: Bloque, anclas: Anclas) -> Firma:
    """Tell who says to have signed, and when; nothing of it is proved before the signature is."""
    when = _instant(block.fecha)
    blank = Firma(Estado.NO_COMPROBADA, _NOT_YET, fecha=when, linea=block.linea)
    try:
        der = _signer(block)
        certificate = x509.load_der_x509_certificate(der)
        known, dian = conoce(anclas, certificate)
        within = certificate.not_valid_before_utc <= when <= certificate.not_valid_after_utc if when else None
        name, says = titular(certificate), dice_ser_dian(certificate)
    except (Falla, ValueError, UnsupportedAlgorithm):
        return blank
    mark = hashlib.sha256(der).hexdigest()
    return replace(blank, firmante=name, huella=mark, conocido=known, de_la_dian=dian, dice_dian=says, vigente=within)


def _instant(text: str | None) -> datetime | None:
    """Read SigningTime; without a zone it is Colombian."""
    try:
        at = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=COLOMBIA)
