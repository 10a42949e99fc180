"""From the held meeting to the signed acta and its effects on glosas, devoluciones and credit notes.

Invariant: an acta is signed once, over lines that still stand as its table says: when a decision of the payer arrived
meanwhile, nothing is signed and the lines are named. Everything happens in the caller's one transaction, or nothing.
Norms: Circular conjunta 030/2013; Ley 527/1999 art. 9; Res. 2284/2023 Anexo 3 (credit note for what is accepted).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.audit.models import Reason
from radica.audit.services import advance, lock_all
from radica.conciliacion.acta import gather
from radica.conciliacion.commitments import ceiling, excess
from radica.conciliacion.models import Conciliacion, ConciliacionLinea
from radica.conciliacion.scope import ids_of
from radica.conciliacion.services import lines_of, lock_open_table, release, seal_for
from radica.conciliacion.states import FIRMADAS, EstadoConciliacion, EventoConciliacion
from radica.conciliacion.table import Desajuste, differences, totals
from radica.custodia.services import Kept
from radica.facturas.models import Factura
from radica.glosas.acts import ActaLinea, apply_acta
from radica.glosas.models import Devolucion, Glosa
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput, InvalidTransition, StalePage

ACTA, FIRMADA = "acta", "acta_firmada"
"""Kinds of the pieces: as we drew it, as it came back."""
NOMBRADAS = 5


class LineasCambiadas(BadInput):
    """Lines of the table are not any more as it holds them; `lineas` says which and why. Nothing was changed."""

    def __init__(self, lineas: Sequence[Desajuste], numbers: dict[int, str]) -> None:
        named = "; ".join(
            f"{one.ahora.codigo} de la factura {numbers[one.linea.factura_id]}: {one.motivo}"
            for one in lineas[:NOMBRADAS]
        )
        more = f" y {len(lineas) - NOMBRADAS} más" if len(lineas) > NOMBRADAS else ""
        super().__init__(
            f"Cambiaron {len(lineas)} líneas desde que se llevaron a la mesa; no se hizo nada. {named}{more}."
            if len(lineas) > 1
            else f"Cambió una línea desde que se llevó a la mesa; no se hizo nada. {named}.",
            todo="Reabra la mesa si hace falta, ponga las líneas al día y acuérdelas de nuevo.",
            code="lineas_cambiadas",
        )
        self.lineas = list(lineas)


def missing(session: Session, row: Conciliacion, at: datetime) -> list[str]:
    """Return what is still missing to close the table and draw its acta; empty when it can be done."""
    wants = []
    if row.citada_at is None:
        wants.append("La fecha y hora de la reunión.")
    elif row.citada_at > at:
        wants.append("Que la reunión haya ocurrido: su fecha está en el futuro.")
    sides = {one["por"] for one in row.asistentes}
    if "prestador" not in sides:
        wants.append("Quién asiste por el prestador.")
    if "pagador" not in sides:
        wants.append("Quién asiste por el pagador.")
    sums = totals(session, row)
    if sums.levantado + sums.aceptado == 0:
        wants.append("Anotar en la mesa lo que se levanta o se acepta; si no hubo acuerdo, ciérrela como fracasada.")
    problem = excess(ceiling(session, row))
    if problem:
        wants.append(problem)
    return wants


def celebrate(
    session: Session,
    row: Conciliacion,
    *,
    kept: Kept,
    contents_sha256: str,
    actor: str,
    at: datetime,
    version: int | None = None,
) -> None:
    """Close the table and seal its unsigned acta (`kept`, drawn from the contents of that hash).

    Raises BadInput when something is missing, LineasCambiadas when lines moved, StalePage when the table is not any
    more what was drawn.
    """
    lock_open_table(session, row)
    if version is not None and version != row.version:
        raise StalePage
    wants = missing(session, row, at)
    if wants:
        raise BadInput("Todavía no se puede cerrar la mesa. " + " ".join(wants), code="falta")
    _refuse_changed(session, row)
    if gather(session, row).sha256 != contents_sha256:
        raise StalePage("Otra persona cambió la mesa mientras se hacía el acta; no se hizo nada.")
    (piece,) = seal_for(session, row, [replace(kept, clase=ACTA)], actor=actor, at=at)
    row.acta_sha256 = piece.sha256
    sums = totals(session, row)
    advance(
        session, row, EventoConciliacion.CELEBRAR, actor=actor, at=at, reason=Reason.DECISION_DE_PERSONA,
        facts={"contenido": contents_sha256, "levantado": sums.levantado, "aceptado": sums.aceptado,
               "sigue": sums.sigue},
        evidence=[piece.sha256],
    )  # fmt: skip


def sign(
    session: Session,
    row: Conciliacion,
    *,
    kept: Kept,
    firmada_at: datetime,
    actor: str,
    at: datetime,
    version: int | None = None,
) -> None:
    """Take the signed acta in as evidence and post its effects, all or nothing.

    Lines on which nothing was lifted nor accepted keep their state and their terms: nothing was settled on them.
    Raises LineasCambiadas, StalePage, BadInput (not the signed one, date) or InvalidTransition (not held, signed).
    """
    lines = lines_of(session, row)
    glosas, devoluciones = ids_of(lines)
    # Meeting and objections are held from here on: a decision that arrives now waits, and then finds them settled.
    lock_all(session, [row, *_things(session, Devolucion, devoluciones), *_things(session, Glosa, glosas)])
    if row.estado is not EstadoConciliacion.CELEBRADA:
        done = "ya está firmada" if row.estado in FIRMADAS else "no está celebrada"
        raise InvalidTransition(f"La conciliación {row.numero} {done}; no se hizo nada.", code="no_celebrada")
    if version is not None and version != row.version:
        raise StalePage
    _check_signed(session, row, kept, firmada_at, at)
    lines = lines_of(session, row)
    _refuse_changed(session, row)
    sums = totals(session, row)
    (piece,) = seal_for(session, row, [replace(kept, clase=FIRMADA)], actor=actor, at=at)
    apply_acta(
        session,
        _agreed(lines),
        conciliacion_case=row.case_key,
        ocurrido_at=firmada_at,
        evidence=[piece.sha256],
        actor=actor,
        at=at,
    )
    release(session, row)
    row.acta_firmada_sha256, row.firmada_at = piece.sha256, firmada_at
    session.flush()
    advance(
        session,
        row,
        EventoConciliacion.FIRMAR_PARCIAL if sums.sigue else EventoConciliacion.FIRMAR_TOTAL,
        actor=actor,
        at=at,
        reason=Reason.DECISION_DE_PERSONA,
        facts={"levantado": sums.levantado, "aceptado": sums.aceptado, "sigue": sums.sigue, "lineas": len(lines)},
        evidence=[piece.sha256, *([row.acta_sha256] if row.acta_sha256 else [])],
    )


def _agreed(lines: Sequence[ConciliacionLinea]) -> list[ActaLinea]:
    return [
        ActaLinea(one.levantado, one.aceptado, one.sigue, glosa_id=one.glosa_id, devolucion_id=one.devolucion_id)
        for one in lines
        if one.levantado or one.aceptado
    ]


def _check_signed(session: Session, row: Conciliacion, kept: Kept, firmada_at: datetime, at: datetime) -> None:
    if not kept.nombre.lower().endswith(".pdf"):
        raise BadInput("El acta firmada debe ser un PDF.", todo="Escanéela o expórtela como PDF.", code="no_es_pdf")
    if kept.stored.sha256 == row.acta_sha256:
        raise BadInput(
            "Ese archivo es el acta sin firmar, tal como se descargó de aquí.",
            todo="Suba la que volvió firmada por las dos partes.",
            code="sin_firmar",
        )
    other = session.scalar(
        select(Conciliacion.numero).where(
            Conciliacion.prestador_id == row.prestador_id,
            Conciliacion.id != row.id,
            (Conciliacion.acta_firmada_sha256 == kept.stored.sha256) | (Conciliacion.acta_sha256 == kept.stored.sha256),
        )
    )
    if other is not None:
        raise BadInput(f"Ese archivo es el acta de la conciliación {other}.", code="otra_acta")
    if firmada_at > at:
        raise BadInput("La fecha de la firma está en el futuro.", todo="Corrija la fecha.", code="fecha_futura")
    if row.citada_at is not None and civil_date(firmada_at) < civil_date(row.citada_at):
        raise BadInput("La firma no puede ser anterior a la reunión.", todo="Corrija la fecha.", code="fecha")


def _refuse_changed(session: Session, row: Conciliacion) -> None:
    changed = differences(session, row)
    if changed:
        ids = [one.linea.factura_id for one in changed]
        found = session.execute(select(Factura.id, Factura.numero).where(Factura.id.in_(ids[:NOMBRADAS])))
        raise LineasCambiadas(changed, {**dict.fromkeys(ids, ""), **{one.id: one.numero for one in found}})


def _things(session: Session, model: type[Any], ids: Sequence[int]) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(ids), 500):
        found += session.scalars(select(model).where(model.id.in_(ids[start : start + 500])))
    return found
