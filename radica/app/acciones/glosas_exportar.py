"""Files that go out: the tray as Excel, and our answers in the layouts that payers and hospital systems take.

Invariant: the file holds exactly the rows of the filter; exporting is reading and is logged per provider before the
file leaves (Ley 1581/2012 art. 17). Texts are texts: what begins with `=` is no formula.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import xlsxwriter
from flask import Response, request, send_file
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from radica.app.paginas.comun import HEALTH_ROLES, log_export
from radica.app.paginas.glosas import urgency
from radica.app.paginas.glosas_filtro import asked
from radica.app.paginas.glosas_plano import blueprint
from radica.entidades.models import Prestador
from radica.facturas.models import Factura
from radica.glosas import exports
from radica.glosas.bandeja import tray
from radica.glosas.exports import Archivo, PerfilDgh
from radica.glosas.models import Glosa
from radica.glosas.respuesta.letter_facts import filas_de, respuestas_de
from radica.glosas.states import EstadoRespuesta
from radica.kernel.clock import bogota, civil_date
from radica.kernel.errors import BadInput
from radica.kernel.money import from_cents
from radica.kernel.web import allow, db_session, now, person
from radica.users.access import MAX_ID, load_for, selected_ids

MAX_ROWS = 50_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COLUMNS = (
    ("Vence", 12), ("Plazo", 22), ("Código", 10), ("Factura", 16), ("Radicado", 18), ("Pagador", 30),
    ("Número de glosa", 16), ("Servicio", 14), ("Descripción", 34), ("Motivo", 50), ("Objetado", 16), ("En juego", 16),
    ("Estado", 20), ("Respuesta", 20), ("Responsable", 24), ("Notificada", 12), ("Ronda", 8), ("Tardía", 8),
)  # fmt: skip
LIVING = (EstadoRespuesta.APROBADA, EstadoRespuesta.EN_ENVIO, EstadoRespuesta.PRESENTADA)


@blueprint.get("/<any(glosas, devoluciones):clase>/exportar.xlsx")
@allow(*HEALTH_ROLES)
def exportar(clase: str) -> ResponseReturnValue:
    """Send the whole filter of a tray as Excel, of the providers where the person sees health data."""
    f = asked(clase)
    allowed = selected_ids(person(), *HEALTH_ROLES)
    session = db_session()
    lines = tray.all_rows(session, replace(f, prestadores=f.prestadores & allowed), limit=MAX_ROWS)
    wanted = {line.objecion.factura_id for line in lines}
    filed = dict(session.execute(select(Factura.id, Factura.radicado).where(Factura.id.in_(wanted))).all())
    data = _workbook(lines, filed)
    counts: dict[int, int] = {}
    for line in lines:
        counts[line.objecion.prestador_id] = counts.get(line.objecion.prestador_id, 0) + 1
    log_export({one: f"bandeja_{clase}:{count}" for one, count in counts.items()}, data)
    name = f"{clase}_{civil_date(now()).isoformat()}.xlsx"
    return _send(data, name, XLSX)


def _workbook(lines: Sequence[tray.Linea], filed: dict[int, str | None]) -> bytes:
    out = io.BytesIO()
    options = {"in_memory": True, "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    sheet = book.add_worksheet("Bandeja")
    head = book.add_format({"bold": True, "bg_color": "#e9edf1", "bottom": 1})
    formats = {
        "money": book.add_format({"num_format": "#,##0.00"}),
        "day": book.add_format({"num_format": "yyyy-mm-dd"}),
    }
    for index, (name, width) in enumerate(COLUMNS):
        sheet.set_column(index, index, width)
        sheet.write_string(0, index, name, head)
    sheet.freeze_panes(1, 3)
    today = civil_date(now())
    for at, line in enumerate(lines, start=1):
        _write(sheet, at, line, filed, formats, today)
    sheet.autofilter(0, 0, max(len(lines), 1), len(COLUMNS) - 1)
    book.close()
    return out.getvalue()


def _write(
    sheet: Any, at: int, line: tray.Linea, filed: dict[int, str | None], formats: dict[str, Any], today: Any
) -> None:
    row = line.objecion
    glosa = row if isinstance(row, Glosa) else None
    state = urgency(row.vence, today)
    if row.vence is not None:
        sheet.write_datetime(at, 0, row.vence, formats["day"])
    texts = {
        1: state.texto if state else "",
        2: row.codigo,
        3: line.factura,
        4: filed.get(row.factura_id) or "",
        5: line.pagador,
        6: (glosa.numero_glosa if glosa else getattr(row, "numero", "")) or "",
        7: (glosa.servicio if glosa else "") or "",
        8: (glosa.descripcion_servicio if glosa else "") or "",
        9: row.motivo,
        12: row.MACHINE.labels[row.estado],
        13: line.respuesta.MACHINE.labels[line.respuesta.estado] if line.respuesta else "",
        14: line.responsable or "",
        17: "sí" if row.extemporanea else "",
    }
    for column, text in texts.items():
        sheet.write_string(at, column, text)
    sheet.write_number(at, 10, from_cents(glosa.valor_objetado if glosa else row.valor), formats["money"])
    sheet.write_number(at, 11, from_cents(line.dinero), formats["money"])
    sheet.write_datetime(at, 15, bogota(row.notificada_at).replace(tzinfo=None), formats["day"])
    sheet.write_number(at, 16, glosa.ronda if glosa else 1)


@blueprint.get("/respuestas/<int:prestador_id>/<any(excel, salud_total, dinamica):formato>")
@allow(*HEALTH_ROLES)
def exportar_respuestas(prestador_id: int, formato: str) -> ResponseReturnValue:
    """Send the answers of a provider in one of the layouts; `?pagador=` narrows, `?estado=` says which answers."""
    session = db_session()
    house = load_for(session, Prestador, min(prestador_id, MAX_ID), person(), roles=HEALTH_ROLES)
    payer = request.args.get("pagador", "")
    states = {one.value: one for one in LIVING}
    wanted = states.get(request.args.get("estado", ""))
    answers = respuestas_de(
        session,
        prestador_id=house.id,
        estados=[wanted] if wanted else list(LIVING),
        pagador_id=int(payer) if payer.isascii() and payer.isdecimal() and len(payer) < 19 else None,
    )
    if not answers:
        raise BadInput("No hay respuestas que exportar con ese filtro.", todo="Apruebe respuestas o quite el filtro.")
    rows = filas_de(session, answers)
    today = civil_date(now())
    files: list[Archivo]
    if formato == "salud_total":
        files = [exports.salud_total(rows, nit=house.nit, fecha=today, numero=1)]
    elif formato == "dinamica":
        files = exports.dinamica_gerencial(rows, nombre=f"OBJECIONES_{today:%Y%m%d}", perfil=PerfilDgh())
    else:
        files = [exports.excel(rows, nombre=f"respuestas_{today:%Y%m%d}.xlsx")]
    data, name = _one(files, f"{formato}_{today:%Y%m%d}.zip")
    log_export({house.id: f"respuestas_{formato}:{len(rows)}"}, data)
    return _send(data, name, "application/octet-stream")


def _one(files: Sequence[Archivo], name: str) -> tuple[bytes, str]:
    """Return one file to send: the only one, or a ZIP of several."""
    if len(files) == 1:
        return files[0].contenido, files[0].nombre
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as box:
        for one in files:
            box.writestr(one.nombre, one.contenido)
    return out.getvalue(), name


def _send(data: bytes, name: str, kind: str) -> Response:
    answer = send_file(io.BytesIO(data), mimetype=kind, as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer
