"""The documents of an invoice that a tariff is compared with: its RIPS and what its FEV says, opened from custody.

Invariant: bytes are read outside any transaction; what is lost or no document is None, and the comparison then says so
(who freezes asks for all); nothing of a patient leaves the decoded value. Norm: Res. 948 de 2026 (FEV and RIPS travel
together).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.custodia.crypto import Damaged
from radica.custodia.store import Store
from radica.facturas.facts import recall
from radica.facturas.fev import Fev
from radica.facturas.jsonsafe import load_json
from radica.facturas.models import Documento, TipoDocumento
from radica.facturas.rips import is_rips
from radica.facturas.validacion.abrir import abrir_xml
from radica.facturas.xmlsafe import Unreadable
from radica.kernel.errors import NotFound

_FACTURA = (TipoDocumento.FEV.value, TipoDocumento.INVOICE.value)


@dataclass(frozen=True)
class Fuentes:
    """Where the documents of an invoice stand: addresses in custody, and what the database remembers of the FEV."""

    factura_id: int
    rips: str | None
    xml: str | None
    fev: Fev | None


def fuentes_de(session: Session, factura_id: int) -> Fuentes:
    """Return the documents in force of an invoice, those loaded last."""
    rips = xml = None
    fev = None
    rows = session.scalars(
        select(Documento)
        .where(
            Documento.factura_id == factura_id,
            Documento.tipo.in_([*_FACTURA, TipoDocumento.RIPS.value]),
            Documento.vigente,
            Documento.sigla == "",
        )
        .order_by(Documento.id)
    )
    for row in rows:
        if row.tipo is TipoDocumento.RIPS:
            rips = row.sha256
        else:
            xml = row.sha256
            fev = recall(Fev, row.datos) if "salud" in row.datos else None
    return Fuentes(factura_id, rips, xml, fev)


def abrir(fuentes: Fuentes, store: Store, *, todo: bool = False) -> tuple[Mapping[str, Any] | None, Fev | None]:
    """Return the decoded RIPS and the FEV; the FEV's lines are read only when there is no RIPS. Holds no transaction.

    Raises Unavailable when custody cannot be read now; with `todo` also NotFound and Damaged when a document is lost.
    """
    rips = _rips(store, fuentes.rips, todo=todo)
    if rips is not None or fuentes.xml is None:
        return rips, fuentes.fev
    data = _bytes(store, fuentes.xml, todo=todo)
    try:
        return None, (abrir_xml("", data).fev if data is not None else None) or fuentes.fev
    except Unreadable:
        return None, fuentes.fev


def _rips(store: Store, sha256: str | None, *, todo: bool) -> Mapping[str, Any] | None:
    data = _bytes(store, sha256, todo=todo) if sha256 is not None else None
    if data is None:
        return None
    try:
        value, _ = load_json(data)
    except Unreadable:
        return None
    inner = value.get("rips") if isinstance(value, dict) and not is_rips(value) else value
    return inner if isinstance(inner, dict) and is_rips(inner) else None


def _bytes(store: Store, sha256: str, *, todo: bool) -> bytes | None:
    try:
        return store.read(sha256)
    except (NotFound, Damaged):
        if todo:
            raise
        return None
