"""What to do now with one invoice: short orders to a person, the first one being the page's primary action.

Invariant: says only what the present state allows; a step that the machines take by themselves says so, and a state
that waits for a person names the task. Norm: Res. 948/2026 art. 15 and par. 1 (file in term, or annul and reissue).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from radica.app.paginas.consultas_factura import Caso, EnvioVisto
from radica.facturas.models import Factura, Severidad
from radica.facturas.states import REVISABLES, EstadoFactura
from radica.jobs.models import JobState
from radica.radicacion.states import POR_CONFIRMAR, EstadoEnvio


class Accion(StrEnum):
    """Where a step leads; the template knows the address."""

    CARGAR = "cargar"
    HALLAZGOS = "hallazgos"
    RADICAR = "radicar"
    ENVIO = "envio"
    DECIDIR = "decidir"
    TABLERO = "tablero"
    NINGUNA = ""


@dataclass(frozen=True)
class Paso:
    """One step. `boton` is the label of its button, empty when there is nothing to press."""

    titulo: str
    texto: str
    accion: Accion = Accion.NINGUNA
    boton: str = ""
    tono: str = "neutro"
    envio_id: int | None = None


def next_steps(caso: Caso, hoy: date) -> list[Paso]:
    """Return the steps, most important first; never empty."""
    steps = _open_filing(caso.envio) if caso.factura.estado is EstadoFactura.EN_RADICACION else []
    return steps or _by_state(caso, hoy)


def lapsed(row: Factura, hoy: date) -> bool:
    """Say whether RAD-01 lapsed and nobody authorised filing it late."""
    waiting = row.estado in REVISABLES and row.vence_radicar is not None and not row.extemporanea_por
    return waiting and row.vence_radicar is not None and row.vence_radicar < hoy


def _by_state(caso: Caso, hoy: date) -> list[Paso]:
    row = caso.factura
    state = row.estado
    if lapsed(row, hoy):
        return [
            Paso(
                "Se venció el término para radicar",
                "Se anula con nota crédito por todo su valor y se expide otra; o un rol autorizado ordena, con motivo, "
                "radicarla así: el pagador podrá devolverla (DE56).",
                Accion.DECIDIR,
                "Decidir",
                "mal",
            )
        ]
    blocks = [one for one in caso.hallazgos if one.severidad is Severidad.BLOQUEO]
    if state is EstadoFactura.INCOMPLETA:
        texts = " ".join(dict.fromkeys(one.mensaje for one in blocks)) or "Falta cargar la factura, el RIPS o el CUV."
        return [Paso("Cargar lo que falta", texts, Accion.CARGAR, "Cargar archivos", "aviso")]
    if state is EstadoFactura.NO_LISTA:
        many = len(blocks) != 1
        found = f"{len(blocks)} errores. Corríjalos" if many else "un error. Corríjalo"
        text = f"La revisión halló {found} en su origen y cargue los documentos corregidos."
        return [Paso("Corregir antes de radicar", text, Accion.HALLAZGOS, "Ver qué corregir", "mal")]
    if state is EstadoFactura.LISTA:
        how = (
            "El bot la radica en el portal del pagador."
            if caso.con_bot
            else "Este pagador no tiene bot: se radica a mano."
        )
        return [Paso("Radicar", how, Accion.RADICAR, "Radicar", "curso")]
    if state is EstadoFactura.RECIBIDA_SIN_NUMERO:
        text = "El pagador la tiene y no dijo el número. Pídalo y regístrelo con su evidencia: así queda radicada."
        return [Paso("Conseguir el número de radicado", text, Accion.ENVIO, "Registrar el número", "aviso", _id(caso))]
    if state is EstadoFactura.RADICADA:
        return [
            Paso("Nada por hacer aquí", "Corren los términos del pagador; si devuelve o glosa, aparecerá.", tono="bien")
        ]
    if state is EstadoFactura.POR_ANULAR:
        text = "Emita la nota crédito por todo el valor, cárguela y expida la factura nueva."
        return [Paso("Anular y volver a expedir", text, Accion.CARGAR, "Cargar la nota crédito", "aviso")]
    return [
        Paso("Nada por hacer", "La factura está anulada." if state is EstadoFactura.ANULADA else "Está en radicación.")
    ]


def _open_filing(visto: EnvioVisto | None) -> list[Paso]:
    if visto is None:
        return []
    envio = visto.envio
    last = visto.intentos[0].intento if visto.intentos else None
    if last is not None and last.estado in POR_CONFIRMAR:
        text = (
            last.detalle
            or "El portal no respondió; se consulta hasta saber si la recibió. No se vuelve a enviar a ciegas."
        )
        return [Paso("Por confirmar", text, Accion.ENVIO, "Ver y decidir", "aviso", envio.id)]
    if envio.canal == "mano":
        text = "Descargue el paquete, radíquelo ante el pagador y registre fecha, número y constancia."
        return [Paso("Radicar a mano", text, Accion.ENVIO, "Abrir el envío", "aviso", envio.id)]
    job = visto.job
    if job is not None and job.state is JobState.RUNNING:
        return [
            Paso(
                "El bot la está radicando",
                job.progress or "Empezando.",
                Accion.ENVIO,
                "Ver el envío",
                "curso",
                envio.id,
            )
        ]
    if job is not None:
        return [
            Paso(
                "En la cola del bot",
                "Se radica sola cuando llegue su turno.",
                Accion.ENVIO,
                "Ver el envío",
                "curso",
                envio.id,
            )
        ]
    if envio.estado is EstadoEnvio.PREPARADO:
        text = "El bot se detuvo antes de enviar nada. Mire por qué y decida."
        return [Paso("Se detuvo", text, Accion.ENVIO, "Abrir el envío", "mal", envio.id)]
    return [
        Paso("En radicación", "Se espera la respuesta del pagador.", Accion.ENVIO, "Ver el envío", "curso", envio.id)
    ]


def _id(caso: Caso) -> int | None:
    return caso.envio.envio.id if caso.envio else None
