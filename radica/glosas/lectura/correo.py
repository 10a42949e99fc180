"""A mail as values, from `.eml` (RFC 5322) or Outlook's `.msg`: subject, sender, bodies, attachments.

Invariant: hostile or broken mail never breaks the reader: what cannot be decoded is decoded as far as it goes, and a
file that is no mail raises Unreadable. Nothing is fetched from outside (no remote images, no links). Sender and
subject are what the mail claims; neither proves who sent it.
"""

from __future__ import annotations

import email
import email.errors
import email.header
import email.utils
import mimetypes
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import Message
from pathlib import Path

from olefile import OleFileIO
from olefile.olefile import OleFileError
from oxmsg.properties import Properties
from oxmsg.storage import Storage

from radica.facturas.archive import MB
from radica.facturas.texts import base_name, clean, storable
from radica.facturas.xmlsafe import Unreadable

MAX_MAIL_BYTES = 64 * MB
MAX_PARTS = 500
MAX_DEPTH = 6
DECORATION_BYTES = 64 * 1024
"""An inline image below this is a logo or a signature; a letter pasted into the body weighs more."""

_CUT = (
    email.errors.CloseBoundaryNotFoundDefect,
    email.errors.InvalidBase64PaddingDefect,
    email.errors.InvalidBase64LengthDefect,
)
_HEADER = re.compile(rb"^([A-Za-z][A-Za-z0-9-]{1,40}):", re.MULTILINE)
_MAIL_HEADERS = {
    b"from", b"to", b"subject", b"date", b"received", b"return-path", b"message-id", b"mime-version",
    b"delivered-to", b"content-type",
}  # fmt: skip
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MSG_HEAD, _EMBEDDED_HEAD, _ATTACHMENT_HEAD = 32, 24, 8
_SUBJECT, _BODY, _HTML, _HTML_TEXT, _HEADERS, _MESSAGE_ID = 0x0037, 0x1000, 0x1013, 0x1013, 0x007D, 0x1035
_SENDER_NAME, _SENDER_MAIL, _SENDER_SMTP, _DELIVERED = 0x0C1A, 0x0C1F, 0x5D01, 0x0E06
_LONG_NAME, _SHORT_NAME, _METHOD, _DATA, _CONTENT_ID = 0x3707, 0x3704, 0x3705, 0x3701, 0x3712
_EMBEDDED = 5
_EMBEDDED_STORAGE = "__substg1.0_3701000D"


@dataclass(frozen=True, slots=True)
class Adjunto:
    """An attachment: its bytes, or the mail that it is (`mensaje`). `decorativo`: a small image of the body."""

    nombre: str
    datos: bytes = b""
    mensaje: Mensaje | None = None
    decorativo: bool = False


@dataclass(frozen=True, slots=True)
class Mensaje:
    """A mail. `message_id` is "" when it carries none; `fecha` is what its writer claims (UTC), never the arrival.

    `cortado`: it ends before its own end says so, and rows may be missing in what it carries.
    """

    message_id: str
    asunto: str
    remitente: str
    fecha: datetime | None
    texto: str
    html: str
    adjuntos: tuple[Adjunto, ...]
    cortado: bool = False


def es_eml(head: bytes) -> bool:
    """Say whether bytes begin as a mail does: at least two of its usual headers before the first empty line."""
    block = re.split(rb"\r?\n\r?\n", head.lstrip(b"\xef\xbb\xbf\r\n"), maxsplit=1)[0]
    if not _HEADER.match(block):
        return False
    return len({name.lower() for name in _HEADER.findall(block)} & _MAIL_HEADERS) >= 2


def es_msg(path: Path) -> bool:
    """Say whether a file is an Outlook message: a compound file with a message's property stream."""
    with path.open("rb") as stream:
        if stream.read(len(_OLE)) != _OLE:
            return False
    try:
        with OleFileIO(str(path)) as ole:
            return bool(ole.exists("__properties_version1.0"))
    except _BROKEN_OLE:
        return False


def leer_correo(path: Path) -> Mensaje:
    """Read an `.eml` or `.msg` file. Raises Unreadable when it is neither, is too large or is broken."""
    if path.stat().st_size > MAX_MAIL_BYTES:
        raise Unreadable(
            f"El correo pesa más de {MAX_MAIL_BYTES // MB} MB.",
            todo="Guarde sus anexos y cárguelos por separado.",
            code="correo_grande",
        )
    return _leer_msg(path) if es_msg(path) else leer_eml(path.read_bytes())


