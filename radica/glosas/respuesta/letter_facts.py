"""The contents of a letter, or of an export, from stored answers: one provider, one payer, one act and round.

Invariant: what belongs to different payers, providers, acts or rounds is never in one letter; a support that an answer
names and the invoice does not have is an error said at once, not a hole in the letter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Documento, Factura
from radica.facturas.numbers import parse_invoice_number
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.exports import FilaRespuesta
from radica.glosas.models import Devolucion, Glosa, ItemFactura
from radica.glosas.respuesta.answer_codes import catalogo
from radica.glosas.respuesta.letter import Carta, LineaCarta, Parte, SoporteCarta
from radica.glosas.states import EstadoRespuesta
from radica.kernel.clock import civil_date
from radica.kernel.errors import BadInput, NotFound


@dataclass(frozen=True, slots=True)
class Respondida:
    """An answer with what it answers. `en_juego`: centavos that were in dispute when it was given."""

    respuesta: Respuesta
    objecion: Glosa | Devolucion
    factura: Factura
    en_juego: int


def respuestas_de(
    session: Session,
    *,
    prestador_id: int,
    estados: Collection[EstadoRespuesta],
    pagador_id: int | None = None,
    facturas: Collection[str] = (),
) -> list[Respuesta]:
    """Return a provider's answers in these states, of one payer and of these invoices when given. In order of writing.

    Raises NotFound naming the invoices that the provider does not have.
    """
    query = (
        select(Respuesta)
        .join(Factura, Factura.id == Respuesta.factura_id)
        .where(Respuesta.prestador_id == prestador_id, Respuesta.estado.in_(estados))
        .order_by(Respuesta.id)
    )
    if pagador_id is not None:
        query = query.where(Factura.pagador_id == pagador_id)
    if facturas:
        wanted = {one.key for text in facturas if (one := parse_invoice_number(text))}
        known = set(
            session.scalars(
                select(Factura.numero_clave).where(
                    Factura.prestador_id == prestador_id, Factura.numero_clave.in_(wanted)
                )
            )
        )
        if lost := sorted(wanted - known):
            raise NotFound(f"El prestador no tiene: {', '.join(lost[:10])[:200]}.", todo="Revise los números.")
        query = query.where(Factura.numero_clave.in_(wanted))
    return list(session.scalars(query))


def respondidas(session: Session, respuestas: Sequence[Respuesta]) -> list[Respondida]:
    """Return answers with their objections and invoices, by invoice number and objection."""
    glosas = {
        row.id: row for row in session.scalars(select(Glosa).where(Glosa.id.in_({r.glosa_id for r in respuestas})))
    }
    returned = session.scalars(select(Devolucion).where(Devolucion.id.in_({r.devolucion_id for r in respuestas})))
    devoluciones = {row.id: row for row in returned}
    wanted = {one.factura_id for one in respuestas}
    facturas = {row.id: row for row in session.scalars(select(Factura).where(Factura.id.in_(wanted)))}
    found = []
    for one in respuestas:
        thing = glosas[one.glosa_id] if one.glosa_id is not None else devoluciones[one.devolucion_id or 0]
        found.append(Respondida(one, thing, facturas[one.factura_id], en_juego(thing, one)))
    return sorted(found, key=lambda one: (one.factura.numero, one.objecion.id, one.respuesta.id))


def en_juego(thing: Glosa | Devolucion, respuesta: Respuesta) -> int:
    """Return the centavos in dispute when an answer was given: all of a first round, what was left of a second."""
    if isinstance(thing, Devolucion) or respuesta.ronda == 1:
        return thing.valor
    given = respuesta.estado is EstadoRespuesta.PRESENTADA
    return thing.en_disputa + (respuesta.valor_aceptado if given else 0)


def carta_de(
    session: Session,
    respuestas: Sequence[Respuesta],
    *,
    numero: str,
    fecha: date,
    ciudad: str = "",
    firma: tuple[str, str] = ("", ""),
    notas: str = "",
) -> Carta:
    """Return the letter of these answers. Raises BadInput when they are not of one letter, NotFound for a lost support."""
    rows = respondidas(session, respuestas)
    kinds = {
        (one.objecion.prestador_id, one.objecion.pagador_id, one.objecion.KIND, one.respuesta.ronda) for one in rows
    }
    if len(kinds) != 1:
        raise BadInput(
            "Una carta lleva respuestas de un solo prestador, un solo pagador, un solo acto y una sola ronda.",
            todo="Sepárelas." if kinds else "Elija respuestas.",
            code="carta_mezclada",
        )
    ((prestador_id, pagador_id, kind, ronda),) = kinds
    provider, payer = session.get_one(Prestador, prestador_id), session.get_one(Pagador, pagador_id)
    return Carta(
        prestador=Parte(provider.nombre, provider.nit),
        pagador=Parte(payer.nombre, payer.nit),
        fecha=fecha,
        numero=numero,
        acto=kind,
        ronda=ronda,
        lineas=tuple(_line(one) for one in rows),
        soportes=_supports(session, rows),
        ciudad=ciudad,
        firma=firma,
        notas=notas,
    )


def _line(one: Respondida) -> LineaCarta:
    thing, answer = one.objecion, one.respuesta
    service = ""
    if isinstance(thing, Glosa):
        service = " ".join(part for part in (thing.servicio, thing.descripcion_servicio) if part)
    rule = catalogo().get(answer.codigo)
    return LineaCarta(
        factura=one.factura.numero,
        codigo=thing.codigo,
        servicio=service,
        valor=one.en_juego,
        aceptado=answer.valor_aceptado,
        respuesta=answer.codigo,
        sentido=rule.texto if rule else "",
        texto=answer.texto,
        numero_glosa=(thing.numero_glosa if isinstance(thing, Glosa) else thing.numero) or "",
        radicado=one.factura.radicado or "",
        soportes=tuple(answer.soportes),
    )


def filas_de(session: Session, respuestas: Sequence[Respuesta]) -> list[FilaRespuesta]:
    """Return the rows of an export, by invoice. May be of several payers: each row names its own."""
    rows = respondidas(session, respuestas)
    payers = {
        row.id: row.nombre
        for row in session.scalars(select(Pagador).where(Pagador.id.in_({r.objecion.pagador_id for r in rows})))
    }
    wanted = {r.objecion.item_id for r in rows if isinstance(r.objecion, Glosa) and r.objecion.item_id is not None}
    items = {row.id: row for row in session.scalars(select(ItemFactura).where(ItemFactura.id.in_(wanted)))}
    return [_row(one, payers[one.objecion.pagador_id], items) for one in rows]


def _row(one: Respondida, payer: str, items: Mapping[int, ItemFactura]) -> FilaRespuesta:
    thing, answer = one.objecion, one.respuesta
    glosa = thing if isinstance(thing, Glosa) else None
    item = items.get(glosa.item_id or 0) if glosa else None
    number = (thing.numero_glosa if isinstance(thing, Glosa) else thing.numero) or ""
    return FilaRespuesta(
        factura=one.factura.numero,
        radicado=one.factura.radicado or "",
        numero_glosa=number,
        registro=number,
        codigo=thing.codigo,
        servicio=(glosa.descripcion_servicio or "") if glosa else "",
        codigo_servicio=(item.codigo if item else glosa.servicio or "") if glosa else "",
        valor=one.en_juego,
        aceptado=answer.valor_aceptado,
        respuesta=answer.codigo,
        texto=answer.texto,
        pagador=payer,
        notificada=civil_date(thing.notificada_at),
        vence=thing.vence,
        estado=thing.MACHINE.labels[thing.estado],
        rips=str(item.consecutivo) if item else "",
    )


def _supports(session: Session, rows: Sequence[Respondida]) -> tuple[SoporteCarta, ...]:
    wanted = {sha for one in rows for sha in one.respuesta.soportes}
    documents = session.scalars(
        select(Documento).where(Documento.prestador_id == rows[0].objecion.prestador_id, Documento.sha256.in_(wanted))
    )
    known: dict[tuple[int | None, str], Documento] = {}
    for row in documents:
        known.setdefault((row.factura_id, row.sha256), row)
    found: dict[str, SoporteCarta] = {}
    for one in rows:
        for sha in one.respuesta.soportes:
            document = known.get((one.factura.id, sha))
            if document is None:
                raise NotFound(
                    f"La respuesta de la factura {one.factura.numero} nombra un soporte que la factura ya no tiene.",
                    todo="Elija de nuevo los soportes de esa respuesta.",
                )
            found.setdefault(sha, SoporteCarta(document.sigla, document.nombre, sha, one.factura.numero))
    return tuple(found.values())
