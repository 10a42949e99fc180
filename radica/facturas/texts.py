"""Text as other people's programs wrote it: double-encoded accents, control characters, names of files.

Invariant: what is repaired here is only shown or compared; stored bytes are never touched. A repair happens only
when it is reversible, so that a text that was right stays as it is.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

_SUSPECT = re.compile("[ÂÃâ][\u0080-\u00ff\u0152-\u2122]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_FIRST_YEAR, _LAST_YEAR = 1990, 2200
_SPACES = re.compile(r"\s+")


def repair_mojibake(text: str) -> str:
    """Undo UTF-8 that was read as Windows-1252 or Latin-1 and written again (`FacturaciÃ³n` → `Facturación`).

    Returns the text unchanged when it does not show the pattern or cannot be turned back without loss.
    """
    if not _SUSPECT.search(text):
        return text
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
    return text


def clean(text: str | None) -> str | None:
    """Return the text repaired, in NFC, with single spaces and no control characters; None when nothing is left."""
    if text is None:
        return None
    plain = _CONTROL.sub(" ", unicodedata.normalize("NFC", repair_mojibake(text)))
    return _SPACES.sub(" ", plain).strip() or None


def storable(text: str) -> str:
    """Return the text without what no database keeps: NUL, and half characters (names of files that are not UTF-8)."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def believable(day: date) -> bool:
    """Say whether a document may be of that day: years that no invoice has break every count of days."""
    return _FIRST_YEAR <= day.year <= _LAST_YEAR


def fold(text: str) -> str:
    """Return the text in lower case without accents or marks, to compare what people typed."""
    split = unicodedata.normalize("NFKD", repair_mojibake(text))
    return _SPACES.sub(" ", "".join(c for c in split if not unicodedata.combining(c))).strip().casefold()


def has_control(text: str) -> bool:
    """Say whether the text holds control or direction-changing characters, which hide what a name really is."""
    return bool(_CONTROL.search(text))


def base_name(name: str) -> str:
    """Return the last part of a file name that came from outside, without folders and control characters.

    The result is for reading and for `soportes.parse_support_name` only; no path on disk is ever built from it.
    """
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return clean(last) or "sin nombre"
