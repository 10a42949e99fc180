"""Acts upon a dossier: order it, finish it, hand it over, register its lawsuit, give it up, try it again.

Invariant: a dossier is of one provider and one payer; every move goes through `audit.advance()`; what was handed over
is never rebuilt: a correction is another dossier. The caller commits. Norms: CGP arts. 422 and 430; PCSJA20-11567
(the 23 digits of a process).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.audit.models import Reason
from radica.audit.services import advance, open_case
from radica.cartera.pagos import FIRST_YEAR
from radica.cartera.parametros import elegir
from radica.entidades.models import Prestador
from radica.facturas.models import Factura
from radica.jobs.queue import enqueue
from radica.kernel.clock import civil_date
from radica.kernel.db import parts_of
from radica.kernel.errors import BadInput, InvalidTransition, NotFound
from radica.prejuridico.models import Expediente, ExpedienteFactura, Via
from radica.prejuridico.states import EstadoExpediente, EventoExpediente

KIND_EXPORT = "exportar_expediente"
MAX_FACTURAS = 2_000
"""Invoices of one dossier: beyond it the PDF of the whole is no use to anybody."""
MAX_INTENTOS = 5
_DIGITS = re.compile(r"[0-9]{23}")


@dataclass(frozen=True)
class Hecho:
    """What came out of a job: addresses in custody, the hash of the manifests, size and a summary."""

    bolsa_sha256: str
    pdf_sha256: str | None
    manifiesto_sha256: str
    bytes: int
    resumen: dict[str, Any]


def solicitar(
    session: Session,
    factura_ids: Sequence[int],
    *,
    via: Via,
    corte: date,
    actor: str,
    at: datetime,
    opciones: Mapping[str, Any] | None = None,
    prestador_ids: Sequence[int] | None = None,
) -> Expediente:
    """Order a dossier of some invoices, in this order, and the job that makes it.

    `opciones`: `pacientes` (invoice id as text → numbers of its RIPS; never a document number), `parametros` of the
    liquidation, `ciudad`, `despacho`, `operador`. `prestador_ids` limits whose invoices may be asked for. Raises
    BadInput when the invoices are of two providers or payers, have no payer, are too many or none, when `corte` lies
    in the future or too far back, or an option is unknown; NotFound when an invoice is not there.
    """
    chosen = dict(opciones or {})
    _check_options(chosen)
    check_cut(corte, at)
    rows = invoices(session, factura_ids, prestador_ids)
    prestador_id, pagador_id = one_pair(rows)
    row = Expediente(
        prestador_id=prestador_id,
        pagador_id=pagador_id,
        numero=_next_number(session, prestador_id),
        via=via,
        corte=corte,
        opciones=chosen,
        avance={"texto": "En espera", "hechos": 0, "de": 0},
        resumen={},
        estado=EstadoExpediente.SOLICITADO,
        version=0,
        solicitado_at=at,
        solicitado_por=actor,
    )
    session.add(row)
    session.flush()
    session.add_all(
        ExpedienteFactura(expediente_id=row.id, factura_id=one.id, orden=n) for n, one in enumerate(rows, 1)
    )
    facts = {"facturas": [one.numero for one in rows], "via": via.value, "corte": corte.isoformat()}
    open_case(session, row, actor=actor, at=at, reason=Reason.ORDEN_DE_PERSONA, facts=facts)
    _order(session, row)
    return row


def check_cut(corte: date, at: datetime) -> None:
    """Raise BadInput when no dossier can be counted up to a day: after today, or before any payment can be."""
    if corte > civil_date(at):
        raise BadInput(
            "La fecha de corte está en el futuro; no se preparó nada.", todo="Use hoy o antes.", code="corte_futuro"
        )
    if corte.year < FIRST_YEAR:
        raise BadInput(
            "La fecha de corte es demasiado antigua; no se preparó nada.", todo="Revise el año.", code="corte_antiguo"
        )


def terminar(session: Session, row: Expediente, hecho: Hecho, *, actor: str, at: datetime) -> None:
    """Register that the bag is sealed in custody. Raises InvalidTransition when the dossier is not under way."""
    row.bolsa_sha256, row.pdf_sha256 = hecho.bolsa_sha256, hecho.pdf_sha256
    row.manifiesto_sha256, row.bytes = hecho.manifiesto_sha256, hecho.bytes
    row.resumen, row.problema = hecho.resumen, ""
    row.avance = {"texto": "Listo", "hechos": 1, "de": 1}
    facts = {"documentos": hecho.resumen.get("documentos"), "vacios": hecho.resumen.get("vacios")}
    advance(
        session, row, EventoExpediente.TERMINAR, actor=actor, at=at, reason=Reason.ORDEN_AUTOMATICA, facts=facts,
        evidence=[hecho.manifiesto_sha256, hecho.bolsa_sha256],
    )  # fmt: skip


def fallar(session: Session, row: Expediente, problema: str, *, actor: str, at: datetime) -> None:
    """Register that it could not be made, and why with what to do."""
    row.problema = problema[:2000]
    advance(
        session, row, EventoExpediente.FALLAR, actor=actor, at=at, reason=Reason.ORDEN_AUTOMATICA, note=problema[:300]
    )


def reintentar(
    session: Session, row: Expediente, *, actor: str, at: datetime, expected_version: int | None = None
) -> None:
    """Order it again after a failure."""
    row.problema, row.avance = "", {"texto": "En espera", "hechos": 0, "de": 0}
    _move(session, row, EventoExpediente.REINTENTAR, actor, at, expected_version)
    _order(session, row)


def entregar(
    session: Session, row: Expediente, *, a_quien: str, actor: str, at: datetime, expected_version: int | None = None
) -> None:
    """Register to whom the dossier was handed. Raises BadInput without a name."""
    if not a_quien.strip():
        raise BadInput("Falta a quién se entregó; no se registró.", todo="Escriba su nombre.", code="falta_quien")
    _move(
        session,
        row,
        EventoExpediente.ENTREGAR,
        actor,
        at,
        expected_version,
        note=f"Entregado a {a_quien.strip()[:200]}",
    )


def demandar(
    session: Session, row: Expediente, *, radicado: str, actor: str, at: datetime, expected_version: int | None = None
) -> None:
    """Register the lawsuit by its 23 digits. Raises BadInput when they are not 23."""
    digits = re.sub(r"[\s.\-]", "", radicado)
    if not _DIGITS.fullmatch(digits):
        raise BadInput(
            f"El número del proceso tiene 23 dígitos y este tiene {len(re.findall('[0-9]', digits))}; no se registró.",
            todo="Cópielo del acta de reparto.", code="radicado_judicial",
        )  # fmt: skip
    row.radicado_judicial = digits
    _move(session, row, EventoExpediente.DEMANDAR, actor, at, expected_version, facts={"radicado_judicial": digits})


def descartar(
    session: Session, row: Expediente, motivo: str, *, actor: str, at: datetime, expected_version: int | None = None
) -> None:
    """Give a dossier up, with a reason; its bag stays in custody. Raises BadInput without one."""
    if not motivo.strip():
        raise BadInput("Falta el motivo; no se descartó.", todo="Escríbalo.", code="falta_motivo")
    _move(session, row, EventoExpediente.DESCARTAR, actor, at, expected_version, note=motivo.strip()[:500])


def _move(
    session: Session,
    row: Expediente,
    event: EventoExpediente,
    actor: str,
    at: datetime,
    expected_version: int | None,
    *,
    note: str = "",
    facts: dict[str, Any] | None = None,
) -> None:
    if (row.estado, event) not in Expediente.MACHINE.table:
        label = Expediente.MACHINE.labels[row.estado].lower()
        raise InvalidTransition(
            f"El expediente está {label} y no admite eso; no se hizo nada.", code="transicion_invalida"
        )
    advance(
        session, row, event, actor=actor, at=at, reason=Reason.ORDEN_DE_PERSONA, note=note, facts=facts,
        expected_version=expected_version,
    )  # fmt: skip


def _order(session: Session, row: Expediente) -> None:
    enqueue(
        session, KIND_EXPORT, payload={"expediente_id": row.id}, prestador_id=row.prestador_id, subject=row.case_key,
        max_attempts=MAX_INTENTOS, dedup=f"{KIND_EXPORT}:{row.id}",
    )  # fmt: skip


def _check_options(chosen: Mapping[str, Any]) -> None:
    unknown = set(chosen) - {"pacientes", "parametros", "ciudad", "despacho", "operador"}
    if unknown:
        raise BadInput(f"No se conoce la opción {', '.join(sorted(unknown))[:80]}.", code="opcion")
    elegir(chosen.get("parametros"))


def invoices(session: Session, ids: Sequence[int], prestador_ids: Sequence[int] | None) -> list[Factura]:
    """Return invoices in this order, each once. Raises BadInput for none or too many, NotFound for a foreign one."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise BadInput("No se eligió ninguna factura; no se preparó nada.", code="sin_facturas")
    if len(wanted) > MAX_FACTURAS:
        raise BadInput(
            f"Son {len(wanted)} facturas y un expediente admite {MAX_FACTURAS}; no se preparó nada.",
            todo="Divídalas.", code="demasiadas_facturas",
        )  # fmt: skip
    found: dict[int, Factura] = {}
    for part in parts_of(wanted):
        query = select(Factura).where(Factura.id.in_(part))
        if prestador_ids is not None:
            query = query.where(Factura.prestador_id.in_(prestador_ids))
        found |= {row.id: row for row in session.scalars(query)}
    if len(found) != len(wanted):
        raise NotFound("Alguna de las facturas no existe o no es de sus prestadores; no se preparó nada.")
    return [found[one] for one in wanted]


