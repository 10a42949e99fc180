"""Prepares the lines of a notice for storing: whole groups of equal lines, each with its invoice and its service.

Invariant: reading and matching hold no writing transaction; equal objections of one file are never parted, because
only together they can be paired with what stands. Only the provider's own invoices are ever looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.custodia.store import Store
from radica.facturas.models import Factura
from radica.facturas.texts import storable
from radica.glosas.fates import DONE, Aviso, Linea, line_traits, names_service
from radica.glosas.items import fill_items, items_of
from radica.glosas.lectura.tipos import LineaLeida, NoLeida, TipoLinea
from radica.glosas.matching import CruceFactura, FacturaRef, by_code, line_number, match_invoice, match_item
from radica.glosas.models import Confianza, DestinoLinea, LineaNotificada
from radica.kernel.clock import civil_date
from radica.kernel.db import Database, parts_of

_MAX_TEXT = 4_000
"""Of a row that was not read; more is no row of a table."""


@dataclass(frozen=True)
class Corrida:
    """What reading the lines of one import needs."""

    db: Database
    store: Store
    prestador_id: int


def whole_groups(lines: Sequence[LineaLeida], size: int) -> Iterator[list[LineaLeida]]:
    """Yield the lines in parts of about `size`: by invoice, returns before glosas, equal objections together.

    An invoice is parted only when it alone is more than a part.
    """
    numbers = [_digits(one, index // size) for index, one in enumerate(lines)]
    large = {digits for digits, count in Counter(numbers).items() if count > size}
    keys = [_place(one, digits, whole=digits not in large) for one, digits in zip(lines, numbers, strict=True)]
    part: list[LineaLeida] = []
    last = ""
    for key, group in groupby(sorted(range(len(lines)), key=keys.__getitem__), key=keys.__getitem__):
        if len(part) >= (size if key[0] != last else 2 * size):
            yield part
            part = []
        last = key[0]
        part += [lines[index] for index in group]
    if part:
        yield part


def _digits(one: LineaLeida, chunk: int) -> str:
    number = line_number(one)
    return number.digits if number is not None else f" {chunk}"


def _place(one: LineaLeida, digits: str, *, whole: bool) -> tuple[str, bool, tuple[str, ...]]:
    glosa = one.tipo is not TipoLinea.DEVOLUCION
    return digits, glosa, () if whole or not glosa else line_traits(one).clave


def read_batch(run: Corrida, notice: Aviso, part: Sequence[LineaLeida]) -> list[Linea]:
    """Match some lines to invoices and services; reads files of RIPS the first time an invoice needs its services."""
    numbers = [line_number(one) for one in part]
    with run.db.read() as session:
        known = invoices_by_digits(session, run.prestador_id, {one.digits for one in numbers if one is not None})
    lines = []
    for read, number in zip(part, numbers, strict=True):
        candidates = known.get(number.digits, ()) if number is not None else ()
        lines.append(Linea(read, match_invoice(read, candidates, notice.pagador_id)))
    match_items(run, lines)
    return lines


def match_items(run: Corrida, lines: Sequence[Linea]) -> None:
    """Match the lines that name a service to the RIPS of their invoices."""
    naming = [line for line in lines if line.cruce.factura is not None and names_service(line.leida)]
    ids = {line.factura.id for line in naming}
    if not ids:
        return
    fill_items(run.db, run.store, run.prestador_id, ids)
    with run.db.read() as session:
        items = items_of(session, ids)
    coded = {factura_id: by_code(services) for factura_id, services in items.items()}
    for line in naming:
        line.item = match_item(line.leida, items.get(line.factura.id, ()), coded.get(line.factura.id))


def invoices_by_digits(session: Session, prestador_id: int, digits: set[str]) -> Mapping[str, Sequence[FacturaRef]]:
    """Return the provider's invoices by the digits of their numbers."""
    found: dict[str, list[FacturaRef]] = {}
    for part in parts_of(digits):
        for row in session.execute(
            _columns().where(Factura.prestador_id == prestador_id, Factura.numero_digitos.in_(part))
        ):
            found.setdefault(row.numero_digitos, []).append(_ref(row))
    return found


