"""The cover of the dossier: who claims what from whom, up to which day, and what the file holds.

Invariant: every amount is a sum of the invoices that told it; where some did not, the cover says how many did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reportlab.lib.units import mm

from radica.conciliacion.acta import day_words
from radica.glosas.respuesta.paper import DIM, INK, MARGIN
from radica.kernel.money import format_cop
from radica.prejuridico.contenido import Contenido, Parte
from radica.prejuridico.papel.lienzo import HEIGHT, ROOM, WIDTH, Lienzo, count_words, thousands
from radica.prejuridico.papel.tinta import BOLD, PLAIN

VIAS = {"ejecutivo": "Proceso ejecutivo", "declarativo": "Proceso declarativo"}
_HALF = ROOM / 2 - 8


@dataclass(frozen=True)
class Cuenta:
    """What the cover counts: folios of the whole, documents, those that have no pages here, and gaps declared."""

    folios: int
    documentos: int
    hojas: int
    anexos: int
    huecos: int


def draw_cover(lienzo: Lienzo, cuenta: Cuenta) -> None:
    """Draw the cover as the next sheet."""
    content = lienzo.contenido
    y = HEIGHT - 34 * mm
    lienzo.text(MARGIN, y, "COBRO DE SERVICIOS DE SALUD", font=BOLD, size=10, color=DIM)
    y -= 34
    lienzo.text(MARGIN, y, f"Expediente N.º {content.numero}", font=BOLD, size=28)
    y -= 24
    track = VIAS.get(content.via, content.via)
    lienzo.text(MARGIN, y, f"{track}. Hechos hasta el {day_words(content.corte)}", size=12, color=DIM)
    lienzo.box(MARGIN, y - 18, 60, 1.6, INK)
    y -= 48
    y = min(
        _party(lienzo, MARGIN, y, "DEMANDANTE", content.demandante),
        _party(lienzo, MARGIN + ROOM / 2 + 8, y, "DEMANDADO", content.demandado),
    )
    y = _process(lienzo, y - 14)
    y = _table(lienzo, y - 16, "Lo que se reclama", _amounts(content))
    y = _table(lienzo, y - 22, "Lo que contiene", _holds(content, cuenta))
    lienzo.block(
        MARGIN,
        32 * mm - 6,
        "Cada hoja lleva su folio. Los archivos originales acompañan este PDF en una bolsa con sus huellas SHA-256, sus sellos"
        " de tiempo y un verificador que se ejecuta sin conexión. Lo que falta está declarado en el último capítulo.",
        ROOM,
        size=8.5,
        lead=11.5,
        color=DIM,
    )
    lienzo.end()


def _party(lienzo: Lienzo, x: Any, y: Any, role: str, party: Parte) -> Any:
    lienzo.text(x, y, role, font=BOLD, size=8, color=DIM)
    y = lienzo.block(x, y - 18, party.nombre, _HALF, font=BOLD, size=12, lead=15, most=4)
    lienzo.text(x, y, f"NIT {party.nit}", size=9.5)
    if party.codigo_habilitacion:
        y -= 13
        lienzo.text(x, y, f"Código de habilitación {party.codigo_habilitacion}", size=9.5)
    return y - 13


def _process(lienzo: Lienzo, y: Any) -> Any:
    content = lienzo.contenido
    court = ", ".join(one for one in (content.despacho, content.ciudad) if one)
    lienzo.text(MARGIN, y, "PROCESO", font=BOLD, size=8, color=DIM)
    number = content.radicado_judicial or "Sin radicación judicial en la fecha de corte"
    y = lienzo.block(MARGIN, y - 16, number, ROOM, size=11, font=BOLD if content.radicado_judicial else PLAIN)
    return lienzo.block(MARGIN, y - 2, court, ROOM, size=9.5, most=2) if court else y


def _table(lienzo: Lienzo, y: Any, title: str, rows: Sequence[tuple[str, str, str]]) -> Any:
    lienzo.text(MARGIN, y, title, font=BOLD, size=10.5)
    y -= 6
    lienzo.rule(y, color=INK)
    for label, note, value in rows:
        y -= 15
        lienzo.text(MARGIN + 4, y, label, size=9.5)
        lienzo.text(MARGIN + 150, y, note, size=8, color=DIM)
        lienzo.to_right(WIDTH - MARGIN - 4, y, value, font=BOLD, size=9.5)
        lienzo.rule(y - 5, thick=0.4)
    return y - 5


def _amounts(content: Contenido) -> list[tuple[str, str, str]]:
    invoices = content.facturas
    rows = [
        ("Valor facturado", *_sum([one.valor for one in invoices])),
        ("Pagado", *_sum([one.pagado for one in invoices])),
        ("Glosado", *_sum([one.glosado for one in invoices])),
        ("Aceptado por el prestador", *_sum([one.aceptado for one in invoices])),
        ("En disputa", *_sum([one.en_disputa for one in invoices])),
        ("Capital liquidado", *_sum([one.capital for one in invoices])),
        ("Intereses liquidados", *_sum([one.intereses for one in invoices])),
    ]
    both = [(one.capital or 0) + (one.intereses or 0) for one in invoices if one.capital is not None]
    if both:
        rows.append(("Capital e intereses", "a la fecha de corte", format_cop(sum(both))))
    return rows


def _sum(values: Sequence[int | None]) -> tuple[str, str]:
    told = [one for one in values if one is not None]
    if not told:
        return "no lo tiene ninguna factura" if values else "", "—"
    note = "" if len(told) == len(values) else f"lo tienen {len(told)} de {len(values)} facturas"
    return note, format_cop(sum(told))


def _holds(content: Contenido, cuenta: Cuenta) -> list[tuple[str, str, str]]:
    sheets = count_words(cuenta.hojas, "es un archivo electrónico", "son archivos electrónicos")
    loose = f"{sheets} que una hoja identifica" if cuenta.hojas == 1 else f"{sheets} que una hoja identifica cada uno"
    rows = [
        ("Facturas", "", thousands(len(content.facturas))),
        ("Documentos", loose if cuenta.hojas else "", thousands(cuenta.documentos)),
        ("Folios", "", thousands(cuenta.folios)),
    ]
    if cuenta.anexos:
        rows.append(("Archivos sin reproducir", "cada uno dice por qué en su hoja", thousands(cuenta.anexos)))
    rows.append(("Vacíos declarados", "", thousands(cuenta.huecos)))
    return rows
