"""Work on the table: save its lines, by code, bring it up to date; the payer's ledger; promises and their fate.

Invariant: the lines that can be saved are saved and the others come back as they were typed, each with its reason;
a file is in custody before any transaction opens. Norm: Circular conjunta 030/2013.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import flash, request
from flask.typing import ResponseReturnValue

from radica.app.acciones import conciliacion_formas as formas
from radica.app.acciones.comun import EVIDENCE_LIMIT, keep_evidence
from radica.app.acciones.conciliacion import again, check, simply
from radica.app.acciones.glosas_formas import read_pesos
from radica.app.paginas.comun import store
from radica.app.paginas.conciliacion import here
from radica.app.paginas.conciliacion_mesa import Tecleado, ledger_page, pesos, simulator_page, table_page
from radica.app.paginas.conciliacion_plano import READERS, WORKERS, blueprint, load, load_promise
from radica.conciliacion import commitments, table
from radica.conciliacion.ledger import IGUAL
from radica.conciliacion.ledger_read import leer_libro
from radica.conciliacion.ledger_store import CLASE, keep_ledger
from radica.conciliacion.models import Conciliacion, EstadoCompromiso
from radica.conciliacion.simulate import Porcentaje, Reparto
from radica.conciliacion.table import Cambio
from radica.custodia.services import Candidate, keep_files
from radica.custodia.staging import leased_folder
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput
from radica.kernel.money import format_cop
from radica.kernel.web import allow, current, db_session, go, max_upload, now, person
from radica.radicacion.package import safe

LEDGER_LIMIT = 30_000_000
"""Bytes of the payer's ledger."""


@blueprint.post("/<int:conciliacion_id>/mesa")
@allow(*WORKERS)
def guardar_mesa(conciliacion_id: int) -> ResponseReturnValue:
    """Save what was typed on a page of the table."""
    check(conciliacion_id)
    changes, refused = _typed()
    with current().database.write() as session:
        row = load(session, conciliacion_id, *WORKERS)
        saved = table.save_lines(session, row, changes)
    problems = {**refused, **saved.rechazadas, **saved.vencidas}
    if saved.guardadas:
        count = len(saved.guardadas)
        flash("Se guardó una línea." if count == 1 else f"Se guardaron {count} líneas.", "success")
    if not problems:
        if not saved.guardadas:
            flash("No había cambios que guardar.", "info")
        return go(here(row, "conciliacion.mesa", **_kept()))
    with current().database.read() as session:
        row = load(session, conciliacion_id, *WORKERS)
        typed = {one: _as_typed(one, words, saved.queridos.get(one)) for one, words in problems.items()}
        return table_page(session, row, typed=typed), 422


def _typed() -> tuple[dict[int, Cambio], dict[int, str]]:
    """Read the lines of the form; the second are those with an amount that nobody understands."""
    changes: dict[int, Cambio] = {}
    refused: dict[int, str] = {}
    for name in request.form:
        if not (name.startswith("vio-") and name[4:].isdecimal() and len(name) < 23):
            continue
        line_id = int(name[4:])
        seen = request.form[name].split(":")
        if len(seen) != 3 or not all(one.isdecimal() and len(one) < 19 for one in seen):
            continue
        try:
            lifted, accepted, stays = (_amount(f"{column}-{line_id}") for column in ("lev", "ace", "sig"))
        except BadInput as problem:
            refused[line_id] = str(problem)
            continue
        shown, notes = Reparto(*(int(one) for one in seen)), (_text(f"vionota-{line_id}"), _text(f"nota-{line_id}"))
        changes[line_id] = Cambio(shown, lifted, accepted, stays, *notes)
    return changes, refused


def _amount(name: str) -> int | None:
    typed = request.form.get(name, "").strip()
    return read_pesos(typed) if typed else None


def _text(name: str) -> str:
    return request.form.get(name, "").replace("\r\n", "\n").strip()


