"""Background work of glosas by mail: read the mailboxes, import what they brought, send each person the day's digest.

Invariant: each may be done twice without harm; a mailbox that fails says why in its own row and is tried at the next
due time, except when its password was refused: that waits for a person, because more tries could lock the account.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime

from sqlalchemy import select

from radica.app.handlers.digest_envio import KIND_DIGEST, send_digest
from radica.app.handlers.turn import keep_turn
from radica.app.house import House
from radica.app.worker import Handler
from radica.entidades.models import EstadoPrestador, Prestador
from radica.glosas.correo.imap import ClaveRechazada
from radica.glosas.correo.mail_intake import ACTOR, KIND_IMPORT, NAME, Manos, Resumen, caso
from radica.glosas.correo.mail_models import BuzonCorreo, Correo
from radica.glosas.correo.mailbox import anotar_fallo, leer_buzon
from radica.glosas.intake import importar
from radica.jobs.queue import Claimed, Done, finish, heartbeat
from radica.jobs.schedule import insert_due
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, NotFound, RadicaError, Unavailable
from radica.users.models import ClaseTarea
from radica.users.tasks import close_tasks, open_task

KIND_READ = "leer_correo"
EVERY_MINUTES = 5

log = logging.getLogger("radica.correo")


def hands_of(house: House) -> Manos:
    """Return what reading a mailbox needs of a house."""
    return Manos(house.db, house.store, house.vault, house.clock, house.settings.incoming)


def read_mailbox(house: House, claimed: Claimed) -> None:
    """Read what came to one mailbox since the last time."""
    read_now(house, int(claimed.payload["buzon_id"]), claimed)
    finish(house.db, claimed, outcome=Done())


def read_now(house: House, buzon_id: int, claimed: Claimed | None = None) -> Resumen | None:
    """Read one mailbox; None when it could not be, which its row then explains. Raises Unavailable for our own side."""

    def tell(done: int, of: int) -> None:
        if claimed is not None:
            keep_turn(house, claimed, "Leyendo el buzón", done, of)

    try:
        with keeping_turn(house, claimed, "Leyendo el buzón"):
            found = leer_buzon(hands_of(house), buzon_id, progress=tell)
    except (Unavailable, BadInput) as problem:
        if not problem.code.startswith("buzon_") and problem.code != "llave_de_credenciales":
            raise
        _note(house, buzon_id, problem)
        return None
    with house.db.write() as session:
        close_tasks(session, _case(buzon_id), por=ACTOR, resultado="El buzón se lee de nuevo.", at=house.clock())
    log.info(
        "buzón %s: %s nuevos, %s repetidos, %s con problema",
        buzon_id,
        found.nuevos,
        found.repetidos,
        found.con_problema,
    )
    return found


def _case(buzon_id: int) -> str:
    return f"buzon:{buzon_id}"


def _note(house: House, buzon_id: int, problem: RadicaError) -> None:
    """Keep why a mailbox was not read; a refused password stops it and asks a person."""
    refused = isinstance(problem, ClaveRechazada) or problem.code == "llave_de_credenciales"
    with house.db.write() as session:
        row = anotar_fallo(session, buzon_id, str(problem), at=house.clock(), desactivar=refused)
        if refused:
            open_task(
                session,
                ClaseTarea.ATENDER_PORTAL,
                prestador_id=row.prestador_id,
                case_key=_case(buzon_id),
                titulo=f"El buzón {row.usuario} dejó de leerse: su clave no sirve",
                detalle=str(problem),
                at=house.clock(),
            )
    log.warning("buzón %s: %s", buzon_id, problem.code)


@contextmanager
def keeping_turn(house: House, claimed: Claimed | None, text: str) -> Iterator[None]:
    """Keep the turn of a job while one long step runs that tells nothing (OCR of a letter takes minutes)."""
    if claimed is None:
        yield
        return
    over = threading.Event()

    def beat() -> None:
        while not over.wait(house.timing.beat_s):
            with suppress(Unavailable):  # a busy database: the next beat comes before the lease ends
                heartbeat(house.db, claimed, house.timing.lease_s)

    keep_turn(house, claimed, text, 0, 0)
    beating = threading.Thread(target=beat, daemon=True)
    beating.start()
    try:
        yield
    finally:
        over.set()
        beating.join()


def import_mail(house: House, claimed: Claimed) -> None:
    """Load the lines that a mail brought; its arrival is the day of notice and its raw bytes the evidence."""
    correo_id = int(claimed.payload["correo_id"])
    with house.db.read() as session:
        mail = session.get(Correo, correo_id)
        if mail is None:
            raise NotFound("El correo ya no existe.")
    with keeping_turn(house, claimed, f"Importando {caso(correo_id)}"), house.store.local(mail.sha256) as path:
        importar(
            house.db,
            house.store,
            path,
            nombre=NAME,
            prestador_id=mail.prestador_id,
            pagador_nit=None,  # said by the files themselves; never taken from the sender
            origen="correo",
            recibida_at=mail.llegada_at,
            correo_id=mail.id,
            actor=ACTOR,
            clock=house.clock,
            workdir=house.settings.incoming,
            progress=lambda done, of: keep_turn(house, claimed, f"Importando {caso(correo_id)}", done, of),
        )
    finish(house.db, claimed, outcome=Done())


def five_minutes_of(now: datetime) -> datetime:
    """Return the latest due time of the mailboxes that is not after `now`."""
    return now.replace(minute=now.minute - now.minute % EVERY_MINUTES, second=0, microsecond=0)


def order_mailboxes(database: Database, now: datetime) -> int:
    """Order the reading of each active mailbox, once for its due time. Returns how many jobs were added."""
    with database.read() as session:
        boxes = session.execute(
            select(BuzonCorreo.id, BuzonCorreo.prestador_id)
            .join(Prestador, Prestador.id == BuzonCorreo.prestador_id)
            .where(BuzonCorreo.activo.is_(True), Prestador.estado == EstadoPrestador.ACTIVO.value)
            .order_by(BuzonCorreo.id)
        ).all()
    added = 0
    for box, provider in boxes:
        with database.write() as session:
            job = insert_due(
                session,
                KIND_READ,
                five_minutes_of(now),
                slot=f"{KIND_READ}:{box}",
                payload={"buzon_id": box},
                prestador_id=provider,
                max_attempts=3,
                dedup=f"{KIND_READ}:{box}",
            )
        added += job is not None
    return added


HANDLERS: Mapping[str, Handler] = {KIND_READ: read_mailbox, KIND_IMPORT: import_mail, KIND_DIGEST: send_digest}
