"""Keep the payer's ledger of a meeting as evidence and hold it against what our books say now.

Invariant: one ledger counts per meeting, the last that was loaded (the earlier files stay in custody); rows are kept
as they came, and the comparison is made anew whenever it is looked at. Norm: Circular conjunta 030/2013.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from radica.conciliacion.ledger import (
    ACEPTADA,
    CERRADA,
    EN_DISPUTA,
    LEVANTADA,
    NO_LEIDA,
    SIN_GLOSA,
    Cruce,
    FilaLibro,
    Nuestra,
    compare,
)
from radica.conciliacion.ledger_read import Libro
from radica.conciliacion.models import Conciliacion, ConciliacionLinea, LibroPagador
from radica.conciliacion.services import lock_open_table, seal_for
from radica.custodia.services import Kept
from radica.facturas.matching import own_number
from radica.facturas.models import Factura
from radica.facturas.numbers import parse_invoice_number
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.states import DEV_ABIERTAS, EstadoGlosa
from radica.kernel.db import insert_rows, parts_of

CLASE = "libro_pagador"


def keep_ledger(
    session: Session, row: Conciliacion, libro: Libro, *, kept: Kept, actor: str, at: datetime
) -> list[Cruce]:
    """Seal the payer's file and put its rows in place of the earlier ones; returns the comparison."""
    lock_open_table(session, row)
    (piece,) = seal_for(session, row, [replace(kept, clase=CLASE)], actor=actor, at=at)
    session.execute(delete(LibroPagador).where(LibroPagador.conciliacion_id == row.id))
    crossed = compare(libro.filas, our_books(session, row, libro.filas))
    common = {"prestador_id": row.prestador_id, "conciliacion_id": row.id, "sha256": piece.sha256}
    values: list[dict[str, Any]] = [
        {
            **common,
            "fila": line.fila,
            "factura_texto": line.factura,
            "factura_id": one.nuestra.factura_id if one.nuestra else None,
            "valor_factura": line.valor,
            "valor_glosa": line.glosa,
            "estado_glosa": line.estado,
            "diferencia": one.diferencia,
            "detalle": one.detalle[:300],
        }
        for one in crossed
        for line in one.filas
    ]
    insert_rows(session, LibroPagador, values)
    return crossed


def crossing(session: Session, row: Conciliacion) -> list[Cruce]:
    """Compare the kept ledger with our books as they stand now; empty when none was loaded."""
    lines = session.scalars(
        select(LibroPagador).where(LibroPagador.conciliacion_id == row.id).order_by(LibroPagador.fila, LibroPagador.id)
    )
    rows = [
        FilaLibro(
            one.fila, one.factura_texto, one.valor_factura, one.valor_glosa, one.estado_glosa,
            motivo=one.detalle if one.diferencia == NO_LEIDA else "",
        )
        for one in lines
    ]  # fmt: skip
    return compare(rows, our_books(session, row, rows)) if rows else []


def our_books(session: Session, row: Conciliacion, rows: Collection[FilaLibro]) -> list[Nuestra]:
    """Return what we hold of the invoices that the rows name and of those on the table; of this payer only."""
    numbers = [parse_invoice_number(one.factura) for one in rows if not one.motivo]
    digits = sorted({one.digits for one in numbers if one is not None and one.digits})
    on_table = set(
        session.scalars(
            select(ConciliacionLinea.factura_id).where(ConciliacionLinea.conciliacion_id == row.id).distinct()
        )
    )
    ours = select(Factura).where(Factura.prestador_id == row.prestador_id, Factura.pagador_id == row.pagador_id)
    invoices: dict[int, Factura] = {}
    wanted = [Factura.numero_digitos.in_(part) for part in parts_of(digits)]
    for condition in (*wanted, *(Factura.id.in_(part) for part in parts_of(on_table))):
        invoices |= {one.id: one for one in session.scalars(ours.where(condition))}
    money = _money(session, sorted(invoices))
    return [
        Nuestra(
            one.id, one.numero, own_number(one), one.valor, *money.get(one.id, (0, SIN_GLOSA)), en_mesa=one.id in on_table
        )
        for one in sorted(invoices.values(), key=lambda one: (one.numero, one.id))
    ]  # fmt: skip


def _money(session: Session, ids: list[int]) -> dict[int, tuple[int, str]]:
    """Return what is in dispute of each invoice, and how its glosas stand as a whole."""
    found: dict[int, tuple[int, str]] = {}
    for part in parts_of(ids):
        sums = session.execute(
            select(Glosa.factura_id, func.sum(Glosa.en_disputa), func.sum(Glosa.levantado), func.sum(Glosa.aceptado))
            .where(Glosa.factura_id.in_(part), Glosa.estado != EstadoGlosa.ANULADA)
            .group_by(Glosa.factura_id)
        )
        for factura_id, dispute, lifted, accepted in sums:
            found[factura_id] = (int(dispute), _class(int(dispute), int(lifted), int(accepted)))
        returned = session.execute(
            select(Devolucion.factura_id, Devolucion.valor).where(
                Devolucion.factura_id.in_(part), Devolucion.estado.in_([state.value for state in DEV_ABIERTAS])
            )
        )
        for factura_id, value in returned:
            found[factura_id] = (int(value), EN_DISPUTA)  # the devolución holds the whole invoice
    return found


def _class(dispute: int, lifted: int, accepted: int) -> str:
    if dispute:
        return EN_DISPUTA
    if lifted and accepted:
        return CERRADA
    return LEVANTADA if lifted else ACEPTADA if accepted else SIN_GLOSA
