"""What the clock does when a term lapses: the effects that the norm itself gives, and otherwise a task for a person.

Invariant: a silence has an effect only the day after its most generous reading, only when the notice date is certain
and no answer is on its way, and only once for a case; two runs or two workers do it once. Norms: Res. 2284/2023 art. 6
(DEV-02, DEV-03) and Anexo 3 RE2202 (GLO-03); Ley 1438/2011 art. 57 gives the payer's silence (GLO-04) no effect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from radica.audit.models import Reason
from radica.audit.services import Move, advance_all
from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.glosas.acts_base import (
    Hecho,
    Pedido,
    ask_all,
    balance_of,
    hold,
    last_answer,
    name_of,
    note_wanted,
    record_act,
    set_balance,
    set_term,
    term_of,
)
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.clocks import Corre
from radica.glosas.models import Acto, Devolucion, Glosa, TipoActo
from radica.glosas.states import EstadoDevolucion, EstadoGlosa, EstadoRespuesta, EventoDevolucion, EventoGlosa
from radica.kernel.clock import BOGOTA, civil_date
from radica.kernel.db import Database
from radica.users.models import ClaseTarea, Tarea

BATCH = 100
"""Objections that one transaction looks at: filings wait behind it."""
ACTOR = "reloj"
MIN_LEVEL = 2
"""Proof of our answer from which the payer's silence counts for us."""

G, D = EstadoGlosa, EstadoDevolucion
_WATCHED: dict[type[Glosa] | type[Devolucion], tuple[StrEnum, ...]] = {
    Glosa: (
        G.FORMULADA, G.RESPONDIDA, G.ACEPTADA_PARCIAL, G.EN_SUBSANACION, G.LEVANTADA_PARCIAL, G.SUBSANADA,
    ),
    Devolucion: (D.FORMULADA, D.RESPONDIDA),
}  # fmt: skip
_OURS = (G.EN_SUBSANACION, G.LEVANTADA_PARCIAL)


@dataclass
class Silencios:
    """What a run did: cases by effect, tasks opened, cases left as they are by reason, and centavos accepted."""

    aceptadas: int = 0
    devoluciones_aceptadas: int = 0
    devoluciones_levantadas: int = 0
    sin_decision: int = 0
    tareas: int = 0
    miradas: int = 0
    valor_aceptado: int = 0
    omitidas: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Lapse:
    """A term that lapsed: the day after, the event it causes (None: only a task), and the words for the person."""

    thing: Glosa | Devolucion
    effect_at: datetime
    event: StrEnum | None
    clase: ClaseTarea
    titulo: str
    detalle: str = ""


def apply_silences(
    database: Database, prestador_ids: Sequence[int], *, today: date, at: datetime, batch: int = BATCH
) -> Silencios:
    """Apply what lapsed before `today` for some providers, in batches of a transaction each. Doing it again is nothing."""
    summary = Silencios()
    for prestador_id in prestador_ids:
        for kind in _WATCHED:
            after: int | None = 0
            while after is not None:
                after = apply_batch(database, kind, prestador_id, after, summary, today=today, at=at, batch=batch)
    return summary


def apply_batch(
    database: Database,
    kind: type[Glosa] | type[Devolucion],
    prestador_id: int,
    after: int,
    summary: Silencios,
    *,
    today: date,
    at: datetime,
    batch: int = BATCH,
) -> int | None:
    """Apply one batch in a transaction of its own; returns the id to go on after, or None when nothing is left."""
    with database.read() as session:
        ids = list(session.scalars(_lapsed(kind, prestador_id, today).where(kind.id > after).limit(batch)))
    if not ids:
        return None
    done = Silencios()
    with database.write() as session:
        _apply(session, kind, ids, done, today=today, at=at)
    _add(summary, done)
    return ids[-1] if len(ids) == batch else None


def _lapsed(kind: type[Glosa] | type[Devolucion], prestador_id: int, today: date) -> Select[Any]:
    return (
        select(kind.id)
        .where(
            kind.prestador_id == prestador_id,
            kind.turno.in_(["ips", "pagador"]),
            kind.vence < today,
            kind.estado.in_(_WATCHED[kind]),
        )
        .order_by(kind.id)
    )


def _add(summary: Silencios, done: Silencios) -> None:
    summary.aceptadas += done.aceptadas
    summary.devoluciones_aceptadas += done.devoluciones_aceptadas
    summary.devoluciones_levantadas += done.devoluciones_levantadas
    summary.sin_decision += done.sin_decision
    summary.tareas += done.tareas
    summary.miradas += done.miradas
    summary.valor_aceptado += done.valor_aceptado
    summary.omitidas.update(done.omitidas)


