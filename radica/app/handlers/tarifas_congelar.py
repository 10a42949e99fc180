"""The job that freezes the tariff of invoices that were filed, or objected to by tariff, while it can still be proved.

Invariant: documents are read outside transactions and each invoice is frozen in its own short one; done twice it adds
nothing. Only invoices of a payer with a contract that has a list are looked at, and those already frozen are left.
Norms: Res. 2284 de 2023 Anexo Técnico 3 (TA); Ley 527 de 1999 arts. 9 and 11.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from radica.app.handlers.turn import keep_turn
from radica.app.house import House
from radica.app.worker import Handler
from radica.audit.services import lock_all
from radica.custodia.crypto import Damaged
from radica.custodia.store import Store
from radica.entidades.contratos import acuerdos_con
from radica.entidades.contratos_models import Contrato, TarifaAplicada, Tarifario
from radica.facturas.models import Factura
from radica.facturas.tarifa_factura import comparar_factura, congelar_tarifa, tarifa_vigente
from radica.facturas.tarifa_papeles import Fuentes, abrir, fuentes_de
from radica.glosas.models import Glosa
from radica.jobs.queue import Claimed, Done, finish
from radica.jobs.schedule import order_minute
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, NotFound, StalePage

KIND_FREEZE = "congelar_tarifas"
BATCH = 20
TARIFA = "TA"
"""Concept of objections by tariff."""

log = logging.getLogger("radica.tarifas")


def por_congelar(session: Session, *, limit: int, after: int = 0) -> list[int]:
    """Return invoices to freeze, by id above `after`: filed since the contract has a list, or objected to by tariff."""
    first = (
        select(func.min(Tarifario.cargado_at))
        .join(Contrato, Contrato.id == Tarifario.contrato_id)
        .where(Contrato.prestador_id == Factura.prestador_id, Contrato.pagador_id == Factura.pagador_id)
        .scalar_subquery()
    )
    objected = exists().where(Glosa.factura_id == Factura.id, Glosa.familia == TARIFA)
    rows = session.scalars(
        select(Factura.id)
        .where(
            Factura.id > after,
            Factura.fecha_radicacion.is_not(None),
            first.is_not(None),
            or_(Factura.fecha_radicacion >= first, objected),
            ~exists().where(TarifaAplicada.factura_id == Factura.id),
        )
        .order_by(Factura.id)
        .limit(limit)
    )
    return list(rows)


def order_freezing(database: Database, now: datetime) -> int:
    """Order the job when an invoice waits for it. Returns 1 when it was added."""
    with database.read() as session:
        if not por_congelar(session, limit=1):
            return 0
    return order_minute(database, KIND_FREEZE, now, priority=180)


def freeze_tariffs(house: House, claimed: Claimed) -> None:
    """Freeze everything that waits, by id."""
    done = last = 0
    while True:
        with house.db.read() as session:
            batch = [fuentes_de(session, one) for one in por_congelar(session, limit=BATCH, after=last)]
        if not batch:
            break
        for one in batch:
            done += freeze(house, one)
            last = one.factura_id
            keep_turn(house, claimed, "Congelando tarifas", done, 0)
    if done:
        log.info("tarifas congeladas: %s facturas", done)
    finish(house.db, claimed, outcome=Done())


def freeze(house: House, fuentes: Fuentes) -> bool:
    """Freeze the tariff of one invoice; say whether something was added.

    What cannot be read now is left for another time: a tariff frozen without its documents would stand as proof.
    """
    try:
        return _freeze(house.db, house.store, fuentes, actor="reloj", at=house.clock(), again=False)
    except (NotFound, Damaged, StalePage) as wrong:
        log.warning("tarifa de la factura %s sin congelar: %s", fuentes.factura_id, wrong.code)
        return False


def congelar_ahora(database: Database, store: Store, factura_id: int, *, actor: str, at: datetime) -> bool:
    """Freeze the tariff of an invoice because a person asks; say whether something was added.

    Raises BadInput when its payer has no contract, StalePage when its documents change meanwhile, and what custody
    raises when they cannot be read.
    """
    with database.read() as session:
        row = session.get_one(Factura, factura_id)
        if not acuerdos_con(session, row.prestador_id, row.pagador_id):
            raise BadInput(
                "No hay contrato con el pagador de esta factura; no se congeló nada.",
                todo="Regístrelo en Contratos y cargue su lista de precios.",
                code="sin_contrato",
            )
        sources = fuentes_de(session, factura_id)
    return _freeze(database, store, sources, actor=actor, at=at, again=True)


def _freeze(database: Database, store: Store, fuentes: Fuentes, *, actor: str, at: datetime, again: bool) -> bool:
    """Compare and freeze under the invoice's lock, so that who compared earlier never freezes later; `again`: anew."""
    rips, fev = abrir(fuentes, store, todo=True)
    with database.write() as session:
        row = session.get_one(Factura, fuentes.factura_id)
        lock_all(session, [row])
        if not again and tarifa_vigente(session, row.id) is not None:
            return False
        if fuentes_de(session, row.id) != fuentes:
            raise StalePage
        return congelar_tarifa(session, row, comparar_factura(session, row.id, rips, fev), actor=actor, at=at)[1]


HANDLERS: Mapping[str, Handler] = {KIND_FREEZE: freeze_tariffs}
