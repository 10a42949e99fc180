"""The templates of a provider: which are in force and how they fared, a new version seen on a real line, retiring one.

Invariant: a version is never changed, a change is the next one; nothing typed is lost on a refusal, which stands at
its field; a real line is shown only to who sees health data. Norm: Res. 2284/2023 Anexo Técnico 3 (answer codes).
"""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from radica.app.paginas.comun import payer_names, sees_health
from radica.app.paginas.glosas_plano import WORKERS, blueprint
from radica.audit.services import record_reading
from radica.entidades.models import Pagador, Prestador
from radica.glosas.bandeja.tray import payers_in
from radica.glosas.bandeja.tray_filter import DEVOLUCIONES, GLOSAS
from radica.glosas.bandeja.work_models import Plantilla
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.respuesta.answer_codes import catalogo
from radica.glosas.respuesta.template_results import Resultado, muestras, resultados, versiones
from radica.glosas.respuesta.template_text import DE_LA_PERSONA, DEL_CASO, MAX_TEXTO, llenar, validar
from radica.glosas.respuesta.templates_store import MAX_CLAVE, MAX_NOMBRE, crear_version, retirar, valores_de, vigentes
from radica.kernel.errors import BadInput
from radica.kernel.web import allow, current, db_session, go, now, person
from radica.users.access import load_for, selected_ids
from radica.users.forms import Form

_FIELDS = {
    "plantilla_sin_nombre": "nombre",
    "respuesta_mala": "respuesta",
    "codigo_malo": "codigo",
    "codigos_no_casan": "codigo",
}
"""At which field a refusal stands; the others are of the text."""


