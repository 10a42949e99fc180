"""The second clock: each act of ours must also be registered in SIIFA, within 48 business hours (GLO-09).

Invariant: an act is pending until a person says with what reference it was registered; a registration is one row,
only added, dated when it was made and never before the act. Norm: Res. 1962/2025 (terms.csv says how sure we are).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from radica.facturas.models import Factura
from radica.glosas.acts_base import TOLERANCE
from radica.glosas.models import Acto, Devolucion, Glosa, RegistroSiifa, TipoActo
from radica.kernel.clock import BOGOTA, bogota
from radica.kernel.db import insert_rows
from radica.kernel.errors import BadInput, NotFound
from radica.plazos.calendar import business_hours_add

WARNING_HOURS = 8
"""Business hours left from which a pending registration is shown as urgent (forty of the 48 are gone)."""


class Urgencia(StrEnum):
    """How near the end of the 48 hours is."""

    VENCIDA = "vencida"
    PRONTO = "pronto"
    HOLGADA = "holgada"


@dataclass(frozen=True)
class Pendiente:
    """An act of ours that SIIFA does not have yet. `objeto` is `glosa` or `devolucion`."""

    acto_id: int
    prestador_id: int
    factura_id: int
    factura: str
    objeto: str
    objeto_id: int
    codigo: str
    tipo: TipoActo
    respuesta: str
    ocurrido_at: datetime
    vence: datetime
    urgencia: Urgencia


def pending(session: Session, prestador_ids: Sequence[int], now: datetime, *, limit: int = 500) -> list[Pendiente]:
    """Return the acts of these providers that are not registered, the one that lapses first on top."""
    soon = _soon(now)
    rows = session.execute(
        _open(prestador_ids)
        .add_columns(Factura.numero, Glosa.codigo.label("glosa"), Devolucion.codigo.label("devolucion"))
        .join(Factura, Factura.id == Acto.factura_id)
        .outerjoin(Glosa, Glosa.id == Acto.glosa_id)
        .outerjoin(Devolucion, Devolucion.id == Acto.devolucion_id)
        .order_by(Acto.siifa_vence, Acto.id)
        .limit(limit)
    )
    return [_pending(act, number, glosa or returned or "", now, soon) for act, number, glosa, returned in rows]


def _open(prestador_ids: Sequence[int]) -> Select[Acto]:
    return (
        select(Acto)
        .outerjoin(RegistroSiifa, RegistroSiifa.acto_id == Acto.id)
        .where(Acto.prestador_id.in_(prestador_ids), Acto.siifa_vence.is_not(None), RegistroSiifa.id.is_(None))
    )


def _soon(now: datetime) -> datetime:
    return business_hours_add(now.astimezone(BOGOTA), WARNING_HOURS)


def _pending(act: Acto, number: str, code: str, now: datetime, soon: datetime) -> Pendiente:
    assert act.siifa_vence is not None
    urgency = (
        Urgencia.VENCIDA if act.siifa_vence < now else Urgencia.PRONTO if act.siifa_vence <= soon else Urgencia.HOLGADA
    )
    return Pendiente(
        act.id, act.prestador_id, act.factura_id, number, "glosa" if act.glosa_id else "devolucion",
        act.glosa_id or act.devolucion_id or 0, code, act.tipo, act.codigo or "", act.ocurrido_at, act.siifa_vence,
        urgency,
    )  # fmt: skip


def counts(session: Session, prestador_ids: Sequence[int], now: datetime) -> dict[Urgencia, int]:
    """Return how many pending registrations there are by urgency, without a limit."""
    soon = _soon(now)
    open_ = _open(prestador_ids).with_only_columns(Acto.siifa_vence).subquery()

    def how_many(*conditions: object) -> int:
        return session.scalar(select(func.count()).select_from(open_).where(*conditions)) or 0  # type: ignore[arg-type]

    late, near = how_many(open_.c.siifa_vence < now), how_many(open_.c.siifa_vence <= soon)
    return {Urgencia.VENCIDA: late, Urgencia.PRONTO: near - late, Urgencia.HOLGADA: how_many() - near}


def record(
    session: Session,
    acto_ids: Sequence[int],
    *,
    prestador_ids: Sequence[int],
    referencia: str,
    actor: str,
    at: datetime,
    registrado_at: datetime | None = None,
    evidence: Sequence[str] = (),
) -> int:
    """Record that these acts stand in SIIFA under `referencia`; returns how many were not recorded before.

    `registrado_at` is when it was done (default `at`). Raises NotFound when an act is not of these providers, and
    BadInput without reference, for an act that is not ours to register, or a date in the future or before the act.
    """
    when = registrado_at or at
    if not referencia.strip():
        raise BadInput(
            "Falta la referencia del registro en SIIFA.",
            todo="Escriba el número que dio SIIFA.",
            code="falta_referencia",
        )
    wanted = set(acto_ids)
    acts = session.scalars(select(Acto).where(Acto.id.in_(wanted), Acto.prestador_id.in_(prestador_ids))).all()
    if len(acts) != len(wanted):
        raise NotFound("Alguno de los actos no existe o no es de sus prestadores; no se guardó nada.")
    if any(act.siifa_vence is None for act in acts):
        raise BadInput("Alguno de esos actos no es del prestador: no le toca registrarlo.", code="acto_ajeno")
    earliest = max((act.ocurrido_at for act in acts), default=when)
    if when > at + TOLERANCE or when < earliest:
        raise BadInput(
            f"La fecha del registro ({bogota(when):%d/%m/%Y %H:%M}) debe estar entre la del acto "
            f"({bogota(earliest):%d/%m/%Y %H:%M}) y ahora; no se guardó nada.",
            todo="Registre la fecha que dice SIIFA.",
            code="fecha_registro",
        )
    known = set(session.scalars(select(RegistroSiifa.acto_id).where(RegistroSiifa.acto_id.in_(wanted))))
    rows = [
        {
            "prestador_id": act.prestador_id,
            "acto_id": act.id,
            "registrado_at": when,
            "actor": actor,
            "referencia": referencia.strip()[:120],
            "evidencia": sorted(set(evidence)),
        }
        for act in sorted(acts, key=lambda one: one.id)
        if act.id not in known
    ]
    insert_rows(session, RegistroSiifa, rows, again=True)
    return len(rows)
