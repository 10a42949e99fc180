"""What a person writes as an answer, and whether it may be kept: decision, code, value accepted, supports, words.

Invariant: the code follows from the decision; what the rules of the code refuse is said at its own field; a draft may
lack what calling it done does not let pass. Norms: Res. 2284/2023 Anexo Técnico 3, Ley 1438/2011 art. 57.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.facturas.models import Documento, TipoDocumento
from radica.glosas.bandeja.tray import answers_of
from radica.glosas.bandeja.tray_filter import Objecion, stake
from radica.glosas.bandeja.work_models import AjusteGlosas, Decision, Plantilla, Respuesta
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.respuesta.answer_codes import Acto, Opcion, codigo_para, opciones
from radica.glosas.respuesta.answer_rules import Problema, Propuesta, revisar_respuesta
from radica.glosas.states import DEV_POR_RESPONDER, POR_RESPONDER, EstadoRespuesta
from radica.kernel.errors import BadInput
from radica.kernel.money import MAX_CENTS
from radica.kernel.web_format import cop

MAX_TEXT = 20_000
MAX_ID = 2**63 - 1
MAX_REASON = 300
FIELDS = {
    **dict.fromkeys(("sin_texto", "texto_largo", "variable_sin_llenar", "cita_desconocida"), "texto"),
    **dict.fromkeys(("falta_soporte", "falta_evidencia"), "soportes"),
    **dict.fromkeys(
        ("acepta_de_mas", "acepta_con_codigo_que_no", "acepta_incompleto", "parte_que_no_es_parte"), "valor_aceptado"
    ),
    **dict.fromkeys(
        (
            "codigo_general", "codigo_desconocido", "codigo_del_pagador", "codigo_de_otro_acto", "decision_distinta",
            "extemporanea_sin_fechas", "notificada_a_tiempo", "so61_sin_valor", "extemporanea_en_segunda",
        ),
        "decision",
    ),
}  # fmt: skip
"""Problem of `answer_rules` → the field of the form at which it is said."""
UNFINISHED = frozenset({"sin_texto", "variable_sin_llenar", "falta_soporte", "falta_evidencia"})
"""What a draft may still lack; calling it done does not let it pass."""
NAMES = {
    Decision.DEFENDER: "Defender: no se acepta nada",
    Decision.SUBSANAR: "Subsanar: se aporta lo que faltaba",
    Decision.ACEPTAR_PARTE: "Aceptar una parte",
    Decision.ACEPTAR: "Aceptar todo",
    Decision.EXTEMPORANEA: "Extemporánea: llegó fuera de término",
}


@dataclass(frozen=True)
class Borrador:
    """What a person writes: `valor_aceptado` in centavos, `soportes` SHA-256 of documents of the invoice."""

    decision: Decision
    texto: str
    valor_aceptado: int = 0
    motivo: str = ""
    soportes: tuple[str, ...] = ()
    plantilla_id: int | None = None
    codigo: str = ""


class WrongField(BadInput):
    """What was written in one field does not hold; `campo` names it, so that a form shows it there."""

    def __init__(self, campo: str, message: str, *, todo: str = "") -> None:
        super().__init__(message, todo=todo, code=f"respuesta_{campo}")
        self.campo = campo


@dataclass(frozen=True)
class Resultado:
    """What became of many answers: those saved, and why each other one was not."""

    guardadas: list[Respuesta] = field(default_factory=list)
    rechazadas: list[tuple[int, str]] = field(default_factory=list)


def act_of(objecion: Objecion) -> Acto:
    """Return the word of the catalogue for what is objected."""
    return "devolucion" if isinstance(objecion, Devolucion) else "glosa"


def round_of(objecion: Objecion) -> int:
    """Return the round of an objection; a devolución has one."""
    return objecion.ronda if isinstance(objecion, Glosa) else 1


def code_for(decision: Decision, objecion: Objecion) -> str | None:
    """Return the answer code of a decision on this objection, None when the norm has none."""
    found = codigo_para(act_of(objecion), decision.value)
    return found.codigo if found else None


def options_for(objecion: Objecion) -> tuple[Opcion, ...]:
    """Return the codes that fit this objection now, the one to offer first at the head."""
    return opciones(
        act_of(objecion),
        codigo_glosa=objecion.codigo,
        valor=stake(objecion),
        extemporanea=objecion.extemporanea,
        ronda=round_of(objecion),
    )


def answerable(objecion: Objecion) -> bool:
    """Say whether an answer of ours is due now."""
    if isinstance(objecion, Devolucion):
        return objecion.estado in DEV_POR_RESPONDER
    return objecion.estado in POR_RESPONDER


def answer_of(session: Session, objecion: Objecion) -> Respuesta | None:
    """Return the living answer of the present round."""
    return answers_of(session, [objecion]).get((objecion.KIND, objecion.id))


def settings_of(session: Session, prestador_id: int) -> AjusteGlosas:
    """Return how a provider works its glosas; without a row, the defaults."""
    found = session.get(AjusteGlosas, prestador_id)
    return found or AjusteGlosas(prestador_id=prestador_id, grupo_manual="", siifa=True, escalar_dias=2)


def needs_second(session: Session, objecion: Objecion) -> bool:
    """Say whether the answer needs a second person: what is at stake reaches the provider's four-eyes amount."""
    limit = settings_of(session, objecion.prestador_id).cuatro_ojos_desde
    return limit is not None and stake(objecion) >= limit


