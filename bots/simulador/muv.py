"""``python -m bots.simulador.muv``: the local API FEV-RIPS of MinSalud, without legal value, to train and test against.

Invariant: a package is in the ledger before its answer leaves; faults strike only on demand, each named time; standard
output carries one line, ``{"url": …, "certificado": …}``. Facts of the API: manual of consumption 4.3, chapters 7 and 8.
"""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import struct
import sys
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Final

from bots.simulador.config import ConfigError
from bots.simulador.muv_estado import State
from bots.simulador.muv_juicio import CALLS, Line, already, answer, judge, query, unknown
from bots.simulador.muv_libro import Book
from bots.simulador.serving import Running, options_of, run, serve
from bots.simulador.tls import self_signed

MAX_BODY: Final = 512 * 1024 * 1024
PACKAGES: Final = "/api/PaquetesFevRips/"
QUERIES: Final = "/api/ConsultasFevRips/"


@dataclass
class Handle(Running[State]):
    """A running API; `certificate` is its PEM, empty without TLS."""

    certificate: str

    @property
    def book(self) -> Book:
        """What it received."""
        return self.state.book


class _Server(ThreadingHTTPServer):
    """Handshakes in the thread of each connection, so that a client that does not speak stops nobody else."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None):
        super().__init__(address, handler)
        self._tls = tls

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Wrap the connection, then serve it; a handshake that fails ends this connection only."""
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(30)
        try:
            with self._tls.wrap_socket(request, server_side=True) as secure:
                super().finish_request(secure, client_address)
        except OSError:
            return  # the client did not like the certificate, or went away

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


