"""The chain of certificates from a time-stamping authority up to what is trusted, at the instant of its stamp.

Invariant: with anchors given, a chain ends in one of them or there is none; without, it is followed as far as the
certificates at hand go, and nobody is told that it is trusted. Norm: RFC 5280 section 6 (what matters of it here).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

_LONGEST = 8


@dataclass(frozen=True)
class Chain:
    """Certificates from the signer up; `problem` is a coded reason, empty when the chain holds."""

    certificates: tuple[x509.Certificate, ...]
    problem: str = ""


def chain_of(
    signer: x509.Certificate,
    others: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate] | None,
    at: datetime,
) -> Chain:
    """Return the chain of `signer` through `others` as it was at `at` (aware), to an anchor where there are any."""
    if not _valid(signer, at):
        return Chain((signer,), "certificado_vencido")
    if anchors is None:
        return Chain(_as_far_as_it_goes(signer, others, at))
    found = _climb((signer,), [*anchors, *others], anchors, at)
    return Chain(found) if found else Chain((signer,), "cadena_sin_ancla")


def _climb(
    path: tuple[x509.Certificate, ...],
    known: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    at: datetime,
) -> tuple[x509.Certificate, ...]:
    if path[-1] in anchors:
        return path
    if len(path) >= _LONGEST:
        return ()
    for one in known:
        if one not in path and _issued(one, path, at):
            found = _climb((*path, one), known, anchors, at)
            if found:
                return found
    return ()


def _as_far_as_it_goes(
    signer: x509.Certificate, others: Sequence[x509.Certificate], at: datetime
) -> tuple[x509.Certificate, ...]:
    path: tuple[x509.Certificate, ...] = (signer,)
    while len(path) < _LONGEST:
        above = [one for one in others if one not in path and _issued(one, path, at)]
        if not above:
            break
        path = (*path, above[0])
    return path


def _issued(issuer: x509.Certificate, path: tuple[x509.Certificate, ...], at: datetime) -> bool:
    """Tell whether `issuer` may have issued the last certificate of the path and did."""
    if issuer.subject != path[-1].issuer or not _valid(issuer, at) or not _may_issue(issuer, below=len(path) - 1):
        return False
    try:
        path[-1].verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _may_issue(issuer: x509.Certificate, *, below: int) -> bool:
    """Tell whether a certificate is an authority's, with room for `below` authorities under it."""
    try:
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return False
    try:
        use = issuer.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        use = True
    return basic.ca and use and (basic.path_length is None or below <= basic.path_length)


def _valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
