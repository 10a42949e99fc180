"""The report of a verification as PDF: what was looked at, what was found, the seals and their authorities, and limits.

Invariant: every figure is read from the verification, none is judged here; it says what it does not prove; equal facts
give equal bytes. It names objects by key and hash, so that no patient is in it. Norm: Ley 527/1999 arts. 9 and 11.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import letter
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, Table
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from radica.app.handlers.verificacion import CUENTAS, GRAVEDADES, TIPOS
from radica.custodia.check_models import EstadoVerificacion, Gravedad, HallazgoCustodia, TipoHallazgo, Verificacion
from radica.custodia.seal_models import Sello, TokenTiempo
from radica.custodia.sellos import unsealed
from radica.custodia.verificar import NOCTURNA, findings, summary
from radica.entidades.models import Prestador
from radica.glosas.respuesta import paper
from radica.kernel.web_format import entero, fecha_hora

SEALS = 12
"""Latest seals that are listed."""
MOST = 1000
"""Findings that are written out."""

LIMITS = (
    "Que los documentos digan la verdad: solo que son los mismos bytes que se guardaron.",
    "Lo ocurrido después del último sello estampado; de lo que pasó entre dos sellos, solo que fue antes del segundo.",
    "Los datos de trabajo que no están en la historia encadenada: valores, textos, nombre y clase de una pieza.",
    "Que nadie reemplazó a la vez base, archivos y sellos, si las raíces no se compararon con lo publicado fuera.",
    "La hora, si la autoridad no está acreditada por el ONAC: es su palabra, no un estampado cronológico.",
)
"""What no verification of ours proves."""


@dataclass(frozen=True)
class SelloVisto:
    """A seal as the report tells it: size of its tree, root, when, and what each authority says."""

    id: int
    hojas: int
    raiz: str
    creado: str
    estampas: tuple[str, ...]


@dataclass(frozen=True)
class Informe:
    """The facts of the report."""

    numero: int
    prestadores: tuple[str, ...]
    alcance: str
    origen: str
    actor: str
    iniciada: str
    terminada: str
    cuentas: tuple[tuple[str, int], ...]
    bytes: int
    gravedades: tuple[tuple[str, int], ...]
    hallazgos: tuple[tuple[str, str, str, str, str, str], ...]
    callados: int
    sellos: tuple[SelloVisto, ...]
    sin_sellar: int

    @property
    def sha256(self) -> str:
        """Hash of the contents: sorted JSON, UTF-8."""
        body = {**asdict(self), "version": 1}
        return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def scope_words(row: Verificacion) -> str:
    """Say what a verification looked at."""
    scope = row.alcance
    if scope.get("factura"):
        return f"Factura {scope['factura']}: sus asuntos, documentos y piezas"
    if scope.get("desde"):
        return f"Lo guardado y escrito desde {fecha_hora(datetime.fromisoformat(scope['desde']))}"
    if row.origen == NOCTURNA and (scope.get("tras_blob") or row.cuentas.get("hasta")):
        return "Toda la historia y los sellos; los archivos, la parte que alcanzó la noche"
    return "Toda la casa"


def gather_report(session: Session, verificacion_id: int, *, prestadores: Sequence[int]) -> Informe:
    """Collect the facts for people of these providers. Raises NotFound when there is no such verification."""
    ended = summary(session, verificacion_id, prestadores=prestadores)
    row = session.get_one(Verificacion, verificacion_id)
    found = findings(session, verificacion_id, prestadores=prestadores, limit=MOST)
    names = session.scalars(select(Prestador.nombre).where(Prestador.id.in_(prestadores)).order_by(Prestador.nombre))
    unfinished = "Sin terminar" if row.estado is not EstadoVerificacion.PAUSADA else "En pausa"
    return Informe(
        numero=row.id,
        prestadores=tuple(names),
        alcance=scope_words(row),
        origen="Revisión de cada noche" if row.origen == NOCTURNA else "Pedida por una persona",
        actor=row.actor,
        iniciada=fecha_hora(row.iniciada_at),
        terminada=fecha_hora(row.terminada_at) if row.terminada_at else unfinished,
        cuentas=tuple((words, ended.cuentas[key]) for key, words in CUENTAS.items() if key in ended.cuentas),
        bytes=ended.bytes,
        gravedades=tuple((GRAVEDADES[one], ended.gravedades.get(one.value, 0)) for one in Gravedad),
        hallazgos=tuple(_finding(one) for one in found),
        callados=sum(ended.tipos.values()) - len(found),
        sellos=tuple(seen_seal(session, one) for one in last_seals(session, limit=SEALS)),
        sin_sellar=unsealed(session),
    )


def last_seals(session: Session, *, limit: int, before: int = 0) -> list[Sello]:
    """Return the newest seals, or the newest that are older than the seal `before`."""
    query = select(Sello).order_by(Sello.id.desc()).limit(limit)
    return list(session.scalars(query.where(Sello.id < before) if before else query))


def seen_seal(session: Session, sello: Sello) -> SelloVisto:
    """Return a seal with what the authorities say of it."""
    tokens = session.scalars(select(TokenTiempo).where(TokenTiempo.sello_id == sello.id).order_by(TokenTiempo.hora))
    words = tuple(
        f"{one.tsa}: {fecha_hora(one.hora)}, serie {one.serie}, {'acreditada' if one.acreditada else 'sin acreditación'}"
        for one in tokens
    )
    return SelloVisto(sello.id, sello.hojas, sello.raiz, fecha_hora(sello.creado_at), words)


def count_seals(session: Session) -> tuple[int, int]:
    """Return how many seals there are, and how many have a time stamp."""
    seals = session.scalar(select(func.count()).select_from(Sello)) or 0
    stamped = session.scalar(select(func.count(func.distinct(TokenTiempo.sello_id)))) or 0
    return seals, stamped


def _finding(one: HallazgoCustodia) -> tuple[str, str, str, str, str, str]:
    kind = TIPOS[TipoHallazgo(one.tipo)]
    return GRAVEDADES[one.gravedad], kind, one.objeto, one.detalle, one.esperado, one.hallado


# --- The sheets -----------------------------------------------------------------------------------------------------


def integrity_pdf(informe: Informe) -> bytes:
    """Return the report as PDF, each sheet with its folio and the hash of the contents."""
    out = io.BytesIO()
    title = f"Informe de integridad N.º {informe.numero}"
    document = SimpleDocTemplate(
        out,
        pagesize=letter,
        leftMargin=paper.MARGIN,
        rightMargin=paper.MARGIN,
        topMargin=paper.MARGIN,
        bottomMargin=20 * mm,
        title=paper.letters(title),
        invariant=1,
    )
    document.build(_story(informe, title, document.width - 12))  # the frame's own padding
    return paper.join(out.getvalue(), [], title=paper.letters(title), foot=f"Contenido SHA-256 {informe.sha256}")


def _story(informe: Informe, title: str, width: Any) -> list[Flowable]:
    grave = dict(informe.gravedades)[GRAVEDADES[Gravedad.GRAVE]]
    said = dict(informe.gravedades)
    verdict = (
        f"<b>Se hallaron {entero(grave)} cosas graves.</b> Están en la lista de hallazgos, con lo que se esperaba."
        if grave
        else "<b>No se halló nada grave:</b> lo revisado está como se guardó."
    )
    facts = [
        ("Prestadores", ", ".join(informe.prestadores)),
        ("Qué se revisó", informe.alcance),
        ("Quién", f"{informe.origen} ({informe.actor})"),
        ("Comenzó", informe.iniciada),
        ("Terminó", informe.terminada),
    ]
    return [
        Paragraph(escape(paper.letters(title)), paper.TITLE),
        Spacer(1, 4),
        *(Paragraph(f"<b>{name}:</b> {escape(paper.letters(value))}", paper.BASE) for name, value in facts),
        Spacer(1, 4),
        Paragraph(verdict, paper.BASE),
        Paragraph("Por gravedad: " + ", ".join(f"{name.lower()} {entero(n)}" for name, n in said.items()), paper.BASE),
        *_counts(informe, width),
        *_findings(informe, width),
        *_seals(informe, width),
        Paragraph("Qué no prueba", paper.SECTION),
        *(Paragraph(f"• {escape(paper.letters(one))}", paper.BASE) for one in LIMITS),
    ]


def _counts(informe: Informe, width: Any) -> list[Flowable]:
    rows: list[list[Any]] = [[paper.head("Cuántos", number=True), paper.head("Qué se miró")]]
    rows += [[paper.right(entero(count)), paper.cell(words)] for words, count in informe.cuentas]
    rows.append([paper.right(entero(informe.bytes)), paper.cell("bytes leídos")])
    table = Table(rows, colWidths=[width * 0.2, width * 0.8], style=paper.grid(), repeatRows=1)
    return [Paragraph("Lo revisado", paper.SECTION), table]


def _findings(informe: Informe, width: Any) -> list[Flowable]:
    story: list[Flowable] = [Paragraph("Hallazgos", paper.SECTION)]
    if not informe.hallazgos:
        return [*story, Paragraph("Ninguno.", paper.BASE)]
    rows: list[list[Any]] = [
        [paper.head(one) for one in ("Gravedad", "Tipo", "Objeto y qué pasa", "Esperado y hallado")]
    ]
    for weight, kind, what, words, expected, found in informe.hallazgos:
        both = [Paragraph(escape(paper.letters(one)), paper.HASH) for one in (expected, found) if one]
        said = [Paragraph(escape(paper.letters(what)), paper.HASH), paper.cell(words)]
        rows.append([paper.cell(weight), paper.cell(kind), said, both or ""])
    shares = (0.1, 0.13, 0.39, 0.38)
    story.append(LongTable(rows, colWidths=[width * one for one in shares], style=paper.grid(), repeatRows=1))
    if informe.callados:
        words = f"Hay {entero(informe.callados)} hallazgos más, que están en la página Integridad."
        story.append(Paragraph(words, paper.SMALL))
    return story


def _seals(informe: Informe, width: Any) -> list[Flowable]:
    story: list[Flowable] = [Paragraph("Sellos", paper.SECTION)]
    waits = f"{entero(informe.sin_sellar)} cadenas esperan el siguiente sello."
    if not informe.sellos:
        return [*story, Paragraph(f"Todavía no hay ninguno. {waits}", paper.BASE)]
    rows: list[list[Any]] = [[paper.head(one) for one in ("Sello", "Hojas", "Raíz y fecha", "Estampas de tiempo")]]
    for one in informe.sellos:
        stamps = [paper.cell(words) for words in one.estampas] or [paper.cell("Sin estampa de tiempo")]
        root = [Paragraph(one.raiz, paper.HASH), paper.cell(one.creado)]
        rows.append([paper.cell(str(one.id)), paper.right(entero(one.hojas)), root, stamps])
    shares = (0.06, 0.08, 0.5, 0.36)
    table = LongTable(rows, colWidths=[width * one for one in shares], style=paper.grid(), repeatRows=1)
    return [
        *story,
        table,
        Paragraph(f"El más reciente primero. {waits}", paper.SMALL),
    ]
