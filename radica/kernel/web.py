"""The web's frame: who may enter, which transaction a view works in, and what each view must declare.

Invariant: every endpoint needs a living session unless marked `@public`; every view that changes something says by
`@allow(…)` who may, or the application does not start; a request has at most one transaction, committed once, after
a view returned an answer below 400, and undone otherwise. Services know nothing of this module.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar

import argon2
from flask import Response, current_app, g, has_request_context, redirect, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import Unauthorized

from radica.kernel.clock import Clock
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.web_identity import Person

View = TypeVar("View", bound=Callable[..., Any])

EXTENSION = "radica"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SESSION_COOKIE = "radica_sesion"
DEFAULT_BODY = 2_000_000
"""Bytes of an ordinary form; a view that takes files says its own with `@max_upload`."""


@dataclass
class Meter:
    """Counts failures per network address in a moving window; one per web process, the durable wall is the account."""

    limit: int
    window: timedelta
    max_keys: int = 10_000
    _seen: dict[str, deque[datetime]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def full(self, key: str, now: datetime) -> bool:
        """Tell whether `key` failed `limit` times within the window before `now`."""
        with self._lock:
            return len(self._living(key, now)) >= self.limit

    def add(self, key: str, now: datetime) -> None:
        """Count one failure."""
        with self._lock:
            times = self._living(key, now)
            times.append(now)
            self._seen[key] = times
            while len(self._seen) > self.max_keys:
                del self._seen[next(iter(self._seen))]

    def _living(self, key: str, now: datetime) -> deque[datetime]:
        times = self._seen.get(key, deque())
        while times and times[0] <= now - self.window:
            times.popleft()
        return times


@dataclass(frozen=True)
class Frame:
    """What views reach through `current()`; made once by the factory."""

    settings: Settings
    database: Database
    clock: Clock
    hasher: argon2.PasswordHasher
    second_factor_key: bytes
    login_failures: Meter
    load_person: Callable[[Session, str, datetime], Person | None]
    touch: Callable[[Session, int, datetime], None]
    extra: dict[str, Any]
    """What other rooms put there at the start, by their own name (`extra["custodia"]`)."""


def current() -> Frame:
    """Return the frame of the running application."""
    frame: Frame = current_app.extensions[EXTENSION]
    return frame


def now() -> datetime:
    """Return the business instant (aware, UTC)."""
    return current().clock()


def person() -> Person:
    """Return who asks. Raises Unauthorized when nobody does (only possible in a public view)."""
    found = optional_person()
    if found is None:
        raise Unauthorized
    return found


def optional_person() -> Person | None:
    """Return who asks, or None on a public page."""
    found: Person | None = g.get("radica_person") if has_request_context() else None
    return found


def db_session(*, durable: bool = False) -> Session:
    """Return this request's session, opened now: reading on GET and HEAD, writing otherwise.

    Call it after the form was read and checked: from here on other writers wait. The frame commits; a view never
    does. Do not open `current().database.write()` while this one is writing: SQLite has one writer.
    """
    if "radica_session" not in g:
        database = current().database
        ways_in = database.read() if request.method in SAFE_METHODS else database.write(durable=durable)
        g.radica_session = g.radica_stack.enter_context(ways_in)
    session: Session = g.radica_session
    return session


def public(view: View) -> View:
    """Mark a view that answers without a session."""
    return _mark(view, radica_public=True)


def allow(*roles: str) -> Callable[[View], View]:
    """Mark a view that needs one of `roles` at some granted provider; `load_for` then checks the thing's own."""
    if not roles:
        raise ValueError("allow() needs roles; use @allow_anyone for whoever has a session")
    return lambda view: _mark(view, radica_roles=frozenset(str(role) for role in roles))


def allow_anyone(view: View) -> View:
    """Mark a changing view that any person with a session may use (own password, provider switch, search)."""
    return _mark(view, radica_anyone=True)


def max_upload(size: int, *, parts: int = 1000) -> Callable[[View], View]:
    """Mark a view that takes files: at most `size` bytes and `parts` form parts in one request."""
    return lambda view: _mark(view, radica_upload=(size, parts))


def passive(view: View) -> View:
    """Mark a view that pages poll by themselves: it does not count as activity of the person."""
    return _mark(view, radica_passive=True)


def _mark(view: View, **marks: Any) -> View:
    for name, value in marks.items():
        setattr(view, name, value)
    return view


def is_fragment() -> bool:
    """Tell whether htmx asks for a piece of the page (a boosted link asks for all of it)."""
    return request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers


def wants_json() -> bool:
    """Tell whether the answer should be JSON: the API, or a client that says so."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return request.path.startswith("/api/") or best == "application/json"


def go(location: str) -> Response:
    """Send the browser to `location`, also when htmx asked."""
    if is_fragment():
        return Response(status=200, headers={"HX-Redirect": location})
    answer = redirect(location, code=303)
    assert isinstance(answer, Response)
    return answer


def safe_next(target: str | None) -> str | None:
    """Return `target` when it is a path of this site, else None (an open redirect helps who fishes passwords)."""
    if not target or not target.startswith("/") or target[:2] in {"//", "/\\"} or len(target) > 2000:
        return None
    return None if any(ord(letter) < 32 or letter == "\\" for letter in target) else target