class TemplateForm(Form):
    """A template or its next version."""

    clave = StringField(
        "Clave",
        description="Corta y sin espacios, como tarifa-pactada; la misma clave es la misma plantilla.",
        validators=[InputRequired("Escriba la clave."), Length(max=MAX_CLAVE, message="Es demasiado larga.")],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    nombre = StringField(
        "Nombre",
        validators=[InputRequired("Escriba el nombre."), Length(max=MAX_NOMBRE, message="Es demasiado largo.")],
        render_kw={"autocomplete": "off"},
    )
    respuesta = SelectField("Código de respuesta", validators=[InputRequired("Elija con qué código responde.")])
    codigo = StringField(
        "Para el código de glosa o devolución",
        description="Un código, su comienzo o sus dos letras. En blanco sirve para cualquiera.",
        validators=[Length(max=12, message="Es demasiado largo.")],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    pagador_id = SelectField("Para el pagador", validators=[Optional()], choices=[])
    texto = TextAreaField(
        "Texto",
        validators=[InputRequired("Escriba el texto."), Length(max=MAX_TEXTO, message="Es demasiado largo.")],
        render_kw={"rows": 9, "spellcheck": "true"},
    )
    linea = SelectField("Verla sobre esta línea", validators=[Optional()], choices=[], validate_choice=False)
    version = IntegerField("Versión", validators=[Optional()])


@blueprint.get("/plantillas")
@allow(*WORKERS)
def plantillas() -> ResponseReturnValue:
    """Show the templates in force of the providers where the person works glosas."""
    session = db_session()
    ours = [one for one in person().providers if one.id in selected_ids(person(), *WORKERS)]
    return render_template(
        "glosas/plantillas.html", casas=[_of(session, one.id, one.nombre) for one in ours], RESPUESTAS=catalogo()
    )


def _of(session: Session, prestador_id: int, name: str) -> dict[str, Any]:
    rows = vigentes(session, prestador_id=prestador_id)
    fared = resultados(session, prestador_id=prestador_id)
    sums = {row.clave: Resultado() for row in rows}
    for id_, key in session.execute(
        select(Plantilla.id, Plantilla.clave).where(Plantilla.prestador_id == prestador_id)
    ):
        if key in sums:
            sums[key] += fared.get(id_, Resultado())
    return {
        "id": prestador_id,
        "nombre": name,
        "plantillas": rows,
        "resultados": sums,
        "pagadores": payer_names(session, {one.pagador_id for one in rows}),
    }


@blueprint.get("/plantillas/nueva/<int:prestador_id>")
@allow(*WORKERS)
def plantilla_nueva(prestador_id: int) -> ResponseReturnValue:
    """Show the form of a new template."""
    session = db_session()
    house = load_for(session, Prestador, prestador_id, person(), roles=WORKERS)
    return _page(house.id, None, TemplateForm(formdata=None, respuesta="RE9602"))


@blueprint.get("/plantillas/<int:plantilla_id>")
@allow(*WORKERS)
def plantilla(plantilla_id: int) -> ResponseReturnValue:
    """Show a template with its versions, and the form of the next one."""
    session = db_session()
    row = load_for(session, Plantilla, plantilla_id, person(), roles=WORKERS)
    newest = versiones(session, row)[0]
    data = {
        "clave": row.clave, "nombre": row.nombre, "respuesta": row.respuesta, "codigo": row.codigo,
        "pagador_id": str(row.pagador_id or ""), "texto": row.texto, "version": newest.version,
    }  # fmt: skip
    return _page(row.prestador_id, row, TemplateForm(formdata=None, data=data))


@blueprint.post("/plantillas/nueva/<int:prestador_id>")
@allow(*WORKERS)
def guardar_nueva(prestador_id: int) -> ResponseReturnValue:
    """Keep a new template, or show what it would say."""
    with current().database.read() as session:
        house = load_for(session, Prestador, prestador_id, person(), roles=WORKERS)
    return _keep(house.id, None)


@blueprint.post("/plantillas/<int:plantilla_id>")
@allow(*WORKERS)
def guardar_plantilla(plantilla_id: int) -> ResponseReturnValue:
    """Keep the next version of a template, or show what it would say."""
    with current().database.read() as session:
        row = load_for(session, Plantilla, plantilla_id, person(), roles=WORKERS)
    return _keep(row.prestador_id, row)


def _keep(prestador_id: int, row: Plantilla | None) -> ResponseReturnValue:
    form = TemplateForm()
    with current().database.read() as session:
        _choices(session, prestador_id, row, form)
    if row is not None:
        form.clave.data = row.clave
    if not form.validate():
        return _page(prestador_id, row, form), 422
    try:
        if request.form.get("hacer") == "ver":
            validar(form.texto.data)
            return _page(prestador_id, row, form, seen=True)
        with current().database.write() as session:
            new = _write(session, prestador_id, row, form)
            said = f"«{new.nombre}» quedó vigente en su versión {new.version}."
    except BadInput as refusal:
        getattr(form, _FIELDS.get(refusal.code, "texto")).errors = [str(refusal)]
        return _page(prestador_id, row, form), 422
    flash(f"{said} Las respuestas que usaron otra no cambian.", "success")
    return go(url_for("glosas.plantillas"))


def _write(session: Session, prestador_id: int, row: Plantilla | None, form: TemplateForm) -> Plantilla:
    key = form.clave.data.strip().lower()
    known = row or Plantilla(prestador_id=prestador_id, clave=key)
    newest = next(iter(versiones(session, known)), None)
    if row is None and newest is not None:
        raise BadInput(
            f"Ya hay una plantilla con la clave «{key}»; no se guardó.",
            todo="Ábrala para escribir su siguiente versión, o use otra clave.",
            code="plantilla_sin_nombre",
        )
    if newest is not None and form.version.data != newest.version:
        raise BadInput(
            f"Otra persona escribió la versión {newest.version} mientras tanto; no se guardó.",
            todo="Mírela abajo y decida con qué texto queda.",
        )
    new = crear_version(
        session,
        prestador_id=prestador_id,
        clave=key,
        nombre=form.nombre.data,
        texto=form.texto.data,
        respuesta=form.respuesta.data,
        codigo=(form.codigo.data or "").strip().upper(),
        pagador_id=int(form.pagador_id.data) if form.pagador_id.data else None,
        actor=person().actor,
        at=now(),
    )
    _log(session, prestador_id, f"plantilla {new.clave} versión {new.version}")
    return new


def _log(session: Session, prestador_id: int, what: str) -> None:
    record_reading(
        session, prestador_id=prestador_id, actor=person().actor, action="cambiar_plantillas_glosas",
        purpose="administracion", object_=what[:120], at=now(),
    )  # fmt: skip


def _choices(session: Session, prestador_id: int, row: Plantilla | None, form: TemplateForm) -> None:
    rules = [one for one in catalogo().values() if one.autor == "ips"]
    form.respuesta.choices = [(one.codigo, f"{one.codigo} {one.texto[:90]}") for one in rules]
    payers = dict(payers_in(session, [prestador_id], GLOSAS) + payers_in(session, [prestador_id], DEVOLUCIONES))
    if row is not None and row.pagador_id is not None:
        payers.setdefault(row.pagador_id, session.get_one(Pagador, row.pagador_id).nombre)
    form.pagador_id.choices = [("", "Cualquiera"), *((str(id_), name) for id_, name in payers.items())]


def _page(prestador_id: int, row: Plantilla | None, form: TemplateForm, *, seen: bool = False) -> str:
    with current().database.read() as session:
        _choices(session, prestador_id, row, form)
        every = versiones(session, row) if row is not None else []
        shown = _seen(session, prestador_id, form, fill=seen)
        return render_template(
            "glosas/plantilla.html",
            p=row,
            prestador_id=prestador_id,
            prestador=session.get_one(Prestador, prestador_id).nombre,
            form=form,
            versiones=every,
            resultados=resultados(session, prestador_id=prestador_id) if every else {},
            sin_uso=Resultado(),
            vista=shown,
            DEL_CASO=DEL_CASO,
            DE_LA_PERSONA=DE_LA_PERSONA,
        )


def _seen(session: Session, prestador_id: int, form: TemplateForm, *, fill: bool) -> dict[str, Any] | None:
    """Offer real lines to see the text on; `fill` says what it says of the chosen one. None when nobody may see it."""
    if not sees_health(prestador_id):
        form.linea.choices = []
        return None
    payer = int(form.pagador_id.data) if (form.pagador_id.data or "").isdecimal() else None
    code = (form.codigo.data or "").strip().upper()
    rows: list[Glosa | Devolucion] = list(muestras(session, prestador_id=prestador_id, codigo=code, pagador_id=payer))
    names = payer_names(session, {one.pagador_id for one in rows})
    values = {one.id: valores_de(session, one) for one in rows}
    form.linea.choices = [
        (str(one.id), f"{one.codigo} · {values[one.id]['factura']} · {names.get(one.pagador_id, '')}") for one in rows
    ]
    chosen = next((one for one in rows if str(one.id) == form.linea.data), rows[0] if rows else None)
    if chosen is None or not fill:
        return {"texto": None, "hay": bool(rows)}
    return {"texto": llenar(form.texto.data or "", values[chosen.id]), "hay": True, "linea": chosen}


@blueprint.post("/plantillas/<int:plantilla_id>/retirar")
@allow(*WORKERS)
def retirar_plantilla(plantilla_id: int) -> ResponseReturnValue:
    """Stop offering a template; its versions stay."""
    session = db_session()
    row = load_for(session, Plantilla, plantilla_id, person(), roles=WORKERS)
    retirar(session, prestador_id=row.prestador_id, clave=row.clave)
    _log(session, row.prestador_id, f"plantilla {row.clave} retirada")
    flash(f"«{row.nombre}» ya no se ofrece; sus versiones y las respuestas que la usaron quedan.", "success")
    return go(url_for("glosas.plantillas"))
