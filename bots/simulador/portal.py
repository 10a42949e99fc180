"""What both simulated portals share: settings, ledger, sessions, their clock, and the ways in which an answer fails.

Invariant: ``/__sim/`` answers whatever faults are set, from loopback only, and no fault acts before the ledger row it
follows is durable. The portal's own time is Bogota time plus a configurable offset.
"""

import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from socket import SHUT_RDWR
from threading import Event, Lock
from typing import Any, Final

from flask import Blueprint, Flask, Response, abort, jsonify, render_template, request

from bots.simulador.answer_ledger import AnswerLedger
from bots.simulador.answers import Desk
from bots.simulador.config import Config, ConfigError, Dice, Rule, as_json, merge
from bots.simulador.ledger import Ledger

BOGOTA: Final = timezone(timedelta(hours=-5))
HANG_LIMIT_S: Final = 900.0
MONTHS: Final = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)


@dataclass(slots=True)
class Session:
    """Who is logged in; ``seen`` is monotonic seconds of the last request."""

    code: str
    nit: str
    name: str
    seen: float
    form_key: str = ""
    ended: bool = False


class Portal:
    """State of one running portal: everything that is not on a page."""

    def __init__(self, kind: str, ledger_path: Path, changes: Mapping[str, Any]) -> None:
        self.kind = kind
        self._initial: Config = merge(Config(), changes)
        self.dice = Dice(self._initial)
        self.ledger = Ledger(ledger_path, kind)
        self.desk = Desk(AnswerLedger(ledger_path))
        self.stopping = Event()
        self._lock = Lock()
        self._sessions: dict[str, Session] = {}

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self.dice.config

    def now(self) -> datetime:
        """The portal's own local time, to the second."""
        moment = datetime.now(BOGOTA) + timedelta(seconds=self.config.clock_offset_s)
        return moment.replace(microsecond=0, tzinfo=None)

    def strikes(self, mode: str, *invoices: str) -> Rule | None:
        """Whether a fault strikes now (see ``config.MODES``)."""
        return self.dice.strikes(mode, invoices)

    def open_session(self, code: str, nit: str, name: str) -> str:
        """A new session identifier for the cookie."""
        token = secrets.token_hex(13)
        with self._lock:
            self._sessions[token] = Session(code, nit, name, time.monotonic())
        return token

    def session(self, token: str) -> Session | None:
        """The live session of a cookie, refreshed by this request; ``None`` when unknown or expired."""
        lost = self.strikes("session_lost") is not None
        with self._lock:
            found = self._sessions.get(token)
            if found is None or found.ended:
                return None
            if lost or time.monotonic() - found.seen > self.config.session_ttl_s:
                found.ended = True
                return None
            found.seen = time.monotonic()
            return found

    def owner(self, token: str) -> Session | None:
        """Who had this session, ended or not; for the ledger, never to let anybody in."""
        with self._lock:
            return self._sessions.get(token)

    def close_session(self, token: str) -> None:
        """Log out."""
        with self._lock:
            self._sessions.pop(token, None)

    @staticmethod
    def loopback_only() -> None:
        """Guard of the controls: 404 for whoever is not on this machine."""
        if not request.remote_addr or not ip_address(request.remote_addr).is_loopback:
            abort(404)

    def close(self) -> None:
        """Close the ledgers."""
        self.ledger.close()
        self.desk.close()

    def wait(self, seconds: float) -> None:
        """Sleep that ends at once when the portal stops."""
        if seconds > 0:
            self.stopping.wait(seconds)

    def hang(self) -> Response:
        """Hold the request until the client goes away, the portal stops, or the limit passes; then close it."""
        gone = request.environ.get("waitress.client_disconnected")
        end = time.monotonic() + HANG_LIMIT_S
        while time.monotonic() < end and not self.stopping.wait(0.2):
            if gone is not None and gone():
                break
        return self.cut()

    def cut(self) -> Response:
        """Close the connection without one byte of answer."""
        gone = request.environ.get("waitress.client_disconnected")
        if gone is not None:  # the bound method is the only way to the connection that waitress offers
            connection = gone.__self__.socket  # None when the client was quicker
            if connection is not None:
                with suppress(OSError):
                    connection.shutdown(SHUT_RDWR)
        return Response(status=500)

    def reset(self) -> None:
        """Empty the ledger, forget the sessions and go back to the settings of the start."""
        self.ledger.reset()
        self.desk.reset()
        self.dice.replace(self._initial)
        with self._lock:
            self._sessions.clear()


def bad_gateway() -> Response:
    """The page a reverse proxy shows when what is behind it died."""
    return Response(render_template("comun/502.html"), status=502, mimetype="text/html")


def pesos(value: str | None) -> str:
    """``$ 573.480,00`` from decimal text; empty for none."""
    if not value:
        return ""
    whole, _, cents = value.partition(".")
    return f"$ {int(whole):,}".replace(",", ".") + "," + (cents + "00")[:2]


def long_date(moment: datetime) -> str:
    """``21 de noviembre de 2026``."""
    return f"{moment.day} de {MONTHS[moment.month - 1]} de {moment.year}"


def install(app: Flask, portal: Portal) -> None:
    """Add the control routes, the latency and the faults that strike any page."""
    app.register_blueprint(_controls(portal))
    app.add_template_filter(pesos)
    app.add_template_filter(long_date)

    @app.before_request
    def _weather() -> Response | None:
        if request.path.startswith(("/__sim/", "/static/", "/favicon")):
            return None
        portal.wait(portal.config.latency_ms / 1000)
        if portal.strikes("maintenance"):
            return Response(render_template("comun/mantenimiento.html"), status=503, headers={"Retry-After": "3600"})
        if request.method == "GET" and portal.strikes("error_500"):
            return Response(render_template("comun/500.html"), status=500)
        return None

    @app.after_request
    def _headers(response: Response) -> Response:
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store, no-cache, must-revalidate")
        return response


def _controls(portal: Portal) -> Blueprint:
    controls = Blueprint("sim", __name__, url_prefix="/__sim")

    controls.before_request(portal.loopback_only)

    @controls.get("/ledger")
    def _ledger() -> Response:
        return jsonify(
            portal=portal.kind,
            counts=portal.ledger.counts(),
            rows=portal.ledger.rows(),
            now=datetime.now(UTC).isoformat(),
        )

    @controls.post("/reset")
    def _reset() -> Response:
        portal.reset()
        return jsonify(ok=True)

    @controls.get("/config")
    def _config() -> Response:
        return jsonify(as_json(portal.config))

    @controls.post("/config")
    def _set_config() -> Response | tuple[Response, int]:
        changes = request.get_json(silent=True)
        if not isinstance(changes, dict):
            return jsonify(error="se espera un objeto JSON"), 400
        try:
            return jsonify(as_json(portal.dice.merge(changes)))
        except (ConfigError, TypeError, ValueError) as error:
            return jsonify(error=str(error)), 400

    return controls
