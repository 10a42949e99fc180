"""The tray of lines that wait for a person: what was not matched, what may not be decided alone, what was not read.

Invariant: a line leaves the tray by an act of a person with a reason, or because a later fact settles it (its invoice
arrived); it is decided again by the very rules of intake, so that no way around them exists. Norms: Res. 2284/2023
art. 6; Ley 1438/2011 art. 57 (an increase is a new glosa with a notice date of its own).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from radica.custodia.store import Store
from radica.glosas.batches import by_hand, invoice_ref, invoices_by_digits
from radica.glosas.fates import DONE, Aviso, Linea, names_service, settle_first
from radica.glosas.items import fill_items, items_of
from radica.glosas.line_json import line_of
from radica.glosas.matching import CruceFactura, FacturaRef, line_number, match_invoice, match_item
from radica.glosas.models import Confianza, DestinoLinea, LineaNotificada, Notificacion
from radica.glosas.storing import OPEN, Turno, active_rules, discard_mark, store_lines, take_turn
from radica.kernel.clock import Clock, civil_date
from radica.kernel.db import Database
from radica.kernel.errors import BadInput, NotFound

WAITING = (DestinoLinea.SIN_CRUZAR, DestinoLinea.POR_DECIDIR, DestinoLinea.NO_LEIDA)
ACEPTABLES = frozenset(
    {
        "otro_pagador",
        "posible_repetida",
        "mayor_valor",
        "glosa_anulada",
        "decision_sin_fecha",
        "notificada_antes",
        "leida_por_ocr",
    }
)
"""Doubts that a person may set aside; the others end by another invoice, by another date or by discarding the line."""
CON_FECHA = frozenset({"notificada_antes", "fecha_futura"})
"""Doubts that only the true day of notice settles."""
REINTENTABLES = frozenset(
    {
        "factura_desconocida", "factura_ambigua", "factura_dudosa", "sin_pagador", "sin_glosa", "varias_glosas",
        "estado_no_admite", "factura_devuelta", "factura_glosada",
    }
)  # fmt: skip
"""Doubts that a later fact may settle: the invoice comes, the answer is registered, the return is lifted."""
_PAGE = 1_000


@dataclass(frozen=True)
class Acto:
    """Who decides on lines, when, and why."""

    actor: str
    at: datetime
    motivo: str


def waiting(
    session: Session,
    prestador_ids: Collection[int],
    *,
    razon: str | None = None,
    notificacion_id: int | None = None,
    after_id: int | None = None,
    limit: int = 50,
) -> list[LineaNotificada]:
    """Return lines that wait, oldest first, in pages by id (`after_id` is the last of the page before)."""
    query = _of_the_tray(prestador_ids)
    if razon is not None:
        query = query.where(LineaNotificada.razon == razon)
    if notificacion_id is not None:
        query = query.where(LineaNotificada.notificacion_id == notificacion_id)
    if after_id is not None:
        query = query.where(LineaNotificada.id > after_id)
    return list(session.scalars(query.order_by(LineaNotificada.id).limit(limit)))


def figures(session: Session, prestador_ids: Collection[int]) -> dict[tuple[DestinoLinea, str | None], tuple[int, int]]:
    """Return how many lines wait and their centavos, by fate and coded reason."""
    rows = session.execute(
        _of_the_tray(prestador_ids)
        .with_only_columns(
            LineaNotificada.destino, LineaNotificada.razon, func.count(), func.sum(LineaNotificada.valor)
        )
        .group_by(LineaNotificada.destino, LineaNotificada.razon)
    )
    return {(fate, razon): (int(count), int(cents or 0)) for fate, razon, count, cents in rows}


def _of_the_tray(prestador_ids: Collection[int]) -> Select[LineaNotificada]:
    return select(LineaNotificada).where(LineaNotificada.prestador_id.in_(prestador_ids), OPEN)


def providers_waiting(session: Session) -> list[int]:
    """Return the providers with lines that a later fact may settle."""
    query = select(LineaNotificada.prestador_id).where(OPEN, LineaNotificada.razon.in_(REINTENTABLES))
    return list(session.scalars(query.distinct().order_by(LineaNotificada.prestador_id)))


def candidates(session: Session, linea: LineaNotificada) -> list[FacturaRef]:
    """Return the invoices that a line may mean: those its matching named, else those with the digits of its number."""
    named = (linea.contenido.get("cruce") or {}).get("candidatos") or []
    if named:
        found = [invoice_ref(session, linea.prestador_id, int(one)) for one in named]
        return [one for one in found if one is not None]
    if "tipo" not in linea.contenido:
        return []
    number = line_number(line_of(linea.contenido))
    if number is None:
        return []
    return list(invoices_by_digits(session, linea.prestador_id, {number.digits}).get(number.digits, ()))


def match_by_hand(session: Session, linea: LineaNotificada, factura_id: int, acto: Acto) -> Counter[DestinoLinea]:
    """Match a line, and the waiting ones of its notice with the same written number, to an invoice of its provider.

    Call `items.fill_items` for the invoice before, outside the transaction, so that the service can be matched too.
    Raises BadInput without a reason or when the line waits no more, NotFound when the provider has no such invoice.
    """
    _need_reason(acto)
    notice = _lock(session, [linea])
    ref = invoice_ref(session, linea.prestador_id, factura_id)
    if ref is None:
        raise NotFound("No se encontró esa factura.")
    if "tipo" not in linea.contenido:
        raise _cannot("Esa fila no se pudo leer: no tiene qué cruzar.")
    written = linea.contenido.get("factura", "")
    alike = [
        one
        for one in session.scalars(
            _of_the_tray([linea.prestador_id]).where(
                LineaNotificada.notificacion_id == linea.notificacion_id,
                LineaNotificada.destino == DestinoLinea.SIN_CRUZAR,
                LineaNotificada.id != linea.id,
            )
        )
        if one.contenido.get("factura", "") == written
    ]
    lines = [_line(one, by_hand(ref), acto) for one in (linea, *alike)]
    return _decide(session, notice, lines, acto)


def accept(session: Session, linea: LineaNotificada, acto: Acto, *, notificada: date | None = None) -> DestinoLinea:
    """Load a line although intake doubted, and return its fate: only that doubt is set aside, the other rules stand.

    A higher value is loaded as a glosa of the difference, with its own notice date (art. 57). `notificada` is the true
    day of notice where that was the doubt. Raises BadInput when the doubt cannot be set aside.
    """
    _need_reason(acto)
    notice = _lock(session, [linea])
    razon = linea.razon or ""
    if razon not in ACEPTABLES | CON_FECHA or "tipo" not in linea.contenido:
        raise _cannot("Esta línea no se puede cargar así.")
    if razon in CON_FECHA and notificada is None:
        raise BadInput(
            "Falta la fecha en que de verdad se notificó; no se cambió nada.",
            todo="Escriba la fecha que consta en la prueba.",
            code="falta_fecha",
        )
    ref = invoice_ref(session, linea.prestador_id, linea.factura_id) if linea.factura_id is not None else None
    if ref is None:
        raise _cannot("La línea no tiene factura.")
    line = _line(linea, kept(ref), acto)
    line.notificada = notificada
    # With a true date the doubt about dates is looked at again, not set aside; the payer's own is no doubt any more.
    line.permitidas = frozenset({razon} if notificada is None else set())
    _decide(session, notice, [line], acto)
    assert line.destino is not None
    return line.destino


def discard(session: Session, linea: LineaNotificada, acto: Acto) -> None:
    """Take a line out of the tray: a person says that it is nothing, and why. It stays in its notice, and the
    same line of a later file does not come back for the same doubt.
    """
    _need_reason(acto)
    notice = _lock(session, [linea])
    if "tipo" in linea.contenido:
        linea.marca_descarte = discard_mark(line_of(linea.contenido), linea.razon)
    linea.destino = DestinoLinea.DESCARTADA
    linea.motivo = f"{linea.motivo or ''} Descartada: {acto.motivo}".strip()
    linea.resuelta_at, linea.resuelta_por = acto.at, acto.actor
    session.flush()
    recount(session, notice.id)


def retry(
    database: Database,
    store: Store,
    prestador_id: int,
    *,
    actor: str,
    clock: Clock,
    notificacion_id: int | None = None,
) -> Counter[DestinoLinea]:
    """Decide again the lines of a provider, or of one notice, that a later fact may have settled.

    For the job that runs daily and after invoices were loaded, and for «reintentar» on a notice: it commits in pages
    and reads files outside of them. Returns how the lines that left the tray ended.
    """
    ended: Counter[DestinoLinea] = Counter()
    after = 0
    while True:
        with database.read() as session:
            page = waiting(session, [prestador_id], notificacion_id=notificacion_id, after_id=after, limit=_PAGE)
            ready = _settled_by_now(session, prestador_id, page)
        if ready:
            fill_items(database, store, prestador_id, {one.factura.id for one in ready.values() if one.factura})
            ended += _retry_page(database, prestador_id, ready, Acto(actor, clock(), ""))
        if len(page) < _PAGE:
            return Counter({fate: count for fate, count in ended.items() if fate in DONE})
        after = page[-1].id


def _settled_by_now(session: Session, prestador_id: int, page: Sequence[LineaNotificada]) -> dict[int, CruceFactura]:
    """Return how the lines of a page match by now, by their ids; what was matched stays matched."""
    reads = {one.id: line_of(one.contenido) for one in page if one.razon in REINTENTABLES and "tipo" in one.contenido}
    numbers = {id_: number for id_, read in reads.items() if (number := line_number(read)) is not None}
    known = invoices_by_digits(session, prestador_id, {number.digits for number in numbers.values()})
    payers = _payers(session, {one.notificacion_id for one in page})
    found = {}
    for one in page:
        if one.id not in numbers:
            continue
        held = invoice_ref(session, prestador_id, one.factura_id) if one.factura_id is not None else None
        near = known.get(numbers[one.id].digits, ())
        match = match_invoice(reads[one.id], near, payers.get(one.notificacion_id)) if held is None else kept(held)
        if match.factura is not None:
            found[one.id] = match
    return found


def kept(ref: FacturaRef) -> CruceFactura:
    """Return the match of a line that has its invoice already."""
    return CruceFactura(ref, Confianza.EXACTA)


def _payers(session: Session, ids: Collection[int]) -> dict[int, int | None]:
    rows = session.execute(select(Notificacion.id, Notificacion.pagador_id).where(Notificacion.id.in_(sorted(ids))))
    return dict(rows.all())


def _retry_page(
    database: Database, prestador_id: int, ready: Mapping[int, CruceFactura], acto: Acto
) -> Counter[DestinoLinea]:
    ended: Counter[DestinoLinea] = Counter()
    with database.write() as session:
        take_turn(session, prestador_id)
        by_notice: dict[int, list[Linea]] = {}
        for one in session.scalars(_of_the_tray([prestador_id]).where(LineaNotificada.id.in_(ready))):
            by_notice.setdefault(one.notificacion_id, []).append(_line(one, ready[one.id], acto))
        for notice_id, lines in sorted(by_notice.items()):
            ended += _decide(session, _notice(session, notice_id), lines, acto)
    return ended


def _line(linea: LineaNotificada, cruce: CruceFactura, acto: Acto) -> Linea:
    line = Linea(line_of(linea.contenido), cruce, fila_id=linea.id)
    if acto.motivo:
        line.avisos.append(f"Una persona lo decidió: {acto.motivo}")
    return line


def _decide(session: Session, notice: Aviso, lines: Sequence[Linea], acto: Acto) -> Counter[DestinoLinea]:
    """Let intake's own rules decide lines of one notice again."""
    ids = {line.factura.id for line in lines if line.cruce.factura is not None}
    items = items_of(session, ids)
    for line in lines:
        if line.cruce.factura is not None and names_service(line.leida):
            line.item = match_item(line.leida, items.get(line.factura.id, ()))
        settle_first(line, notice, civil_date(acto.at))
    held = select(LineaNotificada.glosa_id).where(
        LineaNotificada.notificacion_id == notice.id,
        LineaNotificada.glosa_id.is_not(None),
        LineaNotificada.destino.in_(DONE),
    )
    own = {id_ for id_ in session.scalars(held) if id_ is not None}
    rules = active_rules(session, notice.prestador_id)
    session.flush()
    ended = store_lines(session, notice, lines, rules, Turno(acto.actor, acto.at), own=own)
    session.expire_all()  # rows were written past the session
    recount(session, notice.id)
    return ended


