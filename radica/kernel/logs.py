"""Log lines with words of `name=value`, and the last gate before they are written.

Invariant: whatever a library or an exception says, no run of six digits (a document, an account), e-mail address,
password, token, cookie or query string reaches a line, and of an exception only its type, a shortened message and
the places in the code. Norms: Ley 1581/2012 arts. 5-6 (health data is sensitive) and Ley 23/1981 (medical secrecy).
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

HIDDEN = "[oculto]"
_MAX_MESSAGE = 300
_MIN_SECRET = 6

_PATTERNS = re.compile(
    r"""
    (?P<hash>\b(?:[0-9a-f]{96}|[0-9a-f]{64})\b)
  | (?P<date>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?)
  | (?P<secret>["']?\b(?:clave|contraseña|contrasena|password|passwd|token|csrf_token|secret|secreto|authorization|
        set-cookie|cookie|api[_-]?key)\w*["']?\s*[=:]\s*(?:(?:bearer|basic)\s+)?(?:"[^"]*"|'[^']*'|[^\s,;}]+))
  | (?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
  | (?P<query>\?[^\s"'<>]*=[^\s"'<>]*)
  | (?P<digits>\d{1,3}(?:[.\s]\d{3}){1,4}(?!\d)|\d{6,})
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SHORT = {"mail": "[correo]", "query": "?[…]", "digits": "[dígitos]"}

_known: set[str] = set()
_known_lock = threading.Lock()


def hide(secret: str) -> None:
    """Remember an exact value (a portal's password) that must never be written; short ones are left to the patterns."""
    if len(secret) >= _MIN_SECRET:
        with _known_lock:
            _known.add(secret)


def redact(text: str) -> str:
    """Return `text` without what no line may hold."""
    with _known_lock:
        secrets = sorted(_known, key=len, reverse=True)
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return _PATTERNS.sub(_replacement, text)


def _replacement(match: re.Match[str]) -> str:
    kind = str(match.lastgroup)
    if kind in {"hash", "date"}:
        return match.group()
    if kind == "secret":
        return re.split(r"[=:]", match.group(), maxsplit=1)[0] + "=" + HIDDEN
    return _SHORT[kind]


class RedactingFormatter(logging.Formatter):
    """Writes `instant LEVEL logger message`, everything after the instant redacted."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, or more when there is an exception."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        text = f"{record.levelname} {record.name} {record.getMessage()}"
        if record.exc_info and record.exc_info[1] is not None:
            text += "\n" + describe(record.exc_info[1])
        return f"{at} {redact(_one_line(text) if not record.exc_info else text)}"


def describe(error: BaseException) -> str:
    """Return an exception as its type, its first line (redacted, shortened) and where it went through our code.

    The source lines and the values of variables are left out: they can hold what a person typed.
    """
    parts: list[str] = []
    seen: set[int] = set()
    present: BaseException | None = error
    while present is not None and id(present) not in seen:
        seen.add(id(present))
        parts.append(f"  {type(present).__module__}.{type(present).__qualname__}: {_first_line(present)}")
        parts.extend(_places(present.__traceback__))
        present = present.__cause__ or (None if present.__suppress_context__ else present.__context__)
    return redact("\n".join(parts))


def _first_line(error: BaseException) -> str:
    # A database error repeats the statement with its parameters; its origin's first line says what went wrong.
    origin = getattr(error, "orig", None)
    text = str(origin if isinstance(origin, BaseException) else error)
    # A KeyError shows its key as it is written in code, with the line break as two characters.
    return re.split(r"\\n|\n", text, maxsplit=1)[0][:_MAX_MESSAGE]


def _places(trace: TracebackType | None) -> list[str]:
    return [
        f"    {'/'.join(frame.filename.rsplit('/', 3)[-3:])}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(trace)
    ]


def _one_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ⏎ ")


def event(logger: logging.Logger, name: str, *, level: int = logging.INFO, **fields: object) -> None:
    """Log `name campo=valor …`; give ids and codes, never what a person typed."""
    logger.log(level, "%s %s", name, " ".join(f"{key}={value}" for key, value in fields.items() if value is not None))


def configure(level: str = "INFO", stream: TextIO | None = None) -> logging.Handler:
    """Send all logs of the process through the gate to `stream` (default: standard error); safe to call twice."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(RedactingFormatter())
    handler.set_name("radica")
    root = logging.getLogger()
    for old in [one for one in root.handlers if one.get_name() == "radica"]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for noisy in ("PIL", "fontTools", "pdfminer", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return handler
