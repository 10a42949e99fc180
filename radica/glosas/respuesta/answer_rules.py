"""What an answer needs before it may leave the house: the code that fits its act, its money, its proof, its words. Pure.

Invariant: a `grave` problem stops the answer, any other is said and a person decides; no rule invents an effect that
the norm does not give. Norms: Res. 2284/2023 art. 6 and Anexo Técnico 3; Ley 1438/2011 art. 57. Amounts are centavos.
"""

from __future__ import annotations

from dataclasses import dataclass

from radica.glosas.codes import normalizar
from radica.glosas.respuesta import norms
from radica.glosas.respuesta.answer_codes import Acto, CodigoRespuesta, catalogo, codigo_para, sin_valor
from radica.kernel.money import format_cop


@dataclass(frozen=True, slots=True)
class Problema:
    """Something wrong with an answer. `grave` stops it; `mensaje` and `que_hacer` are for the person."""

    codigo: str
    mensaje: str
    que_hacer: str = ""
    grave: bool = True


@dataclass(frozen=True, slots=True)
class Propuesta:
    """An answer as somebody wants to give it.

    `valor`: centavos still in dispute (of a devolución, the invoice's value). `extemporanea`: whether the payer's
    notice was late by its own dates; None when a date is missing. `soportes`: pieces attached now; `ya_radicados`:
    supports filed with the invoice, which evidence may point to. `vencida`: our own term has lapsed.
    """

    acto: Acto
    codigo_glosa: str
    codigo: str
    valor: int
    aceptado: int
    texto: str
    decision: str = ""
    ronda: int = 1
    extemporanea: bool | None = None
    soportes: int = 0
    ya_radicados: int = 0
    vencida: bool = False
    texto_anterior: str = ""


def revisar_respuesta(answer: Propuesta) -> tuple[Problema, ...]:
    """Return everything wrong with an answer, what stops it first; empty when it may go."""
    rule, problems = _code(answer)
    if rule is not None:
        problems += _late(answer, rule) + _amount(answer, rule) + _evidence(answer, rule) + _round(answer, rule)
    problems += _text(answer)
    if answer.vencida:
        effect = "RE2201" if answer.acto == "devolucion" else "RE2202"
        problems.append(
            Problema(
                "termino_vencido",
                f"El término para responder ya venció: el pagador puede registrar {effect} (aceptación tácita).",
                "Responda hoy; si respondió a tiempo por otro medio, registre esa prueba.",
                grave=False,
            )
        )
    return tuple(sorted(problems, key=lambda one: not one.grave))


def _code(answer: Propuesta) -> tuple[CodigoRespuesta | None, list[Problema]]:
    rule = catalogo().get(answer.codigo)
    if rule is None:
        known = normalizar(answer.codigo)
        said = answer.codigo[:12]
        if known is not None and known.tipo == "respuesta":
            return None, [
                Problema(
                    "codigo_general",
                    f"«{said}» es un concepto, no un código de respuesta.",
                    "Use el de cuatro cifras, como RE9602.",
                )
            ]
        return None, [
            Problema(
                "codigo_desconocido",
                f"El manual no tiene el código de respuesta «{said}».",
                "Use uno de RE9501 a RE9901.",
            )
        ]
    if rule.autor != "ips":
        return None, [
            Problema(
                "codigo_del_pagador", f"{rule.codigo} lo registra el pagador, no el prestador.", "Elija otro código."
            )
        ]
    if rule.acto != answer.acto:
        twin = codigo_para(answer.acto, rule.decision)
        todo = (
            f"Use {twin.codigo}."
            if twin
            else "Una devolución se acepta o se rechaza completa: RE9501, RE9601 o RE9701."
        )
        name = "una devolución" if rule.acto == "devolucion" else "una glosa"
        return None, [Problema("codigo_de_otro_acto", f"{rule.codigo} responde {name}.", todo)]
    if answer.decision and answer.decision != rule.decision:
        fits = codigo_para(answer.acto, answer.decision)
        todo = f"Para esa decisión el código es {fits.codigo}." if fits else "Cambie la decisión."
        return rule, [Problema("decision_distinta", f"{rule.codigo} no corresponde a la decisión elegida.", todo)]
    return rule, []


def _late(answer: Propuesta, rule: CodigoRespuesta) -> list[Problema]:
    if rule.decision == "extemporanea":
        if answer.extemporanea is None:
            return [
                Problema(
                    "extemporanea_sin_fechas",
                    f"{rule.codigo} necesita la fecha de radicación y la de notificación, y falta una.",
                    "Registre la fecha con su prueba, o use otro código.",
                )
            ]
        if not answer.extemporanea:
            return [
                Problema(
                    "notificada_a_tiempo",
                    f"La notificación llegó dentro del término: {rule.codigo} no procede.",
                    "Use otro código.",
                )
            ]
        return []
    if answer.extemporanea and answer.ronda == 1:
        code = "RE9501" if answer.acto == "devolucion" else "RE9502"
        return [
            Problema(
                "hubo_extemporanea",
                f"La notificación llegó tarde y puede responder {code}; con {rule.codigo} deja de alegarlo.",
                f"Cambie a {code}, o confirme su decisión.",
                grave=False,
            )
        ]
    return []


