"""The house's Merkle tree: what a leaf and a sealed line say, and any node, root or path out of leaves and tiles.

Invariant: what is read depends on the leaves alone; tiles are complete subtrees that spare reading them again, so a
path needs a few rows however big the tree is. Norm: RFC 6962 section 2.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.audit import merkle
from radica.audit.chain import canonical
from radica.custodia.seal_models import Hoja, Mosaico, Sello, TipoHoja
from radica.kernel.db import insert_rows

TILE_BITS = 8
TILE = 1 << TILE_BITS
"""Hashes in a tile."""
_BYTES = merkle.HASH_BYTES
_PLAIN, _HEX = re.compile(r"[a-z_]+:[0-9]+").fullmatch, re.compile(r"[0-9a-f]{64}").fullmatch
_ROOT_AT = TILE * _BYTES
"""Where a tile keeps its own root."""


def leaf_bytes(tipo: TipoHoja | str, nombre: str, seq: int, hash: str) -> bytes:
    """Return what is hashed behind 0x00 for a leaf: byte 0x01, then `{"hash","nombre","seq","tipo"}` as canonical JSON."""
    if _PLAIN(nombre) and _HEX(hash):
        # The same bytes as below, without asking for each of a hundred thousand what nobody has to escape.
        return f'\x01{{"hash":"{hash}","nombre":"{nombre}","seq":{seq},"tipo":"{tipo}"}}'.encode("ascii")
    return canonical({"tipo": str(tipo), "nombre": nombre, "seq": seq, "hash": hash})


def sello_line(sello: Sello) -> bytes:
    """Return what an authority stamps (its SHA-256) and the world is told: `radica/1 <hojas> <raiz>` and a newline."""
    return f"radica/1 {sello.hojas} {sello.raiz}\n".encode("ascii")


@dataclass
class Tree:
    """The tree over the first `size` leaves, as the database has it; tiles read once are kept."""

    session: Session
    size: int
    rows: dict[tuple[int, int], list[bytes]] = field(default_factory=dict)

    def root(self) -> bytes:
        """Return the root over all its leaves."""
        return self.over((0, self.size))

    def inclusion(self, index: int) -> list[bytes]:
        """Return the path of the leaf at `index`. Raises ValueError when it has none."""
        return [self.over(one) for one in merkle.inclusion_ranges(index, self.size)]

    def consistency(self, older: int) -> list[bytes]:
        """Return the proof that this tree begins with its first `older` leaves. Raises ValueError."""
        return [self.over(one) for one in merkle.consistency_ranges(older, self.size)]

    def over(self, leaves: merkle.Range) -> bytes:
        """Return the hash over a range that begins a subtree."""
        return merkle.fold([self._complete(*one) for one in merkle.complete_ranges(*leaves)])

    def _complete(self, start: int, end: int) -> bytes:
        height = (end - start).bit_length() - 1
        level, above = divmod(height, TILE_BITS)
        first = start >> (TILE_BITS * level)
        row = self._row(level, first >> TILE_BITS)
        hashes = row[first % TILE : first % TILE + (1 << above)]
        while len(hashes) > 1:
            hashes = merkle.pair_up(hashes)
        return hashes[0]

    def _row(self, level: int, index: int) -> list[bytes]:
        """Return the hashes of one tile, or those that there are of one that is not complete yet."""
        key = (level, index)
        if key not in self.rows:
            whole = self.size >> (TILE_BITS * (level + 1)) > index
            self.rows[key] = _tile(self.session, level, index) if whole else self._unfinished(level, index << TILE_BITS)
        return self.rows[key]

    def _unfinished(self, level: int, first: int) -> list[bytes]:
        last = self.size >> (TILE_BITS * level)
        return hashes_at(self.session, level, first, last)


def hashes_at(session: Session, level: int, first: int, last: int) -> list[bytes]:
    """Return the hashes from `first` to `last` (exclusive) at height 8 × `level`: leaves, or roots of tiles."""
    if level == 0:
        leaves = select(Hoja.hoja).where(Hoja.indice >= first, Hoja.indice < last).order_by(Hoja.indice)
        return [bytes.fromhex(one) for one in session.scalars(leaves)]
    root = func.substr(Mosaico.hashes, _ROOT_AT + 1, _BYTES)
    tiles = select(root).where(Mosaico.nivel == level - 1, Mosaico.indice >= first, Mosaico.indice < last)
    return [bytes(one) for one in session.scalars(tiles.order_by(Mosaico.indice))]


def complete_tiles(session: Session, size: int) -> int:
    """Add the tiles that a tree of `size` leaves has complete and the database not yet; return how many."""
    added, level = 0, 0
    while (wanted := size >> (TILE_BITS * (level + 1))) > 0:
        last = session.scalar(select(func.max(Mosaico.indice)).where(Mosaico.nivel == level))
        have = 0 if last is None else last + 1
        hashes = hashes_at(session, level, have * TILE, wanted * TILE) if wanted > have else []
        rows = [
            {"nivel": level, "indice": have + at // TILE, "hashes": tile_bytes(hashes[at : at + TILE])}
            for at in range(0, len(hashes), TILE)
        ]
        insert_rows(session, Mosaico, rows)
        added, level = added + len(rows), level + 1
    return added


def tile_bytes(hashes: list[bytes]) -> bytes:
    """Return what a tile keeps: its 256 hashes and their root."""
    assert len(hashes) == TILE, "leaves have no holes"
    return b"".join([*hashes, merkle.root(hashes)])


def _tile(session: Session, level: int, index: int) -> list[bytes]:
    kept = session.scalars(select(Mosaico.hashes).where(Mosaico.nivel == level, Mosaico.indice == index)).one()
    return [kept[at : at + _BYTES] for at in range(0, _ROOT_AT, _BYTES)]
