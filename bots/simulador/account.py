"""The draft account (cuenta) of the p2 portal: 1..n invoices with their files, validated before the final button.

Invariant: a draft is not a filing: it lives in memory only, can be made again any number of times and leaves no row in
the ledger. What the validation refuses can never be filed. Uploaded bytes are dropped once read; hashes are kept.
"""

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Lock
from typing import Any

from bots.simulador.documents import (
    Fev,
    Rips,
    Unreadable,
    Upload,
    is_cuv,
    pdf_problem,
    read_cuv,
    read_fev,
    read_rips,
)
from bots.simulador.ledger import FileSeen, duplicate_text
from bots.simulador.portal import Portal, Session

MAX_DRAFTS = 400


@dataclass(frozen=True, slots=True)
class Result:
    """What the validation says of one file (or of the invoice as a whole, then ``file`` is ``—``)."""

    invoice: str
    file: str
    kind: str
    bytes: int
    ok: bool
    note: str


@dataclass(frozen=True, slots=True)
class Block:
    """The files of one invoice as they came in the form."""

    fev: Upload | None
    rips: Upload | None
    cuv_text: str
    cuv_file: Upload | None
    supports: tuple[Upload, ...]

    def uploads(self) -> Iterable[Upload]:
        """Every file that came."""
        return [item for item in (self.fev, self.rips, self.cuv_file, *self.supports) if item is not None]


@dataclass(frozen=True, slots=True)
class Invoice:
    """One invoice of a draft after it was read; the number is the one of its XML."""

    number: str
    nit: str
    provider_name: str
    value: Decimal
    issue_date: str
    files: tuple[FileSeen, ...]