def one_pair(rows: Sequence[Factura]) -> tuple[int, int]:
    """Return the provider and the payer of the invoices. Raises BadInput when there are two of either."""
    if len({one.prestador_id for one in rows}) > 1:
        raise BadInput(
            "Las facturas son de varios prestadores; un expediente es de uno solo. No se preparó nada.",
            todo="Elija las de un prestador.", code="varios_prestadores",
        )  # fmt: skip
    payers = {one.pagador_id for one in rows}
    if len(payers) > 1:
        raise BadInput(
            "Las facturas son de varios pagadores; un expediente es contra uno solo. No se preparó nada.",
            todo="Elija las de un pagador.", code="varios_pagadores",
        )  # fmt: skip
    payer = payers.pop()
    if payer is None:
        raise BadInput(
            "Las facturas no tienen pagador; no se preparó nada.", todo="Asígneles el pagador.", code="sin_pagador"
        )
    return rows[0].prestador_id, payer


def _next_number(session: Session, prestador_id: int) -> int:
    """Return the provider's next number; the provider's row is held, so that two orders at once get two numbers."""
    session.scalar(select(Prestador.id).where(Prestador.id == prestador_id).with_for_update())
    last = session.scalar(select(func.max(Expediente.numero)).where(Expediente.prestador_id == prestador_id))
    return (last or 0) + 1
