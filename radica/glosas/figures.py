"""What each indicator counts: one definition in SQL, used for the sum and for the rows that open it.

Invariant: a figure is the sum of what its rows contribute; cohorts are by the month of filing, never by that of the
notice; the value of a returned invoice counts once. Formulas: the usual ones of the trade, each said in its `formula`;
lifted, accepted and ratified share one base and add up to it. Norm: Ley 1438/2011 art. 57 gives the terms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, func, literal, or_, select, true, type_coerce

from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.glosas.models import Acto, Devolucion, Glosa, TipoActo
from radica.glosas.states import EstadoDevolucion, EstadoGlosa
from radica.kernel.clock import BOGOTA
from radica.plazos.table import versions

G, D = EstadoGlosa, EstadoDevolucion


class Unidad(StrEnum):
    """What a figure's two numbers are."""

    PESOS = "pesos"  # centavos
    CASOS = "casos"
    DIAS = "dias"  # business days over cases: a mean, not a rate


class Clave(StrEnum):
    """The indicators."""

    GLOSA_INICIAL = "glosa_inicial"
    DEVOLUCION = "devolucion"
    LEVANTAMIENTO = "levantamiento"
    RATIFICACION = "ratificacion"
    ACEPTACION = "aceptacion"
    GLOSA_DEFINITIVA = "glosa_definitiva"
    EXTEMPORANEAS = "extemporaneas"
    EXTEMPORANEAS_DEVOLUCION = "extemporaneas_devolucion"
    RESPUESTA_OPORTUNA = "respuesta_oportuna"
    RESPUESTA_OPORTUNA_DEVOLUCION = "respuesta_oportuna_devolucion"
    DIAS_RESPUESTA = "dias_respuesta"


@dataclass(frozen=True)
class Alcance:
    """Invoices filed from `desde` to `hasta` (Colombian days, both included), of some providers; narrowed further.

    `codigo` is a whole code or the two letters of a family; it narrows objections, never what was filed. `hoy` says
    which terms have ended.
    """

    prestador_ids: tuple[int, ...]
    desde: date
    hasta: date
    hoy: date
    pagador_id: int | None = None
    codigo: str | None = None


@dataclass(frozen=True)
class Figura:
    """One indicator. `base` says which objections it looks at, `num` and `den` what each adds; `den` None: filed value."""

    clave: Clave
    nombre: str
    formula: str
    unidad: Unidad
    model: type[Glosa] | type[Devolucion]
    base: Callable[[Alcance], ColumnElement[bool]]
    num: Callable[[Alcance], Any]
    den: Callable[[Alcance], Any] | None


def filed(alcance: Alcance) -> ColumnElement[bool]:
    """Return the condition of the invoices in scope."""
    start = datetime.combine(alcance.desde, time(0), tzinfo=BOGOTA)
    end = datetime.combine(alcance.hasta + timedelta(days=1), time(0), tzinfo=BOGOTA)
    wanted = [
        Factura.prestador_id.in_(alcance.prestador_ids),
        Factura.fecha_radicacion >= start,
        Factura.fecha_radicacion < end,
    ]
    if alcance.pagador_id is not None:
        wanted.append(Factura.pagador_id == alcance.pagador_id)
    return and_(*wanted)


def objections(model: type[Glosa] | type[Devolucion], alcance: Alcance) -> ColumnElement[bool]:
    """Return the condition of the objections in scope, to be joined with their invoices."""
    wanted = [filed(alcance), model.estado != "anulada"]
    if alcance.codigo is not None:
        family = len(alcance.codigo) == 2
        wanted.append(model.codigo.startswith(alcance.codigo) if family else model.codigo == alcance.codigo)
    return and_(*wanted)


def answer_acts(model: type[Glosa] | type[Devolucion]) -> ColumnElement[bool]:
    """Return the condition that an act is our first answer to the objection of the outer row."""
    column = Acto.glosa_id if model is Glosa else Acto.devolucion_id
    return and_(column == model.id, Acto.tipo == TipoActo.RESPUESTA)


def _everything(_: Alcance) -> ColumnElement[bool]:
    return true()


def _decided(_: Alcance) -> ColumnElement[bool]:
    """Answered, and with an outcome: the payer decided, or we accepted all of it."""
    waiting = (G.FORMULADA, G.RESPONDIDA, G.ACEPTADA_PARCIAL, G.SIN_DECISION)
    return and_(Glosa.respondida_at.is_not(None), Glosa.estado.not_in(waiting))


