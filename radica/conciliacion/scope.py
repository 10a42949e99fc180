"""What may go on a table: lines in dispute of one payer up to a cut-off date, and why the others may not.

Invariant: a line is on one open table only; nothing that still waits for our first answer, nor whose answer is on its
way, is conciliated; a devolución and the glosas of its invoice are never counted together (the devolución holds the
whole invoice). Norms: Circular conjunta 030/2013; Res. 2284/2023 art. 6; Ley 1438/2011 art. 57.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select
from sqlalchemy.orm import Session

from radica.conciliacion.models import Conciliacion, ConciliacionLinea
from radica.facturas.models import Factura
from radica.facturas.named import named
from radica.facturas.numbers import parse_invoice_number
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.states import CONCILIABLES, DEV_ABIERTAS, FINALES, EstadoDevolucion, EstadoGlosa, EstadoRespuesta
from radica.kernel.clock import BOGOTA
from radica.kernel.db import parts_of

RAZONES = {
    "por_responder": "falta nuestra primera respuesta",
    "no_reiterada": "la devolución todavía no ha sido reiterada por el pagador",
    "en_camino": "tiene una respuesta en camino al pagador",
    "en_mesa": "ya está en otra mesa abierta",
    "cerrada": "ya no está en disputa",
    "factura_devuelta": "su factura está devuelta: se concilia la devolución",
}


@dataclass(frozen=True)
class Filtro:
    """Which lines of a payer: notified up to `fecha_corte`; codes by their beginning; invoices by number."""

    fecha_corte: date
    codigos: tuple[str, ...] = ()
    facturas: tuple[str, ...] = ()
    desde: int | None = None
    glosas: bool = True
    devoluciones: bool = True

    def stored(self) -> dict[str, Any]:
        """Return it as it stands in `Conciliacion.alcance`."""
        values = asdict(self) | {"fecha_corte": self.fecha_corte.isoformat()}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


@dataclass(frozen=True)
class Candidata:
    """A line of the scope. Exactly one of the ids is set; `razon` is a key of RAZONES, "" when it may go in."""

    factura_id: int
    numero: str
    codigo: str
    estado: str
    en_disputa: int
    glosa_id: int | None = None
    devolucion_id: int | None = None
    razon: str = ""
    detalle: str = ""


@dataclass(frozen=True)
class Alcance:
    """What a scope holds: lines that go in, those that do not (with reason), numbers that no invoice has."""

    entran: Sequence[Candidata]
    fuera: Sequence[Candidata]
    desconocidas: Sequence[str]

    @property
    def en_disputa(self) -> int:
        """Centavos of what goes in."""
        return sum(one.en_disputa for one in self.entran)

    def por_razon(self) -> dict[str, tuple[int, int]]:
        """Return how many lines and centavos stay out by reason, in the order of RAZONES."""
        found: dict[str, tuple[int, int]] = {}
        for key in RAZONES:
            ones = [one for one in self.fuera if one.razon == key]
            if ones:
                found[key] = (len(ones), sum(one.en_disputa for one in ones))
        return found


def scope(session: Session, *, prestador_id: int, pagador_id: int, filtro: Filtro) -> Alcance:
    """Return what a meeting of this provider with this payer could hold. Only reads."""
    invoices, unknown = _invoices(session, prestador_id, pagador_id, filtro.facturas)
    found: list[Candidata] = []
    until = datetime.combine(filtro.fecha_corte + timedelta(days=1), time(), tzinfo=BOGOTA)
    returned = _returned(session, prestador_id, pagador_id)
    if filtro.glosas:
        query = _glosas(prestador_id, pagador_id).where(Glosa.notificada_at < until)
        query = _narrow(query, Glosa.codigo, Glosa.en_disputa, filtro, invoices)
        for row in session.execute(query):
            one = _glosa(row)
            returned_too = not one.razon and one.factura_id in returned
            found.append(replace(one, razon="factura_devuelta") if returned_too else one)
    if filtro.devoluciones:
        query = _devoluciones(prestador_id, pagador_id).where(Devolucion.notificada_at < until)
        query = _narrow(query, Devolucion.codigo, Devolucion.valor, filtro, invoices)
        found += [_devolucion(row) for row in session.execute(query)]
    checked = _taken(session, found)
    return Alcance(
        entran=[one for one in checked if not one.razon],
        fuera=[one for one in checked if one.razon],
        desconocidas=unknown,
    )


def still_there(session: Session, glosa_ids: Collection[int], devolucion_ids: Collection[int]) -> dict[str, Candidata]:
    """Return how some lines stand now, by `glosa:1` or `devolucion:2`, each with the reason why it may not go in."""
    found: list[Candidata] = []
    for part in parts_of(glosa_ids):
        rows = session.execute(_base(Glosa, Glosa.en_disputa).where(Glosa.id.in_(part)))
        found += [_glosa(row) for row in rows]
    for part in parts_of(devolucion_ids):
        rows = session.execute(_base(Devolucion, Devolucion.valor).where(Devolucion.id.in_(part)))
        found += [_devolucion(row) for row in rows]
    return {key_of(one): one for one in found}


def _glosa(row: Row[Any]) -> Candidata:
    reason = "" if row.estado in CONCILIABLES and row.en_disputa > 0 else "cerrada"
    if row.estado is EstadoGlosa.FORMULADA:
        reason = "por_responder"
    return Candidata(row.factura_id, row.numero, row.codigo, row.estado, row.en_disputa, glosa_id=row.id, razon=reason)


def _devolucion(row: Row[Any]) -> Candidata:
    reason = "" if row.estado is EstadoDevolucion.REITERADA else "cerrada"
    if row.estado in DEV_ABIERTAS and reason:
        reason = "no_reiterada"
    return Candidata(
        row.factura_id, row.numero, row.codigo, row.estado, row.en_disputa, devolucion_id=row.id, razon=reason
    )


def in_flight(session: Session, glosa_ids: Collection[int], devolucion_ids: Collection[int]) -> set[str]:
    """Return the keys of lines whose answer is on its way to the payer: its outcome must be known first."""
    flying = set()
    for column, name, ids in (
        (Respuesta.glosa_id, "glosa", glosa_ids),
        (Respuesta.devolucion_id, "devolucion", devolucion_ids),
    ):
        for part in parts_of(ids):
            rows = session.scalars(select(column).where(Respuesta.estado == EstadoRespuesta.EN_ENVIO, column.in_(part)))
            flying |= {f"{name}:{one}" for one in rows}
    return flying


def key_of(line: Candidata | ConciliacionLinea) -> str:
    """Name the objection of a line."""
    return f"glosa:{line.glosa_id}" if line.glosa_id is not None else f"devolucion:{line.devolucion_id}"


def ids_of(lines: Sequence[Candidata | ConciliacionLinea]) -> tuple[list[int], list[int]]:
    """Return the ids of the glosas and of the devoluciones of some lines, sorted."""
    return (
        sorted(one.glosa_id for one in lines if one.glosa_id is not None),
        sorted(one.devolucion_id for one in lines if one.devolucion_id is not None),
    )


def _base(model: type[Glosa] | type[Devolucion], value: Any) -> Select[Any]:
    return select(
        model.id, model.factura_id, Factura.numero, model.codigo, model.estado, value.label("en_disputa")
    ).join(Factura, Factura.id == model.factura_id)


def _glosas(prestador_id: int, pagador_id: int) -> Select[Any]:
    closed = [state.value for state in FINALES]
    return (
        _base(Glosa, Glosa.en_disputa)
        .where(Glosa.prestador_id == prestador_id, Glosa.pagador_id == pagador_id, Glosa.en_disputa > 0)
        .where(Glosa.estado.not_in(closed))
        .order_by(Glosa.codigo, Factura.numero, Glosa.id)
    )


def _devoluciones(prestador_id: int, pagador_id: int) -> Select[Any]:
    return (
        _base(Devolucion, Devolucion.valor)
        .where(Devolucion.prestador_id == prestador_id, Devolucion.pagador_id == pagador_id, Devolucion.valor > 0)
        .where(Devolucion.estado.in_([state.value for state in DEV_ABIERTAS]))
        .order_by(Devolucion.codigo, Factura.numero, Devolucion.id)
    )


def _narrow(
    query: Select[Any], code: Any, value: Any, filtro: Filtro, invoices: ColumnElement[bool] | None
) -> Select[Any]:
    if filtro.codigos:
        query = query.where(or_(*(code.startswith(one.upper(), autoescape=True) for one in filtro.codigos)))
    if filtro.desde is not None:
        query = query.where(value >= filtro.desde)
    return query if invoices is None else query.where(invoices)


def _invoices(
    session: Session, prestador_id: int, pagador_id: int, numbers: Sequence[str]
) -> tuple[ColumnElement[bool] | None, list[str]]:
    """Return the condition for the invoices that were named, and the names that no invoice of this payer has."""
    if not numbers:
        return None, []
    ids: set[int] = set()
    unknown = []
    for written in numbers:
        number = parse_invoice_number(written)
        rows: list[int] = []
        if number is not None and number.digits:
            rows = list(
                session.scalars(
                    select(Factura.id).where(
                        Factura.prestador_id == prestador_id, Factura.pagador_id == pagador_id, named(number)
                    )
                )
            )
        if rows:
            ids |= set(rows)
        else:
            unknown.append(written)
    return or_(*(Factura.id.in_(part) for part in parts_of(ids))) if ids else Factura.id.in_([]), unknown


def _returned(session: Session, prestador_id: int, pagador_id: int) -> set[int]:
    """Return the invoices of which an open devolución holds the whole."""
    return set(
        session.scalars(
            select(Devolucion.factura_id).where(
                Devolucion.prestador_id == prestador_id,
                Devolucion.pagador_id == pagador_id,
                Devolucion.estado.in_([state.value for state in DEV_ABIERTAS]),
            )
        )
    )


def _taken(session: Session, found: Sequence[Candidata]) -> list[Candidata]:
    """Mark the lines that are on an open table, or whose answer is on its way."""
    glosas, devoluciones = ids_of(found)
    tables: dict[str, int] = {}
    for column, name, ids in (
        (ConciliacionLinea.glosa_id, "glosa", glosas),
        (ConciliacionLinea.devolucion_id, "devolucion", devoluciones),
    ):
        for part in parts_of(ids):
            rows = session.execute(
                select(column, Conciliacion.numero)
                .join(Conciliacion, Conciliacion.id == ConciliacionLinea.conciliacion_id)
                .where(and_(column.in_(part), ConciliacionLinea.vivo == 1))
            )
            tables |= {f"{name}:{row[0]}": row.numero for row in rows}
    flying = in_flight(session, glosas, devoluciones)
    checked = []
    for one in found:
        key = key_of(one)
        if not one.razon and key in tables:
            checked.append(replace(one, razon="en_mesa", detalle=f"conciliación {tables[key]}"))
        elif not one.razon and key in flying:
            checked.append(replace(one, razon="en_camino"))
        else:
            checked.append(one)
    return checked
