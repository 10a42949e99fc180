"""Time-stamp tokens (RFC 3161): the request, the answer, and whether a token really stamps our hash.

Invariant: nothing of a token is believed before its signature holds; what does not hold has a coded reason and is
never kept as a token. Revocation is not asked for: the token's chain is kept, and whoever doubts can ask. Norms: RFC
3161 sections 2.3 and 2.4, RFC 5816 (signing certificate), RFC 5652 section 5.4 (signed attributes).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import algos, cms, core, tsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from radica.custodia.tsa_cadena import chain_of

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_ILLEGIBLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)
"""What the decoder raises on bytes that are no token; lazily, at the first look at a field."""


class TokenProblem(Exception):
    """An answer that is no token over our hash. `code` says why (coded, ≤ 60 characters)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code[:60]


@dataclass(frozen=True)
class TokenInfo:
    """What a token says, once it holds. Fingerprints are SHA-256 of the certificate's DER, hex."""

    hora: datetime
    serie: str  # hex
    politica: str  # OID
    nonce: int | None
    autoridad: str  # subject of the signing certificate
    huella_tsa: str
    raiz: str  # subject of the last certificate of the chain
    huella_raiz: str
    cadena: str  # PEM, from the signing certificate up
    anclada: bool  # the chain ends in what was configured as trusted; else the authority is only what it says


@dataclass(frozen=True)
class Verified:
    """A token and what it says."""

    token: bytes  # DER of the ContentInfo
    info: TokenInfo


class _Answer(core.Sequence):  # type: ignore[misc]
    """An authority's answer; the library's own type does not know that a refusal carries no token."""

    _fields = [("status", tsp.PKIStatusInfo), ("time_stamp_token", cms.ContentInfo, {"optional": True})]  # noqa: RUF012


def build_request(digest: bytes, nonce: int) -> bytes:
    """Return the DER of a request to stamp a SHA-256 `digest` (32 bytes), asking for the certificates too."""
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest}
    request = tsp.TimeStampReq({"version": 1, "message_imprint": imprint, "nonce": nonce, "cert_req": True})
    return bytes(request.dump())


def read_response(answer: bytes, digest: bytes, nonce: int, anchors_pem: bytes | None) -> Verified:
    """Return the token of an authority's answer, verified against what was asked. Raises TokenProblem."""
    try:
        response = _Answer.load(answer, strict=True)
        status = response["status"]
        if status["status"].native not in ("granted", "granted_with_mods"):
            why = sorted(status["fail_info"].native or ()) if status["fail_info"] else []
            raise TokenProblem("_".join(["negada", *why]))
        token = response["time_stamp_token"]
        der = b"" if isinstance(token, core.Void) else bytes(token.dump())
    except _ILLEGIBLE:
        raise TokenProblem("respuesta_ilegible") from None
    if not der:
        raise TokenProblem("sin_token")
    info = verify_token(der, digest, anchors_pem)
    if info.nonce != nonce:
        raise TokenProblem("otro_nonce")
    return Verified(der, info)


def verify_token(der: bytes, digest: bytes, anchors_pem: bytes | None) -> TokenInfo:
    """Return what a token (DER of its ContentInfo) says over `digest` (SHA-256, 32 bytes), once everything holds.

    `anchors_pem` holds the certificates that are trusted; with None the chain is only followed. Raises TokenProblem.
    """
    try:
        return _verify(der, digest, load_anchors(anchors_pem))
    except _ILLEGIBLE:
        raise TokenProblem("token_ilegible") from None


def load_anchors(pem: bytes | None) -> list[x509.Certificate] | None:
    """Return the trusted certificates of a PEM. Raises TokenProblem when it holds none."""
    if pem is None:
        return None
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise TokenProblem("anclas_ilegibles") from None


def _verify(der: bytes, digest: bytes, anchors: list[x509.Certificate] | None) -> TokenInfo:
    envelope = cms.ContentInfo.load(der, strict=True)
    if envelope["content_type"].native != "signed_data":
        raise TokenProblem("token_ilegible")
    signed = envelope["content"]
    if signed["encap_content_info"]["content_type"].native != "tst_info":
        raise TokenProblem("token_ilegible")
    content = bytes(signed["encap_content_info"]["content"])
    said = tsp.TSTInfo.load(content, strict=True)
    imprint = said["message_imprint"]
    if imprint["hash_algorithm"]["algorithm"].native != "sha256" or imprint["hashed_message"].native != digest:
        raise TokenProblem("otra_huella")
    signers = list(signed["signer_infos"])
    if len(signers) != 1:
        raise TokenProblem("firma_invalida")
    embedded = [x509.load_der_x509_certificate(one.chosen.dump()) for one in _plain(signed["certificates"])]
    signer = _signer(signers[0], [*embedded, *(anchors or [])])
    _check_signature(signers[0], signer, content)
    _check_use(signer)
    at = said["gen_time"].native
    chain = chain_of(signer, embedded, anchors, at)
    if chain.problem:
        raise TokenProblem(chain.problem)
    path = chain.certificates
    return TokenInfo(
        hora=at,
        serie=f"{said['serial_number'].native:x}",
        politica=said["policy"].dotted,
        nonce=said["nonce"].native,
        autoridad=signer.subject.rfc4514_string(),
        huella_tsa=_fingerprint(signer),
        raiz=path[-1].subject.rfc4514_string(),
        huella_raiz=_fingerprint(path[-1]),
        cadena="".join(one.public_bytes(Encoding.PEM).decode("ascii") for one in path),
        anclada=anchors is not None,
    )


