"""What every act on an objection has in common: its lock, its dates, its money, its row, its terms and its tasks.

Invariant: an act is dated neither in the future nor before the act it answers; money is set so that the CHECKs hold
at every moment; what runs next is computed from the dates of the acts, never from the day of typing. Norms: Ley
1438/2011 art. 57; Res. 2284/2023 art. 6; Res. 1962/2025 (GLO-09).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.audit.services import Move, advance_all, lock_all
from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.glosas import clocks
from radica.glosas.balance import Balance
from radica.glosas.bandeja.work_models import AjusteGlosas, Respuesta
from radica.glosas.clocks import Corre
from radica.glosas.models import Acto, Devolucion, Glosa, TipoActo
from radica.glosas.states import EstadoDevolucion, EstadoGlosa, EstadoRespuesta, EventoRespuesta
from radica.kernel.clock import bogota, civil_date
from radica.kernel.db import insert_rows
from radica.kernel.errors import BadInput, StalePage
from radica.kernel.money import format_cop
from radica.users.models import ClaseTarea, Tarea
from radica.users.tasks import close_tasks, open_task

TOLERANCE = timedelta(minutes=2)
"""How far the clock of who dates an act may run ahead of ours."""
SIN_VALOR = frozenset({"SO61"})
"""Codes without money, cured by an adjustment note of the RIPS (Anexo Técnico 3; Res. 948/2026 art. 7)."""

_OURS = (TipoActo.RESPUESTA, TipoActo.SUBSANACION, TipoActo.CONCILIACION)
"""Acts before the payer that the provider must register; a correction in our own books is none."""


@dataclass(frozen=True)
class Hecho:
    """What an act rests on: when it happened, its sealed pieces (SHA-256), who records it and when, and why."""

    ocurrido_at: datetime
    actor: str
    at: datetime
    motivo: str
    evidence: tuple[str, ...] = ()
    texto: str = ""
    nivel: int = 0


def hold(session: Session, things: Sequence[Glosa | Devolucion], expected_version: int | None = None) -> None:
    """Lock the rows in the house's order and refuse a page drawn before the last move. Raises StalePage, NotFound."""
    lock_all(session, things)
    if expected_version is not None and any(thing.version != expected_version for thing in things):
        raise StalePage


def check_dates(hecho: Hecho, after: datetime, what: str) -> None:
    """Raise BadInput when the act is dated in the future or before `after`, the act it answers (`what`, Spanish)."""
    act = bogota(hecho.ocurrido_at)
    if hecho.ocurrido_at > hecho.at + TOLERANCE:
        raise BadInput(
            f"La fecha del acto ({act:%d/%m/%Y %H:%M}) es posterior a hoy ({bogota(hecho.at):%d/%m/%Y %H:%M}); "
            "no se guardó nada.",
            todo="Registre la fecha que dice la prueba.",
            code="fecha_futura",
        )
    if civil_date(hecho.ocurrido_at) < civil_date(after):
        raise BadInput(
            f"La fecha del acto ({act:%d/%m/%Y}) es anterior a {what} ({bogota(after):%d/%m/%Y}); no se guardó nada.",
            todo="Registre la fecha que dice la prueba.",
            code="fecha_anterior",
        )


def payer_kind(session: Session, pagador_id: int) -> str:
    """Return the kind of a payer, which decides whether the table has a term at all."""
    return session.get_one(Pagador, pagador_id).tipo


def balance_of(glosa: Glosa) -> Balance:
    """Return the money of a glosa as a value."""
    return Balance(glosa.valor, glosa.aceptado, glosa.levantado, glosa.en_disputa)


def set_balance(glosa: Glosa, balance: Balance) -> None:
    """Write the money back; `exceso` follows from it."""
    glosa.valor, glosa.aceptado = balance.valor, balance.aceptado
    glosa.levantado, glosa.en_disputa = balance.levantado, balance.en_disputa
    glosa.exceso = int(glosa.valor_objetado > glosa.valor)


