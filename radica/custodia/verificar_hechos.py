"""Stage of the facts: what rows say of a filing, of its proof and of a dossier is held against their sealed history.

Invariant: number, date and level of a filing are those of its last *radicar* link; a proof that an envío or a dossier
names lies among its own pieces; a dossier gives out the bag that its history names; a payment, and a
frozen tariff, is the one that its invoice's chain wrote. Whoever edits those columns, or
lets two proofs change places, is found. Norms: Ley 1438/2011 art. 57 (terms run from the filing); Ley 527/1999 art. 9.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import column, select, table
from sqlalchemy.orm import Session

from radica.audit.chain import instant_text
from radica.audit.models import Apunte, Transition
from radica.custodia.check_models import Gravedad, TipoHallazgo
from radica.custodia.models import Pieza
from radica.custodia.verificar_base import Alcance, Hallado, Paso, Taller, frozen, raw_rows
from radica.custodia.verificar_cadenas import legal_kinds

FILED = ("factura", "envio")
"""Things that carry number, date and level of a filing."""
OWN_PROOF = ("envio", "expediente")
"""Things whose evidence is sealed under their own case; that of others may lie with their invoice."""
PACKED = "expediente"
THINGS = 400
"""Things of one step."""
_COLUMNS = {
    "factura": ("radicado", "fecha_radicacion", "nivel_prueba"),
    "envio": ("radicado", "fecha_radicacion", "nivel_prueba"),
    PACKED: ("manifiesto_sha256", "bolsa_sha256"),
}
PAID = (Apunte.REGISTRAR_PAGO.value, Apunte.ANULAR_PAGO.value)
"""Events that write a payment in its invoice's chain."""
FROZEN = Apunte.CONGELAR_TARIFA.value
"""Event that writes the hash of a frozen tariff in its invoice's chain."""
RECEIVED = ("radicar", "recibir_sin_numero")
"""Events that write number, date and level of a filing; the first has a number."""


def facts(taller: Taller, cursor: str) -> Iterator[Paso]:
    """Compare, kind by kind. The cursor is `kind:id` of the last thing that was looked at."""
    kind, _, number = cursor.partition(":")
    for one in sorted(_COLUMNS):
        if one < kind or one not in legal_kinds():
            continue
        last = int(number) if one == kind else 0
        while True:
            with frozen(taller.db) as session:
                rows = _rows(session, one, last, taller.alcance)
                found = _compare(session, one, rows)
            if not rows:
                break
            last = rows[-1]["id"]
            yield Paso(f"{one}:{last}", len(rows), 0, {"hechos": len(rows)}, found)


def _rows(session: Session, kind: str, last: int, scope: Alcance) -> list[dict[str, Any]]:
    mine = column("id") > last
    if scope.casos:
        numbers = [int(one.split(":")[1]) for one in scope.casos if one.startswith(f"{kind}:")]
        mine = mine & column("id").in_(sorted(one for one in numbers if one > last)[:THINGS])
    elif scope.desde is not None:
        moved = select(Transition.thing_id).where(Transition.thing == kind, Transition.recorded_at >= scope.desde)
        mine = mine & column("id").in_(moved)
    names = ["id", "prestador_id", *_COLUMNS[kind]]
    plain = table(str(legal_kinds()[kind].__tablename__), *(column(one) for one in names))  # type: ignore[attr-defined] # every thing has a table
    query = select(plain).where(mine).order_by(plain.c.id).limit(THINGS)
    return [dict(row) for row in session.execute(query).mappings()]


def _compare(session: Session, kind: str, rows: Sequence[Mapping[str, Any]]) -> list[Hallado]:
    if not rows:
        return []
    links: dict[int, list[dict[str, Any]]] = {row["id"]: [] for row in rows}
    mine = (column("thing") == kind) & column("thing_id").in_(list(links))
    names = ("thing_id", "event", "facts", "evidence")
    for link in raw_rows(session, "transitions", names, mine, "case_key", "seq"):
        links[link["thing_id"]].append(link)
    found: list[Hallado] = []
    for row in rows:
        if kind in FILED:
            found += _filing(kind, row, links[row["id"]])
        if kind == PACKED:
            found += _bag(row, links[row["id"]])
    if kind == "factura":
        found += _payments(session, rows, links)
        found += _tariffs(session, rows, links)
    if kind in OWN_PROOF:
        found += _proofs(session, kind, rows, links)
    return found


def _filing(kind: str, row: Mapping[str, Any], links: Sequence[Mapping[str, Any]]) -> Iterator[Hallado]:
    """Hold what a row says of its filing against the last link that filed it."""
    told = [
        (link["event"], said)
        for link in links
        if link["event"] in RECEIVED and isinstance(said := _json(link["facts"]), dict)
    ]
    event, last = told[-1] if told else ("", {})
    numbered = event == RECEIVED[0]
    # What counts without a number may have a date or not; what waits for its number has none yet.
    dates = {last.get("fecha")} if numbered else {last.get("fecha"), None}
    levels = [level for _, said in told if isinstance(level := said.get("nivel"), int)]
    claims = (
        ("Su número de radicación", row["radicado"], {last.get("radicado")} if numbered else {None}),
        ("Su fecha de radicación", _instant(row["fecha_radicacion"]), dates),
        ("Su nivel de prueba", row["nivel_prueba"], {max(levels, default=0)}),
    )
    for what, is_, allowed in claims:
        if is_ not in allowed:
            wanted = str(next((one for one in allowed if one is not None), ""))
            yield _altered(
                f"{kind}:{row['id']}", wanted, "" if is_ is None else str(is_), f"{what} no es de su historia.", row
            )


