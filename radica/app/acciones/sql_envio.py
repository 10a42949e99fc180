"""Everything the page of one envío tells, read in one go and without Flask.

Invariant: only rows of the envío's own provider; the envío was loaded and authorised by the caller, and no byte of a
document is touched here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from radica.app.acciones.sql_tablero import Fila, row_of
from radica.app.paginas.consultas_factura import class_name, is_picture
from radica.app.paginas.frases import INTENTOS, LECTURAS, Linea, timeline, who
from radica.audit.services import history
from radica.custodia.models import Pieza
from radica.custodia.services import pieces_of
from radica.entidades.models import Prestador
from radica.facturas.models import Factura
from radica.jobs.models import Job, JobState
from radica.portales.models import CuentaPortal
from radica.radicacion.cajas import Caja, cajas
from radica.radicacion.entrega import GROUP as PREPARED
from radica.radicacion.entrega import lineage_of, perfil_de, plans_of
from radica.radicacion.linaje_models import Linaje
from radica.radicacion.manual import Options, options_for, packages_of
from radica.radicacion.models import Envio, Intento, Lectura
from radica.radicacion.package import PackageFile, Rechazo
from radica.radicacion.perfil_paquete import Perfil
from radica.radicacion.services import KIND_LOOK_UP, facturas_of
from radica.radicacion.states import Acto, EstadoIntento
from radica.users.models import Tarea
from radica.users.services import actor_names

OUTCOMES = {
    "accepted": "El portal dio el acuse",
    "rejected": "El portal la rechazó",
    "not_submitted": "No se llegó a enviar",
    "duplicate": "El portal dijo que ya la tenía",
    "unknown": "No se supo si el portal la recibió",
    "stopped": "Se detuvo antes de enviar",
    "abandonado": "Quedó a medias antes de enviar",
    "tardio": "Respondió tarde",
}
MANUAL_CLASES = {"constancia": "Constancia", "correo": "Correo del pagador", "captura": "Imagen de la pantalla"}
MOVES = {
    "crear": ("Se ordenó enviar", "curso"),
    "radicar": ("Radicado", "bien"),
    "recibir_sin_numero": ("El pagador la recibió sin dar número", "aviso"),
    "rechazar": ("El pagador lo rechazó", "mal"),
    "cancelar": ("Se retiró antes de enviar nada", "neutro"),
}


@dataclass(frozen=True)
class PiezaVista:
    """A sealed piece with its name for a person."""

    pieza: Pieza
    nombre: str
    imagen: bool


@dataclass(frozen=True)
class IntentoVisto:
    """One attempt, newest first: its state and outcome in words, its readings and evidence."""

    intento: Intento
    estado: str
    resultado: str
    lecturas: Sequence[tuple[Lectura, str]]
    piezas: Sequence[PiezaVista]


@dataclass(frozen=True)
class EnvioVisto:
    """The whole page. `next_reading_ms`: when the portal is asked again (database clock), None if nothing is due."""

    fila: Fila
    facturas: Sequence[Factura]
    intentos: Sequence[IntentoVisto]
    propias: Sequence[PiezaVista]
    historia: Sequence[Linea]
    opciones: Options
    tareas: Sequence[Tarea]
    cuenta: CuentaPortal | None
    next_reading_ms: int | None
    por_confirmar: IntentoVisto | None
    paquete: Sequence[PackageFile]
    perfil: Perfil | None
    """Whose rules the package follows; None for an answer."""
    cajas: Sequence[Caja]
    rechazos: Sequence[Rechazo]
    cambios: Sequence[Linaje]
    """What had to be done to files of it."""


def load_view(session: Session, envio: Envio) -> EnvioVisto:
    """Read the page of an envío."""
    attempts = list(
        session.scalars(select(Intento).where(Intento.envio_id == envio.id).order_by(Intento.numero.desc()))
    )
    ids = [one.id for one in attempts]
    readings = list(session.scalars(select(Lectura).where(Lectura.intento_id.in_(ids)).order_by(Lectura.id)))
    pieces = pieces_of(session, prestador_id=envio.prestador_id, case_keys=[envio.case_key])
    moves = history(session, [envio.case_key])
    names = actor_names(session, {one.actor for one in moves} | {one.sellada_por for one in pieces})
    lines = list(timeline([], [], attempts, readings, names))
    for move in moves:
        title, tone = MOVES.get(move.event, ("", ""))
        if move.event == "radicar":
            title = f"Radicado con número {(move.facts or {}).get('radicado')}"
        if title:
            lines.append(Linea(move.at, title, who(move.actor, names), move.note, tone, len(move.evidence or [])))
        else:
            lines += timeline([move], [], [], [], names)
    seen = [_attempt(one, readings, pieces) for one in attempts]
    taken = {one.pieza.id for attempt in seen for one in attempt.piezas}
    tasks = select(Tarea).where(Tarea.case_key == envio.case_key, Tarea.cerrada_at.is_(None)).order_by(Tarea.id)
    nit = session.get_one(Prestador, envio.prestador_id).nit
    doubt = (EstadoIntento.DESCONOCIDO, EstadoIntento.ESPERA_PERSONA)
    return EnvioVisto(
        fila=row_of(session, envio),
        facturas=facturas_of(session, envio),
        intentos=seen,
        propias=[_piece(one) for one in pieces if one.id not in taken and one.group_key != PREPARED],
        historia=sorted(lines, key=lambda line: line.at, reverse=True),
        opciones=options_for(envio, attempts),
        tareas=list(session.scalars(tasks)),
        cuenta=session.get(CuentaPortal, envio.cuenta_id) if envio.cuenta_id else None,
        next_reading_ms=_next_reading(session, envio),
        por_confirmar=next((one for one in seen if one.intento.estado in doubt), None),
        paquete=[item for _, files in packages_of(session, envio, nit) for item in files],
        **_delivery(session, envio, nit),
    )


def _delivery(session: Session, envio: Envio, nit: str) -> dict[str, Any]:
    """Return what the page tells of the payer's rules: the ZIPs, what cannot be met, and what was changed."""
    if envio.acto is not Acto.RADICACION:
        return {"perfil": None, "cajas": [], "rechazos": [], "cambios": []}
    planes = plans_of(session, envio, nit)
    changed = [row for one, _ in planes for row in lineage_of(session, one.id, envio.id)]
    return {
        "perfil": perfil_de(session, envio),
        "cajas": cajas([(one.id, one.numero, plan) for one, plan in planes], nit=nit, envio_id=envio.id),
        "rechazos": [one for _, plan in planes for one in plan.rechazos],
        "cambios": changed,
    }


def _attempt(row: Intento, readings: Sequence[Lectura], pieces: Sequence[Pieza]) -> IntentoVisto:
    own = [one for one in readings if one.intento_id == row.id]
    groups = {f"intento:{row.id}", *(f"lectura:{one.id}" for one in own)}
    return IntentoVisto(
        intento=row,
        estado=INTENTOS[row.estado],
        resultado=OUTCOMES.get(row.resultado or "", ""),
        lecturas=[(one, LECTURAS.get(one.resultado, one.resultado)) for one in own],
        piezas=[_piece(one) for one in pieces if one.group_key in groups],
    )


def _piece(row: Pieza) -> PiezaVista:
    return PiezaVista(row, MANUAL_CLASES.get(row.clase) or class_name(row), is_picture(row))


def _next_reading(session: Session, envio: Envio) -> int | None:
    return session.scalar(
        select(Job.run_after_ms)
        .where(Job.subject == envio.case_key, Job.kind == KIND_LOOK_UP, Job.state == JobState.READY)
        .order_by(Job.run_after_ms)
        .limit(1)
    )
