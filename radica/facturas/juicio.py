"""Runs the checker over an invoice of the house: opens its documents, judges them, and records the verdict.

Invariant: documents are opened and judged outside any transaction; a verdict is recorded only for the very documents,
payer and tables that it was judged by (compared under the row's lock), once, and only added: the first one counts for
*Limpieza 1*. What is loaded later (a table, a price list) marks the verdicts that are older than it.
The state of the invoice is not touched: what blocks is told by `review`. Norm: Res. 948 de 2026 (MUV).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from radica.custodia.crypto import Damaged
from radica.custodia.store import Store
from radica.entidades.contratos_models import Contrato, Otrosi, Tarifario
from radica.entidades.models import Pagador, TipoPagador
from radica.facturas.comprobacion_fallida import FALLO, atender
from radica.facturas.cuv import CuvResult, find_answer, read_cuv
from radica.facturas.jsonsafe import load_json
from radica.facturas.models import Documento, Factura, Hallazgo, OrigenHallazgo, Severidad, TipoDocumento
from radica.facturas.review import KeyFor
from radica.facturas.rips import is_rips
from radica.facturas.states import REVISABLES
from radica.facturas.validacion.abrir import abrir_xml
from radica.facturas.validacion.catalogo import contar
from radica.facturas.validacion.modelo import Clase, Contexto, DocumentoXml, Hallado, Paquete, SoporteArchivo
from radica.facturas.validacion.modelo import Hallazgo as Hallazgo_
from radica.facturas.validacion.motor import juzgar
from radica.facturas.validacion.tablas import Catalogos
from radica.facturas.validacion_models import CatalogoCargado, Validacion
from radica.facturas.xmlsafe import Unreadable
from radica.kernel.clock import BOGOTA, civil_date
from radica.kernel.db import Database, insert_rows, parts_of
from radica.kernel.errors import NotFound

log = logging.getLogger("radica.juicio")

MAX_ROWS = 2_000
"""Findings of one invoice that are stored, the heaviest first; the verdict counts all."""
_INVOICE = (TipoDocumento.FEV, TipoDocumento.INVOICE)
_NOTES = (TipoDocumento.NOTA_CREDITO, TipoDocumento.NOTA_DEBITO)

FALLOS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a rule that meets a document nobody thought of would raise: it costs that document its checks, not the batch."""

Aparte = Callable[["Encargo", Paquete], Iterable[Hallado]]
"""What the house knows beside the documents (tariff, other invoices): called outside transactions."""


@dataclass(frozen=True)
class Papel:
    """One document of an errand."""

    tipo: TipoDocumento
    sigla: str
    sha256: str
    nombre: str
    bytes_: int


@dataclass(frozen=True)
class Encargo:
    """One invoice to judge, with the hash of the documents that will be judged."""

    factura_id: int
    prestador_id: int
    pagador_id: int | None
    pagador_tipo: str
    huella: str
    facturador: str
    papeles: tuple[Papel, ...]
    tablas: tuple[object, ...]
    """Contracts, and how many amendments, price lists and official tables there were: those are only added."""


def encargos(session: Session, *, limit: int, after: int = 0) -> list[Encargo]:
    """Return invoices whose documents nobody judged yet, by id, above `after`."""
    query = (
        select(Factura)
        .where(Factura.por_juzgar == 1, Factura.id > after, Factura.estado.in_([state.value for state in REVISABLES]))
        .order_by(Factura.id)
        .limit(limit)
    )
    return [encargo_de(session, row) for row in session.scalars(query)]


def encargo_de(session: Session, row: Factura) -> Encargo:
    """Return the errand of one invoice, by its documents in force."""
    documents = session.scalars(
        select(Documento).where(Documento.factura_id == row.id, Documento.vigente).order_by(Documento.id)
    ).all()
    payer = session.get(Pagador, row.pagador_id) if row.pagador_id is not None else None
    return Encargo(
        factura_id=row.id,
        prestador_id=row.prestador_id,
        pagador_id=row.pagador_id,
        pagador_tipo=(payer.tipo if payer is not None else TipoPagador.DESCONOCIDO).value,
        huella=row.huella_documentos or "",
        facturador=documents[-1].cargado_por if documents else "",
        papeles=tuple(Papel(doc.tipo, doc.sigla, doc.sha256, doc.nombre, doc.bytes) for doc in documents),
        tablas=_tablas(session, row),
    )