def _with_term(model: type[Glosa] | type[Devolucion], term_id: str) -> Callable[[Alcance], ColumnElement[bool]]:
    without = sorted(versions(term_id)[-1].sin_termino_para)

    def base(_: Alcance) -> ColumnElement[bool]:
        payer = select(Pagador.id).where(Pagador.tipo.in_(without))
        return and_(model.dias_pagador.is_not(None), model.pagador_id.not_in(payer))

    return base


def _term_ended(model: type[Glosa] | type[Devolucion]) -> Callable[[Alcance], ColumnElement[bool]]:
    """Answered, or with the term to answer gone by its last reading."""
    unanswered = (G.FORMULADA if model is Glosa else D.FORMULADA,)
    tacit = (G.ACEPTADA_TACITA if model is Glosa else D.ACEPTADA_TACITA,)

    def base(alcance: Alcance) -> ColumnElement[bool]:
        answered = select(Acto.id).where(answer_acts(model)).exists()
        gone = and_(model.estado.in_(unanswered), func.coalesce(model.vence_alterno, model.vence) < alcance.hoy)
        return or_(answered, gone, model.estado.in_(tacit))

    return base


def _in_time(model: type[Glosa] | type[Devolucion]) -> Callable[[Alcance], ColumnElement[Any]]:
    # The term of an act is canonical JSON: this text is in it exactly when the answer was in time.
    text = type_coerce(Acto.plazo, String).contains('"oportuno":true', autoescape=True)
    kept = select(Acto.id).where(answer_acts(model), text).exists()
    return lambda _: case((kept, 1), else_=0)


def _one(_: Alcance) -> ColumnElement[Any]:
    return literal(1)


FIGURAS: dict[Clave, Figura] = {
    one.clave: one
    for one in (
        Figura(
            Clave.GLOSA_INICIAL, "Glosa inicial", "valor glosado / valor radicado en el mismo periodo", Unidad.PESOS,
            Glosa, _everything, lambda _: Glosa.valor, None,
        ),
        Figura(
            Clave.DEVOLUCION, "Devolución", "valor de las facturas devueltas, una vez cada una / valor radicado",
            Unidad.PESOS, Devolucion, _everything, lambda _: func.coalesce(Factura.valor, 0), None,
        ),
        Figura(
            Clave.LEVANTAMIENTO, "Levantamiento", "valor levantado / valor de las glosas respondidas y decididas",
            Unidad.PESOS, Glosa, _decided, lambda _: Glosa.levantado, lambda _: Glosa.valor,
        ),
        Figura(
            Clave.RATIFICACION, "Ratificación", "valor que sigue en disputa / valor de las respondidas y decididas",
            Unidad.PESOS, Glosa, _decided, lambda _: Glosa.en_disputa, lambda _: Glosa.valor,
        ),
        Figura(
            Clave.ACEPTACION, "Aceptación de la IPS", "valor aceptado / valor de las respondidas y decididas",
            Unidad.PESOS, Glosa, _decided, lambda _: Glosa.aceptado, lambda _: Glosa.valor,
        ),
        Figura(
            Clave.GLOSA_DEFINITIVA, "Glosa definitiva", "todo lo aceptado, también por silencio / valor radicado",
            Unidad.PESOS, Glosa, _everything, lambda _: Glosa.aceptado, None,
        ),
        Figura(
            Clave.EXTEMPORANEAS, "Glosas extemporáneas", "glosas notificadas fuera de término / glosas notificadas",
            Unidad.CASOS, Glosa, _with_term(Glosa, "GLO-01"), lambda _: case((Glosa.extemporanea, 1), else_=0), _one,
        ),
        Figura(
            Clave.EXTEMPORANEAS_DEVOLUCION, "Devoluciones extemporáneas",
            "devoluciones notificadas fuera de término / devoluciones notificadas", Unidad.CASOS, Devolucion,
            _with_term(Devolucion, "DEV-01"), lambda _: case((Devolucion.extemporanea, 1), else_=0), _one,
        ),
        Figura(
            Clave.RESPUESTA_OPORTUNA, "Respuesta oportuna", "glosas respondidas en término / glosas cuyo término terminó",
            Unidad.CASOS, Glosa, _term_ended(Glosa), _in_time(Glosa), _one,
        ),
        Figura(
            Clave.RESPUESTA_OPORTUNA_DEVOLUCION, "Respuesta oportuna a devoluciones",
            "devoluciones respondidas en término / devoluciones cuyo término terminó", Unidad.CASOS, Devolucion,
            _term_ended(Devolucion), _in_time(Devolucion), _one,
        ),
    )
}  # fmt: skip
"""All but the days to answer, which are read from the acts (`indicators`)."""
