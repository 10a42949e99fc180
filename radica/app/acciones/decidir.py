"""What a person decides about an invoice that cannot be filed as it is: term lapsed, refused by the payer, to annul.

Invariant: each decision has a reason and stands in the invoice's history; to file after the term needs a role of its
own. Norm: Res. 948/2026 art. 15 par. 1 (what was not filed in term is annulled with a credit note and issued anew).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from radica.app.acciones.comun import DECIDERS, EVIDENCE_LIMIT, FILERS
from radica.app.acciones.formas import AnnulForm, ReasonForm
from radica.app.acciones.plano import blueprint
from radica.app.paginas.comun import payer_names, store
from radica.custodia.services import Candidate, Kept, keep_files, seal
from radica.custodia.staging import leased_folder
from radica.facturas import services
from radica.facturas.models import Documento, Factura, Hallazgo, Severidad, TipoDocumento
from radica.facturas.review import review
from radica.facturas.states import REVISABLES, EstadoFactura
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput, Forbidden, InvalidTransition, NotFound, RadicaError, StalePage
from radica.kernel.web import allow, current, db_session, go, max_upload, now, person
from radica.plazos.rules import estado_fecha
from radica.radicacion import manual
from radica.radicacion.package import safe
from radica.radicacion.services import open_envio_of
from radica.users.access import load_for

ACTS = {
    "tarde": (ReasonForm, DECIDERS),
    "pedir": (ReasonForm, (*FILERS, *DECIDERS)),
    "desistir": (ReasonForm, (*FILERS, *DECIDERS)),
    "tal-cual": (ReasonForm, FILERS),
    "anulada": (AnnulForm, (*FILERS, *DECIDERS)),
}
DONE = {
    "tarde": "Quedó autorizada para radicarse fuera de término, con su motivo en la historia.",
    "pedir": "Quedó por anular: la tarea está abierta hasta que se registre su nota crédito.",
    "desistir": "Ya no está por anular.",
    "tal-cual": "Se revisó de nuevo tal como está.",
    "anulada": "Quedó anulada con su nota crédito.",
}


@blueprint.get("/facturas/<int:factura_id>/decidir")
def decidir(factura_id: int) -> ResponseReturnValue:
    """Show what can be decided about an invoice, and why."""
    return _page(load_for(db_session(), Factura, factura_id, person()))


def _page(factura: Factura, acto: str = "", form: Any = None, error: RadicaError | None = None) -> str:
    with current().database.read() as session:
        blocks = list(
            session.scalars(
                select(Hallazgo)
                .where(Hallazgo.factura_id == factura.id, Hallazgo.severidad == Severidad.BLOQUEO)
                .order_by(Hallazgo.id)
            )
        )
        payer = payer_names(session, [factura.pagador_id]).get(factura.pagador_id or 0)
        envio = open_envio_of(session, factura.id)
        notes = _credit_notes(session, factura)
        refused = manual.was_refused(session, factura.id)
    today, me = civil_date(now()), person()
    forms = {name: kind(prefix=name, version=factura.version) for name, (kind, _) in ACTS.items()}
    if form is not None:
        forms[acto] = form
    may = {name: factura.prestador_id in me.granted(*roles) for name, (_, roles) in ACTS.items()}
    return render_template(
        "radicacion/decidir.html",
        factura=factura,
        pagador=payer,
        bloqueos=blocks,
        envio=envio,
        notas=notes,
        forms=forms,
        acto=acto,
        error=error,
        ofrece=_offered(factura, refused=refused),
        puede=may,
        vencida=_lapsed(factura),
        urgencia=estado_fecha(factura.vence_radicar, today) if factura.vence_radicar else None,
    )


def _lapsed(factura: Factura) -> bool:
    return factura.vence_radicar is not None and factura.vence_radicar < civil_date(now())


def _offered(factura: Factura, *, refused: bool) -> dict[str, bool]:
    """Return which decisions the state of an invoice lets a person make; `refused`: a payer refused it before."""
    open_, to_annul = factura.estado in REVISABLES, factura.estado is EstadoFactura.POR_ANULAR
    return {
        "tarde": (_lapsed(factura) and open_ and not factura.extemporanea_por) or to_annul,
        "pedir": open_,
        "desistir": to_annul,
        "tal-cual": refused and factura.estado is EstadoFactura.NO_LISTA,
        "anulada": to_annul,
    }


def _credit_notes(session: Any, factura: Factura) -> list[Documento]:
    rows = session.scalars(
        select(Documento)
        .where(Documento.factura_id == factura.id, Documento.tipo == TipoDocumento.NOTA_CREDITO)
        .order_by(Documento.id)
    )
    return list(rows)


@blueprint.post("/facturas/<int:factura_id>/decidir/<acto>")
@allow(*FILERS, *DECIDERS)
@max_upload(EVIDENCE_LIMIT, parts=40)
def resolver(factura_id: int, acto: str) -> ResponseReturnValue:
    """Make one decision."""
    if acto not in ACTS:
        raise NotFound
    kind, roles = ACTS[acto]
    with current().database.read() as session:
        factura = load_for(session, Factura, factura_id, person())
    if factura.prestador_id not in person().granted(*roles):
        raise Forbidden
    form = kind(prefix=acto)
    if not form.validate_on_submit():
        return _page(factura, acto, form), 422
    try:
        _decide(factura_id, acto, form)
    except StalePage:
        raise
    except BadInput as refusal:
        return _page(factura, acto, form, refusal), 422
    flash(DONE[acto], "success")
    return go(url_for("radicacion.decidir", factura_id=factura_id))


def _decide(factura_id: int, acto: str, form: Any) -> None:
    common: dict[str, Any] = {"actor": person().actor, "at": now(), "expected_version": form.version.data}
    kept = _keep_note(form.archivo.data) if acto == "anulada" else []
    with current().database.write() as session:
        factura = load_for(session, Factura, factura_id, person())
        if factura.version != form.version.data:
            raise StalePage
        if not _offered(factura, refused=manual.was_refused(session, factura.id))[acto]:
            raise InvalidTransition(
                "En el estado en que está la factura no se puede decidir eso; no se hizo nada.",
                todo="Recargue la página y decida de nuevo.",
                code="decision_fuera_de_lugar",
            )
        if acto == "anulada":
            evidence = _seal_note(session, factura, kept, form.nota_credito.data)
            services.annul(session, factura, evidence, **common)
            return
        act = {
            "tarde": services.authorise_late,
            "pedir": services.ask_annulment,
            "desistir": services.withdraw_annulment,
            "tal-cual": services.file_as_it_is,
        }[acto]
        act(session, factura, form.motivo.data, **common)
        if acto == "desistir":
            review(session, [factura.id], actor=person().actor, at=now())


def _keep_note(files: list[FileStorage]) -> list[Kept]:
    """Keep the credit note outside any transaction; it is an XML or a PDF."""
    given = [one for one in files if one.filename][:4]
    kept: list[Kept] = []
    with leased_folder(current().settings.incoming, "nota-") as folder:
        for number, file in enumerate(given, 1):
            head = file.stream.read(1024)
            suffix = (
                ".pdf" if b"%PDF-" in head else ".xml" if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") else ""
            )
            if not suffix:
                raise BadInput("La nota crédito debe ser un XML o un PDF; no se registró nada.")
            path = folder / f"nota-credito-{number}_{safe(Path(file.filename or '').stem)[:60]}{suffix}"
            with path.open("wb") as out:
                out.write(head)
                while chunk := file.stream.read(1 << 20):
                    out.write(chunk)
            found, _ = keep_files(store(), [Candidate(path, path.name, "nota_credito")], folder=folder)
            kept += found
    return kept


def _seal_note(session: Any, factura: Factura, kept: list[Kept], number: str) -> list[str]:
    note = f"Nota crédito {' '.join(number.split())}"
    named = [Kept(one.nombre, one.clase, note, one.stored) for one in kept]
    pieces = seal(
        session,
        named,
        prestador_id=factura.prestador_id,
        case_key=factura.case_key,
        group_key=f"anulacion:{factura.version}",
        origen="persona",
        actor=person().actor,
        at=now(),
    )
    return [piece.sha256 for piece in pieces] or [doc.sha256 for doc in _credit_notes(session, factura)]
