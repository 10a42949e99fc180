"""Reviews invoices from what was read of their documents: figures, term, findings and readiness.

Invariant: a review reads only the database, so that it can run inside any transaction; it rewrites the findings as a
whole and moves the invoice by `advance()`. Invoices in filing or filed are not touched. RAD-01 runs from the issue of
the invoice that DIAN validated, the earlier of the two possible dates (Res. 948 de 2026 art. 15).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from radica.audit.models import Reason, Transition
from radica.audit.services import Move, advance_all
from radica.entidades.catalogue import payer_by_nit
from radica.entidades.models import Pagador, TipoPagador
from radica.entidades.services import register_payer
from radica.facturas import cufe
from radica.facturas.checks import EstadoPlazo, Hechos, check, user_payments
from radica.facturas.cuv import CuvResult
from radica.facturas.documents import documents_hash
from radica.facturas.facts import recall
from radica.facturas.fev import Fev, Parte, RespuestaDian
from radica.facturas.findings import Hallazgo as Finding
from radica.facturas.findings import ready
from radica.facturas.models import Documento, Factura, Hallazgo, OrigenHallazgo, Severidad, TipoDocumento
from radica.facturas.muv.envios import aprobados_con
from radica.facturas.rips import Rips
from radica.facturas.soportes import NombreSoporte
from radica.facturas.states import REVISABLES, EstadoFactura, EventoFactura
from radica.kernel.clock import BOGOTA, civil_date
from radica.kernel.db import insert_rows
from radica.kernel.money import to_cents
from radica.plazos.calendar import OutOfCalendar, business_days_between
from radica.plazos.terms import Plazo, calcular

SOON = 3
"""Business days left from which RAD-01 is shown as about to lapse."""
MISSING = frozenset({"FEV-FALTA", "RIPS-FALTA", "CUV-FALTA"})

KeyFor = Callable[[int, Fev], str | None]
"""Technical key of an invoice by provider id and what its XML says; a secret that is used and not kept."""


def review(
    session: Session, factura_ids: Iterable[int], *, actor: str, at: datetime, key_for: KeyFor | None = None
) -> list[Factura]:
    """Review invoices and return those that were; in the caller's transaction, locked in the order of their ids.

    Without `key_for` (an act that brings no documents) the last verdict on the CUFE's value stands.
    """
    ids = sorted(set(factura_ids))
    rows = list(
        session.scalars(
            select(Factura)
            .where(Factura.id.in_(ids))
            .order_by(Factura.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
    open_ = [row for row in rows if row.estado in REVISABLES]
    documents = _documents(session, [row.id for row in open_])
    refused = _refused_since(session, open_, documents)
    told = {row.id: facts_of(documents.get(row.id, [])) for row in open_}
    payers = _payers(session, told.values())
    for row in open_:
        _figures(row, told[row.id], payers)
        _changed(row, documents.get(row.id, []))
    twins, others = _twins(session, open_), _validated_otherwise(session, open_, documents)
    moves: list[Move] = []
    findings: list[dict[str, Any]] = []
    for row in open_:
        twin = twins.get(row.id)
        full = _complete(session, row, told[row.id], at=at, refused=row.id in refused, twin=twin, key_for=key_for)
        full = replace(full, cuv_de_otros_documentos=row.id in others)
        found = check(full)
        findings += (_finding(row, one, at=at) for one in found)
        event = event_for(found)
        if Factura.MACHINE.next(row.estado, event) is not row.estado:
            moves.append(Move(row, event, Reason.REVISION, facts={"bloqueos": _codes(found)}))
        row.revisada_at = at
    _rewrite(session, [row.id for row in open_], findings)
    advance_all(session, moves, actor=actor, at=at)
    return open_


def facts_of(documents: Sequence[Documento]) -> Hechos:
    """Put together what the documents in force say."""
    fev = rips = cuv = answer = None
    supports: list[NombreSoporte] = []
    for doc in documents:
        if doc.tipo in (TipoDocumento.FEV, TipoDocumento.INVOICE):
            fev = recall(Fev, doc.datos)
        elif doc.tipo is TipoDocumento.RIPS and not doc.sigla:
            rips = recall(Rips, doc.datos)
        elif doc.tipo is TipoDocumento.CUV:
            cuv = recall(CuvResult, doc.datos)
        elif doc.tipo is TipoDocumento.RESPUESTA_DIAN and doc.sigla in ("02", "04"):
            answer = recall(RespuestaDian, doc.datos)
        elif doc.tipo is TipoDocumento.SOPORTE:
            supports.append(recall(NombreSoporte, doc.datos))
    return Hechos(fev=fev, rips=rips, cuv=cuv, respuesta=answer, soportes=tuple(supports))


def event_for(found: Sequence[Finding]) -> EventoFactura:
    """Return what the findings mean for the state of the invoice."""
    if any(one.codigo in MISSING for one in found):
        return EventoFactura.FALTAR_DOCUMENTOS
    return EventoFactura.QUEDAR_LISTA if ready(found) else EventoFactura.HALLAR_BLOQUEOS


def due_ids(session: Session, *, today: date, limit: int = 500) -> list[int]:
    """Return invoices whose findings about the term may have changed with the calendar: reloj reviews them."""
    near = date.fromordinal(today.toordinal() + 2 * SOON + 3)  # business days within a span with a long weekend
    rows = session.scalars(
        select(Factura.id)
        .where(
            Factura.estado.in_([state.value for state in REVISABLES]),
            Factura.vence_radicar.is_not(None),
            Factura.vence_radicar <= near,
            (Factura.revisada_at.is_(None)) | (Factura.revisada_at < datetime.combine(today, time(0), tzinfo=BOGOTA)),
        )
        .order_by(Factura.vence_radicar, Factura.id)
        .limit(limit)
    )
    return list(rows)


def term_of(row: Factura, payer: TipoPagador, today: date) -> tuple[EstadoPlazo, date | None]:
    """Return the state of RAD-01 on `today` and its last day; without a term in the table, no day."""
    start = row.expedida_at or row.validada_dian_at
    if start is None:
        return EstadoPlazo.SIN_FECHA, None
    try:
        plazo = calcular("RAD-01", start, pagador=payer)
    except OutOfCalendar:
        return EstadoPlazo.SIN_FECHA, None
    if not isinstance(plazo, Plazo):
        return EstadoPlazo.SIN_TERMINO, None
    if today > plazo.vence:
        return (EstadoPlazo.VENCIDO_AUTORIZADO if row.extemporanea_por else EstadoPlazo.VENCIDO), plazo.vence
    left = business_days_between(today, plazo.vence)
    return (EstadoPlazo.POR_VENCER if left <= SOON else EstadoPlazo.EN_TERMINO), plazo.vence


def _documents(session: Session, ids: Sequence[int]) -> dict[int, list[Documento]]:
    found: dict[int, list[Documento]] = {}
    query = select(Documento).where(Documento.factura_id.in_(ids), Documento.vigente).order_by(Documento.id)
    for doc in session.scalars(query):
        assert doc.factura_id is not None
        found.setdefault(doc.factura_id, []).append(doc)
    return found


def _refused_since(session: Session, rows: Sequence[Factura], documents: dict[int, list[Documento]]) -> set[int]:
    """Return the invoices whose last filing was refused and for which nothing was loaded nor decided since."""
    by_case = {row.case_key: row for row in rows if row.estado is EstadoFactura.NO_LISTA}
    last = select(
        Transition.case_key,
        func.max(Transition.seq).filter(Transition.event == EventoFactura.RECHAZAR.value),
        func.max(Transition.seq).filter(Transition.reason == Reason.DECISION_DE_PERSONA.value),
        func.max(Transition.at).filter(Transition.event == EventoFactura.RECHAZAR.value),
    ).where(Transition.case_key.in_(by_case), Transition.thing == Factura.KIND)
    found = set()
    for case_key, refused, decided, when in session.execute(last.group_by(Transition.case_key)):
        row = by_case[case_key]
        loaded = any(doc.cargado_at > when for doc in documents.get(row.id, [])) if refused else False
        if refused and not loaded and (decided or 0) < refused:
            found.add(row.id)
    return found


def _figures(row: Factura, hechos: Hechos, payers: Mapping[str, Pagador]) -> None:
    """Copy to the invoice what its documents say, for lists and totals; what no document says becomes None."""
    fev, rips, cuv = hechos.fev, hechos.rips, hechos.cuv
    row.cuv = cuv.cuv if cuv is not None and cuv.accepted else None
    row.usuarios = rips.users if rips is not None else None
    start, end = (fev.period_start, fev.period_end) if fev is not None else (None, None)
    row.servicio_desde = start or (rips.first.date() if rips is not None and rips.first else None)
    row.servicio_hasta = end or (rips.last.date() if rips is not None and rips.last else None)
    if fev is None:
        return
    code = fev.cufe[:96] if fev.cufe else None
    if code != row.cufe:
        row.cufe, row.cufe_comprobado = code, None
    row.tipo_operacion = fev.operation[:30] if fev.operation else None
    midnight = datetime.combine(fev.issue_date, time(0), tzinfo=BOGOTA) if fev.issue_date else None
    row.expedida_at = fev.issued_at or midnight
    answered = hechos.respuesta.at if hechos.respuesta is not None and hechos.respuesta.validated else None
    row.validada_dian_at = fev.validated_at or answered
    row.valor, row.valor_bruto = _cents(fev.payable), _cents(fev.line_extension)
    row.pago_moderador = _cents(user_payments(fev))
    payer = payers.get(fev.customer.nit.number) if fev.customer.nit is not None and _pays(fev.customer) else None
    row.pagador_id = payer.id if payer is not None else row.pagador_id


def _changed(row: Factura, documents: Sequence[Documento]) -> None:
    """Note that the checker has to open the documents, when they are not those that it was told of last."""
    told = documents_hash(documents)
    if told != row.huella_documentos:
        row.huella_documentos, row.por_juzgar = told, 1


def _pays(customer: Parte) -> bool:
    """Say whether the acquirer may be a payer: a person (or a document that is no NIT) is none."""
    return customer.nit is not None and customer.id_scheme in (None, "31")


def _payers(session: Session, facts: Iterable[Hechos]) -> dict[str, Pagador]:
    """Return the payers of some invoices by NIT, registering new ones; kinds only from confirmed catalogue entries."""
    names = {
        one.fev.customer.nit.number: one.fev.customer.name or one.fev.customer.nit.number
        for one in facts
        if one.fev is not None and one.fev.customer.nit is not None and _pays(one.fev.customer)
    }
    found = {row.nit: row for row in session.scalars(select(Pagador).where(Pagador.nit.in_(names)))}
    for nit in sorted(names.keys() - found.keys()):
        known = payer_by_nit(nit)
        kind = known.tipo if known is not None and not known.por_confirmar else TipoPagador.DESCONOCIDO
        found[nit] = register_payer(session, nit, names[nit], tipo=kind)
    return found


def _twins(session: Session, rows: Sequence[Factura]) -> dict[int, str]:
    """Return, for invoices whose CUV another invoice of the provider has, the number of that other one."""
    session.flush()
    codes = {row.cuv for row in rows if row.cuv is not None}
    holders: dict[tuple[int, str], list[tuple[int, str]]] = {}
    query = select(Factura.prestador_id, Factura.cuv, Factura.id, Factura.numero).where(
        Factura.cuv.in_(codes), Factura.prestador_id.in_({row.prestador_id for row in rows})
    )
    for prestador_id, cuv, factura_id, numero in session.execute(query):
        holders.setdefault((prestador_id, cuv or ""), []).append((factura_id, numero))
    found = {}
    for row in rows:
        others = [numero for one, numero in holders.get((row.prestador_id, row.cuv or ""), []) if one != row.id]
        if others:
            found[row.id] = others[0]
    return found


def _validated_otherwise(
    session: Session, rows: Sequence[Factura], documents: Mapping[int, Sequence[Documento]]
) -> set[int]:
    """Return the invoices whose CUV the house got with documents that are no longer in force."""
    with_cuv = [row for row in rows if row.cuv is not None]
    sent = aprobados_con(session, [row.id for row in with_cuv]) if with_cuv else {}
    return {
        row.id
        for row in with_cuv
        if not sent.get((row.id, row.cuv or ""), frozenset()) <= {doc.sha256 for doc in documents.get(row.id, [])}
    }


def _complete(
    session: Session,
    row: Factura,
    hechos: Hechos,
    *,
    at: datetime,
    refused: bool,
    twin: str | None,
    key_for: KeyFor | None,
) -> Hechos:
    """Add to the facts of the documents those of the house: payer, term, value of the CUFE, twins of the CUV."""
    payer = session.get(Pagador, row.pagador_id) if row.pagador_id is not None else None
    kind = payer.tipo if payer is not None else TipoPagador.DESCONOCIDO
    state, row.vence_radicar = term_of(row, kind, civil_date(at))
    if key_for is not None:
        key = key_for(row.prestador_id, hechos.fev) if hechos.fev is not None else None
        row.cufe_comprobado = cufe.verify(hechos.fev, key) if hechos.fev is not None else None
    return Hechos(
        fev=hechos.fev,
        rips=hechos.rips,
        cuv=hechos.cuv,
        respuesta=hechos.respuesta,
        soportes=hechos.soportes,
        pagador_tipo=kind.value,
        plazo=state if hechos.fev is not None else EstadoPlazo.EN_TERMINO,
        vence=row.vence_radicar,
        cufe_comprobado=row.cufe_comprobado or cufe.Verificacion.NO_VERIFICABLE,
        cuv_de=twin,
        rechazada_sin_corregir=refused,
    )


def _finding(row: Factura, one: Finding, *, at: datetime) -> dict[str, Any]:
    return {
        "prestador_id": row.prestador_id,
        "factura_id": row.id,
        "codigo": one.codigo,
        "severidad": one.severidad,
        "lugar": one.lugar[:300],
        "mensaje": one.mensaje,
        "que_hacer": one.que_hacer,
        "norma": one.norma[:200],
        "at": at,
    }


def _rewrite(session: Session, factura_ids: Sequence[int], findings: Sequence[dict[str, Any]]) -> None:
    """Put the findings of some invoices in the place of those that the last review left."""
    session.execute(
        delete(Hallazgo).where(Hallazgo.factura_id.in_(factura_ids), Hallazgo.origen == OrigenHallazgo.REVISION.value)
    )
    insert_rows(session, Hallazgo, findings)


def _codes(found: Sequence[Finding]) -> list[str]:
    return [one.codigo for one in found if one.severidad is Severidad.BLOQUEO]


def _cents(pesos: Decimal | None) -> int | None:
    return None if pesos is None else to_cents(pesos)
