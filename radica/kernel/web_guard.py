"""The wall behind `kernel.web`: who gets past it, one transaction per view, and routes that forgot to declare.

Invariant: the guard runs before the body of a request is read, in its own short reading transaction, so that a
stranger can neither upload nor hold the database; an application with an undeclared changing route does not start.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from flask import Flask, Response, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, Unauthorized

from radica.kernel.errors import Forbidden
from radica.kernel.web import (
    DEFAULT_BODY,
    SAFE_METHODS,
    SESSION_COOKIE,
    current,
    go,
    is_fragment,
    safe_next,
    wants_json,
)
from radica.kernel.web_identity import Person

TOUCH_EVERY = timedelta(seconds=60)
WITH_OLD_PASSWORD = frozenset({"users.clave", "users.salir"})
"""Where a person whose password somebody else knows may go."""


def _return_to() -> str | None:
    # After an expired session a form's own page is reached again by GET; a fragment's page is the one around it.
    if request.method in SAFE_METHODS and not is_fragment():
        return safe_next(request.full_path.rstrip("?"))
    seen = request.headers.get("HX-Current-URL") or request.referrer or ""
    root = request.host_url.rstrip("/")
    return safe_next(seen.removeprefix(root)) if seen.startswith(root + "/") else None


def ask_to_log_in() -> ResponseReturnValue:
    """Answer a request without a living session: 401 for machines and fragments, else the login page."""
    expired = SESSION_COOKIE in request.cookies
    target = _return_to()
    if wants_json():
        raise Unauthorized
    location = url_for("users.entrar", next=target if target != "/" else None, vencida="1" if expired else None)
    if is_fragment():
        return Response("", status=401, headers={"HX-Redirect": location})
    return redirect(location, code=303)


def install(app: Flask) -> None:
    """Refuse whoever has no session, or not the role; runs before the body of the request is read."""

    @app.before_request
    def guard() -> ResponseReturnValue | None:
        g.radica_request_id = secrets.token_hex(4).upper()
        if request.endpoint == "static":
            return None
        view = app.view_functions.get(request.endpoint or "")
        g.radica_person = None if request.method == "OPTIONS" else _load_person()
        who: Person | None = g.radica_person
        if view is None or getattr(view, "radica_public", False):
            return None if view is not None or who is not None else _unknown_address()
        if who is None:
            return ask_to_log_in()
        size, parts = getattr(view, "radica_upload", (DEFAULT_BODY, 1000))
        request.max_content_length, request.max_form_parts = size, parts
        if not getattr(view, "radica_passive", False):
            _touch(who)
        roles: frozenset[str] = getattr(view, "radica_roles", frozenset())
        if roles and not who.granted(*roles):
            raise Forbidden
        if who.must_change_password and request.endpoint not in WITH_OLD_PASSWORD:
            return go(url_for("users.clave"))
        return None


def install_text_check(app: Flask) -> None:
    """Refuse the character that no database stores and no keyboard types; runs after the token was checked."""

    @app.before_request
    def check() -> None:
        if any("\x00" in value for values in (request.args, request.form) for _, value in values.items(multi=True)):
            raise BadRequest


def _unknown_address() -> ResponseReturnValue | None:
    # Nobody learns from a stranger's request which addresses exist: all of them ask for the login.
    return None if wants_json() or request.method not in SAFE_METHODS else ask_to_log_in()


def _load_person() -> Person | None:
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        return None
    frame = current()
    with frame.database.read() as session:
        return frame.load_person(session, token, frame.clock())


def _touch(who: Person) -> None:
    # Once a minute is enough for an expiry of half an hour, and spares a write per page.
    frame = current()
    moment = frame.clock()
    if moment - who.seen_at >= TOUCH_EVERY:
        with frame.database.write() as session:
            frame.touch(session, who.sesion_id, moment)


class _Undo(Exception):
    """Carries an answer of 400 or more past the transaction, which it undoes."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def transactional(view: Callable[..., Any]) -> Callable[..., Response]:
    """Wrap a view so that its transaction ends with it: kept below 400, undone otherwise and on any error."""

    @functools.wraps(view)
    def wrapped(**values: Any) -> Response:
        try:
            with ExitStack() as stack:
                g.radica_stack = stack
                response = make_response(view(**values))
                if response.status_code >= 400:
                    raise _Undo(response)
                return response
        except _Undo as undo:
            return undo.response
        finally:
            g.pop("radica_session", None)
            g.pop("radica_stack", None)

    return wrapped


def finish(app: Flask) -> None:
    """Wrap all views and check their marks; call it once, when the last route is added.

    Raises RuntimeError naming each changing route without `@public`, `@allow` or `@allow_anyone`.
    """
    forgotten = sorted(
        f"{rule.endpoint} ({rule.rule})"
        for rule in app.url_map.iter_rules()
        if rule.methods and rule.methods - SAFE_METHODS and not _declared(app.view_functions[rule.endpoint])
    )
    if forgotten:
        raise RuntimeError(f"routes that change something and do not say who may: {', '.join(forgotten)}")
    for endpoint, view in app.view_functions.items():
        if endpoint != "static":
            app.view_functions[endpoint] = transactional(view)


def _declared(view: Callable[..., Any]) -> bool:
    return any(hasattr(view, mark) for mark in ("radica_public", "radica_roles", "radica_anyone"))
