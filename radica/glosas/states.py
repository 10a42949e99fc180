"""States of a devolución (whole invoice), of a glosa (one line) and of our answer, and the moves between them.

Invariant: a devolución never becomes a glosa nor the reverse; a state is entered by an act with its date and evidence,
or by a silence to which the norm itself gives an effect; a silence without effect only raises an alert.
Norms: Res. 2284/2023 art. 6 and Anexo Técnico 3; Ley 1438/2011 art. 57.
"""

from __future__ import annotations

from enum import StrEnum

from radica.kernel.flow import Machine


class EstadoDevolucion(StrEnum):
    """State of the return of a whole invoice (Res. 2284/2023 art. 6)."""

    FORMULADA = "formulada"  # art. 6.1; five business days to answer (DEV-02)
    RESPONDIDA = "respondida"  # art. 6.2; five business days for the payer (DEV-03)
    ACEPTADA = "aceptada"  # RE9701: credit note for 100 %
    ACEPTADA_TACITA = "aceptada_tacita"  # art. 6.2: silence of the provider accepts (RE2201)
    LEVANTADA = "levantada"  # art. 6.3: withdrawn, or the payer kept silent
    REITERADA = "reiterada"  # art. 6.3; the norm says nothing of what follows: controversy
    CONCILIADA = "conciliada"  # settled in a signed acta
    ANULADA = "anulada"  # recorded by mistake; a person said so, with a reason


class EventoDevolucion(StrEnum):
    """What moves a devolución."""

    AGREGAR_CAUSAL = "agregar_causal"
    RESPONDER = "responder"
    ACEPTAR = "aceptar"
    VENCER_RESPUESTA = "vencer_respuesta"
    REABRIR = "reabrir"
    LEVANTAR = "levantar"
    VENCER_DECISION = "vencer_decision"
    REITERAR = "reiterar"
    CONCILIAR = "conciliar"
    CORREGIR = "corregir"
    ANULAR = "anular"


D, F = EstadoDevolucion, EventoDevolucion

DEVOLUCION = Machine(
    name="devolucion",
    states=EstadoDevolucion,
    events=EventoDevolucion,
    table={
        (D.FORMULADA, F.AGREGAR_CAUSAL): D.FORMULADA,  # one devolución an invoice: a further cause joins it (art. 6.1)
        (D.FORMULADA, F.RESPONDER): D.RESPONDIDA,  # art. 6.2; RE9501, RE9601
        (D.FORMULADA, F.ACEPTAR): D.ACEPTADA,  # RE9701
        (D.FORMULADA, F.VENCER_RESPUESTA): D.ACEPTADA_TACITA,  # art. 6.2, express effect
        (D.FORMULADA, F.LEVANTAR): D.LEVANTADA,  # the payer withdraws it unanswered
        (D.ACEPTADA_TACITA, F.REABRIR): D.FORMULADA,  # proof that the term had not lapsed
        (D.ACEPTADA_TACITA, F.RESPONDER): D.RESPONDIDA,  # an answer given in time that was registered late
        (D.ACEPTADA_TACITA, F.LEVANTAR): D.LEVANTADA,
        (D.RESPONDIDA, F.LEVANTAR): D.LEVANTADA,  # art. 6.3
        (D.RESPONDIDA, F.VENCER_DECISION): D.LEVANTADA,  # art. 6.3: the payer's silence means it was unjustified
        (D.RESPONDIDA, F.REITERAR): D.REITERADA,  # art. 6.3
        (D.LEVANTADA, F.REITERAR): D.REITERADA,  # a decision dated in time that arrived after the silence was noted
        (D.REITERADA, F.LEVANTAR): D.LEVANTADA,
        (D.REITERADA, F.ACEPTAR): D.ACEPTADA,
        (D.REITERADA, F.CONCILIAR): D.CONCILIADA,
        # A date that was wrong is put right with evidence; the state stays, the terms are counted again.
        **{(state, F.CORREGIR): state for state in (D.FORMULADA, D.RESPONDIDA, D.REITERADA)},
        (D.FORMULADA, F.ANULAR): D.ANULADA,
    },
    labels={
        D.FORMULADA: "Formulada",
        D.RESPONDIDA: "Respondida",
        D.ACEPTADA: "Aceptada",
        D.ACEPTADA_TACITA: "Aceptada por silencio",
        D.LEVANTADA: "Levantada",
        D.REITERADA: "Reiterada",
        D.CONCILIADA: "Conciliada",
        D.ANULADA: "Anulada",
    },
)


