"""Entering, leaving, one's own account, and the provider switch.

Invariant: the answer to a failed entry never tells whether the person exists or is locked; passwords and codes are
checked outside of any writing transaction, because each takes a fifth of a second.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Blueprint, Response, flash, make_response, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from radica.kernel.errors import BadInput, NotFound
from radica.kernel.web import (
    SESSION_COOKIE,
    allow_anyone,
    current,
    db_session,
    go,
    now,
    optional_person,
    person,
    public,
    safe_next,
)
from radica.users import login
from radica.users.forms import CodeForm, EmptyForm, LoginForm, PasswordForm, RemoveFactorForm
from radica.users.models import Sesion, Usuario
from radica.users.passwords import enrolment_uri, matches, new_secret
from radica.users.qr import qr_path

blueprint = Blueprint("users", __name__)

PENDING = "segundo_paso"
"""In the signed cookie: who gave the right password and still owes the code."""
PENDING_LASTS = timedelta(minutes=5)
DRAFT_SECRET = "secreto_nuevo"  # noqa: S105 - the name under which it stands in the signed cookie
REFUSED = "El correo o la contraseña no corresponden, o la cuenta está en pausa por varios intentos."
TOO_MANY = "Hubo demasiados intentos desde esta red. Espere unos minutos."


@blueprint.route("/entrar", methods=["GET", "POST"])
@public
def entrar() -> ResponseReturnValue:
    """Ask for address and password."""
    form = LoginForm()
    target = safe_next(request.values.get("next"))
    if optional_person() is not None:
        return go(target or url_for("inicio"))
    form.next.data = target or ""
    if not form.validate_on_submit():
        return _login_page(form, status=422 if form.is_submitted() else 200)
    frame, moment, address = current(), now(), request.remote_addr or "?"
    if frame.login_failures.full(address, moment):
        return _login_page(form, status=429, refused=TOO_MANY)
    with frame.database.read() as reading:
        candidate = login.login_candidate(reading, form.correo.data, frame.hasher)
    matched = matches(candidate.clave_hash, form.clave.data, frame.hasher)
    token = None
    with frame.database.write() as writing:
        user = login.settle_login(writing, candidate, matched=matched, at=moment)
        if user is not None and user.segundo_factor is None:
            token = login.open_session(writing, user, moment)
    if user is None:
        frame.login_failures.add(address, moment)
        return _login_page(form, status=422, refused=REFUSED)
    session.clear()  # a token that proves the page, made before the entry, is not good after it
    if token is not None:
        return _enter(token, target)
    session[PENDING] = {"usuario": user.id, "at": moment.isoformat(), "next": target}
    return go(url_for("users.codigo"))


@blueprint.route("/entrar/codigo", methods=["GET", "POST"])
@public
def codigo() -> ResponseReturnValue:
    """Ask for the code of the second factor."""
    pending, moment = session.get(PENDING), now()
    if not pending or moment - datetime.fromisoformat(pending["at"]) > PENDING_LASTS:
        session.pop(PENDING, None)
        return go(url_for("users.entrar", next=pending["next"] if pending else None))
    form = CodeForm()
    if not form.validate_on_submit():
        return render_template("users/codigo.html", form=form), 422 if form.is_submitted() else 200
    frame, address = current(), request.remote_addr or "?"
    token = None
    if not frame.login_failures.full(address, moment):
        with frame.database.write() as writing:
            user = login.check_code(
                writing, pending["usuario"], code=form.codigo.data, key=frame.second_factor_key, at=moment
            )
            token = login.open_session(writing, user, moment) if user else None
    if token is None:
        frame.login_failures.add(address, moment)
        form.codigo.errors = ["El código no corresponde, ya se usó, o la cuenta está en pausa por varios intentos."]
        return render_template("users/codigo.html", form=form), 422
    session.clear()
    return _enter(token, safe_next(pending["next"]))


def _enter(token: str, target: str | None) -> Response:
    answer = go(target or url_for("inicio"))
    answer.set_cookie(
        SESSION_COOKIE, token, httponly=True, samesite="Lax", secure=current().settings.secure_cookies, path="/"
    )
    return answer


def _login_page(form: LoginForm, *, status: int, refused: str = "") -> Response:
    expired = request.args.get("vencida") == "1" and not form.is_submitted()
    return make_response(render_template("users/entrar.html", form=form, refused=refused, expired=expired), status)


@blueprint.post("/salir")
@allow_anyone
def salir() -> ResponseReturnValue:
    """End the session, here and in the database."""
    login.close_session(db_session(), person().sesion_id, now())
    session.clear()
    answer = go(url_for("users.entrar"))
    answer.delete_cookie(SESSION_COOKIE, path="/", samesite="Lax", httponly=True)
    return answer


@blueprint.post("/prestador")
@allow_anyone
def cambiar_prestador() -> ResponseReturnValue:
    """Turn the switch to one granted provider, or to all."""
    chosen = request.form.get("prestador_id", type=int)
    if chosen is not None and chosen not in person().granted():
        raise NotFound
    login.choose_provider(db_session(), person().sesion_id, chosen)
    # A page of one thing stays reachable: `load_for` asks for the grant, not for the switch.
    return go(safe_next(request.form.get("volver")) or url_for("inicio"))


@blueprint.get("/mi-cuenta")
def cuenta() -> ResponseReturnValue:
    """Show one's own account."""
    reading = db_session()
    user = reading.get(Usuario, person().id)
    login_row = reading.get(Sesion, person().sesion_id)
    return render_template(
        "users/cuenta.html", user=user, login_row=login_row, form=EmptyForm(), remove_form=RemoveFactorForm()
    )


