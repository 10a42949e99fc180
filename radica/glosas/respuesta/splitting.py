"""What a payer's form takes of an answer: long text becomes a short one that sends to the annex, files keep their size.

Invariant: no word, code, amount or citation is cut; the short text is the beginning of the whole one and the annex holds
all of it; the length is counted as a form counts it (line breaks are two, signs beyond the basic plane too), so that
what fits here fits there. Limits as data, with their mark: `data/limites_respuesta.csv`. Pure.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeVar

from radica.glosas.codes import sin_tildes
from radica.kernel.errors import BadInput

T = TypeVar("T")

# Pieces that lose their meaning when a line ends inside them: $ 1.000, art. 57, Ley 1438 de 2011, Res. 2284/2023.
_PIECES = re.compile(
    r"\$\s\S+|(?:arts?\.|artículos?|num\.|numeral|lit\.|literal|N\.º|No\.|folios?|pág\.)\s\S+"
    r"|(?:Ley|Decreto(?:\sLey)?|D\.L\.|Resolución|Res\.|Circular)\s\S+(?:\sde\s\d{4})?|\S+",
    re.IGNORECASE,
)
REFERENCIA = "Continúa en el anexo."
MIN_CARACTERES = 40
"""A limit below this leaves no room for a sense beside the reference."""


@dataclass(frozen=True, slots=True)
class Limites:
    """What a payer's channel takes. None: no known limit. `max_mb`: of one file; `lote`: lines in one mass answer."""

    nombre: str
    nit: str = ""
    max_caracteres: int | None = None
    mayusculas: bool = False
    un_solo_pdf: bool = False
    max_mb: int | None = None
    lote: int | None = None
    marca: str = "M"
    nota: str = ""


@dataclass(frozen=True, slots=True)
class Partes:
    """A text as the form takes it, and the annex with the whole of it (None when it fitted)."""

    corto: str
    anexo: str | None


@cache
def todos() -> tuple[Limites, ...]:
    """Return the known limits, the default first."""
    text = files("radica.glosas").joinpath("data", "limites_respuesta.csv").read_text(encoding="utf-8")
    found = []
    for line, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        if row["marca"] not in ("V", "V-sec", "M") or {row["mayusculas"], row["un_solo_pdf"]} - {"si", "no"}:
            raise ValueError(f"limites_respuesta.csv line {line}: mark or yes/no")
        found.append(
            Limites(
                nombre=row["nombre"],
                nit=row["nit"],
                max_caracteres=_number(row["max_caracteres"]),
                mayusculas=row["mayusculas"] == "si",
                un_solo_pdf=row["un_solo_pdf"] == "si",
                max_mb=_number(row["max_mb"]),
                lote=_number(row["lote"]),
                marca=row["marca"],
                nota=row["nota"],
            )
        )
    return tuple(found)


def _number(text: str) -> int | None:
    return int(text) if text else None


def limites_de(nit: str | None, nombre: str = "") -> Limites:
    """Return the limits of a payer by NIT (without check digit), else by its name, else the default."""
    bare = (nit or "").split("-", 1)[0].replace(".", "").strip()
    default, *known = todos()
    for one in known:
        if bare and one.nit == bare:
            return one
    words = set(re.findall(r"\w+", sin_tildes(nombre)))
    for one in known:
        if not one.nit and set(re.findall(r"\w+", sin_tildes(one.nombre))) - {"eps"} <= words:
            return one
    return default


def contar(text: str) -> int:
    """Return the length of a text as a web form or a file of fields counts it at worst."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    return sum(2 if one == "\n" or ord(one) > 0xFFFF else 1 for one in composed)


def ajustar(text: str, limits: Limites) -> str:
    """Return a text in the payer's letters: one form of each accent, upper case where it asks for it."""
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n").strip())
    return plain.upper() if limits.mayusculas else plain


def partir(text: str, limits: Limites, *, referencia: str = REFERENCIA) -> Partes:
    """Return the text for the form and, if it did not fit, the annex with all of it.

    `referencia` closes the short text and names the annex. Raises BadInput when the limit has no room for it.
    """
    whole = ajustar(text, limits)
    if limits.max_caracteres is None or contar(whole) <= limits.max_caracteres:
        return Partes(whole, None)
    tail = ajustar(referencia, limits)
    room = limits.max_caracteres - contar(tail) - 1
    if limits.max_caracteres < MIN_CARACTERES or room < 0:
        raise BadInput(
            f"El límite de {limits.max_caracteres} caracteres no alcanza ni para remitir al anexo.",
            todo="Corrija el perfil de respuesta del pagador.",
            code="limite_corto",
        )
    head = _head(whole, room)
    return Partes(f"{head} {tail}".strip(), unicodedata.normalize("NFC", text.strip()))


def _head(text: str, room: int) -> str:
    """Return the longest beginning made of whole pieces; back to the end of a sentence when one is near."""
    end = sentence = used = 0
    at = 0
    for piece in _PIECES.finditer(text):
        used += contar(text[at : piece.end()])
        at = piece.end()
        if used > room:
            break
        end = piece.end()
        if piece.group().endswith((".", ";")) and len(piece.group()) > 4:
            sentence = end
    return text[: sentence if sentence * 4 >= end * 3 else end].rstrip()


def en_grupos(rows: Iterable[T], key: Callable[[T], str], maximum: int) -> list[list[T]]:
    """Return the rows in groups of at most `maximum` different keys, order kept; no key is in two groups.

    For files with a limit of invoices. Raises ValueError below one.
    """
    if maximum < 1:
        raise ValueError("a group holds at least one key")
    by_key: dict[str, list[T]] = {}
    for row in rows:
        by_key.setdefault(key(row), []).append(row)
    keys = list(by_key)
    return [[row for one in keys[at : at + maximum] for row in by_key[one]] for at in range(0, len(keys), maximum)]
