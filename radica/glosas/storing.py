"""Stores one batch of lines: their fate against what stands, the new objections, the decisions, and a row for each.

Invariant: one short transaction and no file in it; importers of one provider take turns at its row, so that two files
with the same objection make one; a line is written once however often it is stored again (a row of the file counts
by its sheet and number). Norms: Res. 2284/2023 art. 6 and Anexo 3.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from radica.entidades.models import Prestador
from radica.glosas.acts import NuevaDevolucion, NuevaGlosa, formulate_all, formulate_devolucion
from radica.glosas.bandeja.work import rules_of, workers
from radica.glosas.bandeja.work_models import ReglaAsignacion
from radica.glosas.deciding import settle_decisions
from radica.glosas.fates import DONE, Aviso, Linea, Standing, codigo_de, line_traits, notified, settle_objections
from radica.glosas.fingerprint import Existente, bare, rasgos
from radica.glosas.lectura.tipos import LineaLeida, TipoLinea
from radica.glosas.line_json import line_content, line_of
from radica.glosas.models import Confianza, DestinoLinea, Devolucion, Glosa, LineaNotificada, Notificacion
from radica.kernel.db import insert_rows, parts_of

Marca = tuple[str, tuple[str, ...], int, str]
IN_TRAY = "ya_en_bandeja"
OUT = "ya_descartada"
OPEN = text("lineas_notificadas.destino IN ('sin_cruzar', 'por_decidir', 'no_leida')")
"""What waits for a person, in the words of the partial index, or SQLite does not use it."""
_MANY = 50_000
_DOUBTFUL = (DestinoLinea.SIN_CRUZAR, DestinoLinea.POR_DECIDIR)


@dataclass(frozen=True)
class Turno:
    """Who stores, and when."""

    actor: str
    at: datetime


def store_lines(
    session: Session,
    notice: Aviso,
    lines: Sequence[Linea],
    rules: Sequence[ReglaAsignacion],
    turno: Turno,
    *,
    own: Collection[int],
    waiting: Counter[Marca] | None = None,
) -> Counter[DestinoLinea]:
    """Decide and write some lines of one notice (all of an objection's equals together); return how they ended.

    `settle_first` has seen each line. The caller took its turn (`take_turn`), and commits. `waiting` are the lines of
    other notices that wait for a person: the same line again does not wait twice, and is taken from it; nor does one
    come back that a person discarded for the same doubt. None for lines of the tray itself.
    """
    invoices = {line.factura.id for line in lines if line.cruce.factura is not None}
    standing = read_standing(session, notice, invoices, own)
    settle_objections(lines, notice, standing)
    _formulate_returns(session, [line for line in lines if _is_new(line, TipoLinea.DEVOLUCION)], notice, rules, turno)
    _formulate(session, [line for line in lines if _is_new(line, TipoLinea.GLOSA)], notice, rules, turno)
    settle_decisions(session, [line for line in lines if line.destino is None], notice, actor=turno.actor, at=turno.at)
    if waiting is not None:
        _join_waiting(lines, waiting)
        _stay_out(lines, _discarded(session, notice.prestador_id, lines))
    _write(session, notice, lines, turno)
    return Counter(line.destino for line in lines if line.destino is not None)


def _join_waiting(lines: Sequence[Linea], waiting: Counter[Marca]) -> None:
    """Let groups of equal lines that wait already, each with its value, not wait again.

    All of a group or none: a part of it, decided later by itself, would be taken for what the other part brought.
    """
    groups: dict[tuple[object, ...], list[Linea]] = {}
    for line in lines:
        read = line.leida
        groups.setdefault((bare(read.factura), line.traits.clave, read.tipo), []).append(line)
    for group in groups.values():
        if not all(_undecided(line) for line in group):
            continue
        wanted = Counter(mark_of(line.leida) for line in group)
        if wanted <= waiting:
            waiting -= wanted
            for line in group:
                line.end(
                    DestinoLinea.REPETIDA, IN_TRAY, "La misma línea, de un archivo anterior, ya está en la bandeja."
                )


def _stay_out(lines: Sequence[Linea], discarded: Counter[str]) -> None:
    """Keep out of the tray the lines that a person discarded already for the same doubt, as many as were discarded."""
    for line in lines:
        if _undecided(line) and discarded[mark := discard_mark(line.leida, line.razon)] > 0:
            discarded[mark] -= 1
            line.end(DestinoLinea.REPETIDA, OUT, "La misma línea, de un archivo anterior, ya se descartó.")


def _discarded(session: Session, prestador_id: int, lines: Sequence[Linea]) -> Counter[str]:
    """Return how many of each of these lines a person discarded, by their marks."""
    marks = {discard_mark(line.leida, line.razon) for line in lines if _undecided(line)}
    found: Counter[str] = Counter()
    for part in parts_of(marks):
        query = (
            select(LineaNotificada.marca_descarte, func.count())
            .where(
                LineaNotificada.prestador_id == prestador_id,
                LineaNotificada.marca_descarte.in_(part),
            )
            .group_by(LineaNotificada.marca_descarte)
        )
        found.update({mark: count for mark, count in session.execute(query) if mark is not None})
    return found


def _undecided(line: Linea) -> bool:
    return line.destino in _DOUBTFUL


def discard_mark(read: LineaLeida, razon: str | None) -> str:
    """Return by what a discarded line is known again: what it says, and the doubt for which it was discarded."""
    told = json.dumps([*mark_of(read), razon or ""], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()


def mark_of(read: LineaLeida) -> Marca:
    """Return what two lines that wait have in common when they are the same one told again."""
    return bare(read.factura), line_traits(read).clave, read.valor, read.tipo.value


def waiting_marks(session: Session, prestador_id: int, *, besides: int) -> Counter[Marca]:
    """Return the lines that wait for a person, of all notices of a provider `besides` one, newest first, as marks."""
    query = (
        select(LineaNotificada.contenido)
        .where(LineaNotificada.prestador_id == prestador_id, OPEN, LineaNotificada.notificacion_id != besides)
        .order_by(LineaNotificada.id.desc())
        .limit(_MANY)
    )
    return Counter(mark_of(line_of(content)) for content in session.scalars(query) if "tipo" in content)


def take_turn(session: Session, prestador_id: int) -> None:
    """Wait until no other importer of the provider stores; rows that only point to the provider do not wait."""
    session.execute(select(Prestador.id).where(Prestador.id == prestador_id).with_for_update(key_share=True))


def read_standing(session: Session, notice: Aviso, factura_ids: Collection[int], own: Collection[int]) -> Standing:
    """Read the objections of some invoices; `own` are the glosas that other lines of the notice hold."""
    glosas: dict[int, list[Existente]] = {}
    estados, taken, returns = {}, set(), {}
    for part in parts_of(factura_ids):
        for row in session.execute(
            select(
                Glosa.id, Glosa.factura_id, Glosa.huella, Glosa.estado, Glosa.valor_objetado, Glosa.codigo,
                Glosa.numero_glosa, Glosa.servicio, Glosa.descripcion_servicio, Glosa.paciente_documento,
            )
            .where(Glosa.factura_id.in_(part), Glosa.prestador_id == notice.prestador_id)
            .order_by(Glosa.id)
        ):  # fmt: skip
            traits = rasgos(
                row.codigo, row.numero_glosa, row.servicio, row.descripcion_servicio, row.paciente_documento
            )
            glosas.setdefault(row.factura_id, []).append(Existente(row.id, row.valor_objetado, traits))
            estados[row.id] = row.estado
            taken.add(row.huella)
        for one in session.scalars(
            select(Devolucion).where(Devolucion.factura_id.in_(part), Devolucion.estado != "anulada")
        ):
            causes = {one.codigo, *(str(cause.get("codigo", "")) for cause in one.causales)}
            returns[one.factura_id] = (one.id, one.estado, frozenset(causes))
    return Standing(glosas, estados, returns, taken, own)


def _is_new(line: Linea, tipo: TipoLinea) -> bool:
    return line.destino is None and line.leida.tipo is tipo


def _formulate(
    session: Session, lines: Sequence[Linea], notice: Aviso, rules: Sequence[ReglaAsignacion], turno: Turno
) -> None:
    """Give birth to the glosas of these lines."""
    # In the order of the invoices: two importers that point to the same ones then wait instead of blocking each other.
    ordered = sorted(lines, key=_by_invoice)
    nuevas = [_new_glosa(line, notice, rules) for line in ordered]
    row = session.get(Notificacion, notice.id)
    ids = formulate_all(session, nuevas, notificacion=row, actor=turno.actor, at=turno.at)
    for line, glosa_id in zip(ordered, ids, strict=True):
        line.glosa_id = glosa_id
        line.end(DestinoLinea.CARGADA)


def _by_invoice(line: Linea) -> tuple[int, str, int]:
    return line.factura.id, line.leida.hoja, line.leida.fila


def _new_glosa(line: Linea, notice: Aviso, rules: Sequence[ReglaAsignacion]) -> NuevaGlosa:
    read, item = line.leida, line.item.item if line.item is not None else None
    code, manual, family = codigo_de(read)
    payer = line.factura.pagador_id or notice.pagador_id
    value = read.valor if line.valor_nuevo is None else line.valor_nuevo
    notified_at, source = notified(line, notice)
    assert line.huella is not None
    return NuevaGlosa(
        factura_id=line.factura.id,
        huella=line.huella,
        codigo=code,
        codigo_original=read.codigo_original.strip()[:40],
        manual=manual,
        familia=family,
        valor_objetado=value,
        notificada_at=notified_at,
        notificada_segun=source,
        pagador_id=payer,
        numero_glosa=_cut(read.numero_glosa, 60),
        servicio=_cut(read.servicio, 60),
        descripcion_servicio=_cut(read.descripcion_servicio, 300),
        motivo=read.motivo or "",
        paciente_documento=_cut(read.paciente_documento, 40),
        item_id=item.id if item is not None else None,
        # A service of no price (capita, package) says nothing of what an objection may count.
        item_valor=(item.valor or None) if item is not None else None,
        item_confianza=line.item.confianza if line.item is not None else Confianza.NINGUNA,
        fecha_segun_pagador=read.fecha_notificacion,
        responsable_id=owner_of(rules, payer, family, value),
    )


def _cut(text: str | None, size: int) -> str | None:
    return text[:size] if text else None


def owner_of(rules: Sequence[ReglaAsignacion], pagador_id: int | None, familia: str, valor: int) -> int | None:
    """Return the person of the first rule that fits a new line (rules come in their order), or None."""
    for rule in rules:
        fits = rule.pagador_id in (None, pagador_id) and rule.familia in ("", familia)
        if fits and (rule.desde is None or valor >= rule.desde) and (rule.hasta is None or valor < rule.hasta):
            return rule.usuario_id
    return None


def active_rules(session: Session, prestador_id: int) -> list[ReglaAsignacion]:
    """Return the provider's rules in their order; one that names somebody who no longer works there is passed over."""
    present = workers(session, prestador_id)
    return [rule for rule in rules_of(session, prestador_id) if rule.activa and rule.usuario_id in present]


def _formulate_returns(
    session: Session, lines: Sequence[Linea], notice: Aviso, rules: Sequence[ReglaAsignacion], turno: Turno
) -> None:
    """Give birth to the returns: one an invoice, however many lines repeat it; further causes join it."""
    row = session.get(Notificacion, notice.id)
    seen: set[tuple[int, str]] = set()
    for line in sorted(lines, key=_by_invoice):
        read, key = line.leida, (line.factura.id, line.traits.codigo)
        notified_at, source = notified(line, notice)
        payer = line.factura.pagador_id or notice.pagador_id
        one = formulate_devolucion(
            session,
            NuevaDevolucion(
                factura_id=line.factura.id,
                codigo=codigo_de(read)[0],
                motivo=read.motivo or "",
                notificada_at=notified_at,
                notificada_segun=source,
                numero=_cut(read.numero_glosa, 60),
                pagador_id=payer,
                responsable_id=owner_of(rules, payer, "DE", line.factura.valor or 0),
            ),
            notificacion=row,
            actor=turno.actor,
            at=turno.at,
        )
        line.devolucion_id = one.id
        line.end(DestinoLinea.REPETIDA if key in seen else DestinoLinea.CARGADA)
        seen.add(key)


def _write(session: Session, notice: Aviso, lines: Sequence[Linea], turno: Turno) -> None:
    """Write the rows of the lines: new ones in the order of the file, those of the tray where they stand."""
    fresh = sorted(
        (line for line in lines if line.fila_id is None), key=lambda line: (line.leida.hoja, line.leida.fila)
    )
    rows = [_row(line, notice) for line in fresh]
    insert_rows(session, LineaNotificada, rows)
    for line in lines:
        if line.fila_id is None:
            continue
        values = _row(line, notice)
        if line.destino in DONE:
            values |= {"resuelta_at": turno.at, "resuelta_por": turno.actor}
        session.execute(
            update(LineaNotificada)
            .where(LineaNotificada.id == line.fila_id)
            .values(values)
            .execution_options(synchronize_session=False)
        )


def _row(line: Linea, notice: Aviso) -> dict[str, Any]:
    read = line.leida
    found = line.cruce.factura
    return {
        "prestador_id": notice.prestador_id,
        "notificacion_id": notice.id,
        "hoja": read.hoja[:80],
        "fila": read.fila,
        "destino": line.destino,
        "razon": line.razon,
        "motivo": line.motivo if line.motivo is not None or not line.avisos else " ".join(line.avisos),
        "valor": read.valor if abs(read.valor) < 2**63 else 0,
        "contenido": line_content(line),
        "factura_id": found.id if found is not None else None,
        "glosa_id": line.glosa_id,
        "devolucion_id": line.devolucion_id,
    }
