"""Seals: the new heads of all chains become leaves of one Merkle tree, and its root is what the world is told.

Invariant: the tree is one for the house and never forks: leaves are numbered without holes by whoever holds the one
lock. A head is a leaf once per link. The leaf names a chain and a hash, no patient and nothing that was said. A clock
that was set back seals all the same: the seal says both clocks, and the order is the tree's. Norms: RFC 6962; Ley
527/1999 arts. 9 and 11.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from radica.audit import merkle
from radica.audit.services import database_now
from radica.custodia.arbol import Tree, complete_tiles, leaf_bytes, sello_line
from radica.custodia.pruebas import Prueba, consistency, leaf_covering, proof_of
from radica.custodia.seal_models import Hoja, Sello, TipoHoja
from radica.kernel.clock import Clock
from radica.kernel.db import Database
from radica.kernel.errors import BadInput

__all__ = [
    "Prueba", "add_heads", "add_manifest", "anything_unsealed", "clock_went_back", "consistency", "last_seal", "leaf_bytes",
    "leaf_covering", "proof_of", "seal", "seal_heads", "sello_line", "tree_size", "unsealed",
]  # fmt: skip

LEAVES_AT_ONCE = 20_000
"""Heads that one transaction makes leaves of: filings wait behind no longer one."""
_LOCK = 0x5E110
"""PostgreSQL's advisory lock of the tree; on SQLite a writing transaction is alone as it is."""

_WAITING = text("""
    SELECT case_key, seq, hash FROM chain_heads
    WHERE pendiente AND seq > 0 AND NOT EXISTS (
        SELECT 1 FROM hojas
        WHERE hojas.tipo = 'cadena' AND hojas.nombre = chain_heads.case_key AND hojas.seq = chain_heads.seq)
    ORDER BY case_key LIMIT :limit""")
_UNSEALED = text("""
    SELECT count(*) FROM chain_heads
    WHERE pendiente AND seq > 0 AND NOT EXISTS (
        SELECT 1 FROM hojas
        WHERE hojas.tipo = 'cadena' AND hojas.nombre = chain_heads.case_key AND hojas.seq = chain_heads.seq)""")
# A writer of SQLite is alone, so all that waited up to the last of the batch is a leaf by now. On PostgreSQL a head that
# moved on since it was read stays marked, and one that is locked just now too: waiting for it here, with others held
# already, would be a deadlock. A mark too many costs one look at a seal, and goes with the next leaf of that head.
_MARK_OFF = {
    "sqlite": text("UPDATE chain_heads SET pendiente = 0 WHERE pendiente AND seq > 0 AND case_key <= :last"),
    "postgresql": text("""
        UPDATE chain_heads SET pendiente = false WHERE ctid = ANY (ARRAY(
            SELECT h.ctid FROM hojas JOIN chain_heads h ON h.case_key = hojas.nombre AND h.seq = hojas.seq
            WHERE hojas.indice >= :first AND hojas.tipo = 'cadena' AND h.pendiente FOR UPDATE OF h SKIP LOCKED))"""),
}
_COLUMNS = "indice, tipo, nombre, seq, hash, hoja"

log = logging.getLogger("radica.sellos")


def seal(db: Database, *, clock: Clock) -> Sello | None:
    """Seal all that waits, in short transactions; None when nothing is new since the last seal."""
    more = True
    while more:
        with db.write() as session:
            more = add_heads(session) == LEAVES_AT_ONCE
    with db.write(durable=True) as session:
        return seal_heads(session, at=clock())


def seal_heads(session: Session, *, at: datetime) -> Sello | None:
    """Make leaves of the heads that are none yet, and seal the tree, in the caller's transaction.

    `at` is the business instant (aware). Returns None when the tree has not grown since its last seal.
    """
    while add_heads(session) == LEAVES_AT_ONCE:
        pass
    size, last = tree_size(session), last_seal(session)
    if (last is not None and last.hojas == size) or not size:
        return None
    complete_tiles(session, size)
    row = Sello(hojas=size, raiz=Tree(session, size).root().hex(), creado_at=at, recorded_at=database_now(session))
    session.add(row)
    session.flush()
    if last is not None and clock_went_back(last, row):
        log.warning("sello %s: el reloj está antes que el del sello %s; se selló igual y consta", row.id, last.id)
    return row


