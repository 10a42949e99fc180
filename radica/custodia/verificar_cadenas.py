"""Stages of the history: chains link by link, their heads, the leaves that were sealed of them, and the things they move.

Invariant: what is compared is read in one moment of the database, and as it stands there, not as a model reads it:
rows changed by hand with the triggers off are named. Norm: Ley 527/1999 arts. 9 and 11.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import column, func, select, table, union
from sqlalchemy.orm import Session

from radica.audit.chain import GENESIS, link_hash
from radica.audit.models import AccessLog, ChainHead, LegalThing, Transition
from radica.audit.services import READINGS, reading_content, readings_chain, values_content
from radica.custodia.check_models import Gravedad, TipoHallazgo
from radica.custodia.models import Blob
from radica.custodia.seal_models import Hoja, TipoHoja
from radica.custodia.verificar_base import Hallado, Paso, Taller, frozen, raw_rows, tables_with_blobs

CHAINS = 400
"""Chains of one step."""
_AT_ONCE = 500


@dataclass(frozen=True)
class _Chain:
    """What walking one chain gave: its last link, hashes by number, evidence by hash, provider, final state."""

    last: int
    hash: str
    hashes: Mapping[int, str]
    evidence: Mapping[str, int]
    prestador_id: int | None
    state: str
    found: Sequence[Hallado]


def chains(taller: Taller, cursor: str) -> Iterator[Paso]:
    """Walk every chain: numbers without holes, each link's hash and the one before, head, sealed leaves, evidence."""
    while True:
        with frozen(taller.db) as session:
            keys = _next_keys(session, taller, cursor)
            if not keys:
                return
            walked, found = _check(session, keys)
        links = sum(len(one.hashes) for one in walked.values())
        cursor = keys[-1]
        yield Paso(cursor, len(keys), 0, {"cadenas": len(keys), "eslabones": links}, found)


def _next_keys(session: Session, taller: Taller, cursor: str) -> list[str]:
    """Return the next chains: those with links, with a head, or with a sealed leaf; any of the three may be gone."""
    scope = taller.alcance
    if scope.casos:
        return sorted(one for one in scope.casos if one > cursor)[:CHAINS]
    links = select(Transition.case_key.label("key")).where(Transition.case_key > cursor)
    if scope.desde is not None:
        links = links.where(Transition.recorded_at >= scope.desde)
    parts = [links.distinct().order_by("key").limit(CHAINS)]
    if scope.desde is None:
        parts.append(select(ChainHead.case_key.label("key")).where(ChainHead.case_key > cursor))
        leaves = select(Hoja.nombre.label("key")).where(Hoja.tipo == TipoHoja.CADENA, Hoja.nombre > cursor)
        parts.append(leaves.distinct())
    found: set[str] = set()
    for part in parts:
        found |= set(session.scalars(part.order_by("key").limit(CHAINS)))
    readings = select(AccessLog.prestador_id).distinct()
    if scope.desde is not None:
        readings = readings.where(AccessLog.recorded_at >= scope.desde)
    found |= {key for one in session.scalars(readings) if (key := readings_chain(one)) > cursor}
    return sorted(found)[:CHAINS]


def _check(session: Session, keys: Sequence[str]) -> tuple[dict[str, _Chain], list[Hallado]]:
    walked = _walk_moves(session, [one for one in keys if not one.startswith(f"{READINGS}:")])
    for key in keys:
        if key.startswith(f"{READINGS}:"):
            walked[key] = _walk_readings(session, key)
    found = [one for chain in walked.values() for one in chain.found]
    found += _check_heads(session, walked)
    found += _check_leaves(session, walked)
    found += _check_evidence(session, walked)
    found += _check_things(session, walked)
    return walked, found


# --- Links --------------------------------------------------------------------------------------------------------


def _walk_moves(session: Session, keys: Sequence[str]) -> dict[str, _Chain]:
    """Walk the chains of moves; one without any link is empty."""
    names = [one.name for one in Transition.__table__.columns]
    by_case: dict[str, list[dict[str, Any]]] = {key: [] for key in keys}
    for start in range(0, len(keys), _AT_ONCE):
        mine = column("case_key").in_(keys[start : start + _AT_ONCE])
        for row in raw_rows(session, "transitions", names, mine, "case_key", "seq"):
            by_case[row["case_key"]].append(row)
    return {key: _walk(key, rows, _move_content) for key, rows in by_case.items()}


def _walk_readings(session: Session, key: str) -> _Chain:
    number = key.partition(":")[2]
    names = [one.name for one in AccessLog.__table__.columns]
    mine = column("prestador_id") == (int(number) if number.isdigit() else -1)
    return _walk(
        key, raw_rows(session, "access_log", names, mine, "seq"), lambda row: reading_content(AccessLog(**row))
    )


