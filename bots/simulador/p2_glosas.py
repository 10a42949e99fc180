"""The pages of p2 for objected accounts: bag of answers, paused accounts, answered accounts, and the answers themselves.

Invariant: opening assigns the account to the user; answering items only makes drafts; the only request that gives the
payer an answer is ``POST /app/glosas/cuenta/<id>/cerrar``. Closing gives no number and no document.
"""

import io
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any, Final

import xlsxwriter
from flask import Blueprint, Flask, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from bots.simulador.answers import CLOSED, IN_BAG, LIFTED, OPEN, PAUSED, Account, Answered, Refused, draft_of
from bots.simulador.portal import Portal, Session, bad_gateway, pesos

Answer = BaseResponse | tuple[BaseResponse, int]
Who = Callable[[], Session | None]

MASS_LIMIT: Final = 200
TYPES: Final[Mapping[str, str]] = {
    "999": "SUBSANADA",
    "998": "SUBSANADA PARCIAL",
    "997": "NO SUBSANADA",
    "996": "INJUSTIFICADA",
    "995": "EXTEMPORÁNEA",
}
BAG_COLUMNS: Final = (
    *("Cuenta", "Radicación", "Fecha radicación", "Prestador", "Factura", "Fecha factura", "Valor factura"),
    *("Valor glosado", "Ronda", "Opciones"),
)
SHEET_COLUMNS: Final = (
    *("Id Glosa", "Id Item", "Descripcion Item", "Tipo", "Descripcion", "Justificacion", "Valor Glosado"),
    *("Usuario", "Fecha", "Estado"),
)
DETAIL_COLUMNS: Final = ("Cuenta", "Radicación", "Factura", "Fecha factura", "Valor factura", "Valor glosado", "Ítems")
_LOST: Final = {
    "502_before_save": "no guardada por falla del servidor",
    "cut_connection_before_save": "no guardada por falla del servidor",
    "close_not_kept": "dijo que sí y no quedó cerrada",
}


def install_glosas(app: Flask, portal: Portal, who: Who) -> None:
    """Add the pages and controls; ``who`` tells the session of the request."""
    _pages(app, portal, who)
    _opening(app, portal, who)
    _answering(app, portal, who)
    app.register_blueprint(_controls(portal))


def _to_login() -> Answer:
    return redirect(url_for("login", caducada=1))


def _lost_json() -> Answer:
    return jsonify(estado="sesion", mensaje="Su sesión ha finalizado. Ingrese nuevamente."), 401


def _said_no(title: str, refused: Refused) -> Answer:
    return jsonify(estado="rechazada", titulo=title, mensaje=str(refused)), 409


def _pages(app: Flask, portal: Portal, who: Who) -> None:
    @app.get("/app/glosas/<any(bolsa, pausa):tray>")
    def glosas(tray: str) -> Answer | str:
        title = {"bolsa": "Bolsa Respuesta", "pausa": "En Pausa"}[tray]
        page = {"tray": tray, "title": title, "columns": BAG_COLUMNS, "types": TYPES, "today": portal.now().date()}
        return render_template("p2/glosas.html", **page, items=SHEET_COLUMNS) if who() else _to_login()

    @app.get("/app/glosas/<any(bolsa, pausa):tray>/datos")
    def tray_rows(tray: str) -> Answer:
        session = who()
        if session is None:
            return _lost_json()
        first, last = request.args.get("desde", ""), request.args.get("hasta", "")
        now, wanted = datetime.now(UTC), IN_BAG if tray == "bolsa" else PAUSED
        rows = [
            _bag_row(account)
            for account in portal.desk.accounts(session.nit)
            if account.shown(now) in {(wanted, ""), (wanted, session.code)}
            and (tray == "pausa" or _between(account, first, last))
        ]
        return jsonify(filas=rows)

    @app.get("/app/glosas/respondidas")
    def answered() -> Answer | str:
        return render_template("p2/respondidas.html") if who() else _to_login()

    @app.get("/app/glosas/respondidas/buscar")
    def answered_rows() -> Answer:
        session = who()
        if session is None:
            return _lost_json()
        number, now = request.args.get("factura", "").strip(), datetime.now(UTC)
        rows = [
            [
                *(account.id, account.radicado, account.invoice, str(closing.round)),
                *(closing.at.strftime("%d/%m/%Y %H:%M:%S"), closing.user, str(closing.items), pesos(closing.value)),
                CLOSED,
            ]
            for account in portal.desk.accounts(session.nit)
            for closing in account.closings
            if now >= closing.visible and number in ("", account.invoice)
        ]
        return jsonify(consulta=number, filas=rows)


def _between(account: Account, first: str, last: str) -> bool:
    try:
        return date.fromisoformat(first) <= account.filed_at.date() <= date.fromisoformat(last)
    except ValueError:
        return False


def _bag_row(account: Account) -> list[str]:
    return [
        *(account.id, account.radicado, account.filed_at.strftime("%d/%m/%Y %H:%M:%S"), account.provider),
        *(account.invoice, account.issued, pesos(account.value), pesos(account.objected), str(account.round)),
    ]


def _opening(app: Flask, portal: Portal, who: Who) -> None:
    def found(account_id: str) -> tuple[Session, Account] | None:
        session = who()
        return None if session is None else (session, portal.desk.get(account_id, session.nit))

    @app.post("/app/glosas/cuenta/<account_id>/abrir")
    def open_account(account_id: str) -> Answer:
        try:
            pair = found(account_id)
            if pair is None:
                return _lost_json()
            session, account = pair
            taken = portal.strikes("answer_account_taken", account.invoice)
            portal.desk.assign(
                account,
                session.code,
                disabled_s=portal.config.button_disabled_s,
                taken_by="COLEGA01" if taken else "",
            )
        except Refused as refused:
            return _said_no("No se asignó la cuenta", refused)
        return jsonify(estado="ok", titulo="¡Se ha asignado la cuenta!", mensaje=f"Cuenta {account.id}.")

    @app.get("/app/glosas/cuenta/<account_id>")
    def account_state(account_id: str) -> Answer:
        try:
            pair = found(account_id)
        except Refused as refused:
            return _said_no("Cuenta", refused)
        if pair is None:
            return _lost_json()
        session, account = pair
        if account.state != PAUSED or account.owner != session.code:
            return _said_no("Cuenta", Refused("La cuenta no está asignada a su usuario."))
        return jsonify(estado="ok", **_state(account))

    @app.get("/app/glosas/cuenta/<account_id>/<any(detalle, glosas):which>.xlsx")
    def sheet(account_id: str, which: str) -> Answer:
        try:
            pair = found(account_id)
        except Refused:
            return Response(render_template("comun/404.html"), status=404)
        if pair is None:
            return _to_login()
        account = pair[1]
        if which == "detalle":
            body = _workbook("DETALLE DE LA CUENTA", DETAIL_COLUMNS, [_detail(account)])
        else:
            body = _workbook("GLOSAS DE LA CUENTA", SHEET_COLUMNS, [_item_row(i)[:10] for i in account.items])
        headers = {"Content-Disposition": f'attachment; filename="{which}_{account.id}.xlsx"'}
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return Response(body, mimetype=kind, headers=headers)


def _state(account: Account) -> dict[str, Any]:
    """What the opened account shows; the last button is free once nothing is open and its pause is over."""
    enabled = time.monotonic() >= account.enabled_at
    return {"cuenta": account.id, "detalle": _detail(account), "glosas": [_item_row(i) for i in account.items]} | {
        "habilitado": enabled and all(item.state != OPEN for item in account.items)
    }


def _detail(account: Account) -> list[str]:
    return [
        *(account.id, account.radicado, account.invoice, account.issued, pesos(account.value)),
        *(pesos(account.objected), str(len(account.items))),
    ]


def _item_row(item: Any) -> list[str]:
    """The ten columns of the sheet, then the draft answer: type, text, file name."""
    draft: Answered | None = item.answer
    return [
        *(item.id_glosa, item.id_item, item.item, item.kind, item.description, item.reason, pesos(item.value)),
        *(item.user, item.at, item.state),
        *((draft.code, draft.text, draft.file_name) if draft and item.state != LIFTED else ("", "", "")),
    ]


def _workbook(title: str, headers: tuple[str, ...], rows: list[list[str]]) -> bytes:
    """A title row, then the headers, then the rows: as the payer's own download."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Hoja1")
        sheet.write(0, 0, title)
        for n, row in enumerate([list(headers), *rows], 1):
            sheet.write_row(n, 0, row)
    return out.getvalue()


def _answering(app: Flask, portal: Portal, who: Who) -> None:
    @app.post("/app/glosas/cuenta/<account_id>/responder")
    def answer(account_id: str) -> Answer:
        session = who()
        if session is None:
            return _lost_json()
        ids, bulk = request.form.getlist("idglosa"), request.form.get("masiva") == "1"
        if not ids or (bulk and len(ids) > MASS_LIMIT):
            return Response(render_template("comun/500.html"), status=500)
        stored = request.files.get("glosaRespFile")
        content = stored.stream.read() if stored is not None else b""
        name = (stored.filename or "") if stored is not None else ""
        try:
            account = portal.desk.get(account_id, session.nit)
            if content and (not content.startswith(b"%PDF-") or len(content) > portal.config.max_file_bytes):
                raise Refused("El archivo debe ser un PDF que no supere el tamaño permitido.")
            refused_file = portal.strikes("answer_file_refused", account.invoice) if content else None
            if refused_file:
                raise Refused(refused_file.reason or f"No fue posible cargar el archivo {name}.")
            code = request.form.get("glosaRespTipo", "")
            if code not in TYPES:
                raise Refused("Seleccione el tipo de respuesta.")
            draft = draft_of(code, request.form.get("glosaRespObs", ""), name, content, session.code, portal.now())
            lost = "dijo que sí y no quedó" if portal.strikes("answer_not_kept", account.invoice) else ""
            portal.desk.answer(account, ids, session.code, draft, bulk=len(ids) if bulk else 0, lost=lost)
        except Refused as refused:
            return _said_no("No se guardó la respuesta", refused)
        if portal.strikes("answer_then_session_lost", account.invoice):
            portal.close_session(request.cookies.get("PHPSESSID", ""))
        if portal.strikes("answer_502_after_save", account.invoice):
            return bad_gateway()
        if portal.strikes("answer_cut_after_save", account.invoice):
            return portal.cut()
        return jsonify(estado="ok", titulo="¡Respuesta guardada!", mensaje=f"Ítems respondidos: {len(ids)}.")

    @app.post("/app/glosas/cuenta/<account_id>/cerrar")
    def finish(account_id: str) -> Answer:
        session = who()
        if session is None:
            return _lost_json()
        try:
            account = portal.desk.get(account_id, session.nit)
            return _finish(portal, session, account)
        except Refused as refused:
            return _said_no("No se cerró la cuenta", refused)


def _finish(portal: Portal, session: Session, account: Account) -> Answer:
    """The point of no return: record the closing, then answer, or fail to, as the faults say. Refused: not closed."""
    lost = next((mode for mode in _LOST if portal.strikes(mode, account.invoice)), "")
    refusal = None if lost else portal.strikes("reject", account.invoice)
    if refusal:
        lost = refusal.reason or "La respuesta está fuera de término."
    portal.desk.finish(
        account,
        session.code,
        now=portal.now(),
        lag_s=portal.config.query_lag_s,
        repeatable=not portal.config.detect_duplicates,
        lost=_LOST.get(lost, lost),
    )
    if refusal:
        raise Refused(lost)
    after = next(
        (m for m in ("502", "cut_connection", "hang") if portal.strikes(f"{m}_after_save", account.invoice)), ""
    )
    fate = after or lost
    if fate.startswith("502"):
        return bad_gateway()
    if fate.startswith("cut_connection"):
        return portal.cut()
    if fate == "hang":
        return portal.hang()
    if portal.strikes("popup_never_shown", account.invoice):
        return jsonify(estado="ok", silencio=True)
    text = f"La cuenta {account.id} fue enviada a revisión."
    return jsonify(estado="ok", titulo="¡Usted ha cerrado una cuenta!", mensaje=text, cuenta=account.id)


def _controls(portal: Portal) -> Blueprint:
    """JSON over loopback (the guard of ``/__sim/`` stands in the portal's own controls)."""
    controls = Blueprint("sim_glosas", __name__, url_prefix="/__sim/glosas")
    controls.before_request(portal.loopback_only)

    @controls.get("")
    def _show() -> Response:
        desk = portal.desk
        accounts = [
            {
                "cuenta": one.id,
                "nit": one.nit,
                "factura": one.invoice,
                "estado": one.state,
                "ronda": one.round,
                "usuario": one.owner,
                "items": [
                    {"id_glosa": i.id_glosa, "estado": i.state, "valor": i.value, "respuesta": _item_row(i)[10:]}
                    for i in one.items
                ],
                "cierres": [{"ronda": c.round, "fecha": c.at.isoformat(), "usuario": c.user} for c in one.closings],
            }
            for one in desk.accounts()
        ]
        return jsonify(cuentas=accounts, counts=desk.ledger.counts(), rows=desk.ledger.rows())

    @controls.post("")
    def _put() -> Answer:
        raw = json.loads(request.get_data() or b"{}")
        try:
            made = [put_account(portal, one).id for one in raw["cuentas"]]
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            return jsonify(error=f"cuenta incompleta: {error}"), 400
        return jsonify(cuentas=made)

    @controls.post("/decidir")
    def _decide() -> Answer:
        raw = json.loads(request.get_data() or b"{}")
        done = []
        for account in portal.desk.accounts():
            if raw.get("cuenta", account.id) == account.id and raw.get("factura", account.invoice) == account.invoice:
                with suppress(Refused):
                    portal.desk.decide(account, raw.get("items", {}), raw.get("todas", "RATIFICADA"))
                    done.append(account.id)
        return jsonify(cuentas=done)

    return controls


def put_account(portal: Portal, raw: Mapping[str, Any]) -> Account:
    """Put an objected account in the bag; what the portal knows of its filing fills what ``raw`` does not say."""
    filed = portal.ledger.earlier(str(raw["nit"]), str(raw["factura"]), "radicacion")
    return portal.desk.put(raw, now=portal.now(), filed=filed)