def _plain(certificates: Any) -> Iterable[Any]:
    return [one for one in certificates if one.name == "certificate"] if certificates else []


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def _signer(info: Any, known: Iterable[x509.Certificate]) -> x509.Certificate:
    """Return the certificate that the signature names."""
    sid = info["sid"]
    for one in known:
        if sid.name == "issuer_and_serial_number":
            same = one.issuer.public_bytes() == sid.chosen["issuer"].dump()
            if same and one.serial_number == sid.chosen["serial_number"].native:
                return one
        elif _key_identifier(one) == sid.chosen.native:
            return one
    raise TokenProblem("sin_certificado")


def _key_identifier(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return None


def _check_signature(info: Any, signer: x509.Certificate, content: bytes) -> None:
    """Check what the authority signed: kind, hash of the content, its own certificate, and the signature itself."""
    said = {one["type"].native: one["values"] for one in info["signed_attrs"]}
    name = info["digest_algorithm"]["algorithm"].native
    if name not in _HASHES:
        raise TokenProblem("algoritmo_debil")
    if {"content_type", "message_digest"} - set(said) or said["content_type"][0].native != "tst_info":
        raise TokenProblem("firma_invalida")
    if said["message_digest"][0].native != hashlib.new(name, content).digest():
        raise TokenProblem("firma_invalida")
    if not _names_itself(said, signer):
        raise TokenProblem("firma_de_otro_certificado")
    try:
        _check_key(signer.public_key(), info, info["signed_attrs"].untag().dump(), name)
    except (InvalidSignature, UnsupportedAlgorithm):
        raise TokenProblem("firma_invalida") from None


def _names_itself(said: dict[str, Any], signer: x509.Certificate) -> bool:
    """Tell whether the signed attributes name this certificate (ESS): else another with the same key could stand in."""
    der = signer.public_bytes(Encoding.DER)
    if "signing_certificate_v2" in said:
        first = said["signing_certificate_v2"][0]["certs"][0]
        method = first["hash_algorithm"]["algorithm"].native
        return method in _HASHES and first["cert_hash"].native == hashlib.new(method, der).digest()
    if "signing_certificate" in said:
        # SHA-1 is the norm's own here; the signature over it is what protects.
        found = said["signing_certificate"][0]["certs"][0]["cert_hash"].native
        return bool(found == hashlib.sha1(der, usedforsecurity=False).digest())
    return False


def _check_key(key: Any, info: Any, data: bytes, name: str) -> None:
    """Verify the signature. Raises InvalidSignature, or TokenProblem for a kind of key that is not known here."""
    signature, algorithm = info["signature"].native, info["signature_algorithm"]
    method = algorithm.signature_algo
    own = name if algorithm["algorithm"].native in ("rsassa_pkcs1v15", "rsaes_pkcs1v15") else algorithm.hash_algo
    if own not in _HASHES:
        raise TokenProblem("algoritmo_debil")
    if isinstance(key, rsa.RSAPublicKey) and method in ("rsassa_pkcs1v15", "rsassa_pss"):
        pad = _pss(algorithm["parameters"]) if method == "rsassa_pss" else padding.PKCS1v15()
        key.verify(signature, data, pad, _HASHES[own])
    elif isinstance(key, ec.EllipticCurvePublicKey) and method == "ecdsa":
        key.verify(signature, data, ec.ECDSA(_HASHES[own]))
    else:
        raise TokenProblem("algoritmo_desconocido")


def _pss(parameters: algos.RSASSAPSSParams) -> padding.PSS:
    mask = parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native
    if mask not in _HASHES:
        raise TokenProblem("algoritmo_debil")
    return padding.PSS(mgf=padding.MGF1(_HASHES[mask]), salt_length=parameters["salt_length"].native)


def _check_use(signer: x509.Certificate) -> None:
    """Check that the certificate is for time stamps and nothing else, critically (RFC 3161 section 2.3)."""
    try:
        use = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        raise TokenProblem("sin_uso_de_estampado") from None
    if not use.critical or list(use.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise TokenProblem("sin_uso_de_estampado")
