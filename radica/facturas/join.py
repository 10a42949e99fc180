"""Puts documents that were read where they belong: provider, invoice, or the tray with a reason.

Invariant: nothing is guessed and nothing is dropped: a document joins the one invoice that it names (NIT + number,
zero padding and a missing prefix allowed while they fit a single invoice), waits for it, or goes to the tray. The same
bytes again create nothing. Functions here are for one transaction; files were read and stored before it began.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, text

from radica.audit.models import Reason
from radica.audit.services import open_cases
from radica.custodia.services import record_blobs
from radica.entidades.models import Prestador
from radica.entidades.services import provider_by_nit, register_provider
from radica.facturas.desk import Desk
from radica.facturas.documents import (
    awaited,
    has_invoice,
    link_waiting,
    new_document,
    sigla_of,
    wait_key,
)
from radica.facturas.matching import creates_invoice, matches, said, target_number, unusable
from radica.facturas.models import Documento, Factura, ResultadoArchivo
from radica.facturas.numbers import InvoiceNumber
from radica.facturas.placing import Arrived, FileIn, FileOut
from radica.facturas.recognise import Pieza, Tipo
from radica.facturas.states import EstadoFactura
from radica.facturas.tray import RETRIABLE, put_in_tray

_LOCK = 7_266_001  # any constant of ours: one admission at a time on PostgreSQL, as SQLite does by itself
_ORDER = {Tipo.FEV: 0, Tipo.INVOICE: 0, Tipo.RIPS: 1}


@dataclass(frozen=True)
class _Placed:
    """What became of one document."""

    outcome: str  # nuevo, duplicado, pendiente, bandeja
    factura: Factura | None = None
    reason: str = ""
    code: str = ""
    owner: int | None = None


def admit(desk: Desk, files: Sequence[FileIn], *, last: bool) -> list[FileOut | None]:
    """Place the documents of some files; None for a file that should be tried again at the end of the import.

    With `last` nothing is left for later: what fits nowhere goes to the tray. The caller commits.
    """
    session = desk.session
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    kept = [doc.stored for one in files for doc in one.documents]
    record_blobs(session, [*kept, *(one.stored for one in files if one.stored)], at=desk.at)
    desk.prefetch([doc for one in files for doc in one.documents])
    results: list[FileOut | None] = [None] * len(files)
    with session.no_autoflush:  # what is added is kept in the desk too, and written together
        for index in sorted(range(len(files)), key=lambda i: _urgency(files[i])):
            results[index] = _file(desk, files[index], last=last)
    desk.write()
    open_cases(session, desk.born, actor=desk.scope.actor, at=desk.at, reason=Reason.IMPORTACION)
    return results


def _urgency(one: FileIn) -> int:
    return min((_ORDER.get(doc.piece.tipo, 2) for doc in one.documents), default=3)


def _file(desk: Desk, one: FileIn, *, last: bool) -> FileOut | None:
    kinds = "+".join(doc.piece.tipo.value for doc in one.documents) or None
    if not one.documents:
        put_in_tray(desk.session, desk.scope, one.name, one.stored, one.code, one.reason, at=desk.at)
        return FileOut(one.route, ResultadoArchivo.NO_RECONOCIDO, None, None, None, one.reason)
    ordered = sorted(one.documents, key=lambda doc: _ORDER.get(doc.piece.tipo, 2))
    placed = [_document(desk, doc, last=last) for doc in ordered]
    if any(p.outcome == "pendiente" for p in placed):
        return None
    _put_aside(desk, one, [(doc, p) for doc, p in zip(ordered, placed, strict=True) if p.outcome == "bandeja"])
    outcomes = {p.outcome for p in placed}
    factura = next((p.factura for p in placed if p.factura is not None), None)
    result = ResultadoArchivo.NO_RECONOCIDO
    if "nuevo" in outcomes:
        result = ResultadoArchivo.CARGADO
    elif "duplicado" in outcomes:
        result = ResultadoArchivo.DUPLICADO
    reasons = " ".join(dict.fromkeys(p.reason for p in placed if p.reason)) or None
    return FileOut(
        one.route, result, kinds, factura.numero if factura else None, factura.id if factura else None, reasons
    )


def _put_aside(desk: Desk, one: FileIn, aside: Sequence[tuple[Arrived, _Placed]]) -> None:
    """Put in the tray what found no place: the file as it came when nothing of it did, else only those documents."""
    if aside and len(aside) == len(one.documents):
        first = aside[0][1]
        reason = " ".join(dict.fromkeys(placed.reason for _, placed in aside))
        owner = first.owner
        put_in_tray(desk.session, desk.scope, one.name, one.stored, first.code, reason, at=desk.at, prestador_id=owner)
        return
    for doc, placed in aside:
        put_in_tray(
            desk.session, desk.scope, doc.name, doc.stored, placed.code, placed.reason, at=desk.at,
            prestador_id=placed.owner,
        )  # fmt: skip


def _document(desk: Desk, doc: Arrived, *, last: bool) -> _Placed:
    """Place one document."""
    piece = doc.piece
    refused = unusable(piece)
    issuer = piece.issuer
    provider = None
    if issuer is not None:
        provider, why = _provider(desk, piece, issuer.number)
        if why is not None:
            code, reason = why
            if code in RETRIABLE and not last:
                return _Placed("pendiente")
            return _tray(code, reason, None)
    if refused is not None:
        return _tray(*refused, provider)
    if provider is None:
        return _cuv_without_issuer(desk, doc, last=last)
    twin = _twin(desk, provider.id, doc)
    if twin is not None and twin.factura_id is not None and piece.soporte is None:
        return _Placed("duplicado", desk.invoice(twin.factura_id))
    number = target_number(piece)
    factura, ambiguous = _invoice(desk, provider.id, piece, number)
    if piece.soporte is not None:  # one PDF may support many invoices: it is a twin only inside its own
        twin = _twin(desk, provider.id, doc, factura=factura, within=True)
        if twin is not None and twin.factura_id is not None:
            return _Placed("duplicado", factura)
    if ambiguous:
        names = ", ".join(row.numero for row in ambiguous)
        return _tray("ambiguo", f"El número {said(number)} puede ser de {names}.", provider)
    if factura is None and creates_invoice(piece) and number is not None:
        factura = _create(desk, provider, number, piece)
    if factura is None and not last and twin is None:
        return _Placed("pendiente")
    return _attach(desk, doc, provider, factura, twin)


def _attach(desk: Desk, doc: Arrived, provider: Prestador, factura: Factura | None, twin: Documento | None) -> _Placed:
    """Add the document to its invoice, or leave it waiting; a waiting twin is joined instead."""
    if twin is not None:
        if factura is not None:
            link_waiting(desk.shelf, factura, [twin])
            desk.touched.add(factura.id)
        return _Placed("duplicado", factura, "" if factura is not None else _waiting_words(doc, "Sigue"))
    row, note = new_document(
        desk.shelf, doc.piece, doc.stored, doc.name,
        prestador_id=provider.id, factura=factura, number=target_number(doc.piece), actor=desk.scope.actor, at=desk.at,
    )  # fmt: skip
    desk.take_document(row)
    if factura is not None:
        desk.touched.add(factura.id)
        if factura.id not in desk.created:
            desk.completed.add(factura.id)
        if doc.piece.cuv is not None:
            link_waiting(desk.shelf, factura, desk.waiting_for_cuv(provider.id, doc.piece.cuv.cuv))
        return _Placed("nuevo", factura, note)
    return _Placed("nuevo", None, _waiting_words(doc, "Quedó"))


def _waiting_words(doc: Arrived, verb: str) -> str:
    number = target_number(doc.piece)
    return f"{verb} en espera de la factura {number.text if number is not None else 'de este CUV'}."


def _provider(desk: Desk, piece: Pieza, nit: str) -> tuple[Prestador | None, tuple[str, str] | None]:
    """Return the provider of a NIT, or the code and reason why the document is not of this import."""
    scope = desk.scope
    if scope.only_nit is not None and nit != scope.only_nit:
        return None, ("otro_prestador", f"El documento es del NIT {nit} y se pidió cargar sólo el {scope.only_nit}.")
    if nit not in desk.providers:
        desk.providers[nit] = provider_by_nit(desk.session, nit)
    found = desk.providers[nit]
    if scope.allowed is not None and (found is None or found.id not in scope.allowed):
        # The same words whether or not the house knows that provider.
        return None, ("prestador_no_asignado", "El documento es de un prestador que usted no tiene asignado.")
    issued = piece.fev is not None or piece.rips is not None
    if found is None and scope.may_register and issued:
        found = register_provider(desk.session, nit, _issuer_name(piece) or nit, at=desk.at)
        desk.providers[nit] = found
    if found is None:
        return None, ("sin_prestador", f"El NIT {nit} no es de ningún prestador registrado.")
    if found.nombre == nit and (name := _issuer_name(piece)):
        found.nombre = name[:300]  # it was registered by a RIPS, which has no name
    return found, None


def _issuer_name(piece: Pieza) -> str | None:
    return piece.fev.supplier.name if piece.fev is not None else None


def _invoice(
    desk: Desk, prestador_id: int, piece: Pieza, number: InvoiceNumber | None
) -> tuple[Factura | None, list[Factura]]:
    """Return the invoice that a number means, or the several that it may mean."""
    if number is None:
        code = piece.cuv.cuv if piece.cuv is not None else None
        row = desk.session.scalar(select(Factura).where(Factura.prestador_id == prestador_id, Factura.cuv == code))
        return row, []
    same, possible = matches(desk.invoices_of(prestador_id, number.digits), number)
    if same:
        return same[0], []
    if piece.tipo in (Tipo.FEV, Tipo.INVOICE):
        possible = [row for row in possible if not has_invoice(desk.shelf, row.id)]  # its own FEV, its own number
    if len(possible) > 1:
        return None, possible
    if possible and piece.tipo in (Tipo.FEV, Tipo.INVOICE):
        _rename(possible[0], number)
    return (possible[0] if possible else None), []


def _cuv_without_issuer(desk: Desk, doc: Arrived, *, last: bool) -> _Placed:
    """Place an answer of the MUV, which does not name the provider: only an equal number decides."""
    number = doc.piece.number
    if number is None:
        return _tray("sin_numero", "El resultado del MUV no dice de qué factura es.", None)
    same: list[Factura] = []
    for prestador_id in desk.scope_ids:
        rows = desk.invoices_of(prestador_id, number.digits)
        exact, possible = matches(rows, number)
        same += exact or (possible if len(possible) == 1 and _single(desk) else [])
    if len(same) > 1:
        here = [row for row in same if row.id in desk.touched | desk.created]
        same = here if len(here) == 1 else same
    if len(same) > 1:
        return _tray("ambiguo", f"Varios prestadores tienen la factura {number.text}.", None)
    if not same and not last:
        return _Placed("pendiente")
    if not same:
        reason = f"El resultado del MUV no dice el prestador y no hay ninguna factura {number.text} cargada."
        return _tray("sin_factura", reason, None)
    provider = desk.session.get_one(Prestador, same[0].prestador_id)
    twin = _twin(desk, provider.id, doc)
    if twin is not None and twin.factura_id is not None:
        return _Placed("duplicado", same[0])
    return _attach(desk, doc, provider, same[0], twin)


def _twin(
    desk: Desk, prestador_id: int, doc: Arrived, *, factura: Factura | None = None, within: bool = False
) -> Documento | None:
    """Return the document with the same bytes and kind that the provider already has.

    `within` looks only in `factura`, and among those that wait for the same number.
    """
    key = wait_key(number) if (number := target_number(doc.piece)) is not None else None
    for row in desk.known.get(doc.stored.sha256, []):
        alike = (
            row.prestador_id == prestador_id and row.tipo == doc.piece.tipo.value and row.sigla == sigla_of(doc.piece)
        )
        here = row.factura_id == (factura.id if factura else None) and (
            row.factura_id is not None or row.clave_espera == key
        )
        waiting = row.factura_id is None and row.clave_espera == key
        if alike and (not within or here or waiting):
            return row
    return None


def _single(desk: Desk) -> bool:
    """Say whether the import is of one provider only."""
    return desk.scope.only_nit is not None or (desk.scope.allowed is not None and len(desk.scope.allowed) == 1)


def _create(desk: Desk, provider: Prestador, number: InvoiceNumber, piece: Pieza) -> Factura:
    row = Factura(
        id=desk.new_id(),
        prestador_id=provider.id,
        numero=number.text,
        numero_clave=number.key,
        numero_digitos=number.digits,
        estado=EstadoFactura.INCOMPLETA,
        version=0,
        nivel_prueba=0,
        creada_at=desk.at,
    )
    desk.take(row, {"numero": number.text, "documento": piece.tipo.value})
    desk.created.add(row.id)
    desk.touched.add(row.id)
    fitting = [doc for doc in desk.waiting.get(provider.id, []) if doc.factura_id is None]
    link_waiting(desk.shelf, row, [doc for doc in fitting if matches([row], awaited(doc)) != ([], [])])
    return row


def _rename(row: Factura, number: InvoiceNumber) -> None:
    """Give an invoice that its RIPS brought without prefix the number of its FEV, which decides."""
    row.numero, row.numero_clave, row.numero_digitos = number.text, number.key, number.digits


def _tray(code: str, reason: str, provider: Prestador | None) -> _Placed:
    return _Placed("bandeja", None, reason, code, provider.id if provider is not None else None)
