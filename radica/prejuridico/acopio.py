"""Everything the database knows about the invoices of a dossier, read in few statements, before anything is drawn.

Invariant: only reads; every list is in a fixed order; nothing of another provider comes in, because every list hangs
on the invoices of the dossier. What one arrival says of other invoices is not in here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from radica.audit.models import LegalThing
from radica.cartera.models import Liquidacion, PagoFactura
from radica.conciliacion.models import Compromiso, CompromisoHecho, Conciliacion, ConciliacionLinea
from radica.custodia.models import Blob, Pieza
from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Documento, Factura
from radica.glosas.bandeja.work_models import Respuesta
from radica.glosas.correo.mail_models import Correo
from radica.glosas.models import Acto, Devolucion, Glosa, LineaNotificada, Notificacion
from radica.kernel.db import parts_of
from radica.prejuridico.models import DocumentoPersona, Expediente, ExpedienteFactura
from radica.radicacion.linaje_models import Linaje
from radica.radicacion.models import Envio, EnvioFactura, Intento, Lectura

Row = TypeVar("Row")


@dataclass(frozen=True)
class Acopio:
    """The facts of one dossier. Maps by invoice id unless said otherwise; every list in order of id."""

    expediente: Expediente
    prestador: Prestador
    pagador: Pagador
    corte: date
    facturas: tuple[Factura, ...]
    documentos: dict[int, list[Documento]]
    envios: tuple[Envio, ...]
    lineas_envio: dict[int, list[EnvioFactura]]  # by envío
    intentos: dict[int, list[Intento]]  # by envío
    lecturas: dict[int, list[Lectura]]  # by attempt
    linajes: dict[int, list[Linaje]]  # by envío: how its files were changed, only of the dossier's invoices
    devoluciones: dict[int, list[Devolucion]]
    glosas: dict[int, list[Glosa]]
    actos: dict[int, list[Acto]]
    respuestas: dict[int, list[Respuesta]]
    notificaciones: tuple[Notificacion, ...]
    lineas_notificadas: dict[int, list[LineaNotificada]]  # by notice, only of the dossier's invoices
    notificaciones_ajenas: frozenset[int]  # notices that also speak of invoices outside the dossier
    correos: tuple[Correo, ...]
    conciliaciones: tuple[Conciliacion, ...]
    lineas_acta: dict[int, list[ConciliacionLinea]]  # by meeting, only of the dossier's invoices
    compromisos: dict[int, list[Compromiso]]  # by meeting
    compromisos_hechos: dict[int, CompromisoHecho]  # by commitment
    pagos: dict[int, list[PagoFactura]]
    liquidaciones: dict[int, Liquidacion]
    persona: tuple[DocumentoPersona, ...]
    piezas: dict[str, list[Pieza]]  # by case
    piezas_sueltas: dict[int, Pieza]  # by id: of documents that people brought and of payments
    por_huella: dict[str, Pieza]  # pieces that acts name by their hash
    tamanos: dict[str, int]  # bytes by SHA-256

    @property
    def autor(self) -> str:
        """Whom our drawings name as their author."""
        return f"{self.prestador.nombre}, NIT {self.prestador.nit}"

    def pacientes(self, factura_id: int) -> frozenset[int] | None:
        """Return which patients of an invoice stay in, by their number in its RIPS; None means all."""
        chosen = self.expediente.opciones.get("pacientes")
        return None if chosen is None else frozenset(chosen.get(str(factura_id), ()))

    def casos(self) -> tuple[str, ...]:
        """Return the chains of history that the dossier shows whole, in order."""
        things: list[LegalThing] = [*self.facturas, *self.envios]
        for invoice in self.facturas:
            things += [
                *self.devoluciones.get(invoice.id, ()),
                *self.glosas.get(invoice.id, ()),
                *self.respuestas.get(invoice.id, ()),
            ]
        return tuple(dict.fromkeys(thing.case_key for thing in [*things, *self.conciliaciones]))


def facturas_de(session: Session, expediente_id: int) -> tuple[Factura, ...]:
    """Return the invoices of a dossier in its order."""
    return tuple(
        session.scalars(
            select(Factura)
            .join(ExpedienteFactura, ExpedienteFactura.factura_id == Factura.id)
            .where(ExpedienteFactura.expediente_id == expediente_id)
            .order_by(ExpedienteFactura.orden, Factura.id)
        )
    )


def acopiar(
    session: Session, expediente: Expediente, *, corte: date, facturas: Sequence[Factura] | None = None
) -> Acopio:
    """Read the facts. `facturas` stand for those of a dossier that is not ordered yet (a preview)."""
    facturas = facturas_de(session, expediente.id) if facturas is None else tuple(facturas)
    ids = [one.id for one in facturas]
    envios = _filings(session, ids)
    intentos = _all(session, Intento, Intento.envio_id, [one.id for one in envios])
    notices, told, foreign = _notices(session, ids)
    acta_lines = _all(session, ConciliacionLinea, ConciliacionLinea.factura_id, ids)
    meetings = _all(session, Conciliacion, Conciliacion.id, {one.conciliacion_id for one in acta_lines})
    promises = _all(session, Compromiso, Compromiso.conciliacion_id, [one.id for one in meetings])
    kept = _all(session, CompromisoHecho, CompromisoHecho.compromiso_id, [one.id for one in promises])
    actos = _all(session, Acto, Acto.factura_id, ids)
    pagos = _all(session, PagoFactura, PagoFactura.factura_id, ids)
    devoluciones = _all(session, Devolucion, Devolucion.factura_id, ids)
    glosas = _all(session, Glosa, Glosa.factura_id, ids)
    persona = _brought(session, expediente, ids)
    documentos = [one for one in _all(session, Documento, Documento.factura_id, ids) if one.vigente]
    loose = {one.pieza_id for one in persona} | {one.pieza_id for one in pagos if one.pieza_id is not None}
    correos = _all(session, Correo, Correo.id, {one.correo_id for one in notices if one.correo_id is not None})
    cases: list[LegalThing] = [*envios, *meetings, *devoluciones, *glosas]
    piezas = _pieces(session, Pieza.case_key, [one.case_key for one in cases], expediente.prestador_id)
    named = {sha for act in actos for sha in act.evidencia} | {sha for one in kept for sha in one.evidencia}
    por_huella = {one.sha256: one for one in reversed(_pieces(session, Pieza.sha256, named, expediente.prestador_id))}
    sueltas = {one.id: one for one in _all(session, Pieza, Pieza.id, loose)}
    blobs = {one.sha256 for one in documentos} | {one.sha256 for one in notices} | {one.sha256 for one in correos}
    tamanos = _sizes(session, blobs | named, [*piezas, *por_huella.values(), *sueltas.values()])
    return Acopio(
        expediente=expediente,
        prestador=session.get_one(Prestador, expediente.prestador_id),
        pagador=session.get_one(Pagador, expediente.pagador_id),
        corte=corte,
        facturas=tuple(facturas),
        documentos=_by(documentos, "factura_id"),
        envios=tuple(envios),
        lineas_envio=_by(_all(session, EnvioFactura, EnvioFactura.envio_id, [one.id for one in envios]), "envio_id"),
        intentos=_by(intentos, "envio_id"),
        lecturas=_by(_all(session, Lectura, Lectura.intento_id, [one.id for one in intentos]), "intento_id"),
        linajes=_lineage(session, [one.id for one in envios], ids),
        devoluciones=_by(devoluciones, "factura_id"),
        glosas=_by(glosas, "factura_id"),
        actos=_by(actos, "factura_id"),
        respuestas=_by(_all(session, Respuesta, Respuesta.factura_id, ids), "factura_id"),
        notificaciones=tuple(notices),
        lineas_notificadas=_by(told, "notificacion_id"),
        notificaciones_ajenas=frozenset(foreign),
        correos=tuple(correos),
        conciliaciones=tuple(meetings),
        lineas_acta=_by(acta_lines, "conciliacion_id"),
        compromisos=_by(promises, "conciliacion_id"),
        compromisos_hechos={one.compromiso_id: one for one in kept},
        pagos=_by(pagos, "factura_id"),
        liquidaciones=_liquidations(session, ids, corte),
        persona=tuple(persona),
        piezas=_by(piezas, "case_key"),
        piezas_sueltas=sueltas,
        por_huella=por_huella,
        tamanos=tamanos,
    )


def _all(session: Session, model: type[Row], column: Any, keys: Collection[Any]) -> list[Row]:
    """Return the rows whose `column` is one of `keys`, by primary key."""
    primary = next(iter(model.__table__.primary_key))  # type: ignore[attr-defined] # mapped classes have a table
    found: list[Row] = []
    for part in parts_of(set(keys)):
        found += session.scalars(select(model).where(column.in_(part)).order_by(primary)).all()
    return sorted(found, key=lambda row: getattr(row, primary.name))


def _filings(session: Session, ids: Sequence[int]) -> list[Envio]:
    lines = _all(session, EnvioFactura, EnvioFactura.factura_id, ids)
    return _all(session, Envio, Envio.id, {one.envio_id for one in lines})


def _lineage(session: Session, envio_ids: Collection[int], factura_ids: Sequence[int]) -> dict[int, list[Linaje]]:
    mine = set(factura_ids)
    return _by([one for one in _all(session, Linaje, Linaje.envio_id, envio_ids) if one.factura_id in mine], "envio_id")


def _pieces(session: Session, column: Any, keys: Iterable[str], prestador_id: int) -> list[Pieza]:
    """Return the provider's pieces whose `column` is one of `keys`, by id: pieces are seen only through their provider."""
    found: list[Pieza] = []
    for part in parts_of(set(keys)):
        found += session.scalars(select(Pieza).where(Pieza.prestador_id == prestador_id, column.in_(part)))
    return sorted(found, key=lambda one: one.id)


