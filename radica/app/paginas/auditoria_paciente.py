"""Who opened the documents of one patient, when and for what: what the law lets the patient ask.

Invariant: the patient's document comes by POST and stands in no address, log line or table of ours; the report itself
is logged, without it. Norm: Ley 1581/2012 arts. 8 lit. c, 14 and 17 lit. b; Decreto 1377/2013 art. 20.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flask import render_template, request, send_file
from flask.typing import ResponseReturnValue
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from radica.app.paginas.auditoria import ACCIONES, case_names
from radica.app.paginas.auditoria_buscar import log_search, word_keys
from radica.app.paginas.auditoria_consultas import invoices_of_patient, patient_numbers
from radica.app.paginas.auditoria_papel import csv_list, pdf_list
from radica.app.paginas.auditoria_plano import TITULAR, blueprint
from radica.app.paginas.casos import page_of
from radica.audit.models import AccessLog
from radica.custodia.models import Pieza
from radica.custodia.text_models import TextoIndexado
from radica.facturas.models import Documento, Factura
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput
from radica.kernel.web import allow, current, now, person
from radica.kernel.web_format import entero, fecha_hora
from radica.prejuridico.casos import cases_of_invoice
from radica.users.access import selected_ids
from radica.users.purposes import Proposito, purpose_name
from radica.users.services import actor_names

MAX_INVOICES = 1_000
MAX_LINES = 20_000
_AT_ONCE = 400
COLUMNS = (("Cuándo", 12), ("Persona", 20), ("Qué hizo", 12), ("Documento", 16), ("Caso", 14), ("Para qué", 22))


@dataclass(frozen=True)
class Informe:
    """The invoices of the patient and the readings of their documents, newest first; `sin_leer` blobs were not searched."""

    facturas: Sequence[Factura]
    lecturas: Sequence[AccessLog]
    sin_leer: int


@blueprint.get("/paciente")
@allow(*TITULAR)
def paciente() -> ResponseReturnValue:
    """Show the form."""
    return render_template("auditoria/paciente.html", documento="", r=None, problema=None)


@blueprint.post("/paciente/<any(pagina, pdf, csv):formato>")
@allow(*TITULAR)
def paciente_informe(formato: str) -> ResponseReturnValue:
    """Make the report; logged before it is shown."""
    typed = request.form.get("documento", "")[:40]
    if not patient_numbers(typed):
        problem = BadInput("Ese documento no sirve; no se hizo el informe.", todo="Escriba el número, sin el tipo.")
        return render_template("auditoria/paciente.html", documento=typed, r=None, problema=problem), 422
    ids = selected_ids(person(), *TITULAR)
    with current().database.read() as session:
        report = accesses_of(session, typed, sorted(ids))
        names = actor_names(session, {row.actor for row in report.lecturas})
        cases = case_names(session, report.lecturas)
    log_search("informe_accesos", "informe_accesos", dict.fromkeys(ids, Proposito.TITULAR.value), report.facturas)
    if formato == "pagina":
        return render_template(
            "auditoria/paciente.html",
            documento=typed,
            r=report,
            problema=None,
            nombres=names,
            casos=cases,
            ACCIONES=ACCIONES,
            proposito=purpose_name,
            pagina=page_of,
        )
    return _file(report, names, cases, " ".join(typed.split()), formato)


def accesses_of(session: Session, typed: str, ids: Sequence[int]) -> Informe:
    """Return the readings of a patient's documents at some providers."""
    invoices = invoices_of_patient(session, typed, ids, word_keys(ids), limit=MAX_INVOICES)
    readings: dict[int, AccessLog] = {}
    for row in invoices:
        readings |= {one.id: one for one in _readings(session, row)}
    ordered = sorted(readings.values(), key=lambda one: (one.at, one.id), reverse=True)[:MAX_LINES]
    return Informe(invoices, ordered, _unread(session, ids))


def _readings(session: Session, row: Factura) -> list[AccessLog]:
    """Return the readings of an invoice's cases; lines from before cases were told are found by their document."""
    cases = cases_of_invoice(session, row.id)
    papers = session.scalars(select(Documento.id).where(Documento.factura_id == row.id))
    pieces = session.scalars(select(Pieza.id).where(Pieza.case_key.in_(cases)))
    objects = [f"documento:{one}" for one in papers] + [f"evidencia:{one}" for one in pieces]
    found: list[AccessLog] = []
    mine = AccessLog.prestador_id == row.prestador_id
    for start in range(0, max(len(cases), len(objects)), _AT_ONCE):
        told = AccessLog.case_key.in_(cases[start : start + _AT_ONCE])
        before = and_(AccessLog.case_key.is_(None), AccessLog.object.in_(objects[start : start + _AT_ONCE]))
        found += session.scalars(select(AccessLog).where(mine, or_(told, before)))
    return found


def _unread(session: Session, ids: Collection[int]) -> int:
    """Return how many files hold no words that could be searched: pictures, damaged, other formats."""
    rows = session.scalars(
        select(TextoIndexado.id).where(TextoIndexado.prestador_id.in_(ids), TextoIndexado.resultado != "indexado")
    )
    return len(rows.all())


def _file(
    report: Informe, names: dict[str, str], cases: dict[str, str], typed: str, formato: str
) -> ResponseReturnValue:
    facts = [
        ("Documento del titular", typed),
        ("Facturas en que aparece", ", ".join(row.numero for row in report.facturas) or "ninguna"),
        ("Lecturas", entero(len(report.lecturas))),
        ("Alcance", _scope(report)),
        ("Norma", "Ley 1581 de 2012, arts. 8 y 14; Decreto 1377 de 2013, art. 20"),
        ("Hecho", f"{fecha_hora(now())} por {person().nombre}"),
    ]
    rows = [
        [
            fecha_hora(one.at),
            names.get(one.actor, one.actor),
            ACCIONES.get(one.action, one.action.replace("_", " ")),
            one.object,
            cases.get(one.case_key or "", ""),
            purpose_name(one.purpose),
        ]
        for one in report.lecturas
    ]
    data = (
        pdf_list("Quién abrió los documentos de un titular", facts, COLUMNS, rows)
        if formato == "pdf"
        else csv_list(facts, [name for name, _ in COLUMNS], rows)
    )
    # The name of the file tells nothing of the patient: it stays in download lists and mails.
    name = f"accesos_titular_{civil_date(now()).isoformat()}_{hashlib.sha256(data).hexdigest()[:8]}.{formato}"
    answer = send_file(io.BytesIO(data), mimetype="application/octet-stream", as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _scope(report: Informe) -> str:
    words = "lecturas registradas en radica; no incluye lo que otros sistemas hayan mostrado"
    if report.sin_leer:
        words += f". {entero(report.sin_leer)} archivos sin texto (imágenes, dañados) no se pudieron buscar por dentro"
    return words