@blueprint.route("/mi-cuenta/clave", methods=["GET", "POST"])
@allow_anyone
def clave() -> ResponseReturnValue:
    """Change one's own password; all other sessions end."""
    form = PasswordForm()
    if not form.validate_on_submit():
        return render_template("users/clave.html", form=form), 422 if form.is_submitted() else 200
    if not _own_password(form.actual.data):
        form.actual.errors = ["La contraseña actual no es esa."]
        return render_template("users/clave.html", form=form), 422
    if form.nueva.data == form.actual.data:
        form.nueva.errors = ["Es la misma contraseña de antes."]
        return render_template("users/clave.html", form=form), 422
    new_hash = login.make_hash(form.nueva.data, current().hasher)
    try:
        login.change_password(
            db_session(), person().id, new=form.nueva.data, new_hash=new_hash, at=now(), but_session=person().sesion_id
        )
    except BadInput as refusal:
        form.nueva.errors = [str(refusal)]
        return render_template("users/clave.html", form=form), 422
    flash("Su contraseña cambió. Las demás sesiones abiertas se cerraron.", "success")
    return go(url_for("users.cuenta"))


def _own_password(given: str) -> bool:
    frame, me = current(), person()
    with frame.database.read() as reading:
        candidate = login.login_candidate(reading, me.correo, frame.hasher)
    if matches(candidate.clave_hash, given, frame.hasher):
        return True
    with frame.database.write() as writing:
        login.count_failure_of(writing, me.id, now())
    return False


@blueprint.route("/mi-cuenta/segundo-factor", methods=["GET", "POST"])
@allow_anyone
def segundo_factor() -> ResponseReturnValue:
    """Enrol an authenticator application: show the secret, take its first code."""
    form = CodeForm()
    secret = session.setdefault(DRAFT_SECRET, new_secret())
    status = 200
    if form.validate_on_submit():
        try:
            login.enable_second_factor(
                db_session(),
                person().id,
                secret=secret,
                code=form.codigo.data,
                key=current().second_factor_key,
                at=now(),
            )
        except BadInput as refusal:
            form.codigo.errors = [str(refusal)]
        else:
            session.pop(DRAFT_SECRET)
            flash("El segundo factor quedó activo: se pedirá un código al entrar.", "success")
            return go(url_for("users.cuenta"))
    if form.is_submitted():
        status = 422
    side, path = qr_path(enrolment_uri(secret, person().correo))
    groups = [secret[start : start + 4] for start in range(0, len(secret), 4)]
    return render_template("users/segundo_factor.html", form=form, side=side, path=path, groups=groups), status


@blueprint.post("/mi-cuenta/segundo-factor/quitar")
@allow_anyone
def quitar_segundo_factor() -> ResponseReturnValue:
    """Take off one's own second factor."""
    form = RemoveFactorForm()
    if not form.validate_on_submit() or not _own_password(form.actual.data):
        flash("La contraseña actual no es esa; el segundo factor sigue activo.", "danger")
        return go(url_for("users.cuenta"))
    user = db_session().get(Usuario, person().id)
    if user is None:
        raise NotFound
    login.disable_second_factor(user)
    flash("El segundo factor quedó inactivo.", "success")
    return go(url_for("users.cuenta"))
