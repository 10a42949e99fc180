"""When each person's digest is due, and its sending: once per person and hour, whatever dies in between.

Invariant: a slot (person, hour) is ordered once; before the words leave, the slot is marked as under way, and only a
failure that surely came before them takes the mark away: a digest may be lost to a crash, never sent twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, time, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from radica.app.handlers.digest import ROLES, mensaje, resumen_de
from radica.app.handlers.smtp import Rechazado, Saliente, SinConfirmar, enviar, saliente
from radica.app.house import House
from radica.jobs.models import ScheduleSlot
from radica.jobs.queue import Claimed, Dead, Done, finish
from radica.jobs.schedule import insert_due, take_slot
from radica.kernel.clock import BOGOTA, civil_date
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, Unavailable
from radica.plazos.calendar import is_business_day
from radica.users.login import preferences, set_preference
from radica.users.models import Acceso, Usuario

KIND_DIGEST = "enviar_resumen"
HOURS = "resumen_horas"
"""Preference: the hours of Bogotá as `["07:00", "14:00"]`; an empty list sends nothing."""
DEFAULT_HOURS = ("07:00",)
MAX_HOURS = 6
LATE = timedelta(hours=3)
"""A digest that could not be ordered or sent within this is of no use; the next one comes at its hour."""

log = logging.getLogger("radica.resumen")


def horas_de(user: Usuario) -> tuple[time, ...]:
    """Return the hours at which a person wants the digest; what is not understood falls back to the default."""
    asked = preferences(user).get(HOURS, list(DEFAULT_HOURS))
    try:
        return _hours(asked)
    except (ValueError, TypeError):
        return _hours(DEFAULT_HOURS)


def _hours(texts: Iterable[str]) -> tuple[time, ...]:
    return tuple(sorted({time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None) for text in texts}))


def elegir_horas(user: Usuario, horas: Iterable[str]) -> None:
    """Keep the hours a person chose. Raises BadInput when one is no hour or there are too many."""
    try:
        chosen = _hours(horas)
    except (ValueError, TypeError):
        raise BadInput("Las horas del resumen se escriben como 07:00.", code="hora_mala") from None
    if len(chosen) > MAX_HOURS:
        raise BadInput(f"Elija hasta {MAX_HOURS} horas.", code="hora_mala")
    set_preference(user, HOURS, [one.strftime("%H:%M") for one in chosen])


def order_digests(database: Database, now: datetime) -> int:
    """Order the digest of each person whose hour has come, on business days. Returns how many jobs were added."""
    today = civil_date(now)
    if not is_business_day(today):
        return 0
    with database.read() as session:
        people = session.scalars(
            select(Usuario)
            .where(
                Usuario.activo.is_(True),
                Usuario.id.in_(select(Acceso.usuario_id).where(Acceso.rol.in_([one.value for one in ROLES]))),
            )
            .order_by(Usuario.id)
        )
        wanted = [
            (user.id, due)
            for user in people
            for hour in horas_de(user)
            if (due := datetime.combine(today, hour, tzinfo=BOGOTA)) <= now <= due + LATE
        ]
        # Looked at before: a transaction that writes for each person each minute would be in everybody's way.
        slots = session.scalars(select(ScheduleSlot).where(ScheduleSlot.due_ms.in_({_ms(due) for _, due in wanted})))
        known = {(one.kind, one.due_ms) for one in slots}
    added = 0
    for user_id, due in wanted:
        if (_slot(user_id), _ms(due)) in known:
            continue
        with database.write() as session:
            job = insert_due(
                session,
                KIND_DIGEST,
                due,
                slot=_slot(user_id),
                payload={"usuario_id": user_id, "turno": due.isoformat()},
                max_attempts=6,
                dedup=f"{KIND_DIGEST}:{user_id}:{_ms(due)}",
            )
        added += job is not None
    return added


def _ms(due: datetime) -> int:
    return round(due.timestamp() * 1000)


def _slot(user_id: int) -> str:
    return f"{KIND_DIGEST}:{user_id}"


def _mark(user_id: int) -> str:
    return f"{KIND_DIGEST}:saliendo:{user_id}"


def send_digest(house: House, claimed: Claimed) -> None:
    """Send one person's digest, unless there is nothing to say, its time is over or it may have been sent."""
    out = saliente(house.environ)
    user_id, due = int(claimed.payload["usuario_id"]), datetime.fromisoformat(str(claimed.payload["turno"]))
    if out is None or house.clock() > due + LATE:
        finish(house.db, claimed, outcome=Done())
        return
    with house.db.read() as session:
        found = resumen_de(session, user_id, civil_date(house.clock()))
    if found is None or not found.alguna:
        finish(house.db, claimed, outcome=Done())
        return
    message = mensaje(found, remitente=out.remitente, enlaces=out.enlaces, message_id=_message_id(out, user_id, due))
    with house.db.write(durable=True) as session:
        mine = take_slot(session, _mark(user_id), due)
    if not mine:
        log.warning("resumen de la persona %s: un intento anterior pudo haber salido; no se repite", user_id)
        finish(house.db, claimed, outcome=Done())
        return
    try:
        enviar(out, found.correo, message)
    except SinConfirmar as problem:
        log.warning("resumen de la persona %s: %s", user_id, problem.code)
        finish(house.db, claimed, outcome=Dead(problem.code, str(problem)))
    except Rechazado as problem:
        log.warning("resumen de la persona %s: %s", user_id, problem.code)
        finish(house.db, claimed, outcome=Dead(problem.code, str(problem)))
    except Unavailable:
        with house.db.write() as session:
            _unmark(session, user_id, due)
        raise
    else:
        log.info("resumen enviado a la persona %s", user_id)
        finish(house.db, claimed, outcome=Done())


def _unmark(session: Session, user_id: int, due: datetime) -> None:
    session.execute(delete(ScheduleSlot).where(ScheduleSlot.kind == _mark(user_id), ScheduleSlot.due_ms == _ms(due)))


def _message_id(out: Saliente, user_id: int, due: datetime) -> str:
    domain = out.remitente.rsplit("@", 1)[-1].strip("<> ")
    return f"<resumen.{user_id}.{due:%Y%m%dT%H%M}@{domain}>"
