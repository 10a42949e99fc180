"""A session with an IMAP mailbox: which mails came since the last one read, and their raw bytes. No database.

Invariant: nothing is deleted, moved or marked unless asked (mails are fetched with PEEK); every exchange has a limit
of time and each mail one of size; an account speaks in clear only to this machine itself. RFC 3501: a mail is known
by its UID, which means something only under the folder's UIDVALIDITY.
"""

from __future__ import annotations

import base64
import imaplib
import ipaddress
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from radica.glosas.lectura.correo import MAX_MAIL_BYTES
from radica.kernel.errors import BadInput, Unavailable

TIMEOUT_S = 30
SECURITY = ("tls", "starttls", "ninguna")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_ARRIVAL = re.compile(rb'INTERNALDATE "\s?(\d{1,2})-(\w{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})"')
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_BROKEN = (imaplib.IMAP4.error, OSError, EOFError, ValueError, IndexError)
"""What the library raises when the server goes away or says what it should not (TLS errors are OSError)."""


@dataclass(frozen=True)
class Cuenta:
    """Where a mailbox is and how to open it; `seguridad` is one of SECURITY."""

    servidor: str
    puerto: int
    seguridad: str
    usuario: str
    clave: str = field(repr=False)
    carpeta: str = "INBOX"


@dataclass(frozen=True)
class Llegado:
    """A mail on the server: its UID, when the server received it (UTC; None if it does not say), its raw bytes.

    Of a mail larger than what is read `datos` holds the header alone and `recortado` is true; `bytes` is its size as
    the server says.
    """

    uid: int
    llegada: datetime | None
    datos: bytes
    bytes: int
    recortado: bool = False


class ClaveRechazada(Unavailable):
    """The server does not take user and password; trying again could lock the account."""


class Buzon:
    """An open folder."""

    def __init__(self, session: imaplib.IMAP4, uidvalidity: int) -> None:
        self._session = session
        self.uidvalidity = uidvalidity

    def uids_desde(self, last: int) -> list[int]:
        """Return the UIDs above `last`, in order. Raises Unavailable."""
        with _plain_errors():
            data = _ok(self._session.uid("SEARCH", f"UID {last + 1}:*"))
            found = {int(one) for line in data if line for one in line.split()}
            # `n:*` always names the newest mail, even when it is older than n.
            return sorted(uid for uid in found if uid > last)

    def traer(self, uid: int) -> Llegado | None:
        """Return a mail without marking it; None when somebody removed it meanwhile. Raises Unavailable."""
        with _plain_errors():
            head = _joined(_ok(self._session.uid("FETCH", str(uid), "(INTERNALDATE RFC822.SIZE)")))
            size = _SIZE.search(head)
            if size is None:
                return None
            arrival, count = _arrival(head), int(size.group(1))
            large = count > MAX_MAIL_BYTES
            wanted = "(BODY.PEEK[HEADER])" if large else "(BODY.PEEK[])"
            for part in _ok(self._session.uid("FETCH", str(uid), wanted)):
                if isinstance(part, tuple):
                    return Llegado(uid, arrival, part[1], count if large else len(part[1]), recortado=large)
            return None

    def marcar_visto(self, uid: int) -> None:
        r"""Set \Seen. Raises Unavailable."""
        with _plain_errors():
            _ok(self._session.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)"))


