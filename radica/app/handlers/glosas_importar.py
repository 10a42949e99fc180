"""Background work of glosas by hand: load the files that a person uploaded, share new lines by rule, escalate.

Invariant: each may be done twice without harm; a file that cannot be read ends with its reason for the person and is
not tried again, while a busy database or a full disk is. Norms: Ley 1438/2011 art. 57, Res. 2284/2023 art. 6.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.handlers.glosas_fondo import keeping_turn
from radica.app.handlers.turn import keep_turn
from radica.app.house import House
from radica.app.worker import Handler
from radica.entidades.models import EstadoPrestador, Prestador
from radica.glosas.bandeja import work
from radica.glosas.intake import importar
from radica.jobs.queue import Claimed, Dead, Done, enqueue, finish
from radica.jobs.schedule import insert_due
from radica.kernel.clock import civil_date
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, NotFound

KIND_LOAD, KIND_SHARE = "importar_glosas", "repartir_glosas"
ACTOR = "reloj"

log = logging.getLogger("radica.glosas")


def subject_of(prestador_id: int) -> str:
    """Return the subject of the uploads of a provider, by which its page finds them."""
    return f"glosas-carga:{prestador_id}"


def order_load(
    session: Session,
    *,
    sha256: str,
    nombre: str,
    prestador_id: int,
    pagador_nit: str | None,
    recibida_at: datetime | None,
    actor: str,
) -> int:
    """Order that a file in custody be loaded, once while it waits; returns the job's id."""
    payload: dict[str, Any] = {
        "sha256": sha256,
        "nombre": nombre[:300],
        "prestador_id": prestador_id,
        "pagador_nit": pagador_nit,
        "recibida_at": recibida_at.isoformat() if recibida_at else None,
        "actor": actor,
    }
    return enqueue(
        session,
        KIND_LOAD,
        payload=payload,
        prestador_id=prestador_id,
        subject=subject_of(prestador_id),
        max_attempts=4,
        dedup=f"{KIND_LOAD}:{prestador_id}:{sha256}",
    )


def load_notice(house: House, claimed: Claimed) -> None:
    """Load the lines of one uploaded file, then share what is new by the provider's rules."""
    told = claimed.payload
    provider = int(told["prestador_id"])
    received = datetime.fromisoformat(told["recibida_at"]) if told.get("recibida_at") else None
    try:
        with keeping_turn(house, claimed, "Leyendo el archivo"), house.store.local(str(told["sha256"])) as path:
            summary = importar(
                house.db,
                house.store,
                path,
                nombre=str(told["nombre"]),
                prestador_id=provider,
                pagador_nit=told.get("pagador_nit"),
                origen="archivo",
                recibida_at=received,
                actor=str(told["actor"]),
                clock=house.clock,
                workdir=house.settings.incoming,
                progress=lambda done, of: keep_turn(house, claimed, "Guardando líneas", done, of),
            )
    except BadInput as refusal:
        finish(house.db, claimed, outcome=Dead(refusal.code, str(refusal)))
        return
    share(house, provider, actor=str(told["actor"]))
    log.info("carga de glosas del prestador %s: %s notificaciones", provider, len(summary.notificaciones))
    finish(house.db, claimed, outcome=Done())


def share(house: House, prestador_id: int, *, actor: str) -> int:
    """Give the lines without an owner to whom the rules say; returns how many."""
    with house.db.write() as session:
        return work.assign_by_rules(session, prestador_id, actor=actor, at=house.clock()).cambiadas


def share_and_escalate(house: House, claimed: Claimed) -> None:
    """Share the free lines of a provider by rule and give what is about to lapse to whom it named."""
    provider = int(claimed.payload["prestador_id"])
    with house.db.read() as session:
        if session.get(Prestador, provider) is None:
            raise NotFound("El prestador ya no existe.")
    moved = share(house, provider, actor=ACTOR)
    at = house.clock()
    with house.db.write() as session:
        raised = work.escalate(session, hoy=civil_date(at), actor=ACTOR, at=at, prestador_id=provider)
    log.info("reparto de glosas del prestador %s: %s repartidas, %s escaladas", provider, moved, raised)
    finish(house.db, claimed, outcome=Done())


def order_sharing(database: Database, due: datetime) -> int:
    """Order sharing and escalation for each active provider, once for its due time; returns how many jobs were added."""
    with database.read() as session:
        providers = session.scalars(
            select(Prestador.id).where(Prestador.estado == EstadoPrestador.ACTIVO.value).order_by(Prestador.id)
        ).all()
    added = 0
    for provider in providers:
        with database.write() as session:
            job = insert_due(
                session,
                KIND_SHARE,
                due,
                slot=f"{KIND_SHARE}:{provider}",
                payload={"prestador_id": provider},
                prestador_id=provider,
                max_attempts=3,
                dedup=f"{KIND_SHARE}:{provider}",
            )
        added += job is not None
    return added


HANDLERS: Mapping[str, Handler] = {KIND_LOAD: load_notice, KIND_SHARE: share_and_escalate}
