"""What the one box of Auditoría finds: invoices, filings, glosas, hashes, patients, words inside documents. No Flask.

Invariant: every query is of given providers only; what was typed goes into no address and no log line; a number that
may be a patient's is only compared, and words inside documents only as keyed hashes (`custodia.texto`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from radica.custodia.models import Pieza
from radica.custodia.texto import find_blobs, query_words
from radica.facturas.models import Documento, Factura, NoReconocido
from radica.facturas.numbers import parse_invoice_number
from radica.glosas.models import Devolucion, Glosa, ItemFactura, Notificacion
from radica.radicacion.models import Envio

SHOWN = 25
"""Rows of each group on the page."""
BLOBS = 200
MAX_QUERY = 200
MIN_DIGITS = 5
"""A shorter number inside a document is more likely a year or a code than a person."""
_HEX = re.compile(r"[0-9a-f]{8,96}")
_CODE = re.compile(r"(?:[A-Z]{2}[0-9]{0,4}|[0-9]{3,4})")
_PATIENT = re.compile(r"(CC|TI|RC|CE|PA|PE|PT|SC|AS|MS|CN|CD|SI|NU|DE)?([A-Z]{0,3}[0-9]{4,15})")
"""A patient's document, with or without the letters of its type (Res. 948/2026, RIPS)."""
_LAST = "\U0010ffff"


@dataclass(frozen=True)
class Hallado:
    """What was found, group by group; each at most SHOWN rows, `mas` names the groups that hold more."""

    facturas: Sequence[Factura] = ()
    envios: Sequence[Envio] = ()
    codigos: Sequence[tuple[str, int, int]] = ()
    """Code, how many glosas and devoluciones, centavos."""
    glosas: Sequence[Glosa] = field(default=(), repr=False)
    devoluciones: Sequence[Devolucion] = ()
    huellas: Sequence[Documento | Pieza] = ()
    paciente: Sequence[Factura] = ()
    textos: Sequence[Documento | Pieza | NoReconocido | Notificacion] = field(default=(), repr=False)
    mas: frozenset[str] = frozenset()
    por_dentro: bool = False
    """Whether documents were searched by their words."""

    @property
    def nada(self) -> bool:
        """True when no group has a row."""
        groups = (self.facturas, self.envios, self.codigos, self.glosas, self.devoluciones, self.huellas)
        return not any((*groups, self.paciente, self.textos))


def begins(session: Session, column: Any, text: str) -> ColumnElement[bool]:
    """Return the condition that a text column begins with `text`; along its index where the bytes order it (SQLite)."""
    if session.get_bind().dialect.name == "sqlite":
        return and_(column >= text, column < text + _LAST)
    condition: ColumnElement[bool] = column.startswith(text, autoescape=True)
    return condition


def search(session: Session, typed: str, ids: Collection[int], keys: Mapping[int, bytes]) -> Hallado:
    """Look everywhere for what a person typed; `keys` are the word keys of the same providers."""
    text = " ".join(typed.split())[:MAX_QUERY]
    plain = re.sub(r"[\s.\-]", "", text)
    mine = sorted(ids)
    more: set[str] = set()

    def cut(name: str, rows: Sequence[Any]) -> list[Any]:
        if len(rows) > SHOWN:
            more.add(name)
        return list(rows[:SHOWN])

    words = query_words(text)
    blobs = find_blobs(session, words, keys={one: keys[one] for one in mine if one in keys}, limit=BLOBS)
    single = " " not in text
    return Hallado(
        facturas=cut("facturas", _invoices(session, text, mine)) if single else [],
        envios=cut("envios", _filings(session, text, mine)) if single else [],
        codigos=_codes(session, plain.upper(), mine) if _CODE.fullmatch(plain.upper()) else [],
        glosas=cut("glosas", _glosas(session, text, mine)) if single else [],
        devoluciones=cut("devoluciones", _returns(session, text, mine)) if single else [],
        huellas=cut("huellas", _hashes(session, plain.lower(), mine)) if _HEX.fullmatch(plain.lower()) else [],
        paciente=cut("paciente", invoices_of_patient(session, text, mine, keys)) if single else [],
        textos=cut("textos", _inside(session, blobs)),
        mas=frozenset(more),
        por_dentro=bool(words),
    )


def _invoices(session: Session, text: str, ids: Sequence[int]) -> list[Factura]:
    mine = Factura.prestador_id.in_(ids)
    number = parse_invoice_number(text)
    tries: list[ColumnElement[bool]] = [Factura.radicado == text]
    if number is not None:
        tries.append(Factura.numero_clave == number.key)
        if number.digits and not number.prefix:
            tries.append(Factura.numero_digitos == number.digits)
        if len(number.key) > 1:
            tries.append(begins(session, Factura.numero_clave, number.key))
    if len(text) > 4:
        tries.append(begins(session, Factura.radicado, text))
    if _HEX.fullmatch(text.lower()):
        tries += [begins(session, Factura.cufe, text.lower()), begins(session, Factura.cuv, text.lower())]
    # One question each: together the database would give up its indexes.
    found: dict[int, Factura] = {}
    for one in tries:
        if len(found) <= SHOWN:
            rows = session.scalars(select(Factura).where(mine, one).order_by(Factura.id.desc()).limit(SHOWN + 1))
            found |= {row.id: row for row in rows if row.id not in found}
    return list(found.values())


