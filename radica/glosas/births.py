"""How glosas and devoluciones are born: in bulk, each with its money, terms, first link and act of notice.

Invariant: the invoices are locked while what counts of each objection is worked out, so that two loads at once never
count an item twice; the same objection (huella) is born once. Norms: Ley 1438/2011 art. 57, Res. 2284/2023 art. 6.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.audit.births import Birth, open_new_cases
from radica.audit.models import Reason
from radica.entidades.catalogue import TipoPagador
from radica.entidades.models import Pagador
from radica.facturas.models import Factura
from radica.glosas.acts_base import SIN_VALOR, TOLERANCE, ask, name_of
from radica.glosas.balance import countable
from radica.glosas.clocks import FirstTerms, Objeto, first_terms
from radica.glosas.codes import Manual
from radica.glosas.models import Acto, Confianza, Glosa, Notificacion, TipoActo
from radica.glosas.states import EstadoGlosa
from radica.kernel.clock import bogota, civil_date
from radica.kernel.db import insert_rows, reserve_ids
from radica.kernel.errors import BadInput, NotFound
from radica.users.models import ClaseTarea

_CHUNK = 500


class NuevaGlosa(NamedTuple):
    """One objection as it was read and matched. Amounts in centavos; `item_valor` is what the item is worth.

    `notificada_at` is the true notice date and `notificada_segun` how it is known (correo, persona, archivo, carga);
    `fecha_segun_pagador` what the payer states. `pagador_id` None is the invoice's payer.
    """

    factura_id: int
    huella: str
    codigo: str
    codigo_original: str
    manual: Manual
    valor_objetado: int
    notificada_at: datetime
    notificada_segun: str
    familia: str = ""
    pagador_id: int | None = None
    numero_glosa: str | None = None
    servicio: str | None = None
    descripcion_servicio: str | None = None
    motivo: str = ""
    paciente_documento: str | None = None
    item_id: int | None = None
    item_valor: int | None = None
    item_confianza: Confianza = Confianza.NINGUNA
    fecha_segun_pagador: date | None = None
    responsable_id: int | None = None


@dataclass(frozen=True)
class NuevaDevolucion:
    """The return of an invoice as it was read. Its value is the invoice's, whatever its lines say."""

    factura_id: int
    codigo: str
    motivo: str
    notificada_at: datetime
    notificada_segun: str
    numero: str | None = None
    pagador_id: int | None = None
    responsable_id: int | None = None


@dataclass
class _Room:
    """What of an invoice, and of each of its items, other objections already count."""

    used: int = 0
    items: dict[int, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(frozen=True)
class Invoice:
    """What a birth needs of the invoice that was locked for it."""

    id: int
    prestador_id: int
    pagador_id: int | None
    valor: int | None
    radicada: datetime | None
    numero: str


def formulate_all(
    session: Session,
    nuevas: Sequence[NuevaGlosa],
    *,
    notificacion: Notificacion | None,
    actor: str,
    at: datetime,
    evidence: Sequence[str] = (),
) -> list[int]:
    """Write new glosas in bulk and return their ids, in the order given.

    A huella that exists already (or twice in the call) is not born again: its id is returned and nothing changes.
    Raises BadInput when a notice is in the future or before its invoice was filed, NotFound for an unknown invoice.
    """
    if not nuevas:
        return []
    pieces = sorted({*evidence, *([notificacion.sha256] if notificacion else [])})
    invoices = lock_invoices(session, {one.factura_id for one in nuevas})
    kinds = payer_kinds(session, {payer_of(one, invoices[one.factura_id]) for one in nuevas})
    known = _known(session, invoices, nuevas)
    rooms = _rooms(session, invoices)
    ids = iter(reserve_ids(session, Glosa.__table__, len(nuevas)))
    # Lines of one notice share their dates: each invoice's term is worked out once, not for each of its lines.
    told: dict[tuple[object, ...], FirstTerms] = {}
    found, rows = [], []
    for one in nuevas:
        invoice = invoices[one.factura_id]
        key = (invoice.prestador_id, one.huella)
        if key not in known:
            known[key] = next(ids)
            payer = payer_of(one, invoice)
            dates = (invoice.id, payer, one.notificada_at, one.fecha_segun_pagador)
            terms = told.get(dates) or told.setdefault(dates, terms_at_birth(one, invoice, kinds[payer], at))
            counts = _count(one, invoice, rooms[invoice.id])
            rows.append(
                (one, invoice, _glosa_row(known[key], one, invoice, payer, counts, terms, notificacion, at), terms)
            )
        found.append(known[key])
    insert_rows(session, Glosa, [row for _, _, row, _ in rows])
    births = [_birth(one, row) for one, _, row, _ in rows]
    open_new_cases(session, births, actor=actor, at=at, reason=Reason.IMPORTACION)
    insert_rows(session, Acto, [_act_row(one, row, terms, pieces, actor, at) for one, _, row, terms in rows])
    for one, _, row, _ in rows:
        if one.codigo[:4] in SIN_VALOR:
            thing = session.get_one(Glosa, row["id"])
            ask(session, thing, ClaseTarea.NOTA_AJUSTE_RIPS, f"Nota de ajuste de RIPS: {name_of(session, thing)}", at)
    return found


def _birth(one: NuevaGlosa, row: dict[str, Any]) -> Birth:
    """Return the first link of a glosa."""
    facts = {
        "codigo": one.codigo,
        "valor": row["valor"],
        "objetado": one.valor_objetado,
        "notificada": one.notificada_at,
    }
    return Birth(Glosa.KIND, row["id"], row["prestador_id"], EstadoGlosa.FORMULADA.value, facts)


def lock_invoices(session: Session, factura_ids: set[int]) -> dict[int, Invoice]:
    """Lock the invoices in the order of their ids: what counts of an objection depends on all of the invoice's."""
    columns = (
        Factura.id, Factura.prestador_id, Factura.pagador_id, Factura.valor, Factura.fecha_radicacion, Factura.numero,
    )  # fmt: skip
    found: dict[int, Invoice] = {}
    for part in _parts(sorted(factura_ids)):
        query = select(*columns).where(Factura.id.in_(part)).order_by(Factura.id).with_for_update(key_share=True)
        found |= {row.id: Invoice(*row) for row in session.execute(query)}
    if len(found) != len(factura_ids):
        raise NotFound("Alguna de las facturas glosadas ya no existe; no se guardó nada.")
    return found


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))


def payer_of(one: NuevaGlosa | NuevaDevolucion, invoice: Invoice) -> int:
    """Return who objects: who the notice names, else the invoice's payer. Raises BadInput when nobody knows."""
    payer = one.pagador_id or invoice.pagador_id
    if payer is None:
        raise BadInput(
            f"No se sabe quién es el pagador de la factura {invoice.numero}; no se guardó nada.",
            todo="Complete el pagador de la factura.",
            code="sin_pagador",
        )
    return payer


def payer_kinds(session: Session, payers: set[int]) -> dict[int, TipoPagador]:
    """Return the kind of each payer."""
    rows = session.execute(select(Pagador.id, Pagador.tipo).where(Pagador.id.in_(payers)))
    return {row.id: row.tipo for row in rows}


def _known(session: Session, invoices: dict[int, Invoice], nuevas: Sequence[NuevaGlosa]) -> dict[tuple[int, str], int]:
    """Return the glosas of these providers that have one of these huellas already."""
    by_provider: dict[int, list[str]] = defaultdict(list)
    for one in nuevas:
        by_provider[invoices[one.factura_id].prestador_id].append(one.huella)
    found: dict[tuple[int, str], int] = {}
    for provider, huellas in by_provider.items():
        for start in range(0, len(huellas), _CHUNK):
            part = huellas[start : start + _CHUNK]
            rows = session.execute(
                select(Glosa.huella, Glosa.id).where(Glosa.prestador_id == provider, Glosa.huella.in_(part))
            )
            found |= {(provider, huella): glosa_id for huella, glosa_id in rows}
    return found


def _rooms(session: Session, invoices: dict[int, Invoice]) -> dict[int, _Room]:
    rooms = {one: _Room() for one in invoices}
    for part in _parts(sorted(invoices)):
        rows = session.execute(
            select(Glosa.factura_id, Glosa.item_id, func.sum(Glosa.valor))
            .where(Glosa.factura_id.in_(part))
            .group_by(Glosa.factura_id, Glosa.item_id)
        )
        for factura_id, item_id, total in rows:
            rooms[factura_id].used += int(total)
            if item_id is not None:
                rooms[factura_id].items[item_id] += int(total)
    return rooms


