"""The certificate chain of a portal, as evidence of who answered (reference evidencia.md E.3, artefact 7).

The headless browser verifies the chain but does not hand it out, so it is asked for once more, at the very address that
the browser had resolved. Invariant: nothing is sent over this connection, and it decides nothing: trust is the
browser's business.
"""

import socket
import ssl
from typing import Any

LIMIT_S = 3.0


def chain(address: str, port: int, name: str) -> list[str]:
    """PEM certificates that the server at `address` presents for `name`, its own first. OSError when it does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # what was presented is the evidence, whatever it is
    with (
        socket.create_connection((address, port), timeout=LIMIT_S) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return [ssl.DER_cert_to_PEM_cert(der) for der in _presented(secure)]


def _presented(secure: ssl.SSLSocket) -> list[bytes]:
    # Public since Python 3.13; before it only the object underneath knows the whole chain.
    public: Any = getattr(secure, "get_unverified_chain", None)
    if public is not None:
        return list(public())
    inner: Any = getattr(secure, "_sslobj", None)
    if inner is not None and hasattr(inner, "get_unverified_chain"):
        return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in inner.get_unverified_chain()]
    leaf = secure.getpeercert(binary_form=True)
    return [leaf] if leaf is not None else []
