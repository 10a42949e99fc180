"""Order a filing, withdraw it, and close it with what the payer said: the only writers of an envío.

Invariant: one open intention per invoice and act; an invoice not ready is refused with all its reasons at once; an
envío and its invoices move together, in one transaction, with sealed evidence. Norms: Res. 948/2026 art. 15 (filing
within 22 business days, unique filing number), Res. 2284/2023 art. 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.audit.models import Reason
from radica.audit.services import Move, advance_all, lock_all
from radica.facturas.models import Factura, Hallazgo, Severidad
from radica.facturas.review import review
from radica.facturas.states import EstadoFactura, EventoFactura
from radica.jobs.models import Job, JobState
from radica.jobs.queue import cancel, enqueue
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput, InvalidTransition, NotFound
from radica.portales.models import CuentaPortal
from radica.portales.services import account_for
from radica.radicacion.effects import Acuse, Closing, Effects, Words, effects_of, register
from radica.radicacion.entrega import plans_of
from radica.radicacion.models import Envio, EnvioFactura
from radica.radicacion.opening import open_envio
from radica.radicacion.package import PackageFile
from radica.radicacion.states import LIBERAN, Acto, EstadoEnvio, EventoEnvio
from radica.users.models import ClaseTarea
from radica.users.tasks import close_tasks, open_task

KIND_FILE = "radicar"
KIND_LOOK_UP = "consultar"
MAX_CLAIMS = 20
"""Claims of one filing job lost with their workers before anything was sent, until a person is asked."""
MIN_LEVEL = 2
"""Proof level from which an invoice is filed (reference scale 0–4)."""


@dataclass(frozen=True)
class Refusal:
    """An invoice that could not be ordered, with every reason."""

    factura_id: int
    numero: str
    motivos: tuple[str, ...]


@dataclass(frozen=True)
class Ordered:
    """What came of an order for many invoices: the envíos opened and the invoices refused."""

    envios: tuple[Envio, ...]
    rechazos: tuple[Refusal, ...]


def order_filings(
    session: Session,
    factura_ids: Sequence[int],
    *,
    prestador_ids: Sequence[int],
    actor: str,
    at: datetime,
    reason: str = Reason.ORDEN_DE_PERSONA,
    canal: str | None = None,
) -> Ordered:
    """Open envíos for many invoices: by bot where the payer has an account, by hand otherwise (or if `canal='mano'`).

    Invoices of other providers are NotFound; those not ready come back as refusals and the rest goes on.
    """
    rows = list(
        session.scalars(
            select(Factura)
            .where(Factura.id.in_(set(factura_ids)), Factura.prestador_id.in_(prestador_ids))
            .order_by(Factura.id)
        )
    )
    if len(rows) != len(set(factura_ids)):
        raise NotFound("Alguna de las facturas no existe o no es de sus prestadores; no se hizo nada.")
    lock_all(session, rows)
    today = civil_date(at)
    refusals: list[Refusal] = []
    groups: dict[tuple[int, int | None], list[Factura]] = {}
    for row in rows:
        reasons = reasons_not_ready(session, row, today)
        if reasons:
            refusals.append(Refusal(row.id, row.numero, tuple(reasons)))
            continue
        groups.setdefault((row.prestador_id, row.pagador_id), []).append(row)
    envios = []
    for (prestador_id, pagador_id), members in groups.items():
        account = None
        if canal != "mano" and pagador_id is not None:
            account = account_for(session, prestador_id=prestador_id, pagador_id=pagador_id)
        size = account.max_facturas if account else 1
        for start in range(0, len(members), size):
            chunk = members[start : start + size]
            envios.append(_open(session, chunk, account, actor=actor, at=at, reason=reason))
    return Ordered(tuple(envios), tuple(refusals))


def reasons_not_ready(session: Session, factura: Factura, today: date) -> list[str]:
    """Return every reason why the invoice cannot be filed now; empty when it can."""
    reasons = []
    if factura.estado is not EstadoFactura.LISTA:
        label = Factura.MACHINE.labels[factura.estado].lower()
        reasons.append(f"La factura está «{label}».")
        reasons += session.scalars(
            select(Hallazgo.mensaje)
            .where(Hallazgo.factura_id == factura.id, Hallazgo.severidad == Severidad.BLOQUEO)
            .order_by(Hallazgo.id)
        )
    elif factura.vence_radicar and factura.vence_radicar < today and not factura.extemporanea_por:
        reasons.append(
            "Se venció el término de 22 días hábiles para radicar (Res. 948/2026 art. 15): "
            "un rol autorizado debe ordenar radicarla así, con motivo, o anularla y expedir otra."
        )
    if factura.pagador_id is None:
        reasons.append("No se sabe quién es el pagador.")
    return reasons


def _open(
    session: Session,
    facturas: Sequence[Factura],
    account: CuentaPortal | None,
    *,
    actor: str,
    at: datetime,
    reason: str,
) -> Envio:
    first = facturas[0]
    assert first.pagador_id is not None
    envio = open_envio(
        session,
        Acto.RADICACION,
        _next_round(session, [row.id for row in facturas]),
        [(row, row.valor or 0) for row in facturas],
        pagador_id=first.pagador_id,
        account=account,
        actor=actor,
        at=at,
        reason=reason,
    )
    moves = [Move(row, EventoFactura.ABRIR_ENVIO, reason, facts={"envio": envio.id}) for row in facturas]
    advance_all(session, moves, actor=actor, at=at)
    if account:
        enqueue_filing(session, envio, account)
    return envio


def enqueue_filing(session: Session, envio: Envio, account: CuentaPortal, *, delay_s: int = 0) -> int | None:
    """Put the envío in its account's lane; again while one is alive is harmless."""
    return enqueue(
        session,
        KIND_FILE,
        payload={"envio_id": envio.id},
        prestador_id=envio.prestador_id,
        lane_id=account.lane_id,
        subject=envio.case_key,
        dedup=f"{KIND_FILE}:{envio.id}",
        delay_s=delay_s,
        max_attempts=MAX_CLAIMS,
    )


