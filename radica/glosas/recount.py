"""All running terms counted again: for when the calendar changes (a new holiday, a day decided otherwise).

Invariant: only what is derived is written (lateness, days, dates of the running term), never a state nor money; a row
that somebody moved meanwhile is left to that act, which counted by itself. Norm: Ley 4/1913 art. 62.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import String, bindparam, func, null, select, type_coerce, update
from sqlalchemy.orm import Session

from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.glosas.clocks import Objeto, lateness, terms_after
from radica.glosas.models import Acto, Devolucion, Glosa, TipoActo
from radica.kernel.clock import civil_date
from radica.kernel.db import Database
from radica.plazos.calendar import Calendar, default_calendar

BATCH = 10_000


@dataclass(frozen=True)
class Recuento:
    """How many rows with a running term were counted again, and how many changed."""

    contadas: int
    cambiadas: int


def recompute_terms(
    database: Database,
    *,
    calendar: Calendar | None = None,
    batch: int = BATCH,
    keep: Callable[[int], None] | None = None,
) -> Recuento:
    """Count the running terms of all glosas and devoluciones again, and write those that changed, in batches.

    `keep` is told after each batch how many rows were counted; what it raises ends the recount between two batches.
    """
    cal = calendar or default_calendar()
    counted = changed = 0
    for kind in (Glosa, Devolucion):
        after = 0
        while True:
            with database.read() as session:
                rows = session.execute(_query(kind).where(kind.id > after).limit(batch)).all()
            if not rows:
                break
            after = rows[-1][0]
            new = list(_changes(kind, rows, cal))
            counted += len(rows)
            changed += len(new)
            if new:
                with database.write() as session:
                    _write(session, kind, new)
            if keep is not None:
                keep(counted)
    return Recuento(counted, changed)


def _query(kind: type[Glosa] | type[Devolucion]) -> Any:
    """Select what the terms of a row depend on, as the database keeps it: `_changes` reads only what it has not seen."""
    stated: Any = null()
    decided: Any = null()
    answered: Any = _raw(Glosa.respondida_at)
    if kind is Glosa:
        stated, decided = Glosa.fecha_segun_pagador, _raw(Glosa.decidida_at)
    else:
        answered = (
            select(func.max(_raw(Acto.ocurrido_at)))
            .where(Acto.devolucion_id == Devolucion.id, Acto.tipo == TipoActo.RESPUESTA)
            .scalar_subquery()
        )
    return (
        select(
            kind.id, kind.version, kind.extemporanea, kind.dias_pagador, kind.vence, kind.vence_alterno,
            _raw(kind.estado), _raw(Pagador.tipo), _raw(kind.notificada_at), _raw(Factura.fecha_radicacion),
            answered, decided, stated,
        )
        .join(Factura, Factura.id == kind.factura_id)
        .join(Pagador, Pagador.id == kind.pagador_id)
        .where(kind.turno != "")
        .order_by(kind.id)
    )  # fmt: skip


def _raw(column: Any) -> Any:
    return type_coerce(column, String)


def _day(value: str | datetime | None) -> date | None:
    """Return the civil day of an instant as either database hands it over."""
    if isinstance(value, str):
        return _day_of_hour(value[:13])
    return civil_date(value) if value is not None else None


@lru_cache(maxsize=1 << 16)
def _day_of_hour(text: str) -> date:
    """Bogotá lies whole hours off: the hour says the day."""
    return civil_date(datetime.fromisoformat(f"{text}:00:00+00:00"))


_Terms = tuple[bool, int | None, date | None, date | None]
"""What is derived: lateness, the payer's business days, first and last day of the running term."""


def _changes(kind: type[Glosa] | type[Devolucion], rows: Iterable[Any], cal: Calendar) -> Iterator[dict[str, Any]]:
    """Yield what must be written for the rows whose terms are not what the calendar says."""
    seen: dict[Any, _Terms] = {}
    for row_id, version, late, days, first, last, *inputs in rows:
        estado, tipo, notified, filed, answered, decided, stated = inputs
        key = (estado, tipo, _day(notified), _day(filed), _day(answered), _day(decided), stated)
        found = seen.get(key)
        if found is None:
            found = seen[key] = _terms(kind, key, cal)
        if found != (bool(late), days, first, last):
            yield {
                "row_id": row_id,
                "row_version": version,
                "new_late": found[0],
                "new_days": found[1],
                "new_first": found[2],
                "new_last": found[3],
            }


def _terms(kind: type[Glosa] | type[Devolucion], key: tuple[Any, ...], cal: Calendar) -> _Terms:
    estado, tipo, notified, filed, answered, decided, stated = key
    what = Objeto.GLOSA if kind is Glosa else Objeto.DEVOLUCION
    proof = lateness(what, filed, notified, pagador=tipo, calendar=cal) if filed else {}
    term = terms_after(
        kind.MACHINE.states(estado),  # type: ignore[arg-type]
        notificada=notified,
        radicada=filed,
        segun_pagador=stated,
        respondida=answered,
        decidida=decided,
        pagador=tipo,
        calendar=cal,
    )
    first, last = (term.vence, term.vence_alterno) if term else (None, None)
    return proof.get("oportuno") is False, proof.get("dias"), first, last


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
