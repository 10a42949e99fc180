"""Our answer to an objection, from draft to the order to present it: written, checked, approved by whom it takes.

Invariant: one living answer per objection and round; above the provider's four-eyes amount nobody approves what they
wrote; what an envío carries is not touched any more; whoever saves over a newer page is refused and nothing changes.
Norms: Res. 2284/2023 Anexo Técnico 3 (codes RE95 to RE99), Ley 1438/2011 art. 57.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from radica.audit.models import Reason
from radica.audit.services import advance, lock_all, open_case
from radica.glosas.bandeja.tray_filter import Objecion, stake
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.respuesta.answer_draft import (
    FIELDS,
    Borrador,
    WrongField,
    answer_of,
    answerable,
    check,
    draft_of,
    needs_second,
    problems_of,
    round_of,
)
from radica.glosas.states import EstadoRespuesta, EventoRespuesta
from radica.kernel.errors import Forbidden, InvalidTransition, StalePage
from radica.kernel.web_format import cop
from radica.users.models import ClaseTarea
from radica.users.tasks import close_tasks, open_task


def save_answer(
    session: Session,
    objecion: Objecion,
    draft: Borrador,
    *,
    actor: str,
    at: datetime,
    expected_version: int | None = None,
    visto: datetime | None = None,
) -> Respuesta:
    """Write the draft of the present round, or write over it; an approved one becomes a draft again.

    `expected_version` is the objection's; `visto` is when the answer that the page showed was written. Raises
    StalePage when either is no longer true, WrongField, InvalidTransition when no answer is due or it was sent.
    """
    lock_all(session, [objecion])
    if expected_version is not None and expected_version != objecion.version:
        raise StalePage
    if not answerable(objecion):
        raise InvalidTransition(
            f"Esta {_noun(objecion)} está «{objecion.MACHINE.labels[objecion.estado]}»: ahora no se responde.",
            todo="Recargue la página para ver el estado actual.",
            code="no_se_responde",
        )
    kept = check(session, objecion, draft)
    row = answer_of(session, objecion)
    if row is None:
        return _new(session, objecion, kept, actor=actor, at=at)
    lock_all(session, [row])  # who calls it done at this moment does so before or after, never in between
    if visto is not None and row.preparada_at != visto:
        raise StalePage("Otra persona cambió esta respuesta mientras usted la escribía; no se guardó nada.")
    if row.estado in (EstadoRespuesta.EN_ENVIO, EstadoRespuesta.PRESENTADA):
        raise InvalidTransition("Esa respuesta ya se envió; no se cambió.", todo="Mire su envío.", code="ya_enviada")
    if row.estado is not EstadoRespuesta.BORRADOR:
        return_(session, row, "Se corrige la respuesta.", actor=actor, at=at)
    _fill(row, kept, actor=actor, at=at)
    session.flush()
    return row


def _noun(objecion: Objecion) -> str:
    return "devolución" if isinstance(objecion, Devolucion) else "glosa"


def _new(session: Session, objecion: Objecion, kept: Borrador, *, actor: str, at: datetime) -> Respuesta:
    row = Respuesta(
        prestador_id=objecion.prestador_id,
        factura_id=objecion.factura_id,
        glosa_id=objecion.id if isinstance(objecion, Glosa) else None,
        devolucion_id=objecion.id if isinstance(objecion, Devolucion) else None,
        ronda=round_of(objecion),
        estado=EstadoRespuesta.BORRADOR,
        version=0,
    )
    _fill(row, kept, actor=actor, at=at)
    session.add(row)
    open_case(session, row, actor=actor, at=at, reason=Reason.DECISION_DE_PERSONA, facts=_facts(row))
    return row


def _fill(row: Respuesta, kept: Borrador, *, actor: str, at: datetime) -> None:
    row.decision, row.codigo, row.valor_aceptado = kept.decision, kept.codigo, kept.valor_aceptado
    row.texto, row.motivo, row.soportes = kept.texto, kept.motivo, list(kept.soportes)
    row.plantilla_id = kept.plantilla_id
    row.preparada_at, row.preparada_por = at, actor


def _facts(row: Respuesta) -> dict[str, object]:
    """What the history keeps of an answer: its decision and money; the text stays in the row."""
    return {
        "codigo": row.codigo,
        "decision": row.decision.value,
        "ronda": row.ronda,
        "valor_aceptado": row.valor_aceptado,
    }


def finish(session: Session, objecion: Objecion, row: Respuesta, *, actor: str, at: datetime) -> Respuesta:
    """Call a draft done: approved at once below the four-eyes amount, else it waits for a second person.

    Raises WrongField when the rules of its code are not met.
    """
    _check_whole(session, objecion, row)
    if needs_second(session, objecion):
        advance(
            session, row, EventoRespuesta.PEDIR_APROBACION, actor=actor, at=at, reason=Reason.DECISION_DE_PERSONA,
            facts=_facts(row),
        )  # fmt: skip
        open_task(
            session,
            ClaseTarea.APROBAR_RESPUESTA,
            prestador_id=row.prestador_id,
            case_key=row.case_key,
            titulo=f"Aprobar la respuesta {row.codigo} a la {_noun(objecion)} {objecion.codigo}",
            detalle=f"En juego {cop(stake(objecion))}; se acepta {cop(row.valor_aceptado)}.",
            at=at,
        )
        return row
    _approve(session, row, actor=actor, at=at, expected_version=None)
    return row


def _check_whole(session: Session, objecion: Objecion, row: Respuesta) -> None:
    """Raise WrongField for what its code, its money, its proof or its words still lack."""
    if row.valor_aceptado and not row.motivo:
        raise WrongField("motivo", "Diga por qué se acepta: queda en el expediente y no se envía al pagador.")
    for one in problems_of(session, objecion, draft_of(row)):
        if one.grave:
            raise WrongField(FIELDS.get(one.codigo, "texto"), one.mensaje, todo=one.que_hacer)


def approve(
    session: Session,
    objecion: Objecion,
    row: Respuesta,
    *,
    actor: str,
    at: datetime,
    expected_version: int | None = None,
) -> None:
    """Approve an answer. Raises Forbidden when its author approves what needs a second person.

    A draft that was never called done passes the same rules first (WrongField).
    """
    if row.preparada_por == actor and (row.estado is EstadoRespuesta.POR_APROBAR or needs_second(session, objecion)):
        raise Forbidden(
            "Usted preparó esta respuesta: por su valor la aprueba otra persona.",
            todo="Avise a quien aprueba en su equipo.",
        )
    lock_all(session, [row])
    if row.estado is EstadoRespuesta.BORRADOR:
        _check_whole(session, objecion, row)
    _approve(session, row, actor=actor, at=at, expected_version=expected_version)


def _approve(session: Session, row: Respuesta, *, actor: str, at: datetime, expected_version: int | None) -> None:
    row.aprobada_at, row.aprobada_por = at, actor
    advance(
        session, row, EventoRespuesta.APROBAR, actor=actor, at=at, reason=Reason.DECISION_DE_PERSONA,
        facts=_facts(row), expected_version=expected_version,
    )  # fmt: skip
    _close(session, row, "aprobada", actor=actor, at=at)


def return_(
    session: Session, row: Respuesta, motivo: str, *, actor: str, at: datetime, expected_version: int | None = None
) -> None:
    """Send an answer back to be mended, with a reason for its author."""
    row.aprobada_at = row.aprobada_por = None
    advance(
        session, row, EventoRespuesta.DEVOLVER, actor=actor, at=at, reason=Reason.DECISION_DE_PERSONA,
        note=motivo.strip()[:2000], expected_version=expected_version,
    )  # fmt: skip
    _close(session, row, "devuelta", actor=actor, at=at)


def discard(
    session: Session, row: Respuesta, motivo: str, *, actor: str, at: datetime, expected_version: int | None = None
) -> None:
    """Give an answer up; its text stays in the history of the line."""
    advance(
        session, row, EventoRespuesta.DESCARTAR, actor=actor, at=at, reason=Reason.DECISION_DE_PERSONA,
        note=motivo.strip()[:2000], expected_version=expected_version,
    )  # fmt: skip
    _close(session, row, "descartada", actor=actor, at=at)


def _close(session: Session, row: Respuesta, how: str, *, actor: str, at: datetime) -> None:
    close_tasks(session, row.case_key, por=actor, resultado=how, at=at, clases=[ClaseTarea.APROBAR_RESPUESTA])