def _tablas(session: Session, row: Factura) -> tuple[object, ...]:
    with_payer = (Contrato.prestador_id == row.prestador_id, Contrato.pagador_id == row.pagador_id)
    contracts = session.execute(select(Contrato.id, Contrato.hasta).where(*with_payer).order_by(Contrato.id))
    lists = select(func.count(Tarifario.id)).join(Contrato, Contrato.id == Tarifario.contrato_id).where(*with_payer)
    amended = select(func.count(Otrosi.id)).join(Contrato, Contrato.id == Otrosi.contrato_id).where(*with_payer)
    amended = select(func.count(Otrosi.id)).join(Contrato, Contrato.id == Otrosi.contrato_id).where(*with_payer)
    return (
        session.scalar(select(func.count(CatalogoCargado.id))),
        *(tuple(one) for one in contracts),
        session.scalar(amended),
        session.scalar(lists),
        session.scalar(amended),
    )


def dictaminar(
    encargo: Encargo,
    store: Store,
    *,
    ahora: datetime,
    catalogos: Catalogos,
    key_for: KeyFor | None,
    aparte: Sequence[Aparte] = (),
) -> list[Hallazgo_]:
    """Open the documents of an invoice and return every finding; `ahora` is aware. Holds no transaction."""
    found: list[Hallazgo_] = []
    unread: list[Hallado] = []
    with ExitStack() as stack:
        for package in _opened(encargo, store, stack, unread):
            context = _context(encargo, package, ahora=ahora, catalogos=catalogos, key_for=key_for)
            try:
                found += juzgar(package, context)
                found += contar((one for also in aparte for one in also(encargo, package)), context.fecha)
            except FALLOS as wrong:
                unread.append(_failed(encargo, wrong))
        found += contar(unread, civil_date(ahora))
    return found