@dataclass(slots=True)
class Draft:
    """An account that waits for the final button; ``ready_at`` and ``enabled_at`` are monotonic seconds."""

    id: str
    code: str
    period: str
    contract: str
    ready_at: float
    enabled_at: float
    invoices: tuple[Invoice, ...]
    results: tuple[Result, ...]
    refusal: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing was found wrong."""
        return bool(self.invoices) and not self.refusal and all(item.ok for item in self.results)

    def as_json(self) -> dict[str, Any]:
        """What the page polls: state, per-file results, and whether the button may be pressed."""
        now = time.monotonic()
        if now < self.ready_at:
            return {"cuenta": self.id, "estado": "VALIDANDO", "mensaje": "Cargando..."}
        return {
            "cuenta": self.id,
            "estado": "VALIDADA" if self.ok else "CON ERRORES",
            "mensaje": self.message(),
            "habilitado": self.ok and now >= self.enabled_at,
            "facturas": [
                {"numero": item.number, "valor": str(item.value), "fecha": item.issue_date} for item in self.invoices
            ],
            "total": str(sum((item.value for item in self.invoices), Decimal(0))),
            "resultados": [
                {
                    "factura": item.invoice,
                    "archivo": item.file,
                    "tipo": item.kind,
                    "bytes": item.bytes,
                    "correcto": item.ok,
                    "observacion": item.note,
                }
                for item in self.results
            ],
        }

    def message(self) -> str:
        """The sentence above the list of results."""
        if self.refusal:
            return self.refusal
        wrong = sum(not item.ok for item in self.results)
        if wrong or not self.invoices:
            return f"La cuenta tiene {wrong} inconsistencia(s). Corrija los archivos y cárguelos de nuevo."
        return "La cuenta fue validada sin inconsistencias. Puede continuar con la radicación."


@dataclass(slots=True)
class Drafts:
    """The drafts of one portal, oldest dropped first."""

    _items: dict[str, Draft] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, draft: Draft) -> None:
        """Keep a draft; the oldest one beyond the limit is forgotten."""
        with self._lock:
            self._items[draft.id] = draft
            while len(self._items) > MAX_DRAFTS:
                del self._items[next(iter(self._items))]

    def get(self, draft_id: str, code: str) -> Draft | None:
        """The draft, if it belongs to the user ``code``."""
        found = self._items.get(draft_id)
        return found if found is not None and found.code == code else None


def make_draft(portal: Portal, session: Session, period: str, contract: str, blocks: list[Block]) -> Draft:
    """Read and check every file of the account; never raises for what is inside a file."""
    invoices: list[Invoice] = []
    results: list[Result] = []
    for position, block in enumerate(blocks, 1):
        invoice, said = _check_block(portal, session, block, position)
        results += said
        if invoice is not None:
            if invoice.number in {item.number for item in invoices}:
                results.append(_whole(invoice.number, "La factura está repetida dentro de la cuenta."))
            invoices.append(invoice)
    results += _limits(portal, blocks)
    numbers = tuple(item.number for item in invoices)
    rule = portal.strikes("reject_validation", *numbers)
    now = time.monotonic()
    return Draft(
        id=secrets.token_hex(6).upper(),
        code=session.code,
        period=period,
        contract=contract,
        ready_at=now + portal.config.validation_s,
        enabled_at=now + portal.config.validation_s + portal.config.button_disabled_s,
        invoices=tuple(invoices),
        results=tuple(results),
        refusal=(rule.reason or "El contrato no está vigente para la fecha de la factura.") if rule else "",
    )


def _whole(number: str, note: str) -> Result:
    return Result(number, "—", "FACTURA", 0, ok=False, note=note)


def _limits(portal: Portal, blocks: list[Block]) -> list[Result]:
    uploads = [item for block in blocks for item in block.uploads()]
    config, found = portal.config, []
    if sum(len(block.supports) for block in blocks) > config.max_files:
        found.append(_whole("—", f"Solo se permiten {config.max_files} soportes por cuenta."))
    if sum(len(item.content) for item in uploads) > config.max_total_bytes:
        found.append(_whole("—", "La cuenta supera el tamaño total permitido."))
    return found


def _check_block(portal: Portal, session: Session, block: Block, position: int) -> tuple[Invoice | None, list[Result]]:
    fev, fev_note = _read_fev(block.fev, portal.config.max_file_bytes)
    number = fev.number if fev else f"Factura {position}"
    rips, rips_note = _read_rips(block.rips, portal.config.max_file_bytes)
    notes = {
        "FEV": fev_note or (_fev_note(fev, session) if fev else ""),
        "RIPS": rips_note or (_rips_note(rips, fev, portal.config.check_values) if rips and fev else ""),
        "CUV": _cuv_note(block, fev),
    }
    results = []
    for kind, upload in (("FEV", block.fev), ("RIPS", block.rips), ("CUV", block.cuv_file)):
        name = upload.name if upload else "—"
        results.append(Result(number, name, kind, len(upload.content) if upload else 0, not notes[kind], notes[kind]))
    for support in block.supports:
        problem = pdf_problem(support, portal.config.max_file_bytes)
        results.append(Result(number, support.name, "SOPORTE", len(support.content), not problem, problem))
    if not block.supports:
        results.append(_whole(number, "Debe adjuntar al menos un soporte en PDF."))
    if fev is None:
        return None, results
    held = _held(portal, fev)
    if held:
        results.append(_whole(number, held))
    files = tuple(item.seen() for item in block.uploads())
    return Invoice(fev.number, fev.nit, fev.provider_name, fev.payable, fev.issue_date, files), results


def _read_fev(upload: Upload | None, max_bytes: int) -> tuple[Fev | None, str]:
    if upload is None:
        return None, "Falta el XML de la factura electrónica."
    if len(upload.content) > max_bytes:
        return None, f"El archivo supera el límite de {max_bytes // (1024 * 1024)} MB."
    try:
        return read_fev(upload.content), ""
    except Unreadable as error:
        return None, str(error)


def _read_rips(upload: Upload | None, max_bytes: int) -> tuple[Rips | None, str]:
    if upload is None:
        return None, "Falta el archivo RIPS en formato JSON."
    if len(upload.content) > max_bytes:
        return None, f"El archivo supera el límite de {max_bytes // (1024 * 1024)} MB."
    try:
        return read_rips(upload.content), ""
    except Unreadable as error:
        return None, str(error)


def _fev_note(fev: Fev, session: Session) -> str:
    if session.nit and fev.nit != session.nit:
        return f"El NIT del emisor ({fev.nit}) no corresponde al prestador que ingresó ({session.nit})."
    return ""


def _rips_note(rips: Rips, fev: Fev, check_values: bool) -> str:
    if rips.number != fev.number:
        return f"El RIPS es de la factura {rips.number or '(vacío)'} y el XML es de la factura {fev.number}."
    if rips.nit != fev.nit:
        return f"El NIT del RIPS ({rips.nit}) no es el emisor de la factura ({fev.nit})."
    if check_values and rips.total not in fev.amounts:
        return f"El valor de los servicios del RIPS ({rips.total}) no coincide con el de la factura ({fev.payable})."
    return ""


def _cuv_note(block: Block, fev: Fev | None) -> str:
    text = block.cuv_text.strip().lower()
    if not is_cuv(text):
        return "El Código Único de Validación debe tener 96 caracteres hexadecimales."
    if block.cuv_file is None:
        return "Falta el archivo de resultados de la validación (CUV)."
    try:
        cuv, number = read_cuv(block.cuv_file.content)
    except Unreadable as error:
        return str(error)
    if cuv != text:
        return "El CUV digitado no corresponde al del archivo."
    if fev is not None and number and number != fev.number:
        return f"El CUV fue expedido para la factura {number} y no para la {fev.number}."
    return ""


def _held(portal: Portal, fev: Fev) -> str:
    """The duplicate sentence when the payer already holds the invoice, unless detection is switched off."""
    if not portal.config.detect_duplicates:
        return ""
    earlier = portal.ledger.earlier(fev.nit, fev.number, "radicacion")
    if earlier is not None:
        return duplicate_text(fev.number, str(earlier["filed_at"]), str(earlier["radicado"]))
    for known in portal.config.known:
        if known.numero == fev.number and known.nit in ("", fev.nit):
            return duplicate_text(fev.number, known.fecha, known.radicado)
    return ""
