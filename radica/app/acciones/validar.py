"""Page *Validar*: drop files, see what DIAN, the Ministry and the payer would say, keep nothing.

Invariant: any person with a session; no database row, no custody, no name of a file in a log line; the Excel is made
from the same files, sent again. Norms: Res. 948 de 2026; Ley 1581 de 2012 art. 4.
"""

from __future__ import annotations

import io
from collections import Counter

from flask import Blueprint, make_response, render_template, request, send_file
from flask.typing import ResponseReturnValue

from radica.app.paginas.comun import store
from radica.app.paginas.facturas import XLSX
from radica.app.paginas.hallazgos_plano import libro
from radica.app.paginas.veredicto import fichas, filas
from radica.app.validar.soltados import MAX_BYTES, MAX_FILES, Dado, Veredicto, validar
from radica.kernel.clock import bogota, civil_date
from radica.kernel.web import allow_anyone, current, is_fragment, max_upload, now
from radica.kernel.web_format import fecha

blueprint = Blueprint("validar", __name__, url_prefix="/validar")

SHOWN = 60
"""Invoices that are drawn with their findings; the rest is counted, and the Excel has all."""
_FORM = 200_000
"""Bytes of a form around its files."""


@blueprint.get("")
def inicio() -> ResponseReturnValue:
    """Show where files are dropped."""
    return render_template("validar/inicio.html", veredicto=None, maximo=MAX_BYTES, archivos=MAX_FILES)


@blueprint.post("")
@allow_anyone
@max_upload(MAX_BYTES + _FORM, parts=MAX_FILES + 10)
def comprobar() -> ResponseReturnValue:
    """Judge what was dropped and show the verdict: a fragment for the script, else the whole page."""
    verdict = _judged()
    cards = fichas(verdict.resultados)
    values = {
        "veredicto": verdict,
        "fichas": cards[:SHOWN],
        "mas": max(0, len(cards) - SHOWN),
        "cuentas": Counter(card.tono for card in cards),
        "hallazgos": sum(len(one["hallazgos"]) for one in verdict.resultados),
        "maximo": MAX_BYTES,
        "archivos": MAX_FILES,
        "solo_veredicto": is_fragment(),
    }
    answer = make_response(
        render_template("validar/_resultado.html" if is_fragment() else "validar/inicio.html", **values)
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/hallazgos.xlsx")
@allow_anyone
@max_upload(MAX_BYTES + _FORM, parts=MAX_FILES + 10)
def excel() -> ResponseReturnValue:
    """Judge what was dropped and send its findings as Excel."""
    data = libro(filas(_judged().resultados), titulo=f"Hallazgos al {fecha(now())}")
    name = f"hallazgos_{civil_date(now()).isoformat()}.xlsx"
    answer = send_file(io.BytesIO(data), mimetype=XLSX, as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _judged() -> Veredicto:
    given = [Dado(one.filename, one.stream) for one in request.files.getlist("archivos") if one.filename]  # type: ignore[arg-type] # reads bytes
    frame = current()
    return validar(given, frame.settings, frame.database, store(), ahora=bogota(now()))
