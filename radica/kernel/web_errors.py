"""One place where an error becomes an answer: a page, a fragment for htmx, or JSON.

Invariant: a person reads what happened, what was kept and what to do, in Spanish, with a number to quote; never a
traceback, a statement or a value that somebody typed. The same number stands in the log line.
"""

from __future__ import annotations

import logging

from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from radica.kernel.errors import (
    NO_ROOM,
    BadInput,
    Forbidden,
    InvalidTransition,
    NotFound,
    RadicaError,
    StalePage,
    Unavailable,
)
from radica.kernel.logs import event
from radica.kernel.web import is_fragment, wants_json

log = logging.getLogger("radica.web")

STATUS: tuple[tuple[type[RadicaError], int], ...] = (
    (NotFound, 404),
    (Forbidden, 403),
    (StalePage, 409),
    (InvalidTransition, 409),
    (Unavailable, 503),
    (BadInput, 422),
    (RadicaError, 422),
)
HTTP: dict[int, tuple[str, str]] = {
    400: ("La solicitud llegó incompleta o dañada.", "Vuelva a la página anterior e intente de nuevo."),
    401: ("Hace falta entrar con su usuario.", "Entre e intente de nuevo."),
    403: ("Su rol no permite esta acción.", "Pídale a quien administra los accesos que la haga o que le dé el rol."),
    404: ("No se encontró lo que busca.", "Revise la dirección o búsquelo arriba."),
    405: ("Esta dirección no admite esa acción.", "Vuelva a la página anterior e intente desde sus botones."),
    413: ("Lo enviado es más grande de lo que se recibe de una vez; no se guardó nada.", "Envíelo por partes."),
    415: ("El servidor no recibe ese tipo de contenido.", "Envíelo desde la página."),
    422: ("Algo de lo enviado no se pudo leer; no se guardó nada.", "Revise los campos e intente de nuevo."),
    429: ("Hubo demasiados intentos seguidos desde esta red.", "Espere unos minutos e intente de nuevo."),
    503: ("El servicio no responde en este momento.", "Espere un momento e intente de nuevo."),
}
UNEXPECTED = (
    "Algo falló de nuestro lado y la acción no se hizo; lo que ya estaba guardado sigue igual.",
    "Intente de nuevo. Si se repite, dé este número a quien le da soporte.",
)
DISK_FULL = (
    "El disco está lleno; la acción no se hizo y lo anterior está intacto.",
    "Avise a quien administra el servidor e intente después.",
)
STALE_FORM = (
    "Esta página estuvo abierta demasiado tiempo y su permiso para enviar venció; no se guardó nada.",
    "Recárguela y envíe de nuevo: lo que escribió se conserva en este navegador.",
)


def install(app: Flask) -> None:
    """Make `app` answer every error through this module."""
    app.register_error_handler(RadicaError, _known)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OSError, _system)
    app.register_error_handler(Exception, _unexpected)


def status_of(error: RadicaError) -> int:
    """Return the HTTP status of a refusal."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def _known(error: RadicaError) -> Response:
    status = status_of(error)
    if status >= 500:
        log.warning("no disponible incidente=%s codigo=%s", _number(), error.code)
    return answer(status, error.message, error.todo, code=error.code)


def _csrf(_error: CSRFError) -> Response:
    message, todo = STALE_FORM
    return answer(400, message, todo, code="formulario_vencido")


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if isinstance(error, InternalServerError):
        return _unexpected(error.original_exception or error)
    if error.response is not None or status < 400:
        return make_response(error.get_response())
    message, todo = HTTP.get(status, HTTP[400])
    response = answer(status, message, todo, code=f"http_{status}")
    if status == 405 and (allowed := dict(error.get_headers()).get("Allow")):
        response.headers["Allow"] = allowed
    return response


def _system(error: OSError) -> Response:
    if error.errno not in NO_ROOM:
        return _unexpected(error)
    message, todo = DISK_FULL
    return _known(Unavailable(message, todo=todo, code="disco_lleno"))


def _unexpected(error: BaseException) -> Response:
    place = str(request.url_rule) if request.url_rule else "sin_ruta"
    log.error("error inesperado incidente=%s ruta=%s", _number(), place, exc_info=error)
    message, todo = UNEXPECTED
    return answer(500, message, todo, code="inesperado")


def answer(status: int, message: str, todo: str, *, code: str) -> Response:
    """Return an error answer in the form that the request asks for."""
    number = _number()
    if wants_json():
        body = {"codigo": code, "mensaje": message, "que_hacer": todo, "incidente": number}
        response = jsonify(error=body)
    elif is_fragment():
        response = make_response(render_template("errores/fragmento.html", message=message, todo=todo, number=number))
        # The message goes to the page's notices and leaves the person's place in the page alone.
        response.headers["HX-Retarget"] = "#avisos"
        response.headers["HX-Reswap"] = "innerHTML show:top"
    else:
        page = render_template(
            "errores/pagina.html", status=status, message=message, todo=todo, number=number, start=_start()
        )
        response = make_response(page)
    response.status_code = status
    return response


def _start() -> str:
    return url_for("inicio") if "inicio" in current_app.view_functions else "/"


def _number() -> str:
    # The guard numbers each request; an error before it (a broken request line) still needs one.
    value: str = g.get("radica_request_id", "0" * 8)
    return f"{value[:4]}-{value[4:]}"


def install_request_log(app: Flask) -> None:
    """Write one line per request: its rule and ids, never the query or what was searched."""

    @app.after_request
    def line(response: Response) -> Response:
        if request.endpoint != "static":
            ids = {name: value for name, value in (request.view_args or {}).items() if isinstance(value, int)}
            who = g.get("radica_person")
            event(
                log,
                "peticion",
                numero=_number(),
                metodo=request.method,
                ruta=request.url_rule.rule if request.url_rule else "sin_ruta",
                **ids,
                estado=response.status_code,
                usuario=who.id if who else None,
            )
        return response
