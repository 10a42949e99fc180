"""The house's side of reading words: hands bytes to `texto_hijo` and never opens a document itself.

Invariant: every document has a time limit; one that ends its reader is `ilegible` and the next goes to a new reader.
What a reader that died would have said is not looked at: it may quote a patient.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from radica.custodia.texto import MAX_WORD, MAX_WORDS_PER_BLOB, Leido
from radica.kernel.reader import ReaderProcess

COMMAND = (sys.executable, "-m", "radica.custodia.texto_hijo")
READ_S = 20.0
MAX_BYTES = 64 * 1024 * 1024
"""Longer documents are not read."""
MAX_LINE = 4 * MAX_WORDS_PER_BLOB * MAX_WORD
_OUTCOMES = frozenset({"indexado", "sin_texto", "ilegible", "otro_formato"})
ILEGIBLE = Leido("ilegible", frozenset())


class Reader(ReaderProcess):
    """One reader process at a time, made when it is needed. Use as a context manager."""

    def __init__(self, *, read_s: float = READ_S, command: Sequence[str] = COMMAND) -> None:
        super().__init__(command, read_s=read_s, max_line=MAX_LINE)

    def words(self, data: bytes) -> Leido:
        """Return what is in a document; `ilegible` when it is too long, or its reader dies or takes too long."""
        if len(data) > MAX_BYTES:
            return ILEGIBLE
        found = _understood(self.line({}, data))
        if found is None:
            self.close()
            return ILEGIBLE
        return found


def _understood(line: bytes) -> Leido | None:
    """Read an answer as what it is: words from a process that opened a stranger's file."""
    try:
        value = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    if not isinstance(value, dict) or value.get("resultado") not in _OUTCOMES:
        return None
    words = value.get("palabras")
    if not isinstance(words, list) or len(words) > MAX_WORDS_PER_BLOB:
        return None
    kept = frozenset(one for one in words if isinstance(one, str) and 0 < len(one) <= MAX_WORD)
    return Leido(str(value["resultado"]), kept)
