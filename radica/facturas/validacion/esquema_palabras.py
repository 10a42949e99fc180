"""What a schema validator says, turned into which wording fits and what fills it: element, place and what was expected.

Invariant: a value of the document never comes out of here (it may be a patient's), only names of elements and
attributes, and those cut to a readable length. Norms: UBL 2.1 schemas; DIAN annex 1.9; MUV technical document 2.
"""

from __future__ import annotations

import re
from typing import Any

_ELEMENT = re.compile(r"Element '(?:\{[^}']*\})?([^']*)'")
_ATTRIBUTE = re.compile(r"attribute '(?:\{[^}']*\})?([^']*)'")
_EXPECTED = re.compile(r"Expected is (?:one of )?\(([^)]*)\)")
_NAME = re.compile(r"(?:\{[^}]*\})?([\w.-]+)")
_WILDCARD = re.compile(r"Element '[^'{}]+': This element is not expected\. Expected is (?:one of )?\( ##other")
_LONGEST = 60
_SHOWN = 3

FALTA, SOBRA, VALOR, TEXTO = "falta", "sobra", "valor", "texto"
ATRIBUTO, ATRIBUTO_FALTA, RAIZ, OTRO = "atributo", "atributo_falta", "raiz", "otro"

_MISSING_ATTRIBUTE = "SCHEMAV_CVC_COMPLEX_TYPE_4"
_STRANGE_ATTRIBUTE = frozenset({"SCHEMAV_CVC_COMPLEX_TYPE_3_2_1", "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2"})
_ONLY_ELEMENTS = frozenset({"SCHEMAV_CVC_COMPLEX_TYPE_2_1", "SCHEMAV_CVC_COMPLEX_TYPE_2_3", "SCHEMAV_CVC_TYPE_3_1_1"})


def palabras(error: Any) -> tuple[str, str, str, str]:
    """Return wording, element, attribute ("" when it speaks of none) and what was expected, of one lxml log entry."""
    kind, said = str(error.type_name), str(error.message)
    element = short(_first(_ELEMENT, said)) or "?"
    attribute = short(_first(_ATTRIBUTE, said))
    return _wording(kind, said, attribute), element, attribute, expected(said)


def expected(said: str) -> str:
    """Return the names that the schema wanted there, as `A, B o C` ("" when it says none)."""
    found = _EXPECTED.search(said)
    if found and found[1].strip().startswith("##"):
        return "contenido de otro espacio de nombres"
    names = list(dict.fromkeys(short(name) for name in _NAME.findall(found[1]))) if found else []
    if len(names) > _SHOWN:
        return ", ".join(names[:_SHOWN]) + ", entre otros"
    return " o ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def sin_espacio(error: Any) -> bool:
    """Say whether the error is that content of an extension stands in no namespace.

    UBL wants one there; DIAN validates documents whose blocks have none.
    """
    return _WILDCARD.match(str(error.message)) is not None


def short(name: str) -> str:
    """Return a name that came from outside, without control characters and at a readable length."""
    plain = "".join(char for char in name if char.isprintable())
    return plain if len(plain) <= _LONGEST else plain[:_LONGEST] + "…"


def _wording(kind: str, said: str, attribute: str) -> str:
    if kind == "SCHEMAV_CVC_ELT_1":
        return RAIZ
    if kind == "SCHEMAV_ELEMENT_CONTENT":
        return FALTA if "Missing child" in said else SOBRA
    if kind == _MISSING_ATTRIBUTE:
        return ATRIBUTO_FALTA
    if kind in _STRANGE_ATTRIBUTE:
        return ATRIBUTO
    if kind in _ONLY_ELEMENTS:
        return TEXTO
    if kind.startswith("SCHEMAV_CVC") and ("not a valid value" in said or "[facet" in said):
        return ATRIBUTO if attribute else VALOR
    return OTRO


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
