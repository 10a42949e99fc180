"""One answer for many equal lines: what it says of each before anything is kept, and each kept on its own.

Invariant: lines are equal when code and payer are; every line shows its own final text, code and value first; a line
that somebody moved meanwhile is refused by itself, with its reason, and the others go on. Norm: Res. 2284/2023
Anexo Técnico 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from radica.facturas.models import Documento, TipoDocumento
from radica.glosas.bandeja.tray_filter import stake
from radica.glosas.bandeja.work_models import Decision, Respuesta
from radica.glosas.models import Glosa
from radica.glosas.respuesta.answer_draft import UNFINISHED, Borrador, WrongField, answer_of, check, problems_of
from radica.glosas.respuesta.answering import finish, save_answer
from radica.glosas.respuesta.template_text import llenar
from radica.glosas.respuesta.templates_store import valores_de
from radica.glosas.states import POR_RESPONDER, EstadoRespuesta
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, RadicaError

MAX_LINES = 200
"""Lines of one bulk answer (a mass answer at a payer's portal takes as many)."""


@dataclass(frozen=True)
class Comun:
    """What is the same for all lines. `porcentaje`: of each line's money that is accepted, for a partial acceptance.

    `texto` may hold the variables of the templates; `con_soportes` attaches to each line its invoice's supports.
    """

    decision: Decision
    texto: str
    motivo: str = ""
    porcentaje: int = 0
    con_soportes: bool = False
    plantilla_id: int | None = None


@dataclass(frozen=True)
class Previa:
    """What one line will get: its draft, and why it may not be kept (`impide`) or what to look at (`avisos`)."""

    glosa: Glosa
    borrador: Borrador | None
    impide: str = ""
    avisos: tuple[str, ...] = ()
    anterior: Respuesta | None = None


def equal_lines(session: Session, glosa: Glosa, *, limit: int = MAX_LINES) -> list[Glosa]:
    """Return the lines that wait for an answer with the same code, payer and reason, this one first."""
    query = select(Glosa).where(*_equal(glosa)).order_by(Glosa.id != glosa.id, Glosa.vence, Glosa.id)
    return list(session.scalars(query.limit(limit)))


def count_equal(session: Session, glosa: Glosa) -> int:
    """Return how many other lines wait with the same code, payer and reason."""
    query = select(func.count()).select_from(Glosa).where(*_equal(glosa), Glosa.id != glosa.id)
    return session.scalar(query) or 0


def _equal(glosa: Glosa) -> tuple[ColumnElement[bool], ...]:
    return (
        Glosa.prestador_id == glosa.prestador_id,
        Glosa.codigo == glosa.codigo,
        Glosa.pagador_id == glosa.pagador_id,
        Glosa.turno == "ips",
        Glosa.estado.in_(sorted(POR_RESPONDER)),
        Glosa.motivo == glosa.motivo,
    )


def check_equal(rows: Sequence[Glosa]) -> None:
    """Raise BadInput unless the lines have one provider, one code and one payer, and are not too many."""
    if len(rows) > MAX_LINES:
        raise BadInput(f"Son más de {MAX_LINES} líneas de una vez; no se hizo nada.", todo="Responda por partes.")
    kinds = {(row.prestador_id, row.codigo, row.pagador_id) for row in rows}
    if len(kinds) > 1:
        raise BadInput(
            "Las líneas elegidas no son iguales: tienen códigos, pagadores o prestadores distintos; no se hizo nada.",
            todo="Elija líneas de un mismo código y un mismo pagador.",
            code="lineas_distintas",
        )


def preview(session: Session, rows: Sequence[Glosa], common: Comun) -> list[Previa]:
    """Return what each line will get, in the order given; nothing is kept."""
    return [_preview(session, row, common) for row in rows]


def _preview(session: Session, row: Glosa, common: Comun) -> Previa:
    before = answer_of(session, row)
    if before is not None and before.estado in (EstadoRespuesta.EN_ENVIO, EstadoRespuesta.PRESENTADA):
        return Previa(row, None, "Su respuesta ya se envió.", anterior=before)
    draft = draft_of(session, row, common)
    if isinstance(draft, str):
        return Previa(row, None, draft, anterior=before)
    try:
        kept = check(session, row, draft)
    except WrongField as refusal:
        return Previa(row, draft, str(refusal), anterior=before)
    found = problems_of(session, row, kept)
    stops = [one for one in found if one.grave]
    if stops:
        return Previa(row, kept, f"{stops[0].mensaje} {stops[0].que_hacer}".strip(), anterior=before)
    return Previa(
        row, kept, avisos=tuple(one.mensaje for one in found if one.codigo not in UNFINISHED), anterior=before
    )


def draft_of(session: Session, row: Glosa, common: Comun) -> Borrador | str:
    """Return the draft of one line, or why there is none."""
    accepted = 0
    if common.decision is Decision.ACEPTAR_PARTE:
        accepted = (stake(row) * common.porcentaje + 50) // 100
    elif common.decision is Decision.ACEPTAR:
        accepted = stake(row)
    supports = _supports(session, row.factura_id) if common.con_soportes else ()
    names = ", ".join(sorted({sigla for _, sigla in supports}))
    written = llenar(common.texto, valores_de(session, row, aceptado=accepted, soportes=names))
    if written.faltan:
        return f"Le falta un dato que el texto pide: {', '.join(written.faltan)}."
    return Borrador(
        common.decision,
        written.texto,
        accepted,
        common.motivo,
        tuple(sha for sha, _ in supports),
        common.plantilla_id,
    )


def _supports(session: Session, factura_id: int) -> tuple[tuple[str, str], ...]:
    rows = session.execute(
        select(Documento.sha256, Documento.sigla)
        .where(
            Documento.factura_id == factura_id,
            Documento.tipo == TipoDocumento.SOPORTE,
            Documento.vigente.is_(True),
        )
        .order_by(Documento.sigla, Documento.id)
    )
    return tuple((row.sha256, row.sigla) for row in rows)


@dataclass(frozen=True)
class Visto:
    """What the preview showed of a line: its version, and when its answer was written (None without one)."""

    glosa_id: int
    version: int
    respuesta_at: datetime | None = None


@dataclass(frozen=True)
class Guardadas:
    """What became of a bulk answer: the answers kept, and why each other line was not."""

    ids: tuple[int, ...]
    aprobadas: int
    por_aprobar: int
    rechazadas: tuple[tuple[int, str], ...]


def save_all(
    database: Database, seen: Sequence[Visto], common: Comun, *, done: bool, actor: str, at: datetime
) -> Guardadas:
    """Keep the answer of each line in a transaction of its own; `done` calls them done too."""
    kept: list[int] = []
    states = {EstadoRespuesta.APROBADA: 0, EstadoRespuesta.POR_APROBAR: 0, EstadoRespuesta.BORRADOR: 0}
    refused: list[tuple[int, str]] = []
    for one in seen:
        try:
            with database.write() as session:
                row = session.get_one(Glosa, one.glosa_id)
                draft = draft_of(session, row, common)
                if isinstance(draft, str):
                    raise BadInput(draft)
                before = answer_of(session, row)
                if (before.preparada_at if before else None) != one.respuesta_at:
                    raise BadInput("Otra persona escribió su respuesta mientras tanto.")
                answer = save_answer(session, row, draft, actor=actor, at=at, expected_version=one.version)
                if done:
                    finish(session, row, answer, actor=actor, at=at)
                kept.append(one.glosa_id)
                state = answer.estado
            states[state] += 1
        except RadicaError as refusal:
            if one.glosa_id in kept:
                kept.remove(one.glosa_id)
            refused.append((one.glosa_id, refusal.message))
    return Guardadas(tuple(kept), states[EstadoRespuesta.APROBADA], states[EstadoRespuesta.POR_APROBAR], tuple(refused))


def with_percent(common: Comun, percent: int) -> Comun:
    """Return the same for all with another share accepted. Raises BadInput outside 1 to 99."""
    if common.decision is Decision.ACEPTAR_PARTE and not 1 <= percent <= 99:
        raise BadInput("Para aceptar una parte escriba un porcentaje de 1 a 99.", code="porcentaje")
    return replace(common, porcentaje=percent)
