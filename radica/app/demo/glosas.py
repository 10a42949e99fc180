"""What the demonstration's payers object: files with glosas and devoluciones on invoices that were filed, some of them
days ago, and the same objections in the bag of the simulated portal, so that the bot can answer them.

Invariant: the files pass through the same intake as a real payer's; the days of notice leave something due today, soon
and later. Everything is invented and repeatable: which services are objected follows from their order.
"""

from __future__ import annotations

import http.client
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import xlsxwriter
from sqlalchemy import select

from radica.app.demo.catalog import P2, PAYERS
from radica.custodia.backends import open_store
from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Factura
from radica.facturas.states import EstadoFactura
from radica.glosas.intake import importar
from radica.glosas.items import fill_items, items_of
from radica.glosas.matching import ItemRef
from radica.kernel.clock import BOGOTA, Clock, civil_date
from radica.kernel.config import Settings
from radica.kernel.db import Database
from radica.kernel.errors import Unavailable
from radica.kernel.money import from_cents
from radica.plazos.calendar import business_days_between

ANSWER_DAYS = 15
LEFT = (0, 1, 2, 4, 0, 9, 3, 12)
"""Business days that the notices leave to answer, in turn."""
CAUSES = (
    ("TA0801", "Se cobra por encima de la tarifa pactada; se reconoce el valor del contrato.", 30),
    ("SO0801", "No se adjunta el resultado de la ayuda diagnóstica.", 100),
    ("FA0801", "La cantidad facturada difiere de la que soportan los documentos.", 50),
    ("AU0801", "No se evidencia la autorización del servicio.", 100),
    ("SO3401", "El resumen de atención no da cuenta del servicio.", 100),
)
"""Code, reason and share (per cent of the service) of each objection, in turn."""
RETURN = ("DE5601", "Los soportes no se radicaron dentro de los 22 días hábiles siguientes a la expedición.")
HEADINGS = (
    "Número de factura",
    "Código de glosa",
    "Valor glosado",
    "Código del servicio",
    "Descripción del servicio",
    "Motivo",
    "Fecha de notificación",
    "Valor de la factura",
)
EVERY, MOST_LINES, LIMIT_S = 2, 3, 30.0


@dataclass(frozen=True)
class _Objected:
    """One invoice with the services that its payer objects to; no services: the whole invoice is sent back."""

    factura: Factura
    notified: date
    services: tuple[ItemRef, ...]


def payers_object(
    database: Database, settings: Settings, portals: Mapping[str, str], *, clock: Clock
) -> tuple[int, int]:
    """Let the payers object to every other filed invoice. `portals`: address by the payer's NIT.

    Returns how many lines were loaded and how many of them wait for a person. Raises Unavailable when a simulated
    portal does not answer.
    """
    store = open_store(settings)
    with database.read() as session:
        providers = {row.id: row for row in session.scalars(select(Prestador))}
        payers = {row.id: row for row in session.scalars(select(Pagador))}
        filed = list(
            session.scalars(
                select(Factura)
                .where(Factura.estado == EstadoFactura.RADICADA, Factura.pagador_id.is_not(None))
                .order_by(Factura.prestador_id, Factura.pagador_id, Factura.fecha_radicacion, Factura.id)
            )
        )
    loaded = waiting = 0
    for (provider_id, payer_id), invoices in _grouped(filed).items():
        payer = payers[payer_id]
        fill_items(database, store, provider_id, [one.id for one in invoices])
        chosen = _choose(database, invoices, today=civil_date(clock()))
        if not chosen:
            continue
        if payer.nit in portals and payer.nit in _BAGS:
            _put_in_bag(portals[payer.nit], providers[provider_id].nit, chosen)
        for day in sorted({one.notified for one in chosen}):
            of_day = [one for one in chosen if one.notified == day]
            path = _write(settings.datos / "muestra" / "glosas", payer.nit, providers[provider_id].nit, day, of_day)
            summary = importar(
                database,
                store,
                path,
                nombre=path.name,
                prestador_id=provider_id,
                pagador_nit=payer.nit,
                origen="archivo",
                recibida_at=_moment(day, of_day, clock()),
                actor="demo",
                clock=clock,
                workdir=settings.incoming,
            )
            loaded += sum(one.nuevas for one in summary.notificaciones)
            waiting += sum(one.sin_cruzar + one.por_decidir + one.no_leidas for one in summary.notificaciones)
    return loaded, waiting


_BAGS = frozenset(payer.nit for payer in PAYERS if payer.archetype == P2)


