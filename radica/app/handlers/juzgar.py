"""The job that opens the documents of unfiled invoices and runs the checker over them, in the worker.

Invariant: judging holds no transaction and each verdict is recorded by itself, so that filings wait behind none;
killed at any point it goes on where it was: what is marked is what is left. An invoice whose documents change while
they are judged stays marked; one that ends the process twice is left to a person and keeps none behind it waiting.
Norm: Res. 948 de 2026 (what the MUV would say is known before it says it).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.handlers.turn import beating, keep_turn
from radica.app.house import House
from radica.app.worker import Handler
from radica.custodia.texto import KEY_FILE
from radica.entidades.models import Prestador
from radica.facturas.catalogos import catalogos_de_casa
from radica.facturas.comprobacion_fallida import anunciar, callar
from radica.facturas.fev import Clase as DocumentoDe
from radica.facturas.juicio import Encargo, dictaminar, encargos, interrumpida, registrar
from radica.facturas.keys import known_keys
from radica.facturas.repetidos import clave_de, guardar, repetidos
from radica.facturas.tarifa_factura import comparar_factura, hallazgos_de_tarifa
from radica.facturas.validacion.lote import Huellas, huellas
from radica.facturas.validacion.modelo import Hallado, Paquete
from radica.jobs.queue import Claimed, Done, finish
from radica.jobs.schedule import order_minute
from radica.kernel.db import Database
from radica.kernel.web_keys import load_or_make_key

KIND_JUDGE = "juzgar_facturas"
BATCH = 20
_TELLS = "Comprobando facturas"

log = logging.getLogger("radica.juicio")


def order_judging(database: Database, now: datetime) -> int:
    """Order the checks when an invoice waits for them. Returns 1 when the job was added."""
    with database.read() as session:
        if not encargos(session, limit=1):
            return 0
    return order_minute(database, KIND_JUDGE, now, priority=150)


def judge_invoices(house: House, claimed: Claimed) -> None:
    """Judge everything that waits, by id; one that changed meanwhile is left for the next time."""
    done = last = 0
    while True:
        with house.db.read() as session:
            batch = encargos(session, limit=BATCH, after=last)
        if not batch:
            break
        for one in batch:
            with beating(house, claimed, _TELLS, done):  # a million services, or hostile PDFs, outlive a lease
                done += judge(house, one) if claimed.attempts < 2 else _carefully(house, one)
            last = one.factura_id
            keep_turn(house, claimed, _TELLS, done, 0)
    if done:
        log.info("comprobaciones: %s facturas", done)
    finish(house.db, claimed, outcome=Done())


def _carefully(house: House, encargo: Encargo) -> bool:
    """Judge one invoice after a worker ended over some: it is announced before, and not opened when it was the one."""
    with house.db.write() as session:
        ended = anunciar(session, encargo.factura_id, at=house.clock())
    if not ended:
        if not (done := judge(house, encargo)):
            with house.db.write() as session:
                callar(session, encargo.factura_id, at=house.clock())
        return done
    log.warning("la comprobación de la factura %s interrumpe su proceso: queda para una persona", encargo.factura_id)
    with house.db.write() as session:
        return registrar(session, encargo, interrumpida(house.clock()), at=house.clock())


def judge(house: House, encargo: Encargo) -> bool:
    """Judge one invoice and record the verdict; False when what it was judged by changed, or another process did."""
    with house.db.read() as session:
        catalogues = catalogos_de_casa(session, house.store)
    secret = clave_de(load_or_make_key(house.settings.keys / KEY_FILE), encargo.prestador_id)
    printed: list[Huellas] = []
    twins: list[list[Hallado]] = []

    def beside(one: Encargo, package: Paquete) -> list[Hallado]:
        """Tell what the house knows beside the documents; a note repeats its invoice and has no tariff of its own."""
        if package.fev is None or package.fev.kind is not DocumentoDe.FACTURA:
            return []
        printed.append(huellas(package, secret))
        with house.db.read() as session:
            twins.append(_twins(session, one, printed[-1]))
            compared = comparar_factura(session, one.factura_id, package.rips, package.fev)
        return [*hallazgos_de_tarifa(compared), *twins[-1]]

    found = dictaminar(
        encargo,
        house.store,
        ahora=house.clock(),
        catalogos=catalogues,
        key_for=known_keys(house.db, house.vault),
        aparte=(beside,),
    )
    with house.db.write() as session:
        # One at a time for a provider: two invoices with one service, judged at once, would not see each other.
        session.execute(
            select(Prestador.id).where(Prestador.id == encargo.prestador_id).with_for_update(key_share=True)
        )
        if [_twins(session, encargo, one) for one in printed] != twins:
            return False
        if not registrar(session, encargo, found, at=house.clock()):
            return False
        for one in printed:
            guardar(session, prestador_id=encargo.prestador_id, factura_id=encargo.factura_id, huellas=one)
    return True


def _twins(session: Session, encargo: Encargo, printed: Huellas) -> list[Hallado]:
    return repetidos(session, prestador_id=encargo.prestador_id, factura_id=encargo.factura_id, huellas=printed)


HANDLERS: Mapping[str, Handler] = {KIND_JUDGE: judge_invoices}
