"""The blind index: finds the documents that hold some words without keeping any text of them.

Invariant: what is stored of a word is an HMAC-SHA256 under a key of the provider, cut to 8 bytes; without the key file
(beside the data, never in the database) a copy of the table tells no word. What it does tell: that two documents of one
provider share a word, and how many hold it. Norm: Ley 1581/2012 arts. 4 lit. f-g and 5 (health data).
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from radica.custodia.text_models import PalabraTexto, TextoIndexado
from radica.kernel.db import insert_rows

KEY_FILE = "indice_texto.key"
MIN_LETTERS = 3
MAX_WORD = 64
MAX_WORDS_PER_BLOB = 20_000
MAX_QUERY_WORDS = 12
WITNESS = "#llave"
"""Written with each blob, and no word of any document: it tells whether a key is the one that wrote the index."""
RARE_ENOUGH = 2_000
"""A word in fewer documents than this leads the search; counting stops there."""
_TOKEN = re.compile(r"[0-9a-z]+")
_GROUPED = re.compile(r"(?<![0-9a-z])[0-9]{1,3}(?:[.,\u00a0' ][0-9]{3})+(?![0-9a-z])")


@dataclass(frozen=True)
class Leido:
    """What was read of a blob: outcome (indexado, sin_texto, ilegible, otro_formato) and its distinct words."""

    resultado: str
    palabras: frozenset[str] = field(repr=False)


def fold(text: str) -> str:
    """Return the text in lowercase and without accents: `Núñez` and `NUNEZ` are one word."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in plain if not unicodedata.combining(one))


def words_of(text: str) -> set[str]:
    """Return the distinct words: letters and digits, `MIN_LETTERS` or longer; `1.234.567` is `1234567` too."""
    plain = fold(text)
    found = {one for one in _TOKEN.findall(plain) if MIN_LETTERS <= len(one) <= MAX_WORD}
    found |= {"".join(ch for ch in group if ch.isdigit()) for group in _GROUPED.findall(plain)}
    return found


def query_words(text: str) -> list[str]:
    """Return the words that a question asks for, all of them; a grouped number is asked as one."""
    plain = _GROUPED.sub(lambda match: "".join(ch for ch in match[0] if ch.isdigit()), fold(text))
    found = [one for one in _TOKEN.findall(plain) if MIN_LETTERS <= len(one) <= MAX_WORD]
    return list(dict.fromkeys(found))[:MAX_QUERY_WORDS]


def provider_key(master: bytes, prestador_id: int) -> bytes:
    """Return the key of one provider's words: HKDF-SHA256 of the master key, so that equal words do not link tenants."""
    info = b"radica/indice-de-texto/1/prestador:%d" % prestador_id
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(master)


def blind(key: bytes, word: str) -> int:
    """Return what is stored of a word: the first 8 bytes of its HMAC as a signed integer."""
    return int.from_bytes(hmac.digest(key, word.encode(), "sha256")[:8], "big", signed=True)


def record_text(
    session: Session, *, prestador_id: int, sha256: str, read: Leido, key: bytes, at: datetime
) -> TextoIndexado | None:
    """Write that a blob was read and its words; None when another process had.

    At most `MAX_WORDS_PER_BLOB` words, the same ones each time. The caller commits.
    """
    known = select(TextoIndexado.id).where(TextoIndexado.prestador_id == prestador_id, TextoIndexado.sha256 == sha256)
    if session.scalar(known) is not None:
        return None
    chosen = sorted(read.palabras)[:MAX_WORDS_PER_BLOB]
    row = TextoIndexado(prestador_id=prestador_id, sha256=sha256, palabras=len(chosen), resultado=read.resultado, at=at)
    session.add(row)
    session.flush()
    hashes = sorted({blind(key, word) for word in (*chosen, WITNESS)})
    if chosen:
        insert_rows(
            session,
            PalabraTexto,
            [{"prestador_id": prestador_id, "palabra": one, "texto_id": row.id} for one in hashes],
        )
    return row


def key_fits(session: Session, prestador_id: int, key: bytes) -> bool:
    """Say whether `key` wrote the index of a provider; an index without words fits every key."""
    mine = PalabraTexto.prestador_id == prestador_id
    if session.scalar(select(PalabraTexto.texto_id).where(mine).limit(1)) is None:
        return True
    witness = select(PalabraTexto.texto_id).where(mine, PalabraTexto.palabra == blind(key, WITNESS)).limit(1)
    return session.scalar(witness) is not None


def find_blobs(session: Session, words: Sequence[str], *, keys: dict[int, bytes], limit: int) -> list[tuple[int, str]]:
    """Return (provider, SHA-256) of documents that hold all the words, newest first per provider; at most `limit` each.

    `keys` are the keys of the providers that may be asked. No words find nothing.
    """
    found: list[tuple[int, str]] = []
    for prestador_id, key in sorted(keys.items()):
        hashes = [blind(key, word) for word in dict.fromkeys(words)]
        if not hashes:
            continue
        hashes.sort(key=lambda one: _count(session, prestador_id, one))
        rows = session.execute(_all_of(prestador_id, hashes, limit))
        found += [(prestador_id, row.sha256) for row in rows]
    return found


def _count(session: Session, prestador_id: int, word: int) -> int:
    some = (
        select(PalabraTexto.texto_id)
        .where(PalabraTexto.prestador_id == prestador_id, PalabraTexto.palabra == word)
        .limit(RARE_ENOUGH)
    )
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def _all_of(prestador_id: int, hashes: Sequence[int], limit: int) -> Select[str]:
    """Return the query: the rarest word leads along the key, the others are looked up one by one."""
    lead = aliased(PalabraTexto)
    query = (
        select(TextoIndexado.sha256)
        .join(lead, lead.texto_id == TextoIndexado.id)
        .where(lead.prestador_id == prestador_id, lead.palabra == hashes[0])
    )
    for word in hashes[1:]:
        other = aliased(PalabraTexto)
        query = query.where(
            select(other.texto_id)
            .where(other.prestador_id == prestador_id, other.palabra == word, other.texto_id == lead.texto_id)
            .exists()
        )
    return query.order_by(lead.texto_id.desc()).limit(limit)


def indexed(session: Session, prestador_id: int, sha256s: Collection[str]) -> set[str]:
    """Return which of some blobs were read already."""
    rows = session.scalars(
        select(TextoIndexado.sha256).where(
            TextoIndexado.prestador_id == prestador_id, TextoIndexado.sha256.in_(sorted(sha256s))
        )
    )
    return set(rows)


def joined(parts: Iterable[str]) -> frozenset[str]:
    """Return the words of several texts, at most `MAX_WORDS_PER_BLOB` of them."""
    found: set[str] = set()
    for part in parts:
        found |= words_of(part)
        if len(found) > MAX_WORDS_PER_BLOB:
            break
    return frozenset(sorted(found)[:MAX_WORDS_PER_BLOB])
