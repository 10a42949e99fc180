"""Applies the payer's decisions that a file brings to the glosas and returns that they decide on.

Invariant: a decision is applied only when it is clear: one objection, in a state that waits for the payer, amounts
that add up to what is in dispute; anything else is for a person and changes nothing. A decision that came before is
the same one. Norms: Ley 1438/2011 art. 57, Res. 2284/2023 art. 6.3.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.glosas import codes
from radica.glosas.acts import decide, decide_devolucion
from radica.glosas.fates import Aviso, Linea, notified
from radica.glosas.fingerprint import Rasgos, rasgos
from radica.glosas.lectura.tipos import TipoLinea
from radica.glosas.models import Acto, DestinoLinea, Devolucion, Glosa, TipoActo
from radica.glosas.states import ESPERA_PAGADOR, EstadoGlosa
from radica.kernel.clock import civil_date
from radica.kernel.db import parts_of
from radica.kernel.errors import BadInput, InvalidTransition
from radica.kernel.money import format_cop

SAME = frozenset({"decision_repetida"})
MOTIVO = "decision_del_pagador"
_WITHDRAWABLE = ESPERA_PAGADOR | {EstadoGlosa.FORMULADA}


def settle_decisions(session: Session, lines: Sequence[Linea], notice: Aviso, *, actor: str, at: datetime) -> None:
    """Apply each line that decides or ratifies, or put it before a person."""
    _hold_all(session, {line.factura.id for line in lines})
    for line in sorted(lines, key=lambda one: (one.factura.id, one.leida.hoja, one.leida.fila)):
        returned = _returned(session, line)
        if returned is not None:
            _settle_return(session, line, returned, notice, actor=actor, at=at)
            continue
        found = _candidates(session, line)
        if len(found) == 1:
            line.glosa_id = found[0].id
            _settle_glosa(session, line, found[0], notice, actor=actor, at=at)
        elif found:
            line.ask("varias_glosas", f"La decisión puede ser de {len(found)} glosas de la factura: falta decir cuál.")
        else:
            line.ask("sin_glosa", "El pagador decide sobre una glosa que no está cargada en esta factura.")
        if line.destino is None:  # nobody can set these reasons aside without saying which glosa
            line.end(DestinoLinea.POR_DECIDIR, "sin_glosa", "Falta decir sobre qué glosa se decide.")


def _hold_all(session: Session, factura_ids: Collection[int]) -> None:
    """Lock what the lines may decide on in the house's order: a file names it in any, and clock and people wait."""
    for kind in (Devolucion, Glosa):
        for part in parts_of(factura_ids):
            query = select(kind.id).where(kind.factura_id.in_(part)).order_by(kind.id)
            session.execute(query.with_for_update(key_share=True))


def _returned(session: Session, line: Linea) -> Devolucion | None:
    """Return the devolución that a line decides on: one whose code is of a return, or the invoice's only objection."""
    code = codes.buscar(line.leida.codigo) if line.leida.codigo else None
    if code is not None and code.tipo != "devolucion":
        return None
    held = session.scalars(
        select(Devolucion).where(Devolucion.factura_id == line.factura.id, Devolucion.estado != "anulada")
    ).one_or_none()
    if held is None or code is not None:
        return held
    any_glosa = session.scalars(select(Glosa.id).where(Glosa.factura_id == line.factura.id).limit(1)).first()
    return held if any_glosa is None else None


def _candidates(session: Session, line: Linea) -> list[Glosa]:
    """Return the glosas of the invoice that a line may mean: what it says must agree, what it leaves out may be any."""
    want = line.traits
    rows = session.scalars(
        select(Glosa).where(Glosa.factura_id == line.factura.id, Glosa.estado != EstadoGlosa.ANULADA).order_by(Glosa.id)
    )
    fits = []
    for one in rows:
        have = _traits(one)
        pairs = list(zip(want, have, strict=True))
        if want.servicio and have.servicio:
            pairs = [pair for pair, name in zip(pairs, want._fields, strict=True) if name != "descripcion"]
        if all(mine == other or not mine or not other for mine, other in pairs):
            fits.append(one)
    if len(fits) > 1:
        fits = [one for one in fits if _agrees(line, one)] or fits
    if len(fits) > 1 and len({(_traits(one), one.valor) for one in fits}) == 1:
        # Equal objections, each decided in a row of its own: any that waits is the one.
        fits = [one for one in fits if one.estado in ESPERA_PAGADOR and _agrees(line, one)][:1] or fits[:1]
    return fits


def _traits(one: Glosa) -> Rasgos:
    return rasgos(one.codigo, one.numero_glosa, one.servicio, one.descripcion_servicio, one.paciente_documento)


