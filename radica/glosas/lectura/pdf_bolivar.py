"""Actas of Bolívar style: «Acta Nro», the value first glossed, and items numbered «(n.nn)» that may wrap over lines.

Invariant: an item is everything from its number to the next one; its value is the last amount in it, its code the
only one in it; an item without one clear amount is reported with its text. Layout: verified structure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from radica.facturas.texts import fold
from radica.glosas.lectura.carta import (
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
    radicado_de,
    rotulado,
    tipo_de,
)
from radica.glosas.lectura.tipos import Lectura, LineaLeida, NoLeida
from radica.glosas.lectura.valores import Duda

FORMATO = "bolivar_acta"
_ACTA = re.compile(r"\bacta\s+n(?:ro|o|[°º]|umero)\.?\s*:?\s*([A-Z0-9][A-Z0-9-]{2,20})", re.IGNORECASE)
_ITEM = re.compile(r"^\s*\((\d{1,3})[.,](\d{2})\)\s*(.*)$")
_INVOICE = re.compile(r"\bfactura\s*(?:n(?:ro|o|[°º])\.?)?\s*:?\s*([A-Z]{0,6}-?[0-9]{3,14})\b", re.IGNORECASE)
_INITIAL = re.compile(r"valor\s+(?:de\s+)?(?:la\s+)?glosad?[ao]?\s+inicial|valor\s+inicial\s+glosado", re.IGNORECASE)
_STOP = ("total", "subtotal", "observaciones generales", "firma", "elabor", "auditor", "cordialmente", "nota:")
_SERVICE = re.compile(r"^\s*([0-9]{5,6}|[A-Z0-9]{4,12}-\d{1,3})\b")


def es_bolivar(plain: str) -> int:
    """Return how sure (0–100) a letter's folded text is of this layout."""
    items = sum(1 for line in plain.splitlines() if _ITEM.match(line))
    if not items or not _ACTA.search(plain):
        return 0
    return 90 if "bolivar" in plain else 75


@dataclass
class _Item:
    """An item under way: its first line, its number, its invoice and its text so far."""

    renglon: Renglon
    numero: str
    factura: str
    texto: str


def leer_bolivar(carta: Carta) -> Lectura:
    """Read the acta: items under the invoice named last."""
    notices: list[str] = []
    dated = fecha_creible(_acta_date(carta), carta.hoy, notices)
    filed = fecha_rotulada(carta, "fecha de radicacion", "fecha radicacion")
    acta, radicado = rotulado(carta, _ACTA), radicado_de(carta)
    lines: list[LineaLeida] = []
    unread: list[NoLeida] = []
    for item in _items(carta):
        code, written = codigo_de(item.texto)
        amounts = montos(item.texto)
        value = carta.valor(amounts[-1]) if amounts else None
        if not isinstance(value, int) or value < 0 or not item.factura:
            unread.append(_unread(item, value))
            continue
        if value == 0:
            continue
        service = _SERVICE.match(item.texto)
        lines.append(
            LineaLeida(
                fila=item.renglon.numero,
                hoja=item.renglon.hoja,
                factura=item.factura,
                tipo=tipo_de(code, carta.texto[:600]),
                codigo=code,
                codigo_original=written,
                valor=value,
                fecha_notificacion=dated,
                fecha_radicacion=filed,
                radicado=radicado,
                numero_glosa=f"{acta} ({item.numero})" if acta else None,
                servicio=service.group(1) if service else None,
                motivo=item.texto.split(amounts[-1])[0].strip(" $:-") or None,
                avisos=avisos_de(item.renglon),
            )
        )
    return armar(
        carta,
        FORMATO,
        es_bolivar(fold_lines(carta)),
        lines,
        unread,
        declarado=_initial(carta),
        pagador_nit=nit_del_pagador(carta),
        avisos=notices,
    )


def fold_lines(carta: Carta) -> str:
    """Return the letter folded line by line."""
    return "\n".join(fold(line.texto) for line in carta.renglones)


def _acta_date(carta: Carta) -> date | None:
    return fecha_rotulada(carta, "fecha del acta", "fecha acta", "fecha:") or next(
        (found for line in carta.renglones[:12] if (found := fecha_de(line.texto))), None
    )


def _items(carta: Carta) -> Iterator[_Item]:
    """Yield each numbered item with the lines that belong to it."""
    invoice, current = "", None
    for line in carta.renglones:
        if match := _ITEM.match(line.texto):
            if current:
                yield current
            current = _Item(line, f"{match.group(1)}.{match.group(2)}", invoice, match.group(3))
            continue
        label = _INVOICE.search(line.texto)
        if label or fold(line.texto).startswith(_STOP) or _INITIAL.search(line.texto):
            if current:
                yield current
            current = None
            invoice = label.group(1) if label else invoice
        elif current:
            current.texto = f"{current.texto} {line.texto}"
    if current:
        yield current


def _unread(item: _Item, value: int | Duda | None) -> NoLeida:
    if not item.factura:
        reason = "No se sabe de qué factura es: no hay una nombrada antes."
    elif isinstance(value, Duda):
        reason = f"{value.motivo[0].upper()}{value.motivo[1:]}."
    else:
        reason = "El ítem no trae su valor glosado."
    return NoLeida(item.renglon.numero, f"Ítem ({item.numero}): {reason}", item.texto, item.renglon.hoja)


def _initial(carta: Carta) -> int | None:
    """Return the sum of the values first glossed that the acta states; None when it states none or unclearly."""
    total = None
    for line in carta.renglones:
        if _INITIAL.search(line.texto):
            amounts = montos(line.texto[_INITIAL.search(line.texto).end() :])  # type: ignore[union-attr]
            value = carta.valor(amounts[0]) if amounts else None
            if not isinstance(value, int):
                return None
            total = (total or 0) + value
    return total
