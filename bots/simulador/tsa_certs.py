"""Keys and certificates of the simulated time-stamping authority: a good one, and those with which it goes wrong.

Invariant: every name says that it is of a demonstration and without legal value; private keys are readable by the
owner only; the same folder gives the same authority.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

OWNER: Final = "RADICA DEMOSTRACION SIN VALOR LEGAL"
DAYS: Final = 3650


@dataclass(frozen=True)
class Authority:
    """A root, the key that stamps, and the certificates of that key by what is right or wrong with them."""

    ca: x509.Certificate
    other_ca: x509.Certificate
    key: rsa.RSAPrivateKey
    certificates: dict[str, x509.Certificate]


def load_or_make(folder: Path, now: datetime) -> Authority:
    """Return the authority of a folder; made there when there is none. Raises OSError, ValueError on what is no key."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    ca_key = _key(folder / "ca.key", lambda: ec.generate_private_key(ec.SECP256R1()))
    key = _key(folder / "tsa.key", lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048))
    assert isinstance(key, rsa.RSAPrivateKey)
    ca = _kept(folder / "ca.pem", lambda: _root(ca_key, "RAIZ DE DEMOSTRACION", now))
    other_key = ec.generate_private_key(ec.SECP256R1())
    other = _root(other_key, "Autoridad que nadie conoce", now)
    stamp, serve = [ExtendedKeyUsageOID.TIME_STAMPING], [ExtendedKeyUsageOID.SERVER_AUTH]
    valid = (now - timedelta(days=1), now + timedelta(days=DAYS))
    old = (now - timedelta(days=400), now - timedelta(days=30))
    kinds = {
        "wrong_eku": _leaf(key, ca, ca_key, serve, valid),
        "not_critical": _leaf(key, ca, ca_key, stamp, valid, critical=False),
        "expired": _leaf(key, ca, ca_key, stamp, old),
        "other_ca": _leaf(key, other, other_key, stamp, valid),
    }
    good = _kept(folder / "tsa.pem", lambda: _leaf(key, ca, ca_key, stamp, valid))
    return Authority(ca, other, key, {"good": good, **kinds})


def _key(path: Path, make: Any) -> Any:
    if path.exists():
        return load_pem_private_key(path.read_bytes(), None)
    key = make()
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def _kept(path: Path, make: Any) -> x509.Certificate:
    if not path.exists():
        path.write_bytes(make().public_bytes(Encoding.PEM))
    return x509.load_pem_x509_certificate(path.read_bytes())


def _name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, OWNER), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _root(key: Any, common: str, now: datetime) -> x509.Certificate:
    valid = (now - timedelta(days=500), now + timedelta(days=DAYS))
    return (
        _builder(_name(common), _name(common), key.public_key(), valid)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    key: Any,
    issuer: x509.Certificate,
    issuer_key: Any,
    use: Sequence[x509.ObjectIdentifier],
    valid: tuple[datetime, datetime],
    *,
    critical: bool = True,
) -> x509.Certificate:
    return (
        _builder(_name("TSA DE DEMOSTRACION"), issuer.subject, key.public_key(), valid)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(use), critical=critical)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Any, valid: tuple[datetime, datetime]
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )
