"""The p1 portal: the SOAT claimant form of an insurer, in the Previsora style (claimant type + NIT, no password).

Invariant: ``POST /recepcion-reclamacion/guardar`` is the only request after which this payer may hold a filing. Its lookup
(on blur of the invoice number) says that an invoice is known, never under which code; no document is ever issued.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from flask import Flask, g, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from bots.simulador.cities import CITIES
from bots.simulador.documents import Upload, pdf_problem
from bots.simulador.ledger import Submit
from bots.simulador.portal import Portal, Session, install
from bots.simulador.receipt import Receipt, lost_answer, receive, refused

COOKIE: Final = "portal_sesion"
Answer = BaseResponse | tuple[BaseResponse, int]
CLAIMANTS: Final = ("IPS", "PERSONA NATURAL", "APODERADO", "TRANSPORTADOR")
BRANCHES: Final = {"SOAT": "SOAT", "AP": "ACCIDENTES PERSONALES"}
COVERS: Final = {
    "GMQ": "GASTOS MÉDICOS, QUIRÚRGICOS, FARMACÉUTICOS Y HOSPITALARIOS",
    "GTM": "GASTOS DE TRANSPORTE Y MOVILIZACIÓN",
    "IP": "INCAPACIDAD PERMANENTE",
}
ACCOUNTS: Final = {"1": "PRIMERA VEZ", "3": "RESPUESTA A GLOSA U OBJECIÓN", "5": "ACEPTACIÓN O LIQUIDACIÓN"}
ACTS: Final = {"1": "radicacion", "3": "respuesta", "5": "aceptacion"}

FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "v1": {
        "reclamante": "sl-tipo-reclamante",
        "nit": "txt-nit",
        "ingresar": "btn-ingresar",
        "ciudad": "sl-ciudades",
        "factura": "txt-num-factura",
        "email": "txt-email",
        "usuario": "txt-usuario-registra",
        "ramo": "sl-ramo",
        "amparo": "sl-tipo-amparo",
        "cuenta": "sl-tipo-cuenta",
        "furips": "str_bytes_archivo_furips",
        "archivo_factura": "str_bytes_archivo_factura",
        "historia": "f-archivo-historia-clinica",
        "soporte": "str_bytes_soporte_historia_clinica",
        "otros": "str_bytes_archivo_otros",
        "enviar": "btn_enviar_datos1",
        "enviar_respuesta": "btn-enviar-datos2y3",
    },
    "v2": {
        "reclamante": "cbo-reclamante",
        "nit": "txt-identificacion",
        "ingresar": "btn-continuar",
        "ciudad": "cbo-municipio",
        "factura": "txt-factura",
        "email": "txt-correo",
        "usuario": "txt-usuario",
        "ramo": "cbo-ramo",
        "amparo": "cbo-amparo",
        "cuenta": "cbo-cuenta",
        "furips": "file-furips",
        "archivo_factura": "file-factura",
        "historia": "file-historia",
        "soporte": "file-soporte",
        "otros": "file-otros",
        "enviar": "btn-enviar-primera",
        "enviar_respuesta": "btn-enviar-respuesta",
    },
}
FILES_FIRST: Final = {
    "furips": "FURIPS",
    "archivo_factura": "FACTURA",
    "historia": "HISTORIA CLÍNICA",
    "soporte": "SOPORTE",
}
OPTIONAL: Final = ("soporte",)


def create_app(portal: Portal) -> Flask:
    """The Flask application of one p1 portal."""
    app = Flask("bots.simulador")
    install(app, portal)

    @app.context_processor
    def _common() -> dict[str, Any]:
        return {
            "payer": portal.config.payer_name or "La Previsión Simulada Seguros",
            "f": FIELDS[portal.config.layout],
            "session": _session(portal),
        }

    _login_routes(app, portal)
    _form_routes(app, portal)
    return app


def _session(portal: Portal) -> Session | None:
    if "portal_session" not in g:
        g.portal_session = portal.session(request.cookies.get(COOKIE, ""))
    found: Session | None = g.portal_session
    return found


def _lost_json() -> Answer:
    return jsonify(estado="sesion", mensaje="La sesión ha caducado. Ingrese nuevamente."), 401


def _login_routes(app: Flask, portal: Portal) -> None:
    @app.get("/")
    def login() -> str:
        notice = "La sesión ha caducado. Ingrese nuevamente." if request.args.get("caducada") else ""
        captcha = portal.strikes("captcha") is not None
        return render_template("p1/login.html", notice=notice, claimants=CLAIMANTS, captcha=captcha)

    @app.post("/")
    def enter() -> Answer | str:
        names = FIELDS[portal.config.layout]
        nit = request.form.get(names["nit"], "").strip()
        claimant = request.form.get(names["reclamante"], "")
        error = ""
        captcha = portal.strikes("captcha") is not None or "captcha" in request.form
        if captcha:
            error = "Confirme que no es un robot."
        elif claimant not in CLAIMANTS or not re.fullmatch(r"\d{6,10}", nit):
            error = "Seleccione el tipo de reclamante y digite el NIT sin dígito de verificación."
        elif (portal.config.nits and nit not in portal.config.nits) or portal.strikes("login_fails"):
            error = f"El NIT {nit} no se encuentra habilitado para radicar reclamaciones."
        if error:
            return render_template("p1/login.html", error=error, claimants=CLAIMANTS, captcha=captcha)
        answer = redirect(url_for("claim_form"), 303)
        answer.set_cookie(COOKIE, portal.open_session(nit, nit, f"{claimant} {nit}"), httponly=True, samesite="Lax")
        return answer

    @app.get("/salir")
    def leave() -> Answer:
        portal.close_session(request.cookies.get(COOKIE, ""))
        return redirect(url_for("login"))


def _form_routes(app: Flask, portal: Portal) -> None:
    @app.get("/recepcion-reclamacion")
    def claim_form() -> Answer | str:
        session = _session(portal)
        if session is None:
            return redirect(url_for("login", caducada=1))
        session.form_key = secrets.token_hex(8)
        return render_template(
            "p1/reclamacion.html",
            cities=CITIES,
            branches=BRANCHES,
            covers=COVERS,
            accounts=ACCOUNTS,
            form_key="" if portal.strikes("missing_form_key") else session.form_key,
            earlier=(portal.ledger.last_accepted() or {"radicado": "240999"})["radicado"],
            max_mb=portal.config.max_file_bytes // (1024 * 1024),
        )

    @app.get("/recepcion-reclamacion/consulta-factura")
    def lookup() -> Answer:
        session = _session(portal)
        if session is None:
            return _lost_json()
        number = request.args.get("numero", "").strip()
        known = _known(portal, session.nit, number)
        text = f"La factura {number} ya se encuentra registrada en el sistema." if known else ""
        return jsonify(estado="ok", numero=number, existe=known, mensaje=text)

    @app.post("/recepcion-reclamacion/validar")
    def precheck() -> Answer:
        if _session(portal) is None:
            return _lost_json()
        problem = _field_problem(portal)
        if problem:
            return jsonify(estado="error", mensaje=problem)
        again = portal.dice.chance("double_confirm", portal.config.double_confirm)
        return jsonify(estado="ok", confirmar=again)

    @app.post("/recepcion-reclamacion/guardar")
    def save() -> Answer:
        session = _session(portal)
        if session is None:
            owner = portal.owner(request.cookies.get(COOKIE, ""))
            if owner is not None:
                refused(portal, [_row(portal, owner)], "sesión vencida")
            return _lost_json()
        row = _row(portal, session)
        problem = "" if request.form.get("form_key") == session.form_key else "La clave del formulario no es válida."
        problem = problem or _field_problem(portal) or _file_problem(portal)
        if problem:
            refused(portal, [row], problem)
            return jsonify(estado="rechazada", mensaje=problem)
        receipt = receive(portal, [row], lambda serial: str(241000 + serial), _known_text)
        return _answer(portal, receipt)


def _answer(portal: Portal, receipt: Receipt) -> Answer:
    lost = lost_answer(portal, receipt)
    if lost is not None:
        return lost
    row = receipt.rows[0]
    if receipt.fate == "stale":  # the page itself still holds the box of the earlier claim
        return jsonify(estado="ok", anterior=True)
    if not receipt.accepted:
        return jsonify(estado="rechazada", mensaje=row.reason)
    portal.wait(portal.config.code_delay_s)
    if receipt.fate == "silent":
        return jsonify(estado="ok", silencio=True)
    if receipt.fate == "without_number" or portal.config.acuse == "none":
        return jsonify(estado="ok", factura=row.invoice, mensaje="La reclamación fue registrada.")
    return jsonify(estado="ok", factura=row.invoice, codigo=row.radicado, mensaje=f"Tu codigo es: '{row.radicado}'")


def _known_text(invoice: str, _filed_at: str, _radicado: str) -> str:
    return f"La factura {invoice} ya se encuentra registrada en el sistema."


def _known(portal: Portal, nit: str, number: str) -> bool:
    if any(item.numero == number and item.nit in ("", nit) for item in portal.config.known):
        return True
    return bool(number and portal.ledger.visible(nit, number, datetime.now(UTC)))


def _value(portal: Portal, key: str) -> str:
    return request.form.get(FIELDS[portal.config.layout][key], "").strip()


def _field_problem(portal: Portal) -> str:
    """The first thing wrong with the typed fields, as the page says it."""
    if _value(portal, "ciudad") not in CITIES:
        return "Seleccione la ciudad de la reclamación."
    if not re.fullmatch(r"[A-Za-z0-9-]{1,20}", _value(portal, "factura")):
        return "Digite el número de la factura."
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", _value(portal, "email")):
        return "El correo electrónico no es válido."
    if not _value(portal, "usuario"):
        return "Digite el nombre del usuario que registra."
    if _value(portal, "ramo") not in BRANCHES:
        return "Seleccione el ramo."
    if _value(portal, "amparo") not in COVERS:
        return "Seleccione el tipo de amparo."
    if _value(portal, "cuenta") not in ACCOUNTS:
        return "Seleccione el tipo de cuenta."
    return ""


def _uploads(portal: Portal) -> dict[str, Upload]:
    names = FIELDS[portal.config.layout]
    keys = FILES_FIRST if _value(portal, "cuenta") == "1" else {"otros": "RESPUESTA"}
    if "uploads" not in g:
        g.uploads = {
            key: Upload(stored.filename, stored.stream.read(), role)
            for key, role in keys.items()
            if (stored := request.files.get(names[key])) is not None and stored.filename
        }
    found: dict[str, Upload] = g.uploads
    return found


def _file_problem(portal: Portal) -> str:
    uploads = _uploads(portal)
    needed = [key for key in FILES_FIRST if key not in OPTIONAL] if _value(portal, "cuenta") == "1" else ["otros"]
    missing = [FILES_FIRST.get(key, "RESPUESTA") for key in needed if key not in uploads]
    if missing:
        return f"Falta adjuntar: {', '.join(missing)}."
    for upload in uploads.values():
        problem = pdf_problem(upload, portal.config.max_file_bytes)
        if problem:
            return f"{upload.role}: {problem}"
    return ""


def _row(portal: Portal, session: Session) -> Submit:
    return Submit(
        provider_code=session.code,
        provider_nit=session.nit,
        invoice=_value(portal, "factura"),
        act=ACTS.get(_value(portal, "cuenta"), "radicacion"),
        value=None,
        files=tuple(item.seen() for item in _uploads(portal).values()),
        filed_at=portal.now().isoformat(),
    )
