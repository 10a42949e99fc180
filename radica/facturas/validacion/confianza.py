"""Which certificates are known: DIAN's own by fingerprint, and the authorities that a person adds as PEM.

Invariant: a certificate is *conocido* by its fingerprint or by the signature of an authority in hand, never by the name
it gives itself. The shipped list holds facts read off real answers of DIAN. Revocation cannot be seen offline.
Norms: DIAN annex 1.9; RFC 5280.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from radica.kernel.errors import BadInput

NIT_DIAN = "800197268"
_END = b"-----END CERTIFICATE-----"
_MAX_PEM_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Anclas:
    """What is trusted: SHA-256 fingerprints (hexadecimal) of DIAN and of others, and authorities."""

    dian: frozenset[str]
    otras: frozenset[str] = frozenset()
    autoridades: tuple[bytes, ...] = field(default=(), repr=False)
    """DER of certificates that may vouch for others."""


def _shipped() -> frozenset[str]:
    table = files("radica.facturas.validacion").joinpath("data/certificados_dian.csv")
    with table.open(encoding="utf-8") as rows:
        return frozenset(row["huella_sha256"] for row in csv.DictReader(rows))


DE_LA_CASA = Anclas(_shipped())
"""The list that comes with the program."""


def anclas_de(carpeta: Path, base: Anclas = DE_LA_CASA) -> Anclas:
    """Add every certificate of the `.pem`, `.crt` and `.cer` files (PEM) of a folder to the trust list.

    Raises BadInput when the folder cannot be read or a file holds no readable certificate.
    """
    try:
        names = sorted(one for one in carpeta.iterdir() if one.suffix.lower() in (".pem", ".crt", ".cer"))
        found = [one for name in names for one in _read(name)]
    except OSError:
        raise BadInput("No se pudo leer la carpeta de certificados.", todo="Revise la ruta y sus permisos.") from None
    return con_certificados(base, found)


def con_certificados(base: Anclas, added: Iterable[x509.Certificate]) -> Anclas:
    """Return the trust list with some certificates more; those of an authority also vouch for what they signed."""
    found = tuple(added)
    dian = {huella(one) for one in found if not _is_authority(one) and NIT_DIAN in _numbers(one)}
    others = {huella(one) for one in found} - dian
    authorities = tuple(one.public_bytes(Encoding.DER) for one in found if _is_authority(one))
    return Anclas(base.dian | dian, base.otras | others, base.autoridades + authorities)


def conoce(anclas: Anclas, certificate: x509.Certificate) -> tuple[bool, bool]:
    """Return whether the certificate is known, and whether it is DIAN's."""
    mark = huella(certificate)
    if mark in anclas.dian:
        return True, True
    vouched = any(_vouches(_loaded(one), certificate) for one in anclas.autoridades)
    return mark in anclas.otras or vouched, vouched and NIT_DIAN in _numbers(certificate)


def huella(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the certificate in hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def dice_ser_dian(certificate: x509.Certificate) -> bool:
    """Say whether the certificate names DIAN's NIT as its owner, which alone proves nothing."""
    return NIT_DIAN in _numbers(certificate)


def titular(certificate: x509.Certificate) -> str | None:
    """Return the name of whom the certificate is for: its common name, else its organisation."""
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in certificate.subject.get_attributes_for_oid(oid):
            if isinstance(attribute.value, str) and attribute.value.strip():
                return attribute.value.strip()
    return None


def _numbers(certificate: x509.Certificate) -> frozenset[str]:
    found = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    return frozenset(str(one.value).split("-")[0].replace(".", "").strip() for one in found)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


@cache
def _loaded(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def _vouches(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _read(path: Path) -> Iterator[x509.Certificate]:
    data = path.read_bytes() if path.stat().st_size <= _MAX_PEM_BYTES else b""
    pieces = [piece + _END for piece in data.split(_END)[:-1]]
    try:
        yield from [x509.load_pem_x509_certificate(piece) for piece in pieces]
    except ValueError:
        pieces = []
    if not pieces:
        raise BadInput(
            f"El archivo {path.name} no trae un certificado PEM legible.", todo="Retírelo o expórtelo en PEM."
        )
