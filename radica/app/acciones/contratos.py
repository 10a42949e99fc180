"""Write, amend and close contracts; load a price list, looked at before it is kept; freeze the tariff of an invoice.

Invariant: a list is kept only after a person saw which rows are refused; what waits for that is a private file of that
person, known by its hash, gone after a day. Nothing is edited: a new list is a new version. Norm: Decreto 441/2022.
"""

from __future__ import annotations

import hashlib
import re
import time
from datetime import date
from pathlib import Path
from typing import Any

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.acciones.contratos_formas import (
    AgreedForm,
    AmendForm,
    CloseForm,
    ConfirmForm,
    ContractForm,
    LoadForm,
    TermsForm,
)
from radica.app.handlers.tarifas_congelar import congelar_ahora
from radica.app.paginas.comun import store
from radica.app.paginas.contratos import contract_page, houses_page
from radica.app.paginas.contratos_plano import (
    FREEZERS,
    WRITERS,
    blueprint,
    load_bill,
    load_contract,
    load_house,
)
from radica.app.tarifario.cargar import Cargado, cargar_archivo, cargar_de_base
from radica.app.tarifario.leer import MAX_BYTES, Leido, leer_tarifario
from radica.entidades import contratos, otrosies
from radica.entidades.contratos_models import Contrato
from radica.entidades.models import Pagador, Prestador
from radica.entidades.tarifarios import Condiciones
from radica.entidades.tarifas import ReglaAutorizacion, con_factor
from radica.facturas.juicio import olvidar_anteriores
from radica.kernel.errors import BadInput, NotFound, RadicaError
from radica.kernel.web import allow, current, go, max_upload, now, person
from radica.kernel.web_format import plural

_HASH = re.compile(r"[0-9a-f]{64}")
_WAITING = "tarifario-"
WAIT_S = 24 * 3600
SHOWN = 20
SHOWN_REFUSED = 200


@blueprint.get("/nuevo")
@allow(*WRITERS)
def nuevo() -> ResponseReturnValue:
    """Show the form of a contract."""
    with current().database.read() as session:
        form = ContractForm(formdata=None)
        _choices(session, form)
        form.pagador.data = request.args.get("pagador", type=int)
        return render_template("contratos/nuevo.html", form=form, error=None)


@blueprint.post("")
@allow(*WRITERS)
def crear() -> ResponseReturnValue:
    """Write a contract."""
    form = ContractForm()
    refusal: RadicaError | None = None
    with current().database.read() as session:
        _choices(session, form)
        if not form.validate_on_submit():
            return render_template("contratos/nuevo.html", form=form, error=None), 422
    try:
        with current().database.write() as session:
            row = contratos.crear(
                session, prestador_id=form.prestador.data, pagador_id=form.pagador.data, numero=form.numero.data,
                modalidad=form.modalidad.data, desde=form.desde.data, hasta=form.hasta.data,
                cucon=form.cucon.data or "", dias_pago=form.dias_pago.data, autorizacion=_authorisation(form),
                actor=person().actor, at=now(),
            )  # fmt: skip
            made = row.id
    except BadInput as wrong:
        refusal = wrong
    else:
        flash("El contrato quedó guardado. Ahora cargue su lista de precios.", "success")
        return go(url_for("contratos.ver", contrato_id=made))
    _at_field(form, refusal)
    return render_template("contratos/nuevo.html", form=form, error=refusal), 422


def _authorisation(form: AgreedForm) -> ReglaAutorizacion:
    return ReglaAutorizacion(
        bool(form.autoriza_todos.data),
        bool(form.autoriza_hospitalizacion.data),
        contratos.leer_prefijos(form.prefijos.data or ""),
    )


def _at_field(form: Any, refusal: RadicaError) -> None:
    """Say a refusal of a service at its own field, where it names one."""
    name = refusal.code.partition("_")[2]
    if name in form:
        form[name].errors = [*form[name].errors, refusal.message]