def last_answer(session: Session, devolucion: Devolucion) -> Acto | None:
    """Return our latest answer to a devolución."""
    return session.scalars(
        select(Acto)
        .where(Acto.devolucion_id == devolucion.id, Acto.tipo == TipoActo.RESPUESTA)
        .order_by(Acto.id.desc())
        .limit(1)
    ).first()


def term_of(
    session: Session, thing: Glosa | Devolucion, estado: EstadoGlosa | EstadoDevolucion | None = None
) -> Corre | None:
    """Return the term that runs for an objection in `estado` (by default its present one)."""
    radicada = session.get_one(Factura, thing.factura_id).fecha_radicacion
    pagador = payer_kind(session, thing.pagador_id)
    wanted = thing.estado if estado is None else estado
    if isinstance(thing, Glosa):
        return clocks.terms_after(
            wanted, notificada=thing.notificada_at, radicada=radicada, segun_pagador=thing.fecha_segun_pagador,
            respondida=thing.respondida_at, decidida=thing.decidida_at, pagador=pagador,
        )  # fmt: skip
    answer = last_answer(session, thing) if wanted is EstadoDevolucion.RESPONDIDA else None
    return clocks.terms_after(
        wanted, notificada=thing.notificada_at, radicada=radicada, pagador=pagador,
        respondida=answer.ocurrido_at if answer else None,
    )  # fmt: skip


def set_term(session: Session, thing: Glosa | Devolucion) -> None:
    """Write whose turn it is and what lapses, from the present state and the dates of the acts (call it after the act)."""
    if isinstance(thing, Devolucion):
        session.flush()  # its term reads the act of the answer
    corre = term_of(session, thing)
    thing.turno = clocks.turn(thing.estado)
    thing.vence = corre.vence if corre else None
    thing.vence_alterno = corre.vence_alterno if corre else None
    thing.vence_termino = corre.termino if corre else None
    thing.pendiente_hasta = thing.pendiente_motivo = None


def record_act(
    session: Session,
    thing: Glosa | Devolucion,
    tipo: TipoActo,
    hecho: Hecho,
    *,
    autor: str,
    ronda: int = 1,
    codigo: str | None = None,
    aceptado: int = 0,
    levantado: int = 0,
    plazo: dict[str, Any] | None = None,
) -> Acto:
    """Add the row of one act. Ours must be registered in SIIFA within 48 business hours."""
    row = Acto(
        prestador_id=thing.prestador_id,
        factura_id=thing.factura_id,
        glosa_id=thing.id if isinstance(thing, Glosa) else None,
        devolucion_id=thing.id if isinstance(thing, Devolucion) else None,
        tipo=tipo,
        ronda=ronda,
        autor=autor,
        codigo=codigo,
        aceptado=aceptado,
        levantado=levantado,
        texto=hecho.texto,
        ocurrido_at=hecho.ocurrido_at,
        registrado_at=hecho.at,
        actor=hecho.actor,
        nivel_prueba=hecho.nivel,
        evidencia=sorted(set(hecho.evidence)),
        plazo=plazo or {},
        siifa_vence=_siifa(session, thing, hecho) if tipo in _OURS else None,
    )
    session.add(row)
    return row


def _siifa(session: Session, thing: Glosa | Devolucion, hecho: Hecho) -> datetime | None:
    settings = session.get(AjusteGlosas, thing.prestador_id)
    return clocks.siifa_due(hecho.ocurrido_at) if settings is None or settings.siifa else None


def name_of(session: Session, thing: Glosa | Devolucion) -> str:
    """Return how a task calls an objection: its kind, code and invoice; nothing of the patient."""
    number = session.get_one(Factura, thing.factura_id).numero
    return f"{'glosa' if isinstance(thing, Glosa) else 'devolución'} {thing.codigo} de la factura {number}"


def note_wanted(session: Session, thing: Glosa | Devolucion, amount: int) -> tuple[ClaseTarea, str] | None:
    """Return the task for the note that an accepted value asks for: credit note, RIPS adjustment (SO61), or none."""
    what = name_of(session, thing)
    if amount:
        return ClaseTarea.EMITIR_NOTA_CREDITO, _note_title(amount, what)
    if thing.codigo[:4] in SIN_VALOR:
        return ClaseTarea.NOTA_AJUSTE_RIPS, f"Emitir la nota de ajuste de RIPS: {what}"
    return None


