"""Acts of people on invoices and on the tray: assign, discard, file late, annul and reissue, file again as it is.

Invariant: every act has a person, a reason and, where it moves an invoice, a link of its history; sessions and clock
come as arguments and the caller commits. Norm: Res. 948 de 2026 art. 15 par. 1 (what is not filed in term is annulled
and reissued); Res. 2284 de 2023, annex 2 (names of supports).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from radica.audit.models import Reason
from radica.audit.services import advance
from radica.custodia.store import Stored
from radica.entidades.models import Prestador
from radica.facturas.documents import add_document, documents_of
from radica.facturas.models import Documento, Factura, NoReconocido
from radica.facturas.numbers import Nit, parse_invoice_number
from radica.facturas.recognise import Pieza, Tipo
from radica.facturas.review import KeyFor, review
from radica.facturas.soportes import NombreSoporte, catalogue
from radica.facturas.states import REVISABLES, EstadoFactura, EventoFactura
from radica.facturas.tray import resolve
from radica.kernel.errors import BadInput, InvalidTransition
from radica.users.models import ClaseTarea
from radica.users.tasks import close_tasks, open_task

__all__ = [
    "annul",
    "ask_annulment",
    "assign_support",
    "authorise_late",
    "discard",
    "documents_of",
    "file_as_it_is",
    "withdraw_annulment",
]


def assign_support(
    session: Session,
    row: NoReconocido,
    factura: Factura,
    sigla: str,
    *,
    actor: str,
    at: datetime,
    key_for: KeyFor | None = None,
) -> Documento:
    """Make a PDF of the tray a support of an invoice and review it; the caller checked that it is a PDF.

    Raises BadInput when the sigla is unknown, the file has no bytes in custody, or the row is closed.
    """
    letters = sigla.strip().upper()
    if letters not in catalogue():
        raise BadInput(f"«{sigla[:10]}» no es una sigla de soporte.", todo="Elija una de la lista.")
    if row.sha256 is None or not row.codigo.startswith("pdf_sin_nombre"):
        raise BadInput("Ese archivo no es un PDF que se pueda asignar como soporte.", todo="Vuelva a cargarlo.")
    provider = session.get_one(Prestador, factura.prestador_id)
    number = parse_invoice_number(factura.numero)
    assert number is not None
    claimed = NombreSoporte(letters, Nit(provider.nit), number)
    resolve(row, how=f"Asignado como {letters} a la factura {factura.numero}", actor=actor, at=at)
    doc, _ = add_document(
        session,
        Pieza(Tipo.SOPORTE, soporte=claimed),
        Stored(row.sha256, row.bytes, new=False),
        claimed.redacted,
        factura=factura,
        number=number,
        actor=actor,
        at=at,
    )
    review(session, [factura.id], actor=actor, at=at, key_for=key_for)
    return doc


def discard(row: NoReconocido, motivo: str, *, actor: str, at: datetime) -> None:
    """Take a file out of the tray with a reason; its bytes stay in custody."""
    resolve(row, how=f"Descartado: {motivo.strip()}" if motivo.strip() else "", actor=actor, at=at)


def authorise_late(
    session: Session,
    factura: Factura,
    motivo: str,
    *,
    actor: str,
    at: datetime,
    expected_version: int | None = None,
    key_for: KeyFor | None = None,
) -> None:
    """Let an invoice be filed although RAD-01 lapsed; who may do so is the caller's question.

    Raises BadInput without a reason, InvalidTransition when the invoice is not waiting to be filed.
    """
    text = _needed(motivo)
    if factura.estado is EstadoFactura.POR_ANULAR:
        withdraw_annulment(session, factura, text, actor=actor, at=at, expected_version=expected_version)
    if factura.estado not in REVISABLES:
        raise InvalidTransition("La factura ya está en radicación o radicada.", code="transicion_invalida")
    factura.extemporanea_por, factura.extemporanea_motivo = actor[:120], text
    session.flush()
    review(session, [factura.id], actor=actor, at=at, key_for=key_for)


def ask_annulment(
    session: Session, factura: Factura, motivo: str, *, actor: str, at: datetime, expected_version: int | None = None
) -> None:
    """Open the task to annul an invoice with a credit note for its whole value and to issue another."""
    text = _needed(motivo)
    advance(
        session,
        factura,
        EventoFactura.PEDIR_ANULACION,
        actor=actor,
        at=at,
        reason=Reason.DECISION_DE_PERSONA,
        note=text,
        expected_version=expected_version,
    )
    open_task(
        session,
        ClaseTarea.ANULAR_Y_REEXPEDIR,
        prestador_id=factura.prestador_id,
        case_key=factura.case_key,
        titulo=f"Anular la factura {factura.numero} con nota crédito y expedir otra",
        detalle=text,
        at=at,
    )


def withdraw_annulment(
    session: Session, factura: Factura, motivo: str, *, actor: str, at: datetime, expected_version: int | None = None
) -> None:
    """Take back the order to annul; the invoice is judged anew by the next review."""
    advance(
        session,
        factura,
        EventoFactura.DESISTIR_ANULACION,
        actor=actor,
        at=at,
        reason=Reason.DECISION_DE_PERSONA,
        note=_needed(motivo),
        expected_version=expected_version,
    )
    close_tasks(
        session, factura.case_key, por=actor, resultado="Se desistió de anularla", at=at,
        clases=[ClaseTarea.ANULAR_Y_REEXPEDIR],
    )  # fmt: skip


def annul(
    session: Session,
    factura: Factura,
    evidence: Sequence[str],
    *,
    actor: str,
    at: datetime,
    expected_version: int | None = None,
) -> None:
    """Close an invoice as annulled. `evidence`: SHA-256 of its credit note in custody. Raises BadInput without it."""
    if not evidence:
        raise BadInput("Falta la nota crédito que anula la factura.", todo="Cargue su XML y vuelva a intentarlo.")
    advance(
        session,
        factura,
        EventoFactura.ANULAR,
        actor=actor,
        at=at,
        reason=Reason.DECISION_DE_PERSONA,
        evidence=tuple(evidence),
        expected_version=expected_version,
    )
    close_tasks(session, factura.case_key, por=actor, resultado="Anulada con nota crédito", at=at)


def file_as_it_is(
    session: Session,
    factura: Factura,
    motivo: str,
    *,
    actor: str,
    at: datetime,
    expected_version: int | None = None,
    key_for: KeyFor | None = None,
) -> None:
    """Decide that an invoice which the payer refused goes again without new documents; other findings still block."""
    advance(
        session,
        factura,
        EventoFactura.HALLAR_BLOQUEOS,
        actor=actor,
        at=at,
        reason=Reason.DECISION_DE_PERSONA,
        note=_needed(motivo),
        expected_version=expected_version,
    )
    review(session, [factura.id], actor=actor, at=at, key_for=key_for)


def _needed(motivo: str) -> str:
    text = motivo.strip()
    if not text:
        raise BadInput("Falta el motivo.", todo="Escriba por qué se decide así.")
    return text[:4000]
