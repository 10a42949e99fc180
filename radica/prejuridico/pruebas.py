"""The proofs that a bag carries: leaves under sealed roots, their paths, and the tokens over those roots.

Invariant: a proof speaks only of what the bag holds; each leaf stands under the first head that an authority stamped,
so that an old link is proved with its old hour; nothing here believes what it reads: the offline verifier computes it
again. Norms: RFC 6962 and RFC 3161, Ley 527/1999 arts. 9 and 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.custodia.arbol import Tree
from radica.custodia.pruebas import Prueba, proof_of, seal_of
from radica.custodia.seal_models import Hoja, Sello, TipoHoja
from radica.kernel.db import parts_of
from radica.kernel.errors import NotFound


@dataclass(frozen=True)
class TokenProbado:
    """A token as DER, and the certificates of its authority as PEM, from its own to its root."""

    tsa: str
    der: bytes
    cadena_pem: str
    acreditada: bool


@dataclass(frozen=True)
class SelloProbado:
    """A sealed head: number of leaves, root (hex), and its tokens."""

    hojas: int
    raiz: str
    tokens: tuple[TokenProbado, ...]

    @property
    def linea(self) -> bytes:
        """Return what an authority stamps and the world is told."""
        return f"radica/1 {self.hojas} {self.raiz}\n".encode("ascii")


@dataclass(frozen=True)
class HojaProbada:
    """A leaf: what it says (`hash` hex), its place, the head that covers it (by its leaves), and the path (hex)."""

    tipo: str
    nombre: str
    seq: int
    hash: str
    indice: int
    sello: int
    ruta: tuple[str, ...]


@dataclass(frozen=True)
class Pruebas:
    """Everything a bag proves: the leaf of its own manifests first, then those of its chains; heads newest first."""

    hojas: tuple[HojaProbada, ...]
    sellos: tuple[SelloProbado, ...]


def reunir_pruebas(session: Session, manifiesto: Hoja, eslabones: Mapping[str, int]) -> Pruebas:
    """Gather the proofs of a bag's manifests and of its chains.

    `eslabones` says how many links of each chain the bag holds; leaves of later links are left out, and a chain
    without links needs none. Raises NotFound when the manifests or a chain are under no seal yet.
    """
    leaves = [manifiesto, *_leaves(session, eslabones)]
    proved = {leaf.nombre for leaf in leaves[1:]}
    if any(count and case not in proved for case, count in eslabones.items()):
        raise NotFound("Hay historias que ningún sello cubre todavía.", todo="Séllelas con: radica custodia sellar")
    trees: dict[int, Tree] = {}
    proofs: list[Prueba] = []
    for leaf in leaves:
        seal = seal_of(session, leaf.indice)
        tree = trees.setdefault(seal.hojas, Tree(session, seal.hojas))
        proofs.append(proof_of(session, leaf, sello=seal, tree=tree))
    seals = {one.sello.hojas: _sello(one) for one in proofs}
    newest_first = sorted(seals.values(), key=lambda one: -one.hojas)
    return Pruebas(tuple(_hoja(one) for one in proofs), tuple(newest_first))


def _leaves(session: Session, eslabones: Mapping[str, int]) -> list[Hoja]:
    """Return the sealed leaves of chains up to the links that the bag holds, by chain and link."""
    last = select(Sello.hojas).order_by(Sello.hojas.desc()).limit(1)
    sealed = session.scalar(last) or 0
    found: list[Hoja] = []
    for part in parts_of(set(eslabones)):
        query = select(Hoja).where(Hoja.tipo == TipoHoja.CADENA, Hoja.nombre.in_(part), Hoja.indice < sealed)
        found += [leaf for leaf in session.scalars(query) if leaf.seq <= eslabones[leaf.nombre]]
    return sorted(found, key=lambda leaf: (leaf.nombre, leaf.seq))


def _hoja(proof: Prueba) -> HojaProbada:
    leaf = proof.hoja
    return HojaProbada(
        leaf.tipo.value, leaf.nombre, leaf.seq, leaf.hash, leaf.indice, proof.sello.hojas, tuple(proof.path)
    )


def _sello(proof: Prueba) -> SelloProbado:
    tokens = tuple(TokenProbado(one.tsa, bytes(one.token), one.cadena, one.acreditada) for one in proof.tokens)
    return SelloProbado(proof.sello.hojas, proof.sello.raiz, tokens)
