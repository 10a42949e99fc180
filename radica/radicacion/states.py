"""States of an envío (one intention of filing) and of an attempt (intento).

Invariant: an envío moves on facts; that a portal did not answer is a state of the attempt, never of the envío.
*Radicado* is entered only with a sealed acuse of proof level ≥ 2. Norm: Res. 948/2026 art. 15 (the payer gives a
unique filing number at once); proof levels 0–4 are the house's own scale.
"""

from __future__ import annotations

from enum import StrEnum

from radica.kernel.flow import Machine


class Acto(StrEnum):
    """The act that an envío carries to the payer."""

    RADICACION = "radicacion"
    RESPUESTA_GLOSA = "respuesta_glosa"  # Ley 1438/2011 art. 57
    RESPUESTA_DEVOLUCION = "respuesta_devolucion"  # Res. 2284/2023 art. 6.2


class EstadoEnvio(StrEnum):
    """State of the intention."""

    PREPARADO = "preparado"  # ordered, nothing can have reached the payer
    EN_CURSO = "en_curso"  # an intent was written: something may have reached the payer
    RADICADO = "radicado"  # acuse of level ≥ 2 sealed (Res. 948/2026 art. 15)
    RECIBIDO_SIN_NUMERO = "recibido_sin_numero"  # known to the payer without number, level 1
    RECHAZADO = "rechazado"  # the payer refused, with its reason
    CANCELADO = "cancelado"  # a person withdrew it before anything was sent


class EventoEnvio(StrEnum):
    """What moves an envío."""

    INTENTAR = "intentar"
    CONFIRMAR_AUSENTE = "confirmar_ausente"
    RADICAR = "radicar"
    RECIBIR_SIN_NUMERO = "recibir_sin_numero"
    RECHAZAR = "rechazar"
    CANCELAR = "cancelar"
    SUBIR_NIVEL = "subir_nivel"


E, V = EstadoEnvio, EventoEnvio

MACHINE = Machine(
    name="envio",
    states=EstadoEnvio,
    events=EventoEnvio,
    table={
        (E.PREPARADO, V.INTENTAR): E.EN_CURSO,
        (E.EN_CURSO, V.INTENTAR): E.EN_CURSO,  # a new attempt, only after the earlier one was settled as absent
        (E.EN_CURSO, V.CONFIRMAR_AUSENTE): E.PREPARADO,
        (E.PREPARADO, V.RADICAR): E.RADICADO,  # filed by hand, or found in the portal before we sent it
        (E.EN_CURSO, V.RADICAR): E.RADICADO,
        (E.RECIBIDO_SIN_NUMERO, V.RADICAR): E.RADICADO,
        (E.PREPARADO, V.RECIBIR_SIN_NUMERO): E.RECIBIDO_SIN_NUMERO,
        (E.EN_CURSO, V.RECIBIR_SIN_NUMERO): E.RECIBIDO_SIN_NUMERO,
        (E.PREPARADO, V.RECHAZAR): E.RECHAZADO,
        (E.EN_CURSO, V.RECHAZAR): E.RECHAZADO,
        (E.RECIBIDO_SIN_NUMERO, V.RECHAZAR): E.RECHAZADO,
        (E.PREPARADO, V.CANCELAR): E.CANCELADO,
        (E.RADICADO, V.SUBIR_NIVEL): E.RADICADO,  # better proof arrives later; the level never falls
    },
    labels={
        E.PREPARADO: "Preparado",
        E.EN_CURSO: "En curso",
        E.RADICADO: "Radicado",
        E.RECIBIDO_SIN_NUMERO: "Recibido sin número",
        E.RECHAZADO: "Rechazado",
        E.CANCELADO: "Cancelado",
    },
)

ABIERTOS = frozenset({E.PREPARADO, E.EN_CURSO})
LIBERAN = frozenset({E.RECHAZADO, E.CANCELADO})
"""States that free the invoices for a new round; every other one holds them (DESIGN section 5.0)."""


class EstadoIntento(StrEnum):
    """State of one attempt by a bot (technical: it moves on processes)."""

    PREPARANDO = "preparando"
    ENVIANDO = "enviando"  # intent written, `go` may have been given
    TERMINADO = "terminado"  # certain outcome, also "not submitted"
    DESCONOCIDO = "desconocido"  # on screen: Por confirmar
    HALLADO = "hallado"  # settled: the portal holds it
    AUSENTE = "ausente"  # settled: fenced, settled, read twice, absent
    ESPERA_PERSONA = "espera_persona"  # only a person can settle it


INTENTOS_VIVOS = frozenset({EstadoIntento.PREPARANDO, EstadoIntento.ENVIANDO})
POR_CONFIRMAR = frozenset({EstadoIntento.DESCONOCIDO, EstadoIntento.ESPERA_PERSONA})
