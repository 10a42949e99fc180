"""Rows that tests need, made through the models with plausible invented values."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

from sqlalchemy.orm import Session

from radica.audit.services import open_case
from radica.entidades.models import EstadoPrestador, Pagador, Prestador, TipoPagador
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
_serial = count(1)


def prestador(session: Session, *, nit: str | None = None, nombre: str = "IPS Clínica del Norte") -> Prestador:
    """Add an active provider."""
    row = Prestador(nit=nit or f"90000{next(_serial):04d}", nombre=nombre, estado=EstadoPrestador.ACTIVO, creado_at=NOW)
    session.add(row)
    session.flush()
    return row


def pagador(session: Session, *, tipo: TipoPagador = TipoPagador.EPS, nombre: str = "EPS Sabana Verde") -> Pagador:
    """Add a payer."""
    row = Pagador(nit=f"80000{next(_serial):04d}", nombre=nombre, tipo=tipo)
    session.add(row)
    session.flush()
    return row


def factura(
    session: Session,
    prestador: Prestador,
    pagador: Pagador,
    *,
    numero: str | None = None,
    valor: int = 9_060_000,
    estado: EstadoFactura = EstadoFactura.LISTA,
) -> Factura:
    """Add an invoice in a state, with its birth in the history. `valor` in centavos."""
    number = numero or f"FE{next(_serial) + 10000}"
    row = Factura(
        prestador_id=prestador.id,
        pagador_id=pagador.id,
        numero=number,
        numero_clave=number,
        numero_digitos=number.lstrip("FE"),
        estado=estado,
        version=0,
        valor=valor,
        valor_bruto=valor,
        expedida_at=NOW,
        creada_at=NOW,
    )
    session.add(row)
    open_case(session, row, actor="prueba", at=NOW, reason="importacion")
    return row
