"""What a tray of the work shows: the filter as a value, and the conditions that a row must meet.

Invariant: glosas (lines) and devoluciones (whole invoices) are never in one list; every condition begins with given
providers; what a person left pending is out of the tray until its day and comes back by itself, without any job.
Norms: Ley 1438/2011 art. 57, Res. 2284/2023 art. 6.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from radica.facturas.models import Factura
from radica.facturas.named import named
from radica.facturas.numbers import parse_invoice_number
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.states import EstadoRespuesta

Objecion = Glosa | Devolucion

GLOSAS, DEVOLUCIONES = "glosas", "devoluciones"
TURNOS = ("ips", "pagador", "")
SIN = "sin"
ORDERS = ("vence", "-vence", "valor", "-valor")
DEFAULT_ORDER = "vence"


@dataclass(frozen=True)
class Filtro:
    """What a tray shows. `desde`/`hasta` bound the last day, both inclusive; `sin_plazo` asks for lines without one.

    `responsable`: a person's id as text, or "sin". `pendientes` shows what waits for a later day instead of the rest.
    `respuesta`: a state of our answer, or "sin" for lines without one.
    """

    prestadores: frozenset[int]
    hoy: date
    clase: str = GLOSAS
    turno: str = "ips"
    q: str = ""
    pagador: int | None = None
    familia: str = ""
    codigo: str = ""
    estado: str = ""
    ronda: int | None = None
    responsable: str = ""
    desde: date | None = None
    hasta: date | None = None
    sin_plazo: bool = False
    extemporanea: bool = False
    exceso: bool = False
    pendientes: bool = False
    respuesta: str = ""
    notificacion: int | None = None
    orden: str = DEFAULT_ORDER

    @property
    def plano(self) -> bool:
        """True when nothing narrows the tray beyond its turn."""
        return self == replace(Filtro(self.prestadores, self.hoy), clase=self.clase, turno=self.turno, orden=self.orden)

    @property
    def indexado(self) -> bool:
        """True when the tray's index alone says which rows of those to answer today it shows."""
        free = ("pagador", "familia", "codigo", "responsable", "desde", "hasta", "sin_plazo", "clase", "orden")
        return self == replace(Filtro(self.prestadores, self.hoy), **{name: getattr(self, name) for name in free})


def stake(objecion: Objecion) -> int:
    """Return what is at stake in centavos: of a glosa what is in dispute, of a devolución the invoice."""
    return objecion.en_disputa if isinstance(objecion, Glosa) else objecion.valor


def model_of(clase: str) -> type[Glosa] | type[Devolucion]:
    """Return the table of a tray."""
    return Devolucion if clase == DEVOLUCIONES else Glosa


def money_of(clase: str) -> Any:
    """Return the column of what is at stake."""
    return Devolucion.valor if clase == DEVOLUCIONES else Glosa.en_disputa


def conditions(f: Filtro, prestadores: Collection[int] | None = None) -> list[ColumnElement[bool]]:
    """Return what a row must meet."""
    model: Any = model_of(f.clase)
    ids = sorted(f.prestadores if prestadores is None else prestadores)
    found: list[ColumnElement[bool]] = [
        model.prestador_id == ids[0] if len(ids) == 1 else model.prestador_id.in_(ids),
        model.turno == f.turno,
    ]
    waits = and_(model.pendiente_hasta.is_not(None), model.pendiente_hasta > f.hoy)
    if f.pendientes:
        found.append(waits)
    elif f.turno == "ips":
        found.append(or_(model.pendiente_hasta.is_(None), model.pendiente_hasta <= f.hoy))
    return found + narrowing(f)


def narrowing(f: Filtro) -> list[ColumnElement[bool]]:
    """Return what a row must meet beyond being of these providers, of this turn and not left for a later day."""
    model: Any = model_of(f.clase)
    found = _about_term(f, model) + _about_thing(f, model)
    if f.responsable == SIN:
        found.append(model.responsable_id.is_(None))
    elif f.responsable:
        found.append(model.responsable_id == int(f.responsable))
    if f.respuesta:
        found.append(_answered(f, model))
    if f.q:
        found.append(_matching(f.q, model))
    return found


def _about_term(f: Filtro, model: Any) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if f.sin_plazo:
        found.append(model.vence.is_(None))
    if f.desde is not None:
        found.append(model.vence >= f.desde)
    if f.hasta is not None:
        found.append(model.vence <= f.hasta)
    if f.extemporanea:
        found.append(model.extemporanea.is_(True))
    return found


def _about_thing(f: Filtro, model: Any) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if f.pagador is not None:
        found.append(model.pagador_id == f.pagador)
    if f.codigo:
        found.append(model.codigo == f.codigo)
    if f.estado:
        found.append(model.estado == f.estado)
    if f.notificacion is not None:
        found.append(model.notificacion_id == f.notificacion)
    if f.clase == GLOSAS:
        if f.familia:
            found.append(Glosa.familia == f.familia)
        if f.ronda is not None:
            found.append(Glosa.ronda == f.ronda)
        if f.exceso:
            found.append(Glosa.exceso == 1)
    return found


def _answered(f: Filtro, model: Any) -> ColumnElement[bool]:
    link = Respuesta.devolucion_id if f.clase == DEVOLUCIONES else Respuesta.glosa_id
    alive = select(Respuesta.id).where(link == model.id, Respuesta.estado != EstadoRespuesta.DESCARTADA)
    if f.clase == GLOSAS:
        alive = alive.where(Respuesta.ronda == Glosa.ronda)
    if f.respuesta == SIN:
        return ~alive.exists()
    return alive.where(Respuesta.estado == f.respuesta).exists()


def _matching(text: str, model: Any) -> ColumnElement[bool]:
    number = parse_invoice_number(text)
    found: list[ColumnElement[bool]] = [(model.numero_glosa if model is Glosa else model.numero) == text]
    if number is not None:
        found.append(model.factura_id.in_(select(Factura.id).where(named(number))))
    return or_(*found)