def _as_typed(line_id: int, words: str, meant: Reparto | None) -> Tecleado:
    """Return a refused line as it was typed; what was left to follow is filled in when that was understood."""
    lifted, accepted, stays = (request.form.get(f"{column}-{line_id}", "")[:30] for column in ("lev", "ace", "sig"))
    if meant is not None and min(meant.levantado, meant.aceptado, meant.sigue) >= 0:
        lifted, accepted, stays = pesos(meant.levantado), pesos(meant.aceptado), pesos(meant.sigue)
    return Tecleado(lifted, accepted, stays, _text(f"nota-{line_id}")[:2000], words)


def _kept() -> dict[str, str]:
    """Return the filter and the page of the table that the form was on."""
    return {name: request.args[name] for name in ("codigo", "factura", "despues") if request.args.get(name)}


@blueprint.post("/<int:conciliacion_id>/mesa/codigo")
@allow(*WORKERS)
def por_codigo(conciliacion_id: int) -> ResponseReturnValue:
    """Accept and lift percentages of a code."""
    code = request.form.get("codigo", "")[:12]

    def act(session: Any, row: Conciliacion) -> str:
        percent = Porcentaje(
            formas.read_percent(request.form.get("acepta", "")), formas.read_percent(request.form.get("levanta", ""))
        )
        seen = [int(one) for one in request.form.get("vio", "").split(":") if one.isdecimal() and len(one) < 19]
        changed, left = table.apply_percent(
            session, row, code, percent, only_untouched=request.form.get("todas") != "1",
            expected=Reparto(*seen) if len(seen) == 3 else None,
        )  # fmt: skip
        words = f"Cambiaron {changed} líneas." if changed != 1 else "Cambió una línea."
        return words + (f" {left} devoluciones no se dividen: decídalas a mano." if left else "")

    return simply(conciliacion_id, act, "conciliacion.mesa")


@blueprint.post("/<int:conciliacion_id>/mesa/actualizar")
@allow(*WORKERS)
def actualizar(conciliacion_id: int) -> ResponseReturnValue:
    """Bring the table up to what stands now."""

    def act(session: Any, row: Conciliacion) -> str:
        valued, gone = table.refresh(session, row)
        return f"La mesa está al día: {valued} líneas con valor nuevo, por acordar otra vez, y {gone} que salieron."

    return simply(conciliacion_id, act, "conciliacion.mesa")


@blueprint.post("/<int:conciliacion_id>/simulador")
@allow(*WORKERS)
def llevar(conciliacion_id: int) -> ResponseReturnValue:
    """Write the simulated percentages on the lines nobody touched yet."""
    check(conciliacion_id)
    try:
        wanted = formas.read_percents(request.form)
        if not wanted:
            raise BadInput("Ningún código tiene porcentaje; no se llevó nada.", code="sin_porcentaje")
        with current().database.write() as session:
            row = load(session, conciliacion_id, *WORKERS)
            changed = sum(table.apply_percent(session, row, code, one)[0] for code, one in wanted.items())
    except BadInput as refusal:
        with current().database.read() as session:
            return simulator_page(session, load(session, conciliacion_id, *WORKERS), refusal), 422
    flash(f"Cambiaron {changed} líneas de la mesa; las que ya tenían valores quedaron como estaban.", "success")
    return go(here(row, "conciliacion.mesa"))


@blueprint.post("/<int:conciliacion_id>/libro")
@allow(*WORKERS)
@max_upload(LEDGER_LIMIT, parts=10)
def cargar_libro(conciliacion_id: int) -> ResponseReturnValue:
    """Take in the payer's ledger and compare it."""
    check(conciliacion_id)
    file = request.files.get("archivo")
    try:
        if file is None or not file.filename:
            raise BadInput("Elija el archivo del pagador.", code="sin_archivo")
        original = Path(file.filename.replace("\\", "/")).name
        with leased_folder(current().settings.incoming, "libro-") as folder:
            name = f"libro_{safe(Path(original).stem)[:80]}{safe(Path(original).suffix)[:6]}"
            path = folder / name
            with path.open("wb") as out:
                shutil.copyfileobj(file.stream, out, 1 << 20)
            book = leer_libro(path)
            kept, refused = keep_files(store(), [Candidate(path, name, CLASE, nota=original[:200])], folder=folder)
        if refused:
            raise BadInput("El archivo es demasiado grande.", code="demasiado_grande")
        with current().database.write() as session:
            row = load(session, conciliacion_id, *WORKERS)
            crossed = keep_ledger(session, row, book, kept=kept[0], actor=person().actor, at=now())
    except BadInput as refusal:
        with current().database.read() as session:
            return ledger_page(session, load(session, conciliacion_id, *WORKERS), error=refusal), 422
    differ = sum(1 for one in crossed if one.diferencia != IGUAL)
    same = len(crossed) - differ
    flash(f"Se leyeron {len(book.filas)} filas. De {len(crossed)} facturas, {same} son iguales en los dos.", "success")
    for warning in book.avisos:
        flash(warning, "warning")
    return go(here(row, "conciliacion.libro"))