def _next_round(session: Session, factura_ids: Sequence[int]) -> int:
    last = session.scalar(
        select(func.max(EnvioFactura.ronda)).where(
            EnvioFactura.factura_id.in_(factura_ids), EnvioFactura.acto == Acto.RADICACION, EnvioFactura.vivo == 0
        )
    )
    return (last or 0) + 1


def close_with_acuse(session: Session, envio: Envio, acuse: Acuse, *, actor: str, at: datetime) -> None:
    """Close an envío as *radicado* (level ≥ 2 with number) or *recibido sin número*, with what it carries.

    Raises BadInput without sealed evidence or with level 0: that proves nothing, and the envío stays open.
    """
    if not acuse.evidence or acuse.nivel < 1:
        raise BadInput("Sin evidencia sellada no se puede dar por recibida una radicación.")
    effects = effects_of(envio)
    lock_all(session, [envio, *effects.things(session, envio)])
    filed = acuse.radicado is not None and acuse.nivel >= MIN_LEVEL
    complete = filed or not effects.numbered
    nivel = acuse.nivel if complete else 1
    facts = {"radicado": acuse.radicado, "nivel": nivel, "fecha": acuse.fecha}
    event = EventoEnvio.RADICAR if filed else EventoEnvio.RECIBIR_SIN_NUMERO
    envio.nivel_prueba = max(envio.nivel_prueba, nivel)  # the level never falls
    envio.radicado = acuse.radicado if filed else None
    envio.fecha_radicacion = acuse.fecha if complete else None
    envio.cerrado_at = at if complete else None
    advance_all(
        session, [Move(envio, event, acuse.reason, acuse.note, facts, acuse.evidence)], actor=actor, at=at
    )  # fmt: skip
    effects.received(session, envio, acuse, actor, at)
    _cancel_pending_jobs(session, envio)
    if complete:
        said = f"con número {acuse.radicado}" if filed else "sin número"
        close_tasks(session, envio.case_key, por=actor, resultado=f"El pagador lo recibió {said}", at=at)
        return
    assert effects.words.no_number is not None
    open_task(
        session,
        ClaseTarea.CONSEGUIR_NUMERO,
        prestador_id=envio.prestador_id,
        case_key=envio.case_key,
        titulo=effects.words.no_number,
        at=at,
    )


def reject(
    session: Session,
    envio: Envio,
    motivo: str,
    *,
    actor: str,
    at: datetime,
    evidence: Sequence[str] = (),
    reason: str = Reason.RECHAZO_DEL_PAGADOR,
    expected_version: int | None = None,
) -> None:
    """Close an envío with the payer's reason; what it carried is free for a corrected one."""
    text = motivo.strip()
    if not text:
        raise BadInput("Falta el motivo del rechazo.", todo="Escriba lo que dijo el pagador.")
    effects, closing = effects_of(envio), Closing(reason, text, tuple(evidence), actor, at)
    lock_all(session, [envio, *effects.things(session, envio)])
    if envio.estado is EstadoEnvio.RECIBIDO_SIN_NUMERO and not effects.numbered:
        raise InvalidTransition(
            "Ya consta que el pagador la recibió: lo que diga ahora es su decisión, no un rechazo.",
            todo="Registre la decisión en la glosa.",
            code="ya_recibida",
        )
    envio.motivo_rechazo, envio.cerrado_at = text[:4000], at
    moves = [Move(envio, EventoEnvio.RECHAZAR, reason, text, {}, closing.evidence, expected_version)]
    advance_all(session, moves, actor=actor, at=at)
    _free(session, envio)
    effects.rejected(session, envio, closing)
    open_task(
        session,
        ClaseTarea.CORREGIR_RECHAZO,
        prestador_id=envio.prestador_id,
        case_key=envio.case_key,
        titulo=effects.words.refused,
        detalle=text,
        at=at,
    )