def _grouped(filed: Sequence[Factura]) -> dict[tuple[int, int], list[Factura]]:
    groups: dict[tuple[int, int], list[Factura]] = {}
    for one in filed[::EVERY]:
        assert one.pagador_id is not None  # the query asks for it
        groups.setdefault((one.prestador_id, one.pagador_id), []).append(one)
    return groups


def _choose(database: Database, invoices: Sequence[Factura], *, today: date) -> list[_Objected]:
    with database.read() as session:
        services = items_of(session, [one.id for one in invoices])
    chosen = []
    for place, one in enumerate(invoices):
        assert one.fecha_radicacion is not None  # filed
        priced = sorted((item for item in services.get(one.id, []) if item.valor > 0), key=lambda item: -item.valor)
        day = max(_day_with(today, ANSWER_DAYS - LEFT[(one.id + place) % len(LEFT)]), civil_date(one.fecha_radicacion))
        whole = one.id % 9 == 4 and day > civil_date(one.fecha_radicacion)
        if priced:
            chosen.append(_Objected(one, day, () if whole else tuple(priced[:MOST_LINES])))
    return chosen


def _day_with(today: date, gone: int) -> date:
    """The latest day since which `gone` business days have gone by today."""
    day = today
    while business_days_between(day, today) < gone:
        day -= timedelta(days=1)
    return day


def _moment(day: date, objected: Sequence[_Objected], now: datetime) -> datetime:
    """Arrival in the morning of `day`, after every filing that it objects to and never in the future."""
    filed = max(one.factura.fecha_radicacion for one in objected if one.factura.fecha_radicacion is not None)
    return min(max(datetime.combine(day, time(8, 40), tzinfo=BOGOTA), filed + timedelta(minutes=1)), now)


def _lines(objected: Sequence[_Objected]) -> list[tuple[_Objected, ItemRef | None, str, str, int]]:
    """Return (invoice, service, code, reason, centavos) of each objection."""
    rows: list[tuple[_Objected, ItemRef | None, str, str, int]] = []
    for one in objected:
        if not one.services:
            rows.append((one, None, *RETURN, one.factura.valor or 0))
        for place, item in enumerate(one.services):
            code, reason, share = CAUSES[(one.factura.id + place) % len(CAUSES)]
            rows.append((one, item, code, reason, item.valor * share // 100 // 100 * 100 or item.valor))
    return rows


def _write(folder: Path, payer_nit: str, provider_nit: str, day: date, objected: Sequence[_Objected]) -> Path:
    """Write the workbook that the payer sends."""
    folder.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Glosas")
        when, money = book.add_format({"num_format": "dd/mm/yyyy"}), book.add_format({"num_format": "#,##0.00"})
        sheet.write_row(0, 0, HEADINGS)
        for number, (one, item, code, reason, cents) in enumerate(_lines(objected), start=1):
            sheet.write_string(number, 0, one.factura.numero)
            sheet.write_string(number, 1, code)
            sheet.write_number(number, 2, _number(cents), money)
            sheet.write_string(number, 3, item.codigo if item else "")
            sheet.write_string(number, 4, item.descripcion if item else "")
            sheet.write_string(number, 5, reason)
            sheet.write_datetime(number, 6, datetime.combine(one.notified, time()), when)
            sheet.write_number(number, 7, _number(one.factura.valor or 0), money)
    path = folder / f"objeciones_{payer_nit}_{provider_nit}_{day:%Y%m%d}.xlsx"
    path.write_bytes(content.getvalue())
    return path


def _number(cents: int) -> int:
    """Whole pesos: what the invented objections are made of, and what a cell holds exactly."""
    return cents // 100


def _put_in_bag(url: str, nit: str, objected: Sequence[_Objected]) -> None:
    """Put the objected accounts into the bag of answers of a simulated portal."""
    accounts = []
    for one in objected:
        items = [
            {"servicio": item.codigo, "descripcion": item.descripcion, "codigo": code, "motivo": reason,
             "valor": str(from_cents(cents))}
            for owner, item, code, reason, cents in _lines([one])
            if owner is one and item is not None
        ]  # fmt: skip
        if items:
            worth = str(from_cents(one.factura.valor or 0))
            accounts.append({"nit": nit, "factura": one.factura.numero, "valor_factura": worth, "items": items})
    if not accounts:
        return
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=LIMIT_S)
    try:
        connection.request(
            "POST",
            "/__sim/glosas",
            body=json.dumps({"cuentas": accounts}),
            headers={"Content-Type": "application/json"},
        )
        answer = connection.getresponse()
        told = answer.read().decode("utf-8", "replace")[:200]
    except OSError as error:
        raise Unavailable("Un portal simulado no contesta.", code="portal_simulado") from error
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise Unavailable(f"El portal simulado no recibió las glosas: {told}", code="portal_simulado")