def _payments(
    session: Session, rows: Sequence[Mapping[str, Any]], links: Mapping[int, Sequence[Mapping[str, Any]]]
) -> Iterator[Hallado]:
    """Hold each payment against the link that wrote it, and look for those that a chain names and no row has."""
    columns = ("id", "factura_id", "valor", "fecha", "concepto")
    mine = column("factura_id").in_([row["id"] for row in rows])
    kept: dict[int, dict[int, tuple[Any, ...]]] = {}
    for one in raw_rows(session, "pagos_factura", columns, mine, "id"):
        kept.setdefault(one["factura_id"], {})[one["id"]] = (one["valor"], str(one["fecha"])[:10], one["concepto"])
    for row in rows:
        told = {
            said.get("pago"): (said.get("valor"), said.get("fecha"), said.get("concepto"))
            for link in links[row["id"]]
            if link["event"] in PAID and isinstance(said := _json(link["facts"]), dict)
        }
        there = kept.get(row["id"], {})
        for number in sorted(set(told) - set(there), key=str):
            words = f"La historia de factura:{row['id']} lo registra y ya no está."
            yield Hallado(TipoHallazgo.FALTANTE, Gravedad.GRAVE, f"pago:{number}", "", "", words, row["prestador_id"])
        for number, is_ in sorted(there.items()):
            if told.get(number) != is_:
                wanted = " ".join(map(str, told.get(number, ())))
                words = "No es el pago que registró la historia de su factura."
                yield _altered(f"pago:{number}", wanted, " ".join(map(str, is_)), words, row)


def _tariffs(
    session: Session, rows: Sequence[Mapping[str, Any]], links: Mapping[int, Sequence[Mapping[str, Any]]]
) -> Iterator[Hallado]:
    """Hold the lines of each frozen tariff against the hash that its invoice's chain wrote."""
    columns = ("id", "factura_id", "lineas")
    mine = column("factura_id").in_([row["id"] for row in rows])
    kept: dict[int, dict[int, str]] = {}
    for one in raw_rows(session, "tarifas_aplicadas", columns, mine, "id"):
        digest = hashlib.sha256(str(one["lineas"]).encode("utf-8")).hexdigest()
        kept.setdefault(one["factura_id"], {})[one["id"]] = digest
    for row in rows:
        told = {
            said.get("tarifa"): said.get("hash")
            for link in links[row["id"]]
            if link["event"] == FROZEN and isinstance(said := _json(link["facts"]), dict)
        }
        there = kept.get(row["id"], {})
        for number in sorted(set(told) - set(there), key=str):
            words = f"La historia de factura:{row['id']} la registra y ya no está."
            yield Hallado(TipoHallazgo.FALTANTE, Gravedad.GRAVE, f"tarifa:{number}", "", "", words, row["prestador_id"])
        for number, digest in sorted(there.items()):
            if told.get(number) != digest:
                words = "No es la tarifa que congeló la historia de su factura."
                yield _altered(f"tarifa:{number}", str(told.get(number, "")), digest, words, row)


def _bag(row: Mapping[str, Any], links: Sequence[Mapping[str, Any]]) -> Iterator[Hallado]:
    """Hold the bag that a dossier gives out against the one that its history names."""
    told = [_json(link["evidence"]) for link in links if link["event"] == "terminar"]
    named = sorted(one for one in (row["manifiesto_sha256"], row["bolsa_sha256"]) if one)
    wanted = sorted(map(str, told[-1])) if told and isinstance(told[-1], list) else []
    if named != wanted:
        words = "Su bolsa o sus listas no son las que nombra su historia."
        yield _altered(f"{PACKED}:{row['id']}", " ".join(wanted), " ".join(named), words, row)


def _proofs(
    session: Session, kind: str, rows: Sequence[Mapping[str, Any]], links: Mapping[int, Sequence[Mapping[str, Any]]]
) -> Iterator[Hallado]:
    """Look for each proof that a history names among the pieces of that very case."""
    keys = [f"{kind}:{row['id']}" for row in rows]
    own = {
        (key, sha) for key, sha in session.execute(select(Pieza.case_key, Pieza.sha256).where(Pieza.case_key.in_(keys)))
    }
    for row, key in zip(rows, keys, strict=True):
        named = {str(one) for link in links[row["id"]] for one in _named(link)}
        for sha256 in sorted(named - {str(row.get("manifiesto_sha256"))}):
            if (key, sha256) not in own:
                words = f"La historia de {key} lo nombra como prueba y no está entre las piezas de ese caso."
                yield _altered(f"blob:{sha256}", sha256, "", words, row)


def _named(link: Mapping[str, Any]) -> list[Any]:
    found = _json(link["evidence"])
    return found if isinstance(found, list) else []


def _json(text: Any) -> Any:
    try:
        found = json.loads(text)
    except (ValueError, TypeError):
        return {}  # the link itself is found altered
    return found if isinstance(found, dict | list) else {}


def _instant(value: Any) -> str | None:
    return instant_text(value) if isinstance(value, datetime) else value


def _altered(what: str, expected: str, found: str, words: str, row: Mapping[str, Any]) -> Hallado:
    return Hallado(TipoHallazgo.ALTERADO, Gravedad.GRAVE, what, expected, found, words, row["prestador_id"])