def ask_credit_note(session: Session, thing: Glosa | Devolucion, amount: int, at: datetime) -> None:
    """Open the task for the note of an accepted value; one task while the note of an earlier part is still to be made.

    Call it after the act: an open task asks for what was accepted since it was opened, never for what has its note.
    """
    wanted = note_wanted(session, thing, amount)
    if wanted is None:
        return
    row = ask(session, thing, *wanted, at)
    if amount and row.creada_at != at:
        session.flush()
        link = Acto.glosa_id if isinstance(thing, Glosa) else Acto.devolucion_id
        since = select(func.sum(Acto.aceptado)).where(link == thing.id, Acto.registrado_at >= row.creada_at)
        row.titulo = _note_title(int(session.scalar(since) or amount), name_of(session, thing))


def _note_title(amount: int, what: str) -> str:
    return f"Emitir nota crédito por {format_cop(amount)}: {what}"[:300]


@dataclass(frozen=True)
class Pedido:
    """A task to open on an objection."""

    thing: Glosa | Devolucion
    clase: ClaseTarea
    titulo: str
    detalle: str = ""


def ask_all(session: Session, wanted: Sequence[Pedido], at: datetime) -> None:
    """Open many tasks in one statement, each for the owner of its objection; those that are open already stay."""
    rows = [
        {
            "prestador_id": one.thing.prestador_id,
            "clase": one.clase,
            "case_key": one.thing.case_key,
            "titulo": one.titulo[:300],
            "detalle": one.detalle,
            "responsable_id": one.thing.responsable_id,
            "creada_at": at,
        }
        for one in wanted
    ]
    insert_rows(session, Tarea, rows, again=True)


def ask(
    session: Session, thing: Glosa | Devolucion, clase: ClaseTarea, titulo: str, at: datetime, detalle: str = ""
) -> Tarea:
    """Open a task on an objection for its owner; the open one of the same kind is kept."""
    row = open_task(
        session, clase, prestador_id=thing.prestador_id, case_key=thing.case_key, titulo=titulo, at=at, detalle=detalle
    )
    if row.responsable_id is None:
        row.responsable_id = thing.responsable_id
    return row


def settle_tasks(session: Session, thing: Glosa | Devolucion, hecho: Hecho, resultado: str, *extra: ClaseTarea) -> None:
    """Close what an act makes moot: what its silence or its decision asked for, the kinds in `extra`, unsent answers.

    Call it after `set_term`: where nobody's term runs any more, an answer that was not sent goes with its line.
    """
    kinds = (ClaseTarea.REVISAR_SILENCIO, ClaseTarea.DECIDIR_GLOSA, *extra)
    close_tasks(session, thing.case_key, por=hecho.actor, resultado=resultado, at=hecho.at, clases=kinds)
    # An acceptance by silence keeps them: one may have been given in time, and is registered later.
    if not thing.turno and thing.estado not in (EstadoGlosa.ACEPTADA_TACITA, EstadoDevolucion.ACEPTADA_TACITA):
        _drop_answers(session, thing, hecho, resultado)


def _drop_answers(session: Session, thing: Glosa | Devolucion, hecho: Hecho, resultado: str) -> None:
    link = Respuesta.glosa_id if isinstance(thing, Glosa) else Respuesta.devolucion_id
    unsent = (EstadoRespuesta.BORRADOR, EstadoRespuesta.POR_APROBAR, EstadoRespuesta.APROBADA)
    rows = session.scalars(select(Respuesta).where(link == thing.id, Respuesta.estado.in_(unsent))).all()
    moves = [Move(row, EventoRespuesta.DESCARTAR, hecho.motivo[:60], hecho.texto or resultado) for row in rows]
    if moves:
        advance_all(session, moves, actor=hecho.actor, at=hecho.at)
    for row in rows:
        close_tasks(
            session, row.case_key, por=hecho.actor, resultado=resultado, at=hecho.at,
            clases=[ClaseTarea.APROBAR_RESPUESTA],
        )  # fmt: skip
