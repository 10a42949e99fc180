"""The morning's digest: what it says, to whom, and that each person gets it once, whatever the mail server does."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult
from sqlalchemy import delete, select, update

from radica.app.handlers.digest import resumen_de
from radica.app.handlers.digest_envio import KIND_DIGEST, elegir_horas, order_digests, send_digest
from radica.app.handlers.smtp import ENV_LINKS, ENV_SENDER, ENV_SERVER, Rechazado, SinConfirmar, enviar, saliente
from radica.app.house import House
from radica.app.worker import do_one
from radica.glosas.models import Glosa
from radica.jobs.models import Job, ScheduleSlot
from radica.jobs.queue import Claimed, claim_next
from radica.kernel.clock import fixed_clock
from radica.kernel.errors import BadInput, Unavailable
from radica.users.models import Rol, Usuario
from radica.users.services import create_user, grant
from tests import factories, glosas_seed
from tests.plugins.filing import house_on
from tests.plugins.mail import Imap, Smtp, free_port, smtp_server

MORNING = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
"""Friday, five past seven in Bogotá."""
DOCUMENT = "1020304050"


@pytest.fixture
def home(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, smtp: Smtp) -> Iterator[House]:
    monkeypatch.setenv(ENV_SERVER, smtp.url())
    monkeypatch.setenv(ENV_SENDER, "radica@clinica.example")
    monkeypatch.setenv(ENV_LINKS, "https://radica.clinica.example/")
    made = replace(house_on(database_url, tmp_path), clock=fixed_clock(MORNING))
    yield made
    made.db.dispose()


def person(home: House, correo: str, provider: int, *roles: Rol) -> int:
    with home.db.write() as session:
        user = create_user(session, correo=correo, nombre="Ana Ruiz", clave_hash="x", at=MORNING)
        grant(session, usuario_id=user.id, prestador_id=provider, roles=roles or (Rol.GLOSAS,), actor="x", at=MORNING)
        return user.id


@pytest.fixture
def ana(home: House) -> int:
    """A person with one line that lapsed, one for today that nobody owns, one far away, and a devolución."""
    with home.db.write() as session:
        provider = factories.prestador(session).id
    id_ = person(home, "ana@clinica.example", provider)
    with home.db.write() as session:
        late = glosas_seed.objected(
            session, glosas_seed.filed_invoice(session, provider), valor=12_500_000, paciente_documento=DOCUMENT
        )
        late.responsable_id, late.vence = id_, date(2026, 11, 18)
        today = glosas_seed.objected(session, glosas_seed.filed_invoice(session, provider), codigo="SO0601")
        today.vence = date(2026, 11, 20)
        far = glosas_seed.objected(session, glosas_seed.filed_invoice(session, provider), codigo="AU0101")
        far.vence = date(2026, 12, 20)
        whole = glosas_seed.returned(session, glosas_seed.filed_invoice(session, provider))
        whole.vence = date(2026, 11, 23)
    return id_


def claim(home: House) -> Claimed:
    found = claim_next(home.db, "w", home.host, 60, [KIND_DIGEST])
    assert found is not None
    return found


def work(home: House) -> Claimed:
    order_digests(home.db, home.clock())
    claimed = claim(home)
    do_one(home, send_digest, claimed)
    return claimed


def state(home: House) -> tuple[str, str | None]:
    with home.db.read() as session:
        row = session.scalars(select(Job).order_by(Job.id.desc())).first()
        assert row is not None
        return row.state.value, row.error_code


def received(smtp: Smtp) -> list[EmailMessage]:
    return [email.message_from_bytes(data, policy=policy.default) for _, data in smtp.buzonero.recibidos]  # type: ignore[misc]


def test_it_says_what_presses_with_money_owner_and_links_and_no_patient(home: House, ana: int, smtp: Smtp):
    work(home)
    assert state(home) == ("done", None)
    message = received(smtp)[0]
    assert smtp.buzonero.recibidos[0][0] == "ana@clinica.example"
    assert message["Subject"] == (
        "Glosas 20/11/2026: 1 vencida ($ 125.000); 1 vence hoy ($ 45.300); 1 vence en 1 a 2 días hábiles ($ 500.000)"
    )
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        assert part is not None
        words = part.get_content()
        assert "vencida hace 2 días hábiles" in words
        assert "TA0801" in words
        assert "SO0601" in words
        assert "DE1601" in words
        assert "AU0101" not in words  # far away: not this morning's
        assert "Ana Ruiz" in words
        assert "sin responsable" in words.lower()
        assert "https://radica.clinica.example/glosas?urgencia=vencida" in words.replace("&amp;", "&")
        assert re.search(r"https://radica\.clinica\.example/glosas/glosa/\d+", words)
        assert DOCUMENT not in words
        assert "por encima de la tarifa" not in words  # the payer's words may name a patient


def test_the_figures_are_the_persons_the_unowned_and_all(home: House, ana: int):
    with home.db.read() as session:
        found = resumen_de(session, ana, MORNING.date())
    assert found is not None
    assert {(one.clase, one.paso): (one.mias[0], one.sin_responsable[0], one.todas[0]) for one in found.cuentas} == {
        ("glosas", "vencida"): (1, 0, 1),
        ("glosas", "vence_hoy"): (0, 1, 1),
        ("glosas", "1_2"): (0, 0, 0),
        ("devoluciones", "vencida"): (0, 0, 0),
        ("devoluciones", "vence_hoy"): (0, 0, 0),
        ("devoluciones", "1_2"): (0, 1, 1),
    }
    assert [one.responsable for one in found.renglones] == ["Ana Ruiz", "sin responsable", "sin responsable"]


def test_once_per_person_and_hour_however_often_the_clock_ticks(home: House, ana: int, smtp: Smtp):
    work(home)
    for minutes in (0, 5, 60):
        assert order_digests(home.db, MORNING + timedelta(minutes=minutes)) == 0
    assert len(received(smtp)) == 1
    monday = MORNING + timedelta(days=3)
    assert order_digests(home.db, monday) == 1


def test_when_it_is_due(home: House, ana: int):
    assert order_digests(home.db, MORNING - timedelta(minutes=10)) == 0  # before seven
    assert order_digests(home.db, MORNING + timedelta(hours=4)) == 0  # the morning is over
    assert order_digests(home.db, MORNING + timedelta(days=1)) == 0  # Saturday
    with home.db.write() as session:
        elegir_horas(session.get_one(Usuario, ana), ["14:00", "06:30"])
    assert order_digests(home.db, MORNING) == 1
    assert order_digests(home.db, MORNING + timedelta(hours=7)) == 1
    with home.db.write() as session:
        elegir_horas(session.get_one(Usuario, ana), [])
    assert order_digests(home.db, MORNING + timedelta(days=3)) == 0
    for wrong in (["25:00"], ["siete"], [f"0{hour}:00" for hour in range(8)]):
        with home.db.write() as session, pytest.raises(BadInput):
            elegir_horas(session.get_one(Usuario, ana), wrong)


def test_nothing_to_say_and_nobody_to_tell(home: House, ana: int, smtp: Smtp):
    with home.db.write() as session:
        provider = factories.prestador(session).id
    person(home, "otra@otra.example", provider)  # sees another provider, where nothing presses
    person(home, "cobros@clinica.example", provider, Rol.CARTERA)
    assert order_digests(home.db, MORNING) == 2
    for _ in range(2):
        do_one(home, send_digest, claim(home))
    assert [to for to, _ in smtp.buzonero.recibidos] == ["ana@clinica.example"]
    with home.db.write() as session:
        session.get_one(Usuario, ana).activo = False
    with home.db.read() as session:
        assert resumen_de(session, ana, MORNING.date()) is None


def test_a_server_that_is_down_is_tried_again_and_sends_once(home: House, ana: int, smtp: Smtp):
    smtp.detener()
    claimed = work(home)
    assert state(home) == ("ready", "smtp_no_responde")
    with smtp_server() as again:
        environ = {**home.environ, ENV_SERVER: again.url()}
        do_one(replace(home, environ=environ), send_digest, _again(home, claimed))
        assert len(received(again)) == 1
    assert state(home) == ("done", None)


def _again(home: House, claimed: Claimed) -> Claimed:
    with home.db.write() as session:
        session.get_one(Job, claimed.id).run_after_ms = 0
    return claim(home)


def test_a_server_that_asks_for_later_is_tried_again(home: House, ana: int, smtp: Smtp):
    smtp.buzonero.despues = "ana@clinica.example"
    claimed = work(home)
    assert state(home) == ("ready", "smtp_no_responde")
    smtp.buzonero.despues = ""
    do_one(home, send_digest, _again(home, claimed))
    assert (len(received(smtp)), state(home)) == (1, ("done", None))


def test_a_refused_person_is_a_dead_letter_and_the_others_get_theirs(home: House, ana: int, smtp: Smtp):
    smtp.buzonero.rechaza = "ana@clinica.example"
    work(home)
    assert state(home) == ("dead", "smtp_rechazado")
    with home.db.read() as session:
        provider = session.scalars(select(Glosa.prestador_id)).first()
    assert provider is not None
    person(home, "luz@clinica.example", provider, Rol.DIRECCION)
    work(home)
    assert [to for to, _ in smtp.buzonero.recibidos] == ["luz@clinica.example"]


def test_a_server_that_hangs_up_on_the_words_is_never_sent_them_twice(home: House, ana: int, smtp: Smtp):
    smtp.buzonero.cuelga = True
    work(home)
    assert state(home) == ("dead", "smtp_sin_confirmar")
    assert len(received(smtp)) == 1


def test_a_worker_that_died_while_sending_does_not_send_again(home: House, ana: int, smtp: Smtp):
    order_digests(home.db, MORNING)
    claimed = claim(home)
    send_digest(home, claimed)
    with home.db.write() as session:  # as the reaper leaves it when the worker died before it ended the job
        values = {"state": "ready", "finished_ms": None, "owner": None, "lease_until_ms": None, "phase": None}
        session.execute(update(Job).where(Job.id == claimed.id).values(values))
    do_one(home, send_digest, claim(home))
    assert len(received(smtp)) == 1
    with home.db.write() as session:
        assert session.execute(delete(ScheduleSlot)).rowcount == 2  # type: ignore[attr-defined]


def test_a_digest_too_late_is_not_sent(home: House, ana: int, smtp: Smtp):
    order_digests(home.db, MORNING)
    later = replace(home, clock=fixed_clock(MORNING + timedelta(hours=5)))
    do_one(later, send_digest, claim(home))
    assert (received(smtp), state(home)) == ([], ("done", None))


# --- The way out by itself ---------------------------------------------------------------------------------------


def letter() -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Prueba", "radica@clinica.example", "ana@clinica.example"
    message.set_content("hola")
    return message


def settings(url: str) -> dict[str, str]:
    return {ENV_SERVER: url, ENV_SENDER: "radica@clinica.example"}


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # the server does not see TLS from the first byte as TLS
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_tls_and_login(imap: Imap, scheme: str, monkeypatch: pytest.MonkeyPatch):
    context = imap.certificados.servidor()
    seen: list[bytes] = []

    def check(server: object, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
        seen.append(data.password)  # type: ignore[attr-defined]
        return AuthResult(success=data.password == b"cl@ve/2026", handled=False)  # type: ignore[attr-defined]

    options = {"authenticator": check, "auth_required": True, "auth_require_tls": scheme == "smtp"}
    options |= {"ssl_context": context} if scheme == "smtps" else {"tls_context": context}
    monkeypatch.setenv("SSL_CERT_FILE", str(imap.certificados.autoridad))
    with smtp_server(**options) as server:
        out = saliente(settings(server.url(scheme, credentials="radica:cl%40ve%2F2026@", host="localhost")))
        assert out is not None
        assert "cl@ve" not in repr(out)
        enviar(out, "ana@clinica.example", letter())
        assert len(server.buzonero.recibidos) == 1
        assert seen == [b"cl@ve/2026"]
        with pytest.raises(Rechazado) as refused:
            enviar(replace(out, clave="otra"), "ana@clinica.example", letter())
        assert refused.value.code == "smtp_clave"
        before = len(seen)
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(Unavailable) as away:
            enviar(out, "ana@clinica.example", letter())
        assert away.value.code == "smtp_certificado"
        assert len(seen) == before  # no password to an unknown certificate


def test_without_encryption_nothing_leaves_this_machine(smtp: Smtp, monkeypatch: pytest.MonkeyPatch):
    out = saliente(settings(smtp.url()))
    assert out is not None
    monkeypatch.setattr("radica.app.handlers.smtp._is_here", lambda _server: False)
    with pytest.raises(Rechazado) as refused:
        enviar(out, "ana@clinica.example", letter())
    assert refused.value.code == "smtp_sin_cifrar"
    assert smtp.buzonero.recibidos == []


def test_what_the_server_does_to_one_mail(smtp: Smtp):
    out = saliente(settings(smtp.url()))
    assert out is not None
    smtp.buzonero.rechaza, smtp.buzonero.despues = "no@x.example", "luego@x.example"
    for to, kind in (("no@x.example", Rechazado), ("luego@x.example", Unavailable)):
        with pytest.raises(kind):
            enviar(out, to, letter())
    smtp.buzonero.cuelga = True
    with pytest.raises(SinConfirmar):
        enviar(out, "ana@clinica.example", letter())
    with pytest.raises(Unavailable):
        enviar(replace(out, puerto=free_port()), "ana@clinica.example", letter())


@pytest.mark.parametrize(
    "environ",
    [
        {ENV_SERVER: "correo.example.com", ENV_SENDER: "a@b.co"},
        {ENV_SERVER: "http://correo.example.com", ENV_SENDER: "a@b.co"},
        {ENV_SERVER: "smtp://correo.example.com:puerto", ENV_SENDER: "a@b.co"},
        {ENV_SERVER: "smtps://correo.example.com"},
    ],
)
def test_settings_that_cannot_be_understood_are_refused(environ: dict[str, str]):
    with pytest.raises(BadInput):
        saliente(environ)
    assert saliente({}) is None