def _move_content(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is hashed of a raw row. Raises ValueError when its JSON cannot be read."""
    return values_content({**row, "facts": json.loads(row["facts"]), "evidence": json.loads(row["evidence"])})


def _walk(
    key: str, rows: Iterator[dict[str, Any]] | Sequence[dict[str, Any]], content: Callable[[Mapping[str, Any]], Any]
) -> _Chain:
    last, previous, owner, state = 0, GENESIS, None, ""
    hashes: dict[int, str] = {}
    evidence: dict[str, int] = {}
    found: list[Hallado] = []
    for row in rows:
        seq, owner = int(row["seq"]), owner or row["prestador_id"]
        what = f"{key}#{seq}"
        if seq != last + 1:
            words = "Faltan eslabones entre este y el anterior."
            found.append(_broken(what, str(last + 1), str(seq), words, owner))
        elif row["prev_hash"] != previous:
            found.append(_broken(what, previous, str(row["prev_hash"]), "No sigue al eslabón anterior.", owner))
        if row["prestador_id"] != owner:
            words = "Es de otro prestador que el resto de su cadena."
            found.append(_altered(what, str(owner), str(row["prestador_id"]), words, owner))
        computed = _hash(content, row)
        if computed != row["hash"]:
            words = "Su contenido no es el que se escribió."
            found.append(_altered(what, str(row["hash"]), computed, words, owner))
        for one in _evidence(row):
            evidence.setdefault(one, seq)
        last, previous, state = seq, str(row["hash"]), str(row.get("to_state", ""))
        hashes[seq] = previous
    return _Chain(last, previous, hashes, evidence, owner, state, found)


def _hash(content: Callable[[Mapping[str, Any]], Any], row: Mapping[str, Any]) -> str:
    try:
        return link_hash(content(row))
    except (ValueError, TypeError):
        return "ilegible"


def _evidence(row: Mapping[str, Any]) -> list[str]:
    try:
        named = json.loads(row["evidence"]) if "evidence" in row else []
    except ValueError:
        return []  # the link itself is found altered
    return [str(one) for one in named] if isinstance(named, list) else []


# --- What must agree with the links --------------------------------------------------------------------------------


def _check_heads(session: Session, walked: Mapping[str, _Chain]) -> Iterator[Hallado]:
    heads = {
        row.case_key: (row.seq, row.hash)
        for row in session.execute(
            select(ChainHead.case_key, ChainHead.seq, ChainHead.hash).where(ChainHead.case_key.in_(list(walked)))
        )
    }
    for key, chain in walked.items():
        head = heads.get(key)
        if head is None:
            if chain.last:
                yield _broken(
                    key, f"{chain.last} {chain.hash}", "", "Tiene eslabones y no tiene cabeza.", chain.prestador_id
                )
        elif head != (chain.last, chain.hash):
            words = "Su cabeza no es su último eslabón: faltan eslabones, o se agregaron por fuera."
            said, is_ = f"{head[0]} {head[1]}", f"{chain.last} {chain.hash}"
            yield _broken(key, said, is_, words, chain.prestador_id)


def _check_leaves(session: Session, walked: Mapping[str, _Chain]) -> Iterator[Hallado]:
    """Hold what was sealed of a chain against it: nobody can roll a sealed chain back, not even head and all."""
    query = select(Hoja.nombre, Hoja.seq, Hoja.hash, Hoja.indice).where(
        Hoja.tipo == TipoHoja.CADENA, Hoja.nombre.in_(list(walked))
    )
    for row in session.execute(query.order_by(Hoja.indice)):
        chain = walked[row.nombre]
        what, leaf = f"{row.nombre}#{row.seq}", f"hoja:{row.indice}"
        if row.seq > chain.last:
            words = f"Fue sellado ({leaf}) y ya no está en su cadena."
            yield Hallado(
                TipoHallazgo.FALTANTE, Gravedad.GRAVE, what, row.hash, f"{chain.last} eslabones", words,
                chain.prestador_id,
            )  # fmt: skip
        elif chain.hashes.get(row.seq) != row.hash:
            words = f"No es el que se selló ({leaf})."
            yield _altered(what, row.hash, chain.hashes.get(row.seq, ""), words, chain.prestador_id)


def _check_evidence(session: Session, walked: Mapping[str, _Chain]) -> Iterator[Hallado]:
    """Look for the blobs that links name as their evidence, and for the row that presents each."""
    named = sorted({one for chain in walked.values() for one in chain.evidence})
    kept: set[str] = set()
    shown: set[str] = set()
    for start in range(0, len(named), _AT_ONCE):
        part = named[start : start + _AT_ONCE]
        kept |= set(session.scalars(select(Blob.sha256).where(Blob.sha256.in_(part))))
        places = [select(one.c[name]).where(one.c[name].in_(part)) for one, name in tables_with_blobs()]
        shown |= set(session.scalars(union(*places)))
    lists = _sealed_lists(session, walked)
    for key, chain in walked.items():
        for sha256, seq in chain.evidence.items():
            if (key, sha256) in lists:
                continue
            if sha256 not in kept:
                words = f"La historia lo nombra como prueba ({key}#{seq}) y la custodia no lo registra."
                yield Hallado(
                    TipoHallazgo.FALTANTE, Gravedad.GRAVE, f"blob:{sha256}", sha256, "", words, chain.prestador_id
                )
            elif sha256 not in shown:
                words = f"La historia lo nombra como prueba ({key}#{seq}) y ninguna pieza ni documento lo presenta."
                yield _altered(f"blob:{sha256}", sha256, "", words, chain.prestador_id)


def _sealed_lists(session: Session, walked: Mapping[str, _Chain]) -> set[tuple[str, str]]:
    """Return the manifests of dossiers among these chains: a leaf of the tree stands for them, no file does."""
    leaves = select(Hoja.nombre, Hoja.hash).where(Hoja.tipo == TipoHoja.MANIFIESTO)
    return {(row.nombre, row.hash) for row in session.execute(leaves) if row.nombre in walked}


def legal_kinds() -> dict[str, type[LegalThing]]:
    """Return the classes of things with a legal state, by the kind that stands in their case keys."""
    return {one.KIND: one for one in sorted(LegalThing.__subclasses__(), key=lambda one: one.KIND)}


def _check_things(session: Session, walked: Mapping[str, _Chain]) -> Iterator[Hallado]:
    """Hold the things against the last link of their chain: state, owner, and how often they moved."""
    wanted: dict[str, list[int]] = {}
    for key in walked:
        kind, _, number = key.partition(":")
        if number.isdigit():
            wanted.setdefault(kind, []).append(int(number))
    for kind, thing in legal_kinds().items():
        rows = _things(session, thing, wanted.get(kind, []))
        for one in wanted.get(kind, []):
            key = f"{kind}:{one}"
            yield from _check_thing(key, walked[key], rows.get(one))


def _check_thing(key: str, chain: _Chain, row: Mapping[str, Any] | None) -> Iterator[Hallado]:
    if row is None:
        if chain.last:
            words = "Tiene historia y ya no está."
            yield Hallado(TipoHallazgo.FALTANTE, Gravedad.GRAVE, key, "", "", words, chain.prestador_id)
        return
    owner = chain.prestador_id or row["prestador_id"]
    if not chain.last:
        yield _broken(key, "", "", "Existe y no tiene historia.", owner)
        return
    if row["estado"] != chain.state:
        yield _altered(key, chain.state, str(row["estado"]), "Su estado no es el de su última actuación.", owner)
    if row["prestador_id"] != chain.prestador_id:
        words = "Es de otro prestador que su historia."
        yield _altered(key, str(chain.prestador_id), str(row["prestador_id"]), words, owner)
    if row["version"] != chain.last - 1:
        words = "No se movió tantas veces como dice su historia."
        yield _altered(key, f"{chain.last - 1} movimientos", f"{row['version']} movimientos", words, owner)


def _things(session: Session, thing: type[LegalThing], ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        mine = column("id").in_(ids[start : start + _AT_ONCE])
        rows = raw_rows(session, _table(thing), ("id", "estado", "version", "prestador_id"), mine, "id")
        found |= {row["id"]: row for row in rows}
    return found


def _table(thing: type[LegalThing]) -> str:
    return str(thing.__tablename__)  # type: ignore[attr-defined] # every thing of the mixin has a table


def unborn(taller: Taller, cursor: str) -> Iterator[Paso]:
    """Look for things without any history: rows that somebody put in by hand."""
    if not taller.alcance.entero:
        return
    for kind, thing in legal_kinds().items():
        if kind <= cursor:
            continue
        rows = table(_table(thing), column("id"), column("prestador_id"))
        with frozen(taller.db) as session:
            born = select(Transition.thing_id).where(Transition.thing == kind, Transition.thing_id == rows.c.id)
            count = session.scalar(select(func.count()).select_from(rows)) or 0
            query = select(rows.c.id, rows.c.prestador_id).where(~born.exists()).order_by(rows.c.id).limit(CHAINS)
            words = "Existe y no tiene historia."
            found = [_broken(f"{kind}:{row.id}", "", "", words, row.prestador_id) for row in session.execute(query)]
        yield Paso(kind, 0, 0, {"asuntos": count}, found)


def _broken(what: str, expected: str, found: str, words: str, owner: int | None) -> Hallado:
    return Hallado(TipoHallazgo.CADENA_ROTA, Gravedad.GRAVE, what, expected, found, words, owner)


def _altered(what: str, expected: str, found: str, words: str, owner: int | None) -> Hallado:
    return Hallado(TipoHallazgo.ALTERADO, Gravedad.GRAVE, what, expected, found, words, owner)