def _amount(answer: Propuesta, rule: CodigoRespuesta) -> list[Problema]:
    value, accepted = answer.valor, answer.aceptado
    if sin_valor(answer.codigo_glosa):
        problems = []
        if accepted or rule.acepta != "nada":
            problems.append(
                Problema(
                    "so61_sin_valor",
                    "SO61 trata la calidad del RIPS y no afecta el valor: no hay nada que aceptar en pesos.",
                    "Use RE9901 con la nota de ajuste de RIPS, o RE9602 si el RIPS está bien.",
                )
            )
        if value:
            problems.append(
                Problema(
                    "so61_con_valor",
                    f"El pagador objetó {format_cop(value)} con SO61, que no afecta el valor.",
                    "Dígalo en la respuesta y reclame que el valor no se descuente.",
                    grave=False,
                )
            )
        return problems
    if accepted < 0 or accepted > value:
        return [
            Problema(
                "acepta_de_mas",
                f"Se acepta {format_cop(accepted)} y lo objetado es {format_cop(value)}.",
                "Corrija el valor aceptado.",
            )
        ]
    if rule.acepta == "nada" and accepted:
        return [
            Problema(
                "acepta_con_codigo_que_no",
                f"{rule.codigo} no acepta nada y el valor aceptado es {format_cop(accepted)}.",
                "Ponga cero o use RE9801." if answer.acto == "glosa" else "Ponga cero o use RE9701.",
            )
        ]
    if rule.acepta == "todo" and accepted != value:
        return [
            Problema(
                "acepta_incompleto",
                f"{rule.codigo} acepta todo: son {format_cop(value)}, no {format_cop(accepted)}.",
                "Ponga el valor completo" + (" o use RE9801." if answer.acto == "glosa" else "."),
            )
        ]
    if rule.acepta == "parte" and not 0 < accepted < value:
        return [
            Problema(
                "parte_que_no_es_parte",
                f"{rule.codigo} acepta sólo una parte de {format_cop(value)}.",
                "Si no acepta nada use RE9901 o RE9602; si acepta todo, RE9702.",
            )
        ]
    return []


def _evidence(answer: Propuesta, rule: CodigoRespuesta) -> list[Problema]:
    if rule.exige == "soportes" and not answer.soportes:
        what = "la nota de ajuste de RIPS" if sin_valor(answer.codigo_glosa) else "el soporte que subsana"
        return [
            Problema(
                "falta_soporte",
                f"{rule.codigo} dice que se subsana y no lleva {what}.",
                "Adjúntelo antes de responder.",
            )
        ]
    if rule.exige == "evidencia" and not answer.soportes and not answer.ya_radicados:
        return [
            Problema(
                "falta_evidencia",
                f"{rule.codigo} alega que no hay razón y no lleva evidencia.",
                "Adjunte un soporte o señale uno ya radicado con la factura.",
            )
        ]
    if rule.exige == "fechas" and not answer.soportes:
        return [
            Problema(
                "falta_prueba_de_fechas",
                f"{rule.codigo} va mejor con el acuse de radicación y la notificación.",
                "Adjunte ambos.",
                grave=False,
            )
        ]
    return []


def _round(answer: Propuesta, rule: CodigoRespuesta) -> list[Problema]:
    if answer.ronda < 2:
        return []
    problems = []
    if answer.acto == "devolucion":
        problems.append(
            Problema(
                "segunda_devolucion",
                "La norma no prevé una segunda respuesta a la devolución reiterada; SIIFA usa siete días hábiles (práctica).",
                "Téngala como controversia y prepare la conciliación.",
                grave=False,
            )
        )
    if rule.decision == "extemporanea":
        problems.append(
            Problema(
                "extemporanea_en_segunda",
                f"{rule.codigo} alega la tardanza de la primera notificación; una decisión tardía del pagador no tiene código ni efecto en la norma.",
                "Use RE9602 o RE9901 y diga la tardanza en el texto.",
            )
        )
    if answer.texto_anterior and _same(answer.texto, answer.texto_anterior):
        problems.append(
            Problema(
                "mismo_texto",
                "El texto es igual al de la primera respuesta, que el pagador ya no aceptó.",
                "Conteste lo que el pagador dijo al ratificar.",
                grave=False,
            )
        )
    return problems


def _same(one: str, other: str) -> bool:
    return one.casefold().split() == other.casefold().split()


def _text(answer: Propuesta) -> list[Problema]:
    text = answer.texto.strip()
    if not text:
        return [Problema("sin_texto", "La respuesta no tiene texto.", "Escriba el argumento o elija una plantilla.")]
    if len(text) > norms.MAX_TEXT:
        return [Problema("texto_largo", f"El texto pasa de {norms.MAX_TEXT} caracteres.", "Acórtelo.")]
    problems = []
    if "{" in text or "}" in text:
        problems.append(
            Problema("variable_sin_llenar", "El texto tiene una variable sin llenar entre llaves.", "Complétela.")
        )
    if unknown := norms.citas_desconocidas(text):
        said = "; ".join(f"«{one[:80]}»" for one in unknown[:5])
        problems.append(
            Problema(
                "cita_desconocida",
                f"El texto cita normas que no están en el catálogo: {said}.",
                "Quítelas, o use una norma del catálogo.",
            )
        )
    return problems
