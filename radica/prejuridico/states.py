"""States of a dossier (expediente), and the moves between them.

Invariant: a dossier is *listo* only with its bag and its manifests sealed; what was handed over is never rebuilt: a
correction is another dossier. Norms: CGP arts. 422 and 430 (executive track), PCSJA20-11567 (electronic file).
"""

from __future__ import annotations

from enum import StrEnum

from radica.kernel.flow import Machine


class EstadoExpediente(StrEnum):
    """State of one dossier."""

    SOLICITADO = "solicitado"  # ordered: documents are being gathered
    LISTO = "listo"  # the bag is sealed and may be downloaded
    FALLIDO = "fallido"  # it could not be made; says why and may be ordered again
    ENTREGADO = "entregado"  # a lawyer has it
    DEMANDADO = "demandado"  # the lawsuit was filed; its 23 digits are known (PCSJA20-11567)
    DESCARTADO = "descartado"  # given up: paid, replaced or ordered by mistake


class EventoExpediente(StrEnum):
    """What moves it."""

    TERMINAR = "terminar"
    FALLAR = "fallar"
    REINTENTAR = "reintentar"
    ENTREGAR = "entregar"
    DEMANDAR = "demandar"
    DESCARTAR = "descartar"


E, V = EstadoExpediente, EventoExpediente

MACHINE = Machine(
    name="expediente",
    states=EstadoExpediente,
    events=EventoExpediente,
    table={
        (E.SOLICITADO, V.TERMINAR): E.LISTO,
        (E.SOLICITADO, V.FALLAR): E.FALLIDO,
        (E.FALLIDO, V.REINTENTAR): E.SOLICITADO,
        (E.LISTO, V.ENTREGAR): E.ENTREGADO,
        (E.LISTO, V.DEMANDAR): E.DEMANDADO,
        (E.ENTREGADO, V.DEMANDAR): E.DEMANDADO,
        (E.LISTO, V.DESCARTAR): E.DESCARTADO,
        (E.FALLIDO, V.DESCARTAR): E.DESCARTADO,
        (E.ENTREGADO, V.DESCARTAR): E.DESCARTADO,
    },
    labels={
        E.SOLICITADO: "En preparación",
        E.LISTO: "Listo",
        E.FALLIDO: "No se pudo preparar",
        E.ENTREGADO: "Entregado al abogado",
        E.DEMANDADO: "Con demanda presentada",
        E.DESCARTADO: "Descartado",
    },
)

VIVOS = frozenset({E.SOLICITADO, E.LISTO, E.ENTREGADO, E.DEMANDADO})
CON_BOLSA = frozenset({E.LISTO, E.ENTREGADO, E.DEMANDADO})
