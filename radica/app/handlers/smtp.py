"""Sends one mail through the house's SMTP server, and tells apart what surely failed from what nobody can know.

Invariant: password and words leave encrypted unless the server is this machine; every step has a limit of time; once
the words were handed over and no answer came, the mail counts as *perhaps sent* and is never sent again by itself.
"""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from urllib.parse import unquote, urlsplit

from radica.kernel.errors import BadInput, RadicaError, Unavailable

ENV_SERVER, ENV_SENDER, ENV_LINKS = "RADICA_SMTP_URL", "RADICA_SMTP_REMITENTE", "RADICA_URL"
TIMEOUT_S = 30
_DEFAULT_PORTS = {"smtp": 587, "smtps": 465}
_BROKEN = (smtplib.SMTPException, OSError, EOFError)


@dataclass(frozen=True)
class Saliente:
    """The house's outgoing mail. `implicito`: TLS from the first byte; else STARTTLS, but on this very machine."""

    servidor: str
    puerto: int
    implicito: bool
    usuario: str
    clave: str = field(repr=False)
    remitente: str
    enlaces: str


class Rechazado(RadicaError):
    """The server refused for good: this address, or our credentials. Trying again would be refused again."""


class SinConfirmar(RadicaError):
    """The words were handed over and no answer came: the mail may be on its way."""


def saliente(environ: Mapping[str, str]) -> Saliente | None:
    """Read the settings; None when no mail is to be sent. Raises BadInput when they cannot be understood.

    RADICA_SMTP_URL is `smtps://usuario:clave@servidor:465`, or `smtp://…` for STARTTLS.
    """
    url = environ.get(ENV_SERVER)
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        port, parts = 0, urlsplit("")
    sender = environ.get(ENV_SENDER, "")
    if not port or parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" not in sender:
        raise BadInput(
            f"{ENV_SERVER} o {ENV_SENDER} no se entienden; no se envían resúmenes.",
            todo=f"Escriba {ENV_SERVER}=smtps://usuario:clave@servidor:465 y {ENV_SENDER}=radica@su-dominio.co.",
            code="smtp_mal_escrito",
        )
    return Saliente(
        servidor=parts.hostname,
        puerto=port,
        implicito=parts.scheme == "smtps",
        usuario=unquote(parts.username or ""),
        clave=unquote(parts.password or ""),
        remitente=sender,
        enlaces=environ.get(ENV_LINKS, "").rstrip("/"),
    )


def enviar(out: Saliente, to: str, message: EmailMessage, *, timeout_s: float = TIMEOUT_S) -> None:
    """Send `message` to one address.

    Raises Unavailable when it surely was not sent and may be tried again, Rechazado, and SinConfirmar.
    """
    session = _open(out, timeout_s)
    try:
        with _not_sent():
            _expect(session.mail(out.remitente))
            _expect(session.rcpt(to))
        try:
            code, words = session.data(message.as_bytes(policy=SMTP_POLICY))
        except smtplib.SMTPDataError as exc:  # the server did not want the words at all
            raise _refusal(exc.smtp_code) from None
        except _BROKEN:
            raise SinConfirmar(
                "El servidor de correo cortó después de recibir el mensaje: puede haber salido.",
                todo="No se repite; lo mismo está en la página Hoy.",
                code="smtp_sin_confirmar",
            ) from None
        _expect((code, words))
    finally:
        with suppress(*_BROKEN):
            session.quit()
        with suppress(*_BROKEN):
            session.close()


def _open(out: Saliente, timeout_s: float) -> smtplib.SMTP:
    context = ssl.create_default_context()
    with _not_sent():
        if out.implicito:
            session: smtplib.SMTP = smtplib.SMTP_SSL(out.servidor, out.puerto, timeout=timeout_s, context=context)
        else:
            session = smtplib.SMTP(out.servidor, out.puerto, timeout=timeout_s)
        try:
            session.ehlo_or_helo_if_needed()
            if not out.implicito and (session.has_extn("starttls") or not _is_here(out.servidor)):
                session.starttls(context=context)  # raises when the server does not offer it
                session.ehlo()
            if out.usuario:
                session.login(out.usuario, out.clave)
        except BaseException:
            session.close()
            raise
    return session


def _is_here(server: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(server).is_loopback
    return server == "localhost"


def _expect(answer: tuple[int, bytes]) -> None:
    """Go on when the server agreed. Raises as `_refusal`; its words are not repeated, they may quote the mail."""
    code, _words = answer
    if not 200 <= code < 300:
        raise _refusal(code)


def _refusal(code: int) -> RadicaError:
    if code >= 500:
        return Rechazado(
            f"El servidor de correo rechazó el mensaje (código {code}).",
            todo="Revise la dirección de la persona y el remitente.",
            code="smtp_rechazado",
        )
    return _away(f"El servidor de correo pide intentar más tarde (código {code}).")


def _away(words: str, code: str = "smtp_no_responde") -> Unavailable:
    return Unavailable(words, todo="Se intenta de nuevo en unos minutos.", code=code)


@contextmanager
def _not_sent() -> Iterator[None]:
    """Turn what the library raises before any word was handed over into words."""
    try:
        yield
    except smtplib.SMTPAuthenticationError:
        raise Rechazado(
            "El servidor de correo no acepta el usuario o la clave de los resúmenes.",
            todo=f"Corrija {ENV_SERVER}.",
            code="smtp_clave",
        ) from None
    except smtplib.SMTPNotSupportedError:
        raise Rechazado(
            "El servidor de correo no ofrece cifrado o inicio de sesión; no se envió nada a la vista.",
            todo=f"Use smtps:// en {ENV_SERVER}.",
            code="smtp_sin_cifrar",
        ) from None
    except ssl.SSLCertVerificationError:
        raise _away("El certificado del servidor de correo no es de confianza.", "smtp_certificado") from None
    except _BROKEN:
        raise _away("El servidor de correo no responde o cortó la conexión.") from None
