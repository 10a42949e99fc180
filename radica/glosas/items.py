"""The services of invoices as rows, filled from their RIPS in custody when a notice first needs them.

Invariant: files are read outside any transaction; filling again adds nothing; a RIPS that cannot be read leaves the
invoice without services and says so, it never stops an intake. Rows hold health data: they never reach a log line.
Norms: Anexo Técnico 3 num. 2.2 (user and consecutive of the service anchor an objection); Res. 948/2026.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.custodia.store import Store
from radica.facturas.jsonsafe import load_json
from radica.facturas.models import Documento, TipoDocumento
from radica.facturas.rips import FilaServicio, FilaUsuario, is_rips, walk
from radica.facturas.xmlsafe import Unreadable
from radica.glosas.matching import ItemRef
from radica.glosas.models import ItemFactura
from radica.kernel.db import Database, insert_rows, parts_of
from radica.kernel.errors import NotFound
from radica.kernel.money import MAX_CENTS, to_cents

"""Ids that one statement takes; far below what either database admits as parameters."""
_FILES_AT_ONCE = 50
"""RIPS of one transaction: a few thousand rows, so that filings never wait long behind it."""


@dataclass(frozen=True, slots=True)
class RipsDocument:
    """The RIPS in force of one invoice."""

    prestador_id: int
    factura_id: int
    documento_id: int
    sha256: str


def fill_items(db: Database, store: Store, prestador_id: int, factura_ids: Collection[int]) -> int:
    """Fill the services of the invoices of one provider that have a RIPS and no rows yet; return how many RIPS.

    Open no transaction around it: it reads files and commits a few of them at a time.
    """
    with db.read() as session:
        waiting = _unfilled(session, prestador_id, factura_ids)
    for start in range(0, len(waiting), _FILES_AT_ONCE):
        rows = [row for one in waiting[start : start + _FILES_AT_ONCE] for row in read_items(store, one)]
        if rows:
            with db.write() as session:
                insert_rows(session, ItemFactura, rows, again=True)
    return len(waiting)


def _unfilled(session: Session, prestador_id: int, factura_ids: Collection[int]) -> list[RipsDocument]:
    """Return the RIPS in force of which no row stands, one per invoice: the last loaded."""
    found: dict[int, RipsDocument] = {}
    for part in parts_of(factura_ids):
        filled = set(
            session.scalars(select(ItemFactura.documento_id).where(ItemFactura.factura_id.in_(part)).distinct())
        )
        rows = session.execute(
            select(Documento.factura_id, Documento.id, Documento.sha256)
            .where(
                Documento.factura_id.in_(part),
                Documento.prestador_id == prestador_id,
                Documento.tipo == TipoDocumento.RIPS,
                Documento.sigla == "",  # adjustment notes are RIPS of their own
                Documento.vigente.is_(True),
            )
            .order_by(Documento.id)
        )
        for factura_id, documento_id, sha256 in rows:
            assert factura_id is not None  # the query asks for these invoices
            found[factura_id] = RipsDocument(prestador_id, factura_id, documento_id, sha256)
        found = {key: one for key, one in found.items() if one.documento_id not in filled}
    return list(found.values())


def read_items(store: Store, one: RipsDocument) -> list[dict[str, Any]]:
    """Return the rows of the services of a RIPS; none when its bytes are missing or are no RIPS any program can read."""
    try:
        value, _ = load_json(store.read(one.sha256))
    except (Unreadable, NotFound):
        return []
    inner = value.get("rips") if isinstance(value, dict) and not is_rips(value) else value
    if not isinstance(inner, dict) or not is_rips(inner):
        return []
    rows: dict[tuple[int, str, int], dict[str, Any]] = {}
    for place, user in enumerate(walk(inner), start=1):
        number = _whole(user.sequence) or place
        for index, service in enumerate(user.services, start=1):
            row = _row(one, number, user, service, index)
            key = (row["usuario"], row["tipo"], row["consecutivo"])
            while key in rows:  # two records with one consecutive: both are kept, the later under a free one
                row["consecutivo"] += 10_000
                key = (row["usuario"], row["tipo"], row["consecutivo"])
            rows[key] = row
    return list(rows.values())


def _row(one: RipsDocument, number: int, user: FilaUsuario, service: FilaServicio, index: int) -> dict[str, Any]:
    worth = service.amount
    return {
        "prestador_id": one.prestador_id,
        "factura_id": one.factura_id,
        "documento_id": one.documento_id,
        "tipo": service.kind[:30],
        "usuario": number,
        "consecutivo": _whole(service.sequence) or index,
        "codigo": (service.code or "")[:40],
        "descripcion": (service.description or "")[:300],
        "paciente_documento": user.document[:40] if user.document else None,
        "valor": to_cents(worth) if worth is not None and 0 <= worth * 100 <= MAX_CENTS else 0,
    }


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and 0 < len(text) < 9 else None


def items_of(session: Session, factura_ids: Collection[int]) -> dict[int, list[ItemRef]]:
    """Return the services of some invoices, those of the RIPS loaded last when a corrected one replaced it."""
    found: dict[int, tuple[int, list[ItemRef]]] = {}
    item = ItemFactura
    for part in parts_of(factura_ids):
        rows = session.execute(
            select(
                item.factura_id, item.documento_id, item.id, item.codigo, item.descripcion, item.paciente_documento,
                item.valor,
            )
            .join(Documento, Documento.id == item.documento_id)
            .where(item.factura_id.in_(part), Documento.vigente.is_(True))
            .order_by(item.factura_id, item.documento_id, item.id)
        )  # fmt: skip
        for factura_id, documento_id, id_, code, name, patient, cents in rows:
            held = found.get(factura_id)
            if held is None or held[0] != documento_id:
                held = found[factura_id] = (documento_id, [])
            held[1].append(ItemRef(id_, code, name, patient, cents))
    return {factura_id: refs for factura_id, (_, refs) in found.items()}