def _sizes(session: Session, hashes: Collection[str], pieces: Iterable[Pieza]) -> dict[str, int]:
    found = {one.sha256: one.bytes for one in _all(session, Blob, Blob.sha256, hashes)}
    return found | {one.sha256: one.bytes for one in pieces}


def _by(rows: Sequence[Row], name: str) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(getattr(row, name), []).append(row)
    return found


def _notices(session: Session, ids: Sequence[int]) -> tuple[list[Notificacion], list[LineaNotificada], set[int]]:
    """Return the notices of the invoices, their rows about these invoices, and which notices speak of others too."""
    told = _all(session, LineaNotificada, LineaNotificada.factura_id, ids)
    numbers = {one.notificacion_id for one in told}
    foreign: set[int] = set()
    mine = set(ids)
    for part in parts_of(numbers):
        rows = session.execute(
            select(LineaNotificada.notificacion_id, LineaNotificada.factura_id)
            .where(LineaNotificada.notificacion_id.in_(part))
            .distinct()
        )
        foreign |= {notice for notice, invoice in rows if invoice not in mine}
    return _all(session, Notificacion, Notificacion.id, numbers), told, foreign


def _brought(session: Session, expediente: Expediente, ids: Sequence[int]) -> list[DocumentoPersona]:
    """Return the documents that people brought and did not withdraw: of the invoices, of the payer, of the provider."""
    rows = session.scalars(
        select(DocumentoPersona)
        .where(
            DocumentoPersona.prestador_id == expediente.prestador_id,
            DocumentoPersona.retirado_at.is_(None),
            or_(DocumentoPersona.pagador_id.is_(None), DocumentoPersona.pagador_id == expediente.pagador_id),
        )
        .order_by(DocumentoPersona.id)
    )
    mine = set(ids)
    return [one for one in rows if one.factura_id is None or one.factura_id in mine]


def _liquidations(session: Session, ids: Sequence[int], corte: date) -> dict[int, Liquidacion]:
    """Return the last liquidation of each invoice that was frozen up to the dossier's day."""
    found: dict[int, Liquidacion] = {}
    for part in parts_of(ids):
        rows = session.scalars(
            select(Liquidacion)
            .where(Liquidacion.factura_id.in_(part), Liquidacion.corte == corte)
            .order_by(Liquidacion.id)
        )
        found |= {row.factura_id: row for row in rows}
    return found
