"""Which norms an answer may cite, and every phrase of a text that looks like a citation and is not one of them.

Invariant: a citation that the catalogue does not have is named, never let through: an answer with an invented norm
loses before the payer and before a judge. The catalogue (`data/normas.csv`, our own words) has only what was read (V)
or read in a secondary source (V-sec); court decisions are in none, because none was read whole.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from radica.glosas.codes import sin_tildes
from radica.kernel.errors import BadInput

MAX_TEXT = 30_000
"""Characters of a text that is looked through: an answer with its annex has a few thousand."""
_CLOSE, _NEAR = 40, 400


@dataclass(frozen=True, slots=True)
class Norma:
    """A norm that may be cited. `articulos` are those whose content is known; empty admits the norm as a whole only."""

    id: str
    clase: str
    numero: str
    ano: str
    articulos: frozenset[str]
    cita: str
    resumen: str
    marca: str
    desde: str
    hasta: str


@dataclass(frozen=True, slots=True)
class _Mention:
    """A citation found in a text: where, as written, and the norm that it names (None: not of the catalogue)."""

    start: int
    end: int
    text: str
    norm: Norma | None


_KINDS = {
    "ley": "ley",
    "leyes": "ley",
    "decreto ley": "decreto ley",
    "decreto-ley": "decreto ley",
    "dl": "decreto ley",
    "decreto": "decreto",
    "decretos": "decreto",
    "dec": "decreto",
    "dur": "decreto",
    "d": "decreto",
    "resolucion": "resolucion",
    "resoluciones": "resolucion",
    "res": "resolucion",
    "circular": "circular",
    "circulares": "circular",
    "acuerdo": "acuerdo",
    "concepto": "concepto",
    "auto": "auto",
    "l": "ley",
    "conc": "concepto",
    "directiva": "directiva",
    "ordenanza": "ordenanza",
    "instruccion": "instruccion",
}
# Written on the text without accents and in small letters, which keeps every position.
_NUMBER = r"(?:n(?:ro|umero|um|o)?[. ]?\s*)?(?P<numero>[a-z]{0,4}-?\d{1,3}(?:\.\d{3})+|[a-z]{0,4}-?\d{1,14})"
_YEAR = r"(?:\s*(?:/|-)\s*(?P<corto>\d{4}|\d{2})\b|\s*,?\s*(?:del?\s+)?(?:\d{1,2}\s+de\s+[a-z]+\s+del?\s+)?(?:del?\s+(?:ano\s+)?)(?P<largo>\d{4})\b)?"
_KIND = (
    r"\b(?P<clase>decreto[\s-]+ley|d\.\s?l\.?|dl|ley(?:es)?|decretos?|dec\.|dur|d\.|resoluci(?:on(?:es)?)|res\.?|"
    r"circular(?:es)?|acuerdo|concepto|conc\.|auto|directiva|ordenanza|instruccion|l\.)"
    r"(?:\s+(?:estatutaria|organica|unico|reglamentario|unico reglamentario|externa|conjunta|unica|interna|"
    r"ministerial|de unificacion|de tutela|de la dian|dian|minsalud))*\s*"
)
_NORM = re.compile(_KIND + _NUMBER + r"\b" + _YEAR)
_MORE = re.compile(r"\s*(?:,|y|e|;)\s*(?:la\s+|el\s+)?" + _NUMBER + r"\b" + _YEAR)
_NAMED = (
    ("codigo de comercio", re.compile(r"\bcodigo de comercio\b|\bc\.\s?(?:de\s)?co\.?(?!\w)")),
    ("codigo general del proceso", re.compile(r"\bcodigo general del proceso\b|\bcgp\b")),
    ("estatuto tributario", re.compile(r"\bestatuto tributario\b|\be\.\s?t\.")),
    ("lineamientos fev-rips", re.compile(r"\blineamientos (?:tecnicos )?fev[ -]?rips(?: v3\.2)?\b")),
    (
        "",
        re.compile(
            r"\bcodigo (?:civil|penal|sustantivo del trabajo|procesal del trabajo|contencioso)\b|\bconstitucion(?: politica| nacional)?\b"
            r"|\bcpaca\b|\bcptss\b|\bjurisprudencia\b|\bcorte (?:constitucional|suprema)\b|\bconsejo de estado\b|\bdoctrina\b|\bsentencias?\b(?:\s+(?:de\s+[a-z]+\s+)?[a-z]{1,4}[ -]?\d+(?:\s?(?:-|/|de )\s?\d{2,4})?)?"
            r"|\b(?:sc|stc|stl|apl|sl)-?\d{2,6}\s?(?:-|/|de )\s?\d{2,4}\b|\b(?:su|t|c|a)-\d{2,4}\s?(?:/|de )\s?\d{2,4}\b"
        ),
    ),
)
_ARTICLE = re.compile(
    r"\b(?:articulos?|arts?\.?|paragrafo del articulo)\s*(?P<lista>\d+(?:\.\d+)*[a-z]?(?:\s*(?:,|y|e|a|al|-)\s*\d+(?:\.\d+)*[a-z]?)*)"
)
_OF_A_CONTRACT = re.compile(r"\s*(?:del?|de la|de el)\s+(?:contrato|acuerdo de voluntades|convenio|anexo tarifario)\b")
# Said so often with other numbers behind them that only a year makes a citation of them.
_WITH_YEAR_ONLY = frozenset({"acuerdo", "concepto", "conc.", "auto", "d.", "l.", "instruccion"})
_SENTENCE_END = re.compile(r";|\.(?=\s+[A-ZÁÉÍÓÚÑ¿¡])")


@cache
def catalogo() -> tuple[Norma, ...]:
    """Return the norms that may be cited, in the order of the table."""
    text = files("radica.glosas").joinpath("data", "normas.csv").read_text(encoding="utf-8")
    found = []
    for line, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        if row["marca"] not in ("V", "V-sec") or not row["cita"] or not row["resumen"]:
            raise ValueError(f"normas.csv line {line}: only norms that were read may be cited")
        articles = frozenset(one for one in row["articulos"].split(";") if one)
        found.append(
            Norma(
                id=row["id"],
                clase=row["clase"],
                numero=row["numero"],
                ano=row["ano"],
                articulos=articles,
                cita=row["cita"],
                resumen=row["resumen"],
                marca=row["marca"],
                desde=row["desde"],
                hasta=row["hasta"],
            )
        )
    return tuple(found)


def citas_desconocidas(text: str) -> list[str]:
    """Return, as written and in order, every phrase that cites what the catalogue does not have; empty when clean.

    A norm needs kind and number, and its year must be right where it is given; an article must be one of those known
    of the norm beside which it stands; an article without a norm in its sentence is unknown. Raises BadInput for a
    text beyond `MAX_TEXT`.
    """
    if len(text) > MAX_TEXT:
        raise BadInput(
            f"El texto tiene más de {MAX_TEXT} caracteres; no se revisó.", todo="Acórtelo.", code="texto_largo"
        )
    text = _plain(text)
    flat = _flat(text)
    mentions = _mentions(text, flat)
    unknown = [(one.start, one.text) for one in mentions if one.norm is None]
    for match in _ARTICLE.finditer(flat):
        beside = _beside(match.start(), match.end(), mentions, text)
        if beside is not None and beside.norm is None:
            continue  # its norm is unknown already: once is enough
        norm = beside.norm if beside else None
        wrong = [one for one in re.findall(r"\d+(?:\.\d+)*", match["lista"]) if not _has_article(norm, one)]
        if _OF_A_CONTRACT.match(flat, match.end()):
            continue
        if wrong:
            unknown.append((match.start(), _as_written(text, match.start(), match.end(), norm)))
    return [said for _, said in sorted(dict.fromkeys(unknown))]


def _plain(text: str) -> str:
    """Return a text as it reads: one form for each accent, without invisible signs."""
    composed = "".join(one for one in unicodedata.normalize("NFC", text) if unicodedata.category(one) != "Cf")
    # Runs of blanks would make the patterns below slow; a blank line ends a sentence, one line break does not.
    return re.sub(r"(?: ?\n ?){2,}", "; ", re.sub(r"[^\S\n]+", " ", composed))


def _flat(text: str) -> str:
    """Fold letter by letter, letters of other widths too, so that each position is the one of the text."""
    return "".join(" " if one in "ªº°" else folded if len(folded := _folded(one)) == 1 else one for one in text)


def _folded(one: str) -> str:
    return sin_tildes(one if one.isascii() else unicodedata.normalize("NFKC", one))


def _mentions(text: str, flat: str) -> list[_Mention]:
    found: list[_Mention] = []
    for match in _NORM.finditer(flat):
        if match["clase"] in _WITH_YEAR_ONLY and match["numero"].isdigit() and not (match["corto"] or match["largo"]):
            continue
        kind = _KINDS.get(re.sub(r"[.\s]+", " ", match["clase"]).strip(), "") or _KINDS.get(
            match["clase"].replace(".", "").replace(" ", ""), ""
        )
        found.append(_mention(text, kind, match.start(), match))
        at = match.end()
        while more := _MORE.match(flat, at):
            if not (more["corto"] or more["largo"]):
                break
            found.append(_mention(text, kind, more.start("numero"), more))
            at = more.end()
    for kind, pattern in _NAMED:
        known = next((one for one in catalogo() if kind and one.clase == kind), None)
        found += [
            _Mention(match.start(), match.end(), text[match.start() : match.end()], known)
            for match in pattern.finditer(flat)
            if not any(one.start <= match.start() < one.end for one in found)
        ]
    return sorted(found, key=lambda one: one.start)


def _mention(text: str, kind: str, start: int, match: re.Match[str]) -> _Mention:
    number = match["numero"].replace(".", "")
    year = match["corto"] or match["largo"] or ""
    fits = [
        one
        for one in catalogo()
        if one.numero
        and one.numero == (number.lstrip("0") or number)
        and one.clase in ({kind, "decreto ley"} if kind == "decreto" else {kind})
        and (not year or one.ano == year or (len(year) == 2 and one.ano.endswith(year)))
    ]
    return _Mention(start, match.end(), text[start : match.end()].strip(), fits[0] if len(fits) == 1 else None)


def _beside(start: int, end: int, mentions: list[_Mention], text: str) -> _Mention | None:
    """Return the citation nearest to an article inside its sentence; what follows («art. 57 de la Ley…») goes first."""
    at = bisect_left(mentions, end, key=lambda one: one.start)
    after = mentions[at] if at < len(mentions) else None
    if after is not None and (after.start - end > _NEAR or _parted(text[end : after.start])):
        after = None
    if after is not None and after.start - end <= _CLOSE:
        return after
    before = mentions[at - 1] if at else None
    if before is not None and (start - before.end > _NEAR or _parted(text[before.end : start])):
        before = None
    return before or after


def _parted(between: str) -> bool:
    return _SENTENCE_END.search(between) is not None


def _has_article(norm: Norma | None, article: str) -> bool:
    if norm is None:
        return False
    # 6.1 is a number inside article 6; the DUR's articles have dots of their own and must be whole.
    return article in norm.articulos or article.split(".", maxsplit=1)[0] in norm.articulos


def _as_written(text: str, start: int, end: int, norm: Norma | None) -> str:
    said = text[start:end].strip()
    return f"{said} ({norm.cita})" if norm else said
