"""How bytes reach the MUV and come back: one connection per question, with limits of time and size, and a pinned server.

Invariant: pure of database and web. Nothing is sent before the certificate is known to be the pinned one (the local API
signs its own); no redirect is followed; no error repeats a word of what was sent or answered. Res. 948 de 2026.
"""

from __future__ import annotations

import hashlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

from radica.kernel.errors import Unavailable

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer; one with 841 results has 430 KB."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class MuvProblem(Unavailable):
    """The MUV could not be asked, or answered something that is no answer.

    `again`: trying once more may help and does no harm. `data` is what came back, when something did.
    """

    def __init__(
        self, code: str, message: str, *, todo: str = "", again: bool = False, data: bytes | None = None, status: int | None = None
    ) -> None:  # fmt: skip
        super().__init__(message, todo=todo, code=code)
        self.again, self.data, self.status = again, data, status


@dataclass(frozen=True)
class Llegada:
    """What came back: HTTP status and the very bytes."""

    status: int
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Puerta:
    """Where the API is. `certificado` is the PEM of its own certificate when it signed it itself."""

    url: str
    certificado: str | None = field(repr=False, default=None)

    @property
    def raiz(self) -> tuple[str, str, int, str]:
        """Return scheme, host, port and what stands before `/api`. Raises MuvProblem for an address that is none."""
        try:
            parts = urlsplit(self.url.strip())
            port = parts.port
        except ValueError:
            raise _bad_address() from None
        host = parts.hostname or ""
        safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
        if not safe or not host or parts.username is not None:
            raise _bad_address()
        before = parts.path.rstrip("/").removesuffix("/api")
        return parts.scheme, host, port or (443 if parts.scheme == "https" else 80), before


def preguntar(
    puerta: Puerta,
    method: str,
    path: str,
    body: bytes | None = None,
    *,
    headers: Mapping[str, str],
    timeout_s: float,
    max_answer: int = MAX_ANSWER,
) -> Llegada:
    """Ask once within `timeout_s` seconds (of connecting; then of all that is sent and answered). Raises MuvProblem."""
    connection = _connection(puerta, timeout_s)
    before = puerta.raiz[3]
    try:
        connection.connect()
        # An answer without length takes the socket over.
        with _deadline(connection.sock, timeout_s):
            connection.request(method, before + path, body, dict(headers))
            with connection.getresponse() as response:
                data = _read(response, max_answer)
    except TimeoutError:
        raise MuvProblem("muv_demorado", "El MUV no respondió a tiempo.", again=True) from None
    except ssl.SSLError as problem:
        raise _bad_certificate(problem) from None
    except ConnectionRefusedError:
        raise MuvProblem("muv_apagado", "El MUV no está encendido en esa dirección.", again=True) from None
    except (OSError, http.client.HTTPException, ValueError):
        raise MuvProblem("muv_cortado", "Se cortó la comunicación con el MUV.", again=True) from None
    finally:
        connection.close()
    if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
        raise MuvProblem(
            "muv_redirige", "El MUV mandó a otra dirección; no se siguió.", todo="Revise la dirección de la cuenta."
        )
    return Llegada(response.status, data)


def leer_certificado(url: str, *, timeout_s: float) -> str:
    """Return the PEM of the certificate that a server shows, whoever signed it. Raises MuvProblem.

    It proves nothing by itself: a person compares its fingerprint before it is pinned.
    """
    scheme, host, port, _ = Puerta(url).raiz
    if scheme != "https":
        raise MuvProblem("sin_cifrado", "Esa dirección no usa cifrado: no hay certificado que fijar.")
    try:
        return ssl.get_server_certificate((host, port), timeout=timeout_s)
    except (OSError, ValueError):
        raise MuvProblem("muv_apagado", "No se pudo leer el certificado del servidor.", again=True) from None


def huella_de(pem: str) -> str:
    """Return the SHA-256 (hex) of a certificate in PEM. Raises MuvProblem when it is none."""
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.strip() + "\n")).hexdigest()
    except ValueError:
        raise MuvProblem("certificado_ilegible", "Ese texto no es un certificado en formato PEM.") from None


class _Pinned(http.client.HTTPSConnection):
    """A connection that goes on only with the one certificate that a person pinned; its dates and names do not matter."""

    def __init__(self, host: str, port: int, *, timeout: float, pin: str) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the fingerprint below decides, before one byte of ours leaves
        super().__init__(host, port, timeout=timeout, context=context)
        self._pin = pin

    def connect(self) -> None:
        """Shake hands, then compare."""
        super().connect()
        shown = self.sock.getpeercert(binary_form=True) or b""
        if hashlib.sha256(shown).hexdigest() != self._pin:
            self.close()
            raise ssl.SSLCertVerificationError("pin")


def _connection(puerta: Puerta, timeout_s: float) -> http.client.HTTPConnection:
    scheme, host, port, _ = puerta.raiz
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout_s)
    if puerta.certificado:
        return _Pinned(host, port, timeout=timeout_s, pin=huella_de(puerta.certificado))
    return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=ssl.create_default_context())


@contextmanager
def _deadline(sock: socket.socket, seconds: float) -> Iterator[None]:
    """Hang up after that many seconds. Raises TimeoutError then.

    The limit of a socket starts anew with every byte, so that who drips a header, or takes a large body sip by sip,
    would hold us for ever.
    """
    late = threading.Event()

    def hang_up() -> None:
        late.set()
        with suppress(OSError):  # closed already
            # Past TLS, which would wait for the other side's farewell.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    watch = threading.Timer(seconds, hang_up)
    watch.daemon = True
    watch.start()
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError):
        if late.is_set():
            raise TimeoutError from None
        raise
    finally:
        watch.cancel()
        watch.join()
    if late.is_set():  # an answer without length looks whole where it was cut
        raise TimeoutError


def _read(response: http.client.HTTPResponse, most: int) -> bytes:
    """Read to the end, up to `most` bytes."""
    found, size = [], 0
    while chunk := response.read1(65_536):
        found.append(chunk)
        size += len(chunk)
        if size > most:
            raise MuvProblem("respuesta_grande", "La respuesta del MUV es demasiado grande.", again=True)
    return b"".join(found)


def _bad_address() -> MuvProblem:
    return MuvProblem(
        "direccion", "La dirección del MUV no sirve: debe empezar por https://.",
        todo="Sin cifrado, la clave y los datos viajarían a la vista; http:// solo se admite en esta misma máquina.",
    )  # fmt: skip


def _bad_certificate(problem: ssl.SSLError) -> MuvProblem:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return MuvProblem(
            "certificado", "El certificado del MUV no es el fijado, o no lo firma una autoridad conocida. No se envió nada.",
            todo="Compruebe que sea su servidor y fije de nuevo su certificado.",
        )  # fmt: skip
    return MuvProblem("muv_cortado", "Se cortó la comunicación cifrada con el MUV.", again=True)
