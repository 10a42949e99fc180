"""The web application, put together from values: settings, database and clock come in, a Flask application goes out.

Invariant: nothing is read from the environment here; the rooms' views are listed once; after the last route the
guard's check runs, so that an undeclared changing route stops the start and not a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import argon2
from flask import Blueprint, Flask, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

import radica
from radica.app.acciones import (
    auditoria_rutas,
    cargar,
    cartera_rutas,
    conciliacion_rutas,
    contratos_rutas,
    correos,
    glosas_rutas,
    hallazgos,
    muv,
    portales,
    prejuridico_rutas,
    radicacion,
    tareas,
    tray,
    validar,
)
from radica.app.filing.acts import check_acts
from radica.app.nav import ENTRIES
from radica.app.paginas import (
    buscar,
    comprobaciones,
    custodia,
    documentos,
    evidencia,
    factura,
    facturas,
    hallazgos_exportar,
    hoy,
)
from radica.kernel import web_errors, web_guard, web_headers
from radica.kernel.clock import Clock, system_clock
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.web import DEFAULT_BODY, EXTENSION, Frame, Meter, now, optional_person, public
from radica.kernel.web_format import FILTERS
from radica.kernel.web_keys import load_or_make_key
from radica.kernel.web_paging import with_args
from radica.users import access, views, views_admin
from radica.users.passwords import default_hasher
from radica.users.services import ROLE_NAMES

PACKAGE = Path(radica.__file__).parent
TEMPLATES = PACKAGE.parent / "templates"
STATIC = PACKAGE / "static"

BLUEPRINTS = (
    views.blueprint,
    views_admin.blueprint,
    radicacion.blueprint,
    cargar.blueprint,
    tray.blueprint,
    portales.blueprint,
    muv.blueprint,
    hoy.blueprint,
    facturas.blueprint,
    factura.blueprint,
    evidencia.blueprint,
    documentos.blueprint,
    comprobaciones.blueprint,
    hallazgos.blueprint,
    hallazgos_exportar.blueprint,
    validar.blueprint,
    buscar.blueprint,
    glosas_rutas.blueprint,
    correos.blueprint,
    conciliacion_rutas.blueprint,
    contratos_rutas.blueprint,
    prejuridico_rutas.blueprint,
    cartera_rutas.blueprint,
    tareas.blueprint,
    auditoria_rutas.blueprint,
    custodia.blueprint,
)


def create_app(
    settings: Settings,
    database: Database,
    clock: Clock = system_clock,
    *,
    hasher: argon2.PasswordHasher | None = None,
    trusted_proxies: int = 0,
    extra: dict[str, Any] | None = None,
    more_views: Sequence[Blueprint] = (),
) -> Flask:
    """Return the application. The database must be at the present schema.

    `trusted_proxies`: how many proxies of ours stand before it; with 0 nobody's X-Forwarded-For is believed.
    `extra`: what rooms reach through `current().extra`. `more_views`: views that are not of a room (tests).
    """
    check_acts()
    app = Flask("radica", static_folder=str(STATIC), static_url_path="/static", template_folder=str(TEMPLATES))
    settings.ensure_folders()
    app.config.update(
        SECRET_KEY=load_or_make_key(settings.keys / "web.key"),
        SESSION_COOKIE_NAME="radica_formas",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        MAX_CONTENT_LENGTH=DEFAULT_BODY,
        MAX_FORM_MEMORY_SIZE=DEFAULT_BODY,
        # The token lives as long as the session that it belongs to: a page left open over lunch still sends.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_I18N_ENABLED=False,
        TRAP_HTTP_EXCEPTIONS=False,
    )
    app.extensions[EXTENSION] = Frame(
        settings=settings,
        database=database,
        clock=clock,
        hasher=hasher or default_hasher(),
        second_factor_key=load_or_make_key(settings.keys / "segundo_factor.key"),
        login_failures=Meter(limit=30, window=timedelta(minutes=15)),
        load_person=access.person_of_token,
        touch=access.touch,
        extra=extra or {},
    )
    if trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign] # the documented way
            app.wsgi_app, x_for=trusted_proxies, x_proto=trusted_proxies, x_host=trusted_proxies
        )
    _install_templates(app)
    web_guard.install(app)
    CSRFProtect(app)  # after the guard: a stranger's upload is refused before its body is read
    web_guard.install_text_check(app)
    web_headers.install(app, secure=settings.secure_cookies)
    web_errors.install(app)
    web_errors.install_request_log(app)
    _install_pages(app)
    for one in (*BLUEPRINTS, *more_views):
        app.register_blueprint(one)
    web_guard.finish(app)
    return app


def _install_pages(app: Flask) -> None:
    @app.get("/")
    def inicio() -> ResponseReturnValue:
        """Open the day's page."""
        if "hoy.index" in app.view_functions:
            return redirect(url_for("hoy.index"))
        return render_template("_layout/inicio.html")

    @app.get("/salud")
    @public
    def salud() -> ResponseReturnValue:
        """Tell a supervisor that the process answers."""
        return {"estado": "bien"}

    @app.get("/favicon.ico")
    @public
    def favicon() -> ResponseReturnValue:
        """Send old browsers to the mark."""
        return redirect(url_for("static", filename="marca.svg"))


def _install_templates(app: Flask) -> None:
    env = app.jinja_env
    env.undefined = StrictUndefined  # a misspelt name is a defect, not an empty cell
    env.trim_blocks = env.lstrip_blocks = True
    env.filters.update(FILTERS)

    def ruta(endpoint: str, **values: Any) -> str | None:
        """Return the address of an endpoint, None while nobody wrote it."""
        return url_for(endpoint, **values) if endpoint in app.view_functions else None

    def asset(name: str) -> str:
        """Return the address of a file of ours or of a library, with its hash: it may be kept for a year."""
        return url_for("static", filename=name, v=_file_hash(STATIC / name))

    def navigation() -> Iterator[dict[str, Any]]:
        who = optional_person()
        for entry in ENTRIES:
            if who is not None and entry.endpoint in app.view_functions and (not entry.roles or who.may(*entry.roles)):
                yield {"entry": entry, "url": url_for(entry.endpoint)}

    env.globals.update(ruta=ruta, asset=asset, with_args=with_args, navigation=navigation, ROLE_NAMES=ROLE_NAMES)

    @app.context_processor
    def values() -> dict[str, Any]:
        return {"me": optional_person(), "ahora": now()}


@lru_cache(maxsize=256)
def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "0"
