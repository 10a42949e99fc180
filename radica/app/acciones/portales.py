"""Portals and their bots: accounts, passwords, pauses, what happened; and providers that wait to be confirmed.

Invariant: a password goes in and never comes out; an address without encryption is refused, except on this machine;
who resumes a lane is a person. Only accounts of granted providers exist for the person who asks.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from radica.app.acciones import sql_portales as sql
from radica.app.acciones.comun import vault
from radica.app.acciones.formas import AccountForm, PasswordForm, PauseForm
from radica.entidades.models import EstadoPrestador, Pagador, Prestador
from radica.entidades.services import confirm_provider
from radica.jobs.board import pause_lane, resume_lane
from radica.kernel.errors import NotFound
from radica.kernel.logs import hide
from radica.kernel.web import allow, db_session, go, now, passive, person
from radica.portales.models import CuentaPortal
from radica.portales.services import create_account, safe_address, write_event
from radica.users.access import load_for
from radica.users.models import Rol

blueprint = Blueprint("portales", __name__, url_prefix="/portales")

ADMIN = (Rol.ADMINISTRACION,)
ARCHETYPES = {
    "p2_cuentas_medicas": "EPS con portal de cuentas médicas",
    "p1_previsora": "Aseguradora SOAT (tipo Previsora)",
}
"""Names of `bots/portals`, which the house does not import, as a person calls them."""
EVENTS = {
    "paquete_no_cumple": "El pagador no recibe así los archivos; no se envió nada",
    "pausa": "Se puso en pausa",
    "reanuda": "Se reanudó",
    "clave": "Se cambió la clave",
    "activa": "Se activó",
    "inactiva": "Se desactivó",
    "creada": "Se agregó la cuenta",
    # What the bots say, by its code.
    "archivo_alterado": "Un archivo no era el que se ordenó enviar",
    "archivo_no_conserva": "El portal no conservó los archivos",
    "archivo_no_disponible": "Un archivo no se pudo leer en el equipo del bot",
    "bot_interrumpido": "El bot se interrumpió antes de enviar",
    "bot_sin_respuesta": "El bot terminó sin decir qué pasó",
    "cambio_de_pagina": "La página del portal cambió",
    "campo_no_conserva": "El portal no conservó lo que se escribió",
    "captcha": "El portal pidió un captcha",
    "carga_fallida": "El portal no pudo cargar los archivos",
    "certificado_invalido": "El certificado del portal no es válido",
    "cierre_incompleto": "El portal no cerró la cuenta: dice que falta una respuesta",
    "cierre_sin_confirmar": "El portal dijo que cerró la cuenta y no la muestra cerrada",
    "conexion_perdida": "Se perdió la conexión con el portal",
    "conexion_reutilizada": "El portal no cierra sus conexiones: se hace por fuera",
    "consulta_ambigua": "La consulta del portal mostró más de una respuesta",
    "consulta_incierta": "La consulta del portal no respondió bien",
    "credenciales": "El portal no aceptó el usuario o la clave",
    "cuenta_no_abre": "El portal no abrió la cuenta de glosas",
    "cuenta_no_esta": "La cuenta de glosas no está en la bolsa ni en pausa",
    "cuenta_tomada": "Otro usuario tiene la cuenta de glosas en el portal",
    "datos_incompletos": "El portal no aceptó los datos",
    "detenido": "El bot se detuvo antes de enviar",
    "error_del_portal": "El portal mostró un error",
    "factura_distinta": "El portal leyó otra factura en los archivos",
    "falla_del_bot": "El bot falló de forma inesperada",
    "falta_archivo": "Falta un archivo que pide el portal",
    "falta_contrato": "Falta el contrato con el que se radica",
    "falta_dato": "Falta un dato que pide el portal",
    "falta_respuesta": "La cuenta tiene ítems sin respuesta preparada",
    "formulario_incompleto": "El portal entregó el formulario incompleto",
    "go_tardio": "El permiso para enviar llegó tarde",
    "item_ambiguo": "No se sabe qué ítem del portal es el de una respuesta",
    "item_no_existe": "Un ítem por responder no está en el portal",
    "mantenimiento": "El portal está en mantenimiento",
    "mensaje_de_otra_factura": "El portal mostró el mensaje de otra factura",
    "navegador_caido": "El navegador se cerró de improviso",
    "navegador_no_arranca": "El navegador no arrancó en el equipo del bot",
    "nombre_invalido": "El nombre de un archivo no se puede usar",
    "opcion_no_existe": "Una lista del portal no tiene la opción necesaria",
    "pdf_danado": "Un soporte PDF no se pudo leer",
    "portal_caido": "El portal no responde",
    "portal_lento": "El portal no respondió a tiempo",
    "portal_niega": "El portal negó el acceso",
    "portal_sin_bot": "No hay bot que haga eso en el portal",
    "respondida_distinta": "Un ítem ya tenía otra respuesta en el portal",
    "respuesta_incompleta": "La consulta del portal quedó incompleta",
    "respuesta_no_conserva": "El portal no conservó una respuesta",
    "respuesta_rechazada": "El portal no aceptó una respuesta",
    "sesion_perdida": "El portal cerró la sesión",
    "sin_codigo": "El bot no dijo por qué se detuvo",
    "sin_go": "El permiso para enviar no llegó",
    "sin_mensaje": "El portal no mostró el mensaje de cierre",
    "sin_respuesta": "El portal no respondió después de enviar",
    "texto_largo": "Una respuesta es más larga de lo que recibe el portal",
    "tiempo_agotado": "Se agotó el tiempo del intento",
    "tipo_sin_equivalencia": "Falta la equivalencia de un tipo de respuesta en el portal",
    "una_factura": "El portal recibe una sola factura por radicado",
    "valor_distinto": "El portal muestra otro valor glosado",
}


def event_name(clase: str) -> str:
    """Return how a person calls something that happened to a portal."""
    return EVENTS.get(clase, clase.replace("_", " ").capitalize())


@blueprint.get("")
def lista() -> ResponseReturnValue:
    """List the accounts and how they are."""
    session, me = db_session(), person()
    rows = sql.accounts(session, sorted(me.selected()))
    return render_template(
        "portales/lista.html",
        cuentas=rows,
        resumen=sql.summary(session, sorted(me.selected())),
        arquetipos=ARCHETYPES,
        evento=event_name,
        reciente={one.id for one in rows if sql.trouble_since(now(), one.ultimo)},
        por_confirmar=sql.unconfirmed(session, sorted(me.selected(*ADMIN))),
        administra=me.may(*ADMIN),
    )


@blueprint.get("/resumen")
@passive
def resumen() -> ResponseReturnValue:
    """Return the line of the top bar."""
    return render_template("portales/_resumen.html", r=sql.summary(db_session(), sorted(person().selected())))


@blueprint.route("/nueva", methods=["GET", "POST"])
@allow(*ADMIN)
def nueva() -> ResponseReturnValue:
    """Add an account."""
    form, session, me = AccountForm(), db_session(), person()
    ours = me.granted(*ADMIN)
    form.prestador.choices = [(one.id, f"{one.nombre} · NIT {one.nit}") for one in me.providers if one.id in ours]
    form.pagador.choices = [(one.id, f"{one.nombre} · NIT {one.nit}") for one in sql.payers(session)]
    form.arquetipo.choices = list(ARCHETYPES.items())
    if not (form.validate_on_submit() and _fits(form, session)):
        return render_template("portales/nueva.html", form=form), 422 if form.is_submitted() else 200
    hide(form.clave.data)
    provider = load_for(session, Prestador, form.prestador.data, me, roles=ADMIN)
    payer = session.get_one(Pagador, form.pagador.data)
    account = create_account(
        session,
        vault(),
        prestador_id=provider.id,
        pagador_id=payer.id,
        arquetipo=form.arquetipo.data,
        base_url=form.base_url.data.strip(),
        usuario=form.usuario.data.strip(),
        clave=form.clave.data,
        perfil={"campos": {"contrato": form.contrato.data.strip()}} if form.contrato.data else {},
        max_facturas=form.max_facturas.data,
    )
    write_event(session, account.id, "creada", f"La agregó {me.nombre}.", at=now())
    flash("La cuenta quedó agregada; los bots radican con ella desde ahora.", "success")
    return go(url_for("portales.cuenta", cuenta_id=account.id))


def _fits(form: Any, session: Session) -> bool:
    if not safe_address(form.base_url.data):
        form.base_url.errors = ["Debe empezar por https://; sin cifrado, la clave viajaría a la vista."]
        return False
    provider = session.get(Prestador, form.prestador.data)
    if provider is None or provider.estado is not EstadoPrestador.ACTIVO:
        form.prestador.errors = ["Ese prestador está por confirmar: todavía no tiene bots."]
        return False
    if sql.same_account(session, form.prestador.data, form.pagador.data, form.usuario.data.strip()):
        form.usuario.errors = ["Ese usuario ya está registrado en ese pagador."]
        return False
    return True


@blueprint.get("/<int:cuenta_id>")
def cuenta(cuenta_id: int) -> ResponseReturnValue:
    """Show one account: its lane, its health, its log."""
    return _page(db_session(), cuenta_id)


def _page(session: Session, cuenta_id: int, **forms: Any) -> str:
    row = load_for(session, CuentaPortal, cuenta_id, person())
    return render_template(
        "portales/cuenta.html",
        c=sql.accounts(session, [row.prestador_id], cuenta_id=row.id)[0],
        cuenta=row,
        eventos=sql.events_of(session, row.id),
        evento=event_name,
        arquetipos=ARCHETYPES,
        clave=forms.get("clave") or PasswordForm(prefix="clave", formdata=None),
        pausa=forms.get("pausa") or PauseForm(prefix="pausa", formdata=None),
        administra=row.prestador_id in person().granted(*ADMIN),
    )


@blueprint.post("/<int:cuenta_id>/clave")
@allow(*ADMIN)
def clave(cuenta_id: int) -> ResponseReturnValue:
    """Change the password that the bots use."""
    form, session = PasswordForm(prefix="clave"), db_session()
    row = load_for(session, CuentaPortal, cuenta_id, person(), roles=ADMIN)
    if not form.validate_on_submit():
        return _page(session, cuenta_id, clave=form), 422
    hide(form.clave.data)
    row.clave_cifrada = vault().encrypt(form.clave.data)
    write_event(session, row.id, "clave", f"La cambió {person().nombre}.", at=now())
    flash("La clave quedó cambiada. Si el portal estaba en pausa, reanúdelo.", "success")
    return go(url_for("portales.cuenta", cuenta_id=cuenta_id))


@blueprint.post("/<int:cuenta_id>/pausar")
@allow(*ADMIN)
def pausar(cuenta_id: int) -> ResponseReturnValue:
    """Let the bots start nothing new there."""
    form, session = PauseForm(prefix="pausa"), db_session()
    row = load_for(session, CuentaPortal, cuenta_id, person(), roles=ADMIN)
    if not form.validate_on_submit():
        return _page(session, cuenta_id, pausa=form), 422
    motivo = form.motivo.data.strip()
    pause_lane(session, row.lane_id, motivo)
    write_event(session, row.id, "pausa", f"{person().nombre}: {motivo}", at=now())
    flash("Quedó en pausa. Lo que ya se está enviando termina; nada nuevo empieza.", "success")
    return go(url_for("portales.cuenta", cuenta_id=cuenta_id))


@blueprint.post("/<int:cuenta_id>/reanudar")
@allow(*ADMIN)
def reanudar(cuenta_id: int) -> ResponseReturnValue:
    """Let the bots work there again."""
    session = db_session()
    row = load_for(session, CuentaPortal, cuenta_id, person(), roles=ADMIN)
    resume_lane(session, row.lane_id)
    write_event(session, row.id, "reanuda", f"Lo reanudó {person().nombre}.", at=now())
    flash("Quedó reanudado.", "success")
    return go(url_for("portales.cuenta", cuenta_id=cuenta_id))


@blueprint.post("/<int:cuenta_id>/activa/<int:valor>")
@allow(*ADMIN)
def activar(cuenta_id: int, valor: int) -> ResponseReturnValue:
    """Use the account for new filings (1) or not (0)."""
    if valor not in {0, 1}:
        raise NotFound
    session = db_session()
    row = load_for(session, CuentaPortal, cuenta_id, person(), roles=ADMIN)
    row.activa = valor == 1
    write_event(session, row.id, "activa" if valor else "inactiva", f"Por {person().nombre}.", at=now())
    flash("Quedó activa." if valor else "Quedó inactiva: lo nuevo de este pagador se radica a mano.", "success")
    return go(url_for("portales.cuenta", cuenta_id=cuenta_id))


@blueprint.post("/prestadores/<int:prestador_id>/confirmar")
@allow(*ADMIN)
def confirmar(prestador_id: int) -> ResponseReturnValue:
    """Vouch for a provider that only appeared in a file."""
    session = db_session()
    row = load_for(session, Prestador, prestador_id, person(), roles=ADMIN)
    if row.estado is EstadoPrestador.ACTIVO:
        flash("Ya estaba confirmado.", "info")
    else:
        confirm_provider(session, row)
        flash(f"{row.nombre} quedó confirmado: ya puede tener bots.", "success")
    return go(url_for("portales.lista"))