class EstadoGlosa(StrEnum):
    """State of one glosa line (Ley 1438/2011 art. 57)."""

    FORMULADA = "formulada"  # fifteen business days to answer (GLO-03)
    RESPONDIDA = "respondida"  # ten business days for the payer (GLO-04)
    ACEPTADA_PARCIAL = "aceptada_parcial"  # RE9801: answered, part accepted; the payer decides on the rest (GLO-04)
    ACEPTADA_TOTAL = "aceptada_total"  # RE9702: partial credit note
    ACEPTADA_TACITA = "aceptada_tacita"  # Anexo 3, RE2202: not answered in fifteen days
    SIN_DECISION = "sin_decision"  # the payer let ten days pass: no legal effect, alert
    EN_SUBSANACION = "en_subsanacion"  # not lifted; seven business days, their start is ambiguous (GLO-05)
    LEVANTADA_PARCIAL = "levantada_parcial"  # part lifted, the rest not: seven business days as above
    SUBSANADA = "subsanada"  # answered again; the payer's last word (GLO-07)
    LEVANTADA_TOTAL = "levantada_total"  # pay within five business days (GLO-06)
    DEFINITIVA = "definitiva"  # ratified after all: Supersalud, conciliation or judge (GLO-08)
    CONCILIADA = "conciliada"  # nothing left in dispute after a signed acta
    ANULADA = "anulada"  # recorded by mistake; a person said so, with a reason


class EventoGlosa(StrEnum):
    """What moves a glosa."""

    RESPONDER = "responder"
    ACEPTAR_PARTE = "aceptar_parte"
    ACEPTAR = "aceptar"
    VENCER_RESPUESTA = "vencer_respuesta"
    REABRIR = "reabrir"
    VENCER_DECISION = "vencer_decision"
    LEVANTAR = "levantar"
    LEVANTAR_PARTE = "levantar_parte"
    RATIFICAR = "ratificar"
    SUBSANAR = "subsanar"
    DECLARAR_DEFINITIVA = "declarar_definitiva"
    CONCILIAR = "conciliar"
    CONCILIAR_PARTE = "conciliar_parte"
    CORREGIR = "corregir"
    ANULAR = "anular"


G, V = EstadoGlosa, EventoGlosa

_ESPERA_PAGADOR = (G.RESPONDIDA, G.ACEPTADA_PARCIAL, G.SIN_DECISION)
_CONCILIABLES = (*_ESPERA_PAGADOR, G.EN_SUBSANACION, G.LEVANTADA_PARCIAL, G.SUBSANADA, G.DEFINITIVA)

GLOSA = Machine(
    name="glosa",
    states=EstadoGlosa,
    events=EventoGlosa,
    table={
        (G.FORMULADA, V.RESPONDER): G.RESPONDIDA,  # art. 57; RE9502, RE9602, RE9901
        (G.FORMULADA, V.ACEPTAR_PARTE): G.ACEPTADA_PARCIAL,  # RE9801
        (G.FORMULADA, V.ACEPTAR): G.ACEPTADA_TOTAL,  # RE9702
        (G.FORMULADA, V.VENCER_RESPUESTA): G.ACEPTADA_TACITA,  # Anexo 3, RE2202
        (G.FORMULADA, V.LEVANTAR): G.LEVANTADA_TOTAL,  # the payer withdraws it unanswered
        (G.FORMULADA, V.ANULAR): G.ANULADA,
        (G.ACEPTADA_TACITA, V.REABRIR): G.FORMULADA,  # proof that the term had not lapsed
        (G.ACEPTADA_TACITA, V.RESPONDER): G.RESPONDIDA,  # an answer given in time that was registered late
        (G.ACEPTADA_TACITA, V.ACEPTAR_PARTE): G.ACEPTADA_PARCIAL,
        (G.ACEPTADA_TACITA, V.LEVANTAR): G.LEVANTADA_TOTAL,
        (G.RESPONDIDA, V.VENCER_DECISION): G.SIN_DECISION,  # art. 57 gives this silence no effect
        (G.ACEPTADA_PARCIAL, V.VENCER_DECISION): G.SIN_DECISION,
        **{(state, V.LEVANTAR): G.LEVANTADA_TOTAL for state in _ESPERA_PAGADOR},  # art. 57
        **{(state, V.LEVANTAR_PARTE): G.LEVANTADA_PARCIAL for state in _ESPERA_PAGADOR},
        **{(state, V.RATIFICAR): G.EN_SUBSANACION for state in _ESPERA_PAGADOR},
        (G.EN_SUBSANACION, V.SUBSANAR): G.SUBSANADA,  # art. 57: seven days
        (G.LEVANTADA_PARCIAL, V.SUBSANAR): G.SUBSANADA,
        (G.EN_SUBSANACION, V.ACEPTAR): G.ACEPTADA_TOTAL,
        (G.LEVANTADA_PARCIAL, V.ACEPTAR): G.ACEPTADA_TOTAL,  # accepts what is left
        (G.EN_SUBSANACION, V.LEVANTAR): G.LEVANTADA_TOTAL,
        (G.LEVANTADA_PARCIAL, V.LEVANTAR): G.LEVANTADA_TOTAL,
        # The seven days lapsed (no effect in the norm) or nothing can be mended: a person says so.
        (G.EN_SUBSANACION, V.DECLARAR_DEFINITIVA): G.DEFINITIVA,
        (G.LEVANTADA_PARCIAL, V.DECLARAR_DEFINITIVA): G.DEFINITIVA,
        (G.SUBSANADA, V.LEVANTAR): G.LEVANTADA_TOTAL,
        (G.SUBSANADA, V.LEVANTAR_PARTE): G.DEFINITIVA,
        (G.SUBSANADA, V.RATIFICAR): G.DEFINITIVA,
        (G.SUBSANADA, V.DECLARAR_DEFINITIVA): G.DEFINITIVA,  # the payer's last silence: a person decides
        (G.DEFINITIVA, V.LEVANTAR): G.LEVANTADA_TOTAL,
        (G.DEFINITIVA, V.LEVANTAR_PARTE): G.DEFINITIVA,
        (G.DEFINITIVA, V.ACEPTAR): G.ACEPTADA_TOTAL,
        **{(state, V.CONCILIAR): G.CONCILIADA for state in _CONCILIABLES},  # signed acta, nothing left
        **{(state, V.CONCILIAR_PARTE): G.DEFINITIVA for state in _CONCILIABLES},  # signed acta, part still in dispute
        # A date that was wrong is put right with evidence; the state stays, the terms are counted again.
        **{(state, V.CORREGIR): state for state in (G.FORMULADA, *_CONCILIABLES)},
    },
    labels={
        G.FORMULADA: "Formulada",
        G.RESPONDIDA: "Respondida",
        G.ACEPTADA_PARCIAL: "Aceptada en parte",
        G.ACEPTADA_TOTAL: "Aceptada",
        G.ACEPTADA_TACITA: "Aceptada por silencio",
        G.SIN_DECISION: "Sin decisión del pagador",
        G.EN_SUBSANACION: "Ratificada, por subsanar",
        G.LEVANTADA_PARCIAL: "Levantada en parte, por subsanar",
        G.SUBSANADA: "Subsanada",
        G.LEVANTADA_TOTAL: "Levantada",
        G.DEFINITIVA: "Definitiva",
        G.CONCILIADA: "Conciliada",
        G.ANULADA: "Anulada",
    },
)