def _filings(session: Session, text: str, ids: Sequence[int]) -> list[Envio]:
    if len(text) < 4:
        return []
    means = begins(session, Envio.radicado, text)
    query = select(Envio).where(Envio.prestador_id.in_(ids), means).order_by(Envio.id.desc()).limit(SHOWN + 1)
    return list(session.scalars(query))


def _codes(session: Session, code: str, ids: Sequence[int]) -> list[tuple[str, int, int]]:
    totals: dict[str, tuple[int, int]] = {}
    for model in (Glosa, Devolucion):
        means = model.codigo == code if code.isdecimal() else begins(session, model.codigo, code)
        rows = session.execute(
            select(model.codigo, func.count(), func.coalesce(func.sum(model.valor), 0))
            .where(model.prestador_id.in_(ids), means)
            .group_by(model.codigo)
        )
        for found, count, cents in rows:
            had = totals.get(found, (0, 0))
            totals[found] = (had[0] + int(count), had[1] + int(cents))
    return [(one, *totals[one]) for one in sorted(totals)][:SHOWN]


def _glosas(session: Session, text: str, ids: Sequence[int]) -> list[Glosa]:
    if len(text) < 3:
        return []
    query = select(Glosa).where(Glosa.prestador_id.in_(ids), begins(session, Glosa.numero_glosa, text))
    return list(session.scalars(query.order_by(Glosa.numero_glosa, Glosa.id).limit(SHOWN + 1)))


def _returns(session: Session, text: str, ids: Sequence[int]) -> list[Devolucion]:
    query = select(Devolucion).where(Devolucion.prestador_id.in_(ids), Devolucion.numero == text)
    return list(session.scalars(query.order_by(Devolucion.id.desc()).limit(SHOWN + 1)))


def _hashes(session: Session, text: str, ids: Sequence[int]) -> list[Documento | Pieza]:
    found: list[Documento | Pieza] = []
    for model in (Documento, Pieza):
        query = select(model).where(model.prestador_id.in_(ids), begins(session, model.sha256, text))
        found += session.scalars(query.order_by(model.sha256, model.id).limit(SHOWN + 1))
    return found


def patient_numbers(typed: str) -> list[str]:
    """Return how a patient's document may stand written: as typed and without its type; none when it is no document."""
    plain = re.sub(r"[\s.,\-]", "", typed).upper()
    found = _PATIENT.fullmatch(plain)
    # A dash between letters and digits is of numbers of papers: `GL-2026` is nobody's document.
    if found is None or re.search(r"[A-Za-z]-", typed):
        return []
    return list(dict.fromkeys([plain, found[2]]))


def invoices_of_patient(
    session: Session, typed: str, ids: Sequence[int], keys: Mapping[int, bytes], *, limit: int = SHOWN + 1
) -> list[Factura]:
    """Return the invoices in whose services, glosas or documents (as a word) a patient's document stands."""
    numbers = patient_numbers(typed)
    if not numbers:
        return []
    found: set[int] = set()
    for model in (ItemFactura, Glosa):
        told = model.paciente_documento
        rows = select(model.factura_id).where(model.prestador_id.in_(ids), told.is_not(None), told.in_(numbers))
        found |= set(session.scalars(rows.distinct().limit(limit)))
    number = numbers[-1]
    if sum(one.isdigit() for one in number) >= MIN_DIGITS:
        mine = {one: keys[one] for one in ids if one in keys}
        blobs = find_blobs(session, [number.lower()], keys=mine, limit=max(BLOBS, limit))
        for prestador_id, part in _by_provider(blobs).items():
            papers = select(Documento.factura_id).where(
                Documento.prestador_id == prestador_id, Documento.sha256.in_(part), Documento.factura_id.is_not(None)
            )
            found |= {one for one in session.scalars(papers.distinct().limit(limit)) if one is not None}
    query = select(Factura).where(Factura.id.in_(sorted(found)), Factura.prestador_id.in_(ids))
    return list(session.scalars(query.order_by(Factura.id.desc()).limit(limit)))


def _inside(
    session: Session, blobs: Sequence[tuple[int, str]]
) -> list[Documento | Pieza | NoReconocido | Notificacion]:
    """Return what the blobs are of, in the order in which they were found, one row a blob and kind."""
    named: dict[tuple[int, str], Documento | Pieza | NoReconocido | Notificacion] = {}
    for prestador_id, part in _by_provider(blobs).items():
        for model in (Documento, Pieza, Notificacion, NoReconocido):
            rows: Sequence[Any] = session.scalars(
                select(model).where(model.prestador_id == prestador_id, model.sha256.in_(part)).order_by(model.id)
            ).all()
            for row in rows:
                named.setdefault((prestador_id, row.sha256), row)
    return [named[one] for one in blobs if one in named]


def _by_provider(blobs: Collection[tuple[int, str]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for prestador_id, sha256 in sorted(blobs):
        found.setdefault(prestador_id, []).append(sha256)
    return found
