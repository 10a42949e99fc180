"""Sentences of the story of an objection: its acts, the moves of our answers, what comes next.

Invariant: only words and links; nothing clinical is said here, only what a row of the history tells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import url_for

from radica.app.paginas.frases import Linea, who
from radica.audit.models import Transition
from radica.glosas.bandeja.work_log import Entrega
from radica.glosas.models import Acto, TipoActo
from radica.kernel.web_format import cop, fecha

ACTOS = {
    TipoActo.NOTIFICACION: ("Notificada por el pagador", "aviso"),
    TipoActo.RESPUESTA: ("Respuesta presentada", "curso"),
    TipoActo.DECISION: ("Decisión del pagador", "neutro"),
    TipoActo.SUBSANACION: ("Segunda respuesta presentada", "curso"),
    TipoActo.SILENCIO: ("Venció un término sin respuesta", "mal"),
    TipoActo.CONCILIACION: ("Conciliada en acta", "bien"),
    TipoActo.CORRECCION: ("Corrección", "neutro"),
}
MOVIMIENTOS = {
    "crear": ("Se empezó la respuesta", "neutro"),
    "pedir_aprobacion": ("La respuesta pasó a aprobación", "curso"),
    "aprobar": ("Respuesta aprobada", "bien"),
    "devolver": ("La respuesta volvió a borrador", "aviso"),
    "enviar": ("La respuesta salió hacia el pagador", "curso"),
    "volver": ("El envío no siguió: la respuesta espera otro", "aviso"),
    "descartar": ("Se descartó la respuesta", "neutro"),
}
"""Moves of an answer; that it was presented is an act and stands there."""

PALABRAS = {
    "levanta": "la levanta",
    "parcial": "levanta una parte",
    "ratifica": "la ratifica",
    "reitera": "la reitera",
    "acta": "según el acta firmada",
    "definitiva": "declarada definitiva",
    "anulada": "anulada",
    "reabierta": "reabierta",
    "fecha": "fecha de notificación",
}
"""What an act holds instead of a code of the manual."""
_MEETING = re.compile(r"conciliacion:(\d{1,18})")


ENTREGAS = {
    "asignar": ("Asignada", "neutro"),
    "repartir": ("Repartida por regla", "neutro"),
    "escalar": ("Escalada: su término se acaba", "aviso"),
    "pendiente": ("Pendiente", "neutro"),
}
"""How an objection changes hands, or waits."""


def story(
    acts: Sequence[Acto], moves: Sequence[Transition], names: dict[str, str], handed: Sequence[Entrega] = ()
) -> list[Linea]:
    """Return the history of an objection, newest first: acts with their money and evidence, our answers, its hands."""
    lines = [_act(one, names) for one in acts]
    for one in handed:
        title, tone = ENTREGAS[one.que]
        to = f"a {who(f'usuario:{one.usuario_id}', names)}" if one.usuario_id else one.detalle
        lines.append(Linea(one.at, title, who(one.actor, names), to, tone))
    for move in moves:
        if move.thing == "respuesta" and move.event in MOVIMIENTOS:
            title, tone = MOVIMIENTOS[move.event]
            code = str((move.facts or {}).get("codigo") or "")
            lines.append(Linea(move.at, f"{title} {code}".strip(), who(move.actor, names), move.note, tone))
        elif move.thing != "respuesta" and move.event in ("anular", "reabrir"):
            title = "Anulada" if move.event == "anular" else "Reabierta"
            lines.append(Linea(move.at, title, who(move.actor, names), move.note, "aviso", len(move.evidence or [])))
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _act(act: Acto, names: dict[str, str]) -> Linea:
    title, tone = ACTOS[act.tipo]
    parts = [PALABRAS.get(act.codigo, f"código {act.codigo}")] if act.codigo else []
    if act.aceptado:
        parts.append(f"aceptado {cop(act.aceptado)}")
    if act.levantado:
        parts.append(f"levantado {cop(act.levantado)}")
    term = act.plazo or {}
    if term.get("oportuno") is not None:
        parts.append(f"{'dentro' if term['oportuno'] else 'fuera'} de {term.get('termino', 'término')}")
    if act.registrado_at.date() != act.ocurrido_at.date():
        parts.append(f"registrada el {fecha(act.registrado_at)}")
    meeting = _MEETING.fullmatch(act.texto) if act.tipo is TipoActo.CONCILIACION else None
    if act.texto and act.tipo is not TipoActo.NOTIFICACION and meeting is None:
        parts.append(act.texto[:300])
    href = url_for("conciliacion.ver", conciliacion_id=int(meeting[1])) if meeting else ""
    told = " · ".join(parts)
    return Linea(act.ocurrido_at, title, who(act.actor, names), told, tone, len(act.evidencia or []), href)