def registrar(session: Session, encargo: Encargo, found: Sequence[Hallazgo_], *, at: datetime) -> bool:
    """Record a verdict; False when another process did, or when what it was judged by changed (it stays marked then)."""
    row = session.scalars(
        select(Factura)
        .where(Factura.id == encargo.factura_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    # What was found of an invoice before its filing stays as it was (DESIGN section 5).
    if not row.por_juzgar or row.estado not in REVISABLES or encargo_de(session, row) != encargo:
        return False
    session.execute(delete(Hallazgo).where(Hallazgo.factura_id == row.id, Hallazgo.origen == OrigenHallazgo.VALIDADOR))
    insert_rows(session, Hallazgo, [_row(row, one, at=at) for one in found[:MAX_ROWS]])
    session.add(_verdict(session, row, encargo, found, at=at))
    atender(session, row, found, at=at)
    row.por_juzgar = 0
    return True


def olvidar_juicio(session: Session, factura_ids: Sequence[int]) -> int:
    """Mark unfiled invoices to be judged again (new catalogue, new rules, a person asked); return how many."""
    rows = session.scalars(
        select(Factura).where(Factura.id.in_(factura_ids), Factura.estado.in_([state.value for state in REVISABLES]))
    ).all()
    for row in rows:
        row.por_juzgar = 1
    return len(rows)


def olvidar_anteriores(
    database: Database, desde: datetime, *, prestador_id: int | None = None, pagador_id: int | None = None
) -> int:
    """Mark unfiled invoices whose last verdict is older than a table or price list loaded at `desde`; return how many.

    In a transaction of its own, after the one that loaded it: done twice it marks nothing more.
    """
    newer = exists().where(Validacion.factura_id == Factura.id, Validacion.at >= desde)
    which = select(Factura.id).where(
        Factura.por_juzgar == 0, Factura.estado.in_([state.value for state in REVISABLES]), ~newer
    )
    if prestador_id is not None:
        which = which.where(Factura.prestador_id == prestador_id, Factura.pagador_id == pagador_id)
    with database.write() as session:
        ids = session.scalars(which.order_by(Factura.id).with_for_update()).all()
        for part in parts_of(ids):
            session.execute(update(Factura).where(Factura.id.in_(part)).values(por_juzgar=1))
    return len(ids)


def _failed(encargo: Encargo, wrong: Exception) -> Hallado:
    log.warning("el comprobador falló en la factura %s: %s", encargo.factura_id, type(wrong).__name__)
    return Hallado(FALLO, "", {"clase": type(wrong).__name__})


def interrumpida(ahora: datetime) -> list[Hallazgo_]:
    """Return what is found of an invoice whose check ended its process: it costs that invoice its checks, no other."""
    return list(contar([Hallado(FALLO, "", {"clase": "se interrumpió"})], civil_date(ahora)))


def _opened(encargo: Encargo, store: Store, stack: ExitStack, unread: list[Hallado]) -> list[Paquete]:
    """Open everything; what only breaks the readers must not keep the invoices behind it waiting."""
    try:
        return _packages(encargo, store, stack, unread)
    except FALLOS as wrong:
        unread.append(_failed(encargo, wrong))
        return []


def _packages(encargo: Encargo, store: Store, stack: ExitStack, unread: list[Hallado]) -> list[Paquete]:
    """Open everything: the package of the invoice first, then one for each note."""
    xmls = [(one, doc) for one in encargo.papeles if (doc := _xml(one, store, unread)) is not None]
    rips = {one.sigla.upper(): value for one in encargo.papeles if (value := _rips(one, store, unread)) is not None}
    cuvs = [value for one in encargo.papeles if (value := _cuv(one, store, unread)) is not None]
    lent = [(one, _lent(one, store, stack, unread)) for one in encargo.papeles if one.tipo is TipoDocumento.SOPORTE]
    supports = tuple(SoporteArchivo(one.nombre, path, one.bytes_, one.sigla) for one, path in lent if path is not None)
    main = Paquete(
        xml=next((doc for one, doc in xmls if one.tipo in _INVOICE), None),
        respuesta=next((doc for one, doc in xmls if one.tipo is TipoDocumento.RESPUESTA_DIAN), None),
        rips=rips.get(""),
        cuv=cuvs[-1] if cuvs else None,
        soportes=supports,
    )
    kinds = {TipoDocumento.NOTA_CREDITO: "NC", TipoDocumento.NOTA_DEBITO: "ND"}
    notes = [Paquete(xml=doc, rips=rips.get(kinds[one.tipo])) for one, doc in xmls if one.tipo in _NOTES]
    return [main, *notes]


def _xml(one: Papel, store: Store, unread: list[Hallado]) -> DocumentoXml | None:
    if one.tipo not in (*_INVOICE, *_NOTES, TipoDocumento.RESPUESTA_DIAN):
        return None
    data = _bytes(one, store, unread)
    try:
        return abrir_xml(one.nombre, data) if data is not None else None
    except Unreadable as wrong:
        unread.append(Hallado("DOC-ILEGIBLE", one.tipo.value, {"motivo": wrong.message}))
        return None


def _rips(one: Papel, store: Store, unread: list[Hallado]) -> Any:
    value = _json(one, store, unread) if one.tipo is TipoDocumento.RIPS else None
    inner = value.get("rips") if isinstance(value, dict) and not is_rips(value) else value
    return inner if is_rips(inner) else None


def _cuv(one: Papel, store: Store, unread: list[Hallado]) -> CuvResult | None:
    answer = find_answer(_json(one, store, unread)) if one.tipo is TipoDocumento.CUV else None
    return read_cuv(answer) if answer is not None else None


def _json(one: Papel, store: Store, unread: list[Hallado]) -> Any:
    data = _bytes(one, store, unread)
    try:
        return load_json(data)[0] if data is not None else None
    except Unreadable as wrong:
        unread.append(Hallado("DOC-ILEGIBLE", one.tipo.value, {"motivo": wrong.message}))
        return None


def _bytes(one: Papel, store: Store, unread: list[Hallado]) -> bytes | None:
    """Read a blob; what is missing or damaged becomes a finding, and custody's own verification names it too."""
    try:
        return store.read(one.sha256)
    except (NotFound, Damaged):
        unread.append(_lost(one))
        return None


def _lent(one: Papel, store: Store, stack: ExitStack, unread: list[Hallado]) -> Path | None:
    """Borrow a blob as a file until `stack` closes; what is missing or damaged becomes a finding."""
    try:
        return stack.enter_context(store.local(one.sha256))
    except (NotFound, Damaged):
        unread.append(_lost(one))
        return None


def _lost(one: Papel) -> Hallado:
    return Hallado("DOC-ILEGIBLE", one.tipo.value, {"motivo": "no está en la custodia o está dañado"})


def _context(
    encargo: Encargo, package: Paquete, *, ahora: datetime, catalogos: Catalogos, key_for: KeyFor | None
) -> Contexto:
    """Judge by the rules of the day of the CUV when there is one accepted, else by those of today."""
    accepted = package.cuv.at if package.cuv is not None and package.cuv.accepted else None
    day: date = civil_date(accepted) if accepted is not None else civil_date(ahora)
    return Contexto(
        fecha=day,
        ahora=ahora.astimezone(BOGOTA).replace(tzinfo=None),
        catalogos=catalogos,
        clave_de=(lambda fev: key_for(encargo.prestador_id, fev)) if key_for is not None else None,
        pagador_tipo=encargo.pagador_tipo,
    )


def _row(row: Factura, one: Hallazgo_, *, at: datetime) -> dict[str, Any]:
    return {
        "prestador_id": row.prestador_id,
        "factura_id": row.id,
        "codigo": one.codigo[:40],
        "severidad": severidad_de(one.clase, con_cuv=row.cuv is not None),
        "lugar": one.ruta[:300],
        "mensaje": one.mensaje,
        "que_hacer": one.arreglo,
        "norma": one.norma[:200],
        "at": at,
        "origen": OrigenHallazgo.VALIDADOR,
        "clase": one.clase.value,
        "quien": one.quien.value,
        "fuente": one.fuente.value,
        "linea": one.linea,
        "valor": one.dinero,
    }


def severidad_de(clase: Clase, *, con_cuv: bool) -> Severidad:
    """Weigh a finding for the house: with an accepted CUV the Ministry has spoken, and a rejection is a notice."""
    if clase is Clase.RECHAZO:
        return Severidad.AVISO if con_cuv else Severidad.BLOQUEO
    return Severidad.AVISO if clase is Clase.AVISO else Severidad.INFO


def _verdict(
    session: Session, row: Factura, encargo: Encargo, found: Sequence[Hallazgo_], *, at: datetime
) -> Validacion:
    weights = Counter(one.clase for one in found)
    kinds = {one.tipo for one in encargo.papeles}
    full = bool(kinds & set(_INVOICE)) and (TipoDocumento.RIPS in kinds or row.tipo_operacion == "SS-Recaudo")
    # What could not be checked to its end is no first pass, clean or not.
    full = full and all(one.codigo != FALLO for one in found)
    before = session.scalar(select(exists().where(Validacion.factura_id == row.id, Validacion.completa)))
    return Validacion(
        prestador_id=row.prestador_id,
        factura_id=row.id,
        pagador_id=row.pagador_id,
        facturador=encargo.facturador,
        at=at,
        fecha_reglas=civil_date(at),
        huella=encargo.huella,
        completa=full,
        primera=full and not before,
        rechazos=weights[Clase.RECHAZO],
        notificaciones=weights[Clase.NOTIFICACION],
        avisos=weights[Clase.AVISO],
        no_decidibles=weights[Clase.NO_DECIDIBLE],
        codigos=dict(sorted(Counter(one.codigo for one in found if one.clase is not Clase.NO_DECIDIBLE).items())),
    )


def por_juzgar(session: Session, prestadores: Sequence[int]) -> int:
    """Return how many unfiled invoices of some providers wait to be judged."""
    states = [state.value for state in REVISABLES]
    query = select(func.count()).where(
        Factura.por_juzgar == 1, Factura.estado.in_(states), Factura.prestador_id.in_(prestadores)
    )
    return session.scalar(query) or 0
