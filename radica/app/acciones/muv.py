"""The validator of MinSalud: the account of each provider, its try-out and its switch; and sending an invoice.

Invariant: the password goes in and never comes out; nothing is switched on by itself; the network is asked outside of
any transaction. Only granted providers exist for the person who asks. Norm: Res. 948 de 2026 arts. 3 and 4.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import PasswordField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from radica.app.acciones.comun import vault
from radica.app.paginas.muv import SENDERS
from radica.entidades.models import Prestador
from radica.facturas.models import Factura
from radica.facturas.muv.cuentas import (
    TIPOS_DOCUMENTO,
    TIPOS_USUARIO,
    abrir_cuenta,
    cuenta_de,
    fijar_certificado,
    guardar_cuenta,
    prender,
)
from radica.facturas.muv.envios import Resultado, pedir
from radica.facturas.muv.prueba import CORTOS, Prueba, probar
from radica.facturas.muv.transporte import MuvProblem, huella_de, leer_certificado
from radica.facturas.validacion_models import CuentaMuv
from radica.kernel.errors import BadInput, NotFound
from radica.kernel.logs import hide
from radica.kernel.web import allow, current, db_session, go, now, person
from radica.users.access import load_for
from radica.users.forms import Form
from radica.users.models import Rol

blueprint = Blueprint("muv", __name__)

ADMIN = (Rol.ADMINISTRACION,)


class CuentaForm(Form):
    """The account of a provider at the local API."""

    url = StringField(
        "Dirección del API",
        description="La de su contenedor FEV-RIPS, por ejemplo https://localhost:9443/api.",
        validators=[InputRequired("Escriba la dirección."), Length(max=300, message="Es demasiado larga.")],
        render_kw={"type": "url", "placeholder": "https://localhost:9443/api", "spellcheck": "false"},
    )
    tipo_usuario = SelectField(
        "Tipo de usuario",
        validators=[InputRequired("Elija el tipo de usuario.")],
        choices=[SelectChoice(*one) for one in TIPOS_USUARIO.items()],
    )
    tipo_documento = SelectField(
        "Tipo de documento",
        validators=[InputRequired("Elija el tipo de documento.")],
        choices=[SelectChoice(*one) for one in TIPOS_DOCUMENTO.items()],
    )
    numero = StringField(
        "Número de documento",
        description="De la persona registrada en SISPRO. Se guarda cifrado y no se vuelve a mostrar.",
        validators=[Optional(), Length(max=30, message="Es demasiado largo.")],
        render_kw={"autocomplete": "off", "inputmode": "numeric"},
    )
    clave = PasswordField(
        "Clave de SISPRO",
        description="Se guarda cifrada y no se vuelve a mostrar. Vacía, queda la que hay.",
        validators=[Optional(), Length(max=200, message="Es demasiado larga.")],
        render_kw={"autocomplete": "new-password"},
    )
    certificado = TextAreaField(
        "Certificado del servidor (PEM)",
        description="El que firma el propio contenedor. Vacío, vale solo el de una autoridad conocida.",
        validators=[Optional(), Length(max=20_000, message="Es demasiado largo.")],
        render_kw={"rows": 4, "spellcheck": "false"},
    )


class HuellaForm(Form):
    """The fingerprint that a person compared."""

    huella = StringField(validators=[InputRequired("Falta la huella."), Length(min=64, max=64)])


@blueprint.get("/portales/muv")
@allow(*ADMIN)
def lista() -> ResponseReturnValue:
    """List the providers that the person administers and whether each sends to the MUV."""
    session, me = db_session(), person()
    ids = me.selected(*ADMIN)
    query = (
        select(Prestador, CuentaMuv)
        .outerjoin(CuentaMuv, CuentaMuv.prestador_id == Prestador.id)
        .where(Prestador.id.in_(ids))
        .order_by(Prestador.nombre)
    )
    return render_template("portales/muv_lista.html", filas=session.execute(query).all())


@blueprint.get("/portales/muv/<int:prestador_id>")
@allow(*ADMIN)
def cuenta(prestador_id: int) -> ResponseReturnValue:
    """Show the account of a provider."""
    session = db_session()
    provider = load_for(session, Prestador, prestador_id, person(), roles=ADMIN)
    row = cuenta_de(session, provider.id)
    return _page(provider, row, _form(row))


@blueprint.post("/portales/muv/<int:prestador_id>/guardar")
@allow(*ADMIN)
def guardar(prestador_id: int) -> ResponseReturnValue:
    """Add or change the account of a provider."""
    session, me = db_session(), person()
    provider = load_for(session, Prestador, prestador_id, me, roles=ADMIN)
    row = cuenta_de(session, provider.id)
    form = _form(row)
    if not form.validate_on_submit():
        return _page(provider, row, form), 422
    hide(form.clave.data)
    hide(form.numero.data)
    try:
        guardar_cuenta(
            session,
            vault(),
            prestador_id=provider.id,
            url=form.url.data,
            tipo_usuario=form.tipo_usuario.data,
            tipo_documento=form.tipo_documento.data,
            numero=form.numero.data or "",
            clave=form.clave.data or "",
            certificado_pem=form.certificado.data or "",
            actor=me.actor,
            at=now(),
        )
    except (BadInput, MuvProblem) as refused:
        form.url.errors = [str(refused)]
        return _page(provider, row, form), 422
    flash("La cuenta quedó guardada. Pruébela antes de prenderla.", "success")
    return go(url_for("muv.cuenta", prestador_id=provider.id))


@blueprint.post("/portales/muv/<int:prestador_id>/probar")
@allow(*ADMIN)
def ensayar(prestador_id: int) -> ResponseReturnValue:
    """Try the account: health and login, nothing of an invoice."""
    with current().database.read() as session:
        provider = load_for(session, Prestador, prestador_id, person(), roles=ADMIN)
        row = _account(session, provider.id)
        door, credential, _ = abrir_cuenta(session, row, vault())
        session.expunge_all()
    result = probar(door, credential)
    return _page(provider, row, _form(row, fresh=True), result)


@blueprint.post("/portales/muv/<int:prestador_id>/certificado")
@allow(*ADMIN)
def fijar(prestador_id: int) -> ResponseReturnValue:
    """Pin the certificate that the server shows, if it is still the one whose fingerprint was confirmed."""
    with current().database.read() as session:
        provider = load_for(session, Prestador, prestador_id, person(), roles=ADMIN)
        url = _account(session, provider.id).url
    form = HuellaForm()
    if not form.validate_on_submit():
        raise BadInput("Falta la huella del certificado; no se fijó nada.", todo="Pruebe de nuevo la conexión.")
    pem = leer_certificado(url, timeout_s=CORTOS.consultar_s)
    if huella_de(pem) != form.huella.data:
        raise BadInput("El servidor mostró ahora otro certificado; no se fijó nada.", todo="Compruebe qué servidor es.")
    session = db_session()
    row = _account(session, load_for(session, Prestador, prestador_id, person(), roles=ADMIN).id)
    fijar_certificado(session, row, pem, actor=person().actor, at=now())
    flash("El certificado quedó fijado. Pruebe de nuevo la conexión.", "success")
    return go(url_for("muv.cuenta", prestador_id=prestador_id))


@blueprint.post("/portales/muv/<int:prestador_id>/activa/<int:valor>")
@allow(*ADMIN)
def activar(prestador_id: int, valor: int) -> ResponseReturnValue:
    """Switch the sending on (1) or off (0)."""
    session = db_session()
    provider = load_for(session, Prestador, prestador_id, person(), roles=ADMIN)
    if valor not in {0, 1}:
        raise NotFound
    prender(session, _account(session, provider.id), activa=valor == 1, actor=person().actor, at=now())
    flash("Quedó prendido." if valor else "Quedó apagado: no se envía nada más al MUV.", "success")
    return go(url_for("muv.cuenta", prestador_id=provider.id))


@blueprint.post("/facturas/<int:factura_id>/muv")
@allow(*SENDERS)
def validar(factura_id: int) -> ResponseReturnValue:
    """Order the validation of an invoice."""
    session = db_session(durable=True)
    factura = load_for(session, Factura, factura_id, person(), roles=SENDERS)
    asked = pedir(session, factura, actor=person().actor, at=now())
    if asked.envio.resultado == Resultado.APROBADO:
        flash("El MUV ya había aprobado estos mismos documentos.", "info")
    elif asked.nuevo:
        flash("Se pidió la validación; el resultado queda en esta página.", "success")
    else:
        flash("Ya se había pedido; se está validando.", "info")
    return go(url_for("factura.ver", factura_id=factura.id))


def _account(session: Any, prestador_id: int) -> CuentaMuv:
    row = cuenta_de(session, prestador_id)
    if row is None:
        raise NotFound("Ese prestador no tiene cuenta del MUV.", todo="Escríbala primero.")
    return row


def _form(row: CuentaMuv | None, *, fresh: bool = False) -> CuentaForm:
    """Return the form, filled with what is kept and may be shown; `fresh` leaves out what another form sent."""
    kept: dict[str, Any] = {}
    if row is not None:
        kept = {
            "url": row.url, "tipo_usuario": row.tipo_usuario, "tipo_documento": row.tipo_documento,
            "certificado": row.certificado_pem or "",
        }  # fmt: skip
    form = CuentaForm(formdata=None, data=kept) if fresh else CuentaForm(data=kept)
    if row is None:  # nothing is kept yet: what may stay blank later must be written now
        for field, said in (
            (form.numero, "Escriba el número de documento."),
            (form.clave, "Escriba la clave de SISPRO."),
        ):
            field.validators = (InputRequired(said), *field.validators[1:])
            field.flags.required = True
        form.clave.description = "Se guarda cifrada y no se vuelve a mostrar."
    return form


def _page(provider: Prestador, row: CuentaMuv | None, form: CuentaForm, result: Prueba | None = None) -> str:
    return render_template(
        "portales/muv.html",
        prestador=provider,
        cuenta=row,
        form=form,
        prueba=result,
        huella=huella_de(row.certificado_pem) if row is not None and row.certificado_pem else "",
    )
