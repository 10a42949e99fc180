"""From a mail on a real server to lines with their day of notice, by the clock, the queue and a worker."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from radica.app.handlers.glosas_fondo import HANDLERS, KIND_READ, five_minutes_of, keeping_turn, order_mailboxes
from radica.app.house import House
from radica.app.worker import run_worker
from radica.entidades.models import EstadoPrestador
from radica.entidades.services import register_provider
from radica.glosas.correo.mail_models import BuzonCorreo, Correo
from radica.glosas.correo.mailbox import crear_buzon
from radica.glosas.models import LineaNotificada, Notificacion
from radica.jobs.models import Job
from radica.jobs.queue import claim_next
from radica.users.models import ClaseTarea, Tarea
from tests import glosas_cartas
from tests.integration.test_glosas_mailbox import mail
from tests.plugins.filing import house_on
from tests.plugins.mail import PASSWORD, USER, Imap, Relevo


@pytest.fixture
def home(database_url: str, tmp_path: Path) -> Iterator[House]:
    made = house_on(database_url, tmp_path)
    yield made
    made.db.dispose()


def mailbox(home: House, imap: Imap, **changes: object) -> int:
    values: dict[str, object] = {"puerto": imap.puerto, "clave": PASSWORD} | changes
    with home.db.write() as session:
        at = home.clock()
        provider = register_provider(session, "900123456", "IPS", at=at, estado=EstadoPrestador.ACTIVO).id
        return crear_buzon(
            session, home.vault, prestador_id=provider, servidor="127.0.0.1", seguridad="ninguna", usuario=USER,
            carpeta=imap.carpeta, **values,  # type: ignore[arg-type]
        ).id  # fmt: skip


def work(home: House) -> None:
    run_worker(home, HANDLERS, stop=threading.Event(), until_empty=True)


def test_the_clock_orders_each_mailbox_once_for_its_due_time(home: House, imap: Imap):
    id_ = mailbox(home, imap)
    now = home.clock()
    assert order_mailboxes(home.db, now) == 1
    assert order_mailboxes(home.db, now) == 0
    due = five_minutes_of(now)
    assert (due.minute % 5, due.second, now - due < timedelta(minutes=5)) == (0, 0, True)
    with home.db.write() as session:
        session.execute(update(BuzonCorreo).values(activo=False))
    assert order_mailboxes(home.db, now + timedelta(minutes=5)) == 0
    with home.db.read() as session:
        assert session.scalars(select(Job.kind)).all() == [KIND_READ]
        assert session.get_one(BuzonCorreo, id_).leido_at is None


def test_a_mail_becomes_lines_whose_notice_is_its_arrival(home: House, imap: Imap):
    mailbox(home, imap)
    arrival = (home.clock() - timedelta(hours=2)).replace(microsecond=0)
    imap.entregar(mail("Notificación de glosas", name="carta.pdf", data=glosas_cartas.eps()), arrival)
    order_mailboxes(home.db, home.clock())
    work(home)
    with home.db.read() as session:
        one = session.scalars(select(Correo)).one()
        notices = list(session.scalars(select(Notificacion)))
        lines = list(session.scalars(select(LineaNotificada)))
    assert one.llegada_at == arrival
    assert [(n.origen, n.recibida_at, n.recibida_segun, n.correo_id, n.sha256, n.formato) for n in notices] == [
        ("correo", arrival, "correo", one.id, one.sha256, "carta_eps")
    ]
    assert len([line for line in lines if line.valor]) == 3  # without their invoices: in the tray, not lost


def test_a_refused_password_stops_the_mailbox_and_asks_a_person(home: House, imap: Imap):
    id_ = mailbox(home, imap, clave="equivocada")
    order_mailboxes(home.db, home.clock())
    work(home)
    with home.db.read() as session:
        row = session.get_one(BuzonCorreo, id_)
        task = session.scalars(select(Tarea)).one()
    assert not row.activo
    assert "clave" in (row.fallo or "")
    assert (task.clase, task.case_key, task.cerrada_at) == (ClaseTarea.ATENDER_PORTAL, f"buzon:{id_}", None)
    assert order_mailboxes(home.db, home.clock() + timedelta(minutes=5)) == 0
    assert mailbox(home, imap) == id_  # a person gives the password anew
    order_mailboxes(home.db, home.clock() + timedelta(minutes=10))
    work(home)
    with home.db.read() as session:
        assert session.get_one(BuzonCorreo, id_).fallo is None
        assert session.scalars(select(Tarea)).one().cerrada_at is not None


def test_a_server_that_is_away_is_said_and_tried_at_the_next_due_time(
    home: House, imap: Imap, relevo: Relevo, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.WARNING)
    id_ = mailbox(home, imap, puerto=relevo.puerto)
    relevo.cerrar()
    order_mailboxes(home.db, home.clock())
    work(home)
    with home.db.read() as session:
        row = session.get_one(BuzonCorreo, id_)
        jobs = session.scalars(select(Job.state)).all()
    assert (row.activo, "no responde" in (row.fallo or ""), jobs) == (True, True, ["done"])
    assert PASSWORD not in caplog.text
    assert order_mailboxes(home.db, home.clock() + timedelta(minutes=5)) == 1


def test_a_long_step_keeps_its_turn(home: House, imap: Imap):
    mailbox(home, imap)
    order_mailboxes(home.db, home.clock())
    quick = replace(home, timing=replace(home.timing, beat_s=0.05))
    claimed = claim_next(home.db, "w", home.host, 60, [KIND_READ])
    assert claimed is not None

    def lease() -> int:
        with home.db.read() as session:
            return session.get_one(Job, claimed.id).lease_until_ms or 0

    first = lease()
    with keeping_turn(quick, claimed, "Leyendo"):
        deadline = time.monotonic() + 30
        while lease() == first and time.monotonic() < deadline:
            time.sleep(0.05)
        assert lease() != first
    with home.db.read() as session:
        assert session.get_one(Job, claimed.id).progress == "Leyendo"
