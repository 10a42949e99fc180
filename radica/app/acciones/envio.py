"""One envío: its invoices, what the bots saw, and what a person does with it: file by hand, register, decide.

Invariant: evidence is kept before the transaction and sealed in it; a page that is no longer true changes nothing; a
download is logged and committed before its first byte. Norms: Res. 948/2026 art. 15, Ley 1581/2012 art. 17.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any

from flask import flash, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from radica.app.acciones.comun import ANSWERERS, EVIDENCE_LIMIT, check_envio, keep_evidence, load_envio, roles_of
from radica.app.acciones.formas import AbsentForm, FiledForm, RejectedForm, WithdrawForm
from radica.app.acciones.plano import blueprint
from radica.app.acciones.sql_envio import load_view
from radica.app.paginas.comun import store
from radica.audit.services import record_reading
from radica.custodia.services import log_opening
from radica.entidades.models import Prestador
from radica.facturas.models import Factura
from radica.glosas.respuesta import letter
from radica.glosas.respuesta.letter import Carta
from radica.glosas.respuesta.letter_facts import carta_de
from radica.glosas.respuesta.presenting import answers_of_envio
from radica.jobs.clock import now_ms
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput, NotFound, RadicaError, StalePage
from radica.kernel.web import allow, current, db_session, go, max_upload, now, person
from radica.radicacion import encargo, manual
from radica.radicacion.cajas import Caja, Contenido, cajas, whole_name
from radica.radicacion.encargo import EstadoEncargo
from radica.radicacion.entrega import plans_of
from radica.radicacion.models import Envio
from radica.radicacion.package import Parte, Plan, Rechazo, safe
from radica.radicacion.perfil_paquete import COMUN
from radica.radicacion.preparar import Preparado, preparar
from radica.radicacion.states import Acto, EstadoEnvio
from radica.users.access import load_for
from radica.users.purposes import Proposito

WAIT_S = 30.0
"""Seconds for which a download prepares files before it leaves that to the background."""
_AT_WORK = threading.BoundedSemaphore(1)

FORMS: dict[str, Any] = {
    "radicada": FiledForm,
    "rechazada": RejectedForm,
    "ausente": AbsentForm,
    "retirar": WithdrawForm,
}


@blueprint.get("/envios/<int:envio_id>")
def envio(envio_id: int) -> ResponseReturnValue:
    """Show one envío."""
    return _page(load_for(db_session(), Envio, envio_id, person()))


def _page(row: Envio, acto: str = "", form: Any = None, error: RadicaError | None = None) -> str:
    with current().database.read() as session:
        view = load_view(session, row)
        clock_ms = now_ms(session)
    forms = {name: kind(prefix=name, formdata=None, version=row.version) for name, kind in FORMS.items()}
    if form is not None:
        forms[acto] = form
    if row.acto is not Acto.RADICACION:
        forms["radicada"].fecha.label.text = "Fecha y hora en que se presentó"
        forms["radicada"].sin_numero.label.text = "El pagador la recibió y no da número"
    may = row.prestador_id in person().granted(*roles_of(row))
    return render_template(
        "radicacion/envio.html",
        e=row,
        v=view,
        forms=forms,
        acto=acto or request.args.get("acto", ""),
        asi=bool(request.args.get("asi")),
        error=error,
        puede=may,
        proxima=datetime.fromtimestamp(view.next_reading_ms / 1000, UTC) if view.next_reading_ms else None,
        atrasada=bool(view.next_reading_ms and view.next_reading_ms <= clock_ms),
        E=EstadoEnvio,
    )


@blueprint.post("/envios/<int:envio_id>/<acto>")
@allow(*ANSWERERS)
@max_upload(EVIDENCE_LIMIT, parts=60)
def registrar(envio_id: int, acto: str) -> ResponseReturnValue:
    """Register what happened: filed, refused, absent, or withdrawn."""
    if acto not in FORMS:
        raise NotFound
    row = check_envio(envio_id)
    form = FORMS[acto](prefix=acto)
    if not form.validate_on_submit():
        return _page(row, acto, form), 422
    again = _already(row, acto, form)
    if again:
        flash(again, "info")
        return go(url_for("radicacion.envio", envio_id=envio_id))
    if row.version != form.version.data:
        raise StalePage
    try:
        said = _register(envio_id, acto, form)
    except BadInput as refusal:
        return _page(row, acto, form, refusal), 422
    for text, kind in said:
        flash(text, kind)
    return go(url_for("radicacion.envio", envio_id=envio_id))


def _already(row: Envio, acto: str, form: Any) -> str:
    """Say that the same was registered before: a second click on a slow page is no error."""
    if acto == "radicada" and row.estado is EstadoEnvio.RADICADO:
        same = row.radicado == manual.clean_radicado(form.radicado.data)
        return "Esa radicación ya estaba registrada; no se hizo nada más." if same else ""
    if acto == "rechazada" and row.estado is EstadoEnvio.RECHAZADO:
        return "El rechazo ya estaba registrado; no se hizo nada más."
    if acto == "retirar" and row.estado is EstadoEnvio.CANCELADO:
        return "El envío ya estaba retirado; no se hizo nada más."
    return ""


def _register(envio_id: int, acto: str, form: Any) -> list[tuple[str, str]]:
    common: dict[str, Any] = {"actor": person().actor, "at": now(), "expected_version": form.version.data}
    kept = [] if acto == "retirar" else keep_evidence(form.pruebas.data or [])
    with current().database.write(durable=True) as session:
        row = load_envio(session, envio_id)
        if acto == "radicada":
            manual.register_filed(
                session, row, radicado=form.radicado.data, cuando=form.moment(), kept=kept, note=form.nota.data or "",
                **common,
            )  # fmt: skip
            return _filed_words(row, manual.same_number(session, row) if row.radicado else 0)
        if acto == "rechazada":
            manual.register_rejected(session, row, form.motivo.data, kept=kept, **common)
            fix = (
                "Corrija la factura y vuelva a radicarla." if row.acto is Acto.RADICACION else "Corrija las respuestas."
            )
            return [(f"Quedó registrado el rechazo. {fix}", "success")]
        if acto == "ausente":
            manual.register_absent(
                session, row, form.motivo.data, kept=kept, host_apagado=form.host_apagado.data, **common
            )
            return [("Quedó registrado que el pagador no la tiene; se enviará de nuevo.", "success")]
        manual.take_back(session, row, form.motivo.data, **common)
        free = (
            "sus facturas están listas para radicarse" if row.acto is Acto.RADICACION else "sus respuestas, aprobadas"
        )
        return [(f"El envío quedó retirado; {free} otra vez.", "success")]


def _filed_words(row: Envio, others: int) -> list[tuple[str, str]]:
    if row.acto is not Acto.RADICACION:
        return [(f"Quedó registrado que se presentó la respuesta, prueba de nivel {row.nivel_prueba}.", "success")]
    if row.estado is not EstadoEnvio.RADICADO:
        return [("Quedó recibida sin número. Cuando el pagador lo dé, regístrelo aquí mismo.", "success")]
    said = [(f"Quedó radicada con número {row.radicado}, prueba de nivel {row.nivel_prueba}.", "success")]
    if others:
        words = "otro envío" if others == 1 else f"otros {others} envíos"
        said.append(
            (f"Ese número ya está en {words} del mismo pagador: verifique que sea el de esta factura.", "warning")
        )
    return said


@blueprint.get("/envios/<int:envio_id>/paquete")
@allow(*ANSWERERS)
def paquete(envio_id: int) -> ResponseReturnValue:
    """Send what is handed in as a ZIP, named as the payer asks; the reading of each piece is logged first.

    What the payer's rules need is done to the files before; what they do not allow is told, and `?asi=1` sends it as it
    is. `?parte=2` sends one of several ZIPs, and without it all come in one. An answer's begins with its letter.
    """
    check_envio(envio_id)
    if not request.args.get("asi") and not _is_prepared(envio_id):
        return go(url_for("radicacion.envio", envio_id=envio_id, asi=1) + "#paquete")
    with current().database.write() as session:
        row = load_envio(session, envio_id)
        boxes, drawn = _boxes(session, row)
        wanted = _wanted(boxes, request.args.get("parte"))
        for item in [item for box in wanted for item in box.archivos]:
            _log(session, row, item)
        paper = _letter(session, row)
    if paper is None and not wanted:
        raise NotFound("Este envío no tiene documentos que entregar.")
    letters = {f"Respuesta_{safe(paper.numero)}.pdf": letter.draw(paper)} if paper else {}
    box = tempfile.TemporaryFile(dir=current().settings.incoming)  # noqa: SIM115 - the answer closes it
    try:
        if len(wanted) > 1:
            _pack_boxes(box, wanted)
        else:
            _pack(box, wanted[0].archivos if wanted else (), letters)
    except BaseException:
        box.close()
        raise
    name = wanted[0].nombre if len(wanted) == 1 else drawn
    return send_file(box, mimetype="application/zip", as_attachment=True, download_name=name, max_age=0)


def _is_prepared(envio_id: int) -> bool:
    """Say whether the files are as the payer wants them; else it is told what is missing, or that it takes a while.

    What is quick is done here, one package at a time: changing a large PDF would hold a thread of the web for minutes,
    so that goes on in the background and the next download finds it made.
    """
    with current().database.read() as session:
        known = encargo.last(session, load_envio(session, envio_id))
    if known is not None and known.estado is EstadoEncargo.HECHO:
        return True
    if known is not None and known.estado is EstadoEncargo.NO_CUMPLE:
        flash("No se descargó nada: hay algo que el pagador no recibe así.", "warning")
        for line in known.dicho.splitlines():
            flash(line, "warning")
        return False
    prepared = _prepare_quickly(envio_id) if known is None else None
    if prepared is None:
        with current().database.write() as session:
            encargo.order(session, load_envio(session, envio_id))
        flash("Los archivos se están preparando como los pide el pagador: descárguelos en unos minutos.", "info")
        return False
    if prepared.rechazos:
        _tell(envio_id, prepared.rechazos)
    return not prepared.rechazos


class _Late(Exception):
    """Preparing takes longer than a person waits on a page."""


def _prepare_quickly(envio_id: int) -> Preparado | None:
    """Prepare here what takes little time; None when it takes longer, or another download of this process is at it."""
    until = time.monotonic() + WAIT_S

    def beat() -> None:
        if time.monotonic() > until:
            raise _Late

    if not _AT_WORK.acquire(blocking=False):
        return None
    try:
        return preparar(current().database, store(), envio_id, actor=person().actor, clock=current().clock, beat=beat)
    except _Late:
        return None
    finally:
        _AT_WORK.release()


def _tell(envio_id: int, rechazos: Sequence[Rechazo]) -> None:
    """Say that nothing was sent and why; what the page says of itself is not said twice."""
    with current().database.read() as session:
        row = load_envio(session, envio_id)
        nit = session.get_one(Prestador, row.prestador_id).nit
        shown = {one.motivo for _, plan in plans_of(session, row, nit) for one in plan.rechazos}
    flash("No se descargó nada: hay algo que el pagador no recibe así.", "warning")
    for one in rechazos:
        if one.motivo not in shown:
            flash(" ".join(filter(None, (one.nombre and f"{one.nombre}:", one.motivo))), "warning")


def _boxes(session: Session, row: Envio) -> tuple[list[Caja], str]:
    """Return the ZIPs of an envío and how the one that holds them all is called."""
    nit = session.get_one(Prestador, row.prestador_id).nit
    if row.acto is Acto.RADICACION:
        planes = [(one.id, one.numero, plan) for one, plan in plans_of(session, row, nit)]
    else:
        packages = manual.packages_of(session, row, nit)
        planes = [(one.id, one.numero, Plan(COMUN, (Parte(None, tuple(files)),))) for one, files in packages]
    return cajas(planes, nit=nit, envio_id=row.id), whole_name([numero for _, numero, _ in planes], nit, row.id)


def _wanted(boxes: Sequence[Caja], part: str | None) -> Sequence[Caja]:
    """Return the ZIP that was asked for by its number, or all. Raises NotFound."""
    if part is None:
        return boxes
    if not part.isdigit() or not 0 < int(part) <= len(boxes):
        raise NotFound("Este envío no tiene esa parte.")
    return boxes[int(part) - 1 : int(part)]


def _log(session: Session, row: Envio, one: Contenido) -> None:
    log_opening(
        session,
        prestador_id=row.prestador_id,
        object_=f"factura:{one.factura_id}",
        sha256=one.item.sha256,
        actor=person().actor,
        action="descargar",
        purpose=Proposito.RADICAR if row.acto is Acto.RADICACION else Proposito.RESPONDER,
        case_key=row.case_key,
        at=now(),
    )


def _letter(session: Session, row: Envio) -> Carta | None:
    """Return the letter of an answer, its reading logged; None for a filing, and for an envío that carries none any more."""
    answers = answers_of_envio(session, row)
    if not answers:
        return None
    record_reading(
        session,
        prestador_id=row.prestador_id,
        actor=person().actor,
        action="descargar",
        purpose=Proposito.RESPONDER,
        object_=f"carta:{row.case_key}",
        case_key=row.case_key,
        at=now(),
    )
    number = session.get_one(Factura, row.lineas[0].factura_id).numero
    return carta_de(session, answers, numero=f"{number}-{answers[0].ronda}", fecha=civil_date(row.creado_at))


def _pack(box: IO[bytes], files: Sequence[Contenido], drawn: Mapping[str, bytes]) -> None:
    """Write files as a ZIP, under the names inside it; `drawn` ones come first."""
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in drawn.items():
            archive.writestr(name, data)
        for one in files:
            with store().open(one.item.sha256) as source, archive.open(one.ruta, "w") as out:
                shutil.copyfileobj(source, out, 1 << 20)
    box.seek(0)


def _pack_boxes(box: IO[bytes], boxes: Sequence[Caja]) -> None:
    """Write several ZIPs inside one, each as the payer takes it."""
    with zipfile.ZipFile(box, "w", zipfile.ZIP_STORED) as archive:
        for one in boxes:
            with tempfile.TemporaryFile(dir=current().settings.incoming) as inner:
                _pack(inner, one.archivos, {})
                with archive.open(one.nombre, "w", force_zip64=True) as out:
                    shutil.copyfileobj(inner, out, 1 << 20)
    box.seek(0)
