"""Signs a small invoice as issuers do (XAdES-EPES), so that tests can make every false signature there is.

Written apart from the verifier: it computes each digest over text that it canonicalises itself with lxml.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID
from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = f"{DS}enveloped-signature"
DIGESTS = {
    "sha1": (f"{DS}sha1", hashes.SHA1()),
    "sha256": ("http://www.w3.org/2001/04/xmlenc#sha256", hashes.SHA256()),
    "sha384": ("http://www.w3.org/2001/04/xmldsig-more#sha384", hashes.SHA384()),
    "sha512": ("http://www.w3.org/2001/04/xmlenc#sha512", hashes.SHA512()),
}
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

INVOICE = """<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:cac="urn:cac" xmlns:cbc="urn:cbc"
 xmlns:ext="urn:ext" xmlns:sts="urn:sin-uso"><ext:UBLExtensions><ext:UBLExtension><ext:ExtensionContent>antes
 {firma}
 después</ext:ExtensionContent></ext:UBLExtension></ext:UBLExtensions><cbc:ID>FE1</cbc:ID>
 <cbc:Note>Ñandú &amp; compañía</cbc:Note><cbc:PayableAmount currencyID="COP">100.00</cbc:PayableAmount></Invoice>"""


@dataclass(frozen=True)
class Modo:
    """How to sign. `dentro` and `fuera` are XML put into the block: among the signed properties, and unsigned."""

    canon: str = INCLUSIVE
    resumen: str = "sha256"
    transformaciones: tuple[str, ...] = (ENVELOPED,)
    sin_documento: bool = False
    sin_propiedades: bool = False
    fuera: str = ""
    fecha: str = "2026-01-15T10:00:00-05:00"
    huella_ajena: bool = False


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return a key of this run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    """Return an elliptic key of this run."""
    return ec.generate_private_key(ec.SECP256R1())


def certificate(
    key: Key, *, nit: str = "900123456", issuer: x509.Certificate | None = None, by: Key | None = None, ca: bool = False
) -> x509.Certificate:
    """Return a certificate in force during 2026; self-signed without an issuer."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "Emisor de Prueba SAS"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, nit),
        ]
    )
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    return builder.sign(by or key, hashes.SHA256())


def sign(
    mode: Modo | None = None, *, key: Key | None = None, cert: x509.Certificate | None = None, text: str = INVOICE
) -> bytes:
    """Return the signed invoice. `text` holds `{firma}` where the block goes."""
    mode, key = mode or Modo(), key or rsa_key()
    der = (cert or certificate(key)).public_bytes(serialization.Encoding.DER)
    algorithm, digest = DIGESTS[mode.resumen]
    stamp = b"otro" if mode.huella_ajena else der
    frame = f"""<ds:Signature xmlns:ds="{DS}" Id="firma"><ds:SignedInfo/><ds:SignatureValue/><ds:KeyInfo Id="llave"><ds:X509Data><ds:X509Certificate>{_b64(der)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo><ds:Object><xades:QualifyingProperties xmlns:xades="{XADES}" Target="#firma"><xades:SignedProperties Id="props"><xades:SignedSignatureProperties><xades:SigningTime>{mode.fecha}</xades:SigningTime><xades:SigningCertificate><xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="{algorithm}"/><ds:DigestValue>{_digest(digest, stamp)}</ds:DigestValue></xades:CertDigest></xades:Cert></xades:SigningCertificate></xades:SignedSignatureProperties></xades:SignedProperties></xades:QualifyingProperties></ds:Object>{mode.fuera}</ds:Signature>"""
    unsigned = etree.fromstring(text.replace("{firma}", "").encode())
    root = etree.fromstring(text.replace("{firma}", frame).encode())
    signature = next(root.iter(f"{{{DS}}}Signature"))
    wanted = [] if mode.sin_documento else [("", _canonical(mode, unsigned.getroottree()))]
    wanted.append(("#llave", _canonical(mode, next(root.iter(f"{{{DS}}}KeyInfo")))))
    if not mode.sin_propiedades:
        wanted.append(("#props", _canonical(mode, next(root.iter(f"{{{XADES}}}SignedProperties")))))
    kind = "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ecdsa"
    method = f"http://www.w3.org/2001/04/xmldsig-more#{kind}-{mode.resumen}"
    info = f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{mode.canon}"/><ds:SignatureMethod Algorithm="{method}"/>'
    for uri, data in wanted:
        transforms = mode.transformaciones if uri == "" else ()
        if mode.canon != INCLUSIVE:
            transforms += (mode.canon,)
        info += f'<ds:Reference URI="{uri}">{_transforms(transforms)}<ds:DigestMethod Algorithm="{algorithm}"/><ds:DigestValue>{_digest(digest, data)}</ds:DigestValue></ds:Reference>'
    signature.replace(signature[0], etree.fromstring(info + "</ds:SignedInfo>"))
    again = etree.fromstring(etree.tostring(root))
    signed_info = next(again.iter(f"{{{DS}}}SignedInfo"))
    next(again.iter(f"{{{DS}}}SignatureValue")).text = _b64(_value(key, digest, _canonical(mode, signed_info)))
    return etree.tostring(again, encoding="UTF-8", xml_declaration=True)


def _value(key: Key, digest: hashes.HashAlgorithm, data: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), digest)
    numbers = decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def _canonical(mode: Modo, what: etree._Element | etree._ElementTree) -> bytes:
    return etree.tostring(what, method="c14n", exclusive=mode.canon == EXCLUSIVE, with_comments=False)


def _transforms(names: tuple[str, ...]) -> str:
    inner = "".join(f'<ds:Transform Algorithm="{name}"/>' for name in names)
    return f"<ds:Transforms>{inner}</ds:Transforms>" if inner else ""


def _digest(algorithm: hashes.HashAlgorithm, data: bytes) -> str:
    return _b64(hashlib.new(algorithm.name, data).digest())


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