def check(session: Session, objecion: Objecion, draft: Borrador) -> Borrador:
    """Return the draft as it will be kept, with its code and value. Raises WrongField."""
    code = code_for(draft.decision, objecion)
    if code is None or (draft.codigo and draft.codigo != code):
        raise WrongField(
            "decision",
            "Esa decisión no existe para una devolución: la factura se acepta o se defiende entera."
            if code is None
            else f"El código {draft.codigo} no corresponde a esa decisión; corresponde {code}.",
        )
    text = draft.texto.strip()
    if len(text) > MAX_TEXT:
        raise WrongField("texto", f"Son más de {MAX_TEXT} caracteres.")
    if len(draft.motivo) > MAX_REASON:
        raise WrongField("motivo", f"Son más de {MAX_REASON} caracteres.")
    kept = _kept(session, objecion, draft, text, code)
    for one in problems_of(session, objecion, kept):
        if one.grave and one.codigo not in UNFINISHED:
            raise WrongField(FIELDS.get(one.codigo, "texto"), one.mensaje, todo=one.que_hacer)
    return kept


def _kept(session: Session, objecion: Objecion, draft: Borrador, text: str, code: str) -> Borrador:
    return Borrador(
        draft.decision,
        text,
        _accepted(objecion, draft),
        draft.motivo.strip(),
        _supports(session, objecion, draft.soportes),
        _template(session, objecion, draft.plantilla_id),
        code,
    )


def _template(session: Session, objecion: Objecion, wanted: int | None) -> int | None:
    """Return a template of this provider as it was named; anything else says nothing of where a text comes from."""
    if wanted is None or not 0 < wanted <= MAX_ID:
        return None
    query = select(Plantilla.id).where(Plantilla.id == wanted, Plantilla.prestador_id == objecion.prestador_id)
    return session.scalar(query)


def draft_of(row: Respuesta) -> Borrador:
    """Return an answer that is kept as the draft it came from."""
    return Borrador(
        row.decision, row.texto, row.valor_aceptado, row.motivo, tuple(row.soportes), row.plantilla_id, row.codigo
    )


def problems_of(session: Session, objecion: Objecion, draft: Borrador) -> tuple[Problema, ...]:
    """Return everything that `answer_rules` finds in a draft, what stops it first."""
    filed = session.scalar(
        select(func.count()).where(
            Documento.factura_id == objecion.factura_id,
            Documento.tipo == TipoDocumento.SOPORTE,
            Documento.vigente.is_(True),
        )
    )
    before = _earlier(session, objecion)
    return revisar_respuesta(
        Propuesta(
            acto=act_of(objecion),
            codigo_glosa=objecion.codigo,
            codigo=draft.codigo,
            valor=stake(objecion),
            aceptado=draft.valor_aceptado,
            texto=draft.texto,
            decision=draft.decision.value,
            ronda=round_of(objecion),
            extemporanea=objecion.extemporanea,
            soportes=len(draft.soportes),
            ya_radicados=filed or 0,
            texto_anterior=before,
        )
    )


def _earlier(session: Session, objecion: Objecion) -> str:
    if not isinstance(objecion, Glosa) or objecion.ronda < 2:
        return ""
    found = session.scalars(
        select(Respuesta.texto)
        .where(
            Respuesta.glosa_id == objecion.id,
            Respuesta.ronda < objecion.ronda,
            Respuesta.estado == EstadoRespuesta.PRESENTADA,
        )
        .order_by(Respuesta.ronda.desc())
        .limit(1)
    ).first()
    return found or ""


def _accepted(objecion: Objecion, draft: Borrador) -> int:
    most = stake(objecion)
    if draft.decision is Decision.ACEPTAR:
        return most
    if draft.decision is not Decision.ACEPTAR_PARTE:
        return 0
    if not 0 < draft.valor_aceptado < min(most, MAX_CENTS):
        raise WrongField(
            "valor_aceptado",
            f"Para aceptar una parte, escriba un valor mayor que cero y menor que {cop(most)}.",
            todo="Si se acepta todo, elija «Aceptar todo».",
        )
    return draft.valor_aceptado


def _supports(session: Session, objecion: Objecion, wanted: Sequence[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(wanted))
    if not chosen:
        return ()
    ours = set(
        session.scalars(
            select(Documento.sha256).where(
                Documento.factura_id == objecion.factura_id, Documento.prestador_id == objecion.prestador_id
            )
        )
    )
    if not set(chosen) <= ours:
        raise WrongField("soportes", "Un soporte elegido ya no está en la factura.", todo="Recargue y elija de nuevo.")
    return chosen
