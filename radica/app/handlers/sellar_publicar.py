"""Tells sealed lines outside of the house: to a file as each is made, and to the auditor by mail once a day.

Invariant: what was told is what was sealed, in order; a line is told again rather than not at all; whoever keeps them
(another disk, another mailbox, paper) can show that no root was rewritten later. Norms: Ley 527/1999 arts. 9 and 11.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from email.message import EmailMessage
from pathlib import Path

from sqlalchemy import delete, func, select

from radica.app.handlers.smtp import Rechazado, Saliente, SinConfirmar, enviar, saliente
from radica.audit.chain import instant_text
from radica.custodia.arbol import sello_line
from radica.custodia.seal_models import PublicacionSello, Sello
from radica.jobs.models import ScheduleSlot
from radica.jobs.schedule import take_slot
from radica.kernel.clock import BOGOTA, Clock, bogota, civil_date
from radica.kernel.config import Settings
from radica.kernel.db import Database, insert_rows
from radica.kernel.errors import BadInput, Unavailable

FILE = "archivo"
MAIL_LINES = 2000
"""Lines that one mail carries at most; older ones come with the next."""
_TAIL = 4096
_SLOT = "sellos:correo"

log = logging.getLogger("radica.sellos")


def published_line(sello: Sello) -> str:
    """Return the line that is told: what authorities stamp, and the instant of the seal (UTC)."""
    return f"{sello_line(sello).decode('ascii').rstrip()} {instant_text(sello.creado_at)}\n"


def publish(db: Database, settings: Settings, environ: Mapping[str, str], *, clock: Clock) -> None:
    """Tell the lines that were not told yet wherever the house is told to; what fails is logged and tried again."""
    if settings.seal_file is not None:
        try:
            to_file(db, settings.seal_file, clock=clock)
        except OSError as problem:
            log.warning("no se pudo escribir el archivo de sellos (%s); se intenta con el próximo", problem.strerror)
    if settings.seal_mail is None:
        return
    try:
        out = saliente(environ)
    except BadInput as problem:
        log.warning("sellos por correo: %s", problem.code)
        return
    if out is None:
        log.warning("sellos por correo: falta RADICA_SMTP_URL")
    else:
        to_mail(db, out, settings.seal_mail, clock=clock)


def to_file(db: Database, path: Path, *, clock: Clock) -> int:
    """Append the lines that the file lacks, durably, and return how many. Raises OSError.

    The file itself says how far it is, under a lock: two sealers, or a crash before our own note, repeat no line.
    """
    waiting = _untold(db, FILE)
    if not waiting:
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as out:
        fcntl.flock(out, fcntl.LOCK_EX)
        end = out.seek(0, os.SEEK_END)
        out.seek(max(0, end - _TAIL))
        told, whole = _last_told(out.read())
        lines = [published_line(one) for one in waiting if one.hojas > told]
        out.write(("" if whole else "\n").encode() + "".join(lines).encode("ascii"))
        out.flush()
        os.fsync(out.fileno())
    _note(db, waiting, FILE, clock())
    return len(lines)


def _last_told(tail: bytes) -> tuple[int, bool]:
    """Return the leaves of the last whole line of ours, and whether the file ends with a whole line."""
    told = 0
    for line in tail.split(b"\n")[:-1]:
        words = line.split()
        if len(words) == 4 and words[0] == b"radica/1" and words[1].isdigit():
            told = max(told, int(words[1]))
    return told, not tail or tail.endswith(b"\n")


def to_mail(db: Database, out: Saliente, address: str, *, clock: Clock) -> int:
    """Send the auditor the lines not sent yet, at the first seal of each day; return how many.

    The day is marked as under way before the words leave: a mail that may have been sent is not repeated, its lines
    come again with the next day's.
    """
    now = clock()
    place = f"correo:{address}"[:200]
    day = datetime.combine(civil_date(now), time(), tzinfo=BOGOTA)
    with db.read() as session:
        last = session.scalar(select(func.max(PublicacionSello.at)).where(PublicacionSello.destino == place))
    waiting = _untold(db, place)[:MAIL_LINES]
    if not waiting or (last is not None and last >= day):
        return 0
    with db.write(durable=True) as session:
        if not take_slot(session, _SLOT, day):
            return 0
    try:
        enviar(out, address, mail_of(waiting, sender=out.remitente, address=address, now=now))
    except Unavailable as problem:
        with db.write() as session:
            due_ms = round(day.timestamp() * 1000)
            session.execute(delete(ScheduleSlot).where(ScheduleSlot.kind == _SLOT, ScheduleSlot.due_ms == due_ms))
        log.warning("sellos por correo: %s; se intenta con el próximo", problem.code)
        return 0
    except (Rechazado, SinConfirmar) as problem:
        log.warning("sellos por correo: %s; se intenta mañana", problem.code)
        return 0
    _note(db, waiting, place, now)
    return len(waiting)


def mail_of(waiting: Sequence[Sello], *, sender: str, address: str, now: datetime) -> EmailMessage:
    """Return the mail: what it is, how it is used, and the lines."""
    newest = waiting[-1]
    message = EmailMessage()
    message["Subject"] = f"Sellos de radica: {len(waiting)} hasta el {bogota(newest.creado_at):%d/%m/%Y %H:%M}"
    message["From"], message["To"] = sender, address
    domain = sender.rsplit("@", 1)[-1].strip("<> ")
    message["Message-ID"] = f"<sellos.{newest.hojas}.{now.astimezone(UTC):%Y%m%dT%H%M%S}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    lines = "".join(published_line(one) for one in waiting)
    message.set_content(
        "Guarde este correo sin cambiarlo. Cada línea fija, a su fecha, toda la historia registrada hasta entonces:\n"
        "cuántas hojas tiene el árbol de sellos y cuál es su raíz. Si más tarde alguien reescribe la historia, la\n"
        "raíz de entonces ya no se puede obtener. Para compararlas: radica custodia sellos\n\n"
        f"{lines}"
    )
    return message


def _untold(db: Database, place: str) -> list[Sello]:
    told = select(PublicacionSello.id).where(PublicacionSello.sello_id == Sello.id, PublicacionSello.destino == place)
    with db.read() as session:
        return list(session.scalars(select(Sello).where(~told.exists()).order_by(Sello.hojas)))


def _note(db: Database, told: Sequence[Sello], place: str, at: datetime) -> None:
    rows = [{"sello_id": one.id, "destino": place, "at": at} for one in told]
    with db.write() as session:
        insert_rows(session, PublicacionSello, rows, again=True)
