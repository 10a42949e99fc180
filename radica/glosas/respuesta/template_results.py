"""How the templates of a provider fared: how many answers used each version, and what the payer did with them.

Invariant: only answers that left count as decided, each by the payer's own decision of that same round; an answer that
still waits for one counts as used and nothing more. Amounts in centavos. Norm: Ley 1438/2011 art. 57 (the decision).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from radica.glosas.bandeja.work_models import Plantilla, Respuesta
from radica.glosas.models import Acto, Glosa, TipoActo
from radica.glosas.states import POR_RESPONDER, EstadoRespuesta

SAMPLES = 8
"""Lines that are offered to see a template on."""


@dataclass(frozen=True, slots=True)
class Resultado:
    """Answers that used a template; of those decided by the payer, how many it lifted whole or in part, and how much."""

    usos: int = 0
    decididas: int = 0
    levantadas: int = 0
    valor_levantado: int = 0

    def __add__(self, other: Resultado) -> Resultado:
        """Join the results of two versions."""
        return Resultado(
            self.usos + other.usos,
            self.decididas + other.decididas,
            self.levantadas + other.levantadas,
            self.valor_levantado + other.valor_levantado,
        )


def resultados(session: Session, *, prestador_id: int) -> dict[int, Resultado]:
    """Return how each template version of a provider fared, by its id; unused ones are absent."""
    lifted = or_(Acto.levantado > 0, and_(Acto.devolucion_id.is_not(None), Acto.codigo == "levanta"))
    decided = (
        select(
            Acto.glosa_id,
            Acto.devolucion_id,
            Acto.ronda,
            func.max(case((lifted, 1), else_=0)).label("levantada"),
            func.sum(Acto.levantado).label("valor"),
        )
        .where(Acto.prestador_id == prestador_id, Acto.tipo == TipoActo.DECISION, Acto.autor == "pagador")
        .group_by(Acto.glosa_id, Acto.devolucion_id, Acto.ronda)
        .subquery()
    )
    same = or_(decided.c.glosa_id == Respuesta.glosa_id, decided.c.devolucion_id == Respuesta.devolucion_id)
    query = (
        select(
            Respuesta.plantilla_id,
            func.count(),
            func.count(decided.c.ronda),
            func.sum(func.coalesce(decided.c.levantada, 0)),
            func.sum(func.coalesce(decided.c.valor, 0)),
        )
        .outerjoin(
            decided,
            and_(Respuesta.estado == EstadoRespuesta.PRESENTADA, decided.c.ronda == Respuesta.ronda, same),
        )
        .where(
            Respuesta.prestador_id == prestador_id,
            Respuesta.plantilla_id.is_not(None),
            Respuesta.estado != EstadoRespuesta.DESCARTADA,
        )
        .group_by(Respuesta.plantilla_id)
    )
    return {
        row_id: Resultado(int(used), int(settled), int(up), int(cents))
        for row_id, used, settled, up, cents in session.execute(query)
        if row_id is not None
    }


def versiones(session: Session, plantilla: Plantilla) -> list[Plantilla]:
    """Return all versions of a template, the newest first."""
    return list(
        session.scalars(
            select(Plantilla)
            .where(Plantilla.prestador_id == plantilla.prestador_id, Plantilla.clave == plantilla.clave)
            .order_by(Plantilla.version.desc())
        )
    )


def muestras(session: Session, *, prestador_id: int, codigo: str = "", pagador_id: int | None = None) -> list[Glosa]:
    """Return lines that wait for an answer on which a template can be seen: of its code and payer, the latest first."""
    query = select(Glosa).where(
        Glosa.prestador_id == prestador_id, Glosa.turno == "ips", Glosa.estado.in_(sorted(POR_RESPONDER))
    )
    if codigo:
        query = query.where(Glosa.codigo.startswith(codigo, autoescape=True))
    if pagador_id is not None:
        query = query.where(Glosa.pagador_id == pagador_id)
    return list(session.scalars(query.order_by(Glosa.id.desc()).limit(SAMPLES)))
