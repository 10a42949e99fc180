"""Stage of the seals: the tree is built again from its leaves, and each sealed root is compared with what was told.

Invariant: every root is computed here over one growing list of leaves, so that seals which hold are also consistent
with each other (RFC 6962 section 2.1.2); a published line that the seals do not hold any more is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from radica.audit.merkle import Frontier, frontier_root, leaf_hash, push, root
from radica.custodia.arbol import TILE, tile_bytes
from radica.custodia.check_models import Gravedad, TipoHallazgo
from radica.custodia.seal_models import Hoja, Mosaico, Sello
from radica.custodia.sellos import leaf_bytes
from radica.custodia.verificar_base import Hallado, Paso, Taller, frozen, raw_rows

MOST = 50
"""Findings of one kind that are written out; one changed leaf breaks every seal after it."""
PUBLISHED = re.compile(r"radica/1 (\d{1,18}) ([0-9a-f]{64})\b")


@dataclass
class _Tree:
    """The tree as it grows again, and what was found on the way."""

    frontier: Frontier = field(default_factory=list)
    size: int = 0
    open_tiles: list[list[bytes]] = field(default_factory=lambda: [[]])
    tiles: int = 0
    seals: int = 0
    found: list[Hallado] = field(default_factory=list)
    left_out: int = 0

    def add(self, tipo: TipoHallazgo, what: str, expected: str, found: str, words: str) -> None:
        """Keep a finding, or count it when there are too many."""
        if len(self.found) < MOST:
            self.found.append(Hallado(tipo, Gravedad.GRAVE, what, expected, found, words))
        else:
            self.left_out += 1


def tree(taller: Taller, cursor: str) -> Iterator[Paso]:
    """Build the tree again and compare leaves, tiles, every sealed root, and the published lines. One step."""
    if cursor:
        return
    grown = _Tree()
    with frozen(taller.db) as session:
        seals = {int(row["hojas"]): row for row in rows_of(session, "sellos", Sello, "hojas")}
        published = _published(taller)
        for row in rows_of(session, "hojas", Hoja, "indice"):
            _grow(session, grown, row)
            _compare(grown, seals.get(grown.size), published.get(grown.size))
        for size in sorted(one for one in seals.keys() | published.keys() if one > grown.size):
            what = f"sello:{seals[size]['id']}" if size in seals else f"sello de {size} hojas"
            words = "Faltan hojas: el árbol ya no llega hasta este sello."
            grown.add(TipoHallazgo.SELLO_INVALIDO, what, f"{size} hojas", f"{grown.size} hojas", words)
    if grown.left_out:
        words = f"Hay {grown.left_out} hallazgos más del árbol que no se escribieron: los anteriores los causan."
        grown.found.append(Hallado(TipoHallazgo.SELLO_INVALIDO, Gravedad.GRAVE, "arbol", "", "", words))
    counted = {"hojas": grown.size, "mosaicos": grown.tiles, "sellos": grown.seals, "publicados": len(published)}
    yield Paso("hecho", grown.size, 0, counted, grown.found)


def rows_of(session: Session, name: str, model: Any, order: str) -> Iterator[dict[str, Any]]:
    """Return all rows of a table as they stand there, in order."""
    return raw_rows(session, name, [one.name for one in model.__table__.columns], true(), order)


def _grow(session: Session, grown: _Tree, row: Mapping[str, Any]) -> None:
    """Add the next leaf, after looking whether it is the next, and whether it says what it stands for."""
    number = int(row["indice"])
    if number != grown.size:
        words = "Faltan hojas del árbol antes de esta."
        grown.add(TipoHallazgo.FALTANTE, f"hoja:{number}", str(grown.size), str(number), words)
        grown.size = number
    computed = leaf_hash(leaf_bytes(str(row["tipo"]), str(row["nombre"]), int(row["seq"]), str(row["hash"]))).hex()
    kept = str(row["hoja"])
    if computed != kept:
        words = f"No es la hoja de {row['nombre']}#{row['seq']} que se selló."
        grown.add(TipoHallazgo.ALTERADO, f"hoja:{number}", kept, computed, words)
    # The kept hash goes into the tree: a leaf whose contents alone were changed is named, and its seal still holds.
    leaf = bytes.fromhex(kept) if re.fullmatch("[0-9a-f]{64}", kept) else bytes.fromhex(computed)
    push(grown.frontier, leaf)
    grown.size += 1
    _fill(session, grown, 0, leaf)


def _fill(session: Session, grown: _Tree, level: int, one: bytes) -> None:
    """Put a hash into the tile under way of its level; a full one is compared with what is kept, and goes up."""
    if level == len(grown.open_tiles):
        grown.open_tiles.append([])
    tile = grown.open_tiles[level]
    tile.append(one)
    if len(tile) < TILE:
        return
    index = grown.size // TILE ** (level + 1) - 1
    kept = session.scalar(select(Mosaico.hashes).where(Mosaico.nivel == level, Mosaico.indice == index))
    grown.tiles += 1
    what = f"mosaico:{level}/{index}"
    if kept is None:
        grown.add(TipoHallazgo.FALTANTE, what, "", "", "Falta un mosaico del árbol.")
    elif kept != tile_bytes(tile):
        place = next((at for at in range(TILE) if kept[at * 32 : at * 32 + 32] != tile[at]), 0)
        what = f"hoja:{index * TILE + place}" if level == 0 else what
        words = "El árbol guardado no coincide con sus hojas."
        grown.add(TipoHallazgo.ALTERADO, what, kept[place * 32 : place * 32 + 32].hex(), tile[place].hex(), words)
    above = root(tile)
    tile.clear()
    _fill(session, grown, level + 1, above)


def _compare(grown: _Tree, seal: Mapping[str, Any] | None, published: str | None) -> None:
    """Compare the root at this size with the seal of this size, and with what was published of it."""
    if seal is None and published is None:
        return
    computed = frontier_root(grown.frontier).hex()
    if seal is not None:
        grown.seals += 1
        if seal["raiz"] != computed:
            words = f"La raíz de sus {grown.size} hojas no es la que se selló."
            grown.add(TipoHallazgo.SELLO_INVALIDO, f"sello:{seal['id']}", str(seal["raiz"]), computed, words)
    if published is not None and (seal is None or published != computed):
        what = f"sello:{seal['id']}" if seal is not None else f"sello de {grown.size} hojas"
        words = "Lo publicado de este sello no es lo que hay."
        grown.add(TipoHallazgo.SELLO_INVALIDO, what, published, computed if seal is not None else "", words)


def _published(taller: Taller) -> dict[int, str]:
    """Return what the publication file says: root by size of the tree. A size told twice keeps the first."""
    path = taller.publicados
    if path is None or not path.is_file():
        return {}
    told: dict[int, str] = {}
    with path.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            if found := PUBLISHED.search(line):
                told.setdefault(int(found[1]), found[2])
    return told
