"""Liquidation letters of AXA style: «No. reclamo», «No. factura»; the glossed value is the last number of a line.

Invariant: a line of items counts only below a claim and invoice number; a line without a glossed value above zero is
an item paid in full and no glosa; a line whose last number leaves a doubt is reported. Layout: verified structure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from radica.facturas.texts import fold
from radica.glosas.lectura.carta import (
    INVOICE,
    Carta,
    Renglon,
    armar,
    avisos_de,
    codigo_de,
    fecha_creible,
    fecha_de,
    fecha_rotulada,
    montos,
    nit_del_pagador,
    tipo_de,
    ultimo_monto,
)
from radica.glosas.lectura.tipos import Lectura, LineaLeida, NoLeida
from radica.glosas.lectura.valores import Duda

FORMATO = "axa_carta"
_CLAIM = re.compile(r"\bno\.?\s*(?:de\s+)?reclamo\b", re.IGNORECASE)
_INVOICE = re.compile(r"\bno\.?\s*(?:de\s+)?factura\b", re.IGNORECASE)
_CLAIM_VALUE = re.compile(r"\bno\.?\s*(?:de\s+)?reclamo\s*:?\s*([A-Z0-9][A-Z0-9/-]{3,30})", re.IGNORECASE)
_INVOICE_VALUE = re.compile(r"\bno\.?\s*(?:de\s+)?factura\s*:?\s*([A-Z]{0,6}-?[0-9]{3,14})", re.IGNORECASE)
_ROW = re.compile(r"^\s*(\d[\d-]{4,20})\s+(" + INVOICE.pattern + r")\s+(.+)$")
_ITEM = re.compile(r"^\s*([A-Z0-9][A-Z0-9.-]{2,14})\s+(.+)$")


def es_axa(plain: str) -> int:
    """Return how sure (0–100) a letter's folded text is of this layout."""
    if not (_CLAIM.search(plain) and _INVOICE.search(plain)):
        return 0
    return 90 if "axa" in plain else 75


@dataclass
class _Estado:
    """What was read so far."""

    reclamo: str | None = None
    factura: str | None = None
    cabecera: bool = False
    lineas: list[LineaLeida] = field(default_factory=list)
    no_leidas: list[NoLeida] = field(default_factory=list)
    declarado: int | None = None
    gran_total: int | None = None


def leer_axa(carta: Carta) -> Lectura:
    """Read the letter: rows of claim and invoice, or items under a labelled claim."""
    notices: list[str] = []
    filed = fecha_rotulada(carta, "fecha de radicacion", "fecha radicacion", "fecha de presentacion")
    dated = fecha_creible(_letter_date(carta), carta.hoy, notices)
    state = _Estado()
    for line in carta.renglones:
        _read(carta, line, state, dated, filed)
    declared = state.gran_total if state.gran_total is not None else state.declarado
    return armar(
        carta,
        FORMATO,
        es_axa(fold(carta.texto)),
        state.lineas,
        state.no_leidas,
        declarado=declared,
        pagador_nit=nit_del_pagador(carta),
        avisos=notices,
    )


def _letter_date(carta: Carta) -> date | None:
    return next((found for line in carta.renglones[:12] if (found := fecha_de(line.texto))), None)


def _read(carta: Carta, line: Renglon, state: _Estado, dated: date | None, filed: date | None) -> None:
    text, plain = line.texto, fold(line.texto)
    claim, invoice = _CLAIM_VALUE.search(text), _INVOICE_VALUE.search(text)
    if claim or invoice:
        if claim:
            state.reclamo, state.factura = claim.group(1), None
        if invoice:
            state.factura = invoice.group(1)
        return
    if _CLAIM.search(text) and _INVOICE.search(text):
        state.cabecera = True  # titles of a table with one row per claim
        return
    if plain.startswith(("total", "subtotal", "gran total")):
        _total(carta, text, plain, state)
        return
    row = _ROW.match(text) if state.cabecera else None
    if row:
        _add(carta, line, state, (row.group(1), row.group(2), None, row.group(3)), dated, filed)
        return
    item = _ITEM.match(text)
    numbers = re.findall(r"\d[\d.,]*", item.group(2)) if item else []
    if state.factura and item and len(numbers) >= 2 and any(one.isdigit() for one in item.group(1)):
        _add(carta, line, state, (state.reclamo, state.factura, item.group(1), item.group(2)), dated, filed)


def _total(carta: Carta, text: str, plain: str, state: _Estado) -> None:
    """Keep what the letter says it glossed: the grand total, else the sum of the totals of its claims."""
    last = ultimo_monto(text)
    value = carta.valor(last) if last else None
    if not isinstance(value, int):
        return
    if plain.startswith(("gran total", "total general", "total glosado", "total carta")):
        state.gran_total = value
    else:
        state.declarado = (state.declarado or 0) + value


def _add(
    carta: Carta,
    line: Renglon,
    state: _Estado,
    parts: tuple[str | None, str, str | None, str],
    dated: date | None,
    filed: date | None,
) -> None:
    claim, invoice, service, rest = parts
    last = ultimo_monto(rest)
    value = carta.valor(last) if last else None
    if last is not None and not isinstance(value, Duda) and (value is None or value == 0):
        return  # paid in full
    if last is None or isinstance(value, Duda) or value is None or value < 0:
        reason = value.motivo if isinstance(value, Duda) else "el renglón no termina en el valor glosado"
        state.no_leidas.append(NoLeida(line.numero, f"{reason[0].upper()}{reason[1:]}.", line.texto, line.hoja))
        return
    code, written = codigo_de(rest)
    others = montos(rest)
    first = carta.valor(others[0]) if len(others) > 1 else None
    state.lineas.append(
        LineaLeida(
            fila=line.numero,
            hoja=line.hoja,
            factura=invoice,
            tipo=tipo_de(code, carta.renglones[0].texto),
            codigo=code,
            codigo_original=written,
            valor=value,
            fecha_notificacion=dated,
            fecha_radicacion=filed,
            numero_glosa=claim,
            servicio=service,
            descripcion_servicio=_words(rest),
            valor_servicio=first if isinstance(first, int) and service else None,
            avisos=avisos_de(line),
        )
    )


def _words(rest: str) -> str | None:
    """Return what stands before the first amount: the item's name."""
    amounts = montos(rest)
    head = rest.split(amounts[0], 1)[0] if amounts else rest
    return re.sub(r"\s+\d{1,3}\s*$", "", head).strip(" $-") or None
