"""Find one invoice by the number that a person writes, and tell how it stands as one JSON document.

Invariant: a number that fits several invoices is never resolved by guessing: `Ambiguous` lists the candidates; the
document holds figures, state, terms, findings and the hashes of the evidence, and nothing of the patient.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.custodia.models import Pieza
from radica.custodia.services import pieces_of
from radica.entidades.models import Pagador, Prestador, TipoPagador
from radica.facturas.models import Factura, Hallazgo
from radica.facturas.numbers import parse_invoice_number, parse_nit
from radica.facturas.states import FINALES
from radica.kernel.clock import bogota
from radica.kernel.errors import Ambiguous, BadInput, NotFound
from radica.kernel.money import plain
from radica.plazos.rules import terms_for_event
from radica.plazos.table import Evento
from radica.plazos.terms import Plazo, calcular
from radica.radicacion.models import Envio, EnvioFactura

MAX_CANDIDATES = 20


def find_factura(session: Session, numero: str, *, nit: str | None = None) -> Factura:
    """Return the invoice of a written number (`FE0010234`, `fe-10234`, or `10234` without prefix).

    `nit` is the provider's. Raises BadInput (no number), NotFound, Ambiguous with the candidates.
    """
    number = parse_invoice_number(numero)
    if number is None:
        raise BadInput("Falta el número de la factura.", todo="Escríbalo como FE10234.", code="sin_numero")
    query = select(Factura).order_by(Factura.prestador_id, Factura.numero_clave).limit(MAX_CANDIDATES)
    if nit is not None:
        tax = parse_nit(nit)
        if tax is None:
            raise BadInput("Ese NIT no se puede leer.", todo="Escríbalo como 900123456.", code="nit_malo")
        query = query.join(Prestador, Prestador.id == Factura.prestador_id).where(Prestador.nit == tax.number)
    found = list(session.scalars(query.where(Factura.numero_clave == number.key)))
    if not found and number.digits and not number.prefix:
        found = list(session.scalars(query.where(Factura.numero_digitos == number.digits)))
    if not found:
        raise NotFound(f"No hay una factura con el número {number.text[:40]}.", todo="Revise el número o impórtela.")
    if len(found) > 1:
        raise Ambiguous(
            f"El número {number.text[:40]} es de {len(found)} facturas.",
            candidates=[_candidate(session, row) for row in found],
            todo="Indique cuál con el prefijo, o con --nit.",
        )
    return found[0]


def _candidate(session: Session, row: Factura) -> dict[str, str]:
    payer = session.get(Pagador, row.pagador_id) if row.pagador_id else None
    return {
        "numero": row.numero,
        "nit_prestador": session.get_one(Prestador, row.prestador_id).nit,
        "pagador": payer.nombre if payer else "",
        "estado": row.estado.value,
    }


def factura_document(session: Session, row: Factura) -> dict[str, Any]:
    """Return the document of `radica estado` (pesos as text with two decimals, dates and instants ISO 8601)."""
    payer = session.get(Pagador, row.pagador_id) if row.pagador_id else None
    findings = session.scalars(select(Hallazgo).where(Hallazgo.factura_id == row.id).order_by(Hallazgo.id))
    return {
        "numero": row.numero,
        "nit_prestador": session.get_one(Prestador, row.prestador_id).nit,
        "pagador": payer.nombre if payer else None,
        "nit_pagador": payer.nit if payer else None,
        "estado": row.estado.value,
        "valor": None if row.valor is None else plain(row.valor),
        "radicado": row.radicado,
        "fecha_radicacion": _instant(row.fecha_radicacion),
        "nivel_prueba": row.nivel_prueba,
        "plazos": [
            {"termino": one.termino, "vence": one.vence.isoformat()}
            for one in terms_of(row, payer.tipo if payer else TipoPagador.DESCONOCIDO)
        ],
        "hallazgos": [
            {
                "codigo": one.codigo,
                "severidad": one.severidad.value,
                "lugar": one.lugar,
                "mensaje": one.mensaje,
                "que_hacer": one.que_hacer,
            }
            for one in findings
        ],
        "evidencias": [
            {"nombre": one.nombre, "sha256": one.sha256, "bytes": one.bytes} for one in evidence_of(session, row)
        ],
    }


def terms_of(row: Factura, tipo: TipoPagador) -> list[Plazo]:
    """Return the terms that run for an invoice: those of its filing once filed, else RAD-01, by due day."""
    if row.estado in FINALES and row.fecha_radicacion is not None:
        terms, since = terms_for_event(Evento.RADICACION), row.fecha_radicacion
    elif row.expedida_at is not None:
        terms, since = ["RAD-01"], row.expedida_at
    else:
        return []
    start: date = bogota(since).date()
    found = (calcular(term, start, pagador=tipo.value) for term in terms)
    return sorted((one for one in found if isinstance(one, Plazo)), key=lambda one: (one.vence, one.termino))


def evidence_of(session: Session, row: Factura) -> list[Pieza]:
    """Return the sealed pieces of all its envíos, in the order of their sealing."""
    envios = (
        select(Envio).join(EnvioFactura, EnvioFactura.envio_id == Envio.id).where(EnvioFactura.factura_id == row.id)
    )
    keys = [envio.case_key for envio in session.scalars(envios)]
    return pieces_of(session, prestador_id=row.prestador_id, case_keys=[row.case_key, *keys])


def _instant(at: datetime | None) -> str | None:
    return bogota(at).isoformat(timespec="seconds") if at else None