def start(
    folder: Path, port: int = 0, host: str = "127.0.0.1", *, tls: bool = True, clock: Callable[[], datetime] | None = None
) -> Handle:  # fmt: skip
    """Start the API whose ledger and certificate live in ``folder``. ``clock`` gives aware instants."""
    tell = clock or _now
    folder.mkdir(parents=True, exist_ok=True)
    state = State(Book(folder / "libro.jsonl"))
    context, pem = None, ""
    if tls:
        if not (folder / "cert.pem").exists():
            self_signed(folder, tell())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        pem = (folder / "cert.pem").read_text("ascii")
    server = _Server((host, port), _handler(state, tell), context)
    scheme = "https" if tls else "http"
    return Handle(
        f"{scheme}://{host}:{server.server_port}/api", state, server, serve(server, "simulador-muv"), certificate=pem
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _problem(status: int) -> dict[str, Any]:
    return {"type": f"https://httpstatuses.com/{status}", "title": HTTPStatus(status).phrase, "status": status}


class _Talk(BaseHTTPRequestHandler):
    """Reads bodies and writes answers."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def body(self) -> tuple[dict[str, Any] | None, int, bool]:
        """Return the decoded JSON object (None when it is none), its bytes on the wire, and whether it was packed."""
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= MAX_BODY:
            return None, length, False
        data = self.rfile.read(length)
        packed = (self.headers.get("Content-Encoding") or "").lower() == "gzip"
        try:
            plain = gzip.decompress(data) if packed else data
            value = json.loads(plain, parse_float=Decimal)
        except (OSError, EOFError, zlib.error, ValueError, RecursionError):
            return None, length, packed
        return (value if isinstance(value, dict) else None), length, packed

    def say(self, status: int, reply: object) -> None:
        """Answer with JSON."""
        self.send(status, json.dumps(reply, ensure_ascii=False).encode(), "application/json; charset=utf-8")

    def send(self, status: int, data: bytes, media: str, *, location: str = "", last: bool = False) -> None:
        """Answer with bytes; ``last`` says that the connection ends with them."""
        try:
            self.send_response(status)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(data)))
            if location:
                self.send_header("Location", location)
            if last:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            self.close_connection = True  # whoever asked did not wait

    def reset(self) -> None:
        """Cut the connection without one byte."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the process speaks one line only."""


class _Api(_Talk):
    """One connection to the API; `_handler` binds the state and the clock."""

    state: ClassVar[State]
    clock: ClassVar[Callable[[], datetime]]

    def do_GET(self) -> None:
        if self.path == "/__sim/libro":
            self.say(HTTPStatus.OK, [asdict(one) for one in self.state.book.received])
        elif self.path.removeprefix("/api").lower() in ("/basichealth", "/health"):
            text = (
                f"ApplicationName: FEV-RIPS (simulador)\nVersion: 5.4.10.1\nEnvironmentName: {self.state.environment}\n"
            )
            self.send(HTTPStatus.OK, text.encode(), "text/plain; charset=utf-8", last=True)
        else:
            self.say(HTTPStatus.NOT_FOUND, _problem(404))

    def do_POST(self) -> None:
        body, size, packed = self.body()
        if body is None:
            self.say(HTTPStatus.BAD_REQUEST, {"tipo": "ERROR", "descripcion": "No se entendió el cuerpo."})
        elif self.path == "/__sim/config":
            self.configure(body)
        elif self.path == "/api/Auth/LoginSISPRO":
            self.say(HTTPStatus.OK, self.state.enter(body))
        elif self.path == f"{QUERIES}ConsultarCUV":
            self.consult(body)
        elif self.state.strikes("expired_token") or not self.state.knows(self.headers.get("Authorization")):
            self.say(HTTPStatus.UNAUTHORIZED, _problem(401))
        elif self.path.removeprefix(PACKAGES) in CALLS:
            self.load(self.path.removeprefix(PACKAGES), body, size, packed)
        elif self.path in (f"{PACKAGES}RecuperarCUV", f"{QUERIES}RecuperarCUV"):
            self.recover(body)
        elif self.path == f"{QUERIES}DescargarArchivosFevRipsCUV":
            self.consult(body)
        else:
            self.say(HTTPStatus.NOT_FOUND, _problem(404))

    def configure(self, body: dict[str, Any]) -> None:
        try:
            self.state.configure(**body)
        except (ConfigError, TypeError, ValueError):
            self.say(HTTPStatus.BAD_REQUEST, {})
        else:
            self.say(HTTPStatus.OK, {})

    def load(self, call: str, body: dict[str, Any], size: int, packed: bool) -> None:
        if self.spoiled("before"):
            return
        verdict = judge(call, body)
        if self.state.strikes("reject"):
            verdict.lines.append(Line("RVG08", "La suma de los servicios no coincide.", fuente="FevRips"))
        at = type(self).clock()
        result, approval = self.state.book.write(call, verdict, at=at, gzip=packed, size=size)
        if self.spoiled("after"):
            return
        cuv = approval.get("cuv") if result == "aprobado" else None
        if result == "ya_aprobado":
            verdict.lines = [already(None if self.state.strikes("no_cuv_in_rvg18") else approval["cuv"])]
        camel = verdict.structure or self.state.strikes("camel")
        if self.state.strikes("other_invoice"):
            verdict.number = f"{verdict.number}9"
        reply = answer(
            verdict, cuv=cuv, process=int(approval.get("proceso", 0)), at=at, camel=camel,
            environment=self.state.environment,
        )  # fmt: skip
        self.say(HTTPStatus.BAD_REQUEST if verdict.structure else HTTPStatus.OK, reply)

    def spoiled(self, when: str) -> bool:
        """Do what a fault says instead of answering; False when there is none."""
        if self.state.strikes(f"reset_{when}"):
            self.reset()
        elif self.state.strikes(f"timeout_{when}"):
            self.state.stopping.wait(self.state.pause_s)
            self.close_connection = True
        elif self.state.strikes(f"error_500_{when}"):
            self.send(HTTPStatus.INTERNAL_SERVER_ERROR, b"", "text/plain")
        elif when == "before":
            return self._refused_before()
        elif self.state.strikes("bad_json_after"):
            self.send(HTTPStatus.OK, b'{"ResultState":true,"ProcesoId":1,"NumFac', "application/json")
        elif self.state.strikes("huge"):
            self.send(HTTPStatus.OK, b" " * (2 * 1024 * 1024), "application/json")
        elif self.state.strikes("drip"):
            self.drip()
        else:
            if self.state.strikes("slow"):
                self.state.stopping.wait(self.state.pause_s)
            return False
        return True

    def _refused_before(self) -> bool:
        if self.state.strikes("redirect"):
            self.send(HTTPStatus.FOUND, b"", "text/plain", location="https://127.0.0.1:9/otra")
        elif self.state.strikes("bad_request"):
            self.say(HTTPStatus.BAD_REQUEST, {"tipo": "ERROR", "descripcion": "Solicitud inválida."})
        else:
            return False
        return True

    def drip(self) -> None:
        """Send one byte at a time, without end."""
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.close_connection = True
        while not self.state.stopping.wait(0.05):
            try:
                self.wfile.write(b" ")
            except OSError:
                return

    def recover(self, body: dict[str, Any]) -> None:
        cuv = str(body.get("codigoUnicoValidacion") or "")
        found = self.state.book.by_cuv(cuv)
        if found is None:
            lines = unknown(cuv)["ResultadosValidacion"]
            refused = {"ResultState": False, "ProcesoId": 0, "NumFactura": "", "CodigoUnicoValidacion": "-"}
            self.say(HTTPStatus.OK, {**refused, "RutaArchivos": None, "ResultadosValidacion": lines})
            return
        start, end = found["periodo"]
        self.say(
            HTTPStatus.OK,
            {
                "ResultState": True,
                "ProcesoId": found["proceso"],
                "NumFactura": found["numero"],
                "CodigoUnicoValidacion": cuv,
                "FechaRadicacion": f"{found['fecha']}+00:00",
                "RutaArchivos": None,
                "Ambiente": self.state.environment,
                "Modulo": found["modulo"],
                "ModalidadPago": "Pago por evento",
                "PeriodoAtencion": {"FechaInicio": start, "FechaFin": end},
                "ResultadosValidacion": found["lineas"],
            },
        )

    def consult(self, body: dict[str, Any]) -> None:
        cuv = str(body.get("codigoUnicoValidacion") or "")
        found = self.state.book.by_cuv(cuv)
        if found is not None and self.state.strikes("other_version"):
            found["total"] = str(Decimal(found["total"]) + 1000)
        self.say(HTTPStatus.OK, query(found, cuv) if found else unknown(cuv))


def _handler(state: State, clock: Callable[[], datetime]) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Api,), {"state": state, "clock": staticmethod(clock)})


def main(argv: list[str] | None = None) -> int:
    """Run the API until a signal; 0 when it was ended, 2 when it could not start."""
    parser = options_of(
        "muv", "Validador de MinSalud (MUV) de demostración, sin valor legal.", "carpeta de su libro y su certificado"
    )
    parser.add_argument("--no-tls", action="store_true", help="HTTP sin cifrar")
    options = parser.parse_args(argv)
    return run(
        lambda: start(options.folder, options.port, options.host, tls=not options.no_tls),
        lambda handle: {"url": handle.url, "certificado": str(options.folder / "cert.pem")},
    )


if __name__ == "__main__":
    sys.exit(main())
