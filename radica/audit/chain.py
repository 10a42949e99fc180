"""The hashed bytes of a link, the same on both databases and in the offline verifier.

Invariant: byte 0x01 (format version), then JSON with sorted keys, compact, UTF-8 in NFC, integers only, instants
as UTC text with microseconds. Change the bytes only by a new version byte; old links keep their version.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from radica.kernel.canonical import canonical_json

GENESIS = "0" * 64
FORMAT_VERSION = b"\x01"
_AS_IT_IS = frozenset({str, int, bool, type(None)})


@lru_cache(maxsize=256)
def instant_text(at: datetime) -> str:
    """Write an aware instant as `2026-11-21T12:00:00.000000Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(link: Mapping[str, Any]) -> bytes:
    """Return the bytes that are hashed. Raises TypeError on floats: they have no one text."""
    text = canonical_json(plain(link))
    # ASCII is in NFC whatever it says.
    return FORMAT_VERSION + (text if text.isascii() else unicodedata.normalize("NFC", text.decode()).encode())


def link_hash(link: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a link as 64 lowercase hex characters."""
    return hashlib.sha256(canonical(link)).hexdigest()


def plain(value: Any) -> Any:
    """Return the value as JSON types, instants as text. Raises TypeError on floats."""
    if type(value) in _AS_IT_IS:
        return value
    if type(value) is dict:  # asked first: each link is one, and `Mapping` takes its time to recognise it
        return {
            key if type(key) is str else str(key): item if type(item) in _AS_IT_IS else plain(item)
            for key, item in value.items()
        }
    if isinstance(value, float):
        raise TypeError("no floats in a hashed link")
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, Mapping):
        return plain(dict(value))
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
