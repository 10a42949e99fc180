"""Which filed invoices still owe and could go to court: balance, age, gaps of proof at a glance, shortest clock.

Invariant: every invoice of a provider that is filed and keeps a balance is here, whatever it lacks; a gap named here is
one that the dossier would declare too (the dossier looks at more). Money in centavos. Norms: CGP art. 422, Res.
2284/2023 art. 7; clocks PRE-01 to PRE-04.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.cartera.pagos import sums
from radica.cartera.prescripcion import Reloj, mas_corta
from radica.cartera.saldos import notes_by_invoice
from radica.entidades.models import Pagador
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.facturas.states import EstadoFactura
from radica.glosas.models import Devolucion, Glosa
from radica.glosas.states import DEV_ABIERTAS, EstadoGlosa
from radica.kernel.clock import civil_date
from radica.kernel.db import parts_of
from radica.prejuridico.models import DocumentoPersona, Expediente, ExpedienteFactura, TipoDocumentoPersona
from radica.prejuridico.states import VIVOS

HUECOS = {
    "factura": "Falta la factura electrónica (XML)",
    "respuesta_dian": "Falta la respuesta de la DIAN",
    "rips": "Faltan los RIPS",
    "cuv": "Falta el CUV",
    "soportes": "Faltan los soportes",
    "prueba": "La prueba de radicación es débil (nivel menor que 2)",
    "poder": "Falta el poder",
    "existencia": "Falta el certificado de existencia",
    "reps": "Falta la constancia del REPS",
    "contrato": "Falta el contrato",
}
"""Gaps that the list can tell without opening anything: coded, and in words."""
_BY_TYPE = {
    TipoDocumento.FEV: "factura",
    TipoDocumento.RESPUESTA_DIAN: "respuesta_dian",
    TipoDocumento.RIPS: "rips",
    TipoDocumento.CUV: "cuv",
    TipoDocumento.SOPORTE: "soportes",
}
_BY_PERSON = {
    TipoDocumentoPersona.PODER: "poder",
    TipoDocumentoPersona.CERTIFICADO_EXISTENCIA: "existencia",
    TipoDocumentoPersona.REPS: "reps",
    TipoDocumentoPersona.CONTRATO: "contrato",
}


@dataclass(frozen=True)
class Candidata:
    """One invoice that could go in a dossier. `edad` in calendar days since it was filed; `expediente` already has it."""

    factura: Factura
    pagador: Pagador
    radicada: date
    edad: int
    saldo: int
    en_disputa: int
    huecos: tuple[str, ...]
    reloj: Reloj | None
    expediente: Expediente | None

    def dias(self, hoy: date) -> int | None:
        """Return how many calendar days are left on the shortest clock; negative when it lapsed."""
        return None if self.reloj is None else (self.reloj.vence - hoy).days


@dataclass(frozen=True)
class GrupoPagador:
    """What one payer owes one provider: invoices, balance, age of the oldest, invoices with gaps, nearest clock."""

    pagador: Pagador
    prestador_id: int
    facturas: int
    saldo: int
    en_disputa: int
    edad_mayor: int
    con_huecos: int
    vence: date | None


def candidates(
    session: Session, prestador_ids: Collection[int], hoy: date, *, pagador_id: int | None = None
) -> list[Candidata]:
    """Return the filed invoices of some providers that keep a balance, the nearest clock first."""
    query = (
        select(Factura, Pagador)
        .join(Pagador, Pagador.id == Factura.pagador_id)
        .where(
            Factura.prestador_id.in_(prestador_ids),
            Factura.estado == EstadoFactura.RADICADA,
            Factura.fecha_radicacion.is_not(None),
        )
        .order_by(Factura.id)
    )
    if pagador_id is not None:
        query = query.where(Factura.pagador_id == pagador_id)
    rows = [(row[0], row[1]) for row in session.execute(query)]
    paid, notes = sums(session, prestador_ids), notes_by_invoice(session, prestador_ids)
    left = {row.id: _balance(row, paid, notes) for row, _ in rows}
    owing = [(row, payer) for row, payer in rows if left[row.id] > 0]
    ids = [row.id for row, _ in owing]
    have, dispute, inside = _kinds(session, ids), _dispute(session, ids), _dossiers(session, ids)
    brought = _brought(session, prestador_ids)
    found = [
        Candidata(
            row,
            payer,
            filed,
            (hoy - filed).days,
            left[row.id],
            dispute.get(row.id, 0),
            _gaps(row, have.get(row.id, frozenset()), brought),
            mas_corta(filed, payer.tipo),
            inside.get(row.id),
        )
        for row, payer in owing
        if row.fecha_radicacion is not None
        for filed in (civil_date(row.fecha_radicacion),)
    ]
    return sorted(found, key=lambda one: (one.reloj.vence if one.reloj else date.max, one.factura.id))


def by_payer(rows: Iterable[Candidata]) -> list[GrupoPagador]:
    """Add them up by provider and payer, the largest balance first."""
    groups: dict[tuple[int, int], list[Candidata]] = {}
    for one in rows:
        groups.setdefault((one.factura.prestador_id, one.pagador.id), []).append(one)
    made = [
        GrupoPagador(
            ones[0].pagador,
            provider,
            len(ones),
            sum(one.saldo for one in ones),
            sum(one.en_disputa for one in ones),
            max(one.edad for one in ones),
            sum(bool(one.huecos) for one in ones),
            min((one.reloj.vence for one in ones if one.reloj), default=None),
        )
        for (provider, _), ones in groups.items()
    ]
    return sorted(made, key=lambda one: (-one.saldo, one.pagador.id))


def _balance(row: Factura, paid: Mapping[int, tuple[int, int]], notes: Mapping[int, tuple[int, int]]) -> int:
    """Return what is open of an invoice, by the identity of `cartera.saldos`."""
    credit, debit = notes.get(row.id, (0, 0))
    return (row.valor or 0) + debit - credit - sum(paid.get(row.id, (0, 0)))


def _gaps(
    row: Factura, have: frozenset[TipoDocumento], brought: Collection[tuple[str, int, int, int]]
) -> tuple[str, ...]:
    missing = {code for kind, code in _BY_TYPE.items() if kind not in have}
    if row.nivel_prueba < 2:
        missing.add("prueba")
    here = {
        kind
        for kind, provider, payer, invoice in brought
        if provider == row.prestador_id and payer in (0, row.pagador_id) and invoice in (0, row.id)
    }
    missing |= {code for kind, code in _BY_PERSON.items() if kind.value not in here}
    return tuple(code for code in HUECOS if code in missing)


def _kinds(session: Session, ids: Collection[int]) -> dict[int, frozenset[TipoDocumento]]:
    found: dict[int, set[TipoDocumento]] = {}
    for part in parts_of(ids):
        query = select(Documento.factura_id, Documento.tipo).where(Documento.factura_id.in_(part), Documento.vigente)
        for invoice, kind in session.execute(query.distinct()):
            found.setdefault(int(invoice or 0), set()).add(kind)
    return {invoice: frozenset(kinds) for invoice, kinds in found.items()}


def _dispute(session: Session, ids: Collection[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for part in parts_of(ids):
        glosas = (
            select(Glosa.factura_id, func.sum(Glosa.en_disputa))
            .where(Glosa.factura_id.in_(part), Glosa.estado != EstadoGlosa.ANULADA)
            .group_by(Glosa.factura_id)
        )
        open_ = [one.value for one in DEV_ABIERTAS]
        returned = (
            select(Devolucion.factura_id, func.sum(Devolucion.valor))
            .where(Devolucion.factura_id.in_(part), Devolucion.estado.in_(open_))
            .group_by(Devolucion.factura_id)
        )
        for query in (glosas, returned):
            for invoice, value in session.execute(query):
                found[invoice] = found.get(invoice, 0) + int(value or 0)
    return found


def _dossiers(session: Session, ids: Collection[int]) -> dict[int, Expediente]:
    """Return the newest living dossier of each invoice that is in one."""
    found: dict[int, Expediente] = {}
    for part in parts_of(ids):
        query = (
            select(ExpedienteFactura.factura_id, Expediente)
            .join(Expediente, Expediente.id == ExpedienteFactura.expediente_id)
            .where(ExpedienteFactura.factura_id.in_(part), Expediente.estado.in_([one.value for one in VIVOS]))
            .order_by(Expediente.id)
        )
        found |= {row[0]: row[1] for row in session.execute(query)}
    return found


def _brought(session: Session, prestador_ids: Collection[int]) -> frozenset[tuple[str, int, int, int]]:
    """Return kind, provider, payer and invoice (0: any) of what people brought and nobody withdrew."""
    query = select(
        DocumentoPersona.tipo, DocumentoPersona.prestador_id, DocumentoPersona.pagador_id, DocumentoPersona.factura_id
    ).where(DocumentoPersona.prestador_id.in_(prestador_ids), DocumentoPersona.retirado_at.is_(None))
    return frozenset((row[0].value, row[1], row[2] or 0, row[3] or 0) for row in session.execute(query.distinct()))
