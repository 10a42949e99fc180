"""Real mail servers on loopback: an IMAP one in a process of its own, and relays that add TLS or go silent.

Invariant: nothing is imitated: the IMAP server is a program that knows nothing of us, TLS is a real handshake with a
certificate of a test authority, and each test has folders of its own.
"""

from __future__ import annotations

import contextlib
import imaplib
import os
import select
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from radica.glosas.correo.imap import Cuenta

USER, PASSWORD = "cartera", "Canario-buzon-55"
_serial = count(1)
PATIENCE_S = 30


@dataclass
class Imap:
    """A running IMAP server; `cuenta()` is how our side opens it."""

    puerto: int
    certificados: Certificados
    carpeta: str = "INBOX"

    def cuenta(self, **changes: object) -> Cuenta:
        """The account of this test's folder, in clear on loopback unless changed."""
        values: dict[str, object] = {
            "servidor": "127.0.0.1",
            "puerto": self.puerto,
            "seguridad": "ninguna",
            "usuario": USER,
            "clave": PASSWORD,
            "carpeta": self.carpeta,
        }
        return Cuenta(**(values | changes))  # type: ignore[arg-type]

    @contextlib.contextmanager
    def sesion(self, carpeta: str | None = None) -> Iterator[imaplib.IMAP4]:
        """A session of the server's own side, to put mails in and to look at flags."""
        session = imaplib.IMAP4("127.0.0.1", self.puerto, timeout=PATIENCE_S)
        try:
            session.login(USER, PASSWORD)
            if carpeta:
                session.select(f'"{carpeta}"')
            yield session
        finally:
            session.logout()

    def crear(self, carpeta: str) -> None:
        """Make a folder."""
        with self.sesion() as session:
            assert session.create(f'"{carpeta}"')[0] == "OK"

    def entregar(self, mail: EmailMessage | bytes, llegada: datetime, carpeta: str | None = None) -> None:
        """Put a mail into a folder as received at that instant (aware)."""
        raw = mail if isinstance(mail, bytes) else mail.as_bytes()
        with self.sesion() as session:
            when = imaplib.Time2Internaldate(llegada)
            status, _ = session.append(
                f'"{carpeta or self.carpeta}"', "", when, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            )
            assert status == "OK"

    def borrar_carpeta(self, carpeta: str) -> None:
        """Remove a folder; one of the same name made later has another UIDVALIDITY."""
        with self.sesion() as session:
            assert session.delete(f'"{carpeta}"')[0] == "OK"

    def marcas(self, carpeta: str | None = None) -> list[bytes]:
        """The flags of each mail."""
        with self.sesion(carpeta or self.carpeta) as session:
            _, data = session.fetch("1:*", "(FLAGS)")
            return [one for one in data if isinstance(one, bytes)]