def _choices(session: Session, form: ContractForm) -> None:
    view = person().selected(*WRITERS) or person().granted(*WRITERS)
    form.prestador.choices = [(one.id, one.nombre) for one in person().providers if one.id in view]
    rows = session.scalars(select(Pagador).order_by(Pagador.nombre, Pagador.id))
    form.pagador.choices = [(one.id, f"{one.nombre} · NIT {one.nit}") for one in rows]


@blueprint.post("/<int:contrato_id>/cerrar")
@allow(*WRITERS)
def cerrar(contrato_id: int) -> ResponseReturnValue:
    """Set the last day of a contract."""
    with current().database.read() as session:
        load_contract(session, contrato_id, *WRITERS)
    form = CloseForm(prefix="cerrar")
    refusal: RadicaError | None = None
    if form.validate_on_submit():
        try:
            with current().database.write() as session:
                row = load_contract(session, contrato_id, *WRITERS)
                seen = _seen(form.visto.data or "")
                contratos.cerrar(session, row, form.hasta.data, visto=seen, actor=person().actor, at=now())
        except BadInput as wrong:
            refusal = wrong
        else:
            flash("Quedó guardada la vigencia del contrato.", "success")
            return go(url_for("contratos.ver", contrato_id=contrato_id))
    return contract_page(contrato_id, cerrar=form, error=refusal, acto="cerrar"), 422


@blueprint.post("/<int:contrato_id>/otrosi")
@allow(*WRITERS)
def otrosi(contrato_id: int) -> ResponseReturnValue:
    """Write an amendment: new terms from a day on, the ones before stay."""
    with current().database.read() as session:
        load_contract(session, contrato_id, *WRITERS)
    form = AmendForm(prefix="otrosi")
    refusal: RadicaError | None = None
    if form.validate_on_submit():
        try:
            number = _amend(contrato_id, form)
        except BadInput as wrong:
            refusal = wrong
            _at_field(form, wrong)
        else:
            flash(
                f"Quedó registrado el otrosí {number}; lo anterior no cambió. Si trae precios nuevos, cargue ahora su "
                f"lista, con el mismo primer día.",
                "success",
            )
            return go(url_for("contratos.ver", contrato_id=contrato_id, _anchor="otrosies"))
    return contract_page(contrato_id, otrosi=form, error=refusal, acto="otrosi"), 422


def _amend(contrato_id: int, form: AmendForm) -> int:
    """Write what a form says and have the unfiled invoices judged by it; return the number."""
    terms = otrosies.Terminos(
        form.desde.data, form.hasta.data, form.cucon.data or "", form.dias_pago.data, _authorisation(form)
    )
    visto = form.visto.data or ""
    with current().database.write() as session:
        row = load_contract(session, contrato_id, *WRITERS)
        done = otrosies.pactar(
            session, row, terms, nota=form.nota.data or "", visto=int(visto) if visto.isdecimal() else -1,
            actor=person().actor, at=now(),
        )  # fmt: skip
        number, provider, payer = done.numero, row.prestador_id, row.pagador_id
    olvidar_anteriores(current().database, now(), prestador_id=provider, pagador_id=payer)
    return number


