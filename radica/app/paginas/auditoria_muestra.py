"""A random sample of invoices with its seed in sight: on the page, and as PDF or CSV that prints how to draw it again.

Invariant: the page is a reading without side effects, with seed and filter in its address and nothing of a patient;
what leaves as a file is logged. The population is told by its size and its hash.
"""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask import render_template, request, send_file
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from radica.app.paginas.auditoria_papel import csv_list, pdf_list
from radica.app.paginas.auditoria_plano import READERS, blueprint
from radica.app.paginas.comun import payer_names, provider_names, purpose_at
from radica.audit.sample import MAX_SEED, METHOD, draw, population_hash
from radica.audit.services import record_reading
from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.kernel.clock import BOGOTA, civil_date
from radica.kernel.errors import BadInput
from radica.kernel.money import to_cents
from radica.kernel.web import allow, current, db_session, now, person
from radica.kernel.web_format import cop, entero, fecha, fecha_hora
from radica.kernel.web_paging import query_day
from radica.users.access import MAX_ID, selected_ids

MAX_SIZE = 1_000
DEFAULT_SIZE = 30
_AT_ONCE = 500
COLUMNS = (("Orden", 4), ("Factura", 12), ("Pagador", 24), ("Valor", 12), ("Expedida", 10), ("Estado", 14), ("Radicado", 16), ("Prestador", 20))  # fmt: skip


@dataclass(frozen=True)
class FiltroMuestra:
    """What is drawn from what. `minimo` and `maximo` in centavos; `semilla` "" while nothing was drawn."""

    ids: frozenset[int]
    semilla: str = ""
    tamano: int = DEFAULT_SIZE
    pagador: int | None = None
    desde: date | None = None
    hasta: date | None = None
    minimo: int | None = None
    maximo: int | None = None


@dataclass(frozen=True)
class Muestra:
    """A sample in the order of its draw, and the population that it is of."""

    facturas: Sequence[Factura]
    poblacion: int
    huella: str


def asked_sample(given: MultiDict[str, str]) -> FiltroMuestra:
    """Read seed, size and filter. Raises BadInput on a size or an amount that is none."""
    size, payer = given.get("tamano", ""), given.get("pagador", "")
    if size and not (size.isascii() and size.isdecimal() and 0 < len(size) < 6 and 1 <= int(size) <= MAX_SIZE):
        raise BadInput("Ese tamaño de muestra no sirve.", todo=f"Escriba un número de 1 a {entero(MAX_SIZE)}.")
    known = payer.isascii() and payer.isdecimal() and len(payer) < 19 and int(payer) <= MAX_ID
    return FiltroMuestra(
        selected_ids(person(), *READERS),
        " ".join(given.get("semilla", "").split())[:MAX_SEED],
        int(size) if size else DEFAULT_SIZE,
        int(payer) if known else None,
        query_day(given.get("desde")),
        query_day(given.get("hasta")),
        _cents(given.get("minimo", "")),
        _cents(given.get("maximo", "")),
    )


def _cents(text: str) -> int | None:
    plain = text.strip().replace("$", "").replace(".", "").replace(" ", "")
    if not plain:
        return None
    if not (plain.isascii() and plain.isdecimal() and len(plain) < 15):
        raise BadInput("Ese valor no sirve.", todo="Escriba pesos sin centavos, como 1500000 o 1.500.000.")
    return to_cents(plain)


def drawn(session: Session, f: FiltroMuestra) -> Muestra:
    """Draw the sample."""
    population = list(session.scalars(select(Factura.id).where(*_conditions(f))))
    chosen = draw(population, seed=f.semilla, size=f.tamano)
    rows: dict[int, Factura] = {}
    for start in range(0, len(chosen), _AT_ONCE):
        part = chosen[start : start + _AT_ONCE]
        rows |= {row.id: row for row in session.scalars(select(Factura).where(Factura.id.in_(part)))}
    return Muestra([rows[one] for one in chosen], len(population), population_hash(population))


def _conditions(f: FiltroMuestra) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [Factura.prestador_id.in_(f.ids)]
    if f.pagador is not None:
        where.append(Factura.pagador_id == f.pagador)
    if f.desde is not None:
        where.append(Factura.expedida_at >= datetime.combine(f.desde, time(), BOGOTA))
    if f.hasta is not None:
        where.append(Factura.expedida_at < datetime.combine(f.hasta + timedelta(days=1), time(), BOGOTA))
    if f.minimo is not None:
        where.append(Factura.valor >= f.minimo)
    if f.maximo is not None:
        where.append(Factura.valor <= f.maximo)
    return where


@blueprint.get("/muestra")
@allow(*READERS)
def muestra() -> ResponseReturnValue:
    """Show the form, and the sample when there is a seed."""
    f = asked_sample(request.args)
    session = db_session()
    m = drawn(session, f) if f.semilla else None
    rows = m.facturas if m else ()
    payers = session.execute(
        select(Pagador.id, Pagador.nombre)
        .where(Pagador.id.in_(select(Factura.pagador_id).where(Factura.prestador_id.in_(f.ids)).distinct()))
        .order_by(Pagador.nombre, Pagador.id)
    ).all()
    return render_template(
        "auditoria/muestra.html",
        f=f,
        m=m,
        # Proposed, not used: the sample is of the seed in the address, which the auditor may write too.
        propuesta=f.semilla or secrets.token_hex(8),
        pagadores=payers,
        nombres=payer_names(session, [row.pagador_id for row in rows]),
        prestadores=provider_names(session, {row.prestador_id for row in rows}),
        varios=len(f.ids) > 1,
        estados=Factura.MACHINE.labels,
        METODO=METHOD,
        MAX=MAX_SIZE,
    )


@blueprint.post("/muestra/<any(pdf, csv):formato>")
@allow(*READERS)
def muestra_archivo(formato: str) -> ResponseReturnValue:
    """Send the sample as a file; logged in the log of each provider of the population."""
    f = asked_sample(request.form)
    if not f.semilla:
        raise BadInput("Falta la semilla; no se sacó la muestra.", todo="Escriba una o use la propuesta.")
    purposes = {one: purpose_at(one) for one in sorted(f.ids)}
    with current().database.read() as session:
        m = drawn(session, f)
        facts, rows = _facts(session, f, m), _rows(session, m)
    data = (
        pdf_list("Muestra aleatoria de facturas", facts, COLUMNS, rows)
        if formato == "pdf"
        else csv_list(facts, [name for name, _ in COLUMNS], rows)
    )
    with current().database.write() as session:
        for prestador_id, purpose in purposes.items():
            record_reading(
                session,
                prestador_id=prestador_id,
                actor=person().actor,
                action="muestra",
                purpose=purpose,
                object_=f"muestra:{len(m.facturas)} de {m.poblacion}",
                sha256=hashlib.sha256(data).hexdigest(),
                at=now(),
            )
    name = f"muestra_{civil_date(now()).isoformat()}.{formato}"
    answer = send_file(io.BytesIO(data), mimetype="application/octet-stream", as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _facts(session: Session, f: FiltroMuestra, m: Muestra) -> list[tuple[str, str]]:
    payer = payer_names(session, [f.pagador]).get(f.pagador or 0, "todos")
    days = f"{fecha(f.desde) if f.desde else 'el comienzo'} a {fecha(f.hasta) if f.hasta else 'hoy'}"
    amounts = f"{cop(f.minimo) if f.minimo is not None else 'sin mínimo'} a {cop(f.maximo) if f.maximo is not None else 'sin máximo'}"
    return [
        ("Semilla", f.semilla),
        ("Método", METHOD),
        ("Población", f"{entero(m.poblacion)} facturas; SHA-256 de sus id en orden, uno por línea: {m.huella}"),
        ("Muestra", f"{entero(len(m.facturas))} facturas"),
        ("Prestadores", "; ".join(provider_names(session, f.ids).values())),
        ("Pagador", payer),
        ("Expedidas", days),
        ("Valor", amounts),
        ("Sacada", f"{fecha_hora(now())} por {person().nombre}"),
    ]


def _rows(session: Session, m: Muestra) -> list[list[str]]:
    payers = payer_names(session, [row.pagador_id for row in m.facturas])
    providers = provider_names(session, {row.prestador_id for row in m.facturas})
    return [
        [
            str(place),
            row.numero,
            payers.get(row.pagador_id or 0, ""),
            cop(row.valor),
            fecha(row.expedida_at),
            Factura.MACHINE.labels[row.estado],
            row.radicado or "",
            providers.get(row.prestador_id, ""),
        ]
        for place, row in enumerate(m.facturas, 1)
    ]