def withdraw(
    session: Session, envio: Envio, motivo: str, *, actor: str, at: datetime, expected_version: int | None = None
) -> None:
    """Cancel an envío of which nothing can have reached the payer; what it carried is ready again.

    Raises InvalidTransition when an intent was already written: then only the portal's answer closes it.
    """
    effects = effects_of(envio)
    lock_all(session, [envio, *effects.things(session, envio)])
    if envio.estado is not EstadoEnvio.PREPARADO:
        raise InvalidTransition(
            "Ya no se puede retirar: el envío pudo llegar al pagador.",
            todo="Espere la confirmación del portal o registre lo que respondió.",
            code="envio_en_curso",
        )
    envio.cerrado_at = at
    closing = Closing(Reason.DECISION_DE_PERSONA, motivo, (), actor, at)
    moves = [Move(envio, EventoEnvio.CANCELAR, closing.reason, motivo, expected_version=expected_version)]
    advance_all(session, moves, actor=actor, at=at)
    _free(session, envio)
    effects.cancelled(session, envio, closing)
    close_tasks(session, envio.case_key, por=actor, resultado="Envío retirado", at=at)


def facturas_of(session: Session, envio: Envio) -> list[Factura]:
    """Return the invoices of an envío in the order of their ids."""
    return list(
        session.scalars(
            select(Factura)
            .join(EnvioFactura, EnvioFactura.factura_id == Factura.id)
            .where(EnvioFactura.envio_id == envio.id)
            .order_by(Factura.id)
        )
    )


def open_envio_of(session: Session, factura_id: int, acto: Acto = Acto.RADICACION) -> Envio | None:
    """Return the envío that holds an invoice for an act (open or ended well), None when it is free."""
    return session.scalar(
        select(Envio)
        .join(EnvioFactura, EnvioFactura.envio_id == Envio.id)
        .where(EnvioFactura.factura_id == factura_id, EnvioFactura.acto == acto, EnvioFactura.vivo == 1)
        .order_by(Envio.id.desc())
        .limit(1)
    )


def _free(session: Session, envio: Envio) -> None:
    assert envio.estado in LIBERAN
    for line in session.scalars(select(EnvioFactura).where(EnvioFactura.envio_id == envio.id)):
        line.vivo = 0
    _cancel_pending_jobs(session, envio)


def _cancel_pending_jobs(session: Session, envio: Envio) -> None:
    pending = session.scalars(select(Job.id).where(Job.subject == envio.case_key, Job.state == JobState.READY))
    for job_id in list(pending):
        cancel(session, job_id)


# -- what a filing moves: its invoices


def filing_package(session: Session, envio: Envio, nit: str) -> list[tuple[Factura, list[PackageFile]]]:
    """Return what is handed in for each invoice, named and ordered for the payer, with the changes made so far."""
    return [(factura, plan.files) for factura, plan in plans_of(session, envio, nit)]


def _filing_received(session: Session, envio: Envio, acuse: Acuse, actor: str, at: datetime) -> None:
    filed = envio.estado is EstadoEnvio.RADICADO
    nivel = acuse.nivel if filed else 1
    facturas = facturas_of(session, envio)
    for row in facturas:
        row.nivel_prueba = max(row.nivel_prueba, nivel)
        row.radicado = acuse.radicado if filed else None
        row.fecha_radicacion = acuse.fecha if filed else None
    event = EventoFactura.RADICAR if filed else EventoFactura.RECIBIR_SIN_NUMERO
    facts = {"radicado": acuse.radicado, "nivel": nivel, "fecha": acuse.fecha, "envio": envio.id}
    moves = [Move(row, event, acuse.reason, acuse.note, facts, acuse.evidence) for row in facturas]
    advance_all(session, moves, actor=actor, at=at)


def _filing_refused(session: Session, envio: Envio, closing: Closing) -> None:
    _invoices_back(session, envio, closing, EventoFactura.RECHAZAR)


def _filing_cancelled(session: Session, envio: Envio, closing: Closing) -> None:
    _invoices_back(session, envio, closing, EventoFactura.CANCELAR_ENVIO)


def _invoices_back(session: Session, envio: Envio, closing: Closing, event: EventoFactura) -> None:
    facturas = facturas_of(session, envio)
    facts = {"envio": envio.id}
    moves = [Move(row, event, closing.reason, closing.note, facts, closing.evidence) for row in facturas]
    advance_all(session, moves, actor=closing.actor, at=closing.at)
    review(session, [row.id for row in facturas], actor=closing.actor, at=closing.at)


register(
    Acto.RADICACION,
    Effects(
        things=facturas_of,
        received=_filing_received,
        rejected=_filing_refused,
        cancelled=_filing_cancelled,
        package=filing_package,
        words=Words(
            no_number="Conseguir el número de radicado: el pagador la tiene, pero no dijo el número",
            refused="Corregir y volver a radicar: el pagador rechazó el envío",
            outside="El portal dice que ya tiene esta factura: se radicó por fuera",
            stopped="El bot no pudo radicar: se necesita una persona",
        ),
    ),
)
