"""Rates and money of the glosas of a period, whole or by payer, family or code; each opens to its rows.

Invariant: numerator and denominator are the sums of the rows that `open_rows` returns for the same scope; nothing is
rounded here. Definitions stand in `figures`; dates are those of the evidence. Norm: Ley 1438/2011 art. 57.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select
from sqlalchemy.orm import Session

from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.glosas.figures import FIGURAS, Alcance, Clave, Figura, Unidad, answer_acts, filed, objections
from radica.glosas.models import Acto, Devolucion, Glosa

Model = type[Glosa] | type[Devolucion]


class Eje(StrEnum):
    """By what a table is broken down."""

    PAGADOR = "pagador"
    FAMILIA = "familia"
    CODIGO = "codigo"


class Parte(StrEnum):
    """Which of the two numbers of an indicator is opened."""

    NUMERADOR = "numerador"
    DENOMINADOR = "denominador"


@dataclass(frozen=True)
class Indicador:
    """One figure: centavos or counts over centavos or counts, and the scope that opens both."""

    clave: Clave
    nombre: str
    formula: str
    unidad: Unidad
    numerador: int
    denominador: int
    alcance: Alcance

    @property
    def razon(self) -> Decimal | None:
        """Return numerator over denominator, exact; None when there is nothing to divide by."""
        return Decimal(self.numerador) / Decimal(self.denominador) if self.denominador else None


@dataclass(frozen=True)
class Grupo:
    """The indicators of one payer, family or code. `clave` is its id or code; `nombre` what to show."""

    clave: str
    nombre: str
    indicadores: dict[Clave, Indicador]


@dataclass(frozen=True)
class Aporte:
    """What one row adds to a figure. `objeto` is glosa, devolucion or factura; `id` its id."""

    objeto: str
    id: int
    factura_id: int
    aporte: int


_DAYS = "Días de respuesta"
_DAYS_FORMULA = "días hábiles de la notificación a la respuesta / glosas respondidas"
_Sums = dict[Any, dict[Clave, tuple[int, int]]]


def indicators(session: Session, alcance: Alcance) -> dict[Clave, Indicador]:
    """Return every indicator of the scope."""
    sums = _sums(session, alcance, None).get(None, {})
    total = _filed(session, alcance, by_payer=False).get(None, 0)
    return _build(alcance, sums, total)


def breakdown(session: Session, alcance: Alcance, eje: Eje, *, limit: int = 200) -> list[Grupo]:
    """Return the indicators by payer, family or code, the one with most money glossed first.

    By family and code what was filed is the whole scope's: a code is compared with everything that was filed.
    """
    sums = _sums(session, alcance, eje)
    by_payer = eje is Eje.PAGADOR
    totals = _filed(session, alcance, by_payer=by_payer)
    keys = [key for key in {*sums, *(totals if by_payer else ())} if key is not None]
    names = _payer_names(session, keys) if by_payer else {}
    groups = [
        Grupo(
            str(key),
            names.get(key, str(key)),
            _build(_narrow(alcance, eje, key), sums.get(key, {}), totals.get(key if by_payer else None, 0)),
        )
        for key in keys
    ]
    groups.sort(key=lambda one: (-one.indicadores[Clave.GLOSA_INICIAL].numerador, one.clave))
    return groups[:limit]


def open_rows(
    session: Session, indicador: Indicador, parte: Parte, *, after: int = 0, limit: int = 200
) -> list[Aporte]:
    """Return the rows behind one number of an indicator, by id, `limit` after the row `after`; they add up to it."""
    if indicador.clave is Clave.DIAS_RESPUESTA:
        rows = _days(session, indicador.alcance)
        found = [
            Aporte("glosa", glosa_id, factura_id, days if parte is Parte.NUMERADOR else 1)
            for glosa_id, factura_id, days, _ in rows
            if glosa_id > after
        ]
        return found[:limit]
    figura = FIGURAS[indicador.clave]
    if parte is Parte.DENOMINADOR and figura.den is None:
        return _filed_rows(session, indicador.alcance, after, limit)
    adds = figura.num if parte is Parte.NUMERADOR or figura.den is None else figura.den
    return _rows(session, figura, indicador.alcance, adds(indicador.alcance), after, limit)


def _rows(
    session: Session, figura: Figura, alcance: Alcance, adds: ColumnElement[Any], after: int, limit: int
) -> list[Aporte]:
    model = figura.model
    query = (
        select(model.id, model.factura_id, adds)
        .join(Factura, Factura.id == model.factura_id)
        .where(objections(model, alcance), figura.base(alcance), adds != 0, model.id > after)
        .order_by(model.id)
        .limit(limit)
    )
    return [Aporte(model.KIND, row[0], row[1], int(row[2])) for row in session.execute(query)]


def _filed_rows(session: Session, alcance: Alcance, after: int, limit: int) -> list[Aporte]:
    query = (
        select(Factura.id, Factura.valor)
        .where(filed(alcance), Factura.valor > 0, Factura.id > after)
        .order_by(Factura.id)
        .limit(limit)
    )
    return [Aporte("factura", row[0], row[0], int(row[1] or 0)) for row in session.execute(query)]


def _filed(session: Session, alcance: Alcance, *, by_payer: bool) -> dict[int | None, int]:
    """Return the value filed in the scope, whole (key None) or by payer."""
    total = func.coalesce(func.sum(Factura.valor), 0)
    if not by_payer:
        return {None: int(session.execute(select(total).where(filed(alcance))).scalar_one() or 0)}
    rows = session.execute(select(Factura.pagador_id, total).where(filed(alcance)).group_by(Factura.pagador_id))
    return {row[0]: int(row[1] or 0) for row in rows}


def _axis(model: Model, eje: Eje) -> Any:
    if eje is Eje.PAGADOR:
        return Factura.pagador_id
    return func.substr(model.codigo, 1, 2) if eje is Eje.FAMILIA else model.codigo


def _sums(session: Session, alcance: Alcance, eje: Eje | None) -> _Sums:
    """Sum every figure in one statement for glosas and one for devoluciones, by the axis (None: one group)."""
    found: _Sums = defaultdict(dict)
    for model in (Glosa, Devolucion):
        figures = [one for one in FIGURAS.values() if one.model is model]
        columns: list[ColumnElement[Any]] = []
        for one in figures:
            base = one.base(alcance)
            adds = (one.num(alcance), one.den(alcance) if one.den else literal(0))
            columns += [func.sum(case((base, each), else_=0)) for each in adds]
        axis = [_axis(model, eje)] if eje is not None else []
        query = select(*axis, *columns).join(Factura, Factura.id == model.factura_id).where(objections(model, alcance))
        query = query.select_from(model).group_by(*axis) if axis else query.select_from(model)
        for row in session.execute(query):
            key, numbers = (row[0], row[1:]) if axis else (None, row)
            for place, one in enumerate(figures):
                found[key][one.clave] = int(numbers[2 * place] or 0), int(numbers[2 * place + 1] or 0)
    days: dict[Any, list[int]] = defaultdict(list)
    for _, _, amount, key in _days(session, alcance, eje):
        days[key].append(amount)
    for key, amounts in days.items():
        found[key][Clave.DIAS_RESPUESTA] = sum(amounts), len(amounts)
    return found


def _days(session: Session, alcance: Alcance, eje: Eje | None = None) -> list[tuple[int, int, int, Any]]:
    """Return glosa, invoice, business days to our first answer, and the axis; the days stand in the act's term."""
    axis = [_axis(Glosa, eje)] if eje is not None else []
    query = (
        select(Glosa.id, Glosa.factura_id, Acto.plazo, *axis)
        .join(Factura, Factura.id == Glosa.factura_id)
        .join(Acto, answer_acts(Glosa))
        .where(objections(Glosa, alcance))
        .order_by(Glosa.id, Acto.id)
    )
    seen: set[int] = set()
    found = []
    for row in session.execute(query):
        if row[0] in seen or "dias" not in row[2]:
            continue
        seen.add(row[0])
        found.append((row[0], row[1], int(row[2]["dias"]), row[3] if axis else None))
    return found


def _payer_names(session: Session, keys: Sequence[Any]) -> dict[Any, str]:
    return {
        row.id: row.nombre for row in session.execute(select(Pagador.id, Pagador.nombre).where(Pagador.id.in_(keys)))
    }


def _narrow(alcance: Alcance, eje: Eje, key: Any) -> Alcance:
    return replace(alcance, pagador_id=key) if eje is Eje.PAGADOR else replace(alcance, codigo=key)


def _build(alcance: Alcance, sums: dict[Clave, tuple[int, int]], total: int) -> dict[Clave, Indicador]:
    found: dict[Clave, Indicador] = {}
    for clave in Clave:
        figura = FIGURAS.get(clave)
        num, den = sums.get(clave, (0, 0))
        if figura is None:
            found[clave] = Indicador(clave, _DAYS, _DAYS_FORMULA, Unidad.DIAS, num, den, alcance)
        else:
            denominator = total if figura.den is None else den
            found[clave] = Indicador(clave, figura.nombre, figura.formula, figura.unidad, num, denominator, alcance)
    return found
