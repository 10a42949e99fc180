"""Payments that a payer promises in an acta: when, how much, and what came of each.

Invariant: what is promised never exceeds what the invoices of the table can owe after the acta: what it lifts plus
what nobody objects to (payments are not known here yet, so this is a ceiling, not a balance). A promise is kept or
given up once, with proof or reason; until then its date alone says that it was broken. Norm: Circular conjunta
030/2013 (binding commitments of payment).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.audit.services import lock_all
from radica.conciliacion.models import Compromiso, CompromisoHecho, Conciliacion, ConciliacionLinea, EstadoCompromiso
from radica.conciliacion.services import lock_open_table, seal_for
from radica.conciliacion.states import FIRMADAS
from radica.conciliacion.table import totals
from radica.custodia.services import Kept
from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.states import DEV_ABIERTAS, EstadoGlosa
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput, InvalidTransition, NotFound
from radica.kernel.money import MAX_CENTS, format_cop
from radica.users.models import ClaseTarea
from radica.users.tasks import close_tasks, open_task

MAX_COMPROMISOS = 60
INCUMPLIDO = "incumplido"
"""How a promise reads whose date passed with nothing done; told by the date, not stored."""


@dataclass(frozen=True)
class Cota:
    """What may be promised, in centavos: what the acta lifts, and what nobody objects to in its invoices."""

    levantado: int
    sin_objetar: int
    prometido: int

    @property
    def maximo(self) -> int:
        """The most that the promises may sum to."""
        return self.levantado + self.sin_objetar


@dataclass(frozen=True)
class Visto:
    """A promise and what came of it. `estado`: a value of EstadoCompromiso, or INCUMPLIDO."""

    compromiso: Compromiso
    hecho: CompromisoHecho | None
    estado: str


def ceiling(session: Session, row: Conciliacion) -> Cota:
    """Return what the promises of a table may sum to and do sum to."""
    on_table = select(ConciliacionLinea.factura_id).where(ConciliacionLinea.conciliacion_id == row.id).distinct()
    objected = {
        int(factura_id): int(value)
        for factura_id, value in session.execute(
            select(Glosa.factura_id, func.sum(Glosa.aceptado + Glosa.en_disputa))
            .where(Glosa.factura_id.in_(on_table), Glosa.estado != EstadoGlosa.ANULADA)
            .group_by(Glosa.factura_id)
        )
    }
    open_states = [state.value for state in DEV_ABIERTAS]
    returned = set(
        session.scalars(
            select(Devolucion.factura_id).where(Devolucion.factura_id.in_(on_table), Devolucion.estado.in_(open_states))
        )
    )
    values = session.execute(select(Factura.id, Factura.valor).where(Factura.id.in_(on_table)))
    free = sum(
        max(0, (value or 0) - objected.get(factura_id, 0)) for factura_id, value in values if factura_id not in returned
    )
    promised = session.scalar(
        select(func.coalesce(func.sum(Compromiso.valor), 0)).where(Compromiso.conciliacion_id == row.id)
    )
    return Cota(totals(session, row).levantado, free, int(promised or 0))


def excess(limit: Cota) -> str:
    """Say that too much is promised; "" when it is not."""
    if limit.prometido <= limit.maximo:
        return ""
    return (
        f"Los compromisos suman {format_cop(limit.prometido)} y las facturas de la mesa solo pueden deber"
        f" {format_cop(limit.maximo)}: {format_cop(limit.levantado)} que se levantan y"
        f" {format_cop(limit.sin_objetar)} que nadie objetó."
    )


def promise(
    session: Session, row: Conciliacion, *, fecha: date, valor: int, nota: str = "", at: datetime
) -> Compromiso:
    """Write a promise of payment on an open table. Raises BadInput when it is too much, too many or too early."""
    lock_open_table(session, row)
    first = civil_date(row.citada_at or at)
    if fecha < first:
        raise BadInput("La fecha de pago es anterior a la reunión.", todo="Corrija la fecha.", code="fecha")
    if not 0 < valor <= MAX_CENTS:
        raise BadInput("El valor prometido debe ser mayor que cero.", todo="Corrija el valor.", code="valor")
    count = session.scalar(select(func.count()).select_from(Compromiso).where(Compromiso.conciliacion_id == row.id))
    if (count or 0) >= MAX_COMPROMISOS:
        raise BadInput(f"Un acta lleva hasta {MAX_COMPROMISOS} compromisos.", code="demasiados")
    limit = ceiling(session, row)
    problem = excess(replace(limit, prometido=limit.prometido + valor))
    if problem:
        raise BadInput(problem, todo="No se guardó. Corrija el valor, o anote antes lo que se levanta.", code="cota")
    made = Compromiso(
        prestador_id=row.prestador_id,
        conciliacion_id=row.id,
        fecha=fecha,
        valor=valor,
        nota=nota.strip()[:300],
    )
    session.add(made)
    session.flush()
    return made


def withdraw(session: Session, row: Conciliacion, compromiso_id: int) -> None:
    """Take a promise off an open table. Raises NotFound when it is not on it."""
    lock_open_table(session, row)
    found = session.get(Compromiso, compromiso_id)
    if found is None or found.conciliacion_id != row.id:
        raise NotFound
    session.delete(found)
    session.flush()


def seen(session: Session, row: Conciliacion, today: date) -> list[Visto]:
    """Return the promises of a meeting by date, each with what came of it."""
    rows = session.execute(
        select(Compromiso, CompromisoHecho)
        .outerjoin(CompromisoHecho, CompromisoHecho.compromiso_id == Compromiso.id)
        .where(Compromiso.conciliacion_id == row.id)
        .order_by(Compromiso.fecha, Compromiso.id)
    )
    signed = row.estado in FIRMADAS
    return [Visto(one, done, state_of(one, done, today, signed=signed)) for one, done in rows]


def state_of(one: Compromiso, done: CompromisoHecho | None, today: date, *, signed: bool) -> str:
    """Tell how a promise stands: what was registered, else broken from the day after its date."""
    if done is not None:
        return str(done.resultado)
    return INCUMPLIDO if signed and one.fecha < today else str(EstadoCompromiso.PENDIENTE)


def settle(
    session: Session,
    compromiso: Compromiso,
    resultado: EstadoCompromiso,
    *,
    fecha: date,
    valor: int = 0,
    nota: str = "",
    kept: Sequence[Kept] = (),
    actor: str,
    at: datetime,
) -> CompromisoHecho:
    """Write what came of a promise of a signed acta, once, and close its task.

    Kept needs evidence, a day up to today and at least the promised amount (a part of it keeps no promise: it stays
    broken). Given up needs a reason. Raises BadInput, or InvalidTransition when it was settled before or never signed.
    """
    row = session.get_one(Conciliacion, compromiso.conciliacion_id)
    lock_all(session, [row])
    if row.estado not in FIRMADAS:
        raise InvalidTransition("El acta no está firmada: todavía no hay compromiso.", code="sin_firma")
    if session.scalar(select(CompromisoHecho.id).where(CompromisoHecho.compromiso_id == compromiso.id)) is not None:
        raise InvalidTransition("Ese compromiso ya tiene resultado; no se cambió.", code="ya_registrado")
    if resultado is EstadoCompromiso.CUMPLIDO:
        _check_kept(compromiso, fecha, valor, kept, civil_date(at))
    elif not nota.strip():
        raise BadInput("Escriba por qué se desiste del compromiso.", code="sin_motivo")
    pieces = seal_for(session, row, kept, actor=actor, at=at)
    done = CompromisoHecho(
        prestador_id=row.prestador_id,
        compromiso_id=compromiso.id,
        resultado=resultado,
        valor=valor if resultado is EstadoCompromiso.CUMPLIDO else 0,
        fecha=fecha,
        nota=nota.strip()[:300],
        evidencia=[one.sha256 for one in pieces],
        at=at,
        actor=actor,
    )
    session.add(done)
    session.flush()
    close_tasks(session, case_key(compromiso.id), por=actor, resultado=str(resultado), at=at)
    return done


def case_key(compromiso_id: int) -> str:
    """Name the case of a promise, for its task."""
    return f"compromiso:{compromiso_id}"


def broken(
    session: Session, today: date, *, prestador_ids: Collection[int] | None = None
) -> list[tuple[Compromiso, Conciliacion, str]]:
    """Return the promises of signed actas whose date passed with nothing registered, with the payer's name."""
    query = (
        select(Compromiso, Conciliacion, Pagador.nombre)
        .join(Conciliacion, Conciliacion.id == Compromiso.conciliacion_id)
        .join(Pagador, Pagador.id == Conciliacion.pagador_id)
        .outerjoin(CompromisoHecho, CompromisoHecho.compromiso_id == Compromiso.id)
        .where(
            Compromiso.fecha < today,
            CompromisoHecho.id.is_(None),
            Conciliacion.estado.in_([state.value for state in FIRMADAS]),
        )
        .order_by(Compromiso.fecha, Compromiso.id)
    )
    if prestador_ids is not None:
        query = query.where(Compromiso.prestador_id.in_(prestador_ids))
    return [(one, row, name) for one, row, name in session.execute(query)]


