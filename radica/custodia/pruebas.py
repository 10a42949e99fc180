"""Proofs out of the tree: that a link or a dossier stands under a sealed root, and that no root rewrote an older one.

Invariant: a proof carries all that somebody needs who has nothing of ours: leaf, path, root, tokens; it is read out
of the tree and checked before it leaves. Norms: RFC 6962 section 2.1, RFC 3161; Ley 527/1999 art. 11.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit import merkle
from radica.audit.chain import instant_text, plain
from radica.audit.models import AccessLog, Transition
from radica.audit.services import READINGS, link_content, reading_content
from radica.custodia.arbol import TILE, Tree, hashes_at, leaf_bytes, sello_line, tile_bytes
from radica.custodia.seal_models import Hoja, Mosaico, Sello, TipoHoja, TokenTiempo
from radica.kernel.errors import NotFound, Unavailable

_AT_ONCE = 10_000


@dataclass(frozen=True)
class Prueba:
    """That a leaf stands in a sealed tree. `path` and `root` are hex; `tokens` are DER, each with its authority's PEM."""

    hoja: Hoja
    sello: Sello
    path: tuple[str, ...]
    tokens: tuple[TokenTiempo, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON types, to be carried away."""
        return {
            "formato": "radica/prueba/1",
            "hoja": {
                "tipo": self.hoja.tipo.value,
                "nombre": self.hoja.nombre,
                "seq": self.hoja.seq,
                "hash": self.hoja.hash,
                "hash_hoja": self.hoja.hoja,
                "indice": self.hoja.indice,
            },
            "camino": list(self.path),
            "sello": seal_dict(self.sello),
            "tokens": [token_dict(one) for one in self.tokens],
        }


@dataclass(frozen=True)
class Consistencia:
    """That the tree of one seal begins with that of an older one; `path` is hex."""

    antes: Sello
    despues: Sello
    path: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {
            "formato": "radica/consistencia/1",
            "desde": seal_dict(self.antes),
            "hasta": seal_dict(self.despues),
            "camino": list(self.path),
        }


def seal_dict(sello: Sello) -> dict[str, Any]:
    """Return a seal as JSON types, with the line that authorities stamp and its SHA-256."""
    line = sello_line(sello)
    return {
        "id": sello.id,
        "hojas": sello.hojas,
        "raiz": sello.raiz,
        "linea": line.decode("ascii"),
        "sha256_linea": hashlib.sha256(line).hexdigest(),
        "creado_at": instant_text(sello.creado_at),
        "recorded_at": instant_text(sello.recorded_at),
    }


def token_dict(token: TokenTiempo) -> dict[str, Any]:
    """Return a token as JSON types; `token` is base64 of its DER."""
    return {
        "tsa": token.tsa,
        "hora": instant_text(token.hora),
        "serie": token.serie,
        "acreditada": token.acreditada,
        "token": base64.b64encode(token.token).decode("ascii"),
        "cadena": token.cadena,
    }


def leaf_covering(session: Session, nombre: str, seq: int, *, tipo: TipoHoja = TipoHoja.CADENA) -> Hoja:
    """Return the first leaf of a chain whose head is the link `seq` or a later one: it proves that link too.

    Raises NotFound when there is none yet.
    """
    found = session.scalars(
        select(Hoja).where(Hoja.tipo == tipo, Hoja.nombre == nombre, Hoja.seq >= seq).order_by(Hoja.seq).limit(1)
    ).first()
    if found is None:
        raise NotFound("Ese evento no está sellado todavía.", todo="Séllelo ahora con: radica custodia sellar")
    return found


def seal_of(session: Session, indice: int) -> Sello:
    """Return the seal that best proves the leaf at `indice`: the first with a token, else the first. Raises NotFound."""
    over = select(Sello).where(Sello.hojas > indice).order_by(Sello.hojas).limit(1)
    stamped = over.where(select(TokenTiempo.id).where(TokenTiempo.sello_id == Sello.id).exists())
    found = session.scalars(stamped).first() or session.scalars(over).first()
    if found is None:
        raise NotFound("Ese evento no está sellado todavía.", todo="Séllelo ahora con: radica custodia sellar")
    return found


def proof_of(session: Session, hoja: Hoja, *, sello: Sello | None = None, tree: Tree | None = None) -> Prueba:
    """Return the proof of a leaf under `sello`, or under the seal that proves it best.

    `tree` (of that seal's size) spares reading tiles again for many leaves. Raises NotFound when no seal covers it,
    Unavailable when leaf, tiles and root do not agree: then somebody changed them.
    """
    over = sello or seal_of(session, hoja.indice)
    if over.hojas <= hoja.indice:
        raise NotFound("Ese sello es anterior a ese evento.", todo="Elija un sello posterior.")
    path = (tree or Tree(session, over.hojas)).inclusion(hoja.indice)
    leaf = merkle.leaf_hash(leaf_bytes(hoja.tipo, hoja.nombre, hoja.seq, hoja.hash))
    if not merkle.verify_inclusion(leaf, hoja.indice, over.hojas, path, bytes.fromhex(over.raiz)):
        raise _broken()
    return Prueba(hoja, over, tuple(one.hex() for one in path), tokens_of(session, over))


def tokens_of(session: Session, sello: Sello) -> tuple[TokenTiempo, ...]:
    """Return the tokens of a seal, earliest first."""
    rows = select(TokenTiempo).where(TokenTiempo.sello_id == sello.id).order_by(TokenTiempo.hora, TokenTiempo.id)
    return tuple(session.scalars(rows))


def consistency(session: Session, older: Sello, newer: Sello) -> Consistencia:
    """Return the proof that `newer` begins with `older`. Raises NotFound when it is not newer, Unavailable if broken."""
    if not 0 < older.hojas <= newer.hojas:
        raise NotFound("El primer sello no es anterior al segundo.", todo="Indique primero el más antiguo.")
    path = Tree(session, newer.hojas).consistency(older.hojas)
    roots = bytes.fromhex(older.raiz), bytes.fromhex(newer.raiz)
    if not merkle.verify_consistency(older.hojas, newer.hojas, *roots, path):
        raise _broken()
    return Consistencia(older, newer, tuple(one.hex() for one in path))


def _broken() -> Unavailable:
    return Unavailable(
        "El árbol de sellos no concuerda con su raíz: alguien cambió la base de datos a mano.",
        todo="No borre nada y ejecute: radica custodia verificar",
        code="arbol_alterado",
    )


def link_proof(session: Session, nombre: str, seq: int) -> dict[str, Any]:
    """Return the portable proof of one link of a chain: the leaf's proof, and the links from it up to that leaf.

    `cadena` holds what is hashed of each link and its hash; `eslabon` is the hash of the link that is proved. Raises
    NotFound when there is no such link or no seal covers it.
    """
    links = _links(session, nombre, seq)
    if not links or links[0][0]["seq"] != seq:
        raise NotFound("Ese caso no tiene un evento con ese número.", todo="Revise el caso y el número.")
    leaf = leaf_covering(session, nombre, seq)
    found = proof_of(session, leaf).as_dict()
    found["eslabon"] = links[0][1]
    found["cadena"] = [plain(content) | {"hash": digest} for content, digest in links if content["seq"] <= leaf.seq]
    return found


def _links(session: Session, nombre: str, since: int) -> list[tuple[dict[str, Any], str]]:
    """Return content and hash of the links of a chain of history or of readings, from number `since` on."""
    kind, _, number = nombre.partition(":")
    if kind == READINGS:
        readings = select(AccessLog).where(AccessLog.prestador_id == int(number), AccessLog.seq >= since)
        return [(reading_content(one), one.hash) for one in session.scalars(readings.order_by(AccessLog.seq))]
    moves = select(Transition).where(Transition.case_key == nombre, Transition.seq >= since)
    return [(link_content(one), one.hash) for one in session.scalars(moves.order_by(Transition.seq))]


# --- For verification: everything again from the rows -----------------------------------------------------------------


def leaf_rows(session: Session, first: int = 0, last: int | None = None) -> Iterator[Any]:
    """Yield the leaves `(indice, tipo, nombre, seq, hash, hoja)` in order, read in parts."""
    at = first
    while True:
        query = select(Hoja.indice, Hoja.tipo, Hoja.nombre, Hoja.seq, Hoja.hash, Hoja.hoja).where(Hoja.indice >= at)
        query = query if last is None else query.where(Hoja.indice < last)
        rows = session.execute(query.order_by(Hoja.indice).limit(_AT_ONCE)).all()
        yield from rows
        if len(rows) < _AT_ONCE:
            return
        at = rows[-1].indice + 1


def recompute_roots(session: Session, sizes: Iterable[int]) -> dict[int, bytes | None]:
    """Compute the roots at these sizes in one pass over the leaves' own content; None where leaves are missing."""
    wanted = sorted(set(sizes))
    found: dict[int, bytes | None] = dict.fromkeys(wanted)
    frontier: merkle.Frontier = []
    ahead = iter(wanted)
    following = next(ahead, None)
    for count, row in enumerate(leaf_rows(session, 0, wanted[-1] if wanted else 0)):
        if row.indice != count:
            break
        merkle.push(frontier, merkle.leaf_hash(leaf_bytes(row.tipo, row.nombre, row.seq, row.hash)))
        if count + 1 == following:
            found[following] = merkle.frontier_root(frontier)
            following = next(ahead, None)
    return found


def recompute_root(session: Session, size: int) -> bytes | None:
    """Compute the root over the first `size` leaves from their content; None when some are missing."""
    return merkle.EMPTY_ROOT if size == 0 else recompute_roots(session, [size])[size]


def altered_leaves(session: Session) -> Iterator[int]:
    """Yield the number of each leaf whose hash is not that of its content."""
    for row in leaf_rows(session):
        if merkle.leaf_hash(leaf_bytes(row.tipo, row.nombre, row.seq, row.hash)).hex() != row.hoja:
            yield row.indice


def altered_tiles(session: Session) -> Iterator[tuple[int, int]]:
    """Yield `(nivel, indice)` of each tile that is not what lies below it; those that cannot be computed too."""
    for level, index, kept in session.execute(
        select(Mosaico.nivel, Mosaico.indice, Mosaico.hashes).order_by(Mosaico.nivel, Mosaico.indice)
    ):
        below = hashes_at(session, level, index * TILE, (index + 1) * TILE)
        if len(below) != TILE or tile_bytes(below) != kept:
            yield level, index