def leer_eml(data: bytes) -> Mensaje:
    """Read the bytes of a mail. Raises Unreadable when they nest or divide beyond reason."""
    try:
        return _from_message(email.message_from_bytes(data, policy=policy.compat32), 0)
    except RecursionError:
        raise _too_deep() from None


def _too_deep() -> Unreadable:
    return Unreadable(
        "El correo anida demasiadas partes.", todo="Guarde sus anexos y cárguelos por separado.", code="correo_anidado"
    )


def _from_message(message: Message, depth: int) -> Mensaje:
    if depth > MAX_DEPTH:
        raise _too_deep()
    texts: list[str] = []
    htmls: list[str] = []
    attachments: list[Adjunto] = []
    for count, part in enumerate(_leaves(message)):
        if count >= MAX_PARTS:
            raise _too_deep()
        kind = part.get_content_type()
        name = _file_name(part)
        if kind == "message/rfc822" and part.is_multipart():
            inner = part.get_payload(0)
            if isinstance(inner, Message):
                sub = _from_message(inner, depth + 1)
                attachments.append(Adjunto(_nested_name(name, sub.asunto), mensaje=sub))
            continue
        attached = name is not None or part.get_content_disposition() == "attachment"
        if kind in {"text/plain", "text/html"} and not attached:
            (htmls if kind == "text/html" else texts).append(_text(part))
            continue
        data = _bytes(part)
        inline = part.get_content_disposition() != "attachment" and part.get("Content-ID") is not None
        extension = mimetypes.guess_extension(kind) or ".bin"
        attachments.append(
            Adjunto(
                name or f"adjunto-{len(attachments) + 1}{extension}",
                data,
                decorativo=inline and kind.startswith("image/") and len(data) < DECORATION_BYTES,
            )
        )
    return Mensaje(
        message_id=cabecera(message, "Message-ID").strip("<> "),
        asunto=cabecera(message, "Subject"),
        remitente=cabecera(message, "From"),
        fecha=_when(cabecera(message, "Date")),
        texto="\n".join(texts),
        html="\n".join(htmls),
        adjuntos=_unique(attachments),
        cortado=any(isinstance(one, _CUT) for part in message.walk() for one in part.defects),
    )


