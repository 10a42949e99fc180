"""What the page of proof of an invoice reads: every link of its chains, what each rests on, and the seal over it.

Invariant: links come as they stand in the history, none left out; a seal is shown only where a leaf of the chain
reaches the link, and a time stamp only where a verified token exists. SQL without Flask. Norms: Ley 527/1999 arts. 9
to 12, RFC 6962, RFC 3161.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.models import LegalThing, Transition
from radica.custodia.models import Pieza
from radica.custodia.seal_models import Hoja, Sello, TipoHoja, TokenTiempo
from radica.custodia.verificar_cadenas import legal_kinds
from radica.facturas.models import Documento
from radica.kernel.db import parts_of

NOMBRES = {
    "factura": "Factura",
    "envio": "Envío",
    "glosa": "Glosa",
    "devolucion": "Devolución",
    "respuesta": "Respuesta",
    "conciliacion": "Conciliación",
    "expediente": "Expediente",
}


class Apoyo(NamedTuple):
    """A file on which a link rests: how the viewer opens it, or None where this provider has no such file."""

    sha256: str
    kind: str | None
    id: int | None
    nombre: str


@dataclass(frozen=True)
class Eslabon:
    """One link as the page shows it."""

    move: Transition
    cosa: str
    desde: str
    hasta: str
    apoyos: tuple[Apoyo, ...]
    sello: Sello | None
    tokens: tuple[TokenTiempo, ...]


@dataclass(frozen=True)
class Resumen:
    """How much of the story is sealed: links in all, under a seal, under a time stamp."""

    eslabones: int
    sellados: int
    estampados: int


def links(session: Session, prestador_id: int, cases: Sequence[str]) -> list[Eslabon]:
    """Return every link of the cases, newest first, each with what it rests on and the first stamped seal over it."""
    moves: list[Transition] = []
    for part in parts_of(cases):
        moves += session.scalars(select(Transition).where(Transition.case_key.in_(part)))
    moves.sort(key=lambda one: (one.at, one.id), reverse=True)
    files = _files(session, prestador_id, {sha for one in moves for sha in one.evidence or ()})
    over = _Seals(session, cases)
    kinds = legal_kinds()
    return [
        Eslabon(
            move,
            f"{NOMBRES.get(move.thing, move.thing)} {move.thing_id}",
            _label(kinds, move.thing, move.from_state),
            _label(kinds, move.thing, move.to_state),
            tuple(files.get(sha) or _unkept(move.thing, sha) for sha in move.evidence or ()),
            *over.at(move.case_key, move.seq),
        )
        for move in moves
    ]


def summary(rows: Sequence[Eslabon]) -> Resumen:
    """Count what is sealed and what is stamped."""
    return Resumen(len(rows), sum(one.sello is not None for one in rows), sum(bool(one.tokens) for one in rows))


def _unkept(thing: str, sha256: str) -> Apoyo:
    """Say what a hash is that is no file here: a dossier rests on its manifests, which travel inside its bag."""
    what = "huella de sus manifiestos" if thing == "expediente" else "archivo de otro caso"
    return Apoyo(sha256, None, None, what)


def _label(kinds: Mapping[str, type[LegalThing]], kind: str, state: str) -> str:
    found = kinds.get(kind)
    labels = {str(one): words for one, words in found.MACHINE.labels.items()} if found else {}
    return labels.get(state, state)


def _files(session: Session, prestador_id: int, hashes: set[str]) -> dict[str, Apoyo]:
    found: dict[str, Apoyo] = {}
    for part in parts_of(hashes):
        for doc in session.scalars(
            select(Documento).where(Documento.prestador_id == prestador_id, Documento.sha256.in_(part))
        ):
            found.setdefault(doc.sha256, Apoyo(doc.sha256, "documento", doc.id, doc.nombre))
        for piece in session.scalars(
            select(Pieza).where(Pieza.prestador_id == prestador_id, Pieza.sha256.in_(part)).order_by(Pieza.id)
        ):
            found.setdefault(piece.sha256, Apoyo(piece.sha256, "evidencia", piece.id, piece.nombre))
    return found


class _Seals:
    """The seals over some chains: looked up link by link without asking the database again."""

    def __init__(self, session: Session, cases: Sequence[str]) -> None:
        self.leaves: dict[str, list[tuple[int, int]]] = {}
        for part in parts_of(cases):
            for row in session.execute(
                select(Hoja.nombre, Hoja.seq, Hoja.indice).where(Hoja.tipo == TipoHoja.CADENA, Hoja.nombre.in_(part))
            ):
                self.leaves.setdefault(row.nombre, []).append((row.seq, row.indice))
        for ordered in self.leaves.values():
            ordered.sort()
        first = min((index for one in self.leaves.values() for _, index in one), default=None)
        self.seals: list[Sello] = []
        self.tokens: dict[int, list[TokenTiempo]] = {}
        if first is not None:
            self.seals = list(session.scalars(select(Sello).where(Sello.hojas > first).order_by(Sello.hojas)))
            stamps = select(TokenTiempo).join(Sello, Sello.id == TokenTiempo.sello_id).where(Sello.hojas > first)
            for token in session.scalars(stamps.order_by(TokenTiempo.hora, TokenTiempo.id)):
                self.tokens.setdefault(token.sello_id, []).append(token)
        self.sizes = [one.hojas for one in self.seals]
        self.stamped = [one for one in self.seals if one.id in self.tokens]
        self.stamped_sizes = [one.hojas for one in self.stamped]

    def at(self, case_key: str, seq: int) -> tuple[Sello | None, tuple[TokenTiempo, ...]]:
        """Return the first stamped seal over a link, else the first seal, else None; and its tokens."""
        ordered = self.leaves.get(case_key, [])
        place = bisect_left(ordered, (seq, -1))
        if place == len(ordered):
            return None, ()
        index = ordered[place][1]
        stamped = bisect_right(self.stamped_sizes, index)
        if stamped < len(self.stamped):
            seal = self.stamped[stamped]
            return seal, tuple(self.tokens[seal.id])
        plain = bisect_right(self.sizes, index)
        return (self.seals[plain] if plain < len(self.seals) else None), ()