POR_RESPONDER = frozenset({G.FORMULADA, G.EN_SUBSANACION, G.LEVANTADA_PARCIAL})
"""What waits for the provider: the answer, or the second one."""
ESPERA_PAGADOR = frozenset({*_ESPERA_PAGADOR, G.SUBSANADA})
"""What waits for the payer."""
CONCILIABLES = frozenset(_CONCILIABLES)
"""What may be taken to a conciliation meeting."""
FINALES = frozenset({G.ACEPTADA_TOTAL, G.ACEPTADA_TACITA, G.LEVANTADA_TOTAL, G.CONCILIADA, G.ANULADA})
"""Nothing is in dispute here (a CHECK holds it)."""
DEV_POR_RESPONDER = frozenset({D.FORMULADA})
DEV_ABIERTAS = frozenset({D.FORMULADA, D.RESPONDIDA, D.REITERADA})


class EstadoRespuesta(StrEnum):
    """State of our answer to one glosa or devolución in one round."""

    BORRADOR = "borrador"
    POR_APROBAR = "por_aprobar"  # above the four-eyes amount: another person approves
    APROBADA = "aprobada"
    EN_ENVIO = "en_envio"  # an envío carries it to the payer
    PRESENTADA = "presentada"  # the payer has it, with evidence
    DESCARTADA = "descartada"


class EventoRespuesta(StrEnum):
    """What moves an answer."""

    PEDIR_APROBACION = "pedir_aprobacion"
    APROBAR = "aprobar"
    DEVOLVER = "devolver"
    ENVIAR = "enviar"
    VOLVER = "volver"
    PRESENTAR = "presentar"
    DESCARTAR = "descartar"


R, S = EstadoRespuesta, EventoRespuesta

RESPUESTA = Machine(
    name="respuesta",
    states=EstadoRespuesta,
    events=EventoRespuesta,
    table={
        (R.BORRADOR, S.PEDIR_APROBACION): R.POR_APROBAR,
        (R.BORRADOR, S.APROBAR): R.APROBADA,  # below the four-eyes amount the author's word is enough
        (R.POR_APROBAR, S.APROBAR): R.APROBADA,
        (R.POR_APROBAR, S.DEVOLVER): R.BORRADOR,
        (R.APROBADA, S.DEVOLVER): R.BORRADOR,  # before it is sent it may still be mended
        (R.APROBADA, S.ENVIAR): R.EN_ENVIO,
        (R.EN_ENVIO, S.VOLVER): R.APROBADA,  # the envío was rejected or cancelled
        (R.EN_ENVIO, S.PRESENTAR): R.PRESENTADA,
        (R.BORRADOR, S.DESCARTAR): R.DESCARTADA,
        (R.POR_APROBAR, S.DESCARTAR): R.DESCARTADA,
        (R.APROBADA, S.DESCARTAR): R.DESCARTADA,
    },
    labels={
        R.BORRADOR: "Borrador",
        R.POR_APROBAR: "Por aprobar",
        R.APROBADA: "Aprobada",
        R.EN_ENVIO: "En envío",
        R.PRESENTADA: "Presentada",
        R.DESCARTADA: "Descartada",
    },
)