def recount(session: Session, notificacion_id: int) -> None:
    """Count the fates of a notice's lines again."""
    query = select(LineaNotificada.destino, func.count()).where(LineaNotificada.notificacion_id == notificacion_id)
    fates = dict(session.execute(query.group_by(LineaNotificada.destino)).all())
    row = session.get_one(Notificacion, notificacion_id)
    row.nuevas = int(fates.get(DestinoLinea.CARGADA, 0))
    row.repetidas = int(fates.get(DestinoLinea.REPETIDA, 0))
    row.sin_cruzar = int(fates.get(DestinoLinea.SIN_CRUZAR, 0))
    row.no_leidas = int(fates.get(DestinoLinea.NO_LEIDA, 0))
    session.flush()


def _lock(session: Session, lines: Sequence[LineaNotificada]) -> Aviso:
    """Wait for the turn of the provider's importers and read the lines again. Raises BadInput when one is settled."""
    take_turn(session, lines[0].prestador_id)
    for one in lines:
        session.refresh(one, with_for_update=True)
        if one.destino not in WAITING:
            raise BadInput(
                "Esta línea ya salió de la bandeja; no se hizo nada.", todo="Recargue la página.", code="ya_resuelta"
            )
    return _notice(session, lines[0].notificacion_id)


def _notice(session: Session, notificacion_id: int) -> Aviso:
    row = session.get_one(Notificacion, notificacion_id)
    return Aviso(row.id, row.prestador_id, row.pagador_id, row.sha256, row.recibida_at, row.recibida_segun)


def _need_reason(acto: Acto) -> None:
    if not acto.motivo.strip():
        raise BadInput("Falta decir por qué; no se cambió nada.", todo="Escriba el motivo.", code="falta_motivo")


def _cannot(why: str) -> BadInput:
    return BadInput(f"{why} No se cambió nada.", todo="Crúcela con otra factura o descártela.", code="no_aceptable")
