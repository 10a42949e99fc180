"""The people of a provider, for who administers it.

Invariant: everything here is limited to the providers at which the person has the role Administración; other grants
of the same people are neither shown nor changed.
"""

from __future__ import annotations

from flask import Blueprint, flash, render_template, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from radica.kernel.errors import BadInput, NotFound
from radica.kernel.web import allow, current, db_session, go, now, person
from radica.users import login, services
from radica.users.access import load_for
from radica.users.forms import EmptyForm, GrantForm, NewPersonForm
from radica.users.models import Acceso, Rol
from radica.users.passwords import temporary_password

blueprint = Blueprint("personas", __name__, url_prefix="/administracion/usuarios")

TOLD_ONCE = "clave_dicha"


def _ours() -> frozenset[int]:
    return person().selected(Rol.ADMINISTRACION)


def _choices() -> list[SelectChoice]:
    ours = _ours()
    return [SelectChoice(one.id, f"{one.nombre} · NIT {one.nit}") for one in person().providers if one.id in ours]


def _names() -> dict[int, str]:
    return {one.id: one.nombre for one in person().providers}


def _listed(session_: Session, usuario_id: int) -> services.Listed:
    return services.load_person_of(session_, usuario_id, person().granted(Rol.ADMINISTRACION))


@blueprint.get("")
@allow(Rol.ADMINISTRACION)
def lista() -> ResponseReturnValue:
    """List who has access."""
    people = services.people_of(db_session(), _ours())
    return render_template("users/lista.html", people=people, names=_names(), roles=services.ROLE_NAMES, at=now())


@blueprint.route("/nuevo", methods=["GET", "POST"])
@allow(Rol.ADMINISTRACION)
def nuevo() -> ResponseReturnValue:
    """Give a person access, making the account when there is none."""
    form = NewPersonForm()
    form.prestador.choices = _choices()
    if not form.validate_on_submit():
        return render_template("users/nuevo.html", form=form), 422 if form.is_submitted() else 200
    temporary = temporary_password()
    hashed = login.make_hash(temporary, current().hasher)
    writing, me, moment = db_session(), person(), now()
    try:
        user = services.find_user(writing, services.normal_mail(form.correo.data))
        known = user is not None
        if user is None:
            user = services.create_user(
                writing,
                correo=form.correo.data,
                nombre=form.nombre.data,
                clave_hash=hashed,
                at=moment,
                temporary=True,
            )
    except BadInput as refusal:
        form.correo.errors = [str(refusal)]
        return render_template("users/nuevo.html", form=form), 422
    services.grant(
        writing,
        usuario_id=user.id,
        prestador_id=form.prestador.data,
        roles=form.chosen(),
        actor=me.actor,
        at=moment,
    )
    if known:
        flash("La persona ya tenía cuenta: recibió el acceso y conserva su contraseña.", "success")
    else:
        flash("La cuenta quedó creada.", "success")
        session[TOLD_ONCE] = {"usuario": user.id, "clave": temporary}
    return go(url_for("personas.detalle", usuario_id=user.id))


@blueprint.get("/<int:usuario_id>")
@allow(Rol.ADMINISTRACION)
def detalle(usuario_id: int) -> ResponseReturnValue:
    """Show a person and what is granted at our providers."""
    listed = _listed(db_session(), usuario_id)
    form = GrantForm()
    form.prestador.choices = _choices()
    told = session.get(TOLD_ONCE)
    if told and told["usuario"] == usuario_id:
        session.pop(TOLD_ONCE)
    else:
        told = None
    return render_template(
        "users/detalle.html",
        listed=listed,
        user=listed.usuario,
        names=_names(),
        roles=services.ROLE_NAMES,
        form=form,
        button=EmptyForm(),
        told=told["clave"] if told else None,
        at=now(),
    )