def _agrees(line: Linea, glosa: Glosa) -> bool:
    """Say whether the amounts of a line add up to what is in dispute."""
    read = line.leida
    if read.levantado is not None:
        return read.levantado + read.valor == glosa.en_disputa
    return read.valor == glosa.en_disputa


def _settle_glosa(session: Session, line: Linea, glosa: Glosa, notice: Aviso, *, actor: str, at: datetime) -> None:
    if _said_before(session, line, glosa):
        return
    lifted = _lifted(line, glosa)
    label = Glosa.MACHINE.labels[glosa.estado].lower()
    allowed = _WITHDRAWABLE if lifted is not None and lifted == glosa.en_disputa > 0 else ESPERA_PAGADOR
    if glosa.estado not in allowed:
        line.end(DestinoLinea.POR_DECIDIR, "estado_no_admite", f"La glosa está «{label}»: no espera una decisión.")
        return
    if lifted is None:
        line.end(
            DestinoLinea.POR_DECIDIR,
            "valor_distinto",
            f"La decisión deja {format_cop(line.leida.valor)} y en disputa hay {format_cop(glosa.en_disputa)}.",
        )
        return
    when, _ = notified(line, notice)
    rest = glosa.en_disputa - lifted > 0 or lifted == 0
    try:
        with session.begin_nested():
            decide(
                session, glosa, levantado=lifted, ratificado=rest, ocurrido_at=when, evidence=(notice.sha256,),
                actor=actor, at=at, motivo=MOTIVO, texto=line.leida.motivo or "",
            )  # fmt: skip
    except (BadInput, InvalidTransition) as refusal:
        _refused(line, refusal)
        return
    line.end(DestinoLinea.APLICADA)


def _lifted(line: Linea, glosa: Glosa) -> int | None:
    """Return the centavos that a decision lifts, or None when its amounts do not say it without doubt."""
    read, stake = line.leida, glosa.en_disputa
    if read.aceptado is not None and read.aceptado != glosa.aceptado:
        return None
    if read.levantado is not None:
        # A file of totals counts what the payer lifted before, too; only the amount that adds up is clear.
        return read.levantado if read.levantado + read.valor == stake else None
    if read.valor == stake:
        return 0
    return stake if read.valor == 0 and read.tipo is TipoLinea.DECISION else None


def _said_before(session: Session, line: Linea, glosa: Glosa) -> bool:
    """Say whether a line tells again a decision that stands already, or put it before a person when it may.

    Cumulative files bring old decisions again, often when a later answer already waits for the next one: then only
    the date tells them apart.
    """
    read = line.leida
    last = session.scalars(
        select(Acto).where(Acto.glosa_id == glosa.id, Acto.tipo == TipoActo.DECISION).order_by(Acto.id.desc()).limit(1)
    ).first()
    if last is None:
        return False
    if glosa.estado not in ESPERA_PAGADOR:
        same = read.valor == glosa.en_disputa and read.levantado in (None, 0, last.levantado)
        if same:
            line.end(DestinoLinea.REPETIDA)
        return same
    day, answered = read.fecha_notificacion, glosa.respondida_at
    if answered is None:
        return False
    if day is None:
        return line.ask("decision_sin_fecha", "Ya hubo una decisión y ésta no trae fecha: puede ser la misma otra vez.")
    if day < civil_date(answered):
        line.end(DestinoLinea.REPETIDA)
        return True
    return False


def _settle_return(session: Session, line: Linea, held: Devolucion, notice: Aviso, *, actor: str, at: datetime) -> None:
    line.devolucion_id = held.id
    read = line.leida
    if read.tipo is TipoLinea.RATIFICACION:
        lifts = False
    elif read.valor == 0 or read.levantado == held.valor:
        lifts = True
    elif read.valor == held.valor and not read.levantado:
        lifts = False
    else:
        line.end(DestinoLinea.POR_DECIDIR, "valor_distinto", "Una devolución se levanta o se reitera entera.")
        return
    when, _ = notified(line, notice)
    try:
        with session.begin_nested():
            decide_devolucion(
                session, held, lifts, ocurrido_at=when, evidence=(notice.sha256,), actor=actor, at=at, motivo=MOTIVO,
                texto=read.motivo or "",
            )  # fmt: skip
    except (BadInput, InvalidTransition) as refusal:
        _refused(line, refusal)
        return
    line.end(DestinoLinea.APLICADA)


def _refused(line: Linea, refusal: BadInput | InvalidTransition) -> None:
    """Turn a refusal of the act into the line's fate: the same decision again, or a doubt for a person."""
    if refusal.code in SAME:
        line.end(DestinoLinea.REPETIDA)
    else:
        line.end(DestinoLinea.POR_DECIDIR, refusal.code[:60], refusal.message)
