"""Acts recorded by hand on an objection: the payer's decision, annul, reopen, declare final, accept the rest, date.

Invariant: evidence is kept before the transaction and sealed in it; the act carries its true date and its proof; what
the form offers is what the machine allows. Norms: Ley 1438/2011 art. 57, Res. 2284/2023 art. 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import flash, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from radica.app.acciones.comun import EVIDENCE_LIMIT, keep_evidence
from radica.app.acciones.glosas import here
from radica.app.acciones.glosas_formas import ActForm, DecisionForm, ReasonOnlyForm
from radica.app.paginas.glosas_linea import line_page
from radica.app.paginas.glosas_plano import ANSWERERS, MANAGERS, blueprint, load_line
from radica.audit.models import Reason
from radica.custodia.services import seal
from radica.glosas import acts
from radica.glosas.bandeja.tray_filter import Objecion
from radica.glosas.models import Devolucion, Glosa
from radica.kernel.errors import BadInput, NotFound, RadicaError
from radica.kernel.web import allow, current, go, max_upload, now, person
from radica.users.models import Rol

Do = Callable[[Session, Objecion, Any, list[str]], str]


@dataclass(frozen=True)
class Registro:
    """One act of the page: its form, who may, and what it does."""

    form: type[Any]
    roles: tuple[Rol, ...]
    do: Do


def _common(form: Any) -> dict[str, Any]:
    return {
        "actor": person().actor,
        "at": now(),
        "motivo": Reason.REGISTRO_MANUAL,
        "expected_version": form.version.data,
    }


def _decide(session: Session, row: Objecion, form: DecisionForm, evidence: list[str]) -> str:
    told = {**_common(form), "ocurrido_at": form.moment(), "evidence": evidence, "texto": form.motivo.data}
    if not evidence:
        raise BadInput("Falta la prueba de lo que decidió el pagador.", todo="Adjunte la carta, el correo o la imagen.")
    result = form.resultado.data
    if isinstance(row, Devolucion):
        if result == "parcial":
            raise BadInput("Una devolución se levanta o se reitera completa.", todo="Elija una de las dos.")
        acts.decide_devolucion(session, row, result == "levantada", **told)
        return "Quedó registrada la decisión del pagador."
    whole = row.aceptado if row.estado == "aceptada_tacita" else row.en_disputa
    lifted = whole if result == "levantada" else form.levantado.cents or 0 if result == "parcial" else 0
    if result == "parcial" and not 0 < lifted < whole:
        raise BadInput("El valor levantado en parte es mayor que cero y menor que lo que está en juego.")
    acts.decide(session, row, levantado=lifted, ratificado=result != "levantada", **told)
    return "Quedó registrada la decisión del pagador."


def _annul(session: Session, row: Objecion, form: ReasonOnlyForm, evidence: list[str]) -> str:
    acts.annul(session, row, texto=form.motivo.data, evidence=evidence, **_common(form))
    return "Quedó anulada; sus filas siguen en la historia y su valor ya no cuenta."


def _reopen(session: Session, row: Objecion, form: ActForm, evidence: list[str]) -> str:
    acts.reopen(session, row, texto=form.motivo.data, evidence=evidence, notificada_at=form.moment(), **_common(form))
    return "Quedó reabierta con su término contado de nuevo."


def _final(session: Session, row: Objecion, form: ReasonOnlyForm, evidence: list[str]) -> str:
    if not isinstance(row, Glosa):
        raise NotFound
    acts.declare_final(session, row, texto=form.motivo.data, evidence=evidence, **_common(form))
    return "Quedó definitiva: lo que está en disputa va a conciliación o a la Superintendencia."


def _accept(session: Session, row: Objecion, form: ReasonOnlyForm, evidence: list[str]) -> str:
    if not isinstance(row, Glosa):
        raise NotFound
    at = now()
    acts.accept_rest(session, row, ocurrido_at=at, texto=form.motivo.data, evidence=evidence, **_common(form))
    return "Quedó aceptado lo que faltaba; se pide su nota crédito."


def _date(session: Session, row: Objecion, form: ActForm, evidence: list[str]) -> str:
    acts.correct_notice_date(
        session, row, notificada_at=form.moment(), texto=form.motivo.data, evidence=evidence, **_common(form)
    )
    return "Quedó corregida la fecha de notificación; el término se contó de nuevo."


ACTOS: dict[str, Registro] = {
    "decision": Registro(DecisionForm, ANSWERERS, _decide),
    "anular": Registro(ReasonOnlyForm, MANAGERS, _annul),
    "reabrir": Registro(ActForm, MANAGERS, _reopen),
    "definitiva": Registro(ReasonOnlyForm, (*ANSWERERS, Rol.DIRECCION), _final),
    "aceptar": Registro(ReasonOnlyForm, MANAGERS, _accept),
    "fecha": Registro(ActForm, (*ANSWERERS, Rol.DIRECCION), _date),
}


@blueprint.post("/<any(glosa, devolucion):kind>/<int:objecion_id>/acto/<acto>")
@allow(*ANSWERERS, *MANAGERS)
@max_upload(EVIDENCE_LIMIT, parts=60)
def registrar_acto(kind: str, objecion_id: int, acto: str) -> ResponseReturnValue:
    """Record one act with its evidence."""
    known = ACTOS.get(acto)
    if known is None:
        raise NotFound
    with current().database.read() as session:
        row = load_line(session, kind, objecion_id, *known.roles)
    form = known.form(prefix=acto)
    if not form.validate_on_submit():
        return line_page(row, acto=acto, acto_form=form), 422
    try:
        kept = keep_evidence(request.files.getlist(f"{acto}-pruebas"))
        with current().database.write() as session:
            row = load_line(session, kind, objecion_id, *known.roles)
            pieces = seal(
                session,
                kept,
                prestador_id=row.prestador_id,
                case_key=row.case_key,
                group_key=f"acto:{now().isoformat()}",
                origen="persona",
                actor=person().actor,
                at=now(),
            )
            said = known.do(session, row, form, [piece.sha256 for piece in pieces])
    except BadInput as refusal:
        return _again(kind, objecion_id, acto, form, refusal), 422
    flash(said, "success")
    return go(here(row))


def _again(kind: str, objecion_id: int, acto: str, form: Any, refusal: RadicaError) -> str:
    with current().database.read() as session:
        row = load_line(session, kind, objecion_id)
    return line_page(row, error=refusal, acto=acto, acto_form=form)