@blueprint.post("/<int:usuario_id>/accesos")
@allow(Rol.ADMINISTRACION)
def dar(usuario_id: int) -> ResponseReturnValue:
    """Grant roles."""
    form = GrantForm()
    form.prestador.choices = _choices()
    writing = db_session()
    listed = _listed(writing, usuario_id)
    if not form.validate_on_submit():
        flash("No se dio el acceso: elija el prestador y al menos un rol.", "danger")
        return go(url_for("personas.detalle", usuario_id=usuario_id))
    added = services.grant(
        writing,
        usuario_id=listed.usuario.id,
        prestador_id=form.prestador.data,
        roles=form.chosen(),
        actor=person().actor,
        at=now(),
    )
    flash("El acceso quedó dado." if added else "La persona ya tenía esos roles.", "success")
    return go(url_for("personas.detalle", usuario_id=usuario_id))


@blueprint.post("/<int:usuario_id>/accesos/<int:acceso_id>/quitar")
@allow(Rol.ADMINISTRACION)
def quitar(usuario_id: int, acceso_id: int) -> ResponseReturnValue:
    """Take one grant away."""
    writing = db_session()
    grant = load_for(writing, Acceso, acceso_id, person(), roles=(Rol.ADMINISTRACION,))
    if grant.usuario_id != usuario_id:
        raise NotFound
    services.revoke(writing, grant, actor=person().actor, at=now())
    flash("El acceso quedó retirado; vale desde el siguiente clic de la persona.", "success")
    left = [one for one in _listed_or_none(writing, usuario_id) if one.id != acceso_id]
    return go(url_for("personas.detalle", usuario_id=usuario_id) if left else url_for("personas.lista"))


def _listed_or_none(session_: Session, usuario_id: int) -> list[Acceso]:
    session_.expire_all()
    try:
        return _listed(session_, usuario_id).accesos
    except NotFound:
        return []


@blueprint.post("/<int:usuario_id>/clave")
@allow(Rol.ADMINISTRACION)
def reponer_clave(usuario_id: int) -> ResponseReturnValue:
    """Make a temporary password and show it once."""
    temporary = temporary_password()
    hashed = login.make_hash(temporary, current().hasher)
    writing = db_session()
    services.reset_password(writing, _listed(writing, usuario_id), clave_hash=hashed, at=now())
    session[TOLD_ONCE] = {"usuario": usuario_id, "clave": temporary}
    flash("La contraseña se repuso y las sesiones abiertas de la persona se cerraron.", "success")
    return go(url_for("personas.detalle", usuario_id=usuario_id))


@blueprint.post("/<int:usuario_id>/segundo-factor/quitar")
@allow(Rol.ADMINISTRACION)
def quitar_segundo_factor(usuario_id: int) -> ResponseReturnValue:
    """Take a lost second factor away."""
    services.remove_second_factor(_listed(db_session(), usuario_id))
    flash("El segundo factor quedó retirado; la persona puede activarlo de nuevo.", "success")
    return go(url_for("personas.detalle", usuario_id=usuario_id))


@blueprint.post("/<int:usuario_id>/activar")
@allow(Rol.ADMINISTRACION)
def activar(usuario_id: int) -> ResponseReturnValue:
    """Switch an account on."""
    writing = db_session()
    services.set_active(writing, _listed(writing, usuario_id), active=True, me=person(), at=now())
    flash("La cuenta quedó activa.", "success")
    return go(url_for("personas.detalle", usuario_id=usuario_id))


@blueprint.post("/<int:usuario_id>/desactivar")
@allow(Rol.ADMINISTRACION)
def desactivar(usuario_id: int) -> ResponseReturnValue:
    """Switch an account off and end its sessions."""
    writing = db_session()
    services.set_active(writing, _listed(writing, usuario_id), active=False, me=person(), at=now())
    flash("La cuenta quedó inactiva y sus sesiones se cerraron.", "success")
    return go(url_for("personas.detalle", usuario_id=usuario_id))
