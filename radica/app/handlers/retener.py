"""The nightly job `retener`: until when each blob is kept, from its uses, and the same date in the store where it can.

Invariant: dates only move forward; doing it twice, or half, harms nothing: what the store did not take stays due. Here,
because custody knows its pieces but not invoices, disputes and dossiers. Norms: see `radica.custodia.retencion`.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.handlers.turn import keep_turn
from radica.app.house import House
from radica.conciliacion.models import Conciliacion, ConciliacionLinea
from radica.conciliacion.states import EstadoConciliacion
from radica.custodia import retencion
from radica.custodia.models import Blob, Pieza
from radica.custodia.retencion import Uso
from radica.facturas.models import Documento
from radica.glosas.models import Devolucion, Glosa, Notificacion
from radica.glosas.states import DEV_ABIERTAS, FINALES
from radica.jobs.queue import Claimed, Done, finish
from radica.jobs.schedule import order_day
from radica.kernel.clock import civil_date
from radica.kernel.db import Database
from radica.kernel.errors import NotFound
from radica.prejuridico.models import Expediente, ExpedienteFactura
from radica.prejuridico.states import EstadoExpediente
from radica.radicacion.models import EnvioFactura

KIND_RETAIN = "retener"
RETAIN_AT = time(2, 30)
"""Bogotá time: nobody files then."""
PAGE = 500
OPEN_TABLES = (EstadoConciliacion.CONVOCADA.value, EstadoConciliacion.CELEBRADA.value)

log = logging.getLogger("radica.fondo")


def order_retention(database: Database, now: datetime) -> int:
    """Order the job, once for its day. Returns 1 when it was added."""
    return order_day(database, KIND_RETAIN, now, RETAIN_AT, priority=200)


def retain(house: House, claimed: Claimed) -> None:
    """Work out the dates, write them, and give them to the store."""
    today = civil_date(house.clock())
    with house.db.read() as session:
        disputed = disputed_cases(session)
    done = moved = 0
    for page in _pages(house.db):
        with house.db.read() as session:
            wanted = {
                sha256: plazo
                for sha256, uses in uses_of(session, page, disputed).items()
                if (plazo := retencion.until_of(uses, today)) is not None
            }
        with house.db.write() as session:
            moved += retencion.note(session, wanted, today=today)
        done += len(page)
        keep_turn(house, claimed, "Revisando hasta cuándo se conserva", done, done)
    held, lost = _apply(house, claimed)
    log.info("retención: %s archivos, %s fechas nuevas, %s en el almacén, %s faltantes", done, moved, held, lost)
    finish(house.db, claimed, outcome=Done())


def _apply(house: House, claimed: Claimed) -> tuple[int, int]:
    """Give the store what is due. Returns how many it holds now, and how many blobs it does not have."""
    held = lost = 0
    after = ""
    while True:
        with house.db.read() as session:
            page = retencion.due(session, limit=PAGE, after=after)
        if not page:
            return held, lost
        after = page[-1][0]
        taken = []
        for sha256, until in page:
            try:
                if not house.store.retain(sha256, until):
                    return held, lost  # a folder: the dates stand in the database, and doctor says what that is worth
            except NotFound:
                lost += 1  # the verification names it
                continue
            taken.append((sha256, until))
        with house.db.write() as session:
            retencion.applied(session, taken, at=house.clock())
        held += len(taken)
        keep_turn(house, claimed, "Guardando las fechas en el almacén", held, held)


def disputed_cases(session: Session) -> frozenset[str]:
    """Return the cases that are in dispute: invoices with an open glosa, devolución, meeting or dossier, and theirs."""
    glosas = session.execute(
        select(Glosa.id, Glosa.factura_id, Glosa.notificacion_id).where(
            Glosa.estado.not_in([one.value for one in FINALES])
        )
    ).all()
    returned = session.execute(
        select(Devolucion.id, Devolucion.factura_id, Devolucion.notificacion_id).where(
            Devolucion.estado.in_([one.value for one in DEV_ABIERTAS])
        )
    ).all()
    meetings = session.execute(
        select(Conciliacion.id, ConciliacionLinea.factura_id)
        .join(ConciliacionLinea, ConciliacionLinea.conciliacion_id == Conciliacion.id)
        .where(Conciliacion.estado.in_(OPEN_TABLES))
    ).all()
    dossiers = session.execute(
        select(Expediente.id, ExpedienteFactura.factura_id)
        .join(ExpedienteFactura, ExpedienteFactura.expediente_id == Expediente.id)
        .where(Expediente.estado != EstadoExpediente.DESCARTADO.value)
    ).all()
    invoices = {row.factura_id for rows in (glosas, returned, meetings, dossiers) for row in rows}
    keys = {f"factura:{one}" for one in invoices}
    keys |= {f"glosa:{row.id}" for row in glosas} | {f"devolucion:{row.id}" for row in returned}
    keys |= {f"conciliacion:{row.id}" for row in meetings} | {f"expediente:{row.id}" for row in dossiers}
    notices = {row.notificacion_id for row in [*glosas, *returned]} - {None}
    keys |= {f"notificacion:{one}" for one in notices}
    mails = session.execute(select(Notificacion.id, Notificacion.correo_id).where(Notificacion.correo_id.is_not(None)))
    keys |= {f"correo:{row.correo_id}" for row in mails if row.id in notices}
    filings = session.execute(select(EnvioFactura.envio_id, EnvioFactura.factura_id))
    keys |= {f"envio:{row.envio_id}" for row in filings if row.factura_id in invoices}
    return frozenset(keys)


def uses_of(session: Session, page: Sequence[tuple[str, datetime]], disputed: frozenset[str]) -> dict[str, list[Uso]]:
    """Return the uses of some blobs (address, instant it came); one without any is kept as a piece of that day."""
    found: dict[str, list[Uso]] = defaultdict(list)
    hashes = [sha256 for sha256, _ in page]
    pieces = session.execute(
        select(Pieza.sha256, Pieza.clase, Pieza.case_key, Pieza.sellada_at).where(Pieza.sha256.in_(hashes))
    )
    for row in pieces:
        use = Uso(row.sha256, f"pieza:{row.clase}", civil_date(row.sellada_at), row.case_key in disputed)
        found[row.sha256].append(use)
    documents = session.execute(
        select(Documento.sha256, Documento.tipo, Documento.factura_id, Documento.cargado_at).where(
            Documento.sha256.in_(hashes)
        )
    )
    for doc in documents:
        use = Uso(
            doc.sha256,
            f"documento:{doc.tipo.value}",
            civil_date(doc.cargado_at),
            f"factura:{doc.factura_id}" in disputed,
        )
        found[doc.sha256].append(use)
    for sha256, stored_at in page:
        if sha256 not in found:
            found[sha256].append(Uso(sha256, "pieza:sin_uso", civil_date(stored_at)))
    return found


def _pages(database: Database) -> Iterator[list[tuple[str, datetime]]]:
    after = ""
    while True:
        with database.read() as session:
            rows = session.execute(
                select(Blob.sha256, Blob.stored_at).where(Blob.sha256 > after).order_by(Blob.sha256).limit(PAGE)
            )
            page = [(row.sha256, row.stored_at) for row in rows]
        if not page:
            return
        yield page
        after = page[-1][0]