@dataclass(frozen=True)
class Certificados:
    """A test authority and a certificate for this machine."""

    autoridad: Path
    certificado: Path
    llave: Path

    def servidor(self) -> ssl.SSLContext:
        """The server's side of TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificado, self.llave)
        return context


@pytest.fixture(scope="session")
def certificados(tmp_path_factory: pytest.TempPathFactory) -> Certificados:
    """Make the authority and the certificate (names: localhost)."""
    folder = tmp_path_factory.mktemp("certificados")
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)

    def certificate(name: str, of: ec.EllipticCurvePrivateKey, *, ca: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Autoridad de prueba")]))
            .public_key(of.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(of.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
        )
        if not ca:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        return builder.sign(authority_key, hashes.SHA256())

    pem = serialization.Encoding.PEM
    paths = Certificados(folder / "autoridad.pem", folder / "servidor.pem", folder / "servidor.key")
    paths.autoridad.write_bytes(certificate("Autoridad de prueba", authority_key, ca=True).public_bytes(pem))
    paths.certificado.write_bytes(certificate("localhost", key, ca=False).public_bytes(pem))
    paths.llave.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return paths


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def imap_del_equipo(tmp_path_factory: pytest.TempPathFactory, certificados: Certificados) -> Iterator[Imap]:
    """One IMAP server (pymap) for the session, with STARTTLS."""
    port = free_port()
    log = tmp_path_factory.mktemp("imap") / "pymap.log"
    program = Path(sys.executable).with_name("pymap")
    with log.open("wb") as out:
        server = subprocess.Popen(
            [
                program, "--host", "127.0.0.1", "--port", str(port), "--cert", certificados.certificado,
                "--key", certificados.llave, "dict", "--demo-user", USER, "--demo-password", PASSWORD,
            ],
            stdout=out, stderr=out, stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield Imap(port, certificados)
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


@pytest.fixture
def imap(imap_del_equipo: Imap) -> Imap:
    """The server with an empty folder of this test."""
    mine = Imap(imap_del_equipo.puerto, imap_del_equipo.certificados, f"BUZON{next(_serial)}")
    mine.crear(mine.carpeta)
    return mine


class Relevo:
    """A port that hands on to another: with TLS in front, or only until it is told to be silent or to hang up."""

    def __init__(self, target: int, tls: ssl.SSLContext | None = None) -> None:
        self._target, self._tls = target, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.callado = threading.Event()
        self.corta_tras: int | None = None
        self.puerto = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            near = self._tls.wrap_socket(client, server_side=True) if self._tls else client
            with near, socket.create_connection(("127.0.0.1", self._target)) as far:
                self._open += [near, far]
                self._pump(near, far)

    def _pump(self, near: socket.socket, far: socket.socket) -> None:
        passed = 0
        while True:
            pending = isinstance(near, ssl.SSLSocket) and near.pending()
            ready = [near] if pending else select.select([near, far], [], [], 0.2)[0]
            for one in ready:
                data = one.recv(65_536)
                if not data:
                    return
                passed += len(data)
                if self.corta_tras is not None and passed > self.corta_tras:
                    return
                if not self.callado.is_set():
                    (far if one is near else near).sendall(data)

    def cerrar(self) -> None:
        """Stop listening and hang up."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # `close` alone leaves a waiting accept its port
        self._listener.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.close()


@pytest.fixture
def relevo(imap: Imap) -> Iterator[Relevo]:
    """A relay in clear before the test's IMAP server."""
    made = Relevo(imap.puerto)
    yield made
    made.cerrar()


@pytest.fixture
def imap_tls(imap: Imap) -> Iterator[Relevo]:
    """The test's IMAP server behind TLS from the first byte."""
    made = Relevo(imap.puerto, imap.certificados.servidor())
    yield made
    made.cerrar()


@dataclass
class Buzonero:
    """What the SMTP server does with a mail: keep it, refuse the person, ask for later, or hang up on the words."""

    recibidos: list[tuple[str, bytes]] = field(default_factory=list)
    rechaza: str = ""
    despues: str = ""
    cuelga: bool = False

    async def handle_RCPT(  # noqa: N802 - the server's own word
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take or refuse an address."""
        if address == self.rechaza:
            return "550 5.1.1 No such user here"
        if address == self.despues:
            return "451 4.3.0 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - same
        """Keep the words."""
        assert isinstance(envelope.content, bytes)
        self.recibidos.append((envelope.rcpt_tos[0], envelope.content))
        if self.cuelga:
            assert server.transport is not None
            server.transport.abort()
        return "250 OK"


@dataclass
class Smtp:
    """A running SMTP server."""

    puerto: int
    buzonero: Buzonero
    detener: Callable[[], None]

    def url(self, scheme: str = "smtp", *, credentials: str = "", host: str = "127.0.0.1") -> str:
        """How our side is told of it."""
        return f"{scheme}://{credentials}{host}:{self.puerto}"


@contextlib.contextmanager
def smtp_server(**options: Any) -> Iterator[Smtp]:
    """Run aiosmtpd on loopback with these options of its Controller."""
    handler = Buzonero()
    running = Controller(handler, hostname="127.0.0.1", port=free_port(), **options)
    running.start()
    stopped = threading.Event()

    def stop() -> None:
        if not stopped.is_set():
            stopped.set()
            running.stop()

    try:
        yield Smtp(running.port, handler, stop)
    finally:
        stop()


@pytest.fixture
def smtp() -> Iterator[Smtp]:
    """An SMTP server in clear."""
    with smtp_server() as running:
        yield running
