"""The job that reads the words of documents into the blind index, in the worker, a few at a time.

Invariant: a document is read once per provider that has it, by another process; what could not be read is recorded as
such and not tried again; reading and hashing happen outside transactions, which stay short because filings wait behind
them. Killed at any point it goes on where it was: what is not in the table is what is left.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from radica.app.handlers.turn import keep_turn
from radica.app.house import House
from radica.app.worker import Handler
from radica.custodia.crypto import Damaged
from radica.custodia.models import Blob, Pieza
from radica.custodia.text_models import TextoIndexado
from radica.custodia.texto import KEY_FILE, Leido, key_fits, provider_key, record_text
from radica.custodia.texto_proceso import ILEGIBLE, MAX_BYTES, Reader
from radica.facturas.models import Documento, NoReconocido
from radica.glosas.models import Notificacion
from radica.jobs.queue import Claimed, Done, finish
from radica.jobs.schedule import order_minute
from radica.kernel.db import Database
from radica.kernel.errors import NotFound, Unavailable
from radica.kernel.web_keys import load_or_make_key

KIND_TEXT = "indexar_texto"
BATCH = 50
WORDS_PER_WRITE = 5_000
"""Rows after which a transaction ends: about a tenth of a second."""
NEWEST = 500
"""The clock looks each minute at this many of the newest rows of each kind, and each hour at all."""

log = logging.getLogger("radica.indice")

_SOURCES = (Documento, Pieza, NoReconocido, Notificacion)


@dataclass(frozen=True)
class Pendiente:
    """A blob of a provider that nobody read yet, and its size in bytes."""

    prestador_id: int
    sha256: str
    bytes: int


def pending(session: Session, *, limit: int, newest: int | None = None) -> list[Pendiente]:
    """Return blobs that are not in the index, at most `limit`; with `newest` only among the last rows of each kind."""
    found: dict[tuple[int, str], Pendiente] = {}
    for model in _SOURCES:
        rows = session.execute(_unread(model.id, model.prestador_id, model.sha256, limit, newest))
        for provider, sha256, size in rows:
            found.setdefault((provider, sha256), Pendiente(provider, sha256, size))
        if len(found) >= limit:
            break
    return list(found.values())[:limit]


def _unread(
    id_: InstrumentedAttribute[int],
    provider: InstrumentedAttribute[int] | InstrumentedAttribute[int | None],
    sha256: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
    limit: int,
    newest: int | None,
) -> Select[int, str, int]:
    some = select(id_.label("id"), provider.label("prestador_id"), sha256.label("sha256")).where(
        provider.is_not(None), sha256.is_not(None)
    )
    if newest is not None:
        some = some.order_by(id_.desc()).limit(newest)
    rows = some.subquery()
    read = select(TextoIndexado.id).where(
        TextoIndexado.prestador_id == rows.c.prestador_id, TextoIndexado.sha256 == rows.c.sha256
    )
    return (
        select(rows.c.prestador_id, rows.c.sha256, Blob.bytes)
        .join(Blob, Blob.sha256 == rows.c.sha256)
        .where(~read.exists())
        .order_by(rows.c.id)
        .limit(limit)
    )


def order_indexing(database: Database, now: datetime) -> int:
    """Order the reading when something waits. Returns 1 when the job was added."""
    with database.read() as session:
        waits = pending(session, limit=1, newest=None if now.minute == 0 else NEWEST)
    if not waits:
        return 0
    return order_minute(database, KIND_TEXT, now, priority=200)


def index_texts(house: House, claimed: Claimed) -> None:
    """Read everything that waits."""
    master = load_or_make_key(house.settings.keys / KEY_FILE)
    keys: dict[int, bytes] = {}
    done = 0
    with Reader() as reader:
        while True:
            with house.db.read() as session:
                batch = pending(session, limit=BATCH)
            if not batch:
                break
            read: list[tuple[Pendiente, Leido]] = []
            for one in batch:
                read.append((one, _read(house, reader, one)))
                if sum(len(words.palabras) for _, words in read) >= WORDS_PER_WRITE:
                    done += _write(house, read, keys, master)
                    read = []
                keep_turn(house, claimed, "Leyendo documentos por dentro", done, 0)
            done += _write(house, read, keys, master)
    if done:
        log.info("índice de texto: %s archivos leídos", done)
    finish(house.db, claimed, outcome=Done())


def _read(house: House, reader: Reader, one: Pendiente) -> Leido:
    if one.bytes > MAX_BYTES:
        return ILEGIBLE
    try:
        return reader.words(house.store.read(one.sha256))
    except (NotFound, Damaged):
        return ILEGIBLE  # the verification of custody names what is missing or altered; the index does not wait for it


def _write(house: House, read: list[tuple[Pendiente, Leido]], keys: dict[int, bytes], master: bytes) -> int:
    if not read:
        return 0
    with house.db.write() as session:
        for one, words in read:
            key = keys.get(one.prestador_id) or _key(session, one.prestador_id, master)
            keys[one.prestador_id] = key
            record_text(
                session, prestador_id=one.prestador_id, sha256=one.sha256, read=words, key=key, at=house.clock()
            )
    return len(read)


def _key(session: Session, prestador_id: int, master: bytes) -> bytes:
    """Return the key of a provider. Raises Unavailable when another one wrote what is there."""
    key = provider_key(master, prestador_id)
    if not key_fits(session, prestador_id, key):
        raise Unavailable(
            "La llave del índice de texto no es la que lo escribió; no se indexó nada.",
            todo=f"Restaure el archivo {KEY_FILE} en la carpeta de llaves de esta máquina.",
            code="llave_del_indice",
        )
    return key


HANDLERS: Mapping[str, Handler] = {KIND_TEXT: index_texts}
