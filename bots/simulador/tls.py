"""TLS in front of a simulated portal, with a certificate that nobody signed, to see how a bot treats a bad certificate.

Invariant: listens on loopback only, the key lives no longer than the call that loads it, and a cut of the portal behind
closes the client's connection too.
"""

import asyncio
import ipaddress
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def self_signed(folder: Path, now: datetime) -> tuple[Path, Path]:
    """Write ``cert.pem`` and ``key.pem`` for 127.0.0.1 and localhost, valid for two days around ``now``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal simulado")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_path, key_path


def server_context() -> ssl.SSLContext:
    """A TLS context with a fresh self-signed certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with TemporaryDirectory() as folder:
        cert, key = self_signed(Path(folder), datetime.now(UTC))
        context.load_cert_chain(cert, key)
    return context


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()


class TlsFront:
    """A listener that ends TLS and passes the bytes to a portal on the same machine."""

    def __init__(self, host: str, port: int, behind: int) -> None:
        self._host, self._wanted, self._behind = host, port, behind
        self._loop = asyncio.new_event_loop()
        self._ready = Event()
        self._failure: OSError | None = None
        self._stop = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0
        self._thread = Thread(target=self._run, name="simulador-tls", daemon=True)
        self._thread.start()
        self._ready.wait(10)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Close the listener and every connection."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except OSError as error:
            self._failure = error
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        context = server_context()
        server = await asyncio.start_server(self._connection, self._host, self._wanted, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        others = asyncio.all_tasks(self._loop) - {asyncio.current_task(self._loop)}
        await asyncio.gather(*others, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_writer: asyncio.StreamWriter | None = None
        self._open.add(writer)
        try:
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self._behind)
            pumps = {
                asyncio.ensure_future(_pump(reader, back_writer)),
                asyncio.ensure_future(_pump(back_reader, writer)),
            }
            self._open.add(back_writer)
            _, rest = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
        finally:
            for side in (writer, back_writer):
                if side is not None:
                    self._open.discard(side)
                    side.close()