@contextmanager
def abrir(account: Cuenta, *, escribir: bool = False, timeout_s: float = TIMEOUT_S) -> Iterator[Buzon]:
    """Open the folder of an account, read-only unless `escribir`.

    Raises BadInput for an account in clear beyond this machine, ClaveRechazada, and Unavailable for all else.
    """
    _check(account)
    with _plain_errors():
        session = _connect(account, timeout_s)
    try:
        try:
            session.login(account.usuario, account.clave)
        except imaplib.IMAP4.abort as exc:
            raise _away(exc) from None
        except imaplib.IMAP4.error:
            raise ClaveRechazada(
                "El servidor de correo no acepta el usuario o la clave del buzón.",
                todo="Escriba de nuevo la clave del buzón; mientras tanto no se lee.",
                code="buzon_clave",
            ) from None
        except _BROKEN as exc:
            raise _away(exc) from None
        with _plain_errors():
            status, _ = session.select(f'"{_utf7(account.carpeta)}"', readonly=not escribir)
            if status != "OK":
                raise Unavailable(
                    "La carpeta del buzón no existe en el servidor de correo.",
                    todo="Corrija el nombre de la carpeta.",
                    code="buzon_carpeta",
                )
            _, validity = session.response("UIDVALIDITY")
            box = Buzon(session, int(validity[0]) if validity and validity[0] else 0)
        yield box
    finally:
        with suppress(*_BROKEN):
            session.logout()
        with suppress(*_BROKEN):
            session.shutdown()  # `logout` leaves the socket open when the server is gone


def _check(account: Cuenta) -> None:
    if account.seguridad not in SECURITY:
        raise BadInput("La seguridad del buzón es tls, starttls o ninguna.", code="buzon_seguridad")
    if account.seguridad == "ninguna" and not _is_here(account.servidor):
        raise BadInput(
            "Un buzón sin cifrar solo se admite en este mismo equipo: su clave viajaría a la vista.",
            todo="Use tls o starttls.",
            code="buzon_sin_cifrar",
        )


def _is_here(server: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(server).is_loopback
    return server == "localhost"


def _connect(account: Cuenta, timeout_s: float) -> imaplib.IMAP4:
    if account.seguridad == "tls":
        return imaplib.IMAP4_SSL(
            account.servidor, account.puerto, ssl_context=ssl.create_default_context(), timeout=timeout_s
        )
    session = imaplib.IMAP4(account.servidor, account.puerto, timeout=timeout_s)
    if account.seguridad == "starttls":
        try:
            session.starttls(ssl.create_default_context())
        except BaseException:
            with suppress(*_BROKEN):
                session.shutdown()
            raise
    return session


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except _BROKEN as exc:
        raise _away(exc) from None


def _away(exc: BaseException) -> Unavailable:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return Unavailable(
            "El certificado del servidor de correo no es de confianza; no se envió la clave.",
            todo="Revise el nombre del servidor o avise a sistemas.",
            code="buzon_certificado",
        )
    return Unavailable(
        "El servidor de correo no responde o cortó la conexión.",
        todo="Se intenta de nuevo en unos minutos; lo leído está guardado.",
        code="buzon_no_responde",
    )


def _ok(answer: tuple[str, list[Any]]) -> list[Any]:
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error("refused")
    return data


def _joined(data: list[Any]) -> bytes:
    return b" ".join(
        one if isinstance(one, bytes) else b" ".join(one) for one in data if isinstance(one, bytes | tuple)
    )


def _arrival(head: bytes) -> datetime | None:
    """Return the server's own date of arrival; the month's name is English whatever the locale."""
    match = _ARRIVAL.search(head)
    if match is None:
        return None
    day, month, year, hour, minute, second, sign, off_h, off_m = (part.decode("ascii") for part in match.groups())
    offset = timedelta(hours=int(off_h), minutes=int(off_m)) * (-1 if sign == "-" else 1)
    with suppress(ValueError):
        return datetime(
            int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=timezone(offset)
        ).astimezone(UTC)
    return None


def _utf7(folder: str) -> str:
    """Return a folder's name as IMAP writes it (modified UTF-7, RFC 3501 §5.1.3), ready for quotes."""
    out, run = [], ""
    for char in [*folder, ""]:
        if char and not " " <= char <= "~":
            run += char
            continue
        if run:
            coded = base64.b64encode(run.encode("utf-16-be")).rstrip(b"=").replace(b"/", b",").decode("ascii")
            out.append(f"&{coded}-")
            run = ""
        out.append("&-" if char == "&" else f"\\{char}" if char in {'"', "\\"} and char else char)
    return "".join(out)
