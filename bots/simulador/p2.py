"""The p2 portal: an EPS *cuentas médicas* site with login, draft account, final button, constancia and query page.

Invariant: the only request after which this payer may hold a filing is ``POST /app/radicar/cuenta/<id>/radicar``; every
request before it is repeatable. Names of fields change with ``layout`` v2, their meaning does not.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from flask import Flask, Response, g, jsonify, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from bots.simulador.account import Block, Draft, Drafts, make_draft
from bots.simulador.constancia import Line, constancia
from bots.simulador.documents import Upload
from bots.simulador.ledger import Submit, duplicate_text
from bots.simulador.p2_glosas import install_glosas
from bots.simulador.portal import Portal, Session, install, pesos
from bots.simulador.receipt import lost_answer, receive, refused

COOKIE: Final = "PHPSESSID"
PERIODS: Final = 24
Answer = BaseResponse | tuple[BaseResponse, int]

FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "v1": {
        "usuario": "usuarioIngreso",
        "clave": "contraseniaIngreso",
        "entrar": "validarSesion",
        "periodo": "periodo",
        "contrato": "contrato",
        "fev": "fevXml",
        "rips": "ripsJson",
        "cuv": "cuvTexto",
        "cuv_archivo": "cuvArchivo",
        "soportes": "soportes",
        "cargar": "btnCargarCuenta",
        "radicar": "btnRadicarCuenta",
        "buscar": "numeroFactura",
        "consultar": "btnConsultarRadicacion",
        "tabla": "tablaRadicaciones",
    },
    "v2": {
        "usuario": "codPrestador",
        "clave": "passPrestador",
        "entrar": "btnIniciarSesion",
        "periodo": "periodoCuenta",
        "contrato": "idContrato",
        "fev": "archivoFactura",
        "rips": "archivoRips",
        "cuv": "codigoCuv",
        "cuv_archivo": "archivoCuv",
        "soportes": "archivosSoporte",
        "cargar": "btnSubirCuenta",
        "radicar": "btnEnviarCuenta",
        "buscar": "txtFactura",
        "consultar": "btnBuscarFactura",
        "tabla": "gridRadicaciones",
    },
}


def make_number(portal: Portal) -> Callable[[int], str]:
    """The radicado of this payer: ``RAD-<n>_<AAAAMMDD>_<HHMMSS>``."""
    return lambda serial: f"RAD-{38000 + serial}_{portal.now():%Y%m%d_%H%M%S}"


def create_app(portal: Portal) -> Flask:
    """The Flask application of one p2 portal."""
    app = Flask("bots.simulador")
    install(app, portal)
    drafts = Drafts()

    @app.context_processor
    def _common() -> dict[str, Any]:
        return {
            "payer": portal.config.payer_name or "EPS Simulada Salud del Valle",
            "f": FIELDS[portal.config.layout],
            "session": _session(portal),
        }

    _login_routes(app, portal)
    _filing_routes(app, portal, drafts)
    _query_routes(app, portal)
    install_glosas(app, portal, lambda: _session(portal))
    return app


def _session(portal: Portal) -> Session | None:
    """The session of this request, asked for once: a lost session is lost for the whole page."""
    if "portal_session" not in g:
        g.portal_session = portal.session(request.cookies.get(COOKIE, ""))
    found: Session | None = g.portal_session
    return found


def _to_login() -> Answer:
    return redirect(url_for("login", caducada=1))


def _lost_json() -> Answer:
    return jsonify(estado="sesion", mensaje="Su sesión ha finalizado. Ingrese nuevamente."), 401


def _login_routes(app: Flask, portal: Portal) -> None:
    @app.get("/")
    def root() -> Answer:
        return redirect(url_for("login"))

    @app.get("/app")
    def login() -> str:
        notice = "Su sesión ha finalizado. Ingrese nuevamente." if request.args.get("caducada") else ""
        return render_template("p2/login.html", notice=notice, captcha=portal.strikes("captcha") is not None)

    @app.post("/app")
    def enter() -> Answer | str:
        names = FIELDS[portal.config.layout]
        code, key = request.form.get(names["usuario"], "").strip(), request.form.get(names["clave"], "")
        captcha = portal.strikes("captcha") is not None or "captcha" in request.form
        if captcha:
            return render_template("p2/login.html", error="Confirme que no es un robot.", captcha=True)
        user = next((item for item in portal.config.users if item.usuario == code and item.clave == key), None)
        if user is None or portal.strikes("login_fails"):
            return render_template("p2/login.html", error="Usuario o contraseña incorrectos.", captcha=False)
        token = portal.open_session(user.usuario, user.nit, user.nombre or user.usuario)
        answer = redirect(url_for("home"), 303)
        answer.set_cookie(COOKIE, token, httponly=True, samesite="Lax")
        return answer

    @app.get("/app/salir")
    def leave() -> Answer:
        portal.close_session(request.cookies.get(COOKIE, ""))
        return redirect(url_for("login"))

    @app.get("/app/inicio")
    def home() -> Answer | str:
        return render_template("p2/inicio.html", today=portal.now()) if _session(portal) else _to_login()


def _filing_routes(app: Flask, portal: Portal, drafts: Drafts) -> None:
    @app.get("/app/radicar")
    def file_form() -> Answer | str:
        if _session(portal) is None:
            return _to_login()
        now = portal.now()
        months = now.year * 12 + now.month - 1
        periods = [f"{(months - back) // 12:04d}-{(months - back) % 12 + 1:02d}" for back in range(PERIODS)]
        return render_template("p2/radicar.html", periods=periods)

    @app.post("/app/radicar/borrador")
    def upload() -> Answer:
        session = _session(portal)
        if session is None:
            return _lost_json()
        if portal.strikes("upload_broken"):
            return jsonify(estado="error", mensaje="No fue posible cargar los archivos. Intente nuevamente."), 500
        names = FIELDS[portal.config.layout]
        blocks = _blocks(names)
        if not blocks:
            return jsonify(estado="error", mensaje="Debe cargar al menos una factura."), 400
        period, contract = request.form.get(names["periodo"], ""), request.form.get(names["contrato"], "")
        if not period or not contract:
            return jsonify(estado="error", mensaje="Seleccione el período y el contrato."), 400
        draft = make_draft(portal, session, period, contract, blocks)
        drafts.add(draft)
        return jsonify(estado="ok", cuenta=draft.id)

    @app.get("/app/radicar/borrador/<draft_id>")
    def validation(draft_id: str) -> Answer:
        session = _session(portal)
        if session is None:
            return _lost_json()
        draft = drafts.get(draft_id, session.code)
        if draft is None:
            return jsonify(estado="error", mensaje="La cuenta no existe o pertenece a otro usuario."), 404
        return jsonify(draft.as_json())

    @app.post("/app/radicar/cuenta/<draft_id>/radicar")
    def file_account(draft_id: str) -> Answer:
        session = _session(portal)
        owner = session or portal.owner(request.cookies.get(COOKIE, ""))
        draft = drafts.get(draft_id, owner.code) if owner else None
        if owner is None or (session is None and draft is None):
            return _lost_json()
        if draft is None:
            return jsonify(estado="error", mensaje="La cuenta no existe o pertenece a otro usuario."), 404
        if session is None:
            refused(portal, _submits(portal, owner, draft), "sesión vencida")
            return _lost_json()
        state = draft.as_json()
        if not state.get("habilitado"):
            refused(portal, _submits(portal, session, draft), state["mensaje"])
            return jsonify(estado="rechazada", titulo="No se radicó la cuenta", mensaje=state["mensaje"]), 409
        return _receive(portal, session, draft)


def _blocks(names: Mapping[str, str]) -> list[Block]:
    """The invoice blocks of the form, numbered from 1 without gaps."""
    blocks: list[Block] = []
    while any(f"{names[key]}_{len(blocks) + 1}" in request.files for key in ("fev", "rips", "cuv_archivo", "soportes")):
        n = len(blocks) + 1
        supports = [_upload(item, "SOPORTE") for item in request.files.getlist(f"{names['soportes']}_{n}")]
        blocks.append(
            Block(
                fev=_upload(request.files.get(f"{names['fev']}_{n}"), "FEV"),
                rips=_upload(request.files.get(f"{names['rips']}_{n}"), "RIPS"),
                cuv_text=request.form.get(f"{names['cuv']}_{n}", ""),
                cuv_file=_upload(request.files.get(f"{names['cuv_archivo']}_{n}"), "CUV"),
                supports=tuple(item for item in supports if item is not None),
            )
        )
    return blocks


def _upload(stored: FileStorage | None, role: str) -> Upload | None:
    if stored is None or not stored.filename:
        return None
    return Upload(stored.filename, stored.stream.read(), role)


def _submits(portal: Portal, session: Session, draft: Draft) -> list[Submit]:
    """The rows of a final submit, one per invoice, before the decision."""
    filed_at = portal.now().isoformat()
    return [
        Submit(
            provider_code=session.code,
            provider_nit=item.nit,
            invoice=item.number,
            act="radicacion",
            value=str(item.value),
            files=item.files,
            filed_at=filed_at,
        )
        for item in draft.invoices
    ]


def _receive(portal: Portal, session: Session, draft: Draft) -> Answer:
    """The point of no return: record what was received, then answer, or fail to, as the faults say."""
    submits = _submits(portal, session, draft)
    filed_at = datetime.fromisoformat(submits[0].filed_at or "")
    receipt = receive(portal, submits, make_number(portal), duplicate_text)
    lost = lost_answer(portal, receipt)
    if lost is not None:
        return lost
    if receipt.fate == "stale":
        return jsonify(_closing(portal, *_earlier(portal, receipt.earlier)))
    if not receipt.accepted:
        return jsonify(estado="rechazada", titulo="No se radicó la cuenta", mensaje=receipt.rows[0].reason)
    if receipt.fate == "silent":
        return jsonify(estado="ok", silencio=True)
    numbers = tuple(item.number for item in draft.invoices)
    hidden = receipt.fate == "without_number"
    return jsonify(_closing(portal, receipt.rows[0].radicado or "", filed_at, numbers, hide_number=hidden))


def _earlier(portal: Portal, row: dict[str, Any] | None) -> tuple[str, datetime, tuple[str, ...]]:
    """The filing whose message is still on a page that was not refreshed; an invented one when there is none."""
    if row is None:
        return "RAD-37999_20260102_080000", datetime.fromisoformat("2026-01-02T08:00:00"), ("FEV0",)
    invoices = tuple(item["invoice"] for item in portal.ledger.by_radicado(row["radicado"]))
    return row["radicado"], datetime.fromisoformat(row["filed_at"]), invoices


def _closing(
    portal: Portal, radicado: str, filed_at: datetime, numbers: tuple[str, ...], *, hide_number: bool = False
) -> dict[str, Any]:
    """The closing message: what the page puts into its last dialog."""
    acuse = portal.config.acuse or "pdf"
    stamp = filed_at.strftime("%d/%m/%Y %H:%M:%S")
    listed = ", ".join(numbers)
    if hide_number or acuse == "none":
        text = f"La cuenta con la(s) factura(s) {listed} fue recibida el {stamp} y se encuentra en trámite."
        return {"estado": "ok", "titulo": "Cuenta recibida", "mensaje": text, "facturas": list(numbers)}
    link = url_for("constancia_pdf", radicado=radicado) if acuse == "pdf" else None
    return {
        "estado": "ok",
        "titulo": "¡Radicación exitosa!",
        "mensaje": f"Se radicó la cuenta con el número {radicado} el {stamp}. Factura(s): {listed}.",
        "radicado": radicado,
        "fecha": stamp,
        "facturas": list(numbers),
        "constancia": link,
    }


def _query_routes(app: Flask, portal: Portal) -> None:
    @app.get("/app/radicaciones")
    def query_page() -> Answer | str:
        return render_template("p2/consultar.html") if _session(portal) else _to_login()

    @app.get("/app/radicaciones/buscar")
    def search() -> Answer:
        session = _session(portal)
        if session is None:
            return _lost_json()
        number = request.args.get("numero", "").strip()
        now, nit = datetime.now(UTC), session.nit or None
        rows = portal.ledger.visible(nit, number, now) if number else portal.ledger.recent(nit, now)
        found = [_query_row(row["radicado"], row["filed_at"], row["invoice"], row["value"]) for row in rows]
        found += [
            _query_row(known.radicado, known.fecha, known.numero, known.valor)
            for known in portal.config.known
            if known.radicado and known.numero == number and known.nit in ("", session.nit)
        ]
        return jsonify(consulta=number, filas=found)

    @app.get("/app/radicaciones/<radicado>/constancia.pdf")
    def constancia_pdf(radicado: str) -> Answer:
        session = _session(portal)
        if session is None:
            return _to_login()
        rows = portal.ledger.by_radicado(radicado)
        if not rows or (session.nit and rows[0]["provider_nit"] != session.nit):
            return Response(render_template("comun/404.html"), status=404)
        if portal.strikes("constancia_fails", *(row["invoice"] for row in rows)):
            return Response(render_template("comun/500.html"), status=500)
        total = sum((Decimal(row["value"] or 0) for row in rows), Decimal(0))
        body = constancia(
            payer=portal.config.payer_name or "EPS Simulada Salud del Valle",
            radicado=radicado,
            filed_at=datetime.fromisoformat(rows[0]["filed_at"]).strftime("%d/%m/%Y %H:%M:%S"),
            code=rows[0]["provider_code"],
            nit=rows[0]["provider_nit"],
            provider=session.name,
            lines=[Line(row["invoice"], pesos(row["value"]), len(row["files"])) for row in rows],
            total=pesos(str(total)),
        )
        name = f"constancia_{radicado}.pdf"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(body, mimetype="application/pdf", headers=headers)


def _query_row(radicado: str, filed_at: str, invoice: str, value: str) -> dict[str, str]:
    return {
        "radicado": radicado,
        "fecha": datetime.fromisoformat(filed_at).strftime("%d/%m/%Y %H:%M:%S"),
        "factura": invoice,
        "valor": pesos(value),
        "estado": "RADICADA",
        "constancia": url_for("constancia_pdf", radicado=radicado),
    }
