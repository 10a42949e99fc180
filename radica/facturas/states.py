"""States of a Factura and the moves between them.

Invariant: a state is entered by a fact (documents loaded, checks done, an acuse sealed), never by a process: "the
portal timed out" is no state of an invoice. Norms: Res. 948/2026 arts. 3 and 15 (what is filed, and when);
Res. 2284/2023 art. 5 (no audit before filing).
"""

from __future__ import annotations

from enum import StrEnum

from radica.kernel.flow import Machine


class EstadoFactura(StrEnum):
    """State of the invoice in the words of the trade."""

    INCOMPLETA = "incompleta"  # FEV, RIPS or CUV not yet here (Res. 948/2026 art. 3: without CUV no reception)
    NO_LISTA = "no_lista"  # complete, with findings that block
    LISTA = "lista"  # may be filed
    EN_RADICACION = "en_radicacion"  # an intention is open
    RECIBIDA_SIN_NUMERO = "recibida_sin_numero"  # the payer knows it, no stable number: proof level 1
    RADICADA = "radicada"  # sealed acuse of level ≥ 2 (Res. 948/2026 art. 15: unique filing number)
    POR_ANULAR = "por_anular"  # RAD-01 lapsed: annul and reissue (Res. 948/2026 art. 15 par. 1)
    ANULADA = "anulada"  # credit note for 100 % issued


class EventoFactura(StrEnum):
    """What moves an invoice."""

    FALTAR_DOCUMENTOS = "faltar_documentos"
    HALLAR_BLOQUEOS = "hallar_bloqueos"
    QUEDAR_LISTA = "quedar_lista"
    ABRIR_ENVIO = "abrir_envio"
    RADICAR = "radicar"
    RECIBIR_SIN_NUMERO = "recibir_sin_numero"
    RECHAZAR = "rechazar"
    CANCELAR_ENVIO = "cancelar_envio"
    PEDIR_ANULACION = "pedir_anulacion"
    DESISTIR_ANULACION = "desistir_anulacion"
    ANULAR = "anular"


E, V = EstadoFactura, EventoFactura

MACHINE = Machine(
    name="factura",
    states=EstadoFactura,
    events=EventoFactura,
    table={
        **{
            (state, event): target
            for state in (E.INCOMPLETA, E.NO_LISTA, E.LISTA)
            for event, target in (
                (V.FALTAR_DOCUMENTOS, E.INCOMPLETA),
                (V.HALLAR_BLOQUEOS, E.NO_LISTA),
                (V.QUEDAR_LISTA, E.LISTA),
            )
        },
        (E.LISTA, V.ABRIR_ENVIO): E.EN_RADICACION,
        (E.EN_RADICACION, V.RADICAR): E.RADICADA,
        (E.EN_RADICACION, V.RECIBIR_SIN_NUMERO): E.RECIBIDA_SIN_NUMERO,
        (E.RECIBIDA_SIN_NUMERO, V.RADICAR): E.RADICADA,  # a person got the number, or a later reading did
        # A payer that refuses leaves the invoice to be corrected; the checks are run anew at once.
        (E.EN_RADICACION, V.RECHAZAR): E.NO_LISTA,
        (E.RECIBIDA_SIN_NUMERO, V.RECHAZAR): E.NO_LISTA,
        (E.EN_RADICACION, V.CANCELAR_ENVIO): E.LISTA,
        # RAD-01 lapsed: Res. 948/2026 art. 15 par. 1.
        **{(state, V.PEDIR_ANULACION): E.POR_ANULAR for state in (E.INCOMPLETA, E.NO_LISTA, E.LISTA)},
        (E.POR_ANULAR, V.DESISTIR_ANULACION): E.NO_LISTA,
        (E.POR_ANULAR, V.ANULAR): E.ANULADA,
    },
    labels={
        E.INCOMPLETA: "Incompleta",
        E.NO_LISTA: "No lista",
        E.LISTA: "Lista",
        E.EN_RADICACION: "En radicación",
        E.RECIBIDA_SIN_NUMERO: "Recibida sin número",
        E.RADICADA: "Radicada",
        E.POR_ANULAR: "Por anular",
        E.ANULADA: "Anulada",
    },
)

POR_RADICAR = frozenset({E.INCOMPLETA, E.NO_LISTA, E.LISTA, E.EN_RADICACION})
"""Invoiced and not filed: what RAD-01 still runs for."""
REVISABLES = frozenset({E.INCOMPLETA, E.NO_LISTA, E.LISTA})
"""States in which new documents change the readiness."""
FINALES = frozenset({E.RADICADA, E.ANULADA})