def _seen(text: str) -> date | None:
    """Return the last day that the page showed; a day that none has when the field was changed."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return date.min


@blueprint.post("/<int:contrato_id>/tarifario")
@allow(*WRITERS)
@max_upload(MAX_BYTES + 100_000, parts=20)
def previa(contrato_id: int) -> ResponseReturnValue:
    """Look at a list before it is kept; without a file, make it out of the base list at once."""
    with current().database.read() as session:
        row = load_contract(session, contrato_id, *WRITERS)
        provider = row.prestador_id
    form = LoadForm(prefix="lista")
    if form.validate_on_submit() and form.sin_archivo.data:
        try:
            done = cargar_de_base(current().database, contrato_id, _terms(form), actor=person().actor, at=now())
        except BadInput as refusal:
            return contract_page(contrato_id, lista=form, error=refusal, acto="lista"), 422
        return _told(done, contrato_id)
    if not form.errors:
        try:
            return _look(form, provider, contrato_id)
        except BadInput as refusal:
            return contract_page(contrato_id, lista=form, error=refusal, acto="lista"), 422
    return contract_page(contrato_id, lista=form, acto="lista"), 422


@blueprint.post("/<int:contrato_id>/tarifario/confirmar")
@allow(*WRITERS)
def confirmar(contrato_id: int) -> ResponseReturnValue:
    """Keep a list that was looked at."""
    with current().database.read() as session:
        provider = load_contract(session, contrato_id, *WRITERS).prestador_id
    form = ConfirmForm(prefix="lista")
    if not form.validate_on_submit():
        return contract_page(contrato_id, acto="lista"), 422
    try:
        return _told(_keep(form, provider, contrato_id), contrato_id)
    except BadInput as refusal:
        return contract_page(contrato_id, error=refusal, acto="lista"), 422


@blueprint.post("/bases/<int:prestador_id>")
@allow(*WRITERS)
@max_upload(MAX_BYTES + 100_000, parts=20)
def previa_base(prestador_id: int) -> ResponseReturnValue:
    """Look at a base list (SOAT, ISS) before it is kept."""
    with current().database.read() as session:
        load_house(session, prestador_id, *WRITERS)
    form = LoadForm(prefix="lista")
    if not form.validate_on_submit():
        return houses_page(form=form, prestador_id=prestador_id), 422
    try:
        return _look(form, prestador_id, None)
    except BadInput as refusal:
        return houses_page(form=form, prestador_id=prestador_id, error=refusal), 422


@blueprint.post("/bases/<int:prestador_id>/confirmar")
@allow(*WRITERS)
def confirmar_base(prestador_id: int) -> ResponseReturnValue:
    """Keep a base list that was looked at."""
    with current().database.read() as session:
        load_house(session, prestador_id, *WRITERS)
    form = ConfirmForm(prefix="lista")
    if not form.validate_on_submit():
        return houses_page(prestador_id=prestador_id), 422
    try:
        return _told(_keep(form, prestador_id, None), None)
    except BadInput as refusal:
        return houses_page(prestador_id=prestador_id, error=refusal), 422


@blueprint.post("/factura/<int:factura_id>/congelar")
@allow(*FREEZERS)
def congelar(factura_id: int) -> ResponseReturnValue:
    """Freeze the tariff of an invoice now."""
    with current().database.read() as session:
        load_bill(session, factura_id, *FREEZERS)
    new = congelar_ahora(current().database, store(), factura_id, actor=person().actor, at=now())
    said = "La tarifa quedó congelada con la factura." if new else "Ya estaba congelada igual; no se repitió."
    flash(said, "success" if new else "info")
    return go(url_for("contratos.factura", factura_id=factura_id))


def _terms(form: TermsForm) -> Condiciones:
    return Condiciones(
        desde=form.desde.data,
        nombre=form.nombre.data or "",
        base=form.base.data,
        factor=form.factor.hundredths,
        redondeo=form.redondeo.data,
        hasta=form.hasta.data,
    )


def _place(contrato_id: int | None, prestador_id: int, huella: str) -> Path:
    """Return where a file waits for its person to decide. Raises NotFound for what is no hash."""
    if not _HASH.fullmatch(huella):
        raise NotFound("No se encontró el archivo; no se cargó nada.", todo="Cárguelo otra vez.")
    whose = f"c{contrato_id}" if contrato_id is not None else f"p{prestador_id}"
    return current().settings.incoming / f"{_WAITING}{person().id}-{whose}-{huella}"


def _look(form: LoadForm, prestador_id: int, contrato_id: int | None) -> str:
    """Show what a file would load. Raises BadInput and Unreadable."""
    given = request.files.get(form.archivo.name)
    if given is None or not given.filename:
        raise BadInput("Adjunte el archivo con los precios; no se cargó nada.", code="sin_archivo")
    _sweep()
    path = _save(given.stream, contrato_id, prestador_id)
    terms = _terms(form)
    try:
        read = leer_tarifario(path)
        if not read.filas:
            reason = f" La primera: {read.rechazos[0].motivo}." if read.rechazos else ""
            raise BadInput(f"Ninguna fila se puede cargar.{reason}", code="tarifario_vacio")
    except BadInput:
        path.unlink(missing_ok=True)
        raise
    ready = ConfirmForm(
        prefix="lista", formdata=None, huella=path.name[-64:], original=(given.filename or "")[-200:],
        nombre=terms.nombre, base=terms.base, factor=form.factor.data or "", redondeo=terms.redondeo,
        desde=terms.desde, hasta=terms.hasta,
    )  # fmt: skip
    return _preview(ready, terms, read, prestador_id, contrato_id)


def _preview(ready: ConfirmForm, terms: Condiciones, read: Leido, prestador_id: int, contrato_id: int | None) -> str:
    with current().database.read() as session:
        contract = session.get(Contrato, contrato_id) if contrato_id is not None else None
        provider = session.get_one(Prestador, prestador_id)
        return render_template(
            "contratos/previa.html",
            form=ready,
            c=contract,
            prestador=provider,
            t=terms,
            leido=read,
            muestra=[(one, con_factor(one.valor, terms.factor, terms.redondeo)) for one in read.filas[:SHOWN]],
            rechazos=read.rechazos[:SHOWN_REFUSED],
            archivo=ready.original.data,
        )


def _save(stream: Any, contrato_id: int | None, prestador_id: int) -> Path:
    """Write an upload to its private place, named by its hash."""
    digest = hashlib.sha256()
    folder = current().settings.incoming
    folder.mkdir(parents=True, exist_ok=True)
    under_way = folder / f"{_WAITING}{person().id}-{time.monotonic_ns()}.parte"
    try:
        with under_way.open("xb") as out:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
                out.write(chunk)
        under_way.chmod(0o600)
        return under_way.rename(_place(contrato_id, prestador_id, digest.hexdigest()))
    finally:
        under_way.unlink(missing_ok=True)


def _sweep() -> None:
    """Remove what waited for more than a day."""
    for path in current().settings.incoming.glob(f"{_WAITING}*"):
        try:
            if time.time() - path.stat().st_mtime > WAIT_S:
                path.unlink()
        except FileNotFoundError:
            continue


def _keep(form: ConfirmForm, prestador_id: int, contrato_id: int | None) -> Cargado:
    path = _place(contrato_id, prestador_id, form.huella.data or "")
    if not path.is_file():
        raise BadInput("El archivo ya no está a la espera; no se cargó nada.", todo="Cárguelo otra vez.", code="espera")
    done = cargar_archivo(
        current().database, store(), path, _terms(form), prestador_id=prestador_id, contrato_id=contrato_id,
        nombre=form.original.data or "tarifario", actor=person().actor, at=now(),
    )  # fmt: skip
    path.unlink(missing_ok=True)
    return done


def _told(done: Cargado, contrato_id: int | None) -> ResponseReturnValue:
    if done.nueva:
        refused = f" {plural(done.rechazados, 'fila no entró', 'filas no entraron')}." if done.rechazados else ""
        loaded = plural(done.filas, "precio", "precios")
        flash(f"Quedó cargada la versión {done.version} con {loaded}.{refused}", "success")
    else:
        flash("Esa misma lista ya estaba cargada; no se repitió.", "info")
    if contrato_id is None:
        return go(url_for("contratos.bases"))
    return go(url_for("contratos.ver", contrato_id=contrato_id))
