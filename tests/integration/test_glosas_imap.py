"""A session with a real IMAP server: what came, when, in which way, and what happens when the server fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage

import pytest

from radica.glosas.correo import imap as sessions
from radica.glosas.correo.imap import ClaveRechazada, Cuenta, abrir
from radica.kernel.errors import BadInput, Unavailable
from tests.plugins.mail import Imap, Relevo

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


def mail(subject: str, body: str = "Adjuntamos.") -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["Message-ID"] = subject, "eps@example.com", f"<{subject}@example.com>"
    message.set_content(body)
    return message


def test_only_what_came_after_the_last_uid_is_named(imap: Imap):
    imap.entregar(mail("uno"), NOON)
    with abrir(imap.cuenta()) as box:
        first = box.uids_desde(0)
        assert len(first) == 1
        assert box.uids_desde(first[0]) == []
    imap.entregar(mail("dos"), NOON)
    with abrir(imap.cuenta()) as box:
        assert len(box.uids_desde(first[0])) == 1
        assert len(box.uids_desde(0)) == 2


def test_a_mail_comes_with_its_arrival_and_every_byte_and_stays_unseen(imap: Imap):
    data = mail("nandu", "línea\n.punto\n" * 2000).as_bytes().replace(b"\n", b"\r\n")
    imap.entregar(data, datetime(2026, 11, 19, 23, 30, tzinfo=timezone(timedelta(hours=-5))))
    with abrir(imap.cuenta()) as box:
        found = box.traer(box.uids_desde(0)[0])
    assert found is not None
    assert found.datos == data
    assert found.llegada == datetime(2026, 11, 20, 4, 30, tzinfo=UTC)
    assert b"Seen" not in imap.marcas()[0]


def test_seen_is_marked_only_when_asked(imap: Imap):
    imap.entregar(mail("uno"), NOON)
    with abrir(imap.cuenta(), escribir=True) as box:
        box.marcar_visto(box.uids_desde(0)[0])
    assert b"Seen" in imap.marcas()[0]


def test_a_mail_that_somebody_removed_is_none(imap: Imap):
    with abrir(imap.cuenta()) as box:
        assert box.traer(99_999) is None


def test_a_folder_made_anew_has_another_validity(imap: Imap):
    with abrir(imap.cuenta()) as box:
        before = box.uidvalidity
    imap.borrar_carpeta(imap.carpeta)
    imap.crear(imap.carpeta)
    with abrir(imap.cuenta()) as box:
        assert box.uidvalidity != before > 0


def test_a_mail_beyond_the_limit_is_named_with_its_size(imap: Imap, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sessions, "MAX_MAIL_BYTES", 500)
    imap.entregar(mail("grande", "x" * 1000), NOON)
    with abrir(imap.cuenta()) as box:
        found = box.traer(box.uids_desde(0)[0])
    assert found is not None
    assert (found.recortado, found.bytes > 1000, b"x" * 50 in found.datos) == (True, True, False)
    assert b"Subject: grande" in found.datos


def test_a_refused_password_says_so(imap: Imap):
    with pytest.raises(ClaveRechazada) as refused, abrir(imap.cuenta(clave="otra")):
        pass
    assert "otra" not in str(refused.value)


def test_a_missing_folder_says_so(imap: Imap):
    with pytest.raises(Unavailable) as refused, abrir(imap.cuenta(carpeta="No existe")):
        pass
    assert refused.value.code == "buzon_carpeta"


def test_tls_from_the_first_byte_and_starttls(imap: Imap, imap_tls: Relevo, monkeypatch: pytest.MonkeyPatch):
    imap.entregar(mail("uno"), NOON)
    monkeypatch.setenv("SSL_CERT_FILE", str(imap.certificados.autoridad))
    for account in (
        imap.cuenta(servidor="localhost", puerto=imap_tls.puerto, seguridad="tls"),
        imap.cuenta(servidor="localhost", seguridad="starttls"),
    ):
        with abrir(account) as box:
            assert len(box.uids_desde(0)) == 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_unknown_certificate_gets_no_password(imap: Imap, imap_tls: Relevo, security: str):
    port = imap_tls.puerto if security == "tls" else imap.puerto
    with (
        pytest.raises(Unavailable) as refused,
        abrir(imap.cuenta(servidor="localhost", puerto=port, seguridad=security)),
    ):
        pass
    assert refused.value.code == "buzon_certificado"


def test_no_password_goes_in_clear_beyond_this_machine():
    account = Cuenta("correo.example.com", 143, "ninguna", "ana", "clave")
    with pytest.raises(BadInput), abrir(account):
        pass
    assert "clave" not in repr(account).replace("clave_", "")


def test_a_server_that_is_away_or_silent_or_hangs_up(imap: Imap, relevo: Relevo):
    relevo.callado.set()
    with pytest.raises(Unavailable) as refused, abrir(imap.cuenta(puerto=relevo.puerto), timeout_s=1):
        pass
    assert refused.value.code == "buzon_no_responde"
    relevo.callado.clear()
    relevo.corta_tras = 10
    with pytest.raises(Unavailable), abrir(imap.cuenta(puerto=relevo.puerto), timeout_s=5):
        pass
    relevo.cerrar()
    with pytest.raises(Unavailable), abrir(imap.cuenta(puerto=relevo.puerto), timeout_s=5):
        pass


def test_a_connection_cut_in_the_middle_of_a_mail_is_no_mail(imap: Imap, relevo: Relevo):
    imap.entregar(mail("grande", "línea de texto\n" * 20_000), NOON)
    with abrir(imap.cuenta(puerto=relevo.puerto), timeout_s=30) as box:
        uid = box.uids_desde(0)[0]
        relevo.corta_tras = 30_000
        with pytest.raises(Unavailable):
            box.traer(uid)


@pytest.mark.parametrize(
    ("name", "written"),
    [("INBOX", "INBOX"), ("Glosas & más", "Glosas &- m&AOE-s"), ('a"b', 'a\\"b'), ("Objeción", "Objeci&APM-n")],
)
def test_names_of_folders(name: str, written: str):
    assert sessions._utf7(name) == written
