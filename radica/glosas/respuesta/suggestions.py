"""What we answered before to the like of this glosa, and how it went: texts of our own that the payer lifted.

Invariant: a suggestion comes only from answered and decided lines of providers in view, says from which, and how many
of those that got the same text were lifted and how many were not; nothing of the other case travels in the text (its
values become variables of this case, the rest a hole). Deterministic: same rows, same suggestions. No norm is added.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.glosas import codes
from radica.glosas.bandeja.work_models import Decision, Respuesta
from radica.glosas.models import Acto, Glosa, TipoActo
from radica.glosas.respuesta.norms import citas_desconocidas
from radica.glosas.respuesta.reuse import limpiar, palabras, parecido
from radica.glosas.respuesta.template_text import Texto, abstraer, llenar
from radica.glosas.respuesta.templates_store import valores_de
from radica.glosas.states import EstadoRespuesta
from radica.kernel.money import format_cop

MAX_CASES = 400
"""Most recent decided answers that are looked at."""
SHOWN_CASES = 5


@dataclass(frozen=True, slots=True)
class Caso:
    """A line from which a text comes. Amounts in centavos: at stake with that answer, and lifted."""

    glosa_id: int
    factura: str
    codigo: str
    ronda: int
    decidida_at: datetime
    en_juego: int
    levantado: int


@dataclass(frozen=True, slots=True)
class Sugerencia:
    """A text that worked, filled for this glosa.

    `levantadas` of `decididas` answers with this text were lifted, whole or in part; `valor_levantado` of
    `valor_decidido` centavos. `parecido` 0–100 by the words of the payer's reason. `casos`: the lifted, latest first.
    """

    texto: str
    faltan: tuple[str, ...]
    codigo: str
    decision: Decision
    plantilla_id: int | None
    porque: str
    parecido: int
    decididas: int
    levantadas: int
    valor_decidido: int
    valor_levantado: int
    casos: tuple[Caso, ...]

    @property
    def exito(self) -> int:
        """Per cent of the decided answers that were lifted, whole or in part."""
        return round(100 * self.levantadas / self.decididas)


@dataclass(frozen=True, slots=True)
class _Decided:
    respuesta: Respuesta
    glosa: Glosa
    levantado: int
    en_juego: int
    at: datetime
    rank: tuple[int, int]
    parecido: int


def sugerir(session: Session, objecion: Glosa, *, prestadores: Collection[int], limite: int = 3) -> list[Sugerencia]:
    """Return up to `limite` texts for a glosa, best first: nearest code, same payer, likest reason, most lifted.

    `prestadores`: ids of the providers that the person may see.
    """
    groups: dict[str, list[_Decided]] = {}
    rows = _decided(session, objecion, prestadores)
    wanted = {one.glosa.factura_id for one in rows}
    # Held here, they answer each look of `valores_de` from memory.
    invoices = {row.id: row for row in session.scalars(select(Factura).where(Factura.id.in_(wanted)))}
    for one in rows:
        groups.setdefault(_general(session, one), []).append(one)
    values = valores_de(session, objecion)
    found = [
        (_order(group), _suggestion(session, objecion, group, llenar(text, values), invoices))
        for text, group in groups.items()
        if any(one.levantado for one in group) and not citas_desconocidas(text)
    ]
    found.sort(key=lambda one: one[0], reverse=True)
    return [one for _, one in found[:limite]]


def _decided(session: Session, objecion: Glosa, prestadores: Collection[int]) -> list[_Decided]:
    mine = palabras(objecion.motivo)
    found = []
    for answer, glosa, added, when, before in session.execute(_query(objecion, prestadores)):
        # PostgreSQL adds whole numbers into a numeric.
        stake, lifted = glosa.valor - glosa.aceptado - int(before), int(added)
        if stake <= 0:
            continue
        rank = (_nearness(objecion.codigo, glosa.codigo), int(glosa.pagador_id == objecion.pagador_id))
        found.append(_Decided(answer, glosa, lifted, stake, when, rank, parecido(mine, palabras(glosa.motivo))))
    return found


def _query(objecion: Glosa, prestadores: Collection[int]) -> Select[Any]:
    decided = (
        select(
            Acto.glosa_id,
            Acto.ronda,
            func.sum(Acto.levantado).label("levantado"),
            func.max(Acto.ocurrido_at).label("at"),
        )
        .where(Acto.tipo == TipoActo.DECISION, Acto.autor == "pagador", Acto.prestador_id.in_(prestadores))
        .group_by(Acto.glosa_id, Acto.ronda)
        .subquery()
    )
    earlier = (
        select(func.coalesce(func.sum(Acto.levantado), 0))
        .where(Acto.glosa_id == Glosa.id, Acto.tipo == TipoActo.DECISION, Acto.ronda < Respuesta.ronda)
        .correlate(Glosa, Respuesta)
        .scalar_subquery()
    )
    known = codes.buscar(objecion.codigo)
    near = [Glosa.codigo == objecion.codigo]
    if objecion.familia:
        near.append(Glosa.familia == objecion.familia)
    useful = [Decision.DEFENDER, Decision.SUBSANAR, Decision.ACEPTAR_PARTE]
    if objecion.extemporanea and objecion.ronda == 1:
        useful.append(Decision.EXTEMPORANEA)
    query = (
        select(Respuesta, Glosa, decided.c.levantado, decided.c.at, earlier)
        .join(Glosa, Glosa.id == Respuesta.glosa_id)
        .join(decided, and_(decided.c.glosa_id == Glosa.id, decided.c.ronda == Respuesta.ronda))
        .where(
            Respuesta.prestador_id.in_(prestadores),
            Respuesta.estado == EstadoRespuesta.PRESENTADA,
            Respuesta.decision.in_(useful),
            Glosa.id != objecion.id,
            or_(*near),
        )
        .order_by(decided.c.at.desc(), Respuesta.id.desc())
        .limit(MAX_CASES)
    )
    if known is not None and known.sin_valor:
        return query.where(Glosa.codigo.like("SO61%"))
    return query


def _nearness(wanted: str, other: str) -> int:
    """Return 3 for the same code, 2 for the same specific, 1 for the same general concept."""
    if wanted == other:
        return 3
    one, two = codes.buscar(wanted), codes.buscar(other)
    return 2 if one is not None and two is not None and one.especifico == two.especifico else 1


def _general(session: Session, one: _Decided) -> str:
    """Return the text of an answer with its own case taken out."""
    answer, glosa = one.respuesta, one.glosa
    values = valores_de(session, glosa, aceptado=answer.valor_aceptado)
    amounts = {
        "valor_aceptado": format_cop(answer.valor_aceptado) if answer.valor_aceptado else "",
        "valor_defendido": format_cop(one.en_juego),
        "valor_objetado": format_cop(one.en_juego + answer.valor_aceptado),
    }
    text = answer.texto
    if glosa.dias_pagador is not None:
        text = re.sub(rf"(?<!\d){glosa.dias_pagador}(?= d[ií]as h[áa]biles)", "{dias_habiles}", text)
    text = abstraer(text, {**values, **amounts})
    text = abstraer(
        text, {"item": glosa.descripcion_servicio or "", "valor_objetado": format_cop(glosa.valor_objetado)}
    )
    return limpiar(text, privados=(glosa.paciente_documento or "", glosa.servicio or "", glosa.numero_glosa or ""))


def _order(group: Sequence[_Decided]) -> tuple[Any, ...]:
    lifted = [one for one in group if one.levantado]
    best = max(lifted, key=lambda one: (one.rank, one.parecido))
    rate = 1000 * len(lifted) // len(group)
    return best.rank, best.parecido, rate, sum(one.levantado for one in lifted), best.respuesta.id


def _suggestion(
    session: Session, objecion: Glosa, group: Sequence[_Decided], text: Texto, invoices: Mapping[int, Factura]
) -> Sugerencia:
    lifted = [one for one in group if one.levantado]
    best = max(lifted, key=lambda one: (one.rank, one.parecido))
    return Sugerencia(
        texto=text.texto,
        faltan=text.faltan,
        codigo=best.respuesta.codigo,
        decision=best.respuesta.decision,
        plantilla_id=best.respuesta.plantilla_id if best.glosa.prestador_id == objecion.prestador_id else None,
        porque=_why(session, best),
        parecido=max(one.parecido for one in lifted),
        decididas=len(group),
        levantadas=len(lifted),
        valor_decidido=sum(one.en_juego for one in group),
        valor_levantado=sum(one.levantado for one in lifted),
        casos=tuple(_case(one, invoices[one.glosa.factura_id]) for one in lifted[:SHOWN_CASES]),
    )


def _why(session: Session, best: _Decided) -> str:
    said = {3: "mismo código", 2: "mismo específico", 1: "mismo concepto general"}[best.rank[0]]
    if best.rank[1]:
        said += " y mismo pagador"
    else:
        said += f", otro pagador ({session.get_one(Pagador, best.glosa.pagador_id).nombre})"
    return said + (f"; motivo parecido en {best.parecido} %" if best.parecido else "")


def _case(one: _Decided, invoice: Factura) -> Caso:
    return Caso(
        one.glosa.id, invoice.numero, one.glosa.codigo, one.respuesta.ronda, one.at, one.en_juego, one.levantado
    )