def add_heads(session: Session, *, limit: int = LEAVES_AT_ONCE) -> int:
    """Make leaves of up to `limit` heads that are none yet; return how many. They are sealed by the next seal."""
    _hold_tree(session)
    heads = session.execute(_WAITING, {"limit": limit}).all()
    if not heads:
        return 0
    first, kind = tree_size(session), TipoHoja.CADENA.value
    _add_leaves(
        session,
        [
            (first + at, kind, name, seq, digest, merkle.leaf_hash(leaf_bytes(kind, name, seq, digest)).hex())
            for at, (name, seq, digest) in enumerate(heads)
        ],
    )
    session.execute(_MARK_OFF[session.get_bind().dialect.name], {"last": heads[-1][0], "first": first})
    return len(heads)


def add_manifest(session: Session, *, expediente: str, seq: int, sha256: str, at: datetime) -> Hoja:
    """Add the leaf of a dossier's manifests (`sha256`, hex), export number `seq`; the next seal seals it.

    The same again gives the same leaf. Raises BadInput when that export has a leaf with another hash. `at` is only
    logged: a leaf carries no date, its seal does.
    """
    _hold_tree(session)
    found = session.scalars(
        select(Hoja).where(Hoja.tipo == TipoHoja.MANIFIESTO, Hoja.nombre == expediente, Hoja.seq == seq)
    ).one_or_none()
    if found is not None:
        if found.hash != sha256:
            raise BadInput(
                f"La exportación {seq} de {expediente} ya está sellada con otro contenido.",
                todo="Exporte de nuevo: recibe otro número.",
                code="manifiesto_sellado",
            )
        return found
    row = Hoja(
        indice=tree_size(session),
        tipo=TipoHoja.MANIFIESTO,
        nombre=expediente,
        seq=seq,
        hash=sha256,
        hoja=merkle.leaf_hash(leaf_bytes(TipoHoja.MANIFIESTO, expediente, seq, sha256)).hex(),
    )
    session.add(row)
    session.flush()
    log.info("manifiesto de %s, exportación %s: hoja %s a las %s", expediente, seq, row.indice, at.isoformat())
    return row


def tree_size(session: Session) -> int:
    """Return how many leaves there are, sealed or not."""
    last = session.scalar(select(func.max(Hoja.indice)))
    return 0 if last is None else last + 1


def last_seal(session: Session) -> Sello | None:
    """Return the newest seal."""
    return session.scalars(select(Sello).order_by(Sello.hojas.desc()).limit(1)).first()


def unsealed(session: Session) -> int:
    """Count the chains whose last link is under no seal yet, and the leaves that wait for one."""
    heads = session.execute(_UNSEALED).scalar_one()
    last = last_seal(session)
    return int(heads) + tree_size(session) - (last.hojas if last else 0)


def anything_unsealed(session: Session) -> bool:
    """Tell whether the next seal would be a new one; looks at one waiting head, however many there are."""
    last = last_seal(session)
    return bool(session.execute(_WAITING, {"limit": 1}).first()) or tree_size(session) > (last.hojas if last else 0)


def clock_went_back(before: Sello, after: Sello) -> bool:
    """Tell whether either clock says that the later of two seals came first; the tree's order is not in doubt."""
    return after.creado_at < before.creado_at or after.recorded_at < before.recorded_at


def _hold_tree(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    session.flush()


def _add_leaves(session: Session, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write leaves in the quickest way that each driver has: filings wait behind this transaction."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"INSERT INTO hojas ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", list(rows))  # noqa: S608
        return
    raw = connection.connection.driver_connection
    assert raw is not None
    with raw.cursor() as cursor, cursor.copy(f"COPY hojas ({_COLUMNS}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
