"""The only way into a JSON that came from outside.

Invariant: depth and size are checked by scanning before anything is parsed (200,000 open brackets never reach the
parser), amounts become `Decimal` and never binary floating point, and NaN or Infinity are refused. Messages never
quote the content: it holds health data. Size limit: MinSalud admits RIPS of up to 200 MB.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NoReturn

from radica.facturas.texts import storable
from radica.facturas.xmlsafe import Unreadable

MAX_JSON_BYTES = 200 * 1024 * 1024
MAX_DEPTH = 64
"""A RIPS has six levels, a stored MUV answer seven."""

_ESCAPES = re.compile(r"\\.", re.DOTALL)
"""What stands after a backslash belongs to a string and opens or closes nothing."""
_NO_MARKS = bytes(sorted(set(range(256)) - set(b'"[]{}')))
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""How half a character and NUL are written in JSON; whole pairs and escaped backslashes match too."""
Pairs = Callable[[list[tuple[str, Any]]], Any]
_AGAIN = "Vuelva a descargarlo del sistema que lo generó y cárguelo de nuevo."


def decode_text(data: bytes) -> tuple[str, bool]:
    """Return the text of a JSON and whether its encoding was not the one that the format demands (UTF-8, UTF-16, UTF-32).

    Raises Unreadable when the bytes are no text in a known encoding.
    """
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding).lstrip("\ufeff"), False
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252"), True
    except UnicodeDecodeError:
        raise Unreadable("El archivo no es texto legible.", todo=_AGAIN, code="json_codificacion") from None


def check_depth(text: str) -> None:
    """Refuse a JSON text that nests deeper than `MAX_DEPTH`, in time linear in its length."""
    depth = 0
    for mark in _brackets(text):
        depth += 1 if mark in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Unreadable(
                f"El JSON anida más de {MAX_DEPTH} niveles; ningún RIPS ni resultado del MUV lo hace.",
                todo="Revise de dónde salió el archivo: no es un documento de facturación.",
                code="json_profundo",
            )


def _brackets(text: str) -> bytes:
    """Return the brackets of a text that stand outside its strings, in their order.

    Only quotes and brackets are kept; whether a bracket is inside a string is the parity of the quotes before it, which
    leaving out neighbouring pairs of quotes does not change.
    """
    plain = _ESCAPES.sub("", text) if "\\" in text else text
    marks = plain.encode("utf-8", "surrogatepass").translate(None, _NO_MARKS).replace(b'""', b"")
    return b"".join(marks.split(b'"')[::2])


def parse_json(text: str, *, pairs: Pairs | None = None) -> Any:
    """Parse a JSON text; numbers with a point become Decimal. Raises Unreadable with a true reason.

    `pairs` makes each object of its members, in order and with those that are written twice.
    """
    check_depth(text)
    try:
        value = json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=pairs)
    except json.JSONDecodeError as exc:
        raise _explained(exc, text) from None
    except (ValueError, ArithmeticError, RecursionError):
        raise Unreadable("El JSON trae un número imposible.", todo=_AGAIN, code="json_numero") from None
    if _ESCAPED.search(text) and not _storable(value):
        raise Unreadable("El JSON trae letras que no existen.", todo=_AGAIN, code="json_codificacion")
    return value


def _storable(value: Any) -> bool:
    """Say whether no text in the value holds NUL or half a character, which no database keeps."""
    if isinstance(value, str):
        return storable(value) == value
    if isinstance(value, dict):
        return all(_storable(key) and _storable(one) for key, one in value.items())
    return not isinstance(value, list) or all(_storable(one) for one in value)


def load_json(data: bytes, *, pairs: Pairs | None = None) -> tuple[Any, bool]:
    """Decode and parse bytes; return the value and whether the encoding had to be repaired.

    Raises Unreadable when the bytes are too many, no text, or no JSON.
    """
    if len(data) > MAX_JSON_BYTES:
        raise Unreadable(
            f"El JSON pesa {len(data) // (1024 * 1024)} MB y el máximo que admite MinSalud es 200 MB.",
            todo="Divida la factura o revise el archivo.",
            code="json_grande",
        )
    text, repaired = decode_text(data)
    return parse_json(text, pairs=pairs), repaired


def member_texts(text: str) -> dict[str, str]:
    """Return the exact source text of each member of the top object of a JSON that `parse_json` accepted.

    A document inside another one (the RIPS of a MUV request) keeps the bytes with which it was written.
    """
    decoder = json.JSONDecoder(parse_float=Decimal)
    spans: dict[str, str] = {}
    at = _skip(text, text.index("{") + 1)
    while text[at] != "}":
        key, at = decoder.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        _, end = decoder.raw_decode(text, at)
        spans[key] = text[at:end]
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return spans


def _skip(text: str, at: int) -> int:
    """Return the index of the first character from `at` that is no blank of JSON."""
    while text[at] in " \t\r\n":
        at += 1
    return at


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN or Infinity")


def _explained(exc: json.JSONDecodeError, text: str) -> Unreadable:
    """Say in Spanish why the parser stopped, by line only."""
    where = f" (línea {exc.lineno})"
    if exc.msg == "Extra data":
        return Unreadable(
            f"El archivo trae contenido después de terminar el JSON{where}: parecen dos documentos pegados.",
            todo="Separe cada factura en su propio archivo.",
            code="json_varios",
        )
    if exc.pos >= len(text.rstrip()) or exc.msg.startswith("Unterminated"):
        return Unreadable(f"El JSON está incompleto o cortado{where}.", todo=_AGAIN, code="json_cortado")
    return Unreadable(f"El JSON está mal formado{where}.", todo=_AGAIN, code="json_danado")
