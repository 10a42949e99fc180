"""Uploads and the tray as screens read them, and the two acts on a tray row that no room owns.

Invariant: a person sees the rows of the granted providers and their own; a row without provider is of who brought it,
whoever else is granted what.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from radica.entidades.models import Prestador
from radica.facturas.models import Carga, CargaArchivo, Factura, NoReconocido, ResultadoArchivo
from radica.facturas.named import named
from radica.facturas.numbers import parse_invoice_number
from radica.facturas.tray import resolve
from radica.kernel.errors import BadInput, NotFound


@dataclass(frozen=True)
class FiltroBandeja:
    """What the person chose on the tray."""

    codigo: str = ""
    resueltos: bool = False


def mine(usuario_id: int, prestador_ids: Collection[int]) -> ColumnElement[bool]:
    """Return the predicate of what a person may see of the tray."""
    own = and_(NoReconocido.prestador_id.is_(None), NoReconocido.usuario_id == usuario_id)
    return or_(own, NoReconocido.prestador_id.in_(prestador_ids))


def _where(scope: ColumnElement[bool], filtro: FiltroBandeja) -> list[ColumnElement[bool]]:
    found = [scope, NoReconocido.resuelto_at.is_not(None) if filtro.resueltos else NoReconocido.resuelto_at.is_(None)]
    if filtro.codigo:
        found.append(NoReconocido.codigo == filtro.codigo)
    return found


def tray_rows(
    session: Session,
    scope: ColumnElement[bool],
    filtro: FiltroBandeja,
    *,
    limit: int,
    after: int | None = None,
    before: int | None = None,
) -> list[tuple[NoReconocido, str | None]]:
    """Return rows and their provider's name, newest first; asked with `before` they come in reverse order."""
    query = (
        select(NoReconocido, Prestador.nombre)
        .join(Prestador, Prestador.id == NoReconocido.prestador_id, isouter=True)
        .where(*_where(scope, filtro))
    )
    if after is not None:
        query = query.where(NoReconocido.id < after)
    elif before is not None:
        query = query.where(NoReconocido.id > before)
    order = NoReconocido.id if before is not None and after is None else NoReconocido.id.desc()
    return [(row, name) for row, name in session.execute(query.order_by(order).limit(limit))]


def tray_count(session: Session, scope: ColumnElement[bool], filtro: FiltroBandeja) -> int:
    """Count the rows of the filter."""
    return session.scalar(select(func.count()).select_from(NoReconocido).where(*_where(scope, filtro))) or 0


def tray_codes(session: Session, scope: ColumnElement[bool]) -> list[tuple[str, int]]:
    """Return the open rows by code, most first."""
    count = func.count()
    query = (
        select(NoReconocido.codigo, count)
        .where(scope, NoReconocido.resuelto_at.is_(None))
        .group_by(NoReconocido.codigo)
        .order_by(count.desc(), NoReconocido.codigo)
    )
    return [(code, int(n)) for code, n in session.execute(query)]


def hand_over(session: Session, row: NoReconocido, prestador: Prestador, *, actor: str, at: datetime) -> None:
    """Give a file of a person's own tray to a provider's tray, where the whole team sees it.

    Raises BadInput when it is closed or of a provider already; the same file there before closes this row instead.
    """
    if row.resuelto_at is not None or row.prestador_id is not None:
        raise BadInput("Este archivo ya salió de su bandeja; no se hizo nada.", todo="Recargue la página.")
    owner = f"prestador:{prestador.id}"
    there = session.scalar(
        select(NoReconocido.id).where(
            NoReconocido.duenio == owner,
            NoReconocido.nombre == row.nombre,
            NoReconocido.sha256 == row.sha256,
            NoReconocido.resuelto_at.is_(None),
        )
    )
    if there is not None:
        resolve(row, how=f"Ya estaba en la bandeja de {prestador.nombre}", actor=actor, at=at)
        return
    row.prestador_id, row.duenio, row.usuario_id = prestador.id, owner, None


def find_invoice(session: Session, text: str, prestador_ids: Collection[int]) -> Factura:
    """Return the one invoice of these providers with a written number. Raises NotFound or BadInput (several)."""
    number = parse_invoice_number(text)
    if number is None:
        raise BadInput("Falta el número de la factura.")
    wanted = select(Factura).where(Factura.prestador_id.in_(prestador_ids), named(number)).limit(2)
    found = list(session.scalars(wanted))
    if not found:
        raise NotFound(f"No hay una factura {text.strip()[:40]} en sus prestadores.", todo="Cárguela primero.")
    if len(found) > 1:
        raise BadInput("Hay varias facturas con ese número.", todo="Escríbalo con su prefijo o elija el prestador.")
    return found[0]


def upload_rows(
    session: Session, carga_id: int, resultado: ResultadoArchivo | None, *, limit: int, after: int = 0
) -> list[CargaArchivo]:
    """Return files of an upload in their order."""
    query = select(CargaArchivo).where(CargaArchivo.carga_id == carga_id, CargaArchivo.id > after)
    if resultado is not None:
        query = query.where(CargaArchivo.resultado == resultado)
    return list(session.scalars(query.order_by(CargaArchivo.id).limit(limit)))


def upload_counts(session: Session, carga_id: int) -> dict[ResultadoArchivo, int]:
    """Count the files of an upload by what became of them."""
    query = (
        select(CargaArchivo.resultado, func.count())
        .where(CargaArchivo.carga_id == carga_id)
        .group_by(CargaArchivo.resultado)
    )
    found = {kind: int(n) for kind, n in session.execute(query)}
    return {kind: found.get(kind, 0) for kind in ResultadoArchivo}


def invoice_numbers(session: Session, ids: Collection[int], prestador_ids: Collection[int]) -> dict[int, str]:
    """Return the numbers of those invoices that the person may see."""
    query = select(Factura.id, Factura.numero).where(Factura.id.in_(ids), Factura.prestador_id.in_(prestador_ids))
    return {row[0]: row[1] for row in session.execute(query)}


def recent_uploads(session: Session, usuario_id: int, *, limit: int = 10) -> list[Carga]:
    """Return a person's last uploads that have files or did not end, newest first."""
    some = or_(Carga.total > 0, Carga.terminada_at.is_(None))
    query = select(Carga).where(Carga.usuario_id == usuario_id, some).order_by(Carga.id.desc())
    return list(session.scalars(query.limit(limit)))
