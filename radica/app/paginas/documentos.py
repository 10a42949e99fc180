"""Documents and evidence beside a page: viewer, pictures of pages, text, download.

Invariant: before the first byte leaves, the opening is logged in a committed transaction of its own; files are never
rendered by the browser in our origin: PDF and images travel as pixels drawn here, HTML and MHTML as escaped text, and
every original goes out as an attachment. Norm: Ley 1581/2012 art. 17; DESIGN section 7.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from flask import Blueprint, Response, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from radica.app.paginas import lecturas_documento as lectura
from radica.app.paginas import pdf
from radica.app.paginas.casos import asking_case, case_of
from radica.app.paginas.comun import (
    HEALTH_ROLES,
    PurposeNeeded,
    exception_for,
    is_open,
    opened,
    sees_health,
    store,
)
from radica.app.paginas.consultas_factura import PICTURES, class_name
from radica.app.paginas.frases import document_name
from radica.app.paginas.prejuridico_plano import DOWNLOADERS
from radica.custodia.models import Pieza
from radica.facturas.models import Documento, TipoDocumento
from radica.facturas.soportes import catalogue
from radica.kernel.errors import BadInput, Forbidden, RadicaError
from radica.kernel.web import db_session, now, person
from radica.prejuridico.models import Expediente
from radica.users.access import load_for
from radica.users.purposes import DE_AUDITORIA, NOMBRES
from radica.users.services import ROLE_NAMES

blueprint = Blueprint("documentos", __name__)

PAGES_SHOWN = 40
OPEN_CLASSES = frozenset(
    {
        "acuse_document",
        "acuse_shot",
        "radicado",
        "manifest",
        "operation",
        "lineage",
        "result",
        "tls",
        "context",
        "failure",
        "acta",
        "acta_firmada",
    }
)
"""Evidence about the filing itself, and actas, which name no patient; the rest may quote the patient and follows HEALTH_ROLES."""
_TABLES = {
    TipoDocumento.FEV: "fev",
    TipoDocumento.INVOICE: "fev",
    TipoDocumento.NOTA_CREDITO: "fev",
    TipoDocumento.NOTA_DEBITO: "fev",
    TipoDocumento.RESPUESTA_DIAN: "dian",
    TipoDocumento.RIPS: "rips",
    TipoDocumento.CUV: "cuv",
    TipoDocumento.SOPORTE: "pdf",
}
_TEXTS = frozenset({".json", ".txt", ".html", ".htm", ".mhtml", ".eml", ".xml", ".log"})
Thing = Documento | Pieza
KINDS: dict[str, type[Documento] | type[Pieza]] = {"documento": Documento, "evidencia": Pieza}


def _load(kind: str, thing_id: int) -> Thing:
    thing = load_for(db_session(), KINDS[kind], thing_id, person())
    if (case_of(thing) or "").startswith(f"{Expediente.KIND}:"):
        _refuse_dossier(thing)
    return thing


def _refuse_dossier(thing: Thing) -> None:
    """A dossier gathers what many rooms hold apart: it is opened by fewer people than each of its documents."""
    if thing.prestador_id not in person().granted(*DOWNLOADERS):
        roles = " y ".join(ROLE_NAMES[role].lower() for role in DOWNLOADERS)
        raise Forbidden(f"Un expediente armado trae datos de salud de varios papeles: lo abren {roles}.")


@blueprint.get("/<any(documento, evidencia):kind>/<int:thing_id>")
def ver(kind: str, thing_id: int) -> ResponseReturnValue:
    """Draw the viewer of one document or piece, for the side of a page."""
    return viewer_of(kind, _load(kind, thing_id))


@blueprint.get("/documentos/cerrar")
def cerrar() -> ResponseReturnValue:
    """Empty the side of the page."""
    return Response("", mimetype="text/html")


@blueprint.get("/<any(documento, evidencia):kind>/<int:thing_id>/pagina/<int:number>")
def pagina(kind: str, thing_id: int, number: int) -> ResponseReturnValue:
    """Send one page (or the image, page 1) as PNG."""
    thing = _load(kind, thing_id)
    _refuse_health(kind, thing)
    if not is_open(kind, thing_id, request.args.get("t", ""), now()):
        _log(kind, thing, "ver")
    data = store().read(thing.sha256)
    png = pdf.picture(data) if _suffix(thing) in PICTURES else pdf.draw(data, number)
    answer = Response(png, mimetype="image/png")
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/<any(documento, evidencia):kind>/<int:thing_id>/texto")
def texto(kind: str, thing_id: int) -> ResponseReturnValue:
    """Show the raw text, escaped."""
    thing = _load(kind, thing_id)
    _refuse_health(kind, thing, raw=True)
    _log(kind, thing, "ver_texto")
    data = store().read(thing.sha256)
    line = request.args.get("linea", 0, type=int)
    if line:
        return render_template("documentos/renglones.html", renglones=lectura.around_line(data, line), linea=line)
    return render_template("documentos/texto.html", texto=lectura.as_text(data))


@blueprint.get("/<any(documento, evidencia):kind>/<int:thing_id>/descargar")
def descargar(kind: str, thing_id: int) -> ResponseReturnValue:
    """Send the original, byte for byte, always as an attachment."""
    thing = _load(kind, thing_id)
    _refuse_health(kind, thing, raw=True)
    source = store().open(thing.sha256)
    _log(kind, thing, "descargar")
    name = PurePosixPath(thing.nombre.replace("\\", "/")).name or "archivo"
    # The type is never one that a browser would run, whatever the file says of itself.
    answer = send_file(source, mimetype="application/octet-stream", as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-SHA256"] = thing.sha256
    return answer


def viewer_of(kind: str, thing: Thing) -> str:
    """Return the viewer as HTML; logs the opening when anything of the document is shown."""
    shape = _shape(thing)
    health = _sees(thing)
    by_role = sees_health(thing.prestador_id)
    base: dict[str, Any] = {"kind": kind, "cosa": thing, "forma": shape, "salud": health, "cents": lectura.cents_of}
    base |= {"excepcion": None if by_role else exception_for(thing.prestador_id, case_of(thing))}
    base |= {"titulo": _title(thing), "pesa_salud": health or not _is_clinical(thing, raw=True), "error": None}
    if not health and _is_clinical(thing):
        case = case_of(thing)
        asked = asking_case(db_session(), case) if case else None
        asking = url_for("auditoria.pedir", kind=asked[0], caso_id=asked[1]) if asked else None
        return render_template(
            "documentos/visor.html", **{**base, "forma": "vedado", "pedir": asking}, vista=None, ficha=""
        )
    if shape == "nada":
        return render_template("documentos/visor.html", **base, vista=None, ficha="")
    try:
        token = _log(kind, thing, "ver")
    except PurposeNeeded:
        form = {**base, "forma": "proposito", "pesa_salud": False}
        return render_template(
            "documentos/visor.html", **form, vista=None, ficha="", propositos=DE_AUDITORIA, NOMBRES=NOMBRES
        )
    try:
        view = _view(shape, store().read(thing.sha256), health=health)
    except RadicaError as exc:
        return render_template(
            "documentos/visor.html", **{**base, "forma": "error", "error": exc}, vista=None, ficha=""
        )
    place = {
        "senalado": lectura.service_of(request.args.get("lugar", "")),
        "linea": request.args.get("linea", 0, type=int),
    }
    return render_template("documentos/visor.html", **base, **place, vista=view, ficha=token, GRUPOS=lectura.GRUPOS)


def _view(shape: str, data: bytes, *, health: bool) -> Any:
    if shape == "pdf":
        count = pdf.page_count(data)
        return {"paginas": count, "mostradas": min(count, PAGES_SHOWN)}
    if shape == "fev":
        return lectura.read_invoice(data)
    if shape == "dian":
        return lectura.read_dian(data)
    if shape == "rips":
        asked = lectura.user_of(request.args.get("lugar", ""))
        start = request.args.get("desde", asked - asked % lectura.USERS_SHOWN, type=int)
        return lectura.read_services(data, desde=max(0, start), health=health)
    if shape == "cuv":
        return lectura.read_validation(data, health=health)
    return lectura.as_text(data) if shape == "texto" else None


def _shape(thing: Thing) -> str:
    if isinstance(thing, Documento):
        return _TABLES[thing.tipo]
    suffix = _suffix(thing)
    if suffix == ".pdf":
        return "pdf"
    return "imagen" if suffix in PICTURES else "texto" if suffix in _TEXTS else "nada"


def _suffix(thing: Thing) -> str:
    return PurePosixPath(thing.nombre).suffix.lower() if isinstance(thing, Pieza) else ""


def _is_clinical(thing: Thing, *, raw: bool = False) -> bool:
    """Say whether showing it needs a health role; the tables of invoice, RIPS and CUV are masked, their raw text is not."""
    if isinstance(thing, Pieza):
        return thing.clase not in OPEN_CLASSES
    return raw or thing.tipo is TipoDocumento.SOPORTE


def _refuse_health(kind: str, thing: Thing, *, raw: bool = False) -> None:
    if _is_clinical(thing, raw=raw) and not _sees(thing):
        roles = ", ".join(ROLE_NAMES[role].lower() for role in HEALTH_ROLES)
        raise Forbidden(
            "Este documento puede traer datos de salud y su rol no los ve.",
            todo=f"Lo ven: {roles}. Si lo necesita ya, pida acceso excepcional en la página de la factura.",
        )
    if kind == "documento" and not raw and _shape(thing) != "pdf":
        raise BadInput("Ese documento no tiene páginas.", code="sin_paginas")


def _log(kind: str, thing: Thing, action: str) -> str:
    return opened(
        kind, thing.id, prestador_id=thing.prestador_id, sha256=thing.sha256, action=action, case_key=case_of(thing)
    )


def _sees(thing: Thing) -> bool:
    return sees_health(thing.prestador_id, case_of(thing))


def _title(thing: Thing) -> str:
    if isinstance(thing, Pieza):
        return class_name(thing)
    return document_name(thing, {sigla: one.nombre for sigla, one in catalogue().items()})