def _count(one: NuevaGlosa, invoice: Invoice, room: _Room) -> int:
    """Return what counts of an objection, and take it from the room that is left."""
    left = one.valor_objetado if invoice.valor is None else invoice.valor - room.used
    item_value = one.item_valor if one.item_id is not None else None
    already = room.items[one.item_id] if one.item_id is not None else 0
    counts = countable(item_value, already, one.valor_objetado, left)
    room.used += counts
    if one.item_id is not None:
        room.items[one.item_id] += counts
    return counts


def terms_at_birth(one: NuevaGlosa | NuevaDevolucion, invoice: Invoice, kind: TipoPagador, at: datetime) -> FirstTerms:
    """Return lateness and term of a new objection. Raises BadInput for a notice in the future or before the filing."""
    notified = bogota(one.notificada_at)
    if one.notificada_at > at + TOLERANCE:
        raise BadInput(
            f"La notificación de la factura {invoice.numero} tiene fecha futura ({notified:%d/%m/%Y}; hoy es "
            f"{bogota(at):%d/%m/%Y}); no se guardó nada.",
            todo="Registre la fecha en que llegó.",
            code="fecha_futura",
        )
    if invoice.radicada is not None and civil_date(one.notificada_at) < civil_date(invoice.radicada):
        raise BadInput(
            f"La notificación ({notified:%d/%m/%Y}) es anterior a la radicación de la factura {invoice.numero} "
            f"({bogota(invoice.radicada):%d/%m/%Y}); no se guardó nada.",
            todo="Revise cuál de las dos fechas es la cierta.",
            code="notificada_antes",
        )
    if isinstance(one, NuevaDevolucion):
        return first_terms(invoice.radicada, one.notificada_at, Objeto.DEVOLUCION, pagador=kind)
    return first_terms(
        invoice.radicada, one.notificada_at, Objeto.GLOSA, segun_pagador=one.fecha_segun_pagador, pagador=kind
    )


def _glosa_row(
    glosa_id: int,
    one: NuevaGlosa,
    invoice: Invoice,
    payer: int,
    counts: int,
    terms: FirstTerms,
    notificacion: Notificacion | None,
    at: datetime,
) -> dict[str, Any]:
    return {
        "id": glosa_id,
        "prestador_id": invoice.prestador_id,
        "factura_id": one.factura_id,
        "pagador_id": payer,
        "notificacion_id": notificacion.id if notificacion else None,
        "huella": one.huella,
        "codigo": one.codigo[:12],
        "codigo_original": one.codigo_original[:40],
        "familia": one.familia,
        "manual": one.manual,
        "numero_glosa": one.numero_glosa,
        "servicio": one.servicio,
        "descripcion_servicio": one.descripcion_servicio,
        "motivo": one.motivo,
        "paciente_documento": one.paciente_documento,
        "item_id": one.item_id,
        "item_confianza": one.item_confianza,
        "valor_objetado": one.valor_objetado,
        "valor": counts,
        "exceso": int(one.valor_objetado > counts),
        "aceptado": 0,
        "levantado": 0,
        "en_disputa": counts,
        "ronda": 1,
        "notificada_at": one.notificada_at,
        "notificada_segun": one.notificada_segun,
        "fecha_segun_pagador": one.fecha_segun_pagador,
        "extemporanea": terms.extemporanea,
        "dias_pagador": terms.dias_pagador,
        "turno": "ips",
        "vence": terms.vence,
        "vence_alterno": terms.vence_alterno,
        "vence_termino": terms.termino,
        "responsable_id": one.responsable_id,
        "creada_at": at,
        "estado": EstadoGlosa.FORMULADA,
        "version": 0,
    }


def _act_row(
    one: NuevaGlosa, row: dict[str, Any], terms: FirstTerms, evidence: list[str], actor: str, at: datetime
) -> dict[str, Any]:
    return {
        "prestador_id": row["prestador_id"],
        "factura_id": row["factura_id"],
        "glosa_id": row["id"],
        "tipo": TipoActo.NOTIFICACION,
        "ronda": 1,
        "autor": "pagador",
        "codigo": row["codigo"],
        "aceptado": 0,
        "levantado": 0,
        "texto": "",
        "ocurrido_at": one.notificada_at,
        "registrado_at": at,
        "actor": actor,
        "nivel_prueba": 0,
        "evidencia": evidence,
        "plazo": terms.prueba,
    }
