"""``python -m bots.simulador.tsa``: a time-stamping authority (RFC 3161) without legal value, to train and test against.

Invariant: what it signs is pyHanko's own, so the house's verification is judged by another's tokens; its certificates
say that they are of a demonstration; it keeps its authority in a folder, so that old tokens still verify after it is
started anew; standard output carries one line, ``{"url": …, "anclas": …}``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event
from typing import Any, Final

from asn1crypto import core, keys, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.sign.timestamps import DummyTimeStamper

from bots.simulador.serving import Running, options_of, run, serve
from bots.simulador.tsa_certs import Authority, load_or_make

MODES: Final = (
    "ok", "down", "cut", "slow", "rubbish", "html", "huge", "rejected", "other_hash", "other_nonce", "no_nonce",
    "wrong_eku", "not_critical", "expired", "other_ca", "bad_signature", "far",
)  # fmt: skip
"""What it does with a request: one good way, and the ways in which an authority goes wrong."""
CERTIFICATE_OF: Final = {
    "wrong_eku": "wrong_eku",
    "not_critical": "not_critical",
    "expired": "expired",
    "other_ca": "other_ca",
}
MAX_REQUEST: Final = 64 * 1024
REPLY: Final = "application/timestamp-reply"


class ConfigError(ValueError):
    """A mode that there is not."""


class _Refusal(core.Sequence):  # type: ignore[misc]
    """An answer without a token, which the library's own type does not know."""

    _fields = [("status", tsp.PKIStatusInfo)]  # noqa: RUF012 - the library's way


@dataclass
class State:
    """How it behaves now, and what it was asked. `offset` moves the hour of its stamps, `pause_s` is slow's."""

    authority: Authority
    mode: str = "ok"
    pause_s: float = 60.0
    offset: timedelta = timedelta(0)
    stopping: Event = field(default_factory=Event)
    asked: list[bytes] = field(default_factory=list)

    def configure(self, **changes: Any) -> None:
        """Change ``mode``, ``pause_s``, ``offset_s``; raises ``ConfigError``."""
        if changes.get("mode", "ok") not in MODES or set(changes) - {"mode", "pause_s", "offset_s"}:
            raise ConfigError(f"modos: {', '.join(MODES)}")
        self.mode = str(changes.get("mode", self.mode))
        self.pause_s = float(changes.get("pause_s", self.pause_s))
        self.offset = timedelta(seconds=float(changes.get("offset_s", self.offset.total_seconds())))


def answer_to(state: State, body: bytes, now: datetime) -> bytes:
    """Return the DER of the answer to the DER of a request, as the present mode has it."""
    if state.mode == "rubbish":
        return b"\x30\x82" + bytes(range(200))
    if state.mode == "html":
        return b"<html><body>Servicio en mantenimiento</body></html>"
    if state.mode == "huge":
        return b"\x00" * (4 * 1024 * 1024)
    if state.mode == "rejected":
        refusal = {"status": tsp.PKIStatusInfo({"status": "rejection", "fail_info": {"system_failure"}})}
        return bytes(_Refusal(refusal).dump())
    request = tsp.TimeStampReq.load(body, strict=True)
    asked = {"version": 1, "message_imprint": request["message_imprint"], "cert_req": True}
    if request["nonce"].native is not None and state.mode != "no_nonce":
        asked["nonce"] = request["nonce"].native + (state.mode == "other_nonce")
    if state.mode == "other_hash":
        other = bytes(one ^ 1 for one in request["message_imprint"]["hashed_message"].native)
        asked["message_imprint"] = {
            "hash_algorithm": request["message_imprint"]["hash_algorithm"],
            "hashed_message": other,
        }
    offset = timedelta(days=2) if state.mode == "far" else state.offset
    stamper = _stamper(state.authority, CERTIFICATE_OF.get(state.mode, "good"), (now + offset).replace(microsecond=0))
    response = stamper.request_tsa_response(tsp.TimeStampReq(asked))
    if state.mode == "bad_signature":
        info = response["time_stamp_token"]["content"]["signer_infos"][0]
        info["signature"] = info["signature"].native[:-1] + bytes([info["signature"].native[-1] ^ 1])
        return bytes(response.dump(force=True))
    return bytes(response.dump())


def _stamper(authority: Authority, which: str, at: datetime) -> DummyTimeStamper:
    key = authority.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    certificate = authority.certificates[which]
    issuer = authority.other_ca if which == "other_ca" else authority.ca
    return DummyTimeStamper(
        _asn1(certificate),
        keys.PrivateKeyInfo.load(key),
        certs_to_embed=[_asn1(issuer)],  # type: ignore[arg-type] # it only makes a list of them
        fixed_dt=at,
    )


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


@dataclass
class Handle(Running[State]):
    """A running authority; `anchors` is the file with the PEM of its root."""

    anchors: Path


def start(folder: Path, port: int = 0, host: str = "127.0.0.1", clock: Callable[[], datetime] | None = None) -> Handle:
    """Start the authority that lives in ``folder`` (made there the first time). ``clock`` gives aware instants."""
    tell = clock or _now
    state = State(load_or_make(folder, tell()))
    server = ThreadingHTTPServer((host, port), _handler(state, tell))
    server.daemon_threads = True
    url = f"http://{host}:{server.server_port}/"
    return Handle(url, state, server, serve(server, "simulador-tsa"), anchors=folder / "ca.pem")


def _now() -> datetime:
    return datetime.now(UTC)


def _handler(state: State, clock: Callable[[], datetime]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One request: a stamp, or a change of mode."""

        timeout = 30

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if not 0 < length <= MAX_REQUEST:
                self._say(HTTPStatus.BAD_REQUEST, b"")
                return
            body = self.rfile.read(length)
            if self.path == "/__sim/config":
                self._configure(body)
                return
            state.asked.append(body)
            if state.mode == "slow":
                state.stopping.wait(state.pause_s)
            if state.mode == "cut":
                self.close_connection = True
                return
            if state.mode == "down":
                self._say(HTTPStatus.SERVICE_UNAVAILABLE, b"")
                return
            try:
                self._say(HTTPStatus.OK, answer_to(state, body, clock()))
            except (ValueError, TypeError, KeyError):
                self._say(HTTPStatus.BAD_REQUEST, b"")

        def _configure(self, body: bytes) -> None:
            try:
                state.configure(**json.loads(body))
            except (ValueError, TypeError):
                self._say(HTTPStatus.BAD_REQUEST, b"")
                return
            self._say(HTTPStatus.OK, b"{}")

        def _say(self, status: HTTPStatus, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", REPLY)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # whoever asked did not wait

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: the process speaks one line only."""

    return Handler


def main(argv: list[str] | None = None) -> int:
    """Run the authority until a signal; 0 when it was ended, 2 when it could not start."""
    parser = options_of(
        "tsa", "Autoridad de estampado de demostración, sin valor legal.", "carpeta de sus llaves y certificados"
    )
    options = parser.parse_args(argv)
    return run(
        lambda: start(options.folder, options.port, options.host),
        lambda handle: {"url": handle.url, "anclas": str(handle.anchors)},
    )


if __name__ == "__main__":
    sys.exit(main())
