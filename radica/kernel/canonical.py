"""One text for one JSON value: sorted keys, compact, UTF-8 without escapes. What is hashed or kept as JSON is this.

Invariant: the bytes are those of Python's own encoder, whichever of the two writes them; the quick one takes a
fifteenth of its time, and gives over to it what it does not take (integers beyond 64 bits, keys that are no text).
"""

from __future__ import annotations

import json
from typing import Any

import orjson

# Dates and objects are no JSON: a caller that passes one is told, as Python's encoder tells it.
_QUICK = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_reference = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def canonical_json(value: Any) -> bytes:
    """Return the value as JSON. Raises TypeError for what JSON does not have, UnicodeEncodeError for half a character.

    Floats are written, but not by one text for all time: what is hashed must hold none.
    """
    try:
        return orjson.dumps(value, option=_QUICK)
    except TypeError:
        return _reference(value).encode()
