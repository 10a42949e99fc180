"""States of a conciliación between provider and payer, and the moves between them.

Invariant: a signed acta is the only way into an agreement, and an agreement is final: what changes later is another
conciliación that refers to it. Norms: Circular conjunta 030/2013 (crossing of debts and binding commitments); Ley
1122/2007 art. 38 when Supersalud conciliates. No norm that fixes the form of a direct acta was found.
"""

from __future__ import annotations

from enum import StrEnum

from radica.kernel.flow import Machine


class EstadoConciliacion(StrEnum):
    """State of one meeting and its acta."""

    CONVOCADA = "convocada"  # called: scope and date are being prepared
    CELEBRADA = "celebrada"  # held: values are on the table, the acta waits for signatures
    CON_ACUERDO_TOTAL = "con_acuerdo_total"  # signed, nothing of its scope stays in dispute
    CON_ACUERDO_PARCIAL = "con_acuerdo_parcial"  # signed, part stays in dispute
    FRACASADA = "fracasada"  # held or called in vain: nothing changed


class EventoConciliacion(StrEnum):
    """What moves it."""

    CELEBRAR = "celebrar"
    REABRIR_MESA = "reabrir_mesa"
    FIRMAR_TOTAL = "firmar_total"
    FIRMAR_PARCIAL = "firmar_parcial"
    FRACASAR = "fracasar"


C, V = EstadoConciliacion, EventoConciliacion

MACHINE = Machine(
    name="conciliacion",
    states=EstadoConciliacion,
    events=EventoConciliacion,
    table={
        (C.CONVOCADA, V.CELEBRAR): C.CELEBRADA,
        (C.CELEBRADA, V.REABRIR_MESA): C.CONVOCADA,  # before it is signed the table may be worked on again
        (C.CELEBRADA, V.FIRMAR_TOTAL): C.CON_ACUERDO_TOTAL,
        (C.CELEBRADA, V.FIRMAR_PARCIAL): C.CON_ACUERDO_PARCIAL,
        (C.CONVOCADA, V.FRACASAR): C.FRACASADA,
        (C.CELEBRADA, V.FRACASAR): C.FRACASADA,
    },
    labels={
        C.CONVOCADA: "Convocada",
        C.CELEBRADA: "Celebrada, por firmar",
        C.CON_ACUERDO_TOTAL: "Con acuerdo total",
        C.CON_ACUERDO_PARCIAL: "Con acuerdo parcial",
        C.FRACASADA: "Fracasada",
    },
)

ABIERTAS = frozenset({C.CONVOCADA, C.CELEBRADA})
FIRMADAS = frozenset({C.CON_ACUERDO_TOTAL, C.CON_ACUERDO_PARCIAL})
