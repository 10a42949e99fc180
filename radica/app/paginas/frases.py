"""Sentences that a person would say: the state of an invoice, what comes next, and each line of its history.

Invariant: pure; the words are the trade's and never the machinery's; nothing clinical is said. A state that is not in
a table here would fail the test that walks all states and events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from radica.audit.models import Transition
from radica.facturas.models import Documento, Factura, TipoDocumento
from radica.facturas.states import EstadoFactura
from radica.kernel.web_format import entero, fecha
from radica.radicacion.models import Intento, Lectura
from radica.radicacion.states import EstadoIntento

TIPOS = {
    TipoDocumento.FEV: "Factura electrónica (FEV)",
    TipoDocumento.INVOICE: "Factura electrónica sin contenedor",
    TipoDocumento.NOTA_CREDITO: "Nota crédito",
    TipoDocumento.NOTA_DEBITO: "Nota débito",
    TipoDocumento.RESPUESTA_DIAN: "Respuesta de la DIAN",
    TipoDocumento.RIPS: "RIPS",
    TipoDocumento.CUV: "Resultado de MinSalud (CUV)",
    TipoDocumento.SOPORTE: "Soporte",
}
CORTOS = {**{kind: kind.value.replace("_", " ").lower() for kind in TipoDocumento}, TipoDocumento.FEV: "FEV"}
CORTOS |= {TipoDocumento.RIPS: "RIPS", TipoDocumento.CUV: "CUV", TipoDocumento.INVOICE: "factura electrónica"}

INTENTOS = {
    EstadoIntento.PREPARANDO: "Preparando el envío",
    EstadoIntento.ENVIANDO: "Enviando",
    EstadoIntento.TERMINADO: "Terminado",
    EstadoIntento.DESCONOCIDO: "Por confirmar",
    EstadoIntento.HALLADO: "Hallado en el portal",
    EstadoIntento.AUSENTE: "El portal no la tiene",
    EstadoIntento.ESPERA_PERSONA: "Espera a una persona",
}
LECTURAS = {
    "found": "El portal dice que la tiene",
    "known_without_number": "El portal la conoce, sin número",
    "absent": "El portal dice que no la tiene",
    "cannot_say": "El portal no pudo decirlo",
}
MOVIMIENTOS = {
    ("factura", "crear"): ("Se creó la factura", "neutro"),
    ("factura", "faltar_documentos"): ("Quedó incompleta: le faltan documentos", "aviso"),
    ("factura", "hallar_bloqueos"): ("La revisión halló errores que impiden radicarla", "mal"),
    ("factura", "quedar_lista"): ("Quedó lista para radicar", "bien"),
    ("factura", "abrir_envio"): ("Se ordenó radicarla", "curso"),
    ("factura", "congelar_tarifa"): ("Se congeló la tarifa que le aplicaba", "neutro"),
    ("factura", "radicar"): ("Radicada", "bien"),
    ("factura", "recibir_sin_numero"): ("El pagador la recibió, pero no dio el número", "aviso"),
    ("factura", "rechazar"): ("El pagador la rechazó", "mal"),
    ("factura", "cancelar_envio"): ("Se retiró el envío antes de mandar nada", "neutro"),
    ("factura", "pedir_anulacion"): ("Se pidió anularla y expedir otra", "aviso"),
    ("factura", "desistir_anulacion"): ("Se desistió de anularla", "neutro"),
    ("factura", "anular"): ("Anulada con nota crédito", "neutro"),
    ("factura", "aceptar_hallazgo"): ("Se aceptó un hallazgo", "aviso"),
    ("factura", "retirar_aceptacion"): ("Se retiró la aceptación de un hallazgo", "neutro"),
    ("factura", "registrar_pago"): ("Se registró un pago", "bien"),
    ("factura", "anular_pago"): ("Se anuló un pago mal registrado", "neutro"),
    ("factura", "responder_muv"): ("Respondió el validador de MinSalud", "curso"),
    ("envio", "intentar"): ("El bot pidió permiso para enviar: desde aquí pudo llegar al pagador", "curso"),
    ("envio", "confirmar_ausente"): ("Se confirmó que el portal no la tiene; se intenta de nuevo", "aviso"),
    ("envio", "subir_nivel"): ("Llegó una prueba mejor de la radicación", "bien"),
}
"""(thing, event) → sentence and tone. Moves of an envío that repeat those of its invoice are left out."""


@dataclass(frozen=True)
class Linea:
    """One line of the history, as the macro `timeline` takes it."""

    at: datetime
    title: str
    who: str = ""
    detail: str = ""
    tone: str = "neutro"
    evidence: int = 0
    href: str = ""


def who(actor: str, names: dict[str, str]) -> str:
    """Return how a person calls an actor of the history."""
    if actor in names and names[actor] != actor:
        return names[actor]
    for prefix, words in (("bot:", "bot"), ("consola:", "consola del servidor"), ("usuario:", "una persona")):
        if actor.startswith(prefix):
            return words
    return {"reloj": "reloj", "buzon": "carpeta vigilada", "correo": "buzón de correo"}.get(actor, actor)


def state_sentence(row: Factura, payer: str | None) -> str:
    """Say the state of an invoice as one sentence."""
    return _sentence(row, f" en {payer}" if payer else "").replace("..", ".")


def _sentence(row: Factura, whom: str) -> str:
    if row.estado is EstadoFactura.RADICADA:
        return f"Radicada el {fecha(row.fecha_radicacion)}{whom}, radicado {row.radicado}, prueba de nivel {row.nivel_prueba}."
    return {
        EstadoFactura.INCOMPLETA: "Incompleta: todavía no se puede radicar porque le faltan documentos.",
        EstadoFactura.NO_LISTA: "No está lista: hay que corregir lo que halló la revisión antes de radicarla.",
        EstadoFactura.LISTA: f"Lista para radicar{whom}.",
        EstadoFactura.EN_RADICACION: f"En radicación{whom}: ya se ordenó y aún no hay acuse.",
        EstadoFactura.RECIBIDA_SIN_NUMERO: f"Recibida{whom} sin número de radicado: falta conseguirlo.",
        EstadoFactura.POR_ANULAR: "Por anular: se venció el término para radicarla y hay que expedir otra.",
        EstadoFactura.ANULADA: "Anulada con nota crédito.",
    }[row.estado]


def timeline(
    moves: Sequence[Transition],
    documents: Sequence[Documento],
    attempts: Sequence[Intento],
    readings: Sequence[Lectura],
    names: dict[str, str],
) -> list[Linea]:
    """Return the history, newest first: moves, loads of documents, outcomes in doubt and what the portal answered."""
    lines = [line for move in moves if (line := _move(move, names)) is not None]
    lines += _loads(documents, names)
    lines += [
        Linea(one.terminado_at, "No se supo si el portal la recibió: por confirmar", "bot", "", "aviso")
        for one in attempts
        if one.resultado == "unknown" and one.terminado_at is not None
    ]
    lines += [
        Linea(one.at, LECTURAS.get(one.resultado, one.resultado), "bot", _reading_detail(one)) for one in readings
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _move(move: Transition, names: dict[str, str]) -> Linea | None:
    found = MOVIMIENTOS.get((move.thing, move.event))
    if found is None:
        return None
    title, tone = found
    facts = move.facts or {}
    if move.event == "radicar" and facts.get("radicado"):
        title = f"Radicada con número {facts['radicado']}, prueba de nivel {facts.get('nivel')}"
    if move.event in ("aceptar_hallazgo", "retirar_aceptacion") and facts.get("codigo"):
        title = f"{title} ({facts['codigo']})"
    if move.event == "hallar_bloqueos" and move.note:
        title = "Se decidió revisarla de nuevo"
    return Linea(move.at, title, who(move.actor, names), move.note, tone, len(move.evidence or []))


def _loads(documents: Sequence[Documento], names: dict[str, str]) -> list[Linea]:
    groups: dict[tuple[datetime, str], list[Documento]] = {}
    for doc in documents:
        groups.setdefault((doc.cargado_at, doc.cargado_por), []).append(doc)
    lines = []
    for (at, actor), docs in groups.items():
        kinds = list(dict.fromkeys(doc.sigla or CORTOS[doc.tipo] for doc in docs))
        shown = ", ".join(kinds[:8]) + (f" y {entero(len(kinds) - 8)} más" if len(kinds) > 8 else "")
        count = "Se cargó 1 documento" if len(docs) == 1 else f"Se cargaron {entero(len(docs))} documentos"
        lines.append(Linea(at, count, who(actor, names), shown))
    return lines


def _reading_detail(reading: Lectura) -> str:
    parts = [f"radicado {reading.radicado}"] if reading.radicado else []
    if reading.fecha:
        parts.append(f"del {fecha(reading.fecha)}")
    return ", ".join(parts) or reading.detalle.partition(": ")[2] or reading.detalle


def document_name(doc: Documento, supports: dict[str, str]) -> str:
    """Return how a person calls a document; `supports` names each sigla."""
    if doc.tipo is TipoDocumento.SOPORTE:
        return supports.get(doc.sigla, "Soporte")
    if doc.tipo is TipoDocumento.RIPS and doc.sigla:
        return f"RIPS de nota ({doc.sigla})"
    return TIPOS[doc.tipo]


def since(day: date | None) -> str:
    """Write a day, or that nobody said it."""
    return fecha(day) if day else "no consta"
