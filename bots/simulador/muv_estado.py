"""How the simulated MUV stands: who may enter, living tokens, and the faults that are still to strike.

Invariant: a fault strikes as many calls as it was asked for and then no more; a login that fails says so with HTTP 200,
as the real one does. Manual of the API FEV-RIPS 4.3, section 8.1.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any, Final

from bots.simulador.config import ConfigError
from bots.simulador.muv_libro import Book

FAULTS: Final = (
    "timeout_before", "timeout_after", "reset_before", "reset_after", "error_500_before", "error_500_after", "slow",
    "bad_json_after", "other_invoice", "redirect", "huge", "camel", "no_cuv_in_rvg18", "expired_token", "drip",
    "bad_request", "other_version",
    "reject",
)  # fmt: skip
"""What may go wrong with the next calls; *after* means that the package was processed and is in the ledger."""


@dataclass(frozen=True)
class Account:
    """One person who may enter; an empty ``nit`` means any provider."""

    tipo: str = "CC"
    numero: str = "1000001"
    clave: str = "clave-muv-demo"
    nit: str = ""


@dataclass
class State:
    """Its ledger, who may enter, living tokens, and the faults that are still to strike."""

    book: Book
    accounts: tuple[Account, ...] = (Account(),)
    token_ttl_s: float = 7200.0
    pause_s: float = 60.0
    environment: str = "DockerTest"
    faults: dict[str, int] = field(default_factory=dict)
    logins: int = 0
    refused_logins: int = 0
    tokens: dict[str, float] = field(default_factory=dict)
    stopping: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    def configure(self, **changes: Any) -> None:
        """Change faults (name to how many calls), accounts, times, environment. Raises ConfigError."""
        unknown_names = set(changes) - {*FAULTS, "accounts", "token_ttl_s", "pause_s", "environment"}
        if unknown_names:
            raise ConfigError(f"el simulador no conoce: {', '.join(sorted(unknown_names))}")
        with self.lock:
            for name, value in changes.items():
                if name in FAULTS:
                    self.faults[name] = int(value)
                elif name == "accounts":
                    self.accounts = tuple(Account(**one) for one in value)
                else:
                    setattr(self, name, type(getattr(self, name))(value))

    def strikes(self, fault: str) -> bool:
        """Say whether a fault strikes now, and count it down."""
        with self.lock:
            left = self.faults.get(fault, 0)
            if left > 0:
                self.faults[fault] = left - 1
            return left > 0

    def enter(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer of LoginSISPRO, which is HTTP 200 also when it is no."""
        who = (body.get("persona") or {}).get("identificacion") or {}
        given = (str(who.get("tipo")), str(who.get("numero")), str(body.get("clave")))
        nit = str(body.get("nit") or "")
        with self.lock:
            self.logins += 1
            known = any((one.tipo, one.numero, one.clave) == given and one.nit in ("", nit) for one in self.accounts)
            if not known or not nit:
                self.refused_logins += 1
                errors = ["Usuario o contraseña incorrectos."]
                return {"token": None, "login": False, "registrado": False, "errors": errors}
            token = f"eyJhbGciOiJub25lIn0.{secrets.token_urlsafe(24)}.{secrets.token_urlsafe(12)}"
            self.tokens[token] = time.monotonic() + self.token_ttl_s
        return {"token": token, "login": True, "registrado": True, "errors": None}

    def knows(self, header: str | None) -> bool:
        """Say whether a bearer token is one of ours and still valid."""
        token = (header or "").removeprefix("Bearer ").strip()
        with self.lock:
            return self.tokens.get(token, 0.0) > time.monotonic()