def _apply(
    session: Session,
    kind: type[Glosa] | type[Devolucion],
    ids: Sequence[int],
    done: Silencios,
    *,
    today: date,
    at: datetime,
) -> None:
    things: list[Glosa | Devolucion] = list(session.scalars(select(kind).where(kind.id.in_(ids)).order_by(kind.id)))
    hold(session, things)
    # Held here, invoices and payers stay in the session's memory and are not asked for one by one.
    held = [
        *session.scalars(select(Factura).where(Factura.id.in_({thing.factura_id for thing in things}))),
        *session.scalars(select(Pagador).where(Pagador.id.in_({thing.pagador_id for thing in things}))),
    ]
    done.miradas += len(things)
    travelling = _travelling(session, kind, ids)
    accepted_before = _accepted_before(session, kind, ids)
    lapses: list[_Lapse] = []
    for thing in things:
        # Another worker may have been here since the ids were read.
        if thing.estado not in _WATCHED[kind]:
            continue
        lapse = _judge(session, thing, today, again=thing.id in accepted_before)
        if thing.id in travelling:
            done.omitidas["respuesta_en_envio"] += 1
            lapse = _on_its_way(lapse)
        elif lapse is None:
            done.omitidas["aun_no_vence"] += 1
        if lapse is not None:
            lapses.append(lapse)
    _act(session, [one for one in lapses if one.event is not None], done, at)
    _ask_once(session, lapses, done, at)
    del held


def _on_its_way(lapse: _Lapse | None) -> _Lapse | None:
    """A term that lapsed while its answer travels has no effect; a person looks whether it arrived, and when."""
    if lapse is None:
        return None
    title = f"Su respuesta va en un envío sin resultado; {lapse.titulo[:1].lower()}{lapse.titulo[1:]}"
    detail = "Confirme si el pagador la recibió y en qué fecha; si no, preséntela hoy."
    return replace(lapse, event=None, clase=ClaseTarea.REVISAR_SILENCIO, titulo=title, detalle=detail)


def _travelling(session: Session, kind: type[Glosa] | type[Devolucion], ids: Sequence[int]) -> set[int]:
    """Return those whose answer is with the payer or may be: an unknown outcome is still an answer on its way."""
    column = Respuesta.glosa_id if kind is Glosa else Respuesta.devolucion_id
    rows = session.scalars(select(column).where(column.in_(ids), Respuesta.estado == EstadoRespuesta.EN_ENVIO))
    return {one for one in rows if one is not None}


def _accepted_before(session: Session, kind: type[Glosa] | type[Devolucion], ids: Sequence[int]) -> set[int]:
    """Return those that the clock accepted once and a person reopened: it does not accept them again."""
    column = Acto.glosa_id if kind is Glosa else Acto.devolucion_id
    rows = session.scalars(
        select(column).where(column.in_(ids), Acto.tipo == TipoActo.SILENCIO, Acto.codigo.in_(["RE2201", "RE2202"]))
    )
    return {one for one in rows if one is not None}


def _judge(session: Session, thing: Glosa | Devolucion, today: date, *, again: bool) -> _Lapse | None:
    """Return what the lapse of the present term means, or None while its last reading has not lapsed."""
    corre = term_of(session, thing)
    if corre is None or corre.ultima is None or today <= corre.ultima:
        return None
    effect_at = datetime.combine(corre.ultima + timedelta(days=1), time(0), tzinfo=BOGOTA)
    name = name_of(session, thing)
    words = f"venció el {corre.ultima:%d/%m/%Y} ({corre.termino})"
    if thing.estado in _OURS:
        return _Lapse(thing, effect_at, None, ClaseTarea.REVISAR_SILENCIO, f"Sin subsanar, {words}: {name}")
    if thing.estado is G.SUBSANADA:
        return _Lapse(
            thing, effect_at, None, ClaseTarea.DECIDIR_GLOSA, f"El pagador no dio su última palabra, {words}: {name}"
        )
    if isinstance(thing, Glosa) and thing.estado is not G.FORMULADA:
        event = None if corre.sin_efecto else EventoGlosa.VENCER_DECISION
        return _Lapse(
            thing, effect_at, event, ClaseTarea.DECIDIR_GLOSA, f"El pagador no decidió, {words}: {name}", corre.motivo
        )
    doubt = _doubt(session, thing, corre, again=again)
    if thing.estado is D.RESPONDIDA and isinstance(thing, Devolucion):
        event_of: StrEnum = EventoDevolucion.VENCER_DECISION
        title = f"El pagador no decidió la devolución, {words}: {name}"
    else:
        event_of = EventoGlosa.VENCER_RESPUESTA if isinstance(thing, Glosa) else EventoDevolucion.VENCER_RESPUESTA
        title = f"Sin respuesta, {words}: {name}"
    return _Lapse(thing, effect_at, None if doubt else event_of, ClaseTarea.REVISAR_SILENCIO, title, doubt)