@blueprint.post("/<int:conciliacion_id>/compromisos")
@allow(*WORKERS)
def prometer(conciliacion_id: int) -> ResponseReturnValue:
    """Write a promise of payment."""
    check(conciliacion_id)
    form = formas.PromiseForm(prefix="compromiso")
    if not form.validate_on_submit():
        return again(conciliacion_id, "compromiso", {"compromiso": form})
    try:
        with current().database.write() as session:
            row = load(session, conciliacion_id, *WORKERS)
            made = commitments.promise(
                session, row, fecha=form.fecha.data, valor=form.valor.cents or 0, nota=form.nota.data or "", at=now()
            )
    except BadInput as refusal:
        return again(conciliacion_id, "compromiso", {"compromiso": form}, refusal)
    flash(f"Quedó el compromiso de {format_cop(made.valor)}.", "success")
    return go(here(row) + "#compromisos")


@blueprint.get("/compromisos/<int:compromiso_id>")
@allow(*READERS)
def compromiso(compromiso_id: int) -> ResponseReturnValue:
    """Go to the meeting of a promise: what a task points to."""
    _, row = load_promise(db_session(), compromiso_id)
    return go(here(row) + "#compromisos")


@blueprint.post("/compromisos/<int:compromiso_id>/quitar")
@allow(*WORKERS)
def retirar_compromiso(compromiso_id: int) -> ResponseReturnValue:
    """Take a promise off an open table."""
    with current().database.write() as session:
        _, row = load_promise(session, compromiso_id, *WORKERS)
        commitments.withdraw(session, row, compromiso_id)
    flash("El compromiso se quitó.", "success")
    return go(here(row) + "#compromisos")


@blueprint.post("/compromisos/<int:compromiso_id>/<any(llego, desistir):acto>")
@allow(*WORKERS)
@max_upload(EVIDENCE_LIMIT, parts=40)
def resolver(compromiso_id: int, acto: str) -> ResponseReturnValue:
    """Write that a promised payment arrived, or that it is given up."""
    with current().database.read() as session:
        number = load_promise(session, compromiso_id, *WORKERS)[1].id
    form = formas.KeptForm(prefix=acto) if acto == "llego" else formas.GivenUpForm(prefix=acto)
    if not form.validate_on_submit():
        return again(number, acto, {acto: form}, elegido=compromiso_id)
    at = now()
    values: dict[str, Any] = {"fecha": civil_date(at), "nota": form.nota.data or ""}
    try:
        if acto == "llego":
            values |= {"fecha": form.fecha.data, "valor": form.valor.cents or 0}
            values["kept"] = [replace(one, clase="pago") for one in keep_evidence(form.pruebas.data or [])]
        result = EstadoCompromiso.CUMPLIDO if acto == "llego" else EstadoCompromiso.DESISTIDO
        with current().database.write() as session:
            promise, row = load_promise(session, compromiso_id, *WORKERS)
            commitments.settle(session, promise, result, actor=person().actor, at=at, **values)
    except BadInput as refusal:
        return again(number, acto, {acto: form}, refusal, elegido=compromiso_id)
    flash("Quedó registrado.", "success")
    return go(here(row) + "#compromisos")
