"""Mailboxes read from a real IMAP server into a real database and store: custody, copies, kinds, and what fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from radica.custodia.models import Pieza
from radica.custodia.store import FolderStore
from radica.entidades.models import EstadoPrestador
from radica.entidades.services import register_provider
from radica.glosas.correo import imap as sessions
from radica.glosas.correo import mail_intake
from radica.glosas.correo.mail_intake import KIND_IMPORT, Manos, caso, pieza_de, reclasificar
from radica.glosas.correo.mail_models import BuzonCorreo, ClaseCorreo, Correo
from radica.glosas.correo.mailbox import crear_buzon, leer_buzon
from radica.jobs.models import Job
from radica.kernel.clock import fixed_clock
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, Unavailable
from radica.portales.credentials import open_vault
from tests import glosas_cartas
from tests.plugins.mail import PASSWORD, USER, Imap, Relevo

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
CSV = "FACTURA;CODIGO GLOSA;VALOR GLOSA\nFC10023;TA0801;125000,00\n"


def mail(subject: str, *, name: str = "", data: bytes = b"", body: str = "Ver anexo.", id_: str = "") -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"] = subject, "Auditoría <alguien@example.com>"
    message["Message-ID"] = f"<{id_ or abs(hash((subject, name, data)))}@example.com>"
    message["Date"] = "Fri, 20 Nov 2026 11:59:00 -0500"
    message.set_content(body)
    if name:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message


@pytest.fixture
def hands(db: Database, tmp_path: Path) -> Manos:
    work = tmp_path / "entrada"
    work.mkdir()
    return Manos(db, FolderStore(tmp_path / "custodia"), open_vault(tmp_path / "llaves"), fixed_clock(NOW), work)


@pytest.fixture
def provider(db: Database) -> int:
    with db.write() as session:
        return register_provider(session, "900123456", "IPS", at=NOW, estado=EstadoPrestador.ACTIVO).id


def box(hands: Manos, provider: int, imap: Imap, **changes: Any) -> int:
    values: dict[str, Any] = {
        "servidor": "127.0.0.1", "puerto": imap.puerto, "seguridad": "ninguna", "usuario": USER, "clave": PASSWORD,
        "carpeta": imap.carpeta,
    }  # fmt: skip
    with hands.db.write() as session:
        return crear_buzon(session, hands.vault, prestador_id=provider, **(values | changes)).id


def mails(db: Database) -> list[Correo]:
    with db.read() as session:
        return list(session.scalars(select(Correo).order_by(Correo.id)))


def pieces(db: Database) -> list[Pieza]:
    with db.read() as session:
        return list(session.scalars(select(Pieza).order_by(Pieza.id)))


def imports(db: Database) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(Job).where(Job.kind == KIND_IMPORT)) or 0


def test_a_notice_is_sealed_with_its_arrival_and_its_import_is_ordered(hands: Manos, provider: int, imap: Imap):
    raw = (
        mail("Notificación de glosas", name="GLOSAS.csv", data=CSV.encode(), id_="77")
        .as_bytes()
        .replace(b"\n", b"\r\n")
    )
    imap.entregar(raw, NOON)
    id_ = box(hands, provider, imap)
    found = leer_buzon(hands, id_)
    assert (found.nuevos, found.repetidos, found.con_problema, found.por_importar) == (1, 0, 0, 1)
    one = mails(hands.db)[0]
    assert (one.message_id, one.asunto, one.remitente) == (
        "77@example.com", "Notificación de glosas", "Auditoría <alguien@example.com>",
    )  # fmt: skip
    assert (one.llegada_at, one.leido_at, one.enviado_at) == (NOON, NOW, datetime(2026, 11, 20, 16, 59, tzinfo=UTC))
    assert one.clase is ClaseCorreo.GLOSA
    assert any("TA0801" in reason for reason in one.razones)
    assert one.problema is None
    with hands.db.read() as session:
        piece = pieza_de(session, one)
        box_row = session.get_one(BuzonCorreo, id_)
    assert hands.store.read(piece.sha256) == raw
    assert (piece.case_key, piece.clase, piece.media_type) == (caso(one.id), "correo", "message/rfc822")
    assert "2026-11-20T17:00:00+00:00" in piece.nota
    assert imports(hands.db) == 1
    assert (box_row.fallo, box_row.leido_at, box_row.ultimo_uid > 0) == (None, NOW, True)
    assert PASSWORD.encode() not in box_row.clave_cifrada
    assert b"Seen" not in imap.marcas()[0]


def test_reading_again_brings_nothing_new_and_new_mail_comes_once(hands: Manos, provider: int, imap: Imap):
    imap.entregar(mail("Glosas uno"), NOON)
    id_ = box(hands, provider, imap, marcar_leido=True)
    assert leer_buzon(hands, id_).nuevos == 1
    assert leer_buzon(hands, id_).nuevos == 0
    imap.entregar(mail("Glosas dos"), NOON)
    assert leer_buzon(hands, id_).nuevos == 1
    assert len(mails(hands.db)) == 2
    assert all(b"Seen" in flags for flags in imap.marcas())


def test_a_folder_made_anew_is_read_again_and_its_old_mails_are_known(hands: Manos, provider: int, imap: Imap):
    old = mail("Glosas uno", id_="1")
    imap.entregar(old, NOON)
    id_ = box(hands, provider, imap)
    leer_buzon(hands, id_)
    imap.borrar_carpeta(imap.carpeta)
    imap.crear(imap.carpeta)
    imap.entregar(old, NOON)
    imap.entregar(mail("Glosas dos", id_="2"), NOON)
    found = leer_buzon(hands, id_)
    assert (found.nuevos, found.repetidos) == (1, 1)
    assert (len(mails(hands.db)), len(pieces(hands.db))) == (2, 2)


def test_a_copy_in_another_box_is_the_same_mail_with_both_arrivals(hands: Manos, provider: int, imap: Imap):
    other = f"{imap.carpeta}-DIRECCION"
    imap.crear(other)
    message = mail("Glosas FC1", name="g.csv", data=CSV.encode(), id_="9").as_bytes()
    imap.entregar(b"Delivered-To: cartera@example.com\n" + message, NOON)
    imap.entregar(b"Delivered-To: direccion@example.com\n" + message, NOON - timedelta(minutes=3), other)
    first, second = box(hands, provider, imap), box(hands, provider, imap, carpeta=other)
    leer_buzon(hands, first)
    found = leer_buzon(hands, second)
    assert (found.nuevos, found.repetidos, found.por_importar) == (0, 1, 0)
    one = mails(hands.db)[0]
    assert one.llegada_at == NOON
    assert "Es antes de la llegada" in one.razones[-1]
    assert [piece.case_key for piece in pieces(hands.db)] == [caso(one.id)] * 2
    assert imports(hands.db) == 1
    leer_buzon(hands, second)
    assert len(mails(hands.db)[0].razones) == len(one.razones)


def test_one_message_id_on_two_different_mails_is_two_mails(hands: Manos, provider: int, imap: Imap):
    imap.entregar(mail("Glosas", name="g.csv", data=CSV.encode(), id_="fijo"), NOON)
    imap.entregar(mail("Glosas", name="g.csv", data=CSV.replace("10023", "10024").encode(), id_="fijo"), NOON)
    assert leer_buzon(hands, box(hands, provider, imap)).nuevos == 2
    assert imports(hands.db) == 2


def test_two_providers_each_keep_their_own_copy(hands: Manos, provider: int, imap: Imap):
    with hands.db.write() as session:
        other = register_provider(session, "800197268", "Otra IPS", at=NOW, estado=EstadoPrestador.ACTIVO).id
    imap.entregar(mail("Glosas FC1"), NOON)
    assert leer_buzon(hands, box(hands, provider, imap)).nuevos == 1
    assert leer_buzon(hands, box(hands, other, imap)).nuevos == 1
    assert {one.prestador_id for one in mails(hands.db)} == {provider, other}


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (mail("Información", name="anexo.csv", data=b"F;C\nFC1;DE1601\n"), ClaseCorreo.DEVOLUCION),
        (mail("Devolución de facturas", name="carta.pdf", data=glosas_cartas.plain_pdf(["sin códigos"])), ClaseCorreo.DEVOLUCION),
        (mail("Devolución y glosas", name="g.csv", data=b"FC1;DE1601\nFC2;TA0801\n"), ClaseCorreo.DEVOLUCION),
        (mail("Cuenta de cobro", name="GLOSAS FC1.pdf", data=glosas_cartas.eps()), ClaseCorreo.GLOSA),
        (mail("Ratificación de glosas octubre", name="r.csv", data=CSV.encode()), ClaseCorreo.DECISION),
        (mail("Validación de subsanación FC1", name="v.csv", data=CSV.encode()), ClaseCorreo.DECISION),
        (mail("Acuse de recibo de su respuesta"), ClaseCorreo.ACUSE),
        (mail("Acuse de recibo", name="g.csv", data=CSV.encode()), ClaseCorreo.GLOSA),
        (mail("Invitación a la asamblea", body="Los esperamos."), ClaseCorreo.OTRO),
        (mail("Sin asunto", body="La factura FC1 se objeta por TA0801."), ClaseCorreo.GLOSA),
    ],
)  # fmt: skip
def test_what_a_mail_is(hands: Manos, provider: int, imap: Imap, message: EmailMessage, kind: ClaseCorreo):
    imap.entregar(message, NOON)
    leer_buzon(hands, box(hands, provider, imap))
    one = mails(hands.db)[0]
    assert one.clase is kind
    assert one.razones
    assert imports(hands.db) == (kind in mail_intake.IMPORTED)


def test_what_cannot_be_opened_is_kept_and_listed_and_the_rest_goes_on(hands: Manos, provider: int, imap: Imap):
    head = b"Subject: x\r\nFrom: a@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    deep = head + b"\r\n" + b"--b\r\n\r\nparte\r\n" * 600 + b"--b--\r\n"
    imap.entregar(deep, NOON)
    imap.entregar(mail("Glosas FC2", name="g.rar", data=b"Rar!\x1a\x07\x00"), NOON)
    imap.entregar(mail("Glosas FC3", name="g.csv", data=CSV.encode()), NOON)
    found = leer_buzon(hands, box(hands, provider, imap))
    assert (found.nuevos, found.con_problema, found.por_importar) == (3, 2, 2)
    broken, foreign, fine = mails(hands.db)
    assert "anida" in (broken.problema or "")
    assert broken.clase is ClaseCorreo.OTRO
    assert hands.store.read(broken.sha256) == deep
    assert "RAR" in (foreign.problema or "")
    assert fine.problema is None


def test_a_reader_that_breaks_costs_one_mail(
    hands: Manos, provider: int, imap: Imap, monkeypatch: pytest.MonkeyPatch, log_lines: list[str]
):
    imap.entregar(mail("Glosas veneno", name="g.csv", data=CSV.encode()), NOON)
    imap.entregar(mail("Glosas FC3", name="g.csv", data=CSV.encode()), NOON)
    real = mail_intake.codigos_dentro

    def breaks_once(path: Path, name: str) -> set[str]:
        monkeypatch.setattr(mail_intake, "codigos_dentro", real)
        raise ZeroDivisionError("documento 1020304050 de un paciente")

    monkeypatch.setattr(mail_intake, "codigos_dentro", breaks_once)
    found = leer_buzon(hands, box(hands, provider, imap))
    assert (found.nuevos, found.con_problema) == (2, 1)
    first = mails(hands.db)[0]
    assert "incidente" in (first.problema or "")
    assert first.clase is ClaseCorreo.GLOSA  # by its subject
    assert any("incidente" in line for line in log_lines)
    assert not any("1020304050" in line for line in log_lines)


def test_a_reading_cut_in_the_middle_goes_on_where_it_was(hands: Manos, provider: int, imap: Imap, relevo: Relevo):
    for number in range(4):
        imap.entregar(mail(f"Glosas {number}", body="línea de texto\n" * 2000), NOON)
    id_ = box(hands, provider, imap, puerto=relevo.puerto)
    relevo.corta_tras = 90_000
    with pytest.raises(Unavailable):
        leer_buzon(hands, id_)
    assert 0 < len(mails(hands.db)) < 4
    relevo.corta_tras = None
    leer_buzon(hands, id_)
    assert [one.asunto for one in mails(hands.db)] == [f"Glosas {number}" for number in range(4)]
    assert len(pieces(hands.db)) == 4


def test_a_mail_sealed_and_never_classified_is_taken_up_again(hands: Manos, provider: int, imap: Imap):
    imap.entregar(mail("Glosas", name="g.csv", data=CSV.encode()), NOON)
    id_ = box(hands, provider, imap)
    leer_buzon(hands, id_)
    with hands.db.write() as session:  # as a process that died between the two leaves it
        session.execute(update(Correo).values(razones=[], clase=ClaseCorreo.OTRO))
        session.execute(update(BuzonCorreo).values(ultimo_uid=0))
    leer_buzon(hands, id_)
    assert mails(hands.db)[0].clase is ClaseCorreo.GLOSA
    assert len(mails(hands.db)) == 1


def test_a_mail_too_large_is_told_and_the_rest_is_read(
    hands: Manos, provider: int, imap: Imap, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sessions, "MAX_MAIL_BYTES", 5_000)
    imap.entregar(mail("Glosas grande", body="x\n" * 5_000), NOON)
    imap.entregar(mail("Glosas chica"), NOON)
    id_ = box(hands, provider, imap)
    found = leer_buzon(hands, id_)
    assert (found.nuevos, found.con_problema) == (2, 1)
    with hands.db.read() as session:
        assert "no se leyó" in (session.get_one(BuzonCorreo, id_).fallo or "")
    again = leer_buzon(hands, id_)
    assert (again.nuevos, again.con_problema) == (0, 0)
    large, small = mails(hands.db)
    # What the box says is gone with the next reading; the list of mails keeps it.
    assert (large.asunto, large.llegada_at, small.problema) == ("Glosas grande", NOON, None)
    assert "cárguelo a mano" in (large.problema or "")
    with hands.db.read() as session:
        assert b"x\r\nx" not in hands.store.read(pieza_de(session, large).sha256)


def test_an_arrival_from_tomorrow_is_not_believed(hands: Manos, provider: int, imap: Imap):
    imap.entregar(mail("Glosas"), NOW + timedelta(days=2))
    leer_buzon(hands, box(hands, provider, imap))
    assert mails(hands.db)[0].llegada_at == NOW


def test_a_person_says_what_a_mail_is(hands: Manos, provider: int, imap: Imap):
    imap.entregar(mail("Buenas tardes", body="Ver anexo", name="foto.bin", data=b"\x00\x01"), NOON)
    leer_buzon(hands, box(hands, provider, imap))
    assert imports(hands.db) == 0
    with hands.db.write() as session:
        reclasificar(session, session.scalars(select(Correo)).one(), ClaseCorreo.GLOSA, actor="ana")
    assert imports(hands.db) == 1
    assert "ana dijo" in mails(hands.db)[0].razones[-1]


def test_the_same_mailbox_again_changes_its_password_only(hands: Manos, provider: int, imap: Imap):
    first = box(hands, provider, imap, clave="vieja")
    assert box(hands, provider, imap) == first
    leer_buzon(hands, first)
    with pytest.raises(BadInput):
        box(hands, provider, imap, seguridad="quizás")