def _doubt(session: Session, thing: Glosa | Devolucion, corre: Corre, *, again: bool) -> str:
    """Return why a silence to which the norm gives an effect is left to a person; empty when it is clear."""
    if corre.sin_efecto:
        return corre.motivo
    if thing.notificada_segun == "carga":
        return "No se sabe cuándo llegó la notificación: confirme su fecha."
    if again:
        return "Ya se había aceptado por silencio y una persona la reabrió."
    if isinstance(thing, Devolucion) and thing.estado is D.RESPONDIDA:
        answer = last_answer(session, thing)
        if answer is None or answer.nivel_prueba < MIN_LEVEL:
            return "No hay prueba suficiente de la fecha de nuestra respuesta."
        return "" if answer.plazo.get("oportuno") else "Nuestra respuesta no consta dentro de su término."
    if thing.notificada_segun == "archivo" and corre.ultima and civil_date(thing.creada_at) > corre.ultima:
        return "Se cargó cuando su término ya había vencido según el archivo: confirme cuándo llegó y si se respondió."
    if thing.extemporanea:
        return "El pagador notificó fuera de su término: quien perdió el plazo fue él."
    return ""


def _act(session: Session, lapses: Sequence[_Lapse], done: Silencios, at: datetime) -> None:
    """Move the cases whose silence has an effect, all in one go."""
    accepted: dict[str, int] = {}
    for lapse in lapses:
        if isinstance(lapse.thing, Glosa) and lapse.event is EventoGlosa.VENCER_RESPUESTA:
            accepted[lapse.thing.case_key] = lapse.thing.en_disputa
            set_balance(lapse.thing, balance_of(lapse.thing).accept(lapse.thing.en_disputa))
        elif isinstance(lapse.thing, Devolucion) and lapse.event is EventoDevolucion.VENCER_RESPUESTA:
            accepted[lapse.thing.case_key] = lapse.thing.valor
    moves = [
        Move(one.thing, one.event, Reason.TERMINO_VENCIDO, one.titulo, {"efecto": one.effect_at})
        for one in lapses
        if one.event is not None
    ]
    advance_all(session, moves, actor=ACTOR, at=at)
    notes: list[Pedido] = []
    for lapse in lapses:
        thing, amount = lapse.thing, accepted.get(lapse.thing.case_key)
        hecho = Hecho(lapse.effect_at, ACTOR, at, Reason.TERMINO_VENCIDO, (), lapse.titulo)
        record_act(
            session, thing, TipoActo.SILENCIO, hecho, autor=ACTOR, aceptado=amount or 0, codigo=_code(thing, amount),
            ronda=thing.ronda if isinstance(thing, Glosa) else 1,
        )  # fmt: skip
        set_term(session, thing)
        _count(done, lapse, amount)
        note = note_wanted(session, thing, amount) if amount is not None else None
        if note is not None:
            notes.append(Pedido(thing, *note))
    ask_all(session, notes, at)


def _code(thing: Glosa | Devolucion, accepted: int | None) -> str | None:
    if accepted is None:
        return None
    return "RE2202" if isinstance(thing, Glosa) else "RE2201"


def _count(done: Silencios, lapse: _Lapse, amount: int | None) -> None:
    if isinstance(lapse.thing, Glosa):
        done.aceptadas += amount is not None
        done.sin_decision += amount is None
    else:
        done.devoluciones_aceptadas += amount is not None
        done.devoluciones_levantadas += amount is None
    done.valor_aceptado += amount or 0


def _ask_once(session: Session, lapses: Sequence[_Lapse], done: Silencios, at: datetime) -> None:
    """Open one task a lapse: one that a person has closed since does not come back the next day."""
    keys = [lapse.thing.case_key for lapse in lapses]
    told = {
        (row.clase, row.case_key): row.creada_at
        for row in session.scalars(select(Tarea).where(Tarea.case_key.in_(keys)).order_by(Tarea.id))
    }
    wanted: list[Pedido] = []
    for lapse in lapses:
        if lapse.event is EventoDevolucion.VENCER_DECISION and isinstance(lapse.thing, Devolucion):
            continue  # withdrawn by the payer's silence: nothing is left to decide
        last = told.get((lapse.clase, lapse.thing.case_key))
        if last is not None and last >= lapse.effect_at:
            continue
        wanted.append(Pedido(lapse.thing, lapse.clase, lapse.titulo, lapse.detalle))
    ask_all(session, wanted, at)
    done.tareas += len(wanted)