def invoice_ref(session: Session, prestador_id: int, factura_id: int) -> FacturaRef | None:
    """Return one invoice of the provider, or None: another provider's reads like one that does not exist."""
    row = session.execute(
        _columns().where(Factura.prestador_id == prestador_id, Factura.id == factura_id)
    ).one_or_none()
    return _ref(row) if row is not None else None


def by_hand(ref: FacturaRef) -> CruceFactura:
    """Return the match that a person made."""
    return CruceFactura(ref, Confianza.EXACTA, avisos=(f"Una persona dijo que es la factura {ref.numero}.",))


def _columns() -> Any:
    return select(
        Factura.id, Factura.numero, Factura.numero_clave, Factura.numero_digitos, Factura.pagador_id, Factura.valor,
        Factura.valor_bruto, Factura.expedida_at, Factura.fecha_radicacion, Factura.radicado, Factura.estado,
    ).order_by(Factura.id)  # fmt: skip


def _ref(row: Any) -> FacturaRef:
    return FacturaRef(
        id=row.id,
        numero=row.numero,
        clave=row.numero_clave,
        digitos=row.numero_digitos,
        pagador_id=row.pagador_id,
        valor=row.valor,
        valor_bruto=row.valor_bruto,
        expedida=civil_date(row.expedida_at) if row.expedida_at else None,
        radicada=civil_date(row.fecha_radicacion) if row.fecha_radicacion else None,
        radicado=row.radicado,
        estado=row.estado,
    )


class Guardadas:
    """Which rows of a file are stored, by this import or by another one of the same file at once.

    A row counts by its sheet and number, as many times as it gave lines. `own` are the glosas that they hold.
    """

    def __init__(self, notificacion_id: int) -> None:
        self.notificacion_id = notificacion_id
        self.own: set[int] = set()
        self._others: dict[tuple[str, int], int] = {}
        self._last = 0

    def left(self, session: Session, keys: Sequence[tuple[str, int]]) -> list[int]:
        """Return the places in `keys` of rows that are not stored; call it inside the turn, before storing them."""
        rows = session.execute(
            select(
                LineaNotificada.id, LineaNotificada.hoja, LineaNotificada.fila, LineaNotificada.glosa_id,
                LineaNotificada.destino,
            )
            .where(LineaNotificada.notificacion_id == self.notificacion_id, LineaNotificada.id > self._last)
            .order_by(LineaNotificada.id)
        )  # fmt: skip
        for id_, sheet, number, glosa_id, fate in rows:
            self._add((sheet, number), 1)
            self._last = id_
            if glosa_id is not None and fate in DONE:
                self.own.add(glosa_id)
        missing = []
        for index, key in enumerate(keys):
            if self._others.get(key, 0) > 0:
                self._add(key, -1)
            else:
                missing.append(index)
        return missing

    def mine(self, keys: Sequence[tuple[str, int]]) -> None:
        """Note rows that this import stored: the next look finds them, and they are nobody else's."""
        for key in keys:
            self._add(key, -1)

    def _add(self, key: tuple[str, int], count: int) -> None:
        left = self._others.get(key, 0) + count
        if left:
            self._others[key] = left
        else:
            self._others.pop(key, None)


def key_of(hoja: str, fila: int) -> tuple[str, int]:
    """Return how a row is known again."""
    return hoja[:80], fila


def unread_rows(notice: Aviso, unread: Sequence[NoLeida]) -> list[dict[str, Any]]:
    """Return the rows of the tray for what was not read."""
    return [
        tray_row(notice, one.hoja, one.fila, None, one.motivo, {"texto": storable(one.texto)[:_MAX_TEXT]})
        for one in unread
    ]


def tray_row(
    notice: Aviso,
    hoja: str,
    fila: int,
    razon: str | None,
    motivo: str,
    contenido: dict[str, Any] | None = None,
    *,
    destino: DestinoLinea = DestinoLinea.NO_LEIDA,
    valor: int = 0,
) -> dict[str, Any]:
    """Return a row of the tray that is no line of the file's table."""
    return {
        "prestador_id": notice.prestador_id, "notificacion_id": notice.id, "hoja": hoja[:80], "fila": fila,
        "destino": destino, "razon": razon, "motivo": motivo, "valor": valor, "contenido": contenido or {},
    }  # fmt: skip