def _leaves(message: Message) -> list[Message]:
    """Return the parts that are no containers; an attached mail is one part, not what it holds."""
    found: list[Message] = []
    waiting = [message]
    while waiting and len(found) <= MAX_PARTS:
        part = waiting.pop(0)
        if part.is_multipart() and part.get_content_type() != "message/rfc822":
            payload = part.get_payload()
            waiting[:0] = [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []
        else:
            found.append(part)
    return found


def cabecera(message: Message, name: str) -> str:
    """Return a header decoded (RFC 2047, raw bytes too), in one line; "" when it is missing."""
    for key, value in message.raw_items():
        if key.casefold() == name.casefold():
            return clean(_decoded_words(_without_surrogates(str(value)))) or ""
    return ""


def _without_surrogates(value: str) -> str:
    """Give raw bytes that the parser kept as half characters their letters again."""
    return value if value.isascii() else _decode(value.encode("utf-8", "surrogateescape"), None)


def _decoded_words(value: str) -> str:
    try:
        pieces = email.header.decode_header(value)
    except (email.errors.HeaderParseError, ValueError):
        return value
    return "".join(text if isinstance(text, str) else _decode(text, charset) for text, charset in pieces)


def _decode(data: bytes, charset: str | None) -> str:
    """Decode with the charset that the mail claims, else as UTF-8, else as Windows-1252, never failing."""
    for encoding in (charset, "utf-8", "cp1252"):
        if encoding:
            try:
                return data.decode(encoding)
            except (LookupError, UnicodeDecodeError, ValueError):
                continue
    return data.decode("latin-1")


def _file_name(part: Message) -> str | None:
    """Return the attachment's name without folders; RFC 2231, RFC 2047 and raw bytes all occur."""
    readable = Message()  # `get_param` of a header with raw bytes would lose them
    for key, text in part.raw_items():
        if key.casefold() in {"content-disposition", "content-type"}:
            readable[key] = _without_surrogates(str(text))
    raw = readable.get_param("filename", None, "Content-Disposition") or readable.get_param("name", None)
    if not raw:
        return None
    if isinstance(raw, tuple):
        charset, _language, encoded = raw
        return base_name(storable(_decode(encoded.encode("latin-1", "replace"), charset or None)))
    return base_name(storable(_decoded_words(str(raw))))


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(part: Message) -> str:
    charset = part.get_param("charset")
    return storable(_decode(_bytes(part), charset if isinstance(charset, str) else None))


def _when(value: str) -> datetime | None:
    try:
        parsed = email.utils.parsedate_to_datetime(value)
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _nested_name(name: str | None, subject: str) -> str:
    """Name an attached mail: as its sender did, else by its subject."""
    if name:
        return name if name.lower().endswith((".eml", ".msg")) else f"{name}.eml"
    return f"{base_name(subject)[:80] if subject else 'correo adjunto'}.eml"


def _unique(attachments: list[Adjunto]) -> tuple[Adjunto, ...]:
    """Tell equal names apart by a number, so that each inner name means one file."""
    seen: dict[str, int] = {}
    out = []
    for one in attachments:
        key = one.nombre.casefold()
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            stem, dot, suffix = one.nombre.rpartition(".")
            name = f"{stem} ({seen[key]}).{suffix}" if dot else f"{one.nombre} ({seen[key]})"
            one = Adjunto(name, one.datos, one.mensaje, one.decorativo)  # noqa: PLW2901 - the same attachment renamed
        out.append(one)
    return tuple(out)


_BROKEN_OLE = (OleFileError, OSError, ValueError, KeyError, IndexError, struct.error, AssertionError, RecursionError)
"""What the reader of compound files raises on broken ones; each was seen on a damaged file."""


def _leer_msg(path: Path) -> Mensaje:
    try:
        with OleFileIO(str(path)) as ole:
            root = Storage.from_ole(ole)
        return _from_storage(root, _MSG_HEAD, 0)
    except (*_BROKEN_OLE, TypeError, AttributeError, LookupError, NotImplementedError):
        raise Unreadable(
            "El correo de Outlook (.msg) está dañado o incompleto.",
            todo="Ábralo en Outlook y guárdelo de nuevo, o guarde sus anexos y cárguelos.",
            code="msg_danado",
        ) from None


def _from_storage(storage: Storage, head: int, depth: int) -> Mensaje:
    if depth > MAX_DEPTH:
        raise _too_deep()
    props = Properties(storage, properties_header_offset=head)
    headers = email.message_from_string(props.str_prop_value(_HEADERS) or "", policy=policy.compat32)
    sender = props.str_prop_value(_SENDER_SMTP) or props.str_prop_value(_SENDER_MAIL) or ""
    attachments = [
        _outlook_attachment(one, index, depth) for index, one in enumerate(storage.iter_attachment_storages(), 1)
    ]
    when = props.date_prop_value(_DELIVERED)
    return Mensaje(
        message_id=(props.str_prop_value(_MESSAGE_ID) or cabecera(headers, "Message-ID")).strip("<> "),
        asunto=clean(props.str_prop_value(_SUBJECT)) or "",
        remitente=cabecera(headers, "From") or clean(f"{props.str_prop_value(_SENDER_NAME) or ''} <{sender}>") or "",
        fecha=_when(cabecera(headers, "Date")) or (when.astimezone(UTC) if when else None),
        texto=storable(props.str_prop_value(_BODY) or ""),
        html=_outlook_html(props),
        adjuntos=_unique(attachments),
    )


def _outlook_html(props: Properties) -> str:
    data = props.binary_prop_value(_HTML)
    if data:
        declared = re.search(rb"charset=[\"']?([\w-]+)", data[:2048])
        return storable(_decode(data, declared.group(1).decode("ascii") if declared else None))
    return storable(props.str_prop_value(_HTML_TEXT) or "")


def _outlook_attachment(storage: Storage, number: int, depth: int) -> Adjunto:
    props = Properties(storage, properties_header_offset=_ATTACHMENT_HEAD)
    name = base_name(props.str_prop_value(_LONG_NAME) or props.str_prop_value(_SHORT_NAME) or f"adjunto-{number}.bin")
    if props.int_prop_value(_METHOD) == _EMBEDDED:
        inner = next(one for one in storage.storages if one.name == _EMBEDDED_STORAGE)
        sub = _from_storage(inner, _EMBEDDED_HEAD, depth + 1)
        return Adjunto(_nested_name(None, sub.asunto), mensaje=sub)
    data = props.binary_prop_value(_DATA) or b""
    image = (mimetypes.guess_type(name)[0] or "").startswith("image/")
    inline = image and props.str_prop_value(_CONTENT_ID) is not None
    return Adjunto(name, data, decorativo=inline and len(data) < DECORATION_BYTES)
