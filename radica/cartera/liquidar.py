"""The liquidation of an invoice of the database, its JSON document, and its row once it is frozen.

Invariant: the same facts, table, readings and day give the same document; a frozen one is never written again.
Norms: those of `liquidacion.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.cartera.armar import armar_caso
from radica.cartera.caso import ETIQUETAS, Inicio
from radica.cartera.liquidacion import Imputacion, Linea, Resultado, Saldo, liquidar
from radica.cartera.models import Liquidacion
from radica.cartera.parametros import NOMBRES, Parametros, elegir, opcion
from radica.cartera.tabla_tasas import Tasa
from radica.cartera.tasas import rates
from radica.facturas.models import Factura
from radica.kernel.money import plain


def liquidar_factura(
    session: Session,
    factura: Factura,
    *,
    corte: date,
    parametros: Parametros | Mapping[str, str] | None = None,
    tabla: Mapping[str, Tasa] | None = None,
) -> Resultado:
    """Liquidate an invoice up to and with the day `corte`. Raises BadInput for a reading that the table lacks."""
    chosen = parametros if isinstance(parametros, Parametros) else elegir(parametros)
    return liquidar(armar_caso(session, factura, chosen), tabla or rates(session), chosen, corte)


def congelar(session: Session, factura: Factura, resultado: Resultado, *, actor: str, at: datetime) -> Liquidacion:
    """Write a liquidation down as it stands, for a dossier or a person."""
    row = Liquidacion(
        prestador_id=factura.prestador_id,
        factura_id=factura.id,
        corte=resultado.corte,
        parametros=resultado.parametros.as_dict(),
        resultado=documento(resultado),
        capital=resultado.capital,
        intereses=resultado.pendientes,
        at=at,
        actor=actor,
    )
    session.add(row)
    session.flush()
    return row


def congeladas(session: Session, factura_id: int) -> list[Liquidacion]:
    """Return the frozen liquidations of an invoice, the latest first."""
    rows = select(Liquidacion).where(Liquidacion.factura_id == factura_id).order_by(Liquidacion.id.desc())
    return list(session.scalars(rows))


def documento(found: Resultado) -> dict[str, Any]:
    """Return a liquidation as JSON: amounts in pesos as text, rates in percent as text, days as ISO."""
    return {
        "factura": found.caso.factura,
        "presentada": found.caso.presentada.isoformat() if found.caso.presentada else None,
        "corte": found.corte.isoformat(),
        "capital": plain(found.capital),
        "capital_sin_intereses": plain(found.sin_intereses),
        "intereses_causados": plain(found.causados),
        "intereses_pagados": plain(found.pagados),
        "intereses": plain(found.pendientes),
        "total": plain(found.capital + found.pendientes),
        "exceso": plain(found.exceso),
        "parametros": [_parametro(found.parametros, clave) for clave in NOMBRES],
        "conceptos": [_saldo(one) for one in found.saldos],
        "lineas": [_linea(one) for one in found.lineas],
        "imputaciones": [_imputacion(one) for one in found.imputaciones],
        "alternativas": [
            {
                "parametro": one.opcion.clave,
                "valor": one.opcion.valor,
                "texto": one.opcion.texto,
                "norma": one.opcion.cita,
                "certeza": one.opcion.certeza,
                "capital": plain(one.capital),
                "intereses_causados": plain(one.causados),
                "intereses": plain(one.pendientes),
                "diferencia": plain(one.diferencia),
            }
            for one in found.alternativas
        ],
        "meses_sin_tasa": sorted({one.mes for one in found.vacios}),
        "avisos": list(found.avisos),
    }


def _parametro(chosen: Parametros, clave: str) -> dict[str, str]:
    one = opcion(clave, getattr(chosen, clave))
    return {
        "clave": clave, "valor": one.valor, "texto": one.texto, "norma": one.cita, "certeza": one.certeza,
        "nota": one.nota,
    }  # fmt: skip


def _inicio(one: Inicio | None) -> dict[str, str] | None:
    if one is None:
        return None
    return {
        "desde": one.desde.isoformat(), "termino": one.termino, "criterio": one.criterio, "norma": one.cita,
        "certeza": one.certeza,
    }  # fmt: skip


def _saldo(one: Saldo) -> dict[str, Any]:
    return {
        "clave": one.concepto.clave,
        "tipo": ETIQUETAS[one.concepto.tipo],
        "detalle": one.concepto.detalle,
        "capital_inicial": plain(one.concepto.capital),
        "capital": plain(one.capital),
        "intereses_causados": plain(one.causados),
        "intereses": plain(one.pendientes),
        "inicio": _inicio(one.inicio),
        "motivo": one.concepto.motivo if one.inicio is None else "",
    }


def _linea(one: Linea) -> dict[str, Any]:
    return {
        "concepto": one.clave,
        "titulo": one.titulo,
        "capital": plain(one.capital),
        "desde": one.desde.isoformat(),
        "hasta": one.hasta.isoformat(),
        "dias": one.dias,
        "mes": one.mes,
        "usura": None if one.usura is None else plain(one.usura),
        "tasa": None if one.tasa is None else plain(one.tasa),
        "divisor": one.divisor,
        "interes": None if one.interes is None else plain(one.interes),
        "norma": one.inicio.cita,
        "termino": one.inicio.termino,
        "certeza": one.inicio.certeza,
    }


def _imputacion(one: Imputacion) -> dict[str, Any]:
    return {
        "fecha": one.abono.fecha.isoformat(),
        "clase": str(one.abono.clase),
        "referencia": one.abono.referencia,
        "valor": plain(one.abono.valor),
        "a_intereses": plain(one.intereses),
        "a_capital": plain(one.capital),
        "exceso": plain(one.exceso),
        "partes": [
            {"concepto": part.clave, "intereses": plain(part.intereses), "capital": plain(part.capital)}
            for part in one.partes
        ],
    }
