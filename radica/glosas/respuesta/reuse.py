"""A text written for one case made fit for another: everything that was of the first goes out. Pure.

Invariant: what is left holds no number, amount or date of the other case, and no name that follows a word for a person
where names stand («paciente …»); each hole is `{dato}`, with which no answer can leave. A name that nothing announces
cannot be told from other words: therefore only texts of providers in view are reused, and a person reads them first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from radica.glosas.codes import sin_tildes

DATO = "{dato}"
# A norm's number and year stay (Ley 1438 de 2011; 2.5.3.4.5.7): short numbers carry nobody's data.
_AMOUNT = re.compile(r"\$\s?\d[\d.,]*\d|\$\s?\d")
_DATE = re.compile(r"\b\d{1,4}[/-]\d{1,2}[/-]\d{1,4}\b|\b\d{1,2} de [a-záéíóúñ]+ (?:de|del) \d{4}\b", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"\b[A-Z]{0,6}[-.]?\d(?:[.\s-]?\d){4,}[A-Z0-9-]*\b", re.IGNORECASE)
_DOTTED_ARTICLE = re.compile(r"\d(?:\.\d{1,2}){3,}")
_MAIL = re.compile(r"\S+@\S+")
_PERSON = re.compile(
    r"(?P<who>(?i:\b(?:paciente|usuari[oa]|afiliad[oa]|señor(?:a|ita)?|sra?\.|menor|niñ[oa]|dra?\.|doctora?))(?-i:\s+))"
    r"(?P<name>(?:(?i:de nombre|identificad[oa] como|llamad[oa])\s+)?"
    r"[A-ZÁÉÍÓÚÑ][\wáéíóúñ'-]*(?:\s+(?:(?:de|del|la|los|y)\s+)*[A-ZÁÉÍÓÚÑ][\wáéíóúñ'-]*){0,5})"
)
_WORD = re.compile(r"[a-z]{4,}")
_COMMON = frozenset(
    {"para", "como", "pero", "esta", "este", "esto", "estos", "estas", "desde", "hasta", "entre", "sobre", "segun"}
    | {"cual", "cuales", "donde", "cuando", "valor", "factura", "glosa", "servicio", "servicios", "objeta", "objetado"}
    | {"objecion", "codigo", "pagador", "prestador", "atencion", "paciente", "usuario"}
)


def limpiar(text: str, *, privados: Iterable[str] = ()) -> str:
    """Return a text (its case's values already variables) without anything of its case. `privados`: known data of it."""
    for secret in sorted({one.strip() for one in privados if len(one.strip()) >= 3}, key=len, reverse=True):
        text = re.sub(r"(?<!\w)" + re.escape(secret) + r"(?!\w)", DATO, text, flags=re.IGNORECASE)
    for pattern in (_MAIL, _DATE, _AMOUNT):
        text = pattern.sub(DATO, text)
    text = _LONG_NUMBER.sub(lambda match: match[0] if _DOTTED_ARTICLE.fullmatch(match[0]) else DATO, text)
    text = _PERSON.sub(lambda match: match["who"] + DATO, text)
    return re.sub(r"\{dato\}(?:[\s,]*\{dato\})+", DATO, text)


def palabras(text: str) -> frozenset[str]:
    """Return the words of a reason that say something: four letters or more, no accents, none of the trade's filler."""
    return frozenset(_WORD.findall(sin_tildes(text))) - _COMMON


def parecido(one: frozenset[str], other: frozenset[str]) -> int:
    """Return how alike two reasons are, 0 to 100: words in common over all words. Nothing to compare is 0."""
    union = one | other
    return round(100 * len(one & other) / len(union)) if union else 0
