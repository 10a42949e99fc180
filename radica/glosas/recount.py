"""All running terms counted again: for when the calendar changes (a new holiday, a day decided otherwise).

Invariant: only what is derived is written (lateness, days, dates of the running term), never a state nor money; a row
that somebody moved meanwhile is left to that act, which counted by itself. Norm: Ley 4/1913 art. 62.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, String, bindparam, func, select, type_coerce, update
from sqlalchemy.orm import Session

from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.glosas.clocks import Corre, Objeto, lateness, terms_after
from radica.glosas.models import Acto, Devolucion, Glosa, TipoActo
from radica.kernel.db import Database
from radica.plazos.calendar import Calendar, default_calendar

BATCH = 5_000


@dataclass(frozen=True)
class Recuento:
    """How many rows with a running term were counted again, and how many changed."""

    contadas: int
    cambiadas: int


def recompute_terms(database: Database, *, calendar: Calendar | None = None, batch: int = BATCH) -> Recuento:
    """Count the running terms of all glosas and devoluciones again, and write those that changed, in batches."""
    cal = calendar or default_calendar()
    counted = changed = 0
    for kind in (Glosa, Devolucion):
        after = 0
        while True:
            with database.read() as session:
                rows = session.execute(_query(kind).where(kind.id > after).limit(batch)).all()
            if not rows:
                break
            after = rows[-1].id
            new = list(changes(kind, rows, cal))
            counted += len(rows)
            changed += len(new)
            if new:
                with database.write() as session:
                    _write(session, kind, new)
    return Recuento(counted, changed)


def _query(kind: type[Glosa] | type[Devolucion]) -> Any:
    """Select what the terms of a row depend on; instants as the database keeps them, read by `_instant`."""
    answered: Any
    if kind is Glosa:
        extra = [Glosa.fecha_segun_pagador, _raw(Glosa.decidida_at).label("decidida")]
        answered = _raw(Glosa.respondida_at)
    else:
        extra = []
        answered = (
            select(func.max(_raw(Acto.ocurrido_at)))
            .where(Acto.devolucion_id == Devolucion.id, Acto.tipo == TipoActo.RESPUESTA)
            .scalar_subquery()
        )
    return (
        select(
            kind.id, kind.version, kind.estado, kind.extemporanea, kind.dias_pagador, kind.vence, kind.vence_alterno,
            _raw(kind.notificada_at).label("notificada"), answered.label("respondida"),
            _raw(Factura.fecha_radicacion).label("radicada"), Pagador.tipo, *extra,
        )
        .join(Factura, Factura.id == kind.factura_id)
        .join(Pagador, Pagador.id == kind.pagador_id)
        .where(kind.turno != "")
        .order_by(kind.id)
    )  # fmt: skip


def _raw(column: Any) -> Any:
    return type_coerce(column, String)


@lru_cache(maxsize=1 << 16)
def _instant(value: str | datetime | None) -> datetime | None:
    """Read an instant as either database hands it over; the same few come again and again."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return value.astimezone(UTC) if value is not None else None


def changes(kind: type[Glosa] | type[Devolucion], rows: Sequence[Row[Any]], cal: Calendar) -> Iterator[dict[str, Any]]:
    """Yield what must be written for the rows whose terms are not what the calendar says; pure."""
    what = Objeto.GLOSA if kind is Glosa else Objeto.DEVOLUCION
    for row in rows:
        notified, filed = _instant(row.notificada), _instant(row.radicada)
        assert notified is not None
        proof = lateness(what, filed, notified, pagador=row.tipo, calendar=cal) if filed else {}
        late, days = proof.get("oportuno") is False, proof.get("dias")
        term = terms_after(
            row.estado,
            notificada=notified,
            radicada=filed,
            segun_pagador=row.fecha_segun_pagador if kind is Glosa else None,
            respondida=_instant(row.respondida),
            decidida=_instant(row.decidida) if kind is Glosa else None,
            pagador=row.tipo,
            calendar=cal,
        )
        first, last = _days(term)
        if (late, days, first, last) != (row.extemporanea, row.dias_pagador, row.vence, row.vence_alterno):
            yield {
                "row_id": row.id,
                "row_version": row.version,
                "new_late": late,
                "new_days": days,
                "new_first": first,
                "new_last": last,
            }


def _days(term: Corre | None) -> tuple[date | None, date | None]:
    return (term.vence, term.vence_alterno) if term else (None, None)


def _write(session: Session, kind: type[Glosa] | type[Devolucion], new: Sequence[dict[str, Any]]) -> None:
    table: Any = kind.__table__
    session.connection().execute(
        update(table)
        .where(table.c.id == bindparam("row_id"), table.c.version == bindparam("row_version"))
        .values(
            extemporanea=bindparam("new_late"),
            dias_pagador=bindparam("new_days"),
            vence=bindparam("new_first"),
            vence_alterno=bindparam("new_last"),
        ),
        list(new),
    )
