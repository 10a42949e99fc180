"""Titles of columns, compared as people read them: accents, case, spaces and punctuation do not count.

Invariant: a title matches a whole known title, never a part of one, except that each letter lost to a wrong encoding
(U+FFFD) stands for any one letter.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from radica.glosas.lectura.valores import Celda, texto

_OTHER = re.compile(r"[^A-Z0-9\ufffd]+")


@lru_cache(maxsize=8192)
def clave(title: str) -> str:
    """Return the letters and digits of a title, upper case, without accents: `Número de Factura` → NUMERODEFACTURA."""
    plain = unicodedata.normalize("NFKD", title)
    bare = "".join(one for one in plain if not unicodedata.combining(one))
    return _OTHER.sub("", bare.upper())


def clave_celda(cell: Celda) -> str:
    """Return the key of a header cell; "" for what cannot be a title (empty, number, date, a paragraph)."""
    return clave(texto(cell)) if isinstance(cell, str) and len(cell) <= 120 else ""


def igual(key: str, known: str) -> bool:
    """Say whether a key read from a file is the known one, letters lost in the way allowed."""
    if key == known:
        return True
    if "\ufffd" not in key or key.count("\ufffd") * 3 > len(key):
        return False
    # One lost letter is one sign when Latin-1 was read as UTF-8, or several when UTF-8 itself was broken.
    pattern = "".join("[A-Z]{1,2}" if part == "\ufffd" else re.escape(part) for part in re.split("(\ufffd+)", key))
    return re.fullmatch(re.sub("\ufffd+", "[A-Z]{0,3}", pattern), known) is not None
