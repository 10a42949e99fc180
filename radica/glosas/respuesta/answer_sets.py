"""The answers of one invoice and round as one thing to present: which are ready, which lines still lack theirs.

Invariant: an invoice's answers of a round go together or not at all; the sets, their counts and their money come from
the same rows that the order will carry. Norm: Res. 2284/2023 Anexo Técnico 3.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.glosas.bandeja.tray_filter import Objecion, stake
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.states import EstadoRespuesta

SHOWN = 200
"""Sets listed at once; presenting them brings the next."""


@dataclass(frozen=True)
class Conjunto:
    """The answers of one invoice, act and round. Amounts in centavos; `faltan`: lines without an approved answer."""

    factura: Factura
    acto: str
    ronda: int
    pagador: str
    pagador_id: int
    aprobadas: int
    faltan: int
    en_juego: int
    aceptado: int
    vence: date | None

    @property
    def clave(self) -> str:
        """Name of the set in a form."""
        return f"{self.factura.id}:{self.acto}:{self.ronda}"


@dataclass(frozen=True)
class Par:
    """An objection with its living answer."""

    objecion: Objecion
    respuesta: Respuesta | None

    @property
    def lista(self) -> bool:
        """True when its answer is approved."""
        return self.respuesta is not None and self.respuesta.estado is EstadoRespuesta.APROBADA


@dataclass
class _Sum:
    lines: int = 0
    ready: int = 0
    at_stake: int = 0
    accepted: int = 0
    due: date | None = None
    payer: int = 0
    pairs: list[Par] = field(default_factory=list)


def ready_sets(session: Session, prestadores: Collection[int], *, limit: int = SHOWN) -> list[Conjunto]:
    """Return the sets with at least one approved answer, what lapses first before the rest."""
    # What no longer waits for us is not presented, and must not fill the list either.
    due = or_(
        Respuesta.glosa_id.in_(select(Glosa.id).where(Glosa.prestador_id.in_(prestadores), Glosa.turno == "ips")),
        Respuesta.devolucion_id.in_(
            select(Devolucion.id).where(Devolucion.prestador_id.in_(prestadores), Devolucion.turno == "ips")
        ),
    )
    ids = session.scalars(
        select(Respuesta.factura_id)
        .where(Respuesta.prestador_id.in_(prestadores), Respuesta.estado == EstadoRespuesta.APROBADA, due)
        .group_by(Respuesta.factura_id)
        .order_by(func.min(Respuesta.aprobada_at), Respuesta.factura_id)
        .limit(limit)
    ).all()
    found = sets_of(session, ids)
    return sorted(
        (one for one in found if one.aprobadas),
        key=lambda one: (one.vence is None, one.vence or date.max, one.factura.id),
    )


def sets_of(session: Session, factura_ids: Sequence[int]) -> list[Conjunto]:
    """Return the sets of some invoices."""
    sums: dict[tuple[int, str, int], _Sum] = {}
    for pair in pairs_of(session, factura_ids):
        row = pair.objecion
        ronda = row.ronda if isinstance(row, Glosa) else 1
        one = sums.setdefault((row.factura_id, row.KIND, ronda), _Sum())
        one.lines += 1
        one.at_stake += stake(row)
        one.payer = row.pagador_id
        one.due = min((day for day in (one.due, row.vence) if day is not None), default=None)
        if pair.lista and pair.respuesta is not None:
            one.ready += 1
            one.accepted += pair.respuesta.valor_aceptado
    invoices = {row.id: row for row in session.scalars(select(Factura).where(Factura.id.in_({key[0] for key in sums})))}
    rows = session.execute(
        select(Pagador.id, Pagador.nombre).where(Pagador.id.in_({one.payer for one in sums.values()}))
    )
    payers = {row.id: row.nombre for row in rows}
    return [
        Conjunto(
            invoices[factura_id], acto, ronda, payers.get(one.payer, ""), one.payer, one.ready, one.lines - one.ready,
            one.at_stake, one.accepted, one.due,
        )
        for (factura_id, acto, ronda), one in sums.items()
    ]  # fmt: skip


def pairs_of(session: Session, factura_ids: Sequence[int]) -> list[Par]:
    """Return what waits for us of some invoices, each with its living answer; lapsed first."""
    lines: list[Objecion] = []
    kinds: tuple[type[Glosa] | type[Devolucion], ...] = (Devolucion, Glosa)
    for kind in kinds:
        query: Any = select(kind).where(kind.factura_id.in_(factura_ids), kind.turno == "ips")
        lines += session.scalars(query.order_by(kind.vence, kind.id)).all()
    answers: dict[tuple[str, int, int], Respuesta] = {}
    living = select(Respuesta).where(
        Respuesta.factura_id.in_(factura_ids), Respuesta.estado != EstadoRespuesta.DESCARTADA
    )
    for one in session.scalars(living.order_by(Respuesta.id)):
        kind_of, id_ = ("glosa", one.glosa_id) if one.glosa_id is not None else ("devolucion", one.devolucion_id)
        answers[kind_of, id_ or 0, one.ronda] = one
    return [Par(row, answers.get((row.KIND, row.id, row.ronda if isinstance(row, Glosa) else 1))) for row in lines]
