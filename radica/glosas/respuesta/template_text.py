"""Texts with variables: which variables exist, whether a text may be a template, and what it says of one case. Pure.

Invariant: an unknown variable and an unknown citation are refused when the template is written; what a case does not
tell stays in braces, and an answer with braces cannot leave (`answer_rules`). No variable holds a patient's data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from radica.glosas.respuesta import norms
from radica.kernel.errors import BadInput

DEL_CASO: dict[str, str] = {
    "factura": "número de la factura",
    "radicado": "número de radicación",
    "fecha_radicacion": "día en que se radicó",
    "fecha_notificacion": "día en que se recibió la glosa o devolución",
    "dias_habiles": "días hábiles entre radicación y notificación",
    "termino_pagador": "días hábiles que tenía el pagador",
    "codigo": "código de la glosa o devolución",
    "descripcion_codigo": "qué dice ese código",
    "numero_glosa": "número que le dio el pagador",
    "item": "servicio objetado",
    "valor_objetado": "valor en discusión",
    "valor_aceptado": "valor que se acepta",
    "valor_defendido": "valor que no se acepta",
    "valor_factura": "valor de la factura",
    "pagador": "nombre del pagador",
    "prestador": "nombre del prestador",
    "nit_prestador": "NIT del prestador",
    "soportes": "siglas de los soportes que se adjuntan",
}
DE_LA_PERSONA: dict[str, str] = {
    "contrato": "número del acuerdo de voluntades",
    "clausula": "cláusula o anexo del acuerdo",
    "autorizacion": "número de autorización",
    "explicacion": "la razón, en sus palabras",
}
VARIABLES = DEL_CASO | DE_LA_PERSONA
MAX_TEXTO = 8_000
_VARIABLE = re.compile(r"\{([a-z_]+)\}")
_BLANKS = re.compile(r"[^\S\n]{2,}")


@dataclass(frozen=True, slots=True)
class Texto:
    """What a template says of a case; `faltan` are the variables still in braces, once each and in order."""

    texto: str
    faltan: tuple[str, ...]


def variables(text: str) -> tuple[str, ...]:
    """Return the variables of a text, once each and in order."""
    return tuple(dict.fromkeys(_VARIABLE.findall(text)))


def validar(text: str) -> str:
    """Return the text as it will be kept. Raises BadInput: empty, long, unknown variable, stray brace, citation."""
    kept = text.replace("\r\n", "\n").strip()
    if not kept:
        raise BadInput("La plantilla no tiene texto; no se guardó.", todo="Escríbalo.", code="plantilla_vacia")
    if len(kept) > MAX_TEXTO:
        raise BadInput(f"La plantilla pasa de {MAX_TEXTO} caracteres.", todo="Acórtela.", code="plantilla_larga")
    unknown = [one for one in variables(kept) if one not in VARIABLES]
    if unknown:
        raise BadInput(
            f"No existe la variable {{{unknown[0][:40]}}}; la plantilla no se guardó.",
            todo=f"Puede usar: {', '.join(VARIABLES)}.",
            code="variable_desconocida",
        )
    if "{" in (rest := _VARIABLE.sub("", kept)) or "}" in rest:
        raise BadInput(
            "Hay una llave suelta; la plantilla no se guardó.",
            todo="Escriba cada variable como {factura}.",
            code="llave_suelta",
        )
    if cited := norms.citas_desconocidas(_VARIABLE.sub("X", kept)):
        raise BadInput(
            f"La plantilla cita «{cited[0][:80]}», que no está en el catálogo de normas; no se guardó.",
            todo="Quite la cita o use una norma del catálogo.",
            code="cita_desconocida",
        )
    return kept


def llenar(text: str, values: Mapping[str, str]) -> Texto:
    """Put the values of a case into a template. A value that is missing or empty leaves its variable in braces.

    Values are put in as they are: a brace inside one is no variable. The clean-up of blanks touches only the seams.
    """
    missing: dict[str, None] = {}

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], "").strip()
        if not found:
            missing[match[1]] = None
            return match[0]
        return found

    return Texto(_BLANKS.sub(" ", _VARIABLE.sub(value, text)), tuple(missing))


def abstraer(text: str, values: Mapping[str, str]) -> str:
    """Turn the values of one case in a text back into variables: the longest first, whole words only.

    For reusing an answer elsewhere: what belonged to that case must not travel. Short values (under three signs) stay.
    """
    for name, value in sorted(values.items(), key=lambda one: (-len(one[1]), one[0])):
        if len(value.strip()) >= 3:
            pattern = r"(?<!\w)" + re.escape(value.strip()) + r"(?!\w)"
            text = re.sub(pattern, "{" + name + "}", text, flags=re.IGNORECASE)
    return text