def alert_broken(session: Session, *, today: date, at: datetime) -> int:
    """Open a task per broken promise; again it is the same task. Returns how many are broken."""
    found = broken(session, today)
    for one, row, payer in found:
        open_task(
            session,
            ClaseTarea.COMPROMISO_INCUMPLIDO,
            prestador_id=one.prestador_id,
            case_key=case_key(one.id),
            titulo=f"{payer} no pagó {format_cop(one.valor)} que prometió para el {one.fecha.isoformat()}"
            f" (acta {row.numero})",
            detalle="Si el pago llegó, regístrelo con su soporte en la conciliación; si no, reclámelo.",
            at=at,
        )
    return len(found)


def _check_kept(one: Compromiso, fecha: date, valor: int, kept: Sequence[Kept], today: date) -> None:
    if fecha > today:
        raise BadInput("La fecha del pago está en el futuro.", todo="Corrija la fecha.", code="fecha_futura")
    if valor < one.valor:
        raise BadInput(
            f"Se prometieron {format_cop(one.valor)} y llegaron {format_cop(valor)}: el compromiso no está cumplido.",
            todo="Regístrelo cuando llegue completo.",
            code="incompleto",
        )
    if not kept:
        raise BadInput("Adjunte el soporte del pago.", todo="PDF, correo .eml o imagen.", code="sin_evidencia")
