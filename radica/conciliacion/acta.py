"""What an acta says, gathered from the table: parties, people, lines with their proof, promises, the earlier acta.

Invariant: totals are the sums of the lines and are computed, never carried; equal contents have the equal SHA-256
that stands in the foot of the document. No patient is named. Norm: Circular conjunta 030/2013; Ley 527/1999 art. 9.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.conciliacion.models import Compromiso, Conciliacion, ConciliacionLinea
from radica.conciliacion.scope import key_of
from radica.conciliacion.services import lines_of
from radica.conciliacion.simulate import Reparto
from radica.conciliacion.table import codes_of
from radica.entidades.models import Pagador, Prestador
from radica.facturas.models import Factura
from radica.glosas.models import Acto
from radica.kernel.clock import bogota, civil_date
from radica.kernel.db import parts_of
from radica.kernel.web_format import fecha_larga

VERSION = 1
"""Of the contents that are hashed; another one when a field is added."""


@dataclass(frozen=True)
class Prueba:
    """One act upon a line: its day, what it was, its code, and the SHA-256 of its evidence."""

    fecha: str
    acto: str
    codigo: str
    autor: str
    hashes: tuple[str, ...]


@dataclass(frozen=True)
class Fila:
    """One line of the acta. Centavos."""

    factura: str
    radicado: str
    codigo: str
    tipo: str
    en_disputa: int
    levantado: int
    aceptado: int
    sigue: int
    nota: str
    pruebas: tuple[Prueba, ...]

    @property
    def reparto(self) -> Reparto:
        """The split of the line."""
        return Reparto(self.levantado, self.aceptado, self.sigue)


@dataclass(frozen=True)
class Parte:
    """A party: name and NIT."""

    nombre: str
    nit: str


@dataclass(frozen=True)
class Asistente:
    """Who attends, in what office, for whom (prestador, pagador, otro)."""

    nombre: str
    cargo: str
    por: str


@dataclass(frozen=True)
class Promesa:
    """A payment that the payer promises."""

    fecha: str
    valor: int
    nota: str


@dataclass(frozen=True)
class Contenido:
    """All that the acta says. Dates in ISO, of Bogotá."""

    numero: int
    prestador: Parte
    pagador: Parte
    fecha: str
    hora: str
    lugar: str
    fecha_corte: str
    asistentes: tuple[Asistente, ...]
    filas: tuple[Fila, ...]
    promesas: tuple[Promesa, ...]
    notas: str
    anterior: str = ""
    anterior_sha256: str = ""

    @property
    def total(self) -> Reparto:
        """The sum of the lines."""
        return sum((one.reparto for one in self.filas), Reparto())

    @property
    def facturas(self) -> int:
        """How many invoices the lines are of."""
        return len({one.factura for one in self.filas})

    def por_codigo(self) -> list[tuple[str, int, Reparto]]:
        """Return code, lines and sums, by code."""
        found: dict[str, tuple[int, Reparto]] = {}
        for one in self.filas:
            count, sums = found.get(one.codigo, (0, Reparto()))
            found[one.codigo] = (count + 1, sums + one.reparto)
        return [(code, *found[code]) for code in sorted(found)]

    @property
    def sha256(self) -> str:
        """The hash of the contents (sorted JSON, UTF-8)."""
        content = {"version": VERSION, **asdict(self)}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


def gather(session: Session, row: Conciliacion) -> Contenido:
    """Return what the acta of a meeting says now. Only reads."""
    provider, payer = session.get_one(Prestador, row.prestador_id), session.get_one(Pagador, row.pagador_id)
    held = bogota(row.citada_at) if row.citada_at else None
    earlier, earlier_hash = _earlier(session, row)
    promises = session.scalars(
        select(Compromiso).where(Compromiso.conciliacion_id == row.id).order_by(Compromiso.fecha, Compromiso.id)
    )
    return Contenido(
        numero=row.numero,
        prestador=Parte(provider.nombre, provider.nit),
        pagador=Parte(payer.nombre, payer.nit),
        fecha=held.date().isoformat() if held else "",
        hora=held.strftime("%H:%M") if held else "",
        lugar=row.lugar,
        fecha_corte=row.fecha_corte.isoformat(),
        asistentes=tuple(Asistente(one["nombre"], one.get("cargo", ""), one["por"]) for one in row.asistentes),
        filas=_rows(session, row),
        promesas=tuple(Promesa(one.fecha.isoformat(), one.valor, one.nota) for one in promises),
        notas=row.notas,
        anterior=earlier,
        anterior_sha256=earlier_hash,
    )


def _rows(session: Session, row: Conciliacion) -> tuple[Fila, ...]:
    lines = lines_of(session, row)
    codes = codes_of(session, row)
    invoices = {
        one.id: (one.numero, one.radicado or "")
        for one in session.execute(
            select(Factura.id, Factura.numero, Factura.radicado)
            .join(ConciliacionLinea, ConciliacionLinea.factura_id == Factura.id)
            .where(ConciliacionLinea.conciliacion_id == row.id)
            .distinct()
        )
    }
    proofs = _proofs(session, lines)
    return tuple(
        Fila(
            factura=invoices[line.factura_id][0],
            radicado=invoices[line.factura_id][1],
            codigo=codes[line.id],
            tipo="glosa" if line.glosa_id is not None else "devolucion",
            en_disputa=line.en_disputa,
            levantado=line.levantado,
            aceptado=line.aceptado,
            sigue=line.sigue,
            nota=line.nota,
            pruebas=tuple(proofs.get(key_of(line), ())),
        )
        for line in lines
    )


def _proofs(session: Session, lines: Sequence[ConciliacionLinea]) -> dict[str, list[Prueba]]:
    """Return the acts upon the objection of each line, oldest first."""
    found: dict[str, list[Prueba]] = {}
    for column, name in ((Acto.glosa_id, "glosa"), (Acto.devolucion_id, "devolucion")):
        for part in parts_of(one for line in lines if (one := getattr(line, f"{name}_id")) is not None):
            acts = session.scalars(select(Acto).where(column.in_(part)).order_by(Acto.ocurrido_at, Acto.id))
            for act in acts:
                key = f"{name}:{act.glosa_id if name == 'glosa' else act.devolucion_id}"
                found.setdefault(key, []).append(
                    Prueba(
                        civil_date(act.ocurrido_at).isoformat(),
                        str(act.tipo),
                        act.codigo or "",
                        act.autor,
                        tuple(sorted(act.evidencia)),
                    )
                )
    return found


def _earlier(session: Session, row: Conciliacion) -> tuple[str, str]:
    if row.anterior_id is None:
        return "", ""
    before = session.get_one(Conciliacion, row.anterior_id)
    signed = day_words(civil_date(before.firmada_at)) if before.firmada_at else ""
    words = f"N.º {before.numero}, " + (f"firmada el {signed}" if signed else "sin acuerdo")
    return words, before.acta_firmada_sha256 or ""


def day_words(day: date) -> str:
    """Write a day as a document does: `21 de noviembre de 2026`."""
    return fecha_larga(day).partition(", ")[2]
